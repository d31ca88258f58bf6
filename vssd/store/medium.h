/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a store's bytes are: memory, or a sparse file. Inside of vssd/store only. */
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
	uint64_t reserved; /* pool blocks that the file system has set aside for us */
	uint8_t *memory;   /* all of the above lies in here */
	uint64_t length;
	uint64_t pool_offset; /* of the pool in memory, and in the file */
	int fd;               /* -1: memory */
};

/* So that close is right before open was. */
void vssd_medium_init(struct vssd_medium *medium);

/* spare: pool blocks beside those that the data need. 0, or -errno. */
int vssd_medium_open(struct vssd_medium *medium, const char *file, uint64_t blocks, uint64_t spare,
		     struct pyn_error *err);
void vssd_medium_close(struct vssd_medium *medium);

/* See vssd_store_set_system(). */
int vssd_medium_set_system(struct vssd_medium *medium, const void *bytes, struct pyn_error *err);

/* Whether pool blocks from first up to end (not included) may be written: in a file, space is set aside first, as a
 * store into a mapped page that finds the file system full is a signal and not an error. Those below first have been
 * reserved before. */
bool vssd_medium_reserve(struct vssd_medium *medium, uint64_t first, uint64_t end);

/* No pool block is in use any more: give the memory or the space back. */
void vssd_medium_discard(struct vssd_medium *medium);

/* Zeroed memory that is taken as it is touched; NULL: none. */
void *vssd_medium_alloc(uint64_t length);
void vssd_medium_free(void *memory, uint64_t length);

#endif
