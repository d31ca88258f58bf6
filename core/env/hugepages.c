/* SPDX-License-Identifier: BSD-3-Clause */
/* Documentation/admin-guide/mm/hugetlbpage of Linux. */
#define _GNU_SOURCE 1
#include "core/env/hugepages.h"

#include <linux/memfd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

const struct pyn_huge_kind pyn_huge_kinds[] = {
	{.page = (size_t)2 << 20, .memfd_flag = MFD_HUGE_2MB},
	{.page = (size_t)1 << 30, .memfd_flag = MFD_HUGE_1GB},
	{0},
};

static bool read_count(const struct pyn_huge_kind *kind, const char *name, unsigned long *count)
{
	char path[96];
	FILE *file;
	bool found;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%zukB/%s_hugepages", kind->page >> 10, name);
	file = fopen(path, "re");
	found = file && fscanf(file, "%lu", count) == 1;
	if (file)
		fclose(file);
	return found;
}

/* Without sysfs, /proc/meminfo still reports the default size. */
static bool read_meminfo(const struct pyn_huge_kind *kind, unsigned long *pages, unsigned long *reserved)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "HugePages_Free: %lu", pages);
		sscanf(line, "HugePages_Rsvd: %lu", reserved);
		sscanf(line, "Hugepagesize: %lu", &kib);
	}
	if (file)
		fclose(file);
	return kib == kind->page >> 10;
}

size_t pyn_huge_free_mib(const struct pyn_huge_kind *kind)
{
	unsigned long pages = 0, reserved = 0;

	if (!(read_count(kind, "free", &pages) && read_count(kind, "resv", &reserved)) &&
	    !read_meminfo(kind, &pages, &reserved))
		return 0;
	return pages > reserved ? (pages - reserved) * (kind->page >> 20) : 0;
}
