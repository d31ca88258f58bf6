/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What SMART and the error log report: counters, time, and a temperature that moves with the load.
 * NVM Express Base Specification 2.0, sections 5.16.1.2 and 5.16.1.3.
 */
#include "vssd/ctrl/device.h"

#include <string.h>

#include "core/util/clock.h"

#define TICK_NS UINT64_C(100000000)
#define TICK_SECONDS 0.1
#define IDLE_KELVIN 303.0
#define FULL_LOAD_KELVIN 30.0 /* above idle */
#define TIME_CONSTANT_SECONDS 15.0
#define UNIT_SECTORS 1000u /* a data unit */
#define MS_PER_SECOND 1000u
#define MS_PER_MINUTE 60000u
#define MS_PER_HOUR 3600000u

static void judge(struct vssd_ctrl *ctrl)
{
	struct vssd_health *health = &ctrl->health;
	uint8_t enabled = (uint8_t)ctrl->feature[NVME_FEAT_ASYNC_EVENT];
	bool outside = false;

	for (unsigned sensor = 0; sensor <= VSSD_SENSORS; sensor++) {
		uint16_t kelvin = vssd_health_sensor(ctrl, sensor);

		outside |= kelvin >= ctrl->threshold[sensor][0] || kelvin <= ctrl->threshold[sensor][1];
	}
	health->warnings = outside ? NVME_SMART_TEMPERATURE : 0;
	health->reported &= health->warnings;
	if (health->warnings & ~health->reported & enabled) {
		health->reported |= NVME_SMART_TEMPERATURE;
		vssd_event_raise(ctrl, VSSD_EVENT_TEMPERATURE);
	}
}

uint16_t vssd_health_sensor(const struct vssd_ctrl *ctrl, unsigned sensor)
{
	/* The flash and the controller beside it: one a little cooler, one a little warmer than the whole. */
	static const int offset[VSSD_SENSORS + 1] = {0, -2, 3};

	return (uint16_t)(ctrl->health.temperature + offset[sensor]);
}

void vssd_health_reset(struct vssd_ctrl *ctrl)
{
	ctrl->health = (struct vssd_health){.temperature = (uint16_t)IDLE_KELVIN, .window_start = pyn_ticks()};
	ctrl->power_on_ns = pyn_monotonic_ns();
}

void vssd_health_account(struct vssd_ctrl *ctrl)
{
	uint64_t now = pyn_monotonic_ns();
	uint64_t ms = (now - ctrl->power_on_ns) / 1000000;
	uint64_t busy_ms = pyn_ticks_to_ns(ctrl->health.busy_ticks) / 1000000;

	if (!ctrl->power)
		return;
	ctrl->power_on_ns += ms * 1000000;
	ctrl->nv->totals.power_on_ms += ms;
	ctrl->nv->totals.busy_ms += busy_ms;
	ctrl->health.busy_ticks -= pyn_ns_to_ticks(busy_ms * 1000000);
	if (ctrl->health.temperature >= VSSD_WCTEMP)
		ctrl->nv->totals.warning_ms += ms;
	if (ctrl->health.temperature >= VSSD_CCTEMP)
		ctrl->nv->totals.critical_ms += ms;
	if (ctrl->health.thermal)
		ctrl->nv->totals.thermal_ms[ctrl->health.thermal - 1] += ms;
}

/* Less and less of the load is let through where the host wants it so. */
static void manage_heat(struct vssd_ctrl *ctrl)
{
	uint8_t level = (uint8_t)vssd_thermal_level(ctrl);

	if (level > ctrl->health.thermal)
		ctrl->nv->totals.thermal_count[level - 1]++;
	ctrl->health.thermal = level;
}

/* First-order: what the load of the last window would lead to is approached with one time constant. */
void vssd_health_poll(struct vssd_ctrl *ctrl)
{
	struct vssd_health *health = &ctrl->health;
	uint64_t window = ctrl->now - health->window_start;
	double load = window ? (double)health->window_ticks / (double)window : 0;
	double seconds = (double)pyn_ticks_to_ns(window) / 1e9;
	double share = seconds / TIME_CONSTANT_SECONDS;

	if (load > 1)
		load = 1;
	if (share > 1)
		share = 1;
	load /= 1 + health->thermal;
	health->heat += (load * FULL_LOAD_KELVIN - health->heat) * share;
	health->temperature = (uint16_t)(IDLE_KELVIN + health->heat + 0.5);
	health->window_ticks = 0;
	health->window_start = ctrl->now;
	vssd_health_account(ctrl);
	manage_heat(ctrl);
	if (ctrl->running)
		judge(ctrl);
	ctrl->next_tick = ctrl->now + pyn_ns_to_ticks(TICK_NS);
}

void vssd_health_check(struct vssd_ctrl *ctrl)
{
	judge(ctrl);
}

static void smart_of_1_2(const struct vssd_ctrl *ctrl, struct nvme_smart_log *log)
{
	log->wctt = (uint32_t)(ctrl->nv->totals.warning_ms / MS_PER_MINUTE);
	log->cctt = (uint32_t)(ctrl->nv->totals.critical_ms / MS_PER_MINUTE);
	for (unsigned i = 0; i < VSSD_SENSORS; i++)
		log->tsen[i] = vssd_health_sensor(ctrl, i + 1);
}

static void smart_of_1_3(const struct vssd_ctrl *ctrl, struct nvme_smart_log *log)
{
	log->tmt1tc = ctrl->nv->totals.thermal_count[0];
	log->tmt2tc = ctrl->nv->totals.thermal_count[1];
	log->ttmt1 = (uint32_t)(ctrl->nv->totals.thermal_ms[0] / MS_PER_SECOND);
	log->ttmt2 = (uint32_t)(ctrl->nv->totals.thermal_ms[1] / MS_PER_SECOND);
}

void vssd_health_smart(struct vssd_ctrl *ctrl, struct nvme_smart_log *log)
{
	const struct vssd_nonvolatile *nv = ctrl->nv;

	vssd_health_account(ctrl);
	judge(ctrl);
	log->cw = ctrl->health.warnings;
	log->ctemp = ctrl->health.temperature;
	log->avsp = 100;
	log->avspt = 10;
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
	if (vssd_since(ctrl, NVME_1_2))
		smart_of_1_2(ctrl, log);
	if (vssd_since(ctrl, NVME_1_3))
		smart_of_1_3(ctrl, log);
}
