/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "vssd/subsystem/subsystem.h"

#define MS_PER_HOUR 3600000u
#define SECTOR_SHIFT 9
#define BILLION 1000000000u
#define US_NS 1000u
#define FILE_MAX (1u << 20)

static uint64_t states(const struct vssd_subsystem *subsystem)
{
	uint64_t found = 0;

	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		found |= one->ops->states(one);
	if (subsystem->nv->sanitize.status == NVME_SANITIZE_IN_PROGRESS)
		found |= 1u << VSSD_FAULT_SANITIZING;
	if (subsystem->health.throttling)
		found |= 1u << VSSD_FAULT_THROTTLING;
	if (vssd_health_read_only(subsystem))
		found |= 1u << VSSD_FAULT_READ_ONLY;
	if (subsystem->format.running)
		found |= 1u << VSSD_FAULT_FORMATTING;
	return found;
}

static uint64_t ask(void *drive, enum vssd_fault_subject subject)
{
	struct vssd_subsystem *subsystem = drive;

	switch (subject) {
	case VSSD_FAULT_WHILE:
		return states(subsystem);
	case VSSD_FAULT_UNFLUSHED:
		return vssd_store_unflushed(subsystem->store);
	case VSSD_FAULT_TEMPERATURE:
		return subsystem->health.temperature;
	case VSSD_FAULT_POWER_UPS:
		return subsystem->faults->happened[VSSD_FAULT_ON_POWER_UP].count;
	case VSSD_FAULT_AGE:
		vssd_health_account(subsystem);
		return subsystem->nv->totals.power_on_ms / MS_PER_HOUR;
	case VSSD_FAULT_WRITTEN:
		return subsystem->nv->totals.sectors_written * VSSD_SECTOR_SIZE;
	default:
		return 0;
	}
}

static void changed(void *drive)
{
	vssd_subsystem_notify(drive, VSSD_NOTICE_FAULTS);
}

int vssd_subsystem_faults_init(struct vssd_subsystem *subsystem)
{
	subsystem->faults =
		vssd_faults_create((struct vssd_fault_owner){.drive = subsystem, .ask = ask, .changed = changed});
	return subsystem->faults ? 0 : -1;
}

/* Read a file of rules, with a NUL at its end. NULL: err says why not. The caller frees it. */
static char *read_file(const char *name, struct pyn_error *err)
{
	char *text = malloc(FILE_MAX + 1);
	FILE *file = text ? fopen(name, "r") : NULL;
	size_t length;

	if (!file) {
		pyn_error(err, PYN_ERROR_ARGUMENT, errno, "cannot read the fault rules in %s: %s", name,
			  strerror(errno));
		free(text);
		return NULL;
	}
	length = fread(text, 1, FILE_MAX + 1, file);
	fclose(file);
	if (length <= FILE_MAX) {
		text[length] = '\0';
		return text;
	}
	pyn_error(err, PYN_ERROR_ARGUMENT, EFBIG, "%s is larger than 1 MiB: it holds no fault rules", name);
	free(text);
	return NULL;
}

int vssd_subsystem_faults_plant(struct vssd_subsystem *subsystem, struct pyn_error *err)
{
	const struct vssd_options *options = &subsystem->options;
	uint64_t first;
	int result = 0;
	char *text;

	for (const char *const *rule = options->faults; *rule && !result; rule++)
		result = vssd_faults_plant(subsystem->faults, *rule, &first, err);
	if (result || !options->faults_file)
		return result;
	text = read_file(options->faults_file, err);
	if (!text)
		return -EINVAL;
	result = vssd_faults_plant(subsystem->faults, text, &first, err);
	free(text);
	return result;
}

/* ---- the volatile cache at a power loss ---- */

struct loss {
	struct vssd_subsystem *subsystem;
	struct vssd_fault_rule *rule;
	uint64_t chance; /* billionths */
	uint64_t pair;   /* LBAs */
	bool versions;
	uint64_t clock; /* of the history: what was written later was flushed too late */
};

/* Damage the durable LBA at the distance that the rule names. */
static void damage_pair(const struct loss *loss, const struct vssd_ns *ns, uint64_t offset, unsigned lba_sectors)
{
	uint64_t end = (ns->first_block + ns->blocks) << VSSD_BLOCK_SHIFT;
	uint64_t pair = offset + loss->pair * lba_sectors * VSSD_SECTOR_SIZE;
	uint8_t sector[VSSD_SECTOR_SIZE];

	if (!loss->pair || pair >= end)
		return;
	for (unsigned i = 0; i < sizeof(sector); i++)
		sector[i] = (uint8_t)vssd_fault_random(loss->rule, 0, UINT8_MAX);
	for (unsigned i = 0; i < lba_sectors; i++)
		vssd_store_poke(loss->subsystem->store, pair + i * VSSD_SECTOR_SIZE, sector, sizeof(sector));
}

