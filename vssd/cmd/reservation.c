/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/reservation.h"

#include <string.h>

#include "spec/nvme_data.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/reservation.h"

#define CPTPL_RESERVED 1u
#define CPTPL_CLEAR 2u
#define CPTPL_SET 3u
#define NO_CTRL UINT16_MAX /* CNTLID of a registrant that has no controller now */
#define MASKABLE 0x0eu     /* bits of feature 82h */

enum register_action { REGISTER, UNREGISTER, REPLACE };      /* RREGA */
enum acquire_action { ACQUIRE, PREEMPT, PREEMPT_AND_ABORT }; /* RACQA */
enum release_action { RELEASE, CLEAR };                      /* RRELA */

/* What a command needs: the state, the host, and its registration, if it has one. */
struct party {
	struct vssd_reservation *reservation;
	struct vssd_host host;
	struct vssd_registrant *registrant;
	struct nvme_reservation_keys keys;
};

static uint16_t conflict(struct vssd_request *request, const char *what)
{
	return vssd_refuse(request, NVME_SC_RESERVATION_CONFLICT, VSSD_STATE(what), VSSD_BASE("8.1.22"));
}

/* Get the parties of a command with keys, of which it has length bytes. Returns a status. */
static uint16_t begin(struct vssd_request *request, struct party *party, uint32_t length)
{
	memset(party, 0, sizeof(*party));
	party->reservation = vssd_reservation_of(request->ctrl->subsystem, request->ns);
	vssd_reserved_host(request->ctrl, &party->host);
	party->registrant = vssd_registrant_find(party->reservation, &party->host);
	return length ? vssd_data_receive(request, &party->keys, length) : NVME_SC_SUCCESS;
}

/* Check that the host is a registrant with this key. */
static uint16_t check_key(struct vssd_request *request, const struct party *party, bool ignore)
{
	if (!party->registrant)
		return conflict(request, "the host is no registrant of the namespace");
	if (!ignore && party->registrant->key != party->keys.crkey)
		return conflict(request, "CRKEY in the data is not the key of the host");
	return NVME_SC_SUCCESS;
}

/* ---- register ---- */

static uint16_t add(struct vssd_request *request, struct party *party)
{
	if (party->registrant)
		return party->registrant->key == party->keys.key
			       ? NVME_SC_SUCCESS
			       : conflict(request, "the host is a registrant with another key");
	if (party->reservation->count == VSSD_REGISTRANTS)
		return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("there are 800 registrants, the most"),
				   VSSD_OWN);
	if (!request->is_trial)
		vssd_reservation_register(party->reservation, &party->host, party->keys.key);
	return NVME_SC_SUCCESS;
}

static uint16_t change(struct vssd_request *request, struct party *party, uint64_t action)
{
	bool ignore = nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_REGISTER_IEKEY);
	uint16_t status;

	if (action == REGISTER)
		return add(request, party);
	status = check_key(request, party, ignore);
	if (status || request->is_trial)
		return status;
	if (action == UNREGISTER)
		vssd_reservation_unregister(request->ctrl->subsystem, request->ns, party->registrant);
	else
		party->registrant->key = party->keys.key;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_reservation_register_cmd(struct vssd_request *request)
{
	uint64_t action = nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_REGISTER_RREGA);
	uint64_t cptpl = nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_REGISTER_CPTPL);
	struct party party;
	uint16_t status;

	if (action > REPLACE)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_REGISTER_RREGA, "RREGA"), VSSD_OWN);
	if (cptpl == CPTPL_RESERVED)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_REGISTER_CPTPL, "CPTPL"), VSSD_OWN);
	status = begin(request, &party, sizeof(party.keys));
	if (!status)
		status = change(request, &party, action);
	if (status || request->is_trial)
		return status;
	if (cptpl)
		party.reservation->ptpl = cptpl == CPTPL_SET;
	party.reservation->generation++;
	vssd_subsystem_notify(request->ctrl->subsystem, VSSD_NOTICE_REFUSALS);
	return NVME_SC_SUCCESS;
}

/* ---- acquire and release ---- */

