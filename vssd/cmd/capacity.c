/* SPDX-License-Identifier: BSD-3-Clause */
/* Capacity Management. NVM Express Base Specification 2.1, sections 5.1.3 and 8.1.4. */
#include "spec/nvme_data.h"
#include "vssd/cmd/admin.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define ELID VSSD_FIELD(NVME_FIELD_CAPACITY_MANAGEMENT_ELID, "ELID")
#define CAP VSSD_FIELD(NVME_FIELD_CAPACITY_MANAGEMENT_CAP, "CAPL and CAPU")

static uint16_t elid_of(const struct vssd_request *request)
{
	return (uint16_t)nvme_get_field(&request->cmd, NVME_FIELD_CAPACITY_MANAGEMENT_ELID);
}

static uint16_t refuse_elid(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, ELID, VSSD_OWN);
}

/* ---- creation ---- */

/* The capacity that the command asks for, in blocks: whole granules. 0: more than any drive has. */
static uint64_t blocks_of(const struct vssd_request *request)
{
	uint64_t bytes = nvme_get_field(&request->cmd, NVME_FIELD_CAPACITY_MANAGEMENT_CAP);
	uint64_t unit = vssd_ns_granule(request->ctrl->subsystem);
	uint64_t blocks = bytes / VSSD_BLOCK_SIZE + (bytes % VSSD_BLOCK_SIZE != 0);

	return (blocks / unit + (blocks % unit != 0)) * unit;
}

/* Check that there are so many blocks: rounded to granules, or all that is left. The error log gets how many bytes
 * are required. */
static uint16_t check_room(struct vssd_request *request, uint64_t room, uint64_t *blocks)
{
	uint64_t bytes = nvme_get_field(&request->cmd, NVME_FIELD_CAPACITY_MANAGEMENT_CAP);

	*blocks = blocks_of(request);
	if (bytes == 0)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, CAP, VSSD_OWN);
	if (*blocks > room && bytes <= room << VSSD_BLOCK_SHIFT)
		*blocks = room;
	if (*blocks <= room)
		return NVME_SC_SUCCESS;
	request->failure.information = bytes;
	return vssd_refuse(request, NVME_SC_INSUFFICIENT_CAPACITY, CAP, VSSD_OWN);
}

static uint16_t refuse_for_lack(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_ID_UNAVAILABLE,
			   VSSD_STATE("all identifiers of endurance groups or of NVM sets are in use"), VSSD_OWN);
}

/* Whether a group or a set of this kind can still be created. */
static bool has_endgid(const struct vssd_subsystem *subsystem)
{
	for (uint16_t endgid = 1; endgid <= VSSD_MAX_GROUPS; endgid++)
		if (!vssd_group(subsystem, endgid))
			return true;
	return false;
}

static bool has_setid(const struct vssd_subsystem *subsystem)
{
	for (uint16_t setid = 1; setid <= VSSD_MAX_SETS; setid++)
		if (!vssd_set(subsystem, setid))
			return true;
	return false;
}

/* ELID is the domain, and there is one, which is 0. */
static uint16_t create_group(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint64_t blocks;
	uint16_t status;

	if (elid_of(request))
		return refuse_elid(request);
	if (!has_endgid(subsystem))
		return refuse_for_lack(request);
	status = check_room(request, vssd_division_room(subsystem), &blocks);
	if (!status && !request->is_trial)
		request->result = vssd_group_create(subsystem, blocks);
	return status;
}

/* The group of a new set: that of the command, or the one with most room. 0: there is none. */
static uint16_t group_for_set(const struct vssd_request *request)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint16_t elid = elid_of(request), best = 0;

	if (elid)
		return vssd_group(subsystem, elid) ? elid : 0;
	for (uint16_t endgid = 1; endgid <= VSSD_MAX_GROUPS; endgid++)
		if (vssd_group(subsystem, endgid) &&
		    (!best || vssd_group_room(subsystem, endgid) > vssd_group_room(subsystem, best)))
			best = endgid;
	return best;
}

