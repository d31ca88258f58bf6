/* SPDX-License-Identifier: BSD-3-Clause */
/* Abort, the command that it aborts most often, Asynchronous Event Request, and the I/O command Cancel. NVM Express
 * Base Specification 2.0, sections 5.1 and 5.2; 2.1, section 7.1. */
#include "vssd/cmd/account.h"
#include "vssd/cmd/admin.h"
#include "vssd/cmd/deferred.h"
#include "vssd/cmd/fault.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/doorbell.h"

static void complete_aborted(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t entry, const struct nvme_cmd *cmd,
			     const char *why)
{
	struct vssd_request request = {.cmd = *cmd};

	vssd_request_init(&request, ctrl, sq);
	vssd_sq_mark_aborted(ctrl, sq, entry);
	if (sq->qid != 0)
		vssd_count_host_command(&ctrl->nv->totals, cmd->opc);
	vssd_refuse(&request, NVME_SC_ABORT_REQUESTED, VSSD_STATE(why), VSSD_BASE("5.1.1"));
	vssd_command_failed(&request, NVME_SC_ABORT_REQUESTED);
	vssd_fault_complete_unexecuted(&request, NVME_SC_ABORT_REQUESTED);
}

/* Abort commands that were executed, or begun, and have not completed. Returns how many. */
static unsigned abort_begun(struct vssd_ctrl *ctrl, const struct vssd_aborting *abort)
{
	unsigned found = 0;

	for (unsigned qid = 0; qid < ctrl->queues.memory.count; qid++)
		if (ctrl->queues.sq[qid].size && (abort->nsid || qid == abort->qid))
			found += vssd_waiting_abort(ctrl, &ctrl->queues.sq[qid], abort);
	found += vssd_deferred_abort(ctrl, abort);
	return found + vssd_faulty_abort(ctrl, abort);
}

void vssd_abort_namespace(struct vssd_ctrl *ctrl, uint32_t nsid)
{
	const struct vssd_aborting abort = {.nsid = nsid, .status = NVME_SC_PREEMPT_ABORT};
	const struct vssd_format *format = &ctrl->subsystem->format;

	if (!ctrl->running)
		return;
	abort_begun(ctrl, &abort);
	if (format->nsids == 1u << (nsid - 1))
		vssd_format_abort(ctrl->subsystem, &ctrl->listener, format->cid, abort.status);
	for (unsigned qid = 0; qid < ctrl->queues.memory.count; qid++)
		if (ctrl->queues.sq[qid].size)
			vssd_interrupt_posted(ctrl, ctrl->queues.sq[qid].cq);
}

/* Abort a command that waits in a submission queue, or for the medium. False: no such command waits, or there
 * is no room for its completion or for the mark that it is aborted. */
static bool abort_in_queue(struct vssd_ctrl *ctrl, uint16_t qid, uint16_t cid)
{
	const struct vssd_aborting abort = {.qid = qid, .cid = cid, .status = NVME_SC_ABORT_REQUESTED};
	struct vssd_sq *sq = qid < ctrl->queues.memory.count ? &ctrl->queues.sq[qid] : NULL;
	struct nvme_cmd cmd;

	if (!sq || !sq->size)
		return false;
	vssd_queue_check(ctrl, qid);
	if (vssd_cq_room(sq->cq) == 0 || (qid == 0 && sq->num_waiting))
		return false;
	if (abort_begun(ctrl, &abort))
		return true;
	if (sq->num_aborted == VSSD_ABORTED_MAX)
		return false;
	for (uint32_t entry = sq->head; entry != sq->tail; entry = vssd_next_entry(entry, sq->size)) {
		if (vssd_sq_is_aborted(sq, entry) || !vssd_sq_read(ctrl, sq, entry, &cmd) || cmd.cid != cid)
			continue;
		complete_aborted(ctrl, sq, entry, &cmd, "an Abort command named it");
		return true;
	}
	return false;
}

/* Only these commands can still be in flight: event requests, a format, and commands that wait in a queue or for the
 * medium. An Abort completes at once, so the host can never have more of them in flight than ACL allows. */
uint16_t vssd_abort(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint16_t sqid = (uint16_t)nvme_get_field(&request->cmd, NVME_FIELD_ABORT_SQID);
	uint16_t cid = (uint16_t)nvme_get_field(&request->cmd, NVME_FIELD_ABORT_CID);
	bool aborted;

	if (request->is_trial)
		return NVME_SC_SUCCESS;
	aborted = sqid == 0 && (vssd_event_abort(ctrl, cid) ||
				vssd_format_abort(ctrl->subsystem, &ctrl->listener, cid, NVME_SC_ABORT_REQUESTED));

	if (!aborted)
		aborted = abort_in_queue(ctrl, sqid, cid);
	request->result = aborted ? 0 : 1;
	return NVME_SC_SUCCESS;
}

/* ---- Cancel ---- */

enum { CANCEL_ONE, CANCEL_SEVERAL };

