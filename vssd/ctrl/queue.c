/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues: doorbells are polled, commands fetched in batches, completions posted with one interrupt a batch.
 * NVM Express Base Specification 2.0, section 3.3; PCIe Transport Specification 1.0, section 3.1.2.
 */
#include "vssd/ctrl/device.h"

#include <stdatomic.h>
#include <string.h>

#include "core/util/clock.h"

#define BATCH 32u
#define POLL_COMMANDS 256u /* commands, and bytes, after which a poll ends */
#define POLL_BYTES (UINT64_C(4) << 20)
#define DOORBELL_WORDS (VSSD_DOORBELL_SIZE / sizeof(uint32_t))

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

/* The host's memory map has changed: pointers into it are void. */
static void resolve_all(struct vssd_ctrl *ctrl)
{
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
	for (uint16_t qid = 1; qid < VSSD_NUM_QUEUES; qid++)
		if (ctrl->sq[qid].size || ctrl->cq[qid].size)
			ctrl->active[ctrl->num_active++] = qid;
}

static void doorbell_clear(struct vssd_ctrl *ctrl, uint32_t index)
{
	uint64_t half = index % 2 ? UINT64_C(0xffffffff00000000) : UINT64_C(0xffffffff);

	ctrl->doorbells[index] = 0;
	if (index / 2 < VSSD_NUM_QUEUES)
		ctrl->seen[index / 2] &= ~half;
}

void vssd_cq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t vector,
		    bool interrupts)
{
	struct vssd_cq *cq = &ctrl->cq[qid];

	*cq = (struct vssd_cq){
		.iova = iova, .size = size, .phase = 1, .qid = qid, .vector = vector, .interrupts = interrupts};
	doorbell_clear(ctrl, 2u * qid + 1);
	resolve_cq(ctrl, cq);
	update_active(ctrl);
}

void vssd_sq_create(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t iova, uint32_t size, uint16_t cqid)
{
	struct vssd_sq *sq = &ctrl->sq[qid];

	*sq = (struct vssd_sq){.iova = iova, .size = size, .qid = qid, .cq = &ctrl->cq[cqid]};
	sq->cq->users++;
	doorbell_clear(ctrl, 2u * qid);
	resolve_sq(ctrl, sq);
	update_active(ctrl);
}

void vssd_cq_delete(struct vssd_ctrl *ctrl, uint16_t qid)
{
	ctrl->cq[qid].size = 0;
	doorbell_clear(ctrl, 2u * qid + 1);
	update_active(ctrl);
}

void vssd_queues_clear(struct vssd_ctrl *ctrl)
{
	memset(ctrl->sq, 0, sizeof(ctrl->sq));
	memset(ctrl->cq, 0, sizeof(ctrl->cq));
	memset(ctrl->seen, 0, sizeof(ctrl->seen));
	for (uint32_t i = 0; i < DOORBELL_WORDS; i++)
		ctrl->doorbells[i] = 0;
	ctrl->num_late = 0;
	update_active(ctrl);
}

/* ---- completing ---- */

static bool cq_has_room(const struct vssd_cq *cq)
{
	uint32_t next = cq->tail + 1 == cq->size ? 0 : cq->tail + 1;

	return next != cq->head;
}

static uint32_t cq_outstanding(const struct vssd_cq *cq)
{
	return cq->tail >= cq->head ? cq->tail - cq->head : cq->size - cq->head + cq->tail;
}

/* Statuses after which the same command, sent again, may succeed. */
static bool may_retry(uint16_t status)
{
	switch (status) {
	case NVME_SC_ABORT_REQUESTED:
	case NVME_SC_ABORTED_SQ_DELETION:
	case NVME_SC_DATA_TRANSFER_ERROR:
	case NVME_SC_INTERNAL_ERROR:
	case NVME_SC_COMMAND_SEQUENCE_ERROR:
	case NVME_SC_FORMAT_IN_PROGRESS:
	case NVME_SC_NAMESPACE_NOT_READY:
	case NVME_SC_AER_LIMIT_EXCEEDED:
	case NVME_SC_INVALID_QUEUE_DELETION:
	case NVME_SC_WRITE_FAULT:
		return true;
	default:
		return false;
	}
}

