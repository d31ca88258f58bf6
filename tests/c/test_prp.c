/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/nvme/prp.c */
#include "core/nvme/prp.h"
#include "tests/c/test.h"

#define MAX_PAGES 130
#define LAST (PYN_PRP_ENTRIES - 1)
#define GUARD UINT64_C(0xdeadbeefdeadbeef)

/* A list is only ever read through its addresses, so that it need not be DMA memory here. */
static uint64_t the_first[PYN_PRP_ENTRIES] __attribute__((aligned(PYN_PRP_PAGE)));
static uint64_t the_more[MAX_PAGES * PYN_PRP_ENTRIES] __attribute__((aligned(PYN_PRP_PAGE)));

/* Nothing of its own, or a piece that begins in the middle of things. */
static struct pyn_dma_view the_view;
#define WINDOW UINT64_C(0x102000000)

/* The address that a byte has for the device. */
static uint64_t seen(uint64_t address)
{
	uint64_t at = address - (uint64_t)(uintptr_t)the_view.window;

	if (at < the_view.window_size)
		return WINDOW * 16 + at;
	return the_view.physical ? pyn_dma_physical((const void *)(uintptr_t)address) : address;
}

/* A machine in which neighbouring pages are not neighbours; applied twice it is undone. */
uint64_t pyn_dma_physical(const void *memory)
{
	uint64_t address = (uint64_t)(uintptr_t)memory;

	return address ^ (address >> 12 & 1 ? UINT64_C(0x5a5) << 48 : UINT64_C(0xa5a) << 48);
}

static const uint64_t *list_at(uint64_t address)
{
	return (const uint64_t *)(uintptr_t)(the_view.physical ? pyn_dma_physical((void *)address) : address);
}

/* A small generator, so that a failure can be repeated. */
static uint64_t some(uint64_t below)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

/*
 * What a controller makes of it, straight from the specification: PRP 1 up to the end of its page; of more than two
 * pages PRP 2 names a list, whose last entry leads on where more entries are needed than are left on the page. Counts
 * the pages of list that it went through; false: an address is not where the next byte has to be.
 */
static bool walk(uint64_t prp1, uint64_t prp2, uint64_t iova, uint64_t length, size_t *list_pages)
{
	uint64_t done = PYN_PRP_PAGE - iova % PYN_PRP_PAGE;
	const uint64_t *list;

	*list_pages = 0;
	if (prp1 != seen(iova))
		return false;
	if (done >= length)
		return prp2 == 0;
	if (length - done <= PYN_PRP_PAGE)
		return prp2 == seen(iova + done);
	list = list_at(prp2);
	*list_pages = 1;
	for (size_t at = 0; done < length; done += PYN_PRP_PAGE) {
		if (at == LAST && length - done > PYN_PRP_PAGE) {
			if (list[at] % PYN_PRP_PAGE)
				return false;
			list = list_at(list[at]);
			(*list_pages)++;
			at = 0;
		}
		if (list[at++] != seen(iova + done))
			return false;
	}
	return true;
}

static void check(uint64_t iova, uint32_t length)
{
	size_t expected = pyn_prp_list_pages((uint32_t)(iova % PYN_PRP_PAGE), length), pages;
	uint64_t prp1 = GUARD, prp2 = GUARD;

	if (!CHECK(expected <= MAX_PAGES))
		return;
	the_more[expected > 1 ? (expected - 1) * PYN_PRP_ENTRIES : 0] = GUARD;
	pyn_prp_build(&the_view, (const void *)(uintptr_t)iova, length, the_first, expected > 1 ? the_more : NULL,
		      &prp1, &prp2);
	if (!CHECK(walk(prp1, prp2, iova, length, &pages)) || !CHECK_EQ(pages, expected))
		printf("    %u bytes at %#llx\n", length, (unsigned long long)iova);
	CHECK_EQ(the_more[expected > 1 ? (expected - 1) * PYN_PRP_ENTRIES : 0], GUARD);
}

TEST(a_transfer_within_a_page_needs_prp_1_only)
{
	check(0x10000, 1);
	check(0x10000, 4096);
	check(0x10e00, 512);
	check(0x10fff, 1);
}

