/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/host_metadata.h"

#include <stdlib.h>
#include <string.h>

#include "spec/nvme_feature.h"
#include "vssd/subsystem/subsystem.h"

#define ELEMENTS offsetof(struct nvme_host_metadata, elements)
#define HEAD sizeof(struct nvme_metadata_element)
#define TYPE 0x3fu

/* The size of the element at an offset. */
static size_t size_at(const struct vssd_metadata *metadata, size_t offset)
{
	uint16_t elen;

	memcpy(&elen, &metadata->data[offset + offsetof(struct nvme_metadata_element, elen)], sizeof(elen));
	return HEAD + elen;
}

static uint8_t type_at(const struct vssd_metadata *metadata, size_t offset)
{
	return metadata->data[offset] & TYPE;
}

/* The end of the elements, which are valid. */
static size_t end_of(const struct vssd_metadata *metadata)
{
	size_t offset = ELEMENTS;

	for (uint8_t i = 0; i < metadata->data[0]; i++)
		offset += size_at(metadata, offset);
	return offset;
}

bool vssd_metadata_is_valid(const struct vssd_metadata *data, enum vssd_metadata_action action)
{
	size_t offset = ELEMENTS;

	for (uint8_t i = 0; i < data->data[0]; i++) {
		if (offset + HEAD > VSSD_METADATA_SIZE || offset + size_at(data, offset) > VSSD_METADATA_SIZE)
			return false;
		if (action == VSSD_METADATA_DELETE && size_at(data, offset) > HEAD)
			return false;
		offset += size_at(data, offset);
	}
	return true;
}

static void erase(struct vssd_metadata *metadata, uint8_t type)
{
	size_t end = end_of(metadata), offset = ELEMENTS;

	while (offset < end) {
		size_t size = size_at(metadata, offset);

		if (type_at(metadata, offset) != type) {
			offset += size;
			continue;
		}
		memmove(&metadata->data[offset], &metadata->data[offset + size], end - offset - size);
		memset(&metadata->data[end - size], 0, size);
		end -= size;
		metadata->data[0]--;
	}
}

static bool add(struct vssd_metadata *metadata, const uint8_t *element, size_t size)
{
	size_t end = end_of(metadata);

	if (end + size > VSSD_METADATA_SIZE || metadata->data[0] == UINT8_MAX)
		return false;
	memcpy(&metadata->data[end], element, size);
	metadata->data[0]++;
	return true;
}

bool vssd_metadata_change(struct vssd_metadata *metadata, const struct vssd_metadata *data,
			  enum vssd_metadata_action action)
{
	struct vssd_metadata changed = *metadata;
	size_t offset = ELEMENTS;

	for (uint8_t i = 0; i < data->data[0]; i++) {
		size_t size = size_at(data, offset);

		if (action != VSSD_METADATA_ADD)
			erase(&changed, type_at(data, offset));
		if (action != VSSD_METADATA_DELETE && !add(&changed, &data->data[offset], size))
			return false;
		offset += size;
	}
	*metadata = changed;
	return true;
}

void vssd_metadata_forget(struct vssd_subsystem *subsystem, uint32_t nsid)
{
	if (subsystem->health.host_metadata)
		subsystem->health.host_metadata->of_namespaces[nsid - 1] = (struct vssd_metadata){0};
}

static void init(struct vssd_subsystem *subsystem)
{
	if (subsystem->options.optional.features.host_metadata && subsystem->options.version >= NVME_2_0)
		subsystem->health.host_metadata = calloc(1, sizeof(*subsystem->health.host_metadata));
}

/* The features cannot be saved. Those of the namespaces begin anew as well, as all features of namespaces do. */
static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	struct vssd_host_metadata *metadata = subsystem->health.host_metadata;

	(void)kind;
	if (!metadata)
		return;
	memset(metadata->of_namespaces, 0, sizeof(metadata->of_namespaces));
	if (by)
		memset(metadata->of_controllers[by->index], 0, sizeof(metadata->of_controllers[0]));
	else
		memset(metadata->of_controllers, 0, sizeof(metadata->of_controllers));
}

static void deinit(struct vssd_subsystem *subsystem)
{
	free(subsystem->health.host_metadata);
}

const struct vssd_subsystem_part vssd_host_metadata_part = {.init = init, .reset = reset, .deinit = deinit};
