/* SPDX-License-Identifier: BSD-3-Clause */
/* What the EAL does to a process and should not. Internal to core/env. */
#ifndef PYN_ENV_EAL_QUIET_H
#define PYN_ENV_EAL_QUIET_H

#include <sched.h>
#include <stdio.h>

#define PYN_EAL_PANIC (-1000)

/*
 * Call start, which starts the EAL on the caller's CPUs; what it changes of the process is put back afterwards, and
 * what it writes to stderr goes to stream. Returns what start returns; PYN_EAL_PANIC: it panicked, and why, of size
 * bytes, holds its words.
 */
int pyn_eal_quietly(int (*start)(const cpu_set_t *cpus), FILE *stream, char *why, size_t size);

#endif
