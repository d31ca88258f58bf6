/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An open drive: its controller, its admin queue, its IO queues, and the tables of its namespaces.
 *
 * Life: open (changes nothing of the controller) → initialise, again after each reset → close. Every function returns
 * PYN_ERROR_STATE for a closed device; its memory is freed with the last reference. Any thread may call all
 * functions.
 */
#ifndef PYN_DRIVE_DEVICE_H
#define PYN_DRIVE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine/engine.h"
#include "core/drive/inflight.h"
#include "core/verify/verify.h"
#include "core/util/error.h"

struct pyn_device;
struct pyn_save_counts;
struct pyn_tables;
struct pyn_vector;

#define PYN_ADMIN_CIDS 128u /* for commands of the script: 0 … 127 */
#define PYN_MAX_QID 65535u

/* One IO queue pair that was created on the device; owned by whoever created it. */
struct pyn_io_qpair {
	struct pyn_device *device; /* holds a reference */
	uint16_t qid;
	uint16_t depth;
	struct pyn_engine_qpair *queue; /* the engine's queue; NULL: deleted, or gone with a reset */
	struct pyn_inflight *inflight;  /* for a script; NULL: a worker uses the rings itself */
	uint16_t vector_number;
	struct pyn_vector *vector; /* of its interrupts; NULL: for a worker, or the device has none */
	uint32_t process;          /* pyn_process_number of the process that created it */
	bool ownerless;            /* its owner has freed it, but the drive may still use it: pyn_device frees it */
	/* Make the process that uses this queue end: by itself within grace_ms, otherwise by force. NULL: no other
	 * process uses it. */
	void (*stop)(void *user, uint32_t grace_ms);
	void (*gone)(void *user); /* for an orphan, see pyn_io_qpair_hand_over */
	void *user;               /* argument of stop, later of gone */
};

/* Why workers end before they are done. */
enum pyn_device_end {
	PYN_END_NONE = 0,
	PYN_END_RESET,
	PYN_END_POWER, /* a power loss */
	PYN_END_CLOSE,
};

/* Memory that worker processes read. */
struct pyn_device_shared {
	_Atomic uint32_t cut_offs; /* grows with each reset, power loss and close; earlier workers then end */
	_Atomic uint32_t end;      /* enum pyn_device_end: why cut_offs has grown; written before it */
};

/* Open the drive at address. keep_tables: verification tables outlive close, for a private virtual SSD, whose data
 * do, too. Errors: PYN_ERROR_ENUMERATE, PYN_ERROR_MEMORY. */
int pyn_device_open(const struct pyn_address *address, bool keep_tables, struct pyn_device **device,
		    struct pyn_error *err);
void pyn_device_get(struct pyn_device *device);
void pyn_device_put(struct pyn_device *device);

/* Delete the queues, shut the controller down normally, set CC.EN = 0, detach. Later calls do nothing. */
void pyn_device_close(struct pyn_device *device);
bool pyn_device_is_open(const struct pyn_device *device);

/* Return 0, or PYN_ERROR_STATE if the device is closed or another process opened it. */
int pyn_device_check(const struct pyn_device *device, struct pyn_error *err);

/* Whether close has shut the controller down normally, so that all written data are durable. */
bool pyn_device_was_shut_down(const struct pyn_device *device);

/* Keep other threads from resetting or closing the drive, and from stopping its workers, from here … */
void pyn_device_lock(struct pyn_device *device);
/* … to here. This thread may do these things, and may take the lock again. */
void pyn_device_unlock(struct pyn_device *device);

/* Whether the drive is still there. */
bool pyn_device_alive(struct pyn_device *device);

/* ---- initialisation ---- */

/* The default initialisation: enable, Identify Controller, Set Features (Number of Queues). Errors:
 * PYN_ERROR_ENUMERATE, PYN_ERROR_GONE. */
int pyn_device_init(struct pyn_device *device, struct pyn_error *err);

