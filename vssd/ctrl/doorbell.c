/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbells. NVM Express PCIe Transport Specification 1.0, section 3.1.2; Base Specification 2.0, section 5.2. */
#include "vssd/ctrl/device.h"

#include <string.h>

#define DOORBELL_WORDS (VSSD_DOORBELL_SIZE / sizeof(uint32_t))
#define LINE_WORDS 16u /* of a cache line */

void vssd_doorbell_clear(struct vssd_ctrl *ctrl, uint32_t index)
{
	uint64_t half = index % 2 ? UINT64_C(0xffffffff00000000) : UINT64_C(0xffffffff);

	ctrl->doorbells[index] = 0;
	if (index / 2 < VSSD_NUM_QUEUES)
		ctrl->seen[index / 2] &= ~half;
}

void vssd_doorbells_clear(struct vssd_ctrl *ctrl)
{
	memset(ctrl->seen, 0, sizeof(ctrl->seen));
	for (uint32_t i = 0; i < DOORBELL_WORDS; i++)
		ctrl->doorbells[i] = 0;
}

static void sq_doorbell(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t tail)
{
	struct vssd_sq *sq = &ctrl->sq[qid];

	if (!sq->size) {
		vssd_doorbell_clear(ctrl, 2u * qid);
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
	} else if (tail >= sq->size) {
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_VALUE);
	} else {
		sq->tail = tail;
	}
}

static uint32_t outstanding(const struct vssd_cq *cq)
{
	return cq->tail >= cq->head ? cq->tail - cq->head : cq->size - cq->head + cq->tail;
}

static void cq_doorbell(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t head)
{
	struct vssd_cq *cq = &ctrl->cq[qid];
	uint32_t consumed;

	if (!cq->size) {
		vssd_doorbell_clear(ctrl, 2u * qid + 1);
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
		return;
	}
	consumed = head >= cq->head ? head - cq->head : cq->size - cq->head + head;
	if (head >= cq->size || consumed > outstanding(cq))
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_VALUE);
	else
		cq->head = head;
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

/* A write is looked at by itself: of two in a row the second would hide the first in the page. While no command is
 * taken it stays there, and is seen later. */
void vssd_doorbell_write(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value)
{
	uint16_t qid = (uint16_t)(index / 2);
	bool is_cq = index % 2, exists = false;

	if (qid < VSSD_NUM_QUEUES)
		exists = is_cq ? ctrl->cq[qid].size : ctrl->sq[qid].size;
	if (exists)
		ctrl->doorbells[index] = value;
	if (!ctrl->running)
		return;
	vssd_queues_resolve(ctrl);
	if (!exists) {
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
	} else if (is_cq) {
		ctrl->seen[qid] = (ctrl->seen[qid] & UINT32_MAX) | (uint64_t)value << 32;
		cq_doorbell(ctrl, qid, value);
	} else {
		ctrl->seen[qid] = (ctrl->seen[qid] & ~(uint64_t)UINT32_MAX) | value;
		sq_doorbell(ctrl, qid, value);
	}
}

static void check_unowned(struct vssd_ctrl *ctrl, uint32_t index)
{
	uint32_t qid = index / 2;

	if (ctrl->doorbells[index] == 0)
		return;
	if (qid < VSSD_NUM_QUEUES && (ctrl->sq[qid].size || ctrl->cq[qid].size))
		return;
	vssd_doorbell_clear(ctrl, index);
	vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
}

/* A cache line at a time, as there is nothing to see in nearly all of them. */
void vssd_doorbells_scan(struct vssd_ctrl *ctrl)
{
	for (uint32_t first = 0; first < DOORBELL_WORDS; first += LINE_WORDS) {
		const volatile uint64_t *line = (const volatile uint64_t *)&ctrl->doorbells[first];

		if ((line[0] | line[1] | line[2] | line[3] | line[4] | line[5] | line[6] | line[7]) == 0)
			continue;
		for (uint32_t i = 0; i < LINE_WORDS; i++)
			check_unowned(ctrl, first + i);
	}
}
