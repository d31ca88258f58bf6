/* SPDX-License-Identifier: BSD-3-Clause */
/* Power Management, Autonomous Power State Transition and Host Controlled Thermal Management. NVM Express Base
 * Specification 2.0, sections 5.27.1.2, 5.27.1.9 and 5.27.1.13. */
#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define PS 0x1fu

uint16_t vssd_power_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;

	if ((cmd->cdw11 & PS) > vssd_power_npss(ctrl))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 4, 0, "PS"),
				   VSSD_BASE("5.1.25.1.2"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	/* The workload hint came with 1.2. */
	if ((cmd->cdw11 & PS) < VSSD_FIRST_NOPS)
		vssd_spindle_release(ctrl->subsystem);
	ctrl->features.value[NVME_FEAT_POWER] = cmd->cdw11 & (vssd_since(ctrl, NVME_1_2) ? 0xff : PS);
	vssd_power_enter(ctrl, cmd->cdw11 & PS);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_apst_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t table[VSSD_APST_ENTRIES];
	uint16_t status = vssd_data_receive(request, table, sizeof(table));

	if (status || request->is_trial)
		return status;
	if (!vssd_power_set_apst(ctrl, table))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_STATE("an entry of the data leads to a power state that it must not"),
				   VSSD_BASE("5.1.25.1.6"));
	ctrl->features.value[NVME_FEAT_APST] = cmd->cdw11 & NVME_APSTE;
	if (cmd->cdw10 & NVME_SET_FEATURES_SV)
		memcpy(vssd_ctrl_saved(ctrl)->apst, ctrl->power.apst, sizeof(ctrl->power.apst));
	return NVME_SC_SUCCESS;
}

uint16_t vssd_apst_get(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	static const uint64_t initial[VSSD_APST_ENTRIES];
	const uint64_t *table = select == NVME_SEL_CURRENT ? ctrl->power.apst
				: select == NVME_SEL_SAVED ? vssd_ctrl_saved(ctrl)->apst
							   : initial;

	return vssd_data_send(request, table, sizeof(initial));
}

uint16_t vssd_thermal_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint32_t light = cmd->cdw11 >> 16, heavy = cmd->cdw11 & 0xffff;

	if (light && (light < VSSD_MNTMT || light > VSSD_MXTMT))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 31, 16, "TMT1"),
				   VSSD_BASE("5.1.25.1.9"));
	if (heavy && (heavy < VSSD_MNTMT || heavy > VSSD_MXTMT))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 15, 0, "TMT2"),
				   VSSD_BASE("5.1.25.1.9"));
	if (light && heavy && light >= heavy)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 31, 16, "TMT1, not below TMT2"),
				   VSSD_BASE("5.1.25.1.9"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	ctrl->features.value[NVME_FEAT_HCTM] = cmd->cdw11;
	return NVME_SC_SUCCESS;
}
