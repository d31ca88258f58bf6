/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SMART log: counters, times, and a temperature that depends on the load.
 * NVM Express Base Specification 2.0, sections 5.16.1.2 and 5.16.1.3.
 */
#include "vssd/subsystem/health.h"

#include <string.h>

#include "core/util/clock.h"
#include "vssd/fault/value.h"
#include "vssd/subsystem/subsystem.h"

#define TICK_NS UINT64_C(100000000)
#define TICK_SECONDS 0.1
#define IDLE_KELVIN 303u
#define LEAST_KELVIN 233u
#define MOST_KELVIN 398u
#define FULL_LOAD_KELVIN 30.0 /* Kelvin above idle at full load */
#define TIME_CONSTANT_SECONDS 15.0
#define SPARE_ALL 100u  /* percent */
#define LIFE_ALL 100u   /* percent */
#define DIE_SPARE 25u   /* percent of the spare that a die is */
#define LIGHT_NS 20000u /* a command takes longer while the drive throttles */
#define HEAVY_NS 200000u
#define HOURS_MOST 10000000u /* of one request */
#define UNIT_SECTORS 1000u   /* sectors in a data unit */
#define MS_PER_SECOND 1000u
#define MS_PER_MINUTE 60000u
#define MS_PER_HOUR 3600000u

uint16_t vssd_health_sensor(const struct vssd_subsystem *subsystem, unsigned sensor)
{
	/* Sensor 1, the flash, is a little cooler than the composite; sensor 2, the controller, a little warmer. */
	static const int offset[VSSD_SENSORS + 1] = {0, -2, 3};

	return (uint16_t)(subsystem->health.temperature + offset[sensor]);
}

static void set_temperature(struct vssd_health *health)
{
	health->temperature = (uint16_t)(health->ambient + health->heat + 0.5);
	if (health->hottest < health->temperature)
		health->hottest = health->temperature;
}

/* The same, once the drive runs, for the persistent event log as well. */
static void change_temperature(struct vssd_subsystem *subsystem)
{
	set_temperature(&subsystem->health);
	vssd_pel_temperature(subsystem);
}

static void power(struct vssd_subsystem *subsystem, bool on)
{
	if (!on) {
		vssd_health_account(subsystem);
		return;
	}
	subsystem->health = (struct vssd_health){
		.host_metadata = subsystem->health.host_metadata,
		.ambient = subsystem->health.ambient,
		.hottest = subsystem->health.hottest,
		.throttles = subsystem->health.throttles,
		.lba_status = subsystem->health.lba_status,
		.window_start = pyn_ticks(),
		.power_on_ns = pyn_monotonic_ns(),
	};
	set_temperature(&subsystem->health);
}

/* Count time for which the power was on, at the temperature that the drive has. */
static void pass(struct vssd_subsystem *subsystem, uint64_t ms)
{
	struct vssd_totals *totals = &subsystem->nv->totals;

	totals->power_on_ms += ms;
	if (subsystem->health.temperature >= VSSD_WCTEMP)
		totals->warning_ms += ms;
	if (subsystem->health.temperature >= VSSD_CCTEMP)
		totals->critical_ms += ms;
	if (subsystem->health.thermal)
		totals->thermal_ms[subsystem->health.thermal - 1] += ms;
}

void vssd_health_account(struct vssd_subsystem *subsystem)
{
	uint64_t now = pyn_monotonic_ns();
	uint64_t ms = (now - subsystem->health.power_on_ns) / 1000000;
	uint64_t busy_ms = pyn_ticks_to_ns(subsystem->health.busy_ticks) / 1000000;

	if (!subsystem->power)
		return;
	subsystem->health.power_on_ns += ms * 1000000;
	pass(subsystem, ms);
	subsystem->nv->totals.busy_ms += busy_ms;
	subsystem->health.busy_ticks -= pyn_ns_to_ticks(busy_ms * 1000000);
}

/* How much the drive must slow down to protect itself. */
static uint8_t protection(const struct vssd_health *health)
{
	if (health->throttles || health->temperature >= VSSD_CCTEMP)
		return 2;
	return health->temperature >= VSSD_WCTEMP ? 1 : 0;
}

/* Set the level of thermal management to the highest that a controller needs; it reduces the load that counts. A
 * power limit slows the drive as well. */
static void set_thermal_level(struct vssd_subsystem *subsystem)
{
	struct vssd_health *health = &subsystem->health;
	uint8_t level = 0, before = health->throttling;

	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		if (one->ops->thermal_level(one) > level)
			level = (uint8_t)one->ops->thermal_level(one);
	if (level > subsystem->health.thermal)
		subsystem->nv->totals.thermal_count[level - 1]++;
	health->thermal = level;
	if (vssd_power_slowdown(&health->meter) > level)
		level = vssd_power_slowdown(&health->meter);
	health->throttling = protection(health) > level ? protection(health) : level;
	if (health->throttling != before)
		vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
}

