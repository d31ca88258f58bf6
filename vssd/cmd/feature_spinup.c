/* SPDX-License-Identifier: BSD-3-Clause */
/* Spinup Control. NVM Express Base Specification 2.1, 5.1.25.1.18. Its setting persists without being saved. */
#include "vssd/cmd/feature.h"
#include "vssd/ctrl/controller.h"

uint16_t vssd_spinup_set(struct vssd_request *request)
{
	if (!request->is_trial)
		request->ctrl->nv->totals.spinup_control = request->cmd.cdw11 & NVME_SPINUP_CONTROL;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_spinup_get(struct vssd_request *request, enum nvme_feature_select select)
{
	if (select == NVME_SEL_CURRENT)
		request->result = request->ctrl->nv->totals.spinup_control & NVME_SPINUP_CONTROL;
	return NVME_SC_SUCCESS;
}
