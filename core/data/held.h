/* SPDX-License-Identifier: BSD-3-Clause */
/* The buffers that a command may use besides those of its data: what a script's own SGL names, and its segments. */
#ifndef PYN_DATA_HELD_H
#define PYN_DATA_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/data/buffer.h"
#include "core/util/error.h"

struct pyn_held;

/* Hold a reference to each buffer, and note that a command uses all of it (pyn_buffer_use_begin), so that no other
 * command's data in it are judged wrongly. to_host: the device may write it. Without buffers *held is NULL. Errors:
 * PYN_ERROR_MEMORY. */
int pyn_held_begin(struct pyn_held **held, struct pyn_buffer *const *buffers, uint32_t count, bool to_host,
		   struct pyn_error *err);

/* End that, once the device cannot use them any more. *held may be NULL, and is NULL afterwards. */
void pyn_held_end(struct pyn_held **held);

#endif
