/* SPDX-License-Identifier: BSD-3-Clause */
/* A region of a function that the kernel's vfio-pci gave: a BAR or configuration space. Internal to core/pci. */
#ifndef PYN_PCI_VFIO_REGION_H
#define PYN_PCI_VFIO_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/util/error.h"

#define PYN_VFIO_MAX_AREAS 8u

/* A piece of a region in this process's memory. */
struct pyn_vfio_area {
	uint8_t *memory;
	uint64_t offset; /* in the region */
	uint64_t length;
};

struct pyn_vfio_region {
	int fd;
	uint64_t size;
	uint64_t at; /* of its first byte, for pread and pwrite of fd */
	struct pyn_vfio_area areas[PYN_VFIO_MAX_AREAS];
	unsigned num_areas;
};

/* Ask the device fd for region index (VFIO_PCI_…_REGION_INDEX). Errors: PYN_ERROR_GONE. */
int pyn_vfio_region_ask(int fd, uint32_t index, struct pyn_vfio_region *region, struct pyn_error *err);

/* Map what of it can be mapped; what cannot is accessed by calls. pyn_vfio_region_unmap ends it. */
void pyn_vfio_region_map(struct pyn_vfio_region *region, uint32_t index);
void pyn_vfio_region_unmap(struct pyn_vfio_region *region);

/* Let stores go nowhere, as on a bus where nobody answers, or to the device again; pointers stay what they are.
 * Errors: PYN_ERROR_MEMORY. */
int pyn_vfio_region_cover(struct pyn_vfio_region *region, bool covered, struct pyn_error *err);

/* If pointer is in one of its mappings: that becomes ordinary memory and is forgotten here. */
bool pyn_vfio_region_disown(struct pyn_vfio_region *region, const void *pointer, void **mapping, size_t *length);

/* Where length bytes at offset are mapped, in one piece; NULL: they are not. */
volatile void *pyn_vfio_region_pointer(const struct pyn_vfio_region *region, uint64_t offset, uint64_t length);

#endif