/* The steps of a custom initialisation. First: set CC.EN = 0, then AQA, ASQ and ACQ for an empty admin queue. The
 * caller writes CC. */
int pyn_device_init_adminq(struct pyn_device *device, struct pyn_error *err);

/* Read Identify Controller, the SMART counts of power losses, and the state of the volatile write cache, unless that
 * has been done since the last reset. It is done before the first transfer, as a script may skip
 * pyn_device_init_ns. */
int pyn_device_learn(struct pyn_device *device, struct pyn_error *err);

/* The same unconditionally; returns the number of active namespaces, or -errno. */
int pyn_device_init_ns(struct pyn_device *device, struct pyn_error *err);

/* Set the number of IO queues from dword 0 of the completion of Set Features, Number of Queues. */
void pyn_device_init_queues(struct pyn_device *device, uint32_t cdw0);

/* Let the drive read the doorbells of I/O queues from memory, until the next reset. Errors: PYN_ERROR_STATE, there
 * are I/O queues already; PYN_ERROR_UNSUPPORTED, the drive or the engine has no Doorbell Buffer Config. */
int pyn_device_use_shadow_doorbells(struct pyn_device *device, struct pyn_error *err);

/* Whether the admin queue works: init_adminq has run, and there was no reset since. */
bool pyn_device_initialised(const struct pyn_device *device);

/* ---- resets ---- */

enum pyn_device_reset {
	PYN_DEVICE_RESET_CONTROLLER, /* CC.EN = 0 */
	PYN_DEVICE_RESET_FUNCTION,   /* FLR */
	PYN_DEVICE_RESET_HOT,
	PYN_DEVICE_RESET_DONE, /* already done by a power loss */
};

/*
 * End the workers without draining, reset, complete the commands in flight with 00/08, and drop all IO queues.
 * Afterwards the controller is not initialised.
 */
int pyn_device_reset(struct pyn_device *device, enum pyn_device_reset kind, struct pyn_error *err);

/* Set CC.SHN and wait for CSTS.SHST. After a successful normal shutdown all written data are durable. */
int pyn_device_shutdown(struct pyn_device *device, bool abrupt, struct pyn_error *err);

/* Make all data of the drive unknown to verification. */
void pyn_device_forget(struct pyn_device *device);

/* Note a power loss without a shutdown: LBAs that were not flushed become unknown. */
void pyn_device_power_lost(struct pyn_device *device);

/* End the workers before a power loss. Their commands in flight stay in flight. */
void pyn_device_stop(struct pyn_device *device);

/*
 * End the workers and release the function to the system before its power is removed. Commands in flight complete
 * with 00/08, all IO queues are gone, and registers read as all ones. reattach takes the function again; afterwards
 * the controller is not initialised. Errors: PYN_ERROR_UNSUPPORTED, the function cannot be released; of reattach
 * those of open, and then the device stays released.
 */
int pyn_device_release(struct pyn_device *device, struct pyn_error *err);
int pyn_device_reattach(struct pyn_device *device, struct pyn_error *err);

/* ---- registers ---- */

int pyn_device_reg_read(struct pyn_device *device, uint32_t offset, uint32_t size, uint64_t *value,
			struct pyn_error *err);
int pyn_device_reg_write(struct pyn_device *device, uint32_t offset, uint32_t size, uint64_t value,
			 struct pyn_error *err);
int pyn_device_config_read(struct pyn_device *device, uint32_t offset, void *data, uint32_t length,
			   struct pyn_error *err);
int pyn_device_config_write(struct pyn_device *device, uint32_t offset, const void *data, uint32_t length,
			    struct pyn_error *err);

/* ---- what is known of it ---- */

uint32_t pyn_device_process(const struct pyn_device *device); /* pyn_process_number of the process that opened it */
const char *pyn_device_address(const struct pyn_device *device); /* its text */
const struct pyn_engine *pyn_device_engine(const struct pyn_device *device);

