/* SPDX-License-Identifier: BSD-3-Clause */
/* The hugepages of this machine. Internal to core/env. */
#ifndef PYN_ENV_HUGEPAGES_H
#define PYN_ENV_HUGEPAGES_H

#include <stddef.h>

struct pyn_huge_kind {
	size_t page;         /* bytes */
	unsigned memfd_flag; /* of memfd_create */
};

/* The hugepage sizes of x86-64, the preferred one first. An entry with page 0 ends the list. */
extern const struct pyn_huge_kind pyn_huge_kinds[];

/* MiB of hugepages of this kind that are free and not reserved; 0 if the kernel does not report it. */
size_t pyn_huge_free_mib(const struct pyn_huge_kind *kind);

#endif
