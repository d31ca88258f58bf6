/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared by the files of a device. Each calls only those before it: device.c (lock, references, accessors),
 * device_smart.c, device_tables.c, device_shadow.c, device_registers.c, io_qpair.c, device_reset.c, device_init.c,
 * device_commands.c, device_effects.c, device_open.c.
 */
#ifndef PYN_DRIVE_DEVICE_PRIVATE_H
#define PYN_DRIVE_DEVICE_PRIVATE_H

#include <pthread.h>

#include "core/drive/device.h"
#include "core/verify/tables.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"

#define PYN_OWN_COMMANDS 32u /* the driver's own commands in flight on the admin queue, beside the script's */
#define PYN_ADMIN_DEPTH (PYN_ADMIN_CIDS + PYN_OWN_COMMANDS + 1u)

/* The counts of SMART that reveal a power loss. */
struct pyn_power_counts {
	bool asked;
	bool known;      /* the drive has reported them */
	uint64_t losses; /* without a shutdown */
	uint64_t cycles;
};

/* A script's Set Features commands for the volatile write cache. */
struct pyn_cache_changes {
	uint32_t in_flight;
	uint32_t count; /* sent so far */
	bool mixed;     /* several were in flight at the same time */
	bool was_off;   /* the cache was off before the one in flight */
};

/* The IO queue pairs of a device. */
struct pyn_device_io {
	uint32_t most;                /* how many may exist */
	struct pyn_io_qpair **qpairs; /* by QID, PYN_MAX_QID + 1 of them */
	struct pyn_vector *vectors;   /* in use by queues */
	_Atomic uint8_t *by_script;   /* enum pyn_by_script, by QID */
	_Atomic uint32_t page;        /* bytes of a memory page */
};

/* Answers of the drive, and the value of identify_changes when they were requested. */
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
	pthread_mutex_t lock; /* recursive; protects the engine's controller and the fields below */
	struct pyn_device_shared *shared;
	struct pyn_inflight *admin;
	struct pyn_answers answers;
	uint64_t cap;
	bool shut_down;                /* normally, and not used since */
	bool learned;                  /* pyn_device_learn has run since the last reset */
	struct pyn_power_counts power; /* read by pyn_device_learn */
	char identity[sizeof(((struct nvme_id_ctrl *)NULL)->sn) + sizeof(((struct nvme_id_ctrl *)NULL)->mn)];
	struct pyn_tables_user *tables;
	struct pyn_cache_changes cache;   /* under the lock of the admin queue */
	struct pyn_tables *shutting_down; /* the tables that a shutdown requested by the script covers */
	bool asked_effects;
	_Atomic bool keeps_data[2][256]; /* log page 05h, by opcode, admin and I/O: known to change no data */
	struct pyn_device_io io;
};

/* Confirmed effects of raw admin commands of the script on queues, and uncertain creations. */
enum pyn_by_script {
	PYN_SCRIPT_MADE_SQ = 1,
	PYN_SCRIPT_MADE_CQ = 2,
	PYN_SCRIPT_DELETED_SQ = 4, /* a queue of the driver */
	PYN_SCRIPT_DELETED_CQ = 8,
	PYN_QUEUE_UNCERTAIN = 16, /* a creation that was given up; the device may still do it */
};

/* Read the SMART / Health Information log page. false: the drive does not answer. */
bool pyn_device_smart(struct pyn_device *device, struct nvme_smart_log *log);

/* ---- device_shadow.c ---- */

/* Forget all data if the drive is a self-encrypting one whose reads return the table MBR instead. */
void pyn_device_check_shadow(struct pyn_device *device);

/* Whether verification follows a file of any namespace, and note in these files that the drive was closed. */
bool pyn_device_is_saved(const struct pyn_device *device);
void pyn_device_note_close(const struct pyn_device *device, bool durable, const struct pyn_save_counts *counts);

/* Release the vector and the QID of a queue of the driver that does not exist any more. */
void pyn_io_qpair_forget(struct pyn_io_qpair *queue);

/* End everything in flight and drop all IO queues. Call it once the device cannot write to our memory any more. */
void pyn_device_abort_all(struct pyn_device *device);

/* Tell the workers to end, for this reason, since their queues are gone. */
void pyn_device_cut_off_workers(struct pyn_device *device, enum pyn_device_end why);

/* The same, and wait for them, before their queues or the controller are removed: afterwards no process rings a
 * doorbell of an earlier queue. */
void pyn_device_stop_workers(struct pyn_device *device, enum pyn_device_end why);

/* Called for each admin command of a script, before it is sent and when it has ended. */
void pyn_device_on_command(void *device, const struct nvme_cmd *cmd, const struct nvme_cpl *cpl,
			   enum pyn_command_stage what);

/* Share the verification tables with other controllers of the same subsystem, by what Identify Controller tells. */
void pyn_device_share_tables(struct pyn_device *device);

/* Make the data of a namespace unknown; FFFFFFFFh: of all namespaces. */
void pyn_device_forget_namespaces(struct pyn_device *device, uint32_t nsid);

/* Set since when writes need no flush, in all namespaces; UINT64_MAX: all need one. */
void pyn_device_set_durable_since(struct pyn_device *device, uint64_t ticks);

/* Free a queue whose owner could not, once the device does not use it any more. */
void pyn_io_qpair_free_ownerless(struct pyn_io_qpair *queue);

#endif
