/* SPDX-License-Identifier: BSD-3-Clause */
/* A machine with one drive, and what a host does to it besides sending commands. */
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

/* Replace the drive by a new one with other options. */
void fuzz_machine_plug(struct fuzz_machine *machine);

/* Set up and enable the controller. Sometimes tries invalid settings first, which the controller must refuse. */
void fuzz_machine_enable(struct fuzz_machine *machine);

/* Reset the controller by a random kind of reset. Afterwards it is disabled, and must not write to memory any more.
 */
void fuzz_machine_reset(struct fuzz_machine *machine);

/* Compare the stored data of namespace 1 with the model, without a command. */
void fuzz_machine_verify(struct fuzz_machine *machine);

/* Give the controller a host memory buffer until the next reset. Nothing else uses this memory on purpose. */
void fuzz_machine_lend(struct fuzz_machine *machine);

/* Read or change an LBA without a command. */
void fuzz_machine_peek_or_poke(struct fuzz_machine *machine);

/* Enable the controller in any state. If that fails, the state is one that a reset ends. */
void fuzz_machine_revive(struct fuzz_machine *machine);

/* Forbid the controller to access memory for a while, in one of the possible ways. */
void fuzz_machine_pause(struct fuzz_machine *machine);

/* Read BAR 0 and configuration space, and write where that has no effect, including doorbells without a queue. */
void fuzz_machine_poke_around(struct fuzz_machine *machine);

/* Wait until all commands that can complete have completed. */
void fuzz_machine_drain(struct fuzz_machine *machine);

uint32_t fuzz_machine_read32(struct fuzz_machine *machine, uint32_t offset);
void fuzz_machine_write32(struct fuzz_machine *machine, uint32_t offset, uint32_t value);
void fuzz_machine_config_write16(struct fuzz_machine *machine, uint32_t offset, uint16_t value);

#endif
