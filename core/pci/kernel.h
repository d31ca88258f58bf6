/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads what the kernel lists about PCI functions; changes nothing. A function is named by its address with its
 * domain: "0000:01:00.0". */
#ifndef PYN_PCI_KERNEL_H
#define PYN_PCI_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env/env.h"
#include "core/util/error.h"

#define PYN_KERNEL_NAME 64
#define PYN_KERNEL_PATH 128

/* The path of one of a function's files in sysfs; "" for its directory. */
void pyn_kernel_path(const char *bdf, const char *file, char path[PYN_KERNEL_PATH]);

/* Check that bdf is an NVMe controller of this machine. Errors: PYN_ERROR_ENUMERATE, there is no such function, or it
 * is of another class. */
int pyn_kernel_function_check(const char *bdf, struct pyn_error *err);

/* The name of the bound driver; "" if there is none. */
void pyn_kernel_driver(const char *bdf, char name[PYN_KERNEL_NAME]);

/* The driver of the physical function of a virtual one; "" if it has none, or if bdf is no virtual function. */
void pyn_kernel_physical_driver(const char *bdf, char name[PYN_KERNEL_NAME]);

/* Whether a function can have virtual functions. */
bool pyn_kernel_is_physical(const char *bdf);

/* The bus address of a BAR; 0: the function does not have it. */
struct pyn_iova pyn_kernel_bar_address(const char *bdf, uint32_t bar);

/* The number of its IOMMU group; -1: no group, since there is no IOMMU. */
int pyn_kernel_iommu_group(const char *bdf);

/* List the functions of a group other than bdf, as "0000:01:00.1 (nvme), 0000:01:00.2 (no driver)", as many as fit
 * into size bytes. Leaves out bridges, which need no driver. */
void pyn_kernel_group_others(int group, const char *bdf, char *text, size_t size);

#endif
