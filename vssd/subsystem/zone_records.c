/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/zone_records.h"

#include <string.h>

#include "vssd/subsystem/subsystem.h"

/* What the data do not tell of a zone. */
enum kind {
	KIND_BY_DATA, /* nothing: the written LBAs tell the write pointer */
	KIND_FULL,    /* a command has finished it */
	KIND_ZRWA,    /* it has a random write area, so that LBAs behind the write pointer are written */
	KIND_READ_ONLY,
	KIND_OFFLINE,
};

struct record {
	uint8_t kind;
	uint8_t attributes;
	uint8_t reserved[2];
	uint32_t shrunk; /* units of 4 KiB */
	uint64_t wp;     /* bytes from the start of the zone; of a KIND_ZRWA */
};
_Static_assert(sizeof(struct record) == 16, "records do not cross blocks");

uint64_t vssd_zone_record_blocks(uint64_t zones)
{
	return (zones * sizeof(struct record) + VSSD_BLOCK_SIZE - 1) / VSSD_BLOCK_SIZE;
}

uint64_t vssd_zone_extension_blocks(const struct vssd_options *options, uint64_t zones)
{
	return (zones * options->zones.extension * VSSD_ZONE_ALIGN + VSSD_BLOCK_SIZE - 1) / VSSD_BLOCK_SIZE;
}

uint64_t vssd_zone_capacity(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			    const struct vssd_zone *zone)
{
	const struct vssd_zone_options *options = &subsystem->options.zones;
	uint64_t bytes = options->capacity ? options->capacity : options->size;

	return (bytes - ((uint64_t)zone->shrunk << VSSD_BLOCK_SHIFT)) >> zones->ns->lba_shift;
}

static uint32_t index_of(const struct vssd_zones *zones, const struct vssd_zone *zone)
{
	return (uint32_t)(zone - zones->zone);
}

/* ---- blocks behind those of the namespaces ---- */

/* Write bytes of the store durably, block by block. */
static bool put(struct vssd_subsystem *subsystem, uint64_t offset, const void *bytes, uint32_t length)
{
	const uint8_t *from = bytes;

	while (length > 0) {
		uint64_t block = offset >> VSSD_BLOCK_SHIFT;
		uint32_t at = (uint32_t)offset & (VSSD_BLOCK_SIZE - 1);
		uint32_t piece = length < VSSD_BLOCK_SIZE - at ? length : VSSD_BLOCK_SIZE - at;
		_Alignas(64) uint8_t copy[VSSD_BLOCK_SIZE];

		memcpy(copy, vssd_store_data(subsystem->store, block), sizeof(copy));
		memcpy(copy + at, from, piece);
		if (!vssd_store_put(subsystem->store, block, copy))
			return false;
		vssd_store_commit(subsystem->store, block, 1);
		from += piece;
		offset += piece;
		length -= piece;
	}
	return true;
}

static uint64_t place_of(const struct vssd_zones *zones, const struct vssd_zone *zone)
{
	return (zones->records << VSSD_BLOCK_SHIFT) + index_of(zones, zone) * sizeof(struct record);
}

static struct record read_record(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
				 const struct vssd_zone *zone)
{
	struct record record;

	vssd_store_read(subsystem->store, place_of(zones, zone), (uint8_t *)&record, sizeof(record));
	return record;
}

static enum kind kind_of(const struct vssd_zone *zone)
{
	switch (zone->state) {
	case NVME_ZONE_STATE_READ_ONLY:
		return KIND_READ_ONLY;
	case NVME_ZONE_STATE_OFFLINE:
		return KIND_OFFLINE;
	case NVME_ZONE_STATE_FULL:
		return zone->wp < vssd_zone_end(zone) ? KIND_FULL : KIND_BY_DATA;
	default:
		return zone->attributes & VSSD_ZONE_ZRWA ? KIND_ZRWA : KIND_BY_DATA;
	}
}

bool vssd_zone_record(struct vssd_subsystem *subsystem, const struct vssd_zones *zones, const struct vssd_zone *zone)
{
	struct record old, record = {
				   .kind = (uint8_t)kind_of(zone),
				   .attributes = zone->attributes,
				   .shrunk = zone->shrunk,
			   };

	if (subsystem->null_store)
		return true;
	if (record.kind == KIND_ZRWA)
		record.wp = (zone->wp - zone->start) << zones->ns->lba_shift;
	old = read_record(subsystem, zones, zone);
	return memcmp(&old, &record, sizeof(record)) == 0 ||
	       put(subsystem, place_of(zones, zone), &record, sizeof(record));
}

