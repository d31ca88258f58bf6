/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/nvme/sgl.h"

#include <errno.h>
#include <string.h>

#include "core/nvme/prp.h"
#include "spec/nvme_data.h"

#define LIST_ENTRIES (PYN_PRP_PAGE / sizeof(struct nvme_sgl_descriptor))

/* Return the number of bytes from here to the first page that does not follow for the device, at most most. */
static uint32_t piece_of(const struct pyn_dma_view *view, const uint8_t *from, uint32_t most)
{
	uint64_t start = pyn_dma_address(view, from).value;
	uint32_t length = PYN_PRP_PAGE - (uint32_t)((uintptr_t)from % PYN_PRP_PAGE);

	while (length < most && pyn_dma_address(view, from + length).value == start + length)
		length += PYN_PRP_PAGE;
	return length < most ? length : most;
}

bool pyn_sgl_build(const struct pyn_dma_view *view, const struct pyn_data *data, void *list, uint64_t pointer[2])
{
	struct nvme_sgl_descriptor *segment = list, first = {.sglid = NVME_SGL_DATA_BLOCK << 4};
	const uint8_t *at = data->address;
	uint32_t left = data->length, count = 0;

	first.addr = pyn_dma_address(view, at).value;
	first.length = piece_of(view, at, left);
	while (first.length < data->length && left > 0) {
		uint32_t length = piece_of(view, at, left);

		if (count == LIST_ENTRIES)
			return false;
		segment[count++] = (struct nvme_sgl_descriptor){
			.addr = pyn_dma_address(view, at).value,
			.length = length,
			.sglid = NVME_SGL_DATA_BLOCK << 4,
		};
		at += length;
		left -= length;
	}
	if (count)
		first = (struct nvme_sgl_descriptor){
			.addr = pyn_dma_address(view, segment).value,
			.length = count * (uint32_t)sizeof(*segment),
			.sglid = NVME_SGL_LAST_SEGMENT << 4,
		};
	memcpy(pointer, &first, sizeof(first));
	return true;
}

int pyn_sgl_describe(const struct pyn_dma_view *view, const struct pyn_data *data, void *list, struct nvme_cmd *cmd,
		     struct pyn_error *err)
{
	uint64_t pointer[2];

	if (!pyn_sgl_build(view, data, list, pointer))
		return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
				 "%u bytes in one command: for the device they lie in too many pieces for an SGL",
				 data->length);
	if (!(cmd->flags & NVME_PSDT)) /* it may say that MPTR is an SGL, too */
		cmd->flags |= NVME_PSDT_SGL;
	cmd->prp1 = pointer[0];
	cmd->prp2 = pointer[1];
	return 0;
}
