/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of verification as it lies in memory, and what the IO path does with it inline. For verify.c,
 * verify_judge.c and the workers' loop; everybody else uses verify.h, which says what a cell means.
 */
#ifndef PYN_IO_VERIFY_TABLE_H
#define PYN_IO_VERIFY_TABLE_H

#include <string.h>

#include "core/io/crc32c.h"
#include "core/io/verify.h"

#define PYN_CELL_CRC UINT64_C(0xffffffff)
#define PYN_CELL_HASH_SHIFT 32
#define PYN_CELL_HASH_BITS 14
#define PYN_CELL_HASH ((UINT64_C(1) << PYN_CELL_HASH_BITS) - 1)
#define PYN_CELL_EPOCH_SHIFT 46
#define PYN_CELL_EPOCH_BITS 13
#define PYN_CELL_EPOCH ((UINT64_C(1) << PYN_CELL_EPOCH_BITS) - 1)
#define PYN_CELL_STATE_SHIFT 59
#define PYN_CELL_STATE UINT64_C(15)
#define PYN_CELL_BUSY (UINT64_C(1) << 63)

#define PYN_VERIFY_CHUNK_SHIFT 16 /* LBAs of which "was ever touched" is kept together */
#define PYN_VERIFY_GROUP_SHIFT 3  /* LBAs whose cells, a cache line, have one lock */
#define PYN_VERIFY_BATCH 64u      /* LBAs of which the CRCs are computed at once */

/* In memory that all processes share. */
struct pyn_verify_shared {
	_Atomic uint64_t epoch;   /* in which completed writes are now, from 1 */
	_Atomic uint64_t durable; /* all epochs up to this one have been flushed */
	_Atomic uint64_t swept;   /* the epoch of the last sweep */
	_Atomic uint64_t judged;
	_Atomic uint64_t unverified;
	_Atomic uint64_t mismatch;
	_Atomic uint64_t changes;       /* changes without a token, to tell one from the next */
	_Atomic uint64_t durable_since; /* ticks; UINT64_MAX: a write needs a flush */
	_Atomic uint64_t limit;         /* LBAs from here on are not judged; no more than nlba */
	_Atomic uint64_t zone;          /* LBAs in a zone; 0: not zoned */
	_Atomic uint32_t held;          /* while it is not 0 nothing is judged */
	_Atomic uint32_t hits;  /* what may have hit changes that are not noted yet: see pyn_verify_calm_begin */
	_Atomic uint32_t dirty; /* a write completed in this epoch */
	_Atomic uint32_t dlfeat_zeros;
	_Atomic uint32_t has_uncorrectable; /* from the first Write Uncorrectable on */
};

struct pyn_verify {
	_Atomic uint32_t references; /* of this process */
	uint32_t nsid;
	uint32_t lba_size;
	uint64_t nlba;
	uint32_t zero_crc;        /* of an LBA of zeros */
	_Atomic uint64_t *cells;  /* nlba of them */
	_Atomic uint32_t *locks;  /* one for each group of cells: the process that changes them now, or 0 */
	_Atomic uint8_t *touched; /* one for each chunk of cells */
	size_t cells_size;
	size_t locks_size;
	size_t touched_size;
	struct pyn_verify_shared *shared;
};

static inline enum pyn_cell_state pyn_cell_state_of(uint64_t cell)
{
	return (enum pyn_cell_state)(cell >> PYN_CELL_STATE_SHIFT & PYN_CELL_STATE);
}

static inline uint64_t pyn_cell_make(enum pyn_cell_state state, uint32_t crc, uint64_t hash)
{
	return (uint64_t)state << PYN_CELL_STATE_SHIFT | hash << PYN_CELL_HASH_SHIFT | crc;
}

/* Tokens of one LBA often differ by a power of two (a region written again and again): mix before cutting. */
static inline uint64_t pyn_token_hash(uint64_t token)
{
	return token * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PYN_CELL_HASH_BITS);
}

static inline bool pyn_cell_expects_data(uint64_t cell)
{
	enum pyn_cell_state state = pyn_cell_state_of(cell);

	return state == PYN_CELL_DATA || state == PYN_CELL_RAW || state == PYN_CELL_ZEROES ||
	       state == PYN_CELL_DEALLOCATED;
}

