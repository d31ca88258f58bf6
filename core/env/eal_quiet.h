/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeps the EAL from changing the process. Internal to core/env. */
#ifndef PYN_ENV_EAL_QUIET_H
#define PYN_ENV_EAL_QUIET_H

#include <sched.h>
#include <stdio.h>

#define PYN_EAL_PANIC (-1000)

/*
 * Call start, which starts the EAL on the caller's CPUs. Restores the CPU affinity, the signal mask and the limits
 * that the EAL changes, and sends its stderr to stream. Returns what start returns, or PYN_EAL_PANIC if it panicked;
 * why, of size bytes, then holds its message.
 */
int pyn_eal_quietly(int (*start)(const cpu_set_t *cpus), FILE *stream, char *why, size_t size);

#endif
