/* SPDX-License-Identifier: BSD-3-Clause */
/* Completions as fault rules want them. */
#include "vssd/ctrl/faulty.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "spec/commands.h"
#include "vssd/ctrl/controller.h"
#include "vssd/fault/words.h"

#define US_NS 1000u

/* What the rules of a completion have decided. */
struct verdict {
	bool never;
	unsigned times;
	uint64_t due;    /* ticks */
	uint64_t holder; /* see struct vssd_delayed */
	uint64_t released;
	struct vssd_edits edits;
};

/* ---- changes ---- */

void vssd_edits_add(struct vssd_edits *edits, const struct vssd_fault_word *word, bool add)
{
	if (edits->count == VSSD_EDITS)
		return;
	edits->at[edits->count].word = *word;
	edits->at[edits->count++].add = add;
}

void vssd_edits_set(struct vssd_edits *edits, const char *name, uint64_t value)
{
	for (size_t i = 0; i < vssd_fault_num_fields; i++) {
		struct vssd_fault_word word = {
			.field = (uint8_t)i, .high = (uint8_t)(vssd_fault_fields[i].bits - 1), .a = value};

		if (strcmp(vssd_fault_fields[i].name, name) == 0)
			vssd_edits_add(edits, &word, false);
	}
}

static void post(struct vssd_ctrl *ctrl, const struct vssd_delayed *delayed)
{
	struct vssd_sq *sq = &ctrl->queues.sq[delayed->qid];
	uint32_t cqe[4];

	if (delayed->qid != 0)
		vssd_latency_note(ctrl, (uint8_t)delayed->sqe[0], delayed->start);

	if (!delayed->edits.count) {
		vssd_post(ctrl, sq, delayed->cid, delayed->status, delayed->result);
		return;
	}
	vssd_cqe_make(ctrl, sq, delayed->cid, delayed->status, delayed->result, cqe);
	for (unsigned i = 0; i < delayed->edits.count; i++)
		vssd_fault_field_change(cqe, &delayed->edits.at[i].word, delayed->edits.at[i].add);
	vssd_post_cqe(ctrl, sq, cqe);
}

/* ---- the list ---- */

static void append(struct vssd_ctrl *ctrl, const struct vssd_delayed *delayed)
{
	struct vssd_delayed *node = malloc(sizeof(*node));

	if (!node) {
		vssd_fatal(ctrl); /* the host must not wait for ever */
		return;
	}
	*node = *delayed;
	VSSD_APPEND(ctrl->faulty.delayed, node);
	vssd_faulty_wake(ctrl, delayed->due);
}

static void drop(struct vssd_delayed **link)
{
	struct vssd_delayed *node = *link;

	*link = node->next;
	free(node);
}

static void release(struct vssd_ctrl *ctrl, struct vssd_delayed *node)
{
	if (node->holder && !vssd_faults_holds(ctrl->subsystem->faults, node->holder, node->released)) {
		node->holder = 0;
		node->due = ctrl->now;
	}
}

/* Post a completion if it is due and has room. False: it stays in the list. */
static bool settle(struct vssd_ctrl *ctrl, const struct vssd_delayed *delayed)
{
	struct vssd_sq *sq = delayed->owner ? NULL : &ctrl->queues.sq[delayed->qid];

	if (sq && !sq->size)
		return true; /* the queue is deleted */
	if (delayed->due > ctrl->now || (sq && (!ctrl->running || vssd_cq_room(sq->cq) == 0)))
		return false;
	if (!sq) {
		delayed->owner->ops->complete(delayed->owner, delayed->cid, delayed->status);
		return true;
	}
	post(ctrl, delayed);
	vssd_interrupt_posted(ctrl, sq->cq);
	return true;
}

static void poll(struct vssd_ctrl *ctrl)
{
	struct vssd_delayed **link = &ctrl->faulty.delayed;
	uint64_t next = VSSD_NEVER;

	while (*link) {
		release(ctrl, *link);
		if (settle(ctrl, *link)) {
			drop(link);
			continue;
		}
		if ((*link)->due < next)
			next = (*link)->due;
		link = &(*link)->next;
	}
	for (const struct vssd_sudden *one = ctrl->faulty.sudden; one; one = one->next)
		next = one->due < next ? one->due : next;
	for (const struct vssd_deferred *one = ctrl->faulty.deferred; one; one = one->next)
		next = one->due < next ? one->due : next;
	if (ctrl->faulty.gone && ctrl->faulty.power_due < next)
		next = ctrl->faulty.power_due;
	ctrl->faulty.next_due = next;
}

