/* SPDX-License-Identifier: BSD-3-Clause */
/* Queue pairs: their rings and PRP lists in DMA memory, and the commands that create and delete them. */
#ifndef PYN_NVME_QUEUE_H
#define PYN_NVME_QUEUE_H

#include <stddef.h>

#include "core/nvme/quarantine.h"
#include "core/nvme/rings.h"
#include "core/nvme/types.h"

struct pyn_window;

/* Further pages of a slot's PRP list, after the first one. */
struct pyn_more_list {
	struct pyn_iova *pages; /* DMA memory, NULL: none yet */
	size_t count;           /* memory pages */
	uint32_t page;          /* their size, bytes */
};

struct pyn_engine_qpair {
	struct pyn_rings ring;
	struct pyn_ctrlr *ctrlr;
	struct pyn_iova *lists;     /* 4 KiB of list for each slot */
	struct pyn_more_list *more; /* by slot, depth - 1 */
	struct pyn_window *window;  /* the controller memory buffer, if it holds a ring; else NULL */
	bool cmb_sq;
	bool cmb_cq;
	bool sq_deleted; /* the device confirmed it; another try to delete the pair starts after it */
	bool cq_deleted;
	struct pyn_kept kept; /* in the controller's quarantine */
};

/* Allocate a queue pair and find its doorbells. Sends nothing to the device. */
int pyn_engine_qpair_alloc(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			   struct pyn_engine_qpair **queue, struct pyn_error *err);

/* Empty both rings, as the device sees them after it is enabled. */
void pyn_engine_qpair_reset(struct pyn_engine_qpair *queue);

/* Free the queue memory at once. */
void pyn_engine_qpair_free(struct pyn_engine_qpair *queue);

/* Free the queue memory once the controller is disabled or detached: until then the device may write to it. */
void pyn_engine_qpair_quarantine(struct pyn_engine_qpair *queue);

/* struct pyn_engine describes the remaining functions. */
int pyn_engine_qpair_create(struct pyn_ctrlr *ctrlr, const struct pyn_engine_qpair_config *config,
			    const struct pyn_admin *admin, struct pyn_engine_qpair **queue, struct pyn_error *err);
int pyn_engine_qpair_delete(struct pyn_engine_qpair *queue, const struct pyn_admin *admin, struct pyn_error *err);
int pyn_engine_qpair_submit(struct pyn_engine_qpair *queue, uint16_t slot, struct nvme_cmd *cmd, struct pyn_data data,
			    struct pyn_error *err);
int pyn_engine_shadow(struct pyn_ctrlr *ctrlr, const struct pyn_admin *admin, struct pyn_error *err);
void pyn_engine_qpair_ring(struct pyn_engine_qpair *queue);
unsigned pyn_engine_qpair_poll(struct pyn_engine_qpair *queue, struct pyn_completion *completions, unsigned max);
struct pyn_rings *pyn_engine_qpair_rings(struct pyn_engine_qpair *queue);

#endif
