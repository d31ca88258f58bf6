/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spec/pci.h"

#define FUNCTIONS "/sys/bus/pci/devices"
#define GROUPS "/sys/kernel/iommu_groups"
#define CLASS_BRIDGE 0x0604u /* base class and subclass */

void pyn_kernel_path(const char *bdf, const char *file, char path[PYN_KERNEL_PATH])
{
	snprintf(path, PYN_KERNEL_PATH, FUNCTIONS "/%.40s/%.40s", bdf, file);
}

/* The last component of the target of a function's symbolic link; "" if there is no such link. */
static void link_of(const char *bdf, const char *link, char name[PYN_KERNEL_NAME])
{
	char path[PYN_KERNEL_PATH], target[PATH_MAX];
	ssize_t length;

	name[0] = '\0';
	pyn_kernel_path(bdf, link, path);
	length = readlink(path, target, sizeof(target) - 1);
	if (length <= 0)
		return;
	target[length] = '\0';
	snprintf(name, PYN_KERNEL_NAME, "%.60s", strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

static unsigned class_of(const char *bdf)
{
	unsigned code = 0;
	char path[PYN_KERNEL_PATH];
	FILE *file;

	pyn_kernel_path(bdf, "class", path);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%x", &code) != 1)
		code = 0;
	fclose(file);
	return code;
}

int pyn_kernel_function_check(const char *bdf, struct pyn_error *err)
{
	char path[PYN_KERNEL_PATH];

	pyn_kernel_path(bdf, "", path);
	if (access(path, F_OK))
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENODEV,
				 "there is no PCIe function %s in this machine (" FUNCTIONS
				 " lists those that exist; if "
				 "it was just inserted, run `echo 1 | sudo tee /sys/bus/pci/rescan`)",
				 bdf);
	if (class_of(bdf) != PCI_CLASS_NVME)
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENODEV,
				 "the PCIe function %s is not an NVMe controller: its class is %06x, not %06x", bdf,
				 class_of(bdf), PCI_CLASS_NVME);
	return 0;
}

void pyn_kernel_driver(const char *bdf, char name[PYN_KERNEL_NAME])
{
	link_of(bdf, "driver", name);
}

void pyn_kernel_physical_driver(const char *bdf, char name[PYN_KERNEL_NAME])
{
	link_of(bdf, "physfn/driver", name);
}

bool pyn_kernel_is_physical(const char *bdf)
{
	char path[PYN_KERNEL_PATH];

	pyn_kernel_path(bdf, "sriov_totalvfs", path);
	return access(path, F_OK) == 0;
}

struct pyn_iova pyn_kernel_bar_address(const char *bdf, uint32_t bar)
{
	unsigned long long first = 0;
	char path[PYN_KERNEL_PATH], line[128];
	FILE *file;

	pyn_kernel_path(bdf, "resource", path);
	file = fopen(path, "re");
	if (!file)
		return (struct pyn_iova){0};
	/* One line for each BAR: its first address, its last address, and flags. */
	for (uint32_t i = 0; i <= bar && fgets(line, sizeof(line), file); i++)
		if (i == bar && sscanf(line, "%llx", &first) != 1)
			first = 0;
	fclose(file);
	return (struct pyn_iova){first};
}

int pyn_kernel_iommu_group(const char *bdf)
{
	char name[PYN_KERNEL_NAME];

	link_of(bdf, "iommu_group", name);
	return name[0] ? atoi(name) : -1;
}

void pyn_kernel_group_others(int group, const char *bdf, char *text, size_t size)
{
	char path[128], driver[PYN_KERNEL_NAME];
	struct dirent *entry;
	size_t length = 0;
	DIR *folder;

	text[0] = '\0';
	snprintf(path, sizeof(path), GROUPS "/%d/devices", group);
	folder = opendir(path);
	if (!folder)
		return;
	while ((entry = readdir(folder)) && length < size) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, bdf) ||
		    class_of(entry->d_name) >> 8 == CLASS_BRIDGE)
			continue;
		pyn_kernel_driver(entry->d_name, driver);
		length += (size_t)snprintf(text + length, size - length, "%s%.16s (%.16s)", length ? ", " : "",
					   entry->d_name, driver[0] ? driver : "no driver");
	}
	closedir(folder);
}
