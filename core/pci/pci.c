/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/pci.h"

#include <string.h>

#include "core/pci/kernel.h"
#include "core/pci/uio.h"
#include "core/pci/vfio.h"
#include "core/pci/vfio_user.h"

/* Open a function of this machine by the driver that it is bound to. */
static int open_function(const char *bdf, struct pyn_pci **pci, struct pyn_error *err)
{
	char driver[PYN_KERNEL_NAME];
	struct pyn_error cause;
	bool is_uio;
	int rc;

	pyn_kernel_driver(bdf, driver);
	is_uio = !strcmp(driver, PYN_UIO_DRIVER);
	rc = pyn_kernel_function_check(bdf, err);
	if (!rc)
		rc = is_uio ? pyn_env_start(err) : pyn_env_start_locked(err);
	if (rc)
		return rc;
	rc = (is_uio ? pyn_uio_open : pyn_vfio_open)(bdf, pci, &cause);
	/* To the caller, any other error means that there is no device here to open. */
	if (rc)
		pyn_error(err, cause.kind == PYN_ERROR_MEMORY ? PYN_ERROR_MEMORY : PYN_ERROR_ENUMERATE, cause.number,
			  "%s", cause.text);
	return rc;
}

int pyn_pci_open(const struct pyn_address *address, struct pyn_pci **pci, struct pyn_error *err)
{
	switch (address->kind) {
	case PYN_ADDRESS_FUNCTION:
		return open_function(address->text, pci, err);
	case PYN_ADDRESS_SOCKET:
		return pyn_vfio_user_open(address->text, pci, err);
	default:
		return pyn_address_refuse(address, err);
	}
}
