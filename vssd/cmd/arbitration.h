/* SPDX-License-Identifier: BSD-3-Clause */
/* Arbitration: choose the queue to serve next. */
#ifndef VSSD_CMD_ARBITRATION_H
#define VSSD_CMD_ARBITRATION_H

struct vssd_ctrl;

/* Check the doorbells and execute commands. Returns how many. */
unsigned vssd_queues_poll(struct vssd_ctrl *ctrl);

/* Raise the interrupts of completions that timers and events posted. Call at the end of a poll. */
void vssd_queues_settle(struct vssd_ctrl *ctrl);

#endif
