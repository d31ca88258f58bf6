/* SPDX-License-Identifier: BSD-3-Clause */
/* The directive of a write, and I/O Management. NVM Express Base Specification 2.1, sections 7.3, 7.4 and 8.1.8. */
#include "vssd/cmd/placement.h"

#include "spec/nvme_data.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define NO_DIRECTIVE 0u
#define STREAMS 1u
#define DATA_PLACEMENT 2u

#define NO_OPERATION 0u
#define RUH_STATUS 1u /* of Receive */
#define RUH_UPDATE 1u /* of Send */

#define MOST_PIDS (VSSD_RECLAIM_HANDLES * VSSD_RECLAIM_GROUPS)
#define LIST_SIZE (sizeof(struct nvme_ruh_status_list) + MOST_PIDS * sizeof(struct nvme_ruh_status))

/* ---- writes ---- */

static uint64_t dtype_of(const struct vssd_request *request)
{
	return nvme_get_field(&request->cmd, NVME_FIELD_WRITE_DTYPE);
}

static uint16_t dspec_of(const struct vssd_request *request)
{
	return (uint16_t)nvme_get_field(&request->cmd, NVME_FIELD_WRITE_DSPEC);
}

static bool has_directives(const struct vssd_ctrl *ctrl)
{
	return ctrl->subsystem->fdp || ctrl->options->optional.streams;
}

uint16_t vssd_placement_check(struct vssd_request *request)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t dtype = dtype_of(request);

	if (dtype == NO_DIRECTIVE || !has_directives(ctrl))
		return NVME_SC_SUCCESS;
	if (dtype == DATA_PLACEMENT && vssd_fdp_places(ctrl->subsystem))
		return NVME_SC_SUCCESS;
	if (dtype != STREAMS || !vssd_streams_enabled(ctrl, request->cmd.nsid))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_WRITE_DTYPE, "DTYPE, a directive that is not enabled"),
				   VSSD_BASE("8.1.8"));
	if (dspec_of(request) == 0)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_WRITE_DSPEC, "DSPEC, the stream identifier 0"),
				   VSSD_BASE("8.1.8.3"));
	return NVME_SC_SUCCESS;
}

void vssd_placement_wrote(struct vssd_request *request, uint64_t slba, uint64_t nlb)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint64_t dtype = dtype_of(request);

	if (dtype == STREAMS && vssd_streams_enabled(request->ctrl, request->cmd.nsid))
		vssd_streams_use(request->ctrl, request->cmd.nsid, dspec_of(request));
	if (!vssd_fdp_places(subsystem))
		return;
	subsystem->fdp->time = vssd_timestamp(request->ctrl);
	vssd_fdp_write(subsystem, request->ns, slba, nlb, dtype == DATA_PLACEMENT, dspec_of(request));
}

/* ---- I/O Management ---- */

static uint16_t disabled(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_FDP_DISABLED,
			   VSSD_STATE("Flexible Data Placement is disabled in the endurance group of the namespace"),
			   VSSD_OWN);
}

/* Describe all placement identifiers of a namespace. Returns the number of bytes. */
static uint32_t describe(const struct vssd_request *request, struct nvme_ruh_status_list *list)
{
	const struct vssd_fdp *fdp = request->ctrl->subsystem->fdp;
	const struct vssd_fdp_configuration *configuration = vssd_fdp_configuration(fdp->configuration);
	const struct vssd_fdp_handles *handles = &fdp->ns[request->ns->nsid - 1];

	for (unsigned handle = 0; handle < handles->count; handle++)
		for (uint8_t group = 0; group < configuration->groups; group++) {
			struct vssd_reclaim_place place = {.ruh = handles->ruh[handle], .group = group};

			list->ruhs[list->nruhsd++] = (struct nvme_ruh_status){
				.pid = vssd_fdp_pid(fdp, group, handle),
				.ruhid = place.ruh,
				.ruamw = vssd_reclaim_left(fdp->reclaim, place) >> (request->ns->lba_shift - 9u),
			};
		}
	return (uint32_t)(sizeof(*list) + list->nruhsd * sizeof(list->ruhs[0]));
}

static uint16_t send_status(struct vssd_request *request)
{
	_Alignas(uint64_t) uint8_t list[LIST_SIZE] = {0};
	uint64_t length = (nvme_get_field(&request->cmd, NVME_FIELD_MANAGEMENT_RECEIVE_NUMD) + 1) * 4;
	struct vssd_cursor cursor;
	uint32_t size;
	uint16_t status;

	if (!vssd_fdp_places(request->ctrl->subsystem))
		return disabled(request);
	if (length > request->ctrl->transfers.most)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_MANAGEMENT_RECEIVE_NUMD, "NUMD, above MDTS"), VSSD_OWN);
	size = describe(request, (struct nvme_ruh_status_list *)list);
	status = vssd_data_map(request, length, VSSD_DMA_WRITE);
	if (status)
		return status;
	cursor = (struct vssd_cursor){.segment = request->data.segments};
	return vssd_cursor_put(request, &cursor, list, length < size ? (uint32_t)length : size);
}

uint16_t vssd_io_management_receive(struct vssd_request *request)
{
	switch (nvme_get_field(&request->cmd, NVME_FIELD_MANAGEMENT_RECEIVE_MO)) {
	case NO_OPERATION:
		return NVME_SC_SUCCESS;
	case RUH_STATUS:
		return send_status(request);
	default:
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_MANAGEMENT_RECEIVE_MO, "MO"),
				   VSSD_OWN);
	}
}

/* Update the handles of a list. Nothing changes if one is invalid. */
static uint16_t update(struct vssd_request *request)
{
	struct vssd_fdp *fdp = request->ctrl->subsystem->fdp;
	uint32_t count = (uint32_t)nvme_get_field(&request->cmd, NVME_FIELD_MANAGEMENT_SEND_MOS) + 1;
	struct vssd_reclaim_place place;
	uint16_t pids[MOST_PIDS], status;

	if (!vssd_fdp_places(request->ctrl->subsystem))
		return disabled(request);
	if (count > MOST_PIDS)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_MANAGEMENT_SEND_MOS, "MOS, above MAXPIDS"), VSSD_OWN);
	status = vssd_data_receive(request, pids, count * (uint32_t)sizeof(pids[0]));
	for (uint32_t i = 0; i < count && !status; i++)
		if (!vssd_fdp_find(fdp, request->ns->nsid, pids[i], &place))
			status = vssd_refuse(request, NVME_SC_INVALID_FIELD,
					     VSSD_STATE("a placement identifier in the data is invalid"), VSSD_OWN);
	if (status || request->is_trial)
		return status;
	fdp->time = vssd_timestamp(request->ctrl);
	for (uint32_t i = 0; i < count; i++)
		vssd_fdp_update(fdp, request->ns->nsid, pids[i]);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_io_management_send(struct vssd_request *request)
{
	switch (nvme_get_field(&request->cmd, NVME_FIELD_MANAGEMENT_SEND_MO)) {
	case NO_OPERATION:
		return NVME_SC_SUCCESS;
	case RUH_UPDATE:
		return update(request);
	default:
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_MANAGEMENT_SEND_MO, "MO"),
				   VSSD_OWN);
	}
}
