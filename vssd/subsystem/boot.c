/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/boot.h"

#include "spec/nvme_feature.h"
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

/* ---- write protection: section 8.1.3.3 ---- */

/* The configuration by which RPMB protects the partitions, or NULL. */
static const struct nvme_rpmb_configuration *by_rpmb(const struct vssd_subsystem *subsystem)
{
	const struct vssd_rpmb *rpmb = subsystem->security->rpmb;
	const struct nvme_rpmb_configuration *configuration = rpmb ? vssd_rpmb_configuration(rpmb) : NULL;

	return configuration && configuration->bppe ? configuration : NULL;
}

uint8_t vssd_boot_protection(const struct vssd_subsystem *subsystem, unsigned id)
{
	if (by_rpmb(subsystem))
		return NVME_BOOT_BY_RPMB;
	return subsystem->options.optional.boot_protection ? subsystem->security->boot[id] : NVME_BOOT_UNLOCKED;
}

bool vssd_boot_is_locked(const struct vssd_subsystem *subsystem, unsigned id)
{
	const struct nvme_rpmb_configuration *configuration = by_rpmb(subsystem);

	if (vssd_security_is_wrong(subsystem->security, VSSD_FAULT_SECURITY_BOOT_UNLOCKED))
		return false;
	if (configuration)
		return configuration->bpl >> id & 1;
	return vssd_boot_protection(subsystem, id) != NVME_BOOT_UNLOCKED;
}

void vssd_boot_power_up(struct vssd_subsystem *subsystem)
{
	uint8_t *states = subsystem->security->boot;

	for (unsigned i = 0; i < VSSD_BOOT_PARTITIONS; i++)
		if (states[i] != NVME_BOOT_UNLOCKED ||
		    !vssd_security_is_wrong(subsystem->security, VSSD_FAULT_SECURITY_BOOT_STAYS))
			states[i] = NVME_BOOT_LOCKED;
}
