/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/util/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define CALIBRATION_NS UINT64_C(10000000)
#define FRACTION_BITS 32
#define REALTIME_STEP_NS INT64_C(1000000)
#define LONG_NS UINT64_C(100000000)
#define NAP_NS 50000

/* Both conversions are value * factor >> FRACTION_BITS, in 128 bits. */
static struct {
	pthread_once_t once;
	uint64_t hz;
	uint64_t ns_per_tick;
	uint64_t ticks_per_ns;
} the_clock = {.once = PTHREAD_ONCE_INIT};

/* Read a clock, and the TSC at the same moment. The narrowest of several tries counts, in case of a preemption. */
static uint64_t ticks_at(clockid_t clock, uint64_t *ns)
{
	uint64_t best = UINT64_MAX, ticks = 0;

	for (int i = 0; i < 8; i++) {
		struct timespec t;
		uint64_t before = pyn_ticks();

		clock_gettime(clock, &t);
		uint64_t width = pyn_ticks() - before;
		if (width < best) {
			best = width;
			ticks = before + width / 2;
			*ns = (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
		}
	}
	return ticks;
}

/* Sleep on after a signal: a shorter calibration would be less exact. */
static void sleep_until(uint64_t ns)
{
	struct timespec until = {.tv_sec = (time_t)(ns / NS_PER_SECOND), .tv_nsec = (long)(ns % NS_PER_SECOND)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void calibrate(void)
{
	uint64_t ns0 = 0, ns1 = 0;
	uint64_t ticks0 = ticks_at(CLOCK_MONOTONIC, &ns0);

	sleep_until(ns0 + CALIBRATION_NS);
	uint64_t ticks1 = ticks_at(CLOCK_MONOTONIC, &ns1);
	uint64_t ns = ns1 > ns0 ? ns1 - ns0 : 1;
	uint64_t ticks = ticks1 > ticks0 ? ticks1 - ticks0 : 1;

	the_clock.hz = (uint64_t)((unsigned __int128)ticks * NS_PER_SECOND / ns);
	the_clock.ns_per_tick = (uint64_t)(((unsigned __int128)ns << FRACTION_BITS) / ticks);
	the_clock.ticks_per_ns = (uint64_t)(((unsigned __int128)ticks << FRACTION_BITS) / ns);
}

uint64_t pyn_ticks_hz(void)
{
	pthread_once(&the_clock.once, calibrate);
	return the_clock.hz;
}

static uint64_t scale(uint64_t value, uint64_t factor)
{
	unsigned __int128 scaled = (unsigned __int128)value * factor >> FRACTION_BITS;

	return scaled > UINT64_MAX ? UINT64_MAX : (uint64_t)scaled;
}

uint64_t pyn_ticks_to_ns(uint64_t ticks)
{
	pthread_once(&the_clock.once, calibrate);
	return scale(ticks, the_clock.ns_per_tick);
}

uint64_t pyn_ns_to_ticks(uint64_t ns)
{
	pthread_once(&the_clock.once, calibrate);
	return scale(ns, the_clock.ticks_per_ns);
}

uint64_t pyn_ticks_to_realtime_ns(uint64_t ticks)
{
	static _Atomic uint64_t offset; /* CLOCK_REALTIME less the time since the TSC was 0, in ns, modulo 2^64 */
	uint64_t now_ns = 0;
	uint64_t now = ticks_at(CLOCK_REALTIME, &now_ns);
	uint64_t fresh = now_ns - pyn_ticks_to_ns(now);
	uint64_t used = atomic_load_explicit(&offset, memory_order_relaxed);
	int64_t moved = (int64_t)(fresh - used);

	if (moved > REALTIME_STEP_NS || moved < -REALTIME_STEP_NS) {
		used = fresh;
		atomic_store_explicit(&offset, used, memory_order_relaxed);
	}
	return pyn_ticks_to_ns(ticks) + used;
}

void pyn_give_way(uint64_t since_ticks)
{
	struct timespec pause = {.tv_nsec = NAP_NS};
	uint64_t now = pyn_ticks();

	if (now > since_ticks && now - since_ticks > pyn_ns_to_ticks(LONG_NS))
		nanosleep(&pause, NULL);
	else
		sched_yield();
}
