/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which pages of the arena are taken. The books lie outside of it: a device that writes where it must not breaks the
 * data of others, and never the allocator. Internal to core/env; the public view is pyn_dma_alloc. Thread-safe.
 */
#ifndef PYN_ENV_HEAP_H
#define PYN_ENV_HEAP_H

#include <stddef.h>

#include "core/util/error.h"

/* Give out the size bytes at address, whole pages that are zeros; once. Errors: PYN_ERROR_MEMORY. */
int pyn_heap_start(void *address, size_t size, struct pyn_error *err);

/* Whole pages, zeroed; size is at least 1, align a power of two in bytes. NULL: there are not so many in a row, or
 * the kernel does not give them; *err says so. */
void *pyn_heap_take(size_t size, size_t align, struct pyn_error *err);

/* Give back what pyn_heap_take returned; anything else is ignored. */
void pyn_heap_give(void *memory);

/* Bytes that are taken now. */
size_t pyn_heap_in_use(void);

#endif
