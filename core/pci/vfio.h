/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI functions of this machine, through the kernel's vfio-pci. Internal to core/pci and to engines. */
#ifndef PYN_PCI_VFIO_H
#define PYN_PCI_VFIO_H

#include "core/pci/pci.h"

/*
 * Open the function at bdf ("0000:01:00.0"). The caller binds it to vfio-pci before, rebinds it afterwards, and has
 * started the environment. Errors: those of pyn_pci_open; the text says what is missing and which command helps.
 */
int pyn_vfio_open(const char *bdf, struct pyn_pci **pci, struct pyn_error *err);

/*
 * Open a function that another driver of this process has opened by VFIO. All members of `of` stay that driver's, and
 * so do the mapped memory and the interrupts. So the function has no interrupts here, and cannot be released. Errors:
 * PYN_ERROR_ENUMERATE; PYN_ERROR_SYSTEM; PYN_ERROR_MEMORY, if that driver could not map all DMA memory.
 */
struct pyn_vfio_shared_by {
	int container;   /* its descriptor of /dev/vfio/vfio */
	int group;       /* and of the IOMMU group */
	void *registers; /* its mapping of BAR 0 */
};

int pyn_vfio_share(const char *bdf, const struct pyn_vfio_shared_by *of, struct pyn_pci **pci, struct pyn_error *err);

/* Check whether VFIO can open the function. Errors: PYN_ERROR_ENUMERATE; the text says which command helps. */
int pyn_vfio_check(const char *bdf, struct pyn_error *err);

#endif
