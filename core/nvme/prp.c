/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/prp.h"

static uint32_t offset_of(const struct pyn_data *data, uint32_t page)
{
	return (uint32_t)((uintptr_t)data->address % page);
}

/* Number of entries after PRP 1 for the first length bytes. */
static uint64_t entries_after_first(const struct pyn_data *data, uint64_t length, uint32_t page)
{
	uint64_t end = length < UINT64_MAX - page ? offset_of(data, page) + length : UINT64_MAX;

	return end <= page ? 0 : (end - 1) / page;
}

/* Number of entries after PRP 1. Data of two pages get no spare page: PRP 2 cannot be both a page and a list. */
static uint64_t entries(const struct pyn_data *data, uint32_t page)
{
	uint64_t own = entries_after_first(data, data->length, page);

	if (data->transfer <= data->length || (data->transfer == PYN_TRANSFER_ANY && own == 1))
		return own;
	return entries_after_first(data, data->transfer, page);
}

size_t pyn_prp_list_pages(const struct pyn_dma_view *view, const struct pyn_data *data)
{
	uint32_t page = pyn_dma_view_page(view), in_page = PYN_PRP_ENTRIES(page);
	uint64_t all = entries(data, page), own = entries_after_first(data, data->length, page);

	if (all <= 1)
		return 0;
	/* The last entry of each page, except the last page, links to the next page. */
	uint64_t exact = all <= in_page ? 1 : (all - 1 + in_page - 2) / (in_page - 1);
	uint64_t looped = (own + in_page - 2) / (in_page - 1) + 1;

	return (size_t)(all == own || exact < looped ? exact : looped);
}

/* The pages after that of PRP 1: those of the data, then the spare page. */
struct source {
	const struct pyn_dma_view *view;
	uint32_t page;         /* bytes */
	const uint8_t *next;   /* page of the data */
	const uint8_t *end;    /* of the data */
	struct pyn_iova spare; /* the spare page */
};

static struct pyn_iova next_page(struct source *source)
{
	const uint8_t *page = source->next;

	if (page >= source->end)
		return source->spare;
	source->next += source->page;
	return pyn_dma_address(source->view, page);
}

/* Fill one page of list; returns the number of entries left over. after is the next page, or page itself if it is the
 * last. */
static uint64_t fill_page(struct source *source, struct pyn_iova *page, const struct pyn_iova *after, uint64_t left)
{
	size_t in_page = PYN_PRP_ENTRIES(source->page);
	size_t room = left <= in_page ? (size_t)left : in_page - 1, at = 0;

	while (at < room)
		page[at++] = next_page(source);
	if (left > room)
		page[at++] = pyn_dma_address(source->view, after);
	/* A device that expects a longer transfer must not find entries of an earlier command. */
	for (; at < in_page && page[at].value; at++)
		page[at] = (struct pyn_iova){0};
	return left - room;
}

static void fill_list(struct source *source, struct pyn_iova *first, struct pyn_iova *more, size_t pages,
		      uint64_t left)
{
	struct pyn_iova *page = first;

	for (size_t i = 1; i <= pages; i++) {
		struct pyn_iova *after = i == pages ? page : more + (i - 1) * PYN_PRP_ENTRIES(source->page);

		left = fill_page(source, page, after, left);
		page = after;
	}
}

struct pyn_prps pyn_prp_build(const struct pyn_dma_view *view, const struct pyn_data *data, const void *spare,
			      struct pyn_iova *list_first, struct pyn_iova *list_more)
{
	uint32_t page = pyn_dma_view_page(view), offset = offset_of(data, page);
	const uint8_t *start = data->address;
	uint64_t all = entries(data, page);
	struct source source = {
		.view = view,
		.page = page,
		.next = start - offset + page,
		.end = start + data->length,
	};
	struct pyn_prps prps = {{0}, {0}};

	if (spare)
		source.spare = pyn_dma_address(view, spare);
	prps.first = data->length ? pyn_dma_address(view, start) : pyn_iova_add(source.spare, offset);
	if (all == 1)
		prps.second = next_page(&source);
	if (all <= 1)
		return prps;
	prps.second = pyn_dma_address(view, list_first);
	fill_list(&source, list_first, list_more, pyn_prp_list_pages(view, data), all);
	return prps;
}
