/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "vssd/store/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESERVE_BLOCKS 4096u
#define HEADER_SIZE 4096u
#define HUGE_PAGE (UINT64_C(2) << 20)
#define POOL_MAX (UINT64_C(1) << 31) /* blocks of the pool, whose indexes are in the map */

static const char magic[16] = "virtual SSD 2\n\0";
#define KIND 12 /* bytes of the magic that do not depend on the version */

/* The header, the first page of a file. The system area, the durable map, the marks, the pool, the annex, and perhaps
 * the metadata and an account, follow. Pages of the map and of the marks are holes until they are used. */
struct file_header {
	char magic[16];
	uint64_t blocks;
	uint64_t pool_blocks;
	uint64_t has_metadata; /* 0 or 1 */
	uint64_t account;      /* bytes */
};

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) / alignment * alignment;
}

void *vssd_medium_alloc(uint64_t length)
{
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void vssd_medium_free(void *memory, uint64_t length)
{
	if (memory)
		munmap(memory, length);
}

void vssd_medium_init(struct vssd_medium *medium)
{
	*medium = (struct vssd_medium){.fd = -1};
}

static uint64_t marks_offset(uint64_t blocks)
{
	return HEADER_SIZE + VSSD_SYSTEM_SIZE + align_up(blocks * sizeof(uint32_t), VSSD_BLOCK_SIZE);
}

static void lay_out(struct vssd_medium *medium, const struct vssd_store_options *options, uint64_t pool_blocks)
{
	uint64_t blocks = options->blocks;

	medium->pool_blocks = pool_blocks;
	medium->marks_at = marks_offset(blocks);
	medium->pool_offset = align_up(marks_offset(blocks) + pool_blocks * sizeof(struct vssd_marks), HUGE_PAGE);
	medium->annex_offset = medium->pool_offset + (pool_blocks << VSSD_BLOCK_SHIFT);
	medium->metadata_offset = medium->annex_offset + VSSD_ANNEX_SIZE;
	medium->length = medium->metadata_offset + (options->metadata ? pool_blocks * VSSD_METADATA_BLOCK : 0);
	medium->account_offset = align_up(medium->length, VSSD_BLOCK_SIZE);
	if (options->account)
		medium->length = medium->account_offset + align_up(options->account, VSSD_BLOCK_SIZE);
	medium->map_pages = (blocks + VSSD_MAP_PAGE - 1) / VSSD_MAP_PAGE;
}

static void point(struct vssd_medium *medium, uint64_t blocks)
{
	medium->system = medium->memory + HEADER_SIZE;
	medium->durable = (uint32_t *)(medium->memory + HEADER_SIZE + VSSD_SYSTEM_SIZE);
	medium->marks = (struct vssd_marks *)(medium->memory + marks_offset(blocks));
	medium->pool = medium->memory + medium->pool_offset;
	medium->annex = medium->memory + medium->annex_offset;
	medium->account = medium->length > medium->account_offset ? medium->memory + medium->account_offset : NULL;
	medium->metadata =
		medium->account_offset > medium->metadata_offset ? medium->memory + medium->metadata_offset : NULL;
}

static int refuse(struct pyn_error *err, int number, const char *format, const char *file)
{
	return pyn_error(err, PYN_ERROR_ARGUMENT, number, format, file);
}

/* How many blocks the pool has. A drive may be larger: then it can be filled in part only. */
static uint64_t pool_size(uint64_t blocks, uint64_t spare)
{
	uint64_t size = blocks + spare + VSSD_POOL_FIRST;

	return size < POOL_MAX ? size : POOL_MAX;
}

/* Whether the LBAs of a drive can have metadata is settled when its file is made. */
static int check_account(const struct file_header *header, const struct vssd_store_options *options,
			 struct pyn_error *err)
{
	if (header->account == options->account)
		return 0;
	return refuse(err, EINVAL,
		      options->account ? "%s holds a drive without FDP: give another file, or leave out fdp"
				       : "%s holds a drive with FDP: give the option fdp",
		      options->file);
}

static int check_metadata(const struct file_header *header, const struct vssd_store_options *options,
			  struct pyn_error *err)
{
	if (header->has_metadata > 1)
		return refuse(err, EINVAL, "the header of %s is damaged: give another file, or delete it",
			      options->file);
	if (header->has_metadata && !options->metadata)
		return refuse(err, EINVAL, "%s holds a drive with metadata: give the option metadata or protection",
			      options->file);
	if (!header->has_metadata && options->metadata)
		return refuse(err, EINVAL,
			      "%s holds a drive without metadata: give another file, or leave out metadata and "
			      "protection",
			      options->file);
	return 0;
}

/* Read and check the header of a file. 1: the file is new and empty; 0: it is a store; or -errno. */
static int header_read(int fd, const struct vssd_store_options *options, struct file_header *header,
		       struct pyn_error *err)
{
	const char *file = options->file;
	uint64_t blocks = options->blocks;
	struct stat st;
	ssize_t length;

	if (fstat(fd, &st) < 0)
		return refuse(err, errno, "cannot read %s", file);
	if (!S_ISREG(st.st_mode))
		return refuse(err, EINVAL, "%s is not a regular file: a drive's data live in one", file);
	if (st.st_size == 0)
		return 1;
	length = pread(fd, header, sizeof(*header), 0);
	if (length != (ssize_t)sizeof(*header) || memcmp(header->magic, magic, KIND) != 0)
		return refuse(err, EINVAL, "%s does not hold a virtual SSD: give another file, or delete it", file);
	if (memcmp(header->magic, magic, sizeof(magic)) != 0)
		return refuse(err, EINVAL,
			      "%s is from a version of this program that this one cannot read: give "
			      "another file, or delete it",
			      file);
	if (header->blocks != blocks)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%s holds a drive of %llu bytes in total, not %llu: give its size, or another file",
				 file, (unsigned long long)header->blocks << VSSD_BLOCK_SHIFT,
				 (unsigned long long)blocks << VSSD_BLOCK_SHIFT);
	if (header->pool_blocks < pool_size(blocks, 1) || header->pool_blocks > POOL_MAX)
		return refuse(err, EINVAL, "the header of %s is damaged: give another file, or delete it", file);
	return check_metadata(header, options, err) ? -EINVAL : check_account(header, options, err);
}

