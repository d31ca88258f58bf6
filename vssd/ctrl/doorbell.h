/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbells, which the host writes by a message or by a store to the shared page. */
#ifndef VSSD_CTRL_DOORBELL_H
#define VSSD_CTRL_DOORBELL_H

#include <stdint.h>

#include "vssd/ctrl/controller.h"

/* Access a doorbell of BAR 0 for a message. index counts 32-bit words. */
void vssd_doorbell_write(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value);
uint32_t vssd_doorbell_read(const struct vssd_ctrl *ctrl, uint32_t index);

/* Process new values of both doorbells of a QID. now: the tail in the lower half, the head in the upper half. */
void vssd_doorbells_changed(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t now);

/* Check the doorbells of a QID, or of all QIDs, and post the completions that are due. */
static inline void vssd_queue_check(struct vssd_ctrl *ctrl, uint16_t qid)
{
	struct vssd_sq *sq = &ctrl->queues.sq[qid];
	/* Acquire: read a doorbell before the entries that it announces. */
	uint64_t doorbells = __atomic_load_n((volatile uint64_t *)ctrl->queues.doorbells + qid, __ATOMIC_ACQUIRE);

	if (doorbells != ctrl->queues.seen[qid])
		vssd_doorbells_changed(ctrl, qid, doorbells);
	/* Post after the doorbell that makes room and before a command is fetched, because no admin command is
	 * fetched while admin completions wait. */
	if (__builtin_expect(sq->num_waiting > 0, 0))
		vssd_post_due(ctrl, sq, ctrl->now);
}

void vssd_queues_check(struct vssd_ctrl *ctrl);

/* Process new values of the shadow doorbells of all I/O queues. Does nothing if they are off. */
void vssd_doorbells_follow(struct vssd_ctrl *ctrl);

/* Process a value of a doorbell of a queue that exists. */
void vssd_doorbell_ring(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value);

/* Check one page of doorbells, and the next one in the next call, less often than vssd_queues_check(): reset the
 * doorbells of queues so that the host can store the same value again, and report writes to other doorbells as an
 * asynchronous event. */
void vssd_doorbells_scan(struct vssd_ctrl *ctrl);

#endif
