/* SPDX-License-Identifier: BSD-3-Clause */
/* A machine with one drive: what a host does to it beside sending commands. */
#ifndef TESTS_C_FUZZ_MACHINE_H
#define TESTS_C_FUZZ_MACHINE_H

#include "tests/c/fuzz/host.h"

struct fuzz_machine {
	struct fuzz_random random;
	struct fuzz_memory memory;
	struct vssd_options options;
	struct vssd_subsystem *subsystem;
	struct vssd_ctrl *ctrl;
	volatile uint32_t *doorbells;
	struct fuzz_host host;
	bool time_stands; /* with this drive */
	bool lends;       /* a host memory buffer, since the last reset */
	uint64_t drives;  /* plugged in so far */
	uint64_t resets;
};

void fuzz_machine_open(struct fuzz_machine *machine, uint64_t seed);
void fuzz_machine_close(struct fuzz_machine *machine);

/* Unplug the drive that there is, and plug in another one with options of its own. */
void fuzz_machine_plug(struct fuzz_machine *machine);

/* Set the controller up and enable it; sometimes wrongly first, which it must not take. */
void fuzz_machine_enable(struct fuzz_machine *machine);

/* Reset the controller in any of the ways that there are; it is disabled afterwards, and has written nothing since.
 */
void fuzz_machine_reset(struct fuzz_machine *machine);

/* Compare all that is known of namespace 1, behind the controller's back, with what is stored. */
void fuzz_machine_verify(struct fuzz_machine *machine);

/* Lend the controller memory of the host's, until the next reset: nobody else touches it but by mistake. */
void fuzz_machine_lend(struct fuzz_machine *machine);

/* Look at, or change, an LBA behind the controller's back. */
void fuzz_machine_peek_or_poke(struct fuzz_machine *machine);

/* In whatever state it is: afterwards it is enabled, or has failed to be, so that a reset ends that state. */
void fuzz_machine_revive(struct fuzz_machine *machine);

/* Take the controller's right to master the bus away for a while, in any of the ways that there are. */
void fuzz_machine_pause(struct fuzz_machine *machine);

/* Read, and write what has no effect, in BAR 0, configuration space and doorbells of no queue. */
void fuzz_machine_poke_around(struct fuzz_machine *machine);

/* Wait until everything in flight has completed that can. */
void fuzz_machine_drain(struct fuzz_machine *machine);

uint32_t fuzz_machine_read32(struct fuzz_machine *machine, uint32_t offset);
void fuzz_machine_write32(struct fuzz_machine *machine, uint32_t offset, uint32_t value);
void fuzz_machine_config_write16(struct fuzz_machine *machine, uint32_t offset, uint16_t value);

#endif
