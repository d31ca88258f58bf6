/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/pel.h"

#include <string.h>

#include "vssd/subsystem/subsystem.h"

#define HEADER_LENGTH ((uint8_t)(sizeof(struct nvme_persistent_event) - 3))
#define ORIGIN_SET 1u /* of a timestamp: the host has set it */
#define ORIGIN_SHIFT 49

/* Controller Reset Information, of Power-on or Reset. */
struct reset_information {
	uint16_t cntlid;
	uint8_t firmware_activation;
	uint8_t operations;
	uint8_t rsvd4[12];
	uint32_t power_cycle;
	uint64_t power_on_ms;
	uint64_t timestamp;
} __attribute__((packed));
_Static_assert(sizeof(struct reset_information) == 36, "Controller Reset Information");

struct power_on_event {
	char revision[8];
	struct reset_information controllers[VSSD_MAX_CONTROLLERS];
};

static bool is_there(const struct vssd_subsystem *subsystem)
{
	return subsystem->options.optional.persistent_events && subsystem->options.version >= NVME_1_4;
}

static uint32_t length_of(const struct nvme_persistent_event *event)
{
	return (uint32_t)sizeof(*event) + event->el;
}

/* The event at an offset, if it is a whole one, or else NULL. */
static const struct nvme_persistent_event *event_at(const struct vssd_pel_saved *saved, uint32_t offset)
{
	const struct nvme_persistent_event *event = (const struct nvme_persistent_event *)(saved->bytes + offset);

	if (offset + sizeof(*event) > saved->used || event->ehl != HEADER_LENGTH || event->vsil ||
	    length_of(event) > saved->used - offset)
		return NULL;
	return event;
}

/* ---- recording ---- */

static uint64_t timestamp(const struct vssd_subsystem *subsystem)
{
	return vssd_clock_ms(&subsystem->clock) |
	       (subsystem->clock.is_set ? (uint64_t)ORIGIN_SET << ORIGIN_SHIFT : 0);
}

/* Drop the oldest events until there is room for so many bytes. */
static void make_room(struct vssd_pel_saved *saved, uint32_t wanted)
{
	uint32_t dropped = 0;

	while (sizeof(saved->bytes) - saved->used + dropped < wanted)
		dropped += length_of((const struct nvme_persistent_event *)(saved->bytes + dropped));
	if (!dropped)
		return;
	memmove(saved->bytes, saved->bytes + dropped, saved->used - dropped);
	saved->used -= dropped;
}

void vssd_pel_add(struct vssd_subsystem *subsystem, enum nvme_persistent_event_type type, uint16_t cntlid,
		  const void *data, uint16_t length)
{
	struct vssd_pel_saved *saved = &subsystem->annex->pel;
	struct nvme_persistent_event event = {
		.et = (uint8_t)type,
		.etr = 1,
		.ehl = HEADER_LENGTH,
		.cntlid = cntlid,
		.ets = timestamp(subsystem),
		.el = length,
	};

	if (!is_there(subsystem))
		return;
	make_room(saved, length_of(&event));
	memcpy(saved->bytes + saved->used, &event, sizeof(event));
	memcpy(saved->bytes + saved->used + sizeof(event), data, length);
	/* The length comes last, since it makes the event a part of the log. */
	__atomic_store_n(&saved->used, saved->used + length_of(&event), __ATOMIC_RELEASE);
}

static uint8_t operations(const struct vssd_subsystem *subsystem)
{
	return (uint8_t)(subsystem->format.running |
			 (subsystem->nv->sanitize.status == NVME_SANITIZE_IN_PROGRESS ? 2 : 0));
}

/* of: the controller that was reset; NULL: all of them. */
static void add_reset(struct vssd_subsystem *subsystem, const struct vssd_listener *of)
{
	struct power_on_event event = {0};
	unsigned count = 0;

	memcpy(event.revision, subsystem->nv->firmware.slots[subsystem->nv->firmware.active - 1].revision,
	       sizeof(event.revision));
	for (const struct vssd_listener *one = subsystem->listeners; one; one = one->next) {
		if (of && one != of)
			continue;
		event.controllers[count++] = (struct reset_information){
			.cntlid = (uint16_t)(one->index + 1),
			.operations = operations(subsystem),
			.power_cycle = (uint32_t)subsystem->nv->totals.power_cycles,
			.power_on_ms = subsystem->nv->totals.power_on_ms,
			.timestamp = timestamp(subsystem),
		};
	}
	vssd_pel_add(subsystem, NVME_PERSISTENT_POWER_ON, 0, &event,
		     (uint16_t)(sizeof(event.revision) + count * sizeof(event.controllers[0])));
}

