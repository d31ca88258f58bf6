/* SPDX-License-Identifier: BSD-3-Clause */
/* The random numbers behind all decisions of the fuzzer. The same seed leads to the same run. */
#ifndef TESTS_C_FUZZ_RANDOM_H
#define TESTS_C_FUZZ_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_random {
	uint64_t state; /* any value */
};

/* SplitMix64: 64 random bits. */
static inline uint64_t fuzz_next(struct fuzz_random *random)
{
	uint64_t value = random->state += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

/* 0 … limit - 1; limit > 0. */
static inline uint32_t fuzz_below(struct fuzz_random *random, uint32_t limit)
{
	return (uint32_t)(((fuzz_next(random) >> 32) * limit) >> 32);
}

/* first … last, both included. */
static inline uint32_t fuzz_between(struct fuzz_random *random, uint32_t first, uint32_t last)
{
	return first + fuzz_below(random, last - first + 1);
}

static inline bool fuzz_one_in(struct fuzz_random *random, uint32_t times)
{
	return fuzz_below(random, times) == 0;
}

/* One element of an array. */
#define FUZZ_PICK(random, array) ((array)[fuzz_below((random), sizeof(array) / sizeof((array)[0]))])

/* A number at which code tends to break, such as those around powers of two and the largest, or any other number. */
static inline uint64_t fuzz_edge(struct fuzz_random *random)
{
	uint64_t power = UINT64_C(1) << fuzz_below(random, 64);

	switch (fuzz_below(random, 6)) {
	case 0:
		return power;
	case 1:
		return power - 1;
	case 2:
		return power + 1;
	case 3:
		return 0 - power;
	case 4:
		return fuzz_below(random, 9);
	default:
		return fuzz_next(random);
	}
}

#endif
