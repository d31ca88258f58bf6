/* SPDX-License-Identifier: BSD-3-Clause */
/* Post completions, or keep them until they are due and there is room. Base Specification 2.0, section 3.3. */
#include "vssd/ctrl/controller.h"

#include "core/util/clock.h"

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

/* Write the words of struct nvme_cpl directly. */
void vssd_post(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint16_t cid, uint16_t status, uint64_t result)
{
	struct vssd_cq *cq = sq->cq;
	uint64_t field = cq->phase;

	if (__builtin_expect(status != 0, 0)) {
		cq->error = true;
		field |= vssd_status_field(ctrl, status);
	}
	post(ctrl, cq, result, field << 48 | (uint64_t)cid << 32 | (uint32_t)sq->qid << 16 | sq->head);
}

void vssd_cqe_make(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint16_t cid, uint16_t status,
		   uint64_t result, uint32_t cqe[4])
{
	uint32_t field = sq->cq->phase | (status ? vssd_status_field(ctrl, status) : 0u);

	cqe[0] = (uint32_t)result;
	cqe[1] = (uint32_t)(result >> 32);
	cqe[2] = (uint32_t)sq->qid << 16 | sq->head;
	cqe[3] = field << 16 | cid;
}

void vssd_post_cqe(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const uint32_t cqe[4])
{
	if (cqe[3] >> 17)
		sq->cq->error = true;
	post(ctrl, sq->cq, (uint64_t)cqe[1] << 32 | cqe[0], (uint64_t)cqe[3] << 32 | cqe[2]);
}

/* The waiting completion at this position in the order of due. */
static struct vssd_waiting *waiting_at(struct vssd_sq *sq, uint32_t at)
{
	return &sq->waiting[(sq->waiting_head + at) % VSSD_WAITING_MAX];
}

void vssd_latency_note(struct vssd_ctrl *ctrl, uint8_t opcode, uint64_t start)
{
	static const uint8_t kinds[] = {[NVME_IO_READ] = VSSD_LATENCY_READ + 1,
					[NVME_IO_WRITE] = VSSD_LATENCY_WRITE + 1,
					[NVME_IO_DSM] = VSSD_LATENCY_TRIM + 1};

	if (opcode < sizeof(kinds) && kinds[opcode] &&
	    vssd_latency_count(ctrl->subsystem, (enum vssd_latency_kind)(kinds[opcode] - 1), start)) {
		ctrl->telemetry.reason = "a latency triggered the latency monitor";
		vssd_ctrl_wake(ctrl);
	}
}

void vssd_post_later(struct vssd_sq *sq, struct vssd_waiting waiting)
{
	*waiting_at(sq, sq->num_waiting++) = waiting;
}

void vssd_post_due(struct vssd_ctrl *ctrl, struct vssd_sq *sq, uint64_t now)
{
	while (sq->num_waiting > 0 && waiting_at(sq, 0)->due <= now && vssd_cq_room(sq->cq) > 0) {
		const struct vssd_waiting *first = waiting_at(sq, 0);

		if (first->start)
			vssd_latency_note(ctrl, first->opcode, first->start);
		vssd_post(ctrl, sq, first->cid, first->status, first->result);
		sq->waiting_head = (sq->waiting_head + 1) % VSSD_WAITING_MAX;
		sq->num_waiting--;
	}
}

static void remove_at(struct vssd_sq *sq, uint32_t at)
{
	sq->num_waiting--;
	for (; at < sq->num_waiting; at++)
		*waiting_at(sq, at) = *waiting_at(sq, at + 1);
}

unsigned vssd_waiting_abort(struct vssd_ctrl *ctrl, struct vssd_sq *sq, const struct vssd_aborting *abort)
{
	unsigned found = 0;

	for (uint32_t at = 0; at < sq->num_waiting;) {
		struct vssd_waiting *waiting = waiting_at(sq, at);
		uint16_t cid = waiting->cid;

		if (waiting->status || !vssd_aborting_names(abort, waiting->nsid, sq->qid, cid)) {
			at++;
			continue;
		}
		found++;
		ctrl->counters.errors++;
		waiting->status = abort->status;
		waiting->result = 0;
		if (vssd_cq_room(sq->cq) == 0)
			continue;
		remove_at(sq, at);
		vssd_post(ctrl, sq, cid, abort->status, 0);
	}
	return found;
}

bool vssd_waiting_find(const struct vssd_sq *sq, uint16_t cid, uint32_t *nsid)
{
	for (uint32_t at = 0; at < sq->num_waiting; at++) {
		const struct vssd_waiting *waiting = waiting_at((struct vssd_sq *)sq, at);

		if (waiting->cid == cid) {
			*nsid = waiting->nsid;
			return true;
		}
	}
	return false;
}

/* The number of waiting completions is bounded by the commands outstanding, plus one: the controller fetches none
 * while completions wait. */
void vssd_complete_admin(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint64_t result)
{
	struct vssd_sq *sq = &ctrl->queues.sq[0];

	if (sq->num_waiting == 0 && vssd_cq_room(sq->cq) > 0)
		vssd_post(ctrl, sq, cid, status, result);
	else
		vssd_post_later(sq, (struct vssd_waiting){.cid = cid, .status = status, .result = result});
}
