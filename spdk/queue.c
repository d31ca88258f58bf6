/* SPDX-License-Identifier: BSD-3-Clause */
/* Queue pairs. The rings of an IO queue are memory of ours, so that what SPDK has put there can be read, and what the
 * device completes can be checked. */
#include "spdk/private.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <spdk/env.h>
#include <spdk/nvme.h>

#include "core/env/env.h"
#include "core/nvme/regs.h"
#include "core/nvme/status.h"
#include "core/util/clock.h"

#define PAGE 4096u
#define NS_PER_MS UINT64_C(1000000)
#define LOOK_NS UINT64_C(100000000) /* between two checks of the controller meanwhile */

/* ---- memory ---- */

static void queue_memory_free(struct pyn_engine_qpair *queue)
{
	for (uint16_t slot = 0; queue->commands && slot < queue->slots; slot++)
		pyn_dma_free(queue->commands[slot].list);
	free(queue->commands);
	free(queue->done.entries);
	free(queue->waiting.slots);
	free(queue->ring.cids);
	free(queue->ring.completions.copy);
	pyn_dma_free(queue->ring.cq);
	if (queue->qid)
		pyn_dma_free(queue->ring.sq);
	free(queue);
}

struct pyn_engine_qpair *pyn_spdk_queue_alloc(struct pyn_ctrlr *ctrlr, uint16_t qid, uint16_t slots,
					      struct pyn_error *err)
{
	struct pyn_engine_qpair *queue = calloc(1, sizeof(*queue));

	if (queue) {
		queue->commands = calloc(slots, sizeof(queue->commands[0]));
		queue->done.entries = calloc(slots, sizeof(queue->done.entries[0]));
		queue->waiting.slots = calloc(slots, sizeof(queue->waiting.slots[0]));
	}
	if (!queue || !queue->commands || !queue->done.entries || !queue->waiting.slots) {
		if (queue)
			queue_memory_free(queue);
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for queue %u", qid);
		return NULL;
	}
	queue->ctrlr = ctrlr;
	queue->qid = qid;
	queue->slots = slots;
	for (uint16_t slot = 0; slot < slots; slot++) {
		queue->commands[slot].queue = queue;
		queue->commands[slot].slot = slot;
	}
	return queue;
}

static void *ring_alloc(size_t bytes, struct pyn_error *err)
{
	size_t align = PAGE;

	while (align < bytes)
		align *= 2;
	return pyn_dma_alloc(bytes, align, err);
}

static int rings_alloc(struct pyn_engine_qpair *queue, uint16_t entries, struct pyn_error *err)
{
	struct nvme_cpl *copy = calloc(entries, sizeof(*copy));

	queue->ring.entries = entries;
	queue->ring.completions.copy = copy;
	queue->ring.cids = calloc(entries, sizeof(*queue->ring.cids));
	if (!copy || !queue->ring.cids)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for queue %u", queue->qid);
	queue->ring.sq = ring_alloc(entries * sizeof(*queue->ring.sq), err);
	queue->ring.cq = queue->ring.sq ? ring_alloc(entries * sizeof(*copy), err) : NULL;
	if (!queue->ring.cq)
		return -ENOMEM;
	pyn_spdk_cq_start(&queue->ring.completions, queue->ring.cq, copy, entries);
	return 0;
}

/* The device's address of the ring that it writes. */
static uint64_t cq_address(const struct pyn_engine_qpair *queue)
{
	if (spdk_nvme_ctrlr_get_transport_id(queue->ctrlr->spdk)->trtype == SPDK_NVME_TRANSPORT_PCIE)
		return spdk_vtophys(queue->ring.cq, NULL);
	return pyn_dma_iova(queue->ring.cq).value;
}

/* ---- creation ---- */

/* Whether the controller takes commands at all. */
static int ready_check(struct pyn_ctrlr *ctrlr, struct pyn_error *err)
{
	uint32_t csts = 0;
	int rc = 0;

	if (!ctrlr->pci->ops->alive(ctrlr->pci))
		return pyn_error(err, PYN_ERROR_GONE, ENODEV, "the drive is gone");
	if (ctrlr->enabled && !ctrlr->off)
		rc = pyn_reg_read32(ctrlr->pci, NVME_REG_CSTS, &csts, err);
	if (rc || NVME_GET(csts, NVME_CSTS_RDY))
		return rc;
	return pyn_error(err, PYN_ERROR_STATE, ENODEV, "the controller is not enabled%s",
			 ctrlr->off ? ": reset it" : "");
}

