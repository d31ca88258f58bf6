/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbells. NVM Express PCIe Transport Specification 1.0, section 3.1.2; Base Specification 2.0, sections 3.1.3
 * and 5.2. */
#include "vssd/ctrl/device.h"

#include <string.h>

#define DOORBELL_WORDS (VSSD_DOORBELL_SIZE / sizeof(uint32_t))
#define LINE_WORDS 16u /* of a cache line */

/* What a doorbell holds that nobody has rung since the drive looked: another value than any host writes, so that a
 * store of 0, or of the same value again, is seen in the page. */
#define UNRUNG 0xb1d0be11u
#define UNRUNG_PAIR ((uint64_t)UNRUNG << 32 | UNRUNG)

static uint32_t seen(const struct vssd_ctrl *ctrl, uint32_t index)
{
	return (uint32_t)(ctrl->seen[index / 2] >> (index % 2 ? 32 : 0));
}

static void set_seen(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value)
{
	uint64_t half = index % 2 ? UINT64_C(0xffffffff00000000) : UINT64_C(0xffffffff);

	ctrl->seen[index / 2] = (ctrl->seen[index / 2] & ~half) | (((uint64_t)value << 32 | value) & half);
}

void vssd_doorbell_clear(struct vssd_ctrl *ctrl, uint32_t index)
{
	ctrl->doorbells[index] = UNRUNG;
	if (index / 2 < VSSD_NUM_QUEUES)
		set_seen(ctrl, index, UNRUNG);
}

void vssd_doorbells_clear(struct vssd_ctrl *ctrl)
{
	for (uint32_t i = 0; i < DOORBELL_WORDS; i++)
		vssd_doorbell_clear(ctrl, i);
}

/* Entries from one place in a queue to another. */
static uint32_t distance(uint32_t from, uint32_t to, uint32_t size)
{
	return to >= from ? to - from : size - from + to;
}

/* The value is not the one that was written last, and the entries that it adds fit behind those that wait. */
static bool tail_is_valid(const struct vssd_sq *sq, uint32_t tail)
{
	if (tail >= sq->size || (sq->rung && tail == sq->rung_value))
		return false;
	return distance(sq->head, sq->tail, sq->size) + distance(sq->tail, tail, sq->size) < sq->size;
}

static void sq_doorbell(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t tail)
{
	struct vssd_sq *sq = &ctrl->sq[qid];

	if (!sq->size) {
		vssd_doorbell_clear(ctrl, 2u * qid);
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
		return;
	}
	if (tail_is_valid(sq, tail))
		sq->tail = tail;
	else
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_VALUE);
	sq->rung = true;
	sq->rung_value = tail;
}

/* The value is not the one that was written last, and takes no more entries than there are. */
static bool head_is_valid(const struct vssd_cq *cq, uint32_t head)
{
	if (head >= cq->size || (cq->rung && head == cq->rung_value))
		return false;
	return distance(cq->head, head, cq->size) <= distance(cq->head, cq->tail, cq->size);
}

static void cq_doorbell(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t head)
{
	struct vssd_cq *cq = &ctrl->cq[qid];

	if (!cq->size) {
		vssd_doorbell_clear(ctrl, 2u * qid + 1);
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
		return;
	}
	if (head_is_valid(cq, head))
		cq->head = head;
	else
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_VALUE);
	cq->rung = true;
	cq->rung_value = head;
}

void vssd_doorbells_changed(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t now)
{
	uint64_t changed = now ^ ctrl->seen[qid];

	ctrl->seen[qid] = now;
	if (changed >> 32)
		cq_doorbell(ctrl, qid, (uint32_t)(now >> 32));
	if ((uint32_t)changed)
		sq_doorbell(ctrl, qid, (uint32_t)now);
}

static bool has_queue(const struct vssd_ctrl *ctrl, uint32_t index)
{
	uint32_t qid = index / 2;

	if (qid >= VSSD_NUM_QUEUES)
		return false;
	return index % 2 ? ctrl->cq[qid].size : ctrl->sq[qid].size;
}

/* What is there is not always what the host wrote. */
uint32_t vssd_doorbell_read(const struct vssd_ctrl *ctrl, uint32_t index)
{
	uint32_t value = ctrl->doorbells[index];

	if (value != UNRUNG)
		return value;
	if (!has_queue(ctrl, index))
		return 0;
	return index % 2 ? ctrl->cq[index / 2].rung_value : ctrl->sq[index / 2].rung_value;
}

/* A write is looked at by itself: of two in a row the second would hide the first in the page. While no command is
 * taken it stays there, and is seen later. */
void vssd_doorbell_write(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value)
{
	uint16_t qid = (uint16_t)(index / 2);
	bool is_cq = index % 2, exists = has_queue(ctrl, index);

	if (exists)
		ctrl->doorbells[index] = value;
	if (!ctrl->running)
		return;
	vssd_queues_resolve(ctrl);
	if (!exists) {
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
		return;
	}
	set_seen(ctrl, index, value);
	if (is_cq)
		cq_doorbell(ctrl, qid, value);
	else
		sq_doorbell(ctrl, qid, value);
}

/* Prepare for that a host stores the same value again. What it has stored meanwhile stays, and is seen by look(). */
static void arm(struct vssd_ctrl *ctrl, uint32_t index)
{
	uint32_t expected = seen(ctrl, index);

	if (expected != UNRUNG && __atomic_compare_exchange_n(&ctrl->doorbells[index], &expected, UNRUNG, false,
							      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		set_seen(ctrl, index, UNRUNG);
}

static void scan(struct vssd_ctrl *ctrl, uint32_t index)
{
	uint32_t qid = index / 2;

	if (ctrl->doorbells[index] == UNRUNG)
		return;
	if (qid < VSSD_NUM_QUEUES && (ctrl->sq[qid].size || ctrl->cq[qid].size)) {
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

/* A cache line at a time, as there is nothing to see in nearly all of them. */
void vssd_doorbells_scan(struct vssd_ctrl *ctrl)
{
	for (uint32_t first = 0; first < DOORBELL_WORDS; first += LINE_WORDS) {
		if (!differs((const volatile uint64_t *)&ctrl->doorbells[first]))
			continue;
		for (uint32_t i = 0; i < LINE_WORDS; i++)
			scan(ctrl, first + i);
	}
}
