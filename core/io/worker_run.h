/* SPDX-License-Identifier: BSD-3-Clause */
/* What the worker's process needs: everything was allocated before the fork, nothing is allocated after it. */
#ifndef PYN_IO_WORKER_RUN_H
#define PYN_IO_WORKER_RUN_H

#include "core/engine/engine.h"
#include "core/io/cmdlog.h"
#include "core/io/crc32c.h"
#include "core/io/worker.h"

/* One command that may be in flight, with its buffers; its index is its CID. */
struct pyn_worker_slot {
	struct nvme_cmd cmd; /* NSID and data pointers are built once */
	uint64_t submitted;  /* ticks; 0: not in flight */
	uint64_t logged;     /* its number in the command log */
	uint64_t slba;       /* of a flush: the epoch that it makes durable */
	uint32_t nlb;
	uint8_t op;
	uint8_t *read_data;  /* what the device reads into, or NULL */
	uint8_t *write_data; /* what it writes, or NULL */
	struct nvme_dsm_range
		*range;          /* of a DSM command, or NULL; apart, since write_data only changes by its stamps */
	uint64_t *read_prp_list; /* of pages 1 … of the buffer */
	uint64_t *write_prp_list;
	uint32_t *base_crc; /* of each LBA of write_data with zeros for a stamp */
	uint64_t *cells;    /* snapshot for verification */
};

/* What a slot has in flight, for the script's process after this one has died, at any instruction. */
struct pyn_worker_flight {
	uint64_t slba;
	uint32_t nlb;
	_Atomic uint32_t state; /* enum pyn_flight_state */
};

enum pyn_flight_state {
	PYN_FLIGHT_NONE = 0, /* nothing that changes data */
	PYN_FLIGHT_MOVING,   /* its begin or its end is under way: verification counts it for some of its LBAs */
	PYN_FLIGHT_BEGUN,    /* verification counts it as in flight */
};

static inline void pyn_flight_set(struct pyn_worker_flight *flight, enum pyn_flight_state state)
{
	/* Between the stores before it and those after it: so the memory looks when a process is killed. */
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&flight->state, state, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
}

struct pyn_worker_run {
	struct pyn_worker_config config;
	const struct pyn_engine *engine;
	struct pyn_queue *queue;
	struct pyn_ring *ring; /* NULL: go through the engine's table */
	struct pyn_device_shared *device_shared;
	uint32_t generation; /* of the device when the queue was made */
	uint32_t timeout_ms;
	int parent_pidfd;
	struct pyn_verify *verify;
	struct pyn_crc32c_stamp stamp;
	struct pyn_workload workload;
	struct pyn_worker_shared *shared;
	struct pyn_cmdlog *log;
	struct pyn_worker_slot *slots;
	struct pyn_worker_flight *flight;
	uint32_t *per_second;
	uint16_t slot_count;
	uint16_t *free_slots; /* a stack */
	uint16_t free_count;
	uint32_t rate_limited;

	/* The loop's own. */
	uint64_t started; /* ticks */
	uint64_t ends;    /* ticks, UINT64_MAX: no such limit */
	uint64_t to_send; /* IOs that are left */
	uint64_t sent, completed;
	uint64_t rate; /* IOs a tick, times 2^64 */
	uint64_t second_ticks, next_second, second_base;
	uint32_t second;
	uint64_t next_chore;
	uint64_t last_completion;
	uint64_t polled; /* ticks: whatever the device had completed by then has been seen */
	uint64_t busy_ticks;
	uint32_t step;      /* of a replay */
	bool stopping;      /* no more is sent */
	bool leave;         /* at once, with commands in flight */
	bool skips_nothing; /* no more than uncorrectable LBAs in the region: they are sent */
	struct pyn_worker_result result;
	struct pyn_verify_counts counts; /* not yet added to the table's */
};

/* The whole life of the worker's process. Never returns. */
void pyn_worker_main(struct pyn_worker_run *run) __attribute__((noreturn));

#endif