static uint16_t acquire(struct vssd_request *request, struct party *party, uint8_t type)
{
	struct vssd_reservation *reservation = party->reservation;

	if (reservation->type && !vssd_registrant_holds(reservation, party->registrant))
		return conflict(request, "another host holds the reservation");
	if (reservation->type && reservation->type != type)
		return conflict(request, "the host holds a reservation of another type");
	if (request->is_trial || reservation->type)
		return NVME_SC_SUCCESS;
	vssd_reservation_acquire(reservation, party->registrant, type);
	vssd_subsystem_notify(request->ctrl->subsystem, VSSD_NOTICE_REFUSALS);
	return NVME_SC_SUCCESS;
}

static uint16_t preempt(struct vssd_request *request, const struct party *party, uint8_t type, bool aborts)
{
	const struct vssd_preemption preemption = {.key = party->keys.key, .type = type, .aborts = aborts};
	uint8_t held = party->reservation->type;
	bool all = held == NVME_RESERVATION_WRITE_EXCLUSIVE_ALL || held == NVME_RESERVATION_EXCLUSIVE_ACCESS_ALL;

	if (party->keys.key == 0 && !all)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_STATE("PRKEY in the data is 0, and not all registrants hold the reservation"),
				   VSSD_OWN);
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	if (vssd_reservation_preempt(request->ctrl->subsystem, request->ns, &party->host, &preemption))
		return NVME_SC_SUCCESS;
	return conflict(request, "no registrant has the key PRKEY in the data");
}

uint16_t vssd_reservation_acquire_cmd(struct vssd_request *request)
{
	uint64_t action = nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_ACQUIRE_RACQA);
	uint8_t type = (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_ACQUIRE_RTYPE);
	struct party party;
	uint16_t status;

	if (action > PREEMPT_AND_ABORT)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_ACQUIRE_RACQA, "RACQA"), VSSD_OWN);
	if (type == 0 || type > VSSD_RESERVATION_ALL_TYPES)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_ACQUIRE_RTYPE, "RTYPE"), VSSD_OWN);
	if (nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_ACQUIRE_IEKEY))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_ACQUIRE_IEKEY, "IEKEY"), VSSD_OWN);
	status = begin(request, &party, sizeof(party.keys));
	if (!status)
		status = check_key(request, &party, false);
	if (status)
		return status;
	if (action == ACQUIRE)
		return acquire(request, &party, type);
	return preempt(request, &party, type, action == PREEMPT_AND_ABORT);
}

static uint16_t release(struct vssd_request *request, const struct party *party)
{
	uint8_t type = (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_RELEASE_RTYPE);

	/* To release what nobody, or another host, holds is no error. */
	if (!vssd_registrant_holds(party->reservation, party->registrant))
		return NVME_SC_SUCCESS;
	if (party->reservation->type != type)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_RELEASE_RTYPE, "RTYPE"), VSSD_OWN);
	if (!request->is_trial)
		vssd_reservation_release(request->ctrl->subsystem, request->ns, &party->host);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_reservation_release_cmd(struct vssd_request *request)
{
	uint64_t action = nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_RELEASE_RRELA);
	struct party party;
	uint16_t status;

	if (action > CLEAR)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_RELEASE_RRELA, "RRELA"), VSSD_OWN);
	if (nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_RELEASE_IEKEY))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_RELEASE_IEKEY, "IEKEY"), VSSD_OWN);
	status = begin(request, &party, sizeof(party.keys.crkey));
	if (!status)
		status = check_key(request, &party, false);
	if (status)
		return status;
	if (action == RELEASE)
		return release(request, &party);
	if (!request->is_trial)
		vssd_reservation_clear(request->ctrl->subsystem, request->ns, &party.host);
	return NVME_SC_SUCCESS;
}

/* ---- report ---- */

/* A report that grows by a registered controller. */
struct report {
	uint8_t bytes[sizeof(struct nvme_reservation_status_ext) +
		      (VSSD_REGISTRANTS + VSSD_MAX_CONTROLLERS) * sizeof(struct nvme_registered_ctrl_ext)];
	uint32_t length;
	uint16_t count;
	bool extended;
};

