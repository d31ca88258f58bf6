/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/request.h"

#include "vssd/ctrl/controller.h"

void vssd_request_init(struct vssd_request *request, struct vssd_ctrl *ctrl, struct vssd_sq *sq)
{
	request->ctrl = ctrl;
	request->sq = sq;
	request->ns = vssd_ns_find(ctrl, request->cmd.nsid);
	request->csi = request->ns ? request->ns->csi : NVME_CSI_NVM;
	request->is_fused = request->is_trial = false;
	request->data = (struct vssd_data){0};
	request->local = NULL;
	request->result = 0;
	request->due = 0;
	request->bytes = 0;
	request->moved = request->appended = 0;
	request->failure = (struct vssd_failure){0};
	request->fault = NULL;
}

struct vssd_listener *vssd_request_owner(const struct vssd_request *request)
{
	return request->local ? request->local->owner : &request->ctrl->listener;
}
