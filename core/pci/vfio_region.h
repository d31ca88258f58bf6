/* SPDX-License-Identifier: BSD-3-Clause */
/* A region of a function of the kernel's vfio-pci: a BAR or configuration space. Internal to core/pci. */
#ifndef PYN_PCI_VFIO_REGION_H
#define PYN_PCI_VFIO_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/pci/areas.h"
#include "core/util/error.h"

struct pyn_vfio_region {
	int fd;
	uint64_t size;
	uint64_t at; /* offset of its first byte in fd, for pread and pwrite */
	struct pyn_pci_areas areas;
};

/* Ask the device fd for region index (VFIO_PCI_…_REGION_INDEX). Errors: PYN_ERROR_GONE. */
int pyn_vfio_region_ask(int fd, uint32_t index, struct pyn_vfio_region *region, struct pyn_error *err);

/* Map the parts that can be mapped; the rest is accessed by calls. Undone by pyn_pci_areas_unmap. With memory,
 * another driver has mapped them there, and nothing is mapped. */
void pyn_vfio_region_map(struct pyn_vfio_region *region, uint32_t index, void *memory);

/* Drop stores into the mappings, as on a bus where no device answers (covered), or send them to the device again.
 * Pointers stay valid. Errors: PYN_ERROR_MEMORY. */
int pyn_vfio_region_cover(struct pyn_vfio_region *region, bool covered, struct pyn_error *err);

/* If pointer is in one of its mappings, replace that by ordinary memory and give it to the caller. */
bool pyn_vfio_region_disown(struct pyn_vfio_region *region, const void *pointer, void **mapping, size_t *length);

#endif
