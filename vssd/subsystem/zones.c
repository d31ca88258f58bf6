/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/zones.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vssd/subsystem/subsystem.h"
#include "vssd/subsystem/zone_records.h"

#define NO_ZONE UINT32_MAX
#define SHRINKS 4u       /* a variable capacity has so many values, */
#define SHRINK_SHARE 16u /* which differ by such a part of a zone */

static uint32_t index_of(const struct vssd_zones *zones, const struct vssd_zone *zone)
{
	return (uint32_t)(zone - zones->zone);
}

struct vssd_zones *vssd_zones_of(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	return subsystem->zoned.of[ns->nsid - 1];
}

bool vssd_zones_faulty(const struct vssd_subsystem *subsystem, enum vssd_fault_zone fault)
{
	return __builtin_expect(subsystem->zoned.faults >> fault & 1, 0);
}

/* ---- counting ---- */

static bool is_open(uint8_t state)
{
	return state == NVME_ZONE_STATE_IMPLICITLY_OPENED || state == NVME_ZONE_STATE_EXPLICITLY_OPENED;
}

static bool is_active(uint8_t state)
{
	return is_open(state) || state == NVME_ZONE_STATE_CLOSED;
}

/* Count a zone in its state, or no longer in it. by: 1 or UINT32_MAX. */
static void count(struct vssd_zones *zones, const struct vssd_zone *zone, uint32_t by)
{
	zones->open += is_open(zone->state) ? by : 0;
	zones->implicit += zone->state == NVME_ZONE_STATE_IMPLICITLY_OPENED ? by : 0;
	zones->active += is_active(zone->state) ? by : 0;
	zones->zrwas += zone->attributes & VSSD_ZONE_ZRWA ? by : 0;
}

/* Append a zone to the list of implicitly opened zones. */
static void append(struct vssd_zones *zones, struct vssd_zone *zone)
{
	uint32_t index = index_of(zones, zone);

	zone->older = zones->newest;
	zone->newer = NO_ZONE;
	if (zones->newest == NO_ZONE)
		zones->oldest = index;
	else
		zones->zone[zones->newest].newer = index;
	zones->newest = index;
}

static void take_out(struct vssd_zones *zones, struct vssd_zone *zone)
{
	if (zone->older == NO_ZONE)
		zones->oldest = zone->newer;
	else
		zones->zone[zone->older].newer = zone->newer;
	if (zone->newer == NO_ZONE)
		zones->newest = zone->older;
	else
		zones->zone[zone->newer].older = zone->older;
}

/* Set state and attributes of a zone. */
static void set_state(struct vssd_zones *zones, struct vssd_zone *zone, uint8_t state, uint8_t attributes)
{
	count(zones, zone, UINT32_MAX);
	if (zone->state == NVME_ZONE_STATE_IMPLICITLY_OPENED)
		take_out(zones, zone);
	zone->state = state;
	zone->attributes = attributes;
	if (state == NVME_ZONE_STATE_IMPLICITLY_OPENED)
		append(zones, zone);
	count(zones, zone, 1);
}

/* Set them and record the zone. Returns a status. */
static uint16_t settle(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone,
		       uint8_t state, uint8_t attributes)
{
	set_state(zones, zone, state, attributes);
	return vssd_zone_record(subsystem, zones, zone) ? NVME_SC_SUCCESS : NVME_SC_INTERNAL_ERROR;
}

/* ---- creation ---- */

static uint64_t zones_in(const struct vssd_options *options, uint64_t bytes)
{
	return bytes / options->zones.size;
}

uint64_t vssd_zones_usable(const struct vssd_options *options, uint64_t bytes)
{
	return zones_in(options, bytes) * options->zones.size;
}

/* The most zones of a namespace. One that the host creates may have all the capacity. */
static uint64_t most_zones(const struct vssd_options *options)
{
	return zones_in(options, options->optional.ns_management ? vssd_options_capacity(options) : options->size);
}

