/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/verify_dense.h"

#include <errno.h>
#include <string.h>

#include "core/env/env.h"
#include "core/verify/verify_cells.h"

#define RUN (PYN_PAGE_BLOCKS / 2) /* adjacent blocks that justify a page of memory */

/* ---- memory ---- */

int pyn_dense_map(struct pyn_dense *dense, uint64_t nlba, struct pyn_error *err)
{
	uint64_t pages = (nlba >> PYN_VERIFY_PAGE_SHIFT) + 1;

	dense->chunks_size = (nlba >> PYN_BLOCK_SHIFT >> PYN_CHUNK_BLOCKS_SHIFT) + 1;
	dense->moved_size = pages * sizeof(*dense->moved);
	dense->cells_size = (pages << PYN_VERIFY_PAGE_SHIFT) * sizeof(*dense->cells);
	dense->chunks = pyn_shared_map(dense->chunks_size, err);
	if (dense->chunks)
		dense->moved = pyn_shared_map(dense->moved_size, err);
	if (dense->moved)
		dense->cells = pyn_shared_map(dense->cells_size, err);
	return dense->chunks ? 0 : -ENOMEM;
}

void pyn_dense_unmap(struct pyn_dense *dense)
{
	pyn_shared_unmap((void *)dense->cells, dense->cells_size);
	pyn_shared_unmap((void *)dense->moved, dense->moved_size);
	pyn_shared_unmap((void *)dense->chunks, dense->chunks_size);
}

/* ---- moving a block ---- */

static void copy_nodes(struct pyn_verify *verify, uint64_t lba, uint64_t past)
{
	for (struct pyn_span span; lba < past; lba = span.past) {
		span = pyn_nodes_span(&verify->nodes, lba, past);
		for (uint64_t i = 0; i < span.past - lba; i++)
			pyn_cell_store(&verify->dense.cells[lba + i], span.cells ? pyn_cell_load(&span.cells[i]) : 0);
	}
}

static void mark(struct pyn_dense *dense, uint64_t block)
{
	if (!pyn_dense_has_chunk(dense, block))
		atomic_store_explicit(&dense->chunks[block >> PYN_CHUNK_BLOCKS_SHIFT], 1, memory_order_release);
	atomic_fetch_or_explicit(&dense->moved[block >> PYN_PAGE_BLOCKS_SHIFT],
				 (uint16_t)(1u << (block & (PYN_PAGE_BLOCKS - 1))), memory_order_release);
}

/* With its lock: move a block. Without nodes nothing is copied, and the mapping holds zeros. */
static void move(struct pyn_verify *verify, uint64_t block)
{
	bool has_nodes = pyn_nodes_has(&verify->nodes, block);

	if (has_nodes)
		copy_nodes(verify, block << PYN_BLOCK_SHIFT, (block + 1) << PYN_BLOCK_SHIFT);
	mark(&verify->dense, block);
	if (has_nodes)
		pyn_nodes_drop(&verify->nodes, block);
}

/* With the lock of a block: whether it may move. If a write could not be noted for lack of a node, it may be in
 * flight, and its block must never have cells. */
static bool may_move(const struct pyn_verify *verify)
{
	return verify->dense.cells && !pyn_nodes_are_full(&verify->nodes);
}

/* ---- when ---- */

/* Whether a completely written block is part of a long row of such blocks in its page. */
static bool is_in_run(const struct pyn_verify *verify, uint64_t block)
{
	uint64_t first = block, last = block;

	while (first % PYN_PAGE_BLOCKS && pyn_nodes_has_whole(&verify->nodes, first - 1))
		first--;
	while (last % PYN_PAGE_BLOCKS != PYN_PAGE_BLOCKS - 1 && pyn_nodes_has_whole(&verify->nodes, last + 1))
		last++;
	return last - first + 1 >= RUN;
}

/* Whether a block continues a sequentially written region: the end of the previous page is full. */
static bool follows_run(const struct pyn_verify *verify, uint64_t block)
{
	const unsigned run = (1u << PYN_PAGE_BLOCKS) - (1u << (PYN_PAGE_BLOCKS - RUN));
	uint64_t lba = block << PYN_BLOCK_SHIFT, back = RUN * PYN_BLOCK;

	if (block == 0 || block % PYN_PAGE_BLOCKS ||
	    (pyn_dense_moved(&verify->dense, (block - 1) >> PYN_PAGE_BLOCKS_SHIFT) & run) != run)
		return false;
	while (back && pyn_cell_load(&verify->dense.cells[lba - back]))
		back--;
	return back == 0;
}

bool pyn_dense_make(struct pyn_verify *verify, uint64_t lba, uint64_t past, unsigned *todo)
{
	uint64_t block = lba >> PYN_BLOCK_SHIFT;
	bool may = may_move(verify), moves = false;

	*todo = 0;
	if (may && pyn_dense_moved(&verify->dense, block >> PYN_PAGE_BLOCKS_SHIFT)) {
		moves = true;
	} else if (may && follows_run(verify, block)) {
		*todo = PYN_DENSE_PAGE;
		moves = true;
	} else {
		uint32_t made = pyn_nodes_make(&verify->nodes, lba, past);

		*todo = made ? PYN_DENSE_NODES : 0;
		moves = may && made == PYN_BLOCK && is_in_run(verify, block);
		*todo |= moves ? PYN_DENSE_PAGE : 0;
	}
	if (moves)
		move(verify, block);
	return moves;
}

static void move_page(struct pyn_verify *verify, uint64_t page)
{
	for (uint64_t block = page << PYN_PAGE_BLOCKS_SHIFT, end = block + PYN_PAGE_BLOCKS; block < end; block++) {
		struct pyn_stripe *stripe = pyn_stripe_of(verify, block);

		pyn_stripe_lock(verify, stripe, PYN_LOCK_SWEEP);
		if (!pyn_dense_has(&verify->dense, block) && may_move(verify))
			move(verify, block);
		pyn_stripe_unlock(stripe);
	}
}

void pyn_dense_settle(struct pyn_verify *verify, uint64_t block, unsigned todo)
{
	if (todo & PYN_DENSE_PAGE)
		move_page(verify, block >> PYN_PAGE_BLOCKS_SHIFT);
	if (todo & PYN_DENSE_NODES)
		pyn_cells_grow(verify, PYN_BLOCK);
}

/* ---- readers ---- */

static inline const uint64_t *plain(const struct pyn_verify *verify, uint64_t lba)
{
	return (const uint64_t *)&verify->dense.cells[lba];
}

void pyn_dense_read(const struct pyn_verify *verify, uint64_t lba, uint64_t past, uint64_t *cells)
{
	for (uint64_t end; lba < past; cells += end - lba, lba = end) {
		bool moved = pyn_dense_has(&verify->dense, lba >> PYN_BLOCK_SHIFT);

		end = pyn_block_past(lba, past);
		if (!moved) {
			pyn_nodes_read(&verify->nodes, lba, end, cells);
			/* The block may have moved during the search for its nodes. */
			moved = pyn_dense_has(&verify->dense, lba >> PYN_BLOCK_SHIFT);
		}
		if (moved)
			memcpy(cells, plain(verify, lba), (end - lba) * sizeof(*cells));
	}
}
