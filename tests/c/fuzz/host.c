/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/c/fuzz/host.h"

#include <string.h>

#include "spec/nvme_log.h"
#include "spec/nvme_regs.h"
#include "tests/c/fuzz/judge.h"
#include "tests/c/fuzz/prp.h"
#include "tests/c/fuzz/report.h"

#define QUEUES_IOVA UINT64_C(0x100000)
#define QUEUES_END (UINT64_C(0x200000) + FUZZ_REMOTE_QUEUES)

/* ---- life ---- */

static bool format_in_flight(const struct fuzz_host *host)
{
	return fuzz_host_in_flight(host, 0, NVME_ADMIN_FORMAT_NVM) > 0;
}

void fuzz_host_reset(struct fuzz_host *host)
{
	/* A format that has begun is finished by a reset; one that was not fetched is not. */
	if (format_in_flight(host) || host->erratic)
		fuzz_model_forget(&host->model);
	else
		fuzz_model_abandon(&host->model);
	memset(host->sq, 0, sizeof(host->sq));
	memset(host->cq, 0, sizeof(host->cq));
	memset(host->slots, 0, sizeof(host->slots));
	host->next_queue = QUEUES_IOVA + fuzz_below(host->random, 128) * FUZZ_PAGE;
	host->dulbe = false;
	host->erratic = false;
	host->wants_second = false;
	fuzz_memory_adopt(host->memory);
	fuzz_host_learn_format(host);
}

uint64_t fuzz_host_queue_memory(struct fuzz_host *host, uint32_t bytes)
{
	static const uint8_t zeros[FUZZ_PAGE];
	uint64_t iova = (host->next_queue + host->page_size - 1) / host->page_size * host->page_size;

	if (iova + bytes > QUEUES_END)
		return 0;
	host->next_queue = iova + bytes;
	for (uint64_t at = iova; at < iova + bytes; at += FUZZ_PAGE) {
		uint64_t rest = iova + bytes - at;

		fuzz_memory_put(host->memory, at, zeros, rest < FUZZ_PAGE ? rest : FUZZ_PAGE);
	}
	return iova;
}

void fuzz_host_enabled(struct fuzz_host *host, uint64_t asq, uint32_t sq_size, uint64_t acq, uint32_t cq_size,
		       uint32_t page_size)
{
	host->page_size = page_size;
	host->sq[0] = (struct fuzz_sq){.exists = true, .iova = asq, .size = sq_size};
	host->cq[0] = (struct fuzz_cq){.exists = true, .iova = acq, .size = cq_size, .phase = 1};
}

void fuzz_host_learn_format(struct fuzz_host *host)
{
	uint32_t lba_size;
	uint64_t nsze;

	if (vssd_subsystem_geometry(host->subsystem, 1, &lba_size, &nsze) != 0)
		fuzz_fail("namespace 1 is gone");
	host->lba_shift = lba_size == 512 ? 9 : 12;
	if (nsze << host->lba_shift != (uint64_t)host->model.count * FUZZ_SECTOR)
		fuzz_fail("namespace 1 has another size: %llu LBAs of %u bytes", (unsigned long long)nsze, lba_size);
}

uint32_t fuzz_host_in_flight(const struct fuzz_host *host, int sqid, int opcode)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < FUZZ_SLOTS; i++) {
		const struct fuzz_slot *slot = &host->slots[i];

		count += slot->used && (sqid < 0 || slot->sqid == sqid) && (opcode < 0 || slot->cmd.opc == opcode);
	}
	return count;
}

/* ---- submitting ---- */

static struct fuzz_slot *free_slot(struct fuzz_host *host)
{
	for (uint32_t i = 0; i < FUZZ_SLOTS; i++)
		if (!host->slots[i].used)
			return &host->slots[i];
	return NULL;
}

static struct fuzz_slot *find_slot(struct fuzz_host *host, uint16_t sqid, uint16_t cid)
{
	for (uint32_t i = 0; i < FUZZ_SLOTS; i++) {
		struct fuzz_slot *slot = &host->slots[i];

		if (slot->used && slot->sqid == sqid && slot->cmd.cid == cid)
			return slot;
	}
	return NULL;
}

bool fuzz_host_can_submit(struct fuzz_host *host, uint16_t sqid)
{
	const struct fuzz_sq *sq = &host->sq[sqid];

	return sq->exists && !sq->pending && (sq->tail + 1) % sq->size != sq->head && free_slot(host);
}

