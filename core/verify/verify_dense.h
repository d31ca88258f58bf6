/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cells of densely written regions of a large namespace: one for each LBA in a sparse mapping, so that a lookup
 * is an index. A page is the 512 LBAs whose cells are a page of that memory; it has 16 blocks.
 *
 * A block moves there from its nodes (verify_nodes.h), under its lock, once 8 adjacent blocks of its page are
 * completely written, or once it begins a page and 8 such blocks lie before it. The rest of the page follows. A block
 * never moves back, and never has nodes again. Before its bit is set the nodes are valid, afterwards the mapping is.
 * If a process is killed in between, one of them is valid, and at most the memory of the nodes is lost.
 *
 * Reading untouched memory allocates it, too. So the bits of a page are read only in chunks of which some block has
 * moved, and cells only of blocks that have moved.
 */
#ifndef PYN_VERIFY_VERIFY_DENSE_H
#define PYN_VERIFY_VERIFY_DENSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

#define PYN_PAGE_BLOCKS_SHIFT 4 /* blocks per page */
#define PYN_PAGE_BLOCKS (1u << PYN_PAGE_BLOCKS_SHIFT)
#define PYN_CHUNK_BLOCKS_SHIFT 15 /* blocks per chunk; its bits fill a page of memory */

/* All processes share this memory. */
struct pyn_dense {
	_Atomic uint8_t *chunks;                    /* 1: some block of the chunk has moved */
	_Atomic uint16_t *moved;                    /* for each page, a bit for each block that has moved */
	_Atomic uint64_t *cells;                    /* one for each LBA; NULL: no address space, so nothing moves */
	size_t chunks_size, moved_size, cells_size; /* bytes */
};

struct pyn_verify;

/* Map address space for nlba LBAs. Returns -ENOMEM and sets *err if there is none even for the chunks. */
int pyn_dense_map(struct pyn_dense *dense, uint64_t nlba, struct pyn_error *err);
void pyn_dense_unmap(struct pyn_dense *dense);

/* Whether any block has moved in the chunk of this block. */
static inline bool pyn_dense_has_chunk(const struct pyn_dense *dense, uint64_t block)
{
	return atomic_load_explicit(&dense->chunks[block >> PYN_CHUNK_BLOCKS_SHIFT], memory_order_acquire);
}

/* A bit for each block of a page that has moved; page is its number. */
static inline unsigned pyn_dense_moved(const struct pyn_dense *dense, uint64_t page)
{
	if (!pyn_dense_has_chunk(dense, page << PYN_PAGE_BLOCKS_SHIFT))
		return 0;
	return atomic_load_explicit(&dense->moved[page], memory_order_acquire);
}

/* Whether a block has moved. With its lock the result stays valid until the lock is released. */
static inline bool pyn_dense_has(const struct pyn_dense *dense, uint64_t block)
{
	return pyn_dense_moved(dense, block >> PYN_PAGE_BLOCKS_SHIFT) >> (block & (PYN_PAGE_BLOCKS - 1)) & 1;
}

enum {
	PYN_DENSE_NODES = 1, /* new nodes were created */
	PYN_DENSE_PAGE = 2,  /* the first block of its page has moved */
};

/* With the lock of their block, which has not moved: create cells for these LBAs, in nodes unless the block moves
 * now. Returns whether it moved. If *todo is not 0, pass it to pyn_dense_settle once the lock is released. */
bool pyn_dense_make(struct pyn_verify *verify, uint64_t lba, uint64_t past, unsigned *todo);

/* Without a lock: add buckets for new nodes, or move the rest of the page. */
void pyn_dense_settle(struct pyn_verify *verify, uint64_t block, unsigned todo);

/* Without a lock: copy the cells of a range of a large namespace. A cell of 0: nothing is known. */
void pyn_dense_read(const struct pyn_verify *verify, uint64_t lba, uint64_t past, uint64_t *cells);

#endif
