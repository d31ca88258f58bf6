/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the EAL's memory lies. Internal to core/env; the public view is pyn_dma_regions. */
#ifndef PYN_ENV_ARENA_H
#define PYN_ENV_ARENA_H

#include "core/util/error.h"

/*
 * Walk the EAL's segments, once, right after its start.
 * Errors: PYN_ERROR_MEMORY, a segment lies in no file or there are too many pieces.
 */
int pyn_arena_find(struct pyn_error *err);

#endif
