/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A submission and a completion queue as two rings in DMA memory. Only this code touches queue entries and mapped
 * doorbells; queue.c writes those that are not mapped. It is inline for the worker's loop. Only one thread at a time
 * may use a ring.
 *
 * The caller never has more than sq_size - 1 commands in flight, so the submission queue is never full, and nothing
 * here checks for it.
 */
#ifndef PYN_NVME_RINGS_H
#define PYN_NVME_RINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_cmd.h"

struct pyn_rings {
	struct nvme_cmd *sq;          /* sq_size entries */
	struct nvme_cmd *sq_next;     /* the next free entry; the device has been told of those before sq_rung */
	struct nvme_cmd *sq_end;      /* after the last entry */
	volatile struct nvme_cpl *cq; /* cq_size entries, written by the device */
	volatile uint32_t *sq_tail_doorbell; /* NULL: the BAR is not mapped, and the engine rings by message */
	volatile uint32_t *cq_head_doorbell;
	uint16_t sq_size;
	uint16_t cq_size;
	uint16_t sq_rung;
	uint16_t cq_head; /* the next entry to reap; the device has been told of those before cq_rung */
	uint16_t cq_rung;
	uint16_t phase; /* phase tag of a new completion in this pass: 1 or 0 */
	uint16_t qid;
};

/* Half a command. The compiler moves it in one piece if the processor can. */
typedef uint64_t pyn_half_cmd __attribute__((vector_size(32), aligned(8)));

/* Write a copy of like, with another SLBA, into a queue entry and into a log entry. Reads like only once. */
static inline void pyn_cmd_write(struct nvme_cmd *entry, struct nvme_cmd *log, const struct nvme_cmd *like,
				 uint64_t slba)
{
	const pyn_half_cmd *from = (const pyn_half_cmd *)like;
	pyn_half_cmd low = from[0], high = from[1];

	((pyn_half_cmd *)entry)[0] = low;
	((pyn_half_cmd *)entry)[1] = high;
	*(uint64_t *)&entry->cdw10 = slba;
	((pyn_half_cmd *)log)[0] = low;
	((pyn_half_cmd *)log)[1] = high;
	*(uint64_t *)&log->cdw10 = slba;
}

/* Take the next free entry of the submission queue, for the caller to fill. The device sees it after
 * pyn_rings_submit. */
static inline struct nvme_cmd *pyn_rings_put(struct pyn_rings *ring)
{
	struct nvme_cmd *entry = ring->sq_next;

	ring->sq_next = entry + 1 == ring->sq_end ? ring->sq : entry + 1;
	return entry;
}

/* The value for the submission queue's tail doorbell. */
static inline uint16_t pyn_rings_tail(const struct pyn_rings *ring)
{
	return (uint16_t)(ring->sq_next - ring->sq);
}

/* Tell the device about all commands put since the last call, with one store for the whole batch. */
static inline void pyn_rings_submit(struct pyn_rings *ring)
{
	uint16_t tail = pyn_rings_tail(ring);

	if (ring->sq_rung == tail)
		return;
	ring->sq_rung = tail;
	/* The entries (and PRP lists, and data) must be in memory before the device is told of them. */
	atomic_thread_fence(memory_order_release);
	*ring->sq_tail_doorbell = tail;
}

/* Number of new completions from cq[cq_head] up to the end of the ring, at most max. Call it again after
 * pyn_rings_take for those at the start of the ring. */
static inline unsigned pyn_rings_ready(const struct pyn_rings *ring, unsigned max)
{
	const volatile struct nvme_cpl *first = &ring->cq[ring->cq_head], *entry = first, *end;
	unsigned to_end = (unsigned)(ring->cq_size - ring->cq_head);
	uint16_t phase = ring->phase;

	end = first + (max < to_end ? max : to_end);
	while (entry != end && (entry->status & NVME_STATUS_P) == phase)
		entry++;
	/* The phase bits are read before the rest of the entries, and before the data that they announce. */
	atomic_thread_fence(memory_order_acquire);
	return (unsigned)(entry - first);
}

/* Copy a completion. Each word is read only once, since a device may write anything at any time. */
static inline struct nvme_cpl pyn_rings_completion(const volatile struct nvme_cpl *entry)
{
	const volatile uint64_t *words = (const volatile uint64_t *)entry;
	union {
		uint64_t words[2];
		struct nvme_cpl cpl;
	} copy = {{words[0], words[1]}};

	return copy.cpl;
}

/* Move past the first count completions. */
static inline void pyn_rings_take(struct pyn_rings *ring, unsigned count)
{
	ring->cq_head = (uint16_t)(ring->cq_head + count);
	if (ring->cq_head == ring->cq_size) {
		ring->cq_head = 0;
		ring->phase ^= NVME_STATUS_P;
	}
}

/* Tell the device that the entries taken since the last call are free. */
static inline void pyn_rings_release(struct pyn_rings *ring)
{
	if (ring->cq_rung == ring->cq_head)
		return;
	ring->cq_rung = ring->cq_head;
	/* Our loads of the entries come before the device may overwrite them. */
	atomic_thread_fence(memory_order_release);
	*ring->cq_head_doorbell = ring->cq_head;
}

#endif
