/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues: doorbells are polled, commands fetched in batches, completions posted with one interrupt a batch.
 * NVM Express Base Specification 2.0, sections 3.3 (queues), 3.4.2 (fused operations) and 3.4.4 (arbitration).
 */
#include "vssd/ctrl/device.h"

#include <stdatomic.h>
#include <string.h>

#include "core/util/clock.h"

#define BATCH 32u          /* commands of one queue at a time; arbitration burst may say fewer */
#define POLL_COMMANDS 256u /* commands, and bytes, after which a poll ends */
#define POLL_BYTES (UINT64_C(4) << 20)
#define AB 0x7u             /* feature 01h: arbitration burst, a power of two; 7: no limit */
#define PAIR_NS 1000000000u /* a host that rings for each half of a fused operation is not kept waiting for ever */

/* ---- creating and deleting ---- */

/* A queue's memory, for direct access; NULL: entries are copied one by one, since it lies in several regions, is
 * reached by messages, or is where the host mapped it to an address that is not aligned. */
static void *resolve(struct vssd_ctrl *ctrl, uint64_t iova, uint64_t length, uint32_t flags)
{
	void *entries = vssd_dma_pointer(&ctrl->bus->dma, iova, length, flags);

	return (uintptr_t)entries % _Alignof(struct nvme_cmd) ? NULL : entries;
}

static void resolve_sq(struct vssd_ctrl *ctrl, struct vssd_sq *sq)
{
	sq->entries = resolve(ctrl, sq->iova, (uint64_t)sq->size * sizeof(struct nvme_cmd), VSSD_DMA_READ);
}

static void resolve_cq(struct vssd_ctrl *ctrl, struct vssd_cq *cq)
{
	cq->entries = resolve(ctrl, cq->iova, (uint64_t)cq->size * sizeof(struct nvme_cpl), VSSD_DMA_WRITE);
}

void vssd_queues_resolve(struct vssd_ctrl *ctrl)
{
	if (ctrl->generation == ctrl->bus->dma.generation)
		return;
	for (unsigned i = 0; i < VSSD_NUM_QUEUES; i++) {
		if (ctrl->sq[i].size)
			resolve_sq(ctrl, &ctrl->sq[i]);
		if (ctrl->cq[i].size)
			resolve_cq(ctrl, &ctrl->cq[i]);
	}
	ctrl->generation = ctrl->bus->dma.generation;
}

static void update_active(struct vssd_ctrl *ctrl)
{
	ctrl->num_active = 0;
	ctrl->turn = 0;
	memset(ctrl->turns, 0, sizeof(ctrl->turns));
	for (uint16_t qid = 1; qid < VSSD_NUM_QUEUES; qid++)
		if (ctrl->sq[qid].size || ctrl->cq[qid].size)
			ctrl->active[ctrl->num_active++] = qid;
}

void vssd_cq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t vector,
		    bool interrupts)
{
	struct vssd_cq *cq = &ctrl->cq[qid];

	*cq = (struct vssd_cq){
		.iova = iova, .size = size, .phase = 1, .qid = qid, .vector = vector, .interrupts = interrupts};
	vssd_doorbell_clear(ctrl, 2u * qid + 1);
	resolve_cq(ctrl, cq);
	update_active(ctrl);
}

void vssd_sq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t cqid,
		    enum vssd_priority priority)
{
	struct vssd_sq *sq = &ctrl->sq[qid];

	*sq = (struct vssd_sq){
		.iova = iova, .size = size, .qid = qid, .cq = &ctrl->cq[cqid], .priority = (uint8_t)priority};
	sq->cq->users++;
	vssd_doorbell_clear(ctrl, 2u * qid);
	resolve_sq(ctrl, sq);
	update_active(ctrl);
}

void vssd_cq_delete(struct vssd_ctrl *ctrl, uint16_t qid)
{
	ctrl->cq[qid].size = 0;
	vssd_doorbell_clear(ctrl, 2u * qid + 1);
	update_active(ctrl);
}

