/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of the Management Interface out of band. NVM Express Management Interface Specification 2.0, sections 3.1
 * (format), 4.1 (responses), 5 (commands of the interface) and 6 (admin commands). */
#include <stdlib.h>
#include <string.h>

#include "core/util/crc32c.h"
#include "spec/nvme_data.h"
#include "spec/nvme_mi.h"
#include "vssd/cmd/dispatch.h"
#include "vssd/cmd/lockdown.h"
#include "vssd/cmd/mi.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

#define HEADER 4u  /* bytes of the header of each message */
#define CHECK 4u   /* bytes of the message integrity check */
#define TYPE 0x84u /* NVMe-MI, with an integrity check */
#define ROR 0x80u  /* a response */
#define SLOT 0x1u  /* CSI */
#define NMIMT_SHIFT 3u
#define NMIMT_MASK 0xfu
#define MEB 0x1u                       /* of byte 2: the data are in the Management Endpoint Buffer */
#define MI_REQUEST 16u                 /* header, opcode, two dwords */
#define ADMIN_REQUEST 68u              /* header, and a submission queue entry with an offset and a length in it */
#define FIRST_VENDOR 0xc0u             /* opcode of an admin command, and feature */
#define ADMIN_RESPONSE 20u             /* header, status, three dwords of the completion */
#define FABRICS 0x7fu                  /* opcode of the Fabrics commands */
#define WHOLE_MOST (UINT64_C(4) << 20) /* bytes that a command returns, of which the response has a part */
#define DIRECTION 0x3u                 /* of an opcode: which way the data go */
#define TO_DRIVE 0x1u
#define FROM_DRIVE 0x2u

/* Fields of a request: the byte that an Invalid Parameter Error Response names. */
enum { BUFFER_AT = 2, OPCODE_AT = 4, CTLID_AT = 6, NSID_AT = 8, DOFST_AT = 28, DLEN_AT = 32, CDW10_AT = 44 };

