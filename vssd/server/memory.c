/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_SIZE_MIN 4096u

/* Clients may send the flags of a proposed extension for the kind of access; they have no effect here. */
#define MAP_FLAGS_KNOWN 0x0fu

static struct vssd_memory *the_memories;

static struct vssd_mapping *mapping_at(const struct vssd_memory *memory, const uint8_t *address)
{
	for (size_t i = 0; i < memory->count; i++)
		if ((size_t)(address - memory->mappings[i].base) < memory->mappings[i].length)
			return &memory->mappings[i];
	return NULL;
}

static struct vssd_memory *memory_at(const uint8_t *address)
{
	struct vssd_memory *memory = the_memories;

	while (memory && !mapping_at(memory, address))
		memory = memory->next;
	return memory;
}

/*
 * Replace the whole mapping, because pages of hugetlbfs cannot be replaced one by one. A fault at any other address
 * is a bug in this program: restore the default action, so that the fault repeats and leaves a core.
 */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
	struct vssd_memory *memory = memory_at(info->si_addr);
	struct vssd_mapping *mapping = memory ? mapping_at(memory, info->si_addr) : NULL;

	(void)context;
	if (!mapping || mmap(mapping->base, mapping->length, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
		signal(number, SIG_DFL);
		return;
	}
	memory->taken_away = 1;
}

void vssd_memory_init(struct vssd_memory *memory, struct vssd_dma_map *dma)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};

	memset(memory, 0, sizeof(*memory));
	memory->dma = dma;
	memory->next = the_memories;
	the_memories = memory;
	sigaction(SIGBUS, &action, NULL);
}

void vssd_memory_deinit(struct vssd_memory *memory)
{
	struct vssd_memory **link = &the_memories;

	vssd_memory_unmap_all(memory);
	while (*link != memory)
		link = &(*link)->next;
	*link = memory->next;
}

static bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* Whether this is a regular file that contains the whole range. */
static bool file_holds(const struct stat *file, uint64_t offset, uint64_t size)
{
	return S_ISREG(file->st_mode) && file->st_size >= 0 && offset <= (uint64_t)file->st_size &&
	       size <= (uint64_t)file->st_size - offset;
}

static bool map_is_valid(const struct vfu_dma_map *request)
{
	return request->argsz >= sizeof(*request) && !(request->flags & ~MAP_FLAGS_KNOWN) && request->size > 0 &&
	       request->address + (request->size - 1) >= request->address;
}

static bool unmap_is_valid(const struct vfu_dma_unmap *request)
{
	if (request->argsz < sizeof(*request) || request->flags & ~VFU_DMA_UNMAP_ALL)
		return false;
	return !(request->flags & VFU_DMA_UNMAP_ALL) || (request->address == 0 && request->size == 0);
}

static int reserve(struct vssd_memory *memory)
{
	size_t capacity = memory->capacity ? memory->capacity * 2 : 16;
	struct vssd_mapping *mappings;

	if (memory->count < memory->capacity)
		return 0;
	mappings = realloc(memory->mappings, capacity * sizeof(*mappings));
	if (!mappings)
		return -ENOMEM;
	memory->mappings = mappings;
	memory->capacity = capacity;
	return 0;
}

/* Map the part of the file that the request names. *start: its first byte. */
static int map_file(const struct vfu_dma_map *request, int fd, struct vssd_mapping *mapping, uint8_t **start)
{
	int protection = (request->flags & VFU_DMA_READABLE ? PROT_READ : 0) |
			 (request->flags & VFU_DMA_WRITEABLE ? PROT_WRITE : 0);
	uint64_t block, before;
	struct stat file;
	void *base;

	if (fstat(fd, &file) != 0)
		return -errno;
	if (!file_holds(&file, request->offset, request->size))
		return -EINVAL;

	/* Files of hugetlbfs must be mapped in whole huge pages, whose size is the block size. */
	block = file.st_blksize > PAGE_SIZE_MIN && is_power_of_two((uint64_t)file.st_blksize)
			? (uint64_t)file.st_blksize
			: PAGE_SIZE_MIN;
	before = request->offset & (block - 1);
	mapping->iova = request->address;
	mapping->length = (before + request->size + block - 1) & ~(block - 1);
	base = mmap(NULL, mapping->length, protection, MAP_SHARED | MAP_NORESERVE, fd,
		    (off_t)(request->offset - before));
	if (base == MAP_FAILED)
		return -errno;
	mapping->base = base;
	*start = mapping->base + before;
	return 0;
}

int vssd_memory_map(struct vssd_memory *memory, const struct vfu_dma_map *request, int fd)
{
	struct vssd_mapping mapping = {0};
	uint8_t *start = NULL;
	uint32_t flags = 0;
	int err;

	if (!map_is_valid(request))
		return -EINVAL;
	if (request->flags & VFU_DMA_READABLE)
		flags |= VSSD_DMA_READ;
	if (request->flags & VFU_DMA_WRITEABLE)
		flags |= VSSD_DMA_WRITE;

	err = reserve(memory);
	if (!err && fd >= 0)
		err = map_file(request, fd, &mapping, &start);
	if (err)
		return err;
	err = vssd_dma_add(memory->dma, request->address, request->size, start, flags);
	if (err) {
		if (start)
			munmap(mapping.base, mapping.length);
		return err;
	}
	if (start)
		memory->mappings[memory->count++] = mapping;
	return 0;
}

/* Unmap the files of all regions that start within the range. */
static void unmap_files(struct vssd_memory *memory, uint64_t iova, uint64_t size)
{
	size_t kept = 0;

	for (size_t i = 0; i < memory->count; i++) {
		struct vssd_mapping mapping = memory->mappings[i];

		if (mapping.iova - iova < size)
			munmap(mapping.base, mapping.length);
		else
			memory->mappings[kept++] = mapping;
	}
	memory->count = kept;
}

int vssd_memory_unmap(struct vssd_memory *memory, struct vfu_dma_unmap *request)
{
	uint64_t removed;
	int err;

	if (!unmap_is_valid(request))
		return -EINVAL;
	if (request->flags & VFU_DMA_UNMAP_ALL) {
		vssd_memory_unmap_all(memory);
		return 0;
	}
	err = vssd_dma_remove(memory->dma, request->address, request->size, &removed);
	if (err)
		return err;
	if (removed > 0)
		unmap_files(memory, request->address, request->size);
	request->size = removed;
	return 0;
}

void vssd_memory_unmap_all(struct vssd_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++)
		munmap(memory->mappings[i].base, memory->mappings[i].length);
	free(memory->mappings);
	memory->mappings = NULL;
	memory->count = memory->capacity = 0;
	vssd_dma_clear(memory->dma);
	memory->taken_away = 0;
}
