/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function that is bound to uio_pci_generic: the kernel's way where there is no IOMMU. Registers are mapped by its
 * files in sysfs, the device is given physical addresses, and it has no interrupts: the kernel's driver knows only
 * INTx, and nobody here waits for those.
 */
#ifndef PYN_PCI_UIO_H
#define PYN_PCI_UIO_H

#include "core/pci/pci.h"

#define PYN_UIO_DRIVER "uio_pci_generic"

/* Open the function at bdf, which is bound to it. The environment has been started. Errors: as pyn_vfio_open. */
int pyn_uio_open(const char *bdf, struct pyn_pci **pci, struct pyn_error *err);

#endif
