/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/env/window.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)

struct pyn_window {
	pthread_mutex_t lock;
	uint8_t *memory;
	size_t pages, free_pages;
	unsigned references;
	void *mapping; /* to unmap with the last reference; NULL: the device is still there */
	size_t length;
	bool taken[]; /* page by page */
};

struct pyn_window *pyn_window_create(void *memory, size_t size, struct pyn_error *err)
{
	struct pyn_window *window = calloc(1, sizeof(*window) + size / PAGE * sizeof(window->taken[0]));

	if (!window) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the tables of a device's %zu bytes", size);
		return NULL;
	}
	pthread_mutex_init(&window->lock, NULL);
	window->memory = memory;
	window->pages = window->free_pages = size / PAGE;
	window->references = 1;
	return window;
}

/* Find adjacent free pages; returns the index of the first, which is aligned, or SIZE_MAX. */
static size_t find(const struct pyn_window *window, size_t pages, size_t align)
{
	size_t step = align > PAGE ? align / PAGE : 1;

	for (size_t at = 0; at + pages <= window->pages; at += step) {
		size_t free = 0;

		while (free < pages && !window->taken[at + free])
			free++;
		if (free == pages)
			return at;
	}
	return SIZE_MAX;
}

void *pyn_window_alloc(struct pyn_window *window, size_t size, size_t align, struct pyn_error *err)
{
	size_t pages = size / PAGE + (size % PAGE != 0), at;
	void *memory = NULL;

	pthread_mutex_lock(&window->lock);
	at = pages && pages <= window->free_pages ? find(window, pages, align) : SIZE_MAX;
	if (at != SIZE_MAX) {
		memset(&window->taken[at], true, pages * sizeof(window->taken[0]));
		window->free_pages -= pages;
		window->references++;
		memory = window->memory + at * PAGE;
	} else {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM,
			  "no %zu bytes in one piece in the device's memory: %zu of its %zu KiB are free", size,
			  window->free_pages * PAGE >> 10, window->pages * PAGE >> 10);
	}
	pthread_mutex_unlock(&window->lock);
	if (memory)
		memset(memory, 0, pages * PAGE);
	return memory;
}

/* Drop a reference and unlock; the last one frees the window. */
static void put(struct pyn_window *window)
{
	bool last = --window->references == 0;

	pthread_mutex_unlock(&window->lock);
	if (!last)
		return;
	if (window->mapping)
		munmap(window->mapping, window->length);
	pthread_mutex_destroy(&window->lock);
	free(window);
}

void pyn_window_free(struct pyn_window *window, void *memory, size_t size)
{
	size_t pages = size / PAGE + (size % PAGE != 0);

	pthread_mutex_lock(&window->lock);
	memset(&window->taken[(size_t)((uint8_t *)memory - window->memory) / PAGE], false,
	       pages * sizeof(window->taken[0]));
	window->free_pages += pages;
	put(window);
}

void pyn_window_detach(struct pyn_window *window, void *mapping, size_t length)
{
	pthread_mutex_lock(&window->lock);
	window->mapping = mapping;
	window->length = length;
	put(window);
}
