/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts that a controller is made of. A file exports one; the table is in vssd/drive/drive.c. Functions that a
 * part does not need are NULL.
 */
#ifndef VSSD_CTRL_PART_H
#define VSSD_CTRL_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "vssd/subsystem/listener.h"

#define VSSD_NEVER UINT64_MAX

struct vssd_ctrl;

struct vssd_part {
	/* The controller is made. 0, or -errno. */
	int (*init)(struct vssd_ctrl *ctrl, struct pyn_error *err);

	/* Power has come, or goes; a reset follows. */
	void (*power)(struct vssd_ctrl *ctrl, bool on);
	void (*reset)(struct vssd_ctrl *ctrl, enum vssd_reset kind);

	/* Do what is due at ctrl->now. */
	void (*poll)(struct vssd_ctrl *ctrl);

	/* When to poll next: ticks, 0: with each poll, VSSD_NEVER. What makes it earlier calls vssd_ctrl_wake(). A
	 * part that polls has it. */
	uint64_t (*due)(const struct vssd_ctrl *ctrl);

	void (*deinit)(struct vssd_ctrl *ctrl);
};

#endif
