/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dispatch fetches a command, checks it by the table of its command set, executes it and completes it. It also traces
 * and accounts for it; abort.c does so for commands aborted before they are fetched, direct.c for plain reads and
 * writes. NVM Express Base Specification 2.0, sections 3.3 (queues) and 3.4.2 (fused operations).
 */
#include "vssd/cmd/dispatch.h"

#include <string.h>

#include "core/util/clock.h"
#include "vssd/cmd/account.h"
#include "vssd/cmd/ana.h"
#include "vssd/cmd/deferred.h"
#include "vssd/cmd/direct.h"
#include "vssd/cmd/fault.h"
#include "vssd/cmd/guard.h"
#include "vssd/cmd/lockdown.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/reservation.h"
#include "vssd/cmd/sgl.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

#define PAIR_NS 1000000000u /* how long the first half of a fused operation waits for its second */

/* ---- fetch ---- */

/* Copy the command once: the host may change its memory at any time, and the checked command must be the executed
 * one.
 */
static bool fetch(struct vssd_ctrl *ctrl, struct vssd_sq *sq, struct vssd_request *request)
{
	if (__builtin_expect(sq->entries != NULL, 1)) {
		memcpy(&request->cmd, &sq->entries[sq->head], sizeof(request->cmd));
		__asm__ volatile("" : "+m"(request->cmd));
	} else if (!vssd_sq_read(ctrl, sq, sq->head, &request->cmd)) {
		vssd_fatal(ctrl);
		return false;
	}
	vssd_request_init(request, ctrl, sq);
	sq->head = vssd_next_entry(sq->head, sq->size);
	return true;
}

/* ---- check ---- */

/* The command, or NULL if the drive does not have it, or not its command set with this CC.CSS. */
static const struct vssd_command *command_of(const struct vssd_request *request)
{
	if (request->csi != NVME_CSI_NVM && NVME_GET(request->ctrl->regs.cc, NVME_CC_CSS) != NVME_CSS_ALL)
		return request->sq->qid == 0 ? vssd_admin_command(request->ctrl, request->cmd.opc) : NULL;
	return request->sq->qid == 0 ? vssd_admin_command(request->ctrl, request->cmd.opc)
				     : vssd_io_command(request->ctrl, request->csi, request->cmd.opc);
}

static bool is_first(const struct vssd_request *request)
{
	const struct vssd_command *command = command_of(request);

	return command && command->flags & VSSD_FUSED_FIRST && (request->cmd.flags & NVME_FUSE) == NVME_FUSE_FIRST;
}

static bool is_second(const struct vssd_request *request)
{
	const struct vssd_command *command = command_of(request);

	return command && command->flags & VSSD_FUSED_SECOND && (request->cmd.flags & NVME_FUSE) == NVME_FUSE_SECOND;
}

/* Check FUSE: refuse reserved values, and half of a fused operation without the other half. */
static uint16_t check_fuse(struct vssd_request *request)
{
	if (request->is_fused || !(request->cmd.flags & NVME_FUSE))
		return NVME_SC_SUCCESS;
	if (is_first(request) || is_second(request))
		return vssd_refuse(request, NVME_SC_ABORTED_MISSING_FUSED,
				   VSSD_STATE("the other half of the fused operation is missing"),
				   VSSD_BASE("3.4.2"));
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(0, 9, 8, "FUSE"), VSSD_BASE("3.4.2"));
}

static uint16_t check_flags(struct vssd_request *request)
{
	uint16_t status = check_fuse(request);

	return status ? status : vssd_sgl_check(request);
}

/* Whether this I/O command changes data. */
static bool changes_data(const struct vssd_request *request)
{
	return request->sq->qid != 0 && vssd_io_known(request->csi, request->cmd.opc)->changes != SPEC_CHANGES_NONE;
}

/* Whether this is a read that verifies the media after a sanitize operation. */
static bool is_verifying(const struct vssd_request *request)
{
	return request->cmd.opc == NVME_IO_READ && vssd_sanitize_is_verified(request->ctrl->subsystem);
}

/* Whether this is a Dataset Management that deallocates nothing. */
static bool is_hint(const struct vssd_request *request)
{
	return request->cmd.opc == NVME_IO_DSM && !nvme_get_field(&request->cmd, NVME_FIELD_DSM_AD);
}

