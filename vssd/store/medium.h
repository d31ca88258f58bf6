/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory or sparse file that holds the bytes of a store. Only for vssd/store. */
#ifndef VSSD_STORE_MEDIUM_H
#define VSSD_STORE_MEDIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vssd/store/store.h"

struct vssd_medium {
	void *system;             /* VSSD_SYSTEM_SIZE bytes */
	uint32_t *durable;        /* a map entry for each block of the store */
	struct vssd_marks *marks; /* one for each pool block */
	uint8_t *pool;            /* pool_blocks blocks */
	uint64_t pool_blocks;
	uint64_t reserved; /* pool blocks for which the file has allocated space */
	uint8_t *memory;   /* contains all of the above */
	uint64_t length;
	uint64_t pool_offset; /* of the pool, in memory and in the file */
	int fd;               /* -1: memory */
};

/* Initialise, so that vssd_medium_close() is safe even if vssd_medium_open() is never called. */
void vssd_medium_init(struct vssd_medium *medium);

/* spare: pool blocks in addition to those that the data need. 0, or -errno. */
int vssd_medium_open(struct vssd_medium *medium, const char *file, uint64_t blocks, uint64_t spare,
		     struct pyn_error *err);
void vssd_medium_close(struct vssd_medium *medium);

/* See vssd_store_set_system(). */
int vssd_medium_set_system(struct vssd_medium *medium, const void *bytes, struct pyn_error *err);

/* Reserve pool blocks from first up to end, which is not included. In a file this allocates space, because a write to
 * a mapped page on a full file system would raise a signal. False: the file system is full. The caller has reserved
 * the blocks below first already. */
bool vssd_medium_reserve(struct vssd_medium *medium, uint64_t first, uint64_t end);

/* Free the memory or the file's space of all pool blocks, when none is in use any more. */
void vssd_medium_discard(struct vssd_medium *medium);

/* Allocate zeroed memory, which the kernel backs with pages as they are touched. NULL: there is not enough. */
void *vssd_medium_alloc(uint64_t length);
void vssd_medium_free(void *memory, uint64_t length);

#endif
