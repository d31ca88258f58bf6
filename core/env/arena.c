/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "core/env/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/env/hugepages.h"
#include "core/env/limits.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#define MIB ((size_t)1 << 20)
#define DEFAULT_MIB ((size_t)4096)
#define LEAST_MIB ((size_t)16)
#define MOST_MIB ((size_t)64 * 1024)
#define HUGE_LEAST_MIB ((size_t)512)
#define ALIGNMENT PYN_DMA_HUGE_PAGE
#define FILL (64 * MIB) /* hugepages allocated at once; a start allocates the first to see a refusal early */

/* Bounds of the addresses that every IOMMU translates: some have 39 bits. */
#define LOW ((uintptr_t)1 << 32)
#define HIGH ((uintptr_t)1 << 39)

enum huge { HUGE_NEVER = 0, HUGE_ALWAYS = 1, HUGE_WHERE_FREE = 2 };

/* What the environment variables ask for. */
struct wish {
	enum huge huge;
	size_t mib; /* 0: PYNVME_MEM is not set */
	bool locked;
	size_t beside_mib; /* other memory that is locked as well */
};

static struct pyn_dma_region the_region = {.fd = -1};

/* Bytes from the start whose hugepages are allocated. */
static struct {
	pthread_mutex_t lock;
	size_t done;
} the_filling = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- what is asked for ---- */

/* Read a number from the environment into *value. If the variable is unset or empty, *value stays. */
static int environment_number(const char *name, size_t low, size_t high, size_t *value, struct pyn_error *err)
{
	const char *text = getenv(name);
	unsigned long number;
	char *end;

	if (!text || !*text)
		return 0;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || *text == '-' || number < low || number > high)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "%s=%.40s: must be a whole number from %zu to %zu",
				 name, text, low, high);
	*value = number;
	return 0;
}

static int wish_read(struct wish *wish, struct pyn_error *err)
{
	size_t huge = HUGE_WHERE_FREE;
	int rc;

	rc = environment_number("PYNVME_HUGE", HUGE_NEVER, HUGE_ALWAYS, &huge, err);
	if (!rc)
		rc = environment_number("PYNVME_MEM", LEAST_MIB, MOST_MIB, &wish->mib, err);
	wish->huge = (enum huge)huge;
	return rc;
}

