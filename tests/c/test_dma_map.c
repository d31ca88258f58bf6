/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: vssd/bus/dma.c vssd/bus/bus.c */
/* The map of host memory and copies through it, against a plain list of bytes. */
#include "tests/c/test.h"

#include <errno.h>

#include "vssd/bus/bus.h"

#define BOTH (VSSD_DMA_READ | VSSD_DMA_WRITE)

static uint8_t memory[1 << 16];

static struct vssd_dma_region region_at(struct vssd_dma_map *map, uint64_t iova)
{
	const struct vssd_dma_region *region = vssd_dma_find(map, iova);

	return region ? *region : (struct vssd_dma_region){0};
}

TEST(an_empty_map_holds_nothing)
{
	struct vssd_dma_map map = {0};
	uint64_t removed;

	CHECK(!vssd_dma_find(&map, 0));
	CHECK(!vssd_dma_pointer(&map, 0, 1, VSSD_DMA_READ));
	CHECK_EQ(vssd_dma_remove(&map, 0, 4096, &removed), 0);
	CHECK_EQ(removed, 0);
	vssd_dma_clear(&map);
}

TEST(what_is_added_is_found_from_its_first_to_its_last_byte)
{
	struct vssd_dma_map map = {0};

	CHECK_EQ(vssd_dma_add(&map, 0x5000, 0x1000, memory, BOTH), 0);
	CHECK(!vssd_dma_find(&map, 0x4fff));
	CHECK_EQ(region_at(&map, 0x5000).iova, 0x5000);
	CHECK_EQ(region_at(&map, 0x5fff).iova, 0x5000);
	CHECK(!vssd_dma_find(&map, 0x6000));
	CHECK(vssd_dma_pointer(&map, 0x5123, 1, VSSD_DMA_READ) == memory + 0x123);
	vssd_dma_clear(&map);
}

TEST(regions_are_kept_in_order_however_they_come)
{
	static const unsigned order[] = {5, 1, 9, 0, 7, 3, 8, 2, 6, 4};
	struct vssd_dma_map map = {0};

	for (unsigned i = 0; i < 10; i++)
		CHECK_EQ(vssd_dma_add(&map, order[i] * 0x1000u, 0x1000, memory + order[i] * 16, BOTH), 0);
	CHECK_EQ(map.count, 10);
	for (unsigned i = 0; i < 10; i++) {
		CHECK_EQ(map.regions[i].iova, i * 0x1000);
		CHECK(vssd_dma_pointer(&map, i * 0x1000 + 5, 1, BOTH) == memory + i * 16 + 5);
	}
	vssd_dma_clear(&map);
}

TEST(regions_never_overlap)
{
	struct vssd_dma_map map = {0};

	CHECK_EQ(vssd_dma_add(&map, 0x5000, 0x1000, memory, BOTH), 0);
	CHECK_EQ(vssd_dma_add(&map, 0x5000, 0x1000, memory, BOTH), -EEXIST);
	CHECK_EQ(vssd_dma_add(&map, 0x5fff, 1, memory, BOTH), -EEXIST);
	CHECK_EQ(vssd_dma_add(&map, 0x4fff, 2, memory, BOTH), -EEXIST);
	CHECK_EQ(vssd_dma_add(&map, 0, UINT64_MAX, memory, BOTH), -EEXIST);
	CHECK_EQ(vssd_dma_add(&map, 0x4000, 0x1000, memory, BOTH), 0);
	CHECK_EQ(vssd_dma_add(&map, 0x6000, 0x1000, memory, BOTH), 0);
	CHECK_EQ(map.count, 3);
	vssd_dma_clear(&map);
}

TEST(sizes_of_0_and_sums_that_wrap_are_refused)
{
	struct vssd_dma_map map = {0};

	CHECK_EQ(vssd_dma_add(&map, 0x1000, 0, memory, BOTH), -EINVAL);
	CHECK_EQ(vssd_dma_add(&map, 1, UINT64_MAX, memory, BOTH), 0);
	vssd_dma_clear(&map);
	CHECK_EQ(vssd_dma_add(&map, 2, UINT64_MAX, memory, BOTH), -EINVAL);
	CHECK_EQ(vssd_dma_add(&map, UINT64_MAX, 2, memory, BOTH), -EINVAL);
	CHECK_EQ(vssd_dma_add(&map, UINT64_MAX, 1, memory, BOTH), 0);
	CHECK(vssd_dma_pointer(&map, UINT64_MAX, 1, BOTH) == memory);
	CHECK(!vssd_dma_pointer(&map, UINT64_MAX, 2, BOTH));
	vssd_dma_clear(&map);
}

