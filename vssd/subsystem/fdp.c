/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/fdp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vssd/subsystem/subsystem.h"

/* Bits of FDPEF. Base 2.1, section 5.1.12.1.31. */
#define HAS_PID 1u
#define HAS_NSID 2u
#define HAS_LOCATION 4u
#define HAS_LBA 1u /* of the bytes that are specific to Media Reallocated */
#define MOST_NLBAM 65535u
#define TAG 0x31504446u  /* "FDP1" */
#define OWN_BYTES 16384u /* of the account; the reclaim units follow */
_Static_assert(sizeof(struct vssd_fdp) <= OWN_BYTES, "account");

static const struct vssd_fdp_configuration configurations[VSSD_FDP_CONFIGURATIONS] = {
	{.handles = 8, .groups = 1, .rgif = 0, .type = NVME_RUHT_INITIALLY_ISOLATED},
	{.handles = 4, .groups = 2, .rgif = 1, .type = NVME_RUHT_PERSISTENTLY_ISOLATED},
};

/* A host can enable all types. Those of time limits and of handles that the controller modifies never happen, because
 * reclaim units have no time limit, and handles survive resets. */
static const uint8_t types[VSSD_FDP_TYPES] = {
	NVME_FDP_EVENT_RU_NOT_FULLY_WRITTEN, NVME_FDP_EVENT_RU_TIME_LIMIT,     NVME_FDP_EVENT_RESET,
	NVME_FDP_EVENT_INVALID_PID,          NVME_FDP_EVENT_MEDIA_REALLOCATED, NVME_FDP_EVENT_RUH_CHANGED,
};

/* ---- configuration ---- */

static bool has_fdp(const struct vssd_subsystem *subsystem)
{
	return subsystem->options.optional.fdp && subsystem->options.version >= NVME_2_0;
}

static uint64_t sectors_of(const struct vssd_subsystem *subsystem)
{
	return subsystem->blocks * (VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE);
}

uint64_t vssd_fdp_bytes(const struct vssd_subsystem *subsystem)
{
	if (!has_fdp(subsystem) || !subsystem->options.file)
		return 0;
	return OWN_BYTES + vssd_reclaim_bytes(sectors_of(subsystem));
}

/* Whether the file holds a state that this program can work with. */
static bool is_usable(const struct vssd_fdp *fdp)
{
	if (fdp->tag != TAG || fdp->enabled > 1 || fdp->configuration >= VSSD_FDP_CONFIGURATIONS)
		return false;
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		if (fdp->ns[i].count > configurations[fdp->configuration].handles)
			return false;
		for (unsigned handle = 0; handle < fdp->ns[i].count; handle++)
			if (fdp->ns[i].ruh[handle] >= configurations[fdp->configuration].handles)
				return false;
	}
	return fdp->by_host.first < VSSD_FDP_EVENTS && fdp->by_host.count <= VSSD_FDP_EVENTS &&
	       fdp->by_ctrl.first < VSSD_FDP_EVENTS && fdp->by_ctrl.count <= VSSD_FDP_EVENTS;
}

int vssd_fdp_create(struct vssd_subsystem *subsystem, struct pyn_error *err)
{
	bool in_file = vssd_fdp_bytes(subsystem);
	struct vssd_fdp *fdp;

	if (!has_fdp(subsystem))
		return 0;
	if (in_file && !vssd_store_account_for(subsystem->store, 0, OWN_BYTES))
		return pyn_error(err, PYN_ERROR_SYSTEM, ENOSPC, "no space for FDP in %s", subsystem->options.file);
	fdp = in_file ? vssd_store_account(subsystem->store) : calloc(1, sizeof(*fdp));
	subsystem->fdp = fdp;
	if (fdp)
		fdp->reclaim =
			vssd_reclaim_create(sectors_of(subsystem), in_file ? subsystem->store : NULL, OWN_BYTES);
	if (!fdp || !fdp->reclaim)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the reclaim units");
	if (!is_usable(fdp))
		vssd_fdp_enable(fdp, true, 0);
	return 0;
}

