/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lock for critical sections of some hundred nanoseconds. It is released by a plain store. A mutex is released by
 * an atomic operation, which would wait until the earlier stores, into queues and doorbells that the device's CPU
 * holds in its cache, have reached memory.
 */
#ifndef PYN_UTIL_SPIN_H
#define PYN_UTIL_SPIN_H

#include <sched.h>
#include <stdatomic.h>

struct pyn_spin {
	atomic_flag taken;
};

static inline void pyn_spin_lock(struct pyn_spin *spin)
{
	/* The thread that holds the lock may be waiting for this CPU. */
	while (atomic_flag_test_and_set_explicit(&spin->taken, memory_order_acquire))
		sched_yield();
}

static inline void pyn_spin_unlock(struct pyn_spin *spin)
{
	atomic_flag_clear_explicit(&spin->taken, memory_order_release);
}

#endif
