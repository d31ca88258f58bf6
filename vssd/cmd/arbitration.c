/* SPDX-License-Identifier: BSD-3-Clause */
/* Choose the queue to serve next, and when to end a poll. NVM Express Base Specification 2.0, section 3.4.4. */
#include "vssd/cmd/arbitration.h"

#include "core/util/clock.h"
#include "vssd/cmd/dispatch.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/doorbell.h"

#define BATCH 32u          /* commands of one queue at a time; arbitration burst may lower it */
#define POLL_COMMANDS 256u /* a poll ends after these, or after VSSD_POLL_BYTES */
#define WALK_NS 1000000u   /* with many queues, all are visited so often */
#define AB 0x7u            /* feature 01h: arbitration burst, a power of two; 7: no limit */

static unsigned serve(struct vssd_ctrl *ctrl, uint16_t qid, unsigned limit)
{
	struct vssd_sq *sq = &ctrl->queues.sq[qid];
	unsigned count = 0;

	if (sq->head != sq->tail)
		count = vssd_dispatch_commands(ctrl, sq, limit);
	if (sq->size)
		vssd_interrupt_posted(ctrl, sq->cq);
	return count;
}

static unsigned poll_pair(struct vssd_ctrl *ctrl, uint16_t qid, unsigned limit)
{
	vssd_queue_check(ctrl, qid);
	return serve(ctrl, qid, limit);
}

/* ---- many queues ---- */

/* Whether a queue has something to do that no doorbell is going to tell of. */
static bool has_left(const struct vssd_sq *sq)
{
	return sq->head != sq->tail || sq->num_waiting || sq->pair_due || (sq->size && sq->cq->posted);
}

/* Whether a queue had nothing left after its last visit, and its doorbells are as they were then. */
static bool is_idle(const struct vssd_queues *queues, uint16_t qid)
{
	const volatile uint64_t *doorbells = (volatile uint64_t *)queues->doorbells;

	return doorbells[qid] == queues->seen[qid] && !(queues->many.left[qid / 64] >> qid % 64 & 1);
}

static unsigned visit(struct vssd_ctrl *ctrl, uint16_t qid, unsigned limit)
{
	unsigned count = poll_pair(ctrl, qid, limit);
	uint64_t bit = UINT64_C(1) << qid % 64;

	if (has_left(&ctrl->queues.sq[qid]))
		ctrl->queues.many.left[qid / 64] |= bit;
	else
		ctrl->queues.many.left[qid / 64] &= ~bit;
	return count;
}

static unsigned burst(const struct vssd_ctrl *ctrl)
{
	unsigned commands = 1u << (ctrl->features.value[NVME_FEAT_ARBITRATION] & AB);

	return commands < BATCH ? commands : BATCH;
}

static bool may_go_on(const struct vssd_ctrl *ctrl, unsigned count)
{
	return ctrl->running && count < POLL_COMMANDS && ctrl->queues.data_moved < VSSD_POLL_BYTES;
}

static unsigned poll_in_turn(struct vssd_ctrl *ctrl, unsigned count)
{
	unsigned looked = 0, limit = burst(ctrl);

	while (looked++ < ctrl->queues.num_active && may_go_on(ctrl, count)) {
		uint16_t qid = ctrl->queues.active[ctrl->queues.turn];

		ctrl->queues.turn = ctrl->queues.turn + 1 >= ctrl->queues.num_active ? 0 : ctrl->queues.turn + 1;
		count += poll_pair(ctrl, qid, limit);
	}
	return count;
}

/* As poll_in_turn(), but pass over idle queues, except now and then. */
static unsigned poll_many(struct vssd_ctrl *ctrl, unsigned count)
{
	struct vssd_queues *queues = &ctrl->queues;
	bool visits_all = queues->shadow.on || ctrl->now >= queues->many.next_walk;
	unsigned looked = 0, limit = burst(ctrl);

	if (visits_all)
		queues->many.next_walk = ctrl->now + pyn_ns_to_ticks(WALK_NS);
	while (looked++ < queues->num_active && may_go_on(ctrl, count)) {
		uint16_t qid = queues->active[queues->turn];

		queues->turn = queues->turn + 1 >= queues->num_active ? 0 : queues->turn + 1;
		if (visits_all || !is_idle(queues, qid))
			count += visit(ctrl, qid, limit);
	}
	return count;
}

