/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way of plain reads and writes. Two bits let a command take it: `plain` of its submission queue, and that
 * of its opcode in `plain` of its namespace. Whatever is rare clears them.
 */
#ifndef VSSD_CMD_DIRECT_H
#define VSSD_CMD_DIRECT_H

struct vssd_ctrl;
struct vssd_sq;

/* Set the bits anew. Call it after each change of what they depend on (direct.c: queue_is_plain(), plain_opcodes());
 * built with AddressSanitizer, the drive aborts where that was forgotten. */
void vssd_direct_update(struct vssd_ctrl *ctrl);

/* Execute up to most commands from the head of a queue as long as they are plain, and post their completions; how
 * many there were. */
unsigned vssd_direct_run(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned most);

#endif
