/* SPDX-License-Identifier: BSD-3-Clause */
/* What fault rules know of the medium: who wrote an LBA, and what it held before. */
#include <string.h>

#include "vssd/cmd/fault.h"
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

/* How many of length bytes from offset on lie in one block. */
static uint32_t piece_of(uint64_t offset, uint64_t length)
{
	uint32_t room = VSSD_BLOCK_SIZE - (uint32_t)(offset % VSSD_BLOCK_SIZE);

	return length < room ? (uint32_t)length : room;
}

void vssd_fault_write_store(struct vssd_ctrl *ctrl, uint64_t offset, const uint8_t *from, uint64_t length)
{
	while (length > 0) {
		uint32_t piece = piece_of(offset, length), at = (uint32_t)(offset % VSSD_BLOCK_SIZE);
		uint8_t *to =
			vssd_store_write(ctrl->store, offset >> VSSD_BLOCK_SHIFT, vssd_store_sectors(at, piece));

		if (to)
			memcpy(to + at, from, piece);
		from += piece;
		offset += piece;
		length -= piece;
	}
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

void vssd_fault_note_write(struct vssd_fault_plan *plan)
{
	const struct vssd_request *request = plan->request;
	const struct vssd_faults *faults = request->ctrl->subsystem->faults;
	uint64_t offset, length;

	if (!faults->history || !vssd_fault_changes_range(request) || !vssd_fault_range(request, &offset, &length))
		return;
	for (; length > 0; length -= VSSD_HISTORY_SECTOR, offset += VSSD_HISTORY_SECTOR)
		vssd_history_written(faults->history, offset / VSSD_HISTORY_SECTOR, request->sq->qid,
				     held(request->ctrl, offset));
}

void vssd_fault_note_flush(const struct vssd_request *request)
{
	struct vssd_fault_history *history = request->ctrl->subsystem->faults->history;

	if (history && request->sq->qid != 0 && request->cmd.opc == NVME_IO_FLUSH)
		vssd_history_flushed(history);
}