static uint64_t due(const struct vssd_ctrl *ctrl)
{
	return ctrl->faulty.next_due;
}

/* Commands that came out of band end with the subsystem only. */
static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	struct vssd_delayed **link = &ctrl->faulty.delayed;

	while (*link)
		if ((*link)->owner && kind < VSSD_RESET_SUBSYSTEM)
			link = &(*link)->next;
		else
			drop(link);
}

static int init(struct vssd_ctrl *ctrl, struct pyn_error *err)
{
	(void)err;
	ctrl->faulty.next_due = ctrl->faulty.power_due = VSSD_NEVER;
	return 0;
}

static void deinit(struct vssd_ctrl *ctrl)
{
	reset(ctrl, VSSD_RESET_POWER);
}

/* It is the last of the parts that use next_due: it computes the next one. */
const struct vssd_part vssd_faulty_part = {.init = init, .reset = reset, .poll = poll, .due = due, .deinit = deinit};

void vssd_faulty_forget_queue(struct vssd_ctrl *ctrl, uint16_t qid)
{
	struct vssd_delayed **link = &ctrl->faulty.delayed;

	while (*link) {
		if ((*link)->owner || (*link)->qid != qid) {
			link = &(*link)->next;
			continue;
		}
		if (!(*link)->holder && vssd_cq_room(ctrl->queues.sq[qid].cq) > 0)
			post(ctrl, *link);
		drop(link);
	}
}

/* ---- rules ---- */

static void delay(struct verdict *verdict, uint64_t ns)
{
	uint64_t due = pyn_ticks() + pyn_ns_to_ticks(ns);

	if (ns && due > verdict->due)
		verdict->due = due;
}

/* How much later (ns) a command of so many bytes completes, so that no more than rule->a bytes a second are
 * transferred. After a rest, `burst` bytes take no time. */
static uint64_t paced(struct vssd_fault_rule *rule, uint64_t bytes)
{
	double ns_each = 1e9 / (double)rule->a;
	double burst = (double)vssd_fault_how_number(rule, VSSD_FAULT_KEY_BURST, 0) * ns_each;
	uint64_t now = pyn_monotonic_ns(), earliest = burst < (double)now ? now - (uint64_t)burst : 0;

	if (rule->paced < earliest)
		rule->paced = earliest;
	rule->paced += (uint64_t)((double)bytes * ns_each);
	return rule->paced > now ? rule->paced - now : 0;
}

static void decide(struct vssd_ctrl *ctrl, struct vssd_fault_rule *rule, uint64_t bytes, struct verdict *verdict)
{
	switch (rule->action) {
	case VSSD_FAULT_NEVER:
		verdict->never = true;
		return;
	case VSSD_FAULT_LATE:
		delay(verdict, vssd_fault_time(rule) * US_NS);
		return;
	case VSSD_FAULT_PACE:
		delay(verdict, paced(rule, bytes));
		return;
	case VSSD_FAULT_HOLD:
		verdict->due = VSSD_NEVER;
		verdict->holder = rule->number;
		verdict->released = rule->released;
		return;
	case VSSD_FAULT_TWICE:
		verdict->times = 2;
		return;
	case VSSD_FAULT_SET:
	case VSSD_FAULT_ADD:
		for (unsigned i = 0; i < rule->num_how; i++)
			vssd_edits_add(&verdict->edits, &rule->how[i], rule->action == VSSD_FAULT_ADD);
		return;
	default:
		if (vssd_is_sudden(rule->action))
			vssd_sudden_add(ctrl, rule);
		return;
	}
}

/* The success of a command, as a moment. */
static enum vssd_fault_moment moment_of(const struct vssd_fault_occasion *occasion)
{
	return (enum vssd_fault_moment)(VSSD_FAULT_ON_OPCODE + vssd_fault_table(occasion->queue) * 256 +
					(uint8_t)occasion->sqe[0]);
}

