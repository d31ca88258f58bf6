/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker sends, by every parameter: exact properties of whole regions, up to the last LBA of 64 bits. */
/* sources: core/worker/workload.c core/worker/skew.c core/util/*.c */
/* libs: -lm */
#include <errno.h>

#include "core/worker/workload.h"
#include "tests/c/test.h"

#define MANY 200000u

static struct pyn_workload the_workload;
static struct pyn_workload_config the_config;
static struct pyn_error err;

/* One size, reads, sequential over a region. */
static void config(uint32_t io_size, uint64_t start, uint64_t end)
{
	the_config = (struct pyn_workload_config){
		.sizes = 1,
		.io_size = {io_size},
		.lba_align = {1},
		.weight = {1},
		.contiguous = true,
		.ops = 1,
		.opcode = {2},
		.percentage = {100},
		.region_start = start,
		.region_end = end,
	};
}

static int init(uint64_t nlba)
{
	return pyn_workload_init(&the_workload, &the_config, nlba, pyn_random_stream(4711, 0), &err);
}

static struct pyn_workload_io next(void)
{
	struct pyn_workload_io io;

	pyn_workload_next(&the_workload, &io);
	return io;
}

static bool is_inside(struct pyn_workload_io io)
{
	return io.nlb >= 1 && io.slba >= the_workload.start && io.slba < the_workload.end &&
	       io.nlb <= the_workload.end - io.slba;
}

static void expect(uint64_t slba, uint32_t nlb)
{
	struct pyn_workload_io io = next();

	CHECK_EQ(io.slba, slba);
	CHECK_EQ(io.nlb, nlb);
}

/* ---- sequential ---- */

TEST(sequential_io_covers_each_lba_of_a_region_once_in_each_pass)
{
	for (uint32_t size = 1; size <= 12; size++)
		for (uint64_t start = 0; start < 5; start++)
			for (uint64_t length = 1; length <= 40; length++) {
				config(size, start, start + length);
				CHECK_EQ(init(1000), 0);
				for (unsigned pass = 0; pass < 3; pass++)
					for (uint64_t at = start; at < start + length;) {
						struct pyn_workload_io io = next();

						if (!CHECK_EQ(io.slba, at) || !CHECK(is_inside(io)))
							return;
						at += io.nlb;
					}
			}
}

TEST(the_last_io_is_cut_at_the_end_of_the_region)
{
	config(8, 100, 120);
	CHECK_EQ(init(1000), 0);
	expect(100, 8);
	expect(108, 8);
	expect(116, 4);
	expect(100, 8);
}

TEST(a_region_is_cut_at_the_end_of_the_namespace)
{
	config(8, 990, UINT64_MAX);
	CHECK_EQ(init(1000), 0);
	expect(990, 8);
	expect(998, 2);
	expect(990, 8);
}

TEST(a_region_of_one_lba_is_one_lba)
{
	for (uint32_t random = 0; random <= 100; random += 50) {
		config(65536, 7, 8);
		the_config.random_percentage = random;
		CHECK_EQ(init(1000), 0);
		CHECK_EQ(pyn_workload_largest(&the_workload), 1);
		for (unsigned i = 0; i < 10; i++)
			expect(7, 1);
	}
}

TEST(a_step_walks_up_and_begins_again_at_the_first_lba)
{
	config(8, 0, 100);
	the_config.contiguous = false;
	the_config.step = 40;
	the_config.lba_start = 16;
	CHECK_EQ(init(1000), 0);
	expect(16, 8);
	expect(56, 8);
	expect(96, 4);
	expect(0, 8);
	expect(40, 8);
}

TEST(a_step_walks_down_and_begins_again_at_the_last_whole_io)
{
	config(8, 10, 100);
	the_config.contiguous = false;
	the_config.step = -40;
	the_config.lba_start = 64;
	CHECK_EQ(init(1000), 0);
	expect(64, 8);
	expect(24, 8);
	expect(92, 8);
	expect(52, 8);
	expect(12, 8);
	expect(92, 8);
}

TEST(a_step_down_is_aligned_downwards)
{
	config(8, 0, 1000);
	the_config.contiguous = false;
	the_config.step = -8;
	the_config.lba_start = 64;
	the_config.lba_align[0] = 16;
	CHECK_EQ(init(1000), 0);
	expect(64, 8);
	expect(48, 8);
	expect(32, 8);
	expect(16, 8);
	expect(0, 8);
	expect(992, 8);
}

