/* SPDX-License-Identifier: BSD-3-Clause */
/* Stores that are larger than what they hold, whose maps are sparse. And the annex, the end of their files. */
/* sources: vssd/store/store.c vssd/store/medium.c core/util/error.c */
#define _GNU_SOURCE 1
#include "tests/c/store.h"

static void write_block(struct vssd_store *store, uint64_t block, uint8_t value)
{
	uint8_t *data = vssd_store_write(store, block, VSSD_ALL_SECTORS);

	if (CHECK(data))
		memset(data, value, VSSD_BLOCK_SIZE);
}

#define TIB_16 (UINT64_C(1) << 32) /* blocks */

TEST(a_drive_of_16_tib_keeps_its_data_and_needs_space_for_what_was_written_only)
{
	static const uint64_t places[] = {0, 1, 1023, 1024, TIB_16 / 2, TIB_16 - 1025, TIB_16 - 1};
	const unsigned count = sizeof(places) / sizeof(places[0]);
	const char *file = new_file();
	struct vssd_store_options options = {.blocks = TIB_16, .cache_blocks = CACHE, .file = file};
	struct vssd_store *store;
	struct stat st;

	for (unsigned life = 0; life < 3; life++) {
		if (!CHECK_EQ(vssd_store_open(&options, &store, &the_error), 0))
			return;
		for (unsigned i = 0; i < count; i++) {
			CHECK(holds(store, places[i], 0xff, life == 0 ? 0 : (uint8_t)(i + life)));
			write_block(store, places[i], (uint8_t)(i + life + 1));
		}
		CHECK(holds(store, TIB_16 / 2 + 1, 0xff, 0));
		vssd_store_flush(store);
		CHECK_EQ(vssd_store_used(store), count);
		vssd_store_close(store);
		stat(file, &st);
		CHECK(st.st_blocks * 512 < 64 << 20);
	}
	CHECK_EQ(vssd_store_open(&options, &store, &the_error), 0);
	CHECK_EQ(vssd_store_zero(store, TIB_16 - 1, 0xff, true), 0);
	vssd_store_erase(store, 0, TIB_16 - 1, VSSD_POOL_UNWRITTEN);
	vssd_store_flush(store);
	for (unsigned i = 0; i < count; i++)
		CHECK_EQ(vssd_store_written(store, places[i]), 0);
	CHECK_EQ(vssd_store_used(store), 0);
	vssd_store_close(store);
	unlink(file);
}

TEST(the_map_of_a_large_drive_can_find_the_file_system_full)
{
	const char *file = new_file();
	struct vssd_store_options options = {.blocks = TIB_16, .cache_blocks = CACHE, .file = file};
	struct vssd_store *store;

	if (!CHECK_EQ(vssd_store_open(&options, &store, &the_error), 0))
		return;
	write_block(store, 0, 1);
	the_space_left = 0;
	CHECK(!vssd_store_write(store, TIB_16 - 1, VSSD_ALL_SECTORS));
	CHECK_EQ(vssd_store_zero(store, TIB_16 - 1, 0xff, false), -ENOSPC);
	CHECK_EQ(vssd_store_poison(store, TIB_16 - 1, 1), -ENOSPC);
	CHECK_EQ(vssd_store_poke(store, (TIB_16 - 1) << VSSD_BLOCK_SHIFT, "x", 1), -ENOSPC);
	vssd_store_flush(store);
	CHECK(holds(store, TIB_16 - 1, 0xff, 0));
	CHECK_EQ(vssd_store_written(store, TIB_16 - 1), 0);
	the_space_left = OFF_MAX;
	write_block(store, TIB_16 - 1, 2);
	CHECK(holds(store, TIB_16 - 1, 0xff, 2));
	vssd_store_close(store);
	unlink(file);
}

TEST(the_annex_outlives_the_process)
{
	const char *file = new_file();
	struct vssd_store *store = open_store(file);
	uint8_t *annex = vssd_store_annex(store);
	struct stat st;

	for (uint64_t i = 0; i < VSSD_ANNEX_SIZE; i++)
		if (!CHECK_EQ(annex[i], 0))
			return;
	memset(annex, 0xa5, VSSD_ANNEX_SIZE);
	write_block(store, BLOCKS - 1, 0x11);
	vssd_store_close(store);
	store = open_store(file);
	annex = vssd_store_annex(store);
	CHECK(annex[0] == 0xa5 && annex[VSSD_ANNEX_SIZE - 1] == 0xa5);
	write_block(store, BLOCKS - 1, 0x11);
	vssd_store_flush(store);
	vssd_store_close(store);
	/* A file from before there was an annex gets one. */
	stat(file, &st);
	CHECK_EQ(truncate(file, st.st_size - (off_t)VSSD_ANNEX_SIZE), 0);
	store = open_store(file);
	annex = vssd_store_annex(store);
	CHECK(annex[0] == 0 && annex[VSSD_ANNEX_SIZE - 1] == 0);
	CHECK(holds(store, BLOCKS - 1, 0xff, 0x11));
	vssd_store_close(store);
	unlink(file);
}
