/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI functions of this machine, through the kernel's vfio-pci. Internal to core/pci. */
#ifndef PYN_PCI_VFIO_H
#define PYN_PCI_VFIO_H

#include "core/pci/pci.h"

/*
 * Open the function at bdf ("0000:01:00.0"). The caller binds it to vfio-pci before, rebinds it afterwards, and has
 * started the environment. Errors: those of pyn_pci_open; the text says what is missing and which command helps.
 */
int pyn_vfio_open(const char *bdf, struct pyn_pci **pci, struct pyn_error *err);

#endif
