/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues: their memory, doorbells and aborted entries. Base Specification 2.0, section 3.3. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vssd/ctrl/controller.h"
#include "vssd/fault/value.h"
#include "vssd/ctrl/layout.h"
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
	if (index / 2 < ctrl->queues.memory.count)
		vssd_doorbell_set_seen(ctrl, index, VSSD_DOORBELL_UNRUNG);
}

void vssd_doorbells_clear(struct vssd_ctrl *ctrl)
{
	for (uint32_t i = 0; i < ctrl->queues.num_doorbells; i++)
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
	for (uint32_t i = 0; i <= ctrl->queues.num_active; i++) {
		uint16_t qid = vssd_queue_id(&ctrl->queues, i);

		if (ctrl->queues.sq[qid].size)
			resolve_sq(ctrl, &ctrl->queues.sq[qid]);
		if (ctrl->queues.cq[qid].size)
			resolve_cq(ctrl, &ctrl->queues.cq[qid]);
	}
	ctrl->queues.generation = ctrl->bus->dma.generation;
	vssd_plain_update(ctrl);
}

static struct vssd_sq no_sq(const struct vssd_ctrl *ctrl, uint16_t qid)
{
	const struct vssd_queue_memory *memory = &ctrl->queues.memory;

	return (struct vssd_sq){
		.qid = qid,
		.waiting = memory->waiting + (size_t)qid * VSSD_WAITING_MAX,
		.aborted = memory->aborted + (size_t)qid * VSSD_ABORTED_MAX,
	};
}

/* The place of a QID among the active ones, or where it would be. */
static uint16_t find_active(const struct vssd_queues *queues, uint16_t qid)
{
	uint16_t low = 0, high = queues->num_active;

	while (low < high) {
		uint16_t middle = (uint16_t)(low + (high - low) / 2);

		if (queues->active[middle] < qid)
			low = (uint16_t)(middle + 1);
		else
			high = middle;
	}
	return low;
}

/* A queue of this QID was created or deleted. */
static void update_active(struct vssd_ctrl *ctrl, uint16_t qid)
{
	struct vssd_queues *queues = &ctrl->queues;
	uint16_t at = find_active(queues, qid);
	bool was_active = at < queues->num_active && queues->active[at] == qid;
	bool is_active = qid && (queues->sq[qid].size || queues->cq[qid].size);
	uint16_t *place = &queues->active[at];
	size_t behind = (size_t)(queues->num_active - at) * sizeof(*place);

	queues->turn = 0;
	memset(queues->turns, 0, sizeof(queues->turns));
	if (is_active && !was_active) {
		memmove(place + 1, place, behind);
		*place = qid;
		queues->num_active++;
	} else if (was_active && !is_active) {
		memmove(place, place + 1, behind - sizeof(*place));
		queues->num_active--;
	}
	vssd_queues_changed(queues);
	vssd_plain_update_queue(ctrl, qid);
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
	update_active(ctrl, qid);
}

void vssd_sq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t cqid,
		    enum vssd_priority priority)
{
	struct vssd_sq *sq = &ctrl->queues.sq[qid];

	*sq = no_sq(ctrl, qid);
	sq->iova = iova;
	sq->size = size;
	sq->cq = &ctrl->queues.cq[cqid];
	sq->priority = (uint8_t)priority;
	sq->cq->users++;
	vssd_doorbell_clear(ctrl, 2u * qid);
	vssd_shadow_created(ctrl, 2u * qid);
	resolve_sq(ctrl, sq);
	update_active(ctrl, qid);
}

void vssd_cq_delete(struct vssd_ctrl *ctrl, uint16_t qid)
{
	ctrl->queues.cq[qid] = (struct vssd_cq){.qid = qid};
	vssd_doorbell_clear(ctrl, 2u * qid + 1);
	update_active(ctrl, qid);
}

void vssd_queues_clear(struct vssd_ctrl *ctrl)
{
	for (uint32_t i = 0; i <= ctrl->queues.num_active; i++) {
		uint16_t qid = vssd_queue_id(&ctrl->queues, i);

		ctrl->queues.sq[qid] = no_sq(ctrl, qid);
		ctrl->queues.cq[qid] = (struct vssd_cq){.qid = qid};
	}
	ctrl->queues.num_active = 0;
	memset(ctrl->queues.credit, 0, sizeof(ctrl->queues.credit));
	vssd_doorbells_clear(ctrl);
	vssd_interrupts_clear(ctrl);
	ctrl->queues.weighted = false;
	vssd_queues_changed(&ctrl->queues);
	update_active(ctrl, 0);
	vssd_plain_update(ctrl);
}

/* Post the waiting completions and delete the queue. Commands that were not fetched get no completion: the host
 * deleted their queue. */
void vssd_sq_delete(struct vssd_ctrl *ctrl, uint16_t qid)
{
	struct vssd_sq *sq = &ctrl->queues.sq[qid];

	vssd_post_due(ctrl, sq, UINT64_MAX);
	vssd_interrupt_posted(ctrl, sq->cq);
	sq->cq->users--;
	*sq = no_sq(ctrl, qid);
	vssd_doorbell_clear(ctrl, 2u * qid);
	update_active(ctrl, qid);
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

static int init(struct vssd_ctrl *ctrl, struct pyn_error *err)
{
	struct vssd_queues *queues = &ctrl->queues;
	uint32_t count = vssd_layout_queues(ctrl->options);

	ctrl->interrupts.count = vssd_layout_vectors(ctrl->options);
	queues->num_doorbells = vssd_layout_doorbells(ctrl->options) / (uint32_t)sizeof(uint32_t);
	queues->memory.count = count;
	queues->memory.waiting = calloc((size_t)count * VSSD_WAITING_MAX, sizeof(*queues->memory.waiting));
	queues->memory.aborted = calloc((size_t)count * VSSD_ABORTED_MAX, sizeof(*queues->memory.aborted));
	queues->active = calloc(count, sizeof(*queues->active));
	queues->seen = calloc(count, sizeof(*queues->seen));
	queues->many.left = calloc(count / 64 + 1, sizeof(*queues->many.left));
	queues->shadow.seen = calloc(count, 2 * sizeof(*queues->shadow.seen));
	queues->sq = calloc(count, sizeof(*queues->sq));
	queues->cq = calloc(count, sizeof(*queues->cq));
	if (queues->memory.waiting && queues->memory.aborted && queues->active && queues->seen && queues->many.left &&
	    queues->shadow.seen && queues->sq && queues->cq)
		return 0;
	return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for %u queues", count - 1);
}

static void deinit(struct vssd_ctrl *ctrl)
{
	struct vssd_queues *queues = &ctrl->queues;

	free(queues->memory.waiting);
	free(queues->memory.aborted);
	free(queues->active);
	free(queues->seen);
	free(queues->many.left);
	free(queues->shadow.seen);
	free(queues->sq);
	free(queues->cq);
}

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	(void)kind;
	vssd_queues_clear(ctrl);
	ctrl->interrupts.intms = 0;
	ctrl->queues.made = false;
	ctrl->queues.granted = false;
	ctrl->queues.num_sqs = ctrl->queues.num_cqs = vssd_virtual_queues(ctrl->subsystem, &ctrl->listener);
}

const struct vssd_part vssd_queue_part = {
	.init = init, .reset = reset, .deinit = deinit, .kept = VSSD_FAULT_KEEPS_QUEUES};