static void report_ctrl(struct report *report, const struct vssd_registrant *registrant, bool holds, uint16_t cntlid)
{
	struct nvme_registered_ctrl_ext wide = {.cntlid = cntlid, .rcsts = holds, .rkey = registrant->key};
	struct nvme_registered_ctrl narrow = {.cntlid = cntlid, .rcsts = holds, .rkey = registrant->key};

	memcpy(wide.hostid, registrant->host.id, sizeof(wide.hostid));
	memcpy(narrow.hostid, registrant->host.id, sizeof(narrow.hostid));
	if (report->extended)
		memcpy(report->bytes + report->length, &wide, sizeof(wide));
	else
		memcpy(report->bytes + report->length, &narrow, sizeof(narrow));
	report->length += (uint32_t)(report->extended ? sizeof(wide) : sizeof(narrow));
	report->count++;
}

/* Add the controllers of a registrant, in the order of their CNTLIDs. */
static void report_registrant(const struct vssd_request *request, struct report *report,
			      const struct vssd_registrant *registrant, bool holds)
{
	uint16_t before = report->count;

	for (unsigned index = 0; index < VSSD_MAX_CONTROLLERS; index++)
		for (struct vssd_listener *one = request->ctrl->subsystem->listeners; one; one = one->next) {
			struct vssd_host host;

			one->ops->host(one, &host);
			if (one->index == index && request->ns->attached >> index & 1 &&
			    vssd_host_is(&host, &registrant->host))
				report_ctrl(report, registrant, holds, vssd_cntlid(one));
		}
	if (report->count == before)
		report_ctrl(report, registrant, holds, NO_CTRL);
}

/* Both forms begin with the same fields. */
static void fill_report(const struct vssd_request *request, const struct party *party, struct report *report)
{
	struct nvme_reservation_status *head = (struct nvme_reservation_status *)report->bytes;

	report->length = (uint32_t)(report->extended ? sizeof(struct nvme_reservation_status_ext) : sizeof(*head));
	for (uint32_t i = 0; i < party->reservation->count; i++) {
		const struct vssd_registrant *one = &party->reservation->registrants[i];

		report_registrant(request, report, one, vssd_registrant_holds(party->reservation, one));
	}
	head->gen = party->reservation->generation;
	head->rtype = party->reservation->type;
	head->regctl = report->count;
	head->ptpls = party->reservation->ptpl;
}

/* Send length bytes, with zeros past the end of the report. */
static uint16_t send(struct vssd_request *request, const struct report *report, uint64_t length)
{
	static const uint8_t zeros[4096];
	uint16_t status = vssd_data_map(request, length, VSSD_DMA_WRITE);
	struct vssd_cursor cursor = {.segment = request->data.segments};
	uint64_t at = 0;

	while (!status && at < length && !request->is_trial) {
		bool inside = at < report->length;
		uint64_t room = inside ? report->length - at : sizeof(zeros);
		uint32_t piece = (uint32_t)(length - at < room ? length - at : room);

		status = vssd_cursor_put(request, &cursor, inside ? report->bytes + at : zeros, piece);
		at += piece;
	}
	return status;
}

/* Hosts with identifiers of 128 bits use the extended form, others do not. */
static bool has_wrong_form(const struct party *party, bool extended)
{
	if (extended)
		return !party->host.is_wide && !party->host.is_alone;
	for (uint32_t i = 0; i < party->reservation->count; i++)
		if (party->reservation->registrants[i].host.is_wide)
			return true;
	return party->host.is_wide;
}

uint16_t vssd_reservation_report(struct vssd_request *request)
{
	uint64_t length = (nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_REPORT_NUMD) + 1) * 4;
	struct report report = {.extended = nvme_get_field(&request->cmd, NVME_FIELD_RESERVATION_REPORT_EDS)};
	struct party party;

	if (length > request->ctrl->transfers.most)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_REPORT_NUMD, "NUMD, above MDTS"), VSSD_OWN);
	begin(request, &party, 0);
	if (has_wrong_form(&party, report.extended))
		return vssd_refuse(request, NVME_SC_HOST_ID_INCONSISTENT,
				   VSSD_FIELD(NVME_FIELD_RESERVATION_REPORT_EDS, "EDS"), VSSD_OWN);
	fill_report(request, &party, &report);
	return send(request, &report, length);
}

