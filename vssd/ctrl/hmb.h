/* SPDX-License-Identifier: BSD-3-Clause */
/* The host memory buffer, feature 0Dh. */
#ifndef VSSD_CTRL_HMB_H
#define VSSD_CTRL_HMB_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_id.h"

#define VSSD_HMPRE 1024u /* 4 KiB each: the host memory buffer that it likes best, and the least that is of use */
#define VSSD_HMMIN 16u
#define VSSD_HMB_DESCRIPTORS 128u
#define VSSD_HMB_ENTRY_SIZE 16u

struct vssd_ctrl;

struct vssd_hmb_range {
	uint64_t iova;
	uint64_t end; /* bytes of this one and of all before it */
};

struct vssd_hmb {
	bool enabled;
	uint32_t epoch;
	uint32_t entries; /* that there is room for */
	uint32_t count;   /* of ranges */
	uint64_t bytes;
	struct nvme_hmb_attributes attributes;
	struct vssd_hmb_range ranges[VSSD_HMB_DESCRIPTORS];
};

/* Use so many bytes of the ranges, which have been set, as attributes says. returned: they hold what was left there.
 */
void vssd_hmb_enable(struct vssd_ctrl *ctrl, const struct nvme_hmb_attributes *attributes, uint64_t size,
		     bool returned);

/* The memory is the host's again. */
void vssd_hmb_disable(struct vssd_ctrl *ctrl);

/* What it holds is void. */
void vssd_hmb_forget(struct vssd_ctrl *ctrl);

/* Blocks first to last are read, or have changed. Only where it is enabled. */
void vssd_hmb_use(struct vssd_ctrl *ctrl, uint64_t first, uint64_t last, bool changed);

#endif
