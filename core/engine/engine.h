/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam between a tester and an NVMe driver: what an engine offers. The layers above know engines through this
 * table only, and through the rings that an engine may show them (core/nvme/rings.h). engine_own.c implements it over
 * core/nvme; spdk/ will over SPDK.
 *
 * An engine moves commands. The layers above wait for commands, decide when one has timed out and which slot is free
 * again, log and verify. They count on this much of every engine:
 *
 * - A slot names a command until its completion. The command identifier that the device sees may be another number:
 *   the engine writes it into the command at submit, and finds the slot again at poll.
 * - submit may keep a command back until there is room in the ring, or until its fused partner comes. Up to depth - 1
 *   commands may have been submitted and not completed.
 * - After disable, a reset, or qpair_delete, no completion of an earlier command comes any more. The engine need not
 *   complete them: the layer above ends what was in flight.
 * - An engine describes the data of a command in its own way, by PRPs or SGLs. Data are a pointer and a length above.
 *
 * What not every engine has is a table of its own: pci, interrupts, cmb and rings. An engine that lacks one names the
 * default (pyn_engine_no_pci, …), so no table and no entry is ever NULL. The entries of a default answer
 * PYN_ERROR_UNSUPPORTED with a text for the user, unless a comment here says otherwise.
 *
 * Locking: the caller lets only one thread at a time use a queue pair, and only one the rest of a controller.
 * A process that was forked may use the queue pair it was forked for (submit, ring, poll, rings->of, rings->describe)
 * and nothing else.
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
#include "core/util/address.h"

struct pyn_rings;
struct pyn_window;

enum pyn_reset { PYN_RESET_FUNCTION, PYN_RESET_HOT };

/* PCI configuration space, resets and power of a function. */
struct pyn_engine_pci {
	/* length bytes at offset (0 … 4095). */
	int (*config_read)(struct pyn_ctrlr *ctrlr, uint32_t offset, void *data, uint32_t length,
			   struct pyn_error *err);
	int (*config_write)(struct pyn_ctrlr *ctrlr, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err);

	int (*reset)(struct pyn_ctrlr *ctrlr, enum pyn_reset kind, struct pyn_error *err);

	/* Put a function that is in D3hot into D0. Default: there is nothing to wake, 0. */
	int (*wake)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

	/* Let the system have the device while its power is off, and take it again afterwards, as it is after
	 * power-on. In between it reaches no memory, its registers read as all ones, and it counts as alive. Who:
	 * Subsystem. Errors: PYN_ERROR_UNSUPPORTED, no system has a use for it; of reattach those of attach, and the
	 * device stays released. */
	int (*release)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);
	int (*reattach)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);
};

struct pyn_engine_interrupts {
	/* What interrupts there are. Default: none. */
	struct pyn_interrupts (*info)(struct pyn_ctrlr *ctrlr);

	/* Whether interrupts are enabled in configuration space, where a script may have disabled them. Default: no.
	 */
	bool (*enabled)(struct pyn_ctrlr *ctrlr);

	/* Let an interrupt vector raise eventfd; -1: nothing. */
	int (*set)(struct pyn_ctrlr *ctrlr, uint16_t vector, int eventfd, struct pyn_error *err);

	/* Mask an interrupt vector, or unmask it: what it would have raised meanwhile is raised then. */
	int (*mask)(struct pyn_ctrlr *ctrlr, uint16_t vector, bool masked, struct pyn_error *err);

	/* The eventfd of a vector was read: it may be raised again. Default: nothing happens. */
	void (*rearm)(struct pyn_ctrlr *ctrlr);
};

/* The controller memory buffer. */
struct pyn_engine_cmb {
	/* What it may be used for; size 0: the controller has none. */
	int (*info)(struct pyn_ctrlr *ctrlr, struct pyn_cmb_info *info, struct pyn_error *err);

	/* Its memory, which is mapped at the first call; the window is borrowed. Errors: PYN_ERROR_UNSUPPORTED, the
	 * controller has none, or it cannot be mapped. */
	int (*window)(struct pyn_ctrlr *ctrlr, struct pyn_window **window, struct pyn_error *err);

	/* The address by which the device knows a byte of the window. Default: 0, which is none. */
	struct pyn_iova (*address)(struct pyn_ctrlr *ctrlr, const void *memory);
};

/*
 * The rings of a queue pair, for a loop that fills them itself and is compiled for them (core/worker). Such a loop
 * also has to describe data: it copies templates that the engine has filled.
 */
struct pyn_engine_rings {
	/* NULL: use submit, ring and poll for this queue pair; a forked process may not be able to. Default: NULL. */
	struct pyn_rings *(*of)(struct pyn_engine_qpair *queue);

	/* How much DMA memory, in whole pages, a template needs for its list if it has to describe up to `most` bytes
	 * from the beginning of a page. Default: 0. */
	size_t (*list_bytes)(uint32_t most);

