/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that a fault rule completed before they are executed, or executes in pieces. */
#ifndef VSSD_CMD_DEFERRED_H
#define VSSD_CMD_DEFERRED_H

#include "vssd/cmd/request.h"
#include "vssd/ctrl/part.h"

struct vssd_aborting;
struct vssd_fault_plan;

extern const struct vssd_part vssd_deferred_part;

/* Check the command of a plan by a trial of execute, and, if it would succeed, keep it with its data to execute it
 * later, as the rule with the action early says. Returns its status. */
uint16_t vssd_defer(struct vssd_fault_plan *plan, uint16_t (*execute)(struct vssd_request *request));

/* The same for a command that the rule splits: the pieces are executed later, and then the command completes. Returns
 * VSSD_LATER, or a status. */
uint16_t vssd_split(struct vssd_fault_plan *plan, uint16_t (*execute)(struct vssd_request *request));

/* Abort split commands: drop the pieces that were not executed. Returns how many. */
unsigned vssd_deferred_abort(struct vssd_ctrl *ctrl, const struct vssd_aborting *abort);

/* A submission queue is deleted: drop the pieces of its commands. */
void vssd_deferred_forget_queue(struct vssd_ctrl *ctrl, uint16_t qid);

/* Execute those that are due, whatever their status. */
void vssd_deferred_run(struct vssd_ctrl *ctrl, uint16_t (*execute)(struct vssd_request *request));

#endif
