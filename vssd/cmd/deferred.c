/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/deferred.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/fault.h"
#include "vssd/cmd/protection.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define US_NS 1000u
#define GAP_US 200u /* between two pieces of a command, unless the rule names another time */

static void node_free(struct vssd_deferred *node)
{
	if (node->split && --node->split->pieces == 0)
		free(node->split);
	free(node->data);
	free(node->metadata);
	free(node);
}

/* ---- what was written since ---- */

/* An LBA range of the store that a deferred command changes: what it held before. */
struct piece {
	uint64_t offset;
	bool is_bad;
	bool is_written;
	uint8_t data[VSSD_SECTOR_SIZE];
	uint8_t metadata[VSSD_METADATA_LBA];
};

struct pieces {
	struct piece *at;
	uint32_t count;
	uint32_t size;
};

/* The bit of a sector in the marks of its block. */
static uint8_t sector_of(uint64_t offset)
{
	return (uint8_t)(1u << offset % VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE);
}

/* Append a piece. NULL: there is no memory. */
static struct piece *new_piece(struct pieces *pieces)
{
	uint32_t size = pieces->size ? 2 * pieces->size : 64;
	struct piece *at;

	if (pieces->count < pieces->size)
		return &pieces->at[pieces->count++];
	at = realloc(pieces->at, size * sizeof(*at));
	if (!at)
		return NULL;
	pieces->at = at;
	pieces->size = size;
	return &pieces->at[pieces->count++];
}

static void save_sector(const struct vssd_ctrl *ctrl, struct piece *piece, uint64_t offset)
{
	uint64_t block = offset >> VSSD_BLOCK_SHIFT, sector = offset % VSSD_BLOCK_SIZE / VSSD_SECTOR_SIZE;

	piece->offset = offset;
	piece->is_bad = vssd_store_bad(ctrl->store, block) & sector_of(offset);
	piece->is_written = vssd_store_written(ctrl->store, block) & sector_of(offset);
	vssd_store_read(ctrl->store, offset, piece->data, VSSD_SECTOR_SIZE);
	if (ctrl->store->metadata)
		memcpy(piece->metadata, vssd_store_metadata(ctrl->store, block) + sector * VSSD_METADATA_LBA,
		       VSSD_METADATA_LBA);
}

static void save(struct vssd_ctrl *ctrl, struct pieces *pieces, uint64_t clock, uint64_t offset, uint64_t length)
{
	const struct vssd_fault_history *history = ctrl->subsystem->faults->history;

	for (; length > 0 && history; length -= VSSD_SECTOR_SIZE, offset += VSSD_SECTOR_SIZE) {
		struct piece *piece;

		if (!vssd_history_since(history, offset / VSSD_HISTORY_SECTOR, clock))
			continue;
		piece = new_piece(pieces);
		if (!piece)
			return;
		save_sector(ctrl, piece, offset);
	}
}

/* Save the LBAs of a command that were written since it was submitted. */
static void save_newer(struct vssd_request *request, const struct vssd_deferred *node, struct pieces *pieces)
{
	const struct nvme_dsm_range *ranges = (const struct nvme_dsm_range *)node->data;
	const struct vssd_ns *ns = request->ns;
	uint64_t offset, length;

	if (vssd_fault_range(request, &offset, &length))
		save(request->ctrl, pieces, node->since, offset, length);
	if (!ns || !ranges || node->qid == 0 || node->cmd.opc != NVME_IO_DSM)
		return;
	for (uint32_t i = 0; i < node->length / sizeof(*ranges); i++)
		if (vssd_range_fits(ns, ranges[i].slba, ranges[i].nlb))
			save(request->ctrl, pieces, node->since,
			     (ns->first_block << VSSD_BLOCK_SHIFT) + (ranges[i].slba << ns->lba_shift),
			     (uint64_t)ranges[i].nlb << ns->lba_shift);
}

static void restore(struct vssd_ctrl *ctrl, struct pieces *pieces)
{
	for (uint32_t i = 0; i < pieces->count; i++) {
		const struct piece *piece = &pieces->at[i];

		uint64_t block = piece->offset >> VSSD_BLOCK_SHIFT;

		if (piece->is_written)
			vssd_fault_write_sector(ctrl, piece->offset, piece->data, piece->metadata);
		else
			vssd_store_zero(ctrl->store, block, sector_of(piece->offset), true);
		if (piece->is_bad)
			vssd_store_poison(ctrl->store, block, sector_of(piece->offset));
		if (ctrl->features.write_through)
			vssd_store_commit(ctrl->store, block, 1);
	}
	free(pieces->at);
}

/* ---- the list ---- */

/* Take the data that the trial has fetched: the host may use its memory for something else once the command has
 * completed. */
static void take_data(struct vssd_deferred *node, struct vssd_fault_plan *plan)
{
	if (!plan->bounce || plan->direction != VSSD_DMA_READ)
		return;
	node->data = plan->bounce;
	node->length = (uint32_t)plan->num_bounce;
	node->metadata = plan->metadata;
	plan->bounce = plan->metadata = NULL;
}

