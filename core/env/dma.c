/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "core/env/env.h"
#include "core/env/heap.h"
#include "core/env/owner.h"

#define MAX_SIZE (SIZE_MAX / 4) /* so that adding an alignment cannot wrap */

void *pyn_dma_alloc(size_t size, size_t align, struct pyn_error *err)
{
	if (!size || size > MAX_SIZE || align > MAX_SIZE || (align & (align - 1))) {
		pyn_error(
			err, PYN_ERROR_ARGUMENT, EINVAL,
			"cannot allocate %zu bytes of DMA memory aligned to %zu: the size must not be 0 or huge, the "
			"alignment a power of two",
			size, align);
		return NULL;
	}
	if (pyn_env_start(err))
		return NULL;
	return pyn_heap_alloc(size, align, err);
}

void pyn_dma_free(void *memory)
{
	if (memory && pyn_env_is_owner())
		pyn_heap_free(memory);
}

size_t pyn_dma_in_use(void)
{
	return pyn_heap_in_use();
}

size_t pyn_dma_keep_all(void)
{
	return pyn_heap_keep_all();
}

size_t pyn_dma_lost(void)
{
	return pyn_heap_lost();
}
