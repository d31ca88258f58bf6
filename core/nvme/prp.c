/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/prp.h"

/* How many entries follow PRP 1. */
static size_t entries_after_first(uint32_t offset, uint32_t length)
{
	uint64_t end = (uint64_t)offset + length;

	return end <= PYN_PRP_PAGE ? 0 : (size_t)((end - 1) / PYN_PRP_PAGE);
}

size_t pyn_prp_list_pages(uint32_t offset, uint32_t length)
{
	size_t entries = entries_after_first(offset, length);

	if (entries <= 1)
		return 0;
	if (entries <= PYN_PRP_ENTRIES)
		return 1;
	/* The last entry of each page but the last leads to the next page. */
	return (entries - 1 + PYN_PRP_ENTRIES - 2) / (PYN_PRP_ENTRIES - 1);
}

static void list_fill(const struct pyn_dma_view *view, uint64_t *page, uint64_t *next, const uint8_t *data,
		      size_t entries)
{
	size_t at = 0;

	for (; entries; entries--, data += PYN_PRP_PAGE) {
		if (at == PYN_PRP_ENTRIES - 1 && entries > 1) {
			page[at] = pyn_dma_address(view, next);
			page = next;
			next += PYN_PRP_ENTRIES;
			at = 0;
		}
		page[at++] = pyn_dma_address(view, data);
	}
	/* A device that takes the transfer for a longer one must not find the entries of an earlier command. */
	for (; at < PYN_PRP_ENTRIES && page[at]; at++)
		page[at] = 0;
}

void pyn_prp_build(const struct pyn_dma_view *view, const void *data, uint32_t length, uint64_t *list_first,
		   uint64_t *list_more, uint64_t *prp1, uint64_t *prp2)
{
	uint32_t offset = (uint32_t)((uintptr_t)data % PYN_PRP_PAGE);
	size_t entries = entries_after_first(offset, length);
	const uint8_t *second = (const uint8_t *)data - offset + PYN_PRP_PAGE;

	*prp1 = pyn_dma_address(view, data);
	if (entries <= 1) {
		*prp2 = entries ? pyn_dma_address(view, second) : 0;
		return;
	}
	*prp2 = pyn_dma_address(view, list_first);
	list_fill(view, list_first, list_more, second, entries);
}
