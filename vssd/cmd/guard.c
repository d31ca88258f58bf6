/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/guard.h"

#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define SIIS "TCG Storage Interface Interactions, NVMe"

static uint16_t denied(struct vssd_request *request, uint64_t lba, const char *what)
{
	return vssd_fail_at(request, NVME_SC_ACCESS_DENIED, lba, what, SIIS);
}

uint16_t vssd_guard(struct vssd_request *request, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb, bool write)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint64_t offset;

	if (vssd_security_refuses(subsystem, ns, slba, nlb, write))
		return denied(request, slba, "an LBA is locked");
	if ((request->cmd.opc != NVME_IO_READ || ns->metadata) &&
	    vssd_security_shadows(subsystem, ns, slba, nlb, &offset))
		return denied(request, slba, "reads return the table MBR");
	return NVME_SC_SUCCESS;
}

bool vssd_guard_shadows(const struct vssd_request *request, uint64_t slba, uint64_t nlb, uint64_t *offset)
{
	return vssd_security_shadows(request->ctrl->subsystem, request->ns, slba, nlb, offset);
}

uint16_t vssd_guard_protection(struct vssd_request *request, const struct vssd_ns *ns)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	bool is_protected = false;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (ctrl->ns[i].nsid && (!ns || ns == &ctrl->ns[i]))
			is_protected |= vssd_security_protection(ctrl->subsystem, &ctrl->ns[i]) != VSSD_UNPROTECTED;
	if (!is_protected)
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_NS_WRITE_PROTECTED, VSSD_STATE("the namespace is write protected"),
			   VSSD_BASE("8.1.16"));
}

uint16_t vssd_guard_erasure(struct vssd_request *request, const struct vssd_ns *ns)
{
	uint16_t status = vssd_guard_protection(request, ns);

	if (status)
		return status;
	if (!vssd_security_keeps(request->ctrl->subsystem, ns))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_OPERATION_DENIED, VSSD_STATE("a range is locked"), SIIS);
}
