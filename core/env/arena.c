/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/env/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <rte_memory.h>

#include "core/env/env.h"

#define PAGE 4096u

/* Hugepages come as a few runs for each NUMA node; a server need not accept more maps than this. */
#define MAX_REGIONS 256

static struct {
	struct pyn_dma_region regions[MAX_REGIONS];
	size_t count;
} the_arena;

static bool continues(const struct pyn_dma_region *region, const void *address, int fd, uint64_t offset)
{
	return (const char *)region->address + region->length == address && region->fd == fd &&
	       region->offset + region->length == offset;
}

static int no_file(const void *address, struct pyn_error *err)
{
	return pyn_error(
		err, PYN_ERROR_MEMORY, ENOTSUP,
		"the DMA memory at %p lies in no file, so no device could be told of it: is memfd_create forbidden "
		"here, or the size of files limited (ulimit -f)?",
		address);
}

/* Where the EAL falls back to memory without a file it still names a descriptor: 0, whatever that is. */
static bool is_file_of(const struct pyn_dma_region *region)
{
	struct stat status;

	return !fstat(region->fd, &status) && S_ISREG(status.st_mode) && status.st_size >= 0 &&
	       region->offset + region->length <= (uint64_t)status.st_size;
}

static int segment_add(const struct rte_memseg_list *list, const struct rte_memseg *segment, void *context)
{
	struct pyn_dma_region *last = the_arena.count ? &the_arena.regions[the_arena.count - 1] : NULL;
	struct pyn_error *err = context;
	size_t offset = 0;
	int fd;

	if (list->external)
		return 0;
	fd = rte_memseg_get_fd_thread_unsafe(segment);
	if (fd < 0 || rte_memseg_get_fd_offset_thread_unsafe(segment, &offset))
		return no_file(segment->addr, err);
	if (last && continues(last, segment->addr, fd, offset)) {
		last->length += segment->len;
		return 0;
	}
	if (the_arena.count == MAX_REGIONS)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOSPC,
				 "the DMA memory is in more than %d pieces: PYNVME_HUGE=0 makes it one", MAX_REGIONS);
	the_arena.regions[the_arena.count++] =
		(struct pyn_dma_region){.address = segment->addr, .length = segment->len, .fd = fd, .offset = offset};
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct pyn_dma_region *left = a, *right = b;

	return (left->address > right->address) - (left->address < right->address);
}

static bool is_huge(const struct pyn_dma_region *region)
{
	struct statfs status;

	return !fstatfs(region->fd, &status) && status.f_type == HUGETLBFS_MAGIC;
}

static int regions_check(struct pyn_error *err)
{
	if (!the_arena.count)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "DPDK started without any memory");
	for (size_t i = 0; i < the_arena.count; i++) {
		if (!is_file_of(&the_arena.regions[i]))
			return no_file(the_arena.regions[i].address, err);
		fcntl(the_arena.regions[i].fd, F_SETFD, FD_CLOEXEC);
		the_arena.regions[i].huge = is_huge(&the_arena.regions[i]);
	}
	return 0;
}

/*
 * The EAL's list of its segments: 48 bytes for each 4 KiB of the arena, all of them written. A forked process asks
 * the EAL for nothing, and copying their page table would be most of what a fork of a worker takes.
 */
static int segments_are_not_forked(const struct rte_memseg_list *list, void *context)
{
	uintptr_t first = (uintptr_t)list->memseg_arr.data;
	uintptr_t past = first + (size_t)list->memseg_arr.len * list->memseg_arr.elt_sz;

	(void)context;
	/* What else lies in its first and its last page is forked. A kernel that refuses costs time, and no more. */
	first = (first + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	past &= ~(uintptr_t)(PAGE - 1);
	if (past > first)
		madvise((void *)first, past - first, MADV_DONTFORK);
	return 0;
}

int pyn_arena_find(struct pyn_error *err)
{
	int rc = rte_memseg_walk(segment_add, err);

	if (!rc)
		rc = regions_check(err);
	if (!rc)
		rte_memseg_list_walk(segments_are_not_forked, NULL);
	if (rc)
		the_arena.count = 0;
	qsort(the_arena.regions, the_arena.count, sizeof(the_arena.regions[0]), by_address);
	return rc;
}

size_t pyn_dma_regions(const struct pyn_dma_region **regions)
{
	*regions = the_arena.regions;
	return the_arena.count;
}
