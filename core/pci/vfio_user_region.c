/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/pci/vfio_user_region.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/log.h"

/* The unchecked reply to DEVICE_GET_REGION_INFO. */
struct reply {
	struct vfu_region_info info;
	struct vfu_sparse_area areas[PYN_PCI_MAX_AREAS];
	unsigned num_areas;
};

static void add_area(struct reply *reply, struct vfu_sparse_area area)
{
	if (reply->num_areas < PYN_PCI_MAX_AREAS)
		reply->areas[reply->num_areas++] = area;
}

static void read_sparse(struct reply *reply, const uint8_t *bytes, size_t length, size_t at)
{
	struct vfu_sparse_mmap sparse;

	if (length - at < sizeof(sparse))
		return;
	memcpy(&sparse, bytes + at, sizeof(sparse));
	at += sizeof(sparse);
	for (uint32_t i = 0; i < sparse.nr_areas && length - at >= sizeof(struct vfu_sparse_area); i++) {
		struct vfu_sparse_area area;

		memcpy(&area, bytes + at, sizeof(area));
		at += sizeof(area);
		add_area(reply, area);
	}
}

/* Read the areas from the capabilities, which are linked by offsets. Only forward links are followed, so this
 * ends. */
static void read_areas(struct reply *reply, const uint8_t *bytes, size_t length)
{
	size_t at = reply->info.cap_offset, last = sizeof(reply->info) - 1;
	bool sparse = false;

	if (!(reply->info.flags & VFU_REGION_FLAG_MMAP))
		return;
	while ((reply->info.flags & VFU_REGION_FLAG_CAPS) && at > last && at <= length &&
	       length - at >= sizeof(struct vfu_cap_header)) {
		struct vfu_cap_header header;

		memcpy(&header, bytes + at, sizeof(header));
		if (header.id == VFU_CAP_SPARSE_MMAP) {
			read_sparse(reply, bytes, length, at);
			sparse = true;
		}
		last = at;
		at = header.next;
	}
	if (!sparse)
		add_area(reply, (struct vfu_sparse_area){.size = reply->info.size});
}

static int ask(struct pyn_vfu_channel *channel, uint32_t index, struct pyn_vfu_call *call, struct reply *reply,
	       struct pyn_error *err)
{
	struct vfu_region_info info = {.argsz = PYN_VFU_REPLY, .index = index};
	uint8_t bytes[PYN_VFU_REPLY];
	int rc;

	*call = (struct pyn_vfu_call){
		.command = VFU_DEVICE_GET_REGION_INFO,
		.request = {{.iov_base = &info, .iov_len = sizeof(info)}},
		.fd = -1,
		.reply = bytes,
		.reply_min = sizeof(info),
		.reply_max = sizeof(bytes),
		.want_fds = VFU_MAX_FDS,
	};
	rc = pyn_vfu_call(channel, call, err);
	if (rc)
		return rc;
	*reply = (struct reply){0};
	memcpy(&reply->info, bytes, sizeof(reply->info));
	read_areas(reply, bytes, call->reply_length);
	return 0;
}

/* Whether an area consists of whole pages inside the region, at an offset that a file can have. */
static bool is_mappable(const struct vfu_region_info *info, const struct vfu_sparse_area *area)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!area->size || area->offset > info->size || area->size > info->size - area->offset)
		return false;
	if (area->offset % page || area->size % page || info->offset % page)
		return false;
	return info->offset <= INT64_MAX && area->offset <= INT64_MAX - info->offset &&
	       area->size <= INT64_MAX - info->offset - area->offset;
}

/* Whether a file reaches up to end: a store into a mapping beyond it would raise SIGBUS. */
static bool file_reaches(int fd, uint64_t end)
{
	struct stat status;

	return !fstat(fd, &status) && (!S_ISREG(status.st_mode) || (uint64_t)status.st_size >= end);
}

static void map_area(const struct pyn_vfu_channel *channel, const struct vfu_region_info *info,
		     const struct vfu_sparse_area *area, int fd, struct pyn_vfu_region *region)
{
	void *memory;

	if (!is_mappable(info, area) || !file_reaches(fd, info->offset + area->offset + area->size)) {
		pyn_log(PYN_LOG_WARNING,
			"the device at %s offers a mapping that does not fit its region or file: not used",
			channel->path);
		return;
	}
	memory = mmap(NULL, area->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(info->offset + area->offset));
	if (memory == MAP_FAILED) {
		pyn_log(PYN_LOG_WARNING,
			"region %u of the device at %s cannot be mapped (%s): it is accessed by message", info->index,
			channel->path, strerror(errno));
		return;
	}
	pyn_pci_areas_add(&region->areas, memory, area->offset, area->size);
}

int pyn_vfu_region_map(struct pyn_vfu_channel *channel, uint32_t index, struct pyn_vfu_region *region,
		       struct pyn_error *err)
{
	struct pyn_vfu_call call;
	struct reply reply;
	int rc;

	*region = (struct pyn_vfu_region){0};
	rc = ask(channel, index, &call, &reply, err);
	if (rc)
		return rc;
	region->size = reply.info.size;
	/* One descriptor serves the whole region; some servers send one for each area. */
	for (unsigned i = 0; i < reply.num_areas && call.num_fds; i++)
		map_area(channel, &reply.info, &reply.areas[i], call.fds[i < call.num_fds ? i : 0], region);
	while (call.num_fds)
		close(call.fds[--call.num_fds]);
	return 0;
}
