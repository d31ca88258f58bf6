/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the capacity of a drive is divided: endurance groups, NVM sets in them, and namespaces in these. NVM Express
 * Base Specification 2.1, sections 3.2.2, 3.2.3, 3.8 and 8.1.4. All of it is non-volatile.
 *
 * Groups and sets have capacity, not places: the extents of namespaces may lie anywhere in the store. A drive with
 * Flexible Data Placement has one group, VSSD_ENDGID, to which all belongs; fdp.h is about it.
 */
#ifndef VSSD_SUBSYSTEM_DIVISION_H
#define VSSD_SUBSYSTEM_DIVISION_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/subsystem/annex.h"

struct vssd_ns;
struct vssd_subsystem;

#define VSSD_CONFIGURATIONS 3u /* that Select Capacity Configuration can choose; identifiers from 1 on */

/* Set up groups and sets by the options, or as the store remembers them, and put the namespaces into them. */
void vssd_division_init(struct vssd_subsystem *subsystem);

/* Whether the drive has endurance groups that the options have asked for, and whether it has NVM sets. */
bool vssd_is_divided(const struct vssd_subsystem *subsystem);
bool vssd_has_sets(const struct vssd_subsystem *subsystem);

/* The highest identifiers that groups and sets can have. */
uint16_t vssd_endgid_most(const struct vssd_subsystem *subsystem);
uint16_t vssd_setid_most(const struct vssd_subsystem *subsystem);

/* A group or a set; NULL: it does not exist. */
const uint64_t *vssd_group(const struct vssd_subsystem *subsystem, uint16_t endgid);
const struct vssd_set *vssd_set(const struct vssd_subsystem *subsystem, uint16_t setid);

/* Namespaces, groups and sets are multiples of this many blocks: 1 MiB, or less on a small drive. */
uint64_t vssd_ns_granule(const struct vssd_subsystem *subsystem);

/* The blocks that no namespace has. */
uint64_t vssd_ns_room(const struct vssd_subsystem *subsystem);

/* Blocks that are not allocated: of the drive to a group, of a group to a set (or to a namespace, if there are no
 * sets), and of a set to a namespace. The group or set must exist. */
uint64_t vssd_division_room(const struct vssd_subsystem *subsystem);
uint64_t vssd_group_room(const struct vssd_subsystem *subsystem, uint16_t endgid);
uint64_t vssd_set_room(const struct vssd_subsystem *subsystem, uint16_t setid);

/* Where a namespace is created. 0: the controller chooses. */
struct vssd_container {
	uint16_t endgid;
	uint16_t setid;
};

/* Choose where a namespace of so many blocks goes, or for lack of room the place with most of it. False: the
 * container names a group or a set that does not exist, or a set of another group. */
bool vssd_container_choose(const struct vssd_subsystem *subsystem, uint64_t blocks, struct vssd_container *container);

/* Blocks that a namespace in this container can have. Not divided: those of the drive. */
uint64_t vssd_container_room(const struct vssd_subsystem *subsystem, const struct vssd_container *container);

/* Put a namespace into a container, which vssd_container_choose() has chosen. */
void vssd_container_put(struct vssd_subsystem *subsystem, struct vssd_ns *ns, const struct vssd_container *container);

/* Create a group, or a set in a group, of so many blocks, which must be there. Returns its identifier; 0: all are in
 * use. Delete one, which has no namespaces; the sets of a group go with it. */
uint16_t vssd_group_create(struct vssd_subsystem *subsystem, uint64_t blocks);
uint16_t vssd_set_create(struct vssd_subsystem *subsystem, uint16_t endgid, uint64_t blocks);
void vssd_group_delete(struct vssd_subsystem *subsystem, uint16_t endgid);
void vssd_set_delete(struct vssd_subsystem *subsystem, uint16_t setid);

/* Describe a capacity configuration, 1 to VSSD_CONFIGURATIONS. */
void vssd_configuration(const struct vssd_subsystem *subsystem, unsigned ccid, struct vssd_plan *plan);

/* Select a configuration; 0: none, so that there are no groups. There must be no namespaces. */
void vssd_configuration_select(struct vssd_subsystem *subsystem, uint16_t ccid);

/* Account for an I/O command to a namespace. bytes: how much of the medium it read or wrote. */
void vssd_division_count(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint8_t opcode, uint64_t bytes,
			 uint16_t status);

#endif
