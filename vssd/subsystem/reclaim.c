/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1 /* MAP_ANONYMOUS */
#include "vssd/subsystem/reclaim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vssd/store/store.h"

#define SECTOR VSSD_SECTOR_SIZE
#define LEAST_UNIT (VSSD_BLOCK_SIZE / SECTOR)
#define MOST_UNITS 128u /* that hold the whole capacity */
#define RESERVE 2u      /* free units that garbage collection needs */
#define CHUNK 4096u     /* sectors whose entries in the map are counted together */
#define PLACES (VSSD_RECLAIM_HANDLES * VSSD_RECLAIM_GROUPS)

enum state { FREE, OPEN, CLOSED };

struct unit {
	uint32_t valid; /* sectors whose data are current */
	uint32_t filled;
	enum state state;
	struct vssd_reclaim_place place;
};

/* Units are numbered from 1 on; 0 is none. */
struct vssd_reclaim {
	uint64_t sectors;
	uint64_t unit_sectors;
	uint32_t num_units;
	uint32_t num_free;
	bool isolated;
	struct vssd_reclaim_statistics statistics;
	uint16_t open[VSSD_RECLAIM_HANDLES][VSSD_RECLAIM_GROUPS];      /* where the host writes */
	uint16_t collected[VSSD_RECLAIM_HANDLES][VSSD_RECLAIM_GROUPS]; /* where garbage collection writes */
	struct unit *units;
	uint16_t *map;  /* the unit of each sector */
	uint16_t *used; /* how many sectors of each chunk have a unit */
};

/* ---- creation ---- */

static uint64_t unit_sectors(uint64_t sectors)
{
	uint64_t unit = LEAST_UNIT;

	while ((sectors + unit - 1) / unit > MOST_UNITS)
		unit *= 2;
	return unit;
}

void vssd_reclaim_destroy(struct vssd_reclaim *reclaim)
{
	if (!reclaim)
		return;
	if (reclaim->map)
		munmap(reclaim->map, reclaim->sectors * sizeof(reclaim->map[0]));
	free(reclaim->units);
	free(reclaim->used);
	free(reclaim);
}

/* The map takes memory only where something is written. */
struct vssd_reclaim *vssd_reclaim_create(uint64_t sectors)
{
	struct vssd_reclaim *reclaim = calloc(1, sizeof(*reclaim));
	uint64_t whole;
	void *map;

