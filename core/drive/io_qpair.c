/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/drive/device_private.h"

#include <errno.h>
#include <stdlib.h>

#include "core/env/env.h"
#include "core/drive/vector.h"
#include "core/util/log.h"
#include "spec/nvme_id.h"
#include "spec/nvme_regs.h"

#define ANY_VECTOR 0xffffu

static int execute_for_engine(void *context, const struct nvme_cmd *cmd, struct pyn_data data, struct nvme_cpl *cpl,
			      struct pyn_error *err)
{
	struct pyn_device *device = context;

	if (data.address)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, EINVAL, "an engine's own command has no data");
	return pyn_inflight_execute(device->admin, cmd, NULL, cpl, err);
}

static uint16_t free_qid(const struct pyn_device *device)
{
	for (unsigned qid = 1; qid <= device->io.most; qid++)
		if (!device->io.qpairs[qid] && !(atomic_load(&device->io.by_script[qid]) &
						 (PYN_SCRIPT_MADE_SQ | PYN_SCRIPT_MADE_CQ | PYN_QUEUE_UNCERTAIN)))
			return (uint16_t)qid;
	return 0;
}

/* Refuse a priority under round robin, which ignores it: the script has forgotten to set CC.AMS. */
static int check_priority(struct pyn_device *device, uint8_t priority, struct pyn_error *err)
{
	uint64_t cc;
	int rc = priority ? device->engine->reg_read(device->ctrlr, NVME_REG_CC, 4, &cc, err) : 0;

	if (rc || priority == 0 || NVME_GET(cc, NVME_CC_AMS))
		return rc;
	return pyn_error(err, PYN_ERROR_CREATE, EINVAL,
			 "a queue of priority %u: CC.AMS selects round robin, which has no priorities", priority);
}

/* Take the vector of a queue. A device without interrupts still gets the queue; using its interrupts is an error. */
static void take_vector(struct pyn_device *device, struct pyn_io_qpair *queue)
{
	struct pyn_error err;

	queue->vector =
		pyn_vector_get(&device->io.vectors, device->engine, device->ctrlr, queue->vector_number, &err);
	if (!queue->vector)
		pyn_log(PYN_LOG_DEBUG, "queue %u without interrupts: %s", queue->qid, err.text);
}

/* Refuse a vector that a script names, if the engine has no interrupts. */
static int check_vector(const struct pyn_device *device, const struct pyn_io_qpair_config *config,
			struct pyn_error *err)
{
	if (!config->interrupts || config->vector == ANY_VECTOR ||
	    device->engine->interrupts != &pyn_engine_no_interrupts)
		return 0;
	return pyn_engine_withholds(PYN_CAN_INTERRUPTS, err);
}

/* The vector of a queue whose script names none: the number of its QID, or a shared one if there are too few. */
static uint16_t own_vector(const struct pyn_device *device, uint16_t qid)
{
	struct pyn_interrupts interrupts = device->engine->interrupts->info(device->ctrlr);

	if (interrupts.one_for_all || !interrupts.vectors)
		return 0;
	return (uint16_t)(qid < interrupts.vectors ? qid : qid % interrupts.vectors);
}

static int create_queue(struct pyn_device *device, const struct pyn_io_qpair_config *config,
			struct pyn_io_qpair *queue, struct pyn_error *err)
{
	struct pyn_admin admin = {execute_for_engine, device, device->timeout_ms};
	struct pyn_engine_qpair_config wanted = {
		.qid = free_qid(device),
		.depth = config->depth,
		.priority = config->priority,
		.interrupts = config->interrupts,
		.vector = config->vector,
		.forked = config->for_worker,
		.cmb_sq = config->cmb_sq,
		.cmb_cq = config->cmb_cq,
	};
	int rc = check_priority(device, config->priority, err);