static uint16_t check_namespace(struct vssd_request *request, const struct vssd_command *command)
{
	bool all = request->cmd.nsid == NVME_NSID_ALL && command->flags & VSSD_NEEDS_NS_OR_ALL;
	uint16_t busy;

	if (!(command->flags & (VSSD_NEEDS_NS | VSSD_NEEDS_NS_OR_ALL)))
		return NVME_SC_SUCCESS;
	if (!request->ns && !all)
		return vssd_refuse_nsid(request, VSSD_OWN);
	if (!(command->flags & VSSD_NEEDS_MEDIA))
		return NVME_SC_SUCCESS;
	if (request->ctrl->subsystem->health.spindle.inhibited)
		return vssd_refuse(request, NVME_SC_NAMESPACE_NOT_READY,
				   VSSD_STATE("Spinup Control inhibits the spindle"), VSSD_BASE("8.1.23"));
	if (changes_data(request) && vssd_health_read_only(request->ctrl->subsystem))
		return vssd_refuse(request, NVME_SC_NS_WRITE_PROTECTED,
				   VSSD_STATE("the drive is read-only: no spare is left"), VSSD_BASE("5.1.12.1.3"));
	if (request->ns && request->ns->guarded && changes_data(request) && !is_hint(request) &&
	    vssd_guard_protection(request, request->ns))
		return NVME_SC_NS_WRITE_PROTECTED;
	busy = request->ns ? request->ns->refuse : vssd_sanitize_refuses(request->ctrl->subsystem);
	if (busy && !is_verifying(request))
		return vssd_refuse_busy(request, busy);
	return vssd_reservation_check_io(request);
}

/* Refuse an admin command that is not allowed now. */
static uint16_t check_admin(struct vssd_request *request, const struct vssd_command *command)
{
	uint16_t status = vssd_lockdown_check(request);

	if (!status && !(command->flags & VSSD_DURING_SANITIZE) && vssd_sanitize_refuses(request->ctrl->subsystem))
		return vssd_refuse_busy(request, vssd_sanitize_refuses(request->ctrl->subsystem));
	return status;
}

static uint16_t check(struct vssd_request *request, const struct vssd_command *command)
{
	uint16_t status;

	if (!command)
		return vssd_refuse(request, NVME_SC_INVALID_OPCODE, VSSD_BITS(0, 7, 0, "OPC"), VSSD_BASE("3.3.3.1"));
	status = check_flags(request);
	if (!status)
		status = vssd_ana_check(request);
	if (status)
		return status;
	if (request->sq->qid == 0)
		status = check_admin(request, command);
	return status ? status : check_namespace(request, command);
}

/* ---- execute ---- */

/* Delay the completion of an I/O command, since the drive throttles: one after the other takes longer. */
static void slow_down(struct vssd_request *request)
{
	struct vssd_queues *queues = &request->ctrl->queues;
	uint64_t now = pyn_ticks();

	if (queues->throttled < now)
		queues->throttled = now;
	queues->throttled += pyn_ns_to_ticks(vssd_health_slowdown(request->ctrl->subsystem));
	if (request->due < queues->throttled)
		request->due = queues->throttled;
}

static uint16_t execute(struct vssd_request *request)
{
	const struct vssd_command *command = command_of(request);
	uint16_t status = check(request, command);

	if (!status)
		status = command->execute(request);
	if (__builtin_expect(request->ctrl->subsystem->health.throttling && request->sq->qid != 0, 0))
		slow_down(request);
	return status;
}

/* ---- complete ---- */

static void account(const struct vssd_request *request, uint16_t status)
{
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_ctrl *ctrl = request->ctrl;
	struct vssd_brief brief = {.slba = (uint64_t)cmd->cdw11 << 32 | cmd->cdw10, .cdw12 = cmd->cdw12};

	memcpy(&brief.command, cmd, sizeof(brief.command));
	if (request->sq->qid == 0) {
		vssd_account_admin(ctrl, &brief, status);
		return;
	}
	vssd_account_io(ctrl, request->sq->qid, &brief, cmd->opc, request->bytes, status);
	if (request->ns && request->ns->endgid)
		vssd_division_count(ctrl->subsystem, request->ns, cmd->opc, request->bytes, status);
	ctrl->queues.data_moved += request->bytes;
}

/* Complete an I/O command. The second half of a fused operation may find no room for its completion. */
static void complete_io(const struct vssd_request *request, uint16_t status)
{
	uint64_t due = status ? 0 : request->due;

	if (__builtin_expect(due || vssd_cq_room(request->sq->cq) == 0, 0))
		vssd_post_later(request->sq, (struct vssd_waiting){
						     .due = due ? due : pyn_ticks(),
						     .result = request->result,
						     .nsid = request->cmd.nsid,
						     .cid = request->cmd.cid,
						     .status = status,
						     .opcode = request->cmd.opc,
						     .start = request->ctrl->now,
					     });
	else
		vssd_post(request->ctrl, request->sq, request->cmd.cid, status, request->result);
}

