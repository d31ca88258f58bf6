/* SPDX-License-Identifier: BSD-3-Clause */
/* The host memory buffer, feature 0Dh. */
#ifndef VSSD_CTRL_HMB_H
#define VSSD_CTRL_HMB_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_id.h"

#define VSSD_HMPRE 1024u /* preferred size, units of 4 KiB, as Identify reports it */
#define VSSD_HMMIN 16u   /* minimum size, units of 4 KiB */
#define VSSD_HMB_DESCRIPTORS 128u
#define VSSD_HMB_ENTRY_SIZE 16u

struct vssd_ctrl;

struct vssd_hmb_range {
	uint64_t iova;
	uint64_t end; /* total bytes of this range and all before it */
};

struct vssd_hmb {
	bool enabled;
	uint32_t epoch;
	uint32_t entries; /* how many map entries fit */
	uint32_t count;   /* number of ranges */
	uint64_t bytes;
	struct nvme_hmb_attributes attributes;
	struct vssd_hmb_range ranges[VSSD_HMB_DESCRIPTORS];
};

/* Use size bytes of the ranges, which the caller has set. returned: the host returns the memory with unchanged
 * contents. */
void vssd_hmb_enable(struct vssd_ctrl *ctrl, const struct nvme_hmb_attributes *attributes, uint64_t size,
		     bool returned);

/* Give the memory back to the host. */
void vssd_hmb_disable(struct vssd_ctrl *ctrl);

/* Invalidate all entries. */
void vssd_hmb_forget(struct vssd_ctrl *ctrl);

/* Look up the entries of blocks first to last, or update them if they changed. Call only while the buffer is enabled.
 */
void vssd_hmb_use(struct vssd_ctrl *ctrl, uint64_t first, uint64_t last, bool changed);

#endif
