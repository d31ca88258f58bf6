/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks that are not equally popular, as fio's random_distribution=zipf:theta and pareto:h choose them. The rank of
 * a block, 0 for the most popular one, is drawn as fio draws it; popular blocks are spread over the region by a
 * permutation, which is the same for all workers of a region.
 */
#ifndef PYN_WORKER_SKEW_H
#define PYN_WORKER_SKEW_H

#include <stdint.h>

#include "core/util/random.h"

enum pyn_skew_kind {
	PYN_SKEW_NONE,
	PYN_SKEW_ZIPF,   /* the block of rank k is as popular as (k + 1)^-theta */
	PYN_SKEW_PARETO, /* a share h of all IO goes to a share 1 - h of the blocks, and so on within these */
};

struct pyn_skew {
	enum pyn_skew_kind kind;
	uint64_t blocks;
	uint64_t stride; /* of the permutation; has no divisor in common with blocks */
	double zeta;     /* zipf: the sum of k^-theta over all blocks */
	double second;   /* zipf: the sum of the first two */
	double alpha, eta;
	double power; /* pareto */
};

/* Initialise it. parameter: theta, above 0 and not 1, or h, between 0 and 1. blocks: at least 1. */
void pyn_skew_init(struct pyn_skew *skew, enum pyn_skew_kind kind, double parameter, uint64_t blocks);

/* The rank that a random number from 0 to 1, exclusive, draws. */
uint64_t pyn_skew_rank(const struct pyn_skew *skew, double uniform);

/* The block, from the start of the region, that has this rank. */
uint64_t pyn_skew_block(const struct pyn_skew *skew, uint64_t rank);

/* A random number from 0 to 1, exclusive. */
static inline double pyn_skew_uniform(struct pyn_random *random)
{
	return (double)(pyn_random_next(random) >> 11) * 0x1p-53;
}

#endif
