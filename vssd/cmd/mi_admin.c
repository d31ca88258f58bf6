/* SPDX-License-Identifier: BSD-3-Clause */
/* Admin commands out of band. NVM Express Management Interface Specification 2.0, section 6. */
#include <stdlib.h>
#include <string.h>

#include "spec/nvme_data.h"
#include "vssd/cmd/dispatch.h"
#include "vssd/cmd/fault.h"
#include "vssd/cmd/mi_message.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

#define REQUEST 68u                    /* header, and a submission queue entry with an offset and a length in it */
#define RESPONSE 20u                   /* header, status, three dwords of the completion */
#define FIRST_VENDOR 0xc0u             /* feature */
#define WHOLE_MOST (UINT64_C(4) << 20) /* bytes that a command returns, of which the response has a part */
#define DIRECTION 0x3u                 /* of an opcode: which way the data go */
#define TO_DRIVE 0x1u
#define FROM_DRIVE 0x2u

/* Fields of a request: the byte that an Invalid Parameter Error Response names. */
enum { NSID_AT = 8, DOFST_AT = 28, DLEN_AT = 32, CDW10_AT = 44 };

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
static uint32_t room_of(const struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd, uint32_t most)
{
	if ((cmd->opc & DIRECTION) != FROM_DRIVE)
		return most;
	return (uint32_t)(ctrl->transfers.most < WHOLE_MOST ? ctrl->transfers.most : WHOLE_MOST);
}

/* The controller that an admin command is for, whose data are length bytes in the request, or a part of the response.
 * NULL: the request is not well formed or prohibited, and this is its response. Section 6.2. */
static struct vssd_ctrl *target_of(const struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd, const uint8_t *body,
				   uint32_t length, struct vssd_mi_response *response)
{
	uint32_t offset = vssd_mi_word(body + DOFST_AT), wanted = vssd_mi_word(body + DLEN_AT);
	bool in_buffer = body[VSSD_MI_MEB_AT] & VSSD_MI_MEB;
	uint32_t most = in_buffer ? VSSD_MI_BUFFER : VSSD_MI_MOST_DATA;
	struct vssd_ctrl *target = vssd_mi_controller(ctrl, vssd_mi_word(body + VSSD_MI_OPCODE_AT) >> 16);
	enum vssd_mi_permission permission = vssd_mi_permission(cmd->opc);

	if (permission == VSSD_MI_PROHIBITED)
		vssd_mi_fail_at(response, VSSD_MI_OPCODE_AT);
	else if (permission == VSSD_MI_UNLISTED || (target && !vssd_admin_command(target, cmd->opc)))
		vssd_mi_fail(response, NVME_MI_STATUS_INVALID_OPCODE);
	else if (!target)
		vssd_mi_fail_at(response, VSSD_MI_CTLID_AT);
	else if (in_buffer && !vssd_mi_has_admin(target, cmd->opc, true))
		vssd_mi_fail_at(response, VSSD_MI_MEB_AT);
	else if (!is_allowed(cmd))
		vssd_mi_fail_at(response, CDW10_AT);
	else if (wanted > most || wanted > room_of(target, cmd, most))
		vssd_mi_fail_at(response, DLEN_AT);
	else if (offset > room_of(target, cmd, most) - wanted)
		vssd_mi_fail_at(response, DOFST_AT);
	else if ((in_buffer && length) ||
		 !has_data(cmd, wanted, in_buffer && (cmd->opc & DIRECTION) == TO_DRIVE ? wanted : length))
		vssd_mi_fail(response, NVME_MI_STATUS_INVALID_INPUT_SIZE);
	else
		return target;
	return NULL;
}

/* Write the response to an admin command that has ended, and let the rules of its completion change it. */
static void conclude(struct vssd_mi_endpoint *endpoint, const struct vssd_mi_slot *slot,
		     const struct vssd_fault_occasion *occasion, const struct vssd_edits *edits, uint16_t status,
		     uint64_t result, struct vssd_mi_response *response)
{
	uint32_t cqe[4] = {(uint32_t)result, (uint32_t)(result >> 32), 0,
			   status ? (uint32_t)vssd_status_field(slot->ctrl, status) << 16 : 0};

	response->times = 1;
	if (vssd_fault_of_commands(slot->ctrl)) {
		response->times = vssd_faulty_respond(slot->ctrl, &endpoint->listener, occasion, status, edits, cqe);
		response->is_late = response->times == 0;
	}
	vssd_mi_fail(response, NVME_MI_STATUS_SUCCESS);
	vssd_mi_put_word(response->bytes + 8, cqe[0]);
	vssd_mi_put_word(response->bytes + 12, cqe[1]);
	vssd_mi_put_word(response->bytes + 16, cqe[3]);
	response->length = RESPONSE;
}

