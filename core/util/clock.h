/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time. The IO path counts ticks of the TSC, which costs no system call; everything else works in nanoseconds of
 * CLOCK_MONOTONIC. All processes of a machine see the same TSC.
 */
#ifndef PYN_UTIL_CLOCK_H
#define PYN_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The builtin, since <x86intrin.h> takes longer to compile than most files that need the time. */
static inline uint64_t pyn_ticks(void)
{
	return __builtin_ia32_rdtsc();
}

static inline uint64_t pyn_monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* TSC ticks per second. The first call calibrates against CLOCK_MONOTONIC (some 10 ms), so call it before a fork. */
uint64_t pyn_ticks_hz(void);

/* Convert by a multiplication, without a division; exact to a few ppm. A result that does not fit becomes UINT64_MAX,
 * so an infinite time-out stays infinite. */
uint64_t pyn_ticks_to_ns(uint64_t ticks);
uint64_t pyn_ns_to_ticks(uint64_t ns);

/* CLOCK_REALTIME, in ns since 1970, at the moment when the TSC read ticks. The same ticks give the same time, unless
 * the clock was set, or has drifted from the TSC by a millisecond. */
uint64_t pyn_ticks_to_realtime_ns(uint64_t ticks);

/* Let others run after many empty polls: on a machine with few cores, a virtual device may be waiting for this one.
 * After 100 ms without a command that was sent or completed (since_ticks), sleep for 50 us at a time. The caller then
 * measures the time of a command to 0.1 %. */
void pyn_give_way(uint64_t since_ticks);

#endif