static bool is_queue_command(const struct nvme_cmd *cmd)
{
	return cmd->opc == NVME_ADMIN_CREATE_CQ || cmd->opc == NVME_ADMIN_CREATE_SQ ||
	       cmd->opc == NVME_ADMIN_DELETE_CQ || cmd->opc == NVME_ADMIN_DELETE_SQ;
}

/* What must not happen, so that the host still knows what it has: two commands about one queue at a time, a queue in
 * memory of something else, or a format while IO is under way. Such a command becomes a harmless one. */
static void keep_in_hand(struct fuzz_host *host, struct fuzz_slot *slot)
{
	struct nvme_cmd *cmd = &slot->cmd;
	uint16_t qid = (uint16_t)cmd->cdw10;
	bool harmless = false;

	if (slot->sqid != 0)
		return;
	if (cmd->opc == NVME_ADMIN_FORMAT_NVM) {
		/* This one is counted. */
		harmless = fuzz_host_in_flight(host, -1, -1) != fuzz_host_in_flight(host, 0, -1) ||
			   fuzz_host_in_flight(host, 0, NVME_ADMIN_FORMAT_NVM) > 1;
	} else if (is_queue_command(cmd) && qid < FUZZ_QUEUES_MAX) {
		harmless = host->sq[qid].pending || host->cq[qid].pending;
	}
	if (!harmless && (cmd->opc == NVME_ADMIN_CREATE_CQ || cmd->opc == NVME_ADMIN_CREATE_SQ)) {
		uint32_t entry = cmd->opc == NVME_ADMIN_CREATE_CQ ? sizeof(struct nvme_cpl) : sizeof(struct nvme_cmd);

		slot->queue_size = (cmd->cdw10 >> 16) + 1;
		slot->queue_iova = fuzz_host_queue_memory(host, slot->queue_size * entry);
		harmless = !slot->queue_iova;
		if (!slot->must_succeed && fuzz_one_in(host->random, 16))
			slot->queue_iova += 4u << fuzz_below(host->random, 10);
		cmd->prp1 = slot->queue_iova;
	}
	if (harmless) {
		*cmd = (struct nvme_cmd){.opc = NVME_ADMIN_GET_FEATURES, .cid = cmd->cid, .cdw10 = NVME_FEAT_POWER};
		slot->must_succeed = false;
	}
}

static void remember_queue(struct fuzz_host *host, const struct fuzz_slot *slot)
{
	uint16_t qid = (uint16_t)slot->cmd.cdw10;

	if (slot->sqid != 0 || !is_queue_command(&slot->cmd) || qid == 0 || qid >= FUZZ_QUEUES_MAX)
		return;
	if (slot->cmd.opc == NVME_ADMIN_CREATE_CQ || slot->cmd.opc == NVME_ADMIN_DELETE_CQ)
		host->cq[qid].pending = true;
	else
		host->sq[qid].pending = true;
}

static void remember_state(struct fuzz_host *host, const struct fuzz_slot *slot)
{
	const struct nvme_cmd *cmd = &slot->cmd;

	if (slot->sqid != 0)
		return;
	if (cmd->opc == NVME_ADMIN_FORMAT_NVM && (cmd->nsid == 1 || cmd->nsid == UINT32_MAX))
		host->lba_shift = 0;
	if (cmd->opc == NVME_ADMIN_SET_FEATURES && (uint8_t)cmd->cdw10 == NVME_FEAT_ERROR_RECOVERY)
		host->dulbe = true;
	if (cmd->opc == NVME_ADMIN_SANITIZE)
		host->erratic = host->sanitized = true;
}

static uint16_t new_cid(struct fuzz_host *host, uint16_t sqid)
{
	struct fuzz_sq *sq = &host->sq[sqid];

	if (fuzz_one_in(host->random, 32))
		sq->next_cid = (uint16_t)fuzz_edge(host->random);
	while (find_slot(host, sqid, sq->next_cid))
		sq->next_cid++;
	return sq->next_cid++;
}

static void put_into_queue(struct fuzz_host *host, struct fuzz_sq *sq, const struct nvme_cmd *cmd)
{
	fuzz_memory_put(host->memory, sq->iova + sq->tail * sizeof(*cmd), cmd, sizeof(*cmd));
	sq->last = *cmd;
	sq->tail = (sq->tail + 1) % sq->size;
}

