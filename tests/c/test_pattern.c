/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/data/pattern.c core/util/error.c core/util/clock.c */
#include "core/data/pattern.h"
#include "tests/c/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

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

/* ---- the generator of this process ---- */

#define THREADS 4u
#define FILLS 500u
#define WORDS 9u /* of each; the last one is not whole */
#define BYTES (WORDS * sizeof(uint64_t) - 3)

static uint64_t the_words[THREADS * FILLS][WORDS];

static void *fill_some(void *first)
{
	uint64_t(*words)[WORDS] = first;
	struct pyn_error err;

	for (unsigned i = 0; i < FILLS; i++)
		CHECK_EQ(pyn_pattern_fill_next(words[i], BYTES, PYN_PATTERN_RANDOM, 100, &err), 0);
	return NULL;
}

static int by_first_word(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (left[0] > right[0]) - (left[0] < right[0]);
}

/* As what one thread takes from the generator, in some order. */
static void check_pieces(uint64_t seed)
{
	static uint64_t expected[THREADS * FILLS][WORDS];
	struct pyn_random random = pyn_random_stream(seed, 0);
	struct pyn_error err;

	for (unsigned i = 0; i < THREADS * FILLS; i++)
		CHECK_EQ(pyn_pattern_fill(expected[i], BYTES, PYN_PATTERN_RANDOM, 100, &random, &err), 0);
	qsort(expected, THREADS * FILLS, sizeof(expected[0]), by_first_word);
	qsort(the_words, THREADS * FILLS, sizeof(the_words[0]), by_first_word);
	CHECK(memcmp(expected, the_words, sizeof(the_words)) == 0);
}

TEST(threads_take_different_pieces_of_one_sequence)
{
	pthread_t threads[THREADS];

	pyn_seed(7);
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, fill_some, the_words[i * FILLS]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	check_pieces(7);
}

TEST(the_same_seed_gives_the_same_data)
{
	uint64_t first[2], second[2];
	struct pyn_error err;

	pyn_seed(1);
	CHECK_EQ(pyn_pattern_fill_next(first, sizeof(first), PYN_PATTERN_RANDOM, 100, &err), 0);
	CHECK_EQ(pyn_pattern_fill_next(second, sizeof(second), PYN_PATTERN_RANDOM, 100, &err), 0);
	CHECK(memcmp(first, second, sizeof(first)) != 0);
	pyn_seed(1);
	CHECK_EQ(pyn_pattern_fill_next(second, sizeof(second), PYN_PATTERN_RANDOM, 100, &err), 0);
	CHECK(memcmp(first, second, sizeof(first)) == 0);
}

TEST(a_pattern_that_is_refused_takes_nothing_from_the_sequence)
{
	uint64_t first, second;
	struct pyn_error err;

	pyn_seed(1);
	CHECK_EQ(pyn_pattern_fill_next(&first, sizeof(first), PYN_PATTERN_RANDOM, 100, &err), 0);
	pyn_seed(1);
	CHECK_EQ(pyn_pattern_fill_next(&second, sizeof(second), 77, 0, &err), -EINVAL);
	CHECK_EQ(pyn_pattern_fill_next(&second, sizeof(second), PYN_PATTERN_WORD, 3, &err), 0);
	CHECK_EQ(pyn_pattern_fill_next(&second, sizeof(second), PYN_PATTERN_RANDOM, 100, &err), 0);
	CHECK_EQ(first, second);
}
