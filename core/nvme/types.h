/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is passed to a queue and comes back from it. Plain types that core/nvme and the seam above it share; an engine
 * that is not ours uses them as well.
 */
#ifndef PYN_NVME_TYPES_H
#define PYN_NVME_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "spec/nvme_cmd.h"

struct pyn_ctrlr;        /* an engine's controller */
struct pyn_engine_qpair; /* an engine's submission and completion queue pair */

#define PYN_TRANSFER_ANY UINT64_MAX /* nobody knows how many bytes a command transfers */

/* The data of one command: contiguous DMA memory, at any offset. */
struct pyn_data {
	void *address; /* NULL: no data */
	uint32_t length;
	uint64_t transfer; /* bytes that the command transfers where that is more than length: the device gets a spare
			      page for the rest. 0: no more than length; PYN_TRANSFER_ANY: nobody knows */
};

/*
 * How commands name one piece of memory: built by an engine, and copied by whoever fills rings himself. The caller
 * sets memory and list, and zeros the rest. 40 bytes: a worker keeps three of them in two cache lines.
 */
struct pyn_data_template {
	uint64_t pointer[2]; /* dwords 6 to 9 of a command: PRP 1 and PRP 2, or an SGL descriptor */
	void *memory;        /* DMA memory, page-aligned */
	void *list;          /* DMA memory for the engine's list, page-aligned; NULL: none is needed */
	uint32_t length;     /* bytes of memory that the pointer describes */
	uint8_t psdt;        /* of a command that has this pointer: 0 for PRPs */
};

/* Let a command name these data. */
static inline void pyn_data_template_copy(struct nvme_cmd *cmd, const struct pyn_data_template *data)
{
	cmd->flags = (uint8_t)(data->psdt << 6);
	cmd->prp1 = data->pointer[0];
	cmd->prp2 = data->pointer[1];
}

/*
 * How an engine sends an admin command of its own (to create a queue, say): the layer above submits it, logs it and
 * waits for this very command. Returns 0 when a completion came, whatever its status; *err where none came. After
 * -ENODEV (no admin queue, or no device) and -EBUSY (no slot) the device does not have the command and never will;
 * after any other error it may.
 */
struct pyn_admin {
	int (*execute)(void *context, const struct nvme_cmd *cmd, struct pyn_data data, struct nvme_cpl *cpl,
		       struct pyn_error *err);
	void *context;
};

struct pyn_engine_qpair_config {
	uint16_t qid;     /* 1 … 65535 */
	uint16_t depth;   /* entries of both rings, 2 … CAP.MQES + 1 */
	uint8_t priority; /* QPRIO, 0 … 3 */
	bool interrupts;  /* CDW11.IEN of the completion queue */
	uint16_t vector;  /* interrupt vector */
	bool forked;      /* a process that is forked later will run it */
	bool cmb_sq;      /* the submission queue is in the controller memory buffer */
	bool cmb_cq;      /* and the completion queue */
};

/* What CMBSZ says of a controller memory buffer: its size, and what it may be used for. */
struct pyn_cmb_info {
	uint64_t size; /* bytes; 0: the controller has none */
	bool submission_queues;
	bool completion_queues;
	bool lists;  /* PRP and SGL lists */
	bool reads;  /* data from the controller */
	bool writes; /* data to it */
};

/* The interrupts of a controller. */
struct pyn_interrupts {
	uint32_t vectors; /* 0: none */
	bool one_for_all; /* its only vector is the admin queue's: a pin, or single-message MSI */
	uint32_t lag_us;  /* an interrupt is seen so long after its entry in a completion queue, at most; 0: when a
			   * register has been read */
};

/* One completion. slot is what submit was given; the entry is as the device wrote it. A device that completes a
 * command identifier that is not a slot of the queue: slot is UINT16_MAX and the entry tells. */
struct pyn_completion {
	uint16_t slot;
	struct nvme_cpl cpl;
};

#endif
