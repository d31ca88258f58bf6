/* SPDX-License-Identifier: BSD-3-Clause */
/* Tracks a Copy: at its end, the destination holds what its sources held, if these have not changed meanwhile. */
#ifndef PYN_VERIFY_TRACK_COPY_H
#define PYN_VERIFY_TRACK_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/verify/verify.h"
#include "spec/nvme_cmd.h"

#define PYN_COPY_MOST (UINT64_C(1) << 20) /* LBAs of one Copy that are noted one by one: 16 MiB */

struct pyn_copy;

/* Number of bytes of a source range of this format, or 0 if the format is unknown. */
uint32_t pyn_copy_range_size(uint64_t format);

/* Parse source ranges, which may have any alignment. Returns the copy, which pyn_copy_end frees, and sets the number
 * of LBAs. NULL: no memory, or more than PYN_COPY_MOST LBAs; the number is set, too. */
struct pyn_copy *pyn_copy_parse(const struct pyn_verify *verify, const struct nvme_cmd *cmd, const uint8_t *ranges,
				uint64_t *nlb);

/* Begin the change of the first `noted` LBAs from slba on. */
void pyn_copy_begin(struct pyn_copy *copy, struct pyn_verify *verify, uint64_t slba, uint64_t noted);

/* End it, and free the copy. The LBAs whose source is unknown or has changed are unknown, whatever the outcome. */
void pyn_copy_end(struct pyn_copy *copy, struct pyn_verify *verify, enum pyn_write_outcome outcome);

#endif
