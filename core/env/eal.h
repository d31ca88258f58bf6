/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts DPDK's EAL and undoes what it changes in the process. Internal to core/env. */
#ifndef PYN_ENV_EAL_H
#define PYN_ENV_EAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/util/error.h"

/* Check that the EAL can start. Errors: PYN_ERROR_MEMORY, too few file descriptors are free. */
int pyn_eal_can_start(struct pyn_error *err);

/*
 * Start the EAL, which is possible only once per process, even if it fails. It gets 2 MiB of ordinary memory for
 * itself, and more for a guest (guest.h); locked says that a device will lock that memory, so that it stays within
 * what this process may lock. Waits for no other process, and leaves no file. Restores the CPU affinity, signal mask
 * and signal handlers of the caller, and sends the EAL's messages to pyn_log. Errors: PYN_ERROR_MEMORY,
 * PYN_ERROR_SYSTEM, with the EAL's last message.
 */
int pyn_eal_start(bool locked, struct pyn_error *err);

/* MiB of memory that the EAL has for its guest; 0: there is none. */
size_t pyn_eal_guest_mib(void);

/* Register memory with DPDK that it did not allocate, so that its libraries know that devices reach it by its virtual
 * address. address is aligned to 2 MiB, length a multiple of 1 MiB. */
void pyn_eal_register(void *address, size_t length);

#endif
