/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE 1
#include "core/pci/vfio_group.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/env/env.h"
#include "core/pci/kernel.h"

#define CONTAINER "/dev/vfio/vfio"
#define VFIO_PCI "vfio-pci"
#define INFO_SIZE 4096u

/* vfio-pci opens a physical function and its virtual ones only for those who know the same UUID, which the first one
 * chooses. All processes of pynvme know this one. */
#define TOKEN "vf_token=cb4ae1a6-9d2f-4c1e-8b2d-6e0f3f1c5a70"

struct pyn_vfio_shared {
	struct pyn_vfio_shared *next;
	struct pyn_vfio_group *functions; /* open in this process, at least one */
	int number;
	int container; /* /dev/vfio/vfio; -1: another driver of this process has it */
	int fd;        /* /dev/vfio/NUMBER */
};

/* All groups that this process has open: a group can be opened only once. Forked processes open none. */
static struct {
	pthread_mutex_t lock;
	struct pyn_vfio_shared *list;
} the_groups = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int refuse_driver(const char *bdf, struct pyn_error *err)
{
	char driver[PYN_KERNEL_NAME];

	pyn_kernel_driver(bdf, driver);
	if (!strcmp(driver, VFIO_PCI))
		return 0;
	return pyn_error(err, PYN_ERROR_ENUMERATE, EBUSY,
			 "the NVMe controller %s is not bound to " VFIO_PCI
			 " (%s%s): `sudo python -m pynvme bind %s` "
			 "binds it",
			 bdf, driver[0] ? "but to " : "but to no driver", driver, bdf);
}

static int no_group(const char *bdf, struct pyn_error *err)
{
	return pyn_error(
		err, PYN_ERROR_ENUMERATE, ENODEV,
		"the NVMe controller %s is in no IOMMU group: this machine has no IOMMU, or it is off. Switch "
		"VT-d (AMD-Vi) on in the firmware's setup and put intel_iommu=on on the kernel's command "
		"line",
		bdf);
}

static int group_not_opened(const struct pyn_vfio_shared *group, const char *bdf, struct pyn_error *err)
{
	switch (errno) {
	case EACCES:
	case EPERM:
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno,
				 "%s: /dev/vfio/%d is another user's: `sudo chown $USER /dev/vfio/%d` makes it yours",
				 bdf, group->number, group->number);
	case EBUSY:
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno,
				 "%s is in use: /dev/vfio/%d is open (`sudo fuser -v /dev/vfio/%d` says by whom)",
				 bdf, group->number, group->number);
	default:
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno, "%s: /dev/vfio/%d cannot be opened: %s", bdf,
				 group->number, strerror(errno));
	}
}

/* The error for a group with a function of another driver: the functions of a group reach each other's memory. */
static int not_viable(const struct pyn_vfio_shared *group, const char *bdf, struct pyn_error *err)
{
	char others[100];

	pyn_kernel_group_others(group->number, bdf, others, sizeof(others));
	return pyn_error(err, PYN_ERROR_ENUMERATE, EPERM,
			 "%s shares IOMMU group %d with %s: they have to be bound to " VFIO_PCI " as well, or to no "
			 "driver",
			 bdf, group->number, others[0] ? others : "others");
}

static int open_container(struct pyn_vfio_shared *group, struct pyn_error *err)
{
	group->container = open(CONTAINER, O_RDWR | O_CLOEXEC);
	if (group->container < 0)
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno,
				 CONTAINER " cannot be opened: %s (`sudo modprobe " VFIO_PCI "` makes it)",
				 strerror(errno));
	if (ioctl(group->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
	    ioctl(group->container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) <= 0)
		return pyn_error(err, PYN_ERROR_ENUMERATE, ENOTSUP,
				 "the kernel's VFIO has no type 1 IOMMU (`sudo modprobe vfio_iommu_type1`)");
	return 0;
}

