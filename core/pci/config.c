/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/config.h"

#include <errno.h>
#include <time.h>

#include "core/util/clock.h"

#define FIRST_CAPABILITY 0x40u
#define MAX_CAPABILITIES 48 /* more do not fit after the header */

#define RESET_NS UINT64_C(1000000000)
#define D3HOT_NS 10000000 /* from D3hot to D0; PCI Express Base Specification 5.0, section 5.9 */
#define PAUSE_NS 1000000

int pyn_pci_config_read16(struct pyn_pci *pci, uint32_t offset, uint16_t *value, struct pyn_error *err)
{
	return pci->ops->config_read(pci, offset, value, sizeof(*value), err);
}

int pyn_pci_config_write16(struct pyn_pci *pci, uint32_t offset, uint16_t value, struct pyn_error *err)
{
	return pci->ops->config_write(pci, offset, &value, sizeof(value), err);
}

int pyn_pci_config_read32(struct pyn_pci *pci, uint32_t offset, uint32_t *value, struct pyn_error *err)
{
	return pci->ops->config_read(pci, offset, value, sizeof(*value), err);
}

int pyn_pci_find_capability(struct pyn_pci *pci, uint8_t id, uint32_t *offset, struct pyn_error *err)
{
	uint16_t status, pointer;
	int rc;

	*offset = 0;
	rc = pyn_pci_config_read16(pci, PCI_CFG_STATUS, &status, err);
	if (rc || !(status & PCI_STATUS_CAPS))
		return rc;
	rc = pyn_pci_config_read16(pci, PCI_CFG_CAPABILITIES, &pointer, err);
	for (int i = 0; !rc && i < MAX_CAPABILITIES; i++) {
		uint32_t at = pointer & 0xfcu;
		uint16_t head;

		if (at < FIRST_CAPABILITY)
			break;
		rc = pyn_pci_config_read16(pci, at, &head, err);
		if (!rc && (head & 0xffu) == id) {
			*offset = at;
			break;
		}
		pointer = head >> 8;
	}
	return rc;
}

static int command_change(struct pyn_pci *pci, uint16_t clear, uint16_t set, struct pyn_error *err)
{
	uint16_t command, wanted;
	int rc;

	rc = pyn_pci_config_read16(pci, PCI_CFG_COMMAND, &command, err);
	if (rc)
		return rc;
	wanted = (uint16_t)((command & ~clear) | set);
	return wanted == command ? 0 : pyn_pci_config_write16(pci, PCI_CFG_COMMAND, wanted, err);
}

int pyn_pci_memory_enable(struct pyn_pci *pci, struct pyn_error *err)
{
	return command_change(pci, 0, PCI_COMMAND_MSE, err);
}

int pyn_pci_master_set(struct pyn_pci *pci, bool on, struct pyn_error *err)
{
	if (on)
		return command_change(pci, 0, PCI_COMMAND_BME | (pci->pin_used ? 0 : PCI_COMMAND_INTD), err);
	return command_change(pci, PCI_COMMAND_BME, 0, err);
}

int pyn_pci_pin_set(struct pyn_pci *pci, bool on, struct pyn_error *err)
{
	int rc = command_change(pci, on ? PCI_COMMAND_INTD : 0, on ? 0 : PCI_COMMAND_INTD, err);

	pci->pin_used = on && !rc;
	return rc;
}

int pyn_pci_wake(struct pyn_pci *pci, struct pyn_error *err)
{
	struct timespec recovery = {.tv_nsec = D3HOT_NS};
	uint32_t power;
	uint16_t control = 0;
	int rc;

	rc = pyn_pci_find_capability(pci, PCI_CAP_PM, &power, err);
	if (!rc && power)
		rc = pyn_pci_config_read16(pci, power + PCI_PM_CONTROL, &control, err);
	if (rc || !(control & PCI_PM_STATE) || control == UINT16_MAX)
		return rc;
	rc = pyn_pci_config_write16(pci, power + PCI_PM_CONTROL, control & ~PCI_PM_STATE, err);
	if (rc)
		return rc;
	nanosleep(&recovery, NULL);
	return pyn_pci_memory_enable(pci, err);
}

