/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of verification as it lies in memory, and what the IO path does with it inline. For verify*.c and the
 * workers' loop; everybody else uses verify.h, which says what a cell means.
 *
 * A small namespace has a cell for each LBA, in sparse memory, and a byte for each page of it that was touched. A
 * large one has nodes (verify_nodes.h), and where it is densely written cells that are found without
 * (verify_dense.h). Memory that was never written to is never read either: it would take memory.
 */
#ifndef PYN_IO_VERIFY_TABLE_H
#define PYN_IO_VERIFY_TABLE_H

#include <string.h>

#include "core/util/crc32c.h"
#include "core/verify/verify.h"
#include "core/verify/verify_dense.h"
#include "core/verify/verify_nodes.h"

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

#define PYN_VERIFY_PAGE_SHIFT 9                  /* LBAs whose cells are a page of 4 KiB */
#define PYN_VERIFY_FLAT_MOST (UINT64_C(1) << 24) /* LBAs of a namespace with a cell for each: 128 MiB at most */
#define PYN_VERIFY_BATCH 64u                     /* LBAs of which the CRCs are computed at once */
#define PYN_VERIFY_RANGES 64u                    /* that may be held at a time */

#define PYN_VERIFY_FREE_RANGE UINT64_MAX

/* LBAs of which nothing is judged; past 0: none. */
struct pyn_verify_range {
	_Atomic uint64_t from; /* PYN_VERIFY_FREE_RANGE: nobody has it */
	_Atomic uint64_t past;
};

/* In memory that all processes share. */
struct pyn_verify_shared {
	_Atomic uint64_t epoch;   /* in which completed writes are now, from 1 */
	_Atomic uint64_t durable; /* all epochs up to this one have been flushed */
	_Atomic uint64_t swept;   /* the epoch of the last sweep */
	_Atomic uint64_t checked;
	_Atomic uint64_t unverified;
	_Atomic uint64_t mismatch;
	_Atomic uint64_t changes;       /* changes without a token, to tell one from the next */
	_Atomic uint64_t durable_since; /* ticks; UINT64_MAX: a write needs a flush */
	_Atomic uint64_t noted;         /* LBAs from here on have no cells: what is written there is not noted */
	_Atomic uint64_t limit;         /* LBAs from here on are not judged; no more than noted */
	_Atomic uint64_t zone;          /* LBAs in a zone; 0: not zoned */
	_Atomic uint32_t suspended;     /* of any kind; while it is 0 everything below limit is checked */
	_Atomic uint32_t held_whole;
	_Atomic uint32_t loose; /* changes in flight that are not noted, since they lie beyond */
	_Atomic uint32_t
		disturbances;   /* what may have hit changes that are not noted yet: see pyn_verify_disturbances */
	_Atomic uint32_t dirty; /* a write completed in this epoch */
	_Atomic uint32_t dlfeat_zeros;
	_Atomic uint32_t has_uncorrectable; /* from the first Write Uncorrectable on */
	_Atomic uint32_t lost;              /* cells may count writes of processes that died */
	struct pyn_verify_range ranges[PYN_VERIFY_RANGES];
};

#define PYN_VERIFY_CLEARING UINT32_MAX /* for changers: none, and none may begin */

struct pyn_verify {
	_Atomic uint32_t references; /* of this process */
	_Atomic uint32_t changers;   /* of this process */
	uint32_t process;            /* pyn_process_number of the process that made it */
	uint32_t nsid;
	uint32_t lba_size;
	uint64_t nlba;
	uint64_t past;       /* LBAs from here on can have no cells */
	uint64_t eight_past; /* from an LBA below it on eight cells may lie in a row */
	uint32_t zero_crc;   /* of an LBA of zeros */
	struct pyn_stripe *stripes;
	_Atomic uint64_t *cells;  /* of a small namespace: nlba of them; NULL: it is a large one */
	_Atomic uint8_t *touched; /* one for each page of cells */
	size_t cells_size;
	size_t touched_size;
	struct pyn_nodes nodes; /* of a large one */
	struct pyn_dense dense;
	struct pyn_verify_shared *shared;
};