/* The trial has checked protection information, and the rules of its data change it later. */
static void check_no_more(struct nvme_cmd *cmd)
{
	if (cmd->opc == NVME_IO_WRITE)
		cmd->cdw12 &= ~(NVME_RW_CHECK_GUARD | NVME_RW_CHECK_APP | NVME_RW_CHECK_REF | NVME_RW_STC);
}

static uint16_t no_memory(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("no memory for a fault rule"), VSSD_OWN);
}

/* Execute the command later, as the rule says. */
static uint16_t add(struct vssd_fault_plan *plan)
{
	struct vssd_request *request = plan->request;
	struct vssd_ctrl *ctrl = request->ctrl;
	struct vssd_fault_rule *rule = plan->early;
	struct vssd_deferred *node = malloc(sizeof(*node));

	if (!node)
		return no_memory(request);
	*node = (struct vssd_deferred){
		.due = pyn_ticks() + pyn_ns_to_ticks(vssd_fault_random(rule, rule->a, rule->b) * US_NS),
		.cmd = request->cmd,
		.qid = request->sq->qid,
		.keeps = vssd_fault_how_number(rule, VSSD_FAULT_KEY_KEEP, 0),
		.yields = vssd_fault_how_number(rule, VSSD_FAULT_KEY_YIELD, 0),
	};
	if (ctrl->subsystem->faults->history)
		node->since = vssd_history_clock(ctrl->subsystem->faults->history);
	take_data(node, plan);
	if (node->qid != 0)
		check_no_more(&node->cmd);
	VSSD_APPEND(ctrl->faulty.deferred, node);
	vssd_faulty_wake(ctrl, node->due);
	return NVME_SC_SUCCESS;
}

/* Check the command, and get its data from the host. Returns its status. */
static uint16_t try(struct vssd_fault_plan *plan, uint16_t (*execute)(struct vssd_request *request))
{
	struct vssd_request *request = plan->request;
	uint16_t status;

	request->fault = plan;
	request->is_trial = true;
	status = execute(request);
	request->is_trial = false;
	request->fault = NULL;
	return status;
}

uint16_t vssd_defer(struct vssd_fault_plan *plan, uint16_t (*execute)(struct vssd_request *request))
{
	uint16_t status = try(plan, execute);

	if (!status)
		status = add(plan);
	vssd_fault_free(plan);
	return status;
}

/* ---- pieces ---- */

/* Copy a part of the data that the trial has fetched. NULL: none were fetched, or there is no memory. */
static uint8_t *part_of(const uint8_t *data, uint64_t at, uint64_t length)
{
	uint8_t *part = data ? malloc(length) : NULL;

	if (part)
		memcpy(part, data + at, length);
	return part;
}

/* Add a piece of the command: count LBAs from the LBA at on, which is counted from the first one. */
static bool add_piece(struct vssd_fault_plan *plan, struct vssd_split *split, uint64_t at, uint64_t count,
		      uint64_t due)
{
	struct vssd_request *request = plan->request;
	struct vssd_deferred *node = calloc(1, sizeof(*node));
	uint64_t slba = vssd_slba(&request->cmd) + at, each = vssd_lba_bytes(request->ns, &request->cmd);

	if (!node)
		return false;
	node->due = due;
	node->cmd = request->cmd;
	vssd_set_range(&node->cmd, slba, count);
	vssd_pi_skip(request->ns, &node->cmd, at);
	check_no_more(&node->cmd);
	node->qid = request->sq->qid;
	node->length = (uint32_t)(count * each);
	node->data = part_of(plan->bounce, at * each, count * each);
	node->metadata = part_of(plan->metadata, at * VSSD_METADATA_LBA, count * VSSD_METADATA_LBA);
	if ((plan->bounce && !node->data) || (plan->metadata && !node->metadata)) {
		node_free(node);
		return false;
	}
	node->split = split;
	split->pieces++;
	VSSD_APPEND(request->ctrl->faulty.deferred, node);
	vssd_faulty_wake(request->ctrl, due);
	return true;
}

/* Cut the command into pieces. Returns VSSD_LATER, or a status. */
static uint16_t cut(struct vssd_fault_plan *plan)
{
	struct vssd_request *request = plan->request;
	struct vssd_fault_rule *rule = plan->split;
	const struct vssd_fault_word *gap = vssd_fault_how(rule, VSSD_FAULT_KEY_GAP);
	bool reverse = vssd_fault_how_number(rule, VSSD_FAULT_KEY_REVERSE, 0);
	uint64_t nlb = vssd_nlb(&request->cmd), size = rule->a >> request->ns->lba_shift, due = pyn_ticks();
	struct vssd_split *split = calloc(1, sizeof(*split));

	if (!split)
		return no_memory(request);
	size = size ? size : 1;
	split->completion = (struct vssd_delayed){
		.qid = request->sq->qid,
		.cid = request->cmd.cid,
		.edits = plan->edits,
		.occasion = plan->occasion,
	};
	memcpy(split->completion.sqe, plan->sqe, sizeof(plan->sqe));
	split->completion.occasion.num_ranges = 0;
	for (uint64_t done = 0; done < nlb; done += size) {
		uint64_t count = nlb - done < size ? nlb - done : size;

		if (!add_piece(plan, split, reverse ? nlb - done - count : done, count, due))
			split->completion.status = NVME_SC_INTERNAL_ERROR;
		due += pyn_ns_to_ticks((gap ? vssd_fault_random(rule, gap->a, gap->b) : GAP_US) * US_NS);
	}
	if (split->pieces)
		return VSSD_LATER;
	free(split);
	return no_memory(request);
}

