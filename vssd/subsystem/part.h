/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interface of the parts of a subsystem. Each part is one file; the table of the parts is in subsystem.c.
 * Functions that a part does not need are NULL.
 */
#ifndef VSSD_SUBSYSTEM_PART_H
#define VSSD_SUBSYSTEM_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/subsystem/listener.h"

#define VSSD_NEVER UINT64_MAX

struct vssd_subsystem;

struct vssd_subsystem_part {
	/* Initialise the part. The non-volatile state may come from a file with any contents, so check it. */
	void (*init)(struct vssd_subsystem *subsystem);

	/* Handle power-up, or a power loss before it takes effect. */
	void (*power)(struct vssd_subsystem *subsystem, bool on);

	/* Handle the reset of a controller, by. NULL: the power was switched. */
	void (*reset)(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by);

	/* Do what is due at now (ticks). */
	void (*poll)(struct vssd_subsystem *subsystem, uint64_t now);

	/* When to poll next, in ticks; 0: always; VSSD_NEVER. Call vssd_subsystem_wake() when the time moves forward.
	 * Required if there is a poll function. */
	uint64_t (*due)(const struct vssd_subsystem *subsystem);

	void (*deinit)(struct vssd_subsystem *subsystem);
};

#endif
