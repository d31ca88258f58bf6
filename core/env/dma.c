/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdatomic.h>

#include "core/env/env.h"
#include "core/env/heap.h"
#include "core/env/owner.h"

#define MAX_SIZE (SIZE_MAX / 4) /* so that adding an alignment cannot wrap */

/* How many devices have each size of memory pages, by CC.MPS. */
static _Atomic unsigned the_users[16];

uint32_t pyn_dma_page(void)
{
	unsigned mps = sizeof(the_users) / sizeof(the_users[0]) - 1;

	while (mps > 0 && !atomic_load(&the_users[mps]))
		mps--;
	return UINT32_C(4096) << mps;
}

void pyn_dma_page_change(uint8_t mps_before, uint8_t mps_now)
{
	if (mps_now)
		atomic_fetch_add(&the_users[mps_now], 1);
	if (mps_before)
		atomic_fetch_sub(&the_users[mps_before], 1);
}

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
