/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Physical region pages: how a command names its data. NVM Express Base Specification 2.0, section 4.1.1.
 * Memory pages of 4 KiB (CC.MPS = 0), data contiguous in this process; for the device each page has its address.
 */
#ifndef PYN_NVME_PRP_H
#define PYN_NVME_PRP_H

#include <stddef.h>
#include <stdint.h>

#include "core/env/env.h"
#include "core/nvme/types.h"

#define PYN_PRP_PAGE 4096u
#define PYN_PRP_ENTRIES (PYN_PRP_PAGE / sizeof(struct pyn_iova)) /* in one page of a list */
#define PYN_PRP_MAX_BYTES (UINT32_C(256) * 1024 * 1024)          /* the largest transfer that is described */

/* The two pointers of a command; second: 0 where it is not needed. */
struct pyn_prps {
	struct pyn_iova first, second;
};

/* How many pages of list these data need (length: up to PYN_PRP_MAX_BYTES): 0 where PRP 1 and PRP 2 are enough.
 * However much more than length is transferred, one page for that is enough: its last entry leads back to it. */
size_t pyn_prp_list_pages(const struct pyn_data *data);

/*
 * Describe these data (an address that is no multiple of 4 is the device's to refuse: tests send it) for a device
 * that sees them so. Where more is transferred than data->length, the entries beyond the page of its last byte, and
 * PRP 1 where length is 0, name the page spare. list_first is a page for the list, used where pyn_prp_list_pages says
 * 1 or more; list_more the others, one after another (NULL where there are none). Both are page-aligned DMA memory
 * and stay the command's until it completes. Where nobody knows how much is
 * transferred, and length ends in the first page, PRP 2 is the list: the device may take it for a list or for a page
 * of data.
 */
struct pyn_prps pyn_prp_build(const struct pyn_dma_view *view, const struct pyn_data *data, const void *spare,
			      struct pyn_iova *list_first, struct pyn_iova *list_more);

#endif
