/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The medium of the virtual SSD, with a volatile write cache that costs no copy.
 *
 * Data are kept in a pool of 4 KiB blocks. One map says which pool block the host sees (current), another one says
 * which pool block survives a power loss (durable). A block is dirty while the two differ: writing a clean block
 * allocates a new pool block, writing a dirty one changes it in place. Dirty blocks wait in a bounded queue, the
 * cache; if it is full, the oldest one becomes durable. A flush walks the queue and copies current to durable; a
 * power loss walks it and copies durable to current.
 *
 * Each sector of 512 bytes has two marks beside its data: written, and uncorrectable. They belong to a pool block, so
 * they are flushed and lost together with the data.
 *
 * A store is in memory, or in a sparse file that outlives the process. The maps are sparse as well: they have a page
 * for each 4 MiB of blocks that have been changed. The durable map is in the file, so killing the
 * process is a power loss. Only one thread may use a store. Offsets are bytes from the start of the store; the caller
 * checks ranges.
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
#define VSSD_ALL_SECTORS 0xffu                                                       /* of a block, one bit each */
#define VSSD_METADATA_BLOCK (VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE * VSSD_METADATA_LBA) /* of a block */
#define VSSD_METADATA_LBA 64u               /* most bytes of metadata of an LBA */
#define VSSD_SYSTEM_SIZE 4096u              /* bytes of the system area */
#define VSSD_ANNEX_SIZE (UINT64_C(1) << 20) /* bytes of the annex */
#define VSSD_MAX_BLOCKS (UINT64_C(1) << 34) /* 64 TiB, of which 8 TiB can hold data at a time */

/* An entry of a map: the index of a pool block, and whether any of its sectors is uncorrectable. Of a shared pool
 * block, which only VSSD_POOL_ZEROES can be, all are: so a block that is made uncorrectable as a whole needs no
 * memory.
 */
#define VSSD_ENTRY_INDEX 0x7fffffffu
#define VSSD_ENTRY_BAD 0x80000000u

/* Pool blocks that any number of the store's blocks share. Blocks that are unwritten or deallocated read from the
 * first, blocks zeroed by Write Zeroes from the second; both always hold zeros. An erasure may leave a pattern, or
 * its inversion. */
enum vssd_pool_shared {
	VSSD_POOL_UNWRITTEN,
	VSSD_POOL_ZEROES,
	VSSD_POOL_PATTERN,
	VSSD_POOL_INVERTED,
	VSSD_POOL_FIRST, /* from here on a block belongs to one block of the store */
};

struct vssd_store_options {
	uint64_t blocks;       /* 1 … VSSD_MAX_BLOCKS */
	uint64_t cache_blocks; /* most dirty blocks; at least 16 are allowed */
	const char *file;      /* NULL: in memory */
	bool metadata;         /* LBAs may have metadata */
	uint64_t account;      /* bytes of the account */
};

/* The marks of a pool block, one bit for each of its sectors. */
struct vssd_marks {
	uint8_t written;
	uint8_t bad; /* uncorrectable */
};

/* The sectors of a block that length bytes from offset on cover, one bit each. */
static inline uint8_t vssd_store_sectors(uint32_t offset, uint32_t length)
{
	return (uint8_t)(((1u << length / VSSD_SECTOR_SIZE) - 1) << offset / VSSD_SECTOR_SIZE);
}

/* Only what the inline functions below need; the rest is in store.c. */
struct vssd_store {
	uint8_t *pool;
	uint32_t *current;
	uint32_t *durable;
	struct vssd_marks *marks;
	uint8_t *metadata; /* VSSD_METADATA_LBA bytes for each sector of each pool block; NULL: none */
	uint64_t blocks;
	struct vssd_store_private *private;
};

/* Open or create a store. 0, or -errno. A file that is not a store, has another size or is in use by another process
 * is refused and left unchanged. */
int vssd_store_open(const struct vssd_store_options *options, struct vssd_store **store, struct pyn_error *err);

/* Close the store. What is not durable is lost as in a power loss, so flush first. */
void vssd_store_close(struct vssd_store *store);

/* The system area: VSSD_SYSTEM_SIZE bytes for the caller's use, as persistent as the data; zeros in a new store. */
void *vssd_store_system(struct vssd_store *store);

/* Replace the system area atomically: a process killed meanwhile leaves the old or the new bytes. 0, or -errno. */
int vssd_store_set_system(struct vssd_store *store, const void *bytes, struct pyn_error *err);

/* The annex: VSSD_ANNEX_SIZE bytes for state that is too large for the system area. It is as persistent as the data,
 * and zeros in a new store, or in one that an older version of this program has made. The caller changes it in
 * place, so a process that is killed meanwhile leaves what it has written so far. */
void *vssd_store_annex(struct vssd_store *store);

/* The account: options->account bytes in place for the caller's use, as persistent as the annex; zeros in a new
 * store. Before bytes are changed for the first time, account_for must have returned true for them. false: the file
 * system is full. */
void *vssd_store_account(struct vssd_store *store);
bool vssd_store_account_for(struct vssd_store *store, uint64_t offset, uint64_t length);

/* The data of a block as the host sees them. The pointer is valid until the block changes. */
static inline const uint8_t *vssd_store_data(const struct vssd_store *store, uint64_t block)
{
	return store->pool + ((uint64_t)(store->current[block] & VSSD_ENTRY_INDEX) << VSSD_BLOCK_SHIFT);
}

/* Copy data as the host sees them, from any number of blocks. */
void vssd_store_read(const struct vssd_store *store, uint64_t offset, uint8_t *to, uint64_t length);