static uint64_t blocks_of_one(const struct vssd_options *options)
{
	uint64_t zones = most_zones(options);

	return vssd_zone_record_blocks(zones) + vssd_zone_extension_blocks(options, zones);
}

/* If the host creates namespaces, each NSID has room for records. Room that is not used takes no memory. */
uint64_t vssd_zones_blocks(const struct vssd_options *options)
{
	uint64_t namespaces = options->optional.ns_management ? VSSD_MAX_NAMESPACES : options->zones.namespaces;

	return options->zones.namespaces ? namespaces * blocks_of_one(options) : 0;
}

struct vssd_zone_limits vssd_zones_limits(const struct vssd_options *options)
{
	return (struct vssd_zone_limits){
		.active = options->zones.max_active,
		.open = options->zones.max_open,
		.zrwas = options->zones.zrwas,
	};
}

/* Lay the zones out by the LBA size. All are empty. */
static void lay_out(struct vssd_subsystem *subsystem, struct vssd_zones *zones)
{
	zones->size = subsystem->options.zones.size >> zones->ns->lba_shift;
	zones->open = zones->implicit = zones->active = zones->zrwas = 0;
	zones->oldest = zones->newest = NO_ZONE;
	for (uint32_t i = 0; i < zones->count; i++) {
		struct vssd_zone *zone = &zones->zone[i];

		zone->start = zone->wp = zone->durable = i * zones->size;
		zone->capacity = vssd_zone_capacity(subsystem, zones, zone);
		zone->state = NVME_ZONE_STATE_EMPTY;
		zone->attributes = 0;
	}
}

/* Make the last zones of a new namespace read-only and offline. */
static void spoil(struct vssd_subsystem *subsystem, struct vssd_zones *zones)
{
	const struct vssd_zone_options *options = &subsystem->options.zones;

	for (uint32_t i = 0; i < options->offline + options->read_only && i < zones->count; i++)
		settle(subsystem, zones, &zones->zone[zones->count - 1 - i],
		       i < options->offline ? NVME_ZONE_STATE_OFFLINE : NVME_ZONE_STATE_READ_ONLY, 0);
}

static struct vssd_zones *create(struct vssd_subsystem *subsystem, struct vssd_ns *ns, uint32_t place)
{
	const struct vssd_options *options = &subsystem->options;
	const struct vssd_zone_record *saved = &subsystem->annex->zones.of[ns->nsid - 1];
	uint64_t count = zones_in(options, ns->bytes);
	struct vssd_zones *zones = calloc(1, sizeof(*zones) + count * sizeof(zones->zone[0]));

	if (!zones)
		return NULL;
	zones->ns = ns;
	zones->limits = vssd_zones_limits(options);
	if (saved->is_set)
		zones->limits = (struct vssd_zone_limits){saved->active, saved->open, saved->zrwas};
	zones->count = (uint32_t)count;
	zones->records = subsystem->blocks + place * blocks_of_one(options);
	zones->extensions = zones->records + vssd_zone_record_blocks(most_zones(options));
	lay_out(subsystem, zones);
	return zones;
}

int vssd_zones_create(struct vssd_subsystem *subsystem, bool is_new, struct pyn_error *err)
{
	const struct vssd_options *options = &subsystem->options;
	uint32_t first = options->optional.ns_management ? 0 : options->namespaces - options->zones.namespaces;

	for (uint32_t i = first; options->zones.namespaces && i < VSSD_MAX_NAMESPACES; i++) {
		struct vssd_ns *ns = &subsystem->ns[i];

		if (!ns->nsid || ns->csi != NVME_CSI_ZNS)
			continue;
		subsystem->zoned.of[i] = create(subsystem, ns, i - first);
		if (!subsystem->zoned.of[i])
			return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the zones of a namespace");
		if (is_new)
			spoil(subsystem, subsystem->zoned.of[i]);
	}
	return 0;
}

