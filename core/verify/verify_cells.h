/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes cells under the lock of their stripe, which costs one atomic instruction for a block of 32 LBAs. Readers
 * need no lock, since each cell is stored in one piece.
 *
 * A lock holds the PID of its owner and the purpose. If a process is killed while it holds one, the next process that
 * waits takes the lock over and finishes what must be finished. The number of writes in flight over that block is
 * then unknown.
 */
#ifndef PYN_VERIFY_VERIFY_CELLS_H
#define PYN_VERIFY_VERIFY_CELLS_H

#include "core/verify/verify_table.h"

/* A lock: the PID of its owner, and above it the block whose cells are changed, or one of these purposes. */
#define PYN_LOCK_PID_BITS 22
#define PYN_LOCK_SPLIT (UINT64_C(1) << 40) /* | the new bucket */
#define PYN_LOCK_SWEEP (UINT64_C(1) << 41) /* cells are changed one by one; may stop anywhere */

extern uint32_t pyn_the_process; /* the PID of this process, for locks */

/* Wait for a lock that another process or thread holds, and take it. */
void pyn_lock_wait(struct pyn_verify *verify, struct pyn_stripe *stripe, uint64_t what);

static inline struct pyn_stripe *pyn_stripe_of(const struct pyn_verify *verify, uint64_t block)
{
	if (!pyn_verify_is_flat(verify))
		block = pyn_nodes_hash(block);
	return &verify->stripes[pyn_nodes_stripe(block)];
}

static inline void pyn_stripe_lock(struct pyn_verify *verify, struct pyn_stripe *stripe, uint64_t what)
{
	uint64_t nobody = 0;

	if (__builtin_expect(!atomic_compare_exchange_strong_explicit(&stripe->lock, &nobody,
								      what << PYN_LOCK_PID_BITS | pyn_the_process,
								      memory_order_acquire, memory_order_relaxed),
			     0))
		pyn_lock_wait(verify, stripe, what);
}

/* Other processes see the stores into the cells before the lock is free. */
static inline void pyn_stripe_unlock(struct pyn_stripe *stripe)
{
	atomic_store_explicit(&stripe->lock, 0, memory_order_release);
}

static inline uint64_t pyn_cell_load(const _Atomic uint64_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

static inline void pyn_cell_store(_Atomic uint64_t *cell, uint64_t value)
{
	atomic_store_explicit(cell, value, memory_order_relaxed);
}

/* The end of the part of a range that lies in the block of its first LBA. */
static inline uint64_t pyn_block_past(uint64_t lba, uint64_t past)
{
	uint64_t next = (lba | (PYN_BLOCK - 1)) + 1;

	return next < past ? next : past;
}

/* With the lock: the cells from an LBA on, up to past, in the same block. */
static inline struct pyn_span pyn_cells_span(const struct pyn_verify *verify, uint64_t lba, uint64_t past)
{
	if (pyn_verify_is_flat(verify))
		return (struct pyn_span){&verify->cells[lba], past};
	if (pyn_dense_has(&verify->dense, lba >> PYN_BLOCK_SHIFT))
		return (struct pyn_span){&verify->dense.cells[lba], past};
	return pyn_nodes_span(&verify->nodes, lba, past);
}

/* With the lock, in a small namespace: mark the page of this block as touched, so that its cells are read. */
static inline void pyn_cells_touch(struct pyn_verify *verify, uint64_t lba)
{
	if (!pyn_verify_is_touched(verify, lba))
		atomic_store_explicit(&verify->touched[lba >> PYN_VERIFY_PAGE_SHIFT], 1, memory_order_relaxed);
}

/* Add buckets for new nodes of nlb LBAs. Call it after releasing their locks. */
void pyn_cells_grow(struct pyn_verify *verify, uint64_t nlb);

/* A function that returns the new value of a known cell. It may be called twice for the same cell. */
typedef uint64_t pyn_cell_change(const struct pyn_verify *verify, uint64_t cell);

/* The value with which a cell is saved, as verify_format.h describes it; 0: nothing is known. */
uint64_t pyn_verify_saved_cell(const struct pyn_verify *verify, uint64_t cell);

/* Restore cells that were saved, except those that are known already. */
void pyn_verify_restore(struct pyn_verify *verify, uint64_t slba, uint32_t nlb, const uint64_t *cells);

/* Change each known cell of a range. Takes time only for LBAs that were ever touched. */
void pyn_cells_each(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, pyn_cell_change *change);

/* Call a function for the cells of all LBAs that were ever touched, with copies of those of adjacent LBAs. Cells that
 * move meanwhile are visited twice. */
typedef void pyn_cells_visitor(void *user, uint64_t slba, const uint64_t *cells, uint32_t count);
void pyn_cells_visit(struct pyn_verify *verify, pyn_cells_visitor *visitor, void *user);

/* The change for a cell with a write in flight that may never end. */
pyn_cell_change pyn_cell_lose_count;

#endif
