/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/pel.h"

#include <string.h>

#include "vssd/subsystem/subsystem.h"

#define HEADER_LENGTH ((uint8_t)(sizeof(struct nvme_persistent_event) - 3))
#define ORIGIN_SET 1u /* of a timestamp: the host has set it */
#define ORIGIN_SHIFT 49

bool vssd_pel_is_there(const struct vssd_subsystem *subsystem)
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

uint64_t vssd_pel_timestamp(const struct vssd_subsystem *subsystem)
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
		.ets = vssd_pel_timestamp(subsystem),
		.el = length,
	};

	if (!vssd_pel_is_there(subsystem))
		return;
	make_room(saved, length_of(&event));
	memcpy(saved->bytes + saved->used, &event, sizeof(event));
	memcpy(saved->bytes + saved->used + sizeof(event), data, length);
	/* The length comes last, since it makes the event a part of the log. */
	__atomic_store_n(&saved->used, saved->used + length_of(&event), __ATOMIC_RELEASE);
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
	vssd_pel_add(subsystem, NVME_PERSISTENT_THERMAL, VSSD_PEL_SUBSYSTEM, &event, sizeof(event));
}

void vssd_pel_open(struct vssd_subsystem *subsystem)
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
