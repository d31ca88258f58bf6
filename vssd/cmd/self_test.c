/* SPDX-License-Identifier: BSD-3-Clause */
/* The Device Self-test command: checks it, and starts the test, which vssd/subsystem/self_test.c executes in the
 * background. NVM Express Base Specification 2.0, section 5.9. */
#include "vssd/cmd/admin.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

/* Refuse to test namespaces that are not usable, for example during a format. */
static uint16_t check_namespaces(struct vssd_request *request)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t nsid = request->cmd.nsid;

	if (nsid != 0 && nsid != NVME_NSID_ALL && !vssd_ns_find(ctrl, nsid))
		return vssd_refuse_nsid(request, VSSD_OWN);
	for (uint32_t i = 0; nsid != 0 && i < VSSD_MAX_NAMESPACES; i++)
		if (vssd_ns_is_active(ctrl, &ctrl->ns[i]) && ctrl->ns[i].refuse &&
		    (nsid == NVME_NSID_ALL || nsid == i + 1))
			return vssd_refuse_busy(request, ctrl->ns[i].refuse);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_self_test(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint8_t operation = (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_SELF_TEST_STC);
	uint16_t status;

	if (operation == NVME_SELF_TEST_ABORT) {
		if (!request->is_trial)
			vssd_self_test_stop(ctrl->subsystem, NVME_SELF_TEST_ABORTED);
		return NVME_SC_SUCCESS;
	}
	if (operation != NVME_SELF_TEST_SHORT && operation != NVME_SELF_TEST_EXTENDED)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_SELF_TEST_STC, "STC"),
				   VSSD_OWN);
	status = check_namespaces(request);
	if (status)
		return status;
	if (ctrl->nv->self_test.operation)
		return vssd_refuse(request, NVME_SC_SELF_TEST_IN_PROGRESS, VSSD_STATE("a self-test is in progress"),
				   VSSD_OWN);
	if (!request->is_trial)
		vssd_self_test_start(ctrl->subsystem, &ctrl->listener, operation, request->cmd.nsid);
	return NVME_SC_SUCCESS;
}
