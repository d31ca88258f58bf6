/* SPDX-License-Identifier: BSD-3-Clause */
/* What the worker's process needs: everything was allocated before the fork, nothing is allocated after it. */
#ifndef PYN_IO_WORKER_RUN_H
#define PYN_IO_WORKER_RUN_H

#include "core/engine/engine.h"
#include "core/data/cmdlog.h"
#include "core/util/crc32c.h"
#include "core/worker/worker.h"
#include "core/nvme/rings.h"
#include "core/util/clock.h"

#define PYN_WORKER_BATCH 32u /* commands that are sent at once, at most */

/* What the completion of a command leaves to do; bits. */
enum pyn_worker_flags {
	PYN_FLAG_NONE = 0,
	PYN_FLAG_CHECK = 1,    /* a read: compare what came with what is expected */
	PYN_FLAG_CHANGE = 2,   /* tell verification that a change, or a flush, has ended */
	PYN_FLAG_DESCRIBE = 4, /* it was cut at the region's end: the next one in this slot is whole again */
};

/* How much of a command changes from one to the next of its slot. */
enum pyn_worker_kind {
	PYN_WORKER_VARIED,     /* all */
	PYN_WORKER_PLAIN,      /* its SLBA only: random IO of one size and one opcode */
	PYN_WORKER_PLAIN_READ, /* and it is a read that is judged */
	PYN_WORKER_BARE,       /* and verification has nothing to do with it */
};

/* One command that may be in flight, with its buffers; its index is its CID. */
struct pyn_worker_slot {
	/* A cache line of what is sent, but for dwords 10 and 11, which are added on the way. */
	struct nvme_cmd cmd;

	/* One of what the completion needs. */
	uint64_t submitted; /* ticks */
	uint64_t number;    /* of the command, in the log too, from 1 on; 0: not in flight */
	uint64_t slba;      /* dwords 10 and 11 of what was sent */
	uint32_t nlb;
	uint8_t op;          /* index of its opcode in the workload */
	uint8_t flags;       /* of enum pyn_worker_flags */
	uint8_t *read_data;  /* what the device reads into, or NULL */
	uint64_t *cells;     /* snapshot for verification */
	uint8_t *write_data; /* what the device writes, or NULL */
	uint32_t *base_crc;  /* of each LBA of write_data with zeros for a stamp */

	/* And one of what not every command has. */
	struct pyn_data_template read;
	struct pyn_data_template write;
	uint32_t *write_crc;            /* room for the CRCs of a write of more than PYN_VERIFY_BATCH LBAs */
	struct pyn_data_template range; /* a struct nvme_dsm_range, apart: write_data only changes by its stamps */
} __attribute__((aligned(64)));

/* What a slot has in flight that changes data, for the script's process after this one has died, at any instruction.
 */
struct pyn_worker_flight {
	uint64_t slba; /* of a flush: the epoch that it makes durable */
	uint32_t nlb;
	_Atomic uint32_t state; /* enum pyn_flight_state */
};

enum pyn_flight_state {
	PYN_FLIGHT_NONE = 0, /* nothing that changes data */
	PYN_FLIGHT_MOVING,   /* its cells are being changed: verification counts it for some of its LBAs */
	PYN_FLIGHT_BEGUN,    /* verification counts it as in flight */
};

static inline void pyn_flight_set(struct pyn_worker_flight *flight, enum pyn_flight_state state)
{
	/* Between the stores before it and those after it: so the memory looks when a process is killed. */
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&flight->state, state, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
}

/* Times, in ticks. */
struct pyn_worker_clock {
	uint64_t started;
	uint64_t ends; /* UINT64_MAX: no such limit */
	uint64_t next_chore;
	uint64_t last_completion;
	uint64_t polled; /* whatever the device had completed by then has been seen */
	uint64_t busy_ticks;
};

/* IOs second by second. */
struct pyn_worker_seconds {
	uint32_t *ios;  /* of each, shared */
	uint32_t count; /* that are over */
	uint64_t ticks; /* in one */
	uint64_t next;  /* ticks: the end of the one that runs */
	uint64_t base;  /* IOs that had completed at its beginning */
};

struct pyn_worker_rate {
	uint64_t per_tick; /* IOs a tick, times 2^64; 0: no rate */
	uint64_t all;      /* IOs that the rate allows until the end: rate × time */
	uint32_t limits;   /* a rate, or a replay, says when an IO is due */
};