/* pyn_verify_create, as for a small namespace (flat) or a large one, whatever the size. */
struct pyn_verify *pyn_verify_create_as(uint32_t nsid, uint64_t nlba, uint32_t lba_size, bool flat,
					struct pyn_error *err);

/* Whether this is the table of a small namespace: all of its cells are in a row. */
static inline bool pyn_verify_is_flat(const struct pyn_verify *verify)
{
	return verify->cells;
}

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

/* The part of a range that lies below an LBA. */
static inline uint64_t pyn_verify_clip(uint64_t past, uint64_t slba, uint64_t nlb)
{
	if (slba >= past)
		return 0;
	return nlb < past - slba ? nlb : past - slba;
}

/* The cells of a range of a small namespace, for loops that the compiler makes vectors of: an aligned word is never
 * torn in those either. What changes meanwhile is noticed by comparing, whichever value was seen. */
static inline const uint64_t *pyn_verify_plain_cells(const struct pyn_verify *verify, uint64_t slba)
{
	return (const uint64_t *)&verify->cells[slba];
}

/* Of a small namespace: whether anything was ever written to the page of an LBA's cell. */
static inline bool pyn_verify_is_touched(const struct pyn_verify *verify, uint64_t lba)
{
	return atomic_load_explicit(&verify->touched[lba >> PYN_VERIFY_PAGE_SHIFT], memory_order_relaxed);
}

/* pyn_verify_read_begin, inline for the eight LBAs of 512 bytes that most tests read at once: the compiler unrolls
 * them, here and below. */
static inline void pyn_verify_snapshot(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb,
				       uint64_t *snapshot)
{
	if (nlb == 8 && slba < verify->eight_past && pyn_verify_is_touched(verify, slba) &&
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
	const uint64_t checked = PYN_CELL_BUSY | PYN_CELL_STATE << PYN_CELL_STATE_SHIFT | PYN_CELL_CRC;
	uint64_t odd = 0;

	for (uint32_t i = 0; i < count; i++)
		odd |= (cells[i] ^ snapshot[i]) | ((snapshot[i] ^ (state | crc[i])) & checked);
	return odd == 0;
}

/* How many of the first LBAs of a read may be judged now. Asked before its cells are looked at for the last time. */
uint32_t pyn_verify_checkable(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb);

/* Whether some cells with these CRCs are as they were, in a large namespace. */
bool pyn_verify_large_is_as_read(const struct pyn_verify *verify, uint64_t slba, const uint64_t *snapshot,
				 const uint32_t *crc, uint32_t count);

/* Judge a read of up to PYN_VERIFY_BATCH LBAs where there is nothing to say: true, and counted. False:
 * pyn_verify_read_end tells. */
static inline bool pyn_verify_read_is_right(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb,
					    const void *data, const uint64_t *snapshot,
					    struct pyn_verify_counts *counts)
{
	uint64_t limit = atomic_load_explicit(&verify->shared->limit, memory_order_relaxed);
	uint32_t crc[PYN_VERIFY_BATCH];
	bool right;

	/* What is held is forgotten before it is released: look here before the cells. */
	if (atomic_load_explicit(&verify->shared->suspended, memory_order_acquire) || slba >= limit ||
	    nlb > limit - slba || snapshot[0] >> PYN_CELL_STATE_SHIFT != PYN_CELL_DATA)
		return false;
	pyn_crc32c_blocks(data, verify->lba_size, nlb, crc);
	if (pyn_verify_is_flat(verify))
		right = pyn_cells_are_as_read(pyn_verify_plain_cells(verify, slba), snapshot, crc, nlb);
	else
		right = pyn_verify_large_is_as_read(verify, slba, snapshot, crc, nlb);
	counts->checked += right ? nlb : 0;
	return right;
}

#endif
