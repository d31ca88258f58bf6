/* SPDX-License-Identifier: BSD-3-Clause */
/* Dispatch: fetch, check, execute and complete commands. */
#ifndef VSSD_CMD_DISPATCH_H
#define VSSD_CMD_DISPATCH_H

#include <stdint.h>

#include "vssd/ctrl/part.h"

struct vssd_ctrl;
struct vssd_fault_plan;
struct vssd_request;
struct vssd_sq;

#define VSSD_POLL_BYTES (UINT64_C(4) << 20) /* a poll ends after moving this many */

/* Executes commands that a fault rule has completed too early. */
extern const struct vssd_part vssd_dispatch_part;

/* Give the controller its tables of commands. */
void vssd_dispatch_init(struct vssd_ctrl *ctrl);

/* Check a request, and execute it as fault rules say. plan->request is NULL if there are none, else the caller
 * completes the command. Returns its status, VSSD_LATER or VSSD_FAULT_GONE_STATUS. */
uint16_t vssd_execute(struct vssd_fault_plan *plan, struct vssd_request *request);

/* Execute up to limit commands that the host has submitted to a queue. Returns how many. */
unsigned vssd_dispatch_commands(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned limit);

#endif
