/* SPDX-License-Identifier: BSD-3-Clause */
/* Submission and completion queues: their memory (queue.c), and the completions of a controller (complete.c). */
#ifndef VSSD_CTRL_QUEUE_H
#define VSSD_CTRL_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_cmd.h"
#include "vssd/ctrl/ctrl.h"
#include "vssd/ctrl/interrupt.h"
#include "vssd/ctrl/part.h"
#include "vssd/ctrl/shadow.h"
#include "vssd/options.h"

#define VSSD_WAITING_MAX 64u
#define VSSD_ABORTED_MAX 64u

struct vssd_ctrl;

/* The completion of an executed command that cannot be posted yet: a write that bypasses the cache waits for the
 * medium, others wait for room in the completion queue. */
struct vssd_waiting {
	uint64_t due; /* ticks */
	uint64_t result;
	uint32_t nsid; /* 0: of an admin command */
	uint16_t cid;
	uint16_t status;
	uint8_t opcode;
	uint64_t start; /* ticks: when the command was fetched; 0: it is not one that the latency monitor counts */
};

/* Which commands in flight to abort, and the status that they get. */
struct vssd_aborting {
	uint32_t nsid; /* all of this namespace; 0: the one of qid and cid */
	uint16_t qid;
	uint16_t cid;
	uint16_t status;
	bool of_queue; /* all of qid, of this namespace or, if it is FFFFFFFFh, of any */
};

static inline bool vssd_aborting_names(const struct vssd_aborting *abort, uint32_t nsid, uint16_t qid, uint16_t cid)
{
	if (abort->of_queue)
		return abort->qid == qid && (abort->nsid == nsid || abort->nsid == UINT32_MAX);
	return abort->nsid ? abort->nsid == nsid : abort->qid == qid && abort->cid == cid;
}

/* QPRIO of Create I/O Submission Queue, which only weighted round robin uses. */
enum vssd_priority { VSSD_URGENT, VSSD_HIGH, VSSD_MEDIUM, VSSD_LOW, VSSD_NUM_PRIORITIES };

struct vssd_sq {
	const struct nvme_cmd *entries; /* NULL: no direct access, so entries are copied one by one */
	struct vssd_cq *cq;
	uint64_t iova;
	uint32_t size; /* entries; 0: there is no such queue */
	uint32_t head;
	uint32_t tail;
	uint32_t rung_value; /* the last value written to the doorbell, valid or not */
	bool rung;           /* since the queue was created */
	bool plain;          /* its plain reads and writes can take the short path: see plain.h */
	uint16_t qid;
	uint16_t waiting_head;
	uint16_t num_waiting;
	uint16_t num_aborted;
	uint8_t priority;
	uint64_t pair_due;            /* ticks: how long the first half of a fused operation waits; 0: none does */
	struct vssd_waiting *waiting; /* a ring of VSSD_WAITING_MAX, in the order of due */
	uint32_t *aborted;            /* VSSD_ABORTED_MAX entries, aborted before they were fetched */
};

struct vssd_cq {
	struct nvme_cpl *entries; /* NULL: as above */
	uint64_t iova;
	uint32_t size;
	uint32_t head;       /* the host has consumed the entries before this one */
	uint32_t tail;       /* the next entry to post */
	uint32_t rung_value; /* as above */
	bool rung;
	uint16_t phase;
	uint16_t qid;
	uint16_t vector;
	uint16_t users;  /* submission queues that complete here */
	uint16_t posted; /* entries not yet passed to vssd_interrupt() */
	bool interrupts;
	bool error;   /* one of these entries reports a failed command */
	bool overrun; /* a fault rule has made the drive ignore what the host has read */
};

/* Memory of a controller's queues. A drive may offer 65,535 of them: only pages of those that the host creates cost
 * memory. */
struct vssd_queue_memory {
	uint32_t count;               /* QIDs, with the admin queue's */
	struct vssd_waiting *waiting; /* VSSD_WAITING_MAX of each */
	uint32_t *aborted;            /* VSSD_ABORTED_MAX of each */
};

/* With many queues, most of which are idle: a poll passes over the idle ones, by their doorbells alone. */
struct vssd_many {
	bool uncommon;      /* there are more than VSSD_FEW_QUEUES, or they are served by weight */
	uint64_t *left;     /* a bit for each QID: there was something to do after its last visit */
	uint64_t next_walk; /* ticks: when to visit all, for what came by another way than the page of doorbells */
};

/* All queues of a controller. The members turn, weighted, many, turns, credit and data_moved belong
 * to arbitration (vssd/cmd/arbitration.c). */
struct vssd_queues {
	volatile uint32_t *doorbells; /* vssd_layout_doorbells() bytes */
	uint32_t num_doorbells;       /* words there */
	uint32_t scanned;             /* the word where the next scan of them starts */
	struct vssd_queue_memory memory;
	uint16_t num_active;
	uint16_t turn;    /* where the next round over active starts */
	bool weighted;    /* CC.AMS: weighted round robin with urgent priority class */
	bool made;        /* the host has created IO queues since the last reset */
	bool kept;        /* a fault rule has kept the IO queues over a reset */
	bool granted;     /* the host has set feature 07h, so the numbers below are fixed */
	uint32_t num_sqs; /* how many the host can create; all until it sets feature 07h */
	uint32_t num_cqs;
	uint16_t *active;    /* QIDs with a submission or a completion queue, in order; never the admin queue's */
	uint64_t *seen;      /* last value of both doorbells: tail in the lower half, head in the upper */
	uint64_t generation; /* of the DMA map when the queues' pointers were resolved */
	uint64_t next_scan;  /* ticks: when to check the doorbells of no queue next */
	uint64_t data_moved; /* bytes, in this poll */
	uint64_t throttled;  /* ticks: when the commands so far end, if the drive throttles */
	uint8_t plain[VSSD_MAX_NAMESPACES]; /* by NSID - 1: a bit for each opcode, see plain.h */
	struct vssd_sq *sq;                 /* by QID, as active, seen and cq */
	struct vssd_cq *cq;
	struct vssd_shadow shadow;
	struct vssd_many many;
	uint16_t turns[VSSD_NUM_PRIORITIES];  /* with weighted round robin: turn of each class */
	uint32_t credit[VSSD_NUM_PRIORITIES]; /* how many more commands of each class fit this round */
};

