/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/env/env.h"
#include "core/env/window.h"
#include "core/nvme/cmb.h"
#include "core/nvme/ctrlr.h"
#include "core/nvme/prp.h"
#include "core/nvme/sgl.h"
#include "core/nvme/status.h"
#include "core/util/log.h"
#include "spec/nvme_field.h"

#define SLOT_ENTRIES ((size_t)PYN_PRP_ENTRIES(PYN_PRP_PAGE)) /* of the list that each slot has */

static uint8_t stride(const struct pyn_engine_qpair *queue)
{
	return (uint8_t)NVME_GET(queue->ctrlr->cap, NVME_CAP_DSTRD);
}

static unsigned num_slots(const struct pyn_engine_qpair *queue)
{
	return queue->ring.sq_size - 1u;
}

static size_t ring_bytes(uint16_t depth, size_t entry)
{
	size_t bytes = depth * entry;

	return (bytes + PYN_PRP_PAGE - 1) / PYN_PRP_PAGE * PYN_PRP_PAGE;
}

static volatile uint32_t *doorbell_map(struct pyn_pci *pci, uint32_t offset)
{
	return pci->ops->bar_map(pci, 0, offset, sizeof(uint32_t));
}

static int doorbells_find(struct pyn_engine_qpair *queue, struct pyn_error *err)
{
	struct pyn_pci *pci = queue->ctrlr->pci;
	uint32_t sq = nvme_sq_doorbell(queue->ring.qid, stride(queue));
	uint32_t cq = nvme_cq_doorbell(queue->ring.qid, stride(queue));

	/* The device chooses the stride, and the largest product does not fit into 32 bits. */
	if ((uint64_t)(2u * queue->ring.qid + 1) * (UINT64_C(4) << stride(queue)) + NVME_REG_DOORBELLS + 4 >
	    pci->bar_size)
		return pyn_error(err, PYN_ERROR_CREATE, ERANGE, "queue %u has no doorbell: BAR 0 has %#x bytes",
				 queue->ring.qid, pci->bar_size);
	queue->ring.sq_tail_doorbell = doorbell_map(pci, sq);
	queue->ring.cq_head_doorbell = doorbell_map(pci, cq);
	/* If one doorbell cannot be mapped, ring both by message. */
	if (!queue->ring.sq_tail_doorbell || !queue->ring.cq_head_doorbell)
		queue->ring.sq_tail_doorbell = queue->ring.cq_head_doorbell = NULL;
	return 0;
}

/* The shadow of a doorbell: the page has the layout of the registers. */
static volatile uint32_t *shadow_of(const struct pyn_engine_qpair *queue, uint32_t offset)
{
	return queue->ctrlr->shadow + (offset - NVME_REG_DOORBELLS) / sizeof(uint32_t);
}

static uint32_t page_of(const struct pyn_engine_qpair *queue)
{
	return pyn_dma_view_page(&queue->ctrlr->pci->view);
}

static volatile uint32_t *event_index_of(const struct pyn_engine_qpair *queue, uint32_t offset)
{
	return shadow_of(queue, offset) + page_of(queue) / sizeof(uint32_t);
}

/* Empty the shadow doorbells of a queue that is about to be created. */
static int shadow_reset(struct pyn_engine_qpair *queue, struct pyn_error *err)
{
	uint32_t offsets[] = {nvme_sq_doorbell(queue->ring.qid, stride(queue)),
			      nvme_cq_doorbell(queue->ring.qid, stride(queue))};

	if (!queue->ctrlr->shadow)
		return 0;
	if (offsets[1] >= NVME_REG_DOORBELLS + page_of(queue))
		return pyn_error(err, PYN_ERROR_CREATE, ERANGE,
				 "queue %u has no shadow doorbell: they have one page. Reset the controller to go "
				 "without them",
				 queue->ring.qid);
	for (unsigned i = 0; i < 2; i++)
		*shadow_of(queue, offsets[i]) = *event_index_of(queue, offsets[i]) = 0;
	return 0;
}

/* The memory page at which a ring must begin. The admin queue's are there before a script sets CC.MPS. */
static size_t ring_page(const struct pyn_engine_qpair *queue)
{
	return queue->ring.qid ? page_of(queue) : (size_t)PYN_PRP_PAGE << pyn_ctrlr_most_mps(queue->ctrlr);
}

