/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The data of the last commands of a queue pair, beside its command log, for traces. They lie in private memory of
 * the process that owns the queue. Not thread-safe: the queue's lock protects it.
 */
#ifndef PYN_DATA_KEPT_H
#define PYN_DATA_KEPT_H

#include <stdint.h>

#include "core/util/error.h"

#define PYN_KEPT_LARGEST (UINT64_C(1) << 30) /* bytes of memory that one queue may use */

struct pyn_kept;

/* Keep up to size bytes of the data of each of the last count commands that have data. Both are at least 1. NULL: no
 * memory (PYN_ERROR_MEMORY). */
struct pyn_kept *pyn_kept_create(uint32_t size, uint32_t count, struct pyn_error *err);
void pyn_kept_free(struct pyn_kept *kept);

/* Copy the data of the command with this number in the log. Call it once for a command. */
void pyn_kept_put(struct pyn_kept *kept, uint64_t number, const void *data, uint32_t length);

/* Copy the data of a command to into, at most size bytes. Returns how many bytes there are, 0 if none were kept. */
uint32_t pyn_kept_get(const struct pyn_kept *kept, uint64_t number, void *into, uint32_t size);

/* The most bytes that pyn_kept_get returns. */
uint32_t pyn_kept_size(const struct pyn_kept *kept);

#endif
