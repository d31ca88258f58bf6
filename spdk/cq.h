/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A completion queue of the device, and the copy of it that SPDK reads. SPDK uses the CID of a completion as an index
 * and does not check it, so a device that completes a wrong one would make it read foreign memory. The device
 * therefore writes a ring that SPDK does not know, and SPDK gets from it only what was checked.
 *
 * SPDK frees entries of the device by its own position, that in the copy. An entry that is not passed on leaves it
 * one entry behind, so that the device has one entry less from then on.
 */
#ifndef PYN_SPDK_CQ_H
#define PYN_SPDK_CQ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "core/nvme/rings.h"

struct pyn_spdk_cq {
	struct pyn_rings device; /* only its completion queue is used */
	struct nvme_cpl *copy;
	uint16_t tail;   /* of the copy */
	uint16_t phase;  /* of the next entry of the copy */
	uint16_t unread; /* entries of the copy that SPDK has not read */
};

/* Start with two empty rings of so many entries. */
static inline void pyn_spdk_cq_start(struct pyn_spdk_cq *cq, struct nvme_cpl *device, struct nvme_cpl *copy,
				     uint16_t entries)
{
	memset(device, 0, entries * sizeof(*device));
	memset(copy, 0, entries * sizeof(*copy));
	*cq = (struct pyn_spdk_cq){
		.device = {.cq = device, .cq_size = entries, .phase = NVME_STATUS_P},
		.copy = copy,
		.phase = NVME_STATUS_P,
	};
}

/* Take the next completion off the device's ring. false: there is none, or no room in the copy to pass it on. */
static inline bool pyn_spdk_cq_take(struct pyn_spdk_cq *cq, struct nvme_cpl *cpl)
{
	const volatile struct nvme_cpl *entry = &cq->device.cq[cq->device.cq_head];

	if (cq->unread + 1u >= cq->device.cq_size || (entry->status & NVME_STATUS_P) != cq->device.phase)
		return false;
	/* The phase tag is read before the rest of the entry, and before the data that it announces. */
	atomic_thread_fence(memory_order_acquire);
	*cpl = pyn_rings_completion(entry);
	pyn_rings_take(&cq->device, 1);
	return true;
}

/* Pass a completion on to SPDK. */
static inline void pyn_spdk_cq_pass(struct pyn_spdk_cq *cq, const struct nvme_cpl *cpl)
{
	uint64_t *entry = (uint64_t *)&cq->copy[cq->tail], words[2];
	struct nvme_cpl passed = *cpl;

	passed.status = (uint16_t)((cpl->status & ~NVME_STATUS_P) | cq->phase);
	memcpy(words, &passed, sizeof(words));
	entry[0] = words[0];
	/* Another thread may poll the admin queue, so the half with the phase tag comes last. */
	__atomic_store_n(&entry[1], words[1], __ATOMIC_RELEASE);
	cq->unread++;
	if (++cq->tail == cq->device.cq_size) {
		cq->tail = 0;
		cq->phase ^= NVME_STATUS_P;
	}
}

/* SPDK has read `count` entries; a negative one is an error of SPDK's. */
static inline void pyn_spdk_cq_read(struct pyn_spdk_cq *cq, int count)
{
	if (count > 0)
		cq->unread = (uint16_t)(count < cq->unread ? cq->unread - count : 0);
}

#endif
