/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks of the store after those of the namespaces and zones, which hold what optional features keep: a drive
 * without these features has none. Changes of them are durable at once. Erasures of user data leave them alone.
 */
#ifndef VSSD_SUBSYSTEM_HIDDEN_H
#define VSSD_SUBSYSTEM_HIDDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/options.h"

struct vssd_subsystem;

enum vssd_hidden {
	VSSD_HIDDEN_TCG,       /* one block: struct vssd_tcg_state */
	VSSD_HIDDEN_DATASTORE, /* TCG's tables of bytes */
	VSSD_HIDDEN_MBR,
	VSSD_HIDDEN_BOOT,       /* both boot partitions, and a block */
	VSSD_HIDDEN_PROTECTION, /* a block: enum vssd_protection of each namespace */
	VSSD_HIDDEN_RPMB,       /* a block, and the data of all targets: see rpmb.c */
	VSSD_HIDDEN_VPD,        /* a block: the Vital Product Data, see vssd/ctrl/management.c */
	VSSD_HIDDEN_AREAS,
};

/* The number of blocks that a drive with these options needs. */
uint64_t vssd_hidden_blocks(const struct vssd_options *options);

/* The first block of an area in the store. */
uint64_t vssd_hidden_first(const struct vssd_subsystem *subsystem, enum vssd_hidden area);

/* Read or write bytes of an area. The range must lie within it. False: the file system is full. */
void vssd_hidden_read(const struct vssd_subsystem *subsystem, enum vssd_hidden area, uint64_t offset, void *to,
		      uint64_t length);
bool vssd_hidden_write(struct vssd_subsystem *subsystem, enum vssd_hidden area, uint64_t offset, const void *from,
		       uint64_t length);

/* Fill an area with zeros. */
void vssd_hidden_clear(struct vssd_subsystem *subsystem, enum vssd_hidden area);

#endif
