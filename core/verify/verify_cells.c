/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/verify_cells.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "core/env/env.h"

#define NEVER_ENDS (UINT64_C(1) << 30) /* in the count of a CONFLICT: the process of a write may be dead */

#define SPINS_BEFORE_YIELD 100u
#define SPINS_BEFORE_DOUBT 10000u /* then check that the owner of the lock is alive */

uint32_t pyn_the_process;

void pyn_verify_forked(void)
{
	pyn_the_process = (uint32_t)getpid();
}

/* ---- locks of the dead ---- */

static bool is_in_flight(uint64_t cell)
{
	return cell & PYN_CELL_BUSY || pyn_cell_state_of(cell) == PYN_CELL_CONFLICT;
}

uint64_t pyn_cell_lose_count(const struct pyn_verify *verify, uint64_t cell)
{
	if (!is_in_flight(cell))
		return pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0);
	atomic_store(&verify->shared->lost, 1);
	if (pyn_cell_state_of(cell) == PYN_CELL_CONFLICT)
		return (cell & PYN_CELL_CRC) < NEVER_ENDS ? cell + NEVER_ENDS : cell;
	return pyn_cell_make(PYN_CELL_CONFLICT, NEVER_ENDS + 1, 0);
}

/* Whether a process has ended, even if it was not yet reaped. Without /proc a zombie counts as alive. */
static bool has_died(uint32_t process)
{
	char path[32], text[256], *end;
	ssize_t length = 0;

	if (kill((pid_t)process, 0) < 0 && errno == ESRCH)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/stat", process);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		length = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	/* The state follows the name, which ends with the last ")". */
	end = strrchr(text, ')');
	return end && (end[2] == 'Z' || end[2] == 'X');
}

/* With the lock: change the cells of a range in one block. */
static void change_block(struct pyn_verify *verify, uint64_t lba, uint64_t past, pyn_cell_change *change)
{
	while (lba < past) {
		struct pyn_span span = pyn_cells_span(verify, lba, past);

		for (uint64_t i = 0; span.cells && i < span.past - lba; i++) {
			uint64_t old = pyn_cell_load(&span.cells[i]);

			if (old)
				pyn_cell_store(&span.cells[i], change(verify, old));
		}
		lba = span.past;
	}
}

static void finish_for(struct pyn_verify *verify, uint64_t what)
{
	uint64_t lba = what << PYN_BLOCK_SHIFT;

	if (what & PYN_LOCK_SPLIT)
		pyn_nodes_split(&verify->nodes, what & (PYN_LOCK_SPLIT - 1));
	else if (!(what & PYN_LOCK_SWEEP))
		change_block(verify, lba, pyn_block_past(lba, verify->past), pyn_cell_lose_count);
}

/* The owner releases the lock after some 100 ns, or once the kernel runs it again, or never, if it died. */
__attribute__((noinline)) void pyn_lock_wait(struct pyn_verify *verify, struct pyn_stripe *stripe, uint64_t what)
{
	const uint64_t mine = what << PYN_LOCK_PID_BITS | pyn_the_process;

	for (unsigned turn = 1;; turn++) {
		uint64_t owner = 0;

		if (atomic_compare_exchange_strong_explicit(&stripe->lock, &owner, mine, memory_order_acquire,
							    memory_order_relaxed))
			return;
		if (turn % SPINS_BEFORE_YIELD == 0)
			sched_yield();
		if (turn % SPINS_BEFORE_DOUBT || !has_died(owner & ((1u << PYN_LOCK_PID_BITS) - 1)))
			continue;
		/* If we are killed before it is finished, the next process finishes it. */
		uint64_t left = owner >> PYN_LOCK_PID_BITS, taken = left << PYN_LOCK_PID_BITS | pyn_the_process;

		if (!atomic_compare_exchange_strong_explicit(&stripe->lock, &owner, taken, memory_order_acquire,
							     memory_order_relaxed))
			continue;
		finish_for(verify, left);
		atomic_store_explicit(&stripe->lock, mine, memory_order_release);
		return;
	}
}

/* ---- buckets ---- */

static bool split_one(struct pyn_verify *verify)
{
	uint64_t target = pyn_nodes_next_split(&verify->nodes);

	if (target == 0)
		return false;
	/* Both buckets belong to one stripe. */
	struct pyn_stripe *stripe = &verify->stripes[pyn_nodes_stripe(target)];

	pyn_stripe_lock(verify, stripe, PYN_LOCK_SPLIT | target);
	pyn_nodes_split(&verify->nodes, target);
	pyn_stripe_unlock(stripe);
	return true;
}

/* Does not count nodes that others add meanwhile: they add buckets for these themselves. */
void pyn_cells_grow(struct pyn_verify *verify, uint64_t nlb)
{
	uint64_t most = 2 * (nlb / (1u << PYN_QUAD_SHIFT) + 2);

	while (most-- && split_one(verify))
		;
}

