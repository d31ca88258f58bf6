/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a function is had from the kernel: its IOMMU group, in a container that is its address space. The functions of
 * one group that a process opens share both, and the memory that is mapped there. What is in no group, is another's,
 * or may not be had by this user is told with the command that changes it. Internal to core/pci.
 */
#ifndef PYN_PCI_VFIO_GROUP_H
#define PYN_PCI_VFIO_GROUP_H

#include <stdbool.h>

#include "core/util/error.h"

struct pyn_vfio_shared; /* group and container */

/* One function of a group; stays where it is from open to close. */
struct pyn_vfio_group {
	int device; /* of the function */
	int number;
	char bdf[32];
	struct pyn_vfio_shared *shared; /* NULL: not open */
	struct pyn_vfio_group *next;    /* another function that this process has open */
};

/*
 * Open group and function, and let the function reach all DMA memory. Errors: PYN_ERROR_ENUMERATE;
 * PYN_ERROR_MEMORY: the memory lies where the IOMMU does not reach, or this process may not lock so much.
 */
int pyn_vfio_group_open(const char *bdf, struct pyn_vfio_group *group, struct pyn_error *err);

/* Give the function back, and with the last one of its group all that is mapped. One that is not open is allowed. */
void pyn_vfio_group_close(struct pyn_vfio_group *group);

/* The descriptor of /dev/vfio/NUMBER, for as long as the function is open. */
int pyn_vfio_group_fd(const struct pyn_vfio_group *group);

/* Whether this process has another function of the group open. */
bool pyn_vfio_group_has(const struct pyn_vfio_group *group, const char *bdf);

/*
 * Give both back for a while: the descriptor of the function stays, as one where nothing answers, so that whoever
 * uses it meanwhile meets no other file. reattach: open them again, which may be another group now. Errors:
 * PYN_ERROR_SYSTEM; of reattach those of open, and nothing has changed.
 */
int pyn_vfio_group_release(struct pyn_vfio_group *group, struct pyn_error *err);
int pyn_vfio_group_reattach(const char *bdf, struct pyn_vfio_group *group, struct pyn_error *err);

#endif
