/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of a device share. Each calls those before it only: device.c (lock, references, what is known),
 * device_tables.c, device_registers.c, io_qpair.c, device_reset.c, device_init.c, device_commands.c,
 * device_effects.c, device_open.c.
 */
#ifndef PYN_IO_DEVICE_PRIVATE_H
#define PYN_IO_DEVICE_PRIVATE_H

#include <pthread.h>

#include "core/drive/device.h"
#include "core/verify/tables.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"

#define PYN_OWN_COMMANDS 32u /* of the driver's own in flight on the admin queue, beside the script's */
#define PYN_ADMIN_DEPTH (PYN_ADMIN_CIDS + PYN_OWN_COMMANDS + 1u)

/* SMART: what tells that the power was away. */
struct pyn_power_counts {
	bool asked;
	bool known;      /* the drive has told */
	uint64_t losses; /* without a shutdown */
	uint64_t cycles;
};

/* A script's Set Features commands for the volatile write cache. */
struct pyn_cache_changes {
	uint32_t in_flight;
	uint32_t count; /* that were ever sent */
	bool mixed;     /* several were in flight at the same time */
	bool was_off;   /* before the one in flight */
};

/* Its IO queue pairs. */
struct pyn_device_io {
	uint32_t most;                /* that may exist */
	struct pyn_io_qpair **qpairs; /* by QID, PYN_MAX_QID + 1 of them */
	struct pyn_vector *vectors;   /* in use by queues */
	_Atomic uint8_t *by_script;   /* enum pyn_by_script, by QID */
};

/* What the drive has answered, and how large identify_changes was when it was asked. */
struct pyn_answers {
	struct pyn_buffer *identify; /* 4096 bytes: Identify Controller */
	uint32_t identify_as_of;
	struct nvme_effects_log *effects; /* log page 05h; NULL: not read yet */
	uint32_t effects_as_of;
};

struct pyn_device {
	const struct pyn_engine *engine;
	struct pyn_ctrlr *ctrlr; /* NULL: closed */
	struct pyn_address address;
	bool keep_tables;
	bool initialised;
	_Atomic uint32_t references;
	void (*last_put)(struct pyn_device *device); /* close and free it */
	uint32_t process;
	uint32_t timeout_ms;
	_Atomic uint32_t identify_changes;
	pthread_mutex_t lock; /* recursive: over the engine's controller and what follows */
	struct pyn_device_shared *shared;
	struct pyn_qpair *admin;
	struct pyn_answers answers;
	uint64_t cap;
	bool shut_down;                /* normally, and nothing was done since */
	bool learned;                  /* what pyn_device_learn asks for, since the last reset */
	struct pyn_power_counts power; /* as of then */
	char identity[sizeof(((struct nvme_id_ctrl *)NULL)->sn) + sizeof(((struct nvme_id_ctrl *)NULL)->mn)];
	_Atomic uint64_t durable_since;   /* as pyn_verify_set_durable_since */
	struct pyn_cache_changes cache;   /* under the lock of the admin queue */
	struct pyn_tables *shutting_down; /* the script has asked for a shutdown: it covers this */
	bool asked_effects;
	_Atomic bool keeps_data[2][256]; /* log page 05h, by opcode, admin and I/O: known to change no data */
	struct pyn_device_io io;
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
void pyn_io_qpair_forget(struct pyn_io_qpair *queue);

/* The device writes to no memory of ours any more: everything in flight ends, every IO queue is gone. */
void pyn_device_abort_all(struct pyn_device *device);

/* Workers end by themselves, for this reason: what they use is gone. */
void pyn_device_cut_off_workers(struct pyn_device *device, enum pyn_device_end why);

/* The same before their queues or the controller go: afterwards no process rings a doorbell of a queue of before. */
void pyn_device_stop_workers(struct pyn_device *device, enum pyn_device_end why);

/* Sees each admin command of a script before it is sent and when it has ended. */
void pyn_device_on_command(void *device, const struct nvme_cmd *cmd, const struct nvme_cpl *cpl,
			   enum pyn_command_stage what);

/* Nothing is known any more of the data of a namespace; FFFFFFFFh: of all. */
void pyn_device_forget_namespaces(struct pyn_device *device, uint32_t nsid);

/* Writes that are submitted from this time on need no flush, in any namespace; UINT64_MAX: all do. */
void pyn_device_set_durable_since(struct pyn_device *device, uint64_t ticks);

/* Free a queue that its owner could not free, once the device does not use it any more. */
void pyn_io_qpair_free_ownerless(struct pyn_io_qpair *queue);

#endif
