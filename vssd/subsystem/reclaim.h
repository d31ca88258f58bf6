/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The media of an endurance group as reclaim units: which unit holds each sector, what is written and erased, and
 * what the drive has to move before it can erase a unit (garbage collection). It holds no data, only the account of
 * them.
 */
#ifndef VSSD_SUBSYSTEM_RECLAIM_H
#define VSSD_SUBSYSTEM_RECLAIM_H

#include <stdbool.h>
#include <stdint.h>

#define VSSD_RECLAIM_HANDLES 8u
#define VSSD_RECLAIM_GROUPS 2u

struct vssd_reclaim;
struct vssd_store;

/* One of the places to write to: a reclaim unit handle in a reclaim group. */
struct vssd_reclaim_place {
	uint8_t ruh;
	uint8_t group;
};

/* Sectors that garbage collection has moved, which are adjacent in the store. */
struct vssd_reclaim_moved {
	struct vssd_reclaim_place from;
	uint64_t sector; /* of the first one */
	uint64_t count;
};

struct vssd_reclaim_statistics {
	uint64_t host_bytes;  /* written by the host */
	uint64_t media_bytes; /* written to the media */
	uint64_t erased_bytes;
};

/* Bytes that the account of a medium of that many sectors takes in a store. */
uint64_t vssd_reclaim_bytes(uint64_t sectors);

/* Create the account of a medium of that many sectors, of which none is written. With a store it is in place in its
 * account, from offset on, a multiple of 4096, and what is there already continues. NULL: no memory, or no space. */
struct vssd_reclaim *vssd_reclaim_create(uint64_t sectors, struct vssd_store *store, uint64_t offset);
void vssd_reclaim_destroy(struct vssd_reclaim *reclaim);

/* Forget everything: nothing is written. isolated: garbage collection keeps the data of the handles apart. */
void vssd_reclaim_clear(struct vssd_reclaim *reclaim, bool isolated);

/* Sectors of a reclaim unit, and how many of them are left where the next write of this place goes to. */
uint64_t vssd_reclaim_unit(const struct vssd_reclaim *reclaim);
uint64_t vssd_reclaim_left(const struct vssd_reclaim *reclaim, struct vssd_reclaim_place place);

/* The host has written sectors. extra: further bytes, of their metadata. moved is called for what garbage collection
 * moves to make room. */
void vssd_reclaim_write(struct vssd_reclaim *reclaim, struct vssd_reclaim_place place, uint64_t sector,
			uint64_t count, uint64_t extra,
			void (*moved)(void *context, const struct vssd_reclaim_moved *moved), void *context);

/* Sectors hold no data any more. */
void vssd_reclaim_discard(struct vssd_reclaim *reclaim, uint64_t sector, uint64_t count);

/* Sectors of the store are now found at a lower place, which held no data. */
void vssd_reclaim_rename(struct vssd_reclaim *reclaim, uint64_t from, uint64_t to, uint64_t count);

/* Let the next write of this place go to a new unit. False: the current one is empty, and stays. */
bool vssd_reclaim_update(struct vssd_reclaim *reclaim, struct vssd_reclaim_place place);

const struct vssd_reclaim_statistics *vssd_reclaim_statistics(const struct vssd_reclaim *reclaim);

#endif