uint64_t vssd_health_slowdown(const struct vssd_subsystem *subsystem)
{
	static const uint32_t ns[] = {0, LIGHT_NS, HEAVY_NS};

	return ns[subsystem->health.throttling];
}

/* ---- wear ---- */

/* Wear the drive by what was written: each hundredth of the endurance is a percent of its life, and after the end of
 * its life a percent of its spare. */
static void wear_out(struct vssd_subsystem *subsystem)
{
	struct vssd_wear *wear = &subsystem->nv->wear;
	uint64_t percent = subsystem->options.endurance / VSSD_SECTOR_SIZE / LIFE_ALL, steps;

	if (!percent || subsystem->nv->totals.sectors_written < wear->counted + percent)
		return;
	steps = (subsystem->nv->totals.sectors_written - wear->counted) / percent;
	wear->counted += steps * percent;
	for (; steps > 0 && (wear->used < UINT8_MAX || wear->spare_lost < SPARE_ALL); steps--) {
		if (wear->used < UINT8_MAX)
			wear->used++;
		if (wear->used > LIFE_ALL && wear->spare_lost < SPARE_ALL)
			wear->spare_lost++;
	}
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
}

/* A first-order model: the heat approaches the steady state of the last window's load with one time constant. */
static void poll(struct vssd_subsystem *subsystem, uint64_t now)
{
	struct vssd_health *health = &subsystem->health;
	uint64_t window = now - health->window_start;
	double load = window ? (double)health->window_ticks / (double)window : 0;
	double seconds = (double)pyn_ticks_to_ns(window) / 1e9;
	double share = seconds / TIME_CONSTANT_SECONDS;

	if (load > 1)
		load = 1;
	health->load = load;
	if (share > 1)
		share = 1;
	load /= 1 + health->throttling;
	health->heat += (load * FULL_LOAD_KELVIN - health->heat) * share;
	change_temperature(subsystem);
	health->window_ticks = 0;
	health->window_start = now;
	vssd_health_account(subsystem);
	set_thermal_level(subsystem);
	wear_out(subsystem);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_TEMPERATURE);
	health->due = now + pyn_ns_to_ticks(TICK_NS);
}

static uint64_t due(const struct vssd_subsystem *subsystem)
{
	return subsystem->health.due;
}

/* The state may come from a file with any contents. */
static void init(struct vssd_subsystem *subsystem)
{
	if (subsystem->nv->wear.spare_lost > SPARE_ALL)
		subsystem->nv->wear.spare_lost = SPARE_ALL;
	if (subsystem->nv->wear.counted > subsystem->nv->totals.sectors_written)
		subsystem->nv->wear.counted = subsystem->nv->totals.sectors_written;
	subsystem->health.ambient = IDLE_KELVIN;
}

const struct vssd_subsystem_part vssd_health_part = {.init = init, .power = power, .poll = poll, .due = due};

static void smart_of_1_2(const struct vssd_subsystem *subsystem, struct nvme_smart_log *log)
{
	log->wctt = (uint32_t)(subsystem->nv->totals.warning_ms / MS_PER_MINUTE);
	log->cctt = (uint32_t)(subsystem->nv->totals.critical_ms / MS_PER_MINUTE);
	for (unsigned i = 0; i < VSSD_SENSORS; i++)
		log->tsen[i] = vssd_health_sensor(subsystem, i + 1);
}

static void smart_of_1_3(const struct vssd_subsystem *subsystem, struct nvme_smart_log *log)
{
	log->tmt1tc = subsystem->nv->totals.thermal_count[0];
	log->tmt2tc = subsystem->nv->totals.thermal_count[1];
	log->ttmt1 = (uint32_t)(subsystem->nv->totals.thermal_ms[0] / MS_PER_SECOND);
	log->ttmt2 = (uint32_t)(subsystem->nv->totals.thermal_ms[1] / MS_PER_SECOND);
}

/* ---- age ---- */