enum version { VERSION_UNKNOWN, VERSION_DURABLE, VERSION_OTHER };

/* What an older version of an LBA, which starts at this byte, is. */
static enum version version_of(const struct loss *loss, uint64_t offset, unsigned lba_sectors, uint64_t back,
			       const uint8_t *durable)
{
	const struct vssd_fault_history *history = loss->subsystem->faults->history;
	bool differs = false;

	for (unsigned i = 0; i < lba_sectors; i++) {
		const uint8_t *older = vssd_history_older(history, offset / VSSD_HISTORY_SECTOR + i, back);

		if (!older)
			return VERSION_UNKNOWN;
		differs |= memcmp(older, durable + i * VSSD_SECTOR_SIZE, VSSD_SECTOR_SIZE) != 0;
	}
	return differs ? VERSION_OTHER : VERSION_DURABLE;
}

/* How many versions an LBA had between the durable one and the last. Those that were replaced before the last flush
 * are none of them. 0 also if the history lacks the durable one, which a deallocation has replaced. */
static uint64_t num_versions(const struct loss *loss, uint64_t offset, unsigned lba_sectors, const uint8_t *durable)
{
	const struct vssd_fault_history *history = loss->subsystem->faults->history;
	uint64_t flushed = vssd_history_flushed_before(history, UINT64_MAX);

	for (uint64_t count = 0; count < VSSD_HISTORY_WRITES; count++) {
		enum version version = version_of(loss, offset, lba_sectors, count + 1, durable);

		if (version == VERSION_UNKNOWN)
			return 0;
		if (version == VERSION_DURABLE ||
		    vssd_history_replaced(history, offset / VSSD_HISTORY_SECTOR, count + 1) <= flushed)
			return count;
	}
	return VSSD_HISTORY_WRITES;
}

static void put_version(struct vssd_store *store, uint64_t offset, const uint8_t *version)
{
	vssd_store_poke_sector(store, offset, version, version + VSSD_HISTORY_SECTOR);
}

static bool chance(const struct loss *loss)
{
	return vssd_fault_random(loss->rule, 0, BILLION - 1) < loss->chance;
}

/* Give an LBA of the cache a version that it had since it was durable, or none. True: it has one. */
static bool takes_version(const struct loss *loss, uint64_t offset, unsigned lba_sectors, const uint8_t *durable)
{
	const struct vssd_fault_history *history = loss->subsystem->faults->history;
	struct vssd_store *store = loss->subsystem->store;
	uint8_t sectors = vssd_store_sectors((uint32_t)(offset % VSSD_BLOCK_SIZE), lba_sectors * VSSD_SECTOR_SIZE);
	uint64_t block = offset >> VSSD_BLOCK_SHIFT, back;

	if (!loss->versions || !history || (vssd_store_written(store, block) & sectors) != sectors ||
	    vssd_store_bad(store, block) & sectors)
		return false;
	back = vssd_fault_random(loss->rule, 0, num_versions(loss, offset, lba_sectors, durable));
	for (unsigned i = 0; back && i < lba_sectors; i++)
		put_version(store, offset + i * VSSD_SECTOR_SIZE,
			    vssd_history_older(history, offset / VSSD_HISTORY_SECTOR + i, back));
	return back > 0;
}

/* Whether a power loss would lose an LBA. A block is dirty as a whole, but only what differs can be lost. */
static bool is_lossy(const struct vssd_store *store, uint64_t block, unsigned first, unsigned lba_sectors)
{
	size_t at = (size_t)first * VSSD_SECTOR_SIZE, metadata_at = (size_t)first * VSSD_METADATA_LBA;

	if (memcmp(vssd_store_data(store, block) + at, vssd_store_durable(store, block) + at,
		   (size_t)lba_sectors * VSSD_SECTOR_SIZE) != 0)
		return true;
	return store->metadata &&
	       memcmp(vssd_store_metadata(store, block) + metadata_at,
		      vssd_store_durable_metadata(store, block) + metadata_at, VSSD_METADATA_LBA) != 0;
}

