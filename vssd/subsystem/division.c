/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/division.h"

#include <string.h>

#include "spec/nvme_cmd.h"
#include "vssd/subsystem/subsystem.h"

#define MOST_GRANULE 256u    /* blocks */
#define LEAST_GRANULES 1024u /* that a drive has, unless its granule is one block */
#define NVME_SCT_OF_MEDIA 2u /* SCT of media and data integrity errors */

static struct vssd_division *state_of(const struct vssd_subsystem *subsystem)
{
	return &subsystem->annex->division;
}

bool vssd_is_divided(const struct vssd_subsystem *subsystem)
{
	return subsystem->options.division.groups || subsystem->options.division.sets;
}

bool vssd_has_sets(const struct vssd_subsystem *subsystem)
{
	return subsystem->options.division.sets;
}

static uint32_t num_groups(const struct vssd_subsystem *subsystem)
{
	const struct vssd_division_options *options = &subsystem->options.division;

	return options->groups || !options->sets ? options->groups : 1;
}

uint16_t vssd_endgid_most(const struct vssd_subsystem *subsystem)
{
	if (subsystem->fdp)
		return VSSD_ENDGID;
	return (uint16_t)(subsystem->options.division.management ? VSSD_MAX_GROUPS : num_groups(subsystem));
}

uint16_t vssd_setid_most(const struct vssd_subsystem *subsystem)
{
	const struct vssd_division_options *options = &subsystem->options.division;

	return (uint16_t)(options->sets && options->management ? VSSD_MAX_SETS : options->sets);
}

/* ---- what there is ---- */

const uint64_t *vssd_group(const struct vssd_subsystem *subsystem, uint16_t endgid)
{
	const struct vssd_plan *now = &state_of(subsystem)->now;

	if (!vssd_is_divided(subsystem) || endgid - 1u >= VSSD_MAX_GROUPS || !now->groups[endgid - 1])
		return NULL;
	return &now->groups[endgid - 1];
}

const struct vssd_set *vssd_set(const struct vssd_subsystem *subsystem, uint16_t setid)
{
	const struct vssd_plan *now = &state_of(subsystem)->now;

	if (!vssd_has_sets(subsystem) || setid - 1u >= VSSD_MAX_SETS || !now->sets[setid - 1].blocks)
		return NULL;
	return &now->sets[setid - 1];
}

/* Blocks of the namespaces in a group, or in a set. */
static uint64_t blocks_in(const struct vssd_subsystem *subsystem, uint16_t endgid, uint16_t setid)
{
	uint64_t blocks = 0;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		const struct vssd_ns *ns = &subsystem->ns[i];

		if (ns->nsid && (setid ? ns->setid == setid : ns->endgid == endgid))
			blocks += ns->blocks;
	}
	return blocks;
}

static uint64_t less(uint64_t all, uint64_t used)
{
	return used < all ? all - used : 0;
}

uint64_t vssd_division_room(const struct vssd_subsystem *subsystem)
{
	uint64_t used = 0;

	for (unsigned i = 0; i < VSSD_MAX_GROUPS; i++)
		used += state_of(subsystem)->now.groups[i];
	return less(subsystem->blocks, used);
}

uint64_t vssd_group_room(const struct vssd_subsystem *subsystem, uint16_t endgid)
{
	const struct vssd_plan *now = &state_of(subsystem)->now;
	uint64_t used = 0;

	if (!vssd_has_sets(subsystem))
		return less(now->groups[endgid - 1], blocks_in(subsystem, endgid, 0));
	for (unsigned i = 0; i < VSSD_MAX_SETS; i++)
		used += now->sets[i].endgid == endgid ? now->sets[i].blocks : 0;
	return less(now->groups[endgid - 1], used);
}

uint64_t vssd_set_room(const struct vssd_subsystem *subsystem, uint16_t setid)
{
	return less(state_of(subsystem)->now.sets[setid - 1].blocks, blocks_in(subsystem, 0, setid));
}

/* ---- namespaces ---- */

