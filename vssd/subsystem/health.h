/* SPDX-License-Identifier: BSD-3-Clause */
/* The SMART log: counters, times, and a temperature that depends on the load. */
#ifndef VSSD_SUBSYSTEM_HEALTH_H
#define VSSD_SUBSYSTEM_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/subsystem/host_metadata.h"
#include "vssd/subsystem/lba_status.h"
#include "vssd/subsystem/part.h"
#include "vssd/subsystem/power_meter.h"
#include "vssd/subsystem/spindle.h"

#define VSSD_WCTEMP 343u /* Kelvin */
#define VSSD_CCTEMP 353u
#define VSSD_SENSORS 2u

struct vssd_health {
	uint64_t busy_ticks;   /* time of polls that did work, not yet added to busy_ms */
	uint64_t window_ticks; /* the same, in the current window */
	uint64_t window_start; /* ticks */
	uint64_t due;          /* ticks: when the temperature is measured again */
	uint64_t power_on_ns;  /* CLOCK_MONOTONIC; power_on_ms counts up to here */
	double heat;           /* Kelvin above idle */
	double load;           /* of the last window, 0 to 1 */
	uint16_t temperature;  /* Kelvin */
	uint16_t hottest;      /* the highest one since the process started */
	uint16_t ambient;      /* Kelvin: the temperature of the idle drive; a power cycle does not change it */
	uint8_t thermal;       /* host controlled thermal management: 0 none, 1 light, 2 heavy */
	uint8_t throttling;    /* how much the drive slows down, for the host or to protect itself: as thermal */
	bool throttles;        /* heavily, at any temperature */
	struct vssd_lba_status lba_status;
	uint8_t excursion; /* the threshold that the persistent event log knows: 1 WCTEMP, 2 CCTEMP */
	struct vssd_power_meter meter;
	struct vssd_spindle spindle;
	struct vssd_host_metadata *host_metadata; /* owned; NULL: the drive does not have it */
};

extern const struct vssd_subsystem_part vssd_health_part;

/* Count a poll that did work and took this many ticks. */
static inline void vssd_health_busy(struct vssd_health *health, uint64_t ticks)
{
	health->busy_ticks += ticks;
	health->window_ticks += ticks;
}

/* The temperature of a sensor in Kelvin; sensor 0 is the composite temperature. */
uint16_t vssd_health_sensor(const struct vssd_subsystem *subsystem, unsigned sensor);

/* What vssd_health_age() changes; VSSD_UNCHANGED leaves a member as it is. */
#define VSSD_UNCHANGED UINT32_MAX
#define VSSD_SPARE_THRESHOLD 10u /* percent */

struct vssd_ageing {
	uint64_t hours;         /* to add to the power-on hours */
	uint32_t used;          /* percent of the life, 255 at most */
	uint32_t spare;         /* percent that is left */
	uint32_t read_only;     /* 0 or 1, as is backup_failed */
	uint32_t backup_failed; /* the capacitors that protect the volatile memory are defective */
	uint32_t temperature;   /* Kelvin, of the idle drive */
	uint32_t throttle;      /* 0 or 1: throttle at any temperature */
};

/* Let the drive grow old at once. False: a member is out of range, and nothing is changed. */
bool vssd_health_age(struct vssd_subsystem *subsystem, const struct vssd_ageing *ageing);

/* Let the drive suffer from a defect of enum vssd_fault_defect from now on. */
void vssd_health_defect(struct vssd_subsystem *subsystem, uint64_t defect);

/* How long a command takes longer because the drive throttles; ns. */
uint64_t vssd_health_slowdown(const struct vssd_subsystem *subsystem);

/* Whether writes are refused, because no spare is left. */
bool vssd_health_read_only(const struct vssd_subsystem *subsystem);

/* The critical warnings that do not depend on a controller: bits NVME_SMART_*. */
uint8_t vssd_health_warnings(const struct vssd_subsystem *subsystem);

/* Update power-on time and busy time. */
void vssd_health_account(struct vssd_subsystem *subsystem);

/* Fill in the log page, except the warnings, which depend on the thresholds of a controller. */
void vssd_health_smart(struct vssd_subsystem *subsystem, struct nvme_smart_log *log);

#endif
