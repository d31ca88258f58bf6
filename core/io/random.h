/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small random generator for the IO path: LBAs, opcodes, sizes, data. 64 bits of state, so that one seed
 * repeats a whole test; every worker has its own. Not for secrets.
 *
 * The generator is splitmix64: a counter with an odd step, and a bijection that mixes it. Its period is 2^64 and
 * each value comes once in it, whatever the seed.
 */
#ifndef PYN_IO_RANDOM_H
#define PYN_IO_RANDOM_H

#include <stdint.h>

struct pyn_random {
	uint64_t state; /* any value is a valid seed, also 0 */
};

/* 64 random bits. */
static inline uint64_t pyn_random_next(struct pyn_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* A number in 0 … range-1, with a multiplication instead of a division; 0 where range is 0.
 * No value is likelier than another by more than range / 2^64. */
static inline uint64_t pyn_random_below(struct pyn_random *random, uint64_t range)
{
	return (uint64_t)((unsigned __int128)pyn_random_next(random) * range >> 64);
}

/*
 * The generator number stream that belongs to seed: what srand() gave, and the number of a worker.
 * Neighbouring seeds and streams start at unrelated places of the period.
 */
static inline struct pyn_random pyn_random_stream(uint64_t seed, uint64_t stream)
{
	struct pyn_random outer = {seed};
	struct pyn_random inner = {pyn_random_next(&outer) ^ stream};

	return (struct pyn_random){pyn_random_next(&inner)};
}

#endif
