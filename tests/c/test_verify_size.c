/* SPDX-License-Identifier: BSD-3-Clause */
/* What the table of a large drive costs: a drive of 16 TB with LBAs of 512 bytes, of which 1 GB is touched, or LBAs
 * at random. */
/* sources: core/verify/verify*.c core/verify/keys.c core/util/crc32c.c core/env/*.c core/util/*.c */
/* dpdk */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/random.h"
#include "core/verify/verify_table.h"
#include "core/util/clock.h"
#include "tests/c/test.h"

#define LBA 512u
#define NLBA ((UINT64_C(16) << 40) / LBA)
#define TOUCHED ((UINT64_C(1) << 30) / LBA)
#define AT_ONCE 2048u
#define MS UINT64_C(1000000)

/* 8 bytes an LBA, and a sixteenth more for what it takes to find them. */
#define TABLE_KIB (TOUCHED * 8 / 1024)
#define SLACK_KIB (TABLE_KIB / 8)
#define MOST_AT_RANDOM 64  /* bytes an LBA */
#define TABLE_LEAST_KIB 96 /* its locks, heads of chains and bytes of chunks, whatever is stored */

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

/* Whether the cells of what touch_1_gb touches all have this state, and say no more. */
static bool all_are(enum pyn_cell_state state)
{
	static uint64_t cells[AT_ONCE];

	for (uint64_t lba = 0; lba < TOUCHED; lba += AT_ONCE) {
		pyn_verify_read_begin(the_table, NLBA / 2 + lba, AT_ONCE, cells);
		for (uint32_t i = 0; i < AT_ONCE; i++)
			if (cells[i] != pyn_cell_make(state, 0, 0))
				return false;
	}
	return true;
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

TEST(a_region_that_is_written_in_a_row_takes_less_than_9_bytes_an_lba)
{
	const uint32_t sizes[] = {8, 3, 64};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t before = shared_kib();

		if (!opens())
			return;
		for (uint64_t lba = 0; lba < TOUCHED; lba += sizes[i]) {
			pyn_verify_change_begin(the_table, NLBA / 2 + lba, sizes[i], PYN_CELL_ZEROES);
			pyn_verify_write_end(the_table, NLBA / 2 + lba, sizes[i], PYN_WRITE_DONE);
		}
		CHECK((shared_kib() - before) * 1024 < TOUCHED * 9);
		/* All but the first page never had nodes. */
		CHECK(atomic_load(&the_table->nodes.shared->used) < PYN_STRIPES);
		pyn_verify_put(the_table);
	}
}

/* Written backwards, each page begins with nodes: these are used again for the next one. */
TEST(also_when_it_is_written_backwards)
{
	uint64_t before = shared_kib();

	if (!opens())
		return;
	for (uint64_t lba = TOUCHED; lba; lba -= 8) {
		pyn_verify_change_begin(the_table, NLBA / 2 + lba - 8, 8, PYN_CELL_ZEROES);
		pyn_verify_write_end(the_table, NLBA / 2 + lba - 8, 8, PYN_WRITE_DONE);
	}
	printf("    %.2f bytes an LBA\n", (double)((shared_kib() - before) * 1024) / (double)TOUCHED);
	CHECK((shared_kib() - before) * 1024 < TOUCHED * 9);
	pyn_verify_put(the_table);
}

/* Of the address space there is just enough for the nodes. */
static void write_without_space(void)
{
	const uint64_t nodes = (UINT64_C(256) << 30) + (UINT64_C(77) << 30);
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	struct rlimit limit;

	CHECK(file && fscanf(file, "%llu", &pages) == 1);
	limit.rlim_cur = limit.rlim_max = pages * (uint64_t)getpagesize() + nodes + (UINT64_C(1) << 30);
	CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
	if (!opens())
		return;
	CHECK(!the_table->dense.cells);
	touch_1_gb();
	read_1_gb();
	CHECK(atomic_load(&the_table->nodes.shared->live) >= TOUCHED / PYN_BLOCK);
	pyn_verify_power_lost(the_table);
	CHECK(all_are(PYN_CELL_UNKNOWN));
	pyn_verify_put(the_table);
}

TEST(without_address_space_for_cells_there_are_nodes_alone)
{
	int status = -1, pid = fork();

	if (pid == 0) {
		write_without_space();
		_exit(the_tests.failures ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
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
	CHECK(shared_kib() - before <= 64);
	pyn_verify_put(the_table);
}

/* ---- at random ---- */

static struct pyn_random the_random;

/* Writes of nlb LBAs somewhere. */
static void write_at_random(uint32_t count, uint32_t nlb, uint64_t align, uint64_t offset, uint64_t below)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t slba = pyn_random_below(&the_random, (below - nlb - offset) / align) * align + offset;

		pyn_verify_change_begin(the_table, slba, nlb, PYN_CELL_ZEROES);
		pyn_verify_write_end(the_table, slba, nlb, PYN_WRITE_DONE);
	}
}