bool pyn_pci_irq_enabled(struct pyn_pci *pci)
{
	bool msix = pci->irq == PYN_PCI_IRQ_MSIX;
	struct pyn_error ignored;
	uint16_t control;

	if (!msix && pci->irq != PYN_PCI_IRQ_MSI)
		return true;
	if (!pci->irq_at && pyn_pci_find_capability(pci, msix ? PCI_CAP_MSIX : PCI_CAP_MSI, &pci->irq_at, &ignored))
		return false;
	if (!pci->irq_at)
		return true;
	/* MSI and MSI-X have their control word at the same offset. */
	if (pyn_pci_config_read16(pci, pci->irq_at + PCI_MSIX_CONTROL, &control, &ignored))
		return false;
	return control & (msix ? PCI_MSIX_ENABLE : PCI_MSI_ENABLE);
}

int pyn_pci_msix_set(struct pyn_pci *pci, bool on, struct pyn_error *err)
{
	uint16_t control, wanted;
	uint32_t msix;
	int rc;

	if (pci->irq != PYN_PCI_IRQ_MSIX)
		return 0;
	rc = pyn_pci_find_capability(pci, PCI_CAP_MSIX, &msix, err);
	if (rc || !msix)
		return rc;
	rc = pyn_pci_config_read16(pci, msix + PCI_MSIX_CONTROL, &control, err);
	if (rc)
		return rc;
	wanted = (uint16_t)(on ? control | PCI_MSIX_ENABLE : control & ~PCI_MSIX_ENABLE);
	return wanted == control ? 0 : pyn_pci_config_write16(pci, msix + PCI_MSIX_CONTROL, wanted, err);
}

int pyn_pci_msix_table(struct pyn_pci *pci, uint32_t *bar, uint32_t *offset, struct pyn_error *err)
{
	uint32_t msix, table;
	int rc;

	rc = pyn_pci_find_capability(pci, PCI_CAP_MSIX, &msix, err);
	if (!rc && !msix)
		rc = pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "this device has no MSI-X");
	if (!rc)
		rc = pyn_pci_config_read32(pci, msix + PCI_MSIX_TABLE, &table, err);
	if (rc)
		return rc;
	if ((table & PCI_MSIX_BIR) >= PCI_NUM_BARS)
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP,
				 "this device says that its MSI-X table is in BAR %u, which does not exist",
				 table & PCI_MSIX_BIR);
	*bar = table & PCI_MSIX_BIR;
	*offset = table & ~PCI_MSIX_BIR;
	return 0;
}

static int wait_for_answer(struct pyn_pci *pci, struct pyn_error *err)
{
	uint64_t deadline = pyn_monotonic_ns() + RESET_NS;
	uint16_t vendor;
	int rc;

	for (;;) {
		struct timespec pause = {.tv_nsec = PAUSE_NS};

		rc = pyn_pci_config_read16(pci, PCI_CFG_VENDOR, &vendor, err);
		if (rc || vendor != UINT16_MAX)
			return rc;
		if (pyn_monotonic_ns() >= deadline)
			return pyn_error(err, PYN_ERROR_GONE, ENODEV, "the device does not answer after its reset");
		nanosleep(&pause, NULL);
	}
}

int pyn_pci_function_reset(struct pyn_pci *pci, struct pyn_error *err)
{
	uint32_t express, capabilities = 0;
	uint16_t control = 0;
	int rc;

	rc = pyn_pci_find_capability(pci, PCI_CAP_EXP, &express, err);
	if (!rc && express)
		rc = pyn_pci_config_read32(pci, express + PCI_EXP_DEVICE_CAP, &capabilities, err);
	if (rc)
		return rc;
	if (!(capabilities & PCI_EXP_DEVICE_CAP_FLR))
		return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "this device has no function level reset");
	rc = pyn_pci_config_read16(pci, express + PCI_EXP_DEVICE_CONTROL, &control, err);
	if (!rc)
		rc = pyn_pci_config_write16(pci, express + PCI_EXP_DEVICE_CONTROL,
					    control | PCI_EXP_DEVICE_CONTROL_FLR, err);
	return rc ? rc : wait_for_answer(pci, err);
}
