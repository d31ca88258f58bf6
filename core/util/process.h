/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel knows about other processes. */
#ifndef PYN_UTIL_PROCESS_H
#define PYN_UTIL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Whether the main thread of a process runs, is ready to run, or waits for a disk; ran is set to the CPU time that it
 * has had, in ns. False if it sleeps or is stopped, if there is no such process, or if the kernel does not tell.
 */
bool pyn_process_is_busy(pid_t pid, uint64_t *ran);

#endif
