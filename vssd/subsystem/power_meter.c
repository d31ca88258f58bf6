/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/power_meter.h"

#include <string.h>

#include "core/util/clock.h"
#include "vssd/subsystem/subsystem.h"

#define MS_NS UINT64_C(1000000)
#define MS_PER_MINUTE 60000u
#define IDLE_SHARE 4u /* an idle drive in an operational state draws this part of the most */
#define SCALE_SHIFT 16
#define SCALE 3u
#define FINE_MOST 6553u /* what 16 bits hold in units of 0.1 mW */
#define NOT_REPORTED UINT8_MAX
#define WATT_HOUR UINT64_C(3600000) /* millijoules */
#define ORIGIN_SET (UINT64_C(1) << 49)

static bool is_metered(const struct vssd_subsystem *subsystem)
{
	return subsystem->options.optional.features.power_measurement;
}

/* ---- powers ---- */

uint32_t vssd_power_scaled(uint32_t milliwatts)
{
	if (milliwatts <= FINE_MOST)
		return milliwatts * 10 | (uint32_t)NVME_POWER_SCALE_UNITS_0_0001_W << SCALE_SHIFT;
	return milliwatts / 10 | (uint32_t)NVME_POWER_SCALE_UNITS_0_01_W << SCALE_SHIFT;
}

uint32_t vssd_power_unscaled(uint32_t scaled)
{
	uint32_t value = scaled & UINT16_MAX;

	switch (scaled >> SCALE_SHIFT & SCALE) {
	case NVME_POWER_SCALE_UNITS_0_0001_W:
		return value / 10;
	case NVME_POWER_SCALE_UNITS_0_01_W:
		return value * 10;
	default:
		return 0;
	}
}

/* What the drive draws now. The controller that allows most counts. */
static uint32_t draw(const struct vssd_subsystem *subsystem)
{
	struct vssd_power_budget budget = {0, true};
	uint32_t limit = subsystem->health.meter.limit;

	for (const struct vssd_listener *one = subsystem->listeners; one; one = one->next) {
		struct vssd_power_budget found = one->ops->budget(one);

		if (budget.asleep && (!found.asleep || found.most > budget.most))
			budget = found;
		else if (!found.asleep && found.most > budget.most)
			budget = found;
	}
	if (budget.asleep)
		return budget.most;
	if (limit && limit < budget.most)
		budget.most = limit;
	return budget.most / IDLE_SHARE +
	       (uint32_t)((budget.most - budget.most / IDLE_SHARE) * subsystem->health.load);
}

uint32_t vssd_power_interval(const struct vssd_subsystem *subsystem)
{
	const struct vssd_power_meter *meter = &subsystem->health.meter;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < VSSD_POWER_SAMPLES; i++)
		sum += meter->sample[i];
	return meter->samples == VSSD_POWER_SAMPLES ? sum / VSSD_POWER_SAMPLES : 0;
}

void vssd_power_limit(struct vssd_subsystem *subsystem, uint32_t limited_by)
{
	subsystem->health.meter.limit = vssd_power_unscaled(limited_by);
	subsystem->health.meter.limited_by = limited_by;
}

/* ---- the measurement ---- */

/* The time as feature 0Eh has it. */
static uint64_t moment(const struct vssd_subsystem *subsystem)
{
	return vssd_clock_ms(&subsystem->clock) | (subsystem->clock.is_set ? ORIGIN_SET : 0);
}

void vssd_power_measure(struct vssd_subsystem *subsystem, const struct vssd_listener *owner, uint16_t minutes)
{
	struct vssd_power_measurement *measurement = &subsystem->health.meter.measurement;

	*measurement = (struct vssd_power_measurement){
		.owner = owner,
		.minutes = minutes,
		.generation = (uint8_t)(measurement->generation + 1),
	};
}

void vssd_power_measure_end(struct vssd_subsystem *subsystem)
{
	struct vssd_power_measurement *measurement = &subsystem->health.meter.measurement;

	if (!measurement->owner)
		return;
	measurement->owner = NULL;
	measurement->stopped_at = moment(subsystem);
}

uint16_t vssd_power_minutes_left(const struct vssd_subsystem *subsystem)
{
	const struct vssd_power_measurement *measurement = &subsystem->health.meter.measurement;
	uint64_t passed = measurement->elapsed_ms / MS_PER_MINUTE;

	if (!measurement->owner || passed >= measurement->minutes)
		return 0;
	return (uint16_t)(measurement->minutes - passed);
}

