/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands of a queue pair that are in flight, for a tester, over an engine's queue. It records which they are,
 * when each times out, and which completions the script has not fetched. It also keeps the command log and tracks
 * commands for verification.
 *
 * A slot is a command identifier. It is free once the device has completed it AND the script has fetched its
 * completion. After a timeout the device may still write, so the slot, its PRP list and its buffer stay reserved
 * (quarantined) until the real completion comes, or until pyn_inflight_abort_all is called because the device cannot
 * write any more.
 *
 * Any thread of the process may call all functions; each queue pair has a lock. Completions are returned in the order
 * in which they came.
 */
#ifndef PYN_DRIVE_INFLIGHT_H
#define PYN_DRIVE_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine/engine.h"
#include "core/data/buffer.h"
#include "core/data/cmdlog.h"
#include "core/verify/tables.h"
#include "core/verify/track_meta.h"
#include "core/verify/verify.h"
#include "core/util/error.h"

struct pyn_inflight;

/* A command to send for a script. */
struct pyn_command {
	struct nvme_cmd cmd;       /* complete except for CID and data pointers */
	struct pyn_buffer *buffer; /* NULL: no data */
	uint32_t offset;           /* in the buffer, bytes */
	uint32_t length;           /* bytes of it that the command describes */
	uint64_t transfer;         /* as in struct pyn_data */
	bool meant;                /* the script itself has limited length */
	bool sgl;                  /* the engine describes the data by an SGL */
	/* The data pointer in cmd is the script's own. The device may use these buffers until the completion. */
	struct pyn_buffer **named;
	uint32_t num_named;
	struct pyn_metadata metadata; /* what MPTR, which the caller has filled in, points to */
	struct pyn_verify *verify;    /* NULL: nothing is tracked (admin queue, unknown namespace) */
	struct pyn_tables *all; /* instead of verify, for a command to all namespaces; the queue takes ownership */
	bool stamp;             /* a write: put LBA and token into the data */
	bool check;             /* a read: compare */
	void *user;             /* returned with the completion */
};

/* A completed command, for the script. */
struct pyn_completed {
	struct nvme_cpl cpl; /* as the device wrote it; all ones after a timeout */
	struct nvme_cmd cmd; /* as it was sent */
	void *user;
	bool timed_out;
	bool mismatch;     /* the data read are wrong: status is 07/81, see found */
	uint8_t csi;       /* of its namespace, if that has keys; else 0 */
	bool asynchronous; /* an Asynchronous Event Request, which waitdone does not count */
	uint32_t aborts;   /* pyn_inflight_aborts when it was sent */
	uint64_t latency_ns;
	struct pyn_mismatch found;
};

#define PYN_STATUS_MISMATCH NVME_SC(7, 0x81)

enum pyn_command_stage {
	PYN_COMMAND_SENT,
	PYN_COMMAND_DONE,    /* with status 00/00 */
	PYN_COMMAND_REFUSED, /* with 00/01, Invalid Command Opcode, or never sent: no effect */
	PYN_COMMAND_FAILED,  /* with another status */
};

struct pyn_inflight_config {
	uint16_t qid;
	uint16_t slots;             /* command identifiers of the script, from 0 */
	uint16_t in_flight;         /* how many may be in use at a time: one less than the entries of the queue */
	uint16_t own_slots;         /* further slots for the driver's own commands (admin queue) */
	bool highest_first;         /* use the highest free CID first */
	const char *drive;          /* its address, for captures */
	const uint32_t *timeout_ms; /* for each command; owned by the caller, may change at any time */
	/* Called for each command of the script before it is sent and when it has ended; cpl is NULL unless it was
	 * completed. May be NULL. */
	void (*on_command)(void *context, const struct nvme_cmd *cmd, const struct nvme_cpl *cpl,
			   enum pyn_command_stage what);
	void *context;
};

