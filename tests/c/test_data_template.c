/* SPDX-License-Identifier: BSD-3-Clause */
/* Templates of data: whatever length they describe last, a controller finds the same pages as by PRPs built for it.
 */
/* sources: core/nvme/data_template.c core/nvme/prp.c core/nvme/sgl.c core/util/error.c */
#include <string.h>

#include "core/nvme/ctrlr.h"
#include "core/nvme/data_template.h"
#include "core/nvme/prp.h"
#include "core/nvme/queue.h"
#include "core/nvme/sgl.h"
#include "spec/nvme_data.h"
#include "tests/c/test.h"

#define PAGES 1600u /* three pages of list and more */
#define LISTS 4u

/* A machine in which neighbouring pages are not neighbours. */
struct pyn_iova pyn_dma_physical(const void *memory)
{
	uint64_t address = (uint64_t)(uintptr_t)memory;

	return (struct pyn_iova){address ^ (address >> 12 & 1 ? UINT64_C(0x5a5) << 48 : UINT64_C(0xa5a) << 48)};
}

static struct pyn_pci the_pci;
static struct pyn_ctrlr the_ctrlr = {.pci = &the_pci};
static struct pyn_engine_qpair the_queue = {.ctrlr = &the_ctrlr};
static struct pyn_iova the_list[LISTS * PYN_PRP_ENTRIES(PYN_PRP_PAGE)] __attribute__((aligned(PYN_PRP_PAGE)));
static struct pyn_iova the_wanted[LISTS * PYN_PRP_ENTRIES(PYN_PRP_PAGE)] __attribute__((aligned(PYN_PRP_PAGE)));

#define MEMORY ((void *)(uintptr_t)0x20000000)

static const struct pyn_iova *list_at(uint64_t address)
{
	void *memory = (void *)(uintptr_t)address;

	return the_pci.view.physical ? (void *)(uintptr_t)pyn_dma_physical(memory).value : memory;
}

static bool is_list(const struct pyn_iova *page)
{
	return (page >= the_list && page < the_list + LISTS * PYN_PRP_ENTRIES(PYN_PRP_PAGE)) ||
	       (page >= the_wanted && page < the_wanted + LISTS * PYN_PRP_ENTRIES(PYN_PRP_PAGE));
}

/* The page of data number i that a list names, of so many entries; 0: the list leads elsewhere. */
static uint64_t entry(uint64_t list, size_t entries, size_t i)
{
	const struct pyn_iova *page = list_at(list);

	while (is_list(page) && entries > PYN_PRP_ENTRIES(PYN_PRP_PAGE) && i >= PYN_PRP_ENTRIES(PYN_PRP_PAGE) - 1) {
		page = list_at(page[PYN_PRP_ENTRIES(PYN_PRP_PAGE) - 1].value);
		entries -= PYN_PRP_ENTRIES(PYN_PRP_PAGE) - 1;
		i -= PYN_PRP_ENTRIES(PYN_PRP_PAGE) - 1;
	}
	return is_list(page) ? page[i].value : 0;
}

static void check(struct pyn_data_template *built, uint32_t length)
{
	const struct pyn_data data = {.address = MEMORY, .length = length};
	struct pyn_prps wanted =
		pyn_prp_build(&the_pci.view, &data, NULL, the_wanted, the_wanted + PYN_PRP_ENTRIES(PYN_PRP_PAGE));
	size_t entries = (length - 1) / PYN_PRP_PAGE;

	pyn_data_template_describe(&the_queue, built, length);
	CHECK_EQ(built->length, length);
	CHECK_EQ(built->psdt, 0);
	CHECK_EQ(built->pointer[0], wanted.first.value);
	if (entries <= 1) {
		CHECK_EQ(built->pointer[1], wanted.second.value);
		return;
	}
	for (size_t i = 0; i < entries; i++)
		if (!CHECK_EQ(entry(built->pointer[1], entries, i), entry(wanted.second.value, entries, i)))
			return;
}

static void check_all(uint32_t most)
{
	struct pyn_data_template built = {.memory = MEMORY, .list = the_list};
	uint32_t state = most;

	if (!CHECK(pyn_data_template_list_bytes(&the_ctrlr, most) <= sizeof(the_list)))
		return;
	pyn_data_template_prepare(&the_ctrlr, &built, most);
	CHECK_EQ(built.length, 0);
	check(&built, most);
	for (int i = 0; i < 300; i++) {
		state = state * 1664525 + 1013904223;
		/* Half of them short: a long one before must not shine through. */
		check(&built, 1 + (state >> 4) % (i % 2 && most > 65536 ? 65536 : most));
	}
	check(&built, most);
}

