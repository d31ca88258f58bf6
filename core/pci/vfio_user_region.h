/* SPDX-License-Identifier: BSD-3-Clause */
/* A region of a vfio-user device, a BAR or configuration space: its size, and what of it can be mapped. Internal to
 * core/pci. */
#ifndef PYN_PCI_VFIO_USER_REGION_H
#define PYN_PCI_VFIO_USER_REGION_H

#include "core/pci/vfio_user_channel.h"

#define PYN_VFU_MAX_AREAS 16u
#define PYN_VFU_REPLY 4096u /* bytes of a reply to one of the GET_ requests: more than any needs */

/* A piece of a region in this process's memory. */
struct pyn_vfu_area {
	uint8_t *memory;
	uint64_t offset; /* in the region */
	uint64_t length;
};

struct pyn_vfu_region {
	uint64_t size;
	struct pyn_vfu_area areas[PYN_VFU_MAX_AREAS];
	unsigned num_areas;
};

/*
 * Ask for region index, and map what the device offers of it; an offer that does not fit its region or its file is
 * logged and left. pyn_vfu_region_unmap ends the mappings. Errors: as pyn_vfu_call.
 */
int pyn_vfu_region_map(struct pyn_vfu_channel *channel, uint32_t index, struct pyn_vfu_region *region,
		       struct pyn_error *err);
void pyn_vfu_region_unmap(struct pyn_vfu_region *region);

/* Where length bytes at offset are mapped, in one piece; NULL: they are not. */
volatile void *pyn_vfu_region_pointer(const struct pyn_vfu_region *region, uint32_t offset, uint32_t length);

#endif
