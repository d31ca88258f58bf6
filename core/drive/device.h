/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An open drive: its controller, the admin queue, the IO queues that exist, the tables of its namespaces.
 *
 * Life: open (nothing of the controller is changed) → initialise, as often as there are resets → close. A closed
 * device answers everything with PYN_ERROR_STATE; its memory goes with the last reference. Any thread may call
 * everything here.
 */
#ifndef PYN_IO_DEVICE_H
#define PYN_IO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine/engine.h"
#include "core/drive/qpair.h"
#include "core/verify/verify.h"
#include "core/util/error.h"

struct pyn_device;
struct pyn_tables;
struct pyn_vector;

#define PYN_ADMIN_CIDS 128u /* of the script: 0 … 127 */
#define PYN_MAX_QID 65535u

/* One IO queue pair that was created on the device; owned by whoever created it. */
struct pyn_io_qpair {
	struct pyn_device *device; /* holds a reference */
	uint16_t qid;
	uint16_t depth;
	struct pyn_engine_qpair *queue; /* the engine's; NULL: deleted, or gone with a reset */
	struct pyn_qpair *qpair;        /* for a script; NULL: a worker's, which runs the rings itself */
	uint16_t vector_number;
	struct pyn_vector *vector; /* of its interrupts; NULL: a worker's, or the device has none to offer */
	uint32_t process;          /* pyn_process_number of the process that made it */
	bool ownerless;            /* freed by its owner while the device may still use it: the device frees it */
	/* Make the process that runs this queue end, within grace_ms by itself, else by force. NULL: no other
	 * process. */
	void (*stop)(void *user, uint32_t grace_ms);
	void (*gone)(void *user); /* of an orphan, see pyn_io_qpair_hand_over */
	void *user;               /* of stop, and then of gone */
};

/* Why workers end that were not done. */
enum pyn_device_end {
	PYN_END_NONE = 0,
	PYN_END_RESET,
	PYN_END_POWER, /* it was lost */
	PYN_END_CLOSE,
};

/* Words that worker processes read. */
struct pyn_device_shared {
	_Atomic uint32_t cut_offs; /* grows with each reset, power loss and close: workers of before end */
	_Atomic uint32_t end;      /* enum pyn_device_end: why it has grown last, written first */
};

/* Open the drive at address. keep_tables: what verification knows outlives close,
 * for a private virtual SSD whose data do. Errors: PYN_ERROR_ENUMERATE, PYN_ERROR_MEMORY. */
int pyn_device_open(const struct pyn_address *address, bool keep_tables, struct pyn_device **device,
		    struct pyn_error *err);
void pyn_device_get(struct pyn_device *device);
void pyn_device_put(struct pyn_device *device);

/* Delete the queues, shut the controller down normally, CC.EN = 0, detach. Later calls do nothing. */
void pyn_device_close(struct pyn_device *device);
bool pyn_device_is_open(const struct pyn_device *device);

/* 0, or PYN_ERROR_STATE: the device is closed, or another process's. */
int pyn_device_check(const struct pyn_device *device, struct pyn_error *err);

/* Whether closing has shut the controller down normally: then all that had been written is durable. */
bool pyn_device_was_shut_down(const struct pyn_device *device);

/* Nobody resets or closes the drive, or stops its workers, from here … */
void pyn_device_lock(struct pyn_device *device);
/* … to here. The same thread may do so, and may take the lock again. */
void pyn_device_unlock(struct pyn_device *device);

/* Whether the drive still answers. */
bool pyn_device_alive(struct pyn_device *device);

/* ---- initialisation ---- */

/* The default one: enable, Identify Controller, Set Features (Number of Queues). Errors: PYN_ERROR_ENUMERATE,
 * PYN_ERROR_GONE. */
int pyn_device_init(struct pyn_device *device, struct pyn_error *err);

/* The pieces of one's own. First: CC.EN = 0, then an empty admin queue in AQA, ASQ and ACQ; CC is the caller's to
 * write. */
int pyn_device_init_adminq(struct pyn_device *device, struct pyn_error *err);

/* Identify Controller, what tells of a power loss, and the state of the volatile write cache, unless that was asked
 * since the last reset. Scripts may initialise without pyn_device_init_ns: so it is asked before the first transfer.
 */
int pyn_device_learn(struct pyn_device *device, struct pyn_error *err);

