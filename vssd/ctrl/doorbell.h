/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbells: what the host stores, by message or into the shared page. */
#ifndef VSSD_CTRL_DOORBELL_H
#define VSSD_CTRL_DOORBELL_H

#include <stdint.h>

#include "vssd/ctrl/controller.h"

/* A doorbell of BAR 0 was written by message: index counts 32-bit words. */
void vssd_doorbell_write(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value);
uint32_t vssd_doorbell_read(const struct vssd_ctrl *ctrl, uint32_t index);

/* The doorbells of a QID are not what was seen last, but now: tail below, head above. */
void vssd_doorbells_changed(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t now);

/* Look at the doorbells of a QID, or of all, and post the completions of it that have fallen due. */
static inline void vssd_queue_look(struct vssd_ctrl *ctrl, uint16_t qid)
{
	struct vssd_sq *sq = &ctrl->queues.sq[qid];
	/* The entries that a doorbell announces are read after it. */
	uint64_t doorbells = __atomic_load_n((volatile uint64_t *)ctrl->queues.doorbells + qid, __ATOMIC_ACQUIRE);

	if (doorbells != ctrl->queues.seen[qid])
		vssd_doorbells_changed(ctrl, qid, doorbells);
	/* After the doorbell that makes room, and before a command is fetched: while completions of admin commands
	 * wait, none is. */
	if (__builtin_expect(sq->num_waiting > 0, 0))
		vssd_settle(ctrl, sq, ctrl->now);
}

void vssd_queues_look(struct vssd_ctrl *ctrl);

/* Doorbells that belong to no queue are shared memory as well: whoever stores into one is told, some time later. */
void vssd_doorbells_scan(struct vssd_ctrl *ctrl);

#endif
