/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Allocates whole pages of a device's own memory that is mapped here: a controller memory buffer. Each allocation
 * holds a reference. If the device goes away, ordinary memory replaces what is still allocated. Thread-safe.
 */
#ifndef PYN_ENV_WINDOW_H
#define PYN_ENV_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

struct pyn_window;

/* Create a window over size bytes (whole pages) at memory, which stay mapped until pyn_window_detach. The caller
 * holds the first reference. NULL: no memory. */
struct pyn_window *pyn_window_create(void *memory, size_t size, struct pyn_error *err);

/* Allocate zeroed pages and hold a reference. align is a power of two in bytes and counts from the first byte of the
 * window. NULL: *err says how much is free. */
void *pyn_window_alloc(struct pyn_window *window, size_t size, size_t align, struct pyn_error *err);

/* Free pages and drop their reference. */
void pyn_window_free(struct pyn_window *window, void *memory, size_t size);

/* Drop the creator's reference. mapping, the length bytes around the window's memory, must be ordinary memory by now;
 * it is unmapped when the last page is freed. */
void pyn_window_detach(struct pyn_window *window, void *mapping, size_t length);

#endif