bool vssd_zones_add(struct vssd_subsystem *subsystem, struct vssd_ns *ns, const struct vssd_zone_limits *limits)
{
	uint32_t place = ns->nsid - 1;

	subsystem->annex->zones.of[place] =
		(struct vssd_zone_record){limits->active, limits->open, limits->zrwas, .is_set = 1};
	subsystem->zoned.of[place] = create(subsystem, ns, place);
	if (!subsystem->zoned.of[place])
		return false;
	spoil(subsystem, subsystem->zoned.of[place]);
	return true;
}

void vssd_zones_drop(struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	struct vssd_zones **zones = &subsystem->zoned.of[ns->nsid - 1];

	for (uint32_t i = 0; *zones && i < (*zones)->count; i++) {
		struct vssd_zone *zone = &(*zones)->zone[i];

		zone->shrunk = 0;
		set_state(*zones, zone, NVME_ZONE_STATE_EMPTY, 0);
		vssd_zone_record(subsystem, *zones, zone);
	}
	subsystem->annex->zones.of[ns->nsid - 1] = (struct vssd_zone_record){0};
	free(*zones);
	*zones = NULL;
}

/* ---- resources ---- */

/* Close the implicitly opened zone that was opened first. */
static void close_oldest(struct vssd_subsystem *subsystem, struct vssd_zones *zones)
{
	uint32_t victim = zones->oldest;

	for (uint32_t i = 0; i < zones->count && vssd_zones_faulty(subsystem, VSSD_FAULT_ZONE_VICTIM); i++)
		if (zones->zone[i].state == NVME_ZONE_STATE_EXPLICITLY_OPENED) {
			victim = i;
			break;
		}
	vssd_zone_close(subsystem, zones, &zones->zone[victim]);
}

uint16_t vssd_zones_make_room(struct vssd_subsystem *subsystem, struct vssd_zones *zones, uint32_t active,
			      uint32_t open)
{
	const struct vssd_zone_limits *limits = &zones->limits;

	if (limits->active && zones->active + active > limits->active &&
	    !vssd_zones_faulty(subsystem, VSSD_FAULT_ZONE_ACTIVE_LIMIT))
		return NVME_SC_TOO_MANY_ACTIVE_ZONES;
	if (!limits->open || vssd_zones_faulty(subsystem, VSSD_FAULT_ZONE_OPEN_LIMIT))
		return NVME_SC_SUCCESS;
	if (zones->open - zones->implicit + open > limits->open)
		return NVME_SC_TOO_MANY_OPEN_ZONES;
	while (zones->open + open > limits->open)
		close_oldest(subsystem, zones);
	return NVME_SC_SUCCESS;
}

/* ---- transitions ---- */

uint16_t vssd_zone_open(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone,
			bool explicitly)
{
	uint8_t state = explicitly ? NVME_ZONE_STATE_EXPLICITLY_OPENED : NVME_ZONE_STATE_IMPLICITLY_OPENED;
	uint16_t status = NVME_SC_SUCCESS;

	if (is_open(zone->state)) {
		if (explicitly && zone->state != state)
			set_state(zones, zone, state, zone->attributes);
		return NVME_SC_SUCCESS;
	}
	if (zone->state != NVME_ZONE_STATE_EMPTY && zone->state != NVME_ZONE_STATE_CLOSED)
		return NVME_SC_INVALID_ZONE_STATE_TRANSITION;
	status = vssd_zones_make_room(subsystem, zones, zone->state == NVME_ZONE_STATE_EMPTY, 1);
	if (!status)
		set_state(zones, zone, state, zone->attributes);
	return status;
}

uint16_t vssd_zone_take_zrwa(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone)
{
	if (zone->attributes & VSSD_ZONE_ZRWA)
		return NVME_SC_SUCCESS;
	vssd_zone_commit(subsystem, zones, zone, zone->wp);
	return settle(subsystem, zones, zone, zone->state, zone->attributes | VSSD_ZONE_ZRWA);
}

