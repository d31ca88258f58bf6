/* SPDX-License-Identifier: BSD-3-Clause */
/* Looks at a worker now and then: a latency that ends it, the steady state, the depth that holds a latency, and the
 * histogram of each interval. */
#ifndef PYN_WORKER_WATCH_H
#define PYN_WORKER_WATCH_H

#include "core/worker/extra.h"

void pyn_watch_start(struct pyn_worker_run *run);

/* Called once a millisecond. */
void pyn_watch(struct pyn_worker_run *run, uint64_t now);

/* Called when another second has been counted: end the worker if it is in the steady state. */
void pyn_watch_steady(struct pyn_worker_run *run);

/* Save the histogram of the last interval. */
void pyn_watch_finish(struct pyn_worker_run *run);

/*
 * Whether values are steady by the rule of SNIA's Performance Test Specification: the largest and the smallest differ
 * by at most 20 % of their mean, and their best straight line changes by at most 10 % of it from the first to the
 * last. count is at least 2.
 */
bool pyn_is_steady(const double *values, uint32_t count);

#endif
