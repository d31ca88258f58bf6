/* SPDX-License-Identifier: BSD-3-Clause */
/* Default entries of struct pyn_pci_ops. */
#include "core/pci/pci.h"

#include <errno.h>

#include "core/pci/config.h"
#include "core/util/log.h"

void pyn_pci_nothing_to_rearm(struct pyn_pci *pci)
{
	(void)pci;
}

bool pyn_pci_isolate(struct pyn_pci *pci)
{
	struct pyn_error err;

	if (pci->ops->alive(pci) && pyn_pci_master_set(pci, false, &err))
		pyn_log(PYN_LOG_DEBUG, "bus mastering stays on: %s", err.text);
	return true; /* the kernel ends the access when it closes the function */
}

int pyn_pci_no_release(struct pyn_pci *pci, struct pyn_error *err)
{
	return pyn_error(err, PYN_ERROR_UNSUPPORTED, ENOTSUP, "a %s device cannot be released and attached again",
			 pci->ops->name);
}
