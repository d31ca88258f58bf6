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
#include "vssd/options.h"

#define VSSD_WAITING_MAX 64u
#define VSSD_DEAD_MAX 64u

#define VSSD_NUM_QUEUES (VSSD_MAX_IO_QUEUES + 1)

struct vssd_ctrl;

/* What is left of a request that was executed and cannot complete yet: a write that skips the cache waits for the
 * medium, others for room in their completion queue. */
struct vssd_waiting {
	uint64_t due; /* ticks */
	uint64_t result;
	uint16_t cid;
	uint16_t status;
};

/* Create I/O Submission Queue, QPRIO: of meaning with weighted round robin only. */
enum vssd_priority { VSSD_URGENT, VSSD_HIGH, VSSD_MEDIUM, VSSD_LOW, VSSD_NUM_PRIORITIES };

struct vssd_sq {
	const struct nvme_cmd *entries; /* NULL: not in one mapped region, entries are fetched one by one */
	struct vssd_cq *cq;
	uint64_t iova;
	uint32_t size; /* entries; 0: there is no such queue */
	uint32_t head;
	uint32_t tail;
	uint32_t rung_value; /* what its doorbell was written with last, whether it was valid or not */
	bool rung;           /* since the queue was made */
	bool plain;          /* its plain reads and writes may go the short way: vssd_direct_update() */
	uint16_t qid;
	uint16_t waiting_head;
	uint16_t num_waiting;
	uint16_t num_dead;
	uint8_t priority;
	uint64_t pair_due; /* ticks: until then the first half of a fused operation waits for its second; 0: none */
	struct vssd_waiting waiting[VSSD_WAITING_MAX]; /* a ring, in the order in which they fall due */
	uint32_t dead[VSSD_DEAD_MAX];                  /* entries that were aborted before they were fetched */
};

struct vssd_cq {
	struct nvme_cpl *entries; /* NULL: as above */
	uint64_t iova;
	uint32_t size;
	uint32_t head;       /* what the host consumed */
	uint32_t tail;       /* where the next entry goes */
	uint32_t rung_value; /* as above */
	bool rung;
	uint16_t phase;
	uint16_t qid;
	uint16_t vector;
	uint16_t users;  /* submission queues that complete here */
	uint16_t posted; /* entries of which interrupt.c has not been told */
	bool interrupts;
	bool error; /* one of them says that a command failed */
};

/* All of a controller. Arbitration, vssd/cmd/arbitration.c, has turn, weighted, turns, credit and data_moved. */
struct vssd_queues {
	volatile uint32_t *doorbells; /* VSSD_DOORBELL_SIZE bytes */
	uint16_t num_active;
	uint16_t turn;    /* where the next round over active starts */
	bool weighted;    /* CC.AMS: weighted round robin with urgent priority class */
	bool made;        /* IO queues were, since the last reset */
	bool granted;     /* the number of queues was, by feature 07h: it stays as it is then */
	uint32_t num_sqs; /* that the host may make; at first all there are */
	uint32_t num_cqs;
	uint16_t active[VSSD_NUM_QUEUES]; /* QIDs with a submission or a completion queue; never the admin queue's */
	uint64_t seen[VSSD_NUM_QUEUES];   /* both doorbells of a QID as they were: tail below, head above */
	uint64_t generation;              /* of the DMA map that the queues' pointers come from */
	uint64_t next_scan;               /* ticks: when doorbells of no queue are looked at again */
	uint64_t data_moved;              /* bytes, in this poll */
	uint8_t plain[VSSD_MAX_NAMESPACES]; /* by NSID - 1: a bit for each opcode, see plain.h */
	struct vssd_sq sq[VSSD_NUM_QUEUES];
	struct vssd_cq cq[VSSD_NUM_QUEUES];
	uint16_t turns[VSSD_NUM_PRIORITIES];  /* with weighted round robin: as turn, of each class */
	uint32_t credit[VSSD_NUM_PRIORITIES]; /* commands that a class may still begin in this round */
};

