/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/ocp.h"

#include <string.h>

#include "vssd/subsystem/subsystem.h"

#define ENTRY_VERSION 1u
#define SPARE_ALL 100u

static bool is_ocp(const struct vssd_subsystem *subsystem)
{
	return subsystem->options.optional.ocp;
}

/* ---- failures ---- */

void vssd_ocp_check_plp(struct vssd_subsystem *subsystem)
{
	if (subsystem->ocp.plp_minutes)
		subsystem->ocp.plp_failed = subsystem->nv->wear.backup_failed;
}

void vssd_ocp_set_mode(struct vssd_subsystem *subsystem, enum vssd_failure_mode mode)
{
	subsystem->ocp.mode = (uint8_t)(mode == VSSD_FAILS_DEFAULT ? VSSD_FAILS_READ_ONLY : mode);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
}

void vssd_ocp_set_plp_minutes(struct vssd_subsystem *subsystem, uint16_t minutes)
{
	subsystem->ocp.plp_minutes = minutes;
	vssd_ocp_check_plp(subsystem);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_REFUSALS);
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_TEMPERATURE);
}

bool vssd_ocp_plp_failed(const struct vssd_subsystem *subsystem)
{
	return is_ocp(subsystem) ? subsystem->ocp.plp_failed : subsystem->nv->wear.backup_failed;
}

static bool is_at_its_end(const struct vssd_subsystem *subsystem)
{
	return subsystem->nv->wear.spare_lost >= SPARE_ALL;
}

bool vssd_ocp_read_only(const struct vssd_subsystem *subsystem)
{
	if (!is_ocp(subsystem))
		return is_at_its_end(subsystem);
	return (is_at_its_end(subsystem) || subsystem->ocp.plp_failed) && subsystem->ocp.mode == VSSD_FAILS_READ_ONLY;
}

bool vssd_ocp_write_through(const struct vssd_subsystem *subsystem)
{
	if (!is_ocp(subsystem))
		return subsystem->nv->wear.backup_failed;
	return (is_at_its_end(subsystem) || subsystem->ocp.plp_failed) && subsystem->ocp.mode != VSSD_FAILS_NOT;
}

/* The drive also checks its protection when it starts. */
static void power(struct vssd_subsystem *subsystem, bool on)
{
	if (on)
		subsystem->ocp.plp_failed = subsystem->nv->wear.backup_failed;
}

static void init(struct vssd_subsystem *subsystem)
{
	subsystem->ocp.mode = VSSD_FAILS_READ_ONLY;
	subsystem->ocp.plp_minutes = VSSD_PLP_MINUTES;
	if (subsystem->annex->ocp.activations > VSSD_ACTIVATIONS)
		subsystem->annex->ocp.activations = 0;
}

const struct vssd_subsystem_part vssd_ocp_part = {.init = init, .power = power};

/* ---- firmware ---- */

void vssd_ocp_committed(struct vssd_subsystem *subsystem, uint8_t action)
{
	subsystem->annex->ocp.action = action;
}

void vssd_ocp_activated(struct vssd_subsystem *subsystem, uint8_t slot, const char before[8])
{
	struct vssd_ocp_saved *saved = &subsystem->annex->ocp;
	struct nvme_ocp_firmware_activation *entry;
	uint16_t count = saved->activations ? saved->activation[saved->activations - 1].count : 0;

	if (!is_ocp(subsystem))
		return;
	if (saved->activations == VSSD_ACTIVATIONS) {
		memmove(&saved->activation[0], &saved->activation[1],
			(VSSD_ACTIVATIONS - 1) * sizeof(saved->activation[0]));
		saved->activations--;
	}
	entry = &saved->activation[saved->activations++];
	*entry = (struct nvme_ocp_firmware_activation){
		.version = ENTRY_VERSION,
		.length = sizeof(*entry),
		.count = (uint16_t)(count + 1),
		.timestamp = vssd_clock_ms(&subsystem->clock),
		.power_cycles = subsystem->nv->totals.power_cycles,
		.slot = slot,
		.action = saved->action,
	};
	memcpy(entry->previous, before, sizeof(entry->previous));
	memcpy(entry->new, subsystem->nv->firmware.slots[slot - 1].revision, sizeof(entry->new));
}
