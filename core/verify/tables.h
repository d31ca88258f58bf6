/* SPDX-License-Identifier: BSD-3-Clause */
/* The verification tables of this process, by drive and namespace. They outlive the handle of a drive that keeps its
 * data. */
#ifndef PYN_VERIFY_TABLES_H
#define PYN_VERIFY_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/verify/verify.h"

/* Get the table of a namespace of the drive at address, with a reference for the caller. Creates it at first use. If
 * the geometry has changed, creates a new table that knows nothing; the old one then judges nothing any more. */
struct pyn_verify *pyn_tables_get(const char *address, uint32_t nsid, uint64_t nlba, uint32_t lba_size,
				  struct pyn_error *err);

/* The same, but NULL if there is no table yet. */
struct pyn_verify *pyn_tables_find(const char *address, uint32_t nsid);

/* The tables of all namespaces of a drive at one moment. Holds a reference to each. */
struct pyn_tables {
	unsigned count;
	struct {
		struct pyn_verify *verify;
		uint64_t epoch; /* of its flush, see pyn_verify_flush_begin */
	} table[];
};

/* Get the tables of a drive. NULL: there are none, or no memory. */
struct pyn_tables *pyn_tables_all(const char *address);
void pyn_tables_free(struct pyn_tables *tables);

/* pyn_verify_flush_begin and pyn_verify_flush_end for all of them. NULL is allowed. */
void pyn_tables_flush_begin(struct pyn_tables *tables);
void pyn_tables_flush_end(const struct pyn_tables *tables);

/* Call change for the table of a namespace; nsid 0xffffffff: for those of all namespaces of the drive. */
void pyn_tables_each(const char *address, uint32_t nsid, void (*change)(struct pyn_verify *verify));

/* pyn_verify_set_durable_since for each table of a drive. */
void pyn_tables_durable_since(const char *address, uint64_t ticks);

/* Drop all tables of a drive: it was closed, and nothing is known of its data any more. */
void pyn_tables_drop(const char *address);

#endif
