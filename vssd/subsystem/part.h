/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts that a subsystem is made of. Each file exports one; the table is in subsystem.c. Functions that a part
 * does not need are NULL.
 */
#ifndef VSSD_SUBSYSTEM_PART_H
#define VSSD_SUBSYSTEM_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/subsystem/listener.h"

#define VSSD_NEVER UINT64_MAX

struct vssd_subsystem;

struct vssd_subsystem_part {
	/* The drive is new, or its non-volatile state comes from a file, which may say anything. */
	void (*init)(struct vssd_subsystem *subsystem);

	/* Power is there, or about to go. */
	void (*power)(struct vssd_subsystem *subsystem, bool on);

	/* One of the controllers is reset. */
	void (*reset)(struct vssd_subsystem *subsystem, enum vssd_reset kind);

	/* Do what is due at now (ticks). */
	void (*poll)(struct vssd_subsystem *subsystem, uint64_t now);

	/* When to poll next: ticks, 0: with each poll, VSSD_NEVER. What makes it earlier calls vssd_subsystem_wake().
	 */
	uint64_t (*due)(const struct vssd_subsystem *subsystem);

	void (*deinit)(struct vssd_subsystem *subsystem);
};

#endif
