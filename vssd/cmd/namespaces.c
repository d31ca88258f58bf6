/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespace Management and Namespace Attachment. NVM Express Base Specification 2.1, sections 5.1.20, 5.1.21 and
 * 8.1.15; NVM Command Set Specification 1.1, section 4.1.6; Zoned Namespace Command Set 1.2, section 4.1.6. */
#include <stddef.h>

#include "spec/nvme_data.h"
#include "vssd/cmd/admin.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/guard.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/reservation.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/reservation.h"

#define FORMAT_INDEX (NVME_FLBAS_INDEX | 3u << NVME_FLBAS_INDEX_HIGH_SHIFT)
#define DPS_KNOWN (3u | NVME_DPS_FIRST) /* types 1 to 3 */
#define ALLOCATE_ZRWAS 1u               /* ZNSCO */
#define MOST_CTRLS 2047u                /* of a controller list */

/* ---- creation ---- */

/* The LBA format as the drive keeps it. */
static uint8_t lbaf_of(const struct nvme_ns_management_data *data)
{
	unsigned type = (data->dps & NVME_DPS_TYPE) << VSSD_LBAF_TYPE_SHIFT & VSSD_LBAF_TYPE;
	unsigned extended = vssd_lbaf_metadata(data->flbas) ? VSSD_LBAF_EXTENDED : 0;

	return (uint8_t)((data->flbas & (VSSD_LBAF_INDEX | extended)) | type |
			 (type && data->dps & NVME_DPS_FIRST ? VSSD_LBAF_FIRST : 0));
}

/* The command set of the namespace to be created. */
static uint8_t csi_of(const struct vssd_request *request)
{
	return (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_NS_MANAGEMENT_CSI);
}

/* log2 of the unit of NSZE: Key Value namespaces count bytes. */
static unsigned shift_of(const struct vssd_request *request, const struct nvme_ns_management_data *data)
{
	return csi_of(request) == NVME_CSI_KV ? 0 : vssd_lbaf_shift(request->ctrl->subsystem, data->flbas);
}

/* Get the data. A Key Value namespace has no LBA format, and no other capacity than its size: these fields are
 * reserved. Key Value Command Set 1.1, section 4.1.6. */
static uint16_t receive(struct vssd_request *request, struct nvme_ns_management_data *data)
{
	uint16_t status = vssd_data_receive(request, data, sizeof(*data));

	if (csi_of(request) == NVME_CSI_KV) {
		data->ncap = data->nsze;
		data->flbas = data->dps = 0;
		data->nphndls = 0;
	}
	return status;
}

/* Check the fields of the data that describe the format. */
static uint16_t check_format(struct vssd_request *request, const struct nvme_ns_management_data *data)
{
	unsigned upper = data->flbas >> NVME_FLBAS_INDEX_HIGH_SHIFT & 3u;

	if (((data->flbas & NVME_FLBAS_INDEX) | upper << 4) > vssd_nlbaf(request->ctrl->options) ||
	    data->flbas & ~(FORMAT_INDEX | NVME_FLBAS_EXTENDED))
		return vssd_refuse(request, NVME_SC_INVALID_FORMAT,
				   VSSD_STATE("FLBAS in the data names no LBA format"), VSSD_OWN);
	if (data->dps & ~DPS_KNOWN || !vssd_lbaf_valid(request->ctrl->options, lbaf_of(data)))
		return vssd_refuse(request, NVME_SC_INVALID_FORMAT,
				   VSSD_STATE("DPS in the data asks for protection information that the LBA format "
					      "does not have"),
				   VSSD_OWN);
	return NVME_SC_SUCCESS;
}

/* Check the fields of the data that place the namespace. */
static uint16_t check_place(struct vssd_request *request, const struct nvme_ns_management_data *data)
{
	if (data->nmic & ~1u)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_STATE("NMIC in the data has a reserved bit"),
				   VSSD_OWN);
	if (data->anagrpid > (vssd_has_ana(request->ctrl) ? request->ctrl->options->functions.ana : 0))
		return vssd_refuse(request, NVME_SC_ANA_GROUP_ID_INVALID,
				   VSSD_STATE("ANAGRPID in the data is above ANAGRPMAX"), VSSD_OWN);
	return NVME_SC_SUCCESS;
}