static uint32_t extension_size(const struct vssd_subsystem *subsystem)
{
	return subsystem->options.zones.extension * VSSD_ZONE_ALIGN;
}

static uint64_t extension_place(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
				const struct vssd_zone *zone)
{
	return (zones->extensions << VSSD_BLOCK_SHIFT) + (uint64_t)index_of(zones, zone) * extension_size(subsystem);
}

bool vssd_zone_write_extension(struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			       const struct vssd_zone *zone, const uint8_t *extension)
{
	return subsystem->null_store ||
	       put(subsystem, extension_place(subsystem, zones, zone), extension, extension_size(subsystem));
}

void vssd_zone_read_extension(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			      const struct vssd_zone *zone, uint8_t *extension)
{
	if (subsystem->null_store)
		memset(extension, 0, extension_size(subsystem));
	else
		vssd_store_read(subsystem->store, extension_place(subsystem, zones, zone), extension,
				extension_size(subsystem));
}

/* ---- after a loss of power ---- */

/* The sectors of a block of a zone, counted from its first one, that are written. */
static uint8_t sectors_of(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			  const struct vssd_zone *zone, uint64_t block)
{
	uint64_t first = zones->ns->first_block + (zone->start << zones->ns->lba_shift >> VSSD_BLOCK_SHIFT);

	return vssd_store_written(subsystem->store, first + block) | vssd_store_bad(subsystem->store, first + block);
}

/* The first LBA that is not written. The blocks before it are written, and those behind it are not. */
static uint64_t first_unwritten(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
				const struct vssd_zone *zone)
{
	uint64_t low = 0, high = zone->capacity << zones->ns->lba_shift >> VSSD_BLOCK_SHIFT, lbas;
	unsigned sectors = 0;
	uint8_t written;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (sectors_of(subsystem, zones, zone, middle) == VSSD_ALL_SECTORS)
			low = middle + 1;
		else
			high = middle;
	}
	lbas = low << VSSD_BLOCK_SHIFT >> zones->ns->lba_shift;
	if (lbas >= zone->capacity)
		return vssd_zone_end(zone);
	written = sectors_of(subsystem, zones, zone, low);
	while (written >> sectors & 1)
		sectors++;
	return zone->start + lbas + (sectors * (uint64_t)VSSD_SECTOR_SIZE >> zones->ns->lba_shift);
}

/* The state of a zone that is neither finished nor unusable, by its write pointer. */
static uint8_t state_of(const struct vssd_zone *zone)
{
	if (zone->wp >= vssd_zone_end(zone))
		return NVME_ZONE_STATE_FULL;
	return zone->wp == zone->start && !zone->attributes ? NVME_ZONE_STATE_EMPTY : NVME_ZONE_STATE_CLOSED;
}

static void recall_usable(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			  struct vssd_zone *zone, const struct record *record)
{
	uint64_t written = record->wp >> zones->ns->lba_shift;

	if (record->kind == KIND_ZRWA)
		zone->wp = zone->start + (written < zone->capacity ? written : zone->capacity);
	else
		zone->wp = first_unwritten(subsystem, zones, zone);
	zone->state = record->kind == KIND_FULL ? NVME_ZONE_STATE_FULL : state_of(zone);
	if (zone->state == NVME_ZONE_STATE_FULL)
		zone->attributes &= (uint8_t)~VSSD_ZONE_ZRWA;
}

void vssd_zone_recall(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones, struct vssd_zone *zone)
{
	const struct vssd_zone_options *options = &subsystem->options.zones;
	uint64_t bytes = options->capacity ? options->capacity : options->size;
	struct record record = read_record(subsystem, zones, zone);

	zone->shrunk = (uint64_t)record.shrunk << VSSD_BLOCK_SHIFT < bytes ? record.shrunk : 0;
	zone->capacity = vssd_zone_capacity(subsystem, zones, zone);
	zone->attributes = record.attributes & (VSSD_ZONE_EXTENDED | (record.kind == KIND_ZRWA ? VSSD_ZONE_ZRWA : 0));
	recall_usable(subsystem, zones, zone, &record);
	zone->durable = zone->wp;
	if (record.kind == KIND_READ_ONLY)
		zone->state = NVME_ZONE_STATE_READ_ONLY;
	else if (record.kind == KIND_OFFLINE)
		zone->state = NVME_ZONE_STATE_OFFLINE;
}