/* A response that is being written. */
struct response {
	uint8_t *bytes;
	uint32_t length;
	bool is_later; /* the command executes, and the response comes when it has ended */
};

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void put_word(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* A response without data. */
static void fail(struct response *response, uint8_t status)
{
	response->bytes[HEADER] = status;
	memset(response->bytes + HEADER + 1, 0, 3);
	response->length = HEADER + 4;
}

/* An Invalid Parameter Error Response: it names the byte of the request. Section 4.1.2.2. */
static void fail_at(struct response *response, uint32_t byte)
{
	fail(response, NVME_MI_STATUS_INVALID_PARAMETER);
	put_word(response->bytes + HEADER, VSSD_MI_LOCATION(byte) << 8 | NVME_MI_STATUS_INVALID_PARAMETER);
}

static void execute_mi(struct vssd_ctrl *ctrl, const uint8_t *body, uint32_t length, struct response *response)
{
	uint8_t *data = response->bytes + HEADER + 4;
	struct vssd_mi_command command = {.out = data};
	uint8_t status;

	if (length < MI_REQUEST) {
		fail(response, NVME_MI_STATUS_INVALID_COMMAND_SIZE);
		return;
	}
	if (vssd_lockdown_denies_mi(ctrl, body[HEADER])) {
		fail(response, NVME_MI_STATUS_ACCESS_DENIED);
		return;
	}
	memset(data, 0, VSSD_MI_MOST_DATA);
	command.opcode = body[HEADER];
	command.nmd0 = word(body + 8);
	command.nmd1 = word(body + 12);
	command.in = body + MI_REQUEST;
	command.in_length = length - MI_REQUEST;
	status = vssd_mi_execute(ctrl, &command);
	fail(response, status);
	put_word(response->bytes + HEADER, command.response << 8 | status);
	response->length += status ? 0 : command.out_length;
}

/* Features that an endpoint has. NVMe-MI 1.2, figure 125: those of queues, interrupts and data belong to the host. */
static bool has_feature(uint8_t fid)
{
	switch (fid) {
	case NVME_FEAT_POWER:
	case NVME_FEAT_TEMPERATURE:
	case NVME_FEAT_APST:
	case NVME_FEAT_TIMESTAMP:
	case NVME_FEAT_HCTM:
	case NVME_FEAT_NOPSC:
	case NVME_FEAT_SANITIZE:
	case NVME_FEAT_COMMAND_SET_PROFILE:
		return true;
	default:
		return fid >= FIRST_VENDOR;
	}
}

/* NVMe-MI 1.2, figure 114: which admin commands the endpoint has, if the drive does, and which it never has. */
enum permission { UNLISTED, OPTIONAL, PROHIBITED };

static enum permission permission_of(uint8_t opcode)
{
	static const uint8_t permissions[256] = {
		[NVME_ADMIN_DELETE_SQ] = PROHIBITED,
		[NVME_ADMIN_CREATE_SQ] = PROHIBITED,
		[NVME_ADMIN_GET_LOG_PAGE] = OPTIONAL,
		[NVME_ADMIN_DELETE_CQ] = PROHIBITED,
		[NVME_ADMIN_CREATE_CQ] = PROHIBITED,
		[NVME_ADMIN_IDENTIFY] = OPTIONAL,
		[NVME_ADMIN_ABORT] = PROHIBITED,
		[NVME_ADMIN_SET_FEATURES] = OPTIONAL,
		[NVME_ADMIN_GET_FEATURES] = OPTIONAL,
		[NVME_ADMIN_ASYNC_EVENT] = PROHIBITED,
		[NVME_ADMIN_NS_MANAGEMENT] = OPTIONAL,
		[NVME_ADMIN_FW_COMMIT] = OPTIONAL,
		[NVME_ADMIN_FW_DOWNLOAD] = OPTIONAL,
		[NVME_ADMIN_SELF_TEST] = OPTIONAL,
		[NVME_ADMIN_NS_ATTACHMENT] = OPTIONAL,
		[NVME_ADMIN_KEEP_ALIVE] = PROHIBITED,
		[NVME_ADMIN_DIRECTIVE_SEND] = PROHIBITED,
		[NVME_ADMIN_DIRECTIVE_RECEIVE] = PROHIBITED,
		[NVME_ADMIN_VIRTUALIZATION] = OPTIONAL,
		[NVME_ADMIN_MI_SEND] = PROHIBITED,
		[NVME_ADMIN_MI_RECEIVE] = PROHIBITED,
		[NVME_ADMIN_CAPACITY_MANAGEMENT] = OPTIONAL,
		[NVME_ADMIN_LOCKDOWN] = OPTIONAL,
		[NVME_ADMIN_DOORBELL_BUFFER_CONFIG] = PROHIBITED,
		[FABRICS] = PROHIBITED,
		[NVME_ADMIN_FORMAT_NVM] = OPTIONAL,
		[NVME_ADMIN_SECURITY_SEND] = OPTIONAL,
		[NVME_ADMIN_SECURITY_RECEIVE] = OPTIONAL,
		[NVME_ADMIN_SANITIZE] = OPTIONAL,
		[NVME_ADMIN_GET_LBA_STATUS] = OPTIONAL,
	};

	return opcode >= FIRST_VENDOR ? OPTIONAL : permissions[opcode];
}

/* How many bytes of data a command needs, of which the request says that it has so many (DLEN). */
static uint64_t needed(const struct nvme_cmd *cmd, uint32_t dlen)
{
	switch (cmd->opc) {
	case NVME_ADMIN_NS_MANAGEMENT:
		return nvme_get_field(cmd, NVME_FIELD_NS_MANAGEMENT_SEL) == NVME_NS_DELETE
			       ? 0
			       : sizeof(struct nvme_ns_management_data);
	case NVME_ADMIN_NS_ATTACHMENT:
		return sizeof(struct nvme_ctrl_list);
	case NVME_ADMIN_FW_DOWNLOAD:
		return (nvme_get_field(cmd, NVME_FIELD_FW_DOWNLOAD_NUMD) + 1) * 4;
	case NVME_ADMIN_SECURITY_SEND:
		return nvme_get_field(cmd, NVME_FIELD_SECURITY_SEND_TL);
	default:
		return dlen; /* the feature or the vendor's command checks them */
	}
}

/* Whether the request has the data of its command, no more and no less. */
static bool has_data(const struct nvme_cmd *cmd, uint32_t dlen, uint32_t length)
{
	if ((cmd->opc & DIRECTION) != TO_DRIVE)
		return length == 0;
	return length == dlen && length == needed(cmd, dlen);
}

static bool is_allowed(const struct nvme_cmd *cmd)
{
	bool of_feature = cmd->opc == NVME_ADMIN_GET_FEATURES || cmd->opc == NVME_ADMIN_SET_FEATURES;

	return !of_feature || has_feature((uint8_t)nvme_get_field(cmd, NVME_FIELD_GET_FEATURES_FID));
}

/* How many bytes a command can return, of which the response has those from DOFST on; or those that it can have. */
static uint32_t room_of(const struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	if ((cmd->opc & DIRECTION) != FROM_DRIVE)
		return VSSD_MI_MOST_DATA;
	return (uint32_t)(ctrl->transfers.most < WHOLE_MOST ? ctrl->transfers.most : WHOLE_MOST);
}

/* The controller that an admin command is for, whose data are length bytes in the request, or a part of the response.
 * NULL: the request is not well formed or prohibited, and this is its response. Section 6.2. */
static struct vssd_ctrl *target_of(const struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd, const uint8_t *body,
				   uint32_t length, struct response *response)
{
	uint32_t offset = word(body + DOFST_AT), wanted = word(body + DLEN_AT);
	struct vssd_ctrl *target = vssd_mi_controller(ctrl, word(body + OPCODE_AT) >> 16);
	enum permission permission = permission_of(cmd->opc);

	if (permission == PROHIBITED)
		fail_at(response, OPCODE_AT);
	else if (permission == UNLISTED || (target && !vssd_admin_command(target, cmd->opc)))
		fail(response, NVME_MI_STATUS_INVALID_OPCODE);
	else if (!target)
		fail_at(response, CTLID_AT);
	else if (!is_allowed(cmd))
		fail_at(response, CDW10_AT);
	else if (wanted > VSSD_MI_MOST_DATA)
		fail_at(response, DLEN_AT);
	else if (offset > room_of(target, cmd) - wanted)
		fail_at(response, DOFST_AT);
	else if (!has_data(cmd, wanted, length))
		fail(response, NVME_MI_STATUS_INVALID_INPUT_SIZE);
	else
		return target;
	return NULL;
}

/* The response to an admin command that has ended. */
static void conclude(struct response *response, const struct vssd_ctrl *ctrl, uint16_t status, uint64_t result)
{
	fail(response, NVME_MI_STATUS_SUCCESS);
	put_word(response->bytes + 8, (uint32_t)result);
	put_word(response->bytes + 12, (uint32_t)(result >> 32));
	put_word(response->bytes + 16, status ? (uint32_t)vssd_status_field(ctrl, status) << 16 : 0);
	response->length = ADMIN_RESPONSE;
}

/* Execute a command, whose data are in memory. */
static void run(struct vssd_mi_slot *slot, struct vssd_request *request, const struct vssd_local *local,
		const uint8_t *body, struct response *response)
{
	uint16_t status;

	vssd_request_init(request, slot->ctrl, &slot->ctrl->queues.sq[0]);
	request->local = local;
	status = vssd_execute(request);
	response->is_later = status == VSSD_LATER;
	if (response->is_later)
		return;
	if (status)
		vssd_command_failed(request, status);
	conclude(response, slot->ctrl, status, request->result);
	if (status || (request->cmd.opc & DIRECTION) != FROM_DRIVE)
		return;
	memcpy(response->bytes + ADMIN_RESPONSE, local->memory + word(body + DOFST_AT), word(body + DLEN_AT));
	response->length += word(body + DLEN_AT);
}

static void execute_admin(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, const struct vssd_ctrl *ctrl,
			  const uint8_t *body, uint32_t length, struct response *response)
{
	struct vssd_request request = {.cmd = {.opc = body[OPCODE_AT], .cid = ++endpoint->last_cid}};
	struct vssd_local local = {.owner = &endpoint->listener};

	if (length < ADMIN_REQUEST) {
		fail(response, NVME_MI_STATUS_INVALID_COMMAND_SIZE);
		return;
	}
	length -= ADMIN_REQUEST;
	request.cmd.nsid = word(body + NSID_AT);
	request.cmd.cdw2 = word(body + NSID_AT + 4);
	request.cmd.cdw3 = word(body + NSID_AT + 8);
	memcpy(&request.cmd.cdw10, body + CDW10_AT, 6 * sizeof(uint32_t));
	slot->ctrl = target_of(ctrl, &request.cmd, body, length, response);
	if (!slot->ctrl)
		return;
	local.length = (request.cmd.opc & DIRECTION) == FROM_DRIVE ? room_of(slot->ctrl, &request.cmd) : length;
	local.memory = calloc(1, local.length + 1);
	if (!local.memory) {
		fail(response, NVME_MI_STATUS_INTERNAL_ERROR);
		return;
	}
	memcpy(local.memory, body + ADMIN_REQUEST, length);
	run(slot, &request, &local, body, response);
	free(local.memory);
}

/* ---- responses, and commands that end later: section 4.1.2.3 ---- */

static void emit(struct vssd_mi_sender sender, uint8_t *message, uint32_t length)
{
	put_word(message + length, pyn_crc32c(0, message, length));
	sender.send(sender.peer, message, length + CHECK);
}

#define MORE_TIME_MS 5000u /* how long an operation takes at most, besides the time that an option sets */
#define UNIT_MS 100u       /* of MPRT */

/* Say once that the command of a slot takes longer. */
static void begin_waiting(struct vssd_mi_slot *slot)
{
	struct response response = {.bytes = slot->response};
	uint64_t time = (slot->ctrl->options->times.format_ms + MORE_TIME_MS) / UNIT_MS;

	fail(&response, NVME_MI_STATUS_MORE_PROCESSING_REQUIRED);
	put_word(slot->response + HEADER,
		 NVME_MI_STATUS_MORE_PROCESSING_REQUIRED | (uint32_t)(time < UINT16_MAX ? time : UINT16_MAX) << 16);
	emit(slot->sender, slot->response, response.length);
	slot->is_told = true;
}

/* Send what a slot has to say: the response that it holds, or that its command takes longer. */
static void release(struct vssd_mi_slot *slot)
{
	if (slot->is_executing && !slot->is_told)
		begin_waiting(slot);
	if (slot->is_held)
		emit(slot->sender, slot->response, slot->length);
	slot->is_held = false;
}

/* ---- control primitives: section 4.2.1 ---- */

#define STATE_PROCESS 0x2u      /* SSTA: the slot has a command that is being executed */
#define STATE_TRANSMIT 0x3u     /* SSTA: the slot has a response that is held */
#define NOT_IDLE 0x8u           /* CMNICS: a command came for a slot that was not idle */
#define BAD_CHECK 0x10u         /* BMICE */
#define SUBSYSTEM_RESET 0x4000u /* NSSRO */
#define PAUSED 0x8000u          /* PFLG */
#define PAUSED_SLOTS 0x3u       /* of Pause: the flags of both slots */
#define CLEARS_ERRORS 0x1u      /* CESF of Get State */
#define REPLAYS 0x1u            /* RR of Replay */
#define PARTLY_DONE 0x2u        /* CPAS of Abort */
#define PRIMITIVE 8u            /* bytes of a control primitive, and of its response */

/* Execute Abort: the slot becomes idle, and has no response to replay. An activation of firmware goes on. Returns
 * CPSR. */
static uint16_t abort_slot(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, struct vssd_ctrl *ctrl)
{
	bool was_executing = slot->is_executing;

	endpoint->is_paused = false;
	slot->is_executing = slot->is_held = false;
	slot->length = 0;
	if (was_executing)
		vssd_format_abort(ctrl->subsystem, &endpoint->listener, slot->cid, NVME_SC_ABORT_REQUESTED);
	return was_executing ? PARTLY_DONE : 0;
}

static uint16_t get_state(struct vssd_mi_endpoint *endpoint, const struct vssd_mi_slot *slot, uint16_t parameter)
{
	uint16_t state = (uint16_t)(endpoint->errors | (endpoint->is_paused ? PAUSED : 0) |
				    (slot->is_held        ? STATE_TRANSMIT
				     : slot->is_executing ? STATE_PROCESS
							  : 0));

	if (parameter & CLEARS_ERRORS)
		endpoint->errors = 0;
	return state;
}

/* Execute a control primitive, and send its response before those that it releases. */
static void execute_primitive(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, struct vssd_ctrl *ctrl,
			      const uint8_t *request, struct vssd_mi_sender sender)
{
	uint16_t parameter = (uint16_t)(request[6] | request[7] << 8), result = 0;
	uint8_t response[PRIMITIVE + CHECK] = {TYPE, (request[1] & SLOT) | ROR, 0,
					       0,    NVME_MI_STATUS_SUCCESS,    request[5]};
	bool replays = false;

	switch (request[HEADER]) {
	case NVME_MI_PRIMITIVE_PAUSE:
		endpoint->is_paused = true;
		result = PAUSED_SLOTS;
		break;
	case NVME_MI_PRIMITIVE_RESUME:
		endpoint->is_paused = false;
		break;
	case NVME_MI_PRIMITIVE_ABORT:
		result = abort_slot(endpoint, slot, ctrl);
		break;
	case NVME_MI_PRIMITIVE_GET_STATE:
		result = get_state(endpoint, slot, parameter);
		break;
	case NVME_MI_PRIMITIVE_REPLAY:
		/* Messages are not divided into packets, so only a whole one can be sent again. */
		if (parameter)
			response[HEADER] = NVME_MI_STATUS_INVALID_PARAMETER;
		replays = !parameter && slot->length;
		result = replays ? REPLAYS : 0;
		break;
	default:
		response[HEADER] = NVME_MI_STATUS_INVALID_OPCODE;
	}
	response[6] = (uint8_t)result;
	response[7] = (uint8_t)(result >> 8);
	emit(sender, response, PRIMITIVE);
	if (replays) {
		slot->is_held = true;
		slot->sender = sender;
	}
	for (unsigned i = 0; i < VSSD_MI_SLOTS && !endpoint->is_paused; i++)
		release(&endpoint->slots[i]);
}

/* ---- completions that come later ---- */

static bool is_ready(const struct vssd_listener *listener)
{
	(void)listener;
	return true;
}

/* The operation of a slot has ended. That of a slot which was aborted meanwhile has no response. */
static void complete(struct vssd_listener *listener, uint16_t cid, uint16_t status)
{
	struct vssd_mi_endpoint *endpoint = (struct vssd_mi_endpoint *)listener;

	for (unsigned i = 0; i < VSSD_MI_SLOTS; i++) {
		struct vssd_mi_slot *slot = &endpoint->slots[i];
		struct response response = {.bytes = slot->response};

		if (!slot->is_executing || slot->cid != cid)
			continue;
		conclude(&response, slot->ctrl, status, 0);
		slot->length = response.length;
		slot->is_executing = false;
		slot->is_held = true;
		if (!endpoint->is_paused)
			release(slot);
	}
}

/* A reset of the subsystem, or the loss of power, has ended operations without a completion: their slots are idle. */
static void forget_lost(struct vssd_mi_endpoint *endpoint, const struct vssd_subsystem *subsystem)
{
	const struct vssd_firmware *firmware = &subsystem->firmware;
	const struct vssd_format *format = &subsystem->format;

	for (unsigned i = 0; i < VSSD_MI_SLOTS; i++) {
		struct vssd_mi_slot *slot = &endpoint->slots[i];
		bool formats = format->running && format->owner == &endpoint->listener && format->cid == slot->cid;
		bool activates = vssd_firmware_is_starting(firmware) && firmware->owner == &endpoint->listener &&
				 firmware->cid == slot->cid;

		if (!formats && !activates)
			slot->is_executing = false;
	}
}

void vssd_mi_forget(struct vssd_mi_endpoint *endpoint, int peer)
{
	for (unsigned i = 0; i < VSSD_MI_SLOTS; i++)
		if (endpoint->slots[i].sender.peer == peer)
			endpoint->slots[i].sender.peer = -1;
}

static const struct vssd_listener_ops endpoint_ops = {.is_ready = is_ready, .complete = complete};

/* ---- messages ---- */

/* Execute a command, whose response stays in its slot. */
static void execute_command(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, struct vssd_ctrl *ctrl,
			    const uint8_t *request, uint32_t end)
{
	struct response response = {.bytes = slot->response};

	memcpy(slot->response, request, 2);
	slot->response[1] = (slot->response[1] & (NMIMT_MASK << NMIMT_SHIFT | SLOT)) | ROR;
	slot->response[2] = slot->response[3] = 0;
	if (request[BUFFER_AT] & MEB)
		fail_at(&response, BUFFER_AT); /* there is none */
	else if ((request[1] >> NMIMT_SHIFT & NMIMT_MASK) == NVME_MI_TYPE_COMMAND)
		execute_mi(ctrl, request, end, &response);
	else if ((request[1] >> NMIMT_SHIFT & NMIMT_MASK) == NVME_MI_TYPE_ADMIN)
		execute_admin(endpoint, slot, ctrl, request, end, &response);
	else
		fail(&response, NVME_MI_STATUS_INVALID_OPCODE);
	slot->length = response.is_later ? 0 : response.length;
	slot->is_executing = response.is_later;
	slot->is_told = false;
	slot->is_held = !response.is_later;
	slot->cid = endpoint->last_cid;
}

/* Execute a command, and send its response, or that there will be one. */
static void answer(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, struct vssd_ctrl *ctrl,
		   const uint8_t *request, uint32_t end)
{
	execute_command(endpoint, slot, ctrl, request, end);
	if (!endpoint->is_paused)
		release(slot);
}

/* A power cycle or a reset of the subsystem ends all that the endpoint had and was: the next message finds a new one.
 * The reset is an event of Get State. */
static void start_again(struct vssd_mi_endpoint *endpoint, const struct vssd_management *state)
{
	if (endpoint->resets == state->resets)
		return;
	for (unsigned i = 0; i < VSSD_MI_SLOTS; i++) {
		endpoint->slots[i].is_held = endpoint->slots[i].is_executing = false;
		endpoint->slots[i].length = 0;
	}
	endpoint->is_paused = false;
	endpoint->errors = state->was_subsystem_reset ? SUBSYSTEM_RESET : 0;
	endpoint->resets = state->resets;
}

void vssd_mi_message(struct vssd_mi_endpoint *endpoint, struct vssd_ctrl *ctrl, const uint8_t *request,
		     uint32_t length, struct vssd_mi_sender sender)
{
	uint32_t end = length - CHECK;
	struct vssd_mi_slot *slot;

	if (length < HEADER + 4 + CHECK || request[0] != TYPE || request[1] & ROR || !ctrl->subsystem->power)
		return;
	endpoint->listener.ops = &endpoint_ops;
	start_again(endpoint, &vssd_mi_controller(ctrl, VSSD_MI_FIRST)->features.management);
	forget_lost(endpoint, ctrl->subsystem);
	slot = &endpoint->slots[request[1] & SLOT];
	if (pyn_crc32c(0, request, end) != word(request + end)) {
		endpoint->errors |= BAD_CHECK;
		return;
	}
	if ((request[1] >> NMIMT_SHIFT & NMIMT_MASK) == NVME_MI_TYPE_PRIMITIVE) {
		execute_primitive(endpoint, slot, ctrl, request, sender);
	} else if (slot->is_held || slot->is_executing) {
		endpoint->errors |= NOT_IDLE;
	} else {
		slot->sender = sender;
		slot->ctrl = ctrl;
		answer(endpoint, slot, ctrl, request, end);
	}
}
