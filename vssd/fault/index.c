/* SPDX-License-Identifier: BSD-3-Clause */
/* Which rules a command may match, by its opcode, and which LBAs of reads and writes any rule watches. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spec/commands.h"
#include "spec/nvme_cmd.h"
#include "vssd/fault/faults.h"
#include "vssd/fault/words.h"

static bool is_of_command(const struct vssd_fault_rule *rule)
{
	return rule->place < VSSD_FAULT_PER_COMMAND;
}

/* Whether a rule may match commands of this opcode. It may say yes too often, but not no. */
static bool may_match(const struct vssd_fault_rule *rule, unsigned table, unsigned opcode)
{
	for (unsigned i = 0; i < rule->num_when; i++) {
		const struct vssd_fault_word *word = &rule->when[i];

		switch (word->kind) {
		case VSSD_FAULT_OPCODE:
			if (!vssd_fault_holds(word, table << 8 | opcode))
				return false;
			break;
		case VSSD_FAULT_ON:
			if (word->a != VSSD_FAULT_ON_OPCODE + table * 256 + opcode)
				return false;
			break;
		case VSSD_FAULT_QUEUE:
			if (word->relation == VSSD_FAULT_EQ && vssd_fault_table(word->a) != table)
				return false;
			break;
		case VSSD_FAULT_LOG:
			if (table != SPEC_ADMIN || opcode != NVME_ADMIN_GET_LOG_PAGE)
				return false;
			break;
		case VSSD_FAULT_CNS:
			if (table != SPEC_ADMIN || opcode != NVME_ADMIN_IDENTIFY)
				return false;
			break;
		case VSSD_FAULT_FEATURE:
			if (table != SPEC_ADMIN ||
			    (opcode != NVME_ADMIN_GET_FEATURES && opcode != NVME_ADMIN_SET_FEATURES))
				return false;
			break;
		default:
			break;
		}
	}
	return true;
}

static bool list_make(struct vssd_fault_list *list, const struct vssd_faults *faults, unsigned place, unsigned table,
		      unsigned opcode)
{
	bool is_command = place < VSSD_FAULT_PER_COMMAND;

	list->at = NULL;
	list->count = 0;
	for (uint32_t i = 0; i < faults->num_rules; i++) {
		const struct vssd_fault_rule *rule = faults->rules[i];

		if (rule->place != place || (is_command && !may_match(rule, table, opcode)))
			continue;
		if (!list->at)
			list->at = malloc((faults->num_rules - i) * sizeof(*list->at));
		if (!list->at)
			return false;
		list->at[list->count++] = (uint16_t)i;
	}
	return true;
}

static bool lists_make(struct vssd_faults *faults)
{
	struct vssd_fault_index *index = &faults->index;
	bool good = true;

	for (unsigned place = 0; place < VSSD_FAULT_PER_COMMAND; place++)
		for (unsigned opcode = 0; faults->places >> place & 1 && opcode < 512; opcode++)
			good &= list_make(&index->commands[place][opcode / 256][opcode % 256], faults, place,
					  opcode / 256, opcode % 256);
	for (unsigned place = VSSD_FAULT_PER_COMMAND; place < VSSD_FAULT_PLACES; place++)
		good &= list_make(&index->others[place], faults, place, 0, 0);
	return good;
}

/* ---- LBAs ---- */