/* How a write without FUA ended that was submitted at this time. */
static inline enum pyn_write_outcome pyn_verify_outcome(const struct pyn_verify *verify, bool success,
							uint64_t submitted)
{
	if (!success)
		return PYN_WRITE_FAILED;
	return submitted >= atomic_load_explicit(&verify->shared->durable_since, memory_order_relaxed)
		       ? PYN_WRITE_DURABLE
		       : PYN_WRITE_DONE;
}

/* The part of a range that the table covers: the drive refuses what lies beyond the namespace. */
static inline uint64_t pyn_verify_clip(const struct pyn_verify *verify, uint64_t slba, uint64_t nlb)
{
	if (slba >= verify->nlba)
		return 0;
	return nlb < verify->nlba - slba ? nlb : verify->nlba - slba;
}

/* The cells of a range, for loops that the compiler makes vectors of: an aligned word is never torn in those either.
 * What changes meanwhile is noticed by comparing, whichever value was seen. */
static inline const uint64_t *pyn_verify_plain_cells(const struct pyn_verify *verify, uint64_t slba)
{
	return (const uint64_t *)&verify->cells[slba];
}

/* Whether anything was ever written to the chunk in which an LBA lies. A look at its cell would take memory for it.
 */
static inline bool pyn_verify_is_touched(const struct pyn_verify *verify, uint64_t lba)
{
	return atomic_load_explicit(&verify->touched[lba >> PYN_VERIFY_CHUNK_SHIFT], memory_order_relaxed);
}

/* pyn_verify_read_begin, inline for the eight LBAs of 512 bytes that most tests read at once: the compiler unrolls
 * them, here and below. */
static inline void pyn_verify_snapshot(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb,
				       uint64_t *snapshot)
{
	if (pyn_verify_clip(verify, slba, nlb) == 8 && pyn_verify_is_touched(verify, slba) &&
	    pyn_verify_is_touched(verify, slba + 7))
		memcpy(snapshot, pyn_verify_plain_cells(verify, slba), 8 * sizeof(*snapshot));
	else
		pyn_verify_read_begin(verify, slba, nlb, snapshot);
}

/* Whether these LBAs held stamped data when the snapshot was made, nothing has changed or begun to change them since,
 * and these are their CRCs: that all is right. */
static inline bool pyn_cells_are_as_read(const uint64_t *cells, const uint64_t *snapshot, const uint32_t *crc,
					 uint32_t count)
{
	const uint64_t state = (uint64_t)PYN_CELL_DATA << PYN_CELL_STATE_SHIFT;
	const uint64_t judged = PYN_CELL_BUSY | PYN_CELL_STATE << PYN_CELL_STATE_SHIFT | PYN_CELL_CRC;
	uint64_t odd = 0;

	for (uint32_t i = 0; i < count; i++)
		odd |= (cells[i] ^ snapshot[i]) | ((snapshot[i] ^ (state | crc[i])) & judged);
	return odd == 0;
}

/* Judge a read of up to PYN_VERIFY_BATCH LBAs where there is nothing to say: true, and counted. False:
 * pyn_verify_read_end tells. */
static inline bool pyn_verify_read_is_right(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb,
					    const void *data, const uint64_t *snapshot,
					    struct pyn_verify_counts *counts)
{
	const uint64_t *cells = pyn_verify_plain_cells(verify, slba);
	uint64_t limit = atomic_load_explicit(&verify->shared->limit, memory_order_relaxed);
	uint32_t crc[PYN_VERIFY_BATCH];
	bool right;

	/* What is held is forgotten before it is released: look here before the cells. */
	if (atomic_load_explicit(&verify->shared->held, memory_order_acquire) || slba >= limit ||
	    nlb > limit - slba || snapshot[0] >> PYN_CELL_STATE_SHIFT != PYN_CELL_DATA)
		return false;
	pyn_crc32c_blocks(data, verify->lba_size, nlb, crc);
	right = pyn_cells_are_as_read(cells, snapshot, crc, nlb);
	counts->judged += right ? nlb : 0;
	return right;
}

#endif