void vssd_fdp_destroy(struct vssd_subsystem *subsystem)
{
	if (!subsystem->fdp)
		return;
	vssd_reclaim_destroy(subsystem->fdp->reclaim);
	if (!vssd_fdp_bytes(subsystem))
		free(subsystem->fdp);
	subsystem->fdp = NULL;
}

const struct vssd_fdp_configuration *vssd_fdp_configuration(unsigned index)
{
	return index < VSSD_FDP_CONFIGURATIONS ? &configurations[index] : NULL;
}

void vssd_fdp_enable(struct vssd_fdp *fdp, bool enable, uint8_t configuration)
{
	struct vssd_reclaim *reclaim = fdp->reclaim;

	*fdp = (struct vssd_fdp){.tag = TAG, .enabled = enable, .configuration = configuration, .reclaim = reclaim};
	vssd_reclaim_clear(reclaim, configurations[configuration].type == NVME_RUHT_PERSISTENTLY_ISOLATED);
}

bool vssd_fdp_places(const struct vssd_subsystem *subsystem)
{
	return subsystem->fdp && subsystem->fdp->enabled;
}

/* ---- handles ---- */

uint8_t vssd_fdp_usage(const struct vssd_fdp *fdp, unsigned ruh)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		for (unsigned handle = 0; handle < fdp->ns[i].count; handle++)
			if (fdp->ns[i].ruh[handle] == ruh)
				return fdp->ns[i].by_host ? 1 : 2;
	return 0;
}

bool vssd_fdp_assign(struct vssd_fdp *fdp, uint32_t nsid, const struct vssd_fdp_handles *handles)
{
	struct vssd_fdp_handles *own = &fdp->ns[nsid - 1];
	unsigned count = configurations[fdp->configuration].handles, unused = count, chosen = count;

	*own = *handles;
	if (own->count)
		return true;
	for (unsigned ruh = count; ruh-- > 0;) {
		if (vssd_fdp_usage(fdp, ruh) == 0)
			unused = ruh;
		if (vssd_fdp_usage(fdp, ruh) == 2)
			chosen = ruh;
	}
	own->ruh[0] = (uint8_t)(chosen < count ? chosen : unused);
	own->count = own->ruh[0] < count;
	return own->count;
}

void vssd_fdp_assign_all(struct vssd_fdp *fdp, uint32_t nsid, bool but_one)
{
	struct vssd_fdp_handles *own = &fdp->ns[nsid - 1];

	own->by_host = true;
	own->count = (uint8_t)(configurations[fdp->configuration].handles - but_one);
	for (uint8_t ruh = 0; ruh < own->count; ruh++)
		own->ruh[ruh] = ruh;
}

uint16_t vssd_fdp_pid(const struct vssd_fdp *fdp, unsigned group, unsigned handle)
{
	unsigned rgif = configurations[fdp->configuration].rgif;

	return (uint16_t)(group << (16 - rgif) | handle);
}

bool vssd_fdp_find(const struct vssd_fdp *fdp, uint32_t nsid, uint16_t pid, struct vssd_reclaim_place *place)
{
	const struct vssd_fdp_configuration *in_use = &configurations[fdp->configuration];
	const struct vssd_fdp_handles *own = &fdp->ns[nsid - 1];
	unsigned shift = 16u - in_use->rgif, group = (unsigned)pid >> shift, handle = pid & ((1u << shift) - 1);

	if (group >= in_use->groups || handle >= own->count)
		return false;
	*place = (struct vssd_reclaim_place){.ruh = own->ruh[handle], .group = (uint8_t)group};
	return true;
}

/* ---- events ---- */

unsigned vssd_fdp_type_index(uint8_t type)
{
	unsigned index = 0;

	while (index < VSSD_FDP_TYPES && types[index] != type)
		index++;
	return index;
}

uint8_t vssd_fdp_type(unsigned index)
{
	return types[index];
}

