/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sends the commands of a script. Checks them so that a mistake is no crash, derives the length that a command
 * transfers, and chooses its verification table. Also fetches their completions.
 */
#ifndef PYN_DRIVE_COMMAND_H
#define PYN_DRIVE_COMMAND_H

#include "core/drive/device.h"
#include "core/drive/namespace.h"
#include "core/drive/inflight.h"

/*
 * Send an admin command. Ignores command->verify, stamp and check. If the command transfers less than length, length
 * is reduced to that; if it transfers more, transfer is set, and length reaches to the end of its last page. *cid is
 * valid at once. Errors: PYN_ERROR_STATE (closed, not initialised, or in another process), PYN_ERROR_ARGUMENT (queue
 * full, or data outside of the buffer), PYN_ERROR_GONE, PYN_ERROR_MEMORY.
 */
int pyn_admin_submit(struct pyn_device *device, struct pyn_command *command, uint16_t *cid, struct pyn_error *err);

/*
 * Send an I/O command. ns is the namespace whose data it reads or changes, and whose table verifies them; NULL:
 * unknown. Sets command->verify and check, and length and transfer as above; the caller sets stamp (Namespace.write:
 * true, send_cmd: false). Errors: as above; PYN_ERROR_STATE also for a deleted queue ("Qpair 3 is deleted").
 */
int pyn_io_submit(struct pyn_io_qpair *queue, struct pyn_namespace *ns, struct pyn_command *command, uint16_t *cid,
		  struct pyn_error *err);

/* Fetch up to max completions of the admin queue or of an I/O queue; wait up to budget_us for the first. Returns
 * their number; 0 also for a deleted queue without completions, and in another process. */
unsigned pyn_admin_wait(struct pyn_device *device, struct pyn_completed *completed, unsigned max, uint64_t budget_us);
unsigned pyn_io_wait(struct pyn_io_qpair *queue, struct pyn_completed *completed, unsigned max, uint64_t budget_us);

/* Fetch one asynchronous event; wait up to budget_us for it. See pyn_inflight_wait_event. */
bool pyn_admin_wait_event(struct pyn_device *device, struct pyn_completed *completed, uint64_t budget_us);

#endif
