/* SPDX-License-Identifier: BSD-3-Clause */
/* The events of power-ons and resets, with a copy of the health log. Base Specification 2.1, section 5.1.12.1.14. */
#include <string.h>

#include "vssd/subsystem/pel.h"
#include "vssd/subsystem/subsystem.h"

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
			.cntlid = vssd_cntlid(one),
			.operations = operations(subsystem),
			.power_cycle = (uint32_t)subsystem->nv->totals.power_cycles,
			.power_on_ms = subsystem->nv->totals.power_on_ms,
			.timestamp = vssd_pel_timestamp(subsystem),
		};
	}
	vssd_pel_add(subsystem, NVME_PERSISTENT_POWER_ON, of ? vssd_cntlid(of) : VSSD_PEL_SUBSYSTEM, &event,
		     (uint16_t)(sizeof(event.revision) + count * sizeof(event.controllers[0])));
}

static void add_health(struct vssd_subsystem *subsystem)
{
	struct nvme_smart_log smart = {0};

	vssd_health_smart(subsystem, &smart);
	smart.cw = vssd_health_warnings(subsystem);
	vssd_pel_add(subsystem, NVME_PERSISTENT_SMART, VSSD_PEL_SUBSYSTEM, &smart, sizeof(smart));
}

/* ---- the part ---- */

static void power(struct vssd_subsystem *subsystem, bool on)
{
	if (!on || !vssd_pel_is_there(subsystem))
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

const struct vssd_subsystem_part vssd_pel_part = {.init = vssd_pel_open, .power = power, .reset = reset};