/* From this number on, a poll looks for queues that have something to do. */
#define VSSD_FEW_QUEUES 64u

extern const struct vssd_part vssd_queue_part;

/* The number of queues, or how they are served, has changed. */
static inline void vssd_queues_changed(struct vssd_queues *queues)
{
	queues->many.uncommon = queues->weighted || queues->num_active > VSSD_FEW_QUEUES;
	queues->many.next_walk = 0;
}

/* ---- queue.c ---- */

/* The QIDs that have queues: that of the admin queue for 0, and those of I/O queues for 1 … num_active. */
static inline uint16_t vssd_queue_id(const struct vssd_queues *queues, uint32_t index)
{
	return index == 0 ? 0 : queues->active[index - 1];
}

/* Create, delete or clear queues. The caller has checked all parameters. */
void vssd_cq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t vector,
		    bool interrupts);
void vssd_sq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t cqid,
		    enum vssd_priority priority);
void vssd_sq_delete(struct vssd_ctrl *ctrl, uint16_t qid);
void vssd_cq_delete(struct vssd_ctrl *ctrl, uint16_t qid);
void vssd_queues_clear(struct vssd_ctrl *ctrl);

/* The value of a doorbell that has not been written since the last check. No host writes this value, so the drive
 * notices even a store of 0, or of the previous value, in the shared page. */
#define VSSD_DOORBELL_UNRUNG 0xb1d0be11u

/* Remember a value of a doorbell as processed. */
void vssd_doorbell_set_seen(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value);

/* Mark one doorbell, or all, as not rung. */
void vssd_doorbell_clear(struct vssd_ctrl *ctrl, uint32_t index);
void vssd_doorbells_clear(struct vssd_ctrl *ctrl);

/* Resolve the queues' pointers again if the host's memory map has changed. */
void vssd_queues_resolve(struct vssd_ctrl *ctrl);

/* Copy an entry. False: its memory cannot be read. */
bool vssd_sq_read(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint32_t entry, struct nvme_cmd *cmd);

/* Check or mark an entry as aborted before it was fetched, or remove the mark once it has been fetched (unmark).
 * False from unmark: it was not aborted. */
bool vssd_sq_is_aborted(const struct vssd_sq *sq, uint32_t entry);
void vssd_sq_mark_aborted(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t entry);
bool vssd_sq_unmark_aborted(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t entry);

static inline uint32_t vssd_next_entry(uint32_t entry, uint32_t size)
{
	return entry + 1 == size ? 0 : entry + 1;
}

/* ---- complete.c ---- */

/* How many entries can be posted until the queue is full. One stays empty, to tell a full queue from an empty one. */
static inline uint32_t vssd_cq_room(const struct vssd_cq *cq)
{
	return (cq->head > cq->tail ? cq->head : cq->head + cq->size) - cq->tail - 1;
}

/* Post a completion. There must be room. */
void vssd_post(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint16_t cid, uint16_t status, uint64_t result);

/* Post a completion as soon as it is due and there is room. The caller must not exceed VSSD_WAITING_MAX. */
void vssd_post_later(struct vssd_sq *sq, struct vssd_waiting waiting);

/* Post the waiting completions that are due at now, as long as there is room. */
void vssd_post_due(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint64_t now);

/* Count an I/O command in the latency monitor, which completes now and was fetched at start (ticks). */
void vssd_latency_note(struct vssd_ctrl *ctrl, uint8_t opcode, uint64_t start);

/* Abort the successful commands of a queue whose completions wait. Those that have room are posted now. Returns
 * how many. */
unsigned vssd_waiting_abort(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct vssd_aborting *abort);

/* Find the NSID of a command whose completion waits. False: there is none with this CID. */
bool vssd_waiting_find(const struct vssd_sq *sq, uint16_t cid, uint32_t *nsid);

/* Make the entry that vssd_post() would post, and post an entry. There must be room. */
void vssd_cqe_make(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint16_t cid, uint16_t status,
		   uint64_t result, uint32_t cqe[4]);
void vssd_post_cqe(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const uint32_t cqe[4]);

/* Complete an admin command that is being executed, now or once there is room. */
void vssd_complete_admin(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint64_t result);

/* Interrupt for the entries posted since the last call. */
static inline void vssd_interrupt_posted(struct vssd_ctrl *ctrl, struct vssd_cq *cq)
{
	if (cq->posted)
		vssd_interrupt(ctrl, cq);
}

/* Advance the tail after an entry was posted there. */
static inline void vssd_cq_advance(struct vssd_cq *cq)
{
	cq->posted++;
	if (++cq->tail == cq->size) {
		cq->tail = 0;
		cq->phase ^= 1;
	}
}

/* Post an entry as two words in a queue with direct access. The second word holds the phase tag, so store it last: it
 * makes the whole entry visible. */
static inline void vssd_cq_store(struct vssd_cq *cq, uint64_t first, uint64_t second)
{
	uint64_t *entry = (uint64_t *)&cq->entries[cq->tail];

	__atomic_store_n(&entry[0], first, __ATOMIC_RELAXED);
	__atomic_store_n(&entry[1], second, __ATOMIC_RELEASE);
	vssd_cq_advance(cq);
}

#endif