/* Count an interval that has ended. Counters stop at their highest value. */
static void count(struct vssd_subsystem *subsystem, uint32_t power)
{
	struct vssd_power_measurement *measurement = &subsystem->health.meter.measurement;
	uint32_t bin = power / VSSD_POWER_BIN;

	if (measurement->count == UINT32_MAX)
		return;
	measurement->count++;
	measurement->sum += power;
	measurement->bins[bin < VSSD_POWER_BINS ? bin : VSSD_POWER_BINS - 1]++;
	if (power > measurement->most || measurement->count == 1) {
		measurement->most = power;
		measurement->most_at = moment(subsystem);
	}
}

/* Let a sample, and this much time, go into the running measurement. */
static void measure(struct vssd_subsystem *subsystem, uint64_t ms)
{
	struct vssd_power_measurement *measurement = &subsystem->health.meter.measurement;

	measurement->elapsed_ms += ms;
	if (++measurement->samples == VSSD_POWER_SAMPLES) {
		measurement->samples = 0;
		count(subsystem, vssd_power_interval(subsystem));
	}
	if (measurement->minutes && measurement->elapsed_ms >= (uint64_t)measurement->minutes * MS_PER_MINUTE)
		vssd_power_measure_end(subsystem);
}

/* ---- the part ---- */

static void poll(struct vssd_subsystem *subsystem, uint64_t now)
{
	struct vssd_power_meter *meter = &subsystem->health.meter;
	uint64_t ms = meter->last ? pyn_ticks_to_ns(now - meter->last) / MS_NS : 0;
	uint32_t power = draw(subsystem);

	meter->sample[meter->next] = power;
	meter->next = (meter->next + 1) % VSSD_POWER_SAMPLES;
	if (meter->samples < VSSD_POWER_SAMPLES)
		meter->samples++;
	subsystem->nv->totals.energy += power * ms / 1000;
	if (meter->measurement.owner)
		measure(subsystem, ms + meter->aged_ms);
	meter->aged_ms = 0;
	meter->last = now;
	meter->due = now + pyn_ns_to_ticks(VSSD_POWER_SAMPLE_MS * MS_NS);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_POWER);
}

static uint64_t due(const struct vssd_subsystem *subsystem)
{
	return is_metered(subsystem) ? subsystem->health.meter.due : VSSD_NEVER;
}

const struct vssd_subsystem_part vssd_power_meter_part = {.poll = poll, .due = due};

/* ---- logs ---- */

static void fill_histogram(const struct vssd_power_measurement *measurement, struct nvme_power_histogram *histogram)
{
	for (uint32_t i = 0; i < VSSD_POWER_BINS; i++)
		histogram[i] = (struct nvme_power_histogram){
			.phbc = measurement->bins[i],
			.phblt = vssd_power_scaled(i * VSSD_POWER_BIN),
		};
}

void vssd_power_log(const struct vssd_subsystem *subsystem, struct nvme_power_measurement_log *log)
{
	const struct vssd_power_measurement *measurement = &subsystem->health.meter.measurement;

	log->pmgn = measurement->generation;
	log->pma = (uint16_t)((measurement->owner ? NVME_PMA_PME : 0) | NVME_PMA_EPF | NVME_PMA_MIPWRTS);
	log->sze = VSSD_POWER_LOG_SIZE;
	log->pmc = measurement->count;
	log->nphd = log->nphds = VSSD_POWER_BINS;
	log->smtr = vssd_power_minutes_left(subsystem);
	log->smts = measurement->stopped_at;
	log->phds = sizeof(struct nvme_power_histogram);
	log->phbs = VSSD_POWER_BIN;
	log->ipwrpe = NOT_REPORTED;
	fill_histogram(measurement, log->phd);
	if (!measurement->count)
		return;
	log->aipwr = vssd_power_scaled((uint32_t)(measurement->sum / measurement->count));
	log->mipwr = vssd_power_scaled(measurement->most);
	log->mipwrt = measurement->most_at;
}

void vssd_power_smart(const struct vssd_subsystem *subsystem, struct nvme_smart_log *log)
{
	uint32_t power = vssd_power_interval(subsystem);

	if (!is_metered(subsystem))
		return;
	log->olec = (subsystem->nv->totals.energy + WATT_HOUR - 1) / WATT_HOUR;
	log->ipm = power ? vssd_power_scaled(power) : 0;
}
