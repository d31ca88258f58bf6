/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of the Management Interface out of band. NVM Express Management Interface Specification 2.0, sections 3.1
 * (format), 4.1 (responses), 4.2.1 (control primitives) and 5 (commands of the interface). */
#include "vssd/cmd/mi_message.h"

#include <string.h>

#include "core/util/crc32c.h"
#include "vssd/cmd/lockdown.h"
#include "vssd/ctrl/controller.h"

#define HEADER VSSD_MI_HEADER
#define CHECK 4u   /* bytes of the message integrity check */
#define TYPE 0x84u /* NVMe-MI, with an integrity check */
#define ROR 0x80u  /* a response */
#define SLOT 0x1u  /* CSI */
#define NMIMT_SHIFT 3u
#define NMIMT_MASK 0xfu
#define MI_REQUEST 16u /* header, opcode, two dwords */

static void execute_mi(struct vssd_mi_endpoint *endpoint, struct vssd_ctrl *ctrl, const uint8_t *body,
		       uint32_t length, struct vssd_mi_response *response)
{
	uint8_t *data = response->bytes + HEADER + 4;
	struct vssd_mi_command command = {.out = data, .buffer = &endpoint->buffer};
	uint8_t status;

	if (length < MI_REQUEST) {
		vssd_mi_fail(response, NVME_MI_STATUS_INVALID_COMMAND_SIZE);
		return;
	}
	if (vssd_lockdown_denies(ctrl, NVME_LOCKDOWN_MI, body[HEADER])) {
		vssd_mi_fail(response, NVME_MI_STATUS_ACCESS_DENIED);
		return;
	}
	memset(data, 0, VSSD_MI_MOST_DATA);
	command.opcode = body[HEADER];
	command.nmd0 = vssd_mi_word(body + 8);
	command.nmd1 = vssd_mi_word(body + 12);
	command.in = body + MI_REQUEST;
	command.in_length = length - MI_REQUEST;
	status = vssd_mi_execute(ctrl, &command);
	vssd_mi_fail(response, status);
	vssd_mi_put_word(response->bytes + HEADER, command.response << 8 | status);
	response->length += status ? 0 : command.out_length;
	response->is_silent = command.is_silent;
}

/* ---- responses, and commands that end later: section 4.1.2.3 ---- */

static void emit(struct vssd_mi_sender sender, uint8_t *message, uint32_t length)
{
	vssd_mi_put_word(message + length, pyn_crc32c(0, message, length));
	sender.send(sender.peer, message, length + CHECK);
}

#define MORE_TIME_MS 5000u /* how long an operation takes at most, besides the time that an option sets */
#define UNIT_MS 100u       /* of MPRT */

/* Say once that the command of a slot takes longer. */
static void begin_waiting(struct vssd_mi_slot *slot)
{
	struct vssd_mi_response response = {.bytes = slot->response};
	uint64_t time = (slot->ctrl->options->times.format_ms + MORE_TIME_MS) / UNIT_MS;

	vssd_mi_fail(&response, NVME_MI_STATUS_MORE_PROCESSING_REQUIRED);
	vssd_mi_put_word(slot->response + HEADER, NVME_MI_STATUS_MORE_PROCESSING_REQUIRED |
							  (uint32_t)(time < UINT16_MAX ? time : UINT16_MAX) << 16);
	emit(slot->sender, slot->response, response.length);
	slot->is_told = true;
}

/* Send what a slot has to say: the response that it holds, or that its command takes longer. */
static void release(struct vssd_mi_slot *slot)
{
	if (slot->is_executing && !slot->is_told)
		begin_waiting(slot);
	for (unsigned i = 0; slot->is_held && i < slot->times; i++)
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
	bool was_executing = slot->is_executing && !slot->is_late;

	endpoint->is_paused = false;
	slot->is_executing = slot->is_held = slot->is_late = false;
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
		replays = !parameter && slot->length && !slot->is_late;
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
		slot->times = 1;
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

/* The command of a slot has ended: its response is here. */
static void settle(struct vssd_mi_slot *slot, const struct vssd_mi_response *response)
{
	slot->length = response->length;
	slot->times = response->times;
	slot->is_late = response->is_late;
	slot->is_executing = response->is_late;
	slot->is_told = response->is_late;
	slot->is_held = !response->is_late;
}

/* The operation of a slot has ended, or a fault rule does not keep its response any longer. That of a slot which was
 * aborted meanwhile has no response. */
static void complete(struct vssd_listener *listener, uint16_t cid, uint16_t status)
{
	struct vssd_mi_endpoint *endpoint = (struct vssd_mi_endpoint *)listener;

	for (unsigned i = 0; i < VSSD_MI_SLOTS; i++) {
		struct vssd_mi_slot *slot = &endpoint->slots[i];
		struct vssd_mi_response response = {.bytes = slot->response, .length = slot->length, .times = 1};

		if (!slot->is_executing || slot->cid != cid)
			continue;
		if (!slot->is_late)
			vssd_mi_admin_end(endpoint, slot, status, &response);
		settle(slot, &response);
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

		if (!formats && !activates && !slot->is_late)
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
	struct vssd_mi_response response = {.bytes = slot->response, .times = 1};
	unsigned type = request[1] >> NMIMT_SHIFT & NMIMT_MASK;

	memcpy(slot->response, request, 2);
	slot->response[1] = (slot->response[1] & (NMIMT_MASK << NMIMT_SHIFT | SLOT)) | ROR;
	slot->response[2] = slot->response[3] = 0;
	if (type == NVME_MI_TYPE_ADMIN)
		vssd_mi_admin(endpoint, slot, ctrl, request, end, &response);
	else if (request[VSSD_MI_MEB_AT] & VSSD_MI_MEB)
		vssd_mi_fail_at(&response, VSSD_MI_MEB_AT); /* no other commands use it */
	else if (type == NVME_MI_TYPE_COMMAND)
		execute_mi(endpoint, ctrl, request, end, &response);
	else if (type == NVME_MI_TYPE_PCIE)
		vssd_mi_pcie(ctrl, request, end, &response);
	else
		vssd_mi_fail(&response, NVME_MI_STATUS_INVALID_OPCODE);
	slot->cid = endpoint->last_cid;
	if (response.is_silent) {
		slot->length = 0;
		return;
	}
	settle(slot, &response);
	if (response.times || response.is_late)
		return;
	slot->is_executing = true;
	slot->is_held = false;
	slot->length = 0;
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
		endpoint->slots[i].is_held = endpoint->slots[i].is_executing = endpoint->slots[i].is_late = false;
		endpoint->slots[i].length = 0;
	}
	vssd_mi_buffer_clear(&endpoint->buffer);
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
	vssd_mi_buffer_begin(&endpoint->buffer, ctrl->subsystem->sanitize.started);
	slot = &endpoint->slots[request[1] & SLOT];
	if (pyn_crc32c(0, request, end) != vssd_mi_word(request + end)) {
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