/* ---- all of a range ---- */

static bool says_something(const _Atomic uint64_t *cells, uint64_t count)
{
	uint64_t any = 0;

	for (uint64_t i = 0; i < count; i++)
		any |= pyn_cell_load(&cells[i]);
	return any;
}

static void change_one(struct pyn_verify *verify, uint64_t lba, uint64_t past, pyn_cell_change *change)
{
	struct pyn_stripe *stripe = pyn_stripe_of(verify, lba >> PYN_BLOCK_SHIFT);

	pyn_stripe_lock(verify, stripe, PYN_LOCK_SWEEP);
	change_block(verify, lba, past, change);
	pyn_stripe_unlock(stripe);
}

static void each_flat(struct pyn_verify *verify, uint64_t slba, uint64_t past, pyn_cell_change *change)
{
	for (uint64_t lba = slba, end; lba < past; lba = end) {
		if (!pyn_verify_is_touched(verify, lba)) {
			end = ((lba >> PYN_VERIFY_PAGE_SHIFT) + 1) << PYN_VERIFY_PAGE_SHIFT;
			continue;
		}
		end = pyn_block_past(lba, past);
		if (says_something(&verify->cells[lba], end - lba))
			change_one(verify, lba, end, change);
	}
}

static void each_by_block(struct pyn_verify *verify, uint64_t slba, uint64_t past, pyn_cell_change *change)
{
	for (uint64_t lba = slba, end; lba < past; lba = end) {
		end = pyn_block_past(lba, past);
		change_one(verify, lba, end, change);
	}
}

struct sweep {
	const struct pyn_verify *verify;
	uint64_t slba, past;
	pyn_cell_change *change;
};

static void sweep_node(void *user, uint64_t lba, _Atomic uint64_t *cells, uint32_t count)
{
	const struct sweep *sweep = user;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t old = pyn_cell_load(&cells[i]);

		if (old && lba + i >= sweep->slba && lba + i < sweep->past)
			pyn_cell_store(&cells[i], sweep->change(sweep->verify, old));
	}
}

/* Visit all buckets. A concurrent split moves nodes only to a bucket that comes later. */
static void each_by_bucket(struct pyn_verify *verify, uint64_t slba, uint64_t past, pyn_cell_change *change)
{
	struct sweep sweep = {verify, slba, past, change};

	for (uint64_t bucket = 0; bucket < atomic_load(&verify->nodes.shared->buckets); bucket++) {
		struct pyn_stripe *stripe = &verify->stripes[pyn_nodes_stripe(bucket)];

		if (!atomic_load(&verify->nodes.heads[bucket]))
			continue;
		pyn_stripe_lock(verify, stripe, PYN_LOCK_SWEEP);
		pyn_nodes_each(&verify->nodes, bucket, sweep_node, &sweep);
		pyn_stripe_unlock(stripe);
	}
}

/* The end of the part of a range, from lba on, whose blocks have all not moved, or of the block that has. */
static uint64_t past_of_moved(const struct pyn_dense *dense, uint64_t lba, uint64_t past)
{
	const uint64_t chunk = UINT64_C(1) << (PYN_CHUNK_BLOCKS_SHIFT + PYN_BLOCK_SHIFT);

	if (!pyn_dense_has_chunk(dense, lba >> PYN_BLOCK_SHIFT))
		return (lba | (chunk - 1)) + 1;
	if (pyn_dense_moved(dense, lba >> PYN_VERIFY_PAGE_SHIFT) == 0)
		return ((lba >> PYN_VERIFY_PAGE_SHIFT) + 1) << PYN_VERIFY_PAGE_SHIFT;
	return pyn_block_past(lba, past);
}

static void each_moved(struct pyn_verify *verify, uint64_t slba, uint64_t past, pyn_cell_change *change)
{
	const struct pyn_dense *dense = &verify->dense;

	for (uint64_t lba = slba, end; lba < past; lba = end) {
		end = past_of_moved(dense, lba, past);
		if (pyn_dense_has(dense, lba >> PYN_BLOCK_SHIFT) && says_something(&dense->cells[lba], end - lba))
			change_one(verify, lba, end, change);
	}
}

/* Visit the nodes first, then the mapping, so a block that moves meanwhile is visited in the mapping. */
static void each_by_place(struct pyn_verify *verify, uint64_t slba, uint64_t past, pyn_cell_change *change)
{
	each_by_bucket(verify, slba, past, change);
	each_moved(verify, slba, past, change);
}

void pyn_cells_each(struct pyn_verify *verify, uint64_t slba, uint64_t nlb, pyn_cell_change *change)
{
	uint64_t count = pyn_verify_clip(verify->past, slba, nlb);

	if (pyn_verify_is_flat(verify))
		each_flat(verify, slba, slba + count, change);
	else if (count >> PYN_BLOCK_SHIFT < atomic_load(&verify->nodes.shared->buckets))
		each_by_block(verify, slba, slba + count, change);
	else
		each_by_place(verify, slba, slba + count, change);
}

