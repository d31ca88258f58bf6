/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupt vectors that the queues of a script use: an eventfd each, from the first such queue to the last. Queues
 * of one vector share it. The caller holds the device's lock.
 */
#ifndef PYN_IO_VECTOR_H
#define PYN_IO_VECTOR_H

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

/* One more queue uses vector number of the list's device. NULL: *err says why (no such vector, no interrupts, no
 * descriptor). */
struct pyn_vector *pyn_vector_get(struct pyn_vector **list, const struct pyn_engine *engine, struct pyn_ctrlr *ctrlr,
				  uint16_t number, struct pyn_error *err);

/* One queue fewer; the last one leaves the vector unmasked. NULL is allowed. */
void pyn_vector_put(struct pyn_vector **list, struct pyn_vector *vector);

/* Whether it was raised since it was cleared last; never where interrupts are disabled in configuration space.
 * Completions that were seen before have raised theirs: a "no" may take lag_us. */
bool pyn_vector_is_set(const struct pyn_vector *vector);
void pyn_vector_clear(const struct pyn_vector *vector);

/* A script is about to write to configuration space. True: interrupts are disabled there, and what was raised
 * meanwhile is forgotten; pyn_vectors_enable is to be called afterwards. */
bool pyn_vectors_disabled(const struct pyn_vector *list);

/* Where interrupts are enabled again, the function may have forgotten who is raised. */
int pyn_vectors_enable(const struct pyn_vector *list, struct pyn_error *err);

/* Errors: those of the engine's interrupts->mask. */
int pyn_vector_mask(struct pyn_vector *vector, bool masked, struct pyn_error *err);

#endif
