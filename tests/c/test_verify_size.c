/* SPDX-License-Identifier: BSD-3-Clause */
/* What the table of a large drive costs: a drive of 16 TB with LBAs of 512 bytes, of which 1 GB is touched. */
/* sources: core/io/verify*.c core/io/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <signal.h>
#include <sys/wait.h>

#include "core/io/verify_table.h"
#include "core/util/clock.h"
#include "tests/c/test.h"

#define LBA 512u
#define NLBA ((UINT64_C(16) << 40) / LBA)
#define TOUCHED ((UINT64_C(1) << 30) / LBA)
#define AT_ONCE 2048u
#define MS UINT64_C(1000000)

/* 8 bytes an LBA. */
#define TABLE_KIB (TOUCHED * 8 / 1024)
#define SLACK_KIB UINT64_C(1536)

static struct pyn_verify *the_table;
static struct pyn_error err;

/* Shared memory that is this process's own part: a page that two processes have counts as half a page in each. */
static uint64_t shared_kib(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	unsigned long long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Pss_Shmem: %llu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static void touch_1_gb(void)
{
	for (uint64_t lba = 0; lba < TOUCHED; lba += AT_ONCE) {
		uint64_t slba = NLBA / 2 + lba;

		pyn_verify_change_begin(the_table, slba, AT_ONCE, PYN_CELL_ZEROES);
		pyn_verify_write_end(the_table, slba, AT_ONCE, PYN_WRITE_DONE);
	}
}

static void read_1_gb(void)
{
	static uint64_t cells[AT_ONCE];

	for (uint64_t lba = 0; lba < TOUCHED; lba += AT_ONCE)
		pyn_verify_read_begin(the_table, NLBA / 2 + lba, AT_ONCE, cells);
}

static uint64_t took_ms(uint64_t started)
{
	return (pyn_monotonic_ns() - started) / MS;
}

static bool opens(void)
{
	pyn_token_start(&err);
	the_table = pyn_verify_create(1, NLBA, LBA, &err);
	return CHECK(the_table);
}

TEST(it_is_opened_in_a_tenth_of_a_second)
{
	uint64_t started = pyn_monotonic_ns(), before = shared_kib();

	if (!opens())
		return;
	CHECK_TIME(took_ms(started) < 100);
	CHECK(shared_kib() - before <= 64);
	pyn_verify_put(the_table);
}

TEST(it_takes_8_bytes_for_each_lba_that_is_touched_and_gives_them_back)
{
	uint64_t before = shared_kib();

	if (!opens())
		return;
	touch_1_gb();
	uint64_t first = shared_kib() - before;

	touch_1_gb();
	CHECK(first >= TABLE_KIB);
	CHECK(first <= TABLE_KIB + SLACK_KIB);
	CHECK_EQ(shared_kib() - before, first);
	pyn_verify_put(the_table);
	CHECK(shared_kib() <= before + 64);
}

TEST(reads_of_what_was_never_written_take_none)
{
	const uint32_t reads = 100000, step = NLBA / reads;
	uint64_t before = shared_kib();
	static uint8_t data[8 * LBA];
	struct pyn_verify_counts counts = {0};
	struct pyn_mismatch mismatch;
	uint64_t cells[8];

	if (!opens())
		return;
	for (uint64_t lba = 0; lba < (uint64_t)reads * step; lba += step) {
		pyn_verify_snapshot(the_table, lba, 8, cells);
		CHECK(!pyn_verify_read_is_right(the_table, lba, 8, data, cells, &counts));
		CHECK(pyn_verify_read_end(the_table, lba, 8, data, cells, &counts, &mismatch));
	}
	CHECK_EQ(counts.unverified, reads * 8);
	/* A byte for each 65536 LBAs. */
	CHECK(shared_kib() - before <= (NLBA >> PYN_VERIFY_CHUNK_SHIFT) / 1024 + 64);
	pyn_verify_put(the_table);
}

TEST(a_forked_worker_takes_no_memory_of_its_own)
{
	uint64_t before, together = 0;
	int ends[2], status;

	before = shared_kib();
	if (!opens() || !CHECK_EQ(pipe(ends), 0))
		return;
	touch_1_gb();
	pid_t pid = fork();

	if (pid == 0) {
		uint64_t kib;

		read_1_gb();
		touch_1_gb();
		kib = shared_kib();
		_exit(write(ends[1], &kib, sizeof(kib)) == sizeof(kib) ? pause() : 1);
	}
	/* While both have it. */
	CHECK_EQ(read(ends[0], &together, sizeof(together)), (ssize_t)sizeof(together));
	together += shared_kib();
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	CHECK(together - before <= TABLE_KIB + SLACK_KIB);
	close(ends[0]);
	close(ends[1]);
	pyn_verify_put(the_table);
}

/* 256 GiB of cells, of which 16 MiB say something: what goes over all of them goes over these. */
TEST(what_concerns_the_whole_drive_goes_over_what_is_touched)
{
	uint64_t started, before;

	if (!opens())
		return;
	touch_1_gb();
	before = shared_kib();
	started = pyn_monotonic_ns();
	pyn_verify_power_lost(the_table);
	printf("    power lost: %llu ms\n", (unsigned long long)took_ms(started));
	CHECK_TIME(took_ms(started) < 1000);

	touch_1_gb();
	started = pyn_monotonic_ns();
	/* As many flushes as it takes until one of them sweeps, each after a write. */
	for (unsigned i = 0; i < 5000; i++) {
		pyn_verify_change_begin(the_table, 0, 1, PYN_CELL_ZEROES);
		pyn_verify_write_end(the_table, 0, 1, PYN_WRITE_DONE);
		pyn_verify_flush_end(the_table, pyn_verify_flush_begin(the_table));
	}
	printf("    flushes with a sweep: %llu ms\n", (unsigned long long)took_ms(started));
	CHECK_TIME(took_ms(started) < 1000);

	started = pyn_monotonic_ns();
	pyn_verify_forget(the_table, 0, UINT64_MAX);
	printf("    forgotten: %llu ms\n", (unsigned long long)took_ms(started));
	CHECK_TIME(took_ms(started) < 1000);
	CHECK(shared_kib() <= before + SLACK_KIB);
	pyn_verify_put(the_table);
}
