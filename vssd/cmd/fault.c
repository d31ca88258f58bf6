/* SPDX-License-Identifier: BSD-3-Clause */
/* Fault rules of commands, before they execute. */
#include "vssd/cmd/fault.h"

#include <stdlib.h>
#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/protection.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/table.h"
#include "vssd/cmd/zones.h"
#include "vssd/fault/words.h"

/* How many bytes the command transfers, as far as its fields say. */
static uint64_t bytes_of(const struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;

	if (request->sq->qid == 0)
		return cmd->opc == NVME_ADMIN_GET_LOG_PAGE ? vssd_log_length(cmd) : 4096;
	if (!request->ns || !(vssd_io_known(request->csi, cmd->opc)->flags & SPEC_NAMES_LBAS))
		return 0;
	return vssd_nlb(cmd) * vssd_fault_lba_bytes(request);
}

/* Bits 1:0 of an opcode: which way data are transferred. */
#define TRANSFERS 3u

/* Get the ranges of a Dataset Management command, for rules that look at LBAs. */
static void look_at_ranges(struct vssd_fault_plan *plan)
{
	struct vssd_request *request = plan->request;
	uint32_t count = (uint32_t)nvme_get_field(&request->cmd, NVME_FIELD_DSM_NR) + 1;

	plan->ranges = calloc(count, sizeof(*plan->ranges));
	if (!plan->ranges || vssd_data_receive(request, plan->ranges, count * (uint32_t)sizeof(*plan->ranges)))
		return;
	plan->occasion.ranges = plan->ranges;
	plan->occasion.num_ranges = count;
}

static void look(struct vssd_fault_plan *plan)
{
	const struct vssd_request *request = plan->request;
	const struct nvme_cmd *cmd = &request->cmd;
	bool names_lbas = request->sq->qid != 0 && vssd_io_known(request->csi, cmd->opc)->flags & SPEC_NAMES_LBAS;

	memcpy(plan->sqe, cmd, sizeof(plan->sqe));
	plan->occasion = (struct vssd_fault_occasion){
		.place = VSSD_FAULT_COMMAND,
		.sqe = plan->sqe,
		.queue = request->local ? VSSD_FAULT_QUEUE_OUT_OF_BAND : request->sq->qid,
		.controller = vssd_cntlid(&request->ctrl->listener),
		.slba = names_lbas ? vssd_slba(cmd) : 0,
		.lbas = names_lbas ? vssd_nlb(cmd) : 0,
		.bytes = bytes_of(request),
		.has_data = cmd->opc & TRANSFERS || (request->sq->qid != 0 && cmd->opc == NVME_IO_WRITE_ZEROES),
	};
	if (request->sq->qid != 0 && cmd->opc == NVME_IO_DSM && request->ns)
		look_at_ranges(plan);
}

/* Change the fields of the command. A rule changes what the rules before it left. */
static void change(struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule)
{
	uint32_t sqe[16];

	memcpy(sqe, &plan->request->cmd, sizeof(sqe));
	for (unsigned i = 0; i < rule->num_how; i++)
		if (rule->how[i].field == VSSD_FAULT_FIELD_ADDRESS)
			vssd_edits_add(&plan->addresses, &rule->how[i], rule->action == VSSD_FAULT_ADD);
		else
			vssd_fault_field_change(sqe, &rule->how[i], rule->action == VSSD_FAULT_ADD);
	memcpy(&plan->request->cmd, sqe, sizeof(sqe));
	if (plan->occasion.lbas)
		plan->request->moved = plan->occasion.slba - vssd_slba(&plan->request->cmd);
	plan->request->ns = vssd_ns_find(plan->request->ctrl, plan->request->cmd.nsid);
	plan->request->csi = plan->request->ns ? plan->request->ns->csi : NVME_CSI_NVM;
}

