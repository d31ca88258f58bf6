/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flexible Data Placement: the configuration of the endurance group, the reclaim unit handles of each namespace, and
 * the events. NVM Express Base Specification 2.1, section 8.1.10. All of it is non-volatile.
 *
 * subsystem->fdp is NULL if the drive does not have it. The drive has one endurance group, to which all namespaces
 * belong.
 */
#ifndef VSSD_SUBSYSTEM_FDP_H
#define VSSD_SUBSYSTEM_FDP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/error.h"
#include "spec/nvme_fdp.h"
#include "vssd/options.h"
#include "vssd/subsystem/reclaim.h"

#define VSSD_ENDGID 1u      /* of the endurance group */
#define VSSD_FDP_EVENTS 63u /* that a log page keeps: the latest */
#define VSSD_FDP_TYPES 6u   /* of events that a host can enable */
#define VSSD_FDP_NO_PID                                                                                              \
	0u /* where writes go that name no placement identifier: the first handle, the first group                   \
	    */
#define VSSD_FDP_CONFIGURATIONS 2u

struct vssd_ns;
struct vssd_subsystem;

struct vssd_fdp_configuration {
	uint8_t handles; /* reclaim unit handles */
	uint8_t groups;  /* reclaim groups */
	uint8_t rgif;    /* bits of a placement identifier that name the group */
	uint8_t type;    /* enum nvme_ruht */
};

/* The reclaim unit handles of a namespace, by placement handle. */
struct vssd_fdp_handles {
	uint8_t count;
	uint8_t by_host; /* the host has chosen them */
	uint8_t ruh[VSSD_RECLAIM_HANDLES];
};

/* The latest events; the oldest is at first. */
struct vssd_fdp_ring {
	uint32_t first;
	uint32_t count;
	struct nvme_fdp_event events[VSSD_FDP_EVENTS];
};

/* A drive with a file keeps it in place in the account of its store, except for the last two members. */
struct vssd_fdp {
	uint32_t tag;
	uint8_t enabled;
	uint8_t configuration;                  /* index, while enabled */
	uint8_t reported[VSSD_RECLAIM_HANDLES]; /* by handle: a bit for each event type that the host has enabled */
	struct vssd_fdp_handles ns[VSSD_MAX_NAMESPACES]; /* by NSID - 1 */
	struct vssd_fdp_ring by_host;                    /* events that the host has caused */
	struct vssd_fdp_ring by_ctrl;                    /* events that the controller has caused */
	struct vssd_reclaim *reclaim;
	uint64_t time; /* of the command that is executed, as in feature 0Eh */
};

/* Bytes of the account that a drive with a file needs in its store; 0: it has no FDP, or no file. */
uint64_t vssd_fdp_bytes(const struct vssd_subsystem *subsystem);

/* Create what a drive with the option --fdp needs. A new drive has it enabled, with configuration 0; another one has
 * what its file holds. 0, or -errno. */
int vssd_fdp_create(struct vssd_subsystem *subsystem, struct pyn_error *err);
void vssd_fdp_destroy(struct vssd_subsystem *subsystem);

/* A configuration. NULL: there is none of this index. */
const struct vssd_fdp_configuration *vssd_fdp_configuration(unsigned index);

/* Enable or disable it, while there are no namespaces. Statistics and events start anew. */
void vssd_fdp_enable(struct vssd_fdp *fdp, bool enable, uint8_t configuration);

/* Whether the namespace is in a group with FDP enabled. */
bool vssd_fdp_places(const struct vssd_subsystem *subsystem);

/* Let a new namespace have these handles; if there are none, one that the controller chooses. False: there is none to
 * choose. */
bool vssd_fdp_assign(struct vssd_fdp *fdp, uint32_t nsid, const struct vssd_fdp_handles *handles);

/* Let a namespace have all handles of the configuration, or all but the last one, which remains for namespaces whose
 * hosts name none. */
void vssd_fdp_assign_all(struct vssd_fdp *fdp, uint32_t nsid, bool but_one);

/* RUHA of a handle: 0 not in use, 1 named by the host, 2 by the controller. */
uint8_t vssd_fdp_usage(const struct vssd_fdp *fdp, unsigned ruh);

/* The placement identifier of a placement handle in a reclaim group, and the reverse. False: it is invalid. */
uint16_t vssd_fdp_pid(const struct vssd_fdp *fdp, unsigned group, unsigned handle);
bool vssd_fdp_find(const struct vssd_fdp *fdp, uint32_t nsid, uint16_t pid, struct vssd_reclaim_place *place);

/* The number of an event type among those that the drive reports; VSSD_FDP_TYPES: it does not report it. And the type
 * of a number. */
unsigned vssd_fdp_type_index(uint8_t type);
uint8_t vssd_fdp_type(unsigned index);

/* The host has written LBAs of a namespace. is_placed: the command has named this placement identifier, which may be
 * invalid. */
void vssd_fdp_write(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		    bool is_placed, uint16_t pid);

/* Blocks of the store hold no data any more. */
void vssd_fdp_discard(struct vssd_subsystem *subsystem, uint64_t first_sector, uint64_t sectors);

/* Let the handle of this identifier use a new reclaim unit. False: the identifier is invalid. */
bool vssd_fdp_update(struct vssd_fdp *fdp, uint32_t nsid, uint16_t pid);

#endif
