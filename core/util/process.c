/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/util/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/util/cleanup.h"

/* Read the beginning of /proc/PID/NAME, as a string. False if there is none. */
static bool read_entry(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(text, 1, size - 1, file);
	fclose(file);
	text[length] = '\0';
	return length > 0;
}

bool pyn_process_is_busy(pid_t pid, uint64_t *ran)
{
	char stat[512], schedstat[128];
	const char *name_end;

	if (!read_entry(pid, "stat", stat, sizeof(stat)) ||
	    !read_entry(pid, "schedstat", schedstat, sizeof(schedstat)) || sscanf(schedstat, "%" SCNu64, ran) != 1)
		return false;
	/* The name of the program stands in parentheses before the state, and may hold any character. */
	name_end = strrchr(stat, ')');
	return name_end && (strncmp(name_end, ") R", 3) == 0 || strncmp(name_end, ") D", 3) == 0);
}
