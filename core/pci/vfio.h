/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI functions of the kernel, through its vfio-pci. Internal to core/pci. */
#ifndef PYN_PCI_VFIO_H
#define PYN_PCI_VFIO_H

#include "core/pci/pci.h"

/*
 * Open the function at bdf ("0000:01:00.0"), which is bound to vfio-pci: who binds it, and gives it back, is the
 * caller's affair. The environment has been started. Errors: as pyn_pci_open; the text says what is missing, and the
 * command that gives it.
 */
int pyn_vfio_open(const char *bdf, struct pyn_pci **pci, struct pyn_error *err);

#endif
