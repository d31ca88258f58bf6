/* SPDX-License-Identifier: BSD-3-Clause */
/* The medium of the virtual SSD: blocks, the volatile cache, marks, files. */
/* sources: vssd/store/store.c vssd/store/medium.c core/util/error.c */
#define _GNU_SOURCE 1
#include "tests/c/store.h"

#include <sys/wait.h>

static int open_errno(const char *file, uint64_t blocks, uint64_t cache)
{
	struct vssd_store_options options = {.blocks = blocks, .cache_blocks = cache, .file = file};
	struct vssd_store *store = NULL;
	int err = vssd_store_open(&options, &store, &the_error);

	if (!err)
		vssd_store_close(store);
	return err;
}

/* Fill these sectors of a block with a byte. */
static void write_sectors(struct vssd_store *store, uint64_t block, uint8_t sectors, uint8_t value)
{
	uint8_t *data = vssd_store_write(store, block, sectors);

	if (!CHECK(data))
		return;
	for (unsigned i = 0; i < 8; i++)
		if (sectors >> i & 1)
			memset(data + i * VSSD_SECTOR_SIZE, value, VSSD_SECTOR_SIZE);
}

static void write_block(struct vssd_store *store, uint64_t block, uint8_t value)
{
	uint8_t data[VSSD_BLOCK_SIZE];

	memset(data, value, sizeof(data));
	CHECK(vssd_store_put(store, block, data));
}

TEST(a_new_store_holds_zeros_and_nothing_is_written)
{
	struct vssd_store *store = open_store(NULL);

	for (uint64_t block = 0; block < BLOCKS; block++) {
		CHECK(holds(store, block, 0xff, 0));
		CHECK_EQ(vssd_store_written(store, block), 0);
		CHECK_EQ(vssd_store_bad(store, block), 0);
	}
	CHECK_EQ(vssd_store_used(store), 0);
	vssd_store_close(store);
}

TEST(reading_what_was_never_written_takes_no_memory)
{
	struct vssd_store_options options = {.blocks = UINT64_C(64) << 18, .cache_blocks = CACHE}; /* 64 GiB */
	struct vssd_store *store;
	uint64_t sum = 0;

	CHECK_EQ(vssd_store_open(&options, &store, &the_error), 0);
	for (uint64_t block = 0; block < options.blocks; block += 997)
		sum += vssd_store_data(store, block)[block % VSSD_BLOCK_SIZE];
	CHECK_EQ(sum, 0);
	CHECK_EQ(vssd_store_used(store), 0);
	vssd_store_close(store);
}

