/* SPDX-License-Identifier: BSD-3-Clause */
/* Saves and restores the configuration space around a reset. For its own devices the kernel does that. */
#ifndef PYN_PCI_SAVED_H
#define PYN_PCI_SAVED_H

#include "core/pci/config.h"

struct pyn_pci_saved {
	bool valid;
	uint8_t header[64];
	uint32_t msix, express; /* offsets of the capabilities; 0: none */
	uint16_t msix_control;
	uint16_t device_control, device_control2, link_control;
};

/* Save; call it before the reset. If the function does not answer, saved->valid stays false. */
void pyn_pci_save(struct pyn_pci *pci, struct pyn_pci_saved *saved);

/* Restore; call it after the reset. Leaves bus mastering off until the controller is enabled again. Does nothing if
 * saved->valid is false. Errors: those of config_write. */
int pyn_pci_restore(struct pyn_pci *pci, const struct pyn_pci_saved *saved, struct pyn_error *err);

#endif
