/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Live migration. One controller of the subsystem, the first, manages it; the others can be migrated. The manager has
 * user data migration queues in its host's memory: each gets an entry for what another controller changes in
 * namespaces. A controller that is suspended fetches no commands.
 * NVM Express Base Specification 2.1, sections 8.1.6 and 8.1.12; NVM Command Set Specification 1.1, section 5.6.
 */
#ifndef VSSD_CTRL_MIGRATION_H
#define VSSD_CTRL_MIGRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_data.h"
#include "vssd/ctrl/part.h"

struct vssd_ns;

#define VSSD_DATA_QUEUES 4u       /* of a subsystem: MCUDMQ and MNSUDMQ */
#define VSSD_DATA_QUEUE_PRPS 512u /* of one that is not contiguous: MCDQPC and MCMR; they fit a page of 4 KiB */

/* A user data migration queue. It is a ring of entries, of which one slot stays empty. */
struct vssd_data_queue {
	uint16_t cntlid; /* whose changes it gets; 0: there is no such queue */
	bool is_contiguous;
	bool is_logging;
	bool phase;    /* of the next entry */
	bool triggers; /* an event comes once slot `trigger` is posted */
	uint64_t prp1; /* address of the queue, or of the list of its pages */
	uint32_t slots;
	uint32_t head; /* the host has consumed the entries before this one */
	uint32_t tail;
	uint32_t trigger;
};

/* The state of a controller that is being set, in parts. */
struct vssd_state_parts {
	uint8_t *bytes; /* NULL: none is */
	uint32_t length;
	uint16_t cntlid;
};

struct vssd_migration {
	struct vssd_data_queue queues[VSSD_DATA_QUEUES]; /* of the manager, by CDQID */
	struct vssd_state_parts parts;                   /* of the manager */
	struct vssd_data_queue *log;                     /* gets the changes of this controller; NULL: none does */
	bool suspended;                                  /* this controller is */
};

/* A reset deletes the queues of the manager, and resumes the controller. */
extern const struct vssd_part vssd_migration_part;

/* Whether the controller manages migration. */
bool vssd_migration_is_manager(const struct vssd_ctrl *ctrl);

/* The controller with this CNTLID that can be migrated, or NULL. */
struct vssd_ctrl *vssd_migratable(const struct vssd_ctrl *manager, uint16_t cntlid);

/* The queue of the manager that gets the changes of this controller, or NULL. */
struct vssd_data_queue *vssd_data_queue_of(struct vssd_ctrl *manager, uint16_t cntlid);

void vssd_data_queue_delete(struct vssd_ctrl *manager, struct vssd_data_queue *queue);

/* Start logging in a queue that is not full, or stop it. The queue gets an entry that says so. */
void vssd_data_queue_start(struct vssd_ctrl *manager, struct vssd_data_queue *queue);
void vssd_data_queue_stop(struct vssd_ctrl *manager, struct vssd_data_queue *queue);

bool vssd_data_queue_is_full(const struct vssd_data_queue *queue);

/* Whether the host may set the head to this slot: it consumes entries that were posted. */
bool vssd_data_queue_may_set(const struct vssd_data_queue *queue, uint32_t head);

/* Suspend or resume a controller. Commands that it has executed complete before, as far as there is room. */
void vssd_migration_suspend(struct vssd_ctrl *manager, struct vssd_ctrl *ctrl);
void vssd_migration_resume(struct vssd_ctrl *manager, struct vssd_ctrl *ctrl);

/* Take the doorbells that the host of a controller has rung: it rings them also while the controller is suspended. */
void vssd_migration_see_doorbells(struct vssd_ctrl *ctrl);

/* Log what the controller has changed, if ctrl->features.migration.log is set: LBAs of a namespace, or all LBAs of
 * all. */
void vssd_migration_changed(struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
			    bool deallocated);
void vssd_migration_all_changed(struct vssd_ctrl *ctrl);

#endif
