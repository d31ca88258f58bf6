/* SPDX-License-Identifier: BSD-3-Clause */
/* sources: core/data/histogram.c */
#include "core/data/histogram.h"
#include "core/util/random.h"
#include "tests/c/test.h"

#define HZ UINT64_C(2445431885)

static struct pyn_histogram the_histogram;

/* Values of all magnitudes, as latencies are. */
static uint64_t some_value(struct pyn_random *random)
{
	return pyn_random_next(random) >> pyn_random_below(random, 64);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

TEST(buckets_follow_each_other_from_0_to_the_largest_number)
{
	CHECK_EQ(pyn_histogram_lowest(0), 0);
	for (uint32_t i = 0; i < PYN_HISTOGRAM_BUCKETS; i++) {
		uint64_t lowest = pyn_histogram_lowest(i), highest = pyn_histogram_highest(i);

		CHECK_EQ(pyn_histogram_index(lowest), i);
		CHECK_EQ(pyn_histogram_index(highest), i);
		if (i + 1 < PYN_HISTOGRAM_BUCKETS)
			CHECK_EQ(pyn_histogram_lowest(i + 1), highest + 1);
		else
			CHECK_EQ(highest, UINT64_MAX);
	}
}

TEST(a_bucket_is_at_most_a_128th_of_its_values_wide)
{
	for (uint32_t i = 0; i < PYN_HISTOGRAM_BUCKETS; i++) {
		uint64_t lowest = pyn_histogram_lowest(i);

		CHECK(pyn_histogram_highest(i) - lowest <= lowest / 128);
	}
	for (uint64_t value = 0; value < 256; value++)
		CHECK_EQ(pyn_histogram_highest(pyn_histogram_index(value)), value);
}

/* Between two others, so that neither the smallest nor the largest, which are exact, is asked for. */
static double told_ns(double ns, double hz)
{
	pyn_histogram_init(&the_histogram);
	pyn_histogram_record(&the_histogram, 0);
	pyn_histogram_record(&the_histogram, (uint64_t)(ns * hz / 1e9 + 0.5));
	pyn_histogram_record(&the_histogram, UINT64_MAX);
	return (double)pyn_histogram_percentile(&the_histogram, 50) * 1e9 / hz;
}

TEST(from_100_ns_to_100_s_the_error_is_at_most_1_percent_in_at_most_64_kib)
{
	static const double clocks[] = {1e9, 2.1e9, (double)HZ, 5.7e9};

	CHECK(sizeof(the_histogram) <= 64 * 1024);
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
		for (double ns = 100; ns <= 100e9; ns *= 1.0007) {
			double error = (told_ns(ns, clocks[i]) - ns) / ns;

			if (!CHECK(error <= 0.01 && error >= -0.01))
				return;
		}
}

TEST(an_empty_one_has_no_values)
{
	static uint64_t counts[10];

	pyn_histogram_init(&the_histogram);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 50), 0);
	CHECK(pyn_histogram_mean(&the_histogram) == 0);
	memset(counts, 0xff, sizeof(counts));
	pyn_histogram_to_us(&the_histogram, HZ, counts, 10);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(counts[i], 0);
}

TEST(count_sum_min_and_max_are_exact)
{
	struct pyn_random random = {2};
	uint64_t min = UINT64_MAX, max = 0;
	unsigned __int128 sum = 0;

	pyn_histogram_init(&the_histogram);
	for (int i = 0; i < 10000; i++) {
		uint64_t value = some_value(&random);

		pyn_histogram_record(&the_histogram, value);
		sum += value;
		min = value < min ? value : min;
		max = value > max ? value : max;
	}
	CHECK_EQ(the_histogram.count, 10000);
	CHECK_EQ(the_histogram.min, min);
	CHECK_EQ(the_histogram.max, max);
	CHECK(the_histogram.sum_high > 0);
	CHECK(the_histogram.sum_low == (uint64_t)sum && the_histogram.sum_high == (uint64_t)(sum >> 64));
}