/* Allocate a ring, aligned to its size: it then lies in one hugepage, contiguous also without an IOMMU. */
static void *ring_alloc(struct pyn_engine_qpair *queue, bool in_cmb, size_t bytes, struct pyn_error *err)
{
	size_t page = ring_page(queue), align = page;

	while (align < bytes)
		align *= 2;
	return in_cmb ? pyn_window_alloc(queue->window, bytes, page, err) : pyn_dma_alloc(bytes, align, err);
}

static void ring_free(struct pyn_engine_qpair *queue, bool in_cmb, void *ring, size_t bytes)
{
	if (ring && in_cmb)
		pyn_window_free(queue->window, ring, bytes);
	else
		pyn_dma_free(ring);
}

static int memory_alloc(struct pyn_engine_qpair *queue, struct pyn_error *err)
{
	struct pyn_rings *ring = &queue->ring;

	ring->sq = ring_alloc(queue, queue->cmb_sq, ring_bytes(ring->sq_size, sizeof(ring->sq[0])), err);
	if (!ring->sq)
		return -ENOMEM;
	ring->cq = ring_alloc(queue, queue->cmb_cq, ring_bytes(ring->cq_size, sizeof(ring->cq[0])), err);
	if (!ring->cq)
		return -ENOMEM;
	queue->lists = pyn_dma_alloc((size_t)num_slots(queue) * PYN_PRP_PAGE, PYN_PRP_PAGE, err);
	if (!queue->lists)
		return -ENOMEM;
	queue->more = calloc(num_slots(queue), sizeof(queue->more[0]));
	if (!queue->more)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a queue of %u entries", ring->sq_size);
	return 0;
}

/* Check that the controller allows this queue in its memory buffer, and open the buffer. */
static int cmb_ready(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config, struct pyn_error *err)
{
	struct pyn_cmb_info info;
	int rc;

	if (!config->cmb_sq && !config->cmb_cq)
		return 0;
	rc = pyn_cmb_info(ctrlr, &info, err);
	if (!rc && info.size &&
	    ((config->cmb_sq && !info.submission_queues) || (config->cmb_cq && !info.completion_queues)))
		rc = pyn_error(err, PYN_ERROR_CREATE, ENOTSUP,
			       "the controller takes no %s queues in its memory buffer (CMBSZ.%s is 0)",
			       config->cmb_sq && !info.submission_queues ? "submission" : "completion",
			       config->cmb_sq && !info.submission_queues ? "SQS" : "CQS");
	return rc ? rc : pyn_cmb_open(ctrlr, err);
}

int pyn_engine_qpair_alloc(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			   struct pyn_engine_qpair **queue, struct pyn_error *err)
{
	struct pyn_engine_qpair *made;
	int rc;

	if (config->depth < 2)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "a queue has at least 2 entries, not %u",
				 config->depth);
	rc = cmb_ready(ctrlr, config, err);
	if (rc)
		return rc;
	made = calloc(1, sizeof(*made));
	if (!made)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a queue");
	made->ctrlr = ctrlr;
	made->ring.qid = config->qid;
	made->ring.sq_size = made->ring.cq_size = config->depth;
	made->window = ctrlr->cmb;
	made->cmb_sq = config->cmb_sq;
	made->cmb_cq = config->cmb_cq;
	rc = doorbells_find(made, err);
	if (!rc)
		rc = memory_alloc(made, err);
	if (rc) {
		pyn_engine_qpair_free(made);
		return rc;
	}
	pyn_engine_qpair_reset(made);
	*queue = made;
	return 0;
}

void pyn_engine_qpair_reset(struct pyn_engine_qpair *queue)
{
	struct pyn_rings *ring = &queue->ring;

	/* Old phase bits would look like completions. */
	memset((void *)ring->cq, 0, ring->cq_size * sizeof(ring->cq[0]));
	ring->sq_next = ring->sq;
	ring->sq_end = ring->sq + ring->sq_size;
	ring->sq_rung = 0;
	ring->cq_head = ring->cq_rung = 0;
	ring->phase = NVME_STATUS_P;
}

