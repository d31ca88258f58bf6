/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Controller Data Queue, Track Send, Migration Send and Receive, and feature 21h. The state of a controller is that
 * of its I/O queues, in version 0, the only one there is. NVM Express Base Specification 2.1, sections 5.1.4, 5.1.16,
 * 5.1.17, 5.1.25.1.23 and 5.1.27.
 */
#include "vssd/cmd/migration.h"

#include <stdlib.h>
#include <string.h>

#include "vssd/cmd/deferred.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define ENTRY sizeof(struct nvme_migration_queue_entry)
#define TUDCS 2u         /* TRATTR: changes of user data can be logged */
#define USER_DATA 0u     /* QT */
#define SUSPEND 1u       /* STYPE; 0 only notifies */
#define VERSION_INDEX 1u /* CSVI: of version 0 */
#define STATE_HEADER 48u /* bytes of the state before the state of the queues */
#define PC 1u            /* of IOSQA and IOCQA */
#define IEN 2u           /* IOCQA */
#define S0PT 4u          /* IOCQA */
#define PRIORITY_SHIFT 1 /* IOSQA */
#define VECTOR_SHIFT 16  /* IOCQA */

#define CNTLID_OF_QUEUE VSSD_FIELD(NVME_FIELD_CONTROLLER_DATA_QUEUE_CNTLID, "CNTLID")
#define CDQSIZE VSSD_FIELD(NVME_FIELD_CONTROLLER_DATA_QUEUE_CDQSIZE, "CDQSIZE")
#define PRP1 VSSD_QWORD(6, "PRP1")

static uint64_t field(const struct vssd_request *request, uint32_t field)
{
	return nvme_get_field(&request->cmd, field);
}

/* ---- Controller Data Queue ---- */

/* Check the memory of a queue: its address, or the list of its pages and each of them. */
static uint16_t check_memory(struct vssd_request *request, uint64_t bytes)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t pages = (bytes + ctrl->regs.page_size - 1) / ctrl->regs.page_size, iova;
	uint16_t status = vssd_data_queue(request, &iova);

	if (status || field(request, NVME_FIELD_CONTROLLER_DATA_QUEUE_CDQID) & PC)
		return status;
	if (pages > VSSD_DATA_QUEUE_PRPS)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_STATE("the queue has more pages than MCMR"),
				   VSSD_OWN);
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t page;

		if (vssd_bus_read(ctrl->bus, iova + i * sizeof(page), &page, sizeof(page)))
			return vssd_refuse(request, NVME_SC_DATA_TRANSFER_ERROR, PRP1, VSSD_OWN);
		if (page & (ctrl->regs.page_size - 1))
			return vssd_refuse(request, NVME_SC_INVALID_PRP_OFFSET,
					   VSSD_STATE("a PRP entry of the list has an offset"), VSSD_OWN);
	}
	return NVME_SC_SUCCESS;
}

static uint16_t check_new_queue(struct vssd_request *request)
{
	uint64_t bytes = field(request, NVME_FIELD_CONTROLLER_DATA_QUEUE_CDQSIZE) * 4;
	uint16_t cntlid = (uint16_t)field(request, NVME_FIELD_CONTROLLER_DATA_QUEUE_CNTLID);

	if (field(request, NVME_FIELD_CONTROLLER_DATA_QUEUE_QT) != USER_DATA)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_CONTROLLER_DATA_QUEUE_QT, "QT"), VSSD_OWN);
	if (bytes % ENTRY || bytes < 2 * ENTRY)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, CDQSIZE, VSSD_OWN);
	if (!vssd_migratable(request->ctrl, cntlid))
		return vssd_refuse(request, NVME_SC_INVALID_CONTROLLER_ID, CNTLID_OF_QUEUE, VSSD_OWN);
	if (vssd_data_queue_of(request->ctrl, cntlid))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, CNTLID_OF_QUEUE, VSSD_OWN);
	if (!vssd_data_queue_of(request->ctrl, 0))
		return vssd_refuse(request, NVME_SC_NOT_ENOUGH_RESOURCES, VSSD_STATE("there are MCUDMQ queues"),
				   VSSD_OWN);
	return check_memory(request, bytes);
}

