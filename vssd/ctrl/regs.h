/* SPDX-License-Identifier: BSD-3-Clause */
/* Controller registers (regs.c), and what follows from them: whether commands are taken (running.c). */
#ifndef VSSD_CTRL_REGS_H
#define VSSD_CTRL_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/part.h"

struct vssd_regs {
	uint64_t cap;
	uint32_t cc;
	uint32_t csts;
	uint32_t aqa;
	uint64_t asq;
	uint64_t acq;
	uint32_t page_size; /* CC.MPS, bytes */
	bool host_gone;     /* what is in the queues belongs to a client that left */
	bool shut_down;     /* CC.SHN has been obeyed: everything is durable */
};

/* A Controller Level Reset: CSTS and CC are 0 (NSSRO stays). CC.EN leaves AQA, ASQ and ACQ as they are. */
extern const struct vssd_part vssd_regs_part;

/* ---- running.c ---- */

/* Decide anew whether commands are taken. */
void vssd_update_running(struct vssd_ctrl *ctrl);

/* CSTS.CFS: something that no completion can tell. Nothing is taken until the next reset. */
void vssd_fatal(struct vssd_ctrl *ctrl);

#endif
