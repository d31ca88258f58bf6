/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mappings of a device that the kernel may take away at any time, when somebody pulls the device out: the next store
 * into a doorbell would end the process by a SIGBUS. A guarded mapping becomes ordinary memory full of ones instead,
 * which is what a bus says where nobody answers.
 */
#ifndef PYN_PCI_GUARD_H
#define PYN_PCI_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/util/error.h"

/* From now on; *gone becomes true when it happens, and has to live until pyn_guard_remove. A handler that somebody
 * else installed for SIGBUS still gets what is not ours. Errors: PYN_ERROR_MEMORY, there are too many. */
int pyn_guard_add(void *memory, size_t length, _Atomic(bool) *gone, struct pyn_error *err);

/* Before memory is unmapped. */
void pyn_guard_remove(void *memory);

#endif
