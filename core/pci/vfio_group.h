/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opens a function through its IOMMU group, in a VFIO container, which is its address space. The functions of one
 * group that a process opens share both, and the memory that is mapped there. If a function is in no group, is in
 * use, or may not be opened by this user, the error names the command that changes it. Internal to core/pci.
 */
#ifndef PYN_PCI_VFIO_GROUP_H
#define PYN_PCI_VFIO_GROUP_H

#include <stdbool.h>

#include "core/util/error.h"

struct pyn_vfio_shared; /* group and container */

/* One function of a group. Do not move it between open and close. */
struct pyn_vfio_group {
	int device; /* of the function */
	int number;
	char bdf[32];
	struct pyn_vfio_shared *shared; /* NULL: not open */
	struct pyn_vfio_group *next;    /* another function that this process has open */
};

/* Check that the function is in a group and bound to vfio-pci. Errors: PYN_ERROR_ENUMERATE. */
int pyn_vfio_group_check(const char *bdf, struct pyn_error *err);

/*
 * Open the group and the function, and map all DMA memory for it. Errors: PYN_ERROR_ENUMERATE; PYN_ERROR_MEMORY, if
 * the IOMMU does not reach the memory, or this process may not lock that much.
 */
int pyn_vfio_group_open(const char *bdf, struct pyn_vfio_group *group, struct pyn_error *err);

/*
 * Open a function whose group another driver of this process has open: fd is that driver's /dev/vfio/NUMBER, and
 * stays its own. The function uses the mappings of that driver. Errors: PYN_ERROR_ENUMERATE; PYN_ERROR_SYSTEM.
 */
int pyn_vfio_group_share(const char *bdf, int fd, struct pyn_vfio_group *group, struct pyn_error *err);

/* Check that another driver of this process has mapped all DMA memory in its container. Errors: PYN_ERROR_MEMORY; the
 * text says whether this process may lock too little. */
int pyn_vfio_group_check_mapped(int container, struct pyn_error *err);

/* Close the function, and with the last one of its group all mappings. Allowed for a function that is not open. */
void pyn_vfio_group_close(struct pyn_vfio_group *group);

/* The descriptor of /dev/vfio/NUMBER, valid as long as the function is open. */
int pyn_vfio_group_fd(const struct pyn_vfio_group *group);

/* Whether this process has another function of the group open. */
bool pyn_vfio_group_has(const struct pyn_vfio_group *group, const char *bdf);

/*
 * Release the function and its group to the kernel. The descriptor of the function stays reserved, and nothing
 * answers at it, so that a concurrent user meets no other file. reattach opens both again, possibly in another group.
 * Errors: PYN_ERROR_SYSTEM; of reattach those of open, and then nothing has changed.
 */
int pyn_vfio_group_release(struct pyn_vfio_group *group, struct pyn_error *err);
int pyn_vfio_group_reattach(const char *bdf, struct pyn_vfio_group *group, struct pyn_error *err);

#endif