/* Allocate space for length bytes of the file, because a write to a mapped hole of a full file system would raise a
 * signal. False: the file system is full. */
static bool allocate(struct vssd_medium *medium, uint64_t offset, uint64_t length)
{
	return fallocate(medium->fd, 0, (off_t)offset, (off_t)length) == 0;
}

/* Allocate space for pool blocks, and for their marks and metadata. */
static bool allocate_pool(struct vssd_medium *medium, uint64_t from, uint64_t end)
{
	return allocate(medium, medium->marks_at + from * sizeof(struct vssd_marks),
			(end - from) * sizeof(struct vssd_marks)) &&
	       allocate(medium, medium->pool_offset + (from << VSSD_BLOCK_SHIFT), (end - from) << VSSD_BLOCK_SHIFT) &&
	       (medium->account_offset == medium->metadata_offset ||
		allocate(medium, medium->metadata_offset + from * VSSD_METADATA_BLOCK,
			 (end - from) * VSSD_METADATA_BLOCK));
}

static int header_write(struct vssd_medium *medium, const struct vssd_store_options *options)
{
	struct file_header header = {
		.blocks = options->blocks,
		.pool_blocks = medium->pool_blocks,
		.has_metadata = options->metadata,
		.account = options->account,
	};

	/* Allocate space for what every drive changes now, for the pool and its maps as they grow. Write the magic
	 * last, so that an unfinished file is not taken for a store. */
	if (ftruncate(medium->fd, (off_t)medium->length) < 0 ||
	    !allocate(medium, 0, HEADER_SIZE + VSSD_SYSTEM_SIZE) || !allocate_pool(medium, 0, VSSD_POOL_FIRST) ||
	    !allocate(medium, medium->annex_offset, VSSD_ANNEX_SIZE))
		return -errno;
	memcpy(header.magic, magic, sizeof(magic));
	return pwrite(medium->fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) ? 0 : -EIO;
}