/* Execute a burst of the next queue in a class that has commands. 0: no queue has any. */
static unsigned serve_class(struct vssd_ctrl *ctrl, enum vssd_priority priority, unsigned limit)
{
	uint16_t *turn = &ctrl->queues.turns[priority];
	unsigned count = 0;

	for (uint16_t looked = 0; looked < ctrl->queues.num_active && !count; looked++) {
		uint16_t qid = ctrl->queues.active[*turn];

		*turn = *turn + 1 >= ctrl->queues.num_active ? 0 : *turn + 1;
		if (ctrl->queues.sq[qid].priority == priority)
			count = serve(ctrl, qid, limit);
	}
	return count;
}

/* Refill the credits from feature 01h: HPW, MPW and LPW are its bytes 3, 2 and 1, and 0's based. */
static void new_round(struct vssd_ctrl *ctrl)
{
	for (unsigned i = VSSD_HIGH; i <= VSSD_LOW; i++)
		ctrl->queues.credit[i] = (ctrl->features.value[NVME_FEAT_ARBITRATION] >> 8 * (4 - i) & 0xff) + 1;
}

static unsigned serve_weighted(struct vssd_ctrl *ctrl)
{
	unsigned limit = burst(ctrl), count;

	for (enum vssd_priority i = VSSD_HIGH; i <= VSSD_LOW; i++) {
		if (!ctrl->queues.credit[i])
			continue;
		count = serve_class(ctrl, i, limit < ctrl->queues.credit[i] ? limit : ctrl->queues.credit[i]);
		ctrl->queues.credit[i] -= count < ctrl->queues.credit[i] ? count : ctrl->queues.credit[i];
		if (count)
			return count;
	}
	return 0;
}

/* Serve the admin queue first, then urgent queues. The others share a round by their weights. */
static unsigned poll_by_weight(struct vssd_ctrl *ctrl, unsigned count)
{
	unsigned taken = 1;

	while (taken && may_go_on(ctrl, count)) {
		for (uint16_t i = 0; i < ctrl->queues.num_active; i++)
			vssd_queue_check(ctrl, ctrl->queues.active[i]);
		taken = serve_class(ctrl, VSSD_URGENT, burst(ctrl));
		if (!taken)
			taken = serve_weighted(ctrl);
		if (!taken) {
			new_round(ctrl);
			taken = serve_weighted(ctrl);
		}
		count += taken;
		if (taken && ctrl->running)
			count += poll_pair(ctrl, 0, BATCH);
	}
	return count;
}

void vssd_queues_settle(struct vssd_ctrl *ctrl)
{
	vssd_interrupt_posted(ctrl, &ctrl->queues.cq[0]);
	if (__builtin_expect(ctrl->interrupts.num_coalesced > 0, 0))
		vssd_interrupts_poll(ctrl);
}

unsigned vssd_queues_poll(struct vssd_ctrl *ctrl)
{
	unsigned count;

	if (ctrl->now >= ctrl->queues.next_scan) {
		vssd_doorbells_scan(ctrl);
		ctrl->queues.next_scan = ctrl->now + pyn_ns_to_ticks(1000000);
	}
	ctrl->queues.data_moved = 0;
	if (__builtin_expect(ctrl->queues.shadow.on, 0))
		vssd_doorbells_follow(ctrl);
	count = poll_pair(ctrl, 0, BATCH);
	if (__builtin_expect(!ctrl->queues.many.uncommon, 1))
		return poll_in_turn(ctrl, count);
	return ctrl->queues.weighted ? poll_by_weight(ctrl, count) : poll_many(ctrl, count);
}
