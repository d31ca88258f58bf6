/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/bus/dma.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

/* Half of the mappings that Linux allows a process by default (vm.max_map_count), so that enough are left for the
 * server itself. */
#define MAX_REGIONS 32768u
#define FIRST_CAPACITY 16u

/* The index of the first region that ends above iova: the one that contains it, or the next one. */
static uint32_t lower_bound(const struct vssd_dma_map *map, uint64_t iova)
{
	uint32_t low = 0, high = map->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct vssd_dma_region *region = &map->regions[middle];

		if (iova >= region->iova && iova - region->iova >= region->size)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int reserve(struct vssd_dma_map *map)
{
	struct vssd_dma_region *regions;
	uint32_t capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY;

	if (map->count < map->capacity)
		return 0;
	if (map->count >= MAX_REGIONS)
		return -ENOSPC;
	regions = realloc(map->regions, capacity * sizeof(*regions));
	if (!regions)
		return -ENOSPC;
	map->regions = regions;
	map->capacity = capacity;
	return 0;
}

int vssd_dma_add(struct vssd_dma_map *map, uint64_t iova, uint64_t size, void *memory, uint32_t flags)
{
	uint32_t index = lower_bound(map, iova);
	int err;

	if (size == 0 || iova + (size - 1) < iova)
		return -EINVAL;
	if (index < map->count && map->regions[index].iova <= iova + (size - 1))
		return -EEXIST;
	err = reserve(map);
	if (err)
		return err;

	memmove(&map->regions[index + 1], &map->regions[index], (map->count - index) * sizeof(*map->regions));
	map->regions[index] = (struct vssd_dma_region){
		.iova = iova,
		.size = size,
		.memory = memory,
		.flags = flags,
	};
	map->count++;
	map->generation++;
	return 0;
}

/* Whether a region starts below iova and ends above it. */
static bool is_inside(const struct vssd_dma_map *map, uint64_t iova)
{
	uint32_t index = lower_bound(map, iova);

	return index < map->count && map->regions[index].iova < iova;
}

/* Whether a range may start or end at this address. An end of 0 means the end of the address space. */
static bool is_boundary(const struct vssd_dma_map *map, uint64_t iova)
{
	uint32_t next = lower_bound(map, iova);

	if (iova % PAGE == 0)
		return true;
	return (next < map->count && map->regions[next].iova == iova) ||
	       (next > 0 && map->regions[next - 1].iova + map->regions[next - 1].size == iova);
}

int vssd_dma_remove(struct vssd_dma_map *map, uint64_t iova, uint64_t size, uint64_t *removed)
{
	uint64_t last = iova + (size - 1);
	uint32_t first = lower_bound(map, iova), end;

	if (size == 0 || last < iova || is_inside(map, iova) || (last < UINT64_MAX && is_inside(map, last + 1)) ||
	    !is_boundary(map, iova) || !is_boundary(map, last + 1))
		return -EINVAL;
	*removed = 0;
	for (end = first; end < map->count && map->regions[end].iova <= last; end++)
		*removed += map->regions[end].size;
	if (end == first)
		return 0;
	memmove(&map->regions[first], &map->regions[end], (map->count - end) * sizeof(*map->regions));
	map->count -= end - first;
	map->last = (struct vssd_dma_region){0};
	map->generation++;
	return 0;
}

const struct vssd_dma_region *vssd_dma_find(struct vssd_dma_map *map, uint64_t iova)
{
	uint32_t index = lower_bound(map, iova);

	if (index >= map->count || iova < map->regions[index].iova)
		return NULL;
	map->last = map->regions[index];
	return &map->regions[index];
}

void vssd_dma_clear(struct vssd_dma_map *map)
{
	free(map->regions);
	map->regions = NULL;
	map->count = 0;
	map->capacity = 0;
	map->last = (struct vssd_dma_region){0};
	map->generation++;
}