static int config_check(const struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			struct pyn_error *err)
{
	if (!ctrlr->doorbells.is_pcie && !pyn_spdk_has_doorbells(config->qid, ctrlr->doorbells.dstrd))
		return pyn_engine_withholds(PYN_CAN_MANY_QUEUES, err);
	if (config->cmb_sq || config->cmb_cq)
		return pyn_engine_withholds(PYN_CAN_CMB, err);
	if (config->depth < 2)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "a queue has at least 2 entries, not %u",
				 config->depth);
	if (config->priority > 3)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "queue priority %u: must be 0 to 3",
				 config->priority);
	return 0;
}

static uint32_t most_entries(struct pyn_ctrlr *ctrlr)
{
	return spdk_nvme_ctrlr_get_regs_cap(ctrlr->spdk).bits.mqes + 1u;
}

/* Check against CAP.MQES, beyond which the device would refuse. */
static int depth_check(struct pyn_ctrlr *ctrlr, uint16_t depth, struct pyn_error *err)
{
	uint32_t largest = most_entries(ctrlr);

	if (depth <= largest)
		return 0;
	return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "a queue of %u entries: this device allows 2 to %u", depth,
			 largest);
}

/* The entries of the rings. SPDK keeps a quarter of a ring empty. The rings of an IO worker are so much larger, so
 * that the device has as many commands as the worker sends, as far as CAP.MQES allows. */
static uint16_t entries_of(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config)
{
	uint32_t commands = config->depth - 1u, kept = commands / 3 + 1;
	uint32_t entries = commands + (kept < PYN_SPDK_MOST_EMPTY ? kept : PYN_SPDK_MOST_EMPTY);

	if (!config->forked)
		return config->depth;
	return (uint16_t)(entries < most_entries(ctrlr) ? entries : most_entries(ctrlr));
}

static struct spdk_nvme_io_qpair_opts options_of(const struct pyn_engine_qpair *queue,
						 const struct pyn_engine_qpair_config *config)
{
	struct spdk_nvme_io_qpair_opts options;

	spdk_nvme_ctrlr_get_default_io_qpair_opts(queue->ctrlr->spdk, &options, sizeof(options));
	options.qprio = config->priority;
	options.io_queue_size = queue->ring.entries;
	options.io_queue_requests = queue->ring.entries;
	options.delay_cmd_submit = config->forked;
	options.async_mode = true;
	options.sq.vaddr = (struct spdk_nvme_cmd *)queue->ring.sq;
	options.sq.buffer_size = queue->ring.entries * sizeof(*queue->ring.sq);
	options.cq.vaddr = (struct spdk_nvme_cpl *)queue->ring.completions.copy;
	options.cq.paddr = cq_address(queue);
	options.cq.buffer_size = queue->ring.entries * sizeof(struct nvme_cpl);
	return options;
}

/* Let SPDK make the queue with this QID. SPDK takes the lowest one that it holds for free, so keep those below. */
static struct spdk_nvme_qpair *alloc_as(struct spdk_nvme_ctrlr *ctrlr, uint16_t qid,
					const struct spdk_nvme_io_qpair_opts *options)
{
	int32_t lowest = spdk_nvme_ctrlr_alloc_qid(ctrlr);
	struct spdk_nvme_qpair *made = NULL;

	if (lowest <= 0)
		return NULL;
	if (lowest < qid)
		made = alloc_as(ctrlr, qid, options);
	spdk_nvme_ctrlr_free_qid(ctrlr, (uint16_t)lowest);
	return lowest == qid ? spdk_nvme_ctrlr_alloc_io_qpair(ctrlr, options, sizeof(*options)) : made;
}

static int no_queue(const struct pyn_engine_qpair_config *config, struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_CREATE, EIO, "SPDK makes no queue %u of %u entries: %s", config->qid,
			 config->depth, *pyn_spdk_said() ? pyn_spdk_said() : "it holds this QID for taken");
}

/* Wait until the device has created both queues, by a command each. */
static int await_creation(struct pyn_engine_qpair *queue, uint32_t timeout_ms, struct pyn_error *err)
{
	uint64_t start = pyn_monotonic_ns(), look = start + LOOK_NS, allowed = 2 * timeout_ms * NS_PER_MS;

	while (!spdk_nvme_qpair_is_connected(queue->spdk)) {
		uint64_t now = pyn_monotonic_ns();
		bool late = now - start >= allowed;
		int rc = now >= look ? ready_check(queue->ctrlr, err) : 0;

		if (rc)
			return rc;
		if (now >= look)
			look = now + LOOK_NS;

		if (spdk_nvme_qpair_process_completions(queue->spdk, 0) < 0)
			return pyn_error(err, PYN_ERROR_CREATE, EIO, "the device refused to create queue %u",
					 queue->qid);
		if (late && !spdk_nvme_qpair_is_connected(queue->spdk))
			return pyn_error(err, PYN_ERROR_TIMEOUT, ETIMEDOUT,
					 "the drive did not create queue %u within %u ms for each command",
					 queue->qid, timeout_ms);
		sched_yield();
	}
	return 0;
}

