/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guards mappings of a device against its removal. The kernel then takes the mapping away, and the next store into a
 * doorbell would end the process by SIGBUS. The SIGBUS handler instead replaces a guarded mapping by ordinary memory
 * full of ones, which is what the bus returns if no device answers.
 */
#ifndef PYN_PCI_GUARD_H
#define PYN_PCI_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/util/error.h"

/* Guard this mapping from now on. *gone becomes true when the mapping is replaced, and must stay valid until
 * pyn_guard_remove. Faults elsewhere are passed to the previous handler of SIGBUS. Errors: PYN_ERROR_MEMORY, there
 * are too many guards. */
int pyn_guard_add(void *memory, size_t length, _Atomic(bool) *gone, struct pyn_error *err);

/* Remove the guard; call it before memory is unmapped. */
void pyn_guard_remove(void *memory);

#endif
