/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/fault/history.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"

#define FIRST_SIZE 1024u /* entries of the table; always a power of two */
#define NO_SLOT UINT32_MAX
#define VERSION ((size_t)VSSD_HISTORY_SECTOR + VSSD_HISTORY_METADATA) /* bytes */

struct entry {
	uint64_t key; /* sector + 1; 0: empty */
	uint64_t stamp;
	uint32_t slot; /* of the older data */
	uint16_t qid;
	uint8_t writes;
};

/* An older version of a sector. Those of one sector are linked, the newest first. A slot may have been reused, so
 * that a link is valid only if the owner is the same, and the version an older one. */
struct slot {
	uint64_t owner;    /* sector + 1 */
	uint64_t written;  /* the clock when it was written; 0: before it was noted */
	uint64_t replaced; /* the clock when it was overwritten */
	uint32_t older;
};

struct vssd_fault_history {
	struct entry *table; /* open addressing */
	uint64_t size;
	uint64_t used;
	uint64_t clock;
	uint8_t *older;     /* VSSD_HISTORY_OLDER versions, a ring; NULL: none yet */
	struct slot *slots; /* one for each */
	uint32_t next;
	uint64_t flushes; /* ever */
	struct {
		uint64_t clock;
		uint64_t time; /* ns, CLOCK_MONOTONIC */
	} flushed[VSSD_HISTORY_FLUSHES];
};

struct vssd_fault_history *vssd_history_create(void)
{
	struct vssd_fault_history *history = calloc(1, sizeof(*history));

	if (!history)
		return NULL;
	history->size = FIRST_SIZE;
	history->table = calloc(history->size, sizeof(*history->table));
	if (history->table)
		return history;
	free(history);
	return NULL;
}

void vssd_history_destroy(struct vssd_fault_history *history)
{
	if (!history)
		return;
	free(history->table);
	free(history->older);
	free(history->slots);
	free(history);
}

/* The entry of a key, or the empty one where it belongs. */
static struct entry *place_of(struct entry *table, uint64_t size, uint64_t key)
{
	uint64_t at = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 20;

	while (table[at & (size - 1)].key && table[at & (size - 1)].key != key)
		at++;
	return &table[at & (size - 1)];
}

/* Double the table when it is three quarters full. False: there is no memory. */
static bool make_room(struct vssd_fault_history *history)
{
	struct entry *table;

	if (history->used < history->size / 4 * 3)
		return true;
	table = calloc(history->size * 2, sizeof(*table));
	if (!table)
		return false;
	for (uint64_t i = 0; i < history->size; i++)
		if (history->table[i].key)
			*place_of(table, history->size * 2, history->table[i].key) = history->table[i];
	free(history->table);
	history->table = table;
	history->size *= 2;
	return true;
}

static bool make_slots(struct vssd_fault_history *history)
{
	if (history->older)
		return true;
	history->older = malloc(VSSD_HISTORY_OLDER * VERSION);
	history->slots = calloc(VSSD_HISTORY_OLDER, sizeof(*history->slots));
	if (history->older && history->slots)
		return true;
	free(history->older);
	free(history->slots);
	history->older = NULL;
	history->slots = NULL;
	return false;
}

/* Keep the version that the write at entry->stamp replaces. written: when it was written itself. */
static void keep_older(struct vssd_fault_history *history, struct entry *entry, uint64_t written,
		       const uint8_t *older, const uint8_t *metadata)
{
	uint32_t slot = history->next;
	uint8_t *to;

	if (!older || !make_slots(history)) {
		entry->slot = NO_SLOT;
		return;
	}
	history->next = (slot + 1) % VSSD_HISTORY_OLDER;
	history->slots[slot] = (struct slot){entry->key, written, entry->stamp, entry->slot};
	entry->slot = slot;
	to = history->older + slot * VERSION;
	memcpy(to, older, VSSD_HISTORY_SECTOR);
	if (metadata)
		memcpy(to + VSSD_HISTORY_SECTOR, metadata, VSSD_HISTORY_METADATA);
}

