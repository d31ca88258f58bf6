/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtualization Management, and its structures of Identify. NVM Express Base Specification 2.1, sections 5.2.6,
 * 5.1.13.3.1 and 5.1.13.3.2. */
#include "vssd/cmd/virtual.h"

#include "spec/nvme_id.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/virtual.h"

#define ACT VSSD_FIELD(NVME_FIELD_VIRTUALIZATION_ACT, "ACT")
#define RT VSSD_FIELD(NVME_FIELD_VIRTUALIZATION_RT, "RT")
#define NR VSSD_FIELD(NVME_FIELD_VIRTUALIZATION_NR, "NR")
#define CNTLID VSSD_FIELD(NVME_FIELD_VIRTUALIZATION_CNTLID, "CNTLID")
#define BOTH_TYPES 3u /* CRT */

/* The secondary controller that the command names, or NULL. */
static struct vssd_listener *secondary_of(const struct vssd_request *request)
{
	struct vssd_listener *found = vssd_subsystem_listener(
		request->ctrl->subsystem, (uint32_t)nvme_get_field(&request->cmd, NVME_FIELD_VIRTUALIZATION_CNTLID));

	return found && vssd_is_secondary(request->ctrl->subsystem, found) ? found : NULL;
}

static uint16_t refuse_controller(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INVALID_CONTROLLER_ID, CNTLID, VSSD_OWN);
}

static uint16_t refuse_state(struct vssd_request *request, const char *what)
{
	return vssd_refuse(request, NVME_SC_INVALID_SECONDARY_STATE, VSSD_STATE(what), VSSD_OWN);
}

/* Check RT, and that the drive has NR resources besides those that others have. */
static uint16_t check_resources(struct vssd_request *request, uint32_t taken)
{
	uint64_t count = nvme_get_field(&request->cmd, NVME_FIELD_VIRTUALIZATION_NR);

	if (nvme_get_field(&request->cmd, NVME_FIELD_VIRTUALIZATION_RT) >= VSSD_RESOURCES)
		return vssd_refuse(request, NVME_SC_INVALID_RESOURCE_ID, RT, VSSD_OWN);
	if (count + taken > vssd_virtual_total(request->ctrl->options))
		return vssd_refuse(request, NVME_SC_INVALID_NUM_RESOURCES, NR, VSSD_OWN);
	return NVME_SC_SUCCESS;
}

static enum vssd_resource type_of(const struct vssd_request *request)
{
	return nvme_get_field(&request->cmd, NVME_FIELD_VIRTUALIZATION_RT) == VSSD_RESOURCE_VI ? VSSD_RESOURCE_VI
											       : VSSD_RESOURCE_VQ;
}

/* Set the share of the primary controller, from its next reset on that is no Controller Reset. */
static uint16_t share(struct vssd_request *request)
{
	uint16_t status;

	if (nvme_get_field(&request->cmd, NVME_FIELD_VIRTUALIZATION_CNTLID) != vssd_cntlid(&request->ctrl->listener))
		return refuse_controller(request);
	status = check_resources(request, vssd_virtual_assigned(request->ctrl->subsystem, type_of(request)));
	if (status || request->is_trial)
		return status;
	request->result = nvme_get_field(&request->cmd, NVME_FIELD_VIRTUALIZATION_NR);
	request->ctrl->nv->share.flexible[type_of(request)] = (uint16_t)request->result;
	return NVME_SC_SUCCESS;
}

/* What the primary controller has now, and will have. */
static uint32_t primary_has(const struct vssd_request *request, enum vssd_resource type)
{
	uint16_t now = request->ctrl->listener.functions.flexible[type];
	uint16_t wanted = request->ctrl->nv->share.flexible[type];

	return now > wanted ? now : wanted;
}

