/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/sgl.h"

#include <string.h>

#include "spec/nvme_data.h"
#include "vssd/cmd/fault.h"
#include "vssd/cmd/pieces.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define CHUNK 128u /* descriptors that are read at once */
#define SGL VSSD_BASE("4.3.2")
#define SIZE sizeof(struct nvme_sgl_descriptor)
#define PAGE 4096u /* where a fault rule makes segments wrap */

/* ---- what the drive supports ---- */

/* What of SGLS is about metadata in a buffer of their own. */
static uint32_t for_metadata(const struct vssd_ctrl *ctrl)
{
	if (!ctrl->options->optional.metadata)
		return 0;
	return NVME_SGLS_MPTR_BYTES | (vssd_since(ctrl, NVME_1_2) ? NVME_SGLS_MPTR : 0);
}

uint32_t vssd_sgls(const struct vssd_ctrl *ctrl)
{
	switch (ctrl->options->optional.sgls) {
	case NVME_SGLS_BYTES:
		return vssd_since(ctrl, NVME_1_1)
			       ? NVME_SGLS_BYTES | NVME_SGLS_BIT_BUCKET | NVME_SGLS_LONGER | for_metadata(ctrl)
			       : 0;
	case NVME_SGLS_DWORDS:
		return vssd_since(ctrl, NVME_1_3) ? NVME_SGLS_DWORDS | for_metadata(ctrl) : 0;
	default:
		return 0;
	}
}

static bool supports(const struct vssd_request *request, uint32_t bits)
{
	return vssd_sgls(request->ctrl) & bits;
}

uint16_t vssd_sgl_check(struct vssd_request *request)
{
	uint8_t psdt = request->cmd.flags & NVME_PSDT;

	if (psdt == 0)
		return NVME_SC_SUCCESS;
	if (request->sq->qid != 0 && psdt == NVME_PSDT_SGL && vssd_sgls(request->ctrl))
		return NVME_SC_SUCCESS;
	if (request->sq->qid != 0 && psdt == NVME_PSDT_MPTR_SGL && supports(request, NVME_SGLS_MPTR))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(0, 15, 14, "PSDT"), VSSD_BASE("3.3.3.1"));
}

/* ---- a list ---- */

/* Whether a fault rule makes this wrong, enum vssd_fault_sgl. */
static bool is_faulty(const struct vssd_request *request, unsigned fault)
{
	return request->fault && request->fault->sgl >> fault & 1;
}

/* Reads the descriptors of a list, one after the other. */
struct walk {
	struct vssd_request *request;
	uint32_t direction;
	uint64_t missing; /* bytes of the transfer that no descriptor describes yet */
	unsigned count;   /* descriptors so far */
	uint64_t segment; /* address of the rest of this segment, and the descriptors in it */
	uint32_t left;
	bool is_last;          /* segment, after which none follows */
	uint16_t wrong_length; /* status of a list that describes more or less than the transfer */
};

static uint16_t refuse(struct walk *walk, uint16_t status, const char *what)
{
	return vssd_refuse(walk->request, status, VSSD_STATE(what), SGL);
}

static uint8_t type_of(const struct nvme_sgl_descriptor *descriptor)
{
	return descriptor->sglid >> 4;
}

static bool leads_on(const struct nvme_sgl_descriptor *descriptor)
{
	return type_of(descriptor) == NVME_SGL_SEGMENT || type_of(descriptor) == NVME_SGL_LAST_SEGMENT;
}

/* Refuse types that the drive lacks: keyed, transport and vendor specific ones, and addresses that are offsets. */
static uint16_t check_type(struct walk *walk, const struct nvme_sgl_descriptor *descriptor)
{
	uint8_t type = type_of(descriptor);
	bool known = type == NVME_SGL_DATA_BLOCK || leads_on(descriptor) ||
		     (type == NVME_SGL_BIT_BUCKET && supports(walk->request, NVME_SGLS_BIT_BUCKET));

	if (!known)
		return refuse(walk, NVME_SC_INVALID_SGL_TYPE, "an SGL descriptor has a type that the drive lacks");
	if (descriptor->sglid & 0xf)
		return refuse(walk, NVME_SC_INVALID_SGL_TYPE, "an SGL descriptor has a subtype that the drive lacks");
	return NVME_SC_SUCCESS;
}

static uint16_t add_data(struct walk *walk, const struct nvme_sgl_descriptor *descriptor)
{
	bool is_bucket = type_of(descriptor) == NVME_SGL_BIT_BUCKET, to_host = walk->direction == VSSD_DMA_WRITE;
	unsigned bucket_fault = to_host ? VSSD_FAULT_SGL_BUCKET : VSSD_FAULT_SGL_BUCKET_WRITE;
	uint32_t length = descriptor->length;

	/* A bit bucket describes nothing of the data that come from the host. */
	if (is_bucket && to_host == is_faulty(walk->request, bucket_fault))
		return NVME_SC_SUCCESS;
	if (!is_bucket && (vssd_sgls(walk->request->ctrl) & 3) == NVME_SGLS_DWORDS && (descriptor->addr | length) & 3)
		return refuse(walk, NVME_SC_SGL_GRANULARITY_INVALID, "an SGL data block is not aligned to dwords");
	if (length > walk->missing && !supports(walk->request, NVME_SGLS_LONGER))
		return refuse(walk, walk->wrong_length, "the SGL describes more than the command transfers");
	if (length > walk->missing)
		length = (uint32_t)walk->missing;
	if (length == 0 && is_faulty(walk->request, VSSD_FAULT_SGL_ZERO_LENGTH))
		walk->left = 0;
	if (length == 0)
		return NVME_SC_SUCCESS;
	walk->missing -= length;
	if (is_bucket)
		return vssd_pieces_add_bucket(walk->request, length);
	return vssd_pieces_add(walk->request, descriptor->addr, length, walk->direction);
}

