/* SPDX-License-Identifier: BSD-3-Clause */
/* A sanitize operation: all data of the subsystem are destroyed, whatever happens meanwhile. */
#ifndef VSSD_SUBSYSTEM_SANITIZE_H
#define VSSD_SUBSYSTEM_SANITIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/subsystem/part.h"

struct vssd_sanitize {
	uint64_t start; /* ticks: when it would have started, had it never been interrupted */
	uint64_t duration;
	uint32_t failures; /* so far */
};

extern const struct vssd_subsystem_part vssd_sanitize_part;

/* Begin an operation, as dwords 10 and 11 of the command say; none is in progress. */
void vssd_sanitize_start(struct vssd_subsystem *subsystem, uint32_t cdw10, uint32_t cdw11);

/* Exit Failure Mode: what failed is left behind. */
void vssd_sanitize_exit_failure(struct vssd_subsystem *subsystem);

/* The status of what may not be done at the moment, 0: everything may be. */
uint16_t vssd_sanitize_refuses(const struct vssd_subsystem *subsystem);

/* A host has written to the medium. */
void vssd_sanitize_written(struct vssd_subsystem *subsystem);

/* Fill the log page. */
void vssd_sanitize_log(const struct vssd_subsystem *subsystem, struct nvme_sanitize_log *log);

#endif
