/* SPDX-License-Identifier: BSD-3-Clause */
/* The locks under which cells are changed: of other processes, living and dead. */
/* sources: core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/verify/verify_cells.h"

#define LBA 512u
#define NLBA UINT64_C(1000)
#include "tests/c/table_test.h"

static _Atomic uint64_t *lock_of_block_0(void)
{
	return &pyn_stripe_of(the_table, 0)->lock;
}

/* A process that holds the lock of LBA 8's block, lets it go after some time or dies with it. */
static pid_t fork_holder(bool dies)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		return -1;
	pid_t pid = fork();

	if (pid == 0) {
		atomic_store(lock_of_block_0(), (uint64_t)getpid());
		if (write(ready[1], "", 1) != 1 || dies)
			_exit(0);
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		atomic_store(lock_of_block_0(), 0);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static uint64_t judged_of(uint64_t slba, uint32_t nlb)
{
	uint64_t snapshot[32], before = the_counts.checked;

	pyn_verify_read_begin(the_table, slba, nlb, snapshot);
	CHECK(pyn_verify_read_end(the_table, slba, nlb, the_data, snapshot, &the_counts, &the_mismatch));
	return the_counts.checked - before;
}

TABLE_TEST(a_lock_that_another_process_holds_is_waited_for)
{
	struct timespec before, after;

	write_lbas(8, 8);
	clock_gettime(CLOCK_MONOTONIC, &before);
	pid_t pid = fork_holder(false);

	write_lbas(8, 8);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec >= 50000000);
	CHECK_EQ(judged_of(8, 8), 8);
	waitpid(pid, NULL, 0);
}

TABLE_TEST(the_lock_of_a_process_that_has_died_is_taken_over_and_its_lbas_are_unknown)
{
	write_lbas(0, 24);
	begin_write(10, 1);
	pid_t pid = fork_holder(true);

	/* It was not reaped yet. */
	pyn_verify_write_end(the_table, 10, 1, PYN_WRITE_DONE);
	CHECK_EQ(atomic_load(lock_of_block_0()), 0);
	CHECK_EQ(judged_of(8, 8), 0);
	write_lbas(0, 24);
	CHECK_EQ(judged_of(0, 24), 23); /* the write to LBA 10 may have been counted by the dead one too */
	waitpid(pid, NULL, 0);
}

/* A process died in the begin of a write of LBAs 8 … 15, when it had begun the first four. */
static void die_in_a_begin(void)
{
	pyn_verify_changer_begin(the_table);
	begin_write(8, 4);
	pyn_verify_write_lost(the_table, 8, 8);
}

TABLE_TEST(lbas_of_a_process_that_died_in_a_begin_are_judged_again_once_nothing_is_in_flight)
{
	write_lbas(0, 24);
	die_in_a_begin();
	write_lbas(0, 24);
	CHECK_EQ(judged_of(0, 24), 20);
	pyn_verify_changer_end(the_table);
	CHECK_EQ(judged_of(0, 24), 20); /* nobody knows what they hold */
	write_lbas(0, 24);
	CHECK_EQ(judged_of(0, 24), 24);
	CHECK_EQ(the_mismatch.count, 0);
}

TABLE_TEST(what_another_one_has_in_flight_stays_counted_when_a_process_has_died)
{
	write_lbas(0, 24);
	pyn_verify_changer_begin(the_table);
	begin_write(6, 4); /* over LBAs that the dead one began, and others */
	die_in_a_begin();
	pyn_verify_changer_end(the_table);
	pyn_verify_changer_begin(the_table);
	pyn_verify_changer_end(the_table);
	write_lbas(0, 24);
	/* In flight: 6 to 9. Of 8 to 11 nobody knows how many writes they count. */
	CHECK_EQ(judged_of(0, 24), 18);
	pyn_verify_write_end(the_table, 6, 4, PYN_WRITE_DONE);
	write_lbas(0, 24);
	CHECK_EQ(judged_of(0, 24), 20);
	pyn_verify_changer_end(the_table);
	write_lbas(0, 24);
	CHECK_EQ(judged_of(0, 24), 24);
}

