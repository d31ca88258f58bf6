/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/fault.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define MPTR VSSD_QWORD(4, "MPTR")
#define PRACT VSSD_BIT(12, 29, "PRACT")
#define METADATA VSSD_NVM("5.2.1")
#define PRCHK (NVME_RW_CHECK_GUARD | NVME_RW_CHECK_APP | NVME_RW_CHECK_REF)

/* One LBA of the medium. */
struct place {
	uint64_t block;
	uint32_t offset; /* in the block */
	uint32_t length;
};

static struct place place_of(const struct vssd_ns *ns, uint64_t lba)
{
	uint64_t offset = (ns->first_block << VSSD_BLOCK_SHIFT) + (lba << ns->lba_shift);

	return (struct place){
		.block = offset >> VSSD_BLOCK_SHIFT,
		.offset = (uint32_t)offset & (VSSD_BLOCK_SIZE - 1),
		.length = 1u << ns->lba_shift,
	};
}

static uint8_t *metadata_at(const struct vssd_ctrl *ctrl, const struct place *place)
{
	return vssd_store_metadata(ctrl->store, place->block) +
	       (size_t)(place->offset / VSSD_SECTOR_SIZE) * VSSD_METADATA_LBA;
}

/* Whether an LBA is deallocated or unwritten, or holds what an erasure has left. */
static bool is_blank(const struct vssd_ctrl *ctrl, const struct place *place)
{
	uint8_t sectors = vssd_store_sectors(place->offset, place->length);

	return !(vssd_store_written(ctrl->store, place->block) & sectors) ||
	       vssd_store_is_pattern(ctrl->store, place->block);
}

/* Get the metadata of an LBA as the host sees them. */
static void stored(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, const struct place *place, uint8_t *to)
{
	memcpy(to, metadata_at(ctrl, place), VSSD_METADATA_LBA);
	if (is_blank(ctrl, place))
		vssd_pi_blank(ns, to);
}

static const uint8_t *data_at(const struct vssd_ctrl *ctrl, const struct place *place)
{
	return vssd_store_data(ctrl->store, place->block) + place->offset;
}

void vssd_metadata_get(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		       uint8_t *to)
{
	for (uint64_t i = 0; i < nlb; i++) {
		struct place place = place_of(ns, slba + i);

		stored(ctrl, ns, &place, to + i * VSSD_METADATA_LBA);
	}
}

void vssd_metadata_put(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		       const uint8_t *from)
{
	for (uint64_t i = 0; i < nlb; i++) {
		struct place place = place_of(ns, slba + i);

		memcpy(metadata_at(ctrl, &place), from + i * VSSD_METADATA_LBA, VSSD_METADATA_LBA);
	}
}

/* ---- host memory ---- */

/* Where a command has got to: its data, the metadata in a buffer of their own, and its protection information. */
struct walk {
	struct vssd_request *request;
	struct vssd_cursor cursor;
	bool separate; /* metadata are transferred, and lie at mptr */
	bool within;   /* they are transferred behind the data of each LBA */
	uint64_t mptr; /* of the next LBA */
	struct vssd_pi_task task;
};

static uint16_t begin(struct walk *walk, struct vssd_request *request, uint32_t direction)
{
	const struct vssd_ns *ns = request->ns;
	const struct nvme_cmd *cmd = &request->cmd;
	bool moves = !vssd_pi_alone(ns, cmd);
	uint16_t status;

	*walk = (struct walk){
		.request = request, .separate = moves && !ns->extended, .within = moves && ns->extended};
	status = vssd_pi_begin(request, &walk->task);
	if (!status)
		status = vssd_data_map(request, vssd_nlb(cmd) * vssd_lba_bytes(ns, cmd), direction);
	if (status)
		return status;
	if (walk->separate && cmd->mptr & 3)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, MPTR, METADATA);
	walk->cursor = (struct vssd_cursor){.segment = request->data.segments};
	walk->mptr = cmd->mptr;
	return NVME_SC_SUCCESS;
}

static uint16_t unreachable(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_DATA_TRANSFER_ERROR,
			   VSSD_STATE("the metadata lie in memory that is not mapped"), METADATA);
}