static uint16_t follow(struct walk *walk, const struct nvme_sgl_descriptor *descriptor)
{
	if (walk->is_last)
		return refuse(walk, NVME_SC_INVALID_SGL_SEGMENT, "the last SGL segment leads to another one");
	if (descriptor->length == 0 || descriptor->length % SIZE)
		return refuse(walk, NVME_SC_INVALID_SGL_SEGMENT, "the length of an SGL segment is no multiple of 16");
	if (descriptor->addr & 7)
		return refuse(walk, NVME_SC_INVALID_SGL_SEGMENT, "an SGL segment is not aligned to qwords");
	if (type_of(descriptor) == NVME_SGL_LAST_SEGMENT && is_faulty(walk->request, VSSD_FAULT_SGL_LAST_SEGMENT))
		return NVME_SC_SUCCESS;
	walk->segment = descriptor->addr;
	walk->left = (uint32_t)(descriptor->length / SIZE);
	walk->is_last = type_of(descriptor) == NVME_SGL_LAST_SEGMENT;
	return NVME_SC_SUCCESS;
}

/* Execute one descriptor. is_end: it is the last one of its segment. */
static uint16_t take(struct walk *walk, const struct nvme_sgl_descriptor *descriptor, bool is_end)
{
	uint16_t status = check_type(walk, descriptor);

	if (status)
		return status;
	if (++walk->count > VSSD_SGL_DESCRIPTORS)
		return refuse(walk, NVME_SC_INVALID_SGL_COUNT, "the SGL has more descriptors than the drive reads");
	if (!leads_on(descriptor))
		return is_end && !walk->is_last
			       ? refuse(walk, NVME_SC_INVALID_SGL_SEGMENT, "an SGL segment leads to no other one")
			       : add_data(walk, descriptor);
	if (!is_end)
		return refuse(walk, NVME_SC_INVALID_SGL_COUNT,
			      "an SGL segment descriptor is not the last one of its segment");
	return follow(walk, descriptor);
}

/* Whether the drive need not read the rest of the list. */
static bool is_satisfied(const struct walk *walk)
{
	return walk->left == 0 || (walk->missing == 0 && supports(walk->request, NVME_SGLS_LONGER));
}

/* How many of these descriptors lie in the page where the segment goes on. */
static uint32_t in_page(const struct walk *walk, uint32_t count)
{
	uint32_t room = (uint32_t)((PAGE - walk->segment % PAGE) / SIZE);

	return room && room < count ? room : count;
}

/* Exchange the first two descriptors of a segment. */
static void exchange(struct nvme_sgl_descriptor *chunk, uint32_t count)
{
	struct nvme_sgl_descriptor first = chunk[0];

	if (count < 2 || leads_on(&chunk[0]) || leads_on(&chunk[1]))
		return;
	chunk[0] = chunk[1];
	chunk[1] = first;
}

/* Read and execute some descriptors of a segment. */
static uint16_t read_chunk(struct walk *walk)
{
	struct nvme_sgl_descriptor chunk[CHUNK];
	uint32_t count = walk->left < CHUNK ? walk->left : CHUNK;
	bool wraps = is_faulty(walk->request, VSSD_FAULT_SGL_PAGE);
	uint16_t status = NVME_SC_SUCCESS;

	if (wraps)
		count = in_page(walk, count);
	if (vssd_bus_read(walk->request->ctrl->bus, walk->segment, chunk, count * SIZE) < 0)
		return vssd_pieces_unreachable(walk->request, "an SGL segment lies in memory that is not mapped");
	if (is_faulty(walk->request, VSSD_FAULT_SGL_ORDER))
		exchange(chunk, count);
	walk->segment += count * SIZE;
	if (wraps && walk->segment % PAGE == 0)
		walk->segment -= PAGE;
	for (uint32_t i = 0; i < count && !status && !is_satisfied(walk); i++) {
		bool is_end = --walk->left == 0;

		status = take(walk, &chunk[i], is_end);
	}
	return status;
}

/* Judge a list that describes less than the command transfers. */
static uint16_t end_early(struct walk *walk)
{
	if (walk->request->fault && walk->request->fault->sgl)
		return vssd_pieces_add_bucket(walk->request, (uint32_t)walk->missing);
	return refuse(walk, walk->wrong_length, "the SGL describes less than the command transfers");
}

uint16_t vssd_sgl_follow(struct vssd_request *request, const struct nvme_sgl_descriptor *first, uint64_t length,
			 uint32_t direction, uint16_t wrong_length)
{
	struct walk walk = {
		.request = request, .direction = direction, .missing = length, .wrong_length = wrong_length};
	uint16_t status;

	vssd_pieces_begin(request);
	/* The first segment has one descriptor, which may lead to another segment. */
	walk.is_last = !leads_on(first);
	status = take(&walk, first, true);
	while (!status && !is_satisfied(&walk))
		status = read_chunk(&walk);
	return !status && walk.missing > 0 ? end_early(&walk) : status;
}

uint16_t vssd_sgl_map(struct vssd_request *request, uint64_t length, uint32_t direction)
{
	struct nvme_sgl_descriptor first;

	memcpy(&first, &request->cmd.prp1, sizeof(first));
	return vssd_sgl_follow(request, &first, length, direction, NVME_SC_INVALID_SGL_LENGTH);
}
