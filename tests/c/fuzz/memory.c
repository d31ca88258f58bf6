/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "tests/c/fuzz/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/c/fuzz/report.h"

#define KIB UINT64_C(1024)
#define DATA_IOVA UINT64_C(0x7f0000000000)
#define TRIES 16

static const struct {
	const char *name;
	uint64_t iova;
	uint64_t size;
	uint32_t flags;
	uint32_t skew; /* bytes by which it is off in its page */
	uint32_t pool; /* pages from this one on are given away by fuzz_memory_alloc; 0xffffffff: none */
	bool remote;
} layout[FUZZ_NUM_REGIONS] = {
	[FUZZ_QUEUES] = {"queues", 0x100000, 1024 * KIB, VSSD_DMA_READ | VSSD_DMA_WRITE, 0, UINT32_MAX, false},
	[FUZZ_REMOTE] = {"remote", 0x200000, 256 * KIB, VSSD_DMA_READ | VSSD_DMA_WRITE, 0,
			 FUZZ_REMOTE_QUEUES / FUZZ_PAGE, true},
	[FUZZ_DATA] = {"data", DATA_IOVA, 1024 * KIB, VSSD_DMA_READ | VSSD_DMA_WRITE, 0, 0, false},
	[FUZZ_MORE] = {"more", DATA_IOVA + 1024 * KIB, 128 * KIB, VSSD_DMA_READ | VSSD_DMA_WRITE, 0, 0, false},
	[FUZZ_READONLY] = {"read-only", DATA_IOVA + 1152 * KIB, 64 * KIB, VSSD_DMA_READ, 0, UINT32_MAX, false},
	[FUZZ_WRITEONLY] = {"write-only", 0x50000000, 64 * KIB, VSSD_DMA_WRITE, 0, UINT32_MAX, false},
	[FUZZ_ODD] = {"odd", 0x60000000, 5000, VSSD_DMA_READ | VSSD_DMA_WRITE, 3192, UINT32_MAX, false},
	[FUZZ_SKEWED] = {"skewed", 0x60000000 + 5000, 24 * KIB, VSSD_DMA_READ | VSSD_DMA_WRITE, 1, UINT32_MAX, false},
	[FUZZ_TOP] = {"top", 0 - 8 * KIB, 8 * KIB, VSSD_DMA_READ | VSSD_DMA_WRITE, 0, UINT32_MAX, false},
};

static uint64_t pages_of(uint64_t size)
{
	return (size + FUZZ_PAGE - 1) / FUZZ_PAGE;
}

static uint64_t file_size(enum fuzz_region_id id)
{
	return pages_of(layout[id].size + layout[id].skew) * FUZZ_PAGE;
}

/* ---- the bus ---- */

static void count_interrupt(struct vssd_bus *bus)
{
	struct fuzz_memory *memory = (struct fuzz_memory *)bus;

	memory->interrupts++;
	if (memory->forbidden)
		fuzz_fail("an interrupt was raised while the controller must be quiet");
}

static bool bus_interrupt(struct vssd_bus *bus, uint16_t vector)
{
	count_interrupt(bus);
	if (vector >= VSSD_MSIX_VECTORS)
		fuzz_fail("interrupt vector %u was raised", vector);
	return true;
}

/* The bytes of an access by message, which must lie where such accesses are needed. */
static uint8_t *remote_at(struct fuzz_memory *memory, uint64_t iova, size_t length)
{
	struct fuzz_region *region = &memory->regions[FUZZ_REMOTE];
	uint64_t offset = iova - region->iova;

	if (memory->forbidden || !region->mapped || length == 0 || offset > region->size ||
	    length > region->size - offset) {
		fuzz_fail("an access by message to 0x%llx, %zu bytes", (unsigned long long)iova, length);
		return NULL;
	}
	if (memory->fail_one_in && (offset >= FUZZ_REMOTE_QUEUES || memory->fail_queues) &&
	    fuzz_one_in(memory->random, memory->fail_one_in)) {
		memory->failures++;
		return NULL;
	}
	return region->host + offset;
}

