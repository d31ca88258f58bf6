/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Allocates pages of the arena. Its tables lie outside of the arena, so a device that writes where it must not can
 * damage data, but never the allocator. Internal to core/env; the public view is pyn_dma_alloc. Thread-safe.
 */
#ifndef PYN_ENV_HEAP_H
#define PYN_ENV_HEAP_H

#include <stddef.h>

#include "core/util/error.h"

/* Set the memory to allocate from: size bytes of zeroed whole pages at address. Call it once. Errors:
 * PYN_ERROR_MEMORY. */
int pyn_heap_start(void *address, size_t size, struct pyn_error *err);

/* Allocate whole pages, zeroed. size is at least 1, align a power of two, both in bytes. NULL: not enough adjacent
 * pages are free, or the kernel refuses them; see *err. */
void *pyn_heap_alloc(size_t size, size_t align, struct pyn_error *err);

/* Free memory of pyn_heap_alloc; any other address is ignored. */
void pyn_heap_free(void *memory);

/* Never allocate again what is allocated now. Returns its size in bytes, without what is kept already. */
size_t pyn_heap_keep_all(void);

/* Bytes that are allocated now, and bytes that were freed, but are kept. */
size_t pyn_heap_in_use(void);
size_t pyn_heap_lost(void);

#endif