static uint16_t create_queue(struct vssd_request *request)
{
	struct vssd_data_queue *queue = vssd_data_queue_of(request->ctrl, 0);
	uint16_t status = check_new_queue(request);

	if (status || request->is_trial)
		return status;
	*queue = (struct vssd_data_queue){
		.cntlid = (uint16_t)field(request, NVME_FIELD_CONTROLLER_DATA_QUEUE_CNTLID),
		.is_contiguous = field(request, NVME_FIELD_CONTROLLER_DATA_QUEUE_CDQID) & PC,
		.phase = true,
		.prp1 = request->cmd.prp1,
		.slots = (uint32_t)(field(request, NVME_FIELD_CONTROLLER_DATA_QUEUE_CDQSIZE) * 4 / ENTRY),
	};
	request->result = (uint64_t)(queue - request->ctrl->features.migration.queues);
	return NVME_SC_SUCCESS;
}

/* The queue that a command names, or NULL. */
static struct vssd_data_queue *queue_of(const struct vssd_request *request, uint32_t cdqid)
{
	struct vssd_data_queue *queue = &request->ctrl->features.migration.queues[cdqid % VSSD_DATA_QUEUES];

	return cdqid < VSSD_DATA_QUEUES && queue->cntlid ? queue : NULL;
}

static uint16_t refuse_queue(struct vssd_request *request, const char *section)
{
	return vssd_refuse(request, NVME_SC_INVALID_CONTROLLER_DATA_QUEUE, VSSD_BITS(11, 15, 0, "CDQID"), section);
}

static uint16_t delete_queue(struct vssd_request *request)
{
	struct vssd_data_queue *queue =
		queue_of(request, (uint32_t)field(request, NVME_FIELD_CONTROLLER_DATA_QUEUE_CDQID));

	if (!queue)
		return refuse_queue(request, VSSD_OWN);
	if (!request->is_trial)
		vssd_data_queue_delete(request->ctrl, queue);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_data_queue_command(struct vssd_request *request)
{
	switch (field(request, NVME_FIELD_CONTROLLER_DATA_QUEUE_SEL)) {
	case NVME_DATA_QUEUE_CREATE:
		return create_queue(request);
	case NVME_DATA_QUEUE_DELETE:
		return delete_queue(request);
	default:
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_CONTROLLER_DATA_QUEUE_SEL, "SEL"), VSSD_OWN);
	}
}

/* ---- Track Send ---- */

static uint16_t check_start(struct vssd_request *request, const struct vssd_data_queue *queue)
{
	const struct vssd_ctrl *ctrl = vssd_migratable(request->ctrl, queue->cntlid);

	if (!ctrl)
		return vssd_refuse(request, NVME_SC_INVALID_CONTROLLER_ID,
				   VSSD_STATE("the controller of the queue is gone"), VSSD_OWN);
	if (queue->is_logging)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_STATE("changes of the controller are logged already"), VSSD_OWN);
	if (ctrl->features.migration.suspended)
		return vssd_refuse(request, NVME_SC_CONTROLLER_SUSPENDED, VSSD_STATE("the controller is suspended"),
				   VSSD_OWN);
	if (vssd_data_queue_is_full(queue))
		return vssd_refuse(request, NVME_SC_CONTROLLER_DATA_QUEUE_FULL, VSSD_STATE("the queue is full"),
				   VSSD_OWN);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_track_send(struct vssd_request *request)
{
	struct vssd_data_queue *queue = queue_of(request, (uint32_t)field(request, NVME_FIELD_TRACK_SEND_CDQID));
	uint64_t action = field(request, NVME_FIELD_TRACK_SEND_LACT);
	uint16_t status;

	if (field(request, NVME_FIELD_TRACK_SEND_SEL) != NVME_TRACK_USER_DATA)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_TRACK_SEND_SEL, "SEL"),
				   VSSD_OWN);
	if (!queue)
		return refuse_queue(request, VSSD_OWN);
	if (action > 1)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_TRACK_SEND_LACT, "LACT"),
				   VSSD_OWN);
	status = action ? check_start(request, queue) : NVME_SC_SUCCESS;
	if (status || request->is_trial)
		return status;
	if (action)
		vssd_data_queue_start(request->ctrl, queue);
	else
		vssd_data_queue_stop(request->ctrl, queue);
	return NVME_SC_SUCCESS;
}

/* ---- feature 21h ---- */

static uint16_t refuse_feature(struct vssd_request *request, struct vssd_field wrong)
{
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, wrong, VSSD_BASE("5.1.25.1.23"));
}

