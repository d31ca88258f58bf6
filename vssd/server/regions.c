/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/server/regions.h"

#include <errno.h>
#include <string.h>

#include "vssd/ctrl/layout.h"
#include "vssd/subsystem/subsystem.h"

static void bar0_read(struct vssd_session *session, uint32_t offset, void *data, uint32_t length)
{
	vssd_ctrl_bar_read(session->ctrl, offset, data, length);
}

static void bar0_write(struct vssd_session *session, uint32_t offset, const void *data, uint32_t length)
{
	vssd_ctrl_bar_write(session->ctrl, offset, data, length);
}

static void config_read(struct vssd_session *session, uint32_t offset, void *data, uint32_t length)
{
	vssd_ctrl_config_read(session->ctrl, offset, data, length);
}

static void config_write(struct vssd_session *session, uint32_t offset, const void *data, uint32_t length)
{
	vssd_ctrl_config_write(session->ctrl, offset, data, length);
}

/* Whether the function decodes accesses to its BARs. */
static bool memory_is_enabled(struct vssd_session *session)
{
	uint16_t command;

	vssd_ctrl_config_read(session->ctrl, PCI_CFG_COMMAND, &command, sizeof(command));
	return command != UINT16_MAX && (command & PCI_COMMAND_MSE); /* all ones: there is no power or link */
}

static void table_read(struct vssd_session *session, uint32_t offset, void *data, uint32_t length)
{
	if (memory_is_enabled(session))
		vssd_interrupts_table_read(&session->interrupts, offset, data, length);
	else
		memset(data, 0xff, length);
}

static void table_write(struct vssd_session *session, uint32_t offset, const void *data, uint32_t length)
{
	if (memory_is_enabled(session))
		vssd_interrupts_table_write(&session->interrupts, offset, data, length);
}

static void pending_read(struct vssd_session *session, uint32_t offset, void *data, uint32_t length)
{
	if (memory_is_enabled(session))
		vssd_interrupts_pending_read(&session->interrupts, offset, data, length);
	else
		memset(data, 0xff, length);
}

static void pending_write(struct vssd_session *session, uint32_t offset, const void *data, uint32_t length)
{
	(void)session;
	(void)offset;
	(void)data;
	(void)length;
}

static uint32_t pending_size(const struct vssd_options *options)
{
	(void)options;
	return VSSD_MSIX_BAR_SIZE;
}

static uint32_t config_size(const struct vssd_options *options)
{
	(void)options;
	return VSSD_CONFIG_SIZE;
}

/* Regions that are not listed have the size 0. */
static const struct region {
	uint32_t (*size)(const struct vssd_options *options);
	bool mappable; /* the client can map the doorbells */
	void (*read)(struct vssd_session *session, uint32_t offset, void *data, uint32_t length);
	void (*write)(struct vssd_session *session, uint32_t offset, const void *data, uint32_t length);
} regions[VFU_NUM_REGIONS] = {
	[VFU_REGION_BAR0] = {vssd_layout_bar0, true, bar0_read, bar0_write},
	[VSSD_MSIX_TABLE_BAR] = {vssd_layout_msix_table, false, table_read, table_write},
	[VSSD_MSIX_PBA_BAR] = {pending_size, false, pending_read, pending_write},
	[VFU_REGION_CONFIG] = {config_size, false, config_read, config_write},
};

static uint32_t size_of(const struct vssd_session *session, uint32_t index)
{
	return index < VFU_NUM_REGIONS && regions[index].size ? regions[index].size(&session->subsystem->options) : 0;
}

/* Describe the mappable part as one area, as all clients expect it. */
static void put_doorbell_area(const struct vssd_session *session, uint8_t *answer)
{
	struct vfu_sparse_mmap capability = {
		.header = {.id = VFU_CAP_SPARSE_MMAP, .version = 1},
		.nr_areas = 1,
	};
	struct vfu_sparse_area area = {VSSD_DOORBELL_OFFSET, vssd_layout_doorbells(&session->subsystem->options)};

	memcpy(answer, &capability, sizeof(capability));
	memcpy(answer + sizeof(capability), &area, sizeof(area));
}

int vssd_region_info(const struct vssd_session *session, const struct vfu_region_info *request, uint8_t *answer,
		     int *fd)
{
	struct vfu_region_info info = {.argsz = sizeof(info), .index = request->index};
	int length = sizeof(info);

	if (request->argsz < sizeof(info) || request->index >= VFU_NUM_REGIONS)
		return -EINVAL;
	info.size = size_of(session, info.index);
	if (info.size > 0)
		info.flags = VFU_REGION_FLAG_READ | VFU_REGION_FLAG_WRITE;
	if (regions[info.index].mappable && session->capabilities.max_fds > 0) {
		info.flags |= VFU_REGION_FLAG_MMAP;
		info.argsz = VSSD_REGION_INFO_MAX;
		if (request->argsz >= info.argsz) {
			info.flags |= VFU_REGION_FLAG_CAPS;
			info.cap_offset = sizeof(info);
			put_doorbell_area(session, answer + sizeof(info));
			length = VSSD_REGION_INFO_MAX;
			*fd = session->doorbells.fd;
		}
	}
	memcpy(answer, &info, sizeof(info));
	return length;
}

bool vssd_region_access_is_valid(const struct vssd_session *session, const struct vfu_region_access *access)
{
	uint32_t size = size_of(session, access->region);

	return size > 0 && access->count <= VSSD_ACCESS_MAX && access->offset <= size &&
	       access->count <= size - access->offset;
}

void vssd_region_read(struct vssd_session *session, const struct vfu_region_access *access, void *data)
{
	regions[access->region].read(session, (uint32_t)access->offset, data, access->count);
}

void vssd_region_write(struct vssd_session *session, const struct vfu_region_access *access, const void *data)
{
	regions[access->region].write(session, (uint32_t)access->offset, data, access->count);
}
