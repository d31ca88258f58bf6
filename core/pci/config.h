/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration space of a PCI function, over any kind of access. */
#ifndef PYN_PCI_CONFIG_H
#define PYN_PCI_CONFIG_H

#include "core/pci/pci.h"
#include "spec/pci.h"

int pyn_pci_config_read16(struct pyn_pci *pci, uint32_t offset, uint16_t *value, struct pyn_error *err);
int pyn_pci_config_write16(struct pyn_pci *pci, uint32_t offset, uint16_t value, struct pyn_error *err);
int pyn_pci_config_read32(struct pyn_pci *pci, uint32_t offset, uint32_t *value, struct pyn_error *err);

/* Find a capability. *offset becomes 0 if the function does not have it, or if its list is broken. Errors: those of
 * config_read. */
int pyn_pci_find_capability(struct pyn_pci *pci, uint8_t id, uint32_t *offset, struct pyn_error *err);

/* Set Memory Space Enable, so that the function answers at its BARs. Every reset clears it. */
int pyn_pci_memory_enable(struct pyn_pci *pci, struct pyn_error *err);

/* Set or clear Bus Master Enable, which lets the function access memory and send interrupt messages. It is off as
 * long as the function may still hold addresses of an earlier session. */
int pyn_pci_master_set(struct pyn_pci *pci, bool on, struct pyn_error *err);

/* Allow or forbid the function to use its interrupt pin (INTx Disable). */
int pyn_pci_pin_set(struct pyn_pci *pci, bool on, struct pyn_error *err);

/* Bring a function that is in another power state into D0, with its BARs enabled. */
int pyn_pci_wake(struct pyn_pci *pci, struct pyn_error *err);

/* Whether the function may interrupt, by MSI-X Enable or MSI Enable; a pin always may. false if the function is
 * gone. */
bool pyn_pci_irq_enabled(struct pyn_pci *pci);

/* Set or clear MSI-X Enable. Does nothing if the function uses other interrupts. */
int pyn_pci_msix_set(struct pyn_pci *pci, bool on, struct pyn_error *err);

/* Find the MSI-X table: its BAR, and the offset of its first entry. Errors: PYN_ERROR_UNSUPPORTED, the function has
 * none. */
int pyn_pci_msix_table(struct pyn_pci *pci, uint32_t *bar, uint32_t *offset, struct pyn_error *err);

/*
 * Initiate a function level reset, and wait up to a second until the function answers again.
 * Errors: PYN_ERROR_UNSUPPORTED, the function has no such reset; PYN_ERROR_GONE.
 */
int pyn_pci_function_reset(struct pyn_pci *pci, struct pyn_error *err);

#endif
