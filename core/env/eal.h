/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's EAL: how it is started, and that nobody notices. Internal to core/env. */
#ifndef PYN_ENV_EAL_H
#define PYN_ENV_EAL_H

#include <stddef.h>

#include "core/util/error.h"

/* Whether this process has what a start needs. Errors: PYN_ERROR_MEMORY, too few descriptors. */
int pyn_eal_can_start(struct pyn_error *err);

/*
 * Start it; the EAL allows this once a process, also where it fails. It gets 2 MiB of ordinary memory for itself,
 * waits for no other process, and leaves no file. CPU affinity, signal mask and signal handlers of the caller are
 * afterwards what they were; what the EAL has to say goes to pyn_log. Errors: PYN_ERROR_MEMORY, PYN_ERROR_SYSTEM,
 * with the EAL's own last words.
 */
int pyn_eal_start(struct pyn_error *err);

/* Tell DPDK of memory that is not its own: its libraries then know it as memory that devices can reach by its virtual
 * address. address is aligned to 2 MiB, length a multiple of 1 MiB. */
void pyn_eal_register(void *address, size_t length);

#endif
