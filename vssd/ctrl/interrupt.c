/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Raise the vector of a completion queue after each batch of entries, or coalesced, as MSI-X, as MSI or by the pin,
 * which all vectors share. NVM Express Base Specification 2.0, sections 5.27.1.6 (feature 08h) and 5.27.1.7
 * (09h).
 */
#include "vssd/ctrl/interrupt.h"

#include <string.h>

#include "core/util/clock.h"
#include "vssd/ctrl/controller.h"

#define TIME_UNIT_NS 100000u

/* The aggregation threshold of feature 08h, which is 0's based. If threshold or time is 0, nothing is coalesced. */
static uint32_t threshold(const struct vssd_ctrl *ctrl)
{
	return ctrl->features.value[NVME_FEAT_COALESCING] & 0xff;
}

static uint32_t patience(const struct vssd_ctrl *ctrl)
{
	return ctrl->features.value[NVME_FEAT_COALESCING] >> 8 & 0xff;
}

static bool coalesces(const struct vssd_ctrl *ctrl, uint16_t vector)
{
	return threshold(ctrl) && patience(ctrl) && !ctrl->interrupts.coalescing_off[vector];
}

/* ---- which way ---- */

uint32_t vssd_interrupt_message(const struct vssd_ctrl *ctrl, uint16_t vector)
{
	return vssd_config_irq(ctrl) == VSSD_IRQ_MSI ? vector % vssd_config_messages(ctrl) : 0;
}

static void send_message(struct vssd_ctrl *ctrl, uint32_t message)
{
	if (!(ctrl->interrupts.intms >> message & 1) && !vssd_config_message_waits(ctrl, message))
		ctrl->bus->ops->message(ctrl->bus, (uint16_t)message);
}

void vssd_interrupt_pin(struct vssd_ctrl *ctrl)
{
	if (!(ctrl->interrupts.intms & 1) && !vssd_config_pin_disabled(ctrl))
		ctrl->bus->ops->pin(ctrl->bus);
}

void vssd_interrupt_send(struct vssd_ctrl *ctrl, uint16_t vector)
{
	switch (vssd_config_irq(ctrl)) {
	case VSSD_IRQ_MSIX:
		ctrl->bus->ops->interrupt(ctrl->bus, vector);
		return;
	case VSSD_IRQ_MSI:
		send_message(ctrl, vssd_interrupt_message(ctrl, vector));
		return;
	case VSSD_IRQ_PIN:
		vssd_interrupt_pin(ctrl);
		return;
	case VSSD_IRQ_ANY:
		if (!ctrl->bus->ops->interrupt(ctrl->bus, vector))
			vssd_interrupt_pin(ctrl);
		return;
	}
}

/* ---- when ---- */

static void raise(struct vssd_ctrl *ctrl, uint16_t vector)
{
	unsigned times = 1;

	if (ctrl->interrupts.coalesced[vector].entries) {
		ctrl->interrupts.coalesced[vector].entries = 0;
		ctrl->interrupts.num_coalesced--;
	}
	vssd_faults_note(ctrl->subsystem->faults, VSSD_FAULT_ON_INTERRUPT);
	if (vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_INTERRUPT))
		times = vssd_faulty_interrupt(ctrl, vector);
	while (times-- > 0)
		vssd_interrupt_send(ctrl, vector);
}

/* Add entries to the coalesced ones of a vector. False: the threshold is reached, so raise it. */
static bool wait_for_more(struct vssd_ctrl *ctrl, uint16_t vector, uint32_t entries)
{
	struct vssd_coalesced *waiting = &ctrl->interrupts.coalesced[vector];

	if (!waiting->entries) {
		waiting->due = pyn_ticks() + pyn_ns_to_ticks((uint64_t)patience(ctrl) * TIME_UNIT_NS);
		ctrl->interrupts.num_coalesced++;
	}
	waiting->entries += entries;
	return waiting->entries <= threshold(ctrl);
}

void vssd_interrupt(struct vssd_ctrl *ctrl, struct vssd_cq *cq)
{
	uint32_t entries = cq->posted;
	/* Do not coalesce for the admin queue, or if a command has failed. */
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
	for (uint16_t i = 0; i < ctrl->interrupts.count; i++)
		if (ctrl->interrupts.coalesced[i].entries &&
		    (!coalesces(ctrl, i) || ctrl->now >= ctrl->interrupts.coalesced[i].due ||
		     ctrl->interrupts.coalesced[i].entries > threshold(ctrl)))
			raise(ctrl, i);
}

void vssd_interrupts_clear(struct vssd_ctrl *ctrl)
{
	memset(ctrl->interrupts.coalesced, 0, ctrl->interrupts.count * sizeof(ctrl->interrupts.coalesced[0]));
	ctrl->interrupts.num_coalesced = 0;
}