static int open_group(struct pyn_vfio_shared *group, const char *bdf, struct pyn_error *err)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	char path[32];

	snprintf(path, sizeof(path), "/dev/vfio/%d", group->number);
	group->fd = open(path, O_RDWR | O_CLOEXEC);
	if (group->fd < 0)
		return group_not_opened(group, bdf, err);
	if (ioctl(group->fd, VFIO_GROUP_GET_STATUS, &status))
		return group_not_opened(group, bdf, err);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return not_viable(group, bdf, err);
	if (ioctl(group->fd, VFIO_GROUP_SET_CONTAINER, &group->container) ||
	    ioctl(group->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return pyn_error(err, PYN_ERROR_ENUMERATE, errno,
				 "IOMMU group %d of %s cannot be used: %s (`dmesg` says more; an IOMMU without "
				 "interrupt remapping needs vfio_iommu_type1 allow_unsafe_interrupts=1)",
				 group->number, bdf, strerror(errno));
	return 0;
}

/* Whether the IOMMU translates the addresses of a region. The container knows that only once it has a function. */
static bool reaches(const uint8_t *bytes, const struct pyn_dma_region *region)
{
	uint64_t first = pyn_dma_iova(region->address).value, last = first + region->length - 1;
	struct vfio_iommu_type1_info info;
	struct vfio_info_cap_header header;
	uint32_t at, before = sizeof(info) - 1, count;

	memcpy(&info, bytes, sizeof(info));
	if (!(info.flags & VFIO_IOMMU_INFO_CAPS))
		return true;
	for (at = info.cap_offset; at > before && at <= INFO_SIZE - sizeof(header) - 8; at = header.next) {
		memcpy(&header, bytes + at, sizeof(header));
		before = at;
		if (header.id != VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			continue;
		memcpy(&count, bytes + at + sizeof(header), sizeof(count));
		at += sizeof(struct vfio_iommu_type1_info_cap_iova_range);
		for (; count && at <= INFO_SIZE - sizeof(struct vfio_iova_range); count--) {
			struct vfio_iova_range range;

			memcpy(&range, bytes + at, sizeof(range));
			if (first >= range.start && last <= range.end)
				return true;
			at += sizeof(range);
		}
		return false;
	}
	return true;
}

static int not_mapped(const struct pyn_dma_region *region, struct pyn_error *err)
{
	int number = errno;
	size_t total = pyn_env_locked_mib() << 20;
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY};

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (number == ENOMEM && limit.rlim_cur < total)
		return pyn_error(
			err, PYN_ERROR_MEMORY, number,
			"a device needs %zu MiB of memory locked, and this process may lock %llu MiB: "
			"`sudo prlimit --pid $$ --memlock=unlimited` in this shell changes that, PYNVME_MEM=MIB "
			"makes it smaller",
			total >> 20, (unsigned long long)limit.rlim_cur >> 20);
	return pyn_error(err, PYN_ERROR_MEMORY, number,
			 "%zu MiB of DMA memory at %p cannot be mapped for the device: %s (PYNVME_MEM=MIB makes it "
			 "smaller)",
			 region->length >> 20, region->address, strerror(number));
}

/* Fail if too little memory is available: all of it is locked, used or not, and the kernel would kill some
 * process. */
static int check_available(const struct pyn_dma_region *regions, size_t count, struct pyn_error *err)
{
	size_t wanted = 0, available;

	for (size_t i = 0; i < count; i++)
		wanted += regions[i].huge ? 0 : regions[i].length >> 20;
	available = wanted ? pyn_env_available_mib() : SIZE_MAX;
	if (wanted <= available)
		return 0;
	return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM,
			 "a device needs all %zu MiB of DMA memory locked, and this machine has %zu MiB available: "
			 "PYNVME_MEM=MIB makes it smaller (256 are enough for most scripts)",
			 wanted, available);
}

/* Map memory for the device at its address there. Returns 0, or -1 and sets errno. */
static int map_piece(int container, void *address, size_t length)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)address,
		.iova = pyn_dma_iova(address).value,
		.size = length,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &map);
}