TEST(two_pages_need_no_list)
{
	CHECK_EQ(pyn_prp_list_pages(0, 8192), 0);
	CHECK_EQ(pyn_prp_list_pages(4, 4096), 0);
	CHECK_EQ(pyn_prp_list_pages(4, 8192), 1);
	check(0x10000, 8192);
	check(0x10004, 4096);
	check(0x10004, 8192);
}

TEST(a_page_of_list_holds_512_entries_and_no_pointer_where_that_is_enough)
{
	/* PRP 1 and 512 entries: 2 MiB and 4 KiB. */
	CHECK_EQ(pyn_prp_list_pages(0, 513 * 4096), 1);
	CHECK_EQ(pyn_prp_list_pages(0, 513 * 4096 + 1), 2);
	check(0x200000, 512 * 4096);
	check(0x200000, 513 * 4096);
	check(0x200000, 513 * 4096 + 1);
	check(0x200800, 513 * 4096);
}

TEST(lists_of_several_pages_are_chained_by_their_last_entries)
{
	/* PRP 1, pages of 511 entries and a pointer, and one of 512. */
	CHECK_EQ(pyn_prp_list_pages(0, (1 + 511 + 512) * 4096), 2);
	CHECK_EQ(pyn_prp_list_pages(0, (1 + 511 + 512) * 4096 + 1), 3);
	CHECK_EQ(pyn_prp_list_pages(0, (1 + 511 + 511 + 512) * 4096), 3);
	check(0x200000, (1 + 511 + 512) * 4096);
	check(0x200000, (1 + 511 + 512) * 4096 + 1);
	check(0x200000, (1 + 511 + 511 + 512) * 4096);
	check(0x200000, (1 + 511 + 511 + 512) * 4096 + 1);
}

TEST(the_largest_transfer_at_any_offset_is_described)
{
	check(UINT64_C(0x7f0000000000), PYN_PRP_MAX_BYTES);
	check(UINT64_C(0x7f0000000004), PYN_PRP_MAX_BYTES);
	check(UINT64_C(0x7f0000000fff), PYN_PRP_MAX_BYTES);
}

TEST(random_transfers_are_what_a_controller_walks)
{
	for (int i = 0; i < 20000; i++)
		check(UINT64_C(0x100000000) + some(1 << 20), 1 + (uint32_t)some(some(2) ? 65536 : 3 << 20));
	for (int i = 0; i < 200; i++)
		check(UINT64_C(0x100000000) + some(1 << 20), 1 + (uint32_t)some(PYN_PRP_MAX_BYTES));
}

TEST(memory_of_the_devices_own_has_the_devices_addresses)
{
	the_view = (struct pyn_dma_view){
		.window = (const uint8_t *)(uintptr_t)WINDOW,
		.window_size = 1 << 20,
		.window_address = WINDOW * 16,
	};
	check(WINDOW, 4096);
	check(WINDOW + 4, 8192);
	check(WINDOW + (1 << 20) - 512, 512);
	/* Into it, out of it, and around it. */
	check(WINDOW - 4096, 8192);
	check(WINDOW + (1 << 20) - 4096, 3 * 4096);
	for (int i = 0; i < 20000; i++)
		check(WINDOW - (1 << 20) + some(3 << 20), 1 + (uint32_t)some(some(2) ? 65536 : 3 << 20));
	the_view = (struct pyn_dma_view){0};
}

TEST(without_an_iommu_each_page_has_an_address_of_its_own)
{
	the_view = (struct pyn_dma_view){.physical = true};
	check(0x10000, 4096);
	check(0x10004, 8192);
	check(0x200000, 513 * 4096 + 1);
	check(0x200000, (1 + 511 + 511 + 512) * 4096 + 1);
	for (int i = 0; i < 20000; i++)
		check(UINT64_C(0x100000000) + some(1 << 20), 1 + (uint32_t)some(some(2) ? 65536 : 3 << 20));
	the_view = (struct pyn_dma_view){0};
}

TEST(a_short_list_leaves_nothing_of_a_long_one_behind_it)
{
	uint64_t prp1, prp2;

	for (uint32_t pages = 600; pages > 2; pages -= pages > 70 ? 61 : 1) {
		pyn_prp_build(&the_view, (const void *)0x200000, pages * 4096, the_first, the_more, &prp1, &prp2);
		for (uint32_t i = pages - 1; i < PYN_PRP_ENTRIES; i++)
			CHECK_EQ(the_first[i], 0);
	}
}