	if (!reclaim)
		return NULL;
	reclaim->sectors = sectors;
	reclaim->unit_sectors = unit_sectors(sectors);
	whole = (sectors + reclaim->unit_sectors - 1) / reclaim->unit_sectors;
	reclaim->num_units = (uint32_t)(whole + whole / 8 + 2 * PLACES + RESERVE + 1);
	reclaim->units = calloc(reclaim->num_units + 1u, sizeof(reclaim->units[0]));
	reclaim->used = calloc(sectors / CHUNK + 1, sizeof(reclaim->used[0]));
	map = mmap(NULL, sectors * sizeof(reclaim->map[0]), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	reclaim->map = map == MAP_FAILED ? NULL : map;
	if (reclaim->units && reclaim->used && reclaim->map) {
		vssd_reclaim_clear(reclaim, false);
		return reclaim;
	}
	vssd_reclaim_destroy(reclaim);
	return NULL;
}

void vssd_reclaim_clear(struct vssd_reclaim *reclaim, bool isolated)
{
	vssd_reclaim_discard(reclaim, 0, reclaim->sectors);
	memset(reclaim->units, 0, (reclaim->num_units + 1u) * sizeof(reclaim->units[0]));
	memset(reclaim->open, 0, sizeof(reclaim->open));
	memset(reclaim->collected, 0, sizeof(reclaim->collected));
	reclaim->num_free = reclaim->num_units;
	reclaim->isolated = isolated;
	reclaim->statistics = (struct vssd_reclaim_statistics){0};
}

uint64_t vssd_reclaim_unit(const struct vssd_reclaim *reclaim)
{
	return reclaim->unit_sectors;
}

uint64_t vssd_reclaim_left(const struct vssd_reclaim *reclaim, struct vssd_reclaim_place place)
{
	return reclaim->unit_sectors - reclaim->units[reclaim->open[place.ruh][place.group]].filled;
}

const struct vssd_reclaim_statistics *vssd_reclaim_statistics(const struct vssd_reclaim *reclaim)
{
	return &reclaim->statistics;
}

/* ---- units ---- */

/* Erase a closed unit that holds no data. */
static void erase_if_empty(struct vssd_reclaim *reclaim, struct unit *unit)
{
	if (unit->state != CLOSED || unit->valid)
		return;
	*unit = (struct unit){.state = FREE};
	reclaim->num_free++;
	reclaim->statistics.erased_bytes += reclaim->unit_sectors * SECTOR;
}

static void close_unit(struct vssd_reclaim *reclaim, uint16_t *number)
{
	struct unit *unit = &reclaim->units[*number];

	*number = 0;
	unit->state = CLOSED;
	erase_if_empty(reclaim, unit);
}

/* Take a free unit. There is always one: see vssd_reclaim_create() and make_room(). */
static uint16_t take_unit(struct vssd_reclaim *reclaim, struct vssd_reclaim_place place)
{
	uint16_t number = 1;

	while (reclaim->units[number].state != FREE)
		number++;
	reclaim->units[number] = (struct unit){.state = OPEN, .place = place};
	reclaim->num_free--;
	return number;
}

/* Set the unit of a sector. */
static void map_sector(struct vssd_reclaim *reclaim, uint64_t sector, uint16_t unit)
{
	reclaim->used[sector / CHUNK] =
		(uint16_t)(reclaim->used[sector / CHUNK] + (unit != 0) - (reclaim->map[sector] != 0));
	reclaim->map[sector] = unit;
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
	reclaim->units[number].valid--;
	erase_if_empty(reclaim, &reclaim->units[number]);
}

/* Put a sector into the unit that *number names, of which there is room for one. */
static void put(struct vssd_reclaim *reclaim, uint16_t *number, uint64_t sector)
{
	struct unit *unit = &reclaim->units[*number];

	map_sector(reclaim, sector, *number);
	unit->valid++;
	unit->filled++;
	reclaim->statistics.media_bytes += SECTOR;
	if (unit->filled == reclaim->unit_sectors)
		close_unit(reclaim, number);
}

/* ---- garbage collection ---- */

static uint16_t find_victim(const struct vssd_reclaim *reclaim)
{
	uint16_t best = 0;

	for (uint16_t i = 1; i <= reclaim->num_units; i++)
		if (reclaim->units[i].state == CLOSED &&
		    (!best || reclaim->units[i].valid < reclaim->units[best].valid))
			best = i;
	return best;
}

/* Move a sector to where the data of this place are collected. */
static void collect_sector(struct vssd_reclaim *reclaim, struct vssd_reclaim_place place, uint64_t sector)
{
	uint16_t *to = &reclaim->collected[reclaim->isolated ? place.ruh : 0][place.group];

	if (!*to)
		*to = take_unit(reclaim, place);
	drop(reclaim, sector);
	put(reclaim, to, sector);
}

/* Move all data of a unit, which erases it. */
static void collect(struct vssd_reclaim *reclaim, uint16_t victim,
		    void (*moved)(void *context, const struct vssd_reclaim_moved *moved), void *context)
{
	struct vssd_reclaim_moved run = {.from = reclaim->units[victim].place};
	uint64_t sector = next_used(reclaim, 0, reclaim->sectors);

	while (reclaim->units[victim].state == CLOSED && sector < reclaim->sectors) {
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
	uint16_t *open = &reclaim->open[place.ruh][place.group];

	for (uint64_t i = 0; i < count; i++) {
		if (!*open) {
			make_room(reclaim, moved, context);
			*open = take_unit(reclaim, place);
		}
		drop(reclaim, sector + i);
		put(reclaim, open, sector + i);
	}
	reclaim->statistics.host_bytes += count * SECTOR + extra;
	reclaim->statistics.media_bytes += extra;
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

	for (; sector < end; sector = next_used(reclaim, sector + 1, end)) {
		map_sector(reclaim, sector - from + to, reclaim->map[sector]);
		map_sector(reclaim, sector, 0);
	}
}

bool vssd_reclaim_update(struct vssd_reclaim *reclaim, struct vssd_reclaim_place place)
{
	uint16_t *open = &reclaim->open[place.ruh][place.group];

	if (!*open)
		return false;
	close_unit(reclaim, open);
	return true;
}
