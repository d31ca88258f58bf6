/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/control_faults.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vssd/fault/parse.h"

static int plant(struct vssd_faults *faults, const char *text, uint8_t *data, uint32_t *length)
{
	struct vssd_control_planted planted;
	struct pyn_error err = {0};
	uint32_t before = faults->num_rules;
	int result = vssd_faults_plant(faults, text, &planted.first, &err);
	size_t said = strlen(err.text);

	planted.count = faults->num_rules - before;
	memcpy(data, &planted, sizeof(planted));
	*length = sizeof(planted);
	if (result) {
		memcpy(data + sizeof(planted), err.text, said);
		*length += (uint32_t)said;
	}
	return 0;
}

/* A line for each rule: its number, how often it matched and fired, and its text. As many as fit. */
static int list(const struct vssd_faults *faults, uint64_t first, char *data, uint32_t *length)
{
	char text[VSSD_FAULT_TEXT];

	for (uint64_t i = first; i < faults->num_rules; i++) {
		const struct vssd_fault_rule *rule = faults->rules[i];
		size_t room = VSSD_CONTROL_DATA_MAX - *length;
		int size;

		vssd_fault_print(rule, text);
		size = snprintf(data + *length, room, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", rule->number,
				rule->matched, rule->fired, text);
		if ((size_t)size >= room)
			return 0;
		*length += (uint32_t)size;
	}
	return 0;
}

static int fired(const struct vssd_faults *faults, uint64_t first, uint8_t *data, uint32_t *length)
{
	uint64_t oldest = faults->fired > VSSD_FAULTS_LOGGED ? faults->fired - VSSD_FAULTS_LOGGED : 0;
	const struct vssd_fault_fired *entry;

	for (uint64_t i = first < oldest ? oldest : first;
	     (entry = vssd_fault_log_entry(faults, i)) &&
	     *length + sizeof(struct vssd_control_fired) <= VSSD_CONTROL_DATA_MAX;
	     i++) {
		struct vssd_control_fired one = {
			.index = i,
			.time = entry->time,
			.number = entry->number,
			.slba = entry->slba,
			.nsid = entry->nsid,
			.queue = entry->queue,
			.cid = entry->cid,
			.opcode = entry->opcode,
			.has_command = entry->has_command,
			.place = entry->place,
			.ticks = entry->ticks,
		};

		memcpy(data + *length, &one, sizeof(one));
		*length += (uint32_t)sizeof(one);
	}
	return 0;
}

int vssd_control_faults(struct vssd_faults *faults, const struct vssd_control_request *request, const char *text,
			uint8_t *data, uint32_t *length)
{
	const char *name = *text ? text : NULL;

	switch (request->command) {
	case VSSD_CONTROL_PLANT:
		return plant(faults, text, data, length);
	case VSSD_CONTROL_FAULTS:
		return list(faults, request->argument, (char *)data, length);
	case VSSD_CONTROL_REMOVE:
		return vssd_faults_remove(faults, request->argument, name) ? 0 : -EINVAL;
	case VSSD_CONTROL_RELEASE:
		return vssd_faults_release(faults, request->argument, name) ? 0 : -EINVAL;
	case VSSD_CONTROL_CLEAR:
		vssd_faults_clear(faults);
		return 0;
	default:
		return fired(faults, request->argument, data, length);
	}
}
