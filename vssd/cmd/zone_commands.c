/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands that only zoned namespaces have. Zoned Namespace Command Set Specification 1.2, section 3.4. */
#include <string.h>

#include "spec/nvme_data.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/table.h"
#include "vssd/cmd/zones.h"

#define SEQUENTIAL 2u /* zone type: sequential write required */

/* ---- Zone Append ---- */

/* Type 1 demands the reference tags of LBAs that the host cannot know, and type 3 lets nobody change them. */
static bool remap_fits(const struct vssd_request *request)
{
	bool remaps = nvme_get_field(&request->cmd, NVME_FIELD_ZONE_APPEND_PIREMAP);

	return request->ns->pi == 1 ? remaps : request->ns->pi != 3 || !remaps;
}

static uint16_t check_append(struct vssd_request *request, uint64_t nlb)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t most = ctrl->options->zones.zasl ? UINT64_C(4096) << ctrl->options->zones.zasl : UINT64_MAX;
	uint64_t zslba = vssd_slba(&request->cmd);
	const struct vssd_zone *zone;

	if (!vssd_range_fits(request->ns, zslba, 1))
		return vssd_refuse(request, NVME_SC_LBA_OUT_OF_RANGE,
				   VSSD_FIELD(NVME_FIELD_ZONE_APPEND_ZSLBA, "ZSLBA"), VSSD_OWN);
	zone = vssd_zone_at(vssd_zones_of_request(request), zslba);
	if (zslba != zone->start)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_APPEND_ZSLBA, "ZSLBA, inside a zone"), VSSD_OWN);
	if (nlb * vssd_ns_lba_bytes(request->ns) > most)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_APPEND_NLB, "NLB, above ZASL"), VSSD_OWN);
	if (!remap_fits(request))
		return vssd_refuse(request, NVME_SC_INVALID_PROTECTION_INFO,
				   VSSD_FIELD(NVME_FIELD_ZONE_APPEND_PIREMAP, "PIREMAP"), VSSD_OWN);
	if (zone->attributes & VSSD_ZONE_ZRWA)
		return vssd_zone_refuse(request, NVME_SC_ZRWA_INVALID_ZONE_OPERATION, zone,
					"an append to a zone with a random write area");
	return vssd_zone_check_state(request, zone);
}

/* Append: a write at the write pointer, which the completion reports. */
static uint16_t io_append(struct vssd_request *request)
{
	uint64_t nlb = vssd_nlb(&request->cmd), zslba = vssd_slba(&request->cmd);
	uint16_t status = check_append(request, nlb);
	const struct vssd_zone *zone;
	uint64_t wp;

	if (status)
		return status;
	zone = vssd_zone_at(vssd_zones_of_request(request), zslba);
	wp = zone->wp;
	if (wp + nlb > vssd_zone_end(zone))
		return vssd_zone_refuse(request, NVME_SC_ZONE_BOUNDARY_ERROR, zone,
					"the append does not fit into the zone");
	vssd_set_range(&request->cmd, wp, nlb);
	request->appended = wp - zslba;
	status = vssd_nvm_commands[NVME_IO_WRITE].execute(request);
	vssd_set_range(&request->cmd, zslba, nlb);
	if (!status)
		request->result = wp;
	return status;
}

/* ---- Zone Management Send ---- */

/* The zones that an action changes if all are selected: a bit for each state. */
#define STATE(state) (1u << NVME_ZONE_STATE_##state)
#define ACTIVE (STATE(IMPLICITLY_OPENED) | STATE(EXPLICITLY_OPENED) | STATE(CLOSED))

static uint16_t open_zone(struct vssd_request *request, struct vssd_zones *zones, struct vssd_zone *zone)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint32_t zrwas = zones->limits.zrwas;
	bool zrwa = nvme_get_field(&request->cmd, NVME_FIELD_ZONE_MGMT_SEND_ZSASO);
	bool is_new = zrwa && !(zone->attributes & VSSD_ZONE_ZRWA);
	uint16_t status;

	if (zrwa && !zrwas)
		return vssd_refuse(request, NVME_SC_ZRWA_INVALID_ZONE_OPERATION,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_SEND_ZSASO, "ZRWAA"), VSSD_OWN);
	if (is_new && (zones->zrwas >= zrwas || (zone->wp - zone->start) % vssd_zrwa_granularity(request)))
		return vssd_zone_refuse(
			request, NVME_SC_ZRWA_RESOURCES_UNAVAILABLE, zone,
			"no random write area is left, or the write pointer is not at a multiple of ZRWAFG");
	status = vssd_zone_open(subsystem, zones, zone, true);
	if (!status && is_new)
		status = vssd_zone_take_zrwa(subsystem, zones, zone);
	return vssd_zone_explain(request, status, zone);
}

