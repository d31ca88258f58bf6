/* SPDX-License-Identifier: BSD-3-Clause */
/* A device self-test: it takes its time in the background, and finds nothing. */
#ifndef VSSD_SUBSYSTEM_SELF_TEST_H
#define VSSD_SUBSYSTEM_SELF_TEST_H

#include <stdint.h>

#include "spec/nvme_cmd.h"
#include "spec/nvme_log.h"
#include "vssd/subsystem/part.h"

struct vssd_self_test_clock {
	uint64_t due;   /* ticks; when the one that runs is done */
	uint64_t share; /* ticks that a 10000th of it takes */
};

extern const struct vssd_subsystem_part vssd_self_test_part;

/* Begin one; none is in progress. */
void vssd_self_test_start(struct vssd_subsystem *subsystem, uint8_t operation, uint32_t nsid);

/* Write down how the one in progress ended, if there is one. */
void vssd_self_test_stop(struct vssd_subsystem *subsystem, enum nvme_self_test_status status);

/* Something else needs the namespace, or all of them: the test of it ends with this status. */
void vssd_self_test_give_way(struct vssd_subsystem *subsystem, uint32_t nsid, enum nvme_self_test_status status);

void vssd_self_test_log(const struct vssd_subsystem *subsystem, struct nvme_self_test_log *log);

/* EDSTT: how long an extended one takes, minutes. */
uint16_t vssd_self_test_minutes(const struct vssd_subsystem *subsystem);

#endif
