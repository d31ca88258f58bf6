/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a drive of OCP does at the end of its life and without power loss protection, when it notices that, and which
 * firmware it has activated. A drive without the option --ocp bypasses its cache without power loss protection, and
 * refuses writes without spare.
 */
#ifndef VSSD_SUBSYSTEM_OCP_H
#define VSSD_SUBSYSTEM_OCP_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/subsystem/latency.h"
#include "vssd/subsystem/part.h"

/* Feature C2h. */
enum vssd_failure_mode { VSSD_FAILS_DEFAULT, VSSD_FAILS_READ_ONLY, VSSD_FAILS_WRITE_THROUGH, VSSD_FAILS_NOT };

#define VSSD_PLP_MINUTES 15u /* the default of feature C6h */

struct vssd_ocp {
	uint8_t mode;         /* enum vssd_failure_mode */
	uint16_t plp_minutes; /* how often the protection against power loss is checked; 0: never */
	bool plp_failed;      /* the last check found a defect */
	struct vssd_latency latency;
};

extern const struct vssd_subsystem_part vssd_ocp_part;

/* Set features C2h and C6h. */
void vssd_ocp_set_mode(struct vssd_subsystem *subsystem, enum vssd_failure_mode mode);
void vssd_ocp_set_plp_minutes(struct vssd_subsystem *subsystem, uint16_t minutes);

/* Check the protection against power loss, unless feature C6h says not to. */
void vssd_ocp_check_plp(struct vssd_subsystem *subsystem);

/* Whether the drive knows that it has no protection against power loss. */
bool vssd_ocp_plp_failed(const struct vssd_subsystem *subsystem);

/* Whether writes are refused, and whether they bypass the cache. */
bool vssd_ocp_read_only(const struct vssd_subsystem *subsystem);
bool vssd_ocp_write_through(const struct vssd_subsystem *subsystem);

/* Record that a commit with this action has stored an image to activate, or that an image became active. */
void vssd_ocp_committed(struct vssd_subsystem *subsystem, uint8_t action);
void vssd_ocp_activated(struct vssd_subsystem *subsystem, uint8_t slot, const char before[8]);

#endif