uint64_t vssd_ns_room(const struct vssd_subsystem *subsystem)
{
	uint64_t room = subsystem->blocks;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		room -= subsystem->ns[i].blocks;
	return room;
}

uint64_t vssd_ns_granule(const struct vssd_subsystem *subsystem)
{
	uint64_t granule = MOST_GRANULE;

	while (granule > 1 && subsystem->blocks / granule < LEAST_GRANULES)
		granule /= 2;
	return granule;
}

uint64_t vssd_container_room(const struct vssd_subsystem *subsystem, const struct vssd_container *container)
{
	if (!vssd_is_divided(subsystem))
		return vssd_ns_room(subsystem);
	if (vssd_has_sets(subsystem))
		return container->setid ? vssd_set_room(subsystem, container->setid) : 0;
	return container->endgid ? vssd_group_room(subsystem, container->endgid) : 0;
}

/* Take another container if it has more room, unless the one so far has enough. */
static void prefer(const struct vssd_subsystem *subsystem, uint64_t blocks, struct vssd_container other,
		   struct vssd_container *best)
{
	uint64_t room = vssd_container_room(subsystem, best);

	if (room < blocks && vssd_container_room(subsystem, &other) > room)
		*best = other;
}

static bool choose_set(const struct vssd_subsystem *subsystem, uint64_t blocks, struct vssd_container *container)
{
	const struct vssd_set *named = vssd_set(subsystem, container->setid);
	struct vssd_container best = {0, 0};

	if (container->setid && (!named || (container->endgid && container->endgid != named->endgid)))
		return false;
	for (uint16_t setid = 1; setid <= VSSD_MAX_SETS; setid++) {
		const struct vssd_set *set = vssd_set(subsystem, setid);

		if (set && (!container->setid || container->setid == setid) &&
		    (!container->endgid || container->endgid == set->endgid))
			prefer(subsystem, blocks, (struct vssd_container){set->endgid, setid}, &best);
	}
	if (container->setid)
		best = (struct vssd_container){named->endgid, container->setid};
	*container = best;
	return true;
}

bool vssd_container_choose(const struct vssd_subsystem *subsystem, uint64_t blocks, struct vssd_container *container)
{
	struct vssd_container best = {container->endgid, 0};

	if (!vssd_is_divided(subsystem))
		return !container->setid && container->endgid <= (subsystem->fdp ? VSSD_ENDGID : 0);
	if (container->endgid && !vssd_group(subsystem, container->endgid))
		return false;
	if (vssd_has_sets(subsystem))
		return choose_set(subsystem, blocks, container);
	if (container->setid)
		return false;
	for (uint16_t endgid = 1; endgid <= VSSD_MAX_GROUPS && !container->endgid; endgid++)
		if (vssd_group(subsystem, endgid))
			prefer(subsystem, blocks, (struct vssd_container){endgid, 0}, &best);
	*container = best;
	return true;
}

void vssd_container_put(struct vssd_subsystem *subsystem, struct vssd_ns *ns, const struct vssd_container *container)
{
	ns->endgid = subsystem->fdp ? VSSD_ENDGID : (uint8_t)container->endgid;
	ns->setid = (uint8_t)container->setid;
	state_of(subsystem)->ns_endgid[ns->nsid - 1] = container->endgid;
	state_of(subsystem)->ns_setid[ns->nsid - 1] = container->setid;
}

/* ---- creation and deletion ---- */

uint16_t vssd_group_create(struct vssd_subsystem *subsystem, uint64_t blocks)
{
	struct vssd_division *state = state_of(subsystem);

	for (unsigned i = 0; i < VSSD_MAX_GROUPS; i++)
		if (!state->now.groups[i]) {
			state->counts[i] = (struct vssd_group_counts){0};
			state->now.groups[i] = blocks;
			return (uint16_t)(i + 1);
		}
	return 0;
}