void vssd_queues_clear(struct vssd_ctrl *ctrl)
{
	memset(ctrl->sq, 0, sizeof(ctrl->sq));
	memset(ctrl->cq, 0, sizeof(ctrl->cq));
	memset(ctrl->credit, 0, sizeof(ctrl->credit));
	vssd_doorbells_clear(ctrl);
	vssd_interrupts_clear(ctrl);
	ctrl->num_late = 0;
	ctrl->weighted = false;
	update_active(ctrl);
}

/* ---- completing ---- */

/* Entries until the queue is full; one stays empty, as a full queue would look like an empty one. */
static uint32_t cq_room(const struct vssd_cq *cq)
{
	return (cq->head > cq->tail ? cq->head : cq->head + cq->size) - cq->tail - 1;
}

static bool cq_has_room(const struct vssd_cq *cq)
{
	return cq_room(cq) > 0;
}

static void post(struct vssd_ctrl *ctrl, struct vssd_cq *cq, uint64_t first, uint64_t second)
{
	uint64_t iova = cq->iova + (uint64_t)cq->tail * sizeof(struct nvme_cpl);

	if (cq->entries) {
		vssd_cq_store(cq, first, second);
		return;
	}
	if (vssd_bus_write(ctrl->bus, iova, &first, 8) < 0 || vssd_bus_write(ctrl->bus, iova + 8, &second, 8) < 0)
		vssd_fatal(ctrl);
	vssd_cq_advance(cq);
}

/* Post a completion; there is room. Its words are those of struct nvme_cpl. */
static void complete(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint16_t cid, uint16_t status, uint64_t result)
{
	struct vssd_cq *cq = sq->cq;
	uint64_t field = cq->phase;

	if (__builtin_expect(status != 0, 0)) {
		cq->error = true;
		field |= vssd_status_field(status);
	}
	post(ctrl, cq, result, field << 48 | (uint64_t)cid << 32 | (uint32_t)sq->qid << 16 | sq->head);
}

static void interrupt(struct vssd_ctrl *ctrl, struct vssd_cq *cq)
{
	if (cq->posted)
		vssd_interrupt(ctrl, cq);
}

/* Post a completion of the admin queue, or keep it until there is room. What is kept is bounded: no command is
 * fetched meanwhile, so it is those that were outstanding, and one. */
static void complete_admin(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint64_t result)
{
	if (ctrl->num_late == 0 && cq_has_room(&ctrl->cq[0]))
		complete(ctrl, &ctrl->sq[0], cid, status, result);
	else
		ctrl->late[ctrl->num_late++] = (struct vssd_waiting){.cid = cid, .status = status, .result = result};
}

void vssd_complete_later(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint64_t result)
{
	if (status)
		ctrl->counters.errors++;
	complete_admin(ctrl, cid, status, result);
}

static void settle_late(struct vssd_ctrl *ctrl)
{
	unsigned done = 0;

	while (done < ctrl->num_late && cq_has_room(ctrl->sq[0].cq)) {
		complete(ctrl, &ctrl->sq[0], ctrl->late[done].cid, ctrl->late[done].status, ctrl->late[done].result);
		done++;
	}
	memmove(ctrl->late, ctrl->late + done, (ctrl->num_late - done) * sizeof(ctrl->late[0]));
	ctrl->num_late -= done;
}

/* The one that falls due after at others. */
static struct vssd_waiting *held_at(struct vssd_sq *sq, uint32_t at)
{
	return &sq->held[(sq->held_head + at) % VSSD_HELD_MAX];
}

/* Post completions that were held back, up to those that fall due at now. */
static void release_held(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint64_t now)
{
	while (sq->held_count > 0 && held_at(sq, 0)->due <= now && cq_has_room(sq->cq)) {
		complete(ctrl, sq, held_at(sq, 0)->cid, held_at(sq, 0)->status, held_at(sq, 0)->result);
		sq->held_head = (sq->held_head + 1) % VSSD_HELD_MAX;
		sq->held_count--;
	}
}

static void hold(const struct vssd_request *request, uint64_t due, uint16_t status)
{
	struct vssd_sq *sq = request->sq;

	*held_at(sq, sq->held_count++) = (struct vssd_waiting){
		.due = due, .result = request->result, .cid = request->cmd.cid, .status = status};
}

