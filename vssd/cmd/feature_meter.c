/* SPDX-License-Identifier: BSD-3-Clause */
/* Power Limit, Power Threshold and Power Measurement. NVM Express Base Specification 2.3, 5.2.26.1.25 to 5.2.26.1.27.
 */
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define SCALE(dword) ((dword) >> 16 & 3)
#define PMTS(dword) ((dword) >> 20 & 0xf)
#define START 1u
#define SMT_SHIFT 16

/* Whether a power without a scale, or with a reserved one, would be compared. */
static bool has_wrong_scale(uint32_t dword, bool is_used)
{
	return SCALE(dword) > NVME_POWER_SCALE_UNITS_0_01_W ||
	       (is_used && SCALE(dword) == NVME_POWER_SCALE_NOT_REPORTED);
}

uint16_t vssd_power_limit_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t value = request->cmd.cdw13 & VSSD_POWER_LIMIT, limit = vssd_power_unscaled(value);

	if (has_wrong_scale(value, value & NVME_POWER_LIMIT_PLV))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(13, 17, 16, "PLS"),
				   VSSD_BASE_2_3("5.2.26.1.25"));
	if (value & NVME_POWER_LIMIT_PLV && limit < VSSD_POWER_LEAST)
		return vssd_refuse(request, NVME_SC_INVALID_POWER_LIMIT, VSSD_BITS(13, 15, 0, "PLV"),
				   VSSD_BASE_2_3("5.2.26.1.25"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	ctrl->features.value[NVME_FEAT_POWER_LIMIT] = value;
	vssd_power_limit(ctrl->subsystem, value);
	return NVME_SC_SUCCESS;
}

/* The limit is one of the whole subsystem. */
uint16_t vssd_power_limit_get(struct vssd_request *request, enum nvme_feature_select select)
{
	if (select == NVME_SEL_CURRENT)
		request->result = request->ctrl->subsystem->health.meter.limited_by;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_power_threshold_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t value = request->cmd.cdw11 & VSSD_POWER_THRESHOLD;

	if (has_wrong_scale(value, value & NVME_POWER_THRESHOLD_EPT))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 17, 16, "PTS"),
				   VSSD_BASE_2_3("5.2.26.1.26"));
	if (PMTS(value))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 23, 20, "PMTS"),
				   VSSD_BASE_2_3("5.2.26.1.26"));
	if (!request->is_trial)
		ctrl->features.value[NVME_FEAT_POWER_THRESHOLD] = value;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_power_measurement_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t value = request->cmd.cdw11, action = value & NVME_POWER_MEASUREMENT_ACT;
	uint16_t minutes = (uint16_t)(value >> SMT_SHIFT);

	if (action > START)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 3, 0, "ACT"),
				   VSSD_BASE_2_3("5.2.26.1.27"));
	if (value & NVME_POWER_MEASUREMENT_PMTS)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 7, 4, "PMTS"),
				   VSSD_BASE_2_3("5.2.26.1.27"));
	if (minutes > VSSD_POWER_MINUTES_MOST)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 31, 16, "SMT, above MSMT"),
				   VSSD_BASE_2_3("5.2.26.1.27"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	if (action == START)
		vssd_power_measure(ctrl->subsystem, &ctrl->listener, minutes);
	else
		vssd_power_measure_end(ctrl->subsystem);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_power_measurement_get(struct vssd_request *request, enum nvme_feature_select select)
{
	const struct vssd_power_measurement *measurement = &request->ctrl->subsystem->health.meter.measurement;

	if (select == NVME_SEL_CURRENT && measurement->owner)
		request->result = (uint32_t)measurement->minutes << SMT_SHIFT | START;
	return NVME_SC_SUCCESS;
}

void vssd_power_measurement_restart(struct vssd_ctrl *ctrl)
{
	struct vssd_subsystem *subsystem = ctrl->subsystem;

	if (!ctrl->options->optional.features.power_measurement)
		return;
	vssd_power_limit(subsystem, ctrl->features.value[NVME_FEAT_POWER_LIMIT]);
	if (subsystem->health.meter.measurement.owner == &ctrl->listener)
		vssd_power_measure_end(subsystem);
}
