/* SPDX-License-Identifier: BSD-3-Clause */
/* Two boot partitions, which firmware commands replace. NVM Express Base Specification 2.0, section 8.2. */
#ifndef VSSD_SUBSYSTEM_BOOT_H
#define VSSD_SUBSYSTEM_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#define VSSD_BOOT_PARTITIONS 2u
#define VSSD_BOOT_UNITS 1u /* BPSZ: bytes of a partition, units of 128 KiB */
#define VSSD_BOOT_SIZE (VSSD_BOOT_UNITS * 131072u)
#define VSSD_BOOT_LOG_SIZE (16u + VSSD_BOOT_SIZE) /* log page 15h */
#define VSSD_BOOT_UNIT 4096u                      /* of BPROF and BPRSZ */

struct vssd_subsystem;

/* BPSZ and ABPID, as in BPINFO and log page 15h. */
uint32_t vssd_boot_info(const struct vssd_subsystem *subsystem);

/* Read bytes of a partition, which must lie within it. */
void vssd_boot_read(const struct vssd_subsystem *subsystem, unsigned id, uint32_t offset, uint8_t *to,
		    uint32_t length);

/* Replace a partition by an image of at most VSSD_BOOT_SIZE bytes; zeros follow it. False: there is no space. */
bool vssd_boot_replace(struct vssd_subsystem *subsystem, unsigned id, const uint8_t *image, uint32_t length);

/* Make a partition the active one. */
void vssd_boot_activate(struct vssd_subsystem *subsystem, unsigned id);

/* The write protection of a partition: enum nvme_boot_protection. RPMB has it, once it has enabled its own; before,
 * feature 85h has it, if the drive has that feature. */
uint8_t vssd_boot_protection(const struct vssd_subsystem *subsystem, unsigned id);

/* Whether a partition must not be replaced. */
bool vssd_boot_is_locked(const struct vssd_subsystem *subsystem, unsigned id);

/* Lock the partitions by feature 85h, as a power cycle does. */
void vssd_boot_power_up(struct vssd_subsystem *subsystem);

#endif