/* Whether the drive counts this status as a media and data integrity error. */
static bool is_media_error(uint16_t status)
{
	return status >> 8 == NVME_SCT_MEDIA && status != NVME_SC_COMPARE_FAILURE &&
	       status != NVME_SC_DEALLOCATED_OR_UNWRITTEN;
}

static void refuse(struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule)
{
	const struct vssd_fault_word *dnr = vssd_fault_how(rule, VSSD_FAULT_KEY_DNR);
	const struct vssd_fault_word *crd = vssd_fault_how(rule, VSSD_FAULT_KEY_CRD);

	plan->decided = true;
	plan->status = rule->action == VSSD_FAULT_REFUSE ? (uint16_t)rule->a : NVME_SC_SUCCESS;
	plan->request->result = vssd_fault_how_number(rule, VSSD_FAULT_KEY_RESULT, 0);
	if (plan->status)
		vssd_refuse(plan->request, plan->status, VSSD_STATE("a fault rule"), VSSD_OWN);
	if (is_media_error(plan->status))
		plan->request->ctrl->nv->totals.media_errors++;
	if (dnr)
		vssd_edits_set(&plan->edits, "cqe.dnr", dnr->a);
	if (crd)
		vssd_edits_set(&plan->edits, "cqe.crd", crd->a);
}

/* Round the range of a command that names one; fault_data.c rounds the ranges of Dataset Management. */
static void round_range(struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule)
{
	struct nvme_cmd *cmd = &plan->request->cmd;
	uint64_t unit = rule->a, slba = plan->occasion.slba, end = slba + plan->occasion.lbas;

	plan->round = rule;
	if (!plan->occasion.lbas)
		return;
	if (vssd_fault_how_number(rule, VSSD_FAULT_KEY_INWARD, 0)) {
		slba = (slba + unit - 1) & ~(unit - 1);
		end &= ~(unit - 1);
	} else {
		slba &= ~(unit - 1);
		end = (end + unit - 1) & ~(unit - 1);
	}
	plan->decided = end <= slba; /* nothing is left */
	if (end <= slba || end - slba > UINT16_MAX + UINT64_C(1))
		return;
	vssd_set_range(cmd, slba, end - slba);
	if (plan->request->ns)
		vssd_pi_skip(plan->request->ns, cmd, slba - plan->occasion.slba);
}

/* The drive loses its power at this command: before it executes, or after some bytes of its data. */
static void sudden(struct vssd_fault_plan *plan, struct vssd_fault_rule *rule)
{
	if (vssd_fault_how(rule, VSSD_FAULT_KEY_AT)) {
		plan->sudden = rule;
		return;
	}
	vssd_sudden_add(plan->request->ctrl, rule);
	vssd_sudden_poll(plan->request->ctrl);
	if (plan->request->ctrl->running)
		return;
	plan->decided = true;
	plan->status = VSSD_FAULT_GONE_STATUS;
}

static void apply(struct vssd_fault_plan *plan, struct vssd_fault_rule *rule)
{
	switch (rule->action) {
	case VSSD_FAULT_REFUSE:
	case VSSD_FAULT_SKIP:
		refuse(plan, rule);
		return;
	case VSSD_FAULT_SET:
	case VSSD_FAULT_ADD:
		change(plan, rule);
		return;
	case VSSD_FAULT_ROUND:
		round_range(plan, rule);
		return;
	case VSSD_FAULT_EARLY:
		plan->early = rule;
		return;
	case VSSD_FAULT_LEAVE:
		plan->request->ctrl->subsystem->left =
			(struct vssd_left){rule->a >> VSSD_BLOCK_SHIFT, (rule->b >> VSSD_BLOCK_SHIFT) + 1};
		return;
	case VSSD_FAULT_ZONE:
		vssd_zones_fault(plan->request, (enum vssd_fault_zone)rule->a);
		return;
	case VSSD_FAULT_SGL:
		plan->sgl |= (uint8_t)(1u << rule->a);
		return;
	case VSSD_FAULT_SECURITY:
		plan->request->ctrl->subsystem->security->mistakes |= 1u << rule->a;
		return;
	case VSSD_FAULT_FUNCTIONS:
		vssd_virtual_fault(plan->request->ctrl->subsystem, (enum vssd_fault_functions)rule->a);
		return;
	case VSSD_FAULT_SPLIT:
		if (plan->occasion.bytes > rule->a && vssd_fault_changes_range(plan->request))
			plan->split = rule;
		return;
	default:
		break;
	}
	if (vssd_is_sudden(rule->action))
		sudden(plan, rule);
}

