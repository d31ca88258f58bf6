/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/areas.h"

#include <stddef.h>
#include <sys/mman.h>

void pyn_pci_areas_add(struct pyn_pci_areas *areas, void *memory, uint64_t offset, uint64_t length)
{
	areas->area[areas->count++] = (struct pyn_pci_area){.memory = memory, .offset = offset, .length = length};
}

void pyn_pci_areas_unmap(struct pyn_pci_areas *areas)
{
	while (areas->count) {
		const struct pyn_pci_area *area = &areas->area[--areas->count];

		munmap(area->memory, area->length);
	}
}

volatile void *pyn_pci_areas_pointer(const struct pyn_pci_areas *areas, uint64_t offset, uint64_t length)
{
	for (unsigned i = 0; i < areas->count; i++) {
		const struct pyn_pci_area *area = &areas->area[i];

		if (offset >= area->offset && offset - area->offset < area->length &&
		    length <= area->length - (offset - area->offset))
			return area->memory + (offset - area->offset);
	}
	return NULL;
}
