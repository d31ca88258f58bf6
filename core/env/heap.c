/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/env/heap.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/env/arena.h"

#define PAGE ((size_t)4096)
#define TAKEN (UINT32_C(1) << 31)
#define KEPT (UINT32_C(1) << 30) /* never free it */
#define LOST (UINT32_C(1) << 29) /* its owner has freed it, and it is kept */
#define PAGES (LOST - 1)

/* One piece of memory, cut into runs of pages. */
struct span {
	char *address;
	size_t pages;
	size_t fresh;   /* pages from here on were never allocated and are still zeros */
	uint32_t *runs; /* at a run's first page: its number of pages, and flags; elsewhere 0 */
};

static struct {
	pthread_mutex_t lock;
	struct span span;
	/* Pages; read without the lock, which a forked process may have copied locked. */
	_Atomic(size_t) taken;
	_Atomic(size_t) lost;
} the_heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

int pyn_heap_start(void *address, size_t size, struct pyn_error *err)
{
	struct span span = {.address = address, .pages = size / PAGE};

	span.runs = calloc(span.pages, sizeof(*span.runs));
	if (!span.runs)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the tables of %zu bytes of DMA memory",
				 size);
	span.runs[0] = (uint32_t)span.pages;
	the_heap.span = span;
	return 0;
}

/* ---- runs, under the lock ---- */

/* The pages of the free run at `at`, after merging the free runs that follow it. */
static size_t free_pages_at(struct span *span, size_t at)
{
	size_t pages = span->runs[at];

	while (at + pages < span->pages && !(span->runs[at + pages] & TAKEN)) {
		size_t more = span->runs[at + pages];

		span->runs[at + pages] = 0;
		pages += more;
	}
	span->runs[at] = (uint32_t)pages;
	return pages;
}

/* Pages to skip from this page to the next aligned one. */
static size_t pages_to_alignment(const struct span *span, size_t at, size_t align)
{
	uintptr_t address = (uintptr_t)(span->address + at * PAGE);

	return align > PAGE ? (size_t)(-address & (align - 1)) / PAGE : 0;
}

static char *cut(struct span *span, size_t at, size_t skip, size_t pages)
{
	size_t rest = span->runs[at] - skip - pages;

	if (skip)
		span->runs[at] = (uint32_t)skip;
	at += skip;
	span->runs[at] = (uint32_t)pages | TAKEN;
	if (rest)
		span->runs[at + pages] = (uint32_t)rest;
	the_heap.taken += pages;

	char *memory = span->address + at * PAGE;
	size_t dirty = at < span->fresh ? span->fresh - at : 0;

	memset(memory, 0, (dirty < pages ? dirty : pages) * PAGE);
	if (at + pages > span->fresh)
		span->fresh = at + pages;
	return memory;
}

/* Allocate adjacent pages. NULL: not enough are free, or the kernel refuses them; then *refused is set and *err says
 * why. */
static char *take(struct span *span, size_t pages, size_t align, bool *refused, struct pyn_error *err)
{
	for (size_t at = 0; at < span->pages; at += span->runs[at] & PAGES) {
		if (span->runs[at] & TAKEN)
			continue;
		size_t skip = pages_to_alignment(span, at, align);
		size_t room = free_pages_at(span, at);

		if (room < pages || room - pages < skip)
			continue;
		*refused = pyn_arena_fill((at + skip + pages) * PAGE, err) < 0;
		return *refused ? NULL : cut(span, at, skip, pages);
	}
	return NULL;
}

static void release(struct span *span, size_t at)
{
	uint32_t *run = &span->runs[at];

	if (!(*run & TAKEN) || *run & LOST)
		return;
	the_heap.taken -= *run & PAGES;
	if (*run & KEPT) {
		the_heap.lost += *run & PAGES;
		*run |= LOST;
	} else {
		*run &= PAGES;
	}
}

/* ---- the interface ---- */

void *pyn_heap_alloc(size_t size, size_t align, struct pyn_error *err)
{
	size_t pages = size / PAGE + (size % PAGE != 0);
	bool refused = false;
	char *memory;

	pthread_mutex_lock(&the_heap.lock);
	memory = take(&the_heap.span, pages, align, &refused, err);
	pthread_mutex_unlock(&the_heap.lock);
	if (!memory && !refused)
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM,
			  "no %zu bytes of DMA memory in one piece (%zu are in use); the environment variable "
			  "PYNVME_MEM sets the size of the arena in MiB",
			  size, pyn_heap_in_use());
	return memory;
}

void pyn_heap_free(void *memory)
{
	struct span *span = &the_heap.span;
	size_t offset;

	pthread_mutex_lock(&the_heap.lock);
	offset = (size_t)((uintptr_t)memory - (uintptr_t)span->address);
	if (offset % PAGE == 0 && offset / PAGE < span->pages)
		release(span, offset / PAGE);
	pthread_mutex_unlock(&the_heap.lock);
}

size_t pyn_heap_keep_all(void)
{
	struct span *span = &the_heap.span;
	size_t pages = 0;

	pthread_mutex_lock(&the_heap.lock);
	for (size_t at = 0; at < span->pages; at += span->runs[at] & PAGES)
		if (span->runs[at] & TAKEN && !(span->runs[at] & KEPT)) {
			span->runs[at] |= KEPT;
			pages += span->runs[at] & PAGES;
		}
	pthread_mutex_unlock(&the_heap.lock);
	return pages * PAGE;
}

size_t pyn_heap_in_use(void)
{
	return the_heap.taken * PAGE;
}

size_t pyn_heap_lost(void)
{
	return the_heap.lost * PAGE;
}
