/* SPDX-License-Identifier: BSD-3-Clause */
/* The registers of boot partitions: BPINFO, BPRSEL and BPMBL, by which a host reads them without queues. NVM Express
 * Base Specification 2.0, sections 3.1.3.13 to 3.1.3.15. */
#ifndef VSSD_CTRL_BOOT_H
#define VSSD_CTRL_BOOT_H

#include <stdbool.h>
#include <stdint.h>

struct vssd_ctrl;

struct vssd_boot_registers {
	uint32_t select;   /* BPRSEL */
	uint64_t location; /* BPMBL */
	uint8_t status;    /* BPINFO.BRS */
};

/* Whether it is one of these registers, and the drive has boot partitions. */
bool vssd_boot_has(const struct vssd_ctrl *ctrl, uint32_t offset);

/* Read or write half of a register. A write of BPRSEL copies the part of a boot partition to host memory. */
uint32_t vssd_boot_register(const struct vssd_ctrl *ctrl, uint32_t offset);
void vssd_boot_set_register(struct vssd_ctrl *ctrl, uint32_t offset, uint32_t value);

#endif
