/* SPDX-License-Identifier: BSD-3-Clause */
/* Features 1Dh and 1Eh: Flexible Data Placement, and its events. NVM Express Base Specification 2.1, sections
 * 5.1.25.1.20 and 5.1.25.1.21. */
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define FDPE 1u  /* cdw12 */
#define FDPEE 1u /* cdw12 */
#define FDPCIDX_SHIFT 8
#define MOST_TYPES 256u

/* ---- 1Dh ---- */

static uint16_t check_group(struct vssd_request *request)
{
	if ((uint16_t)request->cmd.cdw11 == VSSD_ENDGID)
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 15, 0, "ENDGID"), VSSD_BASE("5.1.25.1.20"));
}

static bool has_namespaces(const struct vssd_subsystem *subsystem)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (subsystem->ns[i].nsid)
			return true;
	return false;
}

uint16_t vssd_fdp_set(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint32_t value = request->cmd.cdw12;
	uint8_t index = (uint8_t)(value >> FDPCIDX_SHIFT);
	uint16_t status = check_group(request);

	if (status)
		return status;
	if (value & FDPE && !vssd_fdp_configuration(index))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(12, 15, 8, "FDPCIDX"),
				   VSSD_BASE("5.1.25.1.20"));
	if (has_namespaces(subsystem))
		return vssd_refuse(request, NVME_SC_COMMAND_SEQUENCE_ERROR,
				   VSSD_STATE("the endurance group has namespaces"), VSSD_BASE("5.1.25.1.20"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	vssd_fdp_enable(subsystem->fdp, value & FDPE, value & FDPE ? index : 0);
	return NVME_SC_SUCCESS;
}

/* A new drive has it enabled, with configuration 0. */
uint16_t vssd_fdp_get(struct vssd_request *request, enum nvme_feature_select select)
{
	const struct vssd_fdp *fdp = request->ctrl->subsystem->fdp;
	uint16_t status = check_group(request);

	if (status)
		return status;
	request->result = FDPE;
	if (select != NVME_SEL_DEFAULT)
		request->result = (fdp->enabled ? FDPE : 0) | (uint32_t)fdp->configuration << FDPCIDX_SHIFT;
	return NVME_SC_SUCCESS;
}

/* ---- 1Eh ---- */

/* Find the reclaim unit handle of the placement handle that the command names. Returns a status. */
static uint16_t find_handle(struct vssd_request *request, uint8_t *ruh)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint16_t handle = (uint16_t)request->cmd.cdw11;

	if (!request->ns)
		return vssd_refuse_nsid(request, VSSD_BASE("5.1.25.1.21"));
	if (!vssd_fdp_places(subsystem))
		return vssd_refuse(request, NVME_SC_FDP_DISABLED,
				   VSSD_STATE("Flexible Data Placement is disabled in the endurance group"),
				   VSSD_BASE("5.1.25.1.21"));
	if (handle >= subsystem->fdp->ns[request->ns->nsid - 1].count)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 15, 0, "PHNDL"),
				   VSSD_BASE("5.1.25.1.21"));
	*ruh = subsystem->fdp->ns[request->ns->nsid - 1].ruh[handle];
	return NVME_SC_SUCCESS;
}

uint16_t vssd_fdp_events_set(struct vssd_request *request)
{
	uint32_t count = request->cmd.cdw11 >> 16 & 0xff;
	uint8_t types[MOST_TYPES], ruh = 0, bits = 0, *reported;
	uint16_t status = find_handle(request, &ruh);

	if (!status && count)
		status = vssd_data_receive(request, types, count);
	for (uint32_t i = 0; i < count && !status; i++) {
		unsigned index = vssd_fdp_type_index(types[i]);

		bits |= (uint8_t)(1u << index);
		if (index == VSSD_FDP_TYPES)
			status = vssd_refuse(request, NVME_SC_INVALID_FIELD,
					     VSSD_STATE("the drive does not report an event type of the data"),
					     VSSD_BASE("5.1.25.1.21"));
	}
	if (status || request->is_trial)
		return status;
	reported = &request->ctrl->subsystem->fdp->reported[ruh];
	*reported = (uint8_t)(request->cmd.cdw12 & FDPEE ? *reported | bits : *reported & ~bits);
	return NVME_SC_SUCCESS;
}

/* Describe the event types that the drive reports, as many as the command wants. They are disabled by default. */
uint16_t vssd_fdp_events_get(struct vssd_request *request, enum nvme_feature_select select)
{
	struct nvme_fdp_event_support types[VSSD_FDP_TYPES] = {{0}};
	uint32_t wanted = request->cmd.cdw11 >> 16 & 0xff, count = wanted < VSSD_FDP_TYPES ? wanted : VSSD_FDP_TYPES;
	uint8_t ruh = 0, reported;
	uint16_t status = find_handle(request, &ruh);

	if (status)
		return status;
	reported = select == NVME_SEL_DEFAULT ? 0 : request->ctrl->subsystem->fdp->reported[ruh];
	for (unsigned i = 0; i < count; i++)
		types[i] = (struct nvme_fdp_event_support){.evt = vssd_fdp_type(i), .evta = reported >> i & 1};
	request->result = count;
	return count ? vssd_data_send(request, types, count * (uint32_t)sizeof(types[0])) : NVME_SC_SUCCESS;
}