static uint16_t refuse_handles(struct vssd_request *request, const char *why)
{
	return vssd_refuse(request, NVME_SC_INVALID_PLACEMENT_HANDLE_LIST, VSSD_STATE(why), VSSD_OWN);
}

/* Whether a namespace with another LBA format uses this reclaim unit handle. */
static bool has_another_format(const struct vssd_subsystem *subsystem, uint16_t ruh, uint8_t flbas)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		for (unsigned handle = 0; handle < subsystem->fdp->ns[i].count; handle++)
			if (subsystem->fdp->ns[i].ruh[handle] == ruh &&
			    (subsystem->ns[i].lba_shift != vssd_lbaf_shift(subsystem, flbas) ||
			     subsystem->ns[i].metadata != vssd_lbaf_metadata(flbas)))
				return true;
	return false;
}

static uint16_t check_handle(struct vssd_request *request, const struct nvme_ns_management_data *data, unsigned index)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint16_t ruh = data->phndl[index];

	if (ruh >= vssd_fdp_configuration(subsystem->fdp->configuration)->handles)
		return refuse_handles(request, "a placement handle in the data names no reclaim unit handle");
	for (unsigned i = 0; i < index; i++)
		if (data->phndl[i] == ruh)
			return refuse_handles(request, "a reclaim unit handle is twice in the data");
	if (vssd_fdp_usage(subsystem->fdp, ruh) == 2)
		return refuse_handles(request, "the controller uses a reclaim unit handle of the data");
	if (has_another_format(subsystem, ruh, data->flbas))
		return vssd_refuse(request, NVME_SC_INVALID_FORMAT,
				   VSSD_STATE("a namespace with another LBA format uses a handle of the data"),
				   VSSD_OWN);
	return NVME_SC_SUCCESS;
}

/* Get the reclaim unit handles of a new namespace, and check them. */
static uint16_t check_handles(struct vssd_request *request, const struct nvme_ns_management_data *data,
			      struct vssd_fdp_handles *handles)
{
	const struct vssd_fdp *fdp = request->ctrl->subsystem->fdp;
	uint16_t status = NVME_SC_SUCCESS;
	bool has_choice = false;

	*handles = (struct vssd_fdp_handles){.by_host = data->nphndls != 0};
	if (!fdp || (!fdp->enabled && !data->nphndls))
		return NVME_SC_SUCCESS;
	if (!fdp->enabled)
		return vssd_refuse(request, NVME_SC_FDP_DISABLED,
				   VSSD_STATE("NPHNDLS in the data is not 0, and FDP is disabled"), VSSD_OWN);
	if (data->nphndls > VSSD_RECLAIM_HANDLES)
		return refuse_handles(request, "NPHNDLS in the data is above the number of reclaim unit handles");
	for (unsigned i = 0; i < data->nphndls && !status; i++) {
		status = check_handle(request, data, i);
		handles->ruh[handles->count++] = (uint8_t)data->phndl[i];
	}
	for (unsigned ruh = 0; ruh < vssd_fdp_configuration(fdp->configuration)->handles; ruh++)
		has_choice |= vssd_fdp_usage(fdp, ruh) != 1;
	if (!status && !handles->count && !has_choice)
		return refuse_handles(request, "the host uses all reclaim unit handles");
	return status;
}

static uint16_t check_size(struct vssd_request *request, const struct nvme_ns_management_data *data)
{
	if (data->nsze == 0 || data->ncap > data->nsze)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_STATE("NSZE in the data is 0, or NCAP is above it"), VSSD_OWN);
	if (data->ncap != data->nsze)
		return vssd_refuse(request, NVME_SC_THIN_PROVISIONING_NOT_SUPPORTED,
				   VSSD_STATE("NCAP in the data is not NSZE"), VSSD_OWN);
	return NVME_SC_SUCCESS;
}

