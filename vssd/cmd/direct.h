/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short path of plain reads and writes; vssd/ctrl/plain.h defines which commands are plain.
 */
#ifndef VSSD_CMD_DIRECT_H
#define VSSD_CMD_DIRECT_H

struct vssd_ctrl;
struct vssd_sq;

/* Execute up to most commands from the head of a queue, stopping at the first that is not plain, and post their
 * completions. Returns how many it executed. */
unsigned vssd_direct_run(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned most);

#endif