static uint16_t close_zone(struct vssd_request *request, struct vssd_zones *zones, struct vssd_zone *zone)
{
	return vssd_zone_explain(request, vssd_zone_close(request->ctrl->subsystem, zones, zone), zone);
}

static uint16_t finish_zone(struct vssd_request *request, struct vssd_zones *zones, struct vssd_zone *zone)
{
	return vssd_zone_explain(request, vssd_zone_finish(request->ctrl->subsystem, zones, zone), zone);
}

static uint16_t reset_zone(struct vssd_request *request, struct vssd_zones *zones, struct vssd_zone *zone)
{
	uint16_t status = vssd_zone_reset(request->ctrl->subsystem, zones, zone);

	if (!status && request->ctrl->features.migration.log)
		vssd_migration_changed(request->ctrl, request->ns, zone->start, zones->size, true);
	return vssd_zone_explain(request, status, zone);
}

static uint16_t offline_zone(struct vssd_request *request, struct vssd_zones *zones, struct vssd_zone *zone)
{
	return vssd_zone_explain(request, vssd_zone_offline(request->ctrl->subsystem, zones, zone), zone);
}

static uint16_t set_extension(struct vssd_request *request, struct vssd_zones *zones, struct vssd_zone *zone)
{
	uint32_t size = request->ctrl->options->zones.extension * VSSD_ZONE_ALIGN;
	uint8_t extension[VSSD_ZONE_EXTENSION_MAX];
	uint16_t status;

	if (size == 0)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_SEND_ZSA, "ZSA: there are no extensions"),
				   VSSD_OWN);
	status = vssd_data_receive(request, extension, size);
	if (status)
		return status;
	return vssd_zone_explain(request, vssd_zone_set_extension(request->ctrl->subsystem, zones, zone, extension),
				 zone);
}

/* Commit a random write area up to SLBA, which is included. */
static uint16_t flush_area(struct vssd_request *request, struct vssd_zones *zones, struct vssd_zone *zone)
{
	uint64_t end = vssd_slba(&request->cmd) + 1, most = zone->wp + vssd_zrwa_size(request);
	uint16_t status;

	if (!zones->limits.zrwas)
		return vssd_refuse(request, NVME_SC_ZRWA_INVALID_ZONE_OPERATION,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_SEND_ZSA, "ZSA: there are no random write areas"),
				   VSSD_OWN);
	if (!(zone->attributes & VSSD_ZONE_ZRWA))
		return vssd_refuse(
			request, NVME_SC_INVALID_FIELD,
			VSSD_FIELD(NVME_FIELD_ZONE_MGMT_SEND_ZSA, "ZSA: the zone has no random write area"),
			VSSD_OWN);
	if (end <= zone->wp || end > most || end > vssd_zone_end(zone))
		return vssd_zone_refuse(request, NVME_SC_ZONE_BOUNDARY_ERROR, zone,
					"SLBA is outside of the random write area");
	if ((end - zone->wp) % vssd_zrwa_granularity(request))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_SEND_SLBA, "SLBA, not a multiple of ZRWAFG"),
				   VSSD_OWN);
	status = vssd_zone_explain(request, vssd_zone_open(request->ctrl->subsystem, zones, zone, false), zone);
	if (!status)
		vssd_zone_advance(request->ctrl->subsystem, zones, zone, end);
	return status;
}

static const struct action {
	uint16_t (*execute)(struct vssd_request *request, struct vssd_zones *zones, struct vssd_zone *zone);
	uint32_t selected; /* the states of the zones that Select All selects; 0: it cannot be used */
	bool any_lba;      /* SLBA need not be the first LBA of a zone */
} actions[256] = {
	[NVME_ZONE_CLOSE] = {close_zone, STATE(IMPLICITLY_OPENED) | STATE(EXPLICITLY_OPENED), false},
	[NVME_ZONE_FINISH] = {finish_zone, ACTIVE, false},
	[NVME_ZONE_OPEN] = {open_zone, STATE(CLOSED), false},
	[NVME_ZONE_RESET] = {reset_zone, ACTIVE | STATE(FULL), false},
	[NVME_ZONE_OFFLINE] = {offline_zone, STATE(READ_ONLY), false},
	[NVME_ZONE_SET_DESCRIPTOR_EXTENSION] = {set_extension, 0, false},
	[NVME_ZONE_FLUSH] = {flush_area, 0, true},
};

