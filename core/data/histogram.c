/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/histogram.h"

#include <float.h>
#include <string.h>

#define US_PER_SECOND 1000000u

typedef unsigned __int128 uint128_t;

/* log2 of the width of a bucket: it is 0 in the first two octaves, and grows by 1 with each further one. */
static uint32_t shift_of(uint32_t index)
{
	uint32_t octave = index >> PYN_HISTOGRAM_BITS;

	return octave ? octave - 1 : 0;
}

void pyn_histogram_init(struct pyn_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min = UINT64_MAX;
}

uint64_t pyn_histogram_lowest(uint32_t index)
{
	uint32_t shift = shift_of(index);

	return (uint64_t)(index - (shift << PYN_HISTOGRAM_BITS)) << shift;
}

uint64_t pyn_histogram_highest(uint32_t index)
{
	return pyn_histogram_lowest(index) + ((UINT64_C(1) << shift_of(index)) - 1);
}

void pyn_histogram_merge(struct pyn_histogram *into, const struct pyn_histogram *from)
{
	into->count += from->count;
	into->sum_low += from->sum_low;
	into->sum_high += from->sum_high + (into->sum_low < from->sum_low);
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	for (uint32_t i = 0; i < PYN_HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

double pyn_histogram_mean(const struct pyn_histogram *histogram)
{
	uint128_t sum = (uint128_t)histogram->sum_high << 64 | histogram->sum_low;

	return histogram->count ? (double)sum / (double)histogram->count : 0;
}

static uint64_t clamp(const struct pyn_histogram *histogram, uint64_t value)
{
	if (value > histogram->max)
		return histogram->max;
	return value < histogram->min ? histogram->min : value;
}

/* percentage percent of count, rounded up, at least 1. */
static uint64_t rank_of(uint64_t count, double percentage)
{
	/* 99.9 % of 1,000 must be 999, although 99.9 has no exact binary form. */
	double exact = percentage * (double)count / 100 * (1 - 4 * DBL_EPSILON);

	if (!(exact < (double)count))
		return count;
	uint64_t rank = (uint64_t)exact;
	return rank < count ? rank + 1 : count;
}

uint64_t pyn_histogram_percentile(const struct pyn_histogram *histogram, double percentage)
{
	uint64_t below = 0;

	if (!histogram->count)
		return 0;
	if (percentage <= 0)
		return histogram->min;

	uint64_t rank = rank_of(histogram->count, percentage);
	for (uint32_t i = 0; i < PYN_HISTOGRAM_BUCKETS; i++) {
		below += histogram->buckets[i];
		if (below >= rank)
			return clamp(histogram, pyn_histogram_highest(i));
	}
	return histogram->max;
}

/* The microsecond that contains tick, at most last. */
static uint64_t us_of(uint64_t tick, uint64_t hz, uint64_t last)
{
	uint128_t us = (uint128_t)tick * US_PER_SECOND / hz;

	return us < last ? (uint64_t)us : last;
}

/* Spread count values over the microseconds of the ticks lowest … highest, in proportion to the ticks in each. */
static void spread(uint64_t count, uint64_t lowest, uint64_t highest, uint64_t hz, uint64_t *counts, uint64_t last)
{
	uint64_t end = us_of(highest, hz, last), done = 0;
	uint128_t width = (uint128_t)highest - lowest + 1;

	for (uint64_t us = us_of(lowest, hz, last); us < end; us++) {
		uint128_t next_us = ((uint128_t)(us + 1) * hz + US_PER_SECOND - 1) / US_PER_SECOND;
		uint64_t until = (uint64_t)((next_us - lowest) * count / width);

		counts[us] += until - done;
		done = until;
	}
	counts[end] += count - done;
}

void pyn_histogram_to_us(const struct pyn_histogram *histogram, uint64_t hz, uint64_t *counts, size_t size)
{
	memset(counts, 0, size * sizeof(*counts));
	for (uint32_t i = 0; i < PYN_HISTOGRAM_BUCKETS; i++) {
		uint64_t lowest = clamp(histogram, pyn_histogram_lowest(i));
		uint64_t highest = clamp(histogram, pyn_histogram_highest(i));

		if (histogram->buckets[i])
			spread(histogram->buckets[i], lowest, highest, hz, counts, size - 1);
	}
}
