/* SPDX-License-Identifier: BSD-3-Clause */
/* The steady state is that of SNIA's Performance Test Specification, and arrivals are those of Poisson. */
/* sources: core/worker/watch.c core/worker/extra.c core/worker/skew.c core/data/histogram.c core/env/*.c
 * core/util/*.c */
/* dpdk */
/* libs: -lm */
#include <math.h>

#include "core/worker/watch.h"
#include "tests/c/test.h"

TEST(equal_values_are_steady_and_zeros_are_not)
{
	CHECK(pyn_is_steady((double[]){5, 5, 5, 5, 5}, 5));
	CHECK(!pyn_is_steady((double[]){0, 0, 0, 0, 0}, 5));
}

TEST(the_range_may_be_a_fifth_of_the_mean)
{
	CHECK(pyn_is_steady((double[]){100, 110, 90, 110, 90}, 5));
	CHECK(!pyn_is_steady((double[]){100, 111, 90, 109, 90}, 5));
}

TEST(the_slope_may_change_the_values_by_a_tenth_of_the_mean)
{
	CHECK(pyn_is_steady((double[]){95, 97.5, 100, 102.5, 105}, 5));
	CHECK(!pyn_is_steady((double[]){94.9, 97.4, 100, 102.6, 105.1}, 5));
	CHECK(!pyn_is_steady((double[]){105.1, 102.6, 100, 97.4, 94.9}, 5));
}

/* ---- rounds of seconds ---- */

static struct pyn_worker_run the_run;
static uint32_t the_seconds[64];

/* Count a second; whether the worker ends. */
static bool second(uint32_t ios)
{
	the_run.seconds.ios = the_seconds;
	the_seconds[the_run.seconds.count++] = ios;
	pyn_watch_steady(&the_run);
	return the_run.state.stopping;
}

TEST(five_steady_rounds_end_the_worker)
{
	the_run = (struct pyn_worker_run){.config.extra.steady_seconds = 2};
	/* Rounds of 100, 300, 200, 200, 200, 200, 200; seconds of one round may differ. */
	const uint32_t ios[] = {50, 50, 100, 200, 150, 50, 100, 100, 20, 180, 100, 100, 100};

	for (unsigned i = 0; i < sizeof(ios) / sizeof(ios[0]); i++)
		CHECK(!second(ios[i]));
	CHECK(second(100));
	CHECK(the_run.result.found.is_steady);
}

/* ---- arrivals ---- */

#define ARRIVALS 20000u
#define CLASSES 10u
#define MEAN 10000.0 /* ticks */
#define LIMIT 27.9   /* chi-square of 9 degrees of freedom: one of 1,000 seeds is above */

TEST(pauses_between_arrivals_are_exponential)
{
	struct pyn_extra extra = {.random = pyn_random_stream(7, 1), .mean_ticks = MEAN, .next_arrival = 1};
	uint32_t counts[CLASSES] = {0};
	double chi_square = 0;
	uint64_t last = 0;

	the_run = (struct pyn_worker_run){.state.extra = &extra};
	for (uint64_t now = 1; the_run.ios.sent < ARRIVALS; now += 10) {
		uint64_t due = pyn_extra_due(&the_run, now, PYN_WORKER_BATCH);

		for (uint64_t i = 0; i < due; i++) {
			double chance = 1 - exp(-(double)(now - last) / MEAN);

			counts[(unsigned)(chance * CLASSES)]++;
			last = now;
		}
		the_run.ios.sent += due;
	}
	for (unsigned i = 0; i < CLASSES; i++) {
		double more = counts[i] - (double)ARRIVALS / CLASSES;

		chi_square += more * more / ((double)ARRIVALS / CLASSES);
	}
	CHECK(chi_square < LIMIT);
	CHECK(fabs((double)last / ARRIVALS / MEAN - 1) < 0.02);
}

TEST(no_more_than_the_rate_or_the_depth_allows_is_due)
{
	struct pyn_extra extra = {.mean_ticks = 1, .depth = 3};

	the_run = (struct pyn_worker_run){.state.extra = &extra, .slot_count = 8, .free.count = 7};
	CHECK_EQ(pyn_extra_due(&the_run, 1000, PYN_WORKER_BATCH), 2);
	CHECK_EQ(pyn_extra_due(&the_run, 1000, 1), 1);
	the_run.free.count = 5;
	CHECK_EQ(pyn_extra_due(&the_run, 1000, PYN_WORKER_BATCH), 0);
	the_run.free.count = 2;
	CHECK_EQ(pyn_extra_due(&the_run, 1000, PYN_WORKER_BATCH), 0);
}