void pyn_engine_qpair_free(struct pyn_engine_qpair *queue)
{
	if (!queue)
		return;
	for (unsigned i = 0; queue->more && i < num_slots(queue); i++)
		pyn_dma_free(queue->more[i].pages);
	free(queue->more);
	pyn_dma_free(queue->lists);
	ring_free(queue, queue->cmb_cq, (void *)queue->ring.cq,
		  ring_bytes(queue->ring.cq_size, sizeof(struct nvme_cpl)));
	ring_free(queue, queue->cmb_sq, queue->ring.sq, ring_bytes(queue->ring.sq_size, sizeof(struct nvme_cmd)));
	free(queue);
}

void pyn_engine_qpair_quarantine(struct pyn_engine_qpair *queue)
{
	pyn_quarantine_add(&queue->ctrlr->quarantine, &queue->kept, queue);
}

/* Return 0 if the command succeeded; report any other status as an error of this kind. */
static int check_status(const struct nvme_cmd *cmd, const struct nvme_cpl *cpl, enum pyn_error_kind kind,
			struct pyn_error *err)
{
	if (!NVME_SC(NVME_STATUS_SCT(cpl->status), NVME_STATUS_SC(cpl->status)))
		return 0;
	return pyn_error(err, kind, EIO, "the device refused %s %u: %s (%02x/%02x)", pyn_admin_opcode_name(cmd->opc),
			 cmd->cdw10 & 0xffffu, pyn_status_name(cpl->status), NVME_STATUS_SCT(cpl->status),
			 NVME_STATUS_SC(cpl->status));
}

/* Execute an admin command of the driver's own. */
static int execute(const struct pyn_admin *admin, const struct nvme_cmd *cmd, enum pyn_error_kind kind,
		   struct pyn_error *err)
{
	struct nvme_cpl cpl = {0};
	int rc = admin->execute(admin->context, cmd, (struct pyn_data){0}, &cpl, err);

	return rc ? rc : check_status(cmd, &cpl, kind, err);
}

static int create_cq(struct pyn_engine_qpair *queue, const struct pyn_engine_qpair_config *config,
		     const struct pyn_admin *admin, struct pyn_error *err)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_CREATE_CQ,
		.prp1 = pyn_dma_address(&queue->ctrlr->pci->view, (const void *)queue->ring.cq).value,
	};

	nvme_set_field(&cmd, NVME_FIELD_CREATE_CQ_QID, config->qid);
	nvme_set_field(&cmd, NVME_FIELD_CREATE_CQ_QSIZE, config->depth - 1u);
	nvme_set_field(&cmd, NVME_FIELD_CREATE_CQ_PC, true);
	nvme_set_field(&cmd, NVME_FIELD_CREATE_CQ_IEN, config->interrupts);
	nvme_set_field(&cmd, NVME_FIELD_CREATE_CQ_IV, config->vector);
	return execute(admin, &cmd, PYN_ERROR_CREATE, err);
}

static int create_sq(struct pyn_engine_qpair *queue, const struct pyn_engine_qpair_config *config,
		     const struct pyn_admin *admin, struct pyn_error *err)
{
	struct nvme_cmd cmd = {
		.opc = NVME_ADMIN_CREATE_SQ,
		.prp1 = pyn_dma_address(&queue->ctrlr->pci->view, queue->ring.sq).value,
	};

	nvme_set_field(&cmd, NVME_FIELD_CREATE_SQ_QID, config->qid);
	nvme_set_field(&cmd, NVME_FIELD_CREATE_SQ_QSIZE, config->depth - 1u);
	nvme_set_field(&cmd, NVME_FIELD_CREATE_SQ_PC, true);
	nvme_set_field(&cmd, NVME_FIELD_CREATE_SQ_QPRIO, config->priority);
	nvme_set_field(&cmd, NVME_FIELD_CREATE_SQ_CQID, config->qid);
	return execute(admin, &cmd, PYN_ERROR_CREATE, err);
}

/* Delete a submission queue. If the device does not have it, since a script deleted it, that is a success. */
static int delete_sq(uint16_t qid, const struct pyn_admin *admin, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_DELETE_SQ, .cdw10 = qid};
	struct nvme_cpl cpl = {0};
	int rc = admin->execute(admin->context, &cmd, (struct pyn_data){0}, &cpl, err);

	if (rc || NVME_SC(NVME_STATUS_SCT(cpl.status), NVME_STATUS_SC(cpl.status)) == NVME_SC_INVALID_QID)
		return rc;
	return check_status(&cmd, &cpl, PYN_ERROR_DELETE, err);
}

