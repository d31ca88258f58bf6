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

#define PYN_PRP_PAGE 4096u
#define PYN_PRP_ENTRIES (PYN_PRP_PAGE / sizeof(uint64_t)) /* in one page of a list */
#define PYN_PRP_MAX_BYTES (UINT32_C(256) * 1024 * 1024)   /* the largest transfer that is described */

/* How many pages of list a transfer of length bytes needs that begins at offset bytes into a page: 0 where PRP 1
 * and PRP 2 are enough. */
size_t pyn_prp_list_pages(uint32_t offset, uint32_t length);

/*
 * Describe the length (1 … PYN_PRP_MAX_BYTES) bytes at data (an address that is no multiple of 4 is the device's to
 * refuse: tests send it) for a device that sees them so. list_first is a page for the list, used
 * where pyn_prp_list_pages says 1 or more; list_more the others, one after another (NULL where there are none). Both
 * are page-aligned DMA memory and stay the command's until it completes. *prp2 is 0 where it is not needed.
 */
void pyn_prp_build(const struct pyn_dma_view *view, const void *data, uint32_t length, uint64_t *list_first,
		   uint64_t *list_more, uint64_t *prp1, uint64_t *prp2);

#endif