void vssd_mi_admin_end(struct vssd_mi_endpoint *endpoint, const struct vssd_mi_slot *slot, uint16_t status,
		       struct vssd_mi_response *response)
{
	const struct vssd_fault_occasion occasion = {.sqe = slot->sqe, .queue = VSSD_FAULT_QUEUE_OUT_OF_BAND};

	conclude(endpoint, slot, &occasion, NULL, status, 0, response);
}

/* Put the data that a command returns where the request wants them. */
static void return_data(struct vssd_mi_endpoint *endpoint, const struct vssd_local *local, const uint8_t *body,
			struct vssd_mi_response *response)
{
	const uint8_t *data = local->memory + vssd_mi_word(body + DOFST_AT);
	uint32_t length = vssd_mi_word(body + DLEN_AT);

	if (body[VSSD_MI_MEB_AT] & VSSD_MI_MEB) {
		vssd_mi_buffer_fill(&endpoint->buffer, data, length);
		response->bytes[VSSD_MI_MEB_AT] |= VSSD_MI_MEB;
		return;
	}
	memcpy(response->bytes + response->length, data, length);
	response->length += length;
}

/* Execute a command, whose data are in memory. */
static void run(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, struct vssd_request *request,
		const struct vssd_local *local, const uint8_t *body, struct vssd_mi_response *response)
{
	struct vssd_fault_plan plan;
	const struct vssd_fault_occasion *occasion;
	struct vssd_fault_occasion unmatched = {.sqe = slot->sqe, .queue = VSSD_FAULT_QUEUE_OUT_OF_BAND};
	uint16_t status;

	vssd_request_init(request, slot->ctrl, &slot->ctrl->queues.sq[0]);
	request->local = local;
	memcpy(slot->sqe, &request->cmd, sizeof(slot->sqe));
	status = vssd_execute(&plan, request);
	occasion = plan.request ? &plan.occasion : &unmatched;
	if (status == VSSD_LATER)
		return;
	if (status == VSSD_FAULT_GONE_STATUS) {
		response->is_silent = true;
		return;
	}
	if (status)
		vssd_command_failed(request, status);
	conclude(endpoint, slot, occasion, plan.request ? &plan.edits : NULL, status, request->result, response);
	if (!status && (body[VSSD_MI_OPCODE_AT] & DIRECTION) == FROM_DRIVE)
		return_data(endpoint, local, body, response);
}

void vssd_mi_admin(struct vssd_mi_endpoint *endpoint, struct vssd_mi_slot *slot, const struct vssd_ctrl *ctrl,
		   const uint8_t *body, uint32_t length, struct vssd_mi_response *response)
{
	struct vssd_request request = {.cmd = {.opc = body[VSSD_MI_OPCODE_AT], .cid = ++endpoint->last_cid}};
	struct vssd_local local = {.owner = &endpoint->listener};
	bool in_buffer = body[VSSD_MI_MEB_AT] & VSSD_MI_MEB;

	if (length < REQUEST) {
		vssd_mi_fail(response, NVME_MI_STATUS_INVALID_COMMAND_SIZE);
		return;
	}
	length -= REQUEST;
	request.cmd.nsid = vssd_mi_word(body + NSID_AT);
	request.cmd.cdw2 = vssd_mi_word(body + NSID_AT + 4);
	request.cmd.cdw3 = vssd_mi_word(body + NSID_AT + 8);
	memcpy(&request.cmd.cdw10, body + CDW10_AT, 6 * sizeof(uint32_t));
	slot->ctrl = target_of(ctrl, &request.cmd, body, length, response);
	if (!slot->ctrl)
		return;
	if (in_buffer && (request.cmd.opc & DIRECTION) == TO_DRIVE)
		length = vssd_mi_word(body + DLEN_AT);
	if (length && in_buffer && endpoint->buffer.is_sanitized) {
		vssd_mi_fail(response, NVME_MI_STATUS_SANITIZED_DATA);
		return;
	}
	local.length = (request.cmd.opc & DIRECTION) == FROM_DRIVE
			       ? room_of(slot->ctrl, &request.cmd, VSSD_MI_MOST_DATA)
			       : length;
	local.memory = calloc(1, local.length + 1);
	if (!local.memory) {
		vssd_mi_fail(response, NVME_MI_STATUS_INTERNAL_ERROR);
		return;
	}
	memcpy(local.memory, in_buffer ? endpoint->buffer.bytes : body + REQUEST, length);
	response->times = 0;
	run(endpoint, slot, &request, &local, body, response);
	free(local.memory);
}