uint16_t vssd_zone_close(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone)
{
	(void)subsystem;
	if (zone->state == NVME_ZONE_STATE_CLOSED)
		return NVME_SC_SUCCESS;
	if (!is_open(zone->state))
		return NVME_SC_INVALID_ZONE_STATE_TRANSITION;
	set_state(zones, zone, NVME_ZONE_STATE_CLOSED, zone->attributes);
	return NVME_SC_SUCCESS;
}

static uint64_t first_block(const struct vssd_zones *zones, const struct vssd_zone *zone)
{
	return zones->ns->first_block + (zone->start << zones->ns->lba_shift >> VSSD_BLOCK_SHIFT);
}

/* Lose the last block that was written. */
static void lose_end(struct vssd_subsystem *subsystem, const struct vssd_zones *zones, const struct vssd_zone *zone)
{
	uint64_t last = (zone->wp - 1 - zone->start) << zones->ns->lba_shift >> VSSD_BLOCK_SHIFT;

	if (!subsystem->null_store)
		vssd_store_erase(subsystem->store, first_block(zones, zone) + last, 1, VSSD_POOL_UNWRITTEN);
}

uint16_t vssd_zone_finish(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone)
{
	if (zone->state == NVME_ZONE_STATE_FULL)
		return NVME_SC_SUCCESS;
	if (zone->state != NVME_ZONE_STATE_EMPTY && !is_active(zone->state))
		return NVME_SC_INVALID_ZONE_STATE_TRANSITION;
	vssd_zone_commit(subsystem, zones, zone, vssd_zone_end(zone));
	if (vssd_zones_faulty(subsystem, VSSD_FAULT_ZONE_LOSE_END) && zone->wp > zone->start)
		lose_end(subsystem, zones, zone);
	return settle(subsystem, zones, zone, NVME_ZONE_STATE_FULL, zone->attributes & (uint8_t)~VSSD_ZONE_ZRWA);
}

/* Let a variable capacity shrink, and be whole again after some resets. */
static void vary(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones, struct vssd_zone *zone)
{
	const struct vssd_zone_options *options = &subsystem->options.zones;
	uint64_t unit = options->zrwas ? options->zrwa_granularity : VSSD_BLOCK_SIZE;
	uint64_t share = options->size / SHRINK_SHARE / unit * unit;
	uint64_t capacity = options->capacity ? options->capacity : options->size;

	if (!options->variable || share * SHRINKS >= capacity)
		return;
	share >>= VSSD_BLOCK_SHIFT;
	zone->shrunk = zone->shrunk >= share * (SHRINKS - 1) ? 0 : (uint32_t)(zone->shrunk + share);
	zone->capacity = vssd_zone_capacity(subsystem, zones, zone);
}

uint16_t vssd_zone_reset(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone)
{
	uint64_t blocks = zones->size << zones->ns->lba_shift >> VSSD_BLOCK_SHIFT;
	uint8_t kept = 0;

	if (zone->state == NVME_ZONE_STATE_EMPTY)
		return NVME_SC_SUCCESS;
	if (zone->state != NVME_ZONE_STATE_FULL && !is_active(zone->state))
		return NVME_SC_INVALID_ZONE_STATE_TRANSITION;
	if (!subsystem->null_store && !vssd_zones_faulty(subsystem, VSSD_FAULT_ZONE_OLD_DATA))
		vssd_store_erase(subsystem->store, first_block(zones, zone), blocks, VSSD_POOL_UNWRITTEN);
	zone->wp = zone->durable = zone->start;
	vary(subsystem, zones, zone);
	if (vssd_zones_faulty(subsystem, VSSD_FAULT_ZONE_EXTENSION))
		kept = zone->attributes & VSSD_ZONE_EXTENDED;
	return settle(subsystem, zones, zone, NVME_ZONE_STATE_EMPTY, kept);
}

