/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker does only on request, so that others pay nothing for it: when IOs arrive (pace), what ends it early
 * or is recorded now and then (watch). A worker without any of it has no struct pyn_extra, and its loop never asks.
 */
#ifndef PYN_WORKER_EXTRA_H
#define PYN_WORKER_EXTRA_H

#include "core/worker/worker_run.h"

/* When an IO arrived. */
struct pyn_arrival {
	uint64_t number; /* of the IO in the queue, from 1 */
	uint64_t ticks;
};

struct pyn_extra {
	/* Poisson arrivals. */
	struct pyn_random random;
	double mean_ticks;   /* between two arrivals; 0: none */
	double next_arrival; /* ticks after the start */
	uint64_t arrived;

	/* Think time. */
	uint64_t think_at;    /* number of IOs sent at which to pause */
	uint64_t think_until; /* ticks; 0: not in a pause */

	/* The search for the highest depth that holds a latency. */
	uint32_t depth; /* IOs in flight at most; 0: all */
	uint32_t low, high;
	uint64_t window_begins, window_ends; /* ticks; the time before window_begins lets IOs of another depth end */
	bool in_window;
	struct pyn_histogram *before; /* latencies when the window began */

	struct pyn_histogram *by_opcode; /* shared memory; NULL: not requested */
	struct pyn_histogram *from_due;  /* shared memory; NULL: not requested */
	struct pyn_arrival *arrivals;    /* the last ones, of Poisson arrivals with from_due; NULL: without */

	/* Histograms of intervals. */
	struct pyn_history *history; /* shared memory; NULL: not requested */
	uint64_t next_histogram;     /* ticks */
	uint64_t *counted;           /* buckets at the end of the last interval */
};

/* Allocate what a worker needs for its requests, before its process is forked. The process has a copy of struct
 * pyn_extra. Errors: PYN_ERROR_MEMORY. */
int pyn_extra_create(struct pyn_worker_run *run, struct pyn_error *err);
void pyn_extra_destroy(struct pyn_worker_run *run);

/* The process begins, at run->clock.started. */
void pyn_extra_start(struct pyn_worker_run *run);

/* Move an IO from the joined regions to the one that it belongs to, and cut it there. */
void pyn_extra_place(struct pyn_worker_run *run, struct pyn_workload_io *io);

/* The LBAs from the first region to the last one. */
struct pyn_region pyn_extra_hull(const struct pyn_extra_config *config);

/* Called by the chores, once a millisecond. */
void pyn_extra_chores(struct pyn_worker_run *run, uint64_t now);

/* Called when another second has been counted. */
void pyn_extra_second(struct pyn_worker_run *run);

/* Called once, at the end. */
void pyn_extra_finish(struct pyn_worker_run *run);

/* A command of a worker with histograms by opcode, or from the due time, has completed. */
void pyn_extra_time(struct pyn_worker_run *run, const struct pyn_worker_slot *slot);

#endif