bool vssd_health_age(struct vssd_subsystem *subsystem, const struct vssd_ageing *ageing)
{
	struct vssd_wear *wear = &subsystem->nv->wear;

	if (ageing->hours > HOURS_MOST || (ageing->used > UINT8_MAX && ageing->used != VSSD_UNCHANGED) ||
	    (ageing->spare > SPARE_ALL && ageing->spare != VSSD_UNCHANGED) ||
	    (ageing->read_only > 1 && ageing->read_only != VSSD_UNCHANGED) ||
	    (ageing->backup_failed > 1 && ageing->backup_failed != VSSD_UNCHANGED) ||
	    (ageing->throttle > 1 && ageing->throttle != VSSD_UNCHANGED) ||
	    ((ageing->temperature < LEAST_KELVIN || ageing->temperature > MOST_KELVIN) &&
	     ageing->temperature != VSSD_UNCHANGED))
		return false;
	pass(subsystem, ageing->hours * MS_PER_HOUR);
	subsystem->health.meter.aged_ms += ageing->hours * MS_PER_HOUR;
	if (ageing->used != VSSD_UNCHANGED)
		wear->used = (uint8_t)ageing->used;
	if (ageing->spare != VSSD_UNCHANGED)
		wear->spare_lost = (uint8_t)(SPARE_ALL - ageing->spare);
	if (ageing->read_only != VSSD_UNCHANGED)
		wear->read_only = (uint8_t)ageing->read_only;
	if (ageing->backup_failed != VSSD_UNCHANGED)
		wear->backup_failed = (uint8_t)ageing->backup_failed;
	if (ageing->temperature != VSSD_UNCHANGED)
		subsystem->health.ambient = (uint16_t)ageing->temperature;
	if (ageing->throttle != VSSD_UNCHANGED)
		subsystem->health.throttles = ageing->throttle;
	vssd_ocp_check_plp(subsystem);
	change_temperature(subsystem);
	set_thermal_level(subsystem);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_TEMPERATURE);
	return true;
}

void vssd_health_defect(struct vssd_subsystem *subsystem, uint64_t defect)
{
	struct vssd_ageing ageing = {
		0, VSSD_UNCHANGED, VSSD_UNCHANGED, VSSD_UNCHANGED, VSSD_UNCHANGED, VSSD_UNCHANGED, VSSD_UNCHANGED};
	uint32_t spare = SPARE_ALL - subsystem->nv->wear.spare_lost;

	switch (defect) {
	case VSSD_FAULT_DEFECT_CAPACITOR:
		ageing.backup_failed = 1;
		break;
	case VSSD_FAULT_DEFECT_SPARE:
		ageing.spare = 0;
		break;
	case VSSD_FAULT_DEFECT_DIE:
		ageing.spare = spare > DIE_SPARE ? spare - DIE_SPARE : 0;
		vssd_lba_status_lose(subsystem);
		break;
	case VSSD_FAULT_DEFECT_LOCKED:
		ageing.read_only = 1;
		break;
	case VSSD_FAULT_DEFECT_HEAT:
		ageing.temperature = VSSD_CCTEMP;
		break;
	case VSSD_FAULT_DEFECT_THROTTLE:
		ageing.throttle = 1;
		break;
	case VSSD_FAULT_DEFECT_COOL:
		ageing.temperature = IDLE_KELVIN;
		ageing.throttle = 0;
		break;
	default:
		ageing.spare = SPARE_ALL;
		ageing.read_only = ageing.backup_failed = ageing.throttle = 0;
		ageing.temperature = IDLE_KELVIN;
		break;
	}
	vssd_health_age(subsystem, &ageing);
}

bool vssd_health_read_only(const struct vssd_subsystem *subsystem)
{
	return subsystem->nv->wear.read_only || vssd_ocp_read_only(subsystem);
}

uint8_t vssd_health_warnings(const struct vssd_subsystem *subsystem)
{
	const struct vssd_wear *wear = &subsystem->nv->wear;

	return (uint8_t)((wear->spare_lost > SPARE_ALL - VSSD_SPARE_THRESHOLD ? NVME_SMART_SPARE : 0) |
			 (vssd_health_read_only(subsystem) ? NVME_SMART_READ_ONLY : 0) |
			 (vssd_ocp_plp_failed(subsystem) ? NVME_SMART_BACKUP : 0));
}

void vssd_health_smart(struct vssd_subsystem *subsystem, struct nvme_smart_log *log)
{
	const struct vssd_nonvolatile *nv = subsystem->nv;

	vssd_health_account(subsystem);
	log->ctemp = subsystem->health.temperature;
	log->avsp = (uint8_t)(SPARE_ALL - nv->wear.spare_lost);
	log->avspt = VSSD_SPARE_THRESHOLD;
	log->pused = nv->wear.used;
	log->dur[0] = (nv->totals.sectors_read + UNIT_SECTORS - 1) / UNIT_SECTORS;
	log->duw[0] = (nv->totals.sectors_written + UNIT_SECTORS - 1) / UNIT_SECTORS;
	log->hrc[0] = nv->totals.reads;
	log->hwc[0] = nv->totals.writes;
	log->cbt[0] = nv->totals.busy_ms / MS_PER_MINUTE;
	log->pwrc[0] = nv->totals.power_cycles;
	log->poh[0] = nv->totals.power_on_ms / MS_PER_HOUR;
	log->upl[0] = nv->totals.unsafe_shutdowns;
	log->mdie[0] = nv->totals.media_errors;
	log->neile[0] = nv->totals.errors;
	if (subsystem->options.version >= NVME_1_2)
		smart_of_1_2(subsystem, log);
	if (subsystem->options.version >= NVME_1_3)
		smart_of_1_3(subsystem, log);
	vssd_power_smart(subsystem, log);
}
