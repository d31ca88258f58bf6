/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way of plain reads and writes: vssd/ctrl/plain.h says which they are.
 */
#ifndef VSSD_CMD_DIRECT_H
#define VSSD_CMD_DIRECT_H

struct vssd_ctrl;
struct vssd_sq;

/* Execute up to most commands from the head of a queue as long as they are plain, and post their completions; how
 * many there were. */
unsigned vssd_direct_run(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned most);

#endif