/* Commands in the queue that were not fetched are gone without a completion (the host knows that its queue is), those
 * that have been executed are completed first. */
void vssd_sq_delete(struct vssd_ctrl *ctrl, uint16_t qid)
{
	struct vssd_sq *sq = &ctrl->sq[qid];

	release_held(ctrl, sq, UINT64_MAX);
	interrupt(ctrl, sq->cq);
	sq->cq->users--;
	*sq = (struct vssd_sq){.qid = qid};
	vssd_doorbell_clear(ctrl, 2u * qid);
	update_active(ctrl);
}

/* ---- fetching ---- */

/* The entry at head, as a copy that is made once: the host may change its memory at any time, and what was checked
 * must be what is executed. */
static bool fetch(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, struct nvme_cmd *cmd)
{
	if (__builtin_expect(sq->entries != NULL, 1)) {
		memcpy(cmd, &sq->entries[sq->head], sizeof(*cmd));
		__asm__ volatile("" : "+m"(*cmd));
	} else if (vssd_bus_read(ctrl->bus, sq->iova + (uint64_t)sq->head * sizeof(*cmd), cmd, sizeof(*cmd)) < 0) {
		vssd_fatal(ctrl);
		return false;
	}
	return true;
}

static struct vssd_request new_request(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct nvme_cmd *cmd)
{
	return (struct vssd_request){.ctrl = ctrl, .sq = sq, .cmd = *cmd};
}

static void remember(const struct vssd_request *request, uint16_t status)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t command;

	memcpy(&command, cmd, sizeof(command));
	vssd_trace(request->ctrl, request->sq->qid, command, (uint64_t)cmd->cdw11 << 32 | cmd->cdw10, cmd->cdw12,
		   status);
}

/* SMART counts commands that complete, with whatever status: NVM Command Set Specification 1.1, section 1.4.2. */
static void count_io(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	ctrl->nv->totals.reads += cmd->opc == NVME_IO_READ || cmd->opc == NVME_IO_COMPARE;
	ctrl->nv->totals.writes += cmd->opc == NVME_IO_WRITE;
}

/* An IO command is done: complete it now, or when the medium is done with it. */
static void finish_io(const struct vssd_request *request, uint16_t status)
{
	count_io(request->ctrl, &request->cmd);
	remember(request, status);
	if (__builtin_expect(!status && request->due, 0)) {
		hold(request, request->due, NVME_SC_SUCCESS);
		return;
	}
	if (__builtin_expect(status != NVME_SC_SUCCESS, 0))
		vssd_command_failed(request, status);
	complete(request->ctrl, request->sq, request->cmd.cid, status, request->result);
}

static void run_io(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct nvme_cmd *cmd)
{
	struct vssd_request request = new_request(ctrl, sq, cmd);

	finish_io(&request, vssd_io_execute(&request));
}

static void run_admin(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct nvme_cmd *cmd)
{
	struct vssd_request request = new_request(ctrl, sq, cmd);
	uint16_t status;

	ctrl->counters.commands_admin++;
	status = vssd_admin_execute(&request);
	remember(&request, status);
	if (status == VSSD_LATER)
		return;
	if (status)
		vssd_command_failed(&request, status);
	/* Not complete(): an Abort has used the room that there was for the command that it aborted. */
	complete_admin(ctrl, cmd->cid, status, request.result);
}

/* ---- what was aborted before it was fetched ---- */

static bool forget_dead(struct vssd_sq *sq, uint32_t entry)
{
	for (uint16_t i = 0; i < sq->num_dead; i++)
		if (sq->dead[i] == entry) {
			sq->dead[i] = sq->dead[--sq->num_dead];
			return true;
		}
	return false;
}

static bool is_dead(const struct vssd_sq *sq, uint32_t entry)
{
	for (uint16_t i = 0; i < sq->num_dead; i++)
		if (sq->dead[i] == entry)
			return true;
	return false;
}

/* ---- fused operations ---- */

