/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of the worker's process. Everything is allocated before the fork, nothing after it. */
#ifndef PYN_WORKER_WORKER_RUN_H
#define PYN_WORKER_WORKER_RUN_H

#include "core/engine/engine.h"
#include "core/data/cmdlog.h"
#include "core/util/crc32c.h"
#include "core/worker/worker.h"
#include "core/nvme/rings.h"
#include "core/util/clock.h"

#define PYN_WORKER_BATCH 32u /* the most commands that are sent at once */

/* What to do when a command completes; bits. */
enum pyn_worker_flags {
	PYN_FLAG_NONE = 0,
	PYN_FLAG_CHECK = 1,    /* a read: compare its data with what is expected */
	PYN_FLAG_CHANGE = 2,   /* tell verification that a change, or a flush, has ended */
	PYN_FLAG_DESCRIBE = 4, /* it was cut at the region's end; describe the next one in this slot anew */
	PYN_FLAG_TIMED = 8,    /* record its latency by its opcode, or from the due time, too */
	PYN_FLAG_META = 16,    /* it has metadata, see worker_meta.h, also instead of CHECK */
	PYN_FLAG_ZONE = 32,    /* it changes a zone, see zones.h */
};

/* How much successive commands of a slot differ. */
enum pyn_worker_kind {
	PYN_WORKER_VARIED,     /* all */
	PYN_WORKER_PLAIN,      /* only the SLBA: random IO of one size and one opcode */
	PYN_WORKER_PLAIN_READ, /* like PLAIN, a read that is judged */
	PYN_WORKER_BARE,       /* like PLAIN, without verification */
};

/* One command that may be in flight, with its buffers; its index is its CID. */
struct pyn_worker_slot {
	/* A cache line for sending: the command, without dwords 10 and 11, which are added when it is sent. */
	struct nvme_cmd cmd;

	/* A cache line for the completion. */
	uint64_t submitted; /* ticks */
	uint64_t number;    /* of the command, also in the log, from 1 on; 0: not in flight */
	uint64_t slba;      /* dwords 10 and 11 of the command sent */
	uint32_t nlb;
	uint8_t op;          /* index of its opcode in the workload */
	uint8_t flags;       /* of enum pyn_worker_flags */
	uint8_t *read_data;  /* buffer of reads, or NULL */
	uint64_t *cells;     /* snapshot for verification */
	uint8_t *write_data; /* buffer of writes, or NULL */
	uint32_t *base_crc;  /* of each LBA of write_data with zeros for a stamp */

	/* Further lines for fields that not every command needs. */
	struct pyn_data_template read;
	struct pyn_data_template write;
	uint32_t *write_crc;            /* room for the CRCs of a write of more than PYN_VERIFY_BATCH LBAs */
	struct pyn_data_template range; /* a struct nvme_dsm_range, apart: write_data only changes by its stamps */
} __attribute__((aligned(64)));

/* The change of data that a slot has in flight. The script's process reads it if this process dies at any
 * instruction. */
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
	/* Keep this store between those before and after it, also in memory that a killed process leaves. */
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
	uint64_t polled; /* all completions of the device up to this time have been seen */
	uint64_t busy_ticks;
};

/* Counts of IOs for each second. */
struct pyn_worker_seconds {
	uint32_t *ios;  /* of each second, shared */
	uint32_t count; /* seconds that are over */
	uint64_t ticks; /* in a second */
	uint64_t next;  /* ticks: the end of the current second */
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
	uint64_t announced; /* number of sent commands that the device has been told of */
	uint64_t quota;     /* limit of sent at the end of this turn */
	uint32_t step;      /* of a replay: the next one */
};

struct pyn_worker_meta;
struct pyn_worker_zones;

/* What it has for metadata. */
struct pyn_worker_metas {
	struct pyn_verify *verify;     /* the table of the metadata; NULL: none */
	struct pyn_worker_meta *slots; /* of each slot; NULL: no metadata */
	uint32_t most;                 /* LBAs for which a slot has room there */
};

