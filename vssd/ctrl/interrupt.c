/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a completion queue's vector is raised: with each batch of entries, or coalesced.
 * NVM Express Base Specification 2.0, sections 5.27.1.6 (feature 08h) and 5.27.1.7 (feature 09h).
 */
#include "vssd/ctrl/device.h"

#include <string.h>

#include "core/util/clock.h"

#define TIME_UNIT_NS 100000u

/* Feature 08h: the threshold is 0's based. Where one of the two is 0, nothing waits. */
static uint32_t threshold(const struct vssd_ctrl *ctrl)
{
	return ctrl->feature[NVME_FEAT_COALESCING] & 0xff;
}

static uint32_t patience(const struct vssd_ctrl *ctrl)
{
	return ctrl->feature[NVME_FEAT_COALESCING] >> 8 & 0xff;
}

static bool coalesces(const struct vssd_ctrl *ctrl, uint16_t vector)
{
	return threshold(ctrl) && patience(ctrl) && !ctrl->coalescing_off[vector];
}

static void raise(struct vssd_ctrl *ctrl, uint16_t vector)
{
	if (ctrl->coalesced[vector].entries) {
		ctrl->coalesced[vector].entries = 0;
		ctrl->num_coalesced--;
	}
	ctrl->bus->ops->interrupt(ctrl->bus, vector);
}

/* The vector now has so many more entries that its host was not told of; false: it is to be raised. */
static bool wait_for_more(struct vssd_ctrl *ctrl, uint16_t vector, uint32_t entries)
{
	struct vssd_coalesced *waiting = &ctrl->coalesced[vector];

	if (!waiting->entries) {
		waiting->due = pyn_ticks() + pyn_ns_to_ticks((uint64_t)patience(ctrl) * TIME_UNIT_NS);
		ctrl->num_coalesced++;
	}
	waiting->entries += entries;
	return waiting->entries <= threshold(ctrl);
}

void vssd_interrupt(struct vssd_ctrl *ctrl, struct vssd_cq *cq)
{
	uint32_t entries = cq->posted;
	/* Not for the admin queue, and not where a command has failed. */
	bool at_once = cq->qid == 0 || cq->error || !coalesces(ctrl, cq->vector);

	cq->posted = 0;
	cq->error = false;
	if (!cq->interrupts)
		return;
	if (at_once || !wait_for_more(ctrl, cq->vector, entries))
		raise(ctrl, cq->vector);
}

void vssd_interrupts_poll(struct vssd_ctrl *ctrl)
{
	for (uint16_t i = 0; i < VSSD_MSIX_VECTORS; i++)
		if (ctrl->coalesced[i].entries && (!coalesces(ctrl, i) || ctrl->now >= ctrl->coalesced[i].due ||
						   ctrl->coalesced[i].entries > threshold(ctrl)))
			raise(ctrl, i);
}

void vssd_interrupts_clear(struct vssd_ctrl *ctrl)
{
	memset(ctrl->coalesced, 0, sizeof(ctrl->coalesced));
	ctrl->num_coalesced = 0;
}
