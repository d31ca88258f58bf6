/* SPDX-License-Identifier: BSD-3-Clause */
/* A region of a vfio-user device, a BAR or configuration space: its size and its mapped parts. Internal to
 * core/pci. */
#ifndef PYN_PCI_VFIO_USER_REGION_H
#define PYN_PCI_VFIO_USER_REGION_H

#include "core/pci/areas.h"
#include "core/pci/vfio_user_channel.h"

#define PYN_VFU_REPLY 4096u /* bytes for a reply to a GET_ request: more than any needs */

struct pyn_vfu_region {
	uint64_t size;
	struct pyn_pci_areas areas;
};

/*
 * Ask for region index, and map the parts that the device offers. An offer that does not fit its region or its file
 * is logged and ignored. pyn_pci_areas_unmap undoes the mappings. Errors: those of pyn_vfu_call.
 */
int pyn_vfu_region_map(struct pyn_vfu_channel *channel, uint32_t index, struct pyn_vfu_region *region,
		       struct pyn_error *err);

#endif
