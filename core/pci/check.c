/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/check.h"

#include <errno.h>

#include "spec/pci.h"

#define BAR_MIN 4096u /* the registers of an NVMe controller, before its doorbells */

int pyn_pci_check_config(uint32_t offset, uint32_t length, struct pyn_error *err)
{
	if (offset <= PCI_CFG_EXT_SIZE && length <= PCI_CFG_EXT_SIZE - offset)
		return 0;
	return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "%u bytes at 0x%x: configuration space ends at %#x", length,
			 offset, PCI_CFG_EXT_SIZE);
}

int pyn_pci_check_register(const struct pyn_pci *pci, uint32_t offset, uint32_t length, struct pyn_error *err)
{
	if ((length != 4 && length != 8) || offset % length)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%u bytes at 0x%x: a register has 4 or 8 bytes and is naturally aligned", length,
				 offset);
	if (offset >= pci->bar_size || length > pci->bar_size - offset)
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "no register at 0x%x: BAR 0 has %#x bytes", offset,
				 pci->bar_size);
	return 0;
}

int pyn_pci_check_vector(const struct pyn_pci *pci, uint32_t vector, struct pyn_error *err)
{
	if (vector < pci->num_vectors)
		return 0;
	return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "no interrupt vector %u: the device has %u", vector,
			 pci->num_vectors);
}

int pyn_pci_set_bar_size(struct pyn_pci *pci, uint64_t size, const char *what, struct pyn_error *err)
{
	pci->bar_size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	if (pci->bar_size >= BAR_MIN)
		return 0;
	return pyn_error(err, PYN_ERROR_ENUMERATE, ENODEV, "%s is no NVMe controller: its BAR 0 has %u bytes", what,
			 pci->bar_size);
}