static void mark(struct vssd_medium *medium, uint64_t page)
{
	medium->touched[page / 64] |= UINT64_C(1) << (page % 64);
}

bool vssd_medium_touch(struct vssd_medium *medium, uint64_t block)
{
	uint64_t page = block / VSSD_MAP_PAGE;

	if (vssd_medium_is_touched(medium, block))
		return true;
	if (medium->fd >= 0 &&
	    !allocate(medium, HEADER_SIZE + VSSD_SYSTEM_SIZE + page * VSSD_BLOCK_SIZE, VSSD_BLOCK_SIZE))
		return false;
	mark(medium, page);
	return true;
}

static int file_make(struct vssd_medium *medium, const struct vssd_store_options *options, struct pyn_error *err)
{
	int result = header_write(medium, options);

	if (!result)
		return 0;
	return pyn_error(err, PYN_ERROR_SYSTEM, -result, "cannot make %s: %s", options->file, strerror(-result));
}

static int extend(struct vssd_medium *medium, const char *file, struct pyn_error *err)
{
	if (ftruncate(medium->fd, (off_t)medium->length) == 0 &&
	    allocate(medium, medium->annex_offset, VSSD_ANNEX_SIZE))
		return 0;
	return pyn_error(err, PYN_ERROR_SYSTEM, errno, "cannot extend %s: %s", file, strerror(errno));
}

static int file_open(struct vssd_medium *medium, const struct vssd_store_options *options, uint64_t spare,
		     struct pyn_error *err)
{
	const char *file = options->file;
	struct file_header header;
	struct stat st;
	int result;

	medium->fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (medium->fd < 0)
		return pyn_error(err, PYN_ERROR_ARGUMENT, errno, "cannot open %s: %s", file, strerror(errno));
	if (flock(medium->fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(err, EBUSY, "%s is in use by another virtual SSD", file);
	result = header_read(medium->fd, options, &header, err);
	if (result < 0)
		return result;
	lay_out(medium, options, result ? pool_size(options->blocks, spare) : header.pool_blocks);
	if (result)
		return file_make(medium, options, err);
	if (fstat(medium->fd, &st) < 0)
		return refuse(err, errno, "cannot read %s", file);
	/* Before the annex, files ended with the pool. */
	if ((uint64_t)st.st_size == medium->annex_offset && !options->account)
		return extend(medium, file, err);
	if ((uint64_t)st.st_size != medium->length)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%s has %llu bytes, but its drive needs %llu: it is incomplete, or damaged", file,
				 (unsigned long long)st.st_size, (unsigned long long)medium->length);
	return 0;
}

/* Mark the pages of the map that the file has. */
static void find_touched(struct vssd_medium *medium)
{
	off_t first = HEADER_SIZE + VSSD_SYSTEM_SIZE, end = first + (off_t)(medium->map_pages * VSSD_BLOCK_SIZE);
	off_t at = medium->fd < 0 ? end : lseek(medium->fd, first, SEEK_DATA), hole;

	for (; at >= first && at < end; at = lseek(medium->fd, hole, SEEK_DATA)) {
		hole = lseek(medium->fd, at, SEEK_HOLE);
		if (hole < 0 || hole > end)
			hole = end;
		for (uint64_t page = (uint64_t)(at - first) / VSSD_BLOCK_SIZE;
		     page < (uint64_t)(hole - first + VSSD_BLOCK_SIZE - 1) / VSSD_BLOCK_SIZE; page++)
			mark(medium, page);
	}
}

int vssd_medium_open(struct vssd_medium *medium, const struct vssd_store_options *options, uint64_t spare,
		     struct pyn_error *err)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	if (options->file) {
		int result = file_open(medium, options, spare, err);

