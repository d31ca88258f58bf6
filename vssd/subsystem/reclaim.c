/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1 /* MAP_ANONYMOUS */
#include "vssd/subsystem/reclaim.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "vssd/store/store.h"

#define SECTOR VSSD_SECTOR_SIZE
#define LEAST_UNIT (VSSD_BLOCK_SIZE / SECTOR)
#define MOST_UNITS 128u /* that hold the whole capacity */
#define RESERVE 2u      /* free units that garbage collection needs */
#define CHUNK 4096u     /* sectors whose entries in the map are counted together */
#define PLACES (VSSD_RECLAIM_HANDLES * VSSD_RECLAIM_GROUPS)
#define ALL_UNITS (MOST_UNITS + MOST_UNITS / 8 + 2 * PLACES + RESERVE + 1)
#define ACCOUNT_BYTES 8192u
#define TAG 0x31554352u /* "RCU1" */

enum state { FREE, OPEN, CLOSED };

struct unit {
	uint32_t valid; /* sectors whose data are current */
	uint32_t filled;
	uint32_t state; /* enum state */
	struct vssd_reclaim_place place;
};

/* What a store keeps of the units. Units are numbered from 1 on; 0 is none. */
struct account {
	uint32_t tag;
	uint32_t isolated;
	struct vssd_reclaim_statistics statistics;
	uint16_t open[VSSD_RECLAIM_HANDLES][VSSD_RECLAIM_GROUPS];      /* where the host writes */
	uint16_t collected[VSSD_RECLAIM_HANDLES][VSSD_RECLAIM_GROUPS]; /* where garbage collection writes */
	struct unit units[ALL_UNITS + 1];
};
_Static_assert(sizeof(struct account) <= ACCOUNT_BYTES, "account");

/* The account, then used and map, follow each other in memory. */
struct vssd_reclaim {
	uint64_t sectors;
	uint64_t unit_sectors;
	uint32_t num_units;
	uint32_t num_free;
	struct account *account;
	uint16_t *used;           /* how many sectors of each chunk have a unit; after a kill it may be too many */
	uint16_t *map;            /* the unit of each sector */
	struct vssd_store *store; /* NULL: own memory */
	uint64_t offset;          /* of the account in that of the store */
	uint8_t *has_space;       /* of the store, for the map of each chunk */
};

/* ---- creation ---- */

static uint64_t unit_sectors(uint64_t sectors)
{
	uint64_t unit = LEAST_UNIT;

	while ((sectors + unit - 1) / unit > MOST_UNITS)
		unit *= 2;
	return unit;
}

static uint64_t chunks_of(uint64_t sectors)
{
	return sectors / CHUNK + 1;
}

static uint64_t used_bytes(uint64_t sectors)
{
	return (chunks_of(sectors) * sizeof(uint16_t) + VSSD_BLOCK_SIZE - 1) / VSSD_BLOCK_SIZE * VSSD_BLOCK_SIZE;
}

uint64_t vssd_reclaim_bytes(uint64_t sectors)
{
	return ACCOUNT_BYTES + used_bytes(sectors) + chunks_of(sectors) * CHUNK * sizeof(uint16_t);
}

void vssd_reclaim_destroy(struct vssd_reclaim *reclaim)
{
	if (!reclaim)
		return;
	if (reclaim->account && !reclaim->store)
		munmap(reclaim->account, vssd_reclaim_bytes(reclaim->sectors));
	free(reclaim->has_space);
	free(reclaim);
}

/* Make sure that the map of these sectors can be changed. False: the file system is full. */
static bool make_space(struct vssd_reclaim *reclaim, uint64_t sector, uint64_t count)
{
	uint64_t map = reclaim->offset + ACCOUNT_BYTES + used_bytes(reclaim->sectors);

	for (uint64_t chunk = sector / CHUNK; reclaim->store && chunk <= (sector + count - 1) / CHUNK; chunk++) {
		if (!reclaim->has_space[chunk] &&
		    !vssd_store_account_for(reclaim->store, map + chunk * CHUNK * sizeof(uint16_t),
					    CHUNK * sizeof(uint16_t)))
			return false;
		reclaim->has_space[chunk] = 1;
	}
	return true;
}

