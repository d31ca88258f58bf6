/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam between a tester and an NVMe driver: what an engine offers. The layers above use an engine only through
 * this table, and through the rings that it may show them (core/nvme/rings.h). engine_own.c implements it over
 * core/nvme, and spdk/ over SPDK.
 *
 * An engine moves commands. The layers above wait for commands, decide when one has timed out and which slot is free
 * again, log, and verify. They rely on this:
 *
 * - A slot names a command until its completion. The command identifier that the device sees may be another number:
 *   the engine writes it into the command at submit, and finds the slot again at poll.
 * - submit may hold a command back until there is room in the ring, or until its fused partner comes. Up to depth - 1
 *   commands may be submitted and not completed.
 * - After disable, a reset, or qpair_delete, no completion of an earlier command comes any more. The engine need not
 *   complete these commands: the layer above ends what was in flight.
 * - The layers above pass data as a pointer and a length. An engine describes them to the device by PRPs or SGLs.
 *
 * Optional features have tables of their own: pci, interrupts, cmb and rings. An engine that lacks one uses the
 * default (pyn_engine_no_pci, …), so no table and no entry is ever NULL. The entries of a default return
 * PYN_ERROR_WITHHELD (pyn_engine_withholds), unless a comment here says otherwise. So does every entry below that
 * needs a capability which the engine withholds.
 *
 * Locking: the caller lets only one thread at a time use a queue pair, and only one use the rest of a controller. A
 * forked process may only use the queue pair that it was forked for (forked, submit, ring, poll, rings->of,
 * rings->describe).
 *
 * Errors: every function that returns int returns 0 or -errno and fills *err. After PYN_ERROR_GONE only detach and
 * qpair_free make sense.
 */
#ifndef PYN_ENGINE_ENGINE_H
#define PYN_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/engine/capability.h"
#include "core/env/env.h"
#include "core/nvme/types.h"
#include "core/util/address.h"

struct pyn_rings;
struct pyn_window;

enum pyn_reset { PYN_RESET_FUNCTION, PYN_RESET_HOT };

/* PCI configuration space, resets and power of a function. */
struct pyn_engine_pci {
	/* Access length bytes at offset (0 … 4095). */
	int (*config_read)(struct pyn_ctrlr *ctrlr, uint32_t offset, void *data, uint32_t length,
			   struct pyn_error *err);
	int (*config_write)(struct pyn_ctrlr *ctrlr, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err);

	int (*reset)(struct pyn_ctrlr *ctrlr, enum pyn_reset kind, struct pyn_error *err);

	/* Bring a function from D3hot into D0. Default: does nothing, 0. */
	int (*wake)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

	/* Release the device to the system while its power is off, and take it again afterwards, in its state after
	 * power-on. In between it reaches no memory, its registers read as all ones, and it counts as alive. Used by
	 * Subsystem. Errors: PYN_ERROR_UNSUPPORTED, the device cannot be released; of reattach those of attach, and
	 * then the device stays released. */
	int (*release)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);
	int (*reattach)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);
};

struct pyn_engine_interrupts {
	/* The interrupts of the controller. Default: none. */
	struct pyn_interrupts (*info)(struct pyn_ctrlr *ctrlr);

	/* Whether interrupts are enabled in configuration space; a script may have disabled them. Default: false. */
	bool (*enabled)(struct pyn_ctrlr *ctrlr);

	/* Let an interrupt vector raise eventfd; -1 for none. */
	int (*set)(struct pyn_ctrlr *ctrlr, uint16_t vector, int eventfd, struct pyn_error *err);

	/* Mask or unmask an interrupt vector. Unmasking raises an interrupt that came meanwhile. */
	int (*mask)(struct pyn_ctrlr *ctrlr, uint16_t vector, bool masked, struct pyn_error *err);

	/* Call after reading the eventfd of a vector, so that it may be raised again. Default: does nothing. */
	void (*rearm)(struct pyn_ctrlr *ctrlr);
};

/* The controller memory buffer. */
struct pyn_engine_cmb {
	/* Its size and permitted uses; size 0: the controller has none. */
	int (*info)(struct pyn_ctrlr *ctrlr, struct pyn_cmb_info *info, struct pyn_error *err);

	/* Its memory, which the first call maps; the engine keeps the window. Errors: PYN_ERROR_UNSUPPORTED, the
	 * controller has none, or it cannot be mapped. */
	int (*window)(struct pyn_ctrlr *ctrlr, struct pyn_window **window, struct pyn_error *err);

	/* The device's address of a byte of the window. Default: 0, no address. */
	struct pyn_iova (*address)(struct pyn_ctrlr *ctrlr, const void *memory);
};

