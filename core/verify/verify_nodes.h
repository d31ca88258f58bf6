/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cells of a large namespace, only for LBAs that were touched, in shared memory that grows with them.
 *
 * A block of 32 LBAs has nodes. A node is a header and the cells of 4, 8, 16 or 32 adjacent LBAs, aligned to their
 * number. Once both halves of a larger node exist, the larger one replaces them. So an LBA costs between 8.25 bytes,
 * if its whole block is touched, and 40 bytes, if it is alone.
 *
 * A hash of the block's number finds its nodes. Each bucket of the table has a chain, and about one bucket is split
 * for each node that is added (linear hashing), so the table is never copied as a whole. A chain is sorted by the
 * bits of the hash, the lowest first, so that a split only cuts it.
 *
 * The last PYN_STRIPE_BITS bits of the hash are the number of the stripe, which never changes for a block. Changing a
 * chain needs the lock of its stripe; reading needs none. A replaced node is reused only within its stripe, and a
 * part of a block that was replaced never gets a node of its own again. So a reader that finds the same header before
 * and after has read the cells of that header.
 *
 * A densely written region moves to a mapping in which an index finds a cell (verify_dense.h). A block that has moved
 * never has nodes again.
 *
 * A process may be killed at any instruction. The stores that it made until then always leave a table in which
 * everything is found; at most a node that it was about to link or to free is lost.
 */
#ifndef PYN_VERIFY_VERIFY_NODES_H
#define PYN_VERIFY_VERIFY_NODES_H

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
#define PYN_HASH_BITS 35 /* bits of the number of a block */
#define PYN_NODES_MOST_LBAS (UINT64_C(1) << (PYN_HASH_BITS + PYN_BLOCK_SHIFT))

/* The blocks that share one lock. */
struct pyn_stripe {
	_Atomic uint64_t lock;    /* see verify_cells.h */
	_Atomic uint64_t free[3]; /* nodes of 4, 8 and 16 cells that were replaced */
};

/* All processes share this memory. */
struct pyn_nodes_shared {
	_Atomic uint64_t buckets;
	_Atomic uint64_t live;              /* nodes */
	_Atomic uint64_t used;              /* granules of the arena */
	_Atomic uint32_t full;              /* no new nodes any more: LBAs without a node will never have one */
	_Atomic uint64_t free[PYN_STRIPES]; /* for each stripe, nodes of 32 cells whose blocks have moved */
};

struct pyn_nodes {
	_Atomic uint64_t *arena; /* granules of 8 bytes; NULL: no nodes in use */
	_Atomic uint64_t *heads; /* of chains: the granule of the first node, or 0 */
	size_t arena_size;       /* bytes */
	size_t heads_size;
	struct pyn_nodes_shared *shared;
	struct pyn_stripe *stripes; /* PYN_STRIPES of them, owned by the table */
};

/* Adjacent cells. */
struct pyn_span {
	_Atomic uint64_t *cells; /* NULL: there is no node, nothing is known */
	uint64_t past;           /* the LBA after the last one */
};

/* Map address space for the nodes of nlba LBAs, or for fewer if there is not enough. */
int pyn_nodes_map(struct pyn_nodes *nodes, uint64_t nlba, struct pyn_stripe *stripes, struct pyn_error *err);
void pyn_nodes_unmap(struct pyn_nodes *nodes);

/* A permutation of the numbers of blocks, and its inverse. */
uint64_t pyn_nodes_hash(uint64_t block);
uint64_t pyn_nodes_block(uint64_t hash);

/* Without a lock: copy the cells of a range. A cell of 0: nothing is known. */
void pyn_nodes_read(const struct pyn_nodes *nodes, uint64_t lba, uint64_t past, uint64_t *cells);

/* With the lock of its stripe: the cells from an LBA on, up to past, in the same block. */
struct pyn_span pyn_nodes_span(const struct pyn_nodes *nodes, uint64_t lba, uint64_t past);

/* With the lock: create nodes for LBAs of one block. Without memory they have none afterwards. Returns the number of
 * cells of the largest new node; if that is not 0, call pyn_cells_grow once the lock is released. */
uint32_t pyn_nodes_make(struct pyn_nodes *nodes, uint64_t lba, uint64_t past);

/* With the lock: whether a block has nodes. */
bool pyn_nodes_has(const struct pyn_nodes *nodes, uint64_t block);

/* With the lock: free the nodes of a block. It must never get nodes again. */
void pyn_nodes_drop(struct pyn_nodes *nodes, uint64_t block);

/* Without a lock: whether one node has all cells of a block. May return false while others change its chain. */
bool pyn_nodes_has_whole(const struct pyn_nodes *nodes, uint64_t block);

/* Whether some LBAs have no nodes for lack of memory. */
static inline bool pyn_nodes_are_full(const struct pyn_nodes *nodes)
{
	return atomic_load_explicit(&nodes->shared->full, memory_order_relaxed);
}

/* next_split returns the bucket to create by the next split, or 0. split, with the lock of its stripe, does that,
 * unless another process has done it. */
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