static void check_sizes(void)
{
	static const uint32_t sizes[] = {
		1,     511,        512,        4096,           4097,       8192,           8193,        12288,
		65536, 511 * 4096, 512 * 4096, 512 * 4096 + 1, 513 * 4096, 513 * 4096 + 1, 1024 * 4096, PAGES * 4096};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		check_all(sizes[i]);
}

TEST(any_length_in_any_order_is_described_as_if_it_were_the_only_one)
{
	check_sizes();
}

TEST(the_same_without_an_iommu)
{
	the_pci.view.physical = true;
	check_sizes();
	the_pci.view.physical = false;
}

TEST(a_list_takes_as_many_pages_as_it_needs)
{
	CHECK_EQ(pyn_data_template_list_bytes(&the_ctrlr, 0), 0);
	CHECK_EQ(pyn_data_template_list_bytes(&the_ctrlr, 4096), 0);
	CHECK_EQ(pyn_data_template_list_bytes(&the_ctrlr, 4097), 4096);
	CHECK_EQ(pyn_data_template_list_bytes(&the_ctrlr, 513 * 4096), 4096);
	CHECK_EQ(pyn_data_template_list_bytes(&the_ctrlr, 513 * 4096 + 1), 8192);
}

TEST(a_command_that_is_copied_from_it_has_its_pointer_and_its_kind)
{
	struct pyn_data_template built = {.pointer = {0x1234, 0x5678}, .psdt = 1};
	struct nvme_cmd cmd = {.opc = 2, .flags = 0xff, .cid = 7};

	pyn_data_template_copy(&cmd, &built);
	CHECK_EQ(cmd.prp1, 0x1234);
	CHECK_EQ(cmd.prp2, 0x5678);
	CHECK_EQ(cmd.flags, 0x40);
	CHECK_EQ(cmd.cid, 7);
}

static struct nvme_sgl_descriptor descriptor_of(const uint64_t pointer[2])
{
	struct nvme_sgl_descriptor found;

	memcpy(&found, pointer, sizeof(found));
	return found;
}

TEST(an_sgl_is_one_data_block_where_the_data_are_contiguous_for_the_device)
{
	struct pyn_data_template built = {.memory = MEMORY, .list = the_list, .psdt = 1};
	static const uint32_t lengths[] = {1, 511, 4096, 4097, PAGES * 4096};
	struct nvme_sgl_descriptor found;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		pyn_data_template_describe(&the_queue, &built, lengths[i]);
		found = descriptor_of(built.pointer);
		CHECK_EQ(found.addr, (uintptr_t)MEMORY);
		CHECK_EQ(found.length, lengths[i]);
		CHECK_EQ(found.sglid, NVME_SGL_DATA_BLOCK << 4);
	}
}

TEST(an_sgl_has_a_last_segment_where_they_are_not_and_prps_come_back_after_it)
{
	struct pyn_data_template built = {.memory = MEMORY, .list = the_list};
	const struct nvme_sgl_descriptor *segment = (const void *)the_list;
	struct nvme_sgl_descriptor found;

	the_pci.view.physical = true;
	pyn_data_template_prepare(&the_ctrlr, &built, 20 * 4096);
	check(&built, 20 * 4096);
	built.psdt = 1;
	pyn_data_template_describe(&the_queue, &built, 3 * 4096 + 5);
	found = descriptor_of(built.pointer);
	CHECK_EQ(found.addr, pyn_dma_physical(the_list).value);
	CHECK_EQ(found.length, 4 * sizeof(*segment));
	CHECK_EQ(found.sglid, NVME_SGL_LAST_SEGMENT << 4);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(segment[i].addr, pyn_dma_physical((char *)MEMORY + i * 4096).value);
		CHECK_EQ(segment[i].length, i < 3 ? 4096 : 5);
		CHECK_EQ(segment[i].sglid, NVME_SGL_DATA_BLOCK << 4);
	}
	built.psdt = 0;
	check(&built, 2 * 4096);
	check(&built, 20 * 4096);
	the_pci.view.physical = false;
}

TEST(an_sgl_of_more_pieces_than_a_page_of_list_describes_nothing)
{
	struct pyn_data_template built = {.memory = MEMORY, .list = the_list, .psdt = 1};

	the_pci.view.physical = true;
	pyn_data_template_describe(&the_queue, &built, 257 * 4096);
	CHECK_EQ(built.pointer[0], 0);
	CHECK_EQ(built.pointer[1], 0);
	the_pci.view.physical = false;
}
