/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/zones.h"

#include <string.h>

#include "vssd/cmd/refuse.h"

#define NO_LIMIT UINT32_MAX

struct vssd_zones *vssd_zones_of_request(const struct vssd_request *request)
{
	return vssd_zones_of(request->ctrl->subsystem, request->ns);
}

/* Fail a command, because of the state of a zone. */
uint16_t vssd_zone_refuse(struct vssd_request *request, uint16_t status, const struct vssd_zone *zone,
			  const char *what)
{
	return vssd_fail_at(request, status, zone->start, what, VSSD_ZNS("2.1.1"));
}

/* Name the reason of a failed transition. */
uint16_t vssd_zone_explain(struct vssd_request *request, uint16_t status, const struct vssd_zone *zone)
{
	switch (status) {
	case NVME_SC_SUCCESS:
		return status;
	case NVME_SC_TOO_MANY_ACTIVE_ZONES:
		return vssd_zone_refuse(request, status, zone, "as many zones are active as the drive allows");
	case NVME_SC_TOO_MANY_OPEN_ZONES:
		return vssd_zone_refuse(request, status, zone, "as many zones are open as the drive allows");
	case NVME_SC_INVALID_ZONE_STATE_TRANSITION:
		return vssd_zone_refuse(request, status, zone, "the state of the zone does not allow this action");
	default:
		return vssd_zone_refuse(request, status, zone, "the state of the zone cannot be stored");
	}
}

/* ---- reads ---- */

uint16_t vssd_zones_check_read(struct vssd_request *request, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb)
{
	bool across = request->ctrl->options->zones.read_across;
	struct vssd_zones *zones;
	uint64_t end = slba + nlb;

	if (!vssd_is_zoned(ns))
		return NVME_SC_SUCCESS;
	zones = vssd_zones_of(request->ctrl->subsystem, ns);
	for (uint64_t lba = slba; lba < end; lba = vssd_zone_at(zones, lba)->start + zones->size) {
		const struct vssd_zone *zone = vssd_zone_at(zones, lba);

		if (zone->state == NVME_ZONE_STATE_OFFLINE)
			return vssd_zone_refuse(request, NVME_SC_ZONE_IS_OFFLINE, zone, "the zone is offline");
		if (!across && end > zone->start + zones->size)
			return vssd_zone_refuse(request, NVME_SC_ZONE_BOUNDARY_ERROR, zone,
						"a read crosses the end of a zone");
	}
	return NVME_SC_SUCCESS;
}

/* ---- writes ---- */

uint16_t vssd_zone_check_state(struct vssd_request *request, const struct vssd_zone *zone)
{
	switch (zone->state) {
	case NVME_ZONE_STATE_FULL:
		return vssd_zone_refuse(request, NVME_SC_ZONE_IS_FULL, zone, "the zone is full");
	case NVME_ZONE_STATE_READ_ONLY:
		return vssd_zone_refuse(request, NVME_SC_ZONE_IS_READ_ONLY, zone, "the zone is read-only");
	case NVME_ZONE_STATE_OFFLINE:
		return vssd_zone_refuse(request, NVME_SC_ZONE_IS_OFFLINE, zone, "the zone is offline");
	default:
		return NVME_SC_SUCCESS;
	}
}

uint64_t vssd_zrwa_size(const struct vssd_request *request)
{
	return request->ctrl->options->zones.zrwa_size >> request->ns->lba_shift;
}

uint64_t vssd_zrwa_granularity(const struct vssd_request *request)
{
	return request->ctrl->options->zones.zrwa_granularity >> request->ns->lba_shift;
}

/* Whether a write may start at this LBA: at the write pointer, or within the random write area and the region behind
 * it, into which the area moves on. */
static bool is_writable(const struct vssd_request *request, const struct vssd_zone *zone, uint64_t slba, uint64_t nlb)
{
	if (!(zone->attributes & VSSD_ZONE_ZRWA))
		return slba == zone->wp ||
		       (vssd_zones_faulty(request->ctrl->subsystem, VSSD_FAULT_ZONE_GAP) && slba > zone->wp);
	return slba >= zone->wp && slba + nlb <= zone->wp + 2 * vssd_zrwa_size(request);
}

uint16_t vssd_zones_check_write(struct vssd_request *request, uint64_t slba, uint64_t nlb)
{
	bool past_end = vssd_zones_faulty(request->ctrl->subsystem, VSSD_FAULT_ZONE_CAPACITY);
	struct vssd_zones *zones;
	struct vssd_zone *zone;
	uint16_t status;

	if (!vssd_is_zoned(request->ns))
		return NVME_SC_SUCCESS;
	zones = vssd_zones_of_request(request);
	zone = vssd_zone_at(zones, slba);
	status = vssd_zone_check_state(request, zone);
	if (status)
		return status;
	if (!is_writable(request, zone, slba, nlb))
		return vssd_zone_refuse(request, NVME_SC_ZONE_INVALID_WRITE, zone,
					"the write is not at the write pointer");
	if (slba + nlb > (past_end ? zone->start + zones->size : vssd_zone_end(zone)))
		return vssd_zone_refuse(request, NVME_SC_ZONE_BOUNDARY_ERROR, zone,
					"the write reaches past the end of the zone");
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	return vssd_zone_explain(request, vssd_zone_open(request->ctrl->subsystem, zones, zone, false), zone);
}

