/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which reads and writes are plain: they may go the short way (vssd/cmd/direct.c). Two bits let a command take it:
 * `plain` of its submission queue, and that of its opcode for its namespace. Whatever is rare clears them.
 */
#ifndef VSSD_CTRL_PLAIN_H
#define VSSD_CTRL_PLAIN_H

struct vssd_ctrl;
struct vssd_sq;

/* Set the bits anew. Call it after each change of what they depend on (plain.c: queue_is_plain(), plain_opcodes()).
 */
void vssd_plain_update(struct vssd_ctrl *ctrl);

/* Built with AddressSanitizer, abort where that was forgotten. */
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
