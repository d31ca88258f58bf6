/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The medium of the virtual SSD, with a volatile write cache that costs no copy.
 *
 * Data live in blocks of 4 KiB in a pool; a map says which pool block holds what the host sees (current), a second
 * one which survives a power loss (durable). A block is dirty while the two differ: writing a clean block takes a new
 * pool block, writing a dirty one changes it in place. Dirty blocks wait in a bounded queue, the cache; when it is
 * full the oldest is made durable. So a flush is a walk of the queue, and a power loss is the same walk the other
 * way.
 *
 * Each sector of 512 bytes has two marks beside its data: written, and uncorrectable. They belong to a pool block, so
 * they are flushed and lost together with the data.
 *
 * In memory, or in a sparse file that outlives the process: the durable map is in the file, so killing the process is
 * a power loss. One thread uses a store. Offsets are bytes from the start of the store; the caller checks ranges.
 */
#ifndef VSSD_STORE_STORE_H
#define VSSD_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

#define VSSD_BLOCK_SIZE 4096u
#define VSSD_BLOCK_SHIFT 12
#define VSSD_SECTOR_SIZE 512u
#define VSSD_ALL_SECTORS 0xffu /* of a block, one bit each */
#define VSSD_SYSTEM_SIZE 4096u /* bytes of the system area */
#define VSSD_MAX_BLOCKS (UINT64_C(1) << 30)

/* An entry of a map: the index of a pool block, and whether any of its sectors is uncorrectable. */
#define VSSD_ENTRY_INDEX 0x7fffffffu
#define VSSD_ENTRY_BAD 0x80000000u

/* Pool blocks that any number of the store's blocks share. What was never written or deallocated reads from the
 * first, what Write Zeroes left behind from the second: zeros, for ever. An erasure may leave a pattern, or its
 * inversion. */
enum vssd_pool_shared {
	VSSD_POOL_UNWRITTEN,
	VSSD_POOL_ZEROES,
	VSSD_POOL_PATTERN,
	VSSD_POOL_INVERTED,
	VSSD_POOL_FIRST, /* from here on a block belongs to one block of the store */
};

struct vssd_store_options {
	uint64_t blocks;       /* 1 … VSSD_MAX_BLOCKS */
	uint64_t cache_blocks; /* dirty blocks at most; fewer than 16 count as 16 */
	const char *file;      /* NULL: in memory */
};

/* One of each pool block: marks of its sectors. */
struct vssd_marks {
	uint8_t written;
	uint8_t bad; /* uncorrectable */
};

/* The sectors of a block that length bytes from offset on are, a bit each. */
static inline uint8_t vssd_store_sectors(uint32_t offset, uint32_t length)
{
	return (uint8_t)(((1u << length / VSSD_SECTOR_SIZE) - 1) << offset / VSSD_SECTOR_SIZE);
}

/* What the inline functions below need; the rest is in store.c. */
struct vssd_store {
	uint8_t *pool;
	uint32_t *current;
	uint32_t *durable;
	struct vssd_marks *marks;
	uint64_t blocks;
	struct vssd_store_private *private;
};

/* Open or create. 0, or -errno. A file that is not a store, or one of another
 * size, or in use by another process, is refused and left as it is. */
int vssd_store_open(const struct vssd_store_options *options, struct vssd_store **store, struct pyn_error *err);

/* What is not durable is lost, as with the power; flush before. */
void vssd_store_close(struct vssd_store *store);

/* VSSD_SYSTEM_SIZE bytes that belong to the caller and last as long as the data; zeros in a new store. */
void *vssd_store_system(struct vssd_store *store);

/* Replace them all: a process that is killed meanwhile leaves the old or the new ones. 0, or -errno. */
int vssd_store_set_system(struct vssd_store *store, const void *bytes, struct pyn_error *err);

/* A block's data as the host sees them. Valid until the next change of that block. */
static inline const uint8_t *vssd_store_data(const struct vssd_store *store, uint64_t block)
{
	return store->pool + ((uint64_t)(store->current[block] & VSSD_ENTRY_INDEX) << VSSD_BLOCK_SHIFT);
}

/* Which sectors of a block are uncorrectable. */
static inline uint8_t vssd_store_bad(const struct vssd_store *store, uint64_t block)
{
	uint32_t entry = store->current[block];

	return __builtin_expect(entry & VSSD_ENTRY_BAD, 0) ? store->marks[entry & VSSD_ENTRY_INDEX].bad : 0;
}

/* Which sectors of a block hold something that was written. */
static inline uint8_t vssd_store_written(const struct vssd_store *store, uint64_t block)
{
	return store->marks[store->current[block] & VSSD_ENTRY_INDEX].written;
}

/* Where to put the new data of these sectors of a block: they become written and correctable, the others keep theirs.
 * What the caller does not fill in after this holds anything. NULL: the file system is full; nothing was changed. */
uint8_t *vssd_store_write(struct vssd_store *store, uint64_t block, uint8_t sectors);

/* Write a whole block: vssd_store_write and the copy, in the way that is fastest. False: as with NULL there. */
bool vssd_store_put(struct vssd_store *store, uint64_t block, const uint8_t *data);

/* A block is about to be read or written, as the next but one: let what the maps know of it come nearer. */
void vssd_store_prefetch(const struct vssd_store *store, uint64_t block, bool write);

/* Sectors of a block read zeros from now on; deallocate: and count as never written. 0, or -ENOSPC. */
int vssd_store_zero(struct vssd_store *store, uint64_t block, uint8_t sectors, bool deallocate);

/* Sectors of a block become uncorrectable, until they are written or zeroed. 0, or -ENOSPC. */
int vssd_store_poison(struct vssd_store *store, uint64_t block, uint8_t sectors);

/* Make these blocks, or all, durable. */
void vssd_store_commit(struct vssd_store *store, uint64_t block, uint64_t count);
void vssd_store_flush(struct vssd_store *store);

/* All that is not durable is lost: what was durable is current again. */
void vssd_store_lose(struct vssd_store *store);

/* Blocks lose what they held, at once and durably, and hold this instead: VSSD_POOL_UNWRITTEN as in a new store. */
void vssd_store_erase(struct vssd_store *store, uint64_t block, uint64_t count, enum vssd_pool_shared content);

/* What VSSD_POOL_PATTERN holds, also where an erasure has left it: 32-bit words, from first on by step. */
void vssd_store_pattern(struct vssd_store *store, uint32_t first, uint32_t step);

/* Change what is stored and nothing else: no mark, no dirt. length bytes inside one block. 0, or -ENOSPC. */
int vssd_store_poke(struct vssd_store *store, uint64_t offset, const void *data, uint32_t length);

/* Dirty blocks at the moment, at most; pool blocks in use. For tests. */
uint64_t vssd_store_dirty(const struct vssd_store *store);
uint64_t vssd_store_used(const struct vssd_store *store);

#endif
