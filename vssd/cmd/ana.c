/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/ana.h"

#include "vssd/cmd/refuse.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

static const char *text_of(uint16_t status)
{
	if (status == NVME_SC_ANA_INACCESSIBLE)
		return "the ANA group of the namespace is inaccessible through this controller";
	if (status == NVME_SC_ANA_PERSISTENT_LOSS)
		return "the ANA group of the namespace is lost for this controller";
	return "the ANA group of the namespace changes its state at this controller";
}

uint16_t vssd_ana_check_ns(struct vssd_request *request, const struct vssd_ns *ns)
{
	uint16_t status = vssd_ana_status(request->ctrl, ns);

	return status ? vssd_refuse(request, status, VSSD_STATE(text_of(status)), VSSD_BASE("8.1.1.4"))
		      : NVME_SC_SUCCESS;
}

uint16_t vssd_ana_check_all(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint16_t status = NVME_SC_SUCCESS;

	for (uint32_t i = 0; ctrl->features.ana.refuses && i < VSSD_MAX_NAMESPACES && !status; i++)
		if (vssd_ns_is_active(ctrl, &ctrl->ns[i]))
			status = vssd_ana_check_ns(request, &ctrl->ns[i]);
	return status;
}

/* NSID FFFFFFFFh names all that are attached. */
static uint16_t check_named(struct vssd_request *request)
{
	if (request->ns)
		return vssd_ana_check_ns(request, request->ns);
	return request->cmd.nsid == NVME_NSID_ALL ? vssd_ana_check_all(request) : NVME_SC_SUCCESS;
}

/* Whether an admin command uses the namespace of NSID, and is none that still works, in whole or in part. */
static bool uses_namespace(const struct vssd_request *request)
{
	switch (request->cmd.opc) {
	case NVME_ADMIN_IDENTIFY:
	case NVME_ADMIN_GET_LOG_PAGE:
	case NVME_ADMIN_GET_FEATURES:
	case NVME_ADMIN_SET_FEATURES:
	case NVME_ADMIN_NS_ATTACHMENT:
		return false;
	default:
		return spec_commands[SPEC_ADMIN][request->cmd.opc].effects & NVME_EFFECT_SCOPE_NS;
	}
}

uint16_t vssd_ana_check(struct vssd_request *request)
{
	if (!request->ctrl->features.ana.refuses || (request->sq->qid == 0 && !uses_namespace(request)))
		return NVME_SC_SUCCESS;
	return check_named(request);
}

uint16_t vssd_ana_check_feature(struct vssd_request *request)
{
	return request->ctrl->features.ana.refuses ? check_named(request) : NVME_SC_SUCCESS;
}