static int delete_cq(uint16_t qid, const struct pyn_admin *admin, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_DELETE_CQ, .cdw10 = qid};

	return execute(admin, &cmd, PYN_ERROR_DELETE, err);
}

/* Refuse a queue for a worker if its doorbells are rung by message: only this process has the connection. */
static int fork_check(const struct pyn_engine_qpair *queue, const struct pyn_engine_qpair_config *config,
		      struct pyn_error *err)
{
	if (!config->forked || queue->ring.sq_tail_doorbell)
		return 0;
	return pyn_error(
		err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
		"the doorbells of queue %u cannot be mapped: only the process that opened the device can ring "
		"them, and a worker is another one",
		queue->ring.qid);
}

static int config_check(const struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			struct pyn_error *err)
{
	uint32_t largest = (uint32_t)NVME_GET(ctrlr->cap, NVME_CAP_MQES) + 1;

	if (!config->qid)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "queue 0 is the admin queue");
	if (config->depth < 2 || config->depth > largest)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "a queue of %u entries: this device allows 2 to %u",
				 config->depth, largest);
	if (config->priority > 3)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "queue priority %u: must be 0 to 3",
				 config->priority);
	return 0;
}

/* Whether the command certainly created no CQ. Its memory is then freed at once: if a script kept asking a disabled
 * controller for queues, all DMA memory would be in quarantine before the next reset. */
static bool has_no_cq(int rc, enum pyn_error_kind kind)
{
	return kind == PYN_ERROR_CREATE || rc == -ENODEV || rc == -EBUSY;
}

/* Undo a creation after which the device has the CQ but not the SQ, or after which its state is unknown. */
static void create_undo(struct pyn_engine_qpair *queue, bool refused, const struct pyn_admin *admin)
{
	struct pyn_error ignored;

	if (refused && !delete_cq(queue->ring.qid, admin, &ignored))
		pyn_engine_qpair_free(queue);
	else
		pyn_engine_qpair_quarantine(queue);
}

int pyn_engine_qpair_create(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			    const struct pyn_admin *admin, struct pyn_engine_qpair **queue, struct pyn_error *err)
{
	struct pyn_error local, *why = err ? err : &local;
	struct pyn_engine_qpair *made;
	int rc;

	rc = config_check(ctrlr, config, why);
	if (!rc)
		rc = pyn_engine_qpair_alloc(ctrlr, config, &made, why);
	if (rc)
		return rc;
	rc = fork_check(made, config, why);
	if (rc) {
		pyn_engine_qpair_free(made);
		return rc;
	}
	rc = shadow_reset(made, why);
	if (rc) {
		pyn_engine_qpair_free(made);
		return rc;
	}
	rc = create_cq(made, config, admin, why);
	if (rc) {
		if (has_no_cq(rc, why->kind))
			pyn_engine_qpair_free(made);
		else
			pyn_engine_qpair_quarantine(made);
		return rc;
	}
	rc = create_sq(made, config, admin, why);
	if (rc) {
		create_undo(made, why->kind == PYN_ERROR_CREATE, admin);
		return rc;
	}
	*queue = made;
	return 0;
}

int pyn_engine_shadow(struct pyn_ctrlr *ctrlr, const struct pyn_admin *admin, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = NVME_ADMIN_DOORBELL_BUFFER_CONFIG};
	struct nvme_cpl cpl = {0};
	struct pyn_error local, *why = err ? err : &local;
	size_t page = pyn_dma_view_page(&ctrlr->pci->view);
	uint8_t *pages = pyn_dma_alloc(2 * page, page, why);
	int rc;

	if (!pages)
		return -ENOMEM;
	memset(pages, 0, 2 * page);
	cmd.prp1 = pyn_dma_address(&ctrlr->pci->view, pages).value;
	cmd.prp2 = pyn_dma_address(&ctrlr->pci->view, pages + page).value;
	rc = admin->execute(admin->context, &cmd, (struct pyn_data){0}, &cpl, why);
	if (!rc && NVME_SC(NVME_STATUS_SCT(cpl.status), NVME_STATUS_SC(cpl.status)))
		rc = pyn_error(why, PYN_ERROR_UNSUPPORTED, EIO,
			       "the device refused Doorbell Buffer Config: %s (%02x/%02x)",
			       pyn_status_name(cpl.status), NVME_STATUS_SCT(cpl.status), NVME_STATUS_SC(cpl.status));
	if (!rc) {
		pyn_dma_free((void *)ctrlr->shadow);
		ctrlr->shadow = (volatile uint32_t *)pages;
	} else if (why->kind == PYN_ERROR_UNSUPPORTED) {
		pyn_dma_free(pages);
	}
	/* After a time-out the device may still write to the pages, at any time: they are never freed. */
	return rc;
}

