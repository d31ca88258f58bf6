/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A latency histogram. Values are TSC ticks (pyn_ticks), 0 … 2^64-1. Buckets are log-linear: each power of two is
 * split into 128, so a bucket is at most 1/128 (0.8 %) of its values wide, and values below 256 are exact. Count,
 * sum, minimum and maximum are exact.
 *
 * Plain data for shared memory, 58 KiB. One process records, and others may read at the same time. They see each
 * number whole, except the sum, but not all numbers as of the same moment.
 */
#ifndef PYN_DATA_HISTOGRAM_H
#define PYN_DATA_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define PYN_HISTOGRAM_BITS 7
#define PYN_HISTOGRAM_BUCKETS ((64 - PYN_HISTOGRAM_BITS + 1) << PYN_HISTOGRAM_BITS)

struct pyn_histogram {
	uint64_t count; /* number of values recorded */
	uint64_t min;   /* UINT64_MAX if there is no value */
	uint64_t max;
	uint64_t sum_low, sum_high; /* 128 bits, since 64 bits would last two months at 1,000 IOs in flight */
	uint64_t buckets[PYN_HISTOGRAM_BUCKETS];
};

/* Make a histogram empty. Zeroed memory is not an empty histogram. */
void pyn_histogram_init(struct pyn_histogram *histogram);

/* The bucket of a value, 0 … PYN_HISTOGRAM_BUCKETS-1, from its octave and its 8 highest bits. */
static inline size_t pyn_histogram_index(uint64_t value)
{
	size_t zeros = (size_t)__builtin_clzll(value | 1u << PYN_HISTOGRAM_BITS);
	size_t top = value << zeros >> (63 - PYN_HISTOGRAM_BITS);

	return ((63 - PYN_HISTOGRAM_BITS) << PYN_HISTOGRAM_BITS) + top - (zeros << PYN_HISTOGRAM_BITS);
}

/* The smallest and the largest value of a bucket. index: 0 … PYN_HISTOGRAM_BUCKETS-1. */
uint64_t pyn_histogram_lowest(uint32_t index);
uint64_t pyn_histogram_highest(uint32_t index);

/* Record one value. */
static inline void pyn_histogram_record(struct pyn_histogram *histogram, uint64_t value)
{
	histogram->buckets[pyn_histogram_index(value)]++;
	histogram->count++;
	histogram->sum_low += value;
	histogram->sum_high += histogram->sum_low < value;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
}

/* Add all values of *from to *into. */
void pyn_histogram_merge(struct pyn_histogram *into, const struct pyn_histogram *from);

/* The mean of all values in ticks; 0 if there is none. */
double pyn_histogram_mean(const struct pyn_histogram *histogram);

/*
 * The smallest value in ticks that percentage (0 … 100) percent of the values do not exceed. It is as exact as the
 * buckets, never too small, and never above max. Returns max for 100, min for 0, and 0 for an empty histogram.
 */
uint64_t pyn_histogram_percentile(const struct pyn_histogram *histogram, double percentage);

/*
 * Convert to counts per microsecond: counts[i] becomes the number of values from i us to less than i+1 us; the last
 * one also counts all values above. hz: ticks per second (pyn_ticks_hz), not 0. size: length of counts, at least 1. A
 * bucket wider than 1 us is spread evenly. The sum of counts is the number of values.
 */
void pyn_histogram_to_us(const struct pyn_histogram *histogram, uint64_t hz, uint64_t *counts, size_t size);

#endif
