/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of a device's own that is mapped here, given out in whole pages: a controller memory buffer. Who has pages
 * of it keeps it alive; when the device goes away, what is left is ordinary memory. Thread-safe.
 */
#ifndef PYN_ENV_WINDOW_H
#define PYN_ENV_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

struct pyn_window;

/* Over size bytes (whole pages) at memory, which stay mapped until pyn_window_detach; the caller has the one
 * reference. NULL: no memory. */
struct pyn_window *pyn_window_create(void *memory, size_t size, struct pyn_error *err);

/* Zeroed pages, aligned as asked (a power of two, bytes, from the first byte of the window),
 * and a reference. NULL: *err says how much there is. */
void *pyn_window_take(struct pyn_window *window, size_t size, size_t align, struct pyn_error *err);

/* Give pages back, and the reference. */
void pyn_window_give(struct pyn_window *window, void *memory, size_t size);

/* The creator's reference ends. mapping, length bytes around its memory, is ordinary memory by now, and is unmapped
 * with the last page. */
void pyn_window_detach(struct pyn_window *window, void *mapping, size_t length);

#endif
