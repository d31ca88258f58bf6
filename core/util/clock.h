/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time. The IO path counts ticks of the TSC, which costs no system call; everything else works in
 * nanoseconds of CLOCK_MONOTONIC. Both processes of a machine see the same TSC.
 */
#ifndef PYN_UTIL_CLOCK_H
#define PYN_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

static inline uint64_t pyn_ticks(void)
{
	return __rdtsc();
}

static inline uint64_t pyn_monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Ticks a second. The first call calibrates against CLOCK_MONOTONIC (some 10 ms); call it before a fork. */
uint64_t pyn_ticks_hz(void);

/* Conversions by a multiplication, no division; exact to a few ppm. What does not fit is UINT64_MAX, so that a time
 * without end stays one. */
uint64_t pyn_ticks_to_ns(uint64_t ticks);
uint64_t pyn_ns_to_ticks(uint64_t ns);

/* The CLOCK_REALTIME, in ns since 1970, at which the TSC showed ticks. */
uint64_t pyn_ticks_to_realtime_ns(uint64_t ticks);

#endif
