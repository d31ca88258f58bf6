/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/pci/guard.c core/util/error.c */
#define _GNU_SOURCE 1
#include "core/pci/guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/c/test.h"

#define SIZE 8192

static struct pyn_error err;
static _Atomic(bool) the_gone;
static int the_file = -1;

/* A mapping that the file no longer backs, as a device's is after it was pulled out. */
static volatile uint32_t *mapping(void)
{
	the_file = memfd_create("device", 0);
	CHECK_EQ(ftruncate(the_file, SIZE), 0);
	return mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, the_file, 0);
}

static void pull_out(void)
{
	CHECK_EQ(ftruncate(the_file, 0), 0);
	close(the_file);
}

TEST(after_the_mapping_went_away_it_reads_ones_and_takes_stores)
{
	volatile uint32_t *registers = mapping();

	the_gone = false;
	CHECK_EQ(pyn_guard_add((void *)registers, SIZE, &the_gone, &err), 0);
	registers[3] = 7;
	CHECK_EQ(registers[3], 7);
	CHECK(!the_gone);
	pull_out();
	registers[1] = 5;
	CHECK(the_gone);
	CHECK_EQ(registers[3], UINT32_MAX);
	CHECK_EQ(registers[SIZE / 4 - 1], UINT32_MAX);
	pyn_guard_remove((void *)registers);
	munmap((void *)registers, SIZE);
}

TEST(each_mapping_has_its_own_flag)
{
	_Atomic(bool) other = false;
	volatile uint32_t *first = mapping();
	int file = the_file;
	volatile uint32_t *second = mapping();

	the_gone = false;
	CHECK_EQ(pyn_guard_add((void *)first, SIZE, &other, &err), 0);
	CHECK_EQ(pyn_guard_add((void *)second, SIZE, &the_gone, &err), 0);
	pull_out();
	CHECK_EQ(second[0], UINT32_MAX);
	CHECK(the_gone && !other);
	CHECK_EQ(first[0], 0);
	pyn_guard_remove((void *)first);
	pyn_guard_remove((void *)second);
	munmap((void *)first, SIZE);
	munmap((void *)second, SIZE);
	close(file);
}

static void on_other(int signal)
{
	(void)signal;
	_exit(42);
}

static int status_of(void (*child)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		child();
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static void another_handler(void)
{
	volatile uint32_t *registers = mapping();

	signal(SIGBUS, on_other);
	pyn_guard_add((void *)registers, SIZE, &the_gone, &err);
	pyn_guard_remove((void *)registers);
	pull_out();
	registers[0] = 1;
}

static void no_handler(void)
{
	volatile uint32_t *registers = mapping();

	signal(SIGBUS, SIG_DFL);
	pyn_guard_add((void *)registers, SIZE, &the_gone, &err);
	pyn_guard_remove((void *)registers);
	pull_out();
	registers[0] = 1;
}

TEST(what_is_not_guarded_is_whose_it_was)
{
	int status = status_of(another_handler);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	status = status_of(no_handler);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

TEST(there_is_an_end_to_how_many)
{
	static char memory[200];
	int added = 0, rc = 0;

	while (added < 200 && !rc) {
		rc = pyn_guard_add(&memory[added], 1, &the_gone, &err);
		added += !rc;
	}
	CHECK(added > 32 && added < 200);
	CHECK_EQ(err.kind, PYN_ERROR_MEMORY);
	for (int i = 0; i < added; i++)
		pyn_guard_remove(&memory[i]);
	CHECK_EQ(pyn_guard_add(memory, 1, &the_gone, &err), 0);
	pyn_guard_remove(memory);
}