/* The entry's last eight bytes hold the phase tag: one store of them, after everything else, shows the whole of it.
 */
static void cq_store(struct vssd_ctrl *ctrl, struct vssd_cq *cq, const struct nvme_cpl *cpl)
{
	uint64_t words[2];

	memcpy(words, cpl, sizeof(words));
	if (__builtin_expect(cq->entries != NULL, 1)) {
		uint64_t *entry = (uint64_t *)&cq->entries[cq->tail];

		__atomic_store_n(&entry[0], words[0], __ATOMIC_RELAXED);
		__atomic_store_n(&entry[1], words[1], __ATOMIC_RELEASE);
	} else {
		uint64_t iova = cq->iova + (uint64_t)cq->tail * sizeof(*cpl);

		if (vssd_bus_write(ctrl->bus, iova, &words[0], 8) < 0 ||
		    vssd_bus_write(ctrl->bus, iova + 8, &words[1], 8) < 0)
			vssd_fatal(ctrl);
	}
	if (++cq->tail == cq->size) {
		cq->tail = 0;
		cq->phase ^= 1;
	}
	cq->posted = true;
}

/* Post a completion; there is room. */
static void complete(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint16_t cid, uint16_t status, uint32_t cdw0)
{
	struct nvme_cpl cpl = {.cdw0 = cdw0, .sqhd = (uint16_t)sq->head, .sqid = sq->qid, .cid = cid};

	cpl.status = (uint16_t)(status << 1 | sq->cq->phase);
	if (__builtin_expect(status != 0, 0) && !may_retry(status))
		cpl.status |= NVME_STATUS_DNR;
	cq_store(ctrl, sq->cq, &cpl);
}

static void interrupt(struct vssd_ctrl *ctrl, struct vssd_cq *cq)
{
	if (!cq->posted)
		return;
	cq->posted = false;
	if (cq->interrupts)
		ctrl->bus->ops->interrupt(ctrl->bus, cq->vector);
}

/* Post a completion of the admin queue, or keep it until there is room. What is kept is bounded: no command is
 * fetched meanwhile, so it is those that were outstanding, and one. */
static void complete_admin(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint32_t cdw0)
{
	if (ctrl->num_late == 0 && cq_has_room(&ctrl->cq[0]))
		complete(ctrl, &ctrl->sq[0], cid, status, cdw0);
	else
		ctrl->late[ctrl->num_late++] = (struct vssd_late){cid, status, cdw0};
}

void vssd_complete_later(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint32_t cdw0)
{
	if (status)
		ctrl->counters.errors++;
	complete_admin(ctrl, cid, status, cdw0);
}

static void settle_late(struct vssd_ctrl *ctrl)
{
	unsigned done = 0;

	while (done < ctrl->num_late && cq_has_room(ctrl->sq[0].cq)) {
		complete(ctrl, &ctrl->sq[0], ctrl->late[done].cid, ctrl->late[done].status, ctrl->late[done].cdw0);
		done++;
	}
	memmove(ctrl->late, ctrl->late + done, (ctrl->num_late - done) * sizeof(ctrl->late[0]));
	ctrl->num_late -= done;
}

/* Post completions that were held back, up to those that fall due at now. */
static void release_held(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint64_t now)
{
	while (sq->held_count > 0 && sq->held[sq->held_head].due <= now && cq_has_room(sq->cq)) {
		complete(ctrl, sq, sq->held[sq->held_head].cid, NVME_SC_SUCCESS, 0);
		sq->held_head = (sq->held_head + 1) % VSSD_HELD_MAX;
		sq->held_count--;
	}
}