struct pyn_worker_state {
	struct pyn_extra *extra; /* NULL: nothing on request */
	enum pyn_worker_kind kind;
	bool stopping;      /* no more is sent */
	bool leave;         /* exit at once, with commands in flight */
	bool skips_nothing; /* the region has only uncorrectable LBAs, so they are not skipped */
	uint32_t sgl_sum;   /* sum of the SGLs' percentage since the last IO by an SGL; see use_share() */
	uint32_t placed;    /* which placement identifier is next */
	bool is_special;    /* a replay, or IO to several regions or to zones */
	bool waits;         /* the next IO cannot be sent before another one completes */
	struct pyn_worker_metas meta;
	struct pyn_worker_zones *zones;                        /* NULL: it does not follow zones */
	bool is_unusual;                                       /* a share of SGLs, metadata, placement, or zones */
	uint8_t flags_of_read, flags_of_write, flags_of_other; /* of enum pyn_worker_flags, for each such IO */
};

struct pyn_worker_run {
	struct pyn_worker_config config;
	const struct pyn_engine *engine;
	struct pyn_engine_qpair *queue;
	struct pyn_rings *rings; /* NULL: go through the engine's table */
	struct pyn_device_shared *device_shared;
	uint32_t cut_offs; /* of the device when the queue was created */
	uint32_t timeout_ms;
	int parent_pidfd;
	struct pyn_verify *verify;
	uint64_t noted; /* changes of LBAs below this are noted; 0: none, and writes are not stamped */
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

	/* State of the loop. */
	struct pyn_worker_clock clock;
	struct pyn_worker_ios ios;
	struct pyn_worker_rate rate;
	struct pyn_worker_seconds seconds;
	struct pyn_worker_state state;
	struct pyn_worker_result result;
	struct pyn_verify_counts counts; /* not yet added to those of the table */
};

/* Number of IOs that the rate makes due by now: IO k, from 1 on, is due k / iops after the start, the last one at the
 * end. */
static inline uint64_t pyn_worker_scheduled(const struct pyn_worker_run *run, uint64_t now)
{
	if (now >= run->clock.ends)
		return run->rate.all;
	uint64_t count = (uint64_t)((unsigned __int128)(now - run->clock.started) * run->rate.per_tick >> 64);

	return count < run->rate.all ? count : run->rate.all;
}

/* The limits that a worker has on request; most are the IOs that its rate allows. extra.c */
uint64_t pyn_extra_due(struct pyn_worker_run *run, uint64_t now, uint64_t most);

/* Number of IOs that may be sent now. */
static inline uint64_t pyn_worker_due(struct pyn_worker_run *run, uint64_t now)
{
	uint64_t most = PYN_WORKER_BATCH, count = 0;

	if (run->rate.per_tick)
		most = pyn_worker_scheduled(run, now) - run->ios.sent;
	if (run->state.extra)
		most = pyn_extra_due(run, now, most);
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

/* Run the IO path until everything is done, or until run->state.leave is set. worker_loop.c */
void pyn_worker_loop(struct pyn_worker_run *run);
void pyn_worker_loop_v3(struct pyn_worker_run *run); /* if the processor is an x86-64-v3 */

/* Check requests of the script, the state of the device, and the time; called now and then. worker_chores.c */
void pyn_worker_chores(struct pyn_worker_run *run, uint64_t now);

/* Close the seconds that are over. all: also one whose last IOs, which the rate made due, have not completed yet. */
void pyn_worker_count_seconds(struct pyn_worker_run *run, uint64_t now, bool all);

/* Close the unfinished last second of a worker if at least half of it was over. */
void pyn_worker_count_last_second(struct pyn_worker_run *run);

/* Whether a reset, a power loss or the end of the session has removed the queue. */
bool pyn_worker_is_cut_off(const struct pyn_worker_run *run);

/* Add the counts of verification to those of the namespace and to the result. */
void pyn_worker_publish(struct pyn_worker_run *run);

/* Run the worker's process from start to end. Never returns. worker_run.c */
void pyn_worker_main(struct pyn_worker_run *run) __attribute__((noreturn));

#endif
