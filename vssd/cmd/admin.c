/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of the admin commands, and queue management. The larger commands have files of their own.
 * NVM Express Base Specification 2.0, section 5; PCIe Transport Specification 1.0, section 3.1.
 *
 * To add a command, write its handler and enter it here with the flags of what dispatch.c must check. Its effects,
 * its first version and the bit of Identify that announces it are in spec/commands.py.
 */
#include "vssd/cmd/admin.h"

#include "vssd/cmd/deferred.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/lockdown.h"
#include "vssd/cmd/mi.h"
#include "vssd/cmd/migration.h"
#include "vssd/cmd/placement.h"
#include "vssd/cmd/table.h"
#include "vssd/cmd/virtual.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/keep_alive.h"

static bool qid_in_range(const struct vssd_ctrl *ctrl, uint64_t qid)
{
	return qid >= 1 && qid <= vssd_virtual_queues(ctrl->subsystem, &ctrl->listener);
}

/* Check what both create commands have in common: cdw10, cdw11.PC and PRP1, the queue's address. granted: the highest
 * QID that feature 07h granted. entry_size: CC.IOSQES or CC.IOCQES; wanted: the value it must have. */
static uint16_t check_create(struct vssd_request *request, uint32_t granted, bool exists, uint64_t entry_size,
			     uint64_t wanted, uint64_t *iova)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t qid = nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_QID);
	uint64_t qsize = nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_QSIZE);

	if (qid == 0 || qid > granted || exists)
		return vssd_refuse(request, NVME_SC_INVALID_QID, VSSD_QID, VSSD_OWN);
	if (qsize == 0 || qsize >= ctrl->options->queue_entries)
		return vssd_refuse(request, NVME_SC_INVALID_QUEUE_SIZE,
				   VSSD_FIELD(NVME_FIELD_CREATE_SQ_QSIZE, "QSIZE"), VSSD_OWN);
	if (entry_size != wanted)
		return vssd_refuse(request, NVME_SC_INVALID_QUEUE_SIZE,
				   VSSD_STATE("CC.IOSQES or CC.IOCQES is not the size of an entry"),
				   VSSD_BASE("3.1.4.5"));
	if (!nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_PC))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_CREATE_SQ_PC, "PC"),
				   VSSD_OWN);
	return vssd_data_queue(request, iova);
}

static uint16_t create_cq(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint16_t qid = (uint16_t)nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_QID);
	uint16_t vector = (uint16_t)nvme_get_field(cmd, NVME_FIELD_CREATE_CQ_IV);
	uint64_t iova;
	bool exists = qid_in_range(ctrl, qid) && ctrl->queues.cq[qid].size;
	uint16_t status = check_create(request, ctrl->queues.num_cqs, exists, NVME_GET(ctrl->regs.cc, NVME_CC_IOCQES),
				       4, &iova);

	if (status)
		return status;
	if (vector >=
	    vssd_virtual_vectors(ctrl->subsystem, &ctrl->listener,
				 vssd_config_irq(ctrl) == VSSD_IRQ_MSI ? VSSD_MSI_VECTORS : ctrl->interrupts.count))
		return vssd_refuse(request, NVME_SC_INVALID_INTERRUPT_VECTOR,
				   VSSD_FIELD(NVME_FIELD_CREATE_CQ_IV, "IV"), VSSD_OWN);
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	vssd_cq_create(ctrl, qid, iova, (uint32_t)nvme_get_field(cmd, NVME_FIELD_CREATE_CQ_QSIZE) + 1, vector,
		       nvme_get_field(cmd, NVME_FIELD_CREATE_CQ_IEN));
	ctrl->queues.made = true;
	return NVME_SC_SUCCESS;
}

static uint16_t create_sq(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint16_t qid = (uint16_t)nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_QID);
	uint16_t cqid = (uint16_t)nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_CQID);
	uint64_t iova;
	bool exists = qid_in_range(ctrl, qid) && ctrl->queues.sq[qid].size;
	uint16_t status = check_create(request, ctrl->queues.num_sqs, exists, NVME_GET(ctrl->regs.cc, NVME_CC_IOSQES),
				       6, &iova);

	if (status)
		return status;
	if (!qid_in_range(ctrl, cqid))
		return vssd_refuse(request, NVME_SC_INVALID_QID, VSSD_FIELD(NVME_FIELD_CREATE_SQ_CQID, "CQID"),
				   VSSD_OWN);
	if (!ctrl->queues.cq[cqid].size)
		return vssd_refuse(request, NVME_SC_CQ_INVALID, VSSD_FIELD(NVME_FIELD_CREATE_SQ_CQID, "CQID"),
				   VSSD_OWN);
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	vssd_sq_create(ctrl, qid, iova, (uint32_t)nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_QSIZE) + 1, cqid,
		       (enum vssd_priority)nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_QPRIO));
	ctrl->queues.made = true;
	return NVME_SC_SUCCESS;
}

static uint16_t delete_sq(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint16_t qid = (uint16_t)nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_QID);

	if (!qid_in_range(ctrl, qid) || !ctrl->queues.sq[qid].size)
		return vssd_refuse(request, NVME_SC_INVALID_QID, VSSD_QID, VSSD_OWN);
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	vssd_faulty_forget_queue(ctrl, qid);
	vssd_deferred_forget_queue(ctrl, qid);
	vssd_sq_delete(ctrl, qid);
	return NVME_SC_SUCCESS;
}