/* Create it without a queue; pyn_inflight_attach gives it one. NULL: no memory. */
struct pyn_inflight *pyn_inflight_create(const struct pyn_engine *engine, struct pyn_ctrlr *ctrlr,
					 const struct pyn_inflight_config *config, struct pyn_error *err);

/* Free everything. Call it once the device does not use the queue any more and all completions have been fetched. */
void pyn_inflight_destroy(struct pyn_inflight *inflight);

/* Use this queue of the engine from now on. Before this call, and after pyn_inflight_abort_all, there is none, and
 * submissions are refused. */
void pyn_inflight_attach(struct pyn_inflight *inflight, struct pyn_engine_qpair *queue);
struct pyn_engine_qpair *pyn_inflight_queue(const struct pyn_inflight *inflight);
struct pyn_cmdlog *pyn_inflight_cmdlog(const struct pyn_inflight *inflight);

/* Send a command; *cid is valid at once. Errors: PYN_ERROR_ARGUMENT (EBUSY: the queue is full),
 * PYN_ERROR_STATE (no queue), PYN_ERROR_MEMORY. */
int pyn_inflight_submit(struct pyn_inflight *inflight, const struct pyn_command *command, uint16_t *cid,
			struct pyn_error *err);

/* Poll the completion queue once, then fetch up to max completions; returns their number. Never waits. */
unsigned pyn_inflight_fetch(struct pyn_inflight *inflight, struct pyn_completed *completed, unsigned max);

/* The same, but wait up to budget_us for the first completion; does not wait on an I/O queue with nothing in flight.
 * Sleeps if only asynchronous events can come. */
unsigned pyn_inflight_wait(struct pyn_inflight *inflight, struct pyn_completed *completed, unsigned max,
			   uint64_t budget_us);

/* Fetch the oldest completion of an Asynchronous Event Request; wait up to budget_us for it as long as one is in
 * flight. Does not fetch other completions. false: no event. */
bool pyn_inflight_wait_event(struct pyn_inflight *inflight, struct pyn_completed *completed, uint64_t budget_us);

/* Send a command of the driver's own, with the whole buffer (or NULL) as its data, and wait for it. Completions of
 * the script are kept for the script. Returns 0 if a completion came, in *cpl, whatever its status. Errors:
 * PYN_ERROR_TIMEOUT, PYN_ERROR_GONE, PYN_ERROR_STATE. */
int pyn_inflight_execute(struct pyn_inflight *inflight, const struct nvme_cmd *cmd, struct pyn_buffer *buffer,
			 struct nvme_cpl *cpl, struct pyn_error *err);

/* Complete all commands in flight to the script with this status (NVME_SC), end the quarantine, and drop the queue,
 * all at once. Call it when the device cannot complete or write anything any more (queue deleted, CC.EN = 0,
 * gone). */
void pyn_inflight_abort_all(struct pyn_inflight *inflight, uint16_t status);

/* From now on keep up to size bytes of the data of each of the last count commands that have data; size 0: keep none.
 * What was kept so far is dropped. Errors: PYN_ERROR_MEMORY, which changes nothing. */
int pyn_inflight_keep(struct pyn_inflight *inflight, uint32_t size, uint32_t count, struct pyn_error *err);

/* Copy the kept data of a command, by its number in the command log, to into, at most size bytes. Returns how many
 * bytes there are, 0 if none were kept. */
uint32_t pyn_inflight_kept(struct pyn_inflight *inflight, uint64_t number, void *into, uint32_t size);

/* The bytes that are kept of each command; 0: none. */
uint32_t pyn_inflight_kept_size(struct pyn_inflight *inflight);

/* How often pyn_inflight_abort_all was called. */
uint32_t pyn_inflight_aborts(const struct pyn_inflight *inflight);

/* Number of commands whose completion was not fetched yet, including the driver's own. */
unsigned pyn_inflight_outstanding(struct pyn_inflight *inflight);

/* Number of these that are Asynchronous Event Requests of the script. */
unsigned pyn_inflight_events(struct pyn_inflight *inflight);

#endif
