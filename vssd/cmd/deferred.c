/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/deferred.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/fault.h"
#include "vssd/ctrl/controller.h"

#define US_NS 1000u

/* Bits 1:0 of an opcode: the host sends data. */
#define SENDS_DATA 1u

static void node_free(struct vssd_deferred *node)
{
	free(node->data);
	free(node);
}

/* Take the data from the host now: it may use its memory for something else once the command has completed. */
static void take_data(struct vssd_request *request, struct vssd_deferred *node)
{
	bool is_dsm = request->sq->qid != 0 && request->cmd.opc == NVME_IO_DSM;
	uint64_t offset, length = 4096;

	if ((request->cmd.opc & 3) != SENDS_DATA)
		return;
	if (is_dsm)
		length = ((request->cmd.cdw10 & 0xff) + 1) * sizeof(struct nvme_dsm_range);
	else if (request->sq->qid != 0 && !vssd_fault_range(request, &offset, &length))
		return;
	node->data = calloc(1, length);
	node->length = node->data ? (uint32_t)length : 0;
	if (node->data)
		vssd_data_receive(request, node->data, node->length);
}

/* ---- what was written since ---- */

/* An LBA range of the store that a deferred command changes: what it held before. */
struct piece {
	uint64_t offset;
	bool is_bad;
	uint8_t data[VSSD_SECTOR_SIZE];
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

static void save(struct vssd_ctrl *ctrl, struct pieces *pieces, uint64_t clock, uint64_t offset, uint64_t length)
{
	const struct vssd_fault_history *history = ctrl->subsystem->faults->history;

	for (; length > 0 && history; length -= VSSD_SECTOR_SIZE, offset += VSSD_SECTOR_SIZE) {
		if (!vssd_history_since(history, offset / VSSD_HISTORY_SECTOR, clock))
			continue;
		if (pieces->count == pieces->size) {
			uint32_t size = pieces->size ? 2 * pieces->size : 64;
			struct piece *at = realloc(pieces->at, size * sizeof(*at));

			if (!at)
				return;
			pieces->at = at;
			pieces->size = size;
		}
		pieces->at[pieces->count].offset = offset;
		pieces->at[pieces->count].is_bad =
			vssd_store_bad(ctrl->store, offset >> VSSD_BLOCK_SHIFT) & sector_of(offset);
		vssd_fault_read_store(ctrl, offset, pieces->at[pieces->count++].data, VSSD_SECTOR_SIZE);
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

		vssd_fault_write_store(ctrl, piece->offset, piece->data, VSSD_SECTOR_SIZE);
		if (piece->is_bad)
			vssd_store_poison(ctrl->store, piece->offset >> VSSD_BLOCK_SHIFT, sector_of(piece->offset));
	}
	free(pieces->at);
}

/* ---- the list ---- */

void vssd_defer(struct vssd_request *request, struct vssd_fault_rule *rule)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct vssd_deferred **link = &ctrl->faulty.deferred;
	struct vssd_deferred *node = malloc(sizeof(*node));

	if (!node)
		return;
	while (*link)
		link = &(*link)->next;
	*node = (struct vssd_deferred){
		.due = pyn_ticks() + pyn_ns_to_ticks(vssd_fault_random(rule, rule->a, rule->b) * US_NS),
		.cmd = request->cmd,
		.qid = request->sq->qid,
		.keeps = vssd_fault_how_number(rule, VSSD_FAULT_KEY_KEEP, 0),
		.yields = vssd_fault_how_number(rule, VSSD_FAULT_KEY_YIELD, 0),
	};
	if (ctrl->subsystem->faults->history)
		node->since = vssd_history_clock(ctrl->subsystem->faults->history);
	take_data(request, node);
	*link = node;
	vssd_faulty_wake(ctrl, node->due);
}

void vssd_deferred_run(struct vssd_ctrl *ctrl, void (*execute)(struct vssd_request *request))
{
	struct vssd_deferred **link = &ctrl->faulty.deferred;

	while (*link) {
		struct vssd_deferred *node = *link;
		struct vssd_request request = {.cmd = node->cmd};
		struct vssd_fault_plan plan = {.request = &request};
		struct pieces pieces = {0};

		if (node->due > ctrl->now) {
			link = &node->next;
			continue;
		}
		*link = node->next;
		vssd_request_init(&request, ctrl, &ctrl->queues.sq[node->qid]);
		if (node->data) {
			plan.preloaded = node->data;
			plan.num_preloaded = node->length;
			plan.occasion.sqe = plan.sqe;
			request.fault = &plan;
		}
		if (node->yields)
			save_newer(&request, node, &pieces);
		execute(&request);
		restore(ctrl, &pieces);
		vssd_fault_free(&plan);
		node_free(node);
	}
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
