/* SPDX-License-Identifier: BSD-3-Clause */
/* The Format NVM command: checks it, and starts the format, which vssd/subsystem/format.c executes in the background.
 * NVM Express Base Specification 2.0, section 5.14; NVM Command Set Specification 1.0, section 4.1.3. */
#include "vssd/cmd/admin.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define SES_MAX 2u /* 0 none, 1 user data erase, 2 cryptographic erase */

static uint16_t check(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint32_t lbaf = (cmd->cdw10 & 0xf) | (cmd->cdw10 >> 12 & 3) << 4;
	uint32_t pi = cmd->cdw10 >> 5 & 7, ses = cmd->cdw10 >> 9 & 7;

	if (request->ctrl->subsystem->format.running)
		return vssd_refuse_busy(request, NVME_SC_FORMAT_IN_PROGRESS);
	if (lbaf > VSSD_NLBAF)
		return vssd_refuse(request, NVME_SC_INVALID_FORMAT,
				   lbaf > 0xf ? VSSD_BITS(10, 13, 12, "LBAFU") : VSSD_BITS(10, 3, 0, "LBAFL"),
				   VSSD_OWN);
	if (pi != 0)
		return vssd_refuse(request, NVME_SC_INVALID_FORMAT, VSSD_BITS(10, 7, 5, "PI"), VSSD_OWN);
	if (ses > SES_MAX)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(10, 11, 9, "SES"), VSSD_OWN);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_format_nvm(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	bool all = cmd->nsid == NVME_NSID_ALL;
	uint16_t status = check(request);

	if (status)
		return status;
	vssd_format_start(ctrl->subsystem, &ctrl->listener, cmd->cid, cmd->cdw10 & 0xf, all ? 0 : cmd->nsid - 1,
			  all ? VSSD_MAX_NAMESPACES - 1 : cmd->nsid - 1);
	return VSSD_LATER;
}