/*
 * The rings of a queue pair, for the loop of core/worker, which fills them itself. It also describes data, by copying
 * templates that the engine has filled in.
 */
struct pyn_engine_rings {
	/* NULL: use submit, ring and poll for this queue pair. Default: NULL. */
	struct pyn_rings *(*of)(struct pyn_engine_qpair *queue);

	/* Let the device read the doorbells of I/O queues from memory until it is disabled (Doorbell Buffer Config),
	 * and ring a doorbell only if it asks for that. There must be no I/O queue; later ones have no rings. Errors:
	 * PYN_ERROR_UNSUPPORTED, the device refuses, or the engine cannot; of pyn_admin.execute. */
	int (*shadow)(struct pyn_ctrlr *ctrlr, const struct pyn_admin *admin, struct pyn_error *err);

	/* Choose the size of memory pages (CC.MPS), a power of two in bytes, for the next enable and those after it;
	 * without it, enable uses the smallest one of the controller. Errors: PYN_ERROR_ARGUMENT. */
	int (*choose_page)(struct pyn_ctrlr *ctrlr, uint32_t bytes, struct pyn_error *err);

	/* Bytes of a memory page of the controller. Templates and their lists lie in whole memory pages. Default:
	 * 4096.
	 */
	uint32_t (*page)(const struct pyn_ctrlr *ctrlr);

	/* Bytes of DMA memory, in whole memory pages, that a template needs for its list to describe up to `most`
	 * bytes from the beginning of a page. Default: 0. */
	size_t (*list_bytes)(struct pyn_ctrlr *ctrlr, uint32_t most);

	/* Fill in a template whose memory and list are set, for up to `most` bytes; it describes none yet. Default:
	 * its pointer stays 0. */
	void (*prepare)(struct pyn_ctrlr *ctrlr, struct pyn_data_template *data, uint32_t most);

	/* Let a template describe the first length bytes of its memory, at most its `most`. No command that was
	 * copied from it may be in flight. Default: its length changes and its pointer stays 0. */
	void (*describe)(struct pyn_engine_qpair *queue, struct pyn_data_template *data, uint32_t length);
};

extern const struct pyn_engine_pci pyn_engine_no_pci;
extern const struct pyn_engine_interrupts pyn_engine_no_interrupts;
extern const struct pyn_engine_cmb pyn_engine_no_cmb;
extern const struct pyn_engine_rings pyn_engine_no_rings;

/* Entries of pyn_engine_no_rings, for engines that have others of their own. */
struct pyn_rings *pyn_engine_no_rings_of(struct pyn_engine_qpair *queue);
int pyn_engine_no_choose_page(struct pyn_ctrlr *ctrlr, uint32_t bytes, struct pyn_error *err);
uint32_t pyn_engine_small_page(const struct pyn_ctrlr *ctrlr);
int pyn_engine_no_shadow(struct pyn_ctrlr *ctrlr, const struct pyn_admin *admin, struct pyn_error *err);
void pyn_engine_prepare_nothing(struct pyn_ctrlr *ctrlr, struct pyn_data_template *data, uint32_t most);

/* What an engine is, and which capabilities it withholds. */
struct pyn_engine_about {
	/* The version of the driver, "" for our own, and of the DPDK that the engine uses. */
	const char *(*version)(void);
	const char *(*dpdk)(void);

	/* By capability. Those of an optional table that is a default need no entry. */
	struct pyn_withheld withheld[PYN_CAPABILITIES];
};

struct pyn_engine {
	const char *name; /* a value of PYNVME_ENGINE */
	const struct pyn_engine_about *about;
	const struct pyn_engine_pci *pci;
	const struct pyn_engine_interrupts *interrupts;
	const struct pyn_engine_cmb *cmb;
	const struct pyn_engine_rings *rings;
	uint32_t largest_transfer; /* the most bytes of data in one command */

	/* Open the device. Changes nothing but memory space, which it enables, so that registers can be read, and
	 * MSI-X, which it disables if a client that was killed has left it enabled. Used to open a Pcie or
	 * Controller. Errors: PYN_ERROR_MEMORY; PYN_ERROR_ENUMERATE, also for a kind of address that this engine does
	 * not support (pyn_address_refuse). */
	int (*attach)(const struct pyn_address *address, struct pyn_ctrlr **ctrlr, struct pyn_error *err);

	/* End the access of the device to memory, whatever its state; detach follows. false: it may still write after
	 * that, for instance because its process is stopped. */
	bool (*isolate)(struct pyn_ctrlr *ctrlr);

	/* Close the device and free everything. Free the queue pairs before. */
	void (*detach)(struct pyn_ctrlr *ctrlr);

