/* SPDX-License-Identifier: BSD-3-Clause */
/* Queue pairs that the device may still write to. A controller keeps them until it is disabled or detached. */
#ifndef PYN_NVME_QUARANTINE_H
#define PYN_NVME_QUARANTINE_H

#include <stddef.h>

struct pyn_engine_qpair;

/* A member of each queue pair. */
struct pyn_kept {
	struct pyn_engine_qpair *queue;
	struct pyn_kept *next;
};

static inline void pyn_quarantine_add(struct pyn_kept **first, struct pyn_kept *kept, struct pyn_engine_qpair *queue)
{
	kept->queue = queue;
	kept->next = *first;
	*first = kept;
}

/* Free all of them. */
static inline void pyn_quarantine_end(struct pyn_kept **first, void (*release)(struct pyn_engine_qpair *queue))
{
	while (*first) {
		struct pyn_kept *kept = *first;

		*first = kept->next;
		release(kept->queue);
	}
}

#endif
