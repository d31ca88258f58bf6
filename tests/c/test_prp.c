/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/nvme/prp.c */
#include "core/nvme/prp.h"
#include "tests/c/test.h"

#define MAX_PAGES 130
#define SMALL 4096u
#define LARGEST 65536u /* memory page that is tried */
#define GUARD UINT64_C(0xdeadbeefdeadbeef)

/* A list is only ever read through its addresses, so that it need not be DMA memory here. */
static struct pyn_iova the_first[PYN_PRP_ENTRIES(LARGEST)] __attribute__((aligned(LARGEST)));
static struct pyn_iova the_more[MAX_PAGES * PYN_PRP_ENTRIES(SMALL)] __attribute__((aligned(LARGEST)));

/* Nothing of its own, or a piece that begins in the middle of things. */
static struct pyn_dma_view the_view;
#define WINDOW UINT64_C(0x102000000)

/* The memory page of the device, and what its list holds. */
static uint32_t page_size(void)
{
	return pyn_dma_view_page(&the_view);
}

static uint32_t last_entry(void)
{
	return PYN_PRP_ENTRIES(page_size()) - 1;
}

/* The address that a byte has for the device. */
static uint64_t seen(uint64_t address)
{
	uint64_t at = address - (uint64_t)(uintptr_t)the_view.window;

	if (at < the_view.window_size)
		return WINDOW * 16 + at;
	return the_view.physical ? pyn_dma_physical((const void *)(uintptr_t)address).value : address;
}

/* A machine in which neighbouring pages are not neighbours; applied twice it is undone. */
struct pyn_iova pyn_dma_physical(const void *memory)
{
	uint64_t address = (uint64_t)(uintptr_t)memory;

	return (struct pyn_iova){address ^ (address >> 12 & 1 ? UINT64_C(0x5a5) << 48 : UINT64_C(0xa5a) << 48)};
}