static int create(struct pyn_engine_qpair *queue, const struct pyn_engine_qpair_config *config, uint32_t timeout_ms,
		  struct pyn_error *err)
{
	struct spdk_nvme_io_qpair_opts options = options_of(queue, config);

	pyn_spdk_doorbells_clear(queue->ctrlr, config->qid);
	pyn_spdk_listen();
	pyn_spdk_watch();
	queue->spdk = alloc_as(queue->ctrlr->spdk, config->qid, &options);
	queue->trackers = pyn_spdk_watched(&queue->trackers_size);
	return queue->spdk ? await_creation(queue, timeout_ms, err) : no_queue(config, err);
}

/* Keep a queue that the device may have until the controller is disabled. */
static void quarantine(struct pyn_engine_qpair *queue)
{
	pyn_quarantine_add(&queue->ctrlr->quarantine, &queue->kept, queue);
}

int pyn_spdk_queue_create(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			  const struct pyn_admin *admin, struct pyn_engine_qpair **queue, struct pyn_error *err)
{
	struct pyn_error local, *why = err ? err : &local;
	struct pyn_engine_qpair *made;
	int rc;

	rc = ready_check(ctrlr, why);
	if (!rc)
		rc = config_check(ctrlr, config, why);
	if (!rc)
		rc = depth_check(ctrlr, config->depth, why);
	made = rc ? NULL : pyn_spdk_queue_alloc(ctrlr, config->qid, (uint16_t)(config->depth - 1), why);
	if (!made)
		return rc ? rc : -ENOMEM;
	made->forked = config->forked;
	rc = rings_alloc(made, entries_of(ctrlr, config), why);
	if (!rc)
		rc = create(made, config, admin->timeout_ms, why);
	if (!rc)
		*queue = made;
	else if (why->kind != PYN_ERROR_CREATE && why->kind != PYN_ERROR_MEMORY)
		quarantine(made);
	else
		pyn_spdk_queue_free(made);
	return rc;
}

/* ---- deletion ---- */

static int delete_by(uint8_t opcode, uint16_t qid, const struct pyn_admin *admin, struct pyn_error *err)
{
	struct nvme_cmd cmd = {.opc = opcode, .cdw10 = qid};
	struct nvme_cpl cpl = {0};
	int rc = admin->execute(admin->context, &cmd, (struct pyn_data){0}, &cpl, err);
	uint16_t status = NVME_SC(NVME_STATUS_SCT(cpl.status), NVME_STATUS_SC(cpl.status));

	/* A script may have deleted the submission queue itself. */
	if (rc || !status || (opcode == NVME_ADMIN_DELETE_SQ && status == NVME_SC_INVALID_QID))
		return rc;
	return pyn_error(err, PYN_ERROR_DELETE, EIO, "the device refused %s %u: %s (%02x/%02x)",
			 pyn_admin_opcode_name(opcode), qid, pyn_status_name(cpl.status), NVME_STATUS_SCT(cpl.status),
			 NVME_STATUS_SC(cpl.status));
}

/* SPDK's own deletion frees memory even if the device does not confirm, so these are commands of ours. */
int pyn_spdk_queue_delete(struct pyn_engine_qpair *queue, const struct pyn_admin *admin, struct pyn_error *err)
{
	int rc;

	queue->ends = true;
	rc = queue->sq_deleted ? 0 : delete_by(NVME_ADMIN_DELETE_SQ, queue->qid, admin, err);
	if (rc) {
		queue->ends = false;
		return rc;
	}
	queue->sq_deleted = true;
	return delete_by(NVME_ADMIN_DELETE_CQ, queue->qid, admin, err);
}

/*
 * SPDK frees a queue only together with its deletion on the device, which is done already. So let its Delete I/O
 * Submission Queue end here with the status that the device would give (01/01), without being sent: SPDK then frees
 * the queue.
 */
static void free_unsent(struct pyn_engine_qpair *queue)
{
	struct spdk_nvme_ctrlr *ctrlr = queue->ctrlr->spdk;

	spdk_nvme_qpair_add_cmd_error_injection(ctrlr, NULL, NVME_ADMIN_DELETE_SQ, true, 0, UINT32_MAX,
						SPDK_NVME_SCT_COMMAND_SPECIFIC,
						SPDK_NVME_SC_INVALID_QUEUE_IDENTIFIER);
	spdk_nvme_ctrlr_free_io_qpair(queue->spdk);
	spdk_nvme_qpair_remove_cmd_error_injection(ctrlr, NULL, NVME_ADMIN_DELETE_SQ);
}

void pyn_spdk_queue_free(struct pyn_engine_qpair *queue)
{
	if (!queue)
		return;
	pyn_spdk_forget(queue);
	if (queue->spdk)
		free_unsent(queue);
	queue_memory_free(queue);
}
