/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/pieces.h"

#include <stdlib.h>

#include "vssd/cmd/fault.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/sgl.h"
#include "vssd/ctrl/controller.h"

/* The section of the specification about the command's data pointer. */
static const char *section_of(const struct vssd_request *request)
{
	return vssd_sgl_used(request) ? VSSD_BASE("4.3.2") : VSSD_BASE("4.3.1");
}

uint16_t vssd_pieces_unreachable(struct vssd_request *request, const char *what)
{
	return vssd_refuse(request, NVME_SC_DATA_TRANSFER_ERROR, VSSD_STATE(what), section_of(request));
}

void vssd_pieces_begin(struct vssd_request *request)
{
	request->data = (struct vssd_data){.segments = request->ctrl->transfers.segments};
}

/* Make room for another piece. There is enough for all PRPs; an SGL may have more pieces than pages. */
static bool make_room(struct vssd_request *request)
{
	struct vssd_transfers *transfers = &request->ctrl->transfers;
	uint32_t wanted =
		transfers->num_segments * 2 < VSSD_PIECES_MAX ? transfers->num_segments * 2 : VSSD_PIECES_MAX;
	struct vssd_segment *segments;

	if (request->data.count < transfers->num_segments)
		return true;
	if (wanted <= transfers->num_segments)
		return false;
	segments = realloc(transfers->segments, wanted * sizeof(*segments));
	if (!segments)
		return false;
	transfers->segments = request->data.segments = segments;
	transfers->num_segments = wanted;
	return true;
}

static uint16_t append(struct vssd_request *request, struct vssd_segment piece)
{
	struct vssd_data *data = &request->data;
	struct vssd_segment *last = data->count ? &data->segments[data->count - 1] : NULL;

	if (piece.memory && last && last->memory && last->memory + last->length == piece.memory &&
	    last->iova + last->length == piece.iova) {
		last->length += piece.length;
		return NVME_SC_SUCCESS;
	}
	if (!make_room(request))
		return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("the data lie in too many pieces"),
				   section_of(request));
	data->segments[data->count++] = piece;
	return NVME_SC_SUCCESS;
}

/* Add memory that spans several regions, or that is accessed by messages, or that is not mapped. */
static uint16_t add_apart(struct vssd_request *request, uint64_t iova, uint32_t length, uint32_t direction)
{
	uint16_t status = NVME_SC_SUCCESS;

	while (length > 0 && !status) {
		const struct vssd_dma_region *region = vssd_dma_find(&request->ctrl->bus->dma, iova);
		uint64_t offset, rest;
		uint32_t piece;

		if (!region || !(region->flags & direction))
			return vssd_pieces_unreachable(request, "data lie in memory that is not mapped");
		offset = iova - region->iova;
		rest = region->size - offset;
		piece = length < rest ? length : (uint32_t)rest;
		status = append(request, (struct vssd_segment){
						 .memory = region->memory ? region->memory + offset : NULL,
						 .iova = iova,
						 .length = piece,
					 });
		iova += piece;
		length -= piece;
	}
	return status;
}

uint16_t vssd_pieces_add(struct vssd_request *request, uint64_t iova, uint32_t length, uint32_t direction)
{
	uint8_t *memory;

	if (__builtin_expect(request->fault != NULL, 0))
		iova = vssd_fault_address(request->fault, iova);
	memory = vssd_dma_pointer(&request->ctrl->bus->dma, iova, length, direction);
	if (!memory)
		return add_apart(request, iova, length, direction);
	return append(request, (struct vssd_segment){.memory = memory, .iova = iova, .length = length});
}

uint16_t vssd_pieces_add_bucket(struct vssd_request *request, uint32_t length)
{
	return append(request, (struct vssd_segment){.length = length, .is_bucket = true});
}
