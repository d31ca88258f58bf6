/* SPDX-License-Identifier: BSD-3-Clause */
/* Features 12h and 18h: read recovery levels of NVM sets, and events of endurance groups. NVM Express Base
 * Specification 2.1, sections 5.1.25.1.11 and 5.1.25.1.16. */
#include "vssd/cmd/capacity.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define DEFAULT_LEVEL 4u
#define FAST_FAIL 15u
#define WARNINGS_SHIFT 16
#define KNOWN_WARNINGS 0xdu /* EGCW: bits 0, 2 and 3 */

/* ---- 12h ---- */

/* The set that the command names; 0 is the drive, if it has no sets. Returns a status. */
static uint16_t find_set(struct vssd_request *request, uint16_t *setid)
{
	bool has_sets = vssd_has_sets(request->ctrl->subsystem);

	*setid = has_sets ? (uint16_t)request->cmd.cdw11 : 0;
	if (!has_sets || vssd_set(request->ctrl->subsystem, *setid))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 15, 0, "NVMSETID"),
			   VSSD_BASE("5.1.25.1.11"));
}

/* The medium answers at once or not at all, so that a level changes nothing else. */
uint16_t vssd_recovery_set(struct vssd_request *request)
{
	uint32_t level = request->cmd.cdw12 & 0xf;
	uint16_t setid, status = find_set(request, &setid);

	if (status)
		return status;
	if (level != DEFAULT_LEVEL && level != FAST_FAIL)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(12, 3, 0, "RRL"),
				   VSSD_BASE("5.1.25.1.11"));
	if (!request->is_trial)
		request->ctrl->subsystem->annex->division.recovery[setid] = (uint8_t)(level + 1);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_recovery_get(struct vssd_request *request, enum nvme_feature_select select)
{
	uint16_t setid, status = find_set(request, &setid);
	uint8_t saved;

	if (status)
		return status;
	saved = request->ctrl->subsystem->annex->division.recovery[setid];
	request->result = saved && select != NVME_SEL_DEFAULT ? saved - 1u : DEFAULT_LEVEL;
	return NVME_SC_SUCCESS;
}

/* ---- 18h ---- */

static uint16_t find_group(struct vssd_request *request, uint16_t *endgid)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;

	*endgid = (uint16_t)request->cmd.cdw11;
	if (vssd_group(subsystem, *endgid) || (subsystem->fdp && *endgid == VSSD_ENDGID))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 15, 0, "ENDGID"), VSSD_BASE("5.1.25.1.16"));
}

uint16_t vssd_group_events_set(struct vssd_request *request)
{
	uint8_t warnings = (uint8_t)(request->cmd.cdw11 >> WARNINGS_SHIFT);
	uint16_t endgid, status = find_group(request, &endgid);

	if (status)
		return status;
	if (warnings & ~KNOWN_WARNINGS)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 23, 16, "EGCW"),
				   VSSD_BASE("5.1.25.1.16"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	request->ctrl->features.group_warnings[endgid - 1] = warnings;
	vssd_group_events_check(request->ctrl);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_group_events_get(struct vssd_request *request, enum nvme_feature_select select)
{
	uint16_t endgid, status = find_group(request, &endgid);
	uint32_t warnings;

	if (status)
		return status;
	warnings = select == NVME_SEL_DEFAULT ? 0 : request->ctrl->features.group_warnings[endgid - 1];
	request->result = endgid | warnings << WARNINGS_SHIFT;
	return NVME_SC_SUCCESS;
}
