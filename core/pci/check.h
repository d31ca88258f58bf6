/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of arguments and devices that all kinds of access share. Internal to core/pci. Errors: PYN_ERROR_ARGUMENT,
 * unless a function says otherwise. */
#ifndef PYN_PCI_CHECK_H
#define PYN_PCI_CHECK_H

#include "core/pci/pci.h"

/* Check that these bytes lie within the 4096 of configuration space. */
int pyn_pci_check_config(uint32_t offset, uint32_t length, struct pyn_error *err);

/* Check a register of BAR 0: it has 4 or 8 bytes, is naturally aligned, and lies within the BAR. */
int pyn_pci_check_register(const struct pyn_pci *pci, uint32_t offset, uint32_t length, struct pyn_error *err);

/* Set bar_size to size, if an NVMe controller can have a BAR 0 of that size in bytes. what names the device in the
 * error text. Errors: PYN_ERROR_ENUMERATE. */
int pyn_pci_set_bar_size(struct pyn_pci *pci, uint64_t size, const char *what, struct pyn_error *err);

/* Check that the device has this interrupt vector. */
int pyn_pci_check_vector(const struct pyn_pci *pci, uint32_t vector, struct pyn_error *err);

#endif