TEST(a_step_down_that_finds_no_room_for_a_whole_io_begins_again_at_the_last_aligned_lba)
{
	config(8, 10, 30);
	the_config.contiguous = false;
	the_config.step = -16;
	the_config.lba_align[0] = 12;
	the_config.lba_start = 12;
	CHECK_EQ(init(1000), 0);
	expect(12, 8);
	expect(12, 8); /* 24 has 6 LBAs behind it */
	config(16, 10, 30);
	the_config.contiguous = false;
	the_config.step = -16;
	the_config.lba_align[0] = 12;
	the_config.lba_start = 12;
	CHECK_EQ(init(1000), 0);
	expect(12, 16);
	expect(12, 16);
	config(20, 10, 30);
	the_config.contiguous = false;
	the_config.step = -20;
	the_config.lba_align[0] = 12;
	CHECK_EQ(init(1000), 0);
	expect(24, 6); /* at 10 there is no aligned one, and nowhere room for 20 */
	expect(24, 6);
}

TEST(a_step_of_0_stays_where_it_is)
{
	config(8, 0, 1000);
	the_config.contiguous = false;
	the_config.lba_start = 40;
	CHECK_EQ(init(1000), 0);
	for (unsigned i = 0; i < 5; i++)
		expect(40, 8);
	the_config.sizes = 2;
	the_config.io_size[1] = 4;
	the_config.lba_align[0] = 16;
	the_config.lba_align[1] = the_config.weight[1] = 1;
	CHECK_EQ(init(1000), 0);
	for (unsigned i = 0; i < 50; i++) {
		struct pyn_workload_io io = next();

		CHECK_EQ(io.slba, io.nlb == 8 ? 48 : 40);
	}
	config(8, 0, 1000);
	the_config.contiguous = false;
	the_config.lba_start = 2000;
	CHECK_EQ(init(1000), 0);
	expect(0, 8);
	expect(0, 8);
}

TEST(a_flush_takes_no_place_in_the_sequence)
{
	uint64_t at = 0;
	unsigned flushes = 0;

	config(8, 0, 100000);
	the_config.ops = 2;
	the_config.opcode[1] = 0;
	the_config.percentage[0] = 70;
	the_config.percentage[1] = 30;
	CHECK_EQ(init(100000), 0);
	for (unsigned i = 0; i < 1000; i++) {
		struct pyn_workload_io io = next();

		flushes += io.op == 1;
		if (io.op == 1)
			continue;
		CHECK_EQ(io.slba, at);
		at += 8;
	}
	CHECK(flushes > 200 && flushes < 400);
}

/* ---- filling ---- */

/* How often each LBA of [0, 300) is hit until there is no IO any more; the number of IOs. */
static unsigned fill(uint8_t hits[300])
{
	struct pyn_workload_io io;
	unsigned count = 0;

	memset(hits, 0, 300);
	the_config.fill = true;
	if (!CHECK_EQ(init(300), 0))
		return 0;
	while (pyn_workload_next(&the_workload, &io) && count < 1000) {
		if (!CHECK(is_inside(io)))
			return 0;
		for (uint32_t i = 0; i < io.nlb; i++)
			hits[io.slba + i]++;
		count++;
	}
	CHECK(!pyn_workload_next(&the_workload, &io));
	return count;
}

TEST(a_region_is_filled_once)
{
	uint8_t hits[300];

	for (uint32_t size = 1; size <= 20; size++)
		for (uint64_t start = 0; start < 3; start++)
			for (uint64_t length = 1; length < 60; length += 3) {
				config(size, start, start + length);
				CHECK_EQ(fill(hits), (length + size - 1) / size);
				for (uint64_t lba = 0; lba < 300; lba++)
					if (!CHECK_EQ(hits[lba], lba >= start && lba < start + length))
						return;
			}
}

TEST(a_fill_from_the_middle_goes_on_at_the_other_end_as_far_as_where_it_began)
{
	uint8_t hits[300];

	config(8, 16, 216);
	the_config.lba_start = 96;
	CHECK_EQ(fill(hits), 25);
	for (uint64_t lba = 0; lba < 300; lba++)
		CHECK_EQ(hits[lba], lba >= 16 && lba < 216);
	the_config.lba_start = 1000;
	CHECK_EQ(fill(hits), 25);
	the_config.lba_start = 0;
	the_config.contiguous = false;
	the_config.step = -8;
	CHECK_EQ(fill(hits), 25); /* begins with the first LBAs, and then comes down to them */
	for (uint64_t lba = 0; lba < 300; lba++)
		CHECK_EQ(hits[lba], lba >= 16 && lba < 216);
	the_config.lba_start = 96;
	CHECK_EQ(fill(hits), 25);
	for (uint64_t lba = 0; lba < 300; lba++)
		CHECK_EQ(hits[lba], lba >= 16 && lba < 216);
}

