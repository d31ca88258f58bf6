/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/boot.h"

#include "vssd/subsystem/hidden.h"
#include "vssd/subsystem/subsystem.h"

#define ABPID_SHIFT 31
#define ACTIVE_AT (2 * VSSD_BOOT_SIZE) /* after both partitions: the active one */

uint32_t vssd_boot_info(const struct vssd_subsystem *subsystem)
{
	uint8_t active;

	vssd_hidden_read(subsystem, VSSD_HIDDEN_BOOT, ACTIVE_AT, &active, sizeof(active));
	return VSSD_BOOT_UNITS | (uint32_t)(active & 1) << ABPID_SHIFT;
}

void vssd_boot_read(const struct vssd_subsystem *subsystem, unsigned id, uint32_t offset, uint8_t *to,
		    uint32_t length)
{
	vssd_hidden_read(subsystem, VSSD_HIDDEN_BOOT, (uint64_t)id * VSSD_BOOT_SIZE + offset, to, length);
}

bool vssd_boot_replace(struct vssd_subsystem *subsystem, unsigned id, const uint8_t *image, uint32_t length)
{
	static const uint8_t zeros[VSSD_BOOT_SIZE];
	uint64_t at = (uint64_t)id * VSSD_BOOT_SIZE;

	return vssd_hidden_write(subsystem, VSSD_HIDDEN_BOOT, at, image, length) &&
	       vssd_hidden_write(subsystem, VSSD_HIDDEN_BOOT, at + length, zeros, VSSD_BOOT_SIZE - length);
}

void vssd_boot_activate(struct vssd_subsystem *subsystem, unsigned id)
{
	uint8_t active = (uint8_t)id;

	vssd_hidden_write(subsystem, VSSD_HIDDEN_BOOT, ACTIVE_AT, &active, sizeof(active));
}