static const uint64_t *list_at(uint64_t address)
{
	return (const uint64_t *)(uintptr_t)(the_view.physical ? pyn_dma_physical((void *)address).value : address);
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

/* The transfer at hand: the first length bytes at iova, and then the spare page. */
static struct {
	uint64_t iova, length, transfer;
} the_case;

#define SPARE UINT64_C(0x50000)

/* Whether an entry of a list, or a PRP, is where the byte after the first done ones has to be. */
static bool is_there(uint64_t address, uint64_t done)
{
	uint64_t at = the_case.iova + done;

	if (at - (done ? at % page_size() : 0) < the_case.iova + the_case.length)
		return address == seen(at);
	return address == seen(SPARE) + (done ? 0 : the_case.iova % page_size());
}

/*
 * What a controller makes of it, straight from the specification: PRP 1 up to the end of its page; of more than two
 * pages PRP 2 names a list, whose last entry leads on where more entries are needed than are left on the page. Counts
 * the pages of list that it went through; false: an address is not where the next byte has to be.
 */
static bool walk(uint64_t prp1, uint64_t prp2, size_t *list_pages)
{
	uint64_t done = page_size() - the_case.iova % page_size(), length = the_case.transfer;
	const uint64_t *list;

	*list_pages = 0;
	if (!is_there(prp1, 0))
		return false;
	if (done >= length)
		return prp2 == 0;
	if (length - done <= page_size())
		return is_there(prp2, done);
	list = list_at(prp2);
	*list_pages = 1;
	for (size_t at = 0; done < length; done += page_size()) {
		if (at == last_entry() && length - done > page_size()) {
			if (list[at] % page_size())
				return false;
			list = list_at(list[at]);
			(*list_pages)++;
			at = 0;
		}
		/* A page that leads back to itself ends with its own address: of the command's own memory, but never
		 * in place of the script's. */
		bool own = at == last_entry() && done >= the_case.length && list == list_at(list[at]);

		if (!is_there(list[at], done) && !own)
			return false;
		at++;
	}
	return true;
}

/* length bytes of which the device transfers so many. */
static void check_more(uint64_t iova, uint32_t length, uint64_t transfer)
{
	struct pyn_data data = {
		.address = (void *)(uintptr_t)iova, .length = length, .transfer = transfer > length ? transfer : 0};
	size_t expected = pyn_prp_list_pages(&the_view, &data), pages;
	struct pyn_prps prps;

	if (!CHECK(expected <= MAX_PAGES))
		return;
	the_case.iova = iova;
	the_case.length = length;
	the_case.transfer = transfer;
	the_more[expected > 1 ? (expected - 1) * PYN_PRP_ENTRIES(page_size()) : 0].value = GUARD;
	prps = pyn_prp_build(&the_view, &data, (const void *)SPARE, the_first, expected > 1 ? the_more : NULL);
	if (!CHECK(walk(prps.first.value, prps.second.value, &pages)) ||
	    !CHECK(transfer == length ? pages == expected : pages >= expected))
		printf("    %u bytes at %#llx, of which %llu are transferred\n", length, (unsigned long long)iova,
		       (unsigned long long)transfer);
	CHECK_EQ(the_more[expected > 1 ? (expected - 1) * PYN_PRP_ENTRIES(page_size()) : 0].value, GUARD);
}

static void check(uint64_t iova, uint32_t length)
{
	check_more(iova, length, length);
}

static size_t list_pages(uint32_t offset, uint32_t length)
{
	const struct pyn_data data = {.address = (void *)(uintptr_t)(0x10000 + offset), .length = length};

	return pyn_prp_list_pages(&the_view, &data);
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
	CHECK_EQ(list_pages(0, 8192), 0);
	CHECK_EQ(list_pages(4, 4096), 0);
	CHECK_EQ(list_pages(4, 8192), 1);
	check(0x10000, 8192);
	check(0x10004, 4096);
	check(0x10004, 8192);
}

TEST(a_page_of_list_holds_512_entries_and_no_pointer_where_that_is_enough)
{
	/* PRP 1 and 512 entries: 2 MiB and 4 KiB. */
	CHECK_EQ(list_pages(0, 513 * 4096), 1);
	CHECK_EQ(list_pages(0, 513 * 4096 + 1), 2);
	check(0x200000, 512 * 4096);
	check(0x200000, 513 * 4096);
	check(0x200000, 513 * 4096 + 1);
	check(0x200800, 513 * 4096);
}

TEST(lists_of_several_pages_are_chained_by_their_last_entries)
{
	/* PRP 1, pages of 511 entries and a pointer, and one of 512. */
	CHECK_EQ(list_pages(0, (1 + 511 + 512) * 4096), 2);
	CHECK_EQ(list_pages(0, (1 + 511 + 512) * 4096 + 1), 3);
	CHECK_EQ(list_pages(0, (1 + 511 + 511 + 512) * 4096), 3);
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

TEST(larger_memory_pages_are_described_as_small_ones_are)
{
	for (uint8_t mps = 1; mps <= 4; mps++) {
		the_view.mps = mps;
		check(0x1000000, page_size());
		check(0x1000000 + page_size() - 512, 512);
		check(0x1001000, page_size());
		check(0x1000000, 2 * page_size());
		check(0x1000004, 2 * page_size());
		check(0x1000000, PYN_PRP_MAX_BYTES);
		check(0x1000ffc, PYN_PRP_MAX_BYTES);
		check_more(0x1000000, 512, 3 * page_size());
		check_more(0x1000e00, 0, 5 * page_size());
		for (int i = 0; i < 2000; i++)
			check(UINT64_C(0x100000000) + some(1 << 20), 1 + (uint32_t)some(some(2) ? 65536 : 3 << 20));
	}
	/* The largest one needs a page of list from 3 pages on, which holds any transfer. */
	CHECK_EQ(list_pages(0, 2 * 65536), 0);
	CHECK_EQ(list_pages(0, 2 * 65536 + 1), 1);
	CHECK_EQ(list_pages(0, PYN_PRP_MAX_BYTES), 1);
	the_view.mps = 0;
}

TEST(what_is_transferred_beyond_the_data_goes_to_a_spare_page)
{
	check_more(0x10000, 512, 4096);
	check_more(0x10000, 512, 8192);
	check_more(0x10004, 4096, 8192);
	check_more(0x10e00, 512, 128 << 10);
	check_more(0x10000, 8192, 12288);
	check_more(0x10000, 8192, 4 << 20);
	check_more(0x200000, 513 * 4096, 514 * 4096);
	check_more(0x200000, 512 * 4096, 513 * 4096);
}

TEST(without_data_all_of_it_goes_there_and_the_offset_stays)
{
	check_more(0x10000, 0, 512);
	check_more(0x10002, 0, 4096);
	check_more(0x10e00, 0, 1024);
	check_more(0x10e00, 0, 1 << 20);
}

TEST(however_much_is_transferred_it_takes_one_page_of_list_more)
{
	const struct pyn_data little = {.address = (void *)0x10000, .length = 4096, .transfer = UINT64_C(16) << 30},
			      much = {.address = (void *)0x10000, .length = 4 << 20, .transfer = UINT64_C(16) << 30};

	CHECK_EQ(pyn_prp_list_pages(&the_view, &little), 1);
	CHECK_EQ(pyn_prp_list_pages(&the_view, &much), 4);
	check_more(0x10000, 4096, UINT64_C(1) << 30);
	check_more(0x10004, 4 << 20, UINT64_C(1) << 30);
	/* 512 entries are left for the last round: its last one is no pointer then. */
	check_more(0x10000, 4096, (1 + 3 * 511 + 512) * UINT64_C(4096));
	for (int i = 0; i < 20000; i++) {
		uint32_t length = (uint32_t)some(some(2) ? 20000 : 3 << 20);

		check_more(UINT64_C(0x100000000) + some(1 << 20), length,
			   length + 1 + some(some(2) ? 20000 : 30 << 20));
	}
}

TEST(where_nobody_knows_how_much_it_is_prp_2_is_good_for_a_page_and_for_a_list)
{
	struct pyn_data data = {.address = (void *)0x10e00, .length = 512, .transfer = PYN_TRANSFER_ANY};
	struct pyn_prps prps;

	CHECK_EQ(pyn_prp_list_pages(&the_view, &data), 1);
	prps = pyn_prp_build(&the_view, &data, (const void *)SPARE, the_first, NULL);
	CHECK_EQ(prps.first.value, 0x10e00);
	CHECK_EQ(prps.second.value, (uint64_t)(uintptr_t)the_first);
	for (unsigned at = 0; at < last_entry(); at++)
		CHECK_EQ(the_first[at].value, SPARE);
	CHECK_EQ(the_first[last_entry()].value, (uint64_t)(uintptr_t)the_first);
	/* Two pages are two pages. */
	data.length = 1024;
	CHECK_EQ(pyn_prp_list_pages(&the_view, &data), 0);
	prps = pyn_prp_build(&the_view, &data, (const void *)SPARE, the_first, NULL);
	CHECK_EQ(prps.second.value, 0x11000);
}

TEST(memory_of_the_devices_own_has_the_devices_addresses)
{
	the_view = (struct pyn_dma_view){
		.window = (const uint8_t *)(uintptr_t)WINDOW,
		.window_size = 1 << 20,
		.window_address = {WINDOW * 16},
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
	for (uint32_t pages = 600; pages > 2; pages -= pages > 70 ? 61 : 1) {
		const struct pyn_data data = {.address = (void *)0x200000, .length = pages * 4096};

		pyn_prp_build(&the_view, &data, NULL, the_first, the_more);
		for (uint32_t i = pages - 1; i < PYN_PRP_ENTRIES(page_size()); i++)
			CHECK_EQ(the_first[i].value, 0);
	}
}
