/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared by the files of SPDK's engine. Each calls only those before it: no_threads.c (what SPDK and DPDK lack here),
 * start.c (SPDK in this process), wire.c (vfio-user connections), function.c (the drive's PCI function), doorbells.c
 * (shadow doorbells), describe.c (data), command.c (commands and their completions), queue.c (queue pairs), forked.c
 * (a queue pair in another process), events.c (asynchronous events), attach.c (the controller), engine_spdk.c (the
 * table). core/engine/engine.h has the contracts.
 */
#ifndef PYN_SPDK_PRIVATE_H
#define PYN_SPDK_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/engine/engine.h"
#include "core/nvme/quarantine.h"
#include "core/pci/pci.h"
#include "core/util/spin.h"
#include "spdk/cq.h"

struct spdk_nvme_cpl;
struct spdk_nvme_ctrlr;
struct spdk_nvme_qpair;
struct vfio_device;

#define PYN_SPDK_PAGE 4096u

/* ---- start.c ---- */

/* Start SPDK in this process, after the environment. Errors: PYN_ERROR_SYSTEM. */
int pyn_spdk_start(struct pyn_error *err);

/* Whether an address lies in the memory that SPDK and the drive share. */
bool pyn_spdk_is_memory_of(uint64_t address);

/* Forget what SPDK has said on this thread; and its last error since then, or "" if there was none. */
void pyn_spdk_listen(void);
const char *pyn_spdk_said(void);

/* Stop forwarding what SPDK says, in a process that must not call Python. */
void pyn_spdk_hush(void);

/* Watch for the memory in pages that SPDK allocates on this thread, such as the trackers of a queue: between watch
 * and watched, which returns the last one; NULL: none. */
void pyn_spdk_watch(void);
void *pyn_spdk_watched(size_t *size);

/* Keep what SPDK frees on this thread, until it is freed by the second one. When SPDK closes a controller, it first
 * frees its namespaces, and then aborts the commands that identify them, which still use that memory. */
void pyn_spdk_keep_freed(void);
void pyn_spdk_free_kept(void);

/* Visit the pages that the device uses for all queues, until one visit returns false; then return false too. */
bool pyn_spdk_each_page(bool (*visit)(void *page, size_t size));

/* The two newest of those pages that SPDK has allocated on this thread, the newest as the second. NULL: none. */
void pyn_spdk_newest_pages(void **first, void **second);

/* ---- wire.c ---- */

/* The vfio-user connection that this thread has opened last, and its socket, which is SPDK's; NULL: none. */
struct vfio_device *pyn_spdk_connection(int *socket);

/* Send a vfio-user message of `size` bytes, and wait for its answer, which replaces it and has up to `room` bytes.
 * Returns -ETIMEDOUT if none comes, -EAGAIN if an earlier one has not come either, -EFAULT if the device refuses. */
int pyn_spdk_ask(struct vfio_device *dev, unsigned command, void *message, size_t size, size_t room);

/* Access a region, as SPDK does by spdk_vfio_user_pci_bar_access, for a script. Returns what that returns, or the
 * errors of pyn_spdk_ask. */
int pyn_spdk_access(struct vfio_device *dev, uint32_t region, uint64_t offset, size_t length, void *data,
		    bool is_write);

/* Whether the doorbells of a queue at a vfio-user socket are in the page that SPDK maps. */
bool pyn_spdk_has_doorbells(uint16_t qid, uint8_t dstrd);

/* Say that SPDK initialises a controller on this thread, or has done so. */
void pyn_spdk_initialises(bool on);

/* Whether that failed because the controller reported a fatal status. */
bool pyn_spdk_saw_fatal(void);

/* Let SPDK process the completions of an IO queue; spdk_nvme_qpair_process_completions checks those of the admin
 * queue before. */
int32_t pyn_spdk_process(struct spdk_nvme_qpair *queue);

/* ---- function.c ---- */

/* Wrap the PCI function of a drive that this thread has just let SPDK attach: at a vfio-user socket, or of this
 * machine. NULL: no memory. Close it by ops->close, which leaves the connection to SPDK. */
struct pyn_pci *pyn_spdk_function(struct spdk_nvme_ctrlr *ctrlr, bool is_socket, const char *path,
				  struct pyn_error *err);

/* ---- doorbells.c ---- */

/* Shadow doorbells: pages of SPDK that the controller reads and writes; NULL: it has none. */
struct pyn_spdk_doorbells {
	_Atomic(uint32_t) *shadow;
	_Atomic(uint32_t) *wanted; /* the indices at which the controller wants a register to be written */
	uint8_t dstrd;             /* CAP.DSTRD */
	bool is_pcie;
};

/* Find those that SPDK has just configured, when it has initialised the controller; or forget them, before it frees
 * them. */
void pyn_spdk_doorbells_find(struct pyn_ctrlr *ctrlr);
void pyn_spdk_doorbells_forget(struct pyn_ctrlr *ctrlr);

/* Clear those of a queue pair. Call it before the device creates one of its queues. */
void pyn_spdk_doorbells_clear(struct pyn_ctrlr *ctrlr, uint16_t qid);

/* Write the shadow doorbell of a queue that a script has made. Call it before the register is written. */
void pyn_spdk_doorbells_write(struct pyn_ctrlr *ctrlr, uint32_t offset, uint32_t value);

/* ---- the controller ---- */

/* Asynchronous Event Requests of the script: SPDK holds those of the drive. */
struct pyn_spdk_events {
	uint16_t *slots; /* of pending requests, the oldest first; `most` of them */
	unsigned count, most;
	struct nvme_cpl kept[16]; /* events that no request waited for, the oldest first */
	unsigned kept_count;
	struct pyn_spin lock;
};

struct pyn_ctrlr {
	struct spdk_nvme_ctrlr *spdk;
	struct pyn_pci *pci;
	struct pyn_engine_qpair *admin;
	struct pyn_spdk_events events;
	struct pyn_spdk_doorbells doorbells;
	struct pyn_kept *quarantine; /* queues that the drive may still use */
	void *spare;                 /* a page of DMA memory for data beyond their buffer */
	bool enabled;                /* by enable, and not disabled or reset since */
	bool disconnecting;          /* SPDK disables the controller, and has not finished */
	bool off;                    /* SPDK has disabled the controller */
};

/* ---- commands and queues ---- */

/* What is known of a CID. SPDK has no others than those that it has sent. */
struct pyn_spdk_cid {
	enum { PYN_SPDK_CID_UNKNOWN, PYN_SPDK_CID_IDLE, PYN_SPDK_CID_IN_FLIGHT } state;
	uint16_t slot; /* of the command in flight */
};

#define PYN_SPDK_NO_SLOT UINT16_MAX /* of a completion that belongs to no command */
#define PYN_SPDK_MOST_EMPTY                                                                                          \
	128u /* entries of a ring that SPDK keeps empty, at most, and a quarter of a short one                       \
	      */

/* A command in flight: the argument of SPDK's callback. */
struct pyn_spdk_command {
	struct pyn_engine_qpair *queue;
	struct pyn_iova *list; /* pages of PRP list in DMA memory; NULL: none yet */
	size_t list_pages;
	uint16_t slot;
	bool in_flight;
};

struct pyn_engine_qpair {
	struct pyn_ctrlr *ctrlr;
	struct spdk_nvme_qpair *spdk; /* NULL: the admin queue */
	uint16_t qid;
	uint16_t slots;
	bool forked;                       /* for another process */
	bool sq_deleted;                   /* the device confirmed it */
	bool ends;                         /* it is being deleted, so SPDK must ring no doorbell */
	struct pyn_spdk_command *commands; /* by slot */
	struct {
		struct pyn_completion *entries; /* a ring of `slots` entries */
		unsigned first, count;
		unsigned events;      /* of asynchronous events, which are the first ones */
		struct pyn_spin lock; /* of the admin queue */
	} done;                       /* completions to hand out */
	struct {
		uint16_t *slots; /* a ring of `slots` entries */
		unsigned first, count;
	} waiting; /* commands that SPDK keeps while the ring is full, the oldest first */
	struct {
		struct nvme_cmd *sq; /* of the admin queue: SPDK's memory, or NULL if it is not known */
		uint32_t entries;
		uint32_t next;      /* where the next command will be, or of the admin queue, where to look for it */
		uint64_t seen;      /* commands that were read back, ever; not of the admin queue, as the rest */
		uint64_t completed; /* commands, ever */
		void *cq;           /* the completion queue of the device */
		struct pyn_spdk_cq completions;
		struct pyn_spdk_cid *cids;
	} ring;
	void *trackers; /* what SPDK allocated for the device, which a forked process shares */
	size_t trackers_size;
	struct pyn_kept kept; /* in the controller's quarantine */
};

/* ---- command.c ---- */

/* Record the completion of a slot, for the next poll. */
void pyn_spdk_complete(struct pyn_engine_qpair *queue, uint16_t slot, const struct nvme_cpl *cpl);

/* The same for an asynchronous event. SPDK reports events after all other completions that it has found, and they are
 * handed out before those, since commands that came later than the event may be among them. */
void pyn_spdk_complete_event(struct pyn_engine_qpair *queue, uint16_t slot, const struct nvme_cpl *cpl);

/* Forget all commands in flight; completions that came before stay. */
void pyn_spdk_forget(struct pyn_engine_qpair *queue);

/* Forget the completions too. */
void pyn_spdk_empty(struct pyn_engine_qpair *queue);

int pyn_spdk_submit(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
		    struct pyn_error *err);
void pyn_spdk_ring(struct pyn_engine_qpair *queue);
unsigned pyn_spdk_poll(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max);

/* ---- queue.c ---- */

/* A queue's memory without SPDK's part. NULL: no memory. */
struct pyn_engine_qpair *pyn_spdk_queue_alloc(struct pyn_ctrlr *ctrlr, uint16_t qid, uint16_t slots,
					      struct pyn_error *err);

int pyn_spdk_queue_create(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			  const struct pyn_admin *admin, struct pyn_engine_qpair **queue, struct pyn_error *err);
int pyn_spdk_queue_delete(struct pyn_engine_qpair *queue, const struct pyn_admin *admin, struct pyn_error *err);
void pyn_spdk_queue_free(struct pyn_engine_qpair *queue);

/* ---- forked.c ---- */

bool pyn_spdk_forked(struct pyn_engine_qpair *queue);

/* ---- describe.c ---- */

/* Whether SPDK can describe these data itself. */
bool pyn_spdk_can_describe(const struct pyn_data *data);

/* Describe data by PRPs of ours. Errors: PYN_ERROR_MEMORY, PYN_ERROR_ARGUMENT. */
int pyn_spdk_describe(struct pyn_ctrlr *ctrlr, struct pyn_spdk_command *command, struct nvme_cmd *cmd,
		      const struct pyn_data *data, struct pyn_error *err);

/* Entries of struct pyn_engine_rings, for data that SPDK does not describe. */
size_t pyn_spdk_list_bytes(struct pyn_ctrlr *ctrlr, uint32_t most);
void pyn_spdk_describe_template(struct pyn_engine_qpair *queue, struct pyn_data_template *template, uint32_t length);

/* ---- events.c ---- */

/* Let SPDK report the drive's events, to the requests of the admin queue. */
int pyn_spdk_events_start(struct pyn_ctrlr *ctrlr, struct pyn_error *err);

/* Let the controller report what it reports after a reset, without what SPDK has asked for. */
void pyn_spdk_events_default(struct pyn_ctrlr *ctrlr);

/* Abort the request in this slot, for an Abort command in another slot. false: there is no such request. */
bool pyn_spdk_events_abort(struct pyn_ctrlr *ctrlr, uint16_t slot, uint16_t aborting);

/* Send an Asynchronous Event Request of the script. */
void pyn_spdk_events_request(struct pyn_ctrlr *ctrlr, uint16_t slot);

/* Drop all requests and events. */
void pyn_spdk_events_empty(struct pyn_ctrlr *ctrlr);

#endif
