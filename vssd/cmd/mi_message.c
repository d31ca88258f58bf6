/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of the Management Interface out of band. NVM Express Management Interface Specification 2.0, sections 3.1
 * (format), 4.1 (responses), 5 (commands of the interface) and 6 (admin commands). */
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
#define MI_REQUEST 16u    /* header, opcode, two dwords */
#define ADMIN_REQUEST 68u /* header, and a submission queue entry with an offset and a length in it */
#define FIRST_VENDOR_FEATURE 0xc0u
#define ADMIN_RESPONSE 20u /* header, status, three dwords of the completion */
#define DIRECTION 0x3u     /* of an opcode: which way the data go */
#define TO_DRIVE 0x1u
#define FROM_DRIVE 0x2u

enum message_type { CONTROL_PRIMITIVE, MI_COMMAND, ADMIN_COMMAND };

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
		return fid >= FIRST_VENDOR_FEATURE;
	}
}

/* Whether the endpoint has an admin command, if the drive does. NVMe-MI 1.2, section 6: those of queues, of events,
 * Abort and Keep Alive are prohibited. */
static bool has_command(const struct vssd_ctrl *ctrl, uint8_t opcode)
{
	switch (opcode) {
	case NVME_ADMIN_GET_LOG_PAGE:
	case NVME_ADMIN_IDENTIFY:
	case NVME_ADMIN_SET_FEATURES:
	case NVME_ADMIN_GET_FEATURES:
	case NVME_ADMIN_NS_MANAGEMENT:
	case NVME_ADMIN_FW_COMMIT:
	case NVME_ADMIN_FW_DOWNLOAD:
	case NVME_ADMIN_SELF_TEST:
	case NVME_ADMIN_NS_ATTACHMENT:
	case NVME_ADMIN_FORMAT_NVM:
	case NVME_ADMIN_SECURITY_SEND:
	case NVME_ADMIN_SECURITY_RECEIVE:
	case NVME_ADMIN_SANITIZE:
		return vssd_admin_command(ctrl, opcode) != NULL;
	default:
		return false;
	}
}

