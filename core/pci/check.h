/* SPDX-License-Identifier: BSD-3-Clause */
/* What every kind of access asks of its arguments, and of its device. Internal to core/pci. Errors:
 * PYN_ERROR_ARGUMENT, where nothing else is said. */
#ifndef PYN_PCI_CHECK_H
#define PYN_PCI_CHECK_H

#include "core/pci/pci.h"

/* Bytes of configuration space: they lie within its 4096. */
int pyn_pci_check_config(uint32_t offset, uint32_t length, struct pyn_error *err);

/* A register of BAR 0: 4 or 8 bytes, naturally aligned, within it. */
int pyn_pci_check_register(const struct pyn_pci *pci, uint32_t offset, uint32_t length, struct pyn_error *err);

/* BAR 0 has size bytes: whether it can be an NVMe controller's. Sets bar_size. what names the device in the text.
 * Errors: PYN_ERROR_ENUMERATE. */
int pyn_pci_set_bar_size(struct pyn_pci *pci, uint64_t size, const char *what, struct pyn_error *err);

/* An interrupt vector that the device has. */
int pyn_pci_check_vector(const struct pyn_pci *pci, uint32_t vector, struct pyn_error *err);

#endif