static void add_health(struct vssd_subsystem *subsystem)
{
	struct nvme_smart_log smart = {0};

	vssd_health_smart(subsystem, &smart);
	smart.cw = vssd_health_warnings(subsystem);
	vssd_pel_add(subsystem, NVME_PERSISTENT_SMART, 0, &smart, sizeof(smart));
}

void vssd_pel_temperature(struct vssd_subsystem *subsystem)
{
	static const uint16_t kelvin[] = {VSSD_WCTEMP, VSSD_WCTEMP, VSSD_CCTEMP};
	uint16_t now = subsystem->health.temperature;
	uint8_t threshold = now >= VSSD_CCTEMP ? 2 : now >= VSSD_WCTEMP ? 1 : 0;
	struct nvme_thermal_event event = {.thld = threshold};

	if (threshold == subsystem->health.excursion)
		return;
	subsystem->health.excursion = threshold;
	if (now > kelvin[threshold])
		event.ovt = (uint8_t)(now - kelvin[threshold]);
	vssd_pel_add(subsystem, NVME_PERSISTENT_THERMAL, 0, &event, sizeof(event));
}

/* ---- the part ---- */

static void power(struct vssd_subsystem *subsystem, bool on)
{
	if (!on || !is_there(subsystem))
		return;
	add_reset(subsystem, NULL);
	add_health(subsystem);
	subsystem->annex->pel.generation++;
}

static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *of)
{
	if (kind != VSSD_RESET_POWER)
		add_reset(subsystem, of);
}

/* The events may come from a file with any contents: keep those before the first damaged one. */
static void init(struct vssd_subsystem *subsystem)
{
	struct vssd_pel_saved *saved = &subsystem->annex->pel;
	const struct nvme_persistent_event *event;
	uint32_t good = 0;

	if (saved->used > sizeof(saved->bytes))
		saved->used = 0;
	while ((event = event_at(saved, good)))
		good += length_of(event);
	saved->used = good;
}

static void poll(struct vssd_subsystem *subsystem, uint64_t now)
{
	(void)subsystem;
	(void)now;
}

static uint64_t due(const struct vssd_subsystem *subsystem)
{
	(void)subsystem;
	return VSSD_NEVER;
}

const struct vssd_subsystem_part vssd_pel_part = {
	.init = init, .power = power, .reset = reset, .poll = poll, .due = due};

/* ---- reading ---- */

uint32_t vssd_pel_bytes(const struct vssd_subsystem *subsystem)
{
	return subsystem->annex->pel.used;
}

uint32_t vssd_pel_count(const struct vssd_subsystem *subsystem)
{
	const struct vssd_pel_saved *saved = &subsystem->annex->pel;
	const struct nvme_persistent_event *event;
	uint32_t count = 0;

	for (uint32_t offset = 0; (event = event_at(saved, offset)); count++)
		offset += length_of(event);
	return count;
}

void vssd_pel_copy(const struct vssd_subsystem *subsystem, uint8_t *to)
{
	const struct vssd_pel_saved *saved = &subsystem->annex->pel;
	const struct nvme_persistent_event *event;
	uint32_t end = saved->used;

	for (uint32_t offset = 0; (event = event_at(saved, offset)); offset += length_of(event)) {
		end -= length_of(event);
		memcpy(to + end, event, length_of(event));
	}
}

void vssd_pel_supported(uint8_t seb[32])
{
	static const uint8_t types[] = {
		NVME_PERSISTENT_SMART,
		NVME_PERSISTENT_FIRMWARE_COMMIT,
		NVME_PERSISTENT_TIMESTAMP,
		NVME_PERSISTENT_POWER_ON,
		NVME_PERSISTENT_CHANGE_NS,
		NVME_PERSISTENT_FORMAT_START,
		NVME_PERSISTENT_FORMAT_COMPLETION,
		NVME_PERSISTENT_SANITIZE_START,
		NVME_PERSISTENT_SANITIZE_COMPLETION,
		NVME_PERSISTENT_SET_FEATURE,
		NVME_PERSISTENT_THERMAL,
	};

	for (unsigned i = 0; i < sizeof(types); i++)
		seb[types[i] / 8] |= (uint8_t)(1u << types[i] % 8);
}
