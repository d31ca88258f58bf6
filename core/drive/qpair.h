/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue pair as a tester needs it: over an engine's queue it keeps which commands are in flight, when each has
 * timed out, what the script has not fetched yet, the command log, and what verification must know.
 *
 * A slot is a command identifier. It is free when the device has given it back AND the script has fetched its
 * completion. After a timeout the device may still write: the slot, its PRP list and its buffer stay reserved
 * (quarantined) until the real completion comes, or until pyn_qpair_abort_all says that the device cannot write any
 * more.
 *
 * Any thread of the process may call everything here; a lock per queue pair makes them take turns. Completions are
 * handed out in the order in which they came.
 */
#ifndef PYN_IO_QPAIR_H
#define PYN_IO_QPAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine/engine.h"
#include "core/data/buffer.h"
#include "core/data/cmdlog.h"
#include "core/verify/tables.h"
#include "core/verify/verify.h"
#include "core/util/error.h"

struct pyn_qpair;

/* A command to be sent for a script. */
struct pyn_command {
	struct nvme_cmd cmd;       /* all but CID and data pointers */
	struct pyn_buffer *buffer; /* NULL: no data */
	uint32_t offset;           /* in the buffer, bytes */
	uint32_t length;           /* bytes of it that the device is given */
	uint64_t transfer;         /* as in struct pyn_data */
	bool meant;                /* the script has set how much of its buffer that is */
	struct pyn_verify *verify; /* NULL: nothing is tracked (admin queue, unknown namespace) */
	struct pyn_tables *all;    /* instead of it, of a command to all namespaces; becomes the queue's */
	bool stamp;                /* a write: put LBA and token into the data */
	bool check;                /* a read: compare */
	void *user;                /* comes back with the completion */
};

/* What a script gets for a command. */
struct pyn_completed {
	struct nvme_cpl cpl; /* as the device wrote it; all ones after a timeout */
	struct nvme_cmd cmd; /* as it was sent */
	void *user;
	bool timed_out;
	bool mismatch;     /* what was read is not what was written: status is 07/81, *found tells */
	bool asynchronous; /* an Asynchronous Event Request: not counted by waitdone */
	uint32_t aborts;   /* pyn_qpair_aborts when it was sent */
	uint64_t latency_ns;
	struct pyn_mismatch found;
};

#define PYN_STATUS_MISMATCH NVME_SC(7, 0x81)

enum pyn_command_stage {
	PYN_COMMAND_SENT,
	PYN_COMMAND_DONE,    /* with status 00/00 */
	PYN_COMMAND_REFUSED, /* with 00/01, Invalid Command Opcode, or it was never sent: nothing was done */
	PYN_COMMAND_FAILED,  /* with another one */
};

struct pyn_qpair_config {
	uint16_t qid;
	uint16_t slots;             /* command identifiers of the script, from 0 */
	uint16_t in_flight;         /* of them in use at a time: one less than the queue has entries */
	uint16_t own_slots;         /* more, for the driver's own commands (admin queue) */
	bool highest_first;         /* hand out the highest free CID first */
	const uint32_t *timeout_ms; /* of each command; stays the caller's, may change at any time */
	/* Sees each command of the script before it is sent and again when it has ended; cpl is NULL unless it was
	 * completed. NULL: nobody looks. */
	void (*on_command)(void *context, const struct nvme_cmd *cmd, const struct nvme_cpl *cpl,
			   enum pyn_command_stage what);
	void *context;
};

/* Over queue, which stays the engine's. NULL: no memory. */
struct pyn_qpair *pyn_qpair_create(const struct pyn_engine *engine, struct pyn_ctrlr *ctrlr,
				   const struct pyn_qpair_config *config, struct pyn_error *err);

/* Free everything. The device does not use the queue any more, and every completion has been fetched. */
void pyn_qpair_destroy(struct pyn_qpair *qpair);

/* The engine's queue that it runs over from now on. Before and after pyn_qpair_abort_all: none, and every submission
 * is refused. */
void pyn_qpair_attach(struct pyn_qpair *qpair, struct pyn_engine_qpair *queue);
struct pyn_engine_qpair *pyn_qpair_queue(const struct pyn_qpair *qpair);
struct pyn_cmdlog *pyn_qpair_cmdlog(const struct pyn_qpair *qpair);

/* Send a command; *cid is known right afterwards. Errors: PYN_ERROR_ARGUMENT (EBUSY: as many in flight as it takes),
 * PYN_ERROR_STATE (no queue), PYN_ERROR_MEMORY. */
int pyn_qpair_submit(struct pyn_qpair *qpair, const struct pyn_command *command, uint16_t *cid,
		     struct pyn_error *err);

/* Look at the completion queue once, then fetch up to max completions; returns how many. Never waits. */
unsigned pyn_qpair_fetch(struct pyn_qpair *qpair, struct pyn_completed *completed, unsigned max);

/* The same, but wait up to budget_us for the first one; not at all on an I/O queue with nothing in flight. Where
 * events alone are waited for, by sleeping. */
unsigned pyn_qpair_wait(struct pyn_qpair *qpair, struct pyn_completed *completed, unsigned max, uint64_t budget_us);

/* Fetch the oldest completion of an Asynchronous Event Request, and wait up to budget_us for one, as long as there is
 * one in flight; other completions stay to be fetched. False: there was none. */
bool pyn_qpair_wait_event(struct pyn_qpair *qpair, struct pyn_completed *completed, uint64_t budget_us);

/* Send a command of the driver's own, with the whole of buffer (or NULL) as its data, and wait for it; a script's
 * completions are kept for the script.
 * 0: a completion came, *cpl holds it, whatever its status. PYN_ERROR_TIMEOUT, PYN_ERROR_GONE, PYN_ERROR_STATE. */
int pyn_qpair_execute(struct pyn_qpair *qpair, const struct nvme_cmd *cmd, struct pyn_buffer *buffer,
		      struct nvme_cpl *cpl, struct pyn_error *err);

/* The device cannot complete or write anything any more (queue deleted, CC.EN = 0, gone): what it has not completed
 * completes to the script with this status (NVME_SC), quarantine ends, and the queue is let go of in the same moment.
 */
void pyn_qpair_abort_all(struct pyn_qpair *qpair, uint16_t status);

/* How often it was abandoned. */
uint32_t pyn_qpair_aborts(const struct pyn_qpair *qpair);

/* Commands whose completion nobody has fetched, the driver's own included. */
unsigned pyn_qpair_outstanding(struct pyn_qpair *qpair);

/* Those of them that are Asynchronous Event Requests of the script. */
unsigned pyn_qpair_events(struct pyn_qpair *qpair);

#endif
