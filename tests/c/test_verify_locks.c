/* SPDX-License-Identifier: BSD-3-Clause */
/* The locks under which cells are changed: of other processes, living and dead. */
/* sources: core/io/verify*.c core/io/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/io/verify_cells.h"
#include "tests/c/test.h"

#define LBA 512u
#define NLBA UINT64_C(1000)

static struct pyn_verify *the_table;
static struct pyn_error err;
static struct pyn_verify_counts the_counts;
static struct pyn_mismatch the_mismatch;
static uint8_t the_data[32 * LBA];

static void begin_test(bool flat)
{
	pyn_token_start(&err);
	the_table = pyn_verify_create_as(7, NLBA, LBA, flat, &err);
	the_counts = (struct pyn_verify_counts){0};
	memset(the_data, 0x5a, sizeof(the_data));
}

#define TABLE_TEST(name)                                                                                             \
	static void name##_body(void);                                                                               \
	TEST(name)                                                                                                   \
	{                                                                                                            \
		for (unsigned flat = 0; flat < 2; flat++) {                                                          \
			begin_test(flat);                                                                            \
			name##_body();                                                                               \
			pyn_verify_put(the_table);                                                                   \
		}                                                                                                    \
	}                                                                                                            \
	static void name##_body(void)

static void begin_write(uint64_t slba, uint32_t nlb)
{
	uint64_t token = pyn_token_take(nlb);

	pyn_verify_stamp(the_table, the_data, slba, nlb, token);
	pyn_verify_write_begin(the_table, slba, nlb, the_data, true, token);
}

static void write_lbas(uint64_t slba, uint32_t nlb)
{
	begin_write(slba, nlb);
	pyn_verify_write_end(the_table, slba, nlb, PYN_WRITE_DONE);
}

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
	uint64_t snapshot[32], before = the_counts.judged;

	pyn_verify_read_begin(the_table, slba, nlb, snapshot);
	CHECK(pyn_verify_read_end(the_table, slba, nlb, the_data, snapshot, &the_counts, &the_mismatch));
	return the_counts.judged - before;
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

/* With a cell that cannot be written to a process stops where it has the lock. */
static void tell_whose_lock_it_is(int signal)
{
	(void)signal;
	_exit(atomic_load(lock_of_block_0()) == (uint64_t)getpid() ? 0 : 1);
}

TABLE_TEST(the_locks_of_a_forked_process_are_its_own)
{
	bool flat = the_table->cells;
	int status = -1, pid = fork();

	if (pid == 0) {
		the_table = pyn_verify_create_as(7, NLBA, LBA, flat, &err);
		signal(SIGSEGV, tell_whose_lock_it_is);
		if (flat)
			mprotect((void *)the_table->cells, the_table->cells_size, PROT_READ);
		else
			mprotect((void *)the_table->nodes.arena, the_table->nodes.arena_size, PROT_READ);
		pyn_verify_change_begin(the_table, 0, 1, PYN_CELL_ZEROES);
		_exit(2);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
}

/* -- the nodes of a large namespace -------------------------------------------------------------------------------
 */

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
