/* SPDX-License-Identifier: BSD-3-Clause */
/* Masked interrupts: the level of the pin, and vectors to raise again after unmasking. NVM Express Base
 * Specification 2.0, section 3.1.3.3 (INTMS, INTMC). */
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/doorbell.h"

static bool has_unread(const struct vssd_cq *cq)
{
	return cq->size && cq->interrupts && cq->head != cq->tail;
}

void vssd_interrupts_again(struct vssd_ctrl *ctrl, uint32_t messages)
{
	bool is_pin = vssd_config_irq(ctrl) == VSSD_IRQ_PIN, told[VSSD_MSIX_MOST] = {false};

	vssd_queues_check(ctrl);
	for (uint32_t i = 0; i <= ctrl->queues.num_active; i++) {
		const struct vssd_cq *cq = &ctrl->queues.cq[vssd_queue_id(&ctrl->queues, i)];
		uint16_t vector = is_pin ? 0 : cq->vector;

		if (!has_unread(cq) || told[vector] || !(messages >> vssd_interrupt_message(ctrl, vector) & 1))
			continue;
		told[vector] = true;
		vssd_interrupt_send(ctrl, vector);
	}
}

bool vssd_interrupts_pin_level(struct vssd_ctrl *ctrl)
{
	enum vssd_irq irq = vssd_config_irq(ctrl);

	vssd_queues_check(ctrl);
	if (irq == VSSD_IRQ_MSIX || irq == VSSD_IRQ_MSI || ctrl->interrupts.intms & 1)
		return false;
	for (uint32_t i = 0; i <= ctrl->queues.num_active; i++)
		if (has_unread(&ctrl->queues.cq[vssd_queue_id(&ctrl->queues, i)]))
			return true;
	return false;
}

void vssd_ctrl_pin_again(struct vssd_ctrl *ctrl)
{
	if (ctrl->running && vssd_interrupts_pin_level(ctrl))
		vssd_interrupt_pin(ctrl);
}

uint32_t vssd_interrupts_masked(const struct vssd_ctrl *ctrl)
{
	return vssd_config_irq(ctrl) == VSSD_IRQ_MSIX ? 0 : ctrl->interrupts.intms;
}

void vssd_interrupts_mask(struct vssd_ctrl *ctrl, uint32_t messages)
{
	if (vssd_config_irq(ctrl) != VSSD_IRQ_MSIX)
		ctrl->interrupts.intms |= messages;
}

void vssd_interrupts_unmask(struct vssd_ctrl *ctrl, uint32_t messages)
{
	uint32_t unmasked = ctrl->interrupts.intms & messages;

	ctrl->interrupts.intms &= ~messages;
	if (unmasked && ctrl->running && vssd_config_irq(ctrl) != VSSD_IRQ_MSIX)
		vssd_interrupts_again(ctrl, unmasked);
}