/* How many zones of a kind a new namespace can have, of those that the drive allows. 0: no limit. */
static uint32_t limit_of(uint32_t requested, uint32_t most)
{
	return requested ? requested : most;
}

static uint16_t refuse_zones(struct vssd_request *request, uint16_t status, const char *why)
{
	return vssd_refuse(request, status, VSSD_STATE(why), VSSD_ZNS("4.1.6"));
}

/* Choose the limits of a new zoned namespace, and check what the host requests. */
static uint16_t check_zones(struct vssd_request *request, const struct nvme_ns_management_data *data,
			    struct vssd_zone_limits *limits)
{
	const struct vssd_zone_options *options = &request->ctrl->options->zones;
	uint64_t zone = options->size >> shift_of(request, data);

	*limits = (struct vssd_zone_limits){
		.active = limit_of(data->rar, options->max_active),
		.open = limit_of(data->ror, options->max_open),
		.zrwas = data->znsco & ALLOCATE_ZRWAS ? data->rnumzrwa : 0,
	};
	if (!data->ror && limits->active && limits->open > limits->active)
		limits->open = limits->active;
	if (data->nsze % zone)
		return refuse_zones(request, NVME_SC_INVALID_FIELD,
				    "NSZE in the data is no multiple of the zone size");
	if (options->max_active && limits->active > options->max_active)
		return refuse_zones(request, NVME_SC_INVALID_FIELD, "RAR in the data is above max-active-zones");
	if (options->max_open && limits->open > options->max_open)
		return refuse_zones(request, NVME_SC_INVALID_FIELD, "ROR in the data is above max-open-zones");
	if (limits->active && (!limits->open || limits->open > limits->active))
		return refuse_zones(request, NVME_SC_INVALID_FIELD, "ROR in the data is above RAR");
	if (limits->zrwas > options->zrwas)
		return refuse_zones(request, NVME_SC_ZRWA_RESOURCES_UNAVAILABLE,
				    "RNUMZRWA in the data is above the random write areas that a namespace can have");
	return NVME_SC_SUCCESS;
}

/* Choose the endurance group and the NVM set, and check that they have that many bytes left. The error log gets how
 * many the namespace needs. */
static uint16_t check_room(struct vssd_request *request, const struct nvme_ns_management_data *data,
			   struct vssd_container *container)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	unsigned shift = shift_of(request, data);
	uint64_t bytes = data->nsze > UINT64_MAX >> shift ? UINT64_MAX : data->nsze << shift;

	*container = (struct vssd_container){.endgid = data->endgid, .setid = data->nvmsetid};
	if (!vssd_container_choose(subsystem, bytes >> VSSD_BLOCK_SHIFT, container))
		return vssd_refuse(
			request, NVME_SC_INVALID_FIELD,
			VSSD_STATE("NVMSETID or ENDGID in the data names none that exists, or they differ"),
			VSSD_OWN);
	if (vssd_ns_blocks_for(subsystem, bytes, vssd_container_room(subsystem, container)))
		return NVME_SC_SUCCESS;
	request->failure.information = bytes;
	return vssd_refuse(request, NVME_SC_NS_INSUFFICIENT_CAPACITY,
			   VSSD_STATE("NSZE in the data is above what the drive, the group or the set has left"),
			   VSSD_OWN);
}

/* Whether the drive has namespaces of this command set. */
static bool has_set(const struct vssd_options *options, uint8_t csi)
{
	switch (csi) {
	case NVME_CSI_NVM:
		return true;
	case NVME_CSI_KV:
		return options->kv.namespaces != 0;
	case NVME_CSI_ZNS:
		return options->zones.namespaces != 0;
	default:
		return false;
	}
}

static uint16_t check_create(struct vssd_request *request, struct nvme_ns_management_data *data,
			     struct vssd_ns_shape *shape)
{
	uint16_t status;