/* Describe the controller memory buffer, and allocate a buffer in it. Errors: PYN_ERROR_STATE, the device is closed;
 * for the buffer also PYN_ERROR_UNSUPPORTED, there is no memory buffer, and PYN_ERROR_MEMORY, not enough is free. */
int pyn_device_cmb_info(struct pyn_device *device, struct pyn_cmb_info *info, struct pyn_error *err);
struct pyn_buffer *pyn_device_cmb_buffer(struct pyn_device *device, uint32_t size, struct pyn_error *err);

/* Create a buffer with a pattern (core/data/pattern.h), in DMA memory, or in the controller memory buffer of cmb_of
 * if that is not NULL. Errors: PYN_ERROR_ARGUMENT, PYN_ERROR_MEMORY, and those of pyn_device_cmb_buffer. */
struct pyn_buffer *pyn_buffer_with_pattern(struct pyn_device *cmb_of, uint32_t size, uint32_t ptype, uint32_t pvalue,
					   struct pyn_error *err);

/* Choose the size of memory pages in bytes (CC.MPS) for the next initialisation, and get that of now. Errors:
 * PYN_ERROR_ARGUMENT, PYN_ERROR_WITHHELD, PYN_ERROR_STATE. */
int pyn_device_choose_page(struct pyn_device *device, uint32_t bytes, struct pyn_error *err);
uint32_t pyn_device_page(const struct pyn_device *device);

/* Bytes for the list of a template: the engine's rings->list_bytes. */
size_t pyn_device_list_bytes(struct pyn_device *device, uint32_t most);

/* Fill in a template by the engine's rings->prepare. Errors: PYN_ERROR_STATE, the device is closed. */
int pyn_device_prepare_template(struct pyn_device *device, struct pyn_data_template *data, uint32_t most,
				struct pyn_error *err);
struct pyn_device_shared *pyn_device_shared(const struct pyn_device *device);
struct pyn_inflight *pyn_device_admin(const struct pyn_device *device); /* never NULL */
uint64_t pyn_device_cap(const struct pyn_device *device);               /* as read at the last initialisation */
uint64_t pyn_device_mdts(const struct pyn_device *device);              /* bytes; 0: no limit */
const void *pyn_device_identify(const struct pyn_device *device);       /* 4096 bytes, struct nvme_id_ctrl */

/* Copy the current Identify Controller data, 4096 bytes; data may be NULL. Sends an admin command of the driver's own
 * if the data may have changed since the last one. Errors: those of pyn_device_admin_execute. */
int pyn_device_identify_now(struct pyn_device *device, void *data, struct pyn_error *err);

/* IO queue pairs that the drive has granted. */
uint32_t pyn_device_max_qpairs(const struct pyn_device *device);
uint32_t *pyn_device_timeout_ms(struct pyn_device *device);

/* Execute an admin command of the driver's own; buffer: its data, or NULL. Returns 0 only for a successful status;
 * otherwise *err names the command and the status, with kind `refused` if the drive refused it. cdw0 may be NULL. */
int pyn_device_admin_execute(struct pyn_device *device, const struct nvme_cmd *cmd, struct pyn_buffer *buffer,
			     enum pyn_error_kind refused, uint32_t *cdw0, struct pyn_error *err);

/* ---- IO queues ---- */

struct pyn_io_qpair_config {
	uint16_t depth; /* 2 … CAP.MQES + 1 */
	uint8_t priority;
	bool interrupts;
	uint16_t vector; /* 0xffff: the QID */
	bool for_worker; /* no struct pyn_inflight */
	bool cmb_sq;     /* place the submission queue in the controller memory buffer */
	bool cmb_cq;     /* place the completion queue there */
};

/* Create an IO queue pair with the lowest free QID. Errors: PYN_ERROR_CREATE, PYN_ERROR_STATE, PYN_ERROR_GONE,
 * PYN_ERROR_TIMEOUT, PYN_ERROR_MEMORY. */
