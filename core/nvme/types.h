/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands, data and completions as they are passed to and from queues: plain types that core/nvme and the seam above
 * it share, and that other engines use as well.
 */
#ifndef PYN_NVME_TYPES_H
#define PYN_NVME_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "spec/nvme_cmd.h"

struct pyn_ctrlr;        /* an engine's controller */
struct pyn_engine_qpair; /* an engine's submission and completion queue pair */

#define PYN_TRANSFER_ANY UINT64_MAX /* it is unknown how many bytes a command transfers */

/* The data of one command: contiguous DMA memory, at any offset. */
struct pyn_data {
	void *address; /* NULL: no data */
	uint32_t length;
	uint64_t transfer; /* bytes that the command transfers, if that is more than length: the device gets a spare
			      page for the rest. 0: no more than length; PYN_TRANSFER_ANY: unknown */
	bool sgl;          /* describe exactly length bytes by an SGL; transfer is 0 */
};

/*
 * The data pointer of commands for one piece of memory. An engine builds it, and callers that fill rings themselves
 * copy it. The caller sets memory, list and psdt, and zeros the rest. It has 40 bytes, so a worker keeps three in two
 * cache lines.
 */
struct pyn_data_template {
	uint64_t pointer[2]; /* dwords 6 to 9 of a command: PRP 1 and PRP 2, or an SGL descriptor */
	void *memory;        /* DMA memory, page-aligned */
	void *list;          /* DMA memory for the engine's list, page-aligned; NULL: none is needed */
	uint32_t length;     /* bytes of memory that the pointer describes */
	uint8_t psdt;        /* the PSDT field for this pointer: 0 for PRPs, 1 for an SGL */
	bool held_segment;   /* the list has held a segment of an SGL, so PRPs need it filled again */
};

/* Write the data pointer into a command. */
static inline void pyn_data_template_copy(struct nvme_cmd *cmd, const struct pyn_data_template *data)
{
	cmd->flags = (uint8_t)(data->psdt << 6);
	cmd->prp1 = data->pointer[0];
	cmd->prp2 = data->pointer[1];
}

/*
 * How an engine sends an admin command of its own, for example to create a queue: the layer above submits it, logs
 * it, and waits for it. Returns 0 if a completion came, whatever its status; otherwise see *err. After -ENODEV (no
 * admin queue, or no device) and -EBUSY (no free slot) the device did not get the command and never will; after any
 * other error it may have it.
 */
struct pyn_admin {
	int (*execute)(void *context, const struct nvme_cmd *cmd, struct pyn_data data, struct nvme_cpl *cpl,
		       struct pyn_error *err);
	void *context;
	uint32_t timeout_ms; /* of each command, also of those that the engine sends without execute */
};

struct pyn_engine_qpair_config {
	uint16_t qid;     /* 1 … 65535 */
	uint16_t depth;   /* entries of both rings, 2 … CAP.MQES + 1 */
	uint8_t priority; /* QPRIO, 0 … 3 */
	bool interrupts;  /* CDW11.IEN of the completion queue */
	uint16_t vector;  /* interrupt vector */
	bool forked;      /* a process that is forked later will use it */
	bool cmb_sq;      /* place the submission queue in the controller memory buffer */
	bool cmb_cq;      /* place the completion queue there */
};

/* CMBSZ: the size of a controller memory buffer and its permitted uses. */
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
	bool one_for_all; /* the admin queue's vector is the only one: a pin, or single-message MSI */
	uint32_t lag_us;  /* the longest delay from a completion queue entry to its interrupt; 0: the interrupt is
			   * there after a register was read */
};

/* One completion: the slot that submit was called with, and the entry as the device wrote it. If the device completes
 * a command identifier that is no slot of the queue, slot is UINT16_MAX; see the entry. */
struct pyn_completion {
	uint16_t slot;
	struct nvme_cpl cpl;
};

#endif
