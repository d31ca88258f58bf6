/* SPDX-License-Identifier: BSD-3-Clause */
/* The states of ANA groups, without their changes. */
#include "vssd/ctrl/ana.h"

#include "vssd/ctrl/controller.h"

bool vssd_has_ana(const struct vssd_ctrl *ctrl)
{
	return ctrl->options->functions.ana && vssd_since(ctrl, NVME_1_4);
}

uint16_t vssd_ana_status_of(enum nvme_ana_state state)
{
	switch (state) {
	case NVME_ANA_INACCESSIBLE:
		return NVME_SC_ANA_INACCESSIBLE;
	case NVME_ANA_PERSISTENT_LOSS:
		return NVME_SC_ANA_PERSISTENT_LOSS;
	case NVME_ANA_CHANGE:
		return NVME_SC_ANA_TRANSITION;
	default:
		return NVME_SC_SUCCESS;
	}
}

enum nvme_ana_state vssd_ana_state(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns)
{
	return vssd_ana_group_state(&ctrl->features.ana.groups[ns->anagrpid - 1]);
}

uint16_t vssd_ana_status(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns)
{
	return ctrl->features.ana.refuses ? vssd_ana_status_of(vssd_ana_state(ctrl, ns)) : NVME_SC_SUCCESS;
}
