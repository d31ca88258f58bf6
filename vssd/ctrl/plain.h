/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plain reads and writes can take the short path (vssd/cmd/direct.c). Two bits allow it: `plain` of the submission
 * queue, and the bit of the opcode for the namespace. All that makes a command special clears one of them.
 */
#ifndef VSSD_CTRL_PLAIN_H
#define VSSD_CTRL_PLAIN_H

#include <stdint.h>

struct vssd_ctrl;
struct vssd_sq;

/* Recompute the bits. Call it after each change of a state that queue_is_plain() or plain_opcodes() checks (plain.c).
 */
void vssd_plain_update(struct vssd_ctrl *ctrl);

/* The same for one submission queue only. */
void vssd_plain_update_queue(struct vssd_ctrl *ctrl, uint16_t qid);

/* In builds with AddressSanitizer, abort if a caller forgot that. */
#ifdef __SANITIZE_ADDRESS__
void vssd_plain_check(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq);
#else
static inline void vssd_plain_check(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq)
{
	(void)ctrl;
	(void)sq;
}
#endif

#endif
