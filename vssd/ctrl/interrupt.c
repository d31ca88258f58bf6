/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a completion queue's vector is raised: with each batch of entries, or coalesced. And as what: MSI-X, MSI, or
 * the pin, which all vectors share. NVM Express Base Specification 2.0, sections 3.1.3.3 (INTMS, INTMC), 5.27.1.6
 * (feature 08h) and 5.27.1.7 (09h).
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

/* ---- which way ---- */

/* The bit of INTMS and INTMC that stands for a vector. */
static uint32_t message_of(const struct vssd_ctrl *ctrl, uint16_t vector)
{
	return vssd_config_irq(ctrl) == VSSD_IRQ_MSI ? vector % vssd_config_messages(ctrl) : 0;
}

static void send_message(struct vssd_ctrl *ctrl, uint32_t message)
{
	if (!(ctrl->intms >> message & 1) && !vssd_config_message_waits(ctrl, message))
		ctrl->bus->ops->message(ctrl->bus, (uint16_t)message);
}

static void send_pin(struct vssd_ctrl *ctrl)
{
	if (!(ctrl->intms & 1) && !vssd_config_pin_disabled(ctrl))
		ctrl->bus->ops->pin(ctrl->bus);
}

static void send(struct vssd_ctrl *ctrl, uint16_t vector)
{
	switch (vssd_config_irq(ctrl)) {
	case VSSD_IRQ_MSIX:
		ctrl->bus->ops->interrupt(ctrl->bus, vector);
		return;
	case VSSD_IRQ_MSI:
		send_message(ctrl, message_of(ctrl, vector));
		return;
	case VSSD_IRQ_PIN:
		send_pin(ctrl);
		return;
	case VSSD_IRQ_ANY:
		if (!ctrl->bus->ops->interrupt(ctrl->bus, vector))
			send_pin(ctrl);
		return;
	}
}

static bool has_unread(const struct vssd_cq *cq)
{
	return cq->size && cq->interrupts && cq->head != cq->tail;
}

void vssd_interrupts_again(struct vssd_ctrl *ctrl, uint32_t messages)
{
	bool is_pin = vssd_config_irq(ctrl) == VSSD_IRQ_PIN, told[VSSD_MSIX_VECTORS] = {false};

	vssd_queues_look(ctrl);
	for (unsigned qid = 0; qid < VSSD_NUM_QUEUES; qid++) {
		const struct vssd_cq *cq = &ctrl->cq[qid];
		uint16_t vector = is_pin ? 0 : cq->vector;

		if (!has_unread(cq) || told[vector] || !(messages >> message_of(ctrl, vector) & 1))
			continue;
		told[vector] = true;
		send(ctrl, vector);
	}
}

bool vssd_interrupts_pin_level(struct vssd_ctrl *ctrl)
{
	enum vssd_irq irq = vssd_config_irq(ctrl);

	vssd_queues_look(ctrl);
	if (irq == VSSD_IRQ_MSIX || irq == VSSD_IRQ_MSI || ctrl->intms & 1)
		return false;
	for (unsigned qid = 0; qid < VSSD_NUM_QUEUES; qid++)
		if (has_unread(&ctrl->cq[qid]))
			return true;
	return false;
}

void vssd_ctrl_pin_again(struct vssd_ctrl *ctrl)
{
	if (ctrl->running && vssd_interrupts_pin_level(ctrl))
		send_pin(ctrl);
}

uint32_t vssd_interrupts_masked(const struct vssd_ctrl *ctrl)
{
	return vssd_config_irq(ctrl) == VSSD_IRQ_MSIX ? 0 : ctrl->intms;
}

void vssd_interrupts_mask(struct vssd_ctrl *ctrl, uint32_t messages)
{
	if (vssd_config_irq(ctrl) != VSSD_IRQ_MSIX)
		ctrl->intms |= messages;
}

void vssd_interrupts_unmask(struct vssd_ctrl *ctrl, uint32_t messages)
{
	uint32_t unmasked = ctrl->intms & messages;

	ctrl->intms &= ~messages;
	if (unmasked && ctrl->running && vssd_config_irq(ctrl) != VSSD_IRQ_MSIX)
		vssd_interrupts_again(ctrl, unmasked);
}

/* ---- when ---- */

static void raise(struct vssd_ctrl *ctrl, uint16_t vector)
{
	if (ctrl->coalesced[vector].entries) {
		ctrl->coalesced[vector].entries = 0;
		ctrl->num_coalesced--;
	}
	send(ctrl, vector);
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