	/* Access a controller register or doorbell of 4 or 8 bytes, naturally aligned. */
	int (*reg_read)(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t *value,
			struct pyn_error *err);
	int (*reg_write)(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t size, uint64_t value,
			 struct pyn_error *err);

	/* Whether the device is still there; costs no round trip. */
	bool (*alive)(struct pyn_ctrlr *ctrlr);

	/*
	 * Enable the controller: wait for CSTS.RDY = 0, set AQA, ASQ, ACQ and CC, wait for CSTS.RDY = 1 within CAP.TO
	 * (or CRTO, if CAP.CRMS says so). The admin queue's rings are empty afterwards. admin_depth: entries, 2 …
	 * 4096. timeout_ms: of each command, if the engine sends commands meanwhile. Used by initialisation and every
	 * reset. Errors: PYN_ERROR_ENUMERATE (not ready in time, CSTS.CFS), PYN_ERROR_GONE.
	 */
	int (*enable)(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, uint32_t timeout_ms, struct pyn_error *err);

	/* Set CC.EN = 0 and wait for CSTS.RDY = 0. Afterwards the device does not write to memory any more. */
	int (*disable)(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

	/* Set up only the admin queue (memory, empty rings, AQA, ASQ and ACQ), for scripts that initialise the
	 * controller by register writes. Does not touch CC: CC.EN must be 0, and the caller sets it afterwards.
	 * enable does this itself. Errors: PYN_ERROR_MEMORY, PYN_ERROR_GONE. */
	int (*admin_setup)(struct pyn_ctrlr *ctrlr, uint16_t admin_depth, struct pyn_error *err);

	/* Set CC.SHN = 01b (abrupt: 10b) and wait for CSTS.SHST = 10b, at least timeout_ms and at most as long as
	 * RTD3E allows. Errors: PYN_ERROR_SHUTDOWN. */
	int (*shutdown)(struct pyn_ctrlr *ctrlr, bool abrupt, uint32_t timeout_ms, struct pyn_error *err);

	/* The admin queue. The controller owns it. Usable between enable and disable; never NULL after enable. */
	struct pyn_engine_qpair *(*admin_qpair)(struct pyn_ctrlr *ctrlr);

	/* Create an IO queue pair: memory, Create I/O Completion Queue, Create I/O Submission Queue.
	 * If the device refuses, returns PYN_ERROR_CREATE and leaves nothing behind. */
	int (*qpair_create)(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			    const struct pyn_admin *admin, struct pyn_engine_qpair **queue, struct pyn_error *err);

	/* Delete I/O Submission Queue, Delete I/O Completion Queue. The memory stays until qpair_free: completions in
	 * the ring can still be polled, and if the deletion was not confirmed, the device may still write. If the
	 * device refuses, returns PYN_ERROR_DELETE. */
	int (*qpair_delete)(struct pyn_engine_qpair *queue, const struct pyn_admin *admin, struct pyn_error *err);

	/* Free the memory of a queue pair that the device does not use any more (deleted, disabled, or gone). */
	void (*qpair_free)(struct pyn_engine_qpair *queue);

	/* Put one command into the submission queue. The engine sets cmd->cid and the data pointer, in *cmd too, so
	 * that the caller can log what was sent; without data it sends the pointer of *cmd unchanged.
	 * If data->transfer is more than data->length, the rest goes to a spare page of the engine.
	 * slot: 0 … depth-2 (admin: … admin_depth-2), not in flight.
	 * The device may use the memory of data, and that of the queue for this slot, until the completion.
	 * Errors: PYN_ERROR_MEMORY (for the list of a large transfer), PYN_ERROR_ARGUMENT (above largest_transfer, or
	 * data that the device cannot reach). */
	int (*submit)(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
		      struct pyn_error *err);

	/* Prepare a process that was forked for a queue pair (struct pyn_engine_qpair_config) to use it. Called once
	 * in that process, before it closes descriptors; allocates nothing. false: it cannot use the queue pair. */
	bool (*forked)(struct pyn_engine_qpair *queue);

	/* Tell the device about all commands put since the last call. */
	void (*ring)(struct pyn_engine_qpair *queue);

	/* Reap up to max completions, in the order of the completion queue; returns their number. */
	unsigned (*poll)(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max);
};

/* The name of a table of an engine in which an entry is NULL, such as "pci", or NULL if there is none: calling that
 * entry would crash. pyn_engine_select checks it. */
const char *pyn_engine_hole(const struct pyn_engine *engine);

extern const struct pyn_engine pyn_engine_own;
extern const struct pyn_engine pyn_engine_spdk; /* defined in spdk/, if this build has SPDK */

#endif
