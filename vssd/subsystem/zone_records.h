/* SPDX-License-Identifier: BSD-3-Clause */
/* What outlives a loss of power besides the data of zones: the records of vssd/subsystem/zones.h. */
#ifndef VSSD_SUBSYSTEM_ZONE_RECORDS_H
#define VSSD_SUBSYSTEM_ZONE_RECORDS_H

#include "vssd/subsystem/zones.h"

/* Record a zone as it is now, durably. False: the file system is full, and the record is as it was. */
bool vssd_zone_record(struct vssd_subsystem *subsystem, const struct vssd_zones *zones, const struct vssd_zone *zone);

/* Give a zone the state that its record and its data leave it after a loss of power. */
void vssd_zone_recall(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones, struct vssd_zone *zone);

/* Write or read the descriptor extension. False: the file system is full. */
bool vssd_zone_write_extension(struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			       const struct vssd_zone *zone, const uint8_t *extension);
void vssd_zone_read_extension(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			      const struct vssd_zone *zone, uint8_t *extension);

/* Blocks of the store for the records, and for the descriptor extensions, of this many zones. */
uint64_t vssd_zone_record_blocks(uint64_t zones);
uint64_t vssd_zone_extension_blocks(const struct vssd_options *options, uint64_t zones);

/* The capacity of a zone, in LBAs. */
uint64_t vssd_zone_capacity(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			    const struct vssd_zone *zone);

#endif