static int bus_read(struct vssd_bus *bus, uint64_t iova, void *data, size_t length)
{
	uint8_t *from = remote_at((struct fuzz_memory *)bus, iova, length);

	if (!from)
		return -EFAULT;
	memcpy(data, from, length);
	return 0;
}

static int bus_write(struct vssd_bus *bus, uint64_t iova, const void *data, size_t length)
{
	uint8_t *to = remote_at((struct fuzz_memory *)bus, iova, length);

	if (!to)
		return -EFAULT;
	memcpy(to, data, length);
	return 0;
}

static void bus_message(struct vssd_bus *bus, uint16_t message)
{
	count_interrupt(bus);
	if (message >= VSSD_MSI_VECTORS)
		fuzz_fail("message %u was sent", message);
}

static void bus_reset(struct vssd_bus *bus)
{
	(void)bus;
}

static void bus_mask(struct vssd_bus *bus, bool masked)
{
	(void)bus;
	(void)masked;
}

static bool bus_is_masked(struct vssd_bus *bus, uint16_t vector)
{
	(void)bus;
	(void)vector;
	return false;
}

static const struct vssd_bus_ops bus_ops = {
	.interrupt = bus_interrupt,
	.is_masked = bus_is_masked,
	.message = bus_message,
	.pin = count_interrupt,
	.mask = bus_mask,
	.reset = bus_reset,
	.read = bus_read,
	.write = bus_write,
};

