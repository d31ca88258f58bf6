/* SPDX-License-Identifier: BSD-3-Clause */
/* Features C1h to C7h of OCP's Datacenter NVMe SSD specification. Error Injection, C0h, is in feature_injection.c. */
#include <string.h>

#include "vssd/cmd/admin.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define OCP "OCP Datacenter NVMe SSD 2.5, Set Features"
#define WATTS 0x7fu

/* C1h clears the history of log page C2h. The counters of C3h are always 0, since the drive has no link. */
uint16_t vssd_ocp_clear_set(struct vssd_request *request)
{
	uint64_t fid = nvme_get_field(&request->cmd, NVME_FIELD_SET_FEATURES_FID);

	if (!request->is_trial && request->cmd.cdw11 & NVME_OCP_CLEAR && fid == NVME_OCP_FEAT_CLEAR_FIRMWARE_HISTORY)
		request->ctrl->subsystem->annex->ocp.activations = 0;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_ocp_mode_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;

	if (request->is_trial)
		return NVME_SC_SUCCESS;
	vssd_ocp_set_mode(ctrl->subsystem,
			  (enum vssd_failure_mode)(request->cmd.cdw11 >> NVME_OCP_FAILURE_MODE_SHIFT));
	ctrl->features.value[NVME_OCP_FEAT_READ_ONLY_WRITE_THROUGH] = ctrl->subsystem->ocp.mode;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_ocp_plp_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint16_t minutes = (uint16_t)(request->cmd.cdw11 >> 16);

	if (request->is_trial)
		return NVME_SC_SUCCESS;
	ctrl->features.value[NVME_OCP_FEAT_PLP_HEALTH_CHECK] = minutes;
	vssd_ocp_set_plp_minutes(ctrl->subsystem, minutes);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_ocp_latency_set(struct vssd_request *request)
{
	struct nvme_ocp_latency_config config;
	uint16_t status = vssd_data_receive(request, &config, sizeof(config));

	if (!status && !request->is_trial)
		vssd_latency_configure(request->ctrl->subsystem, &config,
				       nvme_get_field(&request->cmd, NVME_FIELD_SET_FEATURES_SV));
	return status;
}

uint16_t vssd_ocp_latency_get(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	struct nvme_ocp_latency_config config = vssd_latency_default;

	if (select == NVME_SEL_CURRENT)
		config = subsystem->ocp.latency.config;
	else if (select == NVME_SEL_SAVED)
		vssd_latency_saved(subsystem, &config);
	return vssd_data_send(request, &config, sizeof(config));
}

/* ---- DSSD power states: the operational NVMe power states by their power ---- */

void vssd_ocp_power_states(uint8_t states[128])
{
	for (uint8_t state = 0; state < VSSD_FIRST_NOPS; state++)
		states[vssd_power_watts(state)] = (uint8_t)(NVME_OCP_POWER_STATE_VALID | state);
}

uint16_t vssd_ocp_power_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint8_t states[128] = {0}, state;

	vssd_ocp_power_states(states);
	state = states[request->cmd.cdw11 & WATTS];
	if (!(state & NVME_OCP_POWER_STATE_VALID))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 6, 0, "DSSD Power State"), OCP);
	if (!request->is_trial)
		vssd_power_enter(ctrl, state & NVME_OCP_POWER_STATE_PS);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_ocp_power_get(struct vssd_request *request, enum nvme_feature_select select)
{
	uint32_t state = select == NVME_SEL_CURRENT ? request->ctrl->power.operational : 0;

	request->result = vssd_power_watts(state);
	return NVME_SC_SUCCESS;
}

void vssd_ocp_restart(struct vssd_ctrl *ctrl)
{
	if (!ctrl->options->optional.ocp)
		return;
	vssd_ocp_set_mode(ctrl->subsystem,
			  (enum vssd_failure_mode)ctrl->features.value[NVME_OCP_FEAT_READ_ONLY_WRITE_THROUGH]);
	vssd_ocp_set_plp_minutes(ctrl->subsystem, (uint16_t)ctrl->features.value[NVME_OCP_FEAT_PLP_HEALTH_CHECK]);
}
