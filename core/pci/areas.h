/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a device's region, a BAR or configuration space, that are mapped in this process. Internal to
 * core/pci. */
#ifndef PYN_PCI_AREAS_H
#define PYN_PCI_AREAS_H

#include <stdint.h>

#define PYN_PCI_MAX_AREAS 16u

struct pyn_pci_area {
	uint8_t *memory;
	uint64_t offset; /* in the region */
	uint64_t length;
};

struct pyn_pci_areas {
	struct pyn_pci_area area[PYN_PCI_MAX_AREAS];
	unsigned count;
};

/* Add mapped memory. There must be room. */
void pyn_pci_areas_add(struct pyn_pci_areas *areas, void *memory, uint64_t offset, uint64_t length);

/* Unmap and forget all of them. */
void pyn_pci_areas_unmap(struct pyn_pci_areas *areas);

/* The address of length bytes at offset of the region; NULL: they are not mapped in one piece. */
volatile void *pyn_pci_areas_pointer(const struct pyn_pci_areas *areas, uint64_t offset, uint64_t length);

#endif
