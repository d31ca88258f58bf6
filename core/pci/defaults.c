/* SPDX-License-Identifier: BSD-3-Clause */
/* Default entries of struct pyn_pci_ops. */
#include "core/pci/pci.h"

#include <errno.h>

void pyn_pci_nothing_to_rearm(struct pyn_pci *pci)
{
	(void)pci;
}

int pyn_pci_no_release(struct pyn_pci *pci, struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "a %s device cannot be released and attached again",
			 pci->ops->name);
}
