/* SPDX-License-Identifier: BSD-3-Clause */
/* Critical warnings, temperature thresholds (feature 04h) and host controlled thermal management (10h). */
#include "vssd/ctrl/controller.h"

static bool is_outside(const struct vssd_ctrl *ctrl)
{
	for (unsigned sensor = 0; sensor <= VSSD_SENSORS; sensor++) {
		uint16_t kelvin = vssd_health_sensor(ctrl->subsystem, sensor);
		const uint16_t *threshold = ctrl->power.thermal.threshold[sensor];

		if (kelvin >= threshold[0] || kelvin <= threshold[1])
			return true;
	}
	return false;
}

void vssd_thermal_check(struct vssd_ctrl *ctrl)
{
	struct vssd_thermal *thermal = &ctrl->power.thermal;
	uint8_t enabled = (uint8_t)ctrl->features.value[NVME_FEAT_ASYNC_EVENT];
	uint8_t added;

	thermal->warnings = vssd_health_warnings(ctrl->subsystem) | (is_outside(ctrl) ? NVME_SMART_TEMPERATURE : 0);
	thermal->reported &= thermal->warnings;
	added = (uint8_t)(thermal->warnings & ~thermal->reported & enabled);
	thermal->reported |= added;
	if (added & NVME_SMART_TEMPERATURE)
		vssd_event_raise(ctrl, VSSD_EVENT_TEMPERATURE);
	if (added & NVME_SMART_SPARE)
		vssd_event_raise(ctrl, VSSD_EVENT_SPARE);
	if (added & (NVME_SMART_READ_ONLY | NVME_SMART_BACKUP))
		vssd_event_raise(ctrl, VSSD_EVENT_RELIABILITY);
}

unsigned vssd_thermal_level(const struct vssd_ctrl *ctrl)
{
	uint32_t light = ctrl->features.value[NVME_FEAT_HCTM] >> 16,
		 heavy = ctrl->features.value[NVME_FEAT_HCTM] & 0xffff;

	if (heavy && ctrl->subsystem->health.temperature >= heavy)
		return 2;
	return light && ctrl->subsystem->health.temperature >= light ? 1 : 0;
}

/* A reset changes the thresholds, so report again temperatures that are outside of them. */
static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	(void)kind;
	ctrl->power.thermal.reported = 0;
}

const struct vssd_part vssd_thermal_part = {.reset = reset};