uint16_t vssd_set_create(struct vssd_subsystem *subsystem, uint16_t endgid, uint64_t blocks)
{
	struct vssd_division *state = state_of(subsystem);

	for (unsigned i = 0; i < VSSD_MAX_SETS; i++)
		if (!state->now.sets[i].blocks) {
			state->recovery[i + 1] = 0;
			state->now.sets[i] = (struct vssd_set){.blocks = blocks, .endgid = endgid};
			return (uint16_t)(i + 1);
		}
	return 0;
}

void vssd_set_delete(struct vssd_subsystem *subsystem, uint16_t setid)
{
	state_of(subsystem)->now.sets[setid - 1] = (struct vssd_set){0};
}

void vssd_group_delete(struct vssd_subsystem *subsystem, uint16_t endgid)
{
	struct vssd_plan *now = &state_of(subsystem)->now;

	for (unsigned i = 0; i < VSSD_MAX_SETS; i++)
		if (now->sets[i].endgid == endgid)
			now->sets[i] = (struct vssd_set){0};
	now->groups[endgid - 1] = 0;
}

/* ---- configurations ---- */

/* Divide all the capacity evenly. */
static void divide_evenly(const struct vssd_subsystem *subsystem, unsigned groups, unsigned sets_each,
			  struct vssd_plan *plan)
{
	uint64_t granule = vssd_ns_granule(subsystem), each = subsystem->blocks / groups / granule * granule;

	*plan = (struct vssd_plan){.groups = {0}};
	for (unsigned group = 0; group < groups; group++) {
		bool is_last = group == groups - 1;
		uint64_t part;

		plan->groups[group] = is_last ? subsystem->blocks - each * group : each;
		part = sets_each ? plan->groups[group] / sets_each / granule * granule : 0;
		for (unsigned set = 0; set < sets_each; set++)
			plan->sets[group * sets_each + set] = (struct vssd_set){
				.blocks = set == sets_each - 1 ? plan->groups[group] - part * set : part,
				.endgid = (uint16_t)(group + 1),
			};
	}
}

void vssd_configuration(const struct vssd_subsystem *subsystem, unsigned ccid, struct vssd_plan *plan)
{
	bool has_sets = vssd_has_sets(subsystem);

	if (ccid == 1)
		*plan = state_of(subsystem)->first;
	else if (ccid == 2)
		divide_evenly(subsystem, 1, has_sets, plan);
	else
		divide_evenly(subsystem, 2, has_sets ? 2 : 0, plan);
}

void vssd_configuration_select(struct vssd_subsystem *subsystem, uint16_t ccid)
{
	struct vssd_division *state = state_of(subsystem);

	state->now = (struct vssd_plan){.groups = {0}};
	memset(state->counts, 0, sizeof(state->counts));
	memset(state->recovery, 0, sizeof(state->recovery));
	if (ccid)
		vssd_configuration(subsystem, ccid, &state->now);
	state->selected = ccid;
}

/* ---- what is counted ---- */

void vssd_division_count(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint8_t opcode, uint64_t bytes,
			 uint16_t status)
{
	struct vssd_group_counts *counts;
	bool is_write = opcode == NVME_IO_WRITE || opcode == NVME_IO_ZONE_APPEND || opcode == NVME_IO_COPY;

	if (!vssd_group(subsystem, ns->endgid))
		return;
	counts = &state_of(subsystem)->counts[ns->endgid - 1];
	counts->reads += opcode == NVME_IO_READ || opcode == NVME_IO_COMPARE || opcode == NVME_IO_COPY;
	counts->writes += is_write;
	*(is_write ? &counts->sectors_written : &counts->sectors_read) += bytes / VSSD_SECTOR_SIZE;
	counts->errors += status != NVME_SC_SUCCESS;
	counts->media_errors += status >> 8 == NVME_SCT_OF_MEDIA && status != NVME_SC_COMPARE_FAILURE &&
				status != NVME_SC_DEALLOCATED_OR_UNWRITTEN;
}

/* ---- at the beginning ---- */

