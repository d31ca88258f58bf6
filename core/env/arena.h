/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The DMA memory: an anonymous file (memfd), mapped once, which devices and forked workers share. Internal to
 * core/env; the public view is pyn_dma_regions.
 */
#ifndef PYN_ENV_ARENA_H
#define PYN_ENV_ARENA_H

#include <stdbool.h>

#include "core/env/env.h"

/* MiB of a locked arena, at least, unless PYNVME_MEM asks for less: less is of no use to most scripts. */
#define PYN_ARENA_LOCKED_LEAST_MIB ((size_t)64)

/*
 * Map the arena: of hugepages if enough are free, otherwise of ordinary memory. PYNVME_HUGE and PYNVME_MEM override
 * this. Without them the arena shrinks instead of failing when another process takes the hugepages first, or when the
 * address space, the file size or the locked memory is limited. locked: a device will lock all of it, and beside_mib
 * MiB of other memory. Does not wait for other processes.
 *
 * An error leaves nothing behind, and a later call may succeed. PYN_ERROR_ARGUMENT: a variable is malformed.
 * PYN_ERROR_MEMORY: the hugepages or the size that a variable asks for are not available, or less than 16 MiB are.
 */
int pyn_arena_map(bool locked, size_t beside_mib, struct pyn_error *err);

/* Allocate the hugepages of the first `bytes` bytes; call it before using them. pyn_arena_map only reserves them, and
 * a control group may refuse some, which would otherwise be a SIGBUS. Any thread may call it. Errors:
 * PYN_ERROR_MEMORY. */
int pyn_arena_fill(size_t bytes, struct pyn_error *err);

/* MiB that PYNVME_MEM asks for; SIZE_MAX if it is not set, or malformed. */
size_t pyn_arena_wanted_mib(void);

/* Undo pyn_arena_map. */
void pyn_arena_unmap(void);

/* The mapped region; its fd is -1 before pyn_arena_map. */
const struct pyn_dma_region *pyn_arena(void);

#endif
