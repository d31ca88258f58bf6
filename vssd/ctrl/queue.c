/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues: their memory, doorbells and aborted entries. Base Specification 2.0, section 3.3. */
#include <string.h>

#include "vssd/ctrl/controller.h"
#include "vssd/fault/value.h"
#include "vssd/ctrl/plain.h"

/* ---- doorbells that nobody has rung ---- */

void vssd_doorbell_set_seen(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value)
{
	uint64_t half = index % 2 ? UINT64_C(0xffffffff00000000) : UINT64_C(0xffffffff);
	uint64_t *seen = &ctrl->queues.seen[index / 2];

	*seen = (*seen & ~half) | (((uint64_t)value << 32 | value) & half);
}

void vssd_doorbell_clear(struct vssd_ctrl *ctrl, uint32_t index)
{
	ctrl->queues.doorbells[index] = VSSD_DOORBELL_UNRUNG;
	if (index / 2 < VSSD_NUM_QUEUES)
		vssd_doorbell_set_seen(ctrl, index, VSSD_DOORBELL_UNRUNG);
}

void vssd_doorbells_clear(struct vssd_ctrl *ctrl)
{
	for (uint32_t i = 0; i < VSSD_DOORBELL_WORDS; i++)
		vssd_doorbell_clear(ctrl, i);
}

/* ---- creating and deleting ---- */

/* Translate a queue's memory for direct access. NULL: entries must be copied one by one, because the memory spans
 * several regions, is accessed by messages, or is not aligned in this process. */
static void *resolve(struct vssd_ctrl *ctrl, uint64_t iova, uint64_t length, uint32_t flags)
{
	void *entries = vssd_dma_pointer(&ctrl->bus->dma, iova, length, flags);

	return (uintptr_t)entries % _Alignof(struct nvme_cmd) ? NULL : entries;
}

static void resolve_sq(struct vssd_ctrl *ctrl, struct vssd_sq *sq)
{
	sq->entries = resolve(ctrl, sq->iova, (uint64_t)sq->size * sizeof(struct nvme_cmd), VSSD_DMA_READ);
}

static void resolve_cq(struct vssd_ctrl *ctrl, struct vssd_cq *cq)
{
	cq->entries = resolve(ctrl, cq->iova, (uint64_t)cq->size * sizeof(struct nvme_cpl), VSSD_DMA_WRITE);
}

void vssd_queues_resolve(struct vssd_ctrl *ctrl)
{
	if (ctrl->queues.generation == ctrl->bus->dma.generation)
		return;
	for (unsigned i = 0; i < VSSD_NUM_QUEUES; i++) {
		if (ctrl->queues.sq[i].size)
			resolve_sq(ctrl, &ctrl->queues.sq[i]);
		if (ctrl->queues.cq[i].size)
			resolve_cq(ctrl, &ctrl->queues.cq[i]);
	}
	ctrl->queues.generation = ctrl->bus->dma.generation;
	vssd_plain_update(ctrl);
}

static void update_active(struct vssd_ctrl *ctrl)
{
	ctrl->queues.num_active = 0;
	ctrl->queues.turn = 0;
	memset(ctrl->queues.turns, 0, sizeof(ctrl->queues.turns));
	for (uint16_t qid = 1; qid < VSSD_NUM_QUEUES; qid++)
		if (ctrl->queues.sq[qid].size || ctrl->queues.cq[qid].size)
			ctrl->queues.active[ctrl->queues.num_active++] = qid;
	vssd_plain_update(ctrl);
}

void vssd_cq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t vector,
		    bool interrupts)
{
	struct vssd_cq *cq = &ctrl->queues.cq[qid];

	*cq = (struct vssd_cq){
		.iova = iova, .size = size, .phase = 1, .qid = qid, .vector = vector, .interrupts = interrupts};
	vssd_doorbell_clear(ctrl, 2u * qid + 1);
	vssd_shadow_created(ctrl, 2u * qid + 1);
	resolve_cq(ctrl, cq);
	update_active(ctrl);
}

void vssd_sq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t cqid,
		    enum vssd_priority priority)
{
	struct vssd_sq *sq = &ctrl->queues.sq[qid];

	*sq = (struct vssd_sq){
		.iova = iova, .size = size, .qid = qid, .cq = &ctrl->queues.cq[cqid], .priority = (uint8_t)priority};
	sq->cq->users++;
	vssd_doorbell_clear(ctrl, 2u * qid);
	vssd_shadow_created(ctrl, 2u * qid);
	resolve_sq(ctrl, sq);
	update_active(ctrl);
}

void vssd_cq_delete(struct vssd_ctrl *ctrl, uint16_t qid)
{
	ctrl->queues.cq[qid].size = 0;
	vssd_doorbell_clear(ctrl, 2u * qid + 1);
	update_active(ctrl);
}

void vssd_queues_clear(struct vssd_ctrl *ctrl)
{
	memset(ctrl->queues.sq, 0, sizeof(ctrl->queues.sq));
	memset(ctrl->queues.cq, 0, sizeof(ctrl->queues.cq));
	memset(ctrl->queues.credit, 0, sizeof(ctrl->queues.credit));
	vssd_doorbells_clear(ctrl);
	vssd_interrupts_clear(ctrl);
	ctrl->queues.weighted = false;
	update_active(ctrl);
}

/* Post the waiting completions and delete the queue. Commands that were not fetched get no completion: the host
 * deleted their queue. */
void vssd_sq_delete(struct vssd_ctrl *ctrl, uint16_t qid)
{
	struct vssd_sq *sq = &ctrl->queues.sq[qid];

	vssd_post_due(ctrl, sq, UINT64_MAX);
	vssd_interrupt_posted(ctrl, sq->cq);
	sq->cq->users--;
	*sq = (struct vssd_sq){.qid = qid};
	vssd_doorbell_clear(ctrl, 2u * qid);
	update_active(ctrl);
}

/* ---- entries ---- */

bool vssd_sq_read(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint32_t entry, struct nvme_cmd *cmd)
{
	return vssd_bus_read(ctrl->bus, sq->iova + (uint64_t)entry * sizeof(*cmd), cmd, sizeof(*cmd)) == 0;
}

bool vssd_sq_is_aborted(const struct vssd_sq *sq, uint32_t entry)
{
	for (uint16_t i = 0; i < sq->num_aborted; i++)
		if (sq->aborted[i] == entry)
			return true;
	return false;
}

void vssd_sq_mark_aborted(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t entry)
{
	sq->aborted[sq->num_aborted++] = entry;
	vssd_plain_update(ctrl);
}

bool vssd_sq_unmark_aborted(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t entry)
{
	for (uint16_t i = 0; i < sq->num_aborted; i++)
		if (sq->aborted[i] == entry) {
			sq->aborted[i] = sq->aborted[--sq->num_aborted];
			vssd_plain_update(ctrl);
			return true;
		}
	return false;
}

/* ---- the part ---- */

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	(void)kind;
	vssd_queues_clear(ctrl);
	ctrl->interrupts.intms = 0;
	ctrl->queues.made = false;
	ctrl->queues.granted = false;
	ctrl->queues.num_sqs = ctrl->queues.num_cqs = vssd_virtual_queues(ctrl->subsystem, &ctrl->listener);
}

const struct vssd_part vssd_queue_part = {.reset = reset, .kept = VSSD_FAULT_KEEPS_QUEUES};