uint16_t vssd_split(struct vssd_fault_plan *plan, uint16_t (*execute)(struct vssd_request *request))
{
	uint16_t status = try(plan, execute);

	if (!status)
		status = cut(plan);
	vssd_fault_free(plan);
	return status;
}

/* A piece was executed. After the last one, complete the command. */
static void end_piece(struct vssd_request *request, const struct vssd_deferred *node, uint16_t status)
{
	struct vssd_split *split = node->split;
	struct vssd_delayed *whole = &split->completion;

	if (status && !whole->status) {
		vssd_command_failed(request, status);
		whole->status = status;
	}
	if (split->pieces > 1 || !request->sq->size)
		return;
	whole->occasion.sqe = whole->sqe;
	vssd_faulty_complete(request->ctrl, request->sq, &whole->occasion, whole->status, 0, 0, &whole->edits);
	vssd_interrupt_posted(request->ctrl, request->sq->cq);
}

/* ---- when they are due ---- */

void vssd_deferred_run(struct vssd_ctrl *ctrl, uint16_t (*execute)(struct vssd_request *request))
{
	struct vssd_deferred **link = &ctrl->faulty.deferred;

	while (*link) {
		struct vssd_deferred *node = *link;
		struct vssd_request request = {.cmd = node->cmd};
		struct vssd_fault_plan plan = {.request = &request};
		struct pieces pieces = {0};
		uint16_t status;

		if (node->due > ctrl->now) {
			link = &node->next;
			continue;
		}
		*link = node->next;
		vssd_request_init(&request, ctrl, &ctrl->queues.sq[node->qid]);
		if (node->data) {
			plan.preloaded = node->data;
			plan.num_preloaded = node->length;
			plan.preloaded_metadata = node->metadata;
			plan.occasion.sqe = plan.sqe;
			request.fault = &plan;
		}
		if (node->yields)
			save_newer(&request, node, &pieces);
		status = execute(&request);
		restore(ctrl, &pieces);
		vssd_fault_free(&plan);
		if (node->split)
			end_piece(&request, node, status);
		node_free(node);
	}
}

/* Drop the pieces of a command (split), or of all commands of a queue (split is NULL). */
static void drop_pieces(struct vssd_ctrl *ctrl, const struct vssd_split *split, uint16_t qid)
{
	struct vssd_deferred **link = &ctrl->faulty.deferred;

	while (*link) {
		struct vssd_deferred *node = *link;

		if (!node->split || node->qid != qid || (split && node->split != split)) {
			link = &node->next;
			continue;
		}
		*link = node->next;
		node_free(node);
	}
}

unsigned vssd_deferred_abort(struct vssd_ctrl *ctrl, const struct vssd_aborting *abort)
{
	struct vssd_deferred *node = ctrl->faulty.deferred;
	unsigned found = 0;

	while (node) {
		struct vssd_delayed whole;

		if (!node->split || !vssd_aborting_names(abort, node->cmd.nsid, node->qid, node->cmd.cid)) {
			node = node->next;
			continue;
		}
		found++;
		whole = node->split->completion;
		drop_pieces(ctrl, node->split, node->qid);
		ctrl->counters.errors++;
		whole.occasion.sqe = whole.sqe;
		vssd_faulty_complete(ctrl, &ctrl->queues.sq[whole.qid], &whole.occasion, abort->status, 0, 0,
				     &whole.edits);
		node = ctrl->faulty.deferred;
	}
	return found;
}

void vssd_deferred_forget_queue(struct vssd_ctrl *ctrl, uint16_t qid)
{
	drop_pieces(ctrl, NULL, qid);
}

static void drop(struct vssd_ctrl *ctrl, bool all)
{
	struct vssd_deferred **link = &ctrl->faulty.deferred;

	while (*link) {
		struct vssd_deferred *node = *link;

		if (node->keeps && !all) {
			link = &node->next;
			continue;
		}
		*link = node->next;
		node_free(node);
	}
}

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	drop(ctrl, kind == VSSD_RESET_POWER);
}

static void deinit(struct vssd_ctrl *ctrl)
{
	drop(ctrl, true);
}

const struct vssd_part vssd_deferred_part = {.reset = reset, .deinit = deinit};