TEST(an_lba_that_is_written_at_random_takes_no_more_than_64_bytes)
{
	const struct {
		uint32_t count, nlb;
		uint64_t align, offset;
	} writes[] = {
		{10000, 1, 1, 0},
		{50000, 1, 8, 0},
		{10000, 8, 8, 0},
		{10000, 8, 1, 0},
		{50000, 3, 1, 0},
		{10000, 32, 32, 0},
		{5000, 32, 1, 0},
		{5000, 64, 1, 0},
		{500, 256, 256, 0},
		{500, 256, 1, 0},
		{500, 288, 1, 0},
		{2000, 512, 1, 0},
		/* What takes most: the last half of a page, and an LBA of the next one. */
		{500, 257, 512, 256},
	};

	for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		uint64_t before = shared_kib();
		uint64_t lbas = (uint64_t)writes[i].count * writes[i].nlb;

		if (!opens())
			return;
		write_at_random(writes[i].count, writes[i].nlb, writes[i].align, writes[i].offset, NLBA);
		uint64_t bytes = (shared_kib() - before) * 1024;

		printf("    %u × %u LBAs: %.1f bytes an LBA\n", writes[i].count, writes[i].nlb,
		       (double)bytes / (double)lbas);
		CHECK(bytes <= lbas * MOST_AT_RANDOM);
		CHECK(bytes >= lbas * 8);
		pyn_verify_put(the_table);
	}
}

/* However much of a region is written, and in whatever pieces, that holds for what has been written by then. */
TEST(so_does_a_region_of_a_large_drive_that_fills_at_random)
{
	enum { REGION = 1 << 20 };
	static bool written[REGION];
	uint64_t before = shared_kib(), lbas = 0;

	if (!opens())
		return;
	memset(written, 0, sizeof(written));
	for (uint32_t i = 0; i < 4 * REGION; i++) {
		uint64_t lba = pyn_random_below(&the_random, REGION);

		pyn_verify_change_begin(the_table, NLBA / 2 + lba, 1, PYN_CELL_ZEROES);
		pyn_verify_write_end(the_table, NLBA / 2 + lba, 1, PYN_WRITE_DONE);
		lbas += !written[lba];
		written[lba] = true;
		if (i % (REGION / 16) == REGION / 16 - 1)
			CHECK((shared_kib() - before) * 1024 <= lbas * MOST_AT_RANDOM);
	}
	printf("    in the end %.1f bytes an LBA\n", (double)(shared_kib() - before) * 1024 / (double)lbas);
	CHECK((shared_kib() - before) * 1024 <= lbas * 24);
	pyn_verify_put(the_table);
}

TEST(what_concerns_the_whole_drive_takes_no_memory_after_random_writes)
{
	if (!opens())
		return;
	write_at_random(10000, 8, 8, 0, NLBA);
	uint64_t before = shared_kib(), started = pyn_monotonic_ns();

	for (unsigned i = 0; i < 5000; i++) {
		write_at_random(1, 8, 8, 0, 64);
		pyn_verify_flush_end(the_table, pyn_verify_flush_begin(the_table));
	}
	pyn_verify_power_lost(the_table);
	pyn_verify_forget(the_table, 0, UINT64_MAX);
	CHECK(shared_kib() <= before + 8);
	CHECK(took_ms(started) < 1000);
	pyn_verify_put(the_table);
}

TEST(beyond_the_limit_nothing_is_stored)
{
	uint64_t before = shared_kib();

	if (!opens())
		return;
	pyn_verify_set_limit(the_table, 1000);
	for (uint32_t i = 0; i < 50000; i++) {
		uint64_t slba = 996 + pyn_random_below(&the_random, NLBA - 2000);
		uint64_t noted = pyn_verify_note_begin(the_table, slba, 8);

		CHECK_EQ(noted, slba < 1000 ? 1000 - slba : 0);
		pyn_verify_change_begin(the_table, slba, noted, PYN_CELL_ZEROES);
		pyn_verify_write_end(the_table, slba, noted, PYN_WRITE_DONE);
		pyn_verify_note_end(the_table, slba, 8, noted);
	}
	CHECK(shared_kib() <= before + TABLE_LEAST_KIB);
	pyn_verify_put(the_table);
}

TEST(several_drives_of_64_tb_are_open_at_a_time)
{
	struct pyn_verify *tables[32];

	for (unsigned i = 0; i < 32; i++) {
		tables[i] = pyn_verify_create(1, (UINT64_C(64) << 40) / LBA, LBA, &err);
		CHECK(tables[i]);
	}
	for (unsigned i = 0; i < 32; i++)
		pyn_verify_put(tables[i]);
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
	CHECK(all_are(PYN_CELL_UNKNOWN));

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
	CHECK(all_are(PYN_CELL_NEVER));
	CHECK(shared_kib() <= before + SLACK_KIB);
	pyn_verify_put(the_table);
}