TEST(the_mean_is_the_sum_by_the_count_beyond_64_bits_too)
{
	pyn_histogram_init(&the_histogram);
	pyn_histogram_record(&the_histogram, 1);
	pyn_histogram_record(&the_histogram, 2);
	CHECK(pyn_histogram_mean(&the_histogram) == 1.5);
	pyn_histogram_init(&the_histogram);
	for (int i = 0; i < 4; i++)
		pyn_histogram_record(&the_histogram, UINT64_C(1) << 63);
	CHECK(pyn_histogram_mean(&the_histogram) == 0x1p63);
}

TEST(a_percentile_is_that_of_the_sorted_values_up_to_a_128th)
{
	static const double percentages[] = {0.001, 1, 10, 50, 90, 99, 99.9, 99.99, 99.999};
	static uint64_t values[20000];
	const size_t count = sizeof(values) / sizeof(values[0]);
	struct pyn_random random = {4};

	pyn_histogram_init(&the_histogram);
	for (size_t i = 0; i < count; i++) {
		values[i] = some_value(&random);
		pyn_histogram_record(&the_histogram, values[i]);
	}
	qsort(values, count, sizeof(values[0]), compare);
	for (size_t p = 0; p < sizeof(percentages) / sizeof(percentages[0]); p++) {
		/* In thousandths of a percent, which are integers: the smallest rank that is not below it. */
		size_t thousandths = (size_t)(percentages[p] * 1000 + 0.5);
		size_t rank = (count * thousandths + 99999) / 100000;
		uint64_t found = pyn_histogram_percentile(&the_histogram, percentages[p]);
		uint64_t expected = values[rank - 1];

		CHECK(found >= expected);
		CHECK(found - expected <= expected / 128);
	}
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 0), values[0]);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 100), values[count - 1]);
}

TEST(percentiles_of_small_values_are_exact)
{
	pyn_histogram_init(&the_histogram);
	for (uint64_t value = 1; value <= 200; value++)
		for (int i = 0; i < 5; i++)
			pyn_histogram_record(&the_histogram, value);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 50), 100);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 99.5), 199);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 99.6), 200);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 0.5), 1);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 0.6), 2);
}

TEST(the_rank_of_a_percentage_without_exact_binary_form_is_not_one_too_high)
{
	/* 999 values of 1 and a single 2: 99.9 % of them do not exceed 1. */
	pyn_histogram_init(&the_histogram);
	for (int i = 0; i < 999; i++)
		pyn_histogram_record(&the_histogram, 1);
	pyn_histogram_record(&the_histogram, 2);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 99.9), 1);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 99.91), 2);
}

TEST(percentages_outside_0_to_100_give_the_ends)
{
	pyn_histogram_init(&the_histogram);
	/* In one bucket: its ends would be wrong. */
	pyn_histogram_record(&the_histogram, 1000010);
	pyn_histogram_record(&the_histogram, 1000020);
	CHECK_EQ(pyn_histogram_index(1000010), pyn_histogram_index(1000020));
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 0), 1000010);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, -1), 1000010);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, 1000), 1000020);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, __builtin_inf()), 1000020);
	CHECK_EQ(pyn_histogram_percentile(&the_histogram, __builtin_nan("")), 1000020);
}

TEST(a_merge_equals_one_that_recorded_everything)
{
	static struct pyn_histogram parts[3], whole;
	struct pyn_random random = {6};

	pyn_histogram_init(&whole);
	for (int p = 0; p < 3; p++)
		pyn_histogram_init(&parts[p]);
	for (int i = 0; i < 9999; i++) {
		uint64_t value = some_value(&random);

		pyn_histogram_record(&whole, value);
		pyn_histogram_record(&parts[1 + i % 2], value);
	}
	pyn_histogram_merge(&parts[0], &parts[1]);
	pyn_histogram_merge(&parts[0], &parts[2]);
	CHECK_MEM(&parts[0], &whole, sizeof(whole));
}

TEST(a_merge_carries_into_the_upper_half_of_the_sum)
{
	static struct pyn_histogram other;

	pyn_histogram_init(&the_histogram);
	pyn_histogram_init(&other);
	pyn_histogram_record(&the_histogram, UINT64_MAX);
	pyn_histogram_record(&other, 2);
	pyn_histogram_merge(&the_histogram, &other);
	CHECK_EQ(the_histogram.sum_high, 1);
	CHECK_EQ(the_histogram.sum_low, 1);
}

