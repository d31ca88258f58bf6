/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/pci.h"

#include <string.h>

#include "core/pci/address.h"
#include "core/pci/kernel.h"
#include "core/pci/uio.h"
#include "core/pci/vfio.h"
#include "core/pci/vfio_user.h"

int pyn_pci_open(const char *address, struct pyn_pci **pci, struct pyn_error *err)
{
	char driver[PYN_KERNEL_NAME];
	struct pyn_address parsed;
	int rc;

	rc = pyn_address_parse(address, &parsed, err);
	if (rc)
		return rc;
	if (parsed.kind != PYN_ADDRESS_FUNCTION)
		return pyn_vfio_user_open(parsed.text, pci, err);
	pyn_kernel_driver(parsed.text, driver);
	if (!strcmp(driver, PYN_UIO_DRIVER))
		return pyn_uio_open(parsed.text, pci, err);
	return pyn_vfio_open(parsed.text, pci, err);
}