TEST(a_removal_takes_all_that_lies_wholly_within_and_tells_how_many_bytes)
{
	struct vssd_dma_map map = {0};
	uint64_t removed = 1;

	for (unsigned i = 1; i <= 6; i++)
		vssd_dma_add(&map, i * 0x1000u, 0x800, memory + i, BOTH);
	CHECK_EQ(vssd_dma_remove(&map, 0x2800, 0x800, &removed), 0);
	CHECK_EQ(removed, 0);
	CHECK_EQ(map.count, 6);
	CHECK_EQ(vssd_dma_remove(&map, 0x2000, 0x2800, &removed), 0);
	CHECK_EQ(removed, 3 * 0x800);
	CHECK_EQ(map.count, 3);
	CHECK_EQ(region_at(&map, 0x1000).iova, 0x1000);
	CHECK(!vssd_dma_find(&map, 0x2000));
	CHECK(!vssd_dma_find(&map, 0x4000));
	CHECK_EQ(region_at(&map, 0x5000).iova, 0x5000);
	CHECK_EQ(vssd_dma_remove(&map, 0x1000, UINT64_MAX - 0xfff, &removed), 0);
	CHECK_EQ(removed, 3 * 0x800);
	CHECK_EQ(map.count, 0);
	vssd_dma_clear(&map);
}

TEST(a_removal_starts_and_ends_at_a_page_or_at_a_region)
{
	static const struct {
		uint64_t iova, size;
	} odd[] = {{0x900, 0x1700}, {0x800, 0x100},  {0x3000, 0x801}, {0x2fff, 0x1001}, {0x3004, 0xffc},
		   {0, UINT64_MAX}, {1, UINT64_MAX}, {0x1400, 0xc01}, {0xfff, 0x1001},  {0x8001, 0x1000}};
	struct vssd_dma_map map = {0};
	uint64_t removed;

	vssd_dma_add(&map, 0x1400, 0xc00, memory, BOTH);
	vssd_dma_add(&map, 0x2200, 0x100, memory, BOTH);
	for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		CHECK_EQ(vssd_dma_remove(&map, odd[i].iova, odd[i].size, &removed), -EINVAL);
	CHECK_EQ(map.count, 2);
	CHECK_EQ(vssd_dma_remove(&map, 0x1400, 0xf00, &removed), 0);
	CHECK_EQ(removed, 0xd00);
	vssd_dma_clear(&map);
}

