/* SPDX-License-Identifier: BSD-3-Clause */
/* The Keep Alive Timer (feature 0Fh). NVM Express Base Specification 2.0, section 3.9. */
#ifndef VSSD_CTRL_KEEP_ALIVE_H
#define VSSD_CTRL_KEEP_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/part.h"

#define VSSD_KAS 1u /* granularity of the time, in units of 100 ms */

extern const struct vssd_part vssd_keep_alive_part;

/* Whether the drive has the timer. */
bool vssd_has_keep_alive(const struct vssd_ctrl *ctrl);

/* Start the time anew, if the host has set one. */
void vssd_keep_alive(struct vssd_ctrl *ctrl);

#endif
