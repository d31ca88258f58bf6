/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A submission and a completion queue as two rings in DMA memory: the only code that touches queue entries and
 * doorbells. Inline, because the worker's loop is made of it. One thread at a time uses a ring.
 *
 * The caller never has more than sq_size - 1 commands in flight, so a full submission queue cannot happen
 * and nothing here checks for it.
 */
#ifndef PYN_NVME_RING_H
#define PYN_NVME_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_cmd.h"

struct pyn_ring {
	struct nvme_cmd *sq;                 /* sq_size entries */
	volatile struct nvme_cpl *cq;        /* cq_size entries, the device writes them */
	volatile uint32_t *sq_tail_doorbell; /* NULL: this BAR is not mapped, the engine rings by message */
	volatile uint32_t *cq_head_doorbell;
	uint16_t sq_size;
	uint16_t cq_size;
	uint16_t sq_tail; /* the next free entry; the device knows of those before sq_rung */
	uint16_t sq_rung;
	uint16_t cq_head; /* the next entry to look at; the device knows of those before cq_rung */
	uint16_t cq_rung;
	uint16_t phase; /* of a new completion in this pass: 1 or 0 */
	uint16_t qid;
};

/* Copy one command into the submission queue. The device sees it after pyn_ring_submit. */
static inline void pyn_ring_put(struct pyn_ring *ring, const struct nvme_cmd *cmd)
{
	ring->sq[ring->sq_tail] = *cmd;
	ring->sq_tail = (uint16_t)(ring->sq_tail + 1) == ring->sq_size ? 0 : (uint16_t)(ring->sq_tail + 1);
}

/* Tell the device about all commands put since the last time: one store for a whole batch. */
static inline void pyn_ring_submit(struct pyn_ring *ring)
{
	if (ring->sq_rung == ring->sq_tail)
		return;
	ring->sq_rung = ring->sq_tail;
	/* The entries (and PRP lists, and data) must be in memory before the device is told of them. */
	atomic_thread_fence(memory_order_release);
	*ring->sq_tail_doorbell = ring->sq_tail;
}

/* Take the next new completion. False: there is none. */
static inline bool pyn_ring_take(struct pyn_ring *ring, struct nvme_cpl *cpl)
{
	volatile struct nvme_cpl *entry = &ring->cq[ring->cq_head];
	uint16_t status = entry->status;

	if ((status & NVME_STATUS_P) != ring->phase)
		return false;
	/* The phase bit is read before the rest of the entry, and before the data that it announces. */
	atomic_thread_fence(memory_order_acquire);
	cpl->cdw0 = entry->cdw0;
	cpl->cdw1 = entry->cdw1;
	cpl->sqhd = entry->sqhd;
	cpl->sqid = entry->sqid;
	cpl->cid = entry->cid;
	cpl->status = status;
	if (++ring->cq_head == ring->cq_size) {
		ring->cq_head = 0;
		ring->phase ^= 1;
	}
	return true;
}

/* Give the entries taken since the last time back to the device. */
static inline void pyn_ring_release(struct pyn_ring *ring)
{
	if (ring->cq_rung == ring->cq_head)
		return;
	ring->cq_rung = ring->cq_head;
	/* Our loads of the entries come before the device may overwrite them. */
	atomic_thread_fence(memory_order_release);
	*ring->cq_head_doorbell = ring->cq_head;
}

#endif
