/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/buffer.h"

#include <errno.h>
#include <stdlib.h>

#include "core/env/env.h"
#include "core/env/window.h"

/* A device may write to all of a memory page whose beginning it was given. */
static size_t in_pages(size_t size, uint32_t page)
{
	return page == PYN_PAGE ? size : (size + page - 1) / page * page;
}

struct pyn_buffer *pyn_buffer_create(uint32_t size, struct pyn_error *err)
{
	return pyn_buffer_create_in(NULL, size, err);
}

struct pyn_buffer *pyn_buffer_create_in(struct pyn_window *window, uint32_t size, struct pyn_error *err)
{
	struct pyn_buffer *buffer = calloc(1, sizeof(*buffer));
	uint32_t page = window ? PYN_PAGE : pyn_dma_page();
	size_t pages = in_pages(size, page) / PYN_PAGE + 1; /* of uses, which may cover all of the last page */

	if (buffer)
		buffer->pages = calloc(pages, sizeof(*buffer->pages));
	if (!buffer || !buffer->pages) {
		free(buffer);
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a buffer of %u bytes", size);
		return NULL;
	}
	buffer->data =
		window ? pyn_window_alloc(window, size, page, err) : pyn_dma_alloc(in_pages(size, page), page, err);
	if (!buffer->data) {
		free(buffer->pages);
		free(buffer);
		return NULL;
	}
	buffer->size = size;
	buffer->page = page;
	buffer->window = window;
	buffer->process = pyn_process_number();
	atomic_init(&buffer->references, 1);
	return buffer;
}

void pyn_buffer_get(struct pyn_buffer *buffer)
{
	atomic_fetch_add(&buffer->references, 1);
}

void pyn_buffer_put(struct pyn_buffer *buffer)
{
	if (!buffer || atomic_fetch_sub(&buffer->references, 1) != 1)
		return;
	if (buffer->process == pyn_process_number() && buffer->window)
		pyn_window_free(buffer->window, buffer->data, buffer->size);
	else if (buffer->process == pyn_process_number())
		pyn_dma_free(buffer->data);
	free(buffer->pages);
	free(buffer);
}

struct pyn_iova pyn_buffer_address(const struct pyn_buffer *buffer, uint32_t offset)
{
	const uint8_t *byte = buffer->data + offset;

	if (buffer->window)
		return pyn_iova_add(buffer->address, offset);
	return pyn_dma_physical_known() ? pyn_dma_physical(byte) : pyn_dma_iova(byte);
}

/* ---- uses that disturb each other, under the lock ---- */

static uint64_t past(uint32_t offset, uint32_t length)
{
	return (uint64_t)offset + length;
}

static bool overlaps(const struct pyn_buffer_use *use, uint32_t offset, uint32_t length)
{
	return use->offset < past(offset, length) && offset < past(use->offset, use->length);
}

static uint32_t page_of(uint32_t offset)
{
	return offset / PYN_PAGE;
}

/* The page of the last byte; length is at least 1. */
static uint32_t last_page_of(uint32_t offset, uint32_t length)
{
	return (uint32_t)((past(offset, length) - 1) / PYN_PAGE);
}

/* Number of uses that begin in this page and reach into the page of offset. */
static uint32_t reaching(const struct pyn_page_use *page, uint32_t offset)
{
	uint32_t count = 0;

	for (unsigned kind = 0; kind < PYN_USE_KINDS; kind++)
		for (const struct pyn_buffer_use *use = page->first[kind]; use; use = use->next)
			count += last_page_of(use->offset, use->length) >= page_of(offset);
	return count;
}

/* The first page whose lists may hold a use that overlaps bytes from offset on. */
static uint32_t first_list(const struct pyn_buffer *buffer, uint32_t offset)
{
	uint32_t page = page_of(offset), left = buffer->pages[page].continued;

	while (left && page > 0) {
		uint32_t here = reaching(&buffer->pages[--page], offset);

		left -= here < left ? here : left;
	}
	return page;
}

static void put_in_list(struct pyn_buffer_use *use, enum pyn_use_kind kind)
{
	struct pyn_buffer_use **first = &use->buffer->pages[page_of(use->offset)].first[kind];

	use->kind = kind;
	use->next = *first;
	use->link = first;
	if (use->next)
		use->next->link = &use->next;
	*first = use;
}