uint16_t vssd_zone_offline(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone)
{
	if (zone->state == NVME_ZONE_STATE_OFFLINE)
		return NVME_SC_SUCCESS;
	if (zone->state != NVME_ZONE_STATE_READ_ONLY)
		return NVME_SC_INVALID_ZONE_STATE_TRANSITION;
	return settle(subsystem, zones, zone, NVME_ZONE_STATE_OFFLINE, 0);
}

uint16_t vssd_zone_set_extension(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone,
				 const uint8_t *extension)
{
	uint16_t status;

	if (zone->state != NVME_ZONE_STATE_EMPTY)
		return NVME_SC_INVALID_ZONE_STATE_TRANSITION;
	status = vssd_zones_make_room(subsystem, zones, 1, 0);
	if (status)
		return status;
	if (!vssd_zone_write_extension(subsystem, zones, zone, extension))
		return NVME_SC_INTERNAL_ERROR;
	return settle(subsystem, zones, zone, NVME_ZONE_STATE_CLOSED, VSSD_ZONE_EXTENDED);
}

void vssd_zone_extension(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			 const struct vssd_zone *zone, uint8_t *extension)
{
	if (zone->attributes & VSSD_ZONE_EXTENDED)
		vssd_zone_read_extension(subsystem, zones, zone, extension);
	else
		memset(extension, 0, subsystem->options.zones.extension * VSSD_ZONE_ALIGN);
}

/* ---- data ---- */

void vssd_zone_advance(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone,
		       uint64_t wp)
{
	bool has_zrwa = zone->attributes & VSSD_ZONE_ZRWA;

	zone->wp = wp;
	if (has_zrwa)
		vssd_zone_commit(subsystem, zones, zone, wp);
	if (wp >= vssd_zone_end(zone))
		set_state(zones, zone, NVME_ZONE_STATE_FULL, zone->attributes & (uint8_t)~VSSD_ZONE_ZRWA);
	if (has_zrwa)
		vssd_zone_record(subsystem, zones, zone);
}

void vssd_zone_commit(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone,
		      uint64_t end)
{
	unsigned shift = zones->ns->lba_shift;
	uint64_t from = (zone->durable - zone->start) << shift >> VSSD_BLOCK_SHIFT;
	uint64_t to = ((end - zone->start) << shift) + VSSD_BLOCK_SIZE - 1;

	to >>= VSSD_BLOCK_SHIFT;
	if (!subsystem->null_store && to > from)
		vssd_store_commit(subsystem->store, first_block(zones, zone) + from, to - from);
	zone->durable = end < zone->wp ? end : zone->wp;
}

/* ---- failures ---- */

static void list_changed(struct vssd_zones *zones, const struct vssd_zone *zone)
{
	for (uint32_t i = 0; i < zones->num_changed && i < VSSD_CHANGED_ZONES; i++)
		if (zones->changed[i] == zone->start)
			return;
	if (zones->num_changed < VSSD_CHANGED_ZONES)
		zones->changed[zones->num_changed] = zone->start;
	if (zones->num_changed <= VSSD_CHANGED_ZONES)
		zones->num_changed++;
}

void vssd_zone_fail(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone, bool offline)
{
	uint8_t state = offline ? NVME_ZONE_STATE_OFFLINE : NVME_ZONE_STATE_READ_ONLY;

	if (zone->state == state || zone->state == NVME_ZONE_STATE_OFFLINE)
		return;
	vssd_zone_commit(subsystem, zones, zone, zone->wp);
	settle(subsystem, zones, zone, state, offline ? 0 : zone->attributes & (uint8_t)~VSSD_ZONE_ZRWA);
	list_changed(zones, zone);
	vssd_subsystem_zones_changed(subsystem, zones->ns->nsid, zones->ns->attached);
}

