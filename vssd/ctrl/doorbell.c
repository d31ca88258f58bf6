/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbells. NVM Express PCIe Transport Specification 1.0, section 3.1.2; Base Specification 2.0, sections 3.1.3
 * and 5.2. */
#include "vssd/ctrl/doorbell.h"

#include "vssd/ctrl/controller.h"

#define LINE_WORDS 16u /* words of a cache line */
#define PAGE_WORDS (VSSD_DOORBELL_PAGE / (uint32_t)sizeof(uint32_t))

#define UNRUNG VSSD_DOORBELL_UNRUNG
#define UNRUNG_PAIR ((uint64_t)UNRUNG << 32 | UNRUNG)

static uint32_t seen(const struct vssd_ctrl *ctrl, uint32_t index)
{
	return (uint32_t)(ctrl->queues.seen[index / 2] >> (index % 2 ? 32 : 0));
}

/* The number of entries from one position in a queue to another. */
static uint32_t distance(uint32_t from, uint32_t to, uint32_t size)
{
	return to >= from ? to - from : size - from + to;
}

/* Whether the value differs from the last one written, and the new entries fit into the queue. */
static bool tail_is_valid(const struct vssd_sq *sq, uint32_t tail)
{
	if (tail >= sq->size || (sq->rung && tail == sq->rung_value))
		return false;
	return distance(sq->head, sq->tail, sq->size) + distance(sq->tail, tail, sq->size) < sq->size;
}

/* Change the value of a doorbell as fault rules say. True: ignore it. */
static bool is_dropped(struct vssd_ctrl *ctrl, uint16_t qid, bool is_sq, uint32_t *value)
{
	struct vssd_fault_occasion occasion = {
		.place = VSSD_FAULT_DOORBELL,
		.moment = VSSD_FAULT_ON_DOORBELL,
		.queue = qid,
		.target = !is_sq,
		.value = *value,
	};
	bool drop;

	*value = (uint32_t)vssd_faulty_value(ctrl, occasion, &drop);
	return drop;
}

static void sq_doorbell(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t tail)
{
	struct vssd_sq *sq = &ctrl->queues.sq[qid];

	if (!sq->size) {
		vssd_doorbell_clear(ctrl, 2u * qid);
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
		return;
	}
	if (vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_DOORBELL) && is_dropped(ctrl, qid, true, &tail))
		return;
	if (tail_is_valid(sq, tail))
		sq->tail = tail;
	else
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_VALUE);
	sq->rung = true;
	sq->rung_value = tail;
}

/* Whether the value differs from the last one written, and consumes no more entries than were posted. */
static bool head_is_valid(const struct vssd_cq *cq, uint32_t head)
{
	if (head >= cq->size || (cq->rung && head == cq->rung_value))
		return false;
	return distance(cq->head, head, cq->size) <= distance(cq->head, cq->tail, cq->size);
}

static void cq_doorbell(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t head)
{
	struct vssd_cq *cq = &ctrl->queues.cq[qid];

	if (!cq->size) {
		vssd_doorbell_clear(ctrl, 2u * qid + 1);
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
		return;
	}
	if (vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_DOORBELL) && is_dropped(ctrl, qid, false, &head))
		return;
	if (head_is_valid(cq, head))
		cq->head = head;
	else if (!cq->overrun)
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_VALUE);
	cq->rung = true;
	cq->rung_value = head;
}

void vssd_doorbell_ring(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value)
{
	if (index % 2)
		cq_doorbell(ctrl, (uint16_t)(index / 2), value);
	else
		sq_doorbell(ctrl, (uint16_t)(index / 2), value);
}

/* Process new values of the shadow doorbells of a QID. */
static void follow(struct vssd_ctrl *ctrl, uint16_t qid)
{
	uint32_t values[2];

	if (!vssd_shadow_read(ctrl, qid, values))
		return;
	/* The head first: it makes room for the completions of new commands. */
	if (ctrl->queues.cq[qid].size && vssd_shadow_take(ctrl, 2u * qid + 1, values[1]))
		vssd_doorbell_ring(ctrl, 2u * qid + 1, values[1]);
	if (ctrl->queues.sq[qid].size && vssd_shadow_take(ctrl, 2u * qid, values[0]))
		vssd_doorbell_ring(ctrl, 2u * qid, values[0]);
}

void vssd_doorbells_follow(struct vssd_ctrl *ctrl)
{
	for (uint16_t i = 0; i < ctrl->queues.num_active && ctrl->running; i++)
		follow(ctrl, ctrl->queues.active[i]);
}

