/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/worker/skew.h"

#include <math.h>

#define EXACT 1000u /* terms of a sum that are added one by one; the rest is an integral with corrections */
#define GOLDEN 0.6180339887498949

/* The sum of k^-theta for k from 1 to n, by the Euler-Maclaurin formula above EXACT. */
static double zeta(uint64_t n, double theta)
{
	uint64_t exact = n < EXACT ? n : EXACT;
	double sum = 0, low = (double)exact, high = (double)n;

	for (uint64_t k = 1; k <= exact; k++)
		sum += pow((double)k, -theta);
	if (n <= EXACT)
		return sum;
	sum += (pow(high, 1 - theta) - pow(low, 1 - theta)) / (1 - theta);
	sum += (pow(high, -theta) - pow(low, -theta)) / 2;
	return sum - theta * (pow(high, -theta - 1) - pow(low, -theta - 1)) / 12;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static uint64_t stride_for(uint64_t blocks)
{
	uint64_t stride = (uint64_t)((double)blocks * GOLDEN);

	if (stride < 1)
		stride = 1;
	while (common_divisor(stride, blocks) != 1)
		stride++;
	return stride;
}

void pyn_skew_init(struct pyn_skew *skew, enum pyn_skew_kind kind, double parameter, uint64_t blocks)
{
	*skew = (struct pyn_skew){.kind = kind, .blocks = blocks, .stride = stride_for(blocks)};
	if (kind == PYN_SKEW_PARETO) {
		skew->power = log(parameter) / log(1 - parameter);
		return;
	}
	skew->second = 1 + pow(0.5, parameter);
	skew->zeta = zeta(blocks, parameter);
	skew->alpha = 1 / (1 - parameter);
	skew->eta = (1 - pow(2 / (double)blocks, 1 - parameter)) / (1 - skew->second / skew->zeta);
}

static uint64_t clipped(const struct pyn_skew *skew, double rank)
{
	return rank < (double)skew->blocks ? (uint64_t)rank : skew->blocks - 1;
}

uint64_t pyn_skew_rank(const struct pyn_skew *skew, double uniform)
{
	if (skew->kind == PYN_SKEW_PARETO)
		return clipped(skew, (double)(skew->blocks - 1) * pow(uniform, skew->power));
	double share = uniform * skew->zeta;

	if (share < 1)
		return 0;
	if (share < skew->second || skew->blocks <= 2)
		return clipped(skew, 1);
	return clipped(skew, (double)skew->blocks * pow(skew->eta * uniform - skew->eta + 1, skew->alpha));
}

uint64_t pyn_skew_block(const struct pyn_skew *skew, uint64_t rank)
{
	return (uint64_t)((unsigned __int128)rank * skew->stride % skew->blocks);
}
