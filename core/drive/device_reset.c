/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/drive/device_private.h"

#include "core/env/env.h"
#include "core/util/log.h"
#include "core/verify/tables.h"
#include "core/verify/verify_save.h"
#include "spec/nvme_regs.h"

#define WORKER_GRACE_MS 500u /* they need 1 ms, longer on a machine with few cores */

void pyn_device_abort_all(struct pyn_device *device)
{
	pyn_inflight_abort_all(device->admin, NVME_SC_ABORTED_SQ_DELETION);
	for (unsigned qid = 1; qid <= PYN_MAX_QID; qid++) {
		struct pyn_io_qpair *queue = device->io.qpairs[qid];

		if (!queue)
			continue;
		pyn_io_qpair_forget(queue);
		pyn_io_qpair_free_ownerless(queue);
	}
	for (unsigned qid = 1; qid <= PYN_MAX_QID; qid++)
		atomic_store_explicit(&device->io.by_script[qid], 0, memory_order_relaxed);
	device->initialised = false;
	/* The namespaces, the write cache and even the drive may be different afterwards. */
	device->learned = device->shut_down = false;
	pyn_device_set_durable_since(device, UINT64_MAX);
	atomic_fetch_add(&device->identify_changes, 1);
	pyn_tables_free(device->shutting_down);
	device->shutting_down = NULL;
}

/* Workers see cut_offs between two batches and exit. Their commands stay in flight: that is what a reset tests. */
void pyn_device_stop_workers(struct pyn_device *device, enum pyn_device_end why)
{
	pyn_device_cut_off_workers(device, why);
	for (unsigned qid = 1; qid <= PYN_MAX_QID; qid++)
		if (device->io.qpairs[qid] && device->io.qpairs[qid]->stop)
			device->io.qpairs[qid]->stop(device->io.qpairs[qid]->user, WORKER_GRACE_MS);
}

static int do_reset(struct pyn_device *device, enum pyn_device_reset kind, struct pyn_error *err)
{
	if (kind == PYN_DEVICE_RESET_FUNCTION)
		return device->engine->pci->reset(device->ctrlr, PYN_RESET_FUNCTION, err);
	if (kind == PYN_DEVICE_RESET_HOT)
		return device->engine->pci->reset(device->ctrlr, PYN_RESET_HOT, err);
	return kind == PYN_DEVICE_RESET_CONTROLLER ? device->engine->disable(device->ctrlr, err) : 0;
}

int pyn_device_reset(struct pyn_device *device, enum pyn_device_reset kind, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc) {
		pyn_device_stop_workers(device, kind == PYN_DEVICE_RESET_DONE ? PYN_END_POWER : PYN_END_RESET);
		rc = do_reset(device, kind, err);
		/* A controller that did not confirm may still write, so its queues stay, unless it is gone. */
		if (!rc || !device->engine->alive(device->ctrlr))
			pyn_device_abort_all(device);
	}
	pyn_device_unlock(device);
	return rc;
}

/* Whether the controller is enabled. After a power loss it is not, and needs no shutdown. */
static bool is_enabled(struct pyn_device *device)
{
	uint64_t cc;

	return device->engine->reg_read(device->ctrlr, NVME_REG_CC, 4, &cc, NULL) == 0 && cc != UINT32_MAX &&
	       NVME_GET(cc, NVME_CC_EN);
}

/* Shut down. After a normal shutdown, commands that completed before it are durable. */
static int shut_down(struct pyn_device *device, bool abrupt, struct pyn_error *err)
{
	struct pyn_tables *tables = abrupt ? NULL : pyn_tables_all(device->tables);
	bool enabled = is_enabled(device);

	pyn_tables_flush_begin(tables);
	int rc = device->engine->shutdown(device->ctrlr, abrupt, device->timeout_ms, err);

	device->shut_down = !rc && enabled && !abrupt;
	if (device->shut_down)
		pyn_tables_flush_end(tables);
	pyn_tables_free(tables);
	return rc;
}

int pyn_device_shutdown(struct pyn_device *device, bool abrupt, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc)
		rc = shut_down(device, abrupt, err);
	pyn_device_unlock(device);
	return rc;
}