	/* Fill in a template whose memory and list are set, for up to `most` bytes; it describes none yet. Default:
	 * its pointer stays 0. */
	void (*prepare)(struct pyn_ctrlr *ctrlr, struct pyn_data_template *data, uint32_t most);

	/* Let a template describe the first length bytes of its memory, at most its `most`. No command that was made
	 * from it is in flight. Default: its length changes and its pointer stays 0. */
	void (*describe)(struct pyn_engine_qpair *queue, struct pyn_data_template *data, uint32_t length);
};

extern const struct pyn_engine_pci pyn_engine_no_pci;
extern const struct pyn_engine_interrupts pyn_engine_no_interrupts;
extern const struct pyn_engine_cmb pyn_engine_no_cmb;
extern const struct pyn_engine_rings pyn_engine_no_rings;

struct pyn_engine {
	const char *name;
	const struct pyn_engine_pci *pci;
	const struct pyn_engine_interrupts *interrupts;
	const struct pyn_engine_cmb *cmb;
	const struct pyn_engine_rings *rings;
	uint32_t largest_transfer; /* bytes of data that it can describe in one command */

	/* Open the device. Nothing of the controller is changed yet but memory space, which is enabled: its registers
	 * can be read. Who: opening a Pcie or Controller. Errors: PYN_ERROR_MEMORY; PYN_ERROR_ENUMERATE, also for a
	 * kind of address that this engine does not reach (pyn_address_refuse). */
	int (*attach)(const struct pyn_address *address, struct pyn_ctrlr **ctrlr, struct pyn_error *err);

	/* Close the device and free everything. The queue pairs have been freed before. */
	void (*detach)(struct pyn_ctrlr *ctrlr);

	/* Controller registers, size 4 or 8 bytes, naturally aligned, doorbells included. */
	int (*reg_read)(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t *value,
			struct pyn_error *err);
	int (*reg_write)(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t value,
			 struct pyn_error *err);

	/* Whether the device still answers; costs no round trip. */
	bool (*alive)(struct pyn_ctrlr *ctrlr);

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
	 * this itself. Errors: PYN_ERROR_MEMORY, PYN_ERROR_GONE; PYN_ERROR_UNSUPPORTED: this engine brings a
	 * controller up as a whole. */
	int (*admin_setup)(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err);

	/* CC.SHN = 01b (abrupt: 10b) and wait for CSTS.SHST = 10b, at least timeout_ms and at most RTD3E allows.
	 * Errors: PYN_ERROR_SHUTDOWN. */
	int (*shutdown)(struct pyn_ctrlr *ctrlr, bool abrupt, uint32_t timeout_ms, struct pyn_error *err);

	/* The admin queue: belongs to the controller, usable between enable and disable. Never NULL after enable. */
	struct pyn_engine_qpair *(*admin_qpair)(struct pyn_ctrlr *ctrlr);

	/* Create an IO queue pair: memory, Create I/O Completion Queue, Create I/O Submission Queue.
	 * If the device refuses, this is PYN_ERROR_CREATE, and nothing stays behind. */
	int (*qpair_create)(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			    const struct pyn_admin *admin, struct pyn_engine_qpair **queue, struct pyn_error *err);

	/* Delete I/O Submission Queue, Delete I/O Completion Queue. Memory stays until qpair_free: completions that
	 * are in the ring can still be polled, and if the deletion was not confirmed, the device may still write.
	 * If the device refuses, this is PYN_ERROR_DELETE. */
	int (*qpair_delete)(struct pyn_engine_qpair *queue, const struct pyn_admin *admin, struct pyn_error *err);

	/* Free the memory of a queue pair that the device does not use any more (deleted, disabled, or gone). */
	void (*qpair_free)(struct pyn_engine_qpair *queue);

	/* Put one command into the submission queue. The engine sets cmd->cid and the data pointer (without data that
	 * of *cmd is sent as it is), in *cmd too, so that the caller can log what was sent.
	 * If data->transfer is more than data->length, the rest goes to a spare page of the engine's.
	 * slot: 0 … depth-2 (admin: … admin_depth-2), not in flight.
	 * The memory of data, and the queue's own for this slot, is the device's until the completion.
	 * Errors: PYN_ERROR_MEMORY (a list for a large transfer), PYN_ERROR_ARGUMENT (above largest_transfer, or data
	 * that the device cannot reach). */
	int (*submit)(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
		      struct pyn_error *err);

	/* Tell the device about everything put since the last time. */
	void (*ring)(struct pyn_engine_qpair *queue);

	/* Take up to max completions, in the order of the completion queue; returns how many. */
	unsigned (*poll)(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max);
};

/*
 * The engine of this process: the one that the environment variable PYNVME_ENGINE names ("own", "spdk"), or ours.
 * One that this build does not have is an error, never another one in silence: NULL and PYN_ERROR_UNSUPPORTED.
 */
const struct pyn_engine *pyn_engine_select(struct pyn_error *err);

extern const struct pyn_engine pyn_engine_own;

#endif