size_t pyn_arena_wanted_mib(void)
{
	struct wish wish = {0};

	return wish_read(&wish, NULL) || !wish.mib ? SIZE_MAX : wish.mib;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* The smaller of both, but at least PYN_ARENA_LOCKED_LEAST_MIB: less is of no use, and if that does not fit, mapping
 * it into the device fails with an error that says so. */
static size_t lower(size_t mib, size_t bound)
{
	return smaller(mib, bound > PYN_ARENA_LOCKED_LEAST_MIB ? bound : PYN_ARENA_LOCKED_LEAST_MIB);
}

/* Reduce mib to what this process's limits allow. The script keeps half of the address space, or less if that half
 * is of no use. */
static size_t within_limits(size_t mib, const struct wish *wish, bool huge)
{
	size_t address_space = pyn_limits_address_space_mib();

	if (wish->locked && !huge)
		mib = lower(mib, pyn_limits_available_mib() / 4);
	if (wish->locked)
		mib = lower(mib, less(pyn_limits_locked_mib(), wish->beside_mib));
	mib = smaller(mib, pyn_limits_file_mib());
	if (address_space == SIZE_MAX)
		return mib;
	return smaller(mib, address_space / 2 > LEAST_MIB ? address_space / 2 : smaller(address_space, LEAST_MIB));
}

/* ---- the mapping ---- */

static void *reserve_at(void *address, size_t size, int flags)
{
	void *memory = mmap(address, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	/* A kernel that does not know MAP_FIXED_NOREPLACE takes the address for a hint. */
	if (memory != MAP_FAILED && address && memory != address) {
		munmap(memory, size);
		errno = EEXIST;
		return MAP_FAILED;
	}
	return memory;
}

/* Reserve aligned address space for the file. Returns MAP_FAILED and sets errno on an error. */
static void *reserve(size_t size, size_t align)
{
	char *memory, *aligned;

	for (uintptr_t at = LOW; at + size <= HIGH; at += LOW) {
		memory = reserve_at((void *)at, size, MAP_FIXED_NOREPLACE);
		if (memory != MAP_FAILED)
			return memory;
		if (errno != EEXIST)
			break;
	}
	memory = reserve_at(NULL, size + align, 0);
	if (memory == MAP_FAILED)
		return memory;
	aligned = (char *)(((uintptr_t)memory + align - 1) & ~(uintptr_t)(align - 1));
	if (aligned > memory)
		munmap(memory, (size_t)(aligned - memory));
	munmap(aligned + size, align - (size_t)(aligned - memory));
	return aligned;
}

/* Allocate these pages of the file now, so that a later access cannot fail. */
static int fill(int fd, size_t from, size_t to)
{
	while (from < to) {
		size_t length = smaller(FILL, to - from);

		if (!fallocate(fd, 0, (off_t)from, (off_t)length))
			from += length;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Map a file of size bytes over reserved addresses; it stays open. kind is that of its pages, NULL for ordinary
 * pages. Returns 0 or -errno; an error leaves nothing behind. */
static int map(size_t size, const struct pyn_huge_kind *kind)
{
	unsigned flags = MFD_CLOEXEC | (kind ? MFD_HUGETLB | kind->memfd_flag : 0);
	int fd PYN_CLOSE = memfd_create("pynvme", flags);
	void *memory;
	int rc = 0;

	if (fd < 0 || ftruncate(fd, (off_t)size))
		return -errno;
	memory = reserve(size, kind ? kind->page : ALIGNMENT);
	if (memory == MAP_FAILED)
		return -errno;
	if (mmap(memory, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		rc = -errno;
	if (!rc && kind)
		rc = fill(fd, 0, smaller(size, FILL));
	if (rc) {
		munmap(memory, size);
		return rc;
	}
	the_filling.done = kind ? smaller(size, FILL) : size;
	madvise(memory, size, MADV_DONTDUMP);
	the_region = (struct pyn_dma_region){
		.address = memory, .length = size, .fd = PYN_TAKE_FD(fd), .huge = kind != NULL};
	return 0;
}

/* ---- hugepages ---- */

/* Half of the free hugepages: other sessions on this machine need some as well. */
static size_t huge_share(size_t free_mib)
{
	size_t share = free_mib / 2 > HUGE_LEAST_MIB ? free_mib / 2 : HUGE_LEAST_MIB;

	return smaller(share, DEFAULT_MIB);
}

/* Map the arena with hugepages. Returns 0, or -errno of the last try, or -ENOMEM without a try if too few are free.
 * Another process may take them between the check and the mapping; each further try asks for half. */
static int map_huge(const struct wish *wish, const struct pyn_huge_kind *kind)
{
	size_t page_mib = kind->page / MIB, bound = SIZE_MAX;

	for (;;) {
		size_t free_mib = pyn_huge_free_mib(kind), mib = wish->mib;
		int rc;

		if (!mib)
			mib = within_limits(smaller(huge_share(free_mib), bound), wish, true) / page_mib * page_mib;
		mib = (mib + page_mib - 1) / page_mib * page_mib;
		/* With PYNVME_HUGE=1 the kernel decides: nr_overcommit_hugepages may allow it to create more. */
		if (wish->huge != HUGE_ALWAYS && free_mib < (mib > HUGE_LEAST_MIB ? mib : HUGE_LEAST_MIB))
			return -ENOMEM;
		rc = mib ? map(mib * MIB, kind) : -ENOMEM;
		if (!rc || wish->mib || mib <= page_mib || mib / 2 < PYN_ARENA_LOCKED_LEAST_MIB)
			return rc;
		bound = mib / 2;
	}
}

static int no_hugepages(const struct wish *wish, int number, struct pyn_error *err)
{
	size_t wanted = wish->mib ? wish->mib : PYN_ARENA_LOCKED_LEAST_MIB, free_mib = 0;

	for (const struct pyn_huge_kind *kind = pyn_huge_kinds; kind->page; kind++)
		free_mib += pyn_huge_free_mib(kind);
	if (free_mib < wanted)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM,
				 "PYNVME_HUGE=1, but %zu MiB of hugepages are free and %zu are needed: reserve more "
				 "(`sysctl vm.nr_hugepages=512` reserves 1 GiB), or unset PYNVME_HUGE",
				 free_mib, wanted);
	return pyn_error(
		err, PYN_ERROR_MEMORY, number,
		"PYNVME_HUGE=1, but the kernel gives no hugepages to this process, although %zu MiB are free "
		"(%s): check its limits (ulimit -a, the hugetlb control group), or unset PYNVME_HUGE",
		free_mib, strerror(number));
}

/* ---- ordinary memory ---- */

static int no_memory(size_t mib, int number, struct pyn_error *err)
{
	size_t file_mib = pyn_limits_file_mib(), address_mib = pyn_limits_address_space_mib();

	if (number == EMFILE || number == ENFILE)
		return pyn_error(
			err, PYN_ERROR_MEMORY, number,
			"DMA memory needs a file descriptor, and none is left: close some, or raise the limit "
			"(ulimit -n)");
	if (file_mib < mib)
		return pyn_error(err, PYN_ERROR_MEMORY, EFBIG,
				 "DMA memory is a file of %zu MiB, and files are limited to %zu MiB here: raise "
				 "the limit (ulimit -f), or set PYNVME_MEM to fewer MiB, %zu at least",
				 mib, file_mib, LEAST_MIB);
	if (address_mib != SIZE_MAX)
		return pyn_error(
			err, PYN_ERROR_MEMORY, number,
			"%zu MiB of DMA memory do not fit into the address space, of which %zu MiB are free: raise "
			"the limit (ulimit -v), or set PYNVME_MEM to fewer MiB, %zu at least",
			mib, address_mib, LEAST_MIB);
	return pyn_error(err, PYN_ERROR_MEMORY, number,
			 "cannot get %zu MiB of memory to share with a device (memfd_create: %s): set PYNVME_MEM to "
			 "fewer MiB, %zu at least, or allow memfd_create if this process may not call it",
			 mib, strerror(number), LEAST_MIB);
}

static int map_ordinary(const struct wish *wish, struct pyn_error *err)
{
	size_t mib = wish->mib ? wish->mib : within_limits(DEFAULT_MIB, wish, false);
	int rc;

	/* A file above the limit would get the process killed by SIGXFSZ. */
	if (mib < LEAST_MIB || mib > pyn_limits_file_mib())
		return no_memory(mib < LEAST_MIB ? LEAST_MIB : mib, ENOMEM, err);
	while ((rc = map(mib * MIB, NULL)) && !wish->mib && mib / 2 >= LEAST_MIB)
		mib /= 2;
	return rc ? no_memory(mib, -rc, err) : 0;
}

/* ---- the interface ---- */

int pyn_arena_map(bool locked, size_t beside_mib, struct pyn_error *err)
{
	struct wish wish = {.locked = locked, .beside_mib = beside_mib};
	int rc = wish_read(&wish, err), tried = -ENOMEM;

	if (rc)
		return rc;
	for (const struct pyn_huge_kind *kind = pyn_huge_kinds; wish.huge && kind->page; kind++) {
		tried = map_huge(&wish, kind);
		if (!tried)
			return 0;
	}
	if (wish.huge == HUGE_ALWAYS)
		return no_hugepages(&wish, -tried, err);
	if (wish.huge)
		pyn_log(PYN_LOG_DEBUG, "DMA memory uses no hugepages: %s", strerror(-tried));
	return map_ordinary(&wish, err);
}

int pyn_arena_fill(size_t bytes, struct pyn_error *err)
{
	int rc = 0;

	pthread_mutex_lock(&the_filling.lock);
	if (the_region.huge && bytes > the_filling.done) {
		rc = fill(the_region.fd, the_filling.done, bytes);
		if (!rc)
			the_filling.done = bytes;
	}
	pthread_mutex_unlock(&the_filling.lock);
	return rc ? pyn_error(
			    err, PYN_ERROR_MEMORY, -rc,
			    "a control group limits the hugepages of this process, which needs more of those that it "
			    "reserved (%s): raise the limit, or set PYNVME_HUGE=0 to use none",
			    strerror(-rc))
		  : 0;
}

void pyn_arena_unmap(void)
{
	if (the_region.fd < 0)
		return;
	munmap(the_region.address, the_region.length);
	close(the_region.fd);
	the_region = (struct pyn_dma_region){.fd = -1};
}

const struct pyn_dma_region *pyn_arena(void)
{
	return &the_region;
}

size_t pyn_dma_regions(const struct pyn_dma_region **regions)
{
	*regions = &the_region;
	return the_region.fd >= 0;
}
