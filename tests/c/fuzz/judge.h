/* SPDX-License-Identifier: BSD-3-Clause */
/* What a command's completion has to say, and what the command has to have done. */
#ifndef TESTS_C_FUZZ_JUDGE_H
#define TESTS_C_FUZZ_JUDGE_H

#include "tests/c/fuzz/host.h"

/* Whether a command can be the first half of a fused operation, or the second. */
bool fuzz_judge_is_first(const struct nvme_cmd *cmd);
bool fuzz_judge_is_second(const struct nvme_cmd *cmd);

/* Data for a Compare: what namespace 1 holds, as far as it is known. */
void fuzz_judge_fill(struct fuzz_host *host, struct fuzz_slot *slot, uint8_t *data);

/* Note what the command, as it is sent, may change, and what it must find. */
void fuzz_judge_prepare(struct fuzz_host *host, struct fuzz_slot *slot, const struct fuzz_command *command);

void fuzz_judge_completion(struct fuzz_host *host, struct fuzz_slot *slot, const struct nvme_cpl *cpl);

/* It will never complete. */
void fuzz_judge_dropped(struct fuzz_host *host, struct fuzz_slot *slot);

#endif
