/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The spindle of a drive with rotational media. It turns while a controller is in an operational power state. NVM
 * Express Base Specification 2.1, 8.1.23.
 */
#ifndef VSSD_SUBSYSTEM_SPINDLE_H
#define VSSD_SUBSYSTEM_SPINDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/options.h"
#include "vssd/subsystem/part.h"

struct vssd_spindle {
	bool spins;
	bool inhibited; /* it does not start before the host selects an operational power state */
};

extern const struct vssd_subsystem_part vssd_spindle_part;

/* Whether the media are rotational. */
bool vssd_is_rotational(const struct vssd_options *options);

/* Start or stop the spindle, by the power states of the controllers. Call when one of them has changed. */
void vssd_spindle_update(struct vssd_subsystem *subsystem);

/* Let the spindle start, since the host has selected an operational power state. */
void vssd_spindle_release(struct vssd_subsystem *subsystem);

#endif
