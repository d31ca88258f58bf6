/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that uses the queues correctly, whatever commands it puts into them, and judges the completions: each
 * command completes once, with a status that exists, and has done what the status says.
 */
#ifndef TESTS_C_FUZZ_HOST_H
#define TESTS_C_FUZZ_HOST_H

#include "spec/nvme_cmd.h"
#include "tests/c/fuzz/memory.h"
#include "tests/c/fuzz/model.h"
#include "tests/c/fuzz/random.h"
#include "vssd/ctrl/ctrl.h"
#include "vssd/subsystem/subsystem.h"

#define FUZZ_QUEUES_MAX 65u /* with the admin queue */
#define FUZZ_SLOTS 96u
#define FUZZ_CHUNKS 40u
#define FUZZ_NAMED 320u
#define FUZZ_RANGES 256u      /* of a Dataset Management command */
#define FUZZ_TRANSFER 131072u /* bytes; the longest that has pages of its own */

/* A command before it is sent. */
struct fuzz_command {
	struct nvme_cmd cmd;
	uint32_t length;      /* bytes of data that it moves */
	bool must_succeed;    /* unless the state of the drive forbids it */
	bool mutilate;        /* change some of its fields before it is sent */
	bool fill;            /* send the data of the model, for a Compare that succeeds */
	uint8_t data[4096];   /* the data to send, if they matter; otherwise random */
	uint32_t data_length; /* bytes of data that matter */
};

/* A command in flight. */
struct fuzz_slot {
	bool used;
	bool must_succeed;
	bool own_pages; /* its PRPs are unchanged, so no other command uses these pages */
	bool changes;   /* ranges are in the model as changes in flight */
	bool vague;     /* ranges are a guess, since it is unknown what the command will change */
	bool equal;     /* a Compare that must find the data equal */
	bool aborted;   /* an Abort names it */
	bool paired;    /* the second half of a fused operation, directly after the first half */
	bool first_done;
	uint16_t first_cid; /* of that first half, as is first_status */
	uint16_t first_status;
	uint16_t sqid;
	struct nvme_cmd cmd;
	uint64_t submitted_at; /* time of the model */
	uint64_t failures;     /* of accesses by message, when it was submitted */
	uint32_t length;
	uint32_t offset;                       /* of the data in the first chunk */
	struct fuzz_range ranges[FUZZ_RANGES]; /* of the model */
	uint32_t num_ranges;
	uint32_t versions[FUZZ_MAX_SECTORS];
	bool stable[FUZZ_MAX_SECTORS];
	uint64_t chunks[FUZZ_CHUNKS]; /* data first, then pages of the PRP list */
	uint32_t chunk_size;
	uint32_t num_chunks;
	uint64_t named[FUZZ_NAMED]; /* pages that it may write */
	uint32_t num_named;
	/* Of a queue that it creates. */
	uint64_t queue_iova;
	uint32_t queue_size;
};

struct fuzz_sq {
	bool exists;
	bool pending; /* a command that creates or deletes it is in flight */
	uint16_t cqid;
	uint16_t next_cid;
	uint64_t iova;
	uint32_t size;
	uint32_t tail;
	uint32_t head;        /* SQHD of the last completion */
	struct nvme_cmd last; /* that was put into it */
};

struct fuzz_cq {
	bool exists;
	bool pending;
	uint16_t phase;
	uint64_t iova;
	uint32_t size;
	uint32_t head;
};

struct fuzz_host {
	struct fuzz_random *random;
	struct fuzz_memory *memory;
	struct fuzz_model model;
	struct vssd_subsystem *subsystem;
	struct vssd_ctrl *ctrl;
	const struct vssd_options *options;
	volatile uint32_t *doorbells;
	uint32_t page_size;
	uint64_t next_queue; /* where the next queue's memory comes from */
	uint8_t lba_shift;   /* of namespace 1; 0: a format is in flight, or was */
	bool dulbe;          /* a namespace may report reads of unwritten LBAs as errors */
	bool erratic;        /* a background operation may change data */
	bool sanitized;      /* a sanitize operation was started; it never ends if times never end */
	uint64_t submitted;
	uint64_t completed;
	uint64_t succeeded;
	uint64_t judged;       /* sectors compared */
	uint64_t fused;        /* pairs of which both halves succeeded */
	bool wants_second;     /* the last IO command was the first half of a fused operation */
	struct nvme_cmd first; /* that first half */
	struct fuzz_sq sq[FUZZ_QUEUES_MAX];
	struct fuzz_cq cq[FUZZ_QUEUES_MAX];
	struct fuzz_slot slots[FUZZ_SLOTS];
};

/* Start anew, after the controller was created or reset: no queues, and no commands in flight. */
void fuzz_host_reset(struct fuzz_host *host);

/* Allocate memory for a queue, which may lie in two regions. */
uint64_t fuzz_host_queue_memory(struct fuzz_host *host, uint32_t bytes);

/* Note that the controller was enabled with these admin queues. */
void fuzz_host_enabled(struct fuzz_host *host, uint64_t asq, uint32_t sq_size, uint64_t acq, uint32_t cq_size,
		       uint32_t page_size);

/* Read the LBA size of a namespace again. */
void fuzz_host_learn_format(struct fuzz_host *host);

/* Whether the SQ and the fuzzer's list of commands have room for a command. */
bool fuzz_host_can_submit(struct fuzz_host *host, uint16_t sqid);

/* Give the command memory and a CID, put it into the SQ, and remember it. The doorbell is rung later. */
void fuzz_host_submit(struct fuzz_host *host, uint16_t sqid, struct fuzz_command *command);

/* Choose an address for a transfer. It may be wrong in any way, but is never in a queue or another command's pages.
 */
uint64_t fuzz_host_address(struct fuzz_host *host);

/* Write the doorbell of an existing SQ or CQ. */
void fuzz_host_ring(struct fuzz_host *host, uint16_t sqid);
void fuzz_host_ring_cq(struct fuzz_host *host, uint16_t cqid);

/* Reap at most limit entries of a CQ and judge them. ring: write the doorbell. Returns how many there were.
 */
uint32_t fuzz_host_reap(struct fuzz_host *host, uint16_t cqid, uint32_t limit, bool ring);

/* Report memory that the controller changed and must not have. */
void fuzz_host_check(struct fuzz_host *host);

/* How many commands of this kind are in flight; opcode below 0: any. */
uint32_t fuzz_host_in_flight(const struct fuzz_host *host, int sqid, int opcode);

#endif
