/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interrupt vectors that the queues of a script use. Each has an eventfd, which its queues share, from the first
 * queue to the last. The caller holds the device's lock.
 */
#ifndef PYN_DRIVE_VECTOR_H
#define PYN_DRIVE_VECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine/engine.h"

struct pyn_vector {
	struct pyn_vector *next; /* of the same device */
	const struct pyn_engine *engine;
	struct pyn_ctrlr *ctrlr;
	uint16_t number;
	bool masked; /* by pyn_vector_mask */
	int eventfd;
	uint32_t lag_us; /* of struct pyn_interrupts */
	unsigned users;
};

/* Add a queue to the vector with this number of the list's device. NULL: *err says why (no such vector, no
 * interrupts, no descriptor). */
struct pyn_vector *pyn_vector_get(struct pyn_vector **list, const struct pyn_engine *engine, struct pyn_ctrlr *ctrlr,
				  uint16_t number, struct pyn_error *err);

/* Remove a queue; the last one leaves the vector unmasked. NULL is allowed. */
void pyn_vector_put(struct pyn_vector **list, struct pyn_vector *vector);

/* Whether the vector was raised since it was last cleared; false if interrupts are disabled in configuration space.
 * The interrupts of all completions seen so far are included, so returning false may take lag_us. */
bool pyn_vector_is_set(const struct pyn_vector *vector);
void pyn_vector_clear(const struct pyn_vector *vector);

/* Call this before a script writes to configuration space. Returns true if interrupts are disabled there; interrupts
 * raised meanwhile are dropped, and the caller must call pyn_vectors_enable after the write. */
bool pyn_vectors_disabled(const struct pyn_vector *list);

/* If interrupts are enabled again, set all eventfds again: the function may have lost them. */
int pyn_vectors_enable(const struct pyn_vector *list, struct pyn_error *err);

/* Errors: those of the engine's interrupts->mask. */
int pyn_vector_mask(struct pyn_vector *vector, bool masked, struct pyn_error *err);

#endif
