/* SPDX-License-Identifier: BSD-3-Clause */
/* Device Self-test. NVM Express Base Specification 2.0, section 5.9. */
#include "vssd/cmd/admin.h"
#include "vssd/ctrl/controller.h"

/* Namespaces that are being formatted, say, cannot be tested. */
static uint16_t check_namespaces(const struct vssd_ctrl *ctrl, uint32_t nsid)
{
	if (nsid != 0 && nsid != NVME_NSID_ALL && !vssd_ns_find(ctrl, nsid))
		return NVME_SC_INVALID_NAMESPACE;
	for (uint32_t i = 0; nsid != 0 && i < VSSD_MAX_NAMESPACES; i++)
		if (ctrl->ns[i].nsid && ctrl->ns[i].refuse && (nsid == NVME_NSID_ALL || nsid == i + 1))
			return ctrl->ns[i].refuse;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_self_test(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint8_t operation = request->cmd.cdw10 & 0xf;
	uint16_t status;

	if (operation == NVME_SELF_TEST_ABORT) {
		vssd_self_test_stop(ctrl->subsystem, NVME_SELF_TEST_ABORTED);
		return NVME_SC_SUCCESS;
	}
	if (operation != NVME_SELF_TEST_SHORT && operation != NVME_SELF_TEST_EXTENDED)
		return vssd_invalid_field(request, VSSD_FIELD_CDW10);
	status = check_namespaces(ctrl, request->cmd.nsid);
	if (status)
		return status;
	if (ctrl->nv->self_test.operation)
		return NVME_SC_SELF_TEST_IN_PROGRESS;
	vssd_self_test_start(ctrl->subsystem, operation, request->cmd.nsid);
	return NVME_SC_SUCCESS;
}