static void hold(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint16_t cid)
{
	sq->held[(sq->held_head + sq->held_count++) % VSSD_HELD_MAX] =
		(struct vssd_held){pyn_ticks() + ctrl->medium_ticks, cid};
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
	doorbell_clear(ctrl, 2u * qid);
	update_active(ctrl);
}

/* ---- fetching ---- */

/* A copy, made once: the host may change its memory at any time, and what was checked must be what is executed. */
static bool fetch(struct vssd_ctrl *ctrl, struct vssd_sq *sq, struct nvme_cmd *cmd)
{
	if (__builtin_expect(sq->entries != NULL, 1)) {
		memcpy(cmd, &sq->entries[sq->head], sizeof(*cmd));
		__asm__ volatile("" : "+m"(*cmd));
	} else if (vssd_bus_read(ctrl->bus, sq->iova + (uint64_t)sq->head * sizeof(*cmd), cmd, sizeof(*cmd)) < 0) {
		vssd_fatal(ctrl);
		return false;
	}
	sq->head = sq->head + 1 == sq->size ? 0 : sq->head + 1;
	return true;
}

static void failed(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, const struct nvme_cmd *cmd, uint16_t status)
{
	uint64_t lba = sq->qid ? (uint64_t)cmd->cdw11 << 32 | cmd->cdw10 : 0;

	ctrl->counters.errors++;
	vssd_error_log(ctrl, sq->qid, cmd->cid, (uint16_t)(status << 1 | sq->cq->phase), cmd->nsid, lba);
}

static void run_io(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct nvme_cmd *cmd)
{
	bool held = false;
	uint16_t status = vssd_io_execute(ctrl, cmd, &held);

	if (__builtin_expect(status != 0, 0))
		failed(ctrl, sq, cmd, status);
	else if (__builtin_expect(held, 0)) {
		hold(ctrl, sq, cmd->cid);
		return;
	}
	complete(ctrl, sq, cmd->cid, status, 0);
}

static void run_admin(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct nvme_cmd *cmd)
{
	uint32_t cdw0 = 0;
	uint16_t status;

	ctrl->counters.commands_admin++;
	status = vssd_admin_execute(ctrl, cmd, &cdw0);
	if (status == VSSD_LATER)
		return;
	if (status)
		failed(ctrl, sq, cmd, status);
	/* Not complete(): an Abort has used the room that there was for the command that it aborted. */
	complete_admin(ctrl, cmd->cid, status, cdw0);
}

/* Execute up to a batch of what the host put into a queue; as long as there is room to say so. */
static unsigned run_sq(struct vssd_ctrl *ctrl, struct vssd_sq *sq)
{
	struct nvme_cmd cmd;
	unsigned count = 0;

	while (sq->head != sq->tail && count < BATCH && cq_has_room(sq->cq) && sq->held_count < VSSD_HELD_MAX &&
	       ctrl->data_moved < POLL_BYTES) {
		if (!fetch(ctrl, sq, &cmd))
			break;
		count++;
		if (sq->head != sq->tail && sq->entries && !ctrl->null_store)
			vssd_io_prefetch(ctrl, &sq->entries[sq->head]);
		if (sq->qid == 0)
			run_admin(ctrl, sq, &cmd);
		else
			run_io(ctrl, sq, &cmd);
		/* A command may end all this: a fatal error, or a queue that was deleted. */
		if (__builtin_expect(!ctrl->running || !sq->size, 0))
			break;
	}
	return count;
}

/* ---- doorbells ---- */

static void sq_doorbell(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t tail)
{
	struct vssd_sq *sq = &ctrl->sq[qid];

	if (!sq->size) {
		doorbell_clear(ctrl, 2u * qid);
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
	} else if (tail >= sq->size) {
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_VALUE);
	} else {
		sq->tail = tail;
	}
}

