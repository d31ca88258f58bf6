/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/lba_status.h"

#include <string.h>

#include "vssd/subsystem/subsystem.h"

#define ALL_LBAS UINT32_MAX /* NLRD: there is no list, any LBA may be unreadable */
#define SCAN 0x10u          /* RATYPE, as ATYPE of Get LBA Status */
#define TRACKED 0x11u
#define MOST_LBAS (UINT64_C(1) << 32) /* of a range */
#define SPLITS 32u /* ranges that the largest drive needs more than runs, since they have less LBAs */

_Static_assert(sizeof(struct nvme_lba_status_log) + VSSD_MAX_NAMESPACES * sizeof(struct nvme_lba_status_ns) +
			       (VSSD_TRACKED + SPLITS) * sizeof(struct nvme_lba_status_range) <=
		       VSSD_LBA_STATUS_PAGE,
	       "log page 0Eh");

bool vssd_lba_status_is_there(const struct vssd_options *options)
{
	return options->optional.media.lba_status && !options->null_store;
}

/* ---- unreadable LBAs ---- */

/* The block of the first byte of an LBA. */
static uint64_t block_of(const struct vssd_ns *ns, uint64_t lba)
{
	return ns->first_block + (lba << ns->lba_shift >> VSSD_BLOCK_SHIFT);
}

static bool is_unreadable(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, uint64_t lba)
{
	uint64_t block = block_of(ns, lba), end = block_of(ns, lba + 1);
	uint32_t offset = (uint32_t)(lba << ns->lba_shift) & (VSSD_BLOCK_SIZE - 1);

	if (ns->lba_shift < VSSD_BLOCK_SHIFT)
		return vssd_store_bad(subsystem->store, block) & vssd_store_sectors(offset, 1u << ns->lba_shift);
	return vssd_store_next_bad(subsystem->store, block, end) < end;
}

/* The first LBA that has a byte in a block. */
static uint64_t lba_at(const struct vssd_ns *ns, uint64_t block)
{
	return (block - ns->first_block) << VSSD_BLOCK_SHIFT >> ns->lba_shift;
}

bool vssd_lbas_unreadable(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, struct vssd_lbas within,
			  struct vssd_lbas *run)
{
	uint64_t lba = within.first;

	while (lba < within.end && !is_unreadable(subsystem, ns, lba)) {
		uint64_t behind = block_of(ns, within.end - 1) + 1;
		uint64_t block = vssd_store_next_bad(subsystem->store, block_of(ns, lba), behind);

		if (block == behind)
			return false;
		lba = lba_at(ns, block) > lba ? lba_at(ns, block) : lba + 1;
	}
	if (lba >= within.end)
		return false;
	run->first = lba;
	while (lba < within.end && lba - run->first < MOST_LBAS && is_unreadable(subsystem, ns, lba))
		lba++;
	run->end = lba;
	return true;
}

/* ---- tracked LBAs ---- */

/* Insert a run before entry i. False: the list is full. */
static bool insert(struct vssd_tracked_saved *saved, uint32_t i, uint32_t nsid, struct vssd_lbas run)
{
	if (saved->used == VSSD_TRACKED)
		return false;
	memmove(&saved->tracked[i + 1], &saved->tracked[i], (saved->used - i) * sizeof(saved->tracked[0]));
	saved->tracked[i] = (struct vssd_tracked){.nsid = nsid, .first = run.first, .end = run.end};
	saved->used++;
	return true;
}

static void remove_at(struct vssd_tracked_saved *saved, uint32_t i)
{
	saved->used--;
	memmove(&saved->tracked[i], &saved->tracked[i + 1], (saved->used - i) * sizeof(saved->tracked[0]));
}

enum added { NOTHING, LBAS, NO_ROOM };

/* Add a run, merged with those that it touches. Entries are in the order of their LBAs, and never touch. */
static enum added add(struct vssd_tracked_saved *saved, uint32_t nsid, struct vssd_lbas run)
{
	uint32_t i = 0;

	while (i < saved->used && (saved->tracked[i].nsid < nsid ||
				   (saved->tracked[i].nsid == nsid && saved->tracked[i].end < run.first)))
		i++;
	while (i < saved->used && saved->tracked[i].nsid == nsid && saved->tracked[i].first <= run.end) {
		const struct vssd_tracked *old = &saved->tracked[i];

		if (old->first <= run.first && run.end <= old->end)
			return NOTHING;
		run.first = old->first < run.first ? old->first : run.first;
		run.end = old->end > run.end ? old->end : run.end;
		remove_at(saved, i);
	}
	return insert(saved, i, nsid, run) ? LBAS : NO_ROOM;
}

static void tell(struct vssd_subsystem *subsystem)
{
	subsystem->health.lba_status.news++;
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_LBA_STATUS);
}

/* The unreadable LBAs of a namespace are not all tracked. */
static void set_unknown(struct vssd_subsystem *subsystem, uint32_t nsid)
{
	for (uint32_t i = 0; i < VSSD_MAX_CONTROLLERS; i++)
		subsystem->health.lba_status.unknown[i] |= 1u << (nsid - 1);
}