	if (!rc)
		rc = check_vector(device, config, err);
	if (rc)
		return rc;
	if (wanted.qid == 0)
		return pyn_error(err, PYN_ERROR_CREATE, ENOSPC, "all %u IO queues of the drive are in use",
				 device->io.most);
	if (wanted.vector == ANY_VECTOR)
		wanted.vector = own_vector(device, wanted.qid);
	queue->qid = wanted.qid;
	queue->depth = wanted.depth;
	queue->vector_number = wanted.vector;
	if (!config->for_worker) {
		struct pyn_inflight_config inflight = {
			.qid = wanted.qid,
			.slots = (uint16_t)(wanted.depth - 1),
			.in_flight = (uint16_t)(wanted.depth - 1),
			.drive = device->address.text,
			.timeout_ms = &device->timeout_ms,
		};
		queue->inflight = pyn_inflight_create(device->engine, device->ctrlr, &inflight, err);
		if (!queue->inflight)
			return -ENOMEM;
	}
	rc = device->engine->qpair_create(device->ctrlr, &wanted, &admin, &queue->queue, err);
	if (rc && err->kind == PYN_ERROR_TIMEOUT)
		atomic_fetch_or(&device->io.by_script[wanted.qid], PYN_QUEUE_UNCERTAIN);
	if (rc)
		return rc;
	device->io.qpairs[wanted.qid] = queue;
	atomic_store(&device->io.by_script[wanted.qid], 0);
	if (queue->inflight) {
		pyn_inflight_attach(queue->inflight, queue->queue);
		take_vector(device, queue);
	}
	return 0;
}

int pyn_io_qpair_create(struct pyn_device *device, const struct pyn_io_qpair_config *config,
			struct pyn_io_qpair **out, struct pyn_error *err)
{
	struct pyn_io_qpair *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a queue pair");
	queue->device = device;
	queue->process = pyn_process_number();
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc)
		rc = create_queue(device, config, queue, err);
	pyn_device_unlock(device);
	if (rc) {
		pyn_inflight_destroy(queue->inflight);
		free(queue);
		return rc;
	}
	pyn_device_get(device);
	*out = queue;
	return 0;
}

/* Refuse if any I/O queue exists: its doorbells have no value in the new memory. */
static int check_no_queues(const struct pyn_device *device, struct pyn_error *err)
{
	for (uint16_t qid = 1; qid <= device->io.most; qid++)
		if (device->io.qpairs[qid] || atomic_load(&device->io.by_script[qid]) & PYN_SCRIPT_MADE_CQ)
			return pyn_error(
				err, PYN_ERROR_STATE, EBUSY,
				"I/O queue %u exists: enable shadow doorbells before the first Qpair or worker", qid);
	return 0;
}

int pyn_device_use_shadow_doorbells(struct pyn_device *device, struct pyn_error *err)
{
	struct pyn_admin admin = {execute_for_engine, device, device->timeout_ms};
	const struct nvme_id_ctrl *id = pyn_device_identify(device);
	int rc;

	pyn_device_lock(device);
	rc = pyn_device_check(device, err);
	if (!rc)
		rc = check_no_queues(device, err);
	if (!rc && !(id->oacs & NVME_OACS_DOORBELL_BUFFER))
		rc = pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
			       "the drive has no Doorbell Buffer Config (Identify Controller, OACS bit 8 is 0)");
	if (!rc)
		rc = device->engine->rings->shadow(device->ctrlr, &admin, err);
	pyn_device_unlock(device);
	return rc;
}

bool pyn_io_qpair_exists(const struct pyn_io_qpair *queue)
{
	return queue->queue != NULL;
}

void pyn_io_qpair_forget(struct pyn_io_qpair *queue)
{
	struct pyn_device *device = queue->device;

	if (queue->inflight)
		pyn_inflight_abort_all(queue->inflight, NVME_SC_ABORTED_SQ_DELETION);
	device->engine->qpair_free(queue->queue);
	device->io.qpairs[queue->qid] = NULL;
	queue->queue = NULL;
	pyn_vector_put(&device->io.vectors, queue->vector);
	queue->vector = NULL;
}

static bool is_there(const struct pyn_io_qpair *queue)
{
	struct pyn_device *device = queue->device;

	return device->engine->alive(device->ctrlr) &&
	       !(atomic_load(&device->io.by_script[queue->qid]) & PYN_SCRIPT_DELETED_CQ);
}

static int delete_queue(struct pyn_io_qpair *queue, struct pyn_error *err)
{
	struct pyn_admin admin = {execute_for_engine, queue->device, queue->device->timeout_ms};

	if (!queue->queue)
		return 0;
	int rc = is_there(queue) ? queue->device->engine->qpair_delete(queue->queue, &admin, err) : 0;

	if (!rc)
		pyn_io_qpair_forget(queue);
	return rc;
}