/* The same in any case; returns the number of active namespaces, or -errno. */
int pyn_device_init_ns(struct pyn_device *device, struct pyn_error *err);

/* How many IO queues there may be: dword 0 of the completion of Set Features, Number of Queues. */
void pyn_device_init_queues(struct pyn_device *device, uint32_t cdw0);

/* Whether the admin queue works: init_adminq has run, and no reset since. */
bool pyn_device_initialised(const struct pyn_device *device);

/* ---- resets ---- */

enum pyn_device_reset {
	PYN_DEVICE_RESET_CONTROLLER, /* CC.EN = 0 */
	PYN_DEVICE_RESET_FUNCTION,   /* FLR */
	PYN_DEVICE_RESET_HOT,
	PYN_DEVICE_RESET_DONE, /* the power was lost already */
};

/*
 * Workers end without draining; then the reset; then what was in flight completes with 00/08 and all IO queues are
 * gone. Afterwards the controller is not initialised.
 */
int pyn_device_reset(struct pyn_device *device, enum pyn_device_reset kind, struct pyn_error *err);

/* CC.SHN and the wait for CSTS.SHST; what was written is durable after a normal one that succeeded. */
int pyn_device_shutdown(struct pyn_device *device, bool abrupt, struct pyn_error *err);

/* Nothing is known any more of its data. */
void pyn_device_forget(struct pyn_device *device);

/* The power went without a shutdown: what was not flushed counts as unknown. */
void pyn_device_power_lost(struct pyn_device *device);

/* Workers end, and what they have in flight stays in flight: the power is about to go. */
void pyn_device_stop(struct pyn_device *device);

/*
 * Workers end, and the system gets the function back, since its power goes: what was in flight completes with 00/08,
 * all IO queues are gone, registers read as all ones. reattach: the function is there again; afterwards the
 * controller is not initialised. Errors: PYN_ERROR_UNSUPPORTED, there is no system that has it; of reattach those of
 * open, and the device stays released.
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

/* Its controller memory buffer, and a buffer in there. Errors: those of a device that is closed; of the buffer also
 * PYN_ERROR_UNSUPPORTED, it has none, and PYN_ERROR_MEMORY, not so much. */
int pyn_device_cmb_info(struct pyn_device *device, struct pyn_cmb_info *info, struct pyn_error *err);
struct pyn_buffer *pyn_device_cmb_buffer(struct pyn_device *device, uint32_t size, struct pyn_error *err);

/* A new buffer with a pattern (core/data/pattern.h), in DMA memory, or in the memory buffer of the device cmb_of
 * where that is not NULL. Errors: PYN_ERROR_ARGUMENT, PYN_ERROR_MEMORY, and those of pyn_device_cmb_buffer. */
struct pyn_buffer *pyn_buffer_with_pattern(struct pyn_device *cmb_of, uint32_t size, uint32_t ptype, uint32_t pvalue,
					   struct pyn_error *err);

/* Fill in a template, as the engine's rings->prepare. Errors: those of a device that is closed. */
int pyn_device_prepare_template(struct pyn_device *device, struct pyn_data_template *data, uint32_t most,
				struct pyn_error *err);
struct pyn_device_shared *pyn_device_shared(const struct pyn_device *device);
struct pyn_qpair *pyn_device_admin(const struct pyn_device *device); /* never NULL */
uint64_t pyn_device_cap(const struct pyn_device *device);            /* as read at the last initialisation */
uint64_t pyn_device_mdts(const struct pyn_device *device);           /* bytes; 0: no limit */
const void *pyn_device_identify(const struct pyn_device *device);    /* 4096 bytes, struct nvme_id_ctrl */

/* Copy Identify Controller, 4096 bytes, as it is now; data may be NULL. It takes an admin command of the driver's
 * own, if the answer may have changed since the last one. Errors: those of pyn_device_admin_execute. */
int pyn_device_identify_now(struct pyn_device *device, void *data, struct pyn_error *err);

/* IO queue pairs that the drive has granted. */
uint32_t pyn_device_max_qpairs(const struct pyn_device *device);
uint32_t *pyn_device_timeout_ms(struct pyn_device *device);

/* Run an admin command of the driver's own; buffer: its data, or NULL. 0 only for a successful status; else *err
 * names the command and the status, with kind for a refusal. *cdw0 may be NULL. */
