/* SPDX-License-Identifier: BSD-3-Clause */
/* Host memory of a command. Only dptr.c knows how a command describes it. */
#ifndef VSSD_CMD_DPTR_H
#define VSSD_CMD_DPTR_H

#include "vssd/cmd/request.h"
#include "vssd/ctrl/controller.h"

/* Translate the data pointer of a command that transfers length bytes into request->data, which is valid until the
 * next call. direction: VSSD_DMA_READ if the controller reads the memory. Returns a status. */
uint16_t vssd_data_map(struct vssd_request *request, uint64_t length, uint32_t direction);

/* Map length bytes, and copy between buffer and that memory. Both return a status. */
uint16_t vssd_data_send(struct vssd_request *request, const void *buffer, uint32_t length);
uint16_t vssd_data_receive(struct vssd_request *request, void *buffer, uint32_t length);

/* Where the queue of a create command lies. Returns a status. */
uint16_t vssd_data_queue(struct vssd_request *request, uint64_t *iova);

/* Where the queue of a create command lies. Returns a status. */
uint16_t vssd_data_queue(struct vssd_request *request, uint64_t *iova);

/* The memory of a plain command, whose length bytes lie in one page, by the first word of its data pointer; NULL:
 * they do not, or it cannot be reached directly. */
static inline uint8_t *vssd_data_in_page(struct vssd_ctrl *ctrl, uint64_t prp1, uint64_t length, uint32_t direction)
{
	uint64_t in_page = prp1 & (ctrl->regs.page_size - 1);

	if (in_page + length > ctrl->regs.page_size || in_page & 3)
		return NULL;
	return vssd_dma_pointer(&ctrl->bus->dma, prp1, length, direction);
}

/* Where the data of a plain command begin, for prefetching a block of them; NULL: they cannot be reached directly. */
static inline const uint8_t *vssd_data_ahead(struct vssd_ctrl *ctrl, uint64_t prp1)
{
	return vssd_dma_pointer(&ctrl->bus->dma, prp1, VSSD_BLOCK_SIZE, VSSD_DMA_READ);
}

/* A place in request->data: start with {.segment = request->data.segments}. */
struct vssd_cursor {
	const struct vssd_segment *segment;
	uint32_t done; /* bytes of the segment */
};

/* Bytes until the end of the segment, but wanted at most. */
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

/* Copy length bytes at the cursor, and advance it. Returns a status. */
uint16_t vssd_cursor_put(struct vssd_request *request, struct vssd_cursor *cursor, const uint8_t *from,
			 uint32_t length);
uint16_t vssd_cursor_get(struct vssd_request *request, struct vssd_cursor *cursor, uint8_t *to, uint32_t length);

#endif
