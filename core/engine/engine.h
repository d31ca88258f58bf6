/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam between a tester and an NVMe driver: what an engine offers. What lies above knows engines through this
 * table only. engine_own.c implements it over core/nvme; spdk/ will over SPDK.
 *
 * An engine moves commands. Who waits for one, when it has timed out, which slot is free again, what is logged and
 * what is verified is decided above. An engine keeps no list of commands in flight.
 *
 * Locking: the caller lets only one thread at a time use a queue, and only one the rest of a controller.
 * A process that was forked may use the queue it was forked for (submit, ring, poll, ring_of) and nothing else.
 *
 * Errors: every function that returns int returns 0 or -errno and fills *err. After PYN_ERROR_GONE only detach and
 * qpair_free make sense.
 */
#ifndef PYN_ENGINE_ENGINE_H
#define PYN_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env/env.h"
#include "core/nvme/types.h"

struct pyn_rings;
struct pyn_window;

enum pyn_reset { PYN_RESET_FUNCTION, PYN_RESET_HOT };

struct pyn_engine {
	const char *name;

	/* Open the device at address (see api: a BDF or the path of a socket). Nothing of the controller is changed
	 * yet but memory space, which is enabled: its registers can be read. Who: opening a Pcie or Controller.
	 * Errors: PYN_ERROR_ENUMERATE, PYN_ERROR_MEMORY. */
	int (*attach)(const char *address, struct pyn_ctrlr **ctrlr, struct pyn_error *err);

	/* Close the device and free everything. The queues have been freed before. */
	void (*detach)(struct pyn_ctrlr *ctrlr);

	/* Controller registers, size 4 or 8 bytes, naturally aligned, doorbells included. */
	int (*reg_read)(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t *value,
			struct pyn_error *err);
	int (*reg_write)(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t value,
			 struct pyn_error *err);

	/* PCI configuration space and resets. NULL: this engine's devices are not PCI functions. */
	int (*config_read)(struct pyn_ctrlr *ctrlr, uint32_t offset, void *data, uint32_t length,
			   struct pyn_error *err);
	int (*config_write)(struct pyn_ctrlr *ctrlr, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err);
	int (*pci_reset)(struct pyn_ctrlr *ctrlr, enum pyn_reset kind, struct pyn_error *err);

	/* Whether the device still answers; costs no round trip. */
	bool (*alive)(struct pyn_ctrlr *ctrlr);

