/* SPDX-License-Identifier: BSD-3-Clause */
/* A store whose LBAs have metadata, in memory and in a file: they are lost and kept together with the data. */
/* sources: vssd/store/store.c vssd/store/medium.c core/util/error.c core/util/log.c */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/c/test.h"
#include "vssd/store/store.h"

#define BLOCKS 256
#define CACHE 32

static struct pyn_error the_error;
static char the_file[64];

static int open_it(const char *file, bool metadata, struct vssd_store **store)
{
	struct vssd_store_options options = {
		.blocks = BLOCKS, .cache_blocks = CACHE, .file = file, .metadata = metadata};

	return vssd_store_open(&options, store, &the_error);
}

static struct vssd_store *opened(const char *file)
{
	struct vssd_store *store = NULL;

	if (!CHECK_EQ(open_it(file, true, &store), 0)) {
		printf("    %s\n", the_error.text);
		exit(1);
	}
	return store;
}

static const char *new_file(void)
{
	snprintf(the_file, sizeof(the_file), "/tmp/test_store_metadata_%d", (int)getpid());
	unlink(the_file);
	return the_file;
}

/* Fill data and metadata of these sectors of a block. */
static void put(struct vssd_store *store, uint64_t block, uint8_t sectors, uint8_t byte)
{
	uint8_t *data = vssd_store_write(store, block, sectors);

	for (unsigned i = 0; CHECK(data != NULL) && i < 8; i++) {
		if (!(sectors >> i & 1))
			continue;
		memset(data + i * VSSD_SECTOR_SIZE, byte, VSSD_SECTOR_SIZE);
		memset(vssd_store_metadata(store, block) + i * VSSD_METADATA_LBA, byte ^ 0xff, VSSD_METADATA_LBA);
	}
}

/* The byte of a sector, if all its data and metadata are of one write; else -1. */
static int get(const struct vssd_store *store, uint64_t block, unsigned sector)
{
	const uint8_t *data = vssd_store_data(store, block) + sector * VSSD_SECTOR_SIZE;
	const uint8_t *metadata = vssd_store_metadata(store, block) + sector * VSSD_METADATA_LBA;

	for (unsigned i = 0; i < VSSD_SECTOR_SIZE; i++)
		if (data[i] != data[0] || metadata[i % VSSD_METADATA_LBA] != (data[0] ^ (data[0] ? 0xff : 0)))
			return -1;
	return data[0];
}

static void check_losses(const char *file)
{
	struct vssd_store *store = opened(file);

	put(store, 3, VSSD_ALL_SECTORS, 1);
	put(store, 4, 0x0f, 2);
	vssd_store_flush(store);
	put(store, 3, 0x3c, 5);
	put(store, 9, VSSD_ALL_SECTORS, 6);
	CHECK_EQ(get(store, 3, 2), 5);
	CHECK_EQ(get(store, 3, 1), 1);
	vssd_store_lose(store);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(get(store, 3, i), 1);
		CHECK_EQ(get(store, 4, i), i < 4 ? 2 : 0);
		CHECK_EQ(get(store, 9, i), 0);
	}
	put(store, 3, 0x80, 7);
	vssd_store_commit(store, 3, 1);
	put(store, 3, 0x40, 8);
	vssd_store_close(store);
}

TEST(a_power_loss_takes_data_and_metadata_together)
{
	check_losses(NULL);
}

TEST(a_file_keeps_metadata_as_it_keeps_data)
{
	const char *file = new_file();
	struct vssd_store *store;

	check_losses(file);
	store = opened(file);
	CHECK_EQ(get(store, 3, 0), 1);
	CHECK_EQ(get(store, 3, 7), 7);
	CHECK_EQ(get(store, 3, 6), 1); /* was not durable */
	CHECK_EQ(get(store, 4, 3), 2);
	vssd_store_erase(store, 0, BLOCKS, VSSD_POOL_UNWRITTEN);
	put(store, 200, VSSD_ALL_SECTORS, 9);
	vssd_store_flush(store);
	vssd_store_close(store);
	store = opened(file);
	CHECK_EQ(get(store, 200, 5), 9);
	CHECK_EQ(get(store, 3, 0), 0);
	vssd_store_close(store);
	unlink(file);
}

TEST(a_file_has_metadata_or_none_since_it_was_made)
{
	const char *file = new_file();
	struct vssd_store *store;

	vssd_store_close(opened(file));
	CHECK_EQ(open_it(file, false, &store), -EINVAL);
	CHECK_HAS(the_error.text, "holds a drive with metadata");
	unlink(file);
	CHECK_EQ(open_it(file, false, &store), 0);
	vssd_store_close(store);
	CHECK_EQ(open_it(file, true, &store), -EINVAL);
	CHECK_HAS(the_error.text, "holds a drive without metadata");
	CHECK_EQ(open_it(file, false, &store), 0);
	vssd_store_close(store);
	unlink(file);
}
