/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scatter gather lists (SGLs) describe the data of a command by byte addresses and lengths. NVM Express Base
 * Specification 2.0, section 4.1.2. Data are contiguous in this process; for the device, they may lie in pieces.
 */
#ifndef PYN_NVME_SGL_H
#define PYN_NVME_SGL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/env/env.h"
#include "core/nvme/types.h"
#include "core/util/error.h"
#include "spec/nvme_cmd.h"

/*
 * Build the SGL of the first data->length bytes, for a device that addresses memory as view says: one data block, or,
 * if the data lie in pieces for the device, a last segment with a data block for each. pointer receives the data
 * pointer of the command. list is a page of DMA memory for the segment, which belongs to the command until it
 * completes. false: the data lie in more pieces than a page of list describes.
 */
bool pyn_sgl_build(const struct pyn_dma_view *view, const struct pyn_data *data, void *list, uint64_t pointer[2]);

/* Build it as the data pointer of a command. 0, or -EINVAL: the data lie in too many pieces. */
int pyn_sgl_describe(const struct pyn_dma_view *view, const struct pyn_data *data, void *list, struct nvme_cmd *cmd,
		     struct pyn_error *err);

#endif