int pyn_device_admin_execute(struct pyn_device *device, const struct nvme_cmd *cmd, struct pyn_buffer *buffer,
			     enum pyn_error_kind refused, uint32_t *cdw0, struct pyn_error *err);

/* ---- IO queues ---- */

struct pyn_io_qpair_config {
	uint16_t depth; /* 2 … CAP.MQES + 1 */
	uint8_t priority;
	bool interrupts;
	uint16_t vector; /* 0xffff: the QID */
	bool for_worker; /* no struct pyn_qpair */
	bool cmb_sq;     /* the submission queue is in the controller memory buffer */
	bool cmb_cq;     /* and the completion queue */
};

/* The lowest free QID. Errors: PYN_ERROR_CREATE, PYN_ERROR_STATE, PYN_ERROR_GONE, PYN_ERROR_TIMEOUT,
 * PYN_ERROR_MEMORY. */
int pyn_io_qpair_create(struct pyn_device *device, const struct pyn_io_qpair_config *config,
			struct pyn_io_qpair **queue, struct pyn_error *err);

/* Delete it on the device; what was in flight completes with 00/08. Deleting twice does nothing. A refusal is
 * PYN_ERROR_DELETE; the queue then stays the device's, and its memory with it, until a reset. */
int pyn_io_qpair_delete(struct pyn_io_qpair *queue, struct pyn_error *err);

/* Whether it still exists on the drive. */
bool pyn_io_qpair_exists(const struct pyn_io_qpair *queue);

/* The interrupt vector of a script's queue: whether it was raised since it was cleared last, for whichever queue of
 * that vector; clear it; mask or unmask it. Errors: PYN_ERROR_STATE (deleted, or another process's),
 * PYN_ERROR_UNSUPPORTED (the device has no such vector), PYN_ERROR_GONE. */
int pyn_io_qpair_interrupted(struct pyn_io_qpair *queue, bool *is_set, struct pyn_error *err);
int pyn_io_qpair_interrupt_clear(struct pyn_io_qpair *queue, struct pyn_error *err);
int pyn_io_qpair_interrupt_mask(struct pyn_io_qpair *queue, bool masked, struct pyn_error *err);

/* Delete if need be, and free. In another process than the one that made it: nothing at all. */
void pyn_io_qpair_free(struct pyn_io_qpair *queue);

/* Leave it to the device as it is, an orphan, which the next reset or close frees; at once where there was one
 * already. gone is called then: the device does not use the memory of its commands any more. NULL: nobody has any. */
void pyn_io_qpair_hand_over(struct pyn_io_qpair *queue, void (*gone)(void *user), void *user);

/* ---- verification tables ---- */

/* The table of a namespace of this drive: made at first use, the same for everybody in this process, with a reference
 * for the caller. Where the geometry is another one than before it is a new one. NULL: no memory. */
struct pyn_verify *pyn_device_table(struct pyn_device *device, uint32_t nsid, uint64_t nlba, uint32_t lba_size,
				    struct pyn_error *err);

/* The same where there is one already, else NULL. */
struct pyn_verify *pyn_device_find_table(struct pyn_device *device, uint32_t nsid);

/* All of them at this moment. NULL: none, or no memory. */
struct pyn_tables *pyn_device_all_tables(struct pyn_device *device);

/* As pyn_verify_durable_since, for a table that is new. */
uint64_t pyn_device_durable_since(const struct pyn_device *device);

/* Grows with each reset, command and event after which Identify may answer otherwise than before: what was read then
 * is read again. */
uint32_t pyn_device_identify_changes(const struct pyn_device *device);

/* What a command does whose opcode only the drive knows. Ask before the first one is sent: it takes an admin command
 * of the driver's own, once, where there is a log page 05h. Keeps: the drive supports it, and says that it does not
 * change data. Where nobody says so, it may. */
bool pyn_device_admin_is_unknown(uint8_t opcode);
void pyn_device_ask_effects(struct pyn_device *device);
bool pyn_device_keeps_data(const struct pyn_device *device, uint8_t opcode, bool io);

/* 1: the drive says that it has a command; 0: it does not. Where it has log page 05h, that is read, once until it may
 * have changed; else Identify Controller says so. Errors: those of pyn_device_admin_execute, PYN_ERROR_SYSTEM if the
 * drive refuses the log page.
 */
int pyn_device_supports(struct pyn_device *device, uint8_t opcode, bool io, struct pyn_error *err);

#endif
