/* SPDX-License-Identifier: BSD-3-Clause */
/* Controller registers (regs.c), and whether the controller fetches commands (running.c). */
#ifndef VSSD_CTRL_REGS_H
#define VSSD_CTRL_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/boot.h"
#include "vssd/ctrl/part.h"

struct vssd_regs {
	uint64_t cap;
	uint32_t cc;
	uint32_t csts;
	uint32_t aqa;
	uint64_t asq;
	uint64_t acq;
	uint32_t page_size; /* CC.MPS, bytes */
	bool host_gone;     /* the queues belong to a client that has disconnected */
	bool shut_down;     /* the shutdown by CC.SHN is complete, and all data are durable */
	struct vssd_boot_registers boot;
	bool in_use; /* enabled since the last shutdown */
};

/* A Controller Level Reset clears CC and CSTS, except NSSRO. A reset by CC.EN keeps AQA, ASQ and ACQ. */
extern const struct vssd_part vssd_regs_part;

/* ---- running.c ---- */

/* Recompute ctrl->running. Call after each change of what it depends on. */
void vssd_update_running(struct vssd_ctrl *ctrl);

/* Set CSTS.CFS, for an error that no completion can report. The controller fetches no commands until the next reset.
 */
void vssd_fatal(struct vssd_ctrl *ctrl);

#endif