TEST(in_us_a_value_counts_where_it_lies)
{
	static uint64_t counts[1000000];

	pyn_histogram_init(&the_histogram);
	pyn_histogram_record(&the_histogram, 0);
	pyn_histogram_record(&the_histogram, 99); /* 100 MHz: 0.99 us */
	pyn_histogram_record(&the_histogram, 100);
	pyn_histogram_record(&the_histogram, 1000);
	pyn_histogram_to_us(&the_histogram, 100000000, counts, 1000000);
	CHECK_EQ(counts[0], 2);
	CHECK_EQ(counts[1], 1);
	CHECK_EQ(counts[10], 1);
}

TEST(in_us_what_is_beyond_the_end_is_in_the_last)
{
	uint64_t counts[5];

	pyn_histogram_init(&the_histogram);
	pyn_histogram_record(&the_histogram, 4 * HZ / 1000000 + 10);
	pyn_histogram_record(&the_histogram, 5 * HZ / 1000000 + 10);
	pyn_histogram_record(&the_histogram, HZ);
	pyn_histogram_record(&the_histogram, UINT64_MAX);
	pyn_histogram_to_us(&the_histogram, HZ, counts, 5);
	CHECK_EQ(counts[0] + counts[1] + counts[2] + counts[3], 0);
	CHECK_EQ(counts[4], 4);
	pyn_histogram_to_us(&the_histogram, HZ, counts, 1);
	CHECK_EQ(counts[0], 4);
}

TEST(in_us_a_wide_bucket_is_spread_evenly_and_between_min_and_max)
{
	static uint64_t counts[100000];
	uint64_t lowest = pyn_histogram_lowest(pyn_histogram_index(50000));
	uint64_t highest = pyn_histogram_highest(pyn_histogram_index(50000));

	/* 1 MHz: a tick is 1 us, and this bucket is 256 us wide. */
	CHECK_EQ(highest - lowest, 255);
	pyn_histogram_init(&the_histogram);
	for (uint64_t i = 0; i < 1024; i++)
		pyn_histogram_record(&the_histogram, lowest + i % 128);
	pyn_histogram_to_us(&the_histogram, 1000000, counts, 100000);
	for (uint64_t us = lowest - 10; us <= highest + 10; us++)
		CHECK_EQ(counts[us], us >= lowest && us <= lowest + 127 ? 8 : 0);
}

TEST(in_us_a_tick_belongs_to_the_us_in_which_it_begins)
{
	static uint64_t counts[30000], expected[30000];
	size_t index = pyn_histogram_index(50000);
	const uint64_t hz = 2300000; /* 2.3 ticks a us: two or three ticks begin in each */

	pyn_histogram_init(&the_histogram);
	memset(expected, 0, sizeof(expected));
	for (uint64_t tick = pyn_histogram_lowest(index); tick <= pyn_histogram_highest(index); tick++) {
		pyn_histogram_record(&the_histogram, tick);
		expected[tick * 1000000 / hz]++;
	}
	pyn_histogram_to_us(&the_histogram, hz, counts, 30000);
	CHECK_MEM(counts, expected, sizeof(counts));
}

TEST(in_us_no_value_is_lost)
{
	static uint64_t counts[1000000];
	struct pyn_random random = {8};
	uint64_t sum = 0;

	pyn_histogram_init(&the_histogram);
	for (int i = 0; i < 12345; i++)
		pyn_histogram_record(&the_histogram, some_value(&random));
	pyn_histogram_to_us(&the_histogram, HZ, counts, 1000000);
	for (int i = 0; i < 1000000; i++)
		sum += counts[i];
	CHECK_EQ(sum, 12345);
}

TEST(in_us_one_that_another_process_left_half_written_does_no_harm)
{
	uint64_t counts[100], sum = 0;

	/* min above max, as between two stores of a record, and a bucket that holds both. */
	pyn_histogram_init(&the_histogram);
	the_histogram.buckets[pyn_histogram_index(50000)] = 7;
	the_histogram.min = 50001;
	the_histogram.max = 50000;
	pyn_histogram_to_us(&the_histogram, HZ, counts, 100);
	for (int i = 0; i < 100; i++)
		sum += counts[i];
	CHECK_EQ(sum, 7);
}
