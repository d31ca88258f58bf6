/* SPDX-License-Identifier: BSD-3-Clause */
/* What every PCI function has in its configuration space, over any kind of access. */
#ifndef PYN_PCI_CONFIG_H
#define PYN_PCI_CONFIG_H

#include "core/pci/pci.h"
#include "spec/pci.h"

int pyn_pci_config_read16(struct pyn_pci *pci, uint32_t offset, uint16_t *value, struct pyn_error *err);
int pyn_pci_config_write16(struct pyn_pci *pci, uint32_t offset, uint16_t value, struct pyn_error *err);
int pyn_pci_config_read32(struct pyn_pci *pci, uint32_t offset, uint32_t *value, struct pyn_error *err);

/* Where the capability is. *offset = 0: the function has none (or its list is broken). Errors: of config_read only.
 */
int pyn_pci_find_capability(struct pyn_pci *pci, uint8_t id, uint32_t *offset, struct pyn_error *err);

/* Let the function answer at its BARs; every reset takes this away. */
int pyn_pci_memory_enable(struct pyn_pci *pci, struct pyn_error *err);

/* Let the function access memory and interrupt by messages, or not: off while it may still know addresses of a
 * session before this one. */
int pyn_pci_master_set(struct pyn_pci *pci, bool on, struct pyn_error *err);

/* Let the function use its interrupt pin, or not. */
int pyn_pci_pin_set(struct pyn_pci *pci, bool on, struct pyn_error *err);

/* Put the function into D0, with its BARs answering, where it is in another power state. */
int pyn_pci_wake(struct pyn_pci *pci, struct pyn_error *err);

/* Whether the function may interrupt: MSI-X Enable or MSI Enable; a pin always may. False where it is gone. */
bool pyn_pci_irq_enabled(struct pyn_pci *pci);

/* MSI-X Enable. Nothing happens where interrupts are something else. */
int pyn_pci_msix_enable(struct pyn_pci *pci, struct pyn_error *err);

/* Where the MSI-X table is: its BAR, and the offset of its first entry. Errors: PYN_ERROR_UNSUPPORTED, there is none.
 */
int pyn_pci_msix_table(struct pyn_pci *pci, uint32_t *bar, uint32_t *offset, struct pyn_error *err);

/*
 * Initiate a function level reset and wait, up to a second, until the function answers again.
 * Errors: PYN_ERROR_UNSUPPORTED, it has none; PYN_ERROR_GONE.
 */
int pyn_pci_function_reset(struct pyn_pci *pci, struct pyn_error *err);

#endif