uint16_t vssd_data_queue_set(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_data_queue *queue = queue_of(request, cmd->cdw11 & UINT16_MAX);
	bool triggers = cmd->cdw11 >> 31;

	if (!queue)
		return refuse_queue(request, VSSD_BASE("5.1.25.1.23"));
	if (!vssd_data_queue_may_set(queue, cmd->cdw12))
		return refuse_feature(request, VSSD_DWORD(12, "HP"));
	if (triggers && cmd->cdw13 >= queue->slots)
		return refuse_feature(request, VSSD_DWORD(13, "TPT"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	vssd_event_forget(request->ctrl, VSSD_EVENT_DATA_QUEUE_TAIL);
	queue->head = cmd->cdw12;
	queue->triggers = triggers;
	queue->trigger = triggers ? cmd->cdw13 : 0;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_data_queue_get(struct vssd_request *request, enum nvme_feature_select select)
{
	const struct vssd_data_queue *queue = queue_of(request, request->cmd.cdw11 & UINT16_MAX);
	struct nvme_data_queue_pointers pointers = {0};

	if (!queue)
		return refuse_queue(request, VSSD_BASE("5.1.25.1.23"));
	request->result = request->cmd.cdw11 & UINT16_MAX;
	if (select == NVME_SEL_CURRENT) {
		request->result |= queue->triggers ? UINT32_C(1) << 31 : 0;
		pointers.hp = queue->head;
		pointers.tpt = queue->trigger;
	}
	return vssd_data_send(request, &pointers, sizeof(pointers));
}

/* ---- the state of a controller ---- */

static struct nvme_sq_state state_of_sq(const struct vssd_sq *sq)
{
	return (struct nvme_sq_state){
		.iosqprp1 = sq->iova,
		.iosqqsize = (uint16_t)(sq->size - 1),
		.iosqqid = sq->qid,
		.iosqcqid = sq->cq->qid,
		.iosqa = (uint16_t)(PC | (unsigned)sq->priority << PRIORITY_SHIFT),
		.iosqhp = (uint16_t)sq->head,
		.iosqtp = (uint16_t)sq->tail,
	};
}

/* The phase tag of slot 0 is that of the pass over the queue in which it was written last. */
static struct nvme_cq_state state_of_cq(const struct vssd_cq *cq)
{
	bool phase_of_0 = cq->tail ? cq->phase : !cq->phase;

	return (struct nvme_cq_state){
		.iocqprp1 = cq->iova,
		.iocqqsize = (uint16_t)(cq->size - 1),
		.iocqqid = cq->qid,
		.iocqhp = (uint16_t)cq->head,
		.iocqtp = (uint16_t)cq->tail,
		.iocqa = PC | (cq->interrupts ? IEN : 0) | (phase_of_0 ? S0PT : 0) |
			 (uint32_t)cq->vector << VECTOR_SHIFT,
	};
}

/* The most bytes that the state of a controller has. */
static uint32_t most_bytes(const struct vssd_ctrl *ctrl)
{
	uint32_t queues = vssd_virtual_queues(ctrl->subsystem, &ctrl->listener);

	return (uint32_t)(sizeof(struct nvme_controller_state) +
			  queues * (sizeof(struct nvme_sq_state) + sizeof(struct nvme_cq_state)));
}

/* Write the state of the I/O queues of a controller. Returns its bytes. */
static uint32_t write_queues(const struct vssd_ctrl *ctrl, struct nvme_controller_state *state)
{
	const struct vssd_queues *queues = &ctrl->queues;
	struct nvme_cq_state *cqs;

	for (uint32_t i = 1; i <= queues->num_active; i++)
		if (queues->sq[vssd_queue_id(queues, i)].size)
			state->iosq[state->niosq++] = state_of_sq(&queues->sq[vssd_queue_id(queues, i)]);
	cqs = (struct nvme_cq_state *)&state->iosq[state->niosq];
	for (uint32_t i = 1; i <= queues->num_active; i++)
		if (queues->cq[vssd_queue_id(queues, i)].size)
			cqs[state->niocq++] = state_of_cq(&queues->cq[vssd_queue_id(queues, i)]);
	return (uint32_t)((uint8_t *)&cqs[state->niocq] - (uint8_t *)state);
}

static uint16_t refuse_cntlid(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INVALID_CONTROLLER_ID, VSSD_BITS(11, 15, 0, "CNTLID"), VSSD_OWN);
}

static uint16_t check_receive(struct vssd_request *request)
{
	if (field(request, NVME_FIELD_MIGRATION_RECEIVE_SEL))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_MIGRATION_RECEIVE_SEL, "SEL"), VSSD_OWN);
	if (field(request, NVME_FIELD_MIGRATION_RECEIVE_CSVI) > VERSION_INDEX)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_MIGRATION_RECEIVE_CSVI, "CSVI"), VSSD_OWN);
	if (field(request, NVME_FIELD_MIGRATION_RECEIVE_CSUUIDI))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_MIGRATION_RECEIVE_CSUUIDI, "CSUUIDI"), VSSD_OWN);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_migration_receive(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl =
		vssd_migratable(request->ctrl, (uint16_t)field(request, NVME_FIELD_MIGRATION_RECEIVE_CNTLID));
	uint64_t length = (field(request, NVME_FIELD_MIGRATION_RECEIVE_NUMD) + 1) * 4;
	uint64_t offset = field(request, NVME_FIELD_MIGRATION_RECEIVE_CSO);
	uint32_t size = STATE_HEADER;
	struct nvme_controller_state *state;
	uint16_t status = check_receive(request);

	if (status)
		return status;
	if (!ctrl)
		return refuse_cntlid(request);
	state = calloc(1, most_bytes(ctrl));
	if (!state)
		return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("no memory is left"), VSSD_OWN);
	if (ctrl->features.migration.suspended)
		vssd_migration_see_doorbells(ctrl);
	if (field(request, NVME_FIELD_MIGRATION_RECEIVE_CSVI))
		size = write_queues(ctrl, state);
	state->csattr = ctrl->features.migration.suspended;
	state->nvmecss[0] = (size - STATE_HEADER) / 4;
	request->result = ctrl->features.migration.suspended;
	status = offset < size && offset % 4 == 0
			 ? vssd_data_send_part(request, (const uint8_t *)state, size, offset, length)
			 : vssd_refuse(request, NVME_SC_INVALID_FIELD,
				       VSSD_FIELD(NVME_FIELD_MIGRATION_RECEIVE_CSO, "offset"), VSSD_OWN);
	free(state);
	return status;
}

