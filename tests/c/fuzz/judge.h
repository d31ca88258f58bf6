/* SPDX-License-Identifier: BSD-3-Clause */
/* Judges completions: whether the status is right, and whether the command did what it says. */
#ifndef TESTS_C_FUZZ_JUDGE_H
#define TESTS_C_FUZZ_JUDGE_H

#include "tests/c/fuzz/host.h"

/* Whether a command can be the first half of a fused operation, or the second. */
bool fuzz_judge_is_first(const struct nvme_cmd *cmd);
bool fuzz_judge_is_second(const struct nvme_cmd *cmd);

/* Fill in data for a Compare: those of namespace 1, as far as they are known. */
void fuzz_judge_fill(struct fuzz_host *host, struct fuzz_slot *slot, uint8_t *data);

/* Note which data the command may change, and which it must find. Call it when the command is sent. */
void fuzz_judge_prepare(struct fuzz_host *host, struct fuzz_slot *slot, const struct fuzz_command *command);

void fuzz_judge_completion(struct fuzz_host *host, struct fuzz_slot *slot, const struct nvme_cpl *cpl);

/* Note that the command will never complete. */
void fuzz_judge_dropped(struct fuzz_host *host, struct fuzz_slot *slot);

#endif