/* The second half is not there yet: the first, which is the entry at head, is taken again later. */
static bool wait_for_second(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t head)
{
	if (!sq->pair_due)
		sq->pair_due = ctrl->now + pyn_ns_to_ticks(PAIR_NS);
	if (ctrl->now >= sq->pair_due)
		return false;
	sq->head = head;
	return true;
}

/* Whether the entry behind a first half is its second: then it is taken. */
static bool fetch_second(struct vssd_ctrl *ctrl, struct vssd_sq *sq, struct nvme_cmd *second)
{
	if (sq->head == sq->tail || is_dead(sq, sq->head) || !fetch(ctrl, sq, second) || !vssd_io_is_second(second))
		return false;
	sq->head = vssd_next_entry(sq->head, sq->size);
	return true;
}

/* The second half's completion finds no room: it waits for some, and for the medium where it has to. */
static void hold_second(const struct vssd_request *second, uint16_t status)
{
	count_io(second->ctrl, &second->cmd);
	remember(second, status);
	if (status)
		vssd_command_failed(second, status);
	hold(second, !status && second->due ? second->due : pyn_ticks(), status);
}

static void run_pair(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct nvme_cmd cmds[2])
{
	struct vssd_request first = new_request(ctrl, sq, &cmds[0]), second = new_request(ctrl, sq, &cmds[1]);
	uint16_t status[2];

	vssd_io_execute_fused(&first, &second, status);
	finish_io(&first, status[0]);
	if (cq_has_room(sq->cq))
		finish_io(&second, status[1]);
	else
		hold_second(&second, status[1]);
}

/* first was taken from the entry at head. 0: nothing was done, else how many commands. */
static unsigned run_fused(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint32_t head, const struct nvme_cmd *first)
{
	struct nvme_cmd pair[2] = {*first};

	if (!vssd_io_is_first(first)) {
		run_io(ctrl, sq, first);
		return 1;
	}
	if (sq->head == sq->tail && wait_for_second(ctrl, sq, head))
		return 0;
	sq->pair_due = 0;
	if (!fetch_second(ctrl, sq, &pair[1])) {
		run_io(ctrl, sq, first);
		return 1;
	}
	run_pair(ctrl, sq, pair);
	return 2;
}

/* ---- taking commands ---- */

/* How many commands of a queue may be executed, one after the other: as many as the host has announced, and as long
 * as there is room to say that they are done, or that they wait for the medium. */
static unsigned may_take(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq, unsigned limit)
{
	uint32_t most;

	/* A command may end all this: a fatal error, or a queue that was deleted. */
	if (!ctrl->running || !sq->size || ctrl->data_moved >= POLL_BYTES)
		return 0;
	most = (sq->tail >= sq->head ? sq->tail : sq->tail + sq->size) - sq->head;
	if (most > limit)
		most = limit;
	if (most > cq_room(sq->cq))
		most = cq_room(sq->cq);
	return most < VSSD_HELD_MAX - sq->held_count ? most : VSSD_HELD_MAX - sq->held_count;
}

/* An IO command that is none of those below. False: it is one of them, or could not be fetched. */
static bool run_ordinary(struct vssd_ctrl *ctrl, struct vssd_sq *sq)
{
	struct nvme_cmd cmd;

	if (!fetch(ctrl, sq, &cmd) || cmd.flags & NVME_FUSE)
		return false;
	sq->head = vssd_next_entry(sq->head, sq->size);
	run_io(ctrl, sq, &cmd);
	return true;
}

/* What is not ordinary: an admin command, half of a fused operation, an entry that was aborted. 0: it is left in the
 * queue, or could not be fetched. */
static unsigned run_special(struct vssd_ctrl *ctrl, struct vssd_sq *sq)
{
	uint32_t head = sq->head;
	struct nvme_cmd cmd;

	if (!fetch(ctrl, sq, &cmd))
		return 0;
	sq->head = vssd_next_entry(head, sq->size);
	if (sq->num_dead && forget_dead(sq, head)) {
		sq->pair_due = 0;
		return 1;
	}
	if (sq->qid == 0)
		run_admin(ctrl, sq, &cmd);
	else if (cmd.flags & NVME_FUSE)
		return run_fused(ctrl, sq, head, &cmd);
	else
		run_io(ctrl, sq, &cmd);
	return 1;
}

