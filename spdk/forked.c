/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue pair in a forked process. SPDK's memory is shared with the parent, and holds the lists of the queue's
 * requests and trackers. A process that is killed leaves them in any state, and its parent could not free the queue.
 * So the forked process gets a private copy of all of it, except for the trackers, in which the device reads lists,
 * and for shadow doorbells. For the parent, the queue has then never had a command.
 */
#define _GNU_SOURCE 1
#include "spdk/private.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <spdk/env.h>

#define PAGE ((uintptr_t)4096)

static bool map_as(void *address, size_t size, int sharing, int fd, uint64_t offset)
{
	return mmap(address, size, PROT_READ | PROT_WRITE, sharing | MAP_FIXED, fd, (off_t)offset) != MAP_FAILED;
}

/* Shadow doorbells, which the device reads, and the indices that it writes for them. */
static bool share_page(void *page, size_t size)
{
	uint64_t offset = 0;
	int fd = spdk_mem_get_fd_and_offset(page, &offset);

	return fd < 0 || map_as(page, size, MAP_SHARED, fd, offset);
}

bool pyn_spdk_forked(struct pyn_engine_qpair *queue)
{
	size_t size = (queue->trackers_size + PAGE - 1) / PAGE * PAGE;
	uint64_t offset = 0;
	struct stat file;
	int fd;

	pyn_spdk_hush();
	if (!queue->trackers || (uintptr_t)queue->trackers % PAGE)
		return false;
	fd = spdk_mem_get_fd_and_offset(queue->trackers, &offset);
	if (fd < 0 || fstat(fd, &file))
		return false;
	return map_as((char *)queue->trackers - offset, (size_t)file.st_size, MAP_PRIVATE, fd, 0) &&
	       map_as(queue->trackers, size, MAP_SHARED, fd, offset) && pyn_spdk_each_page(share_page);
}
