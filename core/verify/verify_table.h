/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The layout of the verification table in memory, and the inline functions of the IO path. For verify*.c and the
 * workers' loop; all other code uses verify.h, which describes a cell.
 *
 * A small namespace has a cell for each LBA, in sparse memory, and a byte for each touched page of cells. A large one
 * has nodes (verify_nodes.h), and cells without nodes for densely written regions (verify_dense.h). Memory that was
 * never written is never read, since reading allocates it.
 */
#ifndef PYN_VERIFY_VERIFY_TABLE_H
#define PYN_VERIFY_VERIFY_TABLE_H

#include <string.h>

#include "core/util/crc32c.h"
#include "core/verify/verify.h"
#include "core/verify/verify_dense.h"
#include "core/verify/verify_files.h"
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

#define PYN_VERIFY_PAGE_SHIFT 9                  /* LBAs whose cells fill a page of 4 KiB */
#define PYN_VERIFY_FLAT_MOST (UINT64_C(1) << 24) /* LBAs of the largest small namespace: 128 MiB of cells */
#define PYN_VERIFY_BATCH 64u                     /* LBAs whose CRCs are computed at once */
#define PYN_VERIFY_RANGES 64u                    /* ranges that may be held at a time */
#define PYN_VERIFY_ZONES 256u                    /* counters of disturbances that zones share */

#define PYN_VERIFY_FREE_RANGE UINT64_MAX

/* A range of LBAs that is not judged; none if past is 0. */
struct pyn_verify_range {
	_Atomic uint64_t from; /* PYN_VERIFY_FREE_RANGE: unused */
	_Atomic uint64_t past;
};

/* All processes share this memory. */
struct pyn_verify_shared {
	_Atomic uint64_t epoch;   /* of writes that complete now, from 1 */
	_Atomic uint64_t durable; /* all epochs up to this one have been flushed */
	_Atomic uint64_t swept;   /* the epoch of the last sweep */
	_Atomic uint64_t checked;
	_Atomic uint64_t unverified;
	_Atomic uint64_t mismatch;
	_Atomic uint64_t changes;       /* counts changes without a token, to tell them apart */
	_Atomic uint64_t durable_since; /* ticks; UINT64_MAX: a write needs a flush */
	_Atomic uint64_t noted;         /* LBAs from here on have no cells, and writes are not noted */
	_Atomic uint64_t limit;         /* LBAs from here on are not judged; at most noted */
	_Atomic uint64_t zone;          /* LBAs in a zone; 0: not zoned */
	_Atomic uint32_t suspended;     /* holds of any kind; if 0, all LBAs below limit are checked */
	_Atomic uint32_t held_whole;
	_Atomic uint32_t loose;        /* changes in flight that are not noted, since they are beyond */
	_Atomic uint32_t disturbances; /* of more than one zone; see pyn_verify_disturbances */
	_Atomic uint32_t dirty;        /* a write completed in this epoch */
	_Atomic uint32_t dlfeat_zeros;
	_Atomic uint32_t has_uncorrectable;                   /* since the first Write Uncorrectable */
	_Atomic uint32_t several;                             /* controllers use it */
	_Atomic uint32_t lost;                                /* cells may count writes of processes that died */
	_Atomic uint32_t has_unwritten;                       /* unwritten LBAs of zones are known to be zeros */
	_Atomic uint32_t zone_disturbances[PYN_VERIFY_ZONES]; /* each of the zones of its number, modulo */
	struct pyn_verify_range ranges[PYN_VERIFY_RANGES];
};

#define PYN_VERIFY_CLEARING UINT32_MAX /* value of changers: there are none, and none may begin */

