/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vssd/subsystem/subsystem.h"

#define MS_PER_HOUR 3600000u
#define FILE_MAX (1u << 20)

static uint64_t states(const struct vssd_subsystem *subsystem)
{
	uint64_t found = 0;

	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		found |= one->ops->states(one);
	if (subsystem->nv->sanitize.status == NVME_SANITIZE_IN_PROGRESS)
		found |= 1u << VSSD_FAULT_SANITIZING;
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