static int map_dma(const struct pyn_vfio_shared *group, struct pyn_error *err)
{
	union {
		struct vfio_iommu_type1_info info;
		uint8_t bytes[INFO_SIZE];
	} answer = {.info = {.argsz = INFO_SIZE}};
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);

	if (check_available(regions, count, err))
		return -ENOMEM;
	if (ioctl(group->container, VFIO_IOMMU_GET_INFO, &answer.info))
		answer.info.flags = 0;
	for (size_t i = 0; i < count; i++) {
		const struct pyn_dma_region *region = &regions[i];

		if (!reaches(answer.bytes, region))
			return pyn_error(err, PYN_ERROR_MEMORY, ERANGE,
					 "the DMA memory at %p, %zu MiB, is beyond the addresses that this machine's "
					 "IOMMU translates",
					 region->address, region->length >> 20);
		if (map_piece(group->container, region->address, region->length))
			return not_mapped(region, err);
	}
	return 0;
}

/* Whether a piece is mapped already: then the kernel refuses to map it again. Otherwise sets errno; that of the
 * mapping that failed is not known any more, and was most likely ENOMEM. */
static bool is_mapped(int container, char *address)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = pyn_dma_iova(address).value, .size = PYN_DMA_HUGE_PAGE};

	if (map_piece(container, address, PYN_DMA_HUGE_PAGE))
		return errno == EEXIST;
	ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap);
	errno = ENOMEM;
	return false;
}

int pyn_vfio_group_check_mapped(int container, struct pyn_error *err)
{
	const struct pyn_dma_region *regions;
	size_t count = pyn_dma_regions(&regions);

	for (size_t i = 0; i < count; i++) {
		for (size_t at = 0; at < regions[i].length; at += PYN_DMA_HUGE_PAGE)
			if (!is_mapped(container, (char *)regions[i].address + at))
				return not_mapped(&regions[i], err);
	}
	return 0;
}

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void close_shared(struct pyn_vfio_shared *shared)
{
	close_one(shared->fd);
	close_one(shared->container);
	free(shared);
}

static struct pyn_vfio_shared *open_shared(const char *bdf, int number, struct pyn_error *err)
{
	struct pyn_vfio_shared *shared = calloc(1, sizeof(*shared));
	int rc;

	if (!shared) {
		pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for an IOMMU group");
		return NULL;
	}
	*shared = (struct pyn_vfio_shared){.number = number, .container = -1, .fd = -1};
	rc = open_container(shared, err);
	if (!rc)
		rc = open_group(shared, bdf, err);
	if (!rc)
		rc = map_dma(shared, err);
	if (!rc)
		return shared;
	close_shared(shared);
	return NULL;
}

static struct pyn_vfio_shared *share(int number, int fd, struct pyn_error *err)
{
	struct pyn_vfio_shared *shared = calloc(1, sizeof(*shared));
	int copy = shared ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (copy < 0) {
		pyn_error(err, PYN_ERROR_SYSTEM, errno, "IOMMU group %d cannot be shared: %s", number,
			  strerror(errno));
		free(shared);
		return NULL;
	}
	*shared = (struct pyn_vfio_shared){.number = number, .container = -1, .fd = copy};
	return shared;
}

static struct pyn_vfio_group *find_function(const struct pyn_vfio_shared *shared, const char *bdf)
{
	struct pyn_vfio_group *function = shared->functions;

	while (function && strcmp(function->bdf, bdf) != 0)
		function = function->next;
	return function;
}

/* Whether the kernel wants a token for this function: it can have virtual functions, or vfio-pci has the physical
 * function of this one. */
static bool needs_token(const char *bdf)
{
	char driver[PYN_KERNEL_NAME];

	pyn_kernel_physical_driver(bdf, driver);
	return pyn_kernel_is_physical(bdf) || !strcmp(driver, VFIO_PCI);
}

/* Get the file of a function. -1: it sets errno. */
static int open_device(int fd, const char *bdf)
{
	char name[64];

	snprintf(name, sizeof(name), needs_token(bdf) ? "%.20s " TOKEN : "%.20s", bdf);
	return ioctl(fd, VFIO_GROUP_GET_DEVICE_FD, name);
}

