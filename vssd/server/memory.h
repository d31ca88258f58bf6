/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host memory: what the client maps for the device (DMA_MAP, DMA_UNMAP), and what happens when it takes memory away
 * that it has mapped.
 */
#ifndef VSSD_SERVER_MEMORY_H
#define VSSD_SERVER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/vfio_user.h"
#include "vssd/bus/dma.h"

/* A piece of a client's file in our address space; it may be larger than the region that lies in it. */
struct vssd_mapping {
	uint64_t iova;
	uint8_t *base;
	size_t length;
};

struct vssd_memory {
	struct vssd_dma_map *dma; /* what the controller sees of it; not owned */
	struct vssd_mapping *mappings;
	size_t count, capacity;
};

/* One instance in a process may be watched: from now on, a page that a client took away (by truncating its file) is
 * replaced by zeros when it is touched, instead of ending the process. */
void vssd_memory_init(struct vssd_memory *memory, struct vssd_dma_map *dma);

/* Whether that has happened since everything was unmapped last. */
bool vssd_memory_was_taken_away(void);

/* Map what the request says: 0, or -errno. fd is the client's file, still the caller's to close, or -1: the region is
 * then reached by messages. */
int vssd_memory_map(struct vssd_memory *memory, const struct vfu_dma_map *request, int fd);

/* Unmap all regions that lie wholly within the request's range, or all there are (VFU_DMA_UNMAP_ALL). The request
 * then tells in its size how many bytes they were, which may be none; with VFU_DMA_UNMAP_ALL it stays as it is.
 * -EINVAL: the range cuts a region in two, is empty or wraps, or the flags are others. Nothing is unmapped then. */
int vssd_memory_unmap(struct vssd_memory *memory, struct vfu_dma_unmap *request);
void vssd_memory_unmap_all(struct vssd_memory *memory);

#endif