/* Account for an executed command, and enter it in the error log if it has failed. True: complete it now. */
static bool has_ended(const struct vssd_request *request, uint16_t status)
{
	account(request, status);
	if (status == VSSD_LATER) {
		if (request->sq->qid == 0)
			vssd_faulty_remember(request->ctrl, &request->cmd);
		return false;
	}
	if (__builtin_expect(status != NVME_SC_SUCCESS, 0))
		vssd_command_failed(request, status);
	return true;
}

static void finish(const struct vssd_request *request, uint16_t status)
{
	if (!has_ended(request, status))
		return;
	if (request->sq->qid == 0)
		vssd_complete_admin(request->ctrl, request->cmd.cid, status, request->result);
	else
		complete_io(request, status);
}

/* ---- fault rules ---- */

/* Execute a command as the rules say. Returns a status, VSSD_LATER or VSSD_FAULT_GONE_STATUS. */
static uint16_t execute_with_faults(struct vssd_fault_plan *plan)
{
	if (plan->decided)
		return plan->status;
	if (plan->early)
		return vssd_defer(plan, execute);
	return plan->split ? vssd_split(plan, execute) : vssd_fault_end(plan, execute(plan->request));
}

static void finish_with_faults(struct vssd_fault_plan *plan, uint16_t status)
{
	if (status != VSSD_FAULT_GONE_STATUS && has_ended(plan->request, status))
		vssd_fault_complete(plan, status);
	else
		vssd_fault_forget_ranges(plan);
}

static void run_with_faults(struct vssd_request *request)
{
	struct vssd_fault_plan plan;

	vssd_fault_begin(&plan, request);
	finish_with_faults(&plan, execute_with_faults(&plan));
}

static void run(struct vssd_request *request)
{
	if (vssd_fault_of_commands(request->ctrl) && vssd_fault_may_match(request))
		run_with_faults(request);
	else
		finish(request, execute(request));
}

/* ---- fused operations ---- */

/* Put the first half back, which is the entry at head, until the host submits the second. False: PAIR_NS is over. */
static bool wait_for_second(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t head)
{
	if (!sq->pair_due)
		sq->pair_due = ctrl->now + pyn_ns_to_ticks(PAIR_NS);
	if (ctrl->now >= sq->pair_due)
		return false;
	sq->head = head;
	return true;
}

/* Fetch the entry after a first half. False: it is not the second half, and stays in the queue. */
static bool fetch_second(struct vssd_ctrl *ctrl, struct vssd_sq *sq, struct vssd_request *second)
{
	uint32_t head = sq->head;

	if (head == sq->tail || vssd_sq_is_aborted(sq, head) || !fetch(ctrl, sq, second))
		return false;
	if (!is_second(second))
		sq->head = head;
	return sq->head != head;
}

static bool same_lbas(const struct nvme_cmd *a, const struct nvme_cmd *b)
{
	return a->nsid == b->nsid && vssd_slba(a) == vssd_slba(b) && vssd_nlb(a) == vssd_nlb(b);
}

static uint16_t first_failed(struct vssd_request *second)
{
	return vssd_refuse(second, NVME_SC_ABORTED_FAILED_FUSED,
			   VSSD_STATE("the first half of the fused operation failed"), VSSD_BASE("3.4.2"));
}

uint16_t vssd_execute(struct vssd_fault_plan *plan, struct vssd_request *request)
{
	plan->request = NULL;
	if (!vssd_fault_of_commands(request->ctrl) || !vssd_fault_may_match(request))
		return execute(request);
	vssd_fault_begin(plan, request);
	return execute_with_faults(plan);
}

static void end(struct vssd_fault_plan *plan, const struct vssd_request *request, uint16_t status)
{
	if (plan->request)
		finish_with_faults(plan, status);
	else
		finish(request, status);
}

