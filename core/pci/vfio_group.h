/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a function is had from the kernel: its IOMMU group, in a container that is its address space. What is in no
 * group, is another's, or may not be had by this user is told with the command that changes it. Internal to core/pci.
 */
#ifndef PYN_PCI_VFIO_GROUP_H
#define PYN_PCI_VFIO_GROUP_H

#include "core/util/error.h"

struct pyn_vfio_group {
	int number;
	int container; /* /dev/vfio/vfio */
	int fd;        /* /dev/vfio/NUMBER */
	int device;    /* of the function */
};

/* Open group and function; pyn_vfio_group_close gives both back, and all that is mapped for the function. Errors:
 * PYN_ERROR_ENUMERATE. */
int pyn_vfio_group_open(const char *bdf, struct pyn_vfio_group *group, struct pyn_error *err);
void pyn_vfio_group_close(struct pyn_vfio_group *group);

/*
 * Let the function reach all DMA memory. Errors: PYN_ERROR_MEMORY: the memory lies where the IOMMU does not reach, or
 * this process may not lock so much.
 */
int pyn_vfio_group_dma_map(const struct pyn_vfio_group *group, struct pyn_error *err);

#endif