static void mutilate(struct fuzz_host *host, struct nvme_cmd *cmd)
{
	struct fuzz_random *random = host->random;
	uint32_t *words[] = {&cmd->nsid,  &cmd->cdw2,  &cmd->cdw3,  &cmd->cdw10, &cmd->cdw10, &cmd->cdw11,
			     &cmd->cdw11, &cmd->cdw12, &cmd->cdw12, &cmd->cdw13, &cmd->cdw14, &cmd->cdw15};

	switch (fuzz_below(random, 8)) {
	case 0:
		cmd->prp1 = fuzz_host_address(host);
		return;
	case 1:
		cmd->prp2 = fuzz_host_address(host);
		return;
	case 2:
		cmd->flags = (uint8_t)fuzz_next(random);
		return;
	case 3:
		cmd->opc = (uint8_t)fuzz_next(random);
		return;
	case 4:
	case 5:
		*FUZZ_PICK(random, words) ^= UINT32_C(1) << fuzz_below(random, 32);
		return;
	case 6:
		*FUZZ_PICK(random, words) = (uint32_t)fuzz_edge(random);
		return;
	default:
		cmd->mptr = fuzz_edge(random);
		return;
	}
}

static bool names(const struct fuzz_slot *abort, const struct fuzz_slot *slot)
{
	return abort->sqid == 0 && abort->cmd.opc == NVME_ADMIN_ABORT && (uint16_t)abort->cmd.cdw10 == slot->sqid &&
	       abort->cmd.cdw10 >> 16 == slot->cmd.cid;
}

/* An Abort finds what is there when it is executed: also what was submitted after it. */
static void remember_aborts(struct fuzz_host *host, struct fuzz_slot *slot)
{
	for (uint32_t i = 0; i < FUZZ_SLOTS; i++) {
		struct fuzz_slot *other = &host->slots[i];

		other->aborted = other->aborted || (other->used && names(slot, other));
		slot->aborted = slot->aborted || (other->used && names(other, slot));
	}
}

/* A first half that is over already was alone; its CID may be in use again, by this very command. */
static void remember_pair(struct fuzz_host *host, struct fuzz_slot *slot)
{
	const struct nvme_cmd *last = &host->sq[slot->sqid].last;

	slot->paired = slot->sqid != 0 && fuzz_judge_is_second(&slot->cmd) && fuzz_judge_is_first(last) &&
		       last->cid != slot->cmd.cid && find_slot(host, slot->sqid, last->cid);
	slot->first_cid = last->cid;
}

void fuzz_host_submit(struct fuzz_host *host, uint16_t sqid, struct fuzz_command *command)
{
	struct fuzz_slot *slot = free_slot(host);

	*slot = (struct fuzz_slot){.used = true, .sqid = sqid, .cmd = command->cmd, .length = command->length};
	slot->cmd.cid = new_cid(host, sqid);
	slot->must_succeed = command->must_succeed && !command->mutilate;
	slot->submitted_at = ++host->model.time;
	slot->failures = host->memory->failures;
	fuzz_prp_attach(host, slot, command);
	if (command->mutilate) {
		slot->own_pages = false;
		for (uint32_t i = fuzz_between(host->random, 1, 3); i > 0; i--)
			mutilate(host, &slot->cmd);
	}
	/* Of other namespaces, and during a format, the LBA size is not known, so that nobody knows what is
	 * transferred. */
	if (sqid != 0 && slot->length > 0 && (slot->cmd.nsid != 1 || host->lba_shift == 0)) {
		slot->own_pages = false;
		slot->must_succeed = false;
	}
	if (sqid != 0 && !slot->own_pages)
		fuzz_prp_hide_list(host, slot);
	keep_in_hand(host, slot);
	fuzz_judge_prepare(host, slot, command);
	fuzz_prp_name(host, slot);
	remember_queue(host, slot);
	remember_state(host, slot);
	remember_aborts(host, slot);
	remember_pair(host, slot);
	put_into_queue(host, &host->sq[sqid], &slot->cmd);
	host->submitted++;
}

static void doorbell(struct fuzz_host *host, uint32_t index, uint32_t value)
{
	if (fuzz_one_in(host->random, 2))
		host->doorbells[index] = value;
	else
		vssd_ctrl_bar_write(host->ctrl, NVME_REG_DOORBELLS + 4 * index, &value, sizeof(value));
}

void fuzz_host_ring(struct fuzz_host *host, uint16_t sqid)
{
	if (host->sq[sqid].exists && !host->sq[sqid].pending)
		doorbell(host, 2u * sqid, host->sq[sqid].tail);
}

void fuzz_host_ring_cq(struct fuzz_host *host, uint16_t cqid)
{
	if (host->cq[cqid].exists && !host->cq[cqid].pending)
		doorbell(host, 2u * cqid + 1, host->cq[cqid].head);
}

/* ---- completions ---- */

static uint32_t distance(uint32_t from, uint32_t to, uint32_t size)
{
	return to >= from ? to - from : size - from + to;
}