static uint16_t create_set(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint16_t endgid = group_for_set(request), status;
	uint64_t blocks;

	if (!endgid)
		return refuse_elid(request);
	if (!has_setid(subsystem))
		return refuse_for_lack(request);
	status = check_room(request, vssd_group_room(subsystem, endgid), &blocks);
	if (!status && !request->is_trial)
		request->result = vssd_set_create(subsystem, endgid, blocks);
	return status;
}

/* ---- deletion ---- */

/* The namespaces in a group or a set, a bit for each by NSID - 1; both 0: all. */
static uint32_t nsids_in(const struct vssd_subsystem *subsystem, uint16_t endgid, uint16_t setid)
{
	uint32_t nsids = 0;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		const struct vssd_ns *ns = &subsystem->ns[i];

		if (ns->nsid && (!endgid || ns->endgid == endgid) && (!setid || ns->setid == setid))
			nsids |= 1u << i;
	}
	return nsids;
}

static uint16_t delete_group(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint16_t endgid = elid_of(request), status;

	if (!vssd_group(subsystem, endgid))
		return refuse_elid(request);
	status = vssd_ns_delete_these(request, nsids_in(subsystem, endgid, 0));
	if (!status && !request->is_trial)
		vssd_group_delete(subsystem, endgid);
	return status;
}

static uint16_t delete_set(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint16_t setid = elid_of(request), status;

	if (!vssd_set(subsystem, setid))
		return refuse_elid(request);
	status = vssd_ns_delete_these(request, nsids_in(subsystem, 0, setid));
	if (!status && !request->is_trial)
		vssd_set_delete(subsystem, setid);
	return status;
}

/* ---- configurations ---- */

static uint16_t select_configuration(struct vssd_request *request)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint16_t ccid = elid_of(request), selected = subsystem->annex->division.selected, status;

	if (ccid > VSSD_CONFIGURATIONS)
		return refuse_elid(request);
	if (ccid == selected)
		return NVME_SC_SUCCESS;
	if (ccid && selected)
		return vssd_refuse(request, NVME_SC_COMMAND_SEQUENCE_ERROR,
				   VSSD_STATE("another capacity configuration is selected"), VSSD_OWN);
	status = vssd_ns_delete_these(request, nsids_in(subsystem, 0, 0));
	if (!status && !request->is_trial)
		vssd_configuration_select(subsystem, ccid);
	return status;
}

uint16_t vssd_capacity_management(struct vssd_request *request)
{
	static uint16_t (*const operations[])(struct vssd_request *) = {
		[NVME_CAPACITY_CREATE_ENDURANCE_GROUP] = create_group,
		[NVME_CAPACITY_DELETE_ENDURANCE_GROUP] = delete_group,
		[NVME_CAPACITY_CREATE_NVM_SET] = create_set,
		[NVME_CAPACITY_DELETE_NVM_SET] = delete_set,
	};
	uint64_t oper = nvme_get_field(&request->cmd, NVME_FIELD_CAPACITY_MANAGEMENT_OPER);
	bool is_of_set = oper == NVME_CAPACITY_CREATE_NVM_SET || oper == NVME_CAPACITY_DELETE_NVM_SET;
	bool is_fixed = request->ctrl->options->division.management == VSSD_CAPACITY_FIXED;

	if (is_fixed && oper == NVME_CAPACITY_SELECT_CONFIGURATION)
		return select_configuration(request);
	if (is_fixed || oper == NVME_CAPACITY_SELECT_CONFIGURATION ||
	    oper >= sizeof(operations) / sizeof(operations[0]) ||
	    (is_of_set && !vssd_has_sets(request->ctrl->subsystem)))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_CAPACITY_MANAGEMENT_OPER, "OPER"), VSSD_OWN);
	return operations[oper](request);
}