TEST(a_removal_that_cuts_a_region_takes_nothing)
{
	static const struct {
		uint64_t iova, size;
	} cuts[] = {{0x1000, 0xfff},  {0x1001, 0xfff}, {0x1800, 1},       {0, 0x1001},
		    {0x1fff, 0x4001}, {0, 0x5001},     {0x1001, 0x10000}, {0x1001, UINT64_MAX - 0x1000}};
	struct vssd_dma_map map = {0};
	uint64_t removed;

	vssd_dma_add(&map, 0x1000, 0x1000, memory, BOTH);
	vssd_dma_add(&map, 0x3000, 0x1000, memory, BOTH);
	vssd_dma_add(&map, 0x5000, 0x1000, memory, BOTH);
	for (unsigned i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		CHECK_EQ(vssd_dma_remove(&map, cuts[i].iova, cuts[i].size, &removed), -EINVAL);
	CHECK_EQ(vssd_dma_remove(&map, 0x1000, 0, &removed), -EINVAL);
	CHECK_EQ(vssd_dma_remove(&map, 0x1000, UINT64_MAX, &removed), -EINVAL);
	CHECK_EQ(map.count, 3);
	vssd_dma_clear(&map);
}

TEST(a_removal_reaches_the_last_byte)
{
	struct vssd_dma_map map = {0};
	uint64_t removed;

	vssd_dma_add(&map, UINT64_MAX - 0xfff, 0x1000, memory, BOTH);
	CHECK_EQ(vssd_dma_remove(&map, UINT64_MAX, 1, &removed), -EINVAL);
	CHECK_EQ(vssd_dma_remove(&map, UINT64_MAX - 0x1fff, 0x2000, &removed), 0);
	CHECK_EQ(removed, 0x1000);
	vssd_dma_clear(&map);
}

TEST(every_change_makes_a_new_generation)
{
	struct vssd_dma_map map = {0};
	uint64_t removed;
	uint64_t generation = map.generation;

	vssd_dma_add(&map, 0, 0x1000, memory, BOTH);
	CHECK(map.generation > generation);
	generation = map.generation;
	vssd_dma_remove(&map, 0, 0x1000, &removed);
	CHECK(map.generation > generation);
	generation = map.generation;
	vssd_dma_clear(&map);
	CHECK(map.generation > generation);
}

TEST(a_pointer_lies_in_one_region_with_the_flags)
{
	struct vssd_dma_map map = {0};

	vssd_dma_add(&map, 0x1000, 0x1000, memory, VSSD_DMA_READ);
	vssd_dma_add(&map, 0x2000, 0x1000, memory + 0x1000, BOTH);
	vssd_dma_add(&map, 0x3000, 0x1000, NULL, BOTH);
	CHECK(vssd_dma_pointer(&map, 0x1000, 0x1000, VSSD_DMA_READ) == memory);
	CHECK(!vssd_dma_pointer(&map, 0x1000, 0x1001, VSSD_DMA_READ));
	CHECK(!vssd_dma_pointer(&map, 0x1fff, 2, VSSD_DMA_READ));
	CHECK(!vssd_dma_pointer(&map, 0x1000, UINT64_MAX, VSSD_DMA_READ));
	CHECK(!vssd_dma_pointer(&map, 0x1000, 1, VSSD_DMA_WRITE));
	CHECK(!vssd_dma_pointer(&map, 0x1000, 1, BOTH));
	CHECK(vssd_dma_pointer(&map, 0x2fff, 1, BOTH) == memory + 0x1fff);
	CHECK(!vssd_dma_pointer(&map, 0x3000, 1, VSSD_DMA_READ));
	vssd_dma_clear(&map);
}

TEST(the_last_translation_does_not_outlive_its_region)
{
	struct vssd_dma_map map = {0};
	uint64_t removed;

	vssd_dma_add(&map, 0x1000, 0x1000, memory, BOTH);
	vssd_dma_add(&map, 0x2000, 0x1000, memory + 0x1000, BOTH);
	CHECK(vssd_dma_pointer(&map, 0x2000, 1, BOTH) == memory + 0x1000);
	vssd_dma_remove(&map, 0x1000, 0x1000, &removed);
	CHECK(vssd_dma_pointer(&map, 0x2000, 1, BOTH) == memory + 0x1000);
	CHECK(!vssd_dma_pointer(&map, 0x1000, 1, BOTH));
	vssd_dma_remove(&map, 0x2000, 0x1000, &removed);
	CHECK(!vssd_dma_pointer(&map, 0x2000, 1, BOTH));
	vssd_dma_clear(&map);
}

TEST(there_is_an_end_to_how_many_regions_a_client_may_map)
{
	struct vssd_dma_map map = {0};
	uint64_t count = 0;
	int err;

	do
		err = vssd_dma_add(&map, count * 0x2000, 0x1000, memory, BOTH);
	while (!err && ++count < 100000);
	CHECK_EQ(err, -ENOSPC);
	CHECK(count >= 10000);
	CHECK_EQ(region_at(&map, (count - 1) * 0x2000).size, 0x1000);
	vssd_dma_clear(&map);
}

/* A bus whose messages reach another array. */
static uint8_t remote[0x1000];
static uint64_t refused_at;

static int remote_read(struct vssd_bus *bus, uint64_t iova, void *data, size_t length)
{
	(void)bus;
	if (refused_at && iova + length > refused_at)
		return -EFAULT;
	memcpy(data, remote + (iova & 0xfff), length);
	return 0;
}

static int remote_write(struct vssd_bus *bus, uint64_t iova, const void *data, size_t length)
{
	(void)bus;
	if (refused_at && iova + length > refused_at)
		return -EFAULT;
	memcpy(remote + (iova & 0xfff), data, length);
	return 0;
}

static const struct vssd_bus_ops ops = {.read = remote_read, .write = remote_write};

TEST(a_copy_crosses_regions_and_takes_either_way)
{
	struct vssd_bus bus = {.ops = &ops};
	uint8_t written[0x1800], found[0x1800];

	refused_at = 0;
	for (size_t i = 0; i < sizeof(written); i++)
		written[i] = (uint8_t)(i * 7 + 1);
	vssd_dma_add(&bus.dma, 0x10000, 0x800, memory + 0x4000, BOTH);
	vssd_dma_add(&bus.dma, 0x10800, 0x800, NULL, BOTH);
	vssd_dma_add(&bus.dma, 0x11000, 0x800, memory, BOTH);
	CHECK_EQ(vssd_bus_write(&bus, 0x10000, written, sizeof(written)), 0);
	CHECK_MEM(memory + 0x4000, written, 0x800);
	CHECK_MEM(remote + 0x800, written + 0x800, 0x800);
	CHECK_MEM(memory, written + 0x1000, 0x800);
	CHECK_EQ(vssd_bus_read(&bus, 0x10000, found, sizeof(found)), 0);
	CHECK_MEM(found, written, sizeof(written));
	vssd_dma_clear(&bus.dma);
}

TEST(a_copy_ends_where_nothing_is_mapped_or_allowed_or_answered)
{
	struct vssd_bus bus = {.ops = &ops};
	uint8_t data[0x1000] = {0};

	refused_at = 0;
	vssd_dma_add(&bus.dma, 0x10000, 0x800, memory, VSSD_DMA_READ);
	vssd_dma_add(&bus.dma, 0x10800, 0x400, NULL, VSSD_DMA_WRITE);
	CHECK_EQ(vssd_bus_read(&bus, 0xffff, data, 1), -EFAULT);
	CHECK_EQ(vssd_bus_read(&bus, 0xffff, data, 2), -EFAULT);
	CHECK_EQ(vssd_bus_read(&bus, 0x10000, data, 0x800), 0);
	CHECK_EQ(vssd_bus_read(&bus, 0x10000, data, 0x801), -EFAULT);
	CHECK_EQ(vssd_bus_write(&bus, 0x10000, data, 1), -EFAULT);
	CHECK_EQ(vssd_bus_write(&bus, 0x10800, data, 0x400), 0);
	CHECK_EQ(vssd_bus_write(&bus, 0x10800, data, 0x401), -EFAULT);
	refused_at = 0x10900;
	CHECK_EQ(vssd_bus_write(&bus, 0x10800, data, 0x101), -EFAULT);
	CHECK_EQ(vssd_bus_read(&bus, 0x20000, data, 0), 0);
	vssd_dma_clear(&bus.dma);
}

TEST(copies_through_any_map_match_a_plain_array)
{
	static uint8_t plain[1 << 16], data[1 << 12];
	struct vssd_bus bus = {.ops = &ops};
	uint32_t random = 1;

	refused_at = 0;
	memset(memory, 0, sizeof(memory));
	for (uint64_t at = 0; at < sizeof(memory);) {
		uint64_t size = 1 + (random = random * 1664525 + 1013904223) % 5000;

		size = size < sizeof(memory) - at ? size : sizeof(memory) - at;
		vssd_dma_add(&bus.dma, 0x7f0000000000 + at, size, memory + at, BOTH);
		at += size;
	}
	for (unsigned i = 0; i < 20000; i++) {
		size_t at = (random = random * 1664525 + 1013904223) >> 16;
		size_t size = (random = random * 1664525 + 1013904223) % sizeof(data);

		size = size < sizeof(memory) - at ? size : sizeof(memory) - at;
		memset(data, (int)i, size);
		memset(plain + at, (int)i, size);
		if (vssd_bus_write(&bus, 0x7f0000000000 + at, data, size) != 0)
			CHECK(!"a copy failed");
	}
	CHECK_MEM(memory, plain, sizeof(plain));
	vssd_dma_clear(&bus.dma);
}