/* ---- Migration Send ---- */

static bool is_queue(const struct vssd_ctrl *ctrl, uint16_t qid, uint32_t size, uint32_t head, uint32_t tail,
		     uint64_t iova)
{
	return qid && qid <= vssd_virtual_queues(ctrl->subsystem, &ctrl->listener) && size >= 2 &&
	       size <= ctrl->options->queue_entries && head < size && tail < size &&
	       !(iova & (ctrl->regs.page_size - 1));
}

static bool has_cq(const struct nvme_cq_state *cqs, uint16_t count, uint16_t cqid)
{
	for (uint16_t i = 0; i < count; i++)
		if (cqs[i].iocqqid == cqid)
			return true;
	return false;
}

/* Whether a controller can have these queues, each identifier once. */
static bool is_possible(const struct vssd_ctrl *ctrl, const struct nvme_controller_state *state)
{
	const struct nvme_cq_state *cqs = (const struct nvme_cq_state *)&state->iosq[state->niosq];

	for (uint16_t i = 0; i < state->niocq; i++)
		if (!is_queue(ctrl, cqs[i].iocqqid, cqs[i].iocqqsize + 1u, cqs[i].iocqhp, cqs[i].iocqtp,
			      cqs[i].iocqprp1) ||
		    !(cqs[i].iocqa & PC) || cqs[i].iocqa >> VECTOR_SHIFT >= ctrl->interrupts.count ||
		    has_cq(cqs, i, cqs[i].iocqqid))
			return false;
	for (uint16_t i = 0; i < state->niosq; i++) {
		const struct nvme_sq_state *sq = &state->iosq[i];

		if (!is_queue(ctrl, sq->iosqqid, sq->iosqqsize + 1u, sq->iosqhp, sq->iosqtp, sq->iosqprp1) ||
		    !(sq->iosqa & PC) || !has_cq(cqs, state->niocq, sq->iosqcqid))
			return false;
		for (uint16_t j = 0; j < i; j++)
			if (state->iosq[j].iosqqid == sq->iosqqid)
				return false;
	}
	return true;
}