static uint8_t *place_memory(struct vssd_reclaim *reclaim)
{
	void *memory;

	if (!reclaim->store) {
		/* It takes memory only where something is written. */
		memory = mmap(NULL, vssd_reclaim_bytes(reclaim->sectors), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		return memory == MAP_FAILED ? NULL : memory;
	}
	reclaim->has_space = calloc(chunks_of(reclaim->sectors), 1);
	if (!reclaim->has_space ||
	    !vssd_store_account_for(reclaim->store, reclaim->offset, ACCOUNT_BYTES + used_bytes(reclaim->sectors)))
		return NULL;
	return (uint8_t *)vssd_store_account(reclaim->store) + reclaim->offset;
}

/* Count what the map says again: a process that was killed may have left counts that differ, and a file may hold
 * anything. */
static void count_sectors(struct vssd_reclaim *reclaim)
{
	struct unit *units = reclaim->account->units;

	for (uint32_t i = 0; i <= ALL_UNITS; i++)
		units[i].valid = 0;
	for (uint64_t chunk = 0; chunk < chunks_of(reclaim->sectors); chunk++) {
		uint16_t *map = reclaim->map + chunk * CHUNK, used = 0;

		if (!reclaim->used[chunk] || !make_space(reclaim, chunk * CHUNK, CHUNK))
			continue;
		for (unsigned i = 0; i < CHUNK; i++) {
			if (map[i] > reclaim->num_units)
				map[i] = 0;
			used = (uint16_t)(used + (map[i] != 0));
			units[map[i]].valid += map[i] != 0;
		}
		reclaim->used[chunk] = used;
	}
}

static bool is_usable(const struct vssd_reclaim *reclaim)
{
	const struct account *account = reclaim->account;

	for (unsigned ruh = 0; ruh < VSSD_RECLAIM_HANDLES; ruh++)
		for (unsigned group = 0; group < VSSD_RECLAIM_GROUPS; group++)
			if (account->open[ruh][group] > reclaim->num_units ||
			    account->collected[ruh][group] > reclaim->num_units)
				return false;
	return account->tag == TAG;
}

/* Set the states of the units by what they hold, and by what names them. */
static void settle_units(struct vssd_reclaim *reclaim)
{
	struct account *account = reclaim->account;
	uint16_t *named[] = {&account->open[0][0], &account->collected[0][0]};

	account->units[0] = (struct unit){.state = FREE};
	for (uint32_t i = 1; i <= reclaim->num_units; i++) {
		struct unit *unit = &account->units[i];

		if (unit->filled < unit->valid || unit->filled > reclaim->unit_sectors)
			unit->filled = unit->valid;
		unit->place.ruh %= VSSD_RECLAIM_HANDLES;
		unit->place.group %= VSSD_RECLAIM_GROUPS;
		unit->state = unit->valid ? CLOSED : FREE;
	}
	for (unsigned i = 0; i < 2 * PLACES; i++) {
		uint16_t *number = &named[i / PLACES][i % PLACES];
		struct unit *unit = &account->units[*number];

		if (unit->state == OPEN || unit->filled == reclaim->unit_sectors)
			*number = 0;
		else
			unit->state = OPEN;
	}
	account->units[0] = (struct unit){.state = OPEN};
	for (uint32_t i = 1; i <= reclaim->num_units; i++)
		reclaim->num_free += account->units[i].state == FREE;
}

struct vssd_reclaim *vssd_reclaim_create(uint64_t sectors, struct vssd_store *store, uint64_t offset)
{
	struct vssd_reclaim *reclaim = calloc(1, sizeof(*reclaim));
	uint64_t whole;
	uint8_t *memory;

	if (!reclaim)
		return NULL;
	*reclaim = (struct vssd_reclaim){
		.sectors = sectors, .unit_sectors = unit_sectors(sectors), .store = store, .offset = offset};
	whole = (sectors + reclaim->unit_sectors - 1) / reclaim->unit_sectors;
	reclaim->num_units = (uint32_t)(whole + whole / 8 + 2 * PLACES + RESERVE + 1);
	memory = place_memory(reclaim);
	if (!memory) {
		vssd_reclaim_destroy(reclaim);
		return NULL;
	}
	reclaim->account = (struct account *)memory;
	reclaim->used = (uint16_t *)(memory + ACCOUNT_BYTES);
	reclaim->map = (uint16_t *)(memory + ACCOUNT_BYTES + used_bytes(sectors));
	if (store)
		count_sectors(reclaim);
	if (is_usable(reclaim))
		settle_units(reclaim);
	if (reclaim->num_free == 0)
		vssd_reclaim_clear(reclaim, false);
	return reclaim;
}

void vssd_reclaim_clear(struct vssd_reclaim *reclaim, bool isolated)
{
	vssd_reclaim_discard(reclaim, 0, reclaim->sectors);
	*reclaim->account = (struct account){.tag = TAG, .isolated = isolated};
	reclaim->num_free = reclaim->num_units;
}

uint64_t vssd_reclaim_unit(const struct vssd_reclaim *reclaim)
{
	return reclaim->unit_sectors;
}

uint64_t vssd_reclaim_left(const struct vssd_reclaim *reclaim, struct vssd_reclaim_place place)
{
	return reclaim->unit_sectors - reclaim->account->units[reclaim->account->open[place.ruh][place.group]].filled;
}

const struct vssd_reclaim_statistics *vssd_reclaim_statistics(const struct vssd_reclaim *reclaim)
{
	return &reclaim->account->statistics;
}

/* ---- units ---- */

/* Erase a closed unit that holds no data. */
static void erase_if_empty(struct vssd_reclaim *reclaim, struct unit *unit)
{
	if (unit->state != CLOSED || unit->valid)
		return;
	*unit = (struct unit){.state = FREE};
	reclaim->num_free++;
	reclaim->account->statistics.erased_bytes += reclaim->unit_sectors * SECTOR;
}

static void close_unit(struct vssd_reclaim *reclaim, uint16_t *number)
{
	struct unit *unit = &reclaim->account->units[*number];

	*number = 0;
	unit->state = CLOSED;
	erase_if_empty(reclaim, unit);
}

/* Take a free unit. There is always one: see vssd_reclaim_create() and make_room(). */
static uint16_t take_unit(struct vssd_reclaim *reclaim, struct vssd_reclaim_place place)
{
	uint16_t number = 1;

	while (reclaim->account->units[number].state != FREE)
		number++;
	reclaim->account->units[number] = (struct unit){.state = OPEN, .place = place};
	reclaim->num_free--;
	return number;
}

/* Set the unit of a sector. A process that is killed in between leaves a count that is too high. */
static void map_sector(struct vssd_reclaim *reclaim, uint64_t sector, uint16_t unit)
{
	bool was_mapped = reclaim->map[sector];

	reclaim->used[sector / CHUNK] = (uint16_t)(reclaim->used[sector / CHUNK] + (unit && !was_mapped));
	atomic_signal_fence(memory_order_seq_cst);
	reclaim->map[sector] = unit;
	atomic_signal_fence(memory_order_seq_cst);
	reclaim->used[sector / CHUNK] = (uint16_t)(reclaim->used[sector / CHUNK] - (!unit && was_mapped));
}

/* The next sector from here on that has a unit, or end. It skips what was never written without touching it. */
static uint64_t next_used(const struct vssd_reclaim *reclaim, uint64_t sector, uint64_t end)
{
	while (sector < end) {
		if (!reclaim->used[sector / CHUNK])
			sector = (sector / CHUNK + 1) * CHUNK;
		else if (reclaim->map[sector])
			return sector;
		else
			sector++;
	}
	return end;
}

static void drop(struct vssd_reclaim *reclaim, uint64_t sector)
{
	uint16_t number = reclaim->map[sector];

	if (!number)
		return;
	map_sector(reclaim, sector, 0);
	reclaim->account->units[number].valid--;
	erase_if_empty(reclaim, &reclaim->account->units[number]);
}

/* Put a sector into the unit that *number names, of which there is room for one. */
static void put(struct vssd_reclaim *reclaim, uint16_t *number, uint64_t sector)
{
	struct unit *unit = &reclaim->account->units[*number];

	map_sector(reclaim, sector, *number);
	unit->valid++;
	unit->filled++;
	reclaim->account->statistics.media_bytes += SECTOR;
	if (unit->filled == reclaim->unit_sectors)
		close_unit(reclaim, number);
}

/* ---- garbage collection ---- */

static uint16_t find_victim(const struct vssd_reclaim *reclaim)
{
	uint16_t best = 0;

	for (uint16_t i = 1; i <= reclaim->num_units; i++)
		if (reclaim->account->units[i].state == CLOSED &&
		    (!best || reclaim->account->units[i].valid < reclaim->account->units[best].valid))
			best = i;
	return best;
}

/* Move a sector to where the data of this place are collected. */
static void collect_sector(struct vssd_reclaim *reclaim, struct vssd_reclaim_place place, uint64_t sector)
{
	uint16_t *to = &reclaim->account->collected[reclaim->account->isolated ? place.ruh : 0][place.group];

	if (!*to)
		*to = take_unit(reclaim, place);
	drop(reclaim, sector);
	put(reclaim, to, sector);
}

/* Move all data of a unit, which erases it. */
static void collect(struct vssd_reclaim *reclaim, uint16_t victim,
		    void (*moved)(void *context, const struct vssd_reclaim_moved *moved), void *context)
{
	struct vssd_reclaim_moved run = {.from = reclaim->account->units[victim].place};
	uint64_t sector = next_used(reclaim, 0, reclaim->sectors);

	while (reclaim->account->units[victim].state == CLOSED && sector < reclaim->sectors) {
		if (reclaim->map[sector] == victim) {
			if (run.count && run.sector + run.count != sector) {
				moved(context, &run);
				run.count = 0;
			}
			run.sector = run.count ? run.sector : sector;
			run.count++;
			collect_sector(reclaim, run.from, sector);
		}
		sector = next_used(reclaim, sector + 1, reclaim->sectors);
	}
	if (run.count)
		moved(context, &run);
}

static void make_room(struct vssd_reclaim *reclaim,
		      void (*moved)(void *context, const struct vssd_reclaim_moved *moved), void *context)
{
	uint16_t victim = 1;

	while (reclaim->num_free <= RESERVE && (victim = find_victim(reclaim)))
		collect(reclaim, victim, moved, context);
}

/* ---- what happens ---- */

void vssd_reclaim_write(struct vssd_reclaim *reclaim, struct vssd_reclaim_place place, uint64_t sector,
			uint64_t count, uint64_t extra,
			void (*moved)(void *context, const struct vssd_reclaim_moved *moved), void *context)
{
	uint16_t *open = &reclaim->account->open[place.ruh][place.group];

	if (!make_space(reclaim, sector, count))
		return;
	for (uint64_t i = 0; i < count; i++) {
		if (!*open) {
			make_room(reclaim, moved, context);
			*open = take_unit(reclaim, place);
		}
		drop(reclaim, sector + i);
		put(reclaim, open, sector + i);
	}
	reclaim->account->statistics.host_bytes += count * SECTOR + extra;
	reclaim->account->statistics.media_bytes += extra;
}

void vssd_reclaim_discard(struct vssd_reclaim *reclaim, uint64_t sector, uint64_t count)
{
	uint64_t end = sector + count;

	for (sector = next_used(reclaim, sector, end); sector < end; sector = next_used(reclaim, sector + 1, end))
		drop(reclaim, sector);
}

void vssd_reclaim_rename(struct vssd_reclaim *reclaim, uint64_t from, uint64_t to, uint64_t count)
{
	uint64_t end = from + count, sector = next_used(reclaim, from, end);

	if (!make_space(reclaim, to, count)) {
		vssd_reclaim_discard(reclaim, from, count);
		return;
	}
	for (; sector < end; sector = next_used(reclaim, sector + 1, end)) {
		map_sector(reclaim, sector - from + to, reclaim->map[sector]);
		map_sector(reclaim, sector, 0);
	}
}

bool vssd_reclaim_update(struct vssd_reclaim *reclaim, struct vssd_reclaim_place place)
{
	uint16_t *open = &reclaim->account->open[place.ruh][place.group];

	if (!*open)
		return false;
	close_unit(reclaim, open);
	return true;
}
