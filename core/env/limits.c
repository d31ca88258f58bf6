/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/env/limits.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define MIB_SHIFT 20
#define CGROUPS "/sys/fs/cgroup"

/* A version of control groups: where its tree is mounted, and the names of its files. */
struct cgroup_kind {
	const char *root;
	const char *limit;
	const char *usage;
	const char *reclaimable; /* a line of memory.stat: page cache that the kernel drops first */
};

static const struct cgroup_kind cgroup_v1 = {
	CGROUPS "/memory",
	"memory.limit_in_bytes",
	"memory.usage_in_bytes",
	"total_inactive_file",
};
static const struct cgroup_kind cgroup_v2 = {CGROUPS, "memory.max", "memory.current", "inactive_file"};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Read the number that follows a name, in a file of lines "name number". With an empty name, read the number at the
 * start of the file. false: there is no such file, or no such number in it. */
static bool read_number(const char *path, const char *name, unsigned long long *number)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	bool found = false;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, name, length) && sscanf(line + length, "%llu", number) == 1;
	if (file)
		fclose(file);
	return found;
}

/* Bytes that one control group still allows. */
static unsigned long long cgroup_room(const struct cgroup_kind *kind, const char *folder)
{
	unsigned long long limit, usage, cache = 0;
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", folder, kind->limit);
	if (!read_number(path, "", &limit)) /* "max", or a root without the file */
		return ULLONG_MAX;
	snprintf(path, sizeof(path), "%s/%s", folder, kind->usage);
	if (!read_number(path, "", &usage))
		return ULLONG_MAX;
	snprintf(path, sizeof(path), "%s/memory.stat", folder);
	read_number(path, kind->reclaimable, &cache);
	usage -= cache < usage ? cache : usage;
	return limit > usage ? limit - usage : 0;
}

/* A group's limit also binds the groups below it, so take the smallest from this path up to the root. In a container
 * the path may be that of the host, and only the root is visible. */
static size_t cgroup_path_mib(const struct cgroup_kind *kind, const char *path)
{
	unsigned long long least = ULLONG_MAX;
	char folder[PATH_MAX];
	size_t root = strlen(kind->root);

	if ((size_t)snprintf(folder, sizeof(folder), "%s%s", kind->root, path) >= sizeof(folder))
		return SIZE_MAX;
	for (;;) {
		unsigned long long room = cgroup_room(kind, folder);
		char *slash;

		if (room < least)
			least = room;
		slash = strrchr(folder + root, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return least == ULLONG_MAX ? SIZE_MAX : (size_t)(least >> MIB_SHIFT);
}

/* "4:memory:/path" names a group of version 1, "0::/path" one of version 2. */
static size_t cgroup_line_mib(char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return SIZE_MAX;
	*path++ = '\0';
	controllers++;
	path[strcspn(path, "\n")] = '\0';
	if (!*controllers)
		return cgroup_path_mib(&cgroup_v2, path);
	return !strcmp(controllers, "memory") ? cgroup_path_mib(&cgroup_v1, path) : SIZE_MAX;
}

static size_t cgroups_mib(void)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	size_t least = SIZE_MAX;
	char line[PATH_MAX];

	while (file && fgets(line, sizeof(line), file))
		least = smaller(least, cgroup_line_mib(line));
	if (file)
		fclose(file);
	return least;
}

static size_t machine_mib(void)
{
	unsigned long long kib;
	struct sysinfo info;

	if (read_number("/proc/meminfo", "MemAvailable:", &kib))
		return (size_t)(kib >> 10);
	return sysinfo(&info) ? SIZE_MAX : (size_t)(((uint64_t)info.freeram * info.mem_unit) >> MIB_SHIFT);
}

static size_t limit_mib(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	return limit.rlim_cur >> MIB_SHIFT;
}

size_t pyn_limits_available_mib(void)
{
	return smaller(machine_mib(), cgroups_mib());
}

size_t pyn_limits_address_space_mib(void)
{
	size_t limit = limit_mib(RLIMIT_AS), used;
	unsigned long long pages = 0;

	if (limit == SIZE_MAX)
		return SIZE_MAX;
	read_number("/proc/self/statm", "", &pages);
	used = (size_t)((pages * (unsigned long long)sysconf(_SC_PAGESIZE)) >> MIB_SHIFT);
	return limit > used ? limit - used : 0;
}

size_t pyn_limits_file_mib(void)
{
	return limit_mib(RLIMIT_FSIZE);
}

size_t pyn_limits_locked_mib(void)
{
	return geteuid() ? limit_mib(RLIMIT_MEMLOCK) : SIZE_MAX;
}
