/* SPDX-License-Identifier: BSD-3-Clause */
/* Let the events of sudden.c happen: loss of power or of the link, resets, interrupts and event reports. */
#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "vssd/ctrl/controller.h"

#define US_NS 1000u

static uint64_t end_of(const struct vssd_sudden *sudden)
{
	return sudden->off == UINT64_MAX ? VSSD_NEVER : pyn_ticks() + pyn_ns_to_ticks(sudden->off * US_NS);
}

/* The link goes down, and comes up later with a hot reset. */
static void lose_link(struct vssd_ctrl *ctrl, const struct vssd_sudden *sudden)
{
	vssd_ctrl_reset(ctrl, VSSD_RESET_CONVENTIONAL);
	ctrl->faulty.gone = true;
	ctrl->faulty.power_due = end_of(sudden);
	vssd_update_running(ctrl);
	vssd_faulty_wake(ctrl, ctrl->faulty.power_due);
}

static void happen(struct vssd_ctrl *ctrl, const struct vssd_sudden *sudden)
{
	switch (sudden->action) {
	case VSSD_FAULT_POWER_OFF:
	case VSSD_FAULT_POWER_CYCLE:
		ctrl->faulty.power_due = end_of(sudden);
		vssd_subsystem_power(ctrl->subsystem, false);
		return;
	case VSSD_FAULT_FATAL:
		vssd_fatal(ctrl);
		return;
	case VSSD_FAULT_GONE:
		lose_link(ctrl, sudden);
		return;
	case VSSD_FAULT_RESET_SELF:
		if (sudden->value == VSSD_RESET_SUBSYSTEM)
			vssd_subsystem_reset_all(ctrl->subsystem);
		else
			vssd_ctrl_reset(ctrl, (enum vssd_reset)sudden->value);
		return;
	case VSSD_FAULT_RAISE_INTERRUPT:
		vssd_interrupt_send(ctrl, (uint16_t)sudden->value);
		return;
	case VSSD_FAULT_RAISE_EVENT:
		if (ctrl->running)
			vssd_event_raise(ctrl, (enum vssd_event)sudden->value);
		return;
	case VSSD_FAULT_DEFECT:
		vssd_health_defect(ctrl->subsystem, sudden->value);
		return;
	case VSSD_FAULT_ANA:
		vssd_ana_set(ctrl, sudden->group, (uint8_t)sudden->value);
		return;
	default:
		return;
	}
}

void vssd_sudden_poll(struct vssd_ctrl *ctrl)
{
	struct vssd_sudden **link = &ctrl->faulty.sudden;

	if (ctrl->faulty.gone && ctrl->faulty.power_due <= pyn_ticks()) {
		ctrl->faulty.gone = false;
		vssd_update_running(ctrl);
	}
	while (*link) {
		struct vssd_sudden now = **link;

		if (now.due > pyn_ticks()) {
			link = &(*link)->next;
			continue;
		}
		free(*link);
		*link = now.next;
		happen(ctrl, &now);
		/* A loss of power empties the list. */
		link = &ctrl->faulty.sudden;
	}
}

void vssd_sudden_dark(struct vssd_ctrl *ctrl)
{
	if (ctrl->faulty.power_due > pyn_ticks())
		return;
	ctrl->faulty.power_due = VSSD_NEVER;
	vssd_subsystem_power(ctrl->subsystem, true);
}

static void deinit(struct vssd_ctrl *ctrl)
{
	while (ctrl->faulty.sudden) {
		struct vssd_sudden *node = ctrl->faulty.sudden;

		ctrl->faulty.sudden = node->next;
		free(node);
	}
}

static void power(struct vssd_ctrl *ctrl, bool on)
{
	deinit(ctrl);
	if (on)
		ctrl->faulty.power_due = VSSD_NEVER;
	ctrl->faulty.gone = ctrl->faulty.hung = false;
	ctrl->faulty.ready_due = ctrl->faulty.shutdown_due = 0;
	memset(ctrl->faulty.storm, 0, sizeof(ctrl->faulty.storm));
	if (on)
		vssd_faulty_power_up(ctrl);
}

static uint64_t due(const struct vssd_ctrl *ctrl)
{
	return ctrl->faulty.next_due;
}

const struct vssd_part vssd_sudden_part = {.power = power, .poll = vssd_sudden_poll, .due = due, .deinit = deinit};
