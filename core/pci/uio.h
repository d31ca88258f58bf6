/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function that is bound to uio_pci_generic, which needs no IOMMU. Registers are mapped through files in sysfs, and
 * the device gets physical addresses. It has no interrupts: uio_pci_generic offers only INTx, which is not used here.
 */
#ifndef PYN_PCI_UIO_H
#define PYN_PCI_UIO_H

#include "core/pci/pci.h"

#define PYN_UIO_DRIVER "uio_pci_generic"

/* Open the function at bdf, which must be bound to uio_pci_generic. Start the environment first. Errors: those of
 * pyn_vfio_open. */
int pyn_uio_open(const char *bdf, struct pyn_pci **pci, struct pyn_error *err);

#endif
