/* SPDX-License-Identifier: BSD-3-Clause */
/* Hugepages of this machine. Internal to core/env. */
#ifndef PYN_ENV_HUGEPAGES_H
#define PYN_ENV_HUGEPAGES_H

#include <stddef.h>

struct pyn_huge_kind {
	size_t page;         /* bytes */
	unsigned memfd_flag; /* of memfd_create */
};

/* The sizes that x86-64 has, the preferred one first; one of page 0 ends the list. */
extern const struct pyn_huge_kind pyn_huge_kinds[];

/* MiB in hugepages of this kind that are free and not reserved by anybody; 0 where the kernel does not say. */
size_t pyn_huge_free_mib(const struct pyn_huge_kind *kind);

#endif
