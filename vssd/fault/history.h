/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who wrote which sector of 512 bytes last, how often, and what it held before. Kept only while a rule needs it, from
 * its planting on. Sectors are numbered from the start of the store.
 */
#ifndef VSSD_FAULT_HISTORY_H
#define VSSD_FAULT_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define VSSD_HISTORY_SECTOR 512u
#define VSSD_HISTORY_WRITES 250u   /* no more are counted */
#define VSSD_HISTORY_OLDER 131072u /* sectors whose older data are kept: the last that were written */

struct vssd_fault_history;

struct vssd_fault_history *vssd_history_create(void);
void vssd_history_destroy(struct vssd_fault_history *history);

/* Note a write of a sector. older: the VSSD_HISTORY_SECTOR bytes that it replaces, or NULL if no rule needs them. */
void vssd_history_written(struct vssd_fault_history *history, uint64_t sector, uint16_t qid, const uint8_t *older);

/* What is known of a sector. False: it was not written. */
bool vssd_history_find(const struct vssd_fault_history *history, uint64_t sector, uint16_t *qid, uint8_t *writes);

/* What the sector held before its last write. NULL: it is not known. */
const uint8_t *vssd_history_older(const struct vssd_fault_history *history, uint64_t sector);

/* The number of writes until now, and whether a sector was written after that number. */
uint64_t vssd_history_clock(const struct vssd_fault_history *history);
bool vssd_history_since(const struct vssd_fault_history *history, uint64_t sector, uint64_t clock);

#endif
