/* SPDX-License-Identifier: BSD-3-Clause */
/* The data of a command in host memory. Only dptr.c knows the formats of the data pointer. */
#ifndef VSSD_CMD_DPTR_H
#define VSSD_CMD_DPTR_H

#include "vssd/cmd/request.h"
#include "vssd/ctrl/controller.h"

/* Translate the data pointer of a command that transfers length bytes into request->data, which is valid until the
 * next call. direction: VSSD_DMA_READ if the controller reads the memory. Returns a status. */
uint16_t vssd_data_map(struct vssd_request *request, uint64_t length, uint32_t direction);

/* The same, without what fault rules make of the data: the pieces are those of the host's memory. */
uint16_t vssd_data_map_host(struct vssd_request *request, uint64_t length, uint32_t direction);

/* Map length bytes as vssd_data_map() does, and copy from the buffer to them (send) or back (receive). Both return a
 * status. */
uint16_t vssd_data_send(struct vssd_request *request, const void *buffer, uint32_t length);
uint16_t vssd_data_receive(struct vssd_request *request, void *buffer, uint32_t length);

/* Get the address of the queue from a Create I/O Queue command. Returns a status. */
uint16_t vssd_data_queue(struct vssd_request *request, uint64_t *iova);

/* Translate PRP1 of a plain command, whose length bytes lie in one page. NULL: they cross a page, PRP1 is not dword
 * aligned, or the memory cannot be reached directly. */
static inline uint8_t *vssd_data_in_page(struct vssd_ctrl *ctrl, uint64_t prp1, uint64_t length, uint32_t direction)
{
	uint64_t in_page = prp1 & (ctrl->regs.page_size - 1);

	if (in_page + length > ctrl->regs.page_size || in_page & 3)
		return NULL;
	return vssd_dma_pointer(&ctrl->bus->dma, prp1, length, direction);
}

/* Translate PRP1 of a plain command in order to prefetch one block. NULL: the memory cannot be reached directly. */
static inline const uint8_t *vssd_data_ahead(struct vssd_ctrl *ctrl, uint64_t prp1)
{
	return vssd_dma_pointer(&ctrl->bus->dma, prp1, VSSD_BLOCK_SIZE, VSSD_DMA_READ);
}

/* A position in request->data. Initialise it with {.segment = request->data.segments}. */
struct vssd_cursor {
	const struct vssd_segment *segment;
	uint32_t done; /* bytes of the segment that precede the cursor */
};

/* Bytes from the cursor to the end of its segment, at most wanted. */
static inline uint32_t vssd_cursor_room(const struct vssd_cursor *cursor, uint32_t wanted)
{
	uint32_t room = cursor->segment->length - cursor->done;

	return wanted < room ? wanted : room;
}

static inline void vssd_cursor_advance(struct vssd_cursor *cursor, uint32_t length)
{
	cursor->done += length;
	if (cursor->done == cursor->segment->length) {
		cursor->segment++;
		cursor->done = 0;
	}
}

/* Copy length bytes to (put) or from (get) host memory at the cursor, and advance it. Both return a status. */
uint16_t vssd_cursor_put(struct vssd_request *request, struct vssd_cursor *cursor, const uint8_t *from,
			 uint32_t length);
uint16_t vssd_cursor_get(struct vssd_request *request, struct vssd_cursor *cursor, uint8_t *to, uint32_t length);

/* Send length bytes of a page of `size` bytes from offset on, with zeros past its end. Returns a status. */
uint16_t vssd_data_send_part(struct vssd_request *request, const uint8_t *page, uint64_t size, uint64_t offset,
			     uint64_t length);

#endif