static uint8_t keeps(void *context, uint64_t block, unsigned *lba_sectors)
{
	struct loss *loss = context;
	const struct vssd_ns *ns = vssd_subsystem_ns_at(loss->subsystem, block);
	const uint8_t *old = vssd_store_durable(loss->subsystem->store, block);
	uint8_t kept = 0;

	*lba_sectors = !ns                                ? 1u
		       : ns->lba_shift < VSSD_BLOCK_SHIFT ? 1u << (ns->lba_shift - SECTOR_SHIFT)
							  : VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE;
	for (unsigned i = 0; i < VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE; i += *lba_sectors) {
		uint8_t sectors = (uint8_t)(((1u << *lba_sectors) - 1) << i);

		if (!is_lossy(loss->subsystem->store, block, i, *lba_sectors))
			continue;
		if (chance(loss) || takes_version(loss, (block << VSSD_BLOCK_SHIFT) + i * VSSD_SECTOR_SIZE,
						  *lba_sectors, old + i * VSSD_SECTOR_SIZE))
			kept |= sectors;
		else if (ns)
			damage_pair(loss, ns, (block << VSSD_BLOCK_SHIFT) + i * VSSD_SECTOR_SIZE, *lba_sectors);
	}
	return kept;
}

/* Lose an LBA although it was flushed, if this is its first sector. */
static void lose_flushed(void *context, uint64_t sector)
{
	const struct loss *loss = context;
	const struct vssd_fault_history *history = loss->subsystem->faults->history;
	const struct vssd_ns *ns =
		vssd_subsystem_ns_at(loss->subsystem, sector * VSSD_SECTOR_SIZE >> VSSD_BLOCK_SHIFT);
	unsigned lba_sectors = ns ? 1u << (ns->lba_shift - SECTOR_SHIFT) : 1;

	if (!ns || sector % lba_sectors || chance(loss))
		return;
	for (unsigned i = 0; i < lba_sectors; i++) {
		const uint8_t *older = vssd_history_at(history, sector + i, loss->clock);

		if (older)
			put_version(loss->subsystem->store, (sector + i) * VSSD_SECTOR_SIZE, older);
	}
}

static void lose(struct vssd_subsystem *subsystem, struct vssd_fault_rule *rule)
{
	const struct vssd_fault_word *flushed = vssd_fault_how(rule, VSSD_FAULT_KEY_FLUSHED);
	const struct vssd_fault_history *history = subsystem->faults->history;
	const struct vssd_fault_word *seed = vssd_fault_how(rule, VSSD_FAULT_KEY_SEED);
	struct loss loss = {
		.subsystem = subsystem,
		.rule = rule,
		.chance = vssd_fault_how_number(rule, VSSD_FAULT_KEY_CHANCE, 0),
		.pair = vssd_fault_how_number(rule, VSSD_FAULT_KEY_PAIR, 0),
		.versions = vssd_fault_how_number(rule, VSSD_FAULT_KEY_VERSIONS, 0),
	};

	if (seed)
		rule->random = seed->a + rule->fired;
	vssd_store_lose_some(subsystem->store,
			     &(struct vssd_store_loss){
				     .keeps = keeps,
				     .context = &loss,
				     .torn = (uint32_t)vssd_fault_how_number(rule, VSSD_FAULT_KEY_TORN, 0),
			     });
	if (!flushed || !history)
		return;
	loss.clock = vssd_history_flushed_before(history, pyn_monotonic_ns() - flushed->a * US_NS);
	vssd_history_each(history, loss.clock, lose_flushed, &loss);
}

void vssd_subsystem_faults_lose(struct vssd_subsystem *subsystem)
{
	struct vssd_fault_occasion occasion = {.place = VSSD_FAULT_POWER, .moment = VSSD_FAULT_ON_POWER_LOSS};
	struct vssd_fault_rule *rules[VSSD_FAULTS_AT_ONCE];
	unsigned count = 0;

	vssd_faults_happened(subsystem->faults, VSSD_FAULT_ON_POWER_LOSS);
	if (vssd_faults_at(subsystem->faults, VSSD_FAULT_POWER))
		count = vssd_faults_match(subsystem->faults, &occasion, rules);
	for (unsigned i = 0; i < count; i++)
		if (rules[i]->action == VSSD_FAULT_CACHE)
			lose(subsystem, rules[i]);
		else
			vssd_health_defect(subsystem, rules[i]->a);
	vssd_store_lose(subsystem->store);
}