/* Log an event, if the host has enabled its type for this handle. The oldest makes room for it. */
static void report(struct vssd_fdp *fdp, uint8_t ruh, const struct nvme_fdp_event *event)
{
	struct vssd_fdp_ring *ring = event->et & 0x80 ? &fdp->by_ctrl : &fdp->by_host;
	struct nvme_fdp_event *place = &ring->events[(ring->first + ring->count) % VSSD_FDP_EVENTS];

	if (!(fdp->reported[ruh] >> vssd_fdp_type_index(event->et) & 1))
		return;
	if (ring->count == VSSD_FDP_EVENTS)
		ring->first = (ring->first + 1) % VSSD_FDP_EVENTS;
	else
		ring->count++;
	*place = *event;
	place->ets = fdp->time;
}

/* Log what garbage collection has moved, an event for each namespace. */
static void report_moved(void *context, const struct vssd_reclaim_moved *moved)
{
	struct vssd_subsystem *subsystem = context;
	uint64_t block = moved->sector / (VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE);
	const struct vssd_ns *ns = vssd_subsystem_ns_at(subsystem, block);
	struct nvme_fdp_event event = {.et = NVME_FDP_EVENT_MEDIA_REALLOCATED, .fdpef = HAS_LOCATION};
	uint64_t lba, nlbam;
	uint16_t nlbam16;

	event.rgid = moved->from.group;
	event.ruhid = moved->from.ruh;
	if (ns) {
		unsigned shift = ns->lba_shift - 9u;

		lba = (moved->sector - ns->first_block * (VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE)) >> shift;
		nlbam = moved->count >> shift;
		nlbam16 = (uint16_t)(nlbam < MOST_NLBAM ? nlbam : MOST_NLBAM);
		event.fdpef |= HAS_NSID;
		event.nsid = ns->nsid;
		event.ets_specific[0] = HAS_LBA;
		memcpy(&event.ets_specific[2], &nlbam16, sizeof(nlbam16));
		memcpy(&event.ets_specific[4], &lba, sizeof(lba));
	}
	report(subsystem->fdp, moved->from.ruh, &event);
}

/* ---- what happens ---- */

void vssd_fdp_write(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		    bool is_placed, uint16_t pid)
{
	struct vssd_fdp *fdp = subsystem->fdp;
	unsigned shift = ns->lba_shift - 9u;
	uint64_t first = ns->first_block * (VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE) + (slba << shift);
	struct vssd_reclaim_place place = {0};

	vssd_fdp_find(fdp, ns->nsid, VSSD_FDP_NO_PID, &place);
	if (is_placed && !vssd_fdp_find(fdp, ns->nsid, pid, &place))
		report(fdp, place.ruh,
		       &(struct nvme_fdp_event){.et = NVME_FDP_EVENT_INVALID_PID,
						.fdpef = HAS_PID | HAS_NSID,
						.pid = pid,
						.nsid = ns->nsid});
	vssd_reclaim_write(fdp->reclaim, place, first, nlb << shift, nlb * ns->metadata, report_moved, subsystem);
}

void vssd_fdp_discard(struct vssd_subsystem *subsystem, uint64_t first_sector, uint64_t sectors)
{
	if (subsystem->fdp)
		vssd_reclaim_discard(subsystem->fdp->reclaim, first_sector, sectors);
}

bool vssd_fdp_update(struct vssd_fdp *fdp, uint32_t nsid, uint16_t pid)
{
	struct vssd_reclaim_place place;

	if (!vssd_fdp_find(fdp, nsid, pid, &place))
		return false;
	if (vssd_reclaim_update(fdp->reclaim, place))
		report(fdp, place.ruh,
		       &(struct nvme_fdp_event){.et = NVME_FDP_EVENT_RU_NOT_FULLY_WRITTEN,
						.fdpef = HAS_PID | HAS_NSID | HAS_LOCATION,
						.pid = pid,
						.nsid = nsid,
						.rgid = place.group,
						.ruhid = place.ruh});
	return true;
}
