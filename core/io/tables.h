/* SPDX-License-Identifier: BSD-3-Clause */
/* The verification tables of this process, by drive and namespace. They outlive the drive's handle where its data do.
 */
#ifndef PYN_IO_TABLES_H
#define PYN_IO_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/io/verify.h"

/* The table of a namespace of the drive at address, made at first use, with a reference for the caller. Where the
 * geometry is another one than before it is a new table that knows nothing, and the old one judges nothing any more.
 */
struct pyn_verify *pyn_tables_get(const char *address, uint32_t nsid, uint64_t nlba, uint32_t lba_size,
				  struct pyn_error *err);

/* The same where there is one already, else NULL. */
struct pyn_verify *pyn_tables_find(const char *address, uint32_t nsid);

/* Call change for each table of a drive; nsid 0xffffffff: of all its namespaces. */
void pyn_tables_each(const char *address, uint32_t nsid, void (*change)(struct pyn_verify *verify));

/* The drive was closed and nothing is known of it any more. */
void pyn_tables_drop(const char *address);

#endif
