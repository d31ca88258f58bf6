/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reset takes from configuration space, and its host puts back. The kernel does so for its own devices. */
#ifndef PYN_PCI_SAVED_H
#define PYN_PCI_SAVED_H

#include "core/pci/config.h"

struct pyn_pci_saved {
	bool valid;
	uint8_t header[64];
	uint32_t msix, express; /* capabilities; 0: there is none */
	uint16_t msix_control;
	uint16_t device_control, device_control2, link_control;
};

/* Before the reset. A function that does not answer leaves saved->valid false. */
void pyn_pci_save(struct pyn_pci *pci, struct pyn_pci_saved *saved);

/* After it: all but bus mastering, which stays off until the controller is enabled again. Nothing happens where
 * saved->valid is false. Errors: of config_write. */
int pyn_pci_restore(struct pyn_pci *pci, const struct pyn_pci_saved *saved, struct pyn_error *err);

#endif
