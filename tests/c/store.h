/* SPDX-License-Identifier: BSD-3-Clause */
/* A store of 64 blocks, in memory or in a file of a file system that can be full. */
#ifndef TESTS_C_STORE_H
#define TESTS_C_STORE_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/c/test.h"
#include "vssd/store/store.h"

#define BLOCKS 64u
#define CACHE 16u /* the smallest that there is */

#define OFF_MAX INT64_MAX

static struct pyn_error the_error;
static off_t the_space_left = OFF_MAX;

/* In the place of the C library's: a file system that can be full. */
int fallocate(int fd, int mode, off_t offset, off_t length)
{
	if (!(mode & FALLOC_FL_PUNCH_HOLE) && the_space_left != OFF_MAX) {
		if (length > the_space_left) {
			errno = ENOSPC;
			return -1;
		}
		the_space_left -= length;
	}
	return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

static struct vssd_store *open_store(const char *file)
{
	struct vssd_store_options options = {.blocks = BLOCKS, .cache_blocks = CACHE, .file = file};
	struct vssd_store *store = NULL;

	if (!CHECK_EQ(vssd_store_open(&options, &store, &the_error), 0)) {
		printf("    %s\n", the_error.text);
		exit(1);
	}
	return store;
}

/* The path of a file that does not exist. */
static const char *new_file(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/test_store.%d", (int)getpid());
	unlink(path);
	return path;
}

/* Whether all bytes of these sectors of a block have this value. */
static bool holds(const struct vssd_store *store, uint64_t block, uint8_t sectors, uint8_t value)
{
	const uint8_t *data = vssd_store_data(store, block);

	for (unsigned i = 0; i < VSSD_BLOCK_SIZE; i++)
		if (sectors >> (i / VSSD_SECTOR_SIZE) & 1 && data[i] != value)
			return false;
	return true;
}

#endif