static void begin_data(struct vssd_fault_plan *plan)
{
	struct vssd_faults *faults = plan->request->ctrl->subsystem->faults;
	struct vssd_fault_occasion occasion = plan->occasion;

	occasion.place = VSSD_FAULT_DATA;
	if (vssd_faults_at(faults, VSSD_FAULT_DATA))
		plan->num_data = vssd_faults_match(faults, &occasion, plan->data);
	vssd_fault_zeroes_begin(plan);
	vssd_fault_note_write(plan);
	if (vssd_fault_has_data(plan))
		plan->request->fault = plan;
}

uint16_t vssd_fault_end(struct vssd_fault_plan *plan, uint16_t status)
{
	if (plan->request->fault)
		status = vssd_fault_data_end(plan, status);
	if (!status)
		vssd_fault_note_flush(plan->request);
	if (!plan->sudden || status)
		return status;
	vssd_sudden_add(plan->request->ctrl, plan->sudden);
	vssd_sudden_poll(plan->request->ctrl);
	return plan->request->ctrl->running ? status : VSSD_FAULT_GONE_STATUS;
}

bool vssd_fault_may_match(const struct vssd_request *request)
{
	const struct vssd_faults *faults = request->ctrl->subsystem->faults;
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t slba = vssd_slba(cmd), last = slba + vssd_nlb(cmd) - 1;
	bool is_write = cmd->opc == NVME_IO_WRITE;

	if (request->sq->qid == 0 || (!is_write && cmd->opc != NVME_IO_READ) ||
	    faults->index.queues[request->sq->qid] || cmd->nsid - 1 >= VSSD_MAX_NAMESPACES || last < slba)
		return true;
	return vssd_faults_watched(faults, is_write, cmd->nsid - 1, slba, last);
}

void vssd_fault_begin(struct vssd_fault_plan *plan, struct vssd_request *request)
{
	struct vssd_faults *faults = request->ctrl->subsystem->faults;
	struct vssd_fault_rule *rules[VSSD_FAULTS_AT_ONCE];
	unsigned count = 0;

	memset(plan, 0, sizeof(*plan));
	plan->request = request;
	look(plan);
	vssd_fault_recall(plan);
	if (vssd_faults_at(faults, VSSD_FAULT_COMMAND))
		count = vssd_faults_match(faults, &plan->occasion, rules);
	for (unsigned i = 0; i < count && plan->status != VSSD_FAULT_GONE_STATUS; i++)
		apply(plan, rules[i]);
	if (!plan->decided)
		begin_data(plan);
}

void vssd_fault_complete(struct vssd_fault_plan *plan, uint16_t status)
{
	struct vssd_request *request = plan->request;

	vssd_faulty_complete(request->ctrl, request->sq, &plan->occasion, status, request->result,
			     status ? 0 : request->due, &plan->edits);
	vssd_fault_forget_ranges(plan);
}

void vssd_fault_forget_ranges(struct vssd_fault_plan *plan)
{
	free(plan->ranges);
	plan->ranges = NULL;
}

void vssd_fault_complete_unexecuted(struct vssd_request *request, uint16_t status)
{
	struct vssd_fault_plan plan = {.request = request};

	if (!vssd_fault_of_commands(request->ctrl)) {
		vssd_post(request->ctrl, request->sq, request->cmd.cid, status, 0);
		return;
	}
	look(&plan);
	vssd_fault_recall(&plan);
	vssd_fault_complete(&plan, status);
}
