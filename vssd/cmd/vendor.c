/* SPDX-License-Identifier: BSD-3-Clause */
/* Vendor specific commands, which do what a tester has planted for them: see vssd/fault/answers.h. */
#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

static uint16_t vendor(struct vssd_request *request)
{
	bool admin = request->sq->qid == 0;
	struct vssd_answer *answer = request->ctrl->subsystem->faults->answers.of[admin][request->cmd.opc];
	uint16_t status = NVME_SC_SUCCESS;

	if (answer->receives)
		status = vssd_data_receive(request, answer->received, answer->receives);
	if (status || request->is_trial)
		return status;
	answer->count++;
	memcpy(answer->sqe, &request->cmd, sizeof(answer->sqe));
	request->result = answer->result;
	if (answer->status)
		return vssd_refuse(request, answer->status, VSSD_STATE("a planted answer"), VSSD_OWN);
	return answer->length ? vssd_data_send(request, answer->data, answer->length) : NVME_SC_SUCCESS;
}

const struct vssd_command vssd_vendor_command = {vendor, 0};
