/* SPDX-License-Identifier: BSD-3-Clause */
/* Which admin commands a management endpoint has. */
#include "vssd/cmd/mi.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

#define FIRST_VENDOR 0xc0u /* opcode */
#define FABRICS 0x7fu      /* opcode of the Fabrics commands */
#define DIRECTION 0x3u     /* of an opcode: which way the data go */

enum vssd_mi_permission vssd_mi_permission(uint8_t opcode)
{
	static const uint8_t permissions[256] = {
		[NVME_ADMIN_DELETE_SQ] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_CREATE_SQ] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_GET_LOG_PAGE] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_DELETE_CQ] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_CREATE_CQ] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_IDENTIFY] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_ABORT] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_SET_FEATURES] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_GET_FEATURES] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_ASYNC_EVENT] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_NS_MANAGEMENT] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_FW_COMMIT] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_FW_DOWNLOAD] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_SELF_TEST] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_NS_ATTACHMENT] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_KEEP_ALIVE] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_DIRECTIVE_SEND] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_DIRECTIVE_RECEIVE] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_VIRTUALIZATION] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_MI_SEND] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_MI_RECEIVE] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_CAPACITY_MANAGEMENT] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_LOCKDOWN] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_DOORBELL_BUFFER_CONFIG] = VSSD_MI_PROHIBITED,
		[FABRICS] = VSSD_MI_PROHIBITED,
		[NVME_ADMIN_FORMAT_NVM] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_SECURITY_SEND] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_SECURITY_RECEIVE] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_SANITIZE] = VSSD_MI_OPTIONAL,
		[NVME_ADMIN_GET_LBA_STATUS] = VSSD_MI_OPTIONAL,
	};

	return opcode >= FIRST_VENDOR ? VSSD_MI_OPTIONAL : permissions[opcode];
}

bool vssd_mi_has_admin(const struct vssd_ctrl *ctrl, uint8_t opcode, bool uses_buffer)
{
	bool has_data = opcode < FIRST_VENDOR && (opcode & DIRECTION) != 0;

	return vssd_mi_permission(opcode) == VSSD_MI_OPTIONAL && vssd_admin_command(ctrl, opcode) &&
	       (has_data || !uses_buffer);
}
