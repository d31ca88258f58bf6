/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host memory that the controller can access: a table of the regions that the client mapped, from IOVA to
 * pointer. The server fills the table, and the controller translates through it. It never accesses memory outside of
 * a region.
 */
#ifndef VSSD_BUS_DMA_H
#define VSSD_BUS_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VSSD_DMA_READ 1u  /* the controller may read it */
#define VSSD_DMA_WRITE 2u /* the controller may write it */

struct vssd_dma_region {
	uint64_t iova;
	uint64_t size;
	uint8_t *memory; /* NULL: mapped without a file, so accessed by messages (vssd_bus_ops.read and write) */
	uint32_t flags;
};

struct vssd_dma_map {
	struct vssd_dma_region *regions; /* in ascending order of iova, without overlaps */
	uint32_t count;
	uint32_t capacity;
	struct vssd_dma_region last; /* a copy of the region found last; size 0: none */
	uint64_t generation;         /* each change increments it, and invalidates pointers */
};

/* Add a region; memory: the caller's mapping. -EEXIST: it overlaps another one; -EINVAL: size is 0, or it wraps;
 * -ENOSPC: there are too many. */
int vssd_dma_add(struct vssd_dma_map *map, uint64_t iova, uint64_t size, void *memory, uint32_t flags);

/* Remove all regions that lie wholly within the range, as the kernel's VFIO (type 1 v2) does. *removed: their total
 * size in bytes, which may be 0. -EINVAL, and nothing is removed: size is 0, the range wraps, or one of its ends cuts
 * a region in two or is neither a multiple of 4 KiB nor a boundary of a region (vfio-user allows unaligned regions).
 */
int vssd_dma_remove(struct vssd_dma_map *map, uint64_t iova, uint64_t size, uint64_t *removed);

/* The region that holds iova, or NULL. */
const struct vssd_dma_region *vssd_dma_find(struct vssd_dma_map *map, uint64_t iova);

void vssd_dma_clear(struct vssd_dma_map *map);

/* Translate length bytes at iova to a pointer. NULL: they do not lie inside one region with these flags, or that
 * region is not mapped into this process. */
static inline void *vssd_dma_pointer(struct vssd_dma_map *map, uint64_t iova, uint64_t length, uint32_t flags)
{
	const struct vssd_dma_region *region = &map->last;
	uint64_t offset = iova - region->iova;

	if (__builtin_expect(offset >= region->size, 0)) {
		if (!vssd_dma_find(map, iova))
			return NULL;
		offset = iova - region->iova;
	}
	if (length > region->size - offset || (region->flags & flags) != flags || !region->memory)
		return NULL;
	return region->memory + offset;
}

#endif
