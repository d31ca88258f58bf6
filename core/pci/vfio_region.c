/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/vfio_region.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "core/util/log.h"

#define ANSWER 4096u

union answer {
	struct vfio_region_info info;
	uint8_t bytes[ANSWER];
};

static int ask(int fd, uint32_t index, union answer *answer)
{
	*answer = (union answer){.info = {.argsz = ANSWER, .index = index}};
	return ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &answer->info);
}

int pyn_vfio_region_ask(int fd, uint32_t index, struct pyn_vfio_region *region, struct pyn_error *err)
{
	union answer answer;

	if (ask(fd, index, &answer))
		return pyn_error(err, PYN_ERROR_GONE, errno, "the kernel does not describe region %u: %s", index,
				 strerror(errno));
	*region = (struct pyn_vfio_region){.fd = fd, .size = answer.info.size, .at = answer.info.offset};
	return 0;
}

static void map_area(struct pyn_vfio_region *region, uint8_t *mapped, uint64_t offset, uint64_t length)
{
	void *memory = mapped ? mapped + offset
			      : mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, region->fd,
				     (off_t)(region->at + offset));

	if (memory == MAP_FAILED) {
		pyn_log(PYN_LOG_WARNING, "%llu bytes of a BAR cannot be mapped (%s): they are accessed by calls",
			(unsigned long long)length, strerror(errno));
		return;
	}
	pyn_pci_areas_add(&region->areas, memory, offset, length);
}

/* Find the capability that lists the mappable parts of a region; 0: there is none, all of it is mappable. */
static uint32_t find_sparse(const union answer *answer)
{
	struct vfio_info_cap_header header;
	uint32_t before = sizeof(answer->info) - 1, at = answer->info.cap_offset;

	if (!(answer->info.flags & VFIO_REGION_INFO_FLAG_CAPS))
		return 0;
	for (; at > before && at <= ANSWER - sizeof(struct vfio_region_info_cap_sparse_mmap); at = header.next) {
		memcpy(&header, answer->bytes + at, sizeof(header));
		if (header.id == VFIO_REGION_INFO_CAP_SPARSE_MMAP)
			return at;
		before = at;
	}
	return 0;
}

void pyn_vfio_region_map(struct pyn_vfio_region *region, uint32_t index, void *memory)
{
	struct vfio_region_info_cap_sparse_mmap sparse;
	union answer answer;
	uint32_t at;

	if (ask(region->fd, index, &answer) || !(answer.info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return;
	at = find_sparse(&answer);
	if (!at) {
		map_area(region, memory, 0, region->size);
		return;
	}
	memcpy(&sparse, answer.bytes + at, sizeof(sparse));
	at += sizeof(sparse);
	for (uint32_t i = 0; i < sparse.nr_areas && region->areas.count < PYN_PCI_MAX_AREAS; i++) {
		struct vfio_region_sparse_mmap_area area;

		if (at > ANSWER - sizeof(area))
			return;
		memcpy(&area, answer.bytes + at, sizeof(area));
		at += sizeof(area);
		if (area.size)
			map_area(region, memory, area.offset, area.size);
	}
}

int pyn_vfio_region_cover(struct pyn_vfio_region *region, bool covered, struct pyn_error *err)
{
	for (unsigned i = 0; i < region->areas.count; i++) {
		const struct pyn_pci_area *area = &region->areas.area[i];
		int flags = MAP_SHARED | MAP_FIXED | (covered ? MAP_ANONYMOUS : 0);
		void *memory = mmap(area->memory, area->length, PROT_READ | PROT_WRITE, flags,
				    covered ? -1 : region->fd, covered ? 0 : (off_t)(region->at + area->offset));

		if (memory == MAP_FAILED)
			return pyn_error(err, PYN_ERROR_MEMORY, errno, "a BAR cannot be mapped: %s", strerror(errno));
	}
	return 0;
}

bool pyn_vfio_region_disown(struct pyn_vfio_region *region, const void *pointer, void **mapping, size_t *length)
{
	for (unsigned i = 0; i < region->areas.count; i++) {
		const struct pyn_pci_area area = region->areas.area[i];

		if ((uintptr_t)pointer - (uintptr_t)area.memory >= area.length)
			continue;
		region->areas.area[i] = region->areas.area[--region->areas.count];
		if (mmap(area.memory, area.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			 -1, 0) == MAP_FAILED)
			pyn_log(PYN_LOG_WARNING, "a device's memory stays mapped: %s", strerror(errno));
		*mapping = area.memory;
		*length = area.length;
		return true;
	}
	return false;
}
