/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/io/buffer.h"

#include <errno.h>
#include <stdlib.h>

#include "core/env/env.h"
#include "core/env/window.h"

struct pyn_buffer *pyn_buffer_create(uint32_t size, struct pyn_error *err)
{
	return pyn_buffer_create_in(NULL, size, err);
}

struct pyn_buffer *pyn_buffer_create_in(struct pyn_window *window, uint32_t size, struct pyn_error *err)
{
	struct pyn_buffer *buffer = calloc(1, sizeof(*buffer));
	uint32_t pages = size / PYN_PAGE + 1;

	if (buffer)
		buffer->pages = calloc(pages, sizeof(*buffer->pages));
	if (!buffer || !buffer->pages) {
		free(buffer);
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a buffer of %u bytes", size);
		return NULL;
	}
	buffer->data = window ? pyn_window_take(window, size, PYN_PAGE, err) : pyn_dma_alloc(size, PYN_PAGE, err);
	if (!buffer->data) {
		free(buffer->pages);
		free(buffer);
		return NULL;
	}
	buffer->size = size;
	buffer->window = window;
	buffer->process = pyn_process_generation();
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
	if (buffer->process == pyn_process_generation() && buffer->window)
		pyn_window_give(buffer->window, buffer->data, buffer->size);
	else if (buffer->process == pyn_process_generation())
		pyn_dma_free(buffer->data);
	free(buffer->pages);
	free(buffer);
}

static struct pyn_page_use *first_page(const struct pyn_buffer *buffer, uint32_t offset)
{
	return &buffer->pages[offset / PYN_PAGE];
}

static struct pyn_page_use *past_last_page(const struct pyn_buffer *buffer, uint32_t offset, uint32_t length)
{
	return &buffer->pages[((uint64_t)offset + length + PYN_PAGE - 1) / PYN_PAGE];
}

void pyn_buffer_use_begin(struct pyn_buffer_use *use, struct pyn_buffer *buffer, uint32_t offset, uint32_t length,
			  bool to_host, bool stamps)
{
	*use = (struct pyn_buffer_use){.buffer = buffer, .offset = offset, .length = length, .to_host = to_host};
	pyn_buffer_get(buffer);
	pyn_spin_lock(&buffer->lock);
	for (struct pyn_page_use *page = first_page(buffer, offset); page < past_last_page(buffer, offset, length);
	     page++) {
		if (page->reading)
			use->disturbed = true;
		if (to_host || stamps)
			page->changes++;
		if (to_host)
			page->reading++;
		else
			page->writing++;
		use->changes += page->changes;
	}
	pyn_spin_unlock(&buffer->lock);
}

bool pyn_buffer_use_end(struct pyn_buffer_use *use)
{
	struct pyn_buffer *buffer = use->buffer;
	uint64_t changes = 0;

	pyn_spin_lock(&buffer->lock);
	for (struct pyn_page_use *page = first_page(buffer, use->offset);
	     page < past_last_page(buffer, use->offset, use->length); page++) {
		if (use->to_host)
			page->reading--;
		else
			page->writing--;
		changes += page->changes;
	}
	pyn_spin_unlock(&buffer->lock);
	use->buffer = NULL;
	pyn_buffer_put(buffer);
	return !use->disturbed && changes == use->changes;
}

uint64_t pyn_buffer_address(const struct pyn_buffer *buffer, uint32_t offset)
{
	const uint8_t *byte = buffer->data + offset;

	if (buffer->window)
		return buffer->address + offset;
	return pyn_dma_physical_known() ? pyn_dma_physical(byte) : pyn_dma_iova(byte);
}

void pyn_buffer_changed(struct pyn_buffer *buffer, uint32_t offset, uint32_t length)
{
	pyn_spin_lock(&buffer->lock);
	for (struct pyn_page_use *page = first_page(buffer, offset); page < past_last_page(buffer, offset, length);
	     page++)
		if (page->reading || page->writing)
			page->changes++;
	pyn_spin_unlock(&buffer->lock);
}