static void release(struct fuzz_host *host, struct fuzz_slot *slot)
{
	fuzz_prp_release(host, slot);
	slot->used = false;
}

/* What was posted before an SQ was deleted has been taken; the rest of its commands never completes. */
static void drop_commands(struct fuzz_host *host, uint16_t sqid)
{
	for (uint32_t i = 0; i < FUZZ_SLOTS; i++) {
		struct fuzz_slot *slot = &host->slots[i];

		if (!slot->used || slot->sqid != sqid)
			continue;
		fuzz_judge_dropped(host, slot);
		release(host, slot);
	}
}

static void sq_deleted(struct fuzz_host *host, uint16_t qid)
{
	if (!host->sq[qid].exists)
		fuzz_fail("SQ %u was deleted, which there was not", qid);
	fuzz_host_reap(host, host->sq[qid].cqid, UINT32_MAX, true);
	drop_commands(host, qid);
	host->sq[qid] = (struct fuzz_sq){.exists = false};
}

static void cq_deleted(struct fuzz_host *host, uint16_t qid)
{
	if (!host->cq[qid].exists)
		fuzz_fail("CQ %u was deleted, which there was not", qid);
	for (uint16_t i = 1; i < FUZZ_QUEUES_MAX; i++)
		if (host->sq[i].exists && host->sq[i].cqid == qid)
			fuzz_fail("CQ %u was deleted, to which SQ %u belongs", qid, i);
	host->cq[qid] = (struct fuzz_cq){.exists = false};
}

static void sq_created(struct fuzz_host *host, const struct fuzz_slot *slot, uint16_t qid)
{
	uint16_t cqid = (uint16_t)(slot->cmd.cdw11 >> 16);

	if (host->sq[qid].exists || cqid >= FUZZ_QUEUES_MAX || !host->cq[cqid].exists ||
	    slot->queue_iova % host->page_size != 0)
		fuzz_fail("SQ %u for CQ %u was created and must not be", qid, cqid);
	host->sq[qid] = (struct fuzz_sq){
		.exists = true,
		.cqid = cqid,
		.iova = slot->queue_iova,
		.size = slot->queue_size,
	};
}

static void cq_created(struct fuzz_host *host, const struct fuzz_slot *slot, uint16_t qid)
{
	if (host->cq[qid].exists || slot->queue_iova % host->page_size != 0)
		fuzz_fail("CQ %u was created and must not be", qid);
	host->cq[qid] = (struct fuzz_cq){
		.exists = true,
		.phase = 1,
		.iova = slot->queue_iova,
		.size = slot->queue_size,
	};
}

static void queue_command_done(struct fuzz_host *host, const struct fuzz_slot *slot, uint16_t status)
{
	uint16_t qid = (uint16_t)slot->cmd.cdw10;

	if (status == NVME_SC_SUCCESS && (qid == 0 || qid > host->options->queues))
		fuzz_fail("a command for queue %u succeeded", qid);
	if (qid == 0 || qid >= FUZZ_QUEUES_MAX)
		return;
	if (slot->cmd.opc == NVME_ADMIN_CREATE_CQ || slot->cmd.opc == NVME_ADMIN_DELETE_CQ)
		host->cq[qid].pending = false;
	else
		host->sq[qid].pending = false;
	if (status != NVME_SC_SUCCESS)
		return;
	switch (slot->cmd.opc) {
	case NVME_ADMIN_CREATE_CQ:
		cq_created(host, slot, qid);
		break;
	case NVME_ADMIN_CREATE_SQ:
		sq_created(host, slot, qid);
		break;
	case NVME_ADMIN_DELETE_CQ:
		cq_deleted(host, qid);
		break;
	default:
		sq_deleted(host, qid);
		break;
	}
}

static void format_done(struct fuzz_host *host, const struct fuzz_slot *slot, uint16_t status)
{
	if (slot->cmd.nsid != 1 && slot->cmd.nsid != UINT32_MAX)
		return;
	fuzz_host_learn_format(host);
	if (status == NVME_SC_SUCCESS)
		fuzz_model_erased(&host->model, slot->submitted_at);
	else if (status == NVME_SC_ABORT_REQUESTED)
		fuzz_model_abort_erasure(&host->model);
}

