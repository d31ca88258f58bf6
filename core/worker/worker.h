/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An IO worker: a forked process that drives one queue pair as fast as the drive completes commands, verifies its
 * reads, and leaves its result in memory that it shares with the script's process.
 *
 * Life, in the script's process: create (queue pair, buffers, shared block) → start (fork) → poll or wait until it
 * has ended → finish (read the result, delete the queue, mark LBAs of a dead worker's commands unknown) → free.
 */
#ifndef PYN_WORKER_WORKER_H
#define PYN_WORKER_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/drive/device.h"
#include "core/data/histogram.h"
#include "core/data/protection.h"
#include "core/verify/verify.h"
#include "core/worker/workload.h"

struct pyn_worker;

/* Why a worker ended before it was done. The numbers are part of the API. */
enum pyn_worker_error {
	PYN_WORKER_OK = 0,
	PYN_WORKER_INIT = -1,       /* no queue pair, or no process */
	PYN_WORKER_MDTS = -2,       /* io_size is larger than MDTS */
	PYN_WORKER_IO_TIMEOUT = -3, /* a command did not complete in time */
	PYN_WORKER_TIMEOUT = -4,    /* the worker itself did not end in time */
	PYN_WORKER_MEMORY = -5,     /* no memory for its buffers */
	PYN_WORKER_IO_ERROR = -6,   /* a command completed with an error, or mismatched */
	PYN_WORKER_DIED = -7,       /* its process was killed */
	PYN_WORKER_GONE = -8,       /* the drive is gone */
	PYN_WORKER_TOO_SLOW = -9,   /* an IO took longer than max_latency_ns */
};

#define PYN_STEADY_ROUNDS 5u  /* SNIA PTS: the steady state is judged by this number of rounds */
#define PYN_FOUND_WINDOWS 16u /* the most windows of a search by halves among 1,023 depths */

#define PYN_REGIONS 64u     /* the most regions of one worker */
#define PYN_PLACEMENTS 256u /* the most placements of one worker, each as often as it comes in turn */

struct pyn_region {
	uint64_t start, past; /* LBAs */
};

/* What a worker does on request only (extra.h); 0 is without. Times are in ns. */
struct pyn_extra_config {
	bool poisson; /* IOs arrive at random times, iops in the mean */
	bool by_opcode;
	bool from_due; /* also record latencies from the moment when a rate or a replay made each IO due */
	bool continue_on_error;
	uint64_t think_ns; /* pause after each think_ios IOs, once they have completed */
	uint64_t think_ios;
	uint64_t max_latency_ns;   /* a latency that ends the worker */
	uint64_t history_ns;       /* between two histograms */
	uint64_t history_words;    /* room for them */
	uint32_t steady_seconds;   /* of a round; ends the worker in the steady state. config.seconds counts them */
	uint64_t target_ns;        /* search for the highest depth at which a percentile is not above this */
	uint64_t target_window_ns; /* how long each depth is tried */
	double target_percentage;
	uint32_t compress;       /* percentage of each written LBA, at its end, that is zeros */
	uint32_t sgl_percentage; /* of the IOs, whose data SGLs describe; of the others, PRPs */
	uint32_t placements;     /* identifiers that the writes name; 0: they name none */
	uint8_t directive;       /* DTYPE of these */
	bool placement_random;   /* name one at random; else one after the other */
	uint16_t placement[PYN_PLACEMENTS];
	/* The workload's region is that of these regions joined, from LBA 0 on; 0: it is what it says. They do not
	 * overlap. */
	uint32_t regions;
	struct pyn_region region[PYN_REGIONS];
};

/* One try of the search for a depth. */
struct pyn_found_window {
	uint32_t depth;
	uint64_t ios, ticks;
	uint64_t latency; /* the percentile, ticks */
};

struct pyn_found {
	bool is_steady;
	bool is_depth_found;
	uint32_t depth; /* 0: no depth holds the latency */
	uint32_t windows;
	struct pyn_found_window window[PYN_FOUND_WINDOWS];
};

/* Histograms of intervals, in shared memory: for each interval a word with the number of words that follow, each of
 * which is a bucket << 32 | the number of its values in the interval. */
struct pyn_history {
	uint64_t intervals;
	uint64_t used; /* words */
	bool is_full;  /* there was no room for the rest */
	uint64_t words[];
};

static inline const uint64_t *pyn_history_words(const struct pyn_history *history)
{
	return history->words;
}

/* Metadata and protection information. All zeros: the namespace has no metadata. */
struct pyn_worker_metadata {
	struct pyn_layout layout;
	uint32_t data_size;        /* bytes of data of an LBA */
	uint32_t prinfo;           /* bits of dword 12 of commands that transfer LBAs; Verify: without PRACT */
	uint32_t prinfo_of_append; /* of Zone Append, with PIREMAP or without it */
	uint32_t prinfo_of_zeroes; /* of Write Zeroes */
	uint32_t cdw2, cdw3, cdw14, cdw15; /* tags of commands with such bits, and of the tuples of writes */
	bool counts_lbas;                  /* the reference tag is that of the first LBA */
};

/* How a worker goes through the zones of its region, in fio's words (zonemode=zbd). All zeros: it does not. The
 * workload then has opcode 79h, which resets zones, and 7Ah, which reports them, the latter with a share of 0. */
struct pyn_zones_config {
	bool on;
	bool read_beyond_wp;
	bool variable;     /* resets change the capacity of zones (ZOC bit 0) */
	uint64_t size;     /* LBAs of a zone */
	uint32_t max_open; /* zones that the worker has partly written at a time; 0: as many as the drive allows */
	uint32_t drive_active;  /* zones of the namespace that may be active at a time; 0: no limit */
	uint32_t drive_open;    /* that may be open at a time */
	uint64_t skip;          /* zones that sequential IO skips after each */
	double reset_threshold; /* the part of the region from which on zones are reset before writes, */
	double reset_frequency; /* of which this part is preceded by a reset; 0: none */
};

struct pyn_worker_config {
	struct pyn_workload_config workload;
	uint32_t nsid;
	uint32_t lba_size; /* bytes per LBA that commands transfer */
	uint64_t nlba;
	uint64_t io_count; /* stop after this number of IOs; 0: no limit */
	uint64_t time_ns;  /* stop after this time; 0: no limit */
	double iops;       /* rate limit; 0: none */
	uint16_t qdepth;   /* entries of its queue pair; at most one less in flight */
	uint8_t priority;
	uint32_t ptype, pvalue; /* data of writes, see pattern.h */
	bool fw_debug;          /* after an error, keep queue, commands and buffers as they are until a reset */
	bool check;             /* compare the data of reads */
	bool track;             /* stamp writes and note changes; otherwise its region becomes unknown */
	int cpu;                /* pin to this CPU; -1: to the one with the fewest workers, except the lowest */
	uint64_t seed;          /* of its random generator */
	uint32_t seconds;       /* room for this number of counts of IOs per second; 0: not counted */
	uint32_t log_entries;   /* least number of commands in its log */
	uint32_t steps;         /* of a replay; 0: none */
	const struct pyn_workload_step *sequence;
	struct pyn_extra_config extra;
	struct pyn_worker_metadata metadata;
	struct pyn_zones_config zones;
};

struct pyn_worker_result {
	int error;                           /* enum pyn_worker_error */
	uint16_t status;                     /* of the first command that failed, NVME_SC; 0: none */
	int signal;                          /* signal that killed the process; 0: none */
	uint32_t ended_by;                   /* enum pyn_device_end */
	uint64_t io_count[PYN_WORKLOAD_OPS]; /* completed with success or not, by opcode of the workload */
	uint64_t ticks;                      /* from the first submission to the last completion */
	uint64_t busy_ticks;                 /* of these, spent submitting, or in polls that found a completion */
	uint64_t mismatched_reads;
	struct pyn_mismatch mismatch; /* the first one */
	struct pyn_verify_counts verified;
	uint64_t failed_ios; /* with continue_on_error */
	struct pyn_found found;
};

/* Counts of a namespace that all its workers with zones share. */
struct pyn_zone_budget {
	_Atomic uint32_t active;  /* zones */
	_Atomic uint32_t open;    /* zones that workers write, or that the script has opened explicitly */
	_Atomic uint32_t running; /* workers that write */
	_Atomic uint32_t hungry;  /* of these, those that have no open zone: one is reserved for each */
};

/* Shared by both processes; in DMA memory. */
struct pyn_worker_shared {
	_Atomic uint32_t stop;     /* the script asks it to end: drain, then exit */
	_Atomic uint32_t finished; /* it has written its result */
	_Atomic uint64_t sent;
	_Atomic uint64_t completed;
	_Atomic uint64_t per_second_count; /* whole seconds counted so far */
	struct pyn_zone_budget zones;      /* what of its namespace's counts is its own */
	struct pyn_worker_result result;
	/* Latencies from the moment when each IO was due; NULL: not requested. */
	const struct pyn_histogram *from_due;
	struct pyn_histogram latency; /* ticks, from submission to completion */
};

/* Whether a worker can send commands of this opcode. */
bool pyn_worker_sends(uint8_t opcode);

/* Create the queue pair and all memory. verify: the namespace's table, or NULL. On failure *result is the error that
 * the script gets (enum pyn_worker_error), and *err has the details. */
int pyn_worker_create(struct pyn_device *device, const struct pyn_worker_config *config, struct pyn_verify *verify,
		      struct pyn_worker **worker, int *result, struct pyn_error *err);

/* Fork. Errors: PYN_ERROR_SYSTEM. */
int pyn_worker_start(struct pyn_worker *worker, struct pyn_error *err);

/* Wait up to budget_ms for its end. Returns whether it has ended, or was never started. */
bool pyn_worker_wait(struct pyn_worker *worker, uint32_t budget_ms);

/* Ask it to end after its commands in flight have completed. */
void pyn_worker_stop(struct pyn_worker *worker);

/* Kill its process. */
void pyn_worker_kill(struct pyn_worker *worker);

/* After its end: return the result and delete its queue pair. */
void pyn_worker_finish(struct pyn_worker *worker, struct pyn_worker_result *result);

/* Free the worker. If the drive may still write to its memory (fw_debug, or an unconfirmed deletion of the queue),
 * the device keeps queue and memory until the next reset. */
void pyn_worker_free(struct pyn_worker *worker);

int pyn_worker_pid(const struct pyn_worker *worker);
uint16_t pyn_worker_qid(const struct pyn_worker *worker);
const struct pyn_worker_shared *pyn_worker_shared(const struct pyn_worker *worker);
const uint32_t *pyn_worker_per_second(const struct pyn_worker *worker);
const struct pyn_cmdlog *pyn_worker_cmdlog(const struct pyn_worker *worker);

/* Latencies of each opcode of the workload, or NULL if they were not requested. */
const struct pyn_histogram *pyn_worker_by_opcode(const struct pyn_worker *worker);

/* Histograms of intervals, or NULL if they were not requested. */
const struct pyn_history *pyn_worker_history(const struct pyn_worker *worker);

#endif