/* Check that all closed zones can be opened at once. */
static uint16_t check_all(struct vssd_request *request, struct vssd_zones *zones, const struct action *action)
{
	uint32_t closed = zones->active - zones->open;

	if (action->execute != open_zone)
		return NVME_SC_SUCCESS;
	return vssd_zone_explain(request, vssd_zones_make_room(request->ctrl->subsystem, zones, 0, closed),
				 &zones->zone[0]);
}

static uint16_t manage_all(struct vssd_request *request, const struct action *action)
{
	struct vssd_zones *zones = vssd_zones_of_request(request);
	uint16_t status;

	if (!action->selected)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_SEND_SELECTALL, "SELECTALL"), VSSD_OWN);
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	status = check_all(request, zones, action);
	for (uint32_t i = 0; i < zones->count && !status; i++)
		if (action->selected >> zones->zone[i].state & 1)
			status = action->execute(request, zones, &zones->zone[i]);
	return status;
}

static uint16_t manage_one(struct vssd_request *request, const struct action *action)
{
	struct vssd_zones *zones = vssd_zones_of_request(request);
	uint64_t slba = vssd_slba(&request->cmd);
	struct vssd_zone *zone;

	if (!vssd_range_fits(request->ns, slba, 1))
		return vssd_refuse(request, NVME_SC_LBA_OUT_OF_RANGE, VSSD_SLBA, VSSD_OWN);
	zone = vssd_zone_at(zones, slba);
	if (slba != zone->start && !action->any_lba)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_SEND_SLBA, "SLBA, inside a zone"), VSSD_OWN);
	return request->is_trial ? NVME_SC_SUCCESS : action->execute(request, zones, zone);
}

static uint16_t io_manage(struct vssd_request *request)
{
	const struct action *action = &actions[nvme_get_field(&request->cmd, NVME_FIELD_ZONE_MGMT_SEND_ZSA)];

	if (!action->execute)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_ZONE_MGMT_SEND_ZSA, "ZSA"),
				   VSSD_OWN);
	if (!request->is_trial)
		vssd_sanitize_written(request->ctrl->subsystem);
	if (nvme_get_field(&request->cmd, NVME_FIELD_ZONE_MGMT_SEND_SELECTALL))
		return manage_all(request, action);
	return manage_one(request, action);
}

/* ---- Zone Management Receive ---- */

/* The states that ZRASF selects. */
static const uint8_t states[] = {
	0,
	NVME_ZONE_STATE_EMPTY,
	NVME_ZONE_STATE_IMPLICITLY_OPENED,
	NVME_ZONE_STATE_EXPLICITLY_OPENED,
	NVME_ZONE_STATE_CLOSED,
	NVME_ZONE_STATE_FULL,
	NVME_ZONE_STATE_READ_ONLY,
	NVME_ZONE_STATE_OFFLINE,
};

/* The parameters of a report. */
struct query {
	struct vssd_zones *zones;
	uint32_t first;
	uint8_t state;      /* 0: all */
	uint32_t extension; /* bytes that follow each descriptor */
	uint64_t room;      /* zones */
	bool partial;
};

static bool is_selected(const struct query *query, const struct vssd_zone *zone)
{
	return !query->state || zone->state == query->state;
}

/* How many zones the header counts. */
static uint64_t count_zones(const struct query *query)
{
	uint64_t count = 0;

	for (uint32_t i = query->first; i < query->zones->count; i++)
		count += is_selected(query, &query->zones->zone[i]);
	return query->partial && count > query->room ? query->room : count;
}

static struct nvme_zone_descriptor descriptor_of(const struct vssd_zone *zone)
{
	bool has_wp = zone->state != NVME_ZONE_STATE_FULL && zone->state != NVME_ZONE_STATE_READ_ONLY &&
		      zone->state != NVME_ZONE_STATE_OFFLINE;

	return (struct nvme_zone_descriptor){
		.zt = SEQUENTIAL,
		.zs = (uint8_t)(zone->state << 4),
		.za = zone->attributes,
		.zcap = zone->capacity,
		.zslba = zone->start,
		.wp = has_wp ? zone->wp : UINT64_MAX,
	};
}