void vssd_doorbells_changed(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t now)
{
	uint64_t changed = now ^ ctrl->queues.seen[qid];

	vssd_faults_note(ctrl->subsystem->faults, VSSD_FAULT_ON_DOORBELL);
	ctrl->queues.seen[qid] = now;
	if (__builtin_expect(ctrl->queues.shadow.on, 0) && vssd_shadow_has(ctrl, qid)) {
		follow(ctrl, qid);
		return;
	}
	if (changed >> 32)
		cq_doorbell(ctrl, qid, (uint32_t)(now >> 32));
	if ((uint32_t)changed)
		sq_doorbell(ctrl, qid, (uint32_t)now);
}

void vssd_queues_check(struct vssd_ctrl *ctrl)
{
	ctrl->queues.many.next_walk = 0;
	if (!ctrl->running)
		return;
	vssd_queues_resolve(ctrl);
	vssd_queue_check(ctrl, 0);
	vssd_doorbells_follow(ctrl);
	for (uint16_t i = 0; i < ctrl->queues.num_active; i++)
		vssd_queue_check(ctrl, ctrl->queues.active[i]);
}

static bool has_queue(const struct vssd_ctrl *ctrl, uint32_t index)
{
	uint32_t qid = index / 2;

	if (qid >= ctrl->queues.memory.count)
		return false;
	return index % 2 ? ctrl->queues.cq[qid].size : ctrl->queues.sq[qid].size;
}

/* Read a doorbell. The page may hold VSSD_DOORBELL_UNRUNG instead of the host's value. */
uint32_t vssd_doorbell_read(const struct vssd_ctrl *ctrl, uint32_t index)
{
	uint32_t value = ctrl->queues.doorbells[index];

	if (value != UNRUNG)
		return value;
	if (!has_queue(ctrl, index))
		return 0;
	return index % 2 ? ctrl->queues.cq[index / 2].rung_value : ctrl->queues.sq[index / 2].rung_value;
}

/* Process each write at once, because a second one would hide the first in the page. While the controller fetches no
 * commands, leave the value in the page for later. */
void vssd_doorbell_write(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value)
{
	uint16_t qid = (uint16_t)(index / 2);
	bool exists = has_queue(ctrl, index);

	if (exists)
		ctrl->queues.doorbells[index] = value;
	if (!ctrl->running)
		return;
	vssd_queues_resolve(ctrl);
	if (!exists) {
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
		return;
	}
	vssd_doorbell_set_seen(ctrl, index, value);
	ctrl->queues.many.left[qid / 64] |= UINT64_C(1) << qid % 64;
	if (vssd_shadow_has(ctrl, qid))
		follow(ctrl, qid);
	else
		vssd_doorbell_ring(ctrl, index, value);
}

/* Reset a doorbell, to notice if the host stores the same value again. A value that it stored meanwhile stays. */
static void arm(struct vssd_ctrl *ctrl, uint32_t index)
{
	uint32_t expected = seen(ctrl, index);

	if (expected != UNRUNG && __atomic_compare_exchange_n(&ctrl->queues.doorbells[index], &expected, UNRUNG,
							      false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		vssd_doorbell_set_seen(ctrl, index, UNRUNG);
}

static void scan(struct vssd_ctrl *ctrl, uint32_t index)
{
	uint32_t qid = index / 2;

	if (ctrl->queues.doorbells[index] == UNRUNG)
		return;
	if (qid < ctrl->queues.memory.count && (ctrl->queues.sq[qid].size || ctrl->queues.cq[qid].size)) {
		arm(ctrl, index);
		return;
	}
	vssd_doorbell_clear(ctrl, index);
	vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
}

static uint64_t differs(const volatile uint64_t *line)
{
	uint64_t found = 0;

	for (uint32_t i = 0; i < LINE_WORDS / 2; i++)
		found |= line[i] ^ UNRUNG_PAIR;
	return found;
}

/* Check a cache line at a time: nearly all are unchanged. */
void vssd_doorbells_scan(struct vssd_ctrl *ctrl)
{
	uint32_t begin = ctrl->queues.scanned, end = begin + PAGE_WORDS;

	ctrl->queues.scanned = end < ctrl->queues.num_doorbells ? end : 0;
	for (uint32_t first = begin; first < end; first += LINE_WORDS) {
		if (!differs((const volatile uint64_t *)&ctrl->queues.doorbells[first]))
			continue;
		for (uint32_t i = 0; i < LINE_WORDS; i++)
			scan(ctrl, first + i);
	}
}