TEST(a_fill_by_steps_and_alignment_ends_too)
{
	uint8_t hits[300];

	config(8, 0, 200);
	the_config.lba_align[0] = 6;
	CHECK_EQ(fill(hits), 17); /* at 0, 12, … 192 */
	config(8, 0, 200);
	the_config.contiguous = false;
	the_config.step = 50;
	CHECK_EQ(fill(hits), 4);
	the_config.step = -50;
	CHECK_EQ(fill(hits), 5); /* at 0, and at 192, 142, 92, 42 */
	the_config.step = INT64_MIN;
	CHECK_EQ(fill(hits), 2);
	the_config.step = INT64_MAX;
	CHECK_EQ(fill(hits), 1);
	for (int64_t step = -30; step <= 30; step++)
		for (uint32_t align = 1; align < 20; align++) {
			config(3, 7, 207);
			the_config.contiguous = step == 0;
			the_config.step = step;
			the_config.lba_align[0] = align;
			the_config.lba_start = 100;
			unsigned count = fill(hits);

			CHECK(count > 0 && count <= 200);
		}
}

TEST(a_fill_that_would_never_end_is_refused)
{
	config(8, 0, 200);
	the_config.fill = true;
	the_config.contiguous = false;
	CHECK_EQ(init(300), -EINVAL); /* a step of 0 */
	the_config.contiguous = true;
	the_config.opcode[0] = 0;
	CHECK_EQ(init(300), -EINVAL); /* flushes alone */
	the_config.opcode[0] = 1;
	CHECK_EQ(init(300), 0);
	the_config.random_percentage = 1;
	CHECK_EQ(init(300), -EINVAL);
	the_config.random_percentage = 0;
	the_config.sizes = 2;
	the_config.io_size[1] = 4;
	the_config.lba_align[1] = the_config.weight[1] = 1;
	CHECK_EQ(init(300), -EINVAL);
}

TEST(every_step_and_alignment_stays_inside_aligned_and_moves)
{
	for (uint32_t align = 1; align <= 20; align++)
		for (int64_t step = -25; step <= 25; step++)
			for (uint64_t start = 0; start < 3 * align; start += 7) {
				uint64_t last = UINT64_MAX;

				config(4, start, start + 100);
				the_config.contiguous = step == 0;
				the_config.step = step;
				the_config.lba_align[0] = align;
				the_config.lba_start = start + 50;
				CHECK_EQ(init(10000), 0);
				for (unsigned i = 0; i < 60; i++) {
					struct pyn_workload_io io = next();

					if (!CHECK(is_inside(io)) || !CHECK_EQ(io.slba % align, 0) ||
					    !CHECK(io.slba != last))
						return;
					last = io.slba;
				}
			}
}

TEST(lba_start_is_raised_to_the_region_and_one_beyond_it_begins_at_the_region)
{
	config(8, 100, 200);
	the_config.lba_start = 5;
	CHECK_EQ(init(1000), 0);
	expect(100, 8);
	the_config.lba_start = 200;
	CHECK_EQ(init(1000), 0);
	expect(100, 8);
	the_config.lba_start = UINT64_MAX;
	the_config.lba_align[0] = 6;
	CHECK_EQ(init(1000), 0);
	expect(102, 8);
}

/* ---- the end of 64 bits ---- */

TEST(regions_near_the_end_of_64_bits_are_never_left)
{
	static const int64_t steps[] = {0, 1, 7, -1, -7, 4096, -4096, INT64_MAX, INT64_MIN};
	static const uint32_t aligns[] = {1, 3, 8, 4096, UINT32_MAX};
	const uint64_t starts[] = {0, UINT64_MAX - 200000, UINT64_MAX / 2};

	for (unsigned s = 0; s < sizeof(starts) / sizeof(starts[0]); s++)
		for (unsigned k = 0; k < sizeof(steps) / sizeof(steps[0]); k++)
			for (unsigned a = 0; a < sizeof(aligns) / sizeof(aligns[0]); a++)
				for (uint32_t random = 0; random <= 100; random += 25) {
					config(65536, starts[s], UINT64_MAX);
					the_config.contiguous = k == 1;
					the_config.step = steps[k];
					the_config.lba_align[0] = aligns[a];
					the_config.random_percentage = random;
					the_config.lba_start = UINT64_MAX - 100;
					if (init(UINT64_MAX) < 0)
						continue; /* no such multiple there: checked below */
					for (unsigned i = 0; i < 50; i++) {
						struct pyn_workload_io io = next();

						if (!CHECK(is_inside(io)) || !CHECK_EQ(io.slba % aligns[a], 0))
							return;
					}
				}
}