int pyn_io_qpair_create(struct pyn_device *device, const struct pyn_io_qpair_config *config,
			struct pyn_io_qpair **queue, struct pyn_error *err);

/* Delete the queue pair on the drive; its commands in flight complete with 00/08. Deleting twice does nothing. If the
 * drive refuses, returns PYN_ERROR_DELETE; the queue and its memory then stay reserved until a reset. */
int pyn_io_qpair_delete(struct pyn_io_qpair *queue, struct pyn_error *err);

/* Whether the queue pair still exists on the drive. */
bool pyn_io_qpair_exists(const struct pyn_io_qpair *queue);

/* The interrupt vector of a script's queue: tell whether it was raised, by any queue of that vector, since it was
 * last cleared; clear it; mask or unmask it. Errors: PYN_ERROR_STATE (deleted, or in another process),
 * PYN_ERROR_UNSUPPORTED (the device has no such vector), PYN_ERROR_GONE. */
int pyn_io_qpair_interrupted(struct pyn_io_qpair *queue, bool *is_set, struct pyn_error *err);
int pyn_io_qpair_interrupt_clear(struct pyn_io_qpair *queue, struct pyn_error *err);
int pyn_io_qpair_interrupt_mask(struct pyn_io_qpair *queue, bool masked, struct pyn_error *err);

/* Delete the queue pair if necessary, and free it. Does nothing in a process other than the one that created it. */
void pyn_io_qpair_free(struct pyn_io_qpair *queue);

/* Hand the queue pair over to the device as an orphan, which the next reset or close frees; at once if there was one
 * already. gone (may be NULL) is then called: the drive does not use the memory of its commands any more. */
void pyn_io_qpair_hand_over(struct pyn_io_qpair *queue, void (*gone)(void *user), void *user);

/* ---- verification tables ---- */

/* Get the table of a namespace of this drive, with a reference for the caller. All of this process share it. Creates
 * it at first use, and a new one if the geometry has changed. shared: NMIC tells that several controllers can have
 * the namespace. NULL: no memory. */
struct pyn_verify *pyn_device_table(struct pyn_device *device, uint32_t nsid, bool shared, uint64_t nlba,
				    uint32_t lba_size, struct pyn_error *err);

/* The same, but NULL if there is no table yet. */
struct pyn_verify *pyn_device_find_table(struct pyn_device *device, uint32_t nsid);

/* All tables at this moment. NULL: none, or no memory. */
struct pyn_tables *pyn_device_all_tables(struct pyn_device *device);

/* Read the counts of SMART that a file of verification has. counts->known is 0 if the drive does not answer. */
void pyn_device_counts(struct pyn_device *device, struct pyn_save_counts *counts);

/* pyn_verify_durable_since for a new table. */
uint64_t pyn_device_durable_since(const struct pyn_device *device);

/* A number that grows with each reset, command and event that may change Identify data: data that were read before
 * must be read again. */
uint32_t pyn_device_identify_changes(const struct pyn_device *device);

/* The effects of commands whose opcode only the drive knows. Call ask_effects before sending the first one: it reads
 * log page 05h once, by an admin command of the driver's own, if there is one. keeps_data: the drive supports the
 * command and reports that it does not change data. Without such a report, the command may change data. */
bool pyn_device_admin_is_unknown(uint8_t opcode);
void pyn_device_ask_effects(struct pyn_device *device);
bool pyn_device_keeps_data(const struct pyn_device *device, uint8_t opcode, bool io);

/* Whether the drive reports that it supports a command: 1 or 0. Reads log page 05h, again only after it may have
 * changed; without that log page, uses Identify Controller. Errors: those of pyn_device_admin_execute,
 * PYN_ERROR_SYSTEM if the drive refuses the log page. */
int pyn_device_supports(struct pyn_device *device, uint8_t opcode, bool io, struct pyn_error *err);

#endif
