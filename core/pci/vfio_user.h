/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI functions behind a vfio-user socket. Internal to core/pci. */
#ifndef PYN_PCI_VFIO_USER_H
#define PYN_PCI_VFIO_USER_H

#include "core/pci/pci.h"

/* Open the device whose socket, or the directory of whose socket, is at path. Errors: those of pyn_pci_open. */
int pyn_vfio_user_open(const char *path, struct pyn_pci **pci, struct pyn_error *err);

#endif