TEST(sequential_io_begins_again_after_the_last_lba_of_64_bits)
{
	config(8, UINT64_MAX - 12, UINT64_MAX);
	CHECK_EQ(init(UINT64_MAX), 0);
	expect(UINT64_MAX - 12, 8);
	expect(UINT64_MAX - 4, 4);
	expect(UINT64_MAX - 12, 8);
	config(8, 0, UINT64_MAX);
	the_config.contiguous = false;
	the_config.step = -16;
	the_config.lba_start = 8;
	CHECK_EQ(init(UINT64_MAX), 0);
	expect(8, 8);
	expect(UINT64_MAX - 8, 8);
	expect(UINT64_MAX - 24, 8);
}

TEST(a_region_without_an_aligned_lba_is_refused)
{
	config(1, 1, 16);
	the_config.lba_align[0] = 16;
	CHECK_EQ(init(1000), -EINVAL);
	config(1, UINT64_MAX - 3, UINT64_MAX);
	the_config.lba_align[0] = 4096;
	CHECK_EQ(init(UINT64_MAX), -EINVAL);
	CHECK_HAS(err.text, "lba_align");
}

/* ---- random ---- */

TEST(random_io_hits_every_aligned_lba_of_the_region_and_no_other)
{
	for (uint32_t align = 1; align <= 9; align++) {
		unsigned hits[300] = {0};

		config(4, 101, 290);
		the_config.lba_align[0] = align;
		the_config.random_percentage = 100;
		CHECK_EQ(init(10000), 0);
		for (unsigned i = 0; i < 20000; i++) {
			struct pyn_workload_io io = next();

			if (!CHECK(is_inside(io)))
				return;
			CHECK_EQ(io.nlb, 290 - io.slba < 4 ? 290 - io.slba : 4);
			hits[io.slba]++;
		}
		for (uint64_t lba = 0; lba < 300; lba++)
			CHECK_EQ(hits[lba] > 0, lba >= 101 && lba < 290 && lba % align == 0);
	}
}

TEST(the_random_percentage_is_kept)
{
	for (uint32_t percentage = 0; percentage <= 100; percentage += 10) {
		uint64_t follows = 0, expected = 0;

		config(1, 0, UINT64_C(1) << 40);
		the_config.random_percentage = percentage;
		CHECK_EQ(init(UINT64_MAX), 0);
		for (unsigned i = 0; i < MANY; i++) {
			struct pyn_workload_io io = next();

			follows += io.slba == expected;
			expected += io.slba == expected;
		}
		double share = 100 - 100.0 * (double)follows / MANY;

		CHECK(share > percentage - 1.0 && share < percentage + 1.0);
		CHECK((percentage != 0 && percentage != 100) || share == percentage);
	}
}

/* ---- sizes and opcodes ---- */

TEST(sizes_come_by_their_ratio_and_none_of_ratio_0)
{
	unsigned seen[17] = {0};

	config(1, 0, 100000);
	the_config.random_percentage = 100;
	the_config.sizes = 4;
	for (uint32_t i = 0; i < 4; i++) {
		the_config.io_size[i] = 1u << (i + 1);
		the_config.lba_align[i] = 1u << i;
		the_config.weight[i] = i; /* 0 1 2 3 */
	}
	CHECK_EQ(init(100000), 0);
	CHECK_EQ(pyn_workload_largest(&the_workload), 16);
	for (unsigned i = 0; i < MANY; i++) {
		struct pyn_workload_io io = next();

		if (io.slba + 16 < 100000) {
			seen[io.nlb]++;
			CHECK_EQ(io.slba % (io.nlb / 2), 0);
		}
	}
	CHECK_EQ(seen[2], 0);
	for (uint32_t i = 1; i < 4; i++) {
		double share = (double)seen[1u << (i + 1)] / MANY;

		CHECK(share > i / 6.0 - 0.01 && share < i / 6.0 + 0.01);
	}
}

