/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The power of the drive, which depends on its power state and its load: samples, averages of a second, a measurement
 * that the host starts, and a limit. Powers are in milliwatts. NVM Express Base Specification 2.3, 5.2.26.1.25 to
 * 5.2.26.1.27 and 5.2.12.1.33.
 */
#ifndef VSSD_SUBSYSTEM_POWER_METER_H
#define VSSD_SUBSYSTEM_POWER_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/subsystem/part.h"

#define VSSD_POWER_MOST 8000u         /* of power state 0 without a limit */
#define VSSD_POWER_LEAST 4000u        /* of the operational power state with the least power */
#define VSSD_POWER_LIGHT 6000u        /* a limit below it slows the drive heavily, one below the most lightly */
#define VSSD_POWER_SAMPLE_MS 100u     /* between two samples */
#define VSSD_POWER_SAMPLES 10u        /* of an interval of a second */
#define VSSD_POWER_BIN 250u           /* of the histogram */
#define VSSD_POWER_BINS 33u           /* up to VSSD_POWER_MOST, which is in the last one */
#define VSSD_POWER_MINUTES_MOST 1440u /* of a measurement with a stop time */

/* The size of log page 25h. */
#define VSSD_POWER_LOG_SIZE                                                                                          \
	(sizeof(struct nvme_power_measurement_log) + VSSD_POWER_BINS * sizeof(struct nvme_power_histogram))

/* What a controller allows the drive to draw, by its power state. */
struct vssd_power_budget {
	uint32_t most;
	bool asleep; /* it is what the drive draws, whatever its load */
};

/* The measurement that the host has started last. */
struct vssd_power_measurement {
	const struct vssd_listener *owner; /* who has started it; NULL: none is running */
	uint64_t elapsed_ms;
	uint64_t sum;     /* of all intervals */
	uint64_t most_at; /* when it was most: as nvme_timestamp; so is stopped_at */
	uint64_t stopped_at;
	uint32_t most;
	uint32_t count; /* intervals */
	uint32_t bins[VSSD_POWER_BINS];
	uint16_t minutes; /* after which it stops; 0: it does not */
	uint8_t generation;
	uint8_t samples; /* of the interval that has not ended yet */
};

struct vssd_power_meter {
	uint64_t due;        /* ticks: the next sample */
	uint64_t last;       /* ticks: the one before */
	uint64_t aged_ms;    /* time that has passed at once, see vssd_health_age() */
	uint32_t limit;      /* 0: none */
	uint32_t limited_by; /* dword 13 of the Set Features that has set it */
	uint32_t sample[VSSD_POWER_SAMPLES];
	uint32_t samples; /* taken since power-up, up to VSSD_POWER_SAMPLES */
	uint32_t next;    /* where the next sample goes */
	struct vssd_power_measurement measurement;
};

extern const struct vssd_subsystem_part vssd_power_meter_part;

/* A power as a value with a scale, as logs have it: bits 17:16 are the scale. And back; 0: the scale is none. */
uint32_t vssd_power_scaled(uint32_t milliwatts);
uint32_t vssd_power_unscaled(uint32_t scaled);

/* The average of the last second. 0: the power is not on for so long. */
uint32_t vssd_power_interval(const struct vssd_subsystem *subsystem);

/* How much the limit slows the drive down: 0 none, 1 light, 2 heavy. */
static inline uint8_t vssd_power_slowdown(const struct vssd_power_meter *meter)
{
	if (!meter->limit || meter->limit >= VSSD_POWER_MOST)
		return 0;
	return meter->limit < VSSD_POWER_LIGHT ? 2 : 1;
}

/* Limit the power, by dword 13 of feature 23h. The drive slows down from the next sample on. */
void vssd_power_limit(struct vssd_subsystem *subsystem, uint32_t limited_by);

/* Start a measurement, which stops after so many minutes; 0: not by itself. Stop it, if one is running. */
void vssd_power_measure(struct vssd_subsystem *subsystem, const struct vssd_listener *owner, uint16_t minutes);
void vssd_power_measure_end(struct vssd_subsystem *subsystem);

/* How many minutes are left until the measurement stops, rounded up; 0: it does not stop by itself. */
uint16_t vssd_power_minutes_left(const struct vssd_subsystem *subsystem);

/* Fill in log page 25h, of VSSD_POWER_LOG_SIZE bytes that are zeros, and the fields of the SMART log. */
void vssd_power_log(const struct vssd_subsystem *subsystem, struct nvme_power_measurement_log *log);
void vssd_power_smart(const struct vssd_subsystem *subsystem, struct nvme_smart_log *log);

#endif
