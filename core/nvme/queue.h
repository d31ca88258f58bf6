/* SPDX-License-Identifier: BSD-3-Clause */
/* Queue pairs: rings and PRP lists in DMA memory, and the commands that create and delete them. */
#ifndef PYN_NVME_QUEUE_H
#define PYN_NVME_QUEUE_H

#include <stddef.h>

#include "core/nvme/ring.h"
#include "core/nvme/types.h"

struct pyn_window;

/* What a slot keeps beside its page of PRP list: for transfers whose list is longer. */
struct pyn_slot {
	uint64_t *pages; /* DMA memory, NULL: none yet */
	size_t count;    /* pages */
};

struct pyn_queue {
	struct pyn_ring ring;
	struct pyn_ctrlr *ctrlr;
	uint64_t *lists;           /* a page of PRP list for each slot */
	struct pyn_slot *slots;    /* depth - 1 */
	struct pyn_window *window; /* where the rings are which are in the controller memory buffer; NULL: none is */
	bool cmb_sq;
	bool cmb_cq;
	bool sq_deleted; /* the device has confirmed it: a deletion that is tried again goes on from there */
	bool cq_deleted;
	struct pyn_queue *next; /* in the controller's quarantine */
};

/* Memory for a queue pair; its doorbells are looked up, the device is told nothing. */
int pyn_queue_alloc(struct pyn_ctrlr *ctrlr, const struct pyn_queue_config *config, struct pyn_queue **queue,
		    struct pyn_error *err);

/* Both rings empty again, as the device sees them after it was enabled. */
void pyn_queue_reset(struct pyn_queue *queue);

/* The memory, at once. */
void pyn_queue_free(struct pyn_queue *queue);

/* The memory, as soon as the controller is disabled or detached: the device may still write to it. */
void pyn_queue_quarantine(struct pyn_queue *queue);

/* The rest is described at the entries of struct pyn_engine. */
int pyn_queue_create(struct pyn_ctrlr *ctrlr, const struct pyn_queue_config *config, const struct pyn_admin *admin,
		     struct pyn_queue **queue, struct pyn_error *err);
int pyn_queue_delete(struct pyn_queue *queue, const struct pyn_admin *admin, struct pyn_error *err);
int pyn_queue_submit(struct pyn_queue *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
		     struct pyn_error *err);
void pyn_queue_ring(struct pyn_queue *queue);
unsigned pyn_queue_poll(struct pyn_queue *queue, struct pyn_completion *completions, unsigned max);
struct pyn_ring *pyn_queue_ring_of(struct pyn_queue *queue);

#endif
