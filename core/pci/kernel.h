/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI functions as the kernel lists them. Looks only; touches nothing. A function is named by its address with its
 * domain: "0000:01:00.0". */
#ifndef PYN_PCI_KERNEL_H
#define PYN_PCI_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "core/env/env.h"
#include "core/util/error.h"

#define PYN_KERNEL_NAME 64
#define PYN_KERNEL_PATH 128

/* Where the kernel has one of a function's files; "": its folder. */
void pyn_kernel_path(const char *bdf, const char *file, char path[PYN_KERNEL_PATH]);

/* Whether bdf is an NVMe controller of this machine. Errors: PYN_ERROR_ENUMERATE, there is none, or it is something
 * else. */
int pyn_kernel_function_check(const char *bdf, struct pyn_error *err);

/* The name of the driver that is bound, "" where there is none. */
void pyn_kernel_driver(const char *bdf, char name[PYN_KERNEL_NAME]);

/* Where one of its BARs lies on the bus; 0: it has none there. */
struct pyn_iova pyn_kernel_bar_address(const char *bdf, uint32_t bar);

/* The number of its IOMMU group; -1: it is in none, since there is no IOMMU. */
int pyn_kernel_iommu_group(const char *bdf);

/* "0000:01:00.1 (nvme), 0000:01:00.2 (no driver)": the functions of a group except bdf, as many as size bytes hold,
 * without bridges, which need no driver. */
void pyn_kernel_group_others(int group, const char *bdf, char *text, size_t size);

#endif
