/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interface of the parts of a controller. Each part is one file; the table of the parts is in vssd/drive/drive.c.
 * Functions that a part does not need are NULL.
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
	/* Initialise the part of a new controller. 0, or -errno. */
	int (*init)(struct vssd_ctrl *ctrl, struct pyn_error *err);

	/* Handle power-up, power loss and resets. A reset follows each change of power. */
	void (*power)(struct vssd_ctrl *ctrl, bool on);
	void (*reset)(struct vssd_ctrl *ctrl, enum vssd_reset kind);

	/* Do what is due at ctrl->now. */
	void (*poll)(struct vssd_ctrl *ctrl);

	/* When to poll next, in ticks; 0: always; VSSD_NEVER. Call vssd_ctrl_wake() when the time moves forward.
	 * Required if there is a poll function. */
	uint64_t (*due)(const struct vssd_ctrl *ctrl);

	void (*deinit)(struct vssd_ctrl *ctrl);

	/* With which bit of VSSD_FAULT_KEEPS_* a fault rule omits the resets of the part. */
	uint8_t kept;
};

#endif
