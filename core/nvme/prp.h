/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Physical region pages (PRPs) describe the data of a command. NVM Express Base Specification 2.0, section 4.1.1.
 * The view of the device has the size of memory pages (CC.MPS). Data are contiguous in this process; for the device,
 * each page has an address of its own.
 */
#ifndef PYN_NVME_PRP_H
#define PYN_NVME_PRP_H

#include <stddef.h>
#include <stdint.h>

#include "core/env/env.h"
#include "core/nvme/types.h"

#define PYN_PRP_PAGE 4096u                                                   /* the smallest memory page */
#define PYN_PRP_ENTRIES(page) ((uint32_t)((page) / sizeof(struct pyn_iova))) /* in one page of a list */
#define PYN_PRP_MAX_BYTES (UINT32_C(256) * 1024 * 1024) /* the longest data that PRPs are built for */

/* PRP 1 and PRP 2 of a command. second is 0 if it is not needed. */
struct pyn_prps {
	struct pyn_iova first, second;
};

/* Memory pages of PRP list that these data need (length up to PYN_PRP_MAX_BYTES); 0 if PRP 1 and PRP 2 are enough. If
 * the command transfers more than length, one more page is enough for any amount: its last entry links to itself. */
size_t pyn_prp_list_pages(const struct pyn_dma_view *view, const struct pyn_data *data);

/*
 * Build the PRPs of these data, for a device that addresses memory as view says. An address that is no multiple of 4
 * is sent as it is: tests check that the device refuses it. If the command transfers more than data->length, the
 * entries after the page of the last byte, and PRP 1 if length is 0, name the page spare.
 *
 * list_first is a page for the list, used if pyn_prp_list_pages is at least 1. list_more holds the further pages, one
 * after another; NULL if there are none. Both are page-aligned DMA memory and belong to the command until it
 * completes. If nobody knows how much is transferred, and length ends in the first page, PRP 2 names the list: the
 * device may use it as a list or as a page of data.
 */
struct pyn_prps pyn_prp_build(const struct pyn_dma_view *view, const struct pyn_data *data, const void *spare,
			      struct pyn_iova *list_first, struct pyn_iova *list_more);

#endif