/* ---- other commands ---- */

uint16_t vssd_reservation_check(struct vssd_request *request, const struct vssd_ns *ns, unsigned access)
{
	struct vssd_host host;

	if (!request->ctrl->options->optional.reservations)
		return NVME_SC_SUCCESS;
	vssd_reserved_host(request->ctrl, &host);
	if (!(vssd_reservation_forbids(request->ctrl->subsystem, ns, &host) & access))
		return NVME_SC_SUCCESS;
	return conflict(request, "a reservation of another host forbids the command");
}

/* Whether NSID names this namespace, which is attached. FFFFFFFFh names all of them. */
static bool is_named(const struct vssd_request *request, const struct vssd_ns *ns)
{
	return vssd_ns_is_active(request->ctrl, ns) &&
	       (request->cmd.nsid == NVME_NSID_ALL || request->cmd.nsid == ns->nsid);
}

uint16_t vssd_reservation_check_named(struct vssd_request *request, unsigned access)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint16_t status = NVME_SC_SUCCESS;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && !status; i++)
		if (is_named(request, &ctrl->ns[i]))
			status = vssd_reservation_check(request, &ctrl->ns[i], access);
	return status;
}

uint16_t vssd_reservation_check_all(struct vssd_request *request, unsigned access)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint16_t status = NVME_SC_SUCCESS;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && !status; i++)
		if (ctrl->ns[i].nsid)
			status = vssd_reservation_check(request, &ctrl->ns[i], access);
	return status;
}

/* How an I/O command accesses its namespace. NVM Command Set 1.1, 5.6; Key Value 1.1, 5.2; Zoned Namespace 1.1, 5.1.
 */
static unsigned access_of(const struct vssd_request *request)
{
	switch (request->cmd.opc) {
	case NVME_IO_READ: /* and Retrieve */
	case NVME_IO_COMPARE:
	case NVME_IO_VERIFY:
	case NVME_IO_ZONE_MGMT_RECEIVE:
		return VSSD_ACCESS_READ;
	case NVME_IO_FLUSH:
		return VSSD_ACCESS_WRITE;
	default:
		return vssd_io_known(request->csi, request->cmd.opc)->changes == SPEC_CHANGES_NONE
			       ? 0
			       : VSSD_ACCESS_WRITE;
	}
}

uint16_t vssd_reservation_check_io(struct vssd_request *request)
{
	if (request->ns)
		return vssd_reservation_check(request, request->ns, access_of(request));
	return vssd_reservation_check_named(request, access_of(request));
}

/* ---- features ---- */

uint16_t vssd_reservation_mask_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && !request->is_trial; i++)
		if (is_named(request, &ctrl->ns[i]))
			ctrl->features.reserved.mask[i] = request->cmd.cdw11 & MASKABLE;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_reservation_mask_get(struct vssd_request *request, enum nvme_feature_select select)
{
	if (!request->ns)
		return vssd_refuse_nsid(request, VSSD_BASE("5.1.25.1.29"));
	request->result =
		select == NVME_SEL_CURRENT ? request->ctrl->features.reserved.mask[request->ns->nsid - 1] : 0;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_reservation_persistence_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && !request->is_trial; i++)
		if (is_named(request, &ctrl->ns[i]))
			vssd_reservation_of(ctrl->subsystem, &ctrl->ns[i])->ptpl = request->cmd.cdw11 & 1;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_reservation_persistence_get(struct vssd_request *request, enum nvme_feature_select select)
{
	if (!request->ns)
		return vssd_refuse_nsid(request, VSSD_BASE("5.1.25.1.30"));
	request->result =
		select == NVME_SEL_CURRENT ? vssd_reservation_of(request->ctrl->subsystem, request->ns)->ptpl : 0;
	return NVME_SC_SUCCESS;
}