void vssd_history_written(struct vssd_fault_history *history, uint64_t sector, uint16_t qid, const uint8_t *older,
			  const uint8_t *metadata)
{
	struct entry *entry;
	uint64_t before;

	if (!make_room(history))
		return;
	entry = place_of(history->table, history->size, sector + 1);
	if (!entry->key) {
		*entry = (struct entry){.key = sector + 1, .slot = NO_SLOT};
		history->used++;
	}
	before = entry->stamp;
	entry->stamp = ++history->clock;
	entry->qid = qid;
	entry->writes += entry->writes < VSSD_HISTORY_WRITES;
	keep_older(history, entry, before, older, metadata);
}

static const struct entry *find(const struct vssd_fault_history *history, uint64_t sector)
{
	const struct entry *entry = place_of(history->table, history->size, sector + 1);

	return entry->key ? entry : NULL;
}

bool vssd_history_find(const struct vssd_fault_history *history, uint64_t sector, uint16_t *qid, uint8_t *writes)
{
	const struct entry *entry = find(history, sector);

	if (!entry)
		return false;
	*qid = entry->qid;
	*writes = entry->writes;
	return true;
}

/* The slot, if it holds a version of this sector that was replaced before this clock, else NO_SLOT. */
static uint32_t valid(const struct vssd_fault_history *history, uint32_t slot, uint64_t key, uint64_t before)
{
	if (slot == NO_SLOT || history->slots[slot].owner != key || history->slots[slot].replaced >= before)
		return NO_SLOT;
	return slot;
}

static const uint8_t *data_of(const struct vssd_fault_history *history, uint32_t slot)
{
	return slot == NO_SLOT ? NULL : history->older + slot * VERSION;
}

static uint32_t newest(const struct vssd_fault_history *history, const struct entry *entry)
{
	return history->slots ? valid(history, entry->slot, entry->key, UINT64_MAX) : NO_SLOT;
}

static uint32_t before(const struct vssd_fault_history *history, uint32_t slot)
{
	const struct slot *now = &history->slots[slot];

	return valid(history, now->older, now->owner, now->replaced);
}

/* The slot of the version of so many writes ago. */
static uint32_t slot_of(const struct vssd_fault_history *history, uint64_t sector, uint64_t back)
{
	const struct entry *entry = find(history, sector);
	uint32_t slot = entry ? newest(history, entry) : NO_SLOT;

	while (slot != NO_SLOT && --back > 0)
		slot = before(history, slot);
	return slot;
}

const uint8_t *vssd_history_older(const struct vssd_fault_history *history, uint64_t sector, uint64_t back)
{
	return data_of(history, slot_of(history, sector, back));
}

uint64_t vssd_history_replaced(const struct vssd_fault_history *history, uint64_t sector, uint64_t back)
{
	uint32_t slot = slot_of(history, sector, back);

	return slot == NO_SLOT ? 0 : history->slots[slot].replaced;
}

const uint8_t *vssd_history_at(const struct vssd_fault_history *history, uint64_t sector, uint64_t clock)
{
	const struct entry *entry = find(history, sector);
	uint32_t slot = entry && entry->stamp > clock ? newest(history, entry) : NO_SLOT;

	while (slot != NO_SLOT && history->slots[slot].written > clock)
		slot = before(history, slot);
	return data_of(history, slot);
}

void vssd_history_flushed(struct vssd_fault_history *history)
{
	history->flushed[history->flushes % VSSD_HISTORY_FLUSHES].clock = history->clock;
	history->flushed[history->flushes++ % VSSD_HISTORY_FLUSHES].time = pyn_monotonic_ns();
}

uint64_t vssd_history_flushed_before(const struct vssd_fault_history *history, uint64_t time)
{
	for (uint64_t i = history->flushes; i-- > 0 && history->flushes - i <= VSSD_HISTORY_FLUSHES;)
		if (history->flushed[i % VSSD_HISTORY_FLUSHES].time <= time)
			return history->flushed[i % VSSD_HISTORY_FLUSHES].clock;
	return 0;
}

void vssd_history_each(const struct vssd_fault_history *history, uint64_t clock,
		       void (*visit)(void *context, uint64_t sector), void *context)
{
	for (uint64_t i = 0; i < history->size; i++)
		if (history->table[i].key && history->table[i].stamp > clock)
			visit(context, history->table[i].key - 1);
}

uint64_t vssd_history_clock(const struct vssd_fault_history *history)
{
	return history->clock;
}

bool vssd_history_since(const struct vssd_fault_history *history, uint64_t sector, uint64_t clock)
{
	const struct entry *entry = find(history, sector);

	return entry && entry->stamp > clock;
}
