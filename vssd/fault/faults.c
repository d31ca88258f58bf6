/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "vssd/fault/faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "vssd/fault/parse.h"

struct vssd_faults *vssd_faults_create(struct vssd_fault_owner owner)
{
	struct vssd_faults *faults = calloc(1, sizeof(*faults));

	if (faults)
		faults->owner = owner;
	return faults;
}

static void rule_free(struct vssd_fault_rule *rule)
{
	free(rule->frozen);
	free(rule);
}

static void drop_from(struct vssd_faults *faults, uint32_t first)
{
	while (faults->num_rules > first)
		rule_free(faults->rules[--faults->num_rules]);
}

void vssd_faults_destroy(struct vssd_faults *faults)
{
	if (!faults)
		return;
	drop_from(faults, 0);
	vssd_fault_index_free(faults);
	vssd_history_destroy(faults->history);
	vssd_answers_clear(&faults->answers);
	free(faults);
}

/* ---- planting ---- */

struct vssd_fault_rule *vssd_faults_find(const struct vssd_faults *faults, uint64_t number, const char *name)
{
	for (uint32_t i = 0; i < faults->num_rules; i++)
		if (name ? strcmp(faults->rules[i]->name, name) == 0 : faults->rules[i]->number == number)
			return faults->rules[i];
	return NULL;
}

/* Start counting: only what happens from now on is "after". */
static void start(struct vssd_faults *faults, struct vssd_fault_rule *rule)
{
	rule->number = ++faults->planted;
	rule->planted = pyn_monotonic_ns();
	rule->random = rule->selection.seed ? rule->selection.seed : rule->number;
	for (unsigned i = 0; i < rule->num_when; i++) {
		const struct vssd_fault_word *word = &rule->when[i];
		const struct vssd_fault_rule *other = vssd_faults_find(faults, 0, rule->other);

		if (word->kind != VSSD_FAULT_AFTER && word->kind != VSSD_FAULT_SINCE)
			continue;
		rule->base = word->a != VSSD_FAULT_ON_RULE ? faults->happened[word->a].count
			     : other                       ? other->fired
							   : 0;
		rule->seen = rule->base;
	}
}

static int add_rule(struct vssd_faults *faults, const char *text, struct pyn_error *err)
{
	struct vssd_fault_rule *rule;
	int result;

	if (faults->num_rules == VSSD_FAULTS_MAX)
		return pyn_error(err, PYN_ERROR_ARGUMENT, ENOSPC,
				 "a virtual SSD has at most %u fault rules: remove some", VSSD_FAULTS_MAX);
	rule = calloc(1, sizeof(*rule));
	if (!rule)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a fault rule");
	result = vssd_fault_parse(text, rule, err);
	if (!result && rule->name[0] && vssd_faults_find(faults, 0, rule->name))
		result = pyn_error(err, PYN_ERROR_ARGUMENT, EEXIST,
				   "there is a fault rule with the name %s already: remove it, or use another name",
				   rule->name);
	if (result) {
		rule_free(rule);
		return result;
	}
	faults->rules[faults->num_rules++] = rule;
	return 0;
}

/* Copy a line without its comment and the spaces at its ends. *text then points to the next line. */
static void take_line(const char **text, char *line, size_t size)
{
	const char *end = strchrnul(*text, '\n');
	const char *comment = memchr(*text, '#', (size_t)(end - *text));
	const char *first = *text, *last = comment ? comment : end;
	size_t length;

	while (first < last && (*first == ' ' || *first == '\t'))
		first++;
	while (last > first && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r'))
		last--;
	length = (size_t)(last - first) < size - 1 ? (size_t)(last - first) : size - 1;
	memcpy(line, first, length);
	line[length] = '\0';
	*text = *end ? end + 1 : end;
}

int vssd_faults_plant(struct vssd_faults *faults, const char *text, uint64_t *first, struct pyn_error *err)
{
	uint32_t before = faults->num_rules;
	char line[VSSD_FAULT_TEXT];
	int result = 0;

	*first = faults->planted + 1;
	while (*text && !result) {
		take_line(&text, line, sizeof(line));
		if (*line)
			result = add_rule(faults, line, err);
	}
	if (!result && faults->num_rules == before)
		result = pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL, "there is no fault rule in the text");
	for (uint32_t i = before; !result && i < faults->num_rules; i++)
		start(faults, faults->rules[i]);
	if (!result && vssd_fault_index_make(faults))
		result = pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the index of the fault rules");
	if (result) {
		drop_from(faults, before);
		vssd_fault_index_make(faults);
	}
	faults->owner.changed(faults->owner.drive);
	return result;
}

/* ---- removing ---- */

bool vssd_faults_remove(struct vssd_faults *faults, uint64_t number, const char *name)
{
	struct vssd_fault_rule *rule = vssd_faults_find(faults, number, name);
	uint32_t i = 0;

	if (!rule)
		return false;
	while (faults->rules[i] != rule)
		i++;
	memmove(&faults->rules[i], &faults->rules[i + 1], (faults->num_rules - i - 1) * sizeof(faults->rules[0]));
	faults->num_rules--;
	rule_free(rule);
	vssd_fault_index_make(faults);
	faults->owner.changed(faults->owner.drive);
	return true;
}

void vssd_faults_clear(struct vssd_faults *faults)
{
	drop_from(faults, 0);
	vssd_fault_index_make(faults);
	faults->owner.changed(faults->owner.drive);
}

bool vssd_faults_release(struct vssd_faults *faults, uint64_t number, const char *name)
{
	struct vssd_fault_rule *rule = vssd_faults_find(faults, number, name);

	if (!rule)
		return false;
	rule->released++;
	faults->owner.changed(faults->owner.drive);
	return true;
}

bool vssd_faults_holds(const struct vssd_faults *faults, uint64_t number, uint64_t released)
{
	const struct vssd_fault_rule *rule = vssd_faults_find(faults, number, NULL);

	return rule && rule->released == released;
}
