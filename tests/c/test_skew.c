/* SPDX-License-Identifier: BSD-3-Clause */
/* Popular blocks are as popular as fio's, and the steady state is that of SNIA. */
/* sources: core/worker/skew.c core/util/*.c */
/* libs: -lm */
#include <math.h>
#include <string.h>

#include "core/worker/skew.h"
#include "tests/c/test.h"

#define DRAWS 1000000u
#define BLOCKS 1000u

static uint32_t the_counts[BLOCKS];

/* Draw ranks and count them. */
static void draw(enum pyn_skew_kind kind, double parameter)
{
	struct pyn_random random = pyn_random_stream(4711, 1);
	struct pyn_skew skew;

	memset(the_counts, 0, sizeof(the_counts));
	pyn_skew_init(&skew, kind, parameter, BLOCKS);
	for (uint32_t i = 0; i < DRAWS; i++)
		the_counts[pyn_skew_rank(&skew, pyn_skew_uniform(&random))]++;
}

/* The rank by fio's formula for zipf, with a sum over all blocks (Gray et al., SIGMOD 1994). */
static uint64_t rank_of_fio(double uniform, double theta)
{
	double zeta = 0, alpha = 1 / (1 - theta);

	for (uint32_t k = 1; k <= BLOCKS; k++)
		zeta += pow(1.0 / k, theta);
	double eta = (1 - pow(2.0 / BLOCKS, 1 - theta)) / (1 - (1 + pow(0.5, theta)) / zeta), share = uniform * zeta;

	if (share < 1)
		return 0;
	if (share < 1 + pow(0.5, theta))
		return 1;
	return (uint64_t)(BLOCKS * pow(eta * uniform - eta + 1, alpha));
}

TEST(zipf_draws_the_ranks_of_fio)
{
	const double thetas[] = {0.2, 0.6, 0.9, 1.1, 1.4, 2.5};

	for (unsigned t = 0; t < sizeof(thetas) / sizeof(thetas[0]); t++) {
		struct pyn_skew skew;

		pyn_skew_init(&skew, PYN_SKEW_ZIPF, thetas[t], BLOCKS);
		for (uint32_t i = 1; i < 1000; i++)
			CHECK_EQ(pyn_skew_rank(&skew, i / 1000.0), rank_of_fio(i / 1000.0, thetas[t]));
	}
}

TEST(the_first_ranks_have_the_shares_of_zipf)
{
	double zeta = 0;

	draw(PYN_SKEW_ZIPF, 1.2);
	for (uint32_t k = 1; k <= BLOCKS; k++)
		zeta += pow(k, -1.2);
	for (uint32_t k = 1; k <= 2; k++)
		CHECK(fabs(the_counts[k - 1] / (double)DRAWS - pow(k, -1.2) / zeta) < 0.002);
	CHECK(the_counts[0] > 10 * the_counts[20] && the_counts[20] > the_counts[500]);
}

TEST(a_share_h_of_pareto_goes_to_the_rest_of_the_blocks)
{
	uint32_t few = 0;

	draw(PYN_SKEW_PARETO, 0.2);
	for (uint32_t i = 0; i < BLOCKS * 2 / 10; i++)
		few += the_counts[i];
	CHECK(fabs(few / (double)DRAWS - 0.8) < 0.01);
}

TEST(the_sum_over_many_blocks_is_exact)
{
	const double thetas[] = {0.5, 0.99, 1.2};

	for (unsigned t = 0; t < sizeof(thetas) / sizeof(thetas[0]); t++) {
		const uint64_t blocks = 1000000;
		struct pyn_skew skew;
		double sum = 0;

		for (uint64_t k = blocks; k >= 1; k--)
			sum += pow((double)k, -thetas[t]);
		pyn_skew_init(&skew, PYN_SKEW_ZIPF, thetas[t], blocks);
		CHECK(fabs(skew.zeta / sum - 1) < 1e-12);
	}
}

TEST(blocks_are_a_permutation_of_ranks_in_regions_of_every_size)
{
	for (uint64_t blocks = 1; blocks <= 300; blocks++) {
		uint8_t seen[300] = {0};
		struct pyn_skew skew;

		pyn_skew_init(&skew, PYN_SKEW_ZIPF, 0.9, blocks);
		for (uint64_t rank = 0; rank < blocks; rank++) {
			uint64_t block = pyn_skew_block(&skew, rank);

			if (CHECK(block < blocks))
				CHECK_EQ(seen[block]++, 0);
		}
		for (uint32_t i = 0; i < 1000; i++)
			CHECK(pyn_skew_rank(&skew, i / 1000.0) < blocks);
		CHECK(pyn_skew_rank(&skew, 1 - 0x1p-53) < blocks);
	}
}