TEST(the_largest_number_of_sizes_and_ratios_works)
{
	static const uint32_t weights[] = {1, 7, UINT32_MAX / PYN_WORKLOAD_SIZES};
	static unsigned seen[PYN_WORKLOAD_SIZES + 1];

	for (unsigned k = 0; k < 3; k++) {
		config(1, 0, UINT64_C(1) << 40);
		memset(seen, 0, sizeof(seen));
		the_config.random_percentage = 100;
		the_config.sizes = PYN_WORKLOAD_SIZES;
		for (uint32_t i = 0; i < PYN_WORKLOAD_SIZES; i++) {
			the_config.io_size[i] = i + 1;
			the_config.lba_align[i] = 1;
			the_config.weight[i] = weights[k];
		}
		CHECK_EQ(init(UINT64_C(1) << 40), 0);
		for (unsigned i = 0; i < MANY; i++)
			seen[next().nlb]++;
		for (uint32_t i = 1; i <= PYN_WORKLOAD_SIZES; i++)
			CHECK(seen[i] > 10 && seen[i] < 100); /* 49 on average */
	}
}

TEST(opcodes_come_by_their_percentage)
{
	static const uint8_t percentage[5] = {0, 1, 9, 30, 60};
	unsigned seen[5] = {0};

	config(1, 0, 1000);
	the_config.ops = 5;
	memcpy(the_config.percentage, percentage, sizeof(percentage));
	CHECK_EQ(init(1000), 0);
	for (unsigned i = 0; i < MANY; i++)
		seen[next().op]++;
	CHECK_EQ(seen[0], 0);
	for (unsigned op = 0; op < 5; op++) {
		double share = 100.0 * seen[op] / MANY;

		CHECK(share > percentage[op] - 0.5 && share < percentage[op] + 0.5);
	}
}

TEST(a_seed_repeats_everything)
{
	struct pyn_workload_io first[100];

	config(8, 0, 100000);
	the_config.random_percentage = 50;
	for (unsigned pass = 0; pass < 2; pass++) {
		CHECK_EQ(init(100000), 0);
		for (unsigned i = 0; i < 100; i++) {
			struct pyn_workload_io io = next();

			if (pass == 0)
				first[i] = io;
			CHECK_EQ(io.slba, first[i].slba);
			CHECK_EQ(io.op, first[i].op);
		}
	}
}

/* ---- distribution ---- */

static void distribute(uint64_t start, uint64_t end, uint32_t align)
{
	config(4, start, end);
	the_config.random_percentage = 100;
	the_config.lba_align[0] = align;
	the_config.has_distribution = true;
}

TEST(a_distribution_gives_each_part_its_share)
{
	unsigned seen[100] = {0};

	distribute(1000, 101000, 1);
	for (uint32_t part = 0; part < 100; part++)
		the_config.distribution[part] = part < 50 ? 200 : 0;
	the_config.distribution[99] = 0;
	CHECK_EQ(init(1000000), 0);
	for (unsigned i = 0; i < MANY; i++)
		seen[(next().slba - 1000) / 1000]++;
	for (uint32_t part = 0; part < 100; part++)
		CHECK(part < 50 ? seen[part] > MANY / 50 * 0.9 && seen[part] < MANY / 50 * 1.1 : seen[part] == 0);
}

/* Chi-square over 100 parts: 99 degrees of freedom, above 180 in one of a million cases. */
static double chi_square(uint64_t start, uint64_t end, uint32_t align, const uint32_t share[100])
{
	unsigned seen[100] = {0};
	double chi = 0;

	distribute(start, end, align);
	memcpy(the_config.distribution, share, sizeof(the_config.distribution));
	CHECK_EQ(init(UINT64_C(1) << 40), 0);
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t slba = next().slba, part = (slba - start) * 100 / (end - start);

		/* Parts are whole LBAs: the first of one may lie in it by a fraction only. */
		while (part < 99 && (end - start) * (part + 1) / 100 <= slba - start)
			part++;
		seen[part]++;
	}
	for (unsigned part = 0; part < 100; part++) {
		double expected = (double)MANY * share[part] / PYN_WORKLOAD_WEIGHT;

		if (expected > 0)
			chi += (seen[part] - expected) * (seen[part] - expected) / expected;
		else
			CHECK_EQ(seen[part], 0);
	}
	return chi;
}

