/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbell Buffer Config. NVM Express Base Specification 2.1, section 5.2.5. */
#include "vssd/cmd/admin.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

/* Both buffers are a memory page. Queues whose doorbells it does not hold have only the registers. */
static uint16_t check(struct vssd_request *request, uint64_t address, struct vssd_field field)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint8_t last;

	if (address & (ctrl->regs.page_size - 1))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, field, VSSD_OWN);
	if (vssd_bus_read(ctrl->bus, address + ctrl->regs.page_size - 1, &last, sizeof(last)) < 0)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, field, VSSD_OWN);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_doorbell_buffer_config(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint16_t status = check(request, cmd->prp1, VSSD_QWORD(6, "PRP1, the shadow doorbells"));

	if (!status)
		status = check(request, cmd->prp2, VSSD_QWORD(8, "PRP2, the EventIdxs"));
	if (!status && !request->is_trial)
		vssd_shadow_start(request->ctrl, cmd->prp1, cmd->prp2);
	return status;
}
