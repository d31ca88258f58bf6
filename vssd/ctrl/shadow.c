/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/ctrl/shadow.h"

#include "vssd/ctrl/controller.h"

/* Ask the host to ring the doorbell when it goes beyond this value. The drive polls the shadow doorbells, so it needs
 * no ring; but a host may rely on it. */
static void ask(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value)
{
	if (vssd_bus_write(ctrl->bus, ctrl->queues.shadow.events + index * sizeof(value), &value, sizeof(value)) < 0)
		vssd_fatal(ctrl);
}

bool vssd_shadow_has(const struct vssd_ctrl *ctrl, uint32_t qid)
{
	return ctrl->queues.shadow.on && qid != 0 && qid < ctrl->regs.page_size / (2 * sizeof(uint32_t));
}

bool vssd_shadow_read(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t values[2])
{
	struct vssd_shadow *shadow = &ctrl->queues.shadow;

	if (!vssd_shadow_has(ctrl, qid))
		return false;
	if (vssd_bus_read(ctrl->bus, shadow->doorbells + qid * 2 * sizeof(values[0]), values, 2 * sizeof(values[0])) <
	    0) {
		vssd_fatal(ctrl);
		return false;
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE); /* the doorbell before the entries that it announces */
	return true;
}

bool vssd_shadow_take(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value)
{
	if (value == ctrl->queues.shadow.seen[index])
		return false;
	ctrl->queues.shadow.seen[index] = value;
	ask(ctrl, index, value);
	return true;
}

void vssd_shadow_start(struct vssd_ctrl *ctrl, uint64_t doorbells, uint64_t events)
{
	struct vssd_shadow *shadow = &ctrl->queues.shadow;

	shadow->on = true;
	shadow->doorbells = doorbells;
	shadow->events = events;
	for (uint16_t i = 0; i < ctrl->queues.num_active; i++) {
		uint16_t qid = ctrl->queues.active[i];

		if (!vssd_shadow_has(ctrl, qid))
			break;
		shadow->seen[2 * qid] = ctrl->queues.sq[qid].tail;
		shadow->seen[2 * qid + 1] = ctrl->queues.cq[qid].head;
		ask(ctrl, 2u * qid, shadow->seen[2 * qid]);
		ask(ctrl, 2u * qid + 1, shadow->seen[2 * qid + 1]);
	}
}

void vssd_shadow_created(struct vssd_ctrl *ctrl, uint32_t index)
{
	if (!vssd_shadow_has(ctrl, index / 2))
		return;
	ctrl->queues.shadow.seen[index] = 0;
	ask(ctrl, index, 0);
}

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	(void)kind;
	ctrl->queues.shadow.on = false;
}

const struct vssd_part vssd_shadow_part = {.reset = reset};
