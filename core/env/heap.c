/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/env/heap.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rte_lcore.h>
#include <rte_malloc.h>

#define PAGE ((size_t)4096)
#define MAX_SPANS 64
#define SMALLEST_SPAN ((size_t)1 << 20) /* less is not worth it, and is left to the EAL */
#define EAL_OVERHEAD (2 * PAGE)         /* its headers and the alignment */
#define EAL_USED ((size_t)2 << 20)      /* at the end of a span: what the EAL has used at its start and given back */
#define TAKEN (UINT32_C(1) << 31)

/* Memory in one piece, cut into runs of pages. */
struct span {
	char *address;
	size_t pages;
	size_t fresh;   /* pages from here on were never given out: they are zeros */
	uint32_t *runs; /* at the first page of a run: how many pages it has, and TAKEN; else 0 */
};

static struct {
	pthread_mutex_t lock;
	struct span spans[MAX_SPANS];
	unsigned count;
	_Atomic(size_t) taken; /* pages; read without the lock, which may be held for ever in a forked process */
} the_heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* -- what there is -------------------------------------------------------------------------------------------- */

static int span_add(char *address, size_t size, struct pyn_error *err)
{
	struct span *span = &the_heap.spans[the_heap.count];

	*span = (struct span){.address = address, .pages = size / PAGE};
	span->runs = calloc(span->pages, sizeof(*span->runs));
	if (!span->runs)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the books of %zu bytes of DMA memory",
				 size);
	span->runs[0] = (uint32_t)span->pages;
	size_t used = size < EAL_USED ? size : EAL_USED;

	memset(address + size - used, 0, used);
	the_heap.count++;
	return 0;
}

/* The largest piece that a socket still has; false: none that is worth it. */
static bool largest_piece(int socket, char **address, size_t *size)
{
	struct rte_malloc_socket_stats stats;

	if (rte_malloc_get_socket_stats(socket, &stats) || stats.greatest_free_size < SMALLEST_SPAN)
		return false;
	*size = (stats.greatest_free_size - EAL_OVERHEAD) / PAGE * PAGE;
	if (*size / PAGE >= TAKEN)
		*size = (size_t)(TAKEN - 1) * PAGE;
	*address = rte_malloc_socket(NULL, *size, (unsigned)PAGE, socket);
	return *address != NULL;
}

int pyn_heap_start(struct pyn_error *err)
{
	for (unsigned i = 0; i < rte_socket_count(); i++) {
		char *address;
		size_t size;

		while (the_heap.count < MAX_SPANS && largest_piece(rte_socket_id_by_idx(i), &address, &size)) {
			int rc = span_add(address, size, err);

			if (rc < 0)
				return rc;
		}
	}
	if (!the_heap.count)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "DPDK started without any memory");
	return 0;
}

/* -- runs, under the lock ------------------------------------------------------------------------------------- */

/* Runs that are free and lie in a row become one, when somebody passes by. */
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

/* Pages to skip, so that a run that begins at this page is aligned. */
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

static char *take(struct span *span, size_t pages, size_t align)
{
	for (size_t at = 0; at < span->pages; at += span->runs[at] & ~TAKEN) {
		if (span->runs[at] & TAKEN)
			continue;
		size_t skip = pages_to_alignment(span, at, align);
		size_t room = free_pages_at(span, at);

		if (room >= pages && room - pages >= skip)
			return cut(span, at, skip, pages);
	}
	return NULL;
}

static void give(struct span *span, size_t at)
{
	if (!(span->runs[at] & TAKEN))
		return;
	span->runs[at] &= ~TAKEN;
	the_heap.taken -= span->runs[at];
}

/* -- the interface -------------------------------------------------------------------------------------------- */

void *pyn_heap_take(size_t size, size_t align)
{
	size_t pages = size / PAGE + (size % PAGE != 0);
	char *memory = NULL;

	pthread_mutex_lock(&the_heap.lock);
	for (unsigned i = 0; !memory && i < the_heap.count; i++)
		memory = take(&the_heap.spans[i], pages, align);
	pthread_mutex_unlock(&the_heap.lock);
	return memory;
}

void pyn_heap_give(void *memory)
{
	pthread_mutex_lock(&the_heap.lock);
	for (unsigned i = 0; i < the_heap.count; i++) {
		struct span *span = &the_heap.spans[i];
		uintptr_t offset = (uintptr_t)memory - (uintptr_t)span->address;

		if (offset % PAGE == 0 && offset / PAGE < span->pages)
			give(span, offset / PAGE);
	}
	pthread_mutex_unlock(&the_heap.lock);
}

size_t pyn_heap_in_use(void)
{
	return the_heap.taken * PAGE;
}
