/* SPDX-License-Identifier: BSD-3-Clause */
/* What SMART reports: counters, time, and a temperature that moves with the load. */
#ifndef VSSD_SUBSYSTEM_HEALTH_H
#define VSSD_SUBSYSTEM_HEALTH_H

#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/subsystem/part.h"

#define VSSD_WCTEMP 343u /* Kelvin */
#define VSSD_CCTEMP 353u
#define VSSD_SENSORS 2u

struct vssd_health {
	uint64_t busy_ticks;   /* in polls that did work, not yet in busy_ms */
	uint64_t window_ticks; /* the same, in the current window */
	uint64_t window_start; /* ticks */
	uint64_t due;          /* ticks: when the temperature is measured again */
	uint64_t power_on_ns;  /* CLOCK_MONOTONIC, up to which power_on_ms counts */
	double heat;           /* Kelvin above idle */
	uint16_t temperature;  /* Kelvin */
	uint8_t thermal;       /* 1, 2: a controller's light, heavy thermal management temperature is reached */
};

extern const struct vssd_subsystem_part vssd_health_part;

/* A poll that took so many ticks did work. */
static inline void vssd_health_busy(struct vssd_health *health, uint64_t ticks)
{
	health->busy_ticks += ticks;
	health->window_ticks += ticks;
}

/* Kelvin; sensor 0 is the composite temperature. */
uint16_t vssd_health_sensor(const struct vssd_subsystem *subsystem, unsigned sensor);

/* Bring power on time and busy time up to date. */
void vssd_health_account(struct vssd_subsystem *subsystem);

/* Fill the log page, but for the warnings, which depend on the thresholds of a controller. */
void vssd_health_smart(struct vssd_subsystem *subsystem, struct nvme_smart_log *log);

#endif
