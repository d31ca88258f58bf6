/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/mptr.h"

#include <stdlib.h>
#include <string.h>

#include "spec/nvme_data.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/sgl.h"
#include "vssd/ctrl/controller.h"

#define MPTR VSSD_QWORD(4, "MPTR")
#define METADATA VSSD_NVM("5.2.1")
#define SGL VSSD_BASE("4.3.2")

static bool is_sgl(const struct vssd_request *request)
{
	return (request->cmd.flags & NVME_PSDT) == NVME_PSDT_MPTR_SGL;
}

static uint16_t unreachable(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_DATA_TRANSFER_ERROR,
			   VSSD_STATE("the metadata lie in memory that is not mapped"), METADATA);
}

static uint16_t no_memory(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("no memory for metadata"), VSSD_OWN);
}

/* Follow the one descriptor that MPTR points to, whose pieces replace those of the data in request->data. Fault rules
 * of the addresses of data leave them alone. */
static uint16_t map_sgl(struct vssd_request *request, uint64_t length, uint32_t direction)
{
	struct vssd_fault_plan *fault = request->fault;
	struct nvme_sgl_descriptor first;
	uint16_t status;

	if (request->cmd.mptr & 7)
		return vssd_refuse(request, NVME_SC_INVALID_SGL_SEGMENT, MPTR, SGL);
	if (vssd_bus_read(request->ctrl->bus, request->cmd.mptr, &first, sizeof(first)) < 0)
		return unreachable(request);
	request->fault = NULL;
	status = vssd_sgl_follow(request, &first, length, direction, NVME_SC_INVALID_SGL_METADATA_LENGTH);
	request->fault = fault;
	return status;
}

/* Copy packed metadata by the SGL, and leave the pieces of the data in request->data. */
static uint16_t move_by_sgl(struct vssd_request *request, uint8_t *packed, uint32_t length, uint32_t direction)
{
	struct vssd_data data = request->data;
	size_t size = data.count * sizeof(*data.segments);
	struct vssd_segment *saved = malloc(size ? size : 1);
	struct vssd_cursor cursor;
	uint16_t status;

	if (!saved)
		return no_memory(request);
	memcpy(saved, data.segments, size);
	status = map_sgl(request, length, direction);
	cursor = (struct vssd_cursor){.segment = request->data.segments};
	if (!status)
		status = direction == VSSD_DMA_READ ? vssd_cursor_get(request, &cursor, packed, length)
						    : vssd_cursor_put(request, &cursor, packed, length);
	/* The list may have needed more room, and moved the segments of the controller. */
	request->data = (struct vssd_data){.segments = request->ctrl->transfers.segments, .count = data.count};
	memcpy(request->data.segments, saved, size);
	free(saved);
	return status;
}

static uint16_t move(struct vssd_request *request, uint8_t *packed, uint32_t length, uint32_t direction)
{
	struct vssd_bus *bus = request->ctrl->bus;
	int result;

	if (is_sgl(request))
		return move_by_sgl(request, packed, length, direction);
	result = direction == VSSD_DMA_READ ? vssd_bus_read(bus, request->cmd.mptr, packed, length)
					    : vssd_bus_write(bus, request->cmd.mptr, packed, length);
	return result < 0 ? unreachable(request) : NVME_SC_SUCCESS;
}

uint16_t vssd_mptr_check(struct vssd_request *request, uint64_t nlb, uint32_t direction)
{
	bool by_bytes = request->cmd.flags & NVME_PSDT && vssd_sgls(request->ctrl) & NVME_SGLS_MPTR_BYTES;

	if (is_sgl(request))
		return map_sgl(request, nlb * request->ns->metadata, direction);
	if (request->cmd.mptr & 3 && !by_bytes)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, MPTR, METADATA);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_mptr_get(struct vssd_request *request, uint64_t nlb, uint8_t *lbas)
{
	uint32_t each = request->ns->metadata;
	uint8_t *packed = malloc(nlb * each);
	uint16_t status = packed ? move(request, packed, (uint32_t)nlb * each, VSSD_DMA_READ) : no_memory(request);

	for (uint64_t i = 0; i < nlb && !status; i++)
		memcpy(lbas + i * VSSD_METADATA_LBA, packed + i * each, each);
	free(packed);
	return status;
}

uint16_t vssd_mptr_put(struct vssd_request *request, uint64_t nlb, const uint8_t *lbas)
{
	uint32_t each = request->ns->metadata;
	uint8_t *packed = malloc(nlb * each);
	uint16_t status = NVME_SC_SUCCESS;

	if (!packed)
		return no_memory(request);
	for (uint64_t i = 0; i < nlb; i++)
		memcpy(packed + i * each, lbas + i * VSSD_METADATA_LBA, each);
	status = move(request, packed, (uint32_t)nlb * each, VSSD_DMA_WRITE);
	free(packed);
	return status;
}
