/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/ctrl/controller.h"

void vssd_update_running(struct vssd_ctrl *ctrl)
{
	uint32_t csts = ctrl->regs.csts;

	ctrl->running = ctrl->subsystem->power && NVME_GET(csts, NVME_CSTS_RDY) && !NVME_GET(csts, NVME_CSTS_CFS) &&
			!NVME_GET(csts, NVME_CSTS_PP) && !ctrl->regs.shut_down && !ctrl->regs.host_gone &&
			!ctrl->faulty.gone && !ctrl->faulty.hung && !ctrl->features.migration.suspended &&
			vssd_virtual_is_usable(ctrl->subsystem, &ctrl->listener) && vssd_config_bus_master(ctrl);
	vssd_ctrl_wake(ctrl);
}

void vssd_fatal(struct vssd_ctrl *ctrl)
{
	ctrl->regs.csts |= NVME_SET(1, NVME_CSTS_CFS);
	vssd_update_running(ctrl);
	ctrl->telemetry.reason = "controller fatal status";
}
