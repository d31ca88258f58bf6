/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/metadata.h"

#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define MPTR VSSD_QWORD(4, "MPTR")
#define METADATA VSSD_NVM("5.2.1")

/* One LBA of the medium. */
struct place {
	uint64_t block;
	uint32_t offset; /* in the block */
	uint32_t length;
};

static struct place place_of(const struct vssd_ns *ns, uint64_t lba)
{
	uint64_t offset = (ns->first_block << VSSD_BLOCK_SHIFT) + (lba << ns->lba_shift);

	return (struct place){
		.block = offset >> VSSD_BLOCK_SHIFT,
		.offset = (uint32_t)offset & (VSSD_BLOCK_SIZE - 1),
		.length = 1u << ns->lba_shift,
	};
}

static uint8_t *metadata_at(const struct vssd_ctrl *ctrl, const struct place *place)
{
	return vssd_store_metadata(ctrl->store, place->block) +
	       (size_t)(place->offset / VSSD_SECTOR_SIZE) * VSSD_METADATA_LBA;
}

void vssd_metadata_get(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		       uint8_t *to)
{
	for (uint64_t i = 0; i < nlb; i++) {
		struct place place = place_of(ns, slba + i);

		memcpy(to + i * VSSD_METADATA_LBA, metadata_at(ctrl, &place), VSSD_METADATA_LBA);
	}
}

void vssd_metadata_put(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		       const uint8_t *from)
{
	for (uint64_t i = 0; i < nlb; i++) {
		struct place place = place_of(ns, slba + i);

		memcpy(metadata_at(ctrl, &place), from + i * VSSD_METADATA_LBA, VSSD_METADATA_LBA);
	}
}

/* ---- host memory ---- */

/* Where a command has got to: its data, and the metadata in a buffer of their own. */
struct walk {
	struct vssd_request *request;
	struct vssd_cursor cursor;
	uint64_t mptr; /* of the next LBA */
};

static uint16_t begin(struct walk *walk, struct vssd_request *request, uint32_t direction)
{
	const struct vssd_ns *ns = request->ns;
	uint16_t status = vssd_data_map(request, vssd_nlb(&request->cmd) * vssd_ns_lba_bytes(ns), direction);

	if (status)
		return status;
	if (!ns->extended && request->cmd.mptr & 3)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, MPTR, METADATA);
	*walk = (struct walk){
		.request = request,
		.cursor = {.segment = request->data.segments},
		.mptr = request->cmd.mptr,
	};
	return NVME_SC_SUCCESS;
}

static uint16_t unreachable(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_DATA_TRANSFER_ERROR,
			   VSSD_STATE("the metadata lie in memory that is not mapped"), METADATA);
}

static uint16_t put_metadata(struct walk *walk, const uint8_t *metadata)
{
	struct vssd_request *request = walk->request;
	const struct vssd_ns *ns = request->ns;

	if (ns->extended)
		return vssd_cursor_put(request, &walk->cursor, metadata, ns->metadata);
	if (vssd_bus_write(request->ctrl->bus, walk->mptr, metadata, ns->metadata) < 0)
		return unreachable(request);
	walk->mptr += ns->metadata;
	return NVME_SC_SUCCESS;
}

static uint16_t get_metadata(struct walk *walk, uint8_t *metadata)
{
	struct vssd_request *request = walk->request;
	const struct vssd_ns *ns = request->ns;

	if (ns->extended)
		return vssd_cursor_get(request, &walk->cursor, metadata, ns->metadata);
	if (vssd_bus_read(request->ctrl->bus, walk->mptr, metadata, ns->metadata) < 0)
		return unreachable(request);
	walk->mptr += ns->metadata;
	return NVME_SC_SUCCESS;
}

/* ---- commands ---- */

uint16_t vssd_metadata_read(struct vssd_request *request, uint16_t (*readable)(struct vssd_request *request))
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd);
	struct walk walk;
	uint16_t status = begin(&walk, request, VSSD_DMA_WRITE);

	if (!status)
		status = readable(request);
	for (uint64_t i = 0; i < nlb && !status; i++) {
		struct place at = place_of(request->ns, slba + i);

		status = vssd_cursor_put(request, &walk.cursor, vssd_store_data(ctrl->store, at.block) + at.offset,
					 at.length);
		if (!status)
			status = put_metadata(&walk, metadata_at(ctrl, &at));
	}
	return status;
}

/* Write one LBA, whose data and metadata have come from the host. */
static uint16_t write_lba(struct vssd_request *request, uint64_t lba, const uint8_t *data, const uint8_t *metadata)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	struct place at = place_of(request->ns, lba);
	uint8_t *to = vssd_store_write(ctrl->store, at.block, vssd_store_sectors(at.offset, at.length));

	if (!to)
		return vssd_refuse(request, NVME_SC_WRITE_FAULT, VSSD_STATE("there is no memory for another block"),
				   VSSD_OWN);
	memcpy(to + at.offset, data, at.length);
	memcpy(metadata_at(ctrl, &at), metadata, request->ns->metadata);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_metadata_write(struct vssd_request *request)
{
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd);
	uint8_t data[VSSD_BLOCK_SIZE], metadata[VSSD_METADATA_LBA];
	struct walk walk;
	uint16_t status = begin(&walk, request, VSSD_DMA_READ);

	for (uint64_t i = 0; i < nlb && !status && !request->is_trial; i++) {
		status = vssd_cursor_get(request, &walk.cursor, data, 1u << request->ns->lba_shift);
		if (!status)
			status = get_metadata(&walk, metadata);
		if (!status)
			status = write_lba(request, slba + i, data, metadata);
	}
	return status;
}

uint16_t vssd_metadata_compare(struct vssd_request *request, uint16_t (*readable)(struct vssd_request *request))
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd);
	uint8_t data[VSSD_BLOCK_SIZE], metadata[VSSD_METADATA_LBA];
	struct walk walk;
	uint16_t status = begin(&walk, request, VSSD_DMA_READ);

	if (!status)
		status = readable(request);
	for (uint64_t i = 0; i < nlb && !status; i++) {
		struct place at = place_of(request->ns, slba + i);

		status = vssd_cursor_get(request, &walk.cursor, data, at.length);
		if (!status)
			status = get_metadata(&walk, metadata);
		if (status)
			return status;
		if (memcmp(vssd_store_data(ctrl->store, at.block) + at.offset, data, at.length) != 0)
			return vssd_fail_at(request, NVME_SC_COMPARE_FAILURE, slba + i, "the data differ", VSSD_OWN);
		if (memcmp(metadata_at(ctrl, &at), metadata, request->ns->metadata) != 0)
			return vssd_fail_at(request, NVME_SC_COMPARE_FAILURE, slba + i, "the metadata differ",
					    VSSD_OWN);
	}
	return status;
}