		if (result)
			return result;
		flags = MAP_SHARED | MAP_NORESERVE;
	} else {
		lay_out(medium, options, pool_size(options->blocks, spare));
	}
	medium->memory = mmap(NULL, medium->length, PROT_READ | PROT_WRITE, flags, medium->fd, 0);
	if (medium->memory == MAP_FAILED) {
		medium->memory = NULL;
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no address space for a drive of %llu bytes",
				 (unsigned long long)medium->length);
	}
	point(medium, options->blocks);
	medium->touched = vssd_medium_alloc((medium->map_pages / 64 + 1) * sizeof(*medium->touched));
	if (!medium->touched)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the map of a drive");
	find_touched(medium);
	/* Huge pages suit the pool, which fills from its start. The maps are sparse: they would waste huge pages. */
	if (!options->file)
		madvise(medium->pool, medium->annex_offset - medium->pool_offset, MADV_HUGEPAGE);
	return 0;
}

void vssd_medium_close(struct vssd_medium *medium)
{
	vssd_medium_free(medium->memory, medium->length);
	vssd_medium_free(medium->touched, (medium->map_pages / 64 + 1) * sizeof(*medium->touched));
	if (medium->fd >= 0)
		close(medium->fd);
	vssd_medium_init(medium);
}

/* This is atomic, because no signal interrupts a write of one page once it has begun. */
int vssd_medium_set_system(struct vssd_medium *medium, const void *bytes, struct pyn_error *err)
{
	if (medium->fd < 0) {
		memcpy(medium->system, bytes, VSSD_SYSTEM_SIZE);
		return 0;
	}
	if (pwrite(medium->fd, bytes, VSSD_SYSTEM_SIZE, HEADER_SIZE) == (ssize_t)VSSD_SYSTEM_SIZE)
		return 0;
	return pyn_error(err, PYN_ERROR_SYSTEM, errno, "cannot write the drive's file: %s", strerror(errno));
}

static bool set_aside(struct vssd_medium *medium, uint64_t from, uint64_t end)
{
	if (!allocate_pool(medium, from, end))
		return false;
	medium->reserved = end;
	return true;
}

bool vssd_medium_reserve(struct vssd_medium *medium, uint64_t first, uint64_t end)
{
	uint64_t from = medium->reserved > first ? medium->reserved : first;
	uint64_t ahead;

	if (end > medium->pool_blocks)
		end = medium->pool_blocks;
	if (medium->fd < 0 || end <= medium->reserved)
		return true;
	ahead = medium->pool_blocks - end < RESERVE_BLOCKS ? medium->pool_blocks : end + RESERVE_BLOCKS;
	return set_aside(medium, from, ahead) || set_aside(medium, from, end);
}

/* Free what lies from one place in memory and file up to another. False: the space stays allocated. */
static bool punch(struct vssd_medium *medium, uint64_t from, uint64_t end)
{
	if (medium->fd < 0)
		return madvise(medium->memory + from, end - from, MADV_DONTNEED) == 0;
	return fallocate(medium->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(end - from)) ==
	       0;
}

bool vssd_medium_account_for(struct vssd_medium *medium, uint64_t offset, uint64_t length)
{
	return medium->fd < 0 || allocate(medium, medium->account_offset + offset, length);
}

void vssd_medium_discard(struct vssd_medium *medium)
{
	uint64_t pool = medium->pool_offset + ((uint64_t)VSSD_POOL_FIRST << VSSD_BLOCK_SHIFT);
	uint64_t metadata =
		medium->metadata_offset + align_up((uint64_t)VSSD_POOL_FIRST * VSSD_METADATA_BLOCK, VSSD_BLOCK_SIZE);
	bool is_free = punch(medium, pool, medium->annex_offset);

	if (medium->metadata)
		is_free &= punch(medium, metadata, medium->account ? medium->account_offset : medium->length);
	medium->reserved = is_free || medium->fd < 0 ? 0 : medium->pool_blocks;
}