/* Call it with the lock held. fd: of a group that is shared; -1: open it. */
static int join(struct pyn_vfio_group *group, int fd, struct pyn_error *err)
{
	struct pyn_vfio_shared *shared = the_groups.list;
	bool is_new;

	while (shared && shared->number != group->number)
		shared = shared->next;
	is_new = !shared;
	if (is_new)
		shared = fd < 0 ? open_shared(group->bdf, group->number, err) : share(group->number, fd, err);
	if (!shared)
		return -err->number;
	if (find_function(shared, group->bdf))
		return pyn_error(err, PYN_ERROR_ENUMERATE, EBUSY, "%s is open in this process already", group->bdf);
	group->device = open_device(shared->fd, group->bdf);
	if (group->device < 0) {
		int rc = pyn_error(err, PYN_ERROR_ENUMERATE, errno,
				   "the kernel does not let this process open %s: %s", group->bdf, strerror(errno));

		if (is_new)
			close_shared(shared);
		return rc;
	}
	if (is_new) {
		shared->next = the_groups.list;
		the_groups.list = shared;
	}
	group->shared = shared;
	group->next = shared->functions;
	shared->functions = group;
	return 0;
}

int pyn_vfio_group_check(const char *bdf, struct pyn_error *err)
{
	return pyn_kernel_iommu_group(bdf) < 0 ? no_group(bdf, err) : refuse_driver(bdf, err);
}

static int open_function(const char *bdf, int fd, struct pyn_vfio_group *group, struct pyn_error *err)
{
	int rc = pyn_vfio_group_check(bdf, err);

	*group = (struct pyn_vfio_group){.device = -1, .number = pyn_kernel_iommu_group(bdf)};
	memcpy(group->bdf, bdf, strnlen(bdf, sizeof(group->bdf) - 1));
	if (rc)
		return rc;
	pthread_mutex_lock(&the_groups.lock);
	rc = join(group, fd, err);
	pthread_mutex_unlock(&the_groups.lock);
	return rc;
}

int pyn_vfio_group_open(const char *bdf, struct pyn_vfio_group *group, struct pyn_error *err)
{
	return open_function(bdf, -1, group, err);
}

int pyn_vfio_group_share(const char *bdf, int fd, struct pyn_vfio_group *group, struct pyn_error *err)
{
	return open_function(bdf, fd, group, err);
}

static void leave(struct pyn_vfio_group *group)
{
	struct pyn_vfio_shared *shared = group->shared, **place = &the_groups.list;
	struct pyn_vfio_group **function = &shared->functions;

	while (*function != group)
		function = &(*function)->next;
	*function = group->next;
	close_one(group->device);
	if (shared->functions)
		return;
	while (*place != shared)
		place = &(*place)->next;
	*place = shared->next;
	close_shared(shared);
}

void pyn_vfio_group_close(struct pyn_vfio_group *group)
{
	if (!group->shared) {
		close_one(group->device);
		group->device = -1;
		return;
	}
	pthread_mutex_lock(&the_groups.lock);
	leave(group);
	pthread_mutex_unlock(&the_groups.lock);
	group->shared = NULL;
	group->device = -1;
}

int pyn_vfio_group_release(struct pyn_vfio_group *group, struct pyn_error *err)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), kept = group->device;
	int rc = nothing < 0 ? -1 : dup3(nothing, kept, O_CLOEXEC);

	if (rc < 0)
		rc = pyn_error(err, PYN_ERROR_SYSTEM, errno, "no descriptor: %s", strerror(errno));
	close_one(nothing);
	if (rc < 0)
		return rc;
	group->device = -1;
	pyn_vfio_group_close(group);
	group->device = kept;
	return 0;
}

int pyn_vfio_group_reattach(const char *bdf, struct pyn_vfio_group *group, struct pyn_error *err)
{
	int kept = group->device;
	int rc = pyn_vfio_group_open(bdf, group, err);

	if (!rc && dup3(group->device, kept, O_CLOEXEC) < 0) {
		rc = pyn_error(err, PYN_ERROR_SYSTEM, errno, "no descriptor: %s", strerror(errno));
		pyn_vfio_group_close(group);
	}
	if (!rc)
		close(group->device);
	group->device = kept;
	return rc;
}

int pyn_vfio_group_fd(const struct pyn_vfio_group *group)
{
	return group->shared->fd;
}

bool pyn_vfio_group_has(const struct pyn_vfio_group *group, const char *bdf)
{
	bool found;

	pthread_mutex_lock(&the_groups.lock);
	found = find_function(group->shared, bdf) != NULL;
	pthread_mutex_unlock(&the_groups.lock);
	return found;
}