int pyn_engine_qpair_delete(struct pyn_engine_qpair *queue, const struct pyn_admin *admin, struct pyn_error *err)
{
	int rc = queue->sq_deleted ? 0 : delete_sq(queue->ring.qid, admin, err);

	if (rc)
		return rc;
	queue->sq_deleted = true;
	rc = delete_cq(queue->ring.qid, admin, err);
	queue->cq_deleted = !rc;
	return rc;
}

/* Extend the PRP list of a slot. The pages stay with the slot, for its next long transfer. */
static int lengthen_list(struct pyn_more_list *more, size_t count, uint32_t page, struct pyn_error *err)
{
	struct pyn_iova *pages;

	if (more->count >= count && more->page == page)
		return 0;
	pages = pyn_dma_alloc(count * page, page, err);
	if (!pages)
		return -ENOMEM;
	pyn_dma_free(more->pages);
	more->pages = pages;
	more->count = count;
	more->page = page;
	return 0;
}

/*
 * Describe data by PRPs. Each slot has a page of list, of 4 KiB. If memory pages are larger, the device reads the
 * list up to the end of the larger page: then the whole list is in pages that the slot gets when it needs them.
 */
static int describe_by_prps(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd,
			    const struct pyn_data *data, struct pyn_error *err)
{
	const struct pyn_dma_view *view = &queue->ctrlr->pci->view;
	uint32_t page = pyn_dma_view_page(view);
	struct pyn_iova *first = page == PYN_PRP_PAGE ? queue->lists + slot * SLOT_ENTRIES : NULL;
	size_t pages = pyn_prp_list_pages(view, data), more = pages - (pages && first);
	struct pyn_iova *rest;
	struct pyn_prps prps;

	if (__builtin_expect(more > 0, 0)) {
		int rc = lengthen_list(&queue->more[slot], more, page, err);

		if (rc)
			return rc;
	}
	rest = queue->more[slot].pages;
	if (!first && more) {
		first = rest;
		rest += PYN_PRP_ENTRIES(page);
	}
	prps = pyn_prp_build(view, data, queue->ctrlr->spare, first, rest);
	cmd->prp1 = prps.first.value;
	cmd->prp2 = prps.second.value;
	return 0;
}

static int describe_data(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
			 struct pyn_error *err)
{

	if (data.length > PYN_PRP_MAX_BYTES)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "%u bytes in one command: at most %u are possible",
				 data.length, PYN_PRP_MAX_BYTES);
	if (data.length && !pyn_dma_address(&queue->ctrlr->pci->view, data.address).value)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EFAULT,
				 "the device cannot reach this buffer: it is in the memory of another device");
	if (data.sgl)
		return pyn_sgl_describe(&queue->ctrlr->pci->view, &data, queue->lists + slot * SLOT_ENTRIES, cmd,
					err);
	return describe_by_prps(queue, slot, cmd, &data, err);
}

int pyn_engine_qpair_submit(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
			    struct pyn_error *err)
{
	if (slot >= num_slots(queue))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "queue %u has %u slots, no slot %u",
				 queue->ring.qid, num_slots(queue), slot);
	if (data.address && (data.length || data.transfer)) {
		int rc = describe_data(queue, slot, cmd, data, err);

		if (rc)
			return rc;
	}
	cmd->cid = slot;
	*pyn_rings_put(&queue->ring) = *cmd;
	return 0;
}

/* Ring a doorbell of a BAR that is not mapped. A failure is only logged: the device is gone, and waiting for a
 * completion reports that. */
static void doorbell_by_message(struct pyn_engine_qpair *queue, uint32_t offset, uint16_t value)
{
	struct pyn_error err;

	if (pyn_reg_write32(queue->ctrlr->pci, offset, value, &err))
		pyn_log(PYN_LOG_WARNING, "doorbell of queue %u: %s", queue->ring.qid, err.text);
}