static uint16_t put_zone(struct vssd_request *request, struct vssd_cursor *cursor, const struct query *query,
			 const struct vssd_zone *zone)
{
	struct nvme_zone_descriptor descriptor = descriptor_of(zone);
	uint8_t extension[VSSD_ZONE_EXTENSION_MAX];
	uint16_t status = vssd_cursor_put(request, cursor, (const uint8_t *)&descriptor, sizeof(descriptor));

	if (status || !query->extension)
		return status;
	vssd_zone_extension(request->ctrl->subsystem, query->zones, zone, extension);
	return vssd_cursor_put(request, cursor, extension, query->extension);
}

static uint16_t put_zeros(struct vssd_request *request, struct vssd_cursor *cursor, uint64_t length)
{
	static const uint8_t zeros[VSSD_BLOCK_SIZE];
	uint16_t status = NVME_SC_SUCCESS;

	while (length > 0 && !status) {
		uint32_t piece = length < sizeof(zeros) ? (uint32_t)length : (uint32_t)sizeof(zeros);

		status = vssd_cursor_put(request, cursor, zeros, piece);
		length -= piece;
	}
	return status;
}

static uint16_t report(struct vssd_request *request, const struct query *query, uint64_t length)
{
	struct nvme_zone_report header = {.nz = count_zones(query)};
	uint16_t status = vssd_data_map(request, length, VSSD_DMA_WRITE);
	struct vssd_cursor cursor = {.segment = request->data.segments};
	uint64_t sent = 0;

	if (!status)
		status = vssd_cursor_put(request, &cursor, (const uint8_t *)&header, sizeof(header));
	for (uint32_t i = query->first; i < query->zones->count && sent < query->room && !status; i++)
		if (is_selected(query, &query->zones->zone[i])) {
			status = put_zone(request, &cursor, query, &query->zones->zone[i]);
			sent++;
		}
	if (status)
		return status;
	return put_zeros(request, &cursor,
			 length - sizeof(header) - sent * (sizeof(struct nvme_zone_descriptor) + query->extension));
}

static uint16_t check_receive(struct vssd_request *request, uint64_t length)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t zra = nvme_get_field(cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_ZRA);
	bool has_extension = request->ctrl->options->zones.extension;

	if (!vssd_range_fits(request->ns, vssd_slba(cmd), 1))
		return vssd_refuse(request, NVME_SC_LBA_OUT_OF_RANGE, VSSD_SLBA, VSSD_OWN);
	if (zra > NVME_ZONE_REPORT_EXTENDED || (zra == NVME_ZONE_REPORT_EXTENDED && !has_extension))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_RECEIVE_ZRA, "ZRA"), VSSD_OWN);
	if (nvme_get_field(cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_ZRASF) >= sizeof(states))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_RECEIVE_ZRASF, "ZRASF"), VSSD_OWN);
	if (length < sizeof(struct nvme_zone_report))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_RECEIVE_NUMD, "NUMD, below the header"), VSSD_OWN);
	if (length > request->ctrl->transfers.most)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_ZONE_MGMT_RECEIVE_NUMD, "NUMD, above MDTS"), VSSD_OWN);
	return NVME_SC_SUCCESS;
}

static uint16_t io_report(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t length = (nvme_get_field(cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_NUMD) + 1) * 4;
	uint16_t status = check_receive(request, length);
	struct query query = {.zones = vssd_zones_of_request(request)};

	if (status)
		return status;
	if (nvme_get_field(cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_ZRA) == NVME_ZONE_REPORT_EXTENDED)
		query.extension = request->ctrl->options->zones.extension * VSSD_ZONE_ALIGN;
	query.first = (uint32_t)(vssd_slba(cmd) / query.zones->size);
	query.state = states[nvme_get_field(cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_ZRASF)];
	query.partial = nvme_get_field(cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_PARTIAL);
	query.room =
		(length - sizeof(struct nvme_zone_report)) / (sizeof(struct nvme_zone_descriptor) + query.extension);
	return report(request, &query, length);
}

#define ON_NS (VSSD_NEEDS_NS | VSSD_NEEDS_MEDIA)

const struct vssd_command vssd_zns_commands[256] = {
	[NVME_IO_ZONE_MGMT_SEND] = {io_manage, ON_NS},
	[NVME_IO_ZONE_MGMT_RECEIVE] = {io_report, ON_NS},
	[NVME_IO_ZONE_APPEND] = {io_append, ON_NS},
};