/* How many bytes of data a command needs, of which the request says that it has so many (DLEN). */
static uint64_t needed(const struct nvme_cmd *cmd, uint32_t dlen)
{
	switch (cmd->opc) {
	case NVME_ADMIN_SET_FEATURES:
		return dlen; /* the feature checks them */
	case NVME_ADMIN_NS_MANAGEMENT:
		return nvme_get_field(cmd, NVME_FIELD_NS_MANAGEMENT_SEL) == NVME_NS_DELETE
			       ? 0
			       : sizeof(struct nvme_ns_management_data);
	case NVME_ADMIN_NS_ATTACHMENT:
		return sizeof(struct nvme_ctrl_list);
	case NVME_ADMIN_FW_DOWNLOAD:
		return (nvme_get_field(cmd, NVME_FIELD_FW_DOWNLOAD_NUMD) + 1) * 4;
	default:
		return nvme_get_field(cmd, NVME_FIELD_SECURITY_SEND_TL);
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

/* Check an admin command, whose data are length bytes in the request, or a part of the response. Returns a status of
 * enum nvme_mi_status. */
static uint8_t check_admin(const struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd, const uint8_t *body,
			   uint32_t length)
{
	uint32_t offset = word(body + 28), wanted = word(body + 32);

	if (!has_command(ctrl, cmd->opc))
		return NVME_MI_STATUS_INVALID_OPCODE;
	if (!is_allowed(cmd) || body[6] != (uint8_t)vssd_cntlid(&ctrl->listener) || body[7] ||
	    offset > VSSD_MI_MOST_DATA || wanted > VSSD_MI_MOST_DATA - offset)
		return NVME_MI_STATUS_INVALID_PARAMETER;
	return has_data(cmd, wanted, length) ? NVME_MI_STATUS_SUCCESS : NVME_MI_STATUS_INVALID_INPUT_SIZE;
}

/* The response to an admin command that has ended. */
static void conclude(struct response *response, uint16_t status, uint64_t result)
{
	fail(response, NVME_MI_STATUS_SUCCESS);
	put_word(response->bytes + 8, (uint32_t)result);
	put_word(response->bytes + 12, (uint32_t)(result >> 32));
	put_word(response->bytes + 16, (uint32_t)status << 17);
	response->length = ADMIN_RESPONSE;
}

static void execute_admin(struct vssd_mi_endpoint *endpoint, struct vssd_ctrl *ctrl, const uint8_t *body,
			  uint32_t length, struct response *response)
{
	uint8_t data[VSSD_MI_MOST_DATA] = {0};
	const struct vssd_local local = {data, sizeof(data), &endpoint->listener};
	struct vssd_request request = {.cmd = {.opc = body[HEADER], .cid = ++endpoint->last_cid}};
	uint16_t status;
	uint8_t fault;

	if (length < ADMIN_REQUEST) {
		fail(response, NVME_MI_STATUS_INVALID_COMMAND_SIZE);
		return;
	}
	request.cmd.nsid = word(body + 8);
	memcpy(&request.cmd.cdw10, body + 44, 6 * sizeof(uint32_t));
	fault = check_admin(ctrl, &request.cmd, body, length - ADMIN_REQUEST);
	if (fault) {
		fail(response, fault);
		return;
	}
	memcpy(data, body + ADMIN_REQUEST, length - ADMIN_REQUEST);
	vssd_request_init(&request, ctrl, &ctrl->queues.sq[0]);
	request.local = &local;
	status = vssd_execute(&request);
	response->is_later = status == VSSD_LATER;
	conclude(response, status, request.result);
	if (status || (request.cmd.opc & DIRECTION) != FROM_DRIVE)
		return;
	memcpy(response->bytes + ADMIN_RESPONSE, data + word(body + 28), word(body + 32));
	response->length += word(body + 32);
}

/* ---- control primitives: section 4.2.1 ---- */

enum primitive { PAUSE, RESUME, ABORT, GET_STATE, REPLAY };

#define STATE_PROCESS 0x2u  /* SSTA: the slot has a command that is being executed */
#define STATE_TRANSMIT 0x3u /* SSTA: the slot has a response that is held */
#define NOT_IDLE 0x8u       /* CMNICS: a command came for a slot that was not idle */
#define BAD_CHECK 0x10u     /* BMICE */
#define PAUSED 0x8000u      /* PFLG */
#define PAUSED_SLOTS 0x3u   /* of Pause: the flags of both slots */
#define CLEARS_ERRORS 0x1u  /* CESF of Get State */
#define REPLAYS 0x1u        /* RR of Replay */
#define PARTLY_DONE 0x2u    /* CPAS of Abort */
#define PRIMITIVE 8u        /* bytes of a control primitive, and of its response */

static void emit(struct vssd_mi_sender sender, uint8_t *message, uint32_t length)
{
	put_word(message + length, pyn_crc32c(0, message, length));
	sender.send(sender.peer, message, length + CHECK);
}

/* Send the response that a slot holds. */
static void release(struct vssd_mi_slot *slot, struct vssd_mi_sender sender)
{
	if (slot->is_held)
		emit(sender, slot->response, slot->length);
	slot->is_held = false;
}

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
	uint8_t response[PRIMITIVE + CHECK] = {request[0], request[1] | ROR,       0,
					       0,          NVME_MI_STATUS_SUCCESS, request[5]};
	bool replays = false;

	switch (request[HEADER]) {
	case PAUSE:
		endpoint->is_paused = true;
		result = PAUSED_SLOTS;
		break;
	case RESUME:
		endpoint->is_paused = false;
		break;
	case ABORT:
		result = abort_slot(endpoint, slot, ctrl);
		break;
	case GET_STATE:
		result = get_state(endpoint, slot, parameter);
		break;
	case REPLAY:
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
	if (replays)
		slot->is_held = true;
	for (unsigned i = 0; i < VSSD_MI_SLOTS && !endpoint->is_paused; i++)
		release(&endpoint->slots[i], sender);
}

/* ---- commands that end later: section 4.1.2.3 ---- */

#define MORE_TIME_MS 5000u /* how long an operation takes at most, besides the time that an option sets */
#define UNIT_MS 100u       /* of MPRT */

/* Say that the command of a slot takes longer. */
static void begin_waiting(struct vssd_mi_slot *slot, const struct vssd_ctrl *ctrl, struct vssd_mi_sender sender)
{
	struct response response = {.bytes = slot->response};
	uint64_t time = (ctrl->options->times.format_ms + MORE_TIME_MS) / UNIT_MS;

	fail(&response, NVME_MI_STATUS_MORE_PROCESSING_REQUIRED);
	put_word(slot->response + HEADER,
		 NVME_MI_STATUS_MORE_PROCESSING_REQUIRED | (uint32_t)(time < UINT16_MAX ? time : UINT16_MAX) << 16);
	emit(sender, slot->response, response.length);
}

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
		conclude(&response, status, 0);
		slot->length = response.length;
		slot->is_executing = false;
		slot->is_held = true;
		if (!endpoint->is_paused)
			release(slot, slot->sender);
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

	memcpy(slot->response, request, HEADER);
	slot->response[1] |= ROR;
	switch (request[1] >> NMIMT_SHIFT & NMIMT_MASK) {
	case MI_COMMAND:
		execute_mi(ctrl, request, end, &response);
		break;
	case ADMIN_COMMAND:
		execute_admin(endpoint, ctrl, request, end, &response);
		break;
	default:
		fail(&response, NVME_MI_STATUS_INVALID_OPCODE);
		break;
	}
	slot->length = response.is_later ? 0 : response.length;
	slot->is_executing = response.is_later;
	slot->is_held = !response.is_later;
	slot->cid = endpoint->last_cid;
}

/* Execute a command, and send its response, or that there will be one. */
static void answer(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, struct vssd_ctrl *ctrl,
		   const uint8_t *request, uint32_t end, struct vssd_mi_sender sender)
{
	slot->sender = sender;
	execute_command(endpoint, slot, ctrl, request, end);
	if (endpoint->is_paused)
		return;
	if (slot->is_executing)
		begin_waiting(slot, ctrl, sender);
	release(slot, sender);
}

void vssd_mi_message(struct vssd_mi_endpoint *endpoint, struct vssd_ctrl *ctrl, const uint8_t *request,
		     uint32_t length, struct vssd_mi_sender sender)
{
	uint32_t end = length - CHECK;
	struct vssd_mi_slot *slot;

	if (length < HEADER + 4 + CHECK || request[0] != TYPE || request[1] & ROR)
		return;
	endpoint->listener.ops = &endpoint_ops;
	forget_lost(endpoint, ctrl->subsystem);
	slot = &endpoint->slots[request[1] & SLOT];
	if (pyn_crc32c(0, request, end) != word(request + end)) {
		endpoint->errors |= BAD_CHECK;
		return;
	}
	if ((request[1] >> NMIMT_SHIFT & NMIMT_MASK) == CONTROL_PRIMITIVE) {
		execute_primitive(endpoint, slot, ctrl, request, sender);
	} else if (slot->is_held || slot->is_executing) {
		endpoint->errors |= NOT_IDLE;
	} else {
		answer(endpoint, slot, ctrl, request, end, sender);
	}
}