/* A command that was aborted has completed before its Abort has. */
static void abort_done(struct fuzz_host *host, const struct fuzz_slot *slot, const struct nvme_cpl *cpl)
{
	uint16_t sqid = (uint16_t)slot->cmd.cdw10, cid = (uint16_t)(slot->cmd.cdw10 >> 16);
	struct fuzz_slot *victim = find_slot(host, sqid, cid);

	if (cpl->cdw0 > 1)
		fuzz_fail("dword 0 of an Abort's completion is %08xh", cpl->cdw0);
	if (cpl->cdw0 != 0 || !victim)
		return;
	fuzz_host_reap(host, host->sq[sqid].cqid, UINT32_MAX, true);
	victim = find_slot(host, sqid, cid);
	/* One that was sent after the Abort bears the same CID, no more. */
	if (victim && victim->submitted_at < slot->submitted_at)
		fuzz_fail("SQ %u, CID %u was aborted and has not completed", sqid, cid);
}

static void completed(struct fuzz_host *host, uint16_t cqid, const struct nvme_cpl *cpl)
{
	struct fuzz_slot *found, slot;
	struct fuzz_sq *sq;

	if (cpl->sqid >= FUZZ_QUEUES_MAX || !host->sq[cpl->sqid].exists || host->sq[cpl->sqid].cqid != cqid) {
		fuzz_fail("CQ %u has a completion of SQ %u, CID %u, which does not belong there", cqid, cpl->sqid,
			  cpl->cid);
		return;
	}
	sq = &host->sq[cpl->sqid];
	found = find_slot(host, cpl->sqid, cpl->cid);
	if (!found) {
		fuzz_fail("SQ %u completed CID %u, which is not in flight", cpl->sqid, cpl->cid);
		return;
	}
	if (cpl->sqhd >= sq->size || distance(sq->head, cpl->sqhd, sq->size) > distance(sq->head, sq->tail, sq->size))
		fuzz_fail("SQ %u: head %u is not between %u and %u", cpl->sqid, cpl->sqhd, sq->head, sq->tail);
	else
		sq->head = cpl->sqhd;
	host->completed++;
	host->model.time++;
	fuzz_judge_completion(host, found, cpl);
	slot = *found;
	release(host, found);
	if (slot.sqid == 0 && is_queue_command(&slot.cmd))
		queue_command_done(host, &slot, NVME_STATUS_SCT(cpl->status) << 8 | NVME_STATUS_SC(cpl->status));
	if (slot.sqid == 0 && slot.cmd.opc == NVME_ADMIN_ABORT && !NVME_STATUS_SC(cpl->status))
		abort_done(host, &slot, cpl);
	if (slot.sqid == 0 && slot.cmd.opc == NVME_ADMIN_FORMAT_NVM)
		format_done(host, &slot, NVME_STATUS_SCT(cpl->status) << 8 | NVME_STATUS_SC(cpl->status));
}

uint32_t fuzz_host_reap(struct fuzz_host *host, uint16_t cqid, uint32_t limit, bool ring)
{
	struct fuzz_cq *cq = &host->cq[cqid];
	uint32_t count = 0;

	while (cq->exists && count < limit && !fuzz_failed) {
		uint64_t iova = cq->iova + cq->head * sizeof(struct nvme_cpl);
		struct nvme_cpl cpl;

		fuzz_memory_get(host->memory, iova, &cpl, sizeof(cpl));
		if ((cpl.status & NVME_STATUS_P) != cq->phase)
			break;
		fuzz_memory_accept(host->memory, iova, sizeof(cpl));
		if (++cq->head == cq->size) {
			cq->head = 0;
			cq->phase ^= 1;
		}
		count++;
		completed(host, cqid, &cpl);
	}
	if (count > 0 && ring)
		fuzz_host_ring_cq(host, cqid);
	return count;
}

/* What has been posted and was not taken yet is there by right. */
static void accept_posted(struct fuzz_host *host, const struct fuzz_cq *cq)
{
	uint32_t head = cq->head;
	uint16_t phase = cq->phase;

	for (uint32_t i = 0; i + 1 < cq->size; i++) {
		uint64_t iova = cq->iova + head * sizeof(struct nvme_cpl);
		struct nvme_cpl cpl;

		fuzz_memory_get(host->memory, iova, &cpl, sizeof(cpl));
		if ((cpl.status & NVME_STATUS_P) != phase)
			return;
		fuzz_memory_accept(host->memory, iova, sizeof(cpl));
		if (++head == cq->size) {
			head = 0;
			phase ^= 1;
		}
	}
}

void fuzz_host_check(struct fuzz_host *host)
{
	for (uint32_t qid = 0; qid < FUZZ_QUEUES_MAX; qid++)
		if (host->cq[qid].exists)
			accept_posted(host, &host->cq[qid]);
	fuzz_memory_check(host->memory);
}
