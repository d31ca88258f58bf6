/* SPDX-License-Identifier: BSD-3-Clause */
/* The verification tables of this process, by drive and namespace. They outlive the drive's handle where its data do.
 */
#ifndef PYN_IO_TABLES_H
#define PYN_IO_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/verify/verify.h"

/* The table of a namespace of the drive at address, made at first use, with a reference for the caller. Where the
 * geometry is another one than before it is a new table that knows nothing, and the old one judges nothing any more.
 */
struct pyn_verify *pyn_tables_get(const char *address, uint32_t nsid, uint64_t nlba, uint32_t lba_size,
				  struct pyn_error *err);

/* The same where there is one already, else NULL. */
struct pyn_verify *pyn_tables_find(const char *address, uint32_t nsid);

/* The tables of all namespaces of a drive at one moment, with a reference to each. */
struct pyn_tables {
	unsigned count;
	struct {
		struct pyn_verify *verify;
		uint64_t epoch; /* of a flush of it: see pyn_verify_flush_begin */
	} table[];
};

/* NULL: there are none, or no memory. */
struct pyn_tables *pyn_tables_all(const char *address);
void pyn_tables_free(struct pyn_tables *tables);

/* A flush of all of them, as pyn_verify_flush_begin and pyn_verify_flush_end. NULL is allowed. */
void pyn_tables_flush_begin(struct pyn_tables *tables);
void pyn_tables_flush_end(const struct pyn_tables *tables);

/* Call change for each table of a drive; nsid 0xffffffff: of all its namespaces. */
void pyn_tables_each(const char *address, uint32_t nsid, void (*change)(struct pyn_verify *verify));

/* pyn_verify_set_durable_since for each table of a drive. */
void pyn_tables_durable_since(const char *address, uint64_t ticks);

/* The drive was closed and nothing is known of it any more. */
void pyn_tables_drop(const char *address);

#endif