static void take_from_list(struct pyn_buffer_use *use)
{
	*use->link = use->next;
	if (use->next)
		use->next->link = use->link;
	use->kind = PYN_USE_NONE;
}

static void count_continued(struct pyn_buffer_use *use, uint32_t by)
{
	for (uint32_t page = page_of(use->offset); page < last_page_of(use->offset, use->length); page++)
		use->buffer->pages[page + 1].continued += by;
}

static void note(struct pyn_buffer_use *use, enum pyn_use_kind kind)
{
	put_in_list(use, kind);
	count_continued(use, 1);
}

static void forget(struct pyn_buffer_use *use)
{
	if (use->kind == PYN_USE_NONE)
		return;
	take_from_list(use);
	count_continued(use, (uint32_t)-1);
}

static void disturb(struct pyn_buffer_use *use)
{
	use->disturbed = true;
	if (use->kind == PYN_USE_READ) {
		take_from_list(use);
		put_in_list(use, PYN_USE_READ_DISTURBED);
	} else {
		forget(use);
	}
}

/* Disturb all uses of a kind that overlap these bytes. */
static void disturb_all(struct pyn_buffer *buffer, uint32_t first, uint32_t offset, uint32_t length,
			enum pyn_use_kind kind)
{
	for (uint32_t page = first; page <= last_page_of(offset, length); page++) {
		struct pyn_buffer_use *next;

		for (struct pyn_buffer_use *use = buffer->pages[page].first[kind]; use; use = next) {
			next = use->next;
			if (overlaps(use, offset, length))
				disturb(use);
		}
	}
}

/* Whether any use of a kind overlaps these bytes. If all use the same bytes, the first one ends the search. */
static bool is_any(const struct pyn_buffer *buffer, uint32_t first, uint32_t offset, uint32_t length,
		   enum pyn_use_kind kind)
{
	for (uint32_t page = first; page <= last_page_of(offset, length); page++)
		for (const struct pyn_buffer_use *use = buffer->pages[page].first[kind]; use; use = use->next)
			if (overlaps(use, offset, length))
				return true;
	return false;
}

static void change(struct pyn_buffer *buffer, uint32_t first, uint32_t offset, uint32_t length)
{
	disturb_all(buffer, first, offset, length, PYN_USE_READ);
	disturb_all(buffer, first, offset, length, PYN_USE_WRITE);
}

/* ---- the public part ---- */

static void begin(struct pyn_buffer_use *use, bool to_host, bool stamps)
{
	struct pyn_buffer *buffer = use->buffer;
	uint32_t first = first_list(buffer, use->offset);

	use->disturbed = is_any(buffer, first, use->offset, use->length, PYN_USE_READ_DISTURBED) ||
			 is_any(buffer, first, use->offset, use->length, PYN_USE_READ);
	if (to_host || stamps)
		change(buffer, first, use->offset, use->length);
	if (to_host)
		note(use, use->disturbed ? PYN_USE_READ_DISTURBED : PYN_USE_READ);
	else if (!use->disturbed)
		note(use, PYN_USE_WRITE);
}

void pyn_buffer_use_begin(struct pyn_buffer_use *use, struct pyn_buffer *buffer, uint32_t offset, uint32_t length,
			  bool to_host, bool stamps)
{
	*use = (struct pyn_buffer_use){.buffer = buffer, .offset = offset, .length = length, .kind = PYN_USE_NONE};
	pyn_buffer_get(buffer);
	if (length == 0)
		return;
	pyn_spin_lock(&buffer->lock);
	begin(use, to_host, stamps);
	pyn_spin_unlock(&buffer->lock);
}

bool pyn_buffer_use_end(struct pyn_buffer_use *use)
{
	struct pyn_buffer *buffer = use->buffer;

	pyn_spin_lock(&buffer->lock);
	forget(use);
	bool own = !use->disturbed;

	pyn_spin_unlock(&buffer->lock);
	use->buffer = NULL;
	pyn_buffer_put(buffer);
	return own;
}

void pyn_buffer_changed(struct pyn_buffer *buffer, uint32_t offset, uint32_t length)
{
	if (length == 0)
		return;
	pyn_spin_lock(&buffer->lock);
	change(buffer, first_list(buffer, offset), offset, length);
	pyn_spin_unlock(&buffer->lock);
}
