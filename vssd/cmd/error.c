/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that fail: the Do Not Retry bit, and the entry in the error log.
 * NVM Express Base Specification 2.0, sections 3.3.3.2.1 and 5.16.1.2.
 */
#include <stdlib.h>
#include <string.h>

#include "vssd/cmd/table.h"
#include "vssd/cmd/trace.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

/* Parameter Error Location: the byte of the command in bits 7:0, and the bit in it. */
static uint16_t location_of(const struct vssd_field *field)
{
	if (!field->name || field->dword == VSSD_NO_DWORD)
		return VSSD_NO_LOCATION;
	return (uint16_t)((field->dword * 4u + field->low / 8u) | (field->low % 8u) << 8);
}

static bool names_lbas(const struct vssd_request *request)
{
	return request->sq->qid != 0 && vssd_io_known(request->csi, request->cmd.opc)->flags & SPEC_NAMES_LBAS;
}

/* In builds with AddressSanitizer, end the process if a handler fails a command without vssd_refuse(). */
static void check_reason(const struct vssd_failure *failure)
{
#ifdef __SANITIZE_ADDRESS__
	if (!failure->field.name)
		abort();
#else
	(void)failure;
#endif
}

/* A command that came out of band is in no queue and has no CID. The values of a queue could be those of another
 * command, so that the entry says that there is none. */
static struct nvme_error_log_entry entry_of(const struct vssd_request *request)
{
	if (request->local)
		return (struct nvme_error_log_entry){.sqid = UINT16_MAX, .cid = UINT16_MAX};
	return (struct nvme_error_log_entry){
		.sqid = request->sq->qid, .cid = request->cmd.cid, .status = request->sq->cq->phase};
}

void vssd_command_failed(const struct vssd_request *request, uint16_t status)
{
	const struct vssd_failure *failure = &request->failure;
	const struct nvme_cmd *cmd = &request->cmd;
	struct nvme_error_log_entry entry = entry_of(request);

	entry.status |= vssd_status_field(request->ctrl, status);
	entry.pel = location_of(&failure->field);
	entry.nsid = cmd->nsid;
	entry.csinfo = failure->information;
	if (failure->has_lba)
		entry.lba = failure->lba;
	else if (names_lbas(request))
		entry.lba = vssd_slba(cmd);
	check_reason(failure);
	vssd_trace_refusal(request, status);
	request->ctrl->counters.errors++;
	vssd_error_log_add(request->ctrl, entry);
}
