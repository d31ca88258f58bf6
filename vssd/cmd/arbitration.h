/* SPDX-License-Identifier: BSD-3-Clause */
/* Which queue is served next. */
#ifndef VSSD_CMD_ARBITRATION_H
#define VSSD_CMD_ARBITRATION_H

struct vssd_ctrl;

/* Look at doorbells, execute commands; how many. */
unsigned vssd_queues_poll(struct vssd_ctrl *ctrl);

/* The end of a poll: interrupt for what timers and events have posted. */
void vssd_queues_settle(struct vssd_ctrl *ctrl);

#endif
