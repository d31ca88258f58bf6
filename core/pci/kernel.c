/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/kernel.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "spec/pci.h"

#define FUNCTIONS "/sys/bus/pci/devices"

/* The name of the driver that is bound, "" where there is none. */
static void driver_of(const char *bdf, char *name, size_t size)
{
	char path[128], target[PATH_MAX];
	ssize_t length;

	name[0] = '\0';
	snprintf(path, sizeof(path), FUNCTIONS "/%s/driver", bdf);
	length = readlink(path, target, sizeof(target) - 1);
	if (length <= 0)
		return;
	target[length] = '\0';
	snprintf(name, size, "%.60s", strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

static unsigned class_of(const char *bdf)
{
	unsigned class = 0;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), FUNCTIONS "/%s/class", bdf);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%x", &class) != 1)
		class = 0;
	fclose(file);
	return class;
}

int pyn_kernel_function_refuse(const char *bdf, struct pyn_error *err)
{
	char path[128], driver[64];

	snprintf(path, sizeof(path), FUNCTIONS "/%s", bdf);
	if (access(path, F_OK))
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENODEV,
				 "there is no PCIe function %s in this machine (" FUNCTIONS " lists those that are)",
				 bdf);
	if (class_of(bdf) != PCI_CLASS_NVME)
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENODEV,
				 "the PCIe function %s is not an NVMe controller: its class is %06x, not %06x", bdf,
				 class_of(bdf), PCI_CLASS_NVME);
	driver_of(bdf, driver, sizeof(driver));
	return pyn_error(
		err, PYN_ERROR_ENUMERATE, ENOTSUP,
		"the NVMe controller %s is there (%s%s), but vfio-pci support is not in this version: it reaches "
		"vfio-user devices, such as the virtual SSD, only. Nothing was touched",
		bdf, driver[0] ? "bound to " : "no driver", driver);
}
