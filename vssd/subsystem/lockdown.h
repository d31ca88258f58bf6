/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands and features that Lockdown prohibits until the next power cycle. NVM Express Base Specification 2.1,
 * section 8.1.5. */
#ifndef VSSD_SUBSYSTEM_LOCKDOWN_H
#define VSSD_SUBSYSTEM_LOCKDOWN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "spec/nvme_cmd.h"

#define VSSD_LOCKDOWN_SCOPES 5u /* enum nvme_lockdown_scope */

/* Where a command comes from, one bit each. */
#define VSSD_FROM_ADMIN_QUEUE 1u
#define VSSD_FROM_ENDPOINT 2u

struct vssd_lockdown {
	uint8_t prohibited[VSSD_LOCKDOWN_SCOPES][256]; /* by scope and identifier: VSSD_FROM_* */
	bool any;                                      /* anything is prohibited */
};

static inline void vssd_lockdown_end(struct vssd_lockdown *lockdown)
{
	memset(lockdown, 0, sizeof(*lockdown));
}

#endif
