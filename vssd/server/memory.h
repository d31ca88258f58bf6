/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host memory: map what the client offers to the device (DMA_MAP, DMA_UNMAP), and survive a client that truncates a
 * file while it is mapped.
 */
#ifndef VSSD_SERVER_MEMORY_H
#define VSSD_SERVER_MEMORY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/vfio_user.h"
#include "vssd/bus/dma.h"

/* A mapped piece of a client's file; it may be larger than the region that lies in it. */
struct vssd_mapping {
	uint64_t iova;
	uint8_t *base;
	size_t length;
};

struct vssd_memory {
	struct vssd_dma_map *dma; /* the controller's view; not owned */
	struct vssd_mapping *mappings;
	size_t count, capacity;
	volatile sig_atomic_t taken_away;
	struct vssd_memory *next; /* of this process */
};

/* Install the SIGBUS handler: from now on, if the device touches a page that the client took away by truncating its
 * file, zeros replace the mapping and the process lives on. */
void vssd_memory_init(struct vssd_memory *memory, struct vssd_dma_map *dma);
void vssd_memory_deinit(struct vssd_memory *memory);

/* Whether that has happened since vssd_memory_unmap_all(). */
static inline bool vssd_memory_was_taken_away(const struct vssd_memory *memory)
{
	return memory->taken_away;
}

/* Map the region of the request. 0, or -errno. fd: the client's file, which the caller closes; -1: the device
 * accesses the region by messages. */
int vssd_memory_map(struct vssd_memory *memory, const struct vfu_dma_map *request, int fd);

/* Unmap all regions that lie wholly within the request's range, or all regions (VFU_DMA_UNMAP_ALL). Set the request's
 * size to the number of bytes unmapped, which may be 0; with VFU_DMA_UNMAP_ALL leave it unchanged. -EINVAL, and
 * nothing is unmapped: the range cuts a region in two, is empty or wraps, or a flag is unknown. */
int vssd_memory_unmap(struct vssd_memory *memory, struct vfu_dma_unmap *request);
void vssd_memory_unmap_all(struct vssd_memory *memory);

#endif
