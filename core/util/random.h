/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small random generator for the IO path: LBAs, opcodes, sizes, data. It has 64 bits of state, so that one seed
 * repeats a whole test; every worker has its own. Do not use it for secrets.
 *
 * The generator is Wang Yi's wyrand: a counter with an odd step, and one wide multiplication that mixes it. Its
 * period is 2^64, whatever the seed.
 */
#ifndef PYN_UTIL_RANDOM_H
#define PYN_UTIL_RANDOM_H

#include <stdint.h>

struct pyn_random {
	uint64_t state; /* any value is a valid seed, also 0 */
};

#define PYN_RANDOM_STEP UINT64_C(0x2d358dccaa6c78a5) /* from one state to the next */

/* 64 random bits. */
static inline uint64_t pyn_random_next(struct pyn_random *random)
{
	uint64_t counter = random->state += PYN_RANDOM_STEP;
	unsigned __int128 product = (unsigned __int128)counter * (counter ^ UINT64_C(0x8bb84b93962eacc9));

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

/* A random number in 0 … range-1, by a multiplication instead of a division; 0 if range is 0.
 * No value is likelier than another by more than range / 2^64. */
static inline uint64_t pyn_random_below(struct pyn_random *random, uint64_t range)
{
	return (uint64_t)((unsigned __int128)pyn_random_next(random) * range >> 64);
}

/*
 * A generator for one of several streams of one seed: seed comes from srand(), stream is a worker's number.
 * Neighbouring seeds and streams start at unrelated places of the period.
 */
static inline struct pyn_random pyn_random_stream(uint64_t seed, uint64_t stream)
{
	struct pyn_random outer = {seed};
	struct pyn_random inner = {pyn_random_next(&outer) ^ stream};

	return (struct pyn_random){pyn_random_next(&inner)};
}

#endif