static uint16_t put_metadata(struct walk *walk, const uint8_t *metadata)
{
	struct vssd_request *request = walk->request;
	const struct vssd_ns *ns = request->ns;

	if (walk->within)
		return vssd_cursor_put(request, &walk->cursor, metadata, ns->metadata);
	if (!walk->separate)
		return NVME_SC_SUCCESS;
	if (vssd_bus_write(request->ctrl->bus, walk->mptr, metadata, ns->metadata) < 0)
		return unreachable(request);
	walk->mptr += ns->metadata;
	return NVME_SC_SUCCESS;
}

static uint16_t get_metadata(struct walk *walk, uint8_t *metadata)
{
	struct vssd_request *request = walk->request;
	const struct vssd_ns *ns = request->ns;

	if (walk->within)
		return vssd_cursor_get(request, &walk->cursor, metadata, ns->metadata);
	if (!walk->separate)
		return NVME_SC_SUCCESS;
	if (vssd_bus_read(request->ctrl->bus, walk->mptr, metadata, ns->metadata) < 0)
		return unreachable(request);
	walk->mptr += ns->metadata;
	return NVME_SC_SUCCESS;
}

/* ---- reading ---- */

uint16_t vssd_metadata_read(struct vssd_request *request, uint16_t (*readable)(struct vssd_request *request))
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd);
	uint8_t metadata[VSSD_METADATA_LBA];
	struct walk walk;
	uint16_t status = begin(&walk, request, VSSD_DMA_WRITE);

	if (!status)
		status = readable(request);
	for (uint64_t i = 0; i < nlb && !status; i++) {
		struct place at = place_of(request->ns, slba + i);

		stored(ctrl, request->ns, &at, metadata);
		status = vssd_pi_check(request, &walk.task, slba + i, data_at(ctrl, &at), metadata);
		if (request->fault)
			vssd_fault_metadata(request->fault, slba + i, metadata);
		if (!status)
			status = vssd_cursor_put(request, &walk.cursor, data_at(ctrl, &at), at.length);
		if (!status)
			status = put_metadata(&walk, metadata);
	}
	return status;
}

/* PRACT has no meaning for a command that transfers no data to the host and stores none. */
static uint16_t refuse_action(struct vssd_request *request)
{
	if (!request->ns->pi || !(request->cmd.cdw12 & NVME_RW_PRACT))
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_PROTECTION_INFO, PRACT, VSSD_OWN);
}

uint16_t vssd_metadata_verify(struct vssd_request *request)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd);
	uint8_t metadata[VSSD_METADATA_LBA];
	struct vssd_pi_task task;
	uint16_t status = refuse_action(request);

	if (!status)
		status = vssd_pi_begin(request, &task);
	for (uint64_t i = 0; i < nlb && !status; i++) {
		struct place at = place_of(request->ns, slba + i);

		stored(ctrl, request->ns, &at, metadata);
		status = vssd_pi_check(request, &task, slba + i, data_at(ctrl, &at), metadata);
	}
	return status;
}

/* Compare an LBA with what the host has sent; protection information is checked instead. */
static uint16_t compare_lba(struct walk *walk, uint64_t lba, const uint8_t *data, const uint8_t *theirs)
{
	struct vssd_request *request = walk->request;
	const struct vssd_ns *ns = request->ns;
	struct place at = place_of(ns, lba);
	uint8_t ours[VSSD_METADATA_LBA], others[VSSD_METADATA_LBA];
	uint16_t status;

	stored(request->ctrl, ns, &at, ours);
	status = vssd_pi_check(request, &walk->task, lba, data_at(request->ctrl, &at), ours);
	if (status)
		return status;
	memcpy(others, theirs, sizeof(others));
	vssd_pi_blank(ns, ours);
	vssd_pi_blank(ns, others);
	if (memcmp(data_at(request->ctrl, &at), data, at.length) != 0)
		return vssd_fail_at(request, NVME_SC_COMPARE_FAILURE, lba, "the data differ", VSSD_OWN);
	if (memcmp(ours, others, ns->metadata) != 0)
		return vssd_fail_at(request, NVME_SC_COMPARE_FAILURE, lba, "the metadata differ", VSSD_OWN);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_metadata_compare(struct vssd_request *request, uint16_t (*readable)(struct vssd_request *request))
{
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd);
	uint8_t data[VSSD_BLOCK_SIZE], metadata[VSSD_METADATA_LBA] = {0};
	struct walk walk;
	uint16_t status = refuse_action(request);

	if (!status)
		status = begin(&walk, request, VSSD_DMA_READ);
	if (!status)
		status = readable(request);
	for (uint64_t i = 0; i < nlb && !status; i++) {
		status = vssd_cursor_get(request, &walk.cursor, data, 1u << request->ns->lba_shift);
		if (!status)
			status = get_metadata(&walk, metadata);
		if (!status)
			status = compare_lba(&walk, slba + i, data, metadata);
	}
	return status;
}