TABLE_TEST(counts_that_were_lost_when_there_was_no_changer_are_cleared_before_the_next_one)
{
	begin_write(8, 4);
	pyn_verify_write_lost(the_table, 8, 4);
	pyn_verify_changer_begin(the_table);
	write_lbas(0, 24);
	CHECK_EQ(judged_of(0, 24), 24);
	pyn_verify_changer_end(the_table);
	CHECK_EQ(judged_of(0, 24), 24);
}

/* The child's copy knows nothing of what its parent has in flight. */
TABLE_TEST(the_end_of_a_changer_in_a_fork_clears_nothing)
{
	int status = -1;

	die_in_a_begin();
	pid_t pid = fork();

	if (pid == 0) {
		pyn_verify_changer_end(the_table);
		_exit(atomic_load(&the_table->shared->lost) == 1 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
	pyn_verify_changer_end(the_table);
	CHECK_EQ(atomic_load(&the_table->shared->lost), 0);
}

/* With a cell that cannot be written to a process stops where it has the lock. */
static void tell_whose_lock_it_is(int signal)
{
	(void)signal;
	_exit(atomic_load(lock_of_block_0()) == (uint64_t)getpid() ? 0 : 1);
}

TABLE_TEST(the_locks_of_a_forked_process_are_its_own)
{
	enum form form = the_form;
	int status = -1, pid = fork();

	if (pid == 0) {
		the_table = new_table(7, NLBA, LBA, form);
		signal(SIGSEGV, tell_whose_lock_it_is);
		if (form == FLAT)
			mprotect((void *)the_table->cells, the_table->cells_size, PROT_READ);
		else if (form == MOVED)
			mprotect((void *)the_table->dense.cells, the_table->dense.cells_size, PROT_READ);
		else
			mprotect((void *)the_table->nodes.arena, the_table->nodes.arena_size, PROT_READ);
		pyn_verify_change_begin(the_table, 0, 1, PYN_CELL_ZEROES);
		_exit(2);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
}

/* ---- the nodes of a large namespace ---- */

/* LBAs far from each other, so that each has a node, until a bucket has been split. Returns how many. */
static uint32_t write_until_split(void)
{
	uint32_t count = 0;
	uint64_t before = atomic_load(&the_table->nodes.shared->buckets);

	while (atomic_load(&the_table->nodes.shared->buckets) == before)
		write_lbas(count++ * UINT64_C(1000), 1);
	return count;
}

static void read_all(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t cell;

		pyn_verify_read_begin(the_table, i * UINT64_C(1000), 1, &cell);
		CHECK(cell);
	}
}

/* A process is killed before it splits a bucket, or when it has done so, with the lock. */
static void die_in_a_split(bool split)
{
	uint64_t target = atomic_load(&the_table->nodes.shared->buckets);
	uint64_t word = (PYN_LOCK_SPLIT | target) << PYN_LOCK_PID_BITS;
	struct pyn_stripe *stripe = &the_table->stripes[pyn_nodes_stripe(target)];
	pid_t pid = fork();

	if (pid == 0) {
		atomic_store(&stripe->lock, word | (uint64_t)getpid());
		if (split)
			pyn_nodes_split(&the_table->nodes, target);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

TEST(a_split_in_which_a_process_has_died_is_finished_by_the_next_one)
{
	for (unsigned split = 0; split < 2; split++) {
		pyn_token_start(&err);
		the_table = pyn_verify_create_as(7, UINT64_C(1) << 34, LBA, false, &err);
		uint32_t count = write_until_split();

		for (unsigned i = 0; i < 300; i++) {
			uint64_t target = atomic_load(&the_table->nodes.shared->buckets);
			struct pyn_stripe *stripe = &the_table->stripes[pyn_nodes_stripe(target)];

			die_in_a_split(split);
			pyn_stripe_lock(the_table, stripe, PYN_LOCK_SWEEP);
			CHECK_EQ(atomic_load(&the_table->nodes.shared->buckets), target + 1);
			pyn_stripe_unlock(stripe);
			read_all(count);
		}
		pyn_verify_put(the_table);
	}
}

/* ---- blocks that move ---- */

static void read_cells(uint64_t slba, uint64_t *cells)
{
	pyn_verify_read_begin(the_table, slba, PYN_BLOCK, cells);
}

/* 8 blocks of the first page, in a row. */
static void write_a_run(void)
{
	for (unsigned block = 8; block < PYN_PAGE_BLOCKS; block++)
		write_lbas((uint64_t)block << PYN_BLOCK_SHIFT, PYN_BLOCK);
}

static uint64_t live_nodes(void)
{
	return atomic_load(&the_table->nodes.shared->live);
}

TEST(a_page_moves_when_half_of_it_is_written_in_a_row_and_its_nodes_are_used_again)
{
	uint64_t before[PYN_BLOCK], after[PYN_BLOCK], used;

	begin_test(NODES);
	write_lbas(4, 4);
	read_cells(0, before);
	write_lbas(9 << PYN_BLOCK_SHIFT, 2 * PYN_BLOCK);
	write_lbas(12 << PYN_BLOCK_SHIFT, 4 * PYN_BLOCK);
	CHECK_EQ(pyn_dense_moved(&the_table->dense, 0), 0);
	used = atomic_load(&the_table->nodes.shared->used);
	write_a_run();
	CHECK_EQ(pyn_dense_moved(&the_table->dense, 0), 0xffff);
	CHECK_EQ(live_nodes(), 0);
	read_cells(0, after);
	CHECK(memcmp(before, after, sizeof(before)) == 0);
	/* 8 and 11 were new. */
	CHECK(atomic_load(&the_table->nodes.shared->used) <= used + 2 * (PYN_BLOCK + 1));
	/* What follows moves at once. */
	write_lbas(PYN_PAGE_BLOCKS << PYN_BLOCK_SHIFT, 1);
	CHECK_EQ(live_nodes(), 0);
	CHECK_EQ(judged_of(PYN_PAGE_BLOCKS << PYN_BLOCK_SHIFT, 1), 1);
	pyn_verify_put(the_table);
}

TEST(a_page_after_one_with_a_hole_does_not_move_before_half_of_it_is_written)
{
	begin_test(NODES);
	write_a_run();
	pyn_verify_forget(the_table, 300, 1);
	write_lbas(PYN_PAGE_BLOCKS << PYN_BLOCK_SHIFT, PYN_BLOCK);
	CHECK_EQ(pyn_dense_moved(&the_table->dense, 1), 0);
	CHECK_EQ(live_nodes(), 1);
	pyn_verify_put(the_table);
}

/* A process was killed when it had copied a block, and had not said so: nodes say what is known. */
TEST(what_a_killed_process_has_copied_says_nothing)
{
	uint64_t before[PYN_BLOCK], after[PYN_BLOCK];

	begin_test(NODES);
	write_lbas(4, 4);
	read_cells(0, before);
	memset((void *)the_table->dense.cells, 0xa5, PYN_BLOCK * sizeof(uint64_t));
	read_cells(0, after);
	CHECK(memcmp(before, after, sizeof(before)) == 0);
	write_a_run();
	CHECK(pyn_dense_has(&the_table->dense, 0));
	read_cells(0, after);
	CHECK(memcmp(before, after, sizeof(before)) == 0);
	pyn_verify_put(the_table);
}

/* A process was killed when it had said so, and had not freed the nodes: these are never looked at again. */
TEST(nodes_that_a_killed_process_has_left_say_nothing)
{
	uint64_t before[PYN_BLOCK], after[PYN_BLOCK];

	begin_test(NODES);
	write_lbas(0, PYN_BLOCK);
	read_cells(0, before);
	memcpy((void *)the_table->dense.cells, before, sizeof(before));
	atomic_store(&the_table->dense.chunks[0], 1);
	atomic_store(&the_table->dense.moved[0], 1);
	CHECK_EQ(live_nodes(), 1);
	CHECK_EQ(judged_of(0, PYN_BLOCK), PYN_BLOCK);
	write_lbas(8, 8);
	read_cells(0, after);
	CHECK(memcmp(before, after, 8 * sizeof(*before)) == 0);
	CHECK(memcmp(before + 8, after + 8, 8 * sizeof(*before)) != 0);
	pyn_verify_power_lost(the_table);
	CHECK_EQ(judged_of(0, PYN_BLOCK), 0);
	write_a_run();
	CHECK_EQ(judged_of(0, PYN_BLOCK), 0);
	write_lbas(0, PYN_BLOCK);
	CHECK_EQ(judged_of(0, PYN_BLOCK), PYN_BLOCK);
	pyn_verify_put(the_table);
}

/* A write that found no memory for its cells may be in flight: another one must not be noted there alone. */
TEST(nothing_moves_when_there_is_no_memory_for_nodes)
{
	const uint64_t next = PYN_PAGE_BLOCKS << PYN_BLOCK_SHIFT, last = next - PYN_BLOCK;

	begin_test(NODES);
	write_a_run();
	pyn_verify_forget(the_table, last, PYN_BLOCK);
	atomic_store(&the_table->nodes.shared->full, 1);
	begin_write(next, 8);
	write_lbas(last, PYN_BLOCK);
	CHECK_EQ(judged_of(last, PYN_BLOCK), PYN_BLOCK);
	write_lbas(next, 8);
	CHECK_EQ(pyn_dense_moved(&the_table->dense, 1), 0);
	CHECK_EQ(judged_of(next, 8), 0);
	pyn_verify_put(the_table);
}

/* What holds when a process moves block 0 and cannot go on: it has the lock, and the nodes are there. */
static bool is_moving(void)
{
	uint64_t lock = PYN_LOCK_SWEEP << PYN_LOCK_PID_BITS | (uint64_t)getpid();

	return atomic_load(lock_of_block_0()) == lock && !pyn_dense_has(&the_table->dense, 0) && live_nodes() == 1 &&
	       pyn_nodes_has(&the_table->nodes, 0);
}

static void tell_whether_it_is_moving(int signal)
{
	(void)signal;
	_exit(is_moving() ? 0 : 1);
}

static void tell_whether_all_is_copied(int signal)
{
	uint64_t cells[PYN_BLOCK];

	(void)signal;
	read_cells(0, cells);
	_exit(is_moving() && cells[4] && memcmp(cells, (void *)the_table->dense.cells, sizeof(cells)) == 0 ? 0 : 1);
}

/* Move the first page in a process that dies where it stores into memory that it may not write to. Returns what its
 * handler told. */
static int die_in_a_move(void *memory, size_t size, void (*handler)(int))
{
	int status = -1, pid = fork();

	if (pid == 0) {
		pyn_verify_forked();
		signal(SIGSEGV, handler);
		mprotect(memory, size, PROT_READ);
		pyn_dense_settle(the_table, 0, PYN_DENSE_PAGE);
		_exit(2);
	}
	waitpid(pid, &status, 0);
	return status;
}

TEST(a_block_is_copied_then_told_to_have_moved_then_freed_and_all_under_its_lock)
{
	uint64_t before[PYN_BLOCK], after[PYN_BLOCK];
	struct pyn_dense *dense;

	begin_test(NODES);
	dense = &the_table->dense;
	write_lbas(4, 4);
	read_cells(0, before);
	CHECK_EQ(die_in_a_move((void *)dense->cells, dense->cells_size, tell_whether_it_is_moving), 0);
	CHECK_EQ(die_in_a_move((void *)dense->moved, dense->moved_size, tell_whether_all_is_copied), 0);
	write_a_run();
	CHECK(pyn_dense_has(dense, 0));
	CHECK_EQ(live_nodes(), 0);
	read_cells(0, after);
	CHECK(memcmp(before, after, sizeof(before)) == 0);
	pyn_verify_put(the_table);
}