extern const struct vssd_part vssd_queue_part;

/* ---- queue.c ---- */

/* Make queue qid. The caller has checked everything. */
void vssd_cq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t vector,
		    bool interrupts);
void vssd_sq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t cqid,
		    enum vssd_priority priority);
void vssd_sq_delete(struct vssd_ctrl *ctrl, uint16_t qid);
void vssd_cq_delete(struct vssd_ctrl *ctrl, uint16_t qid);
void vssd_queues_clear(struct vssd_ctrl *ctrl);

/* What a doorbell holds that nobody has rung since the drive looked: another value than any host writes, so that a
 * store of 0, or of the same value again, is seen in the page. */
#define VSSD_DOORBELL_UNRUNG 0xb1d0be11u
#define VSSD_DOORBELL_WORDS (VSSD_DOORBELL_SIZE / sizeof(uint32_t))

/* The value of a doorbell that counts as seen. */
void vssd_doorbell_set_seen(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value);

/* One doorbell, or all, has not been rung. */
void vssd_doorbell_clear(struct vssd_ctrl *ctrl, uint32_t index);
void vssd_doorbells_clear(struct vssd_ctrl *ctrl);

/* The host's memory map may have changed: pointers into it are void then. */
void vssd_queues_resolve(struct vssd_ctrl *ctrl);

/* Copy an entry; false: its memory cannot be read. */
bool vssd_sq_read(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint32_t entry, struct nvme_cmd *cmd);

/* Entries that were aborted before they were fetched. forget: it has been fetched now; false: it was not aborted. */
bool vssd_sq_is_dead(const struct vssd_sq *sq, uint32_t entry);
void vssd_sq_kill(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t entry);
bool vssd_sq_forget_dead(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t entry);

static inline uint32_t vssd_next_entry(uint32_t entry, uint32_t size)
{
	return entry + 1 == size ? 0 : entry + 1;
}

/* ---- complete.c ---- */

/* Entries until the queue is full; one stays empty, as a full queue would look like an empty one. */
static inline uint32_t vssd_cq_room(const struct vssd_cq *cq)
{
	return (cq->head > cq->tail ? cq->head : cq->head + cq->size) - cq->tail - 1;
}

/* Post a completion; there is room. */
void vssd_post(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint16_t cid, uint16_t status, uint64_t result);

/* Post one as soon as it is due and there is room. The caller keeps to VSSD_WAITING_MAX. */
void vssd_wait(struct vssd_sq *sq, struct vssd_waiting waiting);

/* Post those that fall due up to now, as far as there is room. */
void vssd_settle(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint64_t now);

/* Take the one of a command that succeeded out of those that wait; false: there is none. */
bool vssd_take_waiting(struct vssd_sq *sq, uint16_t cid);

/* Complete an admin command, now or once there is room: one that returned VSSD_LATER, or is being executed. */
void vssd_complete_admin(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint64_t result);
void vssd_complete_later(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint64_t result);

/* Interrupt for what was posted. */
static inline void vssd_tell(struct vssd_ctrl *ctrl, struct vssd_cq *cq)
{
	if (cq->posted)
		vssd_interrupt(ctrl, cq);
}

/* The entry at the tail has been posted. */
static inline void vssd_cq_advance(struct vssd_cq *cq)
{
	cq->posted++;
	if (++cq->tail == cq->size) {
		cq->tail = 0;
		cq->phase ^= 1;
	}
}

/* Post an entry, as two words, where a queue has direct access. The second holds the phase tag: its store comes last,
 * and shows the whole entry. */
static inline void vssd_cq_store(struct vssd_cq *cq, uint64_t first, uint64_t second)
{
	uint64_t *entry = (uint64_t *)&cq->entries[cq->tail];

	__atomic_store_n(&entry[0], first, __ATOMIC_RELAXED);
	__atomic_store_n(&entry[1], second, __ATOMIC_RELEASE);
	vssd_cq_advance(cq);
}

#endif
