/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespace Write Protection Config, feature 84h. NVM Express Base Specification 2.0, sections 5.27.1.27 and 8.12. */
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define WPS 7u

static bool is_named(const struct vssd_request *request, const struct vssd_ns *ns)
{
	return vssd_ns_is_active(request->ctrl, ns) &&
	       (request->cmd.nsid == NVME_NSID_ALL || request->cmd.nsid == ns->nsid);
}

/* Whether the state cannot change any more: until a power cycle, or ever. */
static bool is_fixed(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	return vssd_security_protection(subsystem, ns) >= VSSD_PROTECTED_UNTIL_POWER_CYCLE;
}

static void protect(struct vssd_request *request, struct vssd_ns *ns, enum vssd_protection state)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	bool changes = vssd_security_protection(subsystem, ns) != state;
	uint16_t others = ns->attached & (uint16_t) ~(1u << request->ctrl->listener.index);

	vssd_security_protect(subsystem, ns, state);
	if (changes)
		vssd_subsystem_ns_changed(subsystem, ns->nsid, others);
}

uint16_t vssd_protection_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t state = request->cmd.cdw11 & WPS;

	if (state > VSSD_PROTECTED_PERMANENTLY)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 2, 0, "WPS"),
				   VSSD_BASE("5.1.25.1.31"));
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (is_named(request, &ctrl->ns[i]) && is_fixed(ctrl->subsystem, &ctrl->ns[i]))
			return vssd_refuse(request, NVME_SC_FEATURE_NOT_CHANGEABLE,
					   VSSD_STATE("the protection lasts until a power cycle, or for ever"),
					   VSSD_BASE("5.1.25.1.31"));
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && !request->is_trial; i++)
		if (is_named(request, &ctrl->ns[i]))
			protect(request, &ctrl->ns[i], (enum vssd_protection)state);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_protection_get(struct vssd_request *request, enum nvme_feature_select select)
{
	if (!request->ns)
		return vssd_refuse_nsid(request, VSSD_BASE("5.1.25.1.31"));
	request->result = select == NVME_SEL_CURRENT ? vssd_security_protection(request->ctrl->subsystem, request->ns)
						     : VSSD_UNPROTECTED;
	return NVME_SC_SUCCESS;
}