static void cq_doorbell(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t head)
{
	struct vssd_cq *cq = &ctrl->cq[qid];
	uint32_t consumed;

	if (!cq->size) {
		doorbell_clear(ctrl, 2u * qid + 1);
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
		return;
	}
	consumed = head >= cq->head ? head - cq->head : cq->size - cq->head + head;
	if (head >= cq->size || consumed > cq_outstanding(cq))
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_VALUE);
	else
		cq->head = head;
}

static void doorbells_changed(struct vssd_ctrl *ctrl, uint16_t qid, uint64_t now)
{
	uint64_t changed = now ^ ctrl->seen[qid];

	ctrl->seen[qid] = now;
	if (changed >> 32)
		cq_doorbell(ctrl, qid, (uint32_t)(now >> 32));
	if ((uint32_t)changed)
		sq_doorbell(ctrl, qid, (uint32_t)now);
}

void vssd_doorbell_write(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value)
{
	uint16_t qid = (uint16_t)(index / 2);
	uint32_t size = 0;

	if (qid < VSSD_NUM_QUEUES)
		size = index % 2 ? ctrl->cq[qid].size : ctrl->sq[qid].size;
	if (size)
		ctrl->doorbells[index] = value;
	else if (ctrl->running)
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
}

/* Doorbells that belong to no queue are shared memory as well: whoever stores into one is told, some time later. */
static void scan_strangers(struct vssd_ctrl *ctrl)
{
	for (uint32_t i = 0; i < DOORBELL_WORDS; i++) {
		uint32_t qid = i / 2;

		if (ctrl->doorbells[i] == 0)
			continue;
		if (qid < VSSD_NUM_QUEUES && (ctrl->sq[qid].size || ctrl->cq[qid].size))
			continue;
		doorbell_clear(ctrl, i);
		vssd_event_raise(ctrl, VSSD_EVENT_DOORBELL_REGISTER);
	}
}

static unsigned poll_pair(struct vssd_ctrl *ctrl, uint16_t qid)
{
	struct vssd_sq *sq = &ctrl->sq[qid];
	/* The entries that a doorbell announces are read after it. */
	uint64_t doorbells = __atomic_load_n((volatile uint64_t *)ctrl->doorbells + qid, __ATOMIC_ACQUIRE);
	unsigned count = 0;

	if (doorbells != ctrl->seen[qid])
		doorbells_changed(ctrl, qid, doorbells);
	/* After the doorbell that makes room, and before a command is taken: none is while completions wait. */
	if (__builtin_expect(qid == 0 && ctrl->num_late > 0, 0))
		settle_late(ctrl);
	if (__builtin_expect(sq->held_count > 0, 0))
		release_held(ctrl, sq, ctrl->now);
	if (sq->head != sq->tail)
		count = run_sq(ctrl, sq);
	if (sq->size)
		interrupt(ctrl, sq->cq);
	return count;
}

void vssd_queues_settle(struct vssd_ctrl *ctrl)
{
	interrupt(ctrl, &ctrl->cq[0]);
}

unsigned vssd_queues_poll(struct vssd_ctrl *ctrl)
{
	unsigned count, looked = 0;

	if (ctrl->generation != ctrl->bus->dma.generation)
		resolve_all(ctrl);
	if (ctrl->now >= ctrl->next_scan) {
		scan_strangers(ctrl);
		ctrl->next_scan = ctrl->now + pyn_ns_to_ticks(1000000);
	}
	ctrl->data_moved = 0;
	count = poll_pair(ctrl, 0);
	while (looked++ < ctrl->num_active && ctrl->running && count < POLL_COMMANDS &&
	       ctrl->data_moved < POLL_BYTES) {
		uint16_t qid = ctrl->active[ctrl->turn];

		ctrl->turn = ctrl->turn + 1 >= ctrl->num_active ? 0 : ctrl->turn + 1;
		count += poll_pair(ctrl, qid);
	}
	return count;
}
