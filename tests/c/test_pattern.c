/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/data/pattern.c core/util/error.c */
#include "core/data/pattern.h"
#include "tests/c/test.h"

#include <errno.h>

#define LENGTH 4096

static uint8_t the_data[LENGTH + 1];
static struct pyn_random the_random = {1};

/* Fill length bytes; what lies behind them must stay. */
static void fill(size_t length, uint32_t ptype, uint32_t pvalue)
{
	struct pyn_error err = {0};

	memset(the_data, 0xa5, sizeof(the_data));
	CHECK_EQ(pyn_pattern_fill(the_data, length, ptype, pvalue, &the_random, &err), 0);
	CHECK_EQ(err.kind, PYN_ERROR_NONE);
	CHECK_EQ(the_data[length], 0xa5);
}

static size_t count_of(uint8_t value, size_t begin, size_t end)
{
	size_t count = 0;

	for (size_t i = begin; i < end; i++)
		count += the_data[i] == value;
	return count;
}

TEST(type_0_is_zeros_or_ones)
{
	fill(LENGTH, 0, 0);
	CHECK_EQ(count_of(0, 0, LENGTH), LENGTH);
	fill(LENGTH, 0, 1);
	CHECK_EQ(count_of(0xff, 0, LENGTH), LENGTH);
	fill(LENGTH, 0, 0x100); /* not only the low byte decides */
	CHECK_EQ(count_of(0xff, 0, LENGTH), LENGTH);
}

TEST(type_32_repeats_the_value_little_endian_and_is_cut_at_the_end)
{
	static const uint8_t expected[] = {0x44, 0x33, 0x22, 0x11, 0x44, 0x33, 0x22, 0x11, 0x44, 0x33, 0x22};

	for (size_t length = 0; length <= sizeof(expected); length++) {
		fill(length, 32, 0x11223344);
		CHECK_MEM(the_data, expected, length);
	}
}

TEST(random_data_fill_the_first_percent_and_zeros_the_rest)
{
	for (uint32_t percent = 0; percent <= 100; percent++) {
		size_t part = LENGTH * percent / 100;

		fill(LENGTH, 0xbeef, percent);
		/* One of 256 random bytes is a zero; three times as many would be a surprise. */
		CHECK(count_of(0, 0, part) <= part * 3 / 256 + 5);
		CHECK_EQ(count_of(0, part, LENGTH), LENGTH - part);
	}
}

TEST(random_data_end_at_any_byte)
{
	for (size_t length = 0; length <= 17; length++)
		fill(length, 0xbeef, 100);
	/* 33 % of 100 bytes: 4 words and one byte; that byte is random too. */
	unsigned seen[256] = {0};
	for (int i = 0; i < 1000; i++) {
		fill(100, 0xbeef, 33);
		seen[the_data[32]]++;
		CHECK_EQ(count_of(0, 33, 100), 67);
	}
	for (int value = 0; value < 256; value++)
		CHECK(seen[value] < 30);
}

TEST(random_data_repeat_with_the_seed_and_differ_without)
{
	uint8_t first[LENGTH];

	the_random.state = 77;
	fill(LENGTH, 0xbeef, 100);
	memcpy(first, the_data, LENGTH);
	fill(LENGTH, 0xbeef, 100);
	CHECK(memcmp(first, the_data, LENGTH));
	the_random.state = 77;
	fill(LENGTH, 0xbeef, 100);
	CHECK_MEM(the_data, first, LENGTH);
}

TEST(an_unknown_pattern_is_refused_and_leaves_the_data)
{
	struct pyn_error err = {0};

	memset(the_data, 0x5a, sizeof(the_data));
	CHECK_EQ(pyn_pattern_fill(the_data, LENGTH, 33, 0, &the_random, &err), -EINVAL);
	CHECK_EQ(err.kind, PYN_ERROR_ARGUMENT);
	CHECK_HAS(err.text, "0x21");
	CHECK_EQ(pyn_pattern_fill(the_data, LENGTH, 0xbeef, 101, &the_random, &err), -EINVAL);
	CHECK_EQ(err.kind, PYN_ERROR_ARGUMENT);
	CHECK_HAS(err.text, "101");
	CHECK_EQ(count_of(0x5a, 0, LENGTH), LENGTH);
	CHECK_EQ(pyn_pattern_check(0xbeef, 100, NULL), 0);
	CHECK_EQ(pyn_pattern_check(0xbeef, UINT32_MAX, NULL), -EINVAL);
}
