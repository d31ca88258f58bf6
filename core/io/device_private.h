/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of a device share: device.c (life, registers), device_init.c, device_reset.c and io_queue.c. */
#ifndef PYN_IO_DEVICE_PRIVATE_H
#define PYN_IO_DEVICE_PRIVATE_H

#include <pthread.h>

#include "core/io/device.h"

#define PYN_OWN_COMMANDS 32u /* of the driver's own in flight on the admin queue, beside the script's */
#define PYN_ADMIN_DEPTH (PYN_ADMIN_CIDS + PYN_OWN_COMMANDS + 1u)

struct pyn_device {
	const struct pyn_engine *engine;
	struct pyn_ctrlr *ctrlr; /* NULL: closed */
	char *address;
	bool keep_tables;
	bool initialised;
	_Atomic uint32_t references;
	uint32_t process;
	uint32_t timeout_ms;
	_Atomic uint32_t format_generation;
	pthread_mutex_t lock; /* recursive: over the engine's controller and what follows */
	struct pyn_device_shared *shared;
	struct pyn_qpair *admin;
	struct pyn_buffer *identify; /* 4096 bytes: Identify Controller */
	uint64_t cap;
	uint64_t power_losses; /* SMART, as of the last initialisation */
	bool power_losses_known;
	uint32_t max_queues;          /* IO queue pairs that may exist */
	struct pyn_io_queue **queues; /* by QID, PYN_MAX_QID + 1 of them */
	struct pyn_vector *vectors;   /* in use by queues */
	_Atomic uint8_t *by_script;   /* enum pyn_by_script, by QID */
};

/* What the script did to queues by admin commands of its own, and the device has confirmed; and what nobody knows. */
enum pyn_by_script {
	PYN_SCRIPT_MADE_SQ = 1,
	PYN_SCRIPT_MADE_CQ = 2,
	PYN_SCRIPT_DELETED_SQ = 4, /* of the driver's */
	PYN_SCRIPT_DELETED_CQ = 8,
	PYN_QUEUE_UNCERTAIN = 16, /* a creation that was given up: the device may yet make it */
};

/* The driver's queue is not there any more: its vector, its QID. */
void pyn_io_queue_forget(struct pyn_io_queue *queue);

/* 0, or PYN_ERROR_STATE where the device is closed or another process's. */
int pyn_device_check(const struct pyn_device *device, struct pyn_error *err);

/* The device writes to no memory of ours any more: everything in flight ends, every IO queue is gone. */
void pyn_device_abandon(struct pyn_device *device);

/* Before their queues or the controller go: afterwards no process rings a doorbell of a queue of before. */
void pyn_device_stop_workers(struct pyn_device *device);

/* Free a queue that its owner could not free, once the device does not use it any more. */
void pyn_io_queue_free_orphan(struct pyn_io_queue *queue);

#endif