/* ---- life ---- */

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static uint8_t *map_file(int fd, uint64_t size)
{
	uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

/* A page that nobody may touch on either side. */
static uint8_t *map_guarded(int fd, uint64_t size)
{
	uint8_t *space = mmap(NULL, size + 2 * FUZZ_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (space == MAP_FAILED ||
	    mmap(space + FUZZ_PAGE, size, PROT_NONE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		die("mmap");
	return space + FUZZ_PAGE;
}

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("calloc");
	return memory;
}

static void region_open(struct fuzz_region *region, enum fuzz_region_id id)
{
	uint64_t size = file_size(id), pages = pages_of(layout[id].size);
	int fd = memfd_create(layout[id].name, MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		die("memfd");
	*region = (struct fuzz_region){
		.iova = layout[id].iova,
		.size = layout[id].size,
		.host = map_file(fd, size) + layout[id].skew,
		.device = layout[id].remote ? NULL : map_guarded(fd, size) + layout[id].skew,
		.shadow = zeroed(layout[id].size, 1),
		.named = zeroed(pages, sizeof(*region->named)),
		.stale = zeroed(pages, sizeof(*region->stale)),
		.taken = zeroed(pages, sizeof(*region->taken)),
	};
	close(fd);
}

void fuzz_memory_open(struct fuzz_memory *memory, struct fuzz_random *random)
{
	*memory = (struct fuzz_memory){.bus.ops = &bus_ops, .random = random};
	for (enum fuzz_region_id id = 0; id < FUZZ_NUM_REGIONS; id++) {
		region_open(&memory->regions[id], id);
		fuzz_memory_map(memory, id);
	}
}

void fuzz_memory_close(struct fuzz_memory *memory)
{
	for (enum fuzz_region_id id = 0; id < FUZZ_NUM_REGIONS; id++) {
		struct fuzz_region *region = &memory->regions[id];

		munmap(region->host - layout[id].skew, file_size(id));
		if (region->device)
			munmap(region->device - layout[id].skew - FUZZ_PAGE, file_size(id) + 2 * FUZZ_PAGE);
		free(region->shadow);
		free(region->named);
		free(region->stale);
		free(region->taken);
	}
	vssd_dma_clear(&memory->bus.dma);
}

/* ---- the DMA map ---- */

static void protect(struct fuzz_memory *memory, enum fuzz_region_id id)
{
	struct fuzz_region *region = &memory->regions[id];
	int rights = (layout[id].flags & VSSD_DMA_READ ? PROT_READ : 0) |
		     (layout[id].flags & VSSD_DMA_WRITE ? PROT_WRITE : 0);

	if (!region->mapped || memory->forbidden)
		rights = PROT_NONE;
	if (region->device && mprotect(region->device - layout[id].skew, file_size(id), rights) < 0)
		die("mprotect");
}

void fuzz_memory_map(struct fuzz_memory *memory, enum fuzz_region_id id)
{
	struct fuzz_region *region = &memory->regions[id];

	if (region->mapped)
		return;
	if (vssd_dma_add(&memory->bus.dma, region->iova, region->size, region->device, layout[id].flags) != 0)
		fuzz_fail("the region %s cannot be mapped", layout[id].name);
	region->mapped = true;
	protect(memory, id);
}

void fuzz_memory_unmap(struct fuzz_memory *memory, enum fuzz_region_id id)
{
	struct fuzz_region *region = &memory->regions[id];
	uint64_t removed;

	if (!region->mapped)
		return;
	if (vssd_dma_remove(&memory->bus.dma, region->iova, region->size, &removed) != 0 || removed != region->size)
		fuzz_fail("the region %s cannot be unmapped", layout[id].name);
	region->mapped = false;
	protect(memory, id);
}

void fuzz_memory_forbid(struct fuzz_memory *memory, bool forbidden)
{
	if (memory->forbidden == forbidden)
		return;
	memory->forbidden = forbidden;
	for (enum fuzz_region_id id = 0; id < FUZZ_NUM_REGIONS; id++)
		protect(memory, id);
}

/* ---- the fuzzer's own accesses ---- */

static struct fuzz_region *region_at(struct fuzz_memory *memory, uint64_t iova)
{
	for (enum fuzz_region_id id = 0; id < FUZZ_NUM_REGIONS; id++)
		if (iova - memory->regions[id].iova < memory->regions[id].size)
			return &memory->regions[id];
	return NULL;
}

/* The region that holds iova, and how many of the length bytes are in it; without one, how many to skip. */
static struct fuzz_region *piece_at(struct fuzz_memory *memory, uint64_t iova, uint64_t length, uint64_t *piece)
{
	struct fuzz_region *region = region_at(memory, iova);
	uint64_t room = region ? region->size - (iova - region->iova) : FUZZ_PAGE - iova % FUZZ_PAGE;

	*piece = length < room ? length : room;
	return region;
}

uint8_t *fuzz_memory_at(struct fuzz_memory *memory, uint64_t iova, uint64_t length)
{
	uint64_t piece;
	struct fuzz_region *region = piece_at(memory, iova, length, &piece);

	return region && piece == length ? region->host + (iova - region->iova) : NULL;
}

void fuzz_memory_put(struct fuzz_memory *memory, uint64_t iova, const void *data, uint64_t length)
{
	const uint8_t *from = data;

	for (uint64_t piece; length > 0; iova += piece, from += piece, length -= piece) {
		struct fuzz_region *region = piece_at(memory, iova, length, &piece);

		if (!region)
			continue;
		memcpy(region->host + (iova - region->iova), from, piece);
		memcpy(region->shadow + (iova - region->iova), from, piece);
	}
}

void fuzz_memory_get(struct fuzz_memory *memory, uint64_t iova, void *data, uint64_t length)
{
	uint8_t *to = data;

	for (uint64_t piece; length > 0; iova += piece, to += piece, length -= piece) {
		struct fuzz_region *region = piece_at(memory, iova, length, &piece);

		if (region)
			memcpy(to, region->host + (iova - region->iova), piece);
		else
			memset(to, 0, piece);
	}
}

/* ---- what may change and what may not ---- */

void fuzz_memory_name(struct fuzz_memory *memory, uint64_t iova, uint64_t length, bool in_flight)
{
	for (uint64_t piece; length > 0; iova += piece, length -= piece) {
		struct fuzz_region *region = piece_at(memory, iova, length, &piece);
		uint64_t offset;

		if (!region)
			continue;
		offset = iova - region->iova;
		for (uint64_t page = offset / FUZZ_PAGE; page <= (offset + piece - 1) / FUZZ_PAGE; page++) {
			region->named[page] = (uint16_t)(region->named[page] + (in_flight ? 1 : -1));
			region->stale[page] = true;
		}
	}
}

void fuzz_memory_accept(struct fuzz_memory *memory, uint64_t iova, uint64_t length)
{
	for (uint64_t piece; length > 0; iova += piece, length -= piece) {
		struct fuzz_region *region = piece_at(memory, iova, length, &piece);

		if (region)
			memcpy(region->shadow + (iova - region->iova), region->host + (iova - region->iova), piece);
	}
}

bool fuzz_memory_is_untouched(struct fuzz_memory *memory, uint64_t iova, uint64_t length)
{
	for (uint64_t piece; length > 0; iova += piece, length -= piece) {
		struct fuzz_region *region = piece_at(memory, iova, length, &piece);

		if (region &&
		    memcmp(region->shadow + (iova - region->iova), region->host + (iova - region->iova), piece) != 0)
			return false;
	}
	return true;
}

static void report_change(const struct fuzz_region *region, enum fuzz_region_id id, uint64_t from)
{
	uint64_t offset = from;

	while (region->host[offset] == region->shadow[offset])
		offset++;
	fuzz_fail("the region %s changed at 0x%llx, where no command names it: %02x was %02x", layout[id].name,
		  (unsigned long long)(region->iova + offset), region->host[offset], region->shadow[offset]);
}

static void page_check(struct fuzz_memory *memory, enum fuzz_region_id id, uint64_t page)
{
	struct fuzz_region *region = &memory->regions[id];
	uint64_t offset = page * FUZZ_PAGE;
	uint64_t rest = region->size - offset;
	uint64_t length = rest < FUZZ_PAGE ? rest : FUZZ_PAGE;

	if (!region->named[page] && !region->stale[page] &&
	    memcmp(region->host + offset, region->shadow + offset, length) != 0)
		report_change(region, id, offset);
	memcpy(region->shadow + offset, region->host + offset, length);
	region->stale[page] = region->named[page] > 0;
}

void fuzz_memory_check(struct fuzz_memory *memory)
{
	for (enum fuzz_region_id id = 0; id < FUZZ_NUM_REGIONS; id++)
		for (uint64_t page = 0; page < pages_of(layout[id].size); page++)
			page_check(memory, id, page);
}

void fuzz_memory_adopt(struct fuzz_memory *memory)
{
	for (enum fuzz_region_id id = 0; id < FUZZ_NUM_REGIONS; id++) {
		struct fuzz_region *region = &memory->regions[id];
		uint64_t pages = pages_of(region->size);

		memcpy(region->shadow, region->host, region->size);
		memset(region->named, 0, pages * sizeof(*region->named));
		memset(region->stale, 0, pages * sizeof(*region->stale));
		memset(region->taken, 0, pages * sizeof(*region->taken));
	}
}

/* ---- pages for one command alone ---- */

static bool is_free(const struct fuzz_region *region, uint64_t first, uint64_t count)
{
	for (uint64_t page = first; page < first + count; page++)
		if (region->taken[page])
			return false;
	return true;
}

uint64_t fuzz_memory_alloc(struct fuzz_memory *memory, uint32_t size)
{
	static const enum fuzz_region_id pool[] = {FUZZ_DATA, FUZZ_DATA, FUZZ_DATA, FUZZ_MORE, FUZZ_REMOTE};
	uint64_t count = size / FUZZ_PAGE;

	for (int i = 0; i < TRIES; i++) {
		enum fuzz_region_id id = FUZZ_PICK(memory->random, pool);
		struct fuzz_region *region = &memory->regions[id];
		uint64_t chunks = (pages_of(region->size) - layout[id].pool) / count;
		uint64_t first = layout[id].pool + fuzz_below(memory->random, (uint32_t)chunks) * count;

		if (!region->mapped || !is_free(region, first, count))
			continue;
		memset(region->taken + first, true, count);
		return region->iova + first * FUZZ_PAGE;
	}
	return 0;
}

void fuzz_memory_free(struct fuzz_memory *memory, uint64_t iova, uint32_t size)
{
	struct fuzz_region *region = region_at(memory, iova);

	memset(region->taken + (iova - region->iova) / FUZZ_PAGE, false, size / FUZZ_PAGE);
}