void vssd_zones_erased(struct vssd_subsystem *subsystem, const struct vssd_ns *ns)
{
	struct vssd_zones *zones = vssd_zones_of(subsystem, ns);

	if (!zones)
		return;
	if (!subsystem->null_store)
		vssd_store_erase(subsystem->store, ns->first_block, ns->blocks, VSSD_POOL_UNWRITTEN);
	for (uint32_t i = 0; i < zones->count; i++) {
		struct vssd_zone *zone = &zones->zone[i];
		uint8_t state = zone->state;
		bool is_usable = state != NVME_ZONE_STATE_READ_ONLY && state != NVME_ZONE_STATE_OFFLINE;

		set_state(zones, zone, is_usable ? NVME_ZONE_STATE_EMPTY : state, 0);
		zone->wp = zone->durable = zone->start;
		vssd_zone_record(subsystem, zones, zone);
	}
	zones->size = subsystem->options.zones.size >> ns->lba_shift;
	for (uint32_t i = 0; i < zones->count; i++) {
		struct vssd_zone *zone = &zones->zone[i];

		zone->start = zone->wp = zone->durable = i * zones->size;
		zone->capacity = vssd_zone_capacity(subsystem, zones, zone);
	}
}

/* ---- the part ---- */

/* An NVM Subsystem Reset closes open zones. Those that nothing was written to are empty then. */
static void close_all(struct vssd_zones *zones)
{
	for (uint32_t i = 0; i < zones->count; i++) {
		struct vssd_zone *zone = &zones->zone[i];
		bool is_unwritten = zone->wp == zone->start && !zone->attributes;

		if (is_open(zone->state))
			set_state(zones, zone, is_unwritten ? NVME_ZONE_STATE_EMPTY : NVME_ZONE_STATE_CLOSED,
				  zone->attributes);
	}
}

/* Make of a zone what fault rules want after a loss of power. */
static void recall_wrongly(const struct vssd_subsystem *subsystem, struct vssd_zone *zone)
{
	if (zone->state != NVME_ZONE_STATE_CLOSED)
		return;
	if (vssd_zones_faulty(subsystem, VSSD_FAULT_ZONE_POINTER))
		zone->wp = zone->start + (zone->wp - zone->start) / 2;
	if (vssd_zones_faulty(subsystem, VSSD_FAULT_ZONE_STAY_OPEN))
		zone->state = NVME_ZONE_STATE_EXPLICITLY_OPENED;
}

/* Find the states of all zones after a loss of power. A null drive has lost no data. */
static void recall(struct vssd_subsystem *subsystem, struct vssd_zones *zones)
{
	if (subsystem->null_store) {
		close_all(zones);
		return;
	}
	lay_out(subsystem, zones);
	for (uint32_t i = 0; i < zones->count; i++) {
		vssd_zone_recall(subsystem, zones, &zones->zone[i]);
		recall_wrongly(subsystem, &zones->zone[i]);
		count(zones, &zones->zone[i], 1);
	}
}

static void power(struct vssd_subsystem *subsystem, bool on)
{
	for (uint32_t i = 0; on && i < VSSD_MAX_NAMESPACES; i++)
		if (subsystem->zoned.of[i])
			recall(subsystem, subsystem->zoned.of[i]);
}

static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	(void)by;
	for (uint32_t i = 0; kind == VSSD_RESET_SUBSYSTEM && i < VSSD_MAX_NAMESPACES; i++)
		if (subsystem->zoned.of[i])
			close_all(subsystem->zoned.of[i]);
}

static uint64_t due(const struct vssd_subsystem *subsystem)
{
	(void)subsystem;
	return VSSD_NEVER;
}

static void deinit(struct vssd_subsystem *subsystem)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		free(subsystem->zoned.of[i]);
}

const struct vssd_subsystem_part vssd_zones_part = {.power = power, .reset = reset, .due = due, .deinit = deinit};
