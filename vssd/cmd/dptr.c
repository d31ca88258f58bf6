/* SPDX-License-Identifier: BSD-3-Clause */
/* NVM Express Base Specification 2.0, section 4.1.1: Physical Region Page entries and lists. SGLs are in sgl.c. */
#include "vssd/cmd/dptr.h"

#include "vssd/cmd/fault.h"
#include "vssd/cmd/pieces.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/sgl.h"

#define LIST_CHUNK 512u
#define PRP VSSD_BASE("4.3.1")
#define PRP1 VSSD_QWORD(6, "PRP1")
#define PRP2 VSSD_QWORD(8, "PRP2")

/* Walk a PRP list from its first entry (which may lie anywhere in its page) until it covers length bytes. */
static uint16_t walk_list(struct vssd_request *request, uint64_t list, uint64_t length, uint32_t direction)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint32_t page = ctrl->regs.page_size;
	uint64_t entries[LIST_CHUNK];

	if (list & 7)
		return vssd_refuse(request, NVME_SC_INVALID_PRP_OFFSET, PRP2, PRP);
	for (;;) {
		uint64_t wanted = (length + page - 1) / page;
		uint64_t in_page = (page - (list & (page - 1))) / sizeof(entries[0]);
		uint64_t count = wanted < in_page ? wanted : in_page;

		if (count > LIST_CHUNK)
			count = LIST_CHUNK;
		if (vssd_bus_read(ctrl->bus, list, entries, count * sizeof(entries[0])) < 0)
			return vssd_pieces_unreachable(request, "the PRP list lies in memory that is not mapped");
		list += count * sizeof(entries[0]);
		for (uint64_t i = 0; i < count; i++) {
			uint32_t piece = length < page ? (uint32_t)length : page;
			uint16_t status;

			if (entries[i] & (page - 1))
				return vssd_refuse(request, NVME_SC_INVALID_PRP_OFFSET,
						   VSSD_STATE("an entry of the PRP list has an offset"), PRP);
			/* The last entry of a page points to the next page of the list, unless it ends the data. */
			if (i == count - 1 && (list & (page - 1)) == 0 && length > page) {
				list = entries[i];
				break;
			}
			status = vssd_pieces_add(request, entries[i], piece, direction);
			if (status)
				return status;
			length -= piece;
			if (length == 0)
				return NVME_SC_SUCCESS;
		}
	}
}

static uint16_t map_prps(struct vssd_request *request, uint64_t length, uint32_t direction)
{
	uint64_t prp1 = request->cmd.prp1, prp2 = request->cmd.prp2;
	uint32_t page = request->ctrl->regs.page_size;
	uint32_t room = page - (uint32_t)(prp1 & (page - 1));
	uint16_t status;

	vssd_pieces_begin(request);
	if (prp1 & 3)
		return vssd_refuse(request, NVME_SC_INVALID_PRP_OFFSET, PRP1, PRP);
	if (length <= room)
		return vssd_pieces_add(request, prp1, (uint32_t)length, direction);
	status = vssd_pieces_add(request, prp1, room, direction);
	if (status)
		return status;
	length -= room;
	if (length > page)
		return walk_list(request, prp2, length, direction);
	if (prp2 & (page - 1))
		return vssd_refuse(request, NVME_SC_INVALID_PRP_OFFSET, PRP2, PRP);
	return vssd_pieces_add(request, prp2, (uint32_t)length, direction);
}

/* The data are in memory of this process: a message of the Management Interface. */
static uint16_t map_local(struct vssd_request *request, uint64_t length)
{
	if (length > request->local->length)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_STATE("the message has no room for the data"),
				   VSSD_OWN);
	request->data = (struct vssd_data){.segments = request->ctrl->transfers.segments, .count = 1};
	request->data.segments[0] =
		(struct vssd_segment){.memory = request->local->memory, .length = (uint32_t)length};
	return NVME_SC_SUCCESS;
}

uint16_t vssd_data_map_host(struct vssd_request *request, uint64_t length, uint32_t direction)
{
	if (__builtin_expect(request->local != NULL, 0))
		return map_local(request, length);
	return vssd_sgl_used(request) ? vssd_sgl_map(request, length, direction)
				      : map_prps(request, length, direction);
}

uint16_t vssd_data_map(struct vssd_request *request, uint64_t length, uint32_t direction)
{
	uint16_t status;

	if (__builtin_expect(request->fault != NULL, 0) && request->fault->preloaded)
		return vssd_fault_map(request->fault, length, direction);
	status = vssd_data_map_host(request, length, direction);
	if (__builtin_expect(request->fault != NULL, 0) && !status)
		status = vssd_fault_map(request->fault, length, direction);
	return status;
}

uint16_t vssd_data_queue(struct vssd_request *request, uint64_t *iova)
{
	*iova = request->cmd.prp1;
	if (*iova & (request->ctrl->regs.page_size - 1))
		return vssd_refuse(request, NVME_SC_INVALID_PRP_OFFSET, PRP1, VSSD_OWN);
	return NVME_SC_SUCCESS;
}

/* ---- whole transfers ---- */

uint16_t vssd_data_send(struct vssd_request *request, const void *buffer, uint32_t length)
{
	uint16_t status = vssd_data_map(request, length, VSSD_DMA_WRITE);
	struct vssd_cursor cursor = {.segment = request->data.segments};

	return status ? status : vssd_cursor_put(request, &cursor, buffer, length);
}

uint16_t vssd_data_receive(struct vssd_request *request, void *buffer, uint32_t length)
{
	uint16_t status = vssd_data_map(request, length, VSSD_DMA_READ);
	struct vssd_cursor cursor = {.segment = request->data.segments};

	return status ? status : vssd_cursor_get(request, &cursor, buffer, length);
}

uint16_t vssd_data_send_part(struct vssd_request *request, const uint8_t *page, uint64_t size, uint64_t offset,
			     uint64_t length)
{
	static const uint8_t zeros[4096];
	uint16_t status = vssd_data_map(request, length, VSSD_DMA_WRITE);
	struct vssd_cursor cursor = {.segment = request->data.segments};

	while (!status && length > 0) {
		bool inside = offset < size;
		uint64_t room = inside ? size - offset : sizeof(zeros);
		uint32_t piece = (uint32_t)(length < room ? length : room);

		status = vssd_cursor_put(request, &cursor, inside ? page + offset : zeros, piece);
		offset += piece;
		length -= piece;
	}
	return status;
}