#define CANCEL_ANY_CID UINT16_MAX
#define DEFERRED_SHIFT 16u /* CEDA in dword 0; below it CMDA */

/* Find the NSID of a command of a queue that was executed, or begun, and has not completed. */
static bool find_begun(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint16_t cid, uint32_t *nsid)
{
	const struct vssd_aborting named = {.qid = sq->qid, .cid = cid};

	if (vssd_waiting_find(sq, cid, nsid))
		return true;
	for (const struct vssd_delayed *one = ctrl->faulty.delayed; one; one = one->next)
		if (vssd_aborting_names(&named, 0, one->qid, one->cid)) {
			*nsid = one->sqe[1];
			return true;
		}
	for (const struct vssd_deferred *one = ctrl->faulty.deferred; one; one = one->next)
		if (one->split && vssd_aborting_names(&named, 0, one->qid, one->cmd.cid)) {
			*nsid = one->cmd.nsid;
			return true;
		}
	return false;
}

/* The same for all commands of a queue: those that the host has submitted after the Cancel are not fetched yet. */
static bool find(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint16_t cid, uint32_t *nsid)
{
	struct nvme_cmd cmd;

	for (uint32_t entry = sq->head; entry != sq->tail; entry = vssd_next_entry(entry, sq->size))
		if (!vssd_sq_is_aborted(sq, entry) && vssd_sq_read(ctrl, sq, entry, &cmd) && cmd.cid == cid) {
			*nsid = cmd.nsid;
			return true;
		}
	return find_begun(ctrl, sq, cid, nsid);
}

/* Abort commands that were not fetched. One that finds no room for its completion, besides that of the Cancel, is
 * executed: it was eligible for a deferred abort. Returns CEDA and CMDA. */
static uint32_t cancel_unfetched(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct vssd_aborting *abort)
{
	uint32_t counts = 0;
	struct nvme_cmd cmd;

	for (uint32_t entry = sq->head; entry != sq->tail; entry = vssd_next_entry(entry, sq->size)) {
		if (vssd_sq_is_aborted(sq, entry) || !vssd_sq_read(ctrl, sq, entry, &cmd) ||
		    !vssd_aborting_names(abort, cmd.nsid, sq->qid, cmd.cid))
			continue;
		if (vssd_cq_room(sq->cq) <= 1 || sq->num_aborted == VSSD_ABORTED_MAX) {
			counts += 1u << DEFERRED_SHIFT;
			continue;
		}
		complete_aborted(ctrl, sq, entry, &cmd, "a Cancel command named it");
		counts++;
	}
	return counts;
}

static uint16_t check_cancel(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint16_t cid = (uint16_t)nvme_get_field(cmd, NVME_FIELD_CANCEL_CID);
	uint64_t act = nvme_get_field(cmd, NVME_FIELD_CANCEL_ACT);
	uint32_t nsid = cmd->nsid;

	if (nvme_get_field(cmd, NVME_FIELD_CANCEL_SQID) != request->sq->qid)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_CANCEL_SQID, "SQID"),
				   VSSD_OWN);
	if (act > CANCEL_SEVERAL)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_CANCEL_ACT, "ACODE"),
				   VSSD_OWN);
	if (act == CANCEL_SEVERAL && cid != CANCEL_ANY_CID)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_CANCEL_CID, "CID"),
				   VSSD_OWN);
	if (act == CANCEL_ONE && cid == cmd->cid)
		return vssd_refuse(request, NVME_SC_INVALID_COMMAND_ID, VSSD_FIELD(NVME_FIELD_CANCEL_CID, "CID"),
				   VSSD_OWN);
	if (act == CANCEL_ONE && cmd->nsid != NVME_NSID_ALL && find(request->ctrl, request->sq, cid, &nsid) &&
	    nsid != cmd->nsid)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_NSID, VSSD_OWN);
	return NVME_SC_SUCCESS;
}

/* All aborts are immediate but those without room. Completions of aborted commands come before that of the Cancel. */
uint16_t vssd_cancel(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_aborting abort = {
		.qid = request->sq->qid,
		.cid = (uint16_t)nvme_get_field(cmd, NVME_FIELD_CANCEL_CID),
		.status = NVME_SC_ABORT_REQUESTED,
	};
	uint16_t status = check_cancel(request);

	if (status || request->is_trial)
		return status;
	if (nvme_get_field(cmd, NVME_FIELD_CANCEL_ACT) == CANCEL_SEVERAL) {
		abort.of_queue = true;
		abort.nsid = cmd->nsid;
	}
	request->result = abort_begun(request->ctrl, &abort);
	request->result += cancel_unfetched(request->ctrl, request->sq, &abort);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_async_event(struct vssd_request *request)
{
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	if (vssd_event_await(request->ctrl, request->cmd.cid))
		return VSSD_LATER;
	return vssd_refuse(request, NVME_SC_AER_LIMIT_EXCEEDED, VSSD_STATE("AERL + 1 requests are outstanding"),
			   VSSD_OWN);
}
