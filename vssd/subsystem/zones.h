/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The zones of a zoned namespace: their states, their limits, and what of them outlives a loss of power. Zoned
 * Namespace Command Set Specification 1.2, section 2.1.1. vssd/cmd/zones.c has the commands.
 *
 * A zone writes its LBAs in order, and the store makes them durable in that order. So after a loss of power the write
 * pointer follows the written LBAs that the store still has. A record of each zone, in blocks behind those of the
 * namespaces, holds only what the data do not tell: that a command has finished the zone, that it is read-only or
 * offline, its random write area, and its descriptor extension. Records change durably.
 *
 * LBAs are those of the format in use. A status is NVME_SC(sct, sc), 0 is success.
 */
#ifndef VSSD_SUBSYSTEM_ZONES_H
#define VSSD_SUBSYSTEM_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "spec/nvme_data.h"
#include "vssd/fault/value.h"
#include "vssd/options.h"
#include "vssd/subsystem/part.h"

#define VSSD_ZONE_ALIGN 64u                                   /* bytes of a unit of descriptor extensions */
#define VSSD_CHANGED_ZONES 511u                               /* that the log page can list */
#define VSSD_ZONE_EXTENSION_MAX (UINT8_MAX * VSSD_ZONE_ALIGN) /* bytes */

/* Attributes of a zone, as in its descriptor. */
#define VSSD_ZONE_ZRWA 0x08u
#define VSSD_ZONE_EXTENDED 0x80u

struct vssd_ns;
struct vssd_subsystem;

struct vssd_zone {
	uint64_t start;    /* LBA */
	uint64_t wp;       /* LBA */
	uint64_t capacity; /* LBAs */
	uint64_t durable;  /* LBA: what is below it has been made durable since the zone was reset */
	uint32_t older;    /* of the implicitly opened zones, the one that was opened before and after this one */
	uint32_t newer;
	uint32_t shrunk;    /* how much a variable capacity has shrunk, in units of 4 KiB */
	uint8_t state;      /* enum nvme_zone_state */
	uint8_t attributes; /* VSSD_ZONE_ZRWA, VSSD_ZONE_EXTENDED */
};

/* What a zoned namespace can have at most; active and open 0: no limit. */
struct vssd_zone_limits {
	uint32_t active; /* zones */
	uint32_t open;
	uint32_t zrwas;
};

struct vssd_zones {
	struct vssd_ns *ns;
	struct vssd_zone_limits limits;
	uint32_t count;
	uint32_t open; /* zones in one of the two open states; implicit: in that of zones opened by a write */
	uint32_t implicit;
	uint32_t active; /* open or closed zones */
	uint32_t zrwas;  /* random write areas in use */
	uint32_t oldest; /* of the implicitly opened zones; newest: also */
	uint32_t newest;
	uint64_t size;    /* LBAs of a zone */
	uint64_t records; /* blocks of the store: where the records begin, and the descriptor extensions */
	uint64_t extensions;
	uint32_t num_changed; /* zones in changed; VSSD_CHANGED_ZONES + 1: more than fit */
	uint64_t changed[VSSD_CHANGED_ZONES];
	struct vssd_zone zone[];
};

/* The zones of a subsystem. */
struct vssd_zoned {
	struct vssd_zones *of[VSSD_MAX_NAMESPACES]; /* by NSID - 1; NULL: not zoned */
	uint32_t faults; /* what fault rules made wrong: a bit for each enum vssd_fault_zone */
};

extern const struct vssd_subsystem_part vssd_zones_part;

/* Whether a fault rule has made this wrong. */
bool vssd_zones_faulty(const struct vssd_subsystem *subsystem, enum vssd_fault_zone fault);

/* The limits of a namespace for which the host requests none. */
struct vssd_zone_limits vssd_zones_limits(const struct vssd_options *options);

/* How many blocks of the store the records of all zones take. */
uint64_t vssd_zones_blocks(const struct vssd_options *options);

/* Create the zones of all zoned namespaces of a drive. is_new: the store was empty. 0, or -ENOMEM. */
int vssd_zones_create(struct vssd_subsystem *subsystem, bool is_new, struct pyn_error *err);

/* Bytes of a zoned namespace that can be used: whole zones. */
uint64_t vssd_zones_usable(const struct vssd_options *options, uint64_t bytes);

/* The zones of a namespace, or NULL: it has none. */
struct vssd_zones *vssd_zones_of(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

/* The zone of an LBA below NSZE. */
static inline struct vssd_zone *vssd_zone_at(struct vssd_zones *zones, uint64_t lba)
{
	return &zones->zone[lba / zones->size];
}

/* The LBA behind the last one that can be written. */
static inline uint64_t vssd_zone_end(const struct vssd_zone *zone)
{
	return zone->start + zone->capacity;
}

/* Create the zones of a namespace that the host has created. False: there is no memory for them. */
bool vssd_zones_add(struct vssd_subsystem *subsystem, struct vssd_ns *ns, const struct vssd_zone_limits *limits);

/* Forget the zones of a namespace that is deleted, and their records. */
void vssd_zones_drop(struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

/* Make all zones of a namespace empty, except read-only and offline ones, after a format (which has erased the data,
 * and may have changed the LBA size) or a sanitize operation (which may have left a pattern). */
void vssd_zones_erased(struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

/* Whether so many zones more can be active and open, after implicitly opened zones are closed as needed. Returns a
 * status, and closes them only if it is success. */
uint16_t vssd_zones_make_room(struct vssd_subsystem *subsystem, struct vssd_zones *zones, uint32_t active,
			      uint32_t open);

/* Open a zone: implicitly for a write, or explicitly. Returns a status. */
uint16_t vssd_zone_open(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone,
			bool explicitly);

/* Give an explicitly opened zone a random write area. Returns a status. */
uint16_t vssd_zone_take_zrwa(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone);

/* The other transitions that a host requests. Each returns a status. */
uint16_t vssd_zone_close(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone);
uint16_t vssd_zone_finish(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone);
uint16_t vssd_zone_reset(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone);
uint16_t vssd_zone_offline(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone);

/* Set the descriptor extension of an empty zone, which becomes active, or get that of any zone: zeros if it has none.
 * extension: VSSD_ZONE_ALIGN times the option zdes bytes. */
uint16_t vssd_zone_set_extension(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone,
				 const uint8_t *extension);
void vssd_zone_extension(const struct vssd_subsystem *subsystem, const struct vssd_zones *zones,
			 const struct vssd_zone *zone, uint8_t *extension);

/* Advance the write pointer of an open zone after a write. The zone becomes full at its end. */
void vssd_zone_advance(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone,
		       uint64_t wp);

/* Make the data of a zone below an LBA durable. */
void vssd_zone_commit(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone,
		      uint64_t end);

/* The medium fails in a zone: it becomes read-only, or offline. Tells the controllers. */
void vssd_zone_fail(struct vssd_subsystem *subsystem, struct vssd_zones *zones, struct vssd_zone *zone, bool offline);

#endif
