/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a script's commands are sent: with the checks that stand between a mistake and a crash, with the length that
 * the command itself transfers, and with the table of verification that it concerns. What comes back is fetched here,
 * too.
 */
#ifndef PYN_DRIVE_COMMAND_H
#define PYN_DRIVE_COMMAND_H

#include "core/drive/device.h"
#include "core/drive/namespace.h"
#include "core/drive/qpair.h"

/*
 * Send an admin command. command->verify, stamp and check are not used; length becomes what the command says that it
 * transfers, where that is less; where it is more, transfer is filled in, and length reaches to the end of its last
 * page. *cid is known at once.
 * Errors: PYN_ERROR_STATE (closed, not initialised, another process's), PYN_ERROR_ARGUMENT (as many in flight as the
 * queue takes, data outside of the buffer), PYN_ERROR_GONE, PYN_ERROR_MEMORY.
 */
int pyn_admin_submit(struct pyn_device *device, struct pyn_command *command, uint16_t *cid, struct pyn_error *err);

/*
 * Send an I/O command to a namespace. ns: whose data it reads or changes, verified by its table; NULL: nobody knows.
 * command->verify and check are filled in here, length and transfer as above; stamp is the caller's (Namespace.write:
 * true, send_cmd: false). Errors: as above; PYN_ERROR_STATE also for a deleted queue ("Qpair 3 is deleted").
 */
int pyn_io_submit(struct pyn_io_qpair *queue, struct pyn_namespace *ns, struct pyn_command *command, uint16_t *cid,
		  struct pyn_error *err);

/* Fetch up to max completions of the admin queue or of an I/O queue, wait up to budget_us for the first. Returns how
 * many; 0 also for a queue that is deleted and has nothing left, and in another process. */
unsigned pyn_admin_wait(struct pyn_device *device, struct pyn_completed *completed, unsigned max, uint64_t budget_us);
unsigned pyn_io_wait(struct pyn_io_qpair *queue, struct pyn_completed *completed, unsigned max, uint64_t budget_us);

/* Fetch one asynchronous event, and wait up to budget_us for it; see pyn_qpair_wait_event. */
bool pyn_admin_wait_event(struct pyn_device *device, struct pyn_completed *completed, uint64_t budget_us);

#endif
