/* SPDX-License-Identifier: BSD-3-Clause */
/* The time of the drive: that of the feature Timestamp, or else since power-up. */
#ifndef VSSD_SUBSYSTEM_CLOCK_H
#define VSSD_SUBSYSTEM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/clock.h"

struct vssd_clock {
	uint64_t ms; /* at the moment `at`; since 1970 if the host has set it */
	uint64_t at; /* ns, CLOCK_MONOTONIC */
	bool is_set; /* by the host */
};

static inline void vssd_clock_set(struct vssd_clock *clock, uint64_t ms, bool is_set)
{
	*clock = (struct vssd_clock){.ms = ms, .at = pyn_monotonic_ns(), .is_set = is_set};
}

static inline uint64_t vssd_clock_ms(const struct vssd_clock *clock)
{
	return (clock->ms + (pyn_monotonic_ns() - clock->at) / 1000000) & UINT64_C(0xffffffffffff);
}

#endif
