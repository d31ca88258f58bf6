/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver, as Python sees it: the only header that cspdk.pxd mirrors. A C program can use it just as well.
 *
 * Objects                        made by                      given back by
 *   struct pyn_buffer            pyn_buffer_create            pyn_buffer_put
 *   struct pyn_device            pyn_device_open              pyn_device_put (pyn_device_close ends its use earlier)
 *   struct pyn_namespace         pyn_namespace_open           pyn_namespace_free
 *   struct pyn_io_qpair          pyn_io_qpair_create          pyn_io_qpair_free
 *   struct pyn_worker            pyn_worker_create            pyn_worker_free
 *
 * Their headers, included here, say what may be done with each. What follows here is how commands are sent: with the
 * checks that stand between a script's mistake and a crash. All of it returns 0 or -errno and fills *err; an NVMe
 * status is data in a completion. Any thread may call everything; objects of another process (a fork) are left alone.
 */
#ifndef PYN_DRIVER_H
#define PYN_DRIVER_H

#include "core/env/env.h"
#include "core/data/buffer.h"
#include "core/data/cmdlog.h"
#include "core/drive/device.h"
#include "core/data/histogram.h"
#include "core/drive/namespace.h"
#include "core/data/transfer.h"
#include "core/data/pattern.h"
#include "core/drive/qpair.h"
#include "core/verify/track.h"
#include "core/worker/worker.h"
#include "core/nvme/status.h"
#include "core/util/address.h"
#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/log.h"

/* A new buffer with a pattern (see core/data/pattern.h), in DMA memory, or in the memory buffer of the device cmb_of
 * where that is not NULL. Errors: PYN_ERROR_ARGUMENT, PYN_ERROR_MEMORY, and those of pyn_device_cmb_buffer. */
struct pyn_buffer *pyn_buffer_with_pattern(struct pyn_device *cmb_of, uint32_t size, uint32_t ptype, uint32_t pvalue,
					   struct pyn_error *err);

/* Seed the generator of patterns. */
void pyn_seed(uint64_t seed);

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

/* Whether a queue pair still exists on the drive. */
bool pyn_io_qpair_exists(const struct pyn_io_qpair *queue);

/*
 * What the library logs waits here until somebody takes it: a sink that called Python while a queue is locked could
 * wait for a thread that waits for the queue. At most 64 records; the oldest are dropped.
 */
void pyn_log_keep(void);

/* The oldest record: its level (enum pyn_log_level), or 0 where there is none. */
int pyn_log_take(char *text, size_t size);

#endif