/* Whether what the store remembers is a division of this drive. */
static bool is_good(const struct vssd_subsystem *subsystem)
{
	const struct vssd_division *state = state_of(subsystem);
	uint64_t left = subsystem->blocks;

	if (!state->in_use || state->has_sets != vssd_has_sets(subsystem) || state->selected > VSSD_CONFIGURATIONS)
		return false;
	for (uint16_t endgid = 1; endgid <= VSSD_MAX_GROUPS; endgid++) {
		uint64_t sets = 0, blocks = state->now.groups[endgid - 1];

		for (unsigned i = 0; i < VSSD_MAX_SETS; i++) {
			const struct vssd_set *set = &state->now.sets[i];

			if (set->blocks && set->endgid - 1u >= VSSD_MAX_GROUPS)
				return false;
			if (set->endgid == endgid && (set->blocks > blocks || (sets += set->blocks) > blocks))
				return false;
		}
		if (blocks > left)
			return false;
		left -= blocks;
	}
	return true;
}

/* Whether the store remembers a container for each namespace, with room for it. */
static bool holds_all(struct vssd_subsystem *subsystem)
{
	const struct vssd_division *state = state_of(subsystem);

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		struct vssd_container wanted = {state->ns_endgid[i], state->ns_setid[i]}, found = wanted;

		if (!subsystem->ns[i].nsid)
			continue;
		if (!vssd_container_choose(subsystem, 0, &found) || !wanted.endgid || found.setid != wanted.setid ||
		    vssd_container_room(subsystem, &wanted) < subsystem->ns[i].blocks)
			return false;
		vssd_container_put(subsystem, &subsystem->ns[i], &wanted);
	}
	return true;
}

/* Divide the capacity by the options: the namespaces go into the groups or sets in turn, and so does the rest. */
static void divide(struct vssd_subsystem *subsystem)
{
	const struct vssd_division_options *options = &subsystem->options.division;
	struct vssd_division *state = state_of(subsystem);
	uint32_t groups = num_groups(subsystem), parts = options->sets ? options->sets : groups, part = 0;
	uint64_t rest = options->management == VSSD_CAPACITY_VARIABLE ? 0 : vssd_ns_room(subsystem);
	uint64_t granule = vssd_ns_granule(subsystem), share = rest / parts / granule * granule;
	struct vssd_plan *plan = &state->now;

	*plan = (struct vssd_plan){.groups = {0}};
	memset(state->counts, 0, sizeof(state->counts));
	for (uint32_t i = 0; i < parts; i++) {
		uint16_t endgid = (uint16_t)((options->sets ? i * groups / parts : i) + 1);
		uint64_t blocks = i == parts - 1 ? rest - share * i : share;

		plan->groups[endgid - 1] += blocks;
		if (options->sets)
			plan->sets[i] = (struct vssd_set){.blocks = blocks, .endgid = endgid};
	}
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		struct vssd_container container = {(uint16_t)(part + 1), 0};

		if (!subsystem->ns[i].nsid)
			continue;
		if (options->sets)
			container = (struct vssd_container){plan->sets[part].endgid, (uint16_t)(part + 1)};
		plan->groups[container.endgid - 1] += subsystem->ns[i].blocks;
		if (options->sets)
			plan->sets[part].blocks += subsystem->ns[i].blocks;
		vssd_container_put(subsystem, &subsystem->ns[i], &container);
		part = (part + 1) % parts;
	}
	state->first = *plan;
	state->has_sets = options->sets != 0;
	state->selected = options->management == VSSD_CAPACITY_FIXED;
	state->in_use = 1;
}

/* The one endurance group of Flexible Data Placement. */
static void put_all(struct vssd_subsystem *subsystem)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && subsystem->fdp; i++)
		if (subsystem->ns[i].nsid)
			vssd_container_put(subsystem, &subsystem->ns[i], &(struct vssd_container){0, 0});
}

void vssd_division_init(struct vssd_subsystem *subsystem)
{
	if (!vssd_is_divided(subsystem))
		put_all(subsystem);
	else if (!is_good(subsystem) || !holds_all(subsystem))
		divide(subsystem);
}