/* The data of a block that a power loss would leave. */
static inline const uint8_t *vssd_store_durable(const struct vssd_store *store, uint64_t block)
{
	return store->pool + ((uint64_t)(store->durable[block] & VSSD_ENTRY_INDEX) << VSSD_BLOCK_SHIFT);
}

/* Which sectors of a block are uncorrectable. */
static inline uint8_t vssd_store_bad(const struct vssd_store *store, uint64_t block)
{
	uint32_t entry = store->current[block], index = entry & VSSD_ENTRY_INDEX;

	if (__builtin_expect(!(entry & VSSD_ENTRY_BAD), 1))
		return 0;
	return index < VSSD_POOL_FIRST ? VSSD_ALL_SECTORS : store->marks[index].bad;
}

/* The first block from this one on, before end, with an uncorrectable sector, else end. Skips untouched blocks. */
uint64_t vssd_store_next_bad(const struct vssd_store *store, uint64_t block, uint64_t end);

/* Which sectors of a block have been written. */
static inline uint8_t vssd_store_written(const struct vssd_store *store, uint64_t block)
{
	return store->marks[store->current[block] & VSSD_ENTRY_INDEX].written;
}

/* The metadata of a block, VSSD_METADATA_LBA bytes for each of its sectors. They are written, lost and zeroed
 * together with the data. The caller may change those of sectors that it has just written. */
static inline uint8_t *vssd_store_metadata(const struct vssd_store *store, uint64_t block)
{
	return store->metadata + (uint64_t)(store->current[block] & VSSD_ENTRY_INDEX) *
					 (VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE * VSSD_METADATA_LBA);
}

/* The metadata of a block that a power loss would leave. */
static inline const uint8_t *vssd_store_durable_metadata(const struct vssd_store *store, uint64_t block)
{
	return store->metadata + (uint64_t)(store->durable[block] & VSSD_ENTRY_INDEX) * VSSD_METADATA_BLOCK;
}

/* Whether the block holds what an erasure has left, so that its metadata are those of no write. */
static inline bool vssd_store_is_pattern(const struct vssd_store *store, uint64_t block)
{
	uint32_t index = store->current[block] & VSSD_ENTRY_INDEX;

	return index == VSSD_POOL_PATTERN || index == VSSD_POOL_INVERTED;
}

/* Get the place for new data of these sectors of a block, and mark them as written and correctable; the other sectors
 * keep their data and marks. The caller must fill in all of these sectors, whose bytes are undefined until then.
 * NULL: the file system is full, and nothing was changed. */
uint8_t *vssd_store_write(struct vssd_store *store, uint64_t block, uint8_t sectors);

/* Write a whole block: vssd_store_write() with the fastest kind of copy. False: the file system is full. */
bool vssd_store_put(struct vssd_store *store, uint64_t block, const uint8_t *data);

/* Prefetch the map entries of a block that the next command but one reads or writes. */
void vssd_store_prefetch(const struct vssd_store *store, uint64_t block, bool write);

/* Make sectors of a block read as zeros; deallocate: also mark them as unwritten. 0, or -ENOSPC. */
int vssd_store_zero(struct vssd_store *store, uint64_t block, uint8_t sectors, bool deallocate);

/* Make sectors of a block uncorrectable until they are written or zeroed. 0, or -ENOSPC. */
int vssd_store_poison(struct vssd_store *store, uint64_t block, uint8_t sectors);

/* Make these blocks (commit) or all blocks (flush) durable. */
void vssd_store_commit(struct vssd_store *store, uint64_t block, uint64_t count);
void vssd_store_flush(struct vssd_store *store);

/* Lose power: every block returns to its durable data. */
void vssd_store_lose(struct vssd_store *store);

/* Lose power as a policy says, which decides for each dirty block: keeps returns the sectors whose new data survive.
 * torn: how many bytes of each lost LBA, which has lba_sectors sectors, are new nevertheless. */
struct vssd_store_loss {
	uint8_t (*keeps)(void *context, uint64_t block, unsigned *lba_sectors);
	void *context;
	uint32_t torn;
};
void vssd_store_lose_some(struct vssd_store *store, const struct vssd_store_loss *loss);

/* Erase blocks at once and durably; they hold content afterwards. VSSD_POOL_UNWRITTEN: as in a new store. */
void vssd_store_erase(struct vssd_store *store, uint64_t block, uint64_t count, enum vssd_pool_shared content);

/* Move blocks down, from one place to another, which must be unwritten, and may overlap. The cache must be flushed.
 * *done: how many are moved already; it advances with each, so that the caller can go on after a crash. */
void vssd_store_move(struct vssd_store *store, uint64_t from, uint64_t to, uint64_t count, uint64_t *done);

/* Set the words of VSSD_POOL_PATTERN to first, first + step, …; blocks that an earlier erasure left with the pattern
 * change as well. */
void vssd_store_pattern(struct vssd_store *store, uint32_t first, uint32_t step);

/* The first block from this one on that may have been written; the number of blocks if there is none. */
uint64_t vssd_store_next(const struct vssd_store *store, uint64_t block);

/* Change stored data without marking or dirtying them. length bytes inside one block. 0, or -ENOSPC. */
int vssd_store_poke(struct vssd_store *store, uint64_t offset, const void *data, uint32_t length);

/* The same for a whole sector with its VSSD_METADATA_LBA bytes of metadata, which a store without any ignores. */
int vssd_store_poke_sector(struct vssd_store *store, uint64_t offset, const uint8_t *data, const uint8_t *metadata);

/* The number of dirty blocks: what a power loss now would lose. */
uint64_t vssd_store_unflushed(const struct vssd_store *store);

/* For tests: an upper bound of the number of dirty blocks, and the number of pool blocks in use. */
uint64_t vssd_store_dirty(const struct vssd_store *store);
uint64_t vssd_store_used(const struct vssd_store *store);

#endif
