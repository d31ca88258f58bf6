/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of events that fault rules make happen; happen.c lets them happen. */
#include <stdlib.h>

#include "core/util/clock.h"
#include "vssd/ctrl/controller.h"

#define US_NS 1000u

void vssd_faulty_wake(struct vssd_ctrl *ctrl, uint64_t due)
{
	if (due >= ctrl->faulty.next_due)
		return;
	ctrl->faulty.next_due = due;
	vssd_ctrl_wake(ctrl);
}

static void append(struct vssd_ctrl *ctrl, struct vssd_sudden sudden)
{
	struct vssd_sudden *node = malloc(sizeof(*node));

	if (!node)
		return;
	*node = sudden;
	VSSD_APPEND(ctrl->faulty.sudden, node);
	vssd_faulty_wake(ctrl, node->due);
}

static uint64_t in_us(uint64_t us)
{
	return pyn_ticks() + (us ? pyn_ns_to_ticks(us * US_NS) : 0);
}

void vssd_sudden_push(struct vssd_ctrl *ctrl, uint8_t action, uint64_t value, uint64_t us)
{
	append(ctrl, (struct vssd_sudden){.due = in_us(us), .action = action, .value = value});
}

void vssd_sudden_add(struct vssd_ctrl *ctrl, struct vssd_fault_rule *rule)
{
	const struct vssd_fault_word *delay = vssd_fault_how(rule, VSSD_FAULT_KEY_DELAY);
	const struct vssd_fault_word *off = vssd_fault_how(rule, VSSD_FAULT_KEY_OFF);
	uint64_t otherwise = rule->action == VSSD_FAULT_POWER_CYCLE ? 0 : UINT64_MAX;

	append(ctrl, (struct vssd_sudden){
			     .due = in_us(delay ? vssd_fault_random(rule, delay->a, delay->b) : 0),
			     .action = rule->action,
			     .value = rule->a,
			     .group = (uint32_t)vssd_fault_how_number(rule, VSSD_FAULT_KEY_GROUP, 0),
			     .off = off ? off->a : otherwise,
		     });
}