	if (request->cmd.nsid)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_NSID, VSSD_OWN);
	if (!has_set(request->ctrl->options, csi_of(request)))
		return vssd_refuse(request, NVME_SC_COMMAND_SET_NOT_SUPPORTED,
				   VSSD_FIELD(NVME_FIELD_NS_MANAGEMENT_CSI, "CSI"), VSSD_OWN);
	status = receive(request, data);
	if (!status)
		status = check_format(request, data);
	if (!status)
		status = check_place(request, data);
	if (!status)
		status = check_handles(request, data, &shape->handles);
	if (!status)
		status = check_size(request, data);
	if (!status && csi_of(request) == NVME_CSI_ZNS)
		status = check_zones(request, data, &shape->zones);
	if (!status)
		status = check_room(request, data, &shape->container);
	if (!status && !vssd_ns_unused(request->ctrl->subsystem))
		return vssd_refuse(request, NVME_SC_NS_ID_UNAVAILABLE, VSSD_STATE("all NSIDs up to NN are in use"),
				   VSSD_OWN);
	return status;
}

static uint16_t create(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	struct nvme_ns_management_data data;
	struct vssd_ns_shape shape = {0};
	uint16_t status = check_create(request, &data, &shape);

	if (status || request->is_trial)
		return status;
	shape.bytes = data.nsze << shift_of(request, &data);
	shape.csi = csi_of(request);
	shape.lbaf = lbaf_of(&data);
	shape.shared = data.nmic & 1;
	shape.anagrpid = (uint8_t)data.anagrpid;
	shape.unchecked = ~data.lbstm;
	request->result = vssd_ns_unused(subsystem);
	if (vssd_ns_create(subsystem, vssd_cntlid(&request->ctrl->listener), (uint32_t)request->result, &shape))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("no memory for the namespace"), VSSD_OWN);
}

/* ---- deletion ---- */

static uint16_t check_deletion(struct vssd_request *request, const struct vssd_ns *ns)
{
	if (ns->refuse)
		return vssd_refuse_busy(request, ns->refuse);
	if (vssd_guard_protection(request, ns))
		return NVME_SC_NS_WRITE_PROTECTED;
	return vssd_reservation_check(request, ns, VSSD_ACCESS_WRITE);
}

uint16_t vssd_ns_delete_these(struct vssd_request *request, uint32_t nsids)
{
	struct vssd_ctrl *ctrl = request->ctrl;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		uint16_t status = nsids >> i & 1 ? check_deletion(request, &ctrl->ns[i]) : NVME_SC_SUCCESS;

		if (status)
			return status;
	}
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && !request->is_trial; i++)
		if (nsids >> i & 1)
			vssd_ns_delete(ctrl->subsystem, vssd_cntlid(&ctrl->listener), &ctrl->ns[i]);
	return NVME_SC_SUCCESS;
}

static uint16_t delete (struct vssd_request *request)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	bool all = request->cmd.nsid == NVME_NSID_ALL;
	uint32_t nsids = 0;

	if (!all && !vssd_subsystem_ns(ctrl->subsystem, request->cmd.nsid))
		return vssd_refuse_nsid(request, VSSD_OWN);
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (ctrl->ns[i].nsid && (all || ctrl->ns[i].nsid == request->cmd.nsid))
			nsids |= 1u << i;
	return vssd_ns_delete_these(request, nsids);
}

uint16_t vssd_ns_management(struct vssd_request *request)
{
	switch (nvme_get_field(&request->cmd, NVME_FIELD_NS_MANAGEMENT_SEL)) {
	case NVME_NS_CREATE:
		return create(request);
	case NVME_NS_DELETE:
		return delete (request);
	default:
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_NS_MANAGEMENT_SEL, "SEL"),
				   VSSD_OWN);
	}
}

/* ---- attachment ---- */

/* Refuse the command for the entry of the controller list with this index. The error log gets the byte of the entry.
 */
static uint16_t refuse_entry(struct vssd_request *request, unsigned index, uint16_t status, const char *why)
{
	request->failure.information = offsetof(struct nvme_ctrl_list, cntlid) + index * sizeof(uint16_t);
	return vssd_refuse(request, status, VSSD_STATE(why), VSSD_OWN);
}