/* Delete all I/O queues: first those for submission, since a completion queue may serve several. */
static void delete_queues(struct vssd_ctrl *ctrl)
{
	vssd_queues_resolve(ctrl);
	for (uint32_t i = ctrl->queues.num_active; i > 0; i--) {
		uint16_t qid = vssd_queue_id(&ctrl->queues, i);

		if (!ctrl->queues.sq[qid].size)
			continue;
		vssd_faulty_forget_queue(ctrl, qid);
		vssd_deferred_forget_queue(ctrl, qid);
		vssd_sq_delete(ctrl, qid);
	}
	while (ctrl->queues.num_active)
		vssd_cq_delete(ctrl, vssd_queue_id(&ctrl->queues, 1));
}

/* Give a controller I/O queues instead of those that it has. */
static void set_queues(struct vssd_ctrl *ctrl, const struct nvme_controller_state *state)
{
	const struct nvme_cq_state *cqs = (const struct nvme_cq_state *)&state->iosq[state->niosq];

	delete_queues(ctrl);
	for (uint16_t i = 0; i < state->niocq; i++) {
		const struct nvme_cq_state *from = &cqs[i];
		struct vssd_cq *cq = &ctrl->queues.cq[from->iocqqid];
		bool phase_of_0 = from->iocqa & S0PT;

		vssd_cq_create(ctrl, from->iocqqid, from->iocqprp1, from->iocqqsize + 1u,
			       (uint16_t)(from->iocqa >> VECTOR_SHIFT), from->iocqa & IEN);
		cq->head = from->iocqhp;
		cq->tail = from->iocqtp;
		cq->phase = from->iocqtp ? phase_of_0 : !phase_of_0;
	}
	for (uint16_t i = 0; i < state->niosq; i++) {
		const struct nvme_sq_state *from = &state->iosq[i];
		struct vssd_sq *sq = &ctrl->queues.sq[from->iosqqid];

		vssd_sq_create(ctrl, from->iosqqid, from->iosqprp1, from->iosqqsize + 1u, from->iosqcqid,
			       (enum vssd_priority)(from->iosqa >> PRIORITY_SHIFT & 3));
		sq->head = from->iosqhp;
		sq->tail = from->iosqtp;
	}
	ctrl->queues.made = true;
}

static uint16_t refuse_state(struct vssd_request *request, const char *what)
{
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_STATE(what), VSSD_OWN);
}

/* Check a whole state, and set it. */
static uint16_t commit_state(struct vssd_request *request, struct vssd_ctrl *ctrl, const uint8_t *bytes,
			     uint32_t length)
{
	const struct nvme_controller_state *state = (const struct nvme_controller_state *)bytes;
	uint64_t queues;

	if (length < STATE_HEADER || state->ver || state->nvmecss[1] || state->vss[0] || state->vss[1])
		return refuse_state(request, "the header of the state is wrong: VER or VSS is not 0");
	if (!state->nvmecss[0])
		return NVME_SC_SUCCESS;
	if (field(request, NVME_FIELD_MIGRATION_SEND_STYPE) != VERSION_INDEX)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 23, 16, "CSVI"), VSSD_OWN);
	if (length < sizeof(*state) || state->nvmever)
		return refuse_state(request, "the state of the queues has another version than 0");
	queues = (uint64_t)state->niosq * sizeof(struct nvme_sq_state) +
		 (uint64_t)state->niocq * sizeof(struct nvme_cq_state);
	if (sizeof(*state) + queues > length || state->nvmecss[0] * 4 != sizeof(*state) - STATE_HEADER + queues)
		return refuse_state(request, "NVMECSS is not the size of the state of the queues");
	if (!is_possible(ctrl, state))
		return refuse_state(request, "the controller cannot have the queues of the state");
	set_queues(ctrl, state);
	return NVME_SC_SUCCESS;
}

