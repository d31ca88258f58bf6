/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/fault/history.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024u /* entries of the table; always a power of two */
#define NO_SLOT UINT32_MAX

struct entry {
	uint64_t key; /* sector + 1; 0: empty */
	uint64_t stamp;
	uint32_t slot; /* of the older data */
	uint16_t qid;
	uint8_t writes;
};

struct vssd_fault_history {
	struct entry *table; /* open addressing */
	uint64_t size;
	uint64_t used;
	uint64_t clock;
	uint8_t *older;  /* VSSD_HISTORY_OLDER slots, a ring; NULL: none yet */
	uint64_t *owner; /* of each slot: sector + 1 */
	uint32_t next;
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
	free(history->owner);
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
	history->older = malloc((size_t)VSSD_HISTORY_OLDER * VSSD_HISTORY_SECTOR);
	history->owner = calloc(VSSD_HISTORY_OLDER, sizeof(*history->owner));
	if (history->older && history->owner)
		return true;
	free(history->older);
	free(history->owner);
	history->older = NULL;
	history->owner = NULL;
	return false;
}

static void keep_older(struct vssd_fault_history *history, struct entry *entry, const uint8_t *older)
{
	if (!make_slots(history))
		return;
	if (entry->slot == NO_SLOT || history->owner[entry->slot] != entry->key) {
		entry->slot = history->next;
		history->next = (history->next + 1) % VSSD_HISTORY_OLDER;
		history->owner[entry->slot] = entry->key;
	}
	memcpy(history->older + (size_t)entry->slot * VSSD_HISTORY_SECTOR, older, VSSD_HISTORY_SECTOR);
}

void vssd_history_written(struct vssd_fault_history *history, uint64_t sector, uint16_t qid, const uint8_t *older)
{
	struct entry *entry;

	if (!make_room(history))
		return;
	entry = place_of(history->table, history->size, sector + 1);
	if (!entry->key) {
		*entry = (struct entry){.key = sector + 1, .slot = NO_SLOT};
		history->used++;
	}
	entry->stamp = ++history->clock;
	entry->qid = qid;
	entry->writes += entry->writes < VSSD_HISTORY_WRITES;
	if (older)
		keep_older(history, entry, older);
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

const uint8_t *vssd_history_older(const struct vssd_fault_history *history, uint64_t sector)
{
	const struct entry *entry = find(history, sector);

	if (!entry || !history->older || entry->slot == NO_SLOT || history->owner[entry->slot] != entry->key)
		return NULL;
	return history->older + (size_t)entry->slot * VSSD_HISTORY_SECTOR;
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