TEST(a_distribution_is_the_one_that_was_asked_for_in_any_region_and_alignment)
{
	uint32_t even[100], steep[100];

	for (uint32_t part = 0; part < 100; part++) {
		even[part] = 100;
		steep[part] = part < 20 ? 400 : part < 60 ? 50 : 0;
	}
	CHECK(chi_square(0, 100000, 1, even) < 180);
	CHECK(chi_square(0, 100000, 1, steep) < 180);
	CHECK(chi_square(0, 1000000, 64, steep) < 180);
	CHECK(chi_square(4096, 4096 + 123457, 1, even) < 180);
	CHECK(chi_square(5, 5 + 99991, 7, steep) < 180);
	CHECK(chi_square(3, 3 + 1234567, 48, even) < 180);
	CHECK(chi_square(0, 101, 1, even) < 180);
}

TEST(a_distribution_is_even_within_a_part)
{
	unsigned seen[10] = {0};

	distribute(0, 100000, 100);
	the_config.distribution[7] = PYN_WORKLOAD_WEIGHT;
	CHECK_EQ(init(100000), 0);
	for (unsigned i = 0; i < 10000; i++)
		seen[(next().slba - 7000) / 100 % 10]++;
	for (unsigned i = 0; i < 10; i++)
		CHECK(seen[i] > 850 && seen[i] < 1150);
}

TEST(a_distribution_over_any_region_stays_inside_and_aligned)
{
	for (uint64_t length = 1; length < 300; length += 7)
		for (uint32_t align = 1; align <= 16; align += 5)
			for (uint32_t hot = 0; hot < 100; hot += 33) {
				distribute(32, 32 + length, align);
				the_config.distribution[hot] = PYN_WORKLOAD_WEIGHT;
				if (init(1000000) < 0)
					continue;
				for (unsigned i = 0; i < 40; i++) {
					struct pyn_workload_io io = next();

					if (!CHECK(is_inside(io)) || !CHECK_EQ(io.slba % align, 0))
						return;
				}
			}
	distribute(0, UINT64_MAX, 3);
	the_config.distribution[99] = PYN_WORKLOAD_WEIGHT;
	CHECK_EQ(init(UINT64_MAX), 0);
	for (unsigned i = 0; i < 1000; i++) {
		struct pyn_workload_io io = next();

		CHECK(is_inside(io) && io.slba >= UINT64_MAX / 100 * 99 - 3);
	}
}

TEST(a_distribution_that_is_not_whole_is_refused)
{
	distribute(0, 1000, 1);
	the_config.distribution[3] = PYN_WORKLOAD_WEIGHT - 1;
	CHECK_EQ(init(1000), -EINVAL);
	the_config.distribution[4] = 2;
	CHECK_EQ(init(1000), -EINVAL);
	the_config.distribution[4] = UINT32_MAX;
	CHECK_EQ(init(1000), -EINVAL);
	the_config.distribution[4] = 1;
	CHECK_EQ(init(1000), 0);
}

/* ---- refusals ---- */

TEST(what_cannot_be_sent_is_refused)
{
	config(8, 100, 100);
	CHECK_EQ(init(1000), -EINVAL);
	config(8, 1000, UINT64_MAX);
	CHECK_EQ(init(1000), -EINVAL);
	config(0, 0, 100);
	CHECK_EQ(init(1000), -EINVAL);
	config(65537, 0, 100);
	CHECK_EQ(init(1000), -EINVAL);
	config(8, 0, 100);
	the_config.sizes = 0;
	CHECK_EQ(init(1000), -EINVAL);
	the_config.sizes = PYN_WORKLOAD_SIZES + 1;
	CHECK_EQ(init(1000), -EINVAL);
	config(8, 0, 100);
	the_config.lba_align[0] = 0;
	CHECK_EQ(init(1000), -EINVAL);
	config(8, 0, 100);
	the_config.weight[0] = 0;
	CHECK_EQ(init(1000), -EINVAL);
	config(8, 0, 100);
	the_config.percentage[0] = 99;
	CHECK_EQ(init(1000), -EINVAL);
	config(8, 0, 100);
	the_config.ops = PYN_WORKLOAD_OPS + 1;
	CHECK_EQ(init(1000), -EINVAL);
	config(8, 0, 100);
	the_config.sizes = 2;
	the_config.io_size[1] = 100;
	the_config.lba_align[1] = the_config.weight[1] = 1;
	CHECK_EQ(init(1000), -EINVAL); /* of several sizes each is below the region */
	the_config.io_size[1] = 99;
	CHECK_EQ(init(1000), 0);
}
