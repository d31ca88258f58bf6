/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's EAL: how it is started, and that nobody notices. Internal to core/env. */
#ifndef PYN_ENV_EAL_H
#define PYN_ENV_EAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/util/error.h"

/* What the arena is made of. */
struct pyn_eal_memory {
	bool huge;    /* hugepages, else a memory file of 4 KiB pages */
	unsigned mib; /* its size, MiB */
};

/* MiB that the kernel can still give, by its own estimate; as much as there could be where it does not say. */
size_t pyn_eal_available_mib(void);

/*
 * Decide from PYNVME_HUGE, PYNVME_MEM and the free hugepages of this machine. locked: a device will have all of it
 * locked; without PYNVME_MEM it is then no more than this process may lock and, unless they are hugepages, a quarter
 * of what is available. Errors: PYN_ERROR_ARGUMENT, a variable that is no such number; PYN_ERROR_MEMORY,
 * PYNVME_HUGE=1 and none are free.
 */
int pyn_eal_memory_choose(struct pyn_eal_memory *memory, bool locked, struct pyn_error *err);

/*
 * Start it; the EAL allows this once a process, also where it fails. CPU affinity, signal mask and signal handlers of
 * the caller are afterwards what they were; what the EAL has to say goes to pyn_log.
 * Errors: PYN_ERROR_MEMORY, PYN_ERROR_SYSTEM, with the EAL's own last words.
 */
int pyn_eal_start(const struct pyn_eal_memory *memory, struct pyn_error *err);

#endif