/* Execute up to limit of what the host put into a queue. */
static unsigned run_sq(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned limit)
{
	unsigned count = 0, taken = 1, most;

	while (taken && count < limit && (most = may_take(ctrl, sq, limit - count)) > 0) {
		taken = 0;
		if (sq->qid != 0 && !sq->num_dead) {
			taken = vssd_direct_run(ctrl, sq, most);
			if (taken < most)
				taken += run_ordinary(ctrl, sq);
		}
		if (!taken && ctrl->running)
			taken = run_special(ctrl, sq);
		count += taken;
	}
	return count;
}

/* ---- polling, and arbitration ---- */

/* What the host stored since the last time, and what has fallen due. */
static void look(struct vssd_ctrl *ctrl, uint16_t qid)
{
	struct vssd_sq *sq = &ctrl->sq[qid];
	/* The entries that a doorbell announces are read after it. */
	uint64_t doorbells = __atomic_load_n((volatile uint64_t *)ctrl->doorbells + qid, __ATOMIC_ACQUIRE);

	if (doorbells != ctrl->seen[qid])
		vssd_doorbells_changed(ctrl, qid, doorbells);
	/* After the doorbell that makes room, and before a command is taken: none is while completions wait. */
	if (__builtin_expect(qid == 0 && ctrl->num_late > 0, 0))
		settle_late(ctrl);
	if (__builtin_expect(sq->held_count > 0, 0))
		release_held(ctrl, sq, ctrl->now);
}

void vssd_queues_look(struct vssd_ctrl *ctrl)
{
	if (!ctrl->running)
		return;
	vssd_queues_resolve(ctrl);
	look(ctrl, 0);
	for (uint16_t i = 0; i < ctrl->num_active; i++)
		look(ctrl, ctrl->active[i]);
}

static bool peek(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint32_t entry, struct nvme_cmd *cmd)
{
	return vssd_bus_read(ctrl->bus, sq->iova + (uint64_t)entry * sizeof(*cmd), cmd, sizeof(*cmd)) == 0;
}

/* A command that was executed and waits for the medium; what failed is left to say so. There is room. */
static bool abort_held(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint16_t cid)
{
	uint16_t at = 0;

	while (at < sq->held_count && held_at(sq, at)->cid != cid)
		at++;
	if (at == sq->held_count || held_at(sq, at)->status != NVME_SC_SUCCESS)
		return false;
	sq->held_count--;
	for (; at < sq->held_count; at++)
		*held_at(sq, at) = *held_at(sq, at + 1);
	ctrl->counters.errors++;
	complete(ctrl, sq, cid, NVME_SC_ABORT_REQUESTED, 0);
	return true;
}

bool vssd_sq_abort(struct vssd_ctrl *ctrl, uint16_t qid, uint16_t cid)
{
	struct vssd_sq *sq = qid < VSSD_NUM_QUEUES ? &ctrl->sq[qid] : NULL;
	struct vssd_request request;
	struct nvme_cmd cmd;

	if (!sq || !sq->size)
		return false;
	look(ctrl, qid);
	if (!cq_has_room(sq->cq) || (qid == 0 && ctrl->num_late))
		return false;
	if (abort_held(ctrl, sq, cid))
		return true;
	if (sq->num_dead == VSSD_DEAD_MAX)
		return false;
	for (uint32_t entry = sq->head; entry != sq->tail; entry = vssd_next_entry(entry, sq->size)) {
		if (is_dead(sq, entry) || !peek(ctrl, sq, entry, &cmd) || cmd.cid != cid)
			continue;
		sq->dead[sq->num_dead++] = entry;
		if (qid != 0)
			count_io(ctrl, &cmd);
		request = new_request(ctrl, sq, &cmd);
		vssd_command_failed(&request, NVME_SC_ABORT_REQUESTED);
		complete(ctrl, sq, cid, NVME_SC_ABORT_REQUESTED, 0);
		return true;
	}
	return false;
}

