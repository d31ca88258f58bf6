/* SPDX-License-Identifier: BSD-3-Clause */
/* Enhanced Controller, Controller and Namespace Metadata. NVM Express Base Specification 2.1, 5.1.25.1.26. */
#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/host_metadata.h"

#define ACTION(cdw11) ((cdw11) >> 13 & 3) /* EA, element action: enum vssd_metadata_action */
#define SECTION VSSD_BASE("5.1.25.1.26")

static uint8_t fid_of(const struct vssd_request *request)
{
	return (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_SET_FEATURES_FID);
}

/* FID 7Dh may hold several elements of a type, and the others replace them. */
static bool is_action(uint8_t fid, uint32_t action)
{
	return action == VSSD_METADATA_DELETE ||
	       action == (fid == NVME_FEAT_ENHANCED_CTRL_METADATA ? VSSD_METADATA_ADD : VSSD_METADATA_REPLACE);
}

/* The metadata of the controller, or those of a namespace. */
static struct vssd_metadata *metadata_of(const struct vssd_request *request, const struct vssd_ns *ns)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	struct vssd_host_metadata *metadata = ctrl->subsystem->health.host_metadata;
	uint8_t fid = fid_of(request);

	if (fid == NVME_FEAT_NS_METADATA)
		return &metadata->of_namespaces[ns->nsid - 1];
	return &metadata->of_controllers[ctrl->listener.index][fid == NVME_FEAT_CTRL_METADATA];
}

static bool change(struct vssd_request *request, const struct vssd_ns *ns, const struct vssd_metadata *data)
{
	enum vssd_metadata_action action = (enum vssd_metadata_action)ACTION(request->cmd.cdw11);
	struct vssd_metadata trial = *metadata_of(request, ns);

	return vssd_metadata_change(request->is_trial ? &trial : metadata_of(request, ns), data, action);
}

/* NSID FFFFFFFFh names all namespaces. */
static bool change_all(struct vssd_request *request, const struct vssd_metadata *data)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t nsid = request->cmd.nsid;
	bool fits = true;

	if (fid_of(request) != NVME_FEAT_NS_METADATA)
		return change(request, NULL, data);
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (vssd_ns_is_active(ctrl, &ctrl->ns[i]) && (nsid == NVME_NSID_ALL || nsid == i + 1))
			fits = change(request, &ctrl->ns[i], data) && fits;
	return fits;
}

uint16_t vssd_host_metadata_set(struct vssd_request *request)
{
	uint32_t action = ACTION(request->cmd.cdw11);
	struct vssd_metadata data;
	uint16_t status;

	if (!is_action(fid_of(request), action))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 14, 13, "EA"), SECTION);
	status = vssd_data_receive(request, &data, sizeof(data));
	if (status)
		return status;
	if (!vssd_metadata_is_valid(&data, (enum vssd_metadata_action)action))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_STATE("an element is longer than the data, or one to delete has a value"),
				   SECTION);
	if (!change_all(request, &data))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_STATE("the metadata have 4 KiB at most"),
				   SECTION);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_host_metadata_get(struct vssd_request *request, enum nvme_feature_select select)
{
	static const struct vssd_metadata none;
	const struct vssd_ns *ns = vssd_ns_find(request->ctrl, request->cmd.nsid);

	if (fid_of(request) == NVME_FEAT_NS_METADATA && !ns)
		return vssd_refuse_nsid(request, SECTION);
	return vssd_data_send(request, select == NVME_SEL_CURRENT ? metadata_of(request, ns) : &none, sizeof(none));
}
