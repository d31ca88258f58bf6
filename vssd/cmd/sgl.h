/* SPDX-License-Identifier: BSD-3-Clause */
/* Scatter gather lists. NVM Express Base Specification 2.0, section 4.1.2. */
#ifndef VSSD_CMD_SGL_H
#define VSSD_CMD_SGL_H

#include "spec/nvme_data.h"
#include "vssd/cmd/request.h"

/* Most descriptors that the drive reads for one command; it refuses a longer list. */
#define VSSD_SGL_DESCRIPTORS 65536u

/* The field SGLS of Identify Controller, without bits of a later version than the drive claims. */
uint32_t vssd_sgls(const struct vssd_ctrl *ctrl);

/* Check PSDT: whether the drive reads such a data pointer for this command. Returns a status. */
uint16_t vssd_sgl_check(struct vssd_request *request);

/* Whether the data pointer of a checked command is an SGL. */
static inline bool vssd_sgl_used(const struct vssd_request *request)
{
	return request->cmd.flags & NVME_PSDT;
}

/* Translate an SGL that begins with this descriptor into request->data. Returns a status, which is wrong_length if
 * the list does not describe length bytes. */
uint16_t vssd_sgl_follow(struct vssd_request *request, const struct nvme_sgl_descriptor *first, uint64_t length,
			 uint32_t direction, uint16_t wrong_length);

/* As vssd_data_map(), for a data pointer that is an SGL. */
uint16_t vssd_sgl_map(struct vssd_request *request, uint64_t length, uint32_t direction);

#endif
