/* SPDX-License-Identifier: BSD-3-Clause */
/* What every kind of access asks of its arguments. Internal to core/pci. Errors: PYN_ERROR_ARGUMENT. */
#ifndef PYN_PCI_CHECK_H
#define PYN_PCI_CHECK_H

#include "core/pci/pci.h"

/* Bytes of configuration space: they lie within its 4096. */
int pyn_pci_check_config(uint32_t offset, uint32_t length, struct pyn_error *err);

/* A register of BAR 0: 4 or 8 bytes, naturally aligned, within it. */
int pyn_pci_check_register(const struct pyn_pci *pci, uint32_t offset, uint32_t length, struct pyn_error *err);

/* An interrupt vector that the device has. */
int pyn_pci_check_vector(const struct pyn_pci *pci, uint32_t vector, struct pyn_error *err);

#endif
