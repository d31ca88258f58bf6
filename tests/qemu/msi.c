/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * msi GROUP ADDRESS: what core/pci/vfio_irq.c makes of a function with MSI and without MSI-X: QEMU's `edu`, since no
 * NVMe drive of QEMU's is like that. Exit status 0 where all holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/pci/vfio_irq.h"

#define CONFIG_COMMAND 4
#define MEMORY_AND_MASTER 6
#define EDU_RAISE 0x60
#define EDU_ACKNOWLEDGE 0x64

static void check(int right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "WRONG: %s: %m\n", what);
	exit(1);
}

static uint64_t region(int device, uint32_t index)
{
	struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

	check(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) == 0, "region");
	return info.offset;
}

static int open_device(const char *group_path, const char *address)
{
	int container = open("/dev/vfio/vfio", O_RDWR), group = open(group_path, O_RDWR), device;
	uint16_t command = MEMORY_AND_MASTER;

	check(container >= 0 && group >= 0, "open");
	check(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) == 0, "container");
	check(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) == 0, "IOMMU");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address);
	check(device >= 0, "device");
	check(pwrite(device, &command, sizeof(command),
		     (off_t)region(device, VFIO_PCI_CONFIG_REGION_INDEX) + CONFIG_COMMAND) == sizeof(command),
	      "command register");
	return device;
}

static void edu_write(int device, unsigned offset, uint32_t value)
{
	check(pwrite(device, &value, sizeof(value), (off_t)region(device, VFIO_PCI_BAR0_REGION_INDEX) + offset) ==
		      sizeof(value),
	      "BAR 0");
}

/* How often an interrupt came, within 2 s where one is expected, else within 200 ms. */
static uint64_t came(int eventfd, int expected)
{
	struct pollfd wait = {.fd = eventfd, .events = POLLIN};
	uint64_t count = 0;

	if (poll(&wait, 1, expected ? 2000 : 200) == 1 && read(eventfd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

static uint64_t raised(int device, int eventfd, int expected)
{
	edu_write(device, EDU_RAISE, 1);
	uint64_t count = came(eventfd, expected);

	edu_write(device, EDU_ACKNOWLEDGE, 1);
	return count;
}

int main(int argc, char **argv)
{
	struct pyn_error err = {0};
	struct pyn_vfio_irq irq = {0};
	int event = eventfd(0, EFD_CLOEXEC);

	check(argc == 3 && event >= 0, "usage");
	irq.bdf = argv[2];
	irq.device = open_device(argv[1], argv[2]);
	check(pyn_vfio_irq_setup(&irq, &err) == 0, "setup");
	check(irq.kind == PYN_PCI_IRQ_MSI && irq.count == 1, "MSI is chosen, with one vector");
	check(raised(irq.device, event, 0) == 0, "nobody listens, nothing comes");
	check(pyn_vfio_irq_set(&irq, 0, event, &err) == 0, "set");
	came(event, 0); /* the kernel may raise one as it starts to listen */
	for (int i = 0; i < 10; i++)
		check(raised(irq.device, event, 1) == 1, "each message comes, and once");
	check(pyn_vfio_irq_set(&irq, 1, event, &err) != 0, "there is no second vector");
	/* Nothing is raised now: without mask bits, which edu has not, the message would go to address 0. */
	check(pyn_vfio_irq_set(&irq, 0, -1, &err) == 0, "set to nothing");
	puts("MSI works");
	return 0;
}
