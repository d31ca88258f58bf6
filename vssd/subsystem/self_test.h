/* SPDX-License-Identifier: BSD-3-Clause */
/* A device self-test, which runs in the background and always passes. */
#ifndef VSSD_SUBSYSTEM_SELF_TEST_H
#define VSSD_SUBSYSTEM_SELF_TEST_H

#include <stdint.h>

#include "spec/nvme_cmd.h"
#include "spec/nvme_log.h"
#include "vssd/subsystem/part.h"

struct vssd_self_test_clock {
	uint64_t due;                      /* ticks: when the running test is done */
	uint64_t share;                    /* ticks of a 10000th of the test */
	const struct vssd_listener *owner; /* NULL: none, or the test began before the process */
};

extern const struct vssd_subsystem_part vssd_self_test_part;

/* Start a test for a controller. None must be in progress. */
void vssd_self_test_start(struct vssd_subsystem *subsystem, const struct vssd_listener *owner, uint8_t operation,
			  uint32_t nsid);

/* End the test in progress, if there is one, and log the result. */
void vssd_self_test_stop(struct vssd_subsystem *subsystem, enum nvme_self_test_status status);

/* End a test of this namespace, or of all, with this status, because another operation needs the namespace. */
void vssd_self_test_give_way(struct vssd_subsystem *subsystem, uint32_t nsid, enum nvme_self_test_status status);

void vssd_self_test_log(const struct vssd_subsystem *subsystem, struct nvme_self_test_log *log);

/* EDSTT, the duration of an extended test in minutes. */
uint16_t vssd_self_test_minutes(const struct vssd_subsystem *subsystem);

#endif