void pyn_device_stop(struct pyn_device *device)
{
	struct pyn_error ignored;

	pyn_device_lock(device);
	if (pyn_device_check(device, &ignored) == 0)
		pyn_device_stop_workers(device, PYN_END_POWER);
	pyn_device_unlock(device);
}

int pyn_device_release(struct pyn_device *device, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc) {
		pyn_device_stop_workers(device, PYN_END_POWER);
		rc = device->engine->pci->release(device->ctrlr, err);
	}
	if (!rc)
		pyn_device_abort_all(device);
	pyn_device_unlock(device);
	return rc;
}

int pyn_device_reattach(struct pyn_device *device, struct pyn_error *err)
{
	pyn_device_lock(device);
	int rc = pyn_device_check(device, err);

	if (!rc)
		rc = device->engine->pci->reattach(device->ctrlr, err);
	pyn_device_unlock(device);
	return rc;
}

static void delete_queues(struct pyn_device *device)
{
	for (unsigned qid = PYN_MAX_QID; qid >= 1; qid--) {
		struct pyn_io_qpair *queue = device->io.qpairs[qid];
		struct pyn_error ignored;

		if (queue && pyn_io_qpair_delete(queue, &ignored) == 0)
			pyn_io_qpair_free_ownerless(queue);
	}
}

/* Shut down, and note in the files of verification that everything that they know survives from now on. */
static void shut_down_saved(struct pyn_device *device)
{
	struct pyn_save_counts counts = {0};
	bool saved = pyn_device_is_saved(device);
	struct pyn_error ignored;

	if (saved && !device->shut_down)
		pyn_device_counts(device, &counts);
	shut_down(device, false, &ignored);
	if (saved)
		pyn_device_note_close(device, device->shut_down, &counts);
}

/* Shut the controller down before taking its memory away. false: it does not confirm, and may still write. */
static bool shut_down_and_disable(struct pyn_device *device)
{
	struct pyn_error ignored;

	if (!device->engine->alive(device->ctrlr))
		return !pyn_inflight_queue(device->admin);
	/* In D3hot it would not see register writes. */
	device->engine->pci->wake(device->ctrlr, &ignored);
	if (device->initialised) {
		delete_queues(device);
		if (is_enabled(device))
			shut_down_saved(device);
	}
	return !pyn_inflight_queue(device->admin) || !device->engine->disable(device->ctrlr, &ignored);
}

/* A device that is stopped with commands in flight executes them as soon as it goes on. Its rings and their buffers
 * must not have become other memory then. */
static void keep_memory(const struct pyn_device *device)
{
	size_t bytes = pyn_dma_keep_all();

	pyn_log(PYN_LOG_WARNING,
		"the drive at %s does not confirm that it has stopped, and may still write to memory: "
		"%zu bytes of DMA memory stay reserved until this process ends",
		device->address.text, bytes);
}

static void close_device(struct pyn_device *device)
{
	bool alive = device->engine->alive(device->ctrlr), shut_down;

	pyn_device_stop_workers(device, PYN_END_CLOSE);
	if (!shut_down_and_disable(device) && !device->engine->isolate(device->ctrlr))
		keep_memory(device);
	shut_down = device->shut_down;
	pyn_device_abort_all(device);
	device->shut_down = shut_down;
	device->engine->detach(device->ctrlr);
	device->ctrlr = NULL;
	/* Without a shutdown, what this controller has completed is not durable, and no other one makes it so. */
	if (!shut_down && pyn_tables_are_shared(device->tables))
		pyn_device_power_lost(device);
	pyn_tables_leave(device->tables, device->keep_tables && alive);
}

bool pyn_device_was_shut_down(const struct pyn_device *device)
{
	return device->shut_down;
}

void pyn_device_close(struct pyn_device *device)
{
	if (device->process != pyn_process_number())
		return; /* the lock of a copy may be held by a thread that was not copied */
	pyn_device_lock(device);
	if (device->ctrlr)
		close_device(device);
	pyn_device_unlock(device);
}
