/* SPDX-License-Identifier: BSD-3-Clause */
/* What fault rules know of the medium: who wrote an LBA, and what it held before. */
#include <string.h>

#include "vssd/cmd/fault.h"
#include "vssd/cmd/stored.h"
#include "vssd/cmd/table.h"
#include "vssd/fault/value.h"

bool vssd_fault_range(const struct vssd_request *request, uint64_t *offset, uint64_t *length)
{
	const struct nvme_cmd *cmd = &request->cmd;
	const struct vssd_ns *ns = request->ns;
	uint64_t slba = vssd_slba(cmd), nlb = vssd_nlb(cmd);

	if (request->sq->qid == 0 || !ns || request->ctrl->null_store ||
	    !(vssd_io_known(request->csi, cmd->opc)->flags & SPEC_NAMES_LBAS) || !vssd_range_fits(ns, slba, nlb))
		return false;
	*offset = (ns->first_block << VSSD_BLOCK_SHIFT) + (slba << ns->lba_shift);
	*length = nlb << ns->lba_shift;
	return true;
}

void vssd_fault_write_sector(struct vssd_ctrl *ctrl, uint64_t offset, const uint8_t *data, const uint8_t *metadata)
{
	uint64_t block = offset >> VSSD_BLOCK_SHIFT;
	uint32_t at = (uint32_t)(offset % VSSD_BLOCK_SIZE);
	uint8_t *to = vssd_store_write(ctrl->store, block, vssd_store_sectors(at, VSSD_SECTOR_SIZE));

	if (!to)
		return;
	memcpy(to + at, data, VSSD_SECTOR_SIZE);
	if (metadata && ctrl->store->metadata)
		memcpy(vssd_store_metadata(ctrl->store, block) + (size_t)(at / VSSD_SECTOR_SIZE) * VSSD_METADATA_LBA,
		       metadata, VSSD_METADATA_LBA);
}

/* The byte of the store where the first LBA of the command starts. */
static bool first_byte(const struct vssd_fault_plan *plan, uint64_t *offset, uint64_t *length)
{
	const struct vssd_ns *ns = plan->request->ns;

	if (!plan->occasion.num_ranges)
		return vssd_fault_range(plan->request, offset, length);
	*offset = (ns->first_block << VSSD_BLOCK_SHIFT) + (plan->ranges[0].slba << ns->lba_shift);
	return !plan->request->ctrl->null_store && vssd_range_fits(ns, plan->ranges[0].slba, 1);
}

void vssd_fault_recall(struct vssd_fault_plan *plan)
{
	const struct vssd_request *request = plan->request;
	const struct vssd_fault_history *history = request->ctrl->subsystem->faults->history;
	uint64_t offset, length;
	uint16_t qid;

	if (!history || !first_byte(plan, &offset, &length) ||
	    !vssd_history_find(history, offset / VSSD_HISTORY_SECTOR, &qid, &plan->occasion.writes))
		return;
	plan->occasion.writer = qid == request->sq->qid ? VSSD_FAULT_WRITER_SAME : VSSD_FAULT_WRITER_OTHER;
}

bool vssd_fault_changes_range(const struct vssd_request *request)
{
	if (request->sq->qid == 0)
		return false;
	return request->cmd.opc == NVME_IO_WRITE || request->cmd.opc == NVME_IO_WRITE_ZEROES ||
	       request->cmd.opc == NVME_IO_WRITE_UNCORRECTABLE;
}

/* What a sector holds, or NULL if no rule needs it, or if it cannot be read. */
static const uint8_t *held(struct vssd_ctrl *ctrl, uint64_t offset)
{
	uint64_t block = offset >> VSSD_BLOCK_SHIFT;
	uint32_t at = (uint32_t)(offset % VSSD_BLOCK_SIZE);

	if (!ctrl->subsystem->faults->index.older ||
	    vssd_store_bad(ctrl->store, block) & vssd_store_sectors(at, VSSD_SECTOR_SIZE))
		return NULL;
	return vssd_store_data(ctrl->store, block) + at;
}

/* Note a write of an LBA, which starts at this byte of the store. */
static void note_lba(const struct vssd_request *request, uint64_t lba, uint64_t offset)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct vssd_faults *faults = ctrl->subsystem->faults;
	uint8_t metadata[VSSD_METADATA_LBA] = {0};

	if (request->ns->metadata && faults->index.older)
		vssd_metadata_get(ctrl, request->ns, lba, 1, metadata);
	for (uint64_t at = 0; at < UINT64_C(1) << request->ns->lba_shift; at += VSSD_HISTORY_SECTOR)
		vssd_history_written(faults->history, (offset + at) / VSSD_HISTORY_SECTOR, request->sq->qid,
				     held(ctrl, offset + at), metadata);
}

void vssd_fault_note_write(struct vssd_fault_plan *plan)
{
	const struct vssd_request *request = plan->request;
	const struct vssd_faults *faults = request->ctrl->subsystem->faults;
	uint64_t offset, length;

	if (!faults->history || !vssd_fault_changes_range(request) || !vssd_fault_range(request, &offset, &length))
		return;
	for (uint64_t i = 0; i < vssd_nlb(&request->cmd); i++)
		note_lba(request, vssd_slba(&request->cmd) + i, offset + (i << request->ns->lba_shift));
}

void vssd_fault_note_flush(const struct vssd_request *request)
{
	struct vssd_fault_history *history = request->ctrl->subsystem->faults->history;

	if (history && request->sq->qid != 0 && request->cmd.opc == NVME_IO_FLUSH)
		vssd_history_flushed(history);
}
