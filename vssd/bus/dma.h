/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's memory as the controller sees it: a table of what the client mapped, IOVA to pointer.
 * The server fills it; the controller translates through it. Nothing outside of what was mapped is ever touched.
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
	uint8_t *memory; /* NULL: came without a file, reached by messages (vssd_bus_ops.read and write) */
	uint32_t flags;
};

struct vssd_dma_map {
	struct vssd_dma_region *regions; /* ascending by iova, none overlapping */
	uint32_t count;
	uint32_t capacity;
	struct vssd_dma_region last; /* a copy of the one that was found last; size 0: none */
	uint64_t generation;         /* grows with every change: pointers kept from before are void */
};

/* Add a region; memory is what the caller mapped. -EEXIST: overlaps another, -EINVAL: size 0 or wraps, -ENOSPC. */
int vssd_dma_add(struct vssd_dma_map *map, uint64_t iova, uint64_t size, void *memory, uint32_t flags);

/* Take out all regions that lie wholly within the range, as the kernel's VFIO (type 1 v2) does; *removed: their bytes
 * together, which may be 0. -EINVAL, and nothing is taken out: size is 0, the range wraps, one of its ends cuts a
 * region in two, or is neither a multiple of 4 KiB nor the end of a region (vfio-user lets clients map such ones). */
int vssd_dma_remove(struct vssd_dma_map *map, uint64_t iova, uint64_t size, uint64_t *removed);

/* The region that holds iova, or NULL. */
const struct vssd_dma_region *vssd_dma_find(struct vssd_dma_map *map, uint64_t iova);

void vssd_dma_clear(struct vssd_dma_map *map);

/* The length bytes at iova as a pointer: NULL where they do not lie inside one region with these flags, or where that
 * region has no memory of its own. */
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
