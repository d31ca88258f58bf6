/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Power states, which the host selects or the drive enters autonomously.
 * NVM Express Base Specification 2.0, section 8.15.
 */
#include "vssd/ctrl/power.h"

#include <string.h>

#include "core/util/clock.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/plain.h"

#define PS 0x1fu
#define MS_NS UINT64_C(1000000)
#define ITPS(entry) ((uint32_t)((entry) >> 3) & PS) /* of an entry of the APST table */
#define ITPT_MS(entry) ((uint32_t)((entry) >> 8) & 0xffffffu)
#define APST_KEPT UINT64_C(0xfffffff8) /* bits of an entry that are not reserved */

static uint32_t state_of(const struct vssd_ctrl *ctrl)
{
	return ctrl->features.value[NVME_FEAT_POWER] & PS;
}

static bool is_operational(uint32_t state)
{
	return state < VSSD_FIRST_NOPS;
}

void vssd_power_enter(struct vssd_ctrl *ctrl, uint32_t state)
{
	ctrl->features.value[NVME_FEAT_POWER] = (ctrl->features.value[NVME_FEAT_POWER] & ~PS) | state;
	if (is_operational(state))
		ctrl->power.operational = state;
	ctrl->power.asleep = !is_operational(state);
	ctrl->power.since = pyn_ticks();
	vssd_spindle_update(ctrl->subsystem);
	vssd_plain_update(ctrl);
}

const struct nvme_power_state vssd_power_states[VSSD_NPSS + 1] = {
	{.mp = 800},
	{.mp = 600, .rrt = 1, .rrl = 1, .rwt = 1, .rwl = 1},
	{.mp = 400, .rrt = 2, .rrl = 2, .rwt = 2, .rwl = 2},
	{.mp = 500,
	 .flags = NVME_PS_MXPS | NVME_PS_NOPS,
	 .enlat = 2000,
	 .exlat = 3000,
	 .rrt = 3,
	 .rrl = 3,
	 .rwt = 3,
	 .rwl = 3},
	{.mp = 50,
	 .flags = NVME_PS_MXPS | NVME_PS_NOPS,
	 .enlat = 5000,
	 .exlat = 10000,
	 .rrt = 4,
	 .rrl = 4,
	 .rwt = 4,
	 .rwl = 4},
};

uint8_t vssd_power_watts(uint32_t state)
{
	return (uint8_t)(vssd_power_states[state].mp / 100); /* units of 0.01 W */
}

uint8_t vssd_power_npss(const struct vssd_ctrl *ctrl)
{
	return vssd_since(ctrl, NVME_1_1) ? VSSD_NPSS : VSSD_FIRST_NOPS - 1;
}

void vssd_power_wake(struct vssd_ctrl *ctrl)
{
	if (!ctrl->subsystem->health.spindle.inhibited)
		vssd_power_enter(ctrl, ctrl->power.operational);
}

/* ---- measurement ---- */

#define CENTIWATT 10u /* milliwatts */

struct vssd_power_budget vssd_power_budget(const struct vssd_ctrl *ctrl)
{
	const struct nvme_power_state *state = &vssd_power_states[state_of(ctrl)];
	bool is_fine = state->flags & NVME_PS_MXPS;

	return (struct vssd_power_budget){is_fine ? state->mp / 10u : state->mp * CENTIWATT, ctrl->power.asleep};
}

/* The event is reported once: the host enables it again. */
void vssd_power_check(struct vssd_ctrl *ctrl)
{
	uint32_t *value = &ctrl->features.value[NVME_FEAT_POWER_THRESHOLD];

	if (!ctrl->running || !(*value & NVME_POWER_THRESHOLD_EPT) ||
	    vssd_power_interval(ctrl->subsystem) <= vssd_power_unscaled(*value))
		return;
	*value &= ~NVME_POWER_THRESHOLD_EPT;
	vssd_event_raise(ctrl, VSSD_EVENT_POWER);
}

/* ---- autonomous power state transition ---- */

/* A transition must lead to a non-operational state with less power. */
static bool apst_is_valid(const uint64_t table[VSSD_APST_ENTRIES])
{
	for (uint32_t state = 0; state <= VSSD_NPSS; state++) {
		uint32_t next = ITPS(table[state]);

		if (ITPT_MS(table[state]) && (is_operational(next) || next > VSSD_NPSS || next <= state))
			return false;
	}
	return true;
}

bool vssd_power_set_apst(struct vssd_ctrl *ctrl, const uint64_t table[VSSD_APST_ENTRIES])
{
	if (!apst_is_valid(table))
		return false;
	for (uint32_t i = 0; i < VSSD_APST_ENTRIES; i++)
		ctrl->power.apst[i] = table[i] & APST_KEPT;
	ctrl->power.since = pyn_ticks();
	vssd_ctrl_wake(ctrl);
	return true;
}

static uint64_t io_taken(const struct vssd_ctrl *ctrl)
{
	return ctrl->counters.commands_read + ctrl->counters.commands_write + ctrl->counters.commands_other;
}

/* Whether background work keeps the drive awake. */
static bool is_busy(const struct vssd_ctrl *ctrl)
{
	return io_taken(ctrl) != ctrl->power.io_taken || ctrl->subsystem->format.running ||
	       ctrl->nv->sanitize.status == NVME_SANITIZE_IN_PROGRESS || ctrl->nv->self_test.operation;
}

/* Whether the drive has been idle for ms. The state may have been entered after ctrl->now, within this poll. */
static bool is_idle_for(const struct vssd_ctrl *ctrl, uint32_t ms)
{
	return (int64_t)(ctrl->now - ctrl->power.since) >= (int64_t)pyn_ns_to_ticks(ms * MS_NS);
}

static void poll(struct vssd_ctrl *ctrl)
{
	struct vssd_power *power = &ctrl->power;
	uint64_t entry = power->apst[state_of(ctrl)];

	if (is_busy(ctrl)) {
		power->since = ctrl->now;
		power->io_taken = io_taken(ctrl);
	} else if (ITPT_MS(entry) && is_idle_for(ctrl, ITPT_MS(entry))) {
		vssd_power_enter(ctrl, ITPS(entry));
	}
}

static uint64_t due(const struct vssd_ctrl *ctrl)
{
	return ctrl->features.value[NVME_FEAT_APST] & NVME_APSTE && ctrl->running ? 0 : VSSD_NEVER;
}

void vssd_power_restart(struct vssd_ctrl *ctrl)
{
	ctrl->power.io_taken = io_taken(ctrl);
	memset(ctrl->power.apst, 0, sizeof(ctrl->power.apst));
	vssd_power_set_apst(ctrl, vssd_ctrl_saved(ctrl)->apst); /* invalid only if the file of the drive is damaged */
	vssd_power_enter(ctrl, ctrl->subsystem->health.spindle.inhibited ? VSSD_NPSS : state_of(ctrl));
}

const struct vssd_part vssd_power_part = {.poll = poll, .due = due};