int pyn_io_qpair_delete(struct pyn_io_qpair *queue, struct pyn_error *err)
{
	if (queue->process != pyn_process_number())
		return 0;
	pyn_device_lock(queue->device);
	int rc = delete_queue(queue, err);

	pyn_device_unlock(queue->device);
	return rc;
}

/* Delete a queue. false: the device may still write to its memory, which is kept by QID until a reset frees it. */
static bool let_go(struct pyn_io_qpair *queue)
{
	struct pyn_device *device = queue->device;
	struct pyn_error err;

	/* Keep this one critical section: a reset in between would not find an orphan yet, and would free nothing. */
	pyn_device_lock(device);
	uint16_t qid = queue->qid;
	int rc = delete_queue(queue, &err);

	if (rc) {
		queue->stop = NULL;
		queue->ownerless = true;
	}
	pyn_device_unlock(device);
	if (rc)
		pyn_log(PYN_LOG_WARNING, "queue %u could not be deleted: %s", qid, err.text);
	return !rc;
}

void pyn_io_qpair_hand_over(struct pyn_io_qpair *queue, void (*gone)(void *user), void *user)
{
	struct pyn_device *device = queue->device;

	pyn_device_lock(device);
	queue->stop = NULL;
	queue->gone = gone;
	queue->user = user;
	queue->ownerless = true;
	if (!queue->queue)
		pyn_io_qpair_free_ownerless(queue);
	pyn_device_unlock(device);
	pyn_device_put(device);
}

void pyn_io_qpair_free(struct pyn_io_qpair *queue)
{
	struct pyn_device *device;

	if (!queue || queue->process != pyn_process_number())
		return;
	device = queue->device;
	if (let_go(queue)) {
		pyn_inflight_destroy(queue->inflight);
		free(queue);
	}
	pyn_device_put(device);
}

void pyn_io_qpair_free_ownerless(struct pyn_io_qpair *queue)
{
	if (!queue->ownerless)
		return;
	if (queue->gone)
		queue->gone(queue->user);
	pyn_inflight_destroy(queue->inflight);
	free(queue);
}

/* ---- interrupts ---- */

/* Fill *err with the reason why a queue has no vector, and return -errno. */
static int without_vector(const struct pyn_io_qpair *queue, const struct pyn_error *cause, struct pyn_error *err)
{
	if (!queue->queue)
		return pyn_error(err, PYN_ERROR_STATE, ENODEV, "Qpair %u is deleted", queue->qid);
	if (cause->kind == PYN_ERROR_WITHHELD)
		return pyn_engine_withholds((enum pyn_capability)cause->capability, err);
	return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "Qpair %u: %s", queue->qid, cause->text);
}

/* Check the queue for an access to its interrupt. Locks the device if it returns 0. */
static int begin_interrupt(struct pyn_io_qpair *queue, struct pyn_error *err)
{
	struct pyn_error cause;

	if (queue->process != pyn_process_number())
		return pyn_error(err, PYN_ERROR_STATE, ECHILD, "Qpair %u belongs to another process", queue->qid);
	pyn_device_lock(queue->device);
	/* If there was no vector when the queue was created, report the reason now. */
	if (queue->queue && !queue->vector)
		queue->vector = pyn_vector_get(&queue->device->io.vectors, queue->device->engine,
					       queue->device->ctrlr, queue->vector_number, &cause);
	if (queue->vector)
		return 0;
	int rc = without_vector(queue, &cause, err);

	pyn_device_unlock(queue->device);
	return rc;
}

int pyn_io_qpair_interrupted(struct pyn_io_qpair *queue, bool *is_set, struct pyn_error *err)
{
	int rc = begin_interrupt(queue, err);

	if (rc)
		return rc;
	*is_set = pyn_vector_is_set(queue->vector);
	pyn_device_unlock(queue->device);
	return 0;
}

int pyn_io_qpair_interrupt_clear(struct pyn_io_qpair *queue, struct pyn_error *err)
{
	int rc = begin_interrupt(queue, err);

	if (rc)
		return rc;
	pyn_vector_clear(queue->vector);
	pyn_device_unlock(queue->device);
	return 0;
}

int pyn_io_qpair_interrupt_mask(struct pyn_io_qpair *queue, bool masked, struct pyn_error *err)
{
	int rc = begin_interrupt(queue, err);

	if (rc)
		return rc;
	rc = pyn_vector_mask(queue->vector, masked, err);
	pyn_device_unlock(queue->device);
	return rc;
}