/* The LBAs of this namespace that a rule may match. False: none. */
static bool range_of(const struct vssd_fault_rule *rule, uint32_t nsid, struct vssd_fault_range *range)
{
	*range = (struct vssd_fault_range){0, UINT64_MAX};
	for (unsigned i = 0; i < rule->num_when; i++) {
		const struct vssd_fault_word *word = &rule->when[i];

		if (word->kind == VSSD_FAULT_LBA && word->high == 63 && word->low == 0) {
			if (word->relation == VSSD_FAULT_EQ)
				*range = (struct vssd_fault_range){word->a, word->b};
			else if (word->relation == VSSD_FAULT_GE)
				range->first = word->a;
			else if (word->relation == VSSD_FAULT_LE)
				range->last = word->a;
		}
		if (word->kind == VSSD_FAULT_FIELD && word->field == VSSD_FAULT_FIELD_NSID && word->high == 31 &&
		    word->low == 0 && !vssd_fault_holds(word, nsid))
			return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct vssd_fault_range *one = a, *other = b;

	return one->first < other->first ? -1 : one->first > other->first;
}

static void merge(struct vssd_fault_ranges *ranges)
{
	uint32_t kept = 0;

	if (ranges->count == 0)
		return;
	qsort(ranges->at, ranges->count, sizeof(*ranges->at), compare);
	for (uint32_t i = 1; i < ranges->count; i++) {
		if (ranges->at[i].first > ranges->at[kept].last)
			ranges->at[++kept] = ranges->at[i];
		else if (ranges->at[i].last > ranges->at[kept].last)
			ranges->at[kept].last = ranges->at[i].last;
	}
	ranges->count = kept + 1;
}

/* Whether reads or writes must all be noticed: a rule refers to them, or to what was written. */
static bool watches_all(const struct vssd_faults *faults, bool is_write)
{
	uint64_t moment = VSSD_FAULT_ON_OPCODE + 256 + (is_write ? NVME_IO_WRITE : NVME_IO_READ);

	for (uint32_t i = 0; i < faults->num_rules; i++)
		for (unsigned j = 0; j < faults->rules[i]->num_when; j++) {
			const struct vssd_fault_word *word = &faults->rules[i]->when[j];

			if ((word->kind == VSSD_FAULT_AFTER || word->kind == VSSD_FAULT_SINCE) && word->a == moment)
				return true;
		}
	return is_write && (faults->index.history || faults->index.older);
}

/* The queues of such rules are noted instead of their LBAs. */
static bool names_queue(const struct vssd_fault_rule *rule)
{
	for (unsigned i = 0; i < rule->num_when; i++)
		if (rule->when[i].kind == VSSD_FAULT_QUEUE)
			return true;
	return false;
}

static bool ranges_make(struct vssd_faults *faults, bool is_write, uint32_t nsid)
{
	struct vssd_fault_ranges *ranges = &faults->index.watched[is_write][nsid - 1];
	unsigned opcode = is_write ? NVME_IO_WRITE : NVME_IO_READ;

	ranges->count = 0;
	ranges->at = malloc((faults->num_rules + 1) * sizeof(*ranges->at));
	if (!ranges->at)
		return false;
	if (watches_all(faults, is_write))
		ranges->at[ranges->count++] = (struct vssd_fault_range){0, UINT64_MAX};
	for (uint32_t i = 0; i < faults->num_rules; i++)
		if (is_of_command(faults->rules[i]) && !names_queue(faults->rules[i]) &&
		    may_match(faults->rules[i], SPEC_IO, opcode) &&
		    range_of(faults->rules[i], nsid, &ranges->at[ranges->count]))
			ranges->count++;
	merge(ranges);
	return true;
}

bool vssd_faults_watched(const struct vssd_faults *faults, bool is_write, uint32_t index, uint64_t first,
			 uint64_t last)
{
	const struct vssd_fault_ranges *ranges = &faults->index.watched[is_write][index];
	uint32_t low = 0, high = ranges->count;

	/* Find the first range that ends at first or later. */
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (ranges->at[middle].last < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ranges->count && ranges->at[low].first <= last;
}

/* ---- queues and history ---- */

static void scan_rule(struct vssd_faults *faults, const struct vssd_fault_rule *rule)
{
	struct vssd_fault_index *index = &faults->index;
	const struct vssd_fault_word *queue = NULL;

	for (unsigned i = 0; i < rule->num_when; i++) {
		if (rule->when[i].kind == VSSD_FAULT_WRITES || rule->when[i].kind == VSSD_FAULT_WRITER)
			index->history = true;
		if (rule->when[i].kind == VSSD_FAULT_QUEUE)
			queue = &rule->when[i];
		if ((rule->when[i].kind == VSSD_FAULT_AFTER || rule->when[i].kind == VSSD_FAULT_SINCE) &&
		    rule->when[i].a >= VSSD_FAULT_ON_OPCODE)
			faults->places |= VSSD_FAULT_NOTES;
	}
	if (rule->action == VSSD_FAULT_EARLY && vssd_fault_how(rule, VSSD_FAULT_KEY_YIELD))
		index->history = true;
	if (rule->action == VSSD_FAULT_OLDER || vssd_fault_how(rule, VSSD_FAULT_KEY_VERSIONS) ||
	    vssd_fault_how(rule, VSSD_FAULT_KEY_FLUSHED) ||
	    (rule->action == VSSD_FAULT_NEIGHBOURS && vssd_fault_how_number(rule, VSSD_FAULT_KEY_WITH, 0) == 0))
		index->older = true;
	if (!queue || !is_of_command(rule) ||
	    (!may_match(rule, SPEC_IO, NVME_IO_READ) && !may_match(rule, SPEC_IO, NVME_IO_WRITE)))
		return;
	for (unsigned qid = 0; qid <= VSSD_MAX_IO_QUEUES; qid++)
		index->queues[qid] |= vssd_fault_holds(queue, qid);
}

void vssd_fault_index_free(struct vssd_faults *faults)
{
	struct vssd_fault_index *index = &faults->index;

	for (unsigned place = 0; place < VSSD_FAULT_PER_COMMAND; place++)
		for (unsigned opcode = 0; opcode < 512; opcode++)
			free(index->commands[place][opcode / 256][opcode % 256].at);
	for (unsigned place = 0; place < VSSD_FAULT_PLACES; place++)
		free(index->others[place].at);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned ns = 0; ns < VSSD_MAX_NAMESPACES; ns++)
			free(index->watched[i][ns].at);
	memset(index, 0, sizeof(*index));
	faults->places = 0;
}

int vssd_fault_index_make(struct vssd_faults *faults)
{
	bool good = true;

	vssd_fault_index_free(faults);
	for (uint32_t i = 0; i < faults->num_rules; i++) {
		faults->places |= 1u << faults->rules[i]->place;
		scan_rule(faults, faults->rules[i]);
	}
	if (faults->index.history || faults->index.older)
		faults->places |= VSSD_FAULT_NOTES;
	if (!faults->index.history && !faults->index.older) {
		vssd_history_destroy(faults->history);
		faults->history = NULL;
	} else if (!faults->history) {
		faults->history = vssd_history_create();
		good = faults->history != NULL;
	}
	good = good && lists_make(faults);
	for (uint32_t nsid = 1; good && faults->num_rules && nsid <= VSSD_MAX_NAMESPACES; nsid++)
		good = ranges_make(faults, false, nsid) && ranges_make(faults, true, nsid);
	if (good)
		return 0;
	vssd_fault_index_free(faults);
	return -ENOMEM;
}