	/* Let the system have the device while its power is off, and take it again afterwards, as it is after
	 * power-on. In between it reaches no memory, its registers read as all ones, and it counts as alive. Who:
	 * Subsystem. Errors: PYN_ERROR_UNSUPPORTED, there is nobody who could have it; of regain those of attach, and
	 * the device stays released. */
	int (*release)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);
	int (*regain)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

	/*
	 * CC.EN 0 → 1: wait for CSTS.RDY = 0, set AQA, ASQ, ACQ and CC, wait for CSTS.RDY = 1 within CAP.TO (or CRTO
	 * where CAP.CRMS says so). The admin queue's rings are empty afterwards. admin_depth: entries, 2 … 4096. Who:
	 * initialisation and every reset. Errors: PYN_ERROR_ENUMERATE (not ready in time, CSTS.CFS), PYN_ERROR_GONE.
	 */
	int (*enable)(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err);

	/* CC.EN = 0 and wait for CSTS.RDY = 0. Afterwards the device writes to no memory any more. */
	int (*disable)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

	/* The admin queue alone, for scripts that bring the controller up by register writes: memory, empty rings,
	 * AQA, ASQ and ACQ. CC is not touched; the caller has it at EN = 0 and sets it to 1 afterwards. enable does
	 * this itself. Errors: PYN_ERROR_MEMORY, PYN_ERROR_GONE. */
	int (*admin_setup)(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err);

	/* CC.SHN = 01b (abrupt: 10b) and wait for CSTS.SHST = 10b, at least timeout_ms and at most RTD3E allows.
	 * Errors: PYN_ERROR_SHUTDOWN. */
	int (*shutdown)(struct pyn_ctrlr *ctrlr, bool abrupt, uint32_t timeout_ms, struct pyn_error *err);

	/* The admin queue: belongs to the controller, usable between enable and disable. Never NULL after enable. */
	struct pyn_engine_qpair *(*admin_qpair)(struct pyn_ctrlr *ctrlr);

	/* Create an IO queue pair: memory, Create I/O Completion Queue, Create I/O Submission Queue.
	 * A refusal of the device is PYN_ERROR_CREATE, and nothing stays behind. */
	int (*qpair_create)(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			    const struct pyn_admin *admin, struct pyn_engine_qpair **queue, struct pyn_error *err);

	/* Delete I/O Submission Queue, Delete I/O Completion Queue. Memory stays until queue_free: completions that
	 * are in the ring can still be polled, and where the deletion was not confirmed the device may still write.
	 * A refusal is PYN_ERROR_DELETE. */
	int (*qpair_delete)(struct pyn_engine_qpair *queue, const struct pyn_admin *admin, struct pyn_error *err);

	/* Free the memory of a queue that the device does not use any more (deleted, disabled, or gone). */
	void (*qpair_free)(struct pyn_engine_qpair *queue);

	/* Put one command into the submission queue. The engine sets cmd->cid (to slot) and the data pointers
	 * (without data those of *cmd are sent as they are), in *cmd too, so that the caller can log what was sent.
	 * Where data->transfer is more than data->length, the rest goes to a spare page of the engine's.
	 * slot: 0 … depth-2 (admin: … admin_depth-2), not in flight.
	 * The memory of data, and the queue's own for this slot, is the device's until the completion.
	 * Errors: PYN_ERROR_MEMORY (a list for a large transfer). */
	int (*submit)(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
		      struct pyn_error *err);

	/* Tell the device about everything put since the last time. */
	void (*ring)(struct pyn_engine_qpair *queue);

	/* Take up to max completions, in the order of the completion queue; returns how many. */
	unsigned (*poll)(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max);

	/* The rings of a queue, for a loop that is compiled for them. NULL entry: use the table. NULL result: the
	 * doorbells of this queue go through the process that opened the device, by the table; a forked one cannot
	 * use it. */
	struct pyn_rings *(*ring_of)(struct pyn_engine_qpair *queue);

	/* What interrupts there are. Missing where vector_set is. */
	struct pyn_interrupts (*interrupts)(struct pyn_ctrlr *ctrlr);

	/* Whether interrupts are enabled in configuration space, where a script may have disabled them. Missing where
	 * vector_set is. */
	bool (*interrupts_enabled)(struct pyn_ctrlr *ctrlr);

	/* Put a function that is in D3hot into D0. NULL: this engine's devices are not PCI functions. */
	int (*wake)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

	/* The controller memory buffer: what it may be used for, and its memory, which is mapped at the first call;
	 * the window is borrowed. Errors: PYN_ERROR_UNSUPPORTED, the controller has none. NULL entries: no engine's
	 * controller has one. */
	int (*cmb_info)(struct pyn_ctrlr *ctrlr, struct pyn_cmb_info *info, struct pyn_error *err);
	int (*cmb_window)(struct pyn_ctrlr *ctrlr, struct pyn_window **window, struct pyn_error *err);

	/* How the device addresses memory: for who builds the data pointers of commands by himself. */
	struct pyn_dma_view (*view)(struct pyn_ctrlr *ctrlr);

	/* Let the interrupt vector of this queue raise eventfd; -1: nothing. NULL: no interrupts. */
	int (*vector_set)(struct pyn_ctrlr *ctrlr, uint16_t vector, int eventfd, struct pyn_error *err);

	/* Hold an interrupt vector back, or let it go: what it would have raised meanwhile is raised then. Missing
	 * where vector_set is. */
	int (*vector_mask)(struct pyn_ctrlr *ctrlr, uint16_t vector, bool masked, struct pyn_error *err);

	/* The eventfd of a vector was read: it may be raised again. Missing where vector_set is. */
	void (*vector_rearm)(struct pyn_ctrlr *ctrlr);
};

/*
 * The engine of this process: the one that the environment variable PYNVME_ENGINE names ("own", "spdk"), or ours.
 * One that this build does not have is an error, never another one in silence: NULL and PYN_ERROR_UNSUPPORTED.
 */
const struct pyn_engine *pyn_engine_select(struct pyn_error *err);

extern const struct pyn_engine pyn_engine_own;

#endif