/* Get the controller list in the data. Its CNTLIDs must ascend. */
static uint16_t receive_list(struct vssd_request *request, struct nvme_ctrl_list *list)
{
	uint16_t status = vssd_data_receive(request, list, sizeof(*list));

	if (status)
		return status;
	if (list->numids == 0 || list->numids > MOST_CTRLS)
		return vssd_refuse(request, NVME_SC_CONTROLLER_LIST_INVALID,
				   VSSD_STATE("the controller list is empty or too long"), VSSD_OWN);
	for (unsigned i = 0; i < list->numids; i++)
		if (!vssd_subsystem_listener(request->ctrl->subsystem, list->cntlid[i]) ||
		    (i > 0 && list->cntlid[i] <= list->cntlid[i - 1]))
			return refuse_entry(request, i, NVME_SC_CONTROLLER_LIST_INVALID,
					    "the list is not in order, or names a controller that does not exist");
	return NVME_SC_SUCCESS;
}

static uint16_t check_attach(struct vssd_request *request, const struct vssd_ns *ns, const struct vssd_listener *one,
			     unsigned index)
{
	if (one->ops->lacks_set(one, ns))
		return refuse_entry(request, index, NVME_SC_COMMAND_SET_NOT_ENABLED,
				    "CC.CSS of a controller of the list does not enable the command set");
	if (one->ops->has_lost(one, ns))
		return refuse_entry(request, index, NVME_SC_ANA_ATTACH_FAILED,
				    "a controller of the list has lost the ANA group of the namespace");
	if (ns->attached >> one->index & 1)
		return refuse_entry(request, index, NVME_SC_NS_ALREADY_ATTACHED,
				    "the namespace is attached to a controller of the list");
	if (!ns->shared && (ns->attached || index > 0))
		return refuse_entry(request, index, NVME_SC_NS_IS_PRIVATE,
				    "the namespace is private, and can have only one controller");
	return NVME_SC_SUCCESS;
}

/* Check each controller of the list, and set the bits of all. */
static uint16_t check_ctrls(struct vssd_request *request, const struct vssd_ns *ns, const struct nvme_ctrl_list *list,
			    bool attach, uint16_t *ctrls)
{
	uint16_t status = NVME_SC_SUCCESS;

	*ctrls = 0;
	for (unsigned i = 0; !status && i < list->numids; i++) {
		const struct vssd_listener *one = vssd_subsystem_listener(request->ctrl->subsystem, list->cntlid[i]);

		if (attach)
			status = check_attach(request, ns, one, i);
		else if (!(ns->attached >> one->index & 1))
			status = refuse_entry(request, i, NVME_SC_NS_NOT_ATTACHED,
					      "the namespace is not attached to a controller of the list");
		*ctrls |= (uint16_t)(1u << one->index);
	}
	return status;
}

uint16_t vssd_ns_attachment(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	struct vssd_ns *ns = vssd_subsystem_ns(subsystem, request->cmd.nsid);
	uint64_t sel = nvme_get_field(&request->cmd, NVME_FIELD_NS_ATTACHMENT_SEL);
	struct nvme_ctrl_list list;
	uint16_t ctrls, status;

	if (sel != NVME_NS_ATTACH && sel != NVME_NS_DETACH)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_NS_ATTACHMENT_SEL, "SEL"),
				   VSSD_OWN);
	if (!ns && request->cmd.nsid == NVME_NSID_ALL)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_NSID, VSSD_OWN);
	if (!ns)
		return vssd_refuse_nsid(request, VSSD_OWN);
	status = vssd_reservation_check(request, ns, VSSD_ACCESS_WRITE);
	if (!status)
		status = receive_list(request, &list);
	if (!status)
		status = check_ctrls(request, ns, &list, sel == NVME_NS_ATTACH, &ctrls);
	if (!status && !request->is_trial)
		vssd_ns_set_attached(subsystem, ns, ns->attached ^ ctrls);
	return status;
}
