/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who wrote which sector of 512 bytes last, how often, what it held before, and when what was written was flushed.
 * The metadata of an LBA belong to its first sector. Kept only while a rule needs it, from its planting on. A clock
 * counts the writes of sectors. Sectors are numbered from the start of the store.
 */
#ifndef VSSD_FAULT_HISTORY_H
#define VSSD_FAULT_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define VSSD_HISTORY_SECTOR 512u
#define VSSD_HISTORY_METADATA 64u
#define VSSD_HISTORY_WRITES 250u   /* no more are counted */
#define VSSD_HISTORY_OLDER 131072u /* older versions of sectors: the last that were replaced */
#define VSSD_HISTORY_FLUSHES 1024u

struct vssd_fault_history;

struct vssd_fault_history *vssd_history_create(void);
void vssd_history_destroy(struct vssd_fault_history *history);

/* Note a write of a sector. older: the VSSD_HISTORY_SECTOR bytes that it replaces. NULL: no rule needs them, or they
 * cannot be read. metadata: the VSSD_HISTORY_METADATA bytes that it replaces; NULL: the sector has none. */
void vssd_history_written(struct vssd_fault_history *history, uint64_t sector, uint16_t qid, const uint8_t *older,
			  const uint8_t *metadata);

/* What is known of a sector. False: it was not written. */
bool vssd_history_find(const struct vssd_fault_history *history, uint64_t sector, uint16_t *qid, uint8_t *writes);

/* What the sector held before its last writes, back of them: its data, and behind them VSSD_HISTORY_METADATA bytes of
 * metadata. NULL: it is not known. */
const uint8_t *vssd_history_older(const struct vssd_fault_history *history, uint64_t sector, uint64_t back);

/* The clock when this version was overwritten. 0: it is not known. */
uint64_t vssd_history_replaced(const struct vssd_fault_history *history, uint64_t sector, uint64_t back);

/* What the sector held at this clock. NULL: the same as now, or it is not known. */
const uint8_t *vssd_history_at(const struct vssd_fault_history *history, uint64_t sector, uint64_t clock);

/* Note that all that was written is durable. Get the clock of the last time before this one (ns); 0: never. */
void vssd_history_flushed(struct vssd_fault_history *history);
uint64_t vssd_history_flushed_before(const struct vssd_fault_history *history, uint64_t time);

/* Visit all sectors that were written after this clock. */
void vssd_history_each(const struct vssd_fault_history *history, uint64_t clock,
		       void (*visit)(void *context, uint64_t sector), void *context);

/* The number of writes until now, and whether a sector was written after that number. */
uint64_t vssd_history_clock(const struct vssd_fault_history *history);
bool vssd_history_since(const struct vssd_fault_history *history, uint64_t sector, uint64_t clock);

#endif
