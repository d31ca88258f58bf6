/* SPDX-License-Identifier: BSD-3-Clause */
/* The pieces of host memory that the data pointer of a command describes: how dptr.c and sgl.c fill request->data. */
#ifndef VSSD_CMD_PIECES_H
#define VSSD_CMD_PIECES_H

#include "vssd/cmd/request.h"

/* Most pieces of one command. PRPs of the largest transfer need fewer. */
#define VSSD_PIECES_MAX 70000u

/* Begin with no pieces. */
void vssd_pieces_begin(struct vssd_request *request);

/* Add length bytes of host memory, or, to a bucket, bytes that the controller discards. direction: VSSD_DMA_READ if
 * the controller reads the memory. Both return a status, the first one also if the memory is not mapped. */
uint16_t vssd_pieces_add(struct vssd_request *request, uint64_t iova, uint32_t length, uint32_t direction);
uint16_t vssd_pieces_add_bucket(struct vssd_request *request, uint32_t length);

/* Fail the command because host memory is not mapped. Returns the status. */
uint16_t vssd_pieces_unreachable(struct vssd_request *request, const char *what);

#endif