struct pyn_worker_ios {
	uint64_t to_send; /* in all */
	uint64_t sent, completed;
	uint64_t announced; /* so many of those that were sent are known to the device */
	uint64_t quota;     /* so many may have been sent when this turn ends */
	uint32_t step;      /* of a replay: the next one */
};

struct pyn_worker_state {
	enum pyn_worker_kind kind;
	bool stopping;      /* no more is sent */
	bool leave;         /* at once, with commands in flight */
	bool skips_nothing; /* no more than uncorrectable LBAs in the region: they are sent */
};

struct pyn_worker_run {
	struct pyn_worker_config config;
	const struct pyn_engine *engine;
	struct pyn_engine_qpair *queue;
	struct pyn_rings *rings; /* NULL: go through the engine's table */
	struct pyn_device_shared *device_shared;
	uint32_t cut_offs; /* of the device when the queue was made */
	uint32_t timeout_ms;
	int parent_pidfd;
	struct pyn_verify *verify;
	uint64_t noted; /* LBA before which changes are noted; 0: none is, and writes are not stamped */
	struct pyn_crc32c_stamp stamp;
	struct pyn_workload workload;
	struct pyn_worker_shared *shared;
	struct pyn_cmdlog *log;
	struct pyn_worker_slot *slots;
	struct pyn_worker_flight *flight;
	uint16_t slot_count;
	struct {
		uint16_t *slots; /* a stack */
		uint16_t count;
	} free;

	/* The loop's own. */
	struct pyn_worker_clock clock;
	struct pyn_worker_ios ios;
	struct pyn_worker_rate rate;
	struct pyn_worker_seconds seconds;
	struct pyn_worker_state state;
	struct pyn_worker_result result;
	struct pyn_verify_counts counts; /* not yet added to the table's */
};

/* How many IOs a rate has made due by then: the k-th one, from 1, is due k / iops after the start, the last one at
 * the end. */
static inline uint64_t pyn_worker_scheduled(const struct pyn_worker_run *run, uint64_t now)
{
	if (now >= run->clock.ends)
		return run->rate.all;
	uint64_t count = (uint64_t)((unsigned __int128)(now - run->clock.started) * run->rate.per_tick >> 64);

	return count < run->rate.all ? count : run->rate.all;
}

/* How many IOs may be sent now. */
static inline uint64_t pyn_worker_due(const struct pyn_worker_run *run, uint64_t now)
{
	uint64_t most = PYN_WORKER_BATCH, count = 0;

	if (run->rate.per_tick)
		most = pyn_worker_scheduled(run, now) - run->ios.sent;
	if (!run->config.steps)
		return most;
	if (now >= run->clock.ends)
		now = run->clock.ends - 1;
	uint64_t elapsed_us = pyn_ticks_to_ns(now - run->clock.started) / 1000;

	while (run->ios.step + count < run->config.steps && count < most && count < PYN_WORKER_BATCH &&
	       run->config.sequence[run->ios.step + count].time_us <= elapsed_us)
		count++;
	return count;
}

/* The IO path, until everything is done or run->state.leave. worker_loop.c */
void pyn_worker_loop(struct pyn_worker_run *run);
void pyn_worker_loop_v3(struct pyn_worker_run *run); /* if the processor is an x86-64-v3 */

/* What the loop does now and then: look at what the script and the device want, and at the time. worker_chores.c */
void pyn_worker_chores(struct pyn_worker_run *run, uint64_t now);

/* Close the seconds that are over. all: also one whose last IOs, by its rate, have not come back yet. */
void pyn_worker_count_seconds(struct pyn_worker_run *run, uint64_t now, bool all);

/* Close the last second of a worker that was done in the middle of it, if at least half of it was over. */
void pyn_worker_count_last_second(struct pyn_worker_run *run);

/* Whether a reset, a loss of power or the end of the session has taken the queue away. */
bool pyn_worker_is_cut_off(const struct pyn_worker_run *run);

/* Add what verification has found to the namespace's counters and to the result. */
void pyn_worker_publish(struct pyn_worker_run *run);

/* The whole life of the worker's process. Never returns. worker_run.c */
void pyn_worker_main(struct pyn_worker_run *run) __attribute__((noreturn));

#endif
