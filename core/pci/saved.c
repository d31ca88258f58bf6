/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/saved.h"

#include <string.h>

/* The registers of the header that hosts write. The command register is not among them: it is written last. */
static const struct {
	uint8_t offset, length;
} host_registers[] = {
	{PCI_CFG_CACHE_LINE, 1},
	{PCI_CFG_BAR0, 4 * PCI_NUM_BARS},
	{PCI_CFG_ROM, 4},
	{PCI_CFG_INTERRUPT_LINE, 1},
};

static int save_express(struct pyn_pci *pci, struct pyn_pci_saved *saved, struct pyn_error *err)
{
	uint32_t at = saved->express;
	int rc = pyn_pci_config_read16(pci, at + PCI_EXP_DEVICE_CONTROL, &saved->device_control, err);

	if (!rc)
		rc = pyn_pci_config_read16(pci, at + PCI_EXP_LINK_CONTROL, &saved->link_control, err);
	return rc ? rc : pyn_pci_config_read16(pci, at + PCI_EXP_DEVICE_CONTROL2, &saved->device_control2, err);
}

static int save(struct pyn_pci *pci, struct pyn_pci_saved *saved, struct pyn_error *err)
{
	int rc = pci->ops->config_read(pci, 0, saved->header, sizeof(saved->header), err);

	if (!rc)
		rc = pyn_pci_find_capability(pci, PCI_CAP_MSIX, &saved->msix, err);
	if (!rc)
		rc = pyn_pci_find_capability(pci, PCI_CAP_EXP, &saved->express, err);
	if (!rc && saved->msix)
		rc = pyn_pci_config_read16(pci, saved->msix + PCI_MSIX_CONTROL, &saved->msix_control, err);
	return !rc && saved->express ? save_express(pci, saved, err) : rc;
}

void pyn_pci_save(struct pyn_pci *pci, struct pyn_pci_saved *saved)
{
	struct pyn_error ignored;
	uint16_t vendor;

	*saved = (struct pyn_pci_saved){0};
	saved->valid = save(pci, saved, &ignored) == 0;
	memcpy(&vendor, &saved->header[PCI_CFG_VENDOR], sizeof(vendor));
	if (vendor == UINT16_MAX)
		saved->valid = false;
}

static int restore_express(struct pyn_pci *pci, const struct pyn_pci_saved *saved, struct pyn_error *err)
{
	uint32_t at = saved->express;
	uint16_t control = (uint16_t)(saved->device_control & ~PCI_EXP_DEVICE_CONTROL_FLR);
	int rc = pyn_pci_config_write16(pci, at + PCI_EXP_DEVICE_CONTROL, control, err);

	if (!rc)
		rc = pyn_pci_config_write16(pci, at + PCI_EXP_LINK_CONTROL, saved->link_control, err);
	return rc ? rc : pyn_pci_config_write16(pci, at + PCI_EXP_DEVICE_CONTROL2, saved->device_control2, err);
}

static int restore_header(struct pyn_pci *pci, const struct pyn_pci_saved *saved, struct pyn_error *err)
{
	uint16_t command;
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(host_registers) / sizeof(host_registers[0]); i++)
		rc = pci->ops->config_write(pci, host_registers[i].offset, &saved->header[host_registers[i].offset],
					    host_registers[i].length, err);
	memcpy(&command, &saved->header[PCI_CFG_COMMAND], sizeof(command));
	return rc ? rc : pyn_pci_config_write16(pci, PCI_CFG_COMMAND, (uint16_t)(command & ~PCI_COMMAND_BME), err);
}

int pyn_pci_restore(struct pyn_pci *pci, const struct pyn_pci_saved *saved, struct pyn_error *err)
{
	int rc = 0;

	if (!saved->valid)
		return 0;
	if (saved->express)
		rc = restore_express(pci, saved, err);
	if (!rc)
		rc = restore_header(pci, saved, err);
	if (!rc && saved->msix)
		rc = pyn_pci_config_write16(pci, saved->msix + PCI_MSIX_CONTROL, saved->msix_control, err);
	return rc;
}
