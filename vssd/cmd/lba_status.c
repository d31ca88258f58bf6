/* SPDX-License-Identifier: BSD-3-Clause */
/* Get LBA Status, and feature 15h. NVM Command Set Specification 1.1, sections 4.2.1 and 4.1.3.5. */
#include <stdlib.h>

#include "spec/nvme_data.h"
#include "vssd/cmd/admin.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define SCAN 0x10u
#define TRACKED 0x11u
#define MOST_DESCRIPTORS 65536u /* of one command */

/* CMPC: why the list ends. */
enum { NOT_TOLD, LIST_IS_FULL, RANGE_IS_DONE };

typedef bool find_lbas(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, struct vssd_lbas within,
		       struct vssd_lbas *run);

static uint16_t check(struct vssd_request *request, uint64_t length, struct vssd_lbas *within)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t atype = nvme_get_field(cmd, NVME_FIELD_GET_LBA_STATUS_ATYPE);
	uint64_t slba = nvme_get_field(cmd, NVME_FIELD_GET_LBA_STATUS_SLBA);
	uint64_t count = nvme_get_field(cmd, NVME_FIELD_GET_LBA_STATUS_RL);

	if (atype != SCAN && atype != TRACKED)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_GET_LBA_STATUS_ATYPE, "ATYPE"), VSSD_OWN);
	if (length > request->ctrl->transfers.most)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_GET_LBA_STATUS_MNDW, "MNDW, above MDTS"), VSSD_OWN);
	if (!vssd_range_fits(request->ns, slba, count ? count : 1))
		return vssd_refuse(request, NVME_SC_LBA_OUT_OF_RANGE,
				   VSSD_FIELD(NVME_FIELD_GET_LBA_STATUS_SLBA, "SLBA"), VSSD_OWN);
	*within = (struct vssd_lbas){slba, count ? slba + count : request->ns->nsze};
	return request->ns->refuse ? vssd_refuse_busy(request, request->ns->refuse) : NVME_SC_SUCCESS;
}

/* List the runs, at most `most`. Returns CMPC. */
static uint8_t list_runs(struct vssd_request *request, struct vssd_lbas within, find_lbas *find,
			 struct nvme_lba_status_list *list, uint32_t most)
{
	struct vssd_lbas run;

	for (; find(request->ctrl->subsystem, request->ns, within, &run); within.first = run.end) {
		if (list->nlsd == most)
			return most == MOST_DESCRIPTORS ? NOT_TOLD : LIST_IS_FULL;
		list->descriptors[list->nlsd++] = (struct nvme_lba_status_descriptor){
			.dslba = run.first,
			.nlb = (uint32_t)(run.end - run.first - 1),
			.status = NVME_LBA_STATUS_UNREADABLE,
		};
	}
	return RANGE_IS_DONE;
}

static uint32_t descriptors_in(uint64_t length)
{
	uint64_t room =
		length < sizeof(struct nvme_lba_status_list)
			? 0
			: (length - sizeof(struct nvme_lba_status_list)) / sizeof(struct nvme_lba_status_descriptor);

	return room < MOST_DESCRIPTORS ? (uint32_t)room : MOST_DESCRIPTORS;
}

uint16_t vssd_get_lba_status(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	bool scan = nvme_get_field(&request->cmd, NVME_FIELD_GET_LBA_STATUS_ATYPE) == SCAN;
	uint64_t length = (nvme_get_field(&request->cmd, NVME_FIELD_GET_LBA_STATUS_MNDW) + 1) * sizeof(uint32_t);
	uint32_t most = descriptors_in(length);
	struct nvme_lba_status_list *list;
	struct vssd_lbas within;
	uint16_t status = check(request, length, &within);
	uint64_t size;

	if (status)
		return status;
	if (request->is_trial)
		return vssd_data_map(request, length, VSSD_DMA_WRITE);
	list = calloc(1, sizeof(*list) + most * sizeof(list->descriptors[0]));
	if (!list)
		return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("no memory for the list"), VSSD_OWN);
	if (scan)
		vssd_lba_status_track(subsystem, request->ns, within, true);
	else
		vssd_lba_status_update(subsystem);
	list->cmpc = list_runs(request, within, scan ? vssd_lbas_unreadable : vssd_lbas_tracked, list, most);
	size = sizeof(*list) + list->nlsd * sizeof(list->descriptors[0]);
	status = vssd_data_send_part(request, (const uint8_t *)list, size, 0, length);
	free(list);
	return status;
}

/* LSIPI is the drive's own. The completion has both intervals. */
uint16_t vssd_lba_status_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;

	if (request->is_trial)
		return NVME_SC_SUCCESS;
	ctrl->features.value[NVME_FEAT_LBA_STATUS] = VSSD_LSIPI << 16 | (uint16_t)request->cmd.cdw11;
	request->result = ctrl->features.value[NVME_FEAT_LBA_STATUS];
	vssd_ctrl_wake(ctrl);
	return NVME_SC_SUCCESS;
}
