/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/c/fuzz/clock.h"

#include "core/util/clock.h"

#define NEVER (UINT64_C(1) << 62)

bool fuzz_time_stands;

uint64_t pyn_ns_to_ticks(uint64_t ns)
{
	return ns && fuzz_time_stands ? NEVER : 0;
}

/* The load of the last window must not depend on the machine: no time has passed in it. */
uint64_t pyn_ticks_to_ns(uint64_t ticks)
{
	(void)ticks;
	return 0;
}

/* Only the log of faults shows it. */
uint64_t pyn_ticks_to_realtime_ns(uint64_t ticks)
{
	(void)ticks;
	return 0;
}
