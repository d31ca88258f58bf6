/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cells of regions of a large namespace that are densely written: one for each LBA in a sparse mapping, where a
 * lookup is an index. A page is the 512 LBAs whose cells are a page of that memory, and has 16 blocks.
 *
 * A block moves there from its nodes (verify_nodes.h), under its lock, once 8 blocks in a row of its page are written
 * as a whole, or once it begins a page and 8 such blocks lie before it; the rest of the page follows. A block never
 * moves back, and never has nodes again. Before its bit is set the nodes say what is known, afterwards the mapping
 * does: whoever is killed in between leaves either of them valid, and loses the memory of the nodes at most.
 *
 * Memory that is only read becomes memory too: so the bits of a page are read only in chunks that say that some block
 * of them has moved, and cells only of blocks that have.
 */
#ifndef PYN_IO_VERIFY_DENSE_H
#define PYN_IO_VERIFY_DENSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

#define PYN_PAGE_BLOCKS_SHIFT 4 /* blocks of a page */
#define PYN_PAGE_BLOCKS (1u << PYN_PAGE_BLOCKS_SHIFT)
#define PYN_CHUNK_BLOCKS_SHIFT 15 /* blocks of a chunk, whose bits are a page of memory */

/* All of it is shared by all processes. */
struct pyn_dense {
	_Atomic uint8_t *chunks; /* 1: some block of it has moved */
	_Atomic uint16_t *moved; /* for each page a bit for each block that has moved */
	_Atomic uint64_t *cells; /* one for each LBA; NULL: there is no address space for them, so nothing moves */
	size_t chunks_size, moved_size, cells_size; /* bytes */
};

struct pyn_verify;

/* Address space for so many LBAs. -ENOMEM, with *err: not even for the chunks. */
int pyn_dense_map(struct pyn_dense *dense, uint64_t nlba, struct pyn_error *err);
void pyn_dense_unmap(struct pyn_dense *dense);

/* Whether some block of the chunk of a block has moved. */
static inline bool pyn_dense_has_chunk(const struct pyn_dense *dense, uint64_t block)
{
	return atomic_load_explicit(&dense->chunks[block >> PYN_CHUNK_BLOCKS_SHIFT], memory_order_acquire);
}

/* Bits of the blocks of a page that have moved; page: its number. */
static inline unsigned pyn_dense_moved(const struct pyn_dense *dense, uint64_t page)
{
	if (!pyn_dense_has_chunk(dense, page << PYN_PAGE_BLOCKS_SHIFT))
		return 0;
	return atomic_load_explicit(&dense->moved[page], memory_order_acquire);
}

/* Whether a block has moved. With its lock this stays so until the lock is released. */
static inline bool pyn_dense_has(const struct pyn_dense *dense, uint64_t block)
{
	return pyn_dense_moved(dense, block >> PYN_PAGE_BLOCKS_SHIFT) >> (block & (PYN_PAGE_BLOCKS - 1)) & 1;
}

enum {
	PYN_DENSE_NODES = 1, /* there are new nodes */
	PYN_DENSE_PAGE = 2,  /* the first block of its page has moved */
};

/* With the lock of their block, which has not moved: make cells for these LBAs, in nodes unless the block moves now.
 * Returns whether it did. *todo: what to call pyn_dense_settle for when the lock is released, or 0. */
bool pyn_dense_make(struct pyn_verify *verify, uint64_t lba, uint64_t past, unsigned *todo);

/* Without a lock: make more buckets for new nodes, or move the rest of the page. */
void pyn_dense_settle(struct pyn_verify *verify, uint64_t block, unsigned todo);

/* Copy the cells of a range of a large namespace, without a lock. 0: nothing is known. */
void pyn_dense_read(const struct pyn_verify *verify, uint64_t lba, uint64_t past, uint64_t *cells);

#endif
