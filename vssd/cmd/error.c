/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that fail: whether they may be sent again, and what the error log tells of them.
 * NVM Express Base Specification 2.0, sections 3.3.3.2.1 and 5.16.1.2.
 */
#include <string.h>

#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

/* Statuses that say by themselves which field of the command is wrong. */
static uint16_t location_of(uint16_t status)
{
	switch (status) {
	case NVME_SC_INVALID_OPCODE:
		return VSSD_FIELD_OPCODE;
	case NVME_SC_INVALID_NAMESPACE:
	case NVME_SC_FEATURE_NOT_NS_SPECIFIC:
		return VSSD_FIELD_NSID;
	case NVME_SC_LBA_OUT_OF_RANGE:
	case NVME_SC_INVALID_LOG_PAGE:
	case NVME_SC_INVALID_FORMAT:
	case NVME_SC_INVALID_QID:
	case NVME_SC_INVALID_FIRMWARE_SLOT:
		return VSSD_FIELD_CDW10;
	case NVME_SC_INVALID_QUEUE_SIZE:
		return VSSD_FIELD_CDW10 + 2;
	case NVME_SC_FEATURE_NOT_SAVEABLE:
		return (VSSD_FIELD_CDW10 + 3) | 7u << VSSD_FIELD_BIT_SHIFT;
	case NVME_SC_CQ_INVALID:
	case NVME_SC_INVALID_INTERRUPT_VECTOR:
		return VSSD_FIELD_CDW11 + 2;
	case NVME_SC_INVALID_COMMAND_SET:
		return VSSD_FIELD_CDW11 + 3;
	case NVME_SC_COMMAND_SET_NOT_SUPPORTED:
		return VSSD_FIELD_CDW14 + 3;
	default:
		return VSSD_FIELD_NONE;
	}
}

static bool names_lbas(const struct vssd_request *request)
{
	return request->sq->qid != 0 && vssd_io_known(request->csi, request->cmd.opc)->flags & SPEC_NAMES_LBAS;
}

void vssd_command_failed(const struct vssd_request *request, uint16_t status)
{
	const struct vssd_failure *failure = &request->failure;
	const struct nvme_cmd *cmd = &request->cmd;
	struct nvme_error_log_entry entry = {
		.sqid = request->sq->qid,
		.cid = cmd->cid,
		.status = vssd_status_field(status) | request->sq->cq->phase,
		.pel = failure->field ? failure->field : location_of(status),
		.nsid = cmd->nsid,
	};

	if (failure->has_lba)
		entry.lba = failure->lba;
	else if (names_lbas(request))
		entry.lba = (uint64_t)cmd->cdw11 << 32 | cmd->cdw10;
	request->ctrl->counters.errors++;
	vssd_error_log_add(request->ctrl, entry);
}

uint16_t vssd_invalid_field(struct vssd_request *request, uint16_t field)
{
	request->failure.field = field;
	return NVME_SC_INVALID_FIELD;
}

void vssd_failed_lba(struct vssd_request *request, uint64_t lba)
{
	request->failure.has_lba = true;
	request->failure.lba = lba;
}