/* ---- visits ---- */

struct visit {
	pyn_cells_visitor *visitor;
	void *user;
};

static void visit_cells(void *user, uint64_t slba, _Atomic uint64_t *cells, uint32_t count)
{
	const struct visit *visit = user;
	uint64_t copies[PYN_BLOCK];

	for (uint32_t i = 0; i < count; i++)
		copies[i] = pyn_cell_load(&cells[i]);
	visit->visitor(visit->user, slba, copies, count);
}

static void visit_block(struct pyn_verify *verify, uint64_t slba, _Atomic uint64_t *cells, struct visit *visit)
{
	uint64_t count = pyn_block_past(slba, verify->past) - slba;
	struct pyn_stripe *stripe = pyn_stripe_of(verify, slba >> PYN_BLOCK_SHIFT);

	if (!says_something(cells, count))
		return;
	pyn_stripe_lock(verify, stripe, PYN_LOCK_SWEEP);
	visit_cells(visit, slba, cells, (uint32_t)count);
	pyn_stripe_unlock(stripe);
}

static void visit_flat(struct pyn_verify *verify, struct visit *visit)
{
	const uint64_t page = UINT64_C(1) << PYN_VERIFY_PAGE_SHIFT;

	for (uint64_t lba = 0; lba < verify->past;) {
		if (!pyn_verify_is_touched(verify, lba)) {
			lba = (lba | (page - 1)) + 1;
			continue;
		}
		visit_block(verify, lba, &verify->cells[lba], visit);
		lba += PYN_BLOCK;
	}
}

static void visit_buckets(struct pyn_verify *verify, struct visit *visit)
{
	for (uint64_t bucket = 0; bucket < atomic_load(&verify->nodes.shared->buckets); bucket++) {
		struct pyn_stripe *stripe = &verify->stripes[pyn_nodes_stripe(bucket)];

		if (!atomic_load(&verify->nodes.heads[bucket]))
			continue;
		pyn_stripe_lock(verify, stripe, PYN_LOCK_SWEEP);
		pyn_nodes_each(&verify->nodes, bucket, visit_cells, visit);
		pyn_stripe_unlock(stripe);
	}
}

static void visit_moved(struct pyn_verify *verify, struct visit *visit)
{
	for (uint64_t lba = 0, end; lba < verify->past; lba = end) {
		end = past_of_moved(&verify->dense, lba, verify->past);
		if (pyn_dense_has(&verify->dense, lba >> PYN_BLOCK_SHIFT))
			visit_block(verify, lba, &verify->dense.cells[lba], visit);
	}
}

/* The nodes come first, then the mapping, so a block that moves meanwhile is visited in the mapping, too. */
void pyn_cells_visit(struct pyn_verify *verify, pyn_cells_visitor *visitor, void *user)
{
	struct visit visit = {visitor, user};

	if (pyn_verify_is_flat(verify)) {
		visit_flat(verify, &visit);
		return;
	}
	visit_buckets(verify, &visit);
	visit_moved(verify, &visit);
}

/* ---- counts of the dead ---- */

static uint64_t clear_count(const struct pyn_verify *verify, uint64_t cell)
{
	(void)verify;
	return is_in_flight(cell) ? pyn_cell_make(PYN_CELL_UNKNOWN, 0, 0) : cell;
}

/* Whether the changers are those of this process. A forked process has a copy of those of its parent. */
static bool counts_changers(const struct pyn_verify *verify)
{
	return verify->process == pyn_process_number();
}

static void clear_lost_counts(struct pyn_verify *verify)
{
	uint32_t none = 0;

	if (!atomic_load(&verify->shared->lost) ||
	    !atomic_compare_exchange_strong(&verify->changers, &none, PYN_VERIFY_CLEARING))
		return;
	/* Clear this first: what the take-over of a lock adds meanwhile is then found the next time. */
	atomic_store(&verify->shared->lost, 0);
	pyn_cells_each(verify, 0, verify->nlba, clear_count);
	atomic_store(&verify->changers, 0);
}

void pyn_verify_changer_begin(struct pyn_verify *verify)
{
	uint32_t count;

	if (!counts_changers(verify))
		return;
	clear_lost_counts(verify);
	count = atomic_load(&verify->changers);
	while (count == PYN_VERIFY_CLEARING || !atomic_compare_exchange_weak(&verify->changers, &count, count + 1)) {
		if (count == PYN_VERIFY_CLEARING)
			sched_yield();
		count = atomic_load(&verify->changers);
	}
}

void pyn_verify_changer_end(struct pyn_verify *verify)
{
	if (counts_changers(verify) && atomic_fetch_sub(&verify->changers, 1) == 1)
		clear_lost_counts(verify);
}