static uint16_t delete_cq(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint16_t qid = (uint16_t)nvme_get_field(cmd, NVME_FIELD_CREATE_SQ_QID);

	if (!qid_in_range(ctrl, qid) || !ctrl->queues.cq[qid].size)
		return vssd_refuse(request, NVME_SC_INVALID_QID, VSSD_QID, VSSD_OWN);
	if (ctrl->queues.cq[qid].users > 0)
		return vssd_refuse(request, NVME_SC_INVALID_QUEUE_DELETION,
				   VSSD_STATE("a submission queue uses the completion queue"), VSSD_OWN);
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	vssd_cq_delete(ctrl, qid);
	return NVME_SC_SUCCESS;
}

static uint16_t keep_alive(struct vssd_request *request)
{
	if (!request->is_trial)
		vssd_keep_alive(request->ctrl);
	return NVME_SC_SUCCESS;
}

#define ANYTIME VSSD_DURING_SANITIZE

const struct vssd_command vssd_admin_commands[256] = {
	[NVME_ADMIN_DELETE_SQ] = {delete_sq, ANYTIME},
	[NVME_ADMIN_CREATE_SQ] = {create_sq, ANYTIME},
	[NVME_ADMIN_GET_LOG_PAGE] = {vssd_get_log_page, ANYTIME},
	[NVME_ADMIN_DELETE_CQ] = {delete_cq, ANYTIME},
	[NVME_ADMIN_CREATE_CQ] = {create_cq, ANYTIME},
	[NVME_ADMIN_IDENTIFY] = {vssd_identify, ANYTIME},
	[NVME_ADMIN_ABORT] = {vssd_abort, ANYTIME},
	[NVME_ADMIN_SET_FEATURES] = {vssd_set_features, ANYTIME},
	[NVME_ADMIN_GET_FEATURES] = {vssd_get_features, ANYTIME},
	[NVME_ADMIN_ASYNC_EVENT] = {vssd_async_event, ANYTIME},
	[NVME_ADMIN_FW_COMMIT] = {vssd_firmware_commit, 0},
	[NVME_ADMIN_FW_DOWNLOAD] = {vssd_firmware_download, 0},
	[NVME_ADMIN_NS_MANAGEMENT] = {vssd_ns_management, VSSD_NEEDS_NS_MANAGEMENT},
	[NVME_ADMIN_NS_ATTACHMENT] = {vssd_ns_attachment, VSSD_NEEDS_NS_MANAGEMENT},
	[NVME_ADMIN_KEEP_ALIVE] = {keep_alive, ANYTIME | VSSD_NEEDS_KEEP_ALIVE},
	[NVME_ADMIN_DIRECTIVE_SEND] = {vssd_directive_send, VSSD_NEEDS_NS_OR_ALL | VSSD_NEEDS_DIRECTIVES},
	[NVME_ADMIN_DIRECTIVE_RECEIVE] = {vssd_directive_receive, VSSD_NEEDS_NS_OR_ALL | VSSD_NEEDS_DIRECTIVES},
	[NVME_ADMIN_SELF_TEST] = {vssd_self_test, 0},
	[NVME_ADMIN_MI_SEND] = {vssd_mi_send, VSSD_NEEDS_MI | ANYTIME},
	[NVME_ADMIN_MI_RECEIVE] = {vssd_mi_receive, VSSD_NEEDS_MI | ANYTIME},
	[NVME_ADMIN_VIRTUALIZATION] = {vssd_virtualization_management, VSSD_NEEDS_VIRTUAL},
	[NVME_ADMIN_LOCKDOWN] = {vssd_lockdown, ANYTIME | VSSD_NEEDS_LOCKDOWN},
	[NVME_ADMIN_TRACK_SEND] = {vssd_track_send, VSSD_NEEDS_MIGRATION},
	[NVME_ADMIN_MIGRATION_SEND] = {vssd_migration_send, VSSD_NEEDS_MIGRATION},
	[NVME_ADMIN_MIGRATION_RECEIVE] = {vssd_migration_receive, VSSD_NEEDS_MIGRATION},
	[NVME_ADMIN_CONTROLLER_DATA_QUEUE] = {vssd_data_queue_command, VSSD_NEEDS_MIGRATION},
	[NVME_ADMIN_DOORBELL_BUFFER_CONFIG] = {vssd_doorbell_buffer_config, ANYTIME | VSSD_NEEDS_SHADOW},
	[NVME_ADMIN_CAPACITY_MANAGEMENT] = {vssd_capacity_management, VSSD_NEEDS_CAPACITY},
	[NVME_ADMIN_FORMAT_NVM] = {vssd_format_nvm, VSSD_NEEDS_NS_OR_ALL},
	[NVME_ADMIN_SECURITY_SEND] = {vssd_security_send, VSSD_NEEDS_SECURITY},
	[NVME_ADMIN_SECURITY_RECEIVE] = {vssd_security_receive, VSSD_NEEDS_SECURITY},
	[NVME_ADMIN_SANITIZE] = {vssd_sanitize, ANYTIME},
	[NVME_ADMIN_GET_LBA_STATUS] = {vssd_get_lba_status, VSSD_NEEDS_NS | VSSD_NEEDS_LBA_STATUS},
};
