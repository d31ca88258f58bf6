/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of the Management Interface out of band. NVM Express Management Interface Specification 2.0, sections 3.1
 * (format), 4.1 (responses), 5 (commands of the interface) and 6 (admin commands). */
#include <string.h>

#include "core/util/crc32c.h"
#include "spec/nvme_mi.h"
#include "vssd/cmd/dispatch.h"
#include "vssd/cmd/lockdown.h"
#include "vssd/cmd/mi.h"
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

enum message_type { CONTROL_PRIMITIVE, MI_COMMAND, ADMIN_COMMAND };

/* A response that is being written. */
struct response {
	uint8_t *bytes;
	uint32_t length;
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

/* Whether the endpoint has an admin command: those that read what the drive reports of itself, or set a feature. */
static bool has_command(uint8_t opcode)
{
	return opcode == NVME_ADMIN_IDENTIFY || opcode == NVME_ADMIN_GET_LOG_PAGE || opcode == NVME_ADMIN_SELF_TEST ||
	       opcode == NVME_ADMIN_GET_FEATURES || opcode == NVME_ADMIN_SET_FEATURES;
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

	if (!has_command(cmd->opc))
		return NVME_MI_STATUS_INVALID_OPCODE;
	if (!is_allowed(cmd) || body[6] != (uint8_t)vssd_cntlid(&ctrl->listener) || body[7] ||
	    offset > VSSD_MI_MOST_DATA || wanted > VSSD_MI_MOST_DATA - offset)
		return NVME_MI_STATUS_INVALID_PARAMETER;
	return length == (cmd->opc == NVME_ADMIN_SET_FEATURES ? wanted : 0) ? NVME_MI_STATUS_SUCCESS
									    : NVME_MI_STATUS_INVALID_INPUT_SIZE;
}

static void execute_admin(struct vssd_ctrl *ctrl, const uint8_t *body, uint32_t length, struct response *response)
{
	uint8_t data[VSSD_MI_MOST_DATA] = {0};
	struct vssd_request request = {.cmd = {.opc = body[HEADER]}};
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
	request.local = data;
	request.local_length = sizeof(data);
	status = vssd_execute(&request);
	fail(response, NVME_MI_STATUS_SUCCESS);
	put_word(response->bytes + 8, (uint32_t)request.result);
	put_word(response->bytes + 12, (uint32_t)(request.result >> 32));
	put_word(response->bytes + 16, (uint32_t)status << 17);
	response->length = ADMIN_RESPONSE;
	if (status || length > ADMIN_REQUEST)
		return;
	memcpy(response->bytes + ADMIN_RESPONSE, data + word(body + 28), word(body + 32));
	response->length += word(body + 32);
}

/* ---- control primitives: section 4.2.1 ---- */

enum primitive { PAUSE, RESUME, ABORT, GET_STATE, REPLAY };

#define STATE_TRANSMIT 0x3u /* SSTA: the slot has a response that is held */
#define NOT_IDLE 0x8u       /* CMNICS: a command came for a slot that was not idle */
#define BAD_CHECK 0x10u     /* BMICE */
#define PAUSED 0x8000u      /* PFLG */
#define PAUSED_SLOTS 0x3u   /* of Pause: the flags of both slots */
#define CLEARS_ERRORS 0x1u  /* CESF of Get State */
#define REPLAYS 0x1u        /* RR of Replay */
#define PRIMITIVE 8u        /* bytes of a control primitive, and of its response */

static void emit(struct vssd_mi_sender sender, uint8_t *message, uint32_t length)
{
	put_word(message + length, pyn_crc32c(0, message, length));
	sender.send(sender.context, message, length + CHECK);
}

/* Send the response that a slot holds. */
static void release(struct vssd_mi_slot *slot, struct vssd_mi_sender sender)
{
	if (slot->is_held)
		emit(sender, slot->response, slot->length);
	slot->is_held = false;
}

/* Execute Abort: the slot becomes idle, and has no response to replay. */
static void abort_slot(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot)
{
	endpoint->is_paused = false;
	slot->is_held = false;
	slot->length = 0;
}

static uint16_t get_state(struct vssd_mi_endpoint *endpoint, const struct vssd_mi_slot *slot, uint16_t parameter)
{
	uint16_t state = (uint16_t)(endpoint->errors | (endpoint->is_paused ? PAUSED : 0) |
				    (slot->is_held ? STATE_TRANSMIT : 0));

	if (parameter & CLEARS_ERRORS)
		endpoint->errors = 0;
	return state;
}

/* Execute a control primitive, and send its response before those that it releases. */
static void execute_primitive(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, const uint8_t *request,
			      struct vssd_mi_sender sender)
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
		abort_slot(endpoint, slot);
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

/* ---- messages ---- */

/* Execute a command, whose response stays in its slot. */
static void execute_command(struct vssd_mi_slot *slot, struct vssd_ctrl *ctrl, const uint8_t *request, uint32_t end)
{
	struct response response = {.bytes = slot->response};

	memcpy(slot->response, request, HEADER);
	slot->response[1] |= ROR;
	switch (request[1] >> NMIMT_SHIFT & NMIMT_MASK) {
	case MI_COMMAND:
		execute_mi(ctrl, request, end, &response);
		break;
	case ADMIN_COMMAND:
		execute_admin(ctrl, request, end, &response);
		break;
	default:
		fail(&response, NVME_MI_STATUS_INVALID_OPCODE);
		break;
	}
	slot->length = response.length;
	slot->is_held = true;
}

void vssd_mi_message(struct vssd_mi_endpoint *endpoint, struct vssd_ctrl *ctrl, const uint8_t *request,
		     uint32_t length, struct vssd_mi_sender sender)
{
	uint32_t end = length - CHECK;
	struct vssd_mi_slot *slot;

	if (length < HEADER + 4 + CHECK || request[0] != TYPE || request[1] & ROR)
		return;
	slot = &endpoint->slots[request[1] & SLOT];
	if (pyn_crc32c(0, request, end) != word(request + end)) {
		endpoint->errors |= BAD_CHECK;
		return;
	}
	if ((request[1] >> NMIMT_SHIFT & NMIMT_MASK) == CONTROL_PRIMITIVE) {
		execute_primitive(endpoint, slot, request, sender);
	} else if (slot->is_held) {
		endpoint->errors |= NOT_IDLE;
	} else {
		execute_command(slot, ctrl, request, end);
		if (!endpoint->is_paused)
			release(slot, sender);
	}
}