static uint16_t assign(struct vssd_request *request)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	struct vssd_listener *secondary = secondary_of(request);
	enum vssd_resource type = type_of(request);
	uint32_t others;
	uint16_t status;

	if (!secondary)
		return refuse_controller(request);
	if (secondary->functions.is_online && !vssd_virtual_is_wrong(subsystem, VSSD_FAULT_FUNCTIONS_ASSIGN_ONLINE))
		return refuse_state(request, "the secondary controller is online");
	others = vssd_virtual_assigned(subsystem, type) - secondary->functions.flexible[type];
	status = check_resources(request, others + primary_has(request, type));
	if (!status && nvme_get_field(&request->cmd, NVME_FIELD_VIRTUALIZATION_NR) > VSSD_FLEXIBLE_MOST)
		return vssd_refuse(request, NVME_SC_INVALID_NUM_RESOURCES, NR, VSSD_OWN);
	if (status || request->is_trial)
		return status;
	request->result = nvme_get_field(&request->cmd, NVME_FIELD_VIRTUALIZATION_NR);
	secondary->functions.flexible[type] = (uint16_t)request->result;
	return NVME_SC_SUCCESS;
}

static uint16_t set_online(struct vssd_request *request, bool online)
{
	struct vssd_listener *secondary = secondary_of(request);

	if (!secondary)
		return refuse_controller(request);
	if (online && !secondary->functions.is_there)
		return refuse_state(request, "the virtual function is not enabled (VF Enable, NumVFs)");
	if (online && (secondary->functions.flexible[VSSD_RESOURCE_VQ] < VSSD_LEAST_QUEUES ||
		       !secondary->functions.flexible[VSSD_RESOURCE_VI]))
		return refuse_state(request,
				    "the secondary controller has fewer than two VQ resources, or no VI resource");
	if (!request->is_trial)
		vssd_virtual_set_online(request->ctrl->subsystem, secondary, online);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_virtualization_management(struct vssd_request *request)
{
	switch (nvme_get_field(&request->cmd, NVME_FIELD_VIRTUALIZATION_ACT)) {
	case NVME_VIRTUALIZATION_PRIMARY_FLEXIBLE:
		return share(request);
	case NVME_VIRTUALIZATION_SECONDARY_OFFLINE:
		return set_online(request, false);
	case NVME_VIRTUALIZATION_SECONDARY_ASSIGN:
		return assign(request);
	case NVME_VIRTUALIZATION_SECONDARY_ONLINE:
		return set_online(request, true);
	default:
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, ACT, VSSD_OWN);
	}
}

void vssd_virtual_capabilities(const struct vssd_ctrl *ctrl, struct nvme_primary_ctrl_caps *caps)
{
	const struct vssd_virtual *own = &ctrl->listener.functions;

	caps->cntlid = vssd_cntlid(&ctrl->listener);
	caps->crt = BOTH_TYPES;
	caps->vqfrt = caps->vifrt = vssd_virtual_total(ctrl->options);
	caps->vqrfa = vssd_virtual_assigned(ctrl->subsystem, VSSD_RESOURCE_VQ);
	caps->virfa = vssd_virtual_assigned(ctrl->subsystem, VSSD_RESOURCE_VI);
	caps->vqrfap = own->flexible[VSSD_RESOURCE_VQ];
	caps->virfap = own->flexible[VSSD_RESOURCE_VI];
	caps->vqprt = (uint16_t)(ctrl->options->queues < UINT16_MAX ? ctrl->options->queues + 1 : UINT16_MAX);
	caps->viprt = (uint16_t)ctrl->interrupts.count;
	caps->vqfrsm = caps->vifrsm = (uint16_t)(caps->vqfrt < VSSD_FLEXIBLE_MOST ? caps->vqfrt : VSSD_FLEXIBLE_MOST);
	caps->vqgran = caps->vigran = 1;
}

void vssd_virtual_list(const struct vssd_request *request, struct nvme_secondary_ctrl_list *list)
{
	uint64_t least = nvme_get_field(&request->cmd, NVME_FIELD_IDENTIFY_CNTID);
	const struct vssd_options *options = request->ctrl->options;

	for (unsigned vf = 1; vf <= options->functions.virtual_ones; vf++) {
		const struct vssd_listener *one =
			vssd_subsystem_listener(request->ctrl->subsystem, options->functions.controllers + vf);

		if (!one || vssd_cntlid(one) < least)
			continue;
		list->entry[list->num++] = (struct nvme_secondary_ctrl){
			.scid = vssd_cntlid(one),
			.pcid = vssd_cntlid(&request->ctrl->listener),
			.scs = one->functions.is_online,
			.vfn = (uint16_t)vf,
			.nvq = one->functions.flexible[VSSD_RESOURCE_VQ],
			.nvi = one->functions.flexible[VSSD_RESOURCE_VI],
		};
	}
}