/* Add a part of the state to those before it. The last one commits it. */
static uint16_t set_state(struct vssd_request *request, struct vssd_ctrl *ctrl)
{
	struct vssd_state_parts *parts = &request->ctrl->features.migration.parts;
	uint64_t sequence = field(request, NVME_FIELD_MIGRATION_SEND_SEQIND);
	uint64_t offset = field(request, NVME_FIELD_MIGRATION_SEND_CSO);
	uint64_t length = field(request, NVME_FIELD_MIGRATION_SEND_NUMD) * 4;
	uint16_t status;

	if (!ctrl->features.migration.suspended)
		return vssd_refuse(request, NVME_SC_CONTROLLER_NOT_SUSPENDED,
				   VSSD_STATE("the controller is not suspended"), VSSD_OWN);
	if (!NVME_GET(ctrl->regs.csts, NVME_CSTS_RDY))
		return refuse_cntlid(request);
	if (field(request, NVME_FIELD_MIGRATION_SEND_CSUUIDI) || field(request, NVME_FIELD_MIGRATION_SEND_DUDMQ))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 31, 24, "CSUUIDI"), VSSD_OWN);
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	if (sequence & NVME_SEQUENCE_FIRST) {
		free(parts->bytes);
		*parts = (struct vssd_state_parts){.bytes = malloc(most_bytes(ctrl)),
						   .cntlid = vssd_cntlid(&ctrl->listener)};
	}
	if (!parts->bytes || parts->cntlid != vssd_cntlid(&ctrl->listener))
		return vssd_refuse(request, NVME_SC_COMMAND_SEQUENCE_ERROR,
				   VSSD_STATE("no part of the state came before"), VSSD_OWN);
	if (offset != parts->length || length > most_bytes(ctrl) - parts->length)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_MIGRATION_SEND_CSO, "offset, or NUMD"), VSSD_OWN);
	status = length ? vssd_data_receive(request, parts->bytes + offset, (uint32_t)length) : NVME_SC_SUCCESS;
	if (status)
		return status;
	parts->length += (uint32_t)length;
	if (!(sequence & NVME_SEQUENCE_LAST))
		return NVME_SC_SUCCESS;
	status = commit_state(request, ctrl, parts->bytes, parts->length);
	free(parts->bytes);
	*parts = (struct vssd_state_parts){0};
	return status;
}

static uint16_t suspend(struct vssd_request *request, struct vssd_ctrl *ctrl)
{
	uint64_t type = field(request, NVME_FIELD_MIGRATION_SEND_STYPE);
	struct vssd_data_queue *queue = vssd_data_queue_of(request->ctrl, vssd_cntlid(&ctrl->listener));

	if (type > SUSPEND)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_BITS(11, 23, 16, "STYPE"), VSSD_OWN);
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	if (type == SUSPEND)
		vssd_migration_suspend(request->ctrl, ctrl);
	if (type == SUSPEND && queue && field(request, NVME_FIELD_MIGRATION_SEND_DUDMQ))
		vssd_data_queue_delete(request->ctrl, queue);
	return NVME_SC_SUCCESS;
}

static uint16_t resume(struct vssd_request *request, struct vssd_ctrl *ctrl)
{
	if (!ctrl->features.migration.suspended)
		return vssd_refuse(request, NVME_SC_CONTROLLER_NOT_SUSPENDED,
				   VSSD_STATE("the controller is not suspended"), VSSD_OWN);
	if (!request->is_trial)
		vssd_migration_resume(request->ctrl, ctrl);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_migration_send(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl =
		vssd_migratable(request->ctrl, (uint16_t)field(request, NVME_FIELD_MIGRATION_SEND_CNTLID));
	uint64_t operation = field(request, NVME_FIELD_MIGRATION_SEND_SEL);

	if (operation > NVME_MIGRATION_SET_STATE)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_MIGRATION_SEND_SEL, "SEL"),
				   VSSD_OWN);
	if (!ctrl)
		return refuse_cntlid(request);
	if (operation == NVME_MIGRATION_SUSPEND)
		return suspend(request, ctrl);
	return operation == NVME_MIGRATION_RESUME ? resume(request, ctrl) : set_state(request, ctrl);
}

/* ---- Identify ---- */

void vssd_migration_formats(uint8_t *data)
{
	data[0] = VERSION_INDEX; /* NV: one version, 0, which is in bytes 3:2 */
}

void vssd_migration_identify(const struct vssd_ctrl *ctrl, struct nvme_id_ctrl *id)
{
	if (!ctrl->options->optional.migration)
		return;
	id->hmpre = id->hmmin = 0; /* Base 2.1, 8.1.12 */
	if (!vssd_migration_is_manager(ctrl))
		return;
	id->trattr = TUDCS;
	id->mcudmq = id->mnsudmq = VSSD_DATA_QUEUES;
	id->mcmr = id->mcdqpc = VSSD_DATA_QUEUE_PRPS;
	id->nmcmr = VSSD_DATA_QUEUES * VSSD_DATA_QUEUE_PRPS;
}
