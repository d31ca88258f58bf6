/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of the Management Interface out of band. NVM Express Management Interface Specification 2.0, sections 3.1
 * (format), 4.1 (responses), 5 (commands of the interface) and 6 (admin commands). */
#include <string.h>

#include "core/util/crc32c.h"
#include "spec/nvme_mi.h"
#include "vssd/cmd/dispatch.h"
#include "vssd/cmd/mi.h"
#include "vssd/ctrl/controller.h"

#define HEADER 4u  /* bytes of the header of each message */
#define CHECK 4u   /* bytes of the message integrity check */
#define TYPE 0x84u /* NVMe-MI, with an integrity check */
#define ROR 0x80u  /* a response */
#define NMIMT_SHIFT 3u
#define NMIMT_MASK 0xfu
#define MI_REQUEST 16u     /* header, opcode, two dwords */
#define ADMIN_REQUEST 68u  /* header, and a submission queue entry with an offset and a length in it */
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

/* Admin commands that read what the drive reports of itself. */
static bool is_allowed(uint8_t opcode)
{
	return opcode == NVME_ADMIN_IDENTIFY || opcode == NVME_ADMIN_GET_LOG_PAGE ||
	       opcode == NVME_ADMIN_GET_FEATURES;
}

static void execute_admin(struct vssd_ctrl *ctrl, const uint8_t *body, uint32_t length, struct response *response)
{
	uint8_t data[VSSD_MI_MOST_DATA] = {0};
	struct vssd_request request = {.cmd = {.opc = body[HEADER]}};
	uint32_t offset, wanted;
	uint16_t status;

	if (length < ADMIN_REQUEST) {
		fail(response, NVME_MI_STATUS_INVALID_COMMAND_SIZE);
		return;
	}
	if (!is_allowed(request.cmd.opc)) {
		fail(response, NVME_MI_STATUS_INVALID_OPCODE);
		return;
	}
	request.cmd.nsid = word(body + 8);
	memcpy(&request.cmd.cdw10, body + 44, 6 * sizeof(uint32_t));
	offset = word(body + 28);
	wanted = word(body + 32);
	if (body[6] != (uint8_t)vssd_cntlid(&ctrl->listener) || body[7] || offset > sizeof(data) ||
	    wanted > sizeof(data) - offset) {
		fail(response, NVME_MI_STATUS_INVALID_PARAMETER);
		return;
	}
	vssd_request_init(&request, ctrl, &ctrl->queues.sq[0]);
	request.local = data;
	request.local_length = sizeof(data);
	status = vssd_execute(&request);
	fail(response, NVME_MI_STATUS_SUCCESS);
	put_word(response->bytes + 8, (uint32_t)request.result);
	put_word(response->bytes + 12, (uint32_t)(request.result >> 32));
	put_word(response->bytes + 16, (uint32_t)status << 17);
	response->length = ADMIN_RESPONSE;
	if (status)
		return;
	memcpy(response->bytes + ADMIN_RESPONSE, data + offset, wanted);
	response->length += wanted;
}

uint32_t vssd_mi_message(struct vssd_ctrl *ctrl, const uint8_t *request, uint32_t length, uint8_t *bytes)
{
	struct response response = {.bytes = bytes};
	uint32_t end = length - CHECK;

	if (length < HEADER + 4 + CHECK || request[0] != TYPE || request[1] & ROR ||
	    pyn_crc32c(0, request, end) != word(request + end))
		return 0;
	memcpy(bytes, request, HEADER);
	bytes[1] |= ROR;
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
	put_word(bytes + response.length, pyn_crc32c(0, bytes, response.length));
	return response.length + CHECK;
}
