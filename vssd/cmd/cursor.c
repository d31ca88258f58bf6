/* SPDX-License-Identifier: BSD-3-Clause */
/* Copying between buffers and host memory. */
#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"

static uint16_t does_not_answer(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_DATA_TRANSFER_ERROR,
			   VSSD_STATE("the host does not answer for its memory"), VSSD_BASE("4.3.1"));
}

uint16_t vssd_cursor_put(struct vssd_request *request, struct vssd_cursor *cursor, const uint8_t *from,
			 uint32_t length)
{
	while (length > 0) {
		const struct vssd_segment *segment = cursor->segment;
		uint32_t piece = vssd_cursor_room(cursor, length);

		if (segment->memory)
			memcpy(segment->memory + cursor->done, from, piece);
		else if (!segment->is_bucket &&
			 vssd_bus_write(request->ctrl->bus, segment->iova + cursor->done, from, piece) < 0)
			return does_not_answer(request);
		vssd_cursor_advance(cursor, piece);
		from += piece;
		length -= piece;
	}
	return NVME_SC_SUCCESS;
}

uint16_t vssd_cursor_get(struct vssd_request *request, struct vssd_cursor *cursor, uint8_t *to, uint32_t length)
{
	while (length > 0) {
		const struct vssd_segment *segment = cursor->segment;
		uint32_t piece = vssd_cursor_room(cursor, length);

		if (segment->memory)
			memcpy(to, segment->memory + cursor->done, piece);
		else if (segment->is_bucket)
			memset(to, 0, piece);
		else if (vssd_bus_read(request->ctrl->bus, segment->iova + cursor->done, to, piece) < 0)
			return does_not_answer(request);
		vssd_cursor_advance(cursor, piece);
		to += piece;
		length -= piece;
	}
	return NVME_SC_SUCCESS;
}
