/* SPDX-License-Identifier: BSD-3-Clause */
/* Sanitize destroys all data of the subsystem. Neither resets nor power loss stop it. */
#ifndef VSSD_SUBSYSTEM_SANITIZE_H
#define VSSD_SUBSYSTEM_SANITIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/subsystem/part.h"

/* What an operation does, in this order. Media verification is optional. */
enum vssd_sanitize_phase {
	VSSD_SANITIZE_PROCESSING,
	VSSD_SANITIZE_VERIFICATION, /* the host reads the media, until it ends this */
	VSSD_SANITIZE_DEALLOCATION,
	VSSD_NUM_SANITIZE_PHASES,
};

struct vssd_sanitize {
	uint64_t start; /* ticks: when it would have started if it had never been interrupted */
	uint64_t duration;
	uint32_t failures; /* operations failed so far, see --sanitize-failures */
	uint32_t started;  /* operations, since the process started */
};

extern const struct vssd_subsystem_part vssd_sanitize_part;

/* Start the operation of a controller's command with these dwords. None must be in progress. */
void vssd_sanitize_start(struct vssd_subsystem *subsystem, uint16_t cntlid, uint32_t cdw10, uint32_t cdw11);

/* Whether the host may read the media now. */
bool vssd_sanitize_is_verified(const struct vssd_subsystem *subsystem);

/* Exit Media Verification State, which the operation must be in. */
void vssd_sanitize_exit_verification(struct vssd_subsystem *subsystem);

/* Exit Failure Mode. */
void vssd_sanitize_exit_failure(struct vssd_subsystem *subsystem);

/* The status of commands that are not allowed while an operation is in progress or has failed; 0: all are allowed. */
uint16_t vssd_sanitize_refuses(const struct vssd_subsystem *subsystem);

/* Whether No-Deallocate After Sanitize is obeyed. Drives that are too large to keep a pattern in all of their blocks
 * deallocate them (SANICAP.NDI). */
bool vssd_sanitize_leaves_data(const struct vssd_subsystem *subsystem);

/* SANICAP of Identify Controller. */
uint32_t vssd_sanitize_sanicap(const struct vssd_subsystem *subsystem);

/* Record that the host has written to the medium. */
void vssd_sanitize_written(struct vssd_subsystem *subsystem);

/* Fill in the log page. */
void vssd_sanitize_log(const struct vssd_subsystem *subsystem, struct nvme_sanitize_log *log);

#endif
