/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdatomic.h>

#include <rte_malloc.h>

#include "core/env/env.h"
#include "core/env/owner.h"

#define MIN_ALIGN 64u
#define MAX_SIZE (SIZE_MAX / 4) /* DPDK adds its own header and the alignment to the size, unchecked */

static _Atomic(size_t) the_bytes;

/* What the heap gave for this piece: the same number when it is taken and when it is given back. */
static size_t piece_size(const void *memory)
{
	size_t size = 0;

	return rte_malloc_validate(memory, &size) ? 0 : size;
}

void *pyn_dma_alloc(size_t size, size_t align, struct pyn_error *err)
{
	void *memory;

	if (!size || size > MAX_SIZE || align > MAX_SIZE || (align & (align - 1))) {
		pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "%zu bytes of DMA memory aligned to %zu: no such thing",
			  size, align);
		return NULL;
	}
	if (pyn_env_start(err))
		return NULL;
	memory = rte_zmalloc(NULL, size, align > MIN_ALIGN ? align : MIN_ALIGN);
	if (!memory) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM,
			  "no %zu bytes of DMA memory in one piece (%zu are in use); the environment variable "
			  "PYNVME_MEM "
			  "sets the size of the arena in MiB",
			  size, pyn_dma_in_use());
		return NULL;
	}
	atomic_fetch_add(&the_bytes, piece_size(memory));
	return memory;
}

void pyn_dma_free(void *memory)
{
	if (!memory || !pyn_env_is_owner())
		return;
	atomic_fetch_sub(&the_bytes, piece_size(memory));
	rte_free(memory);
}

size_t pyn_dma_in_use(void)
{
	return atomic_load(&the_bytes);
}