static unsigned serve(struct vssd_ctrl *ctrl, uint16_t qid, unsigned limit)
{
	struct vssd_sq *sq = &ctrl->sq[qid];
	unsigned count = 0;

	if (sq->head != sq->tail)
		count = run_sq(ctrl, sq, limit);
	if (sq->size)
		interrupt(ctrl, sq->cq);
	return count;
}

static unsigned poll_pair(struct vssd_ctrl *ctrl, uint16_t qid, unsigned limit)
{
	look(ctrl, qid);
	return serve(ctrl, qid, limit);
}

static unsigned burst(const struct vssd_ctrl *ctrl)
{
	unsigned commands = 1u << (ctrl->feature[NVME_FEAT_ARBITRATION] & AB);

	return commands < BATCH ? commands : BATCH;
}

static bool may_go_on(const struct vssd_ctrl *ctrl, unsigned count)
{
	return ctrl->running && count < POLL_COMMANDS && ctrl->data_moved < POLL_BYTES;
}

static unsigned poll_in_turn(struct vssd_ctrl *ctrl, unsigned count)
{
	unsigned looked = 0, limit = burst(ctrl);

	while (looked++ < ctrl->num_active && may_go_on(ctrl, count)) {
		uint16_t qid = ctrl->active[ctrl->turn];

		ctrl->turn = ctrl->turn + 1 >= ctrl->num_active ? 0 : ctrl->turn + 1;
		count += poll_pair(ctrl, qid, limit);
	}
	return count;
}

/* A burst of the next queue of a class that has commands; 0: none has. */
static unsigned serve_class(struct vssd_ctrl *ctrl, enum vssd_priority priority, unsigned limit)
{
	uint16_t *turn = &ctrl->turns[priority];
	unsigned count = 0;

	for (uint16_t looked = 0; looked < ctrl->num_active && !count; looked++) {
		uint16_t qid = ctrl->active[*turn];

		*turn = *turn + 1 >= ctrl->num_active ? 0 : *turn + 1;
		if (ctrl->sq[qid].priority == priority)
			count = serve(ctrl, qid, limit);
	}
	return count;
}

/* Feature 01h: HPW, MPW and LPW are its bytes 3, 2 and 1, and 0's based. */
static void new_round(struct vssd_ctrl *ctrl)
{
	for (unsigned i = VSSD_HIGH; i <= VSSD_LOW; i++)
		ctrl->credit[i] = (ctrl->feature[NVME_FEAT_ARBITRATION] >> 8 * (4 - i) & 0xff) + 1;
}

static unsigned serve_weighted(struct vssd_ctrl *ctrl)
{
	unsigned limit = burst(ctrl), count;

	for (enum vssd_priority i = VSSD_HIGH; i <= VSSD_LOW; i++) {
		if (!ctrl->credit[i])
			continue;
		count = serve_class(ctrl, i, limit < ctrl->credit[i] ? limit : ctrl->credit[i]);
		ctrl->credit[i] -= count < ctrl->credit[i] ? count : ctrl->credit[i];
		if (count)
			return count;
	}
	return 0;
}

/* The admin queue before the urgent ones, those before all others; of these, so many commands a round of each. */
static unsigned poll_by_weight(struct vssd_ctrl *ctrl, unsigned count)
{
	unsigned taken = 1;

	while (taken && may_go_on(ctrl, count)) {
		for (uint16_t i = 0; i < ctrl->num_active; i++)
			look(ctrl, ctrl->active[i]);
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
	interrupt(ctrl, &ctrl->cq[0]);
	if (__builtin_expect(ctrl->num_coalesced > 0, 0))
		vssd_interrupts_poll(ctrl);
}

unsigned vssd_queues_poll(struct vssd_ctrl *ctrl)
{
	unsigned count;

	if (ctrl->now >= ctrl->next_scan) {
		vssd_doorbells_scan(ctrl);
		ctrl->next_scan = ctrl->now + pyn_ns_to_ticks(1000000);
	}
	ctrl->data_moved = 0;
	count = poll_pair(ctrl, 0, BATCH);
	return __builtin_expect(ctrl->weighted, 0) ? poll_by_weight(ctrl, count) : poll_in_turn(ctrl, count);
}
