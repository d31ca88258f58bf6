/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespace Write Protection Config, feature 84h, and Boot Partition Write Protection Config, feature 85h. NVM
 * Express Base Specification 2.1, sections 5.1.25.1.31, 5.1.25.1.32, 8.1.3.3 and 8.1.16. */
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

	if (state != VSSD_UNPROTECTED)
		vssd_store_flush(subsystem->store);
	vssd_security_protect(subsystem, ns, state);
	if (changes)
		vssd_subsystem_ns_changed(subsystem, ns->nsid, others);
}

uint16_t vssd_protection_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t state = request->cmd.cdw11 & WPS;
	uint32_t most = ctrl->options->optional.rpmb ? VSSD_PROTECTED_PERMANENTLY : VSSD_PROTECTED;

	if (state > most)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 2, 0, "WPS"),
				   VSSD_BASE("5.1.25.1.31"));
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (is_named(request, &ctrl->ns[i]) && is_fixed(ctrl->subsystem, &ctrl->ns[i]))
			return vssd_refuse(request, NVME_SC_FEATURE_NOT_CHANGEABLE,
					   VSSD_STATE("the protection lasts until a power cycle, or for ever"),
					   VSSD_BASE("5.1.25.1.31"));
	if (!vssd_security_may_protect(ctrl->subsystem, (enum vssd_protection)state))
		return vssd_refuse(request, NVME_SC_FEATURE_NOT_CHANGEABLE,
				   VSSD_STATE("WPC of the RPMB Device Configuration Block does not allow it"),
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

/* ---- boot partitions ---- */

#define BPWPS 7u
#define BPWPS_BITS 3u

static uint8_t wanted_of(const struct vssd_request *request, unsigned id)
{
	return (uint8_t)(request->cmd.cdw11 >> id * BPWPS_BITS & BPWPS);
}

/* Check the state that is wanted of a partition. Returns a status. */
static uint16_t check_boot(struct vssd_request *request, unsigned id)
{
	uint8_t wanted = wanted_of(request, id);

	if (wanted > NVME_BOOT_LOCKED_UNTIL_POWER_CYCLE)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 5, 0, "BP0WPS or BP1WPS"),
				   VSSD_BASE("5.1.25.1.32"));
	if (wanted != NVME_BOOT_UNCHANGED && vssd_boot_protection(request->ctrl->subsystem, id) > NVME_BOOT_LOCKED)
		return vssd_refuse(request, NVME_SC_FEATURE_NOT_CHANGEABLE,
				   VSSD_STATE("the lock lasts until a power cycle, or RPMB controls it"),
				   VSSD_BASE("5.1.25.1.32"));
	return NVME_SC_SUCCESS;
}

uint16_t vssd_boot_protection_set(struct vssd_request *request)
{
	uint8_t *states = request->ctrl->subsystem->security->boot;
	uint16_t status = NVME_SC_SUCCESS;

	for (unsigned i = 0; i < VSSD_BOOT_PARTITIONS && !status; i++)
		status = check_boot(request, i);
	for (unsigned i = 0; i < VSSD_BOOT_PARTITIONS && !status && !request->is_trial; i++)
		if (wanted_of(request, i) != NVME_BOOT_UNCHANGED)
			states[i] = wanted_of(request, i);
	return status;
}

uint16_t vssd_boot_protection_get(struct vssd_request *request, enum nvme_feature_select select)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;

	request->result = 0;
	for (unsigned i = 0; i < VSSD_BOOT_PARTITIONS; i++)
		request->result |=
			(uint64_t)(select == NVME_SEL_CURRENT ? vssd_boot_protection(subsystem, i) : NVME_BOOT_LOCKED)
			<< i * BPWPS_BITS;
	return NVME_SC_SUCCESS;
}