/* Execute both halves, with nothing in between. */
static void run_pair(struct vssd_request *first, struct vssd_request *second)
{
	struct vssd_field differs = VSSD_STATE("the halves of the fused operation name different LBAs");
	struct vssd_fault_plan plans[2];
	uint16_t status[2];

	plans[0].request = plans[1].request = NULL; /* the halves may not be executed */
	first->is_fused = second->is_fused = true;
	if (same_lbas(&first->cmd, &second->cmd)) {
		status[0] = vssd_execute(&plans[0], first);
		status[1] = status[0] ? first_failed(second) : vssd_execute(&plans[1], second);
	} else {
		status[0] = vssd_refuse(first, NVME_SC_INVALID_FIELD, differs, VSSD_BASE("3.4.2"));
		status[1] = vssd_refuse(second, NVME_SC_INVALID_FIELD, differs, VSSD_BASE("3.4.2"));
	}
	end(&plans[0], first, status[0]);
	end(&plans[1], second, status[1]);
}

/* Execute a fused operation whose first half was fetched from the entry at head. Returns the number of commands; 0:
 * the second half is not there yet. */
static unsigned run_fused(struct vssd_request *first, uint32_t head)
{
	struct vssd_sq *sq = first->sq;
	struct vssd_request second;

	if (!is_first(first)) {
		run(first);
		return 1;
	}
	if (sq->head == sq->tail && wait_for_second(first->ctrl, sq, head))
		return 0;
	sq->pair_due = 0;
	if (!fetch_second(first->ctrl, sq, &second)) {
		run(first);
		return 1;
	}
	run_pair(first, &second);
	return 2;
}

/* ---- a queue ---- */

/* How many commands of a queue may be executed in a row: no more than the host has submitted, than the completion
 * queue has room for, and than can wait for the medium. */
static unsigned may_take(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq, unsigned limit)
{
	uint32_t most;

	/* The last command may have stopped the controller, or deleted this queue. */
	if (!ctrl->running || !sq->size || ctrl->queues.data_moved >= VSSD_POLL_BYTES)
		return 0;
	most = (sq->tail >= sq->head ? sq->tail : sq->tail + sq->size) - sq->head;
	if (most > limit)
		most = limit;
	if (most > vssd_cq_room(sq->cq))
		most = vssd_cq_room(sq->cq);
	return most < VSSD_WAITING_MAX - sq->num_waiting ? most : VSSD_WAITING_MAX - sq->num_waiting;
}

/* Execute the command that was fetched from the entry at head. Returns what run_fused() does. */
static unsigned run_fetched(struct vssd_request *request, uint32_t head)
{
	if (__builtin_expect(request->sq->qid != 0 && request->cmd.flags & NVME_FUSE, 0))
		return run_fused(request, head);
	run(request);
	return 1;
}

/* As run_fetched(), in a non-operational power state. IO finds the drive asleep, and wakes it. */
static unsigned run_asleep(struct vssd_request *request, uint32_t head)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	bool is_io = request->sq->qid != 0;
	unsigned taken = run_fetched(request, head);

	if (taken && is_io && ctrl->running && ctrl->power.asleep)
		vssd_power_wake(ctrl);
	return taken;
}

/* Execute the command at the head. Returns the number of commands; 0: it stays in the queue, or the fetch failed. */
static unsigned run_next(struct vssd_ctrl *ctrl, struct vssd_sq *sq)
{
	uint32_t head = sq->head;
	struct vssd_request request;

	if (!fetch(ctrl, sq, &request))
		return 0;
	if (__builtin_expect(sq->num_aborted && vssd_sq_unmark_aborted(ctrl, sq, head), 0)) {
		sq->pair_due = 0;
		return 1;
	}
	return ctrl->power.asleep ? run_asleep(&request, head) : run_fetched(&request, head);
}

static void poll(struct vssd_ctrl *ctrl)
{
	vssd_deferred_run(ctrl, execute);
}

static uint64_t due(const struct vssd_ctrl *ctrl)
{
	return ctrl->faulty.next_due;
}

const struct vssd_part vssd_dispatch_part = {.poll = poll, .due = due};

void vssd_dispatch_init(struct vssd_ctrl *ctrl)
{
	static const struct vssd_commands commands = {
		.admin = vssd_admin_commands,
		.io = {[NVME_CSI_NVM] = vssd_nvm_commands,
		       [NVME_CSI_KV] = vssd_kv_commands,
		       [NVME_CSI_ZNS] = vssd_zns_commands},
		.vendor = &vssd_vendor_command,
	};

	ctrl->tables.commands = &commands;
}

unsigned vssd_dispatch_commands(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned limit)
{
	unsigned count = 0, taken = 1, most;

	while (taken && count < limit && (most = may_take(ctrl, sq, limit - count)) > 0) {
		taken = vssd_direct_run(ctrl, sq, most);
		if (taken < most)
			taken += run_next(ctrl, sq);
		count += taken;
	}
	return count;
}
