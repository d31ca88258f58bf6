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
	void *annex;              /* VSSD_ANNEX_SIZE bytes */
	uint32_t *durable;        /* a map entry for each block of the store */
	struct vssd_marks *marks; /* one for each pool block */
	uint8_t *pool;            /* pool_blocks blocks */
	uint8_t *metadata;        /* VSSD_METADATA_BLOCK bytes for each of them; NULL: none */
	void *account;            /* the bytes of options->account */
	uint64_t pool_blocks;
	uint64_t reserved; /* pool blocks for which the file has allocated space */
	uint8_t *memory;   /* contains all of the above */
	uint64_t length;
	uint64_t marks_at; /* of the marks, the pool and the annex, in memory and in the file */
	uint64_t pool_offset;
	uint64_t annex_offset;
	uint64_t metadata_offset;
	uint64_t account_offset;
	uint64_t map_pages; /* pages of the map */
	uint64_t *touched;  /* a bit for each of them: see vssd_medium_touch() */
	int fd;             /* -1: memory */
};

/* Initialise, so that vssd_medium_close() is safe even if vssd_medium_open() is never called. */
void vssd_medium_init(struct vssd_medium *medium);

/* spare: pool blocks in addition to those that the data need. 0, or -errno. A file has metadata and an account, or
 * not, since it was made. */
int vssd_medium_open(struct vssd_medium *medium, const struct vssd_store_options *options, uint64_t spare,
		     struct pyn_error *err);
void vssd_medium_close(struct vssd_medium *medium);

/* See vssd_store_set_system(). */
int vssd_medium_set_system(struct vssd_medium *medium, const void *bytes, struct pyn_error *err);

/* Blocks of the store whose entries are in one page of the map. */
#define VSSD_MAP_PAGE 1024u

/* Prepare for a change of the entry of a block, whose page of the map may be a hole of the file. Entries of pages
 * that were never touched are 0. False: the file system is full. */
bool vssd_medium_touch(struct vssd_medium *medium, uint64_t block);

static inline bool vssd_medium_is_touched(const struct vssd_medium *medium, uint64_t block)
{
	uint64_t page = block / VSSD_MAP_PAGE;

	return medium->touched[page / 64] >> (page % 64) & 1;
}

/* A block from this one on, before which no page of the map is touched, if whole words of the bits are 0. */
static inline uint64_t vssd_medium_skip(const struct vssd_medium *medium, uint64_t block)
{
	uint64_t word = block / VSSD_MAP_PAGE / 64;

	return medium->touched[word] ? block : (word + 1) * 64 * VSSD_MAP_PAGE;
}

/* Reserve pool blocks from first up to end, which is not included. In a file this allocates space, because a write to
 * a mapped page on a full file system would raise a signal. False: the file system is full. The caller has reserved
 * the blocks below first already. */
bool vssd_medium_reserve(struct vssd_medium *medium, uint64_t first, uint64_t end);

/* See vssd_store_account_for(). */
bool vssd_medium_account_for(struct vssd_medium *medium, uint64_t offset, uint64_t length);

/* Free the memory or the file's space of all pool blocks, when none is in use any more. */
void vssd_medium_discard(struct vssd_medium *medium);

/* Allocate zeroed memory, which the kernel backs with pages as they are touched. NULL: there is not enough. */
void *vssd_medium_alloc(uint64_t length);
void vssd_medium_free(void *memory, uint64_t length);

#endif
