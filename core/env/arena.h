/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The DMA memory: one file without a name, mapped once, which devices and forked workers share. Internal to core/env;
 * the public view is pyn_dma_regions.
 */
#ifndef PYN_ENV_ARENA_H
#define PYN_ENV_ARENA_H

#include <stdbool.h>

#include "core/env/env.h"

/*
 * Map it: of hugepages where enough are free, else of ordinary memory. PYNVME_HUGE and PYNVME_MEM say otherwise.
 * Without them nothing that is short makes this fail: hugepages that another process took first, an address space, a
 * size of files or a locked memory that is limited make it smaller. locked: a device will have all of it locked. It
 * waits for nobody.
 *
 * Errors leave nothing behind, and a later call may succeed: PYN_ERROR_ARGUMENT, a variable is malformed;
 * PYN_ERROR_MEMORY, there are not the hugepages or not the size that a variable asks for, or less than 16 MiB.
 */
int pyn_arena_map(bool locked, struct pyn_error *err);

/* Before its first `bytes` bytes are used: takes the hugepages, which a start only reserves. A control group may
 * refuse some, which would be a SIGBUS otherwise. Any thread may call it. Errors: PYN_ERROR_MEMORY. */
int pyn_arena_fill(size_t bytes, struct pyn_error *err);

/* Undo pyn_arena_map. */
void pyn_arena_unmap(void);

/* What is mapped. */
const struct pyn_dma_region *pyn_arena(void);

#endif
