/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cells of a large namespace: only of LBAs that were touched, in shared memory that grows with them.
 *
 * A block of 32 LBAs has nodes. A node is a header and the cells of 4, 8, 16 or 32 LBAs that lie in a row, aligned to
 * their number. Where both halves of a larger node are there, one takes their place. So an LBA takes from 8.25 bytes,
 * where all of its block are touched, to 40, where it is alone.
 *
 * The nodes of a block are found by a hash of its number: a chain for each bucket, and one bucket is split for each
 * node or so that is added (linear hashing), so that nothing is ever copied as a whole. A chain is sorted by the bits
 * of the hash, the lowest first: to split it is to cut it.
 *
 * The last PYN_STRIPE_BITS bits of the hash are the number of a stripe. Whoever changes a chain has the lock of its
 * stripe, which stays that of a block for ever. Readers have none. A node that was replaced is used again, but only
 * in its stripe, and a part of a block that has been replaced never has a node of its own again: so a reader who
 * finds the same header before and after has read the cells of that header.
 *
 * A region that is densely written moves to a mapping where a cell is found by an index (verify_dense.h). A block
 * that has moved never has nodes again.
 *
 * A process may be killed at any instruction: whatever it has stored by then is a table in which everything is found.
 * A node that it was about to link, or to free, is lost.
 */
#ifndef PYN_IO_VERIFY_NODES_H
#define PYN_IO_VERIFY_NODES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

#define PYN_BLOCK_SHIFT 5 /* LBAs whose cells are changed under one lock */
#define PYN_BLOCK (1u << PYN_BLOCK_SHIFT)
#define PYN_QUAD_SHIFT 2 /* LBAs of the smallest node */
#define PYN_QUADS (PYN_BLOCK >> PYN_QUAD_SHIFT)

#define PYN_STRIPE_BITS 10
#define PYN_STRIPES (1u << PYN_STRIPE_BITS)
#define PYN_HASH_BITS 35 /* as many as the number of a block may have */
#define PYN_NODES_MOST_LBAS (UINT64_C(1) << (PYN_HASH_BITS + PYN_BLOCK_SHIFT))

/* What has one lock. */
struct pyn_stripe {
	_Atomic uint64_t lock;    /* see verify_cells.h */
	_Atomic uint64_t free[3]; /* nodes of 4, 8 and 16 cells that were replaced */
};

/* In memory that all processes share. */
struct pyn_nodes_shared {
	_Atomic uint64_t buckets;
	_Atomic uint64_t live; /* nodes */
	_Atomic uint64_t used; /* granules of the arena */
	_Atomic uint32_t full; /* from now on there are no new nodes: what has none will never have one */
	_Atomic uint64_t free[PYN_STRIPES]; /* of each stripe: nodes of 32 cells whose blocks have moved */
};

struct pyn_nodes {
	_Atomic uint64_t *arena; /* granules of 8 bytes; NULL: there are no nodes */
	_Atomic uint64_t *heads; /* of chains: the granule of the first node, or 0 */
	size_t arena_size;       /* bytes */
	size_t heads_size;
	struct pyn_nodes_shared *shared;
	struct pyn_stripe *stripes; /* the owner's, PYN_STRIPES of them */
};

/* Cells that lie in a row. */
struct pyn_span {
	_Atomic uint64_t *cells; /* NULL: there is no node, nothing is known */
	uint64_t past;           /* the LBA after the last one */
};

/* Address space for the nodes of so many LBAs, or for fewer where there is not so much. */
int pyn_nodes_map(struct pyn_nodes *nodes, uint64_t nlba, struct pyn_stripe *stripes, struct pyn_error *err);
void pyn_nodes_unmap(struct pyn_nodes *nodes);

/* A permutation of the numbers of blocks, and back. */
uint64_t pyn_nodes_hash(uint64_t block);
uint64_t pyn_nodes_block(uint64_t hash);

/* Copy the cells of a range, without a lock. 0: nothing is known. */
void pyn_nodes_read(const struct pyn_nodes *nodes, uint64_t lba, uint64_t past, uint64_t *cells);

/* With the lock of its stripe: the cells from an LBA on, up to past, which is in the same block. */
struct pyn_span pyn_nodes_span(const struct pyn_nodes *nodes, uint64_t lba, uint64_t past);

/* With the lock: make nodes for LBAs of one block. Where there is no more memory they have none afterwards. Returns
 * how many cells the largest new one has; where that is not 0 grow, when the lock is released. */
uint32_t pyn_nodes_make(struct pyn_nodes *nodes, uint64_t lba, uint64_t past);

/* With the lock: whether a block has nodes. */
bool pyn_nodes_has(const struct pyn_nodes *nodes, uint64_t block);

/* With the lock: free the nodes of a block, which will never have any again. */
void pyn_nodes_drop(struct pyn_nodes *nodes, uint64_t block);

/* Without a lock: whether one node has all the cells of a block. May say no while others change its chain. */
bool pyn_nodes_has_whole(const struct pyn_nodes *nodes, uint64_t block);

/* Whether some LBAs have no nodes because there was no memory for them. */
static inline bool pyn_nodes_are_full(const struct pyn_nodes *nodes)
{
	return atomic_load_explicit(&nodes->shared->full, memory_order_relaxed);
}

/* Which bucket is to be split next, 0: none. With the lock of its stripe: split it, unless that has been done. */
uint64_t pyn_nodes_next_split(const struct pyn_nodes *nodes);
void pyn_nodes_split(struct pyn_nodes *nodes, uint64_t target);

/* The stripe of a bucket, and of the bucket that is split into this one. */
static inline uint32_t pyn_nodes_stripe(uint64_t bucket)
{
	return (uint32_t)(bucket & (PYN_STRIPES - 1));
}

/* With the lock of its stripe: call visit for each node of a bucket, with its first LBA. */
void pyn_nodes_each(const struct pyn_nodes *nodes, uint64_t bucket,
		    void (*visit)(void *user, uint64_t lba, _Atomic uint64_t *cells, uint32_t count), void *user);

#endif