static long resident_kib(void)
{
	long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");

	if (CHECK(statm)) {
		CHECK_EQ(fscanf(statm, "%*d %ld", &pages), 1);
		fclose(statm);
	}
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Not a huge page for each entry of the maps. */
TEST(a_few_blocks_of_a_large_store_take_little_memory)
{
	struct vssd_store_options options = {.blocks = UINT64_C(1) << 28, .cache_blocks = CACHE};
	struct vssd_store *store;
	long before;

	if (!CHECK_EQ(vssd_store_open(&options, &store, &the_error), 0))
		return;
	before = resident_kib();
	for (uint64_t i = 0; i < 100; i++)
		write_block(store, i * (options.blocks / 100), 1);
	vssd_store_flush(store);
	CHECK(resident_kib() - before < 32 << 10);
	vssd_store_close(store);
}

TEST(a_part_of_a_block_keeps_the_rest)
{
	struct vssd_store *store = open_store(NULL);

	write_block(store, 3, 0x11);
	write_sectors(store, 3, 0x0c, 0x22);
	vssd_store_flush(store);
	write_sectors(store, 3, 0x80, 0x33);
	CHECK(holds(store, 3, 0x0c, 0x22));
	CHECK(holds(store, 3, 0x80, 0x33));
	CHECK(holds(store, 3, 0x73, 0x11));
	vssd_store_close(store);
}

TEST(a_part_of_a_new_block_leaves_zeros_and_only_itself_written)
{
	struct vssd_store *store = open_store(NULL);

	/* The pool block was somebody else's before. */
	write_block(store, 0, 0xee);
	vssd_store_flush(store);
	vssd_store_zero(store, 0, 0xff, true);
	vssd_store_flush(store);
	write_sectors(store, 1, 0x10, 0x44);
	CHECK(holds(store, 1, 0x10, 0x44));
	CHECK(holds(store, 1, 0xef, 0));
	CHECK_EQ(vssd_store_written(store, 1), 0x10);
	vssd_store_close(store);
}

/* Into a new pool block, in place, and from an address that is no multiple of anything. */
TEST(a_whole_block_arrives_byte_by_byte)
{
	static uint8_t source[VSSD_BLOCK_SIZE + 64];
	struct vssd_store *store = open_store(NULL);

	for (unsigned i = 0; i < 128; i++) {
		const uint8_t *data = source + i % 64;

		for (unsigned j = 0; j < sizeof(source); j++)
			source[j] = (uint8_t)(j * 31 + (j >> 8) * 7 + i);
		write_sectors(store, i % 32 / 2, 0x10, 0x77);
		CHECK(vssd_store_put(store, i % 32 / 2, data));
		CHECK_EQ(memcmp(vssd_store_data(store, i % 32 / 2), data, VSSD_BLOCK_SIZE), 0);
		CHECK_EQ(vssd_store_written(store, i % 32 / 2), 0xff);
		if (i % 5 == 0)
			vssd_store_flush(store);
	}
	vssd_store_close(store);
}

/* Marks of the data that a pool block held before are nobody's. */
TEST(a_pool_block_that_is_used_again_brings_no_marks_along)
{
	struct vssd_store *store = open_store(NULL);

	for (unsigned i = 0; i < 4 * CACHE; i++) {
		CHECK_EQ(vssd_store_poison(store, i % 8, 0xff), 0);
		vssd_store_flush(store);
		write_block(store, i % 8, (uint8_t)i);
		CHECK_EQ(vssd_store_bad(store, i % 8), 0);
		write_sectors(store, 8 + i % 8, 1, (uint8_t)i);
		CHECK_EQ(vssd_store_bad(store, 8 + i % 8), 0);
		vssd_store_flush(store);
		CHECK_EQ(vssd_store_zero(store, 8 + i % 8, VSSD_ALL_SECTORS, true), 0);
	}
	vssd_store_close(store);
}

TEST(power_loss_takes_back_what_was_not_flushed)
{
	struct vssd_store *store = open_store(NULL);

	write_block(store, 1, 0x11);
	write_block(store, 2, 0x22);
	vssd_store_flush(store);
	CHECK_EQ(vssd_store_dirty(store), 0);
	write_block(store, 1, 0x33);
	write_sectors(store, 2, 0x01, 0x44);
	write_block(store, 3, 0x55);
	CHECK_EQ(vssd_store_dirty(store), 3);
	vssd_store_lose(store);
	CHECK(holds(store, 1, 0xff, 0x11));
	CHECK(holds(store, 2, 0xff, 0x22));
	CHECK(holds(store, 3, 0xff, 0));
	CHECK_EQ(vssd_store_written(store, 3), 0);
	CHECK_EQ(vssd_store_used(store), 2);
	vssd_store_close(store);
}

TEST(power_loss_takes_back_zeroes_deallocation_and_poison)
{
	struct vssd_store *store = open_store(NULL);

	for (uint64_t block = 0; block < 4; block++)
		write_block(store, block, 0x77);
	vssd_store_flush(store);
	vssd_store_zero(store, 0, 0xff, true);
	vssd_store_zero(store, 1, 0xff, false);
	vssd_store_zero(store, 2, 0x3c, true);
	vssd_store_poison(store, 3, 0x01);
	CHECK_EQ(vssd_store_bad(store, 3), 0x01);
	vssd_store_lose(store);
	for (uint64_t block = 0; block < 4; block++) {
		CHECK(holds(store, block, 0xff, 0x77));
		CHECK_EQ(vssd_store_written(store, block), 0xff);
		CHECK_EQ(vssd_store_bad(store, block), 0);
	}
	vssd_store_close(store);
}

TEST(a_block_that_is_written_again_in_the_cache_takes_no_more_room)
{
	struct vssd_store *store = open_store(NULL);

	for (unsigned i = 0; i < 1000; i++)
		write_block(store, 5, (uint8_t)i);
	CHECK_EQ(vssd_store_dirty(store), 1);
	CHECK_EQ(vssd_store_used(store), 1);
	vssd_store_close(store);
}

TEST(a_full_cache_makes_its_oldest_block_durable)
{
	struct vssd_store *store = open_store(NULL);

	for (uint64_t block = 0; block < CACHE + 4; block++)
		write_block(store, block, 0x10);
	CHECK_EQ(vssd_store_dirty(store), CACHE);
	vssd_store_lose(store);
	for (uint64_t block = 0; block < CACHE + 4; block++)
		CHECK(holds(store, block, 0xff, block < 4 ? 0x10 : 0));
	vssd_store_close(store);
}

TEST(a_commit_makes_these_blocks_durable_and_no_others)
{
	struct vssd_store *store = open_store(NULL);

	for (uint64_t block = 0; block < 6; block++)
		write_block(store, block, 0x20);
	vssd_store_commit(store, 2, 3);
	vssd_store_lose(store);
	for (uint64_t block = 0; block < 6; block++)
		CHECK(holds(store, block, 0xff, block >= 2 && block < 5 ? 0x20 : 0));
	write_block(store, 3, 0x21);
	vssd_store_lose(store);
	CHECK(holds(store, 3, 0xff, 0x20));
	vssd_store_close(store);
}

TEST(zeroes_are_written_and_deallocated_sectors_are_not)
{
	struct vssd_store *store = open_store(NULL);

	write_block(store, 0, 0x99);
	write_block(store, 1, 0x99);
	vssd_store_zero(store, 0, 0xff, false);
	vssd_store_zero(store, 1, 0x0f, true);
	CHECK(holds(store, 0, 0xff, 0));
	CHECK_EQ(vssd_store_written(store, 0), 0xff);
	CHECK(holds(store, 1, 0x0f, 0));
	CHECK(holds(store, 1, 0xf0, 0x99));
	CHECK_EQ(vssd_store_written(store, 1), 0xf0);
	/* What reads from the block of zeros must not be written into it. */
	write_sectors(store, 0, 0x01, 0x55);
	vssd_store_zero(store, 2, 0xff, false);
	CHECK(holds(store, 2, 0xff, 0));
	vssd_store_close(store);
}

TEST(poison_stays_until_the_sector_is_written_or_zeroed)
{
	struct vssd_store *store = open_store(NULL);

	write_block(store, 0, 0x66);
	CHECK_EQ(vssd_store_poison(store, 0, 0x0e), 0);
	CHECK_EQ(vssd_store_bad(store, 0), 0x0e);
	CHECK(holds(store, 0, 0xf1, 0x66));
	write_sectors(store, 0, 0x02, 0x67);
	CHECK_EQ(vssd_store_bad(store, 0), 0x0c);
	vssd_store_flush(store);
	vssd_store_zero(store, 0, 0x04, true);
	CHECK_EQ(vssd_store_bad(store, 0), 0x08);
	vssd_store_zero(store, 0, 0xff, true);
	CHECK_EQ(vssd_store_bad(store, 0), 0);
	CHECK_EQ(vssd_store_poison(store, 9, 0x80), 0);
	CHECK_EQ(vssd_store_bad(store, 9), 0x80);
	vssd_store_close(store);
}

TEST(poison_of_whole_blocks_takes_no_memory_and_is_kept_in_the_file)
{
	const char *path = new_file();
	struct vssd_store *store = open_store(path);

	write_block(store, 0, 0x66);
	vssd_store_flush(store);
	for (uint64_t block = 0; block < 8; block++)
		CHECK_EQ(vssd_store_poison(store, block, 0xff), 0);
	CHECK_EQ(vssd_store_used(store), 1);
	vssd_store_lose(store);
	CHECK_EQ(vssd_store_bad(store, 0), 0);
	CHECK(holds(store, 0, 0xff, 0x66));
	for (uint64_t block = 0; block < 8; block++)
		CHECK_EQ(vssd_store_poison(store, block, 0xff), 0);
	vssd_store_flush(store);
	CHECK_EQ(vssd_store_used(store), 0);
	vssd_store_close(store);
	store = open_store(path);
	for (uint64_t block = 0; block < 8; block++) {
		CHECK_EQ(vssd_store_bad(store, block), 0xff);
		CHECK_EQ(vssd_store_written(store, block), 0xff);
	}
	CHECK_EQ(vssd_store_next_bad(store, 0, 8), 0);
	/* Sectors that are written leave the others uncorrectable, also after a loss of power. */
	write_sectors(store, 1, 0x02, 0x67);
	CHECK_EQ(vssd_store_bad(store, 1), 0xfd);
	vssd_store_lose(store);
	CHECK_EQ(vssd_store_bad(store, 1), 0xff);
	vssd_store_zero(store, 2, 0xff, false);
	CHECK_EQ(vssd_store_bad(store, 2), 0);
	CHECK_EQ(vssd_store_bad(store, 3), 0xff);
	vssd_store_close(store);
	unlink(path);
}

TEST(an_erase_is_durable_at_once_and_gives_everything_back)
{
	struct vssd_store *store = open_store(NULL);

	for (uint64_t block = 0; block < 10; block++)
		write_block(store, block, 0x12);
	vssd_store_flush(store);
	for (uint64_t block = 5; block < 15; block++)
		write_block(store, block, 0x34);
	vssd_store_erase(store, 0, 12, VSSD_POOL_UNWRITTEN);
	vssd_store_lose(store);
	for (uint64_t block = 0; block < BLOCKS; block++)
		CHECK(holds(store, block, 0xff, 0));
	vssd_store_erase(store, 0, BLOCKS, VSSD_POOL_UNWRITTEN);
	CHECK_EQ(vssd_store_used(store), 0);
	for (uint64_t block = 0; block < BLOCKS; block++)
		write_sectors(store, block, 0x01, 0x56);
	for (uint64_t block = 0; block < BLOCKS; block++)
		CHECK(holds(store, block, 0xfe, 0));
	vssd_store_close(store);
}

/* Of blocks that share their data each must still be written, poked and lost by itself. */
TEST(an_erase_may_leave_a_pattern)
{
	struct vssd_store *store = open_store(NULL);
	const uint8_t byte = 0x77;

	write_block(store, 3, 0x12);
	vssd_store_pattern(store, 0xa5a5a5a5, 0);
	vssd_store_erase(store, 0, BLOCKS, VSSD_POOL_PATTERN);
	vssd_store_lose(store);
	for (uint64_t block = 0; block < BLOCKS; block++)
		CHECK(holds(store, block, 0xff, 0xa5));
	CHECK_EQ(vssd_store_written(store, 3), VSSD_ALL_SECTORS);
	CHECK_EQ(vssd_store_used(store), 0);
	vssd_store_erase(store, 0, 2, VSSD_POOL_INVERTED);
	write_sectors(store, 2, 0x01, 0x34);
	CHECK_EQ(vssd_store_poke(store, 3 * VSSD_BLOCK_SIZE, &byte, 1), 0);
	CHECK(holds(store, 1, 0xff, 0x5a));
	CHECK(holds(store, 2, 0x01, 0x34));
	CHECK(holds(store, 2, 0xfe, 0xa5));
	CHECK_EQ(vssd_store_data(store, 3)[0], 0x77);
	CHECK(holds(store, 3, 0xfe, 0xa5));
	CHECK(holds(store, 4, 0xff, 0xa5));
	vssd_store_lose(store);
	CHECK(holds(store, 2, 0xff, 0xa5));
	CHECK_EQ(vssd_store_data(store, 3)[0], 0x77);
	vssd_store_close(store);
}

TEST(a_poke_changes_data_and_nothing_else)
{
	struct vssd_store *store = open_store(NULL);
	uint8_t data[512];

	memset(data, 0xab, sizeof(data));
	CHECK_EQ(vssd_store_poke(store, 7 * 4096 + 512, data, sizeof(data)), 0);
	CHECK(holds(store, 7, 0x02, 0xab));
	CHECK(holds(store, 7, 0xfd, 0));
	CHECK_EQ(vssd_store_written(store, 7), 0);
	CHECK_EQ(vssd_store_dirty(store), 0);
	vssd_store_lose(store);
	CHECK(holds(store, 7, 0x02, 0xab));
	vssd_store_zero(store, 8, 0xff, false);
	CHECK_EQ(vssd_store_poke(store, 8 * 4096, data, sizeof(data)), 0);
	CHECK_EQ(vssd_store_written(store, 8), 0xff);
	vssd_store_poison(store, 9, 0xff);
	CHECK_EQ(vssd_store_poke(store, 9 * 4096, data, sizeof(data)), 0);
	CHECK_EQ(vssd_store_bad(store, 9), 0xff);
	CHECK(holds(store, 10, 0xff, 0));
	vssd_store_close(store);
}

TEST(the_pool_never_runs_out)
{
	struct vssd_store *store = open_store(NULL);
	unsigned seed = 1;

	for (unsigned turn = 0; turn < 100000; turn++) {
		uint64_t block = (unsigned)rand_r(&seed) % BLOCKS;

		switch (rand_r(&seed) % 8) {
		case 0:
			CHECK_EQ(vssd_store_zero(store, block, 0xff, turn & 1), 0);
			break;
		case 1:
			CHECK_EQ(vssd_store_poison(store, block, 0x11), 0);
			break;
		case 2:
			vssd_store_commit(store, block, 1);
			break;
		default:
			CHECK(vssd_store_write(store, block, (uint8_t)rand_r(&seed)));
		}
		if (turn % 1000 == 0)
			vssd_store_lose(store);
		if (turn % 1777 == 0)
			vssd_store_flush(store);
	}
	CHECK(vssd_store_used(store) <= BLOCKS + CACHE);
	vssd_store_flush(store);
	CHECK(vssd_store_used(store) <= BLOCKS);
	vssd_store_close(store);
}

/* A model that is two arrays: what the host sees, and what a power loss leaves behind. */
TEST(any_sequence_agrees_with_a_model)
{
	struct vssd_store *store = open_store(NULL);
	uint8_t current[BLOCKS] = {0}, durable[BLOCKS] = {0};
	unsigned seed = 2;

	for (unsigned turn = 0; turn < 20000; turn++) {
		uint64_t block = (unsigned)rand_r(&seed) % 12; /* fewer than the cache holds: nothing is pushed out */

		switch (rand_r(&seed) % 10) {
		case 0:
			vssd_store_flush(store);
			memcpy(durable, current, sizeof(durable));
			break;
		case 1:
			vssd_store_lose(store);
			memcpy(current, durable, sizeof(current));
			break;
		case 2:
			vssd_store_commit(store, block, 1);
			durable[block] = current[block];
			break;
		case 3:
			vssd_store_zero(store, block, 0xff, turn & 1);
			current[block] = 0;
			break;
		case 4:
			vssd_store_erase(store, block, 1, VSSD_POOL_UNWRITTEN);
			current[block] = durable[block] = 0;
			break;
		default:
			current[block] = (uint8_t)(turn | 1);
			write_block(store, block, current[block]);
		}
		for (uint64_t i = 0; i < 12; i++)
			if (!CHECK(holds(store, i, 0xff, current[i])))
				return;
	}
	vssd_store_close(store);
}

TEST(a_file_keeps_what_was_durable)
{
	const char *file = new_file();
	struct vssd_store *store = open_store(file);

	strcpy(vssd_store_system(store), "who I am");
	write_block(store, 0, 0x11);
	vssd_store_poison(store, 1, 0x42);
	vssd_store_zero(store, 2, 0xff, false);
	write_sectors(store, 4, 0x18, 0x44);
	vssd_store_flush(store);
	write_block(store, 0, 0x22);
	write_block(store, 3, 0x33);
	vssd_store_close(store);

	store = open_store(file);
	CHECK_STR(vssd_store_system(store), "who I am");
	CHECK(holds(store, 0, 0xff, 0x11));
	CHECK_EQ(vssd_store_bad(store, 1), 0x42);
	CHECK_EQ(vssd_store_written(store, 2), 0xff);
	CHECK(holds(store, 3, 0xff, 0));
	CHECK_EQ(vssd_store_written(store, 3), 0);
	CHECK(holds(store, 4, 0x18, 0x44));
	CHECK_EQ(vssd_store_written(store, 4), 0x18);
	CHECK_EQ(vssd_store_used(store), 3);
	write_block(store, 3, 0x34);
	CHECK(holds(store, 0, 0xff, 0x11));
	vssd_store_close(store);
	unlink(file);
}

TEST(killing_the_process_is_a_power_loss)
{
	const char *file = new_file();
	struct vssd_store *store;
	int status;
	pid_t child = fork();

	if (child == 0) {
		store = open_store(file);
		write_block(store, 0, 0x11);
		vssd_store_flush(store);
		write_block(store, 0, 0x22);
		write_block(store, 1, 0x33);
		vssd_store_commit(store, 1, 1);
		kill(getpid(), 9);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
	store = open_store(file);
	CHECK(holds(store, 0, 0xff, 0x11));
	CHECK(holds(store, 1, 0xff, 0x33));
	CHECK_EQ(vssd_store_used(store), 2);
	vssd_store_close(store);
	unlink(file);
}

TEST(a_file_is_sparse_and_shrinks_again)
{
	const char *file = new_file();
	struct vssd_store_options options = {.blocks = UINT64_C(1) << 18, .cache_blocks = CACHE, .file = file};
	struct vssd_store *store;
	struct stat empty, full, erased;

	CHECK_EQ(vssd_store_open(&options, &store, &the_error), 0);
	stat(file, &empty);
	CHECK(empty.st_blocks * 512 < 8 << 20);
	for (uint64_t block = 0; block < 8192; block++)
		write_block(store, block, 1);
	stat(file, &full);
	CHECK(full.st_blocks * 512 >= 32 << 20);
	vssd_store_erase(store, 0, options.blocks, VSSD_POOL_UNWRITTEN);
	stat(file, &erased);
	CHECK(erased.st_blocks * 512 < 8 << 20);
	write_block(store, 0, 2);
	CHECK(holds(store, 0, 0xff, 2));
	vssd_store_close(store);
	unlink(file);
}

TEST(a_file_in_use_is_refused)
{
	const char *file = new_file();
	struct vssd_store *store = open_store(file);

	CHECK_EQ(open_errno(file, BLOCKS, CACHE), -EBUSY);
	CHECK_HAS(the_error.text, "in use");
	vssd_store_close(store);
	CHECK_EQ(open_errno(file, BLOCKS, CACHE), 0);
	unlink(file);
}

TEST(a_file_of_another_size_is_refused_and_left_as_it_is)
{
	const char *file = new_file();
	struct vssd_store *store = open_store(file);

	write_block(store, 0, 0x5a);
	vssd_store_close(store);
	CHECK_EQ(open_errno(file, BLOCKS * 2, CACHE), -EINVAL);
	CHECK_HAS(the_error.text, "262144 bytes");
	store = open_store(file);
	vssd_store_close(store);
	unlink(file);
}

TEST(another_cache_size_is_no_other_drive)
{
	const char *file = new_file();
	struct vssd_store *store = open_store(file);

	write_block(store, 0, 0x5a);
	vssd_store_flush(store);
	vssd_store_close(store);
	CHECK_EQ(open_errno(file, BLOCKS, 10 * CACHE), 0);
	store = open_store(file);
	for (uint64_t block = 0; block < BLOCKS; block++)
		write_block(store, block, 0x5b);
	CHECK_EQ(vssd_store_dirty(store), CACHE);
	vssd_store_close(store);
	unlink(file);
}

static void put_bytes(const char *file, off_t offset, const void *data, size_t size)
{
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	CHECK_EQ(pwrite(fd, data, size, offset), (ssize_t)size);
	close(fd);
}

TEST(somebody_elses_file_is_refused_and_left_as_it_is)
{
	const char *file = new_file();
	struct stat st;

	put_bytes(file, 0, "my diary", 8);
	CHECK_EQ(open_errno(file, BLOCKS, CACHE), -EINVAL);
	CHECK_HAS(the_error.text, "does not hold a virtual SSD");
	stat(file, &st);
	CHECK_EQ(st.st_size, 8);
	unlink(file);
	CHECK_EQ(open_errno("/tmp", BLOCKS, CACHE), -EISDIR);
	CHECK_EQ(open_errno("/dev/zero", BLOCKS, CACHE), -EINVAL);
	CHECK_EQ(open_errno("/nowhere/at/all", BLOCKS, CACHE), -ENOENT);
	CHECK_HAS(the_error.text, "/nowhere/at/all");
}

TEST(damaged_files_are_refused)
{
	static const struct {
		off_t offset;
		uint32_t value;
		const char *text;
	} damages[] = {
		{24, 3, "damaged"}, /* pool_blocks */
		{24, 0xffffffff, "damaged"},
		{32, 2, "damaged"},                     /* has_metadata */
		{8192, 0x7fffffff, "block 0"},          /* an entry of the map outside of the pool */
		{8192 + 4, VSSD_POOL_FIRST, "block 1"}, /* the same pool block twice */
	};

	for (unsigned i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const char *file = new_file();
		struct vssd_store *store = open_store(file);

		write_block(store, 0, 1);
		vssd_store_flush(store);
		vssd_store_close(store);
		put_bytes(file, damages[i].offset, &damages[i].value, 4);
		CHECK_EQ(open_errno(file, BLOCKS, CACHE), -EINVAL);
		CHECK_HAS(the_error.text, damages[i].text);
		unlink(file);
	}
}

TEST(a_file_that_was_cut_is_refused)
{
	const char *file = new_file();

	vssd_store_close(open_store(file));
	CHECK_EQ(truncate(file, 100000), 0);
	CHECK_EQ(open_errno(file, BLOCKS, CACHE), -EINVAL);
	CHECK_HAS(the_error.text, "100000 bytes, but its drive needs");
	unlink(file);
}

TEST(a_full_file_system_fails_the_write_and_nothing_else)
{
	const char *file = new_file();
	struct vssd_store_options options = {.blocks = 1u << 15, .cache_blocks = CACHE, .file = file};
	struct vssd_store *store;
	uint64_t block = 0;

	if (!CHECK_EQ(vssd_store_open(&options, &store, &the_error), 0))
		return;
	the_space_left = 40 << 20;
	while (block < options.blocks && vssd_store_write(store, block, VSSD_ALL_SECTORS))
		block++;
	CHECK(block > 0 && block < options.blocks);
	CHECK_EQ(vssd_store_poison(store, options.blocks - 1, 1), -ENOSPC);
	CHECK(holds(store, block, 0xff, 0));
	/* What is there can be written anew, as often as one likes. */
	for (uint64_t i = 0; i < 100; i++)
		write_block(store, i % 50, (uint8_t)(0x21 + i));
	for (uint64_t i = 0; i < 50; i++)
		CHECK(holds(store, i, 0xff, (uint8_t)(0x21 + 50 + i)));
	the_space_left = OFF_MAX;
	write_block(store, block, 0x22);
	CHECK(holds(store, block, 0xff, 0x22));
	vssd_store_close(store);
	unlink(file);
}

TEST(sizes_that_cannot_be_are_refused)
{
	CHECK_EQ(open_errno(NULL, 0, CACHE), -EINVAL);
	CHECK_EQ(open_errno(NULL, VSSD_MAX_BLOCKS + 1, CACHE), -EINVAL);
	CHECK_EQ(open_errno(NULL, UINT64_MAX, CACHE), -EINVAL);
	CHECK_EQ(open_errno(NULL, BLOCKS, UINT64_MAX), -EINVAL);
	CHECK_HAS(the_error.text, "4 KiB");
}