void vssd_lba_status_track(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, struct vssd_lbas within,
			   bool scan)
{
	struct vssd_lbas run;
	bool is_news = false;

	if (!vssd_lba_status_is_there(&subsystem->options))
		return;
	for (; vssd_lbas_unreadable(subsystem, ns, within, &run); within.first = run.end) {
		enum added added = add(&subsystem->annex->tracked, ns->nsid, run);

		if (added == NO_ROOM && !scan)
			set_unknown(subsystem, ns->nsid);
		is_news |= added == LBAS || (added == NO_ROOM && !scan);
	}
	if (is_news)
		tell(subsystem);
}

bool vssd_lbas_tracked(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, struct vssd_lbas within,
		       struct vssd_lbas *run)
{
	const struct vssd_tracked_saved *saved = &subsystem->annex->tracked;

	for (uint32_t i = 0; i < saved->used && within.first < within.end; i++) {
		const struct vssd_tracked *found = &saved->tracked[i];

		if (found->nsid != ns->nsid || found->end <= within.first || found->first >= within.end)
			continue;
		run->first = found->first > within.first ? found->first : within.first;
		run->end = found->end < within.end ? found->end : within.end;
		if (run->end - run->first > MOST_LBAS)
			run->end = run->first + MOST_LBAS;
		return true;
	}
	return false;
}

void vssd_lba_status_update(struct vssd_subsystem *subsystem)
{
	struct vssd_tracked_saved old = subsystem->annex->tracked;

	subsystem->annex->tracked.used = 0;
	for (uint32_t i = 0; i < old.used; i++) {
		const struct vssd_ns *ns = vssd_subsystem_ns(subsystem, old.tracked[i].nsid);
		struct vssd_lbas left = {old.tracked[i].first, old.tracked[i].end}, run;

		if (ns && left.end > ns->nsze)
			left.end = ns->nsze;
		for (; ns && vssd_lbas_unreadable(subsystem, ns, left, &run); left.first = run.end)
			if (add(&subsystem->annex->tracked, ns->nsid, run) == NO_ROOM)
				set_unknown(subsystem, ns->nsid);
	}
}

void vssd_lba_status_lose(struct vssd_subsystem *subsystem)
{
	if (!vssd_lba_status_is_there(&subsystem->options))
		return;
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (subsystem->ns[i].nsid)
			set_unknown(subsystem, i + 1);
	tell(subsystem);
}

void vssd_lba_status_read(struct vssd_subsystem *subsystem, uint8_t index)
{
	subsystem->health.lba_status.unknown[index] = 0;
}

/* ---- the log page ---- */

/* Add the element of a namespace, if there is anything to tell. Returns the length of the page. */
static uint32_t put_element(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, bool is_unknown,
			    uint8_t *page, uint32_t length)
{
	struct nvme_lba_status_log *log = (struct nvme_lba_status_log *)page;
	struct nvme_lba_status_ns *element = (struct nvme_lba_status_ns *)(page + length);
	struct nvme_lba_status_range *range = (struct nvme_lba_status_range *)(element + 1);
	struct vssd_lbas left = {0, ns->nsze}, run;

	for (; vssd_lbas_tracked(subsystem, ns, left, &run); left.first = run.end) {
		uint64_t sum = log->estulb + (run.end - run.first);

		log->estulb = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX - 1;
		if (is_unknown)
			continue;
		*range++ = (struct nvme_lba_status_range){.rslba = run.first,
							  .rnlb = (uint32_t)(run.end - run.first - 1)};
		element->nlrd++;
	}
	if (!is_unknown && !element->nlrd)
		return length;
	element->neid = ns->nsid;
	element->nlrd = is_unknown ? ALL_LBAS : element->nlrd;
	element->ratype = is_unknown ? SCAN : TRACKED;
	log->nlslne++;
	return (uint32_t)((uint8_t *)range - page);
}

void vssd_lba_status_log(struct vssd_subsystem *subsystem, uint8_t index, bool is_new, uint8_t *page)
{
	struct nvme_lba_status_log *log = (struct nvme_lba_status_log *)page;
	uint32_t length = sizeof(*log);

	vssd_lba_status_update(subsystem);
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (subsystem->ns[i].nsid && subsystem->ns[i].attached >> index & 1)
			length = put_element(subsystem, &subsystem->ns[i],
					     subsystem->health.lba_status.unknown[index] >> i & 1, page, length);
	log->lslplen = length;
	if (is_new && log->nlslne)
		subsystem->annex->tracked.generation++;
	log->lsgc = subsystem->annex->tracked.generation;
}

/* ---- the part ---- */

/* Check what the annex holds, which may come from a file with any contents. */
static void init(struct vssd_subsystem *subsystem)
{
	struct vssd_tracked_saved *saved = &subsystem->annex->tracked;

	if (saved->used > VSSD_TRACKED)
		saved->used = 0;
	if (vssd_lba_status_is_there(&subsystem->options))
		vssd_lba_status_update(subsystem);
	subsystem->health.lba_status.news = saved->used > 0;
}

const struct vssd_subsystem_part vssd_lba_status_part = {.init = init};
