/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI functions as the kernel lists them. Looks only; touches nothing. */
#ifndef PYN_PCI_KERNEL_H
#define PYN_PCI_KERNEL_H

#include "core/util/error.h"

/*
 * Why the function at bdf ("0000:01:00.0") cannot be opened: there is none, it is not an NVMe controller, or this
 * build does not reach functions of the kernel yet; in that case also which driver holds it now. Always fails, with
 * PYN_ERROR_ENUMERATE.
 */
int pyn_kernel_function_refuse(const char *bdf, struct pyn_error *err);

#endif
