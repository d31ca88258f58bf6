/* SPDX-License-Identifier: BSD-3-Clause */
/* The locks under which cells are changed: of other processes, living and dead. */
/* sources: core/io/verify*.c core/io/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/io/verify_table.h"
#include "tests/c/test.h"

#define LBA 512u
#define NLBA UINT64_C(1000)

static struct pyn_verify *the_table;
static struct pyn_error err;
static struct pyn_verify_counts the_counts;
static struct pyn_mismatch the_mismatch;
static uint8_t the_data[32 * LBA];

static void begin_test(void)
{
	pyn_token_start(&err);
	the_table = pyn_verify_create(7, NLBA, LBA, &err);
	the_counts = (struct pyn_verify_counts){0};
	memset(the_data, 0x5a, sizeof(the_data));
}

#define TABLE_TEST(name)                                                                                             \
	static void name##_body(void);                                                                               \
	TEST(name)                                                                                                   \
	{                                                                                                            \
		begin_test();                                                                                        \
		name##_body();                                                                                       \
		pyn_verify_put(the_table);                                                                           \
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

/* A process that holds the lock of LBA 8's group, lets it go after some time or dies with it. */
static pid_t fork_holder(bool dies)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		return -1;
	pid_t pid = fork();

	if (pid == 0) {
		atomic_store(&the_table->locks[8 >> PYN_VERIFY_GROUP_SHIFT], (uint32_t)getpid());
		if (write(ready[1], "", 1) != 1 || dies)
			_exit(0);
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		atomic_store(&the_table->locks[8 >> PYN_VERIFY_GROUP_SHIFT], 0);
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
	CHECK_EQ(the_table->locks[8 >> PYN_VERIFY_GROUP_SHIFT], 0);
	CHECK_EQ(judged_of(8, 8), 0);
	write_lbas(0, 24);
	CHECK_EQ(judged_of(0, 24), 23); /* the write to LBA 10 may have been counted by the dead one too */
	waitpid(pid, NULL, 0);
}

/* With a cell that cannot be written to a process stops where it has the lock. */
static void tell_whose_lock_it_is(int signal)
{
	(void)signal;
	_exit(the_table->locks[0] == (uint32_t)getpid() ? 0 : 1);
}

TABLE_TEST(the_locks_of_a_forked_process_are_its_own)
{
	int status = -1, pid = fork();

	if (pid == 0) {
		the_table = pyn_verify_create(7, NLBA, LBA, &err);
		signal(SIGSEGV, tell_whose_lock_it_is);
		mprotect((void *)the_table->cells, the_table->cells_size, PROT_READ);
		pyn_verify_change_begin(the_table, 0, 1, PYN_CELL_ZEROES);
		_exit(2);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
}