/* Store a value in the shadow of a doorbell. Returns whether the device wants a ring as well: the doorbell passes its
 * EventIdx. */
static bool passes_event(struct pyn_engine_qpair *queue, uint32_t offset, uint16_t old, uint16_t value)
{
	uint16_t event;

	/* The entries come before the value that announces them; the device stores an EventIdx before it looks again.
	 */
	atomic_thread_fence(memory_order_release);
	*shadow_of(queue, offset) = value;
	atomic_thread_fence(memory_order_seq_cst);
	event = (uint16_t)*event_index_of(queue, offset);
	return (uint16_t)(value - event - 1) < (uint16_t)(value - old);
}

/* Set a doorbell by its shadow, and ring it only if the device asks for it. */
static void ring_by_shadow(struct pyn_engine_qpair *queue, uint32_t offset, volatile uint32_t *doorbell, uint16_t old,
			   uint16_t value)
{
	if (!passes_event(queue, offset, old, value))
		return;
	if (doorbell)
		*doorbell = value;
	else
		doorbell_by_message(queue, offset, value);
}

static bool has_shadow(const struct pyn_engine_qpair *queue)
{
	return queue->ctrlr->shadow && queue->ring.qid;
}

void pyn_engine_qpair_ring(struct pyn_engine_qpair *queue)
{
	struct pyn_rings *ring = &queue->ring;

	if (__builtin_expect(has_shadow(queue), 0)) {
		uint16_t old = ring->sq_rung;

		ring->sq_rung = pyn_rings_tail(ring);
		if (ring->sq_rung != old)
			ring_by_shadow(queue, nvme_sq_doorbell(ring->qid, stride(queue)), ring->sq_tail_doorbell, old,
				       ring->sq_rung);
	} else if (ring->sq_tail_doorbell) {
		pyn_rings_submit(ring);
	} else if (ring->sq_rung != pyn_rings_tail(ring)) {
		ring->sq_rung = pyn_rings_tail(ring);
		doorbell_by_message(queue, nvme_sq_doorbell(ring->qid, stride(queue)), ring->sq_rung);
	}
}

static void queue_release(struct pyn_engine_qpair *queue)
{
	struct pyn_rings *ring = &queue->ring;

	/* Completions left in a deleted queue are still reaped, but its doorbell is invalid: the device would report
	 * a write to it. */
	if (queue->cq_deleted || !queue->ctrlr->enabled)
		return;
	if (__builtin_expect(has_shadow(queue), 0)) {
		uint16_t old = ring->cq_rung;

		ring->cq_rung = ring->cq_head;
		if (ring->cq_rung != old)
			ring_by_shadow(queue, nvme_cq_doorbell(ring->qid, stride(queue)), ring->cq_head_doorbell, old,
				       ring->cq_rung);
	} else if (ring->cq_head_doorbell) {
		pyn_rings_release(ring);
	} else if (ring->cq_rung != ring->cq_head) {
		ring->cq_rung = ring->cq_head;
		doorbell_by_message(queue, nvme_cq_doorbell(ring->qid, stride(queue)), ring->cq_head);
	}
}

/* Reap the new completions up to the end of the ring. */
static unsigned take(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max)
{
	const volatile struct nvme_cpl *entry = &queue->ring.cq[queue->ring.cq_head];
	unsigned count = pyn_rings_ready(&queue->ring, max);

	for (unsigned i = 0; i < count; i++) {
		completions[i].cpl = pyn_rings_completion(entry + i);
		completions[i].slot = completions[i].cpl.cid < num_slots(queue) ? completions[i].cpl.cid : UINT16_MAX;
	}
	pyn_rings_take(&queue->ring, count);
	return count;
}

unsigned pyn_engine_qpair_poll(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max)
{
	unsigned count = take(queue, completions, max);

	if (count && queue->ring.cq_head == 0)
		count += take(queue, completions + count, max - count);
	if (count)
		queue_release(queue);
	return count;
}

struct pyn_rings *pyn_engine_qpair_rings(struct pyn_engine_qpair *queue)
{
	return queue->ring.sq_tail_doorbell && !has_shadow(queue) ? &queue->ring : NULL;
}