/* ---- writing ---- */

static uint16_t no_memory(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_WRITE_FAULT, VSSD_STATE("there is no memory for another block"),
			   VSSD_OWN);
}

/* Store one LBA. */
static uint16_t write_lba(struct vssd_request *request, uint64_t lba, const uint8_t *data, uint8_t *metadata)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	struct place at = place_of(request->ns, lba);
	uint8_t *to = vssd_store_write(ctrl->store, at.block, vssd_store_sectors(at.offset, at.length));

	if (!to)
		return no_memory(request);
	if (request->fault)
		vssd_fault_metadata(request->fault, lba, metadata);
	memcpy(to + at.offset, data, at.length);
	memcpy(metadata_at(ctrl, &at), metadata, request->ns->metadata);
	return NVME_SC_SUCCESS;
}

/* Get an LBA from the host, and check its protection information or make it. */
static uint16_t receive_lba(struct walk *walk, uint64_t lba, uint8_t *data, uint8_t *metadata)
{
	struct vssd_request *request = walk->request;
	const struct vssd_ns *ns = request->ns;
	uint16_t status = vssd_cursor_get(request, &walk->cursor, data, 1u << ns->lba_shift);

	if (!status)
		status = get_metadata(walk, metadata);
	if (status)
		return status;
	if (!ns->pi || !(request->cmd.cdw12 & NVME_RW_PRACT))
		return vssd_pi_check(request, &walk->task, lba, data, metadata);
	vssd_pi_make(&walk->task, data, metadata);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_metadata_write(struct vssd_request *request)
{
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd), size = 1u << request->ns->lba_shift;
	struct walk walk;
	uint16_t status = begin(&walk, request, VSSD_DMA_READ);
	uint8_t *data, *metadata;

	if (status)
		return status;
	data = calloc(nlb, size + VSSD_METADATA_LBA);
	if (!data)
		return no_memory(request);
	metadata = data + nlb * size;
	for (uint64_t i = 0; i < nlb && !status; i++)
		status = receive_lba(&walk, slba + i, data + i * size, metadata + i * VSSD_METADATA_LBA);
	for (uint64_t i = 0; i < nlb && !status && !request->is_trial; i++)
		status = write_lba(request, slba + i, data + i * size, metadata + i * VSSD_METADATA_LBA);
	free(data);
	return status;
}

bool vssd_metadata_makes_zeroes(const struct vssd_request *request)
{
	return request->ns->pi && request->cmd.cdw12 & NVME_RW_PRACT;
}

uint16_t vssd_metadata_check_zeroes(struct vssd_request *request, struct vssd_pi_task *task)
{
	if (request->ns->pi && request->cmd.cdw12 & PRCHK)
		return vssd_refuse(request, NVME_SC_INVALID_PROTECTION_INFO,
				   VSSD_FIELD(NVME_FIELD_WRITE_ZEROES_PRINFO, "PRCHK"), VSSD_OWN);
	return vssd_pi_begin(request, task);
}

uint16_t vssd_metadata_zero(struct vssd_request *request, struct vssd_pi_task *task)
{
	static const uint8_t zeroes[VSSD_BLOCK_SIZE];
	uint64_t slba = vssd_slba(&request->cmd), nlb = vssd_nlb(&request->cmd);
	uint16_t status = NVME_SC_SUCCESS;

	for (uint64_t i = 0; i < nlb && !status; i++) {
		uint8_t metadata[VSSD_METADATA_LBA] = {0};

		vssd_pi_make(task, zeroes, metadata);
		status = write_lba(request, slba + i, zeroes, metadata);
	}
	return status;
}