/* Let the rules of a completion decide. */
static struct verdict judge(struct vssd_ctrl *ctrl, const struct vssd_fault_occasion *occasion, uint16_t status,
			    uint64_t due, const struct vssd_edits *edits)
{
	struct vssd_fault_occasion at = *occasion;
	struct vssd_fault_rule *rules[VSSD_FAULTS_AT_ONCE];
	struct verdict verdict = {.times = 1, .due = due};
	unsigned count = 0;

	if (edits)
		verdict.edits = *edits;
	at.place = VSSD_FAULT_COMPLETION;
	at.controller = vssd_cntlid(&ctrl->listener);
	at.status = status;
	at.moment = status ? VSSD_FAULT_MOMENTS : moment_of(occasion);
	if (!status)
		vssd_faults_happened(ctrl->subsystem->faults, at.moment);
	if (vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_COMPLETION))
		count = vssd_faults_match(ctrl->subsystem->faults, &at, rules);
	for (unsigned i = 0; i < count; i++)
		decide(ctrl, rules[i], occasion->bytes, &verdict);
	return verdict;
}

/* The completion of a command that is to come later. */
static struct vssd_delayed delayed_of(const struct vssd_ctrl *ctrl, const struct vssd_fault_occasion *occasion,
				      uint16_t status, const struct verdict *verdict)
{
	struct vssd_delayed delayed = {
		.due = verdict->due,
		.holder = verdict->holder,
		.released = verdict->released,
		.qid = occasion->queue,
		.cid = (uint16_t)(occasion->sqe[0] >> 16),
		.status = status,
		.edits = verdict->edits,
		.occasion = *occasion,
		.start = ctrl->now,
	};

	memcpy(delayed.sqe, occasion->sqe, sizeof(delayed.sqe));
	delayed.occasion.num_ranges = 0;
	return delayed;
}

void vssd_faulty_complete(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct vssd_fault_occasion *occasion,
			  uint16_t status, uint64_t result, uint64_t due, const struct vssd_edits *edits)
{
	struct verdict verdict = judge(ctrl, occasion, status, due, edits);
	struct vssd_delayed delayed;

	if (verdict.never)
		return;
	delayed = delayed_of(ctrl, occasion, status, &verdict);
	delayed.qid = sq->qid;
	delayed.result = result;
	for (unsigned i = 0; i < verdict.times; i++)
		if (!verdict.due && vssd_cq_room(sq->cq) > 0 && !sq->num_waiting)
			post(ctrl, &delayed);
		else
			append(ctrl, &delayed);
}

unsigned vssd_faulty_respond(struct vssd_ctrl *ctrl, struct vssd_listener *owner,
			     const struct vssd_fault_occasion *occasion, uint16_t status,
			     const struct vssd_edits *edits, uint32_t cqe[4])
{
	struct verdict verdict = judge(ctrl, occasion, status, 0, edits);
	struct vssd_delayed delayed;

	for (unsigned i = 0; i < verdict.edits.count; i++)
		vssd_fault_field_change(cqe, &verdict.edits.at[i].word, verdict.edits.at[i].add);
	if (verdict.never)
		return 0;
	if (!verdict.due)
		return verdict.times;
	delayed = delayed_of(ctrl, occasion, status, &verdict);
	delayed.owner = owner;
	append(ctrl, &delayed);
	return 0;
}

unsigned vssd_faulty_abort(struct vssd_ctrl *ctrl, const struct vssd_aborting *abort)
{
	struct vssd_delayed **link = &ctrl->faulty.delayed;
	unsigned found = 0;

	/* An aborted command may be delayed again, and then has a status. Only one can have a CID. */
	while (*link && (abort->nsid || !found)) {
		struct vssd_delayed aborted = **link;

		if (aborted.owner || aborted.status ||
		    !vssd_aborting_names(abort, aborted.sqe[1], aborted.qid, aborted.cid)) {
			link = &(*link)->next;
			continue;
		}
		found++;
		drop(link);
		ctrl->counters.errors++;
		aborted.occasion.sqe = aborted.sqe;
		aborted.occasion.was_late = true;
		vssd_faulty_complete(ctrl, &ctrl->queues.sq[aborted.qid], &aborted.occasion, abort->status, 0, 0,
				     NULL);
	}
	return found;
}
