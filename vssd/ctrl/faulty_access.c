/* SPDX-License-Identifier: BSD-3-Clause */
/* Fault rules of registers, configuration space, doorbells, interrupts, resets and the shutdown. */
#include "core/util/clock.h"
#include "vssd/ctrl/controller.h"
#include "vssd/fault/value.h"
#include "vssd/fault/words.h"

#define US_NS 1000u
#define RING_SQ 0u /* target of an occasion at a doorbell */

static unsigned match(struct vssd_ctrl *ctrl, struct vssd_fault_occasion *occasion,
		      struct vssd_fault_rule *rules[VSSD_FAULTS_AT_ONCE])
{
	occasion->controller = vssd_cntlid(&ctrl->listener);
	return vssd_faults_match(ctrl->subsystem->faults, occasion, rules);
}

/* Forget that entries of the completion queue were not read yet. Heads that the host reports for them are ignored. */
static void overrun(struct vssd_ctrl *ctrl, const struct vssd_fault_occasion *occasion)
{
	struct vssd_sq *sq = &ctrl->queues.sq[occasion->queue];
	struct vssd_cq *cq = occasion->target == RING_SQ && sq->size ? sq->cq : &ctrl->queues.cq[occasion->queue];

	cq->head = cq->tail;
	cq->overrun = true;
}

uint64_t vssd_faulty_value(struct vssd_ctrl *ctrl, struct vssd_fault_occasion occasion, bool *drop)
{
	struct vssd_fault_rule *rules[VSSD_FAULTS_AT_ONCE];
	unsigned count = match(ctrl, &occasion, rules);
	uint64_t value = occasion.value;

	*drop = false;
	for (unsigned i = 0; i < count; i++) {
		const struct vssd_fault_rule *rule = rules[i];

		if (rule->action == VSSD_FAULT_SET || rule->action == VSSD_FAULT_ADD)
			for (unsigned j = 0; j < rule->num_how; j++)
				value = vssd_fault_change(value, &rule->how[j], rule->action == VSSD_FAULT_ADD);
		else if (rule->action == VSSD_FAULT_DROP)
			*drop = true;
		else if (rule->action == VSSD_FAULT_OVERRUN)
			overrun(ctrl, &occasion);
		else
			vssd_sudden_add(ctrl, rules[i]);
	}
	return value;
}

/* The lowest QID whose completion queue has this vector. */
static uint16_t queue_of(const struct vssd_ctrl *ctrl, uint16_t vector)
{
	for (uint32_t i = 0; i <= ctrl->queues.num_active; i++) {
		uint16_t qid = vssd_queue_id(&ctrl->queues, i);

		if (ctrl->queues.cq[qid].size && ctrl->queues.cq[qid].vector == vector)
			return qid;
	}
	return UINT16_MAX;
}

/* Whether MSI-X is in use, and the vector is masked there. */
static bool is_masked(struct vssd_ctrl *ctrl, uint16_t vector)
{
	enum vssd_irq irq = vssd_config_irq(ctrl);

	return (irq == VSSD_IRQ_MSIX || irq == VSSD_IRQ_ANY) && ctrl->bus->ops->is_masked(ctrl->bus, vector);
}

unsigned vssd_faulty_interrupt(struct vssd_ctrl *ctrl, uint16_t vector)
{
	struct vssd_fault_occasion occasion = {
		.place = VSSD_FAULT_INTERRUPT,
		.moment = VSSD_FAULT_ON_INTERRUPT,
		.queue = queue_of(ctrl, vector),
		.target = vector,
		.is_masked = is_masked(ctrl, vector),
	};
	struct vssd_fault_rule *rules[VSSD_FAULTS_AT_ONCE];
	unsigned count = match(ctrl, &occasion, rules), times = 1;

	for (unsigned i = 0; i < count; i++) {
		struct vssd_fault_rule *rule = rules[i];

		if (rule->action == VSSD_FAULT_DROP)
			times = 0;
		else if (rule->action == VSSD_FAULT_TWICE)
			times = 2;
		else if (rule->action == VSSD_FAULT_LATE) {
			times = 0;
			vssd_sudden_push(ctrl, VSSD_FAULT_RAISE_INTERRUPT, vector, vssd_fault_time(rule));
		} else {
			vssd_sudden_add(ctrl, rule);
		}
	}
	return times;
}

unsigned vssd_faulty_event(struct vssd_ctrl *ctrl, unsigned event)
{
	struct vssd_fault_occasion occasion = {
		.place = VSSD_FAULT_EVENT, .moment = VSSD_FAULT_ON_EVENT, .target = event};
	struct vssd_fault_rule *rules[VSSD_FAULTS_AT_ONCE];
	unsigned count = match(ctrl, &occasion, rules), times = 1;

	for (unsigned i = 0; i < count; i++) {
		if (rules[i]->action == VSSD_FAULT_DROP)
			return 0;
		if (rules[i]->action == VSSD_FAULT_TWICE)
			times = 2;
		else if (rules[i]->action == VSSD_FAULT_STORM)
			times = 1 + (unsigned)rules[i]->a;
		else
			vssd_sudden_add(ctrl, rules[i]);
	}
	return times;
}

void vssd_faulty_reset(struct vssd_ctrl *ctrl, enum vssd_fault_moment moment, struct vssd_reset_verdict *verdict)
{
	struct vssd_fault_occasion occasion = {.place = VSSD_FAULT_RESET, .moment = moment};
	struct vssd_fault_rule *rules[VSSD_FAULTS_AT_ONCE];
	unsigned count = 0;

	*verdict = (struct vssd_reset_verdict){0};
	vssd_faults_happened(ctrl->subsystem->faults, moment);
	if (vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_RESET))
		count = match(ctrl, &occasion, rules);
	for (unsigned i = 0; i < count; i++) {
		struct vssd_fault_rule *rule = rules[i];

		if (rule->action == VSSD_FAULT_SKIP)
			verdict->skips = true;
		else if (rule->action == VSSD_FAULT_HANG)
			verdict->hangs = true;
		else if (rule->action == VSSD_FAULT_KEEP)
			verdict->keep |= (uint8_t)rule->a;
		else if (rule->action == VSSD_FAULT_LATE)
			verdict->due = pyn_ticks() + pyn_ns_to_ticks(vssd_fault_time(rule) * US_NS);
		else
			vssd_sudden_add(ctrl, rule);
	}
}

void vssd_faulty_power_up(struct vssd_ctrl *ctrl)
{
	struct vssd_fault_occasion occasion = {.place = VSSD_FAULT_POWER, .moment = VSSD_FAULT_ON_POWER_UP};
	struct vssd_fault_rule *rules[VSSD_FAULTS_AT_ONCE];
	unsigned count = 0;

	if (vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_POWER))
		count = match(ctrl, &occasion, rules);
	for (unsigned i = 0; i < count; i++)
		vssd_sudden_add(ctrl, rules[i]);
}