struct pyn_verify {
	struct pyn_verify_files *files; /* of this process */
	struct pyn_verify *metadata;    /* the table of the metadata, a reference; NULL: none */
	struct pyn_layout layout;       /* where these lie */
	_Atomic uint32_t references;    /* of this process */
	_Atomic uint32_t changers;      /* of this process */
	uint32_t process;               /* pyn_process_number of the process that created it */
	uint32_t nsid;
	uint32_t lba_size;
	uint64_t nlba;
	uint64_t past;       /* LBAs from here on can have no cells */
	uint64_t eight_past; /* eight adjacent cells may begin at an LBA below it */
	uint32_t zero_crc;   /* of an LBA of zeros */
	struct pyn_stripe *stripes;
	_Atomic uint64_t *cells;  /* of a small namespace: nlba cells; NULL: a large one */
	_Atomic uint8_t *touched; /* a byte for each page of cells */
	size_t cells_size;
	size_t touched_size;
	struct pyn_nodes nodes; /* of a large namespace */
	struct pyn_dense dense;
	struct pyn_verify_shared *shared;
	/* Flush epochs, limits and holds: of a table of metadata those of the data's table, else its own. */
	struct pyn_verify_shared *common;
	struct pyn_keys *keys; /* of a Key Value namespace, of this process; NULL: it has LBAs */
};

/* Like pyn_verify_create, but as a small namespace (flat) or a large one regardless of the size. */
struct pyn_verify *pyn_verify_create_as(uint32_t nsid, uint64_t nlba, uint32_t lba_size, bool flat,
					struct pyn_error *err);

/* Whether this is the table of a small namespace, with one array of cells. */
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

/* Mix the token before cutting it: tokens of one LBA often differ by a power of two, if a region is rewritten. */
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

/* The outcome of a write without FUA that was submitted at this time. */
static inline enum pyn_write_outcome pyn_verify_outcome(const struct pyn_verify *verify, bool success,
							uint64_t submitted)
{
	if (!success)
		return PYN_WRITE_FAILED;
	return submitted >= atomic_load_explicit(&verify->shared->durable_since, memory_order_relaxed)
		       ? PYN_WRITE_DURABLE
		       : PYN_WRITE_DONE;
}

/* The number of LBAs of a range that lie below past. */
static inline uint64_t pyn_verify_clip(uint64_t past, uint64_t slba, uint64_t nlb)
{
	if (slba >= past)
		return 0;
	return nlb < past - slba ? nlb : past - slba;
}

/* The cells of a small namespace for loops that the compiler vectorises, which do not tear an aligned word either.
 * Comparing notices a concurrent change, whichever value was read. */
static inline const uint64_t *pyn_verify_plain_cells(const struct pyn_verify *verify, uint64_t slba)
{
	return (const uint64_t *)&verify->cells[slba];
}

/* In a small namespace: whether the page of an LBA's cell was ever touched. */
static inline bool pyn_verify_is_touched(const struct pyn_verify *verify, uint64_t lba)
{
	return atomic_load_explicit(&verify->touched[lba >> PYN_VERIFY_PAGE_SHIFT], memory_order_relaxed);
}

/* Like pyn_verify_read_begin, but inline for eight LBAs, which most tests read at once. The compiler unrolls the
 * loop, here and below. */
static inline void pyn_verify_snapshot(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb,
				       uint64_t *snapshot)
{
	if (nlb == 8 && slba < verify->eight_past && pyn_verify_is_touched(verify, slba) &&
	    pyn_verify_is_touched(verify, slba + 7))
		memcpy(snapshot, pyn_verify_plain_cells(verify, slba), 8 * sizeof(*snapshot));
	else
		pyn_verify_read_begin(verify, slba, nlb, snapshot);
}

/* Whether a read is right: its LBAs held stamped data at the snapshot, nothing has changed or begun to change them
 * since, and the CRCs match. */
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

/* Number of first LBAs of a read that may be judged now. Call it before reading their cells for the last time. */
uint32_t pyn_verify_checkable(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb);

/* pyn_cells_are_as_read for a large namespace. */
bool pyn_verify_large_is_as_read(const struct pyn_verify *verify, uint64_t slba, const uint64_t *snapshot,
				 const uint32_t *crc, uint32_t count);

/* Judge a read of up to PYN_VERIFY_BATCH LBAs. Returns true, and counts it, if all is right; otherwise call
 * pyn_verify_read_end. */
static inline bool pyn_verify_read_is_right(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb,
					    const void *data, const uint64_t *snapshot,
					    struct pyn_verify_counts *counts)
{
	uint64_t limit = atomic_load_explicit(&verify->common->limit, memory_order_relaxed);
	uint32_t crc[PYN_VERIFY_BATCH];
	bool right;

	/* Check this before the cells: a held range is forgotten before it is released. */
	if (atomic_load_explicit(&verify->common->suspended, memory_order_acquire) || slba >= limit ||
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
