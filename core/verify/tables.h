/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The verification tables of this process, by drive and namespace. They outlive the handle of a drive that keeps its
 * data. The controllers of one NVM subsystem share the tables of its namespaces.
 */
#ifndef PYN_VERIFY_TABLES_H
#define PYN_VERIFY_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/verify/verify.h"

/* A controller that uses tables. */
struct pyn_tables_user;

/* Create a user of tables. key: its subsystem or, until that is known, its address. changes: pyn_tables_changed() of
 * any controller of the subsystem counts it up. NULL: no memory. */
struct pyn_tables_user *pyn_tables_join(const char *key, _Atomic uint32_t *changes);

/* Use the tables of another key, such as those of the subsystem once its name is known. Drops the tables of the old
 * key, unless others use them. own: differs for each controller of a subsystem, since their private namespaces may
 * have the same NSID. */
void pyn_tables_rename(struct pyn_tables_user *user, const char *key, uint32_t own);

/* End the use, once. The tables can still be found. keep: keep them even if no other controller uses them. NULL is
 * allowed. */
void pyn_tables_leave(struct pyn_tables_user *user, bool keep);
void pyn_tables_free_user(struct pyn_tables_user *user);

/* Whether another controller of this process uses the same tables. */
bool pyn_tables_are_shared(const struct pyn_tables_user *user);

/* Note in all controllers of the subsystem that Identify data may have changed. */
void pyn_tables_changed(const struct pyn_tables_user *user);

/* Get the table of a namespace, with a reference for the caller. Creates it at first use. shared: all controllers of
 * the subsystem mean the same namespace by this NSID. If the geometry has changed, creates a new table that knows
 * nothing; the old one then judges nothing any more. */
struct pyn_verify *pyn_tables_get(const struct pyn_tables_user *user, uint32_t nsid, bool shared, uint64_t nlba,
				  uint32_t lba_size, struct pyn_error *err);

/* The same, but NULL if there is no table yet. */
struct pyn_verify *pyn_tables_find(const struct pyn_tables_user *user, uint32_t nsid);

/* The tables of all namespaces of a drive at one moment. Holds a reference to each. */
struct pyn_tables {
	unsigned count;
	struct {
		struct pyn_verify *verify;
		uint64_t epoch; /* of its flush, see pyn_verify_flush_begin */
	} table[];
};

/* Get the tables of a drive. NULL: there are none, or no memory. */
struct pyn_tables *pyn_tables_all(const struct pyn_tables_user *user);
void pyn_tables_free(struct pyn_tables *tables);

/* pyn_verify_flush_begin and pyn_verify_flush_end for all of them. NULL is allowed. */
void pyn_tables_flush_begin(struct pyn_tables *tables);
void pyn_tables_flush_end(const struct pyn_tables *tables);

/* Call change for the table of a namespace; nsid 0xffffffff: for those of all namespaces of the drive. */
void pyn_tables_each(const struct pyn_tables_user *user, uint32_t nsid, void (*change)(struct pyn_verify *verify));

/* Set since when writes by this controller need no flush. Tables that several controllers share take the latest time
 * of all. */
void pyn_tables_durable_since(struct pyn_tables_user *user, uint64_t ticks);

/* That time of this controller alone, and of all. */
uint64_t pyn_tables_own_durable(const struct pyn_tables_user *user);
uint64_t pyn_tables_durable(const struct pyn_tables_user *user);

/* Drop all tables of a drive: nothing is known of its data any more. */
void pyn_tables_drop(const struct pyn_tables_user *user);

#endif