/* Where the write pointer is after a write to a random write area: the area moves on in whole units, so far that its
 * end is not before the end of the write. */
static uint64_t moved(const struct vssd_request *request, const struct vssd_zone *zone, uint64_t end)
{
	uint64_t unit = vssd_zrwa_granularity(request), limit = zone->wp + vssd_zrwa_size(request), wp;

	if (end == vssd_zone_end(zone) && limit >= end)
		limit = end;
	if (end <= limit)
		return zone->wp;
	wp = zone->wp + (end - limit + unit - 1) / unit * unit;
	return wp < vssd_zone_end(zone) ? wp : vssd_zone_end(zone);
}

void vssd_zones_written(struct vssd_request *request, uint64_t slba, uint64_t nlb)
{
	struct vssd_zones *zones;
	struct vssd_zone *zone;
	uint64_t wp = slba + nlb;

	if (!vssd_is_zoned(request->ns))
		return;
	zones = vssd_zones_of_request(request);
	zone = vssd_zone_at(zones, slba);
	if (zone->attributes & VSSD_ZONE_ZRWA)
		wp = moved(request, zone, wp);
	if (wp != zone->wp)
		vssd_zone_advance(request->ctrl->subsystem, zones, zone, wp);
}

void vssd_zones_commit(struct vssd_request *request, uint64_t slba)
{
	struct vssd_zones *zones;
	struct vssd_zone *zone;

	if (!vssd_is_zoned(request->ns))
		return;
	zones = vssd_zones_of_request(request);
	zone = vssd_zone_at(zones, slba);
	vssd_zone_commit(request->ctrl->subsystem, zones, zone, zone->wp);
}

/* ---- fault rules ---- */

void vssd_zones_fault(const struct vssd_request *request, enum vssd_fault_zone fault)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint64_t slba = vssd_slba(&request->cmd);

	if (fault > VSSD_FAULT_ZONE_OFFLINE)
		subsystem->zoned.faults |= 1u << fault;
	else if (request->sq->qid != 0 && request->ns && vssd_is_zoned(request->ns) &&
		 vssd_range_fits(request->ns, slba, 1))
		vssd_zone_fail(subsystem, vssd_zones_of_request(request),
			       vssd_zone_at(vssd_zones_of_request(request), slba), fault == VSSD_FAULT_ZONE_OFFLINE);
}

/* ---- Identify, log page BFh ---- */

void vssd_zones_identify_formats(const struct vssd_ctrl *ctrl, struct nvme_id_ns_zns *id)
{
	for (uint8_t lbaf = 0; lbaf <= vssd_nlbaf(ctrl->options); lbaf++) {
		id->lbafe[lbaf].zsze = ctrl->options->zones.size >> vssd_lbaf_shift(ctrl->subsystem, lbaf);
		id->lbafe[lbaf].zdes = (uint8_t)ctrl->options->zones.extension;
	}
}

void vssd_zones_identify(const struct vssd_ctrl *ctrl, uint8_t lba_shift, const struct vssd_zone_limits *limits,
			 struct nvme_id_ns_zns *id)
{
	const struct vssd_zone_options *options = &ctrl->options->zones;

	id->zoc = options->variable ? NVME_ZOC_VARIABLE_CAPACITY : 0;
	id->ozcs =
		(uint16_t)((options->read_across ? NVME_OZCS_READ_ACROSS : 0) | (limits->zrwas ? NVME_OZCS_ZRWA : 0));
	id->mar = limits->active ? limits->active - 1 : NO_LIMIT;
	id->mor = limits->open ? limits->open - 1 : NO_LIMIT;
	if (limits->zrwas) {
		id->numzrwa = limits->zrwas - 1;
		id->zrwafg = (uint16_t)(options->zrwa_granularity >> lba_shift);
		id->zrwasz = (uint16_t)(options->zrwa_size >> lba_shift);
		id->zrwacap = NVME_ZRWACAP_EXPLICIT_FLUSH;
	}
	vssd_zones_identify_formats(ctrl, id);
}

void vssd_zones_identify_controller(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl_zns *id)
{
	id->zasl = (uint8_t)ctrl->options->zones.zasl;
}

void vssd_zones_changed(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, struct nvme_changed_zones_log *log)
{
	const struct vssd_zones *zones = vssd_zones_of(ctrl->subsystem, ns);

	if (!zones)
		return;
	log->nrzid = zones->num_changed > VSSD_CHANGED_ZONES ? UINT16_MAX : (uint16_t)zones->num_changed;
	if (zones->num_changed <= VSSD_CHANGED_ZONES)
		memcpy(log->zslba, zones->changed, zones->num_changed * sizeof(zones->changed[0]));
}

void vssd_zones_forget_changed(const struct vssd_ctrl *ctrl, uint32_t nsid)
{
	const struct vssd_ns *ns = vssd_ns_find(ctrl, nsid);
	struct vssd_zones *zones = ns ? vssd_zones_of(ctrl->subsystem, ns) : NULL;

	if (zones)
		zones->num_changed = 0;
}
