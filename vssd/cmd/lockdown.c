/* SPDX-License-Identifier: BSD-3-Clause */
/* Command and Feature Lockdown. NVM Express Base Specification 2.1, sections 5.1.15, 5.1.12.1.21 and 8.1.5. */
#include "vssd/cmd/lockdown.h"

#include "spec/nvme_mi.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/log_ocp.h"
#include "vssd/cmd/mi.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

#define SCP VSSD_FIELD(NVME_FIELD_LOCKDOWN_SCP, "SCP")
#define IFC VSSD_FIELD(NVME_FIELD_LOCKDOWN_IFC, "IFC")
#define OFI VSSD_FIELD(NVME_FIELD_LOCKDOWN_OFI, "OFI")

#define LSP_SCOPE 0xfu
#define LSP_CONTENTS_SHIFT 4u
#define LSP_CONTENTS 3u
#define CONTENTS_SUPPORTED 0u
#define CONTENTS_OUT_OF_BAND 2u

static struct vssd_lockdown *state_of(const struct vssd_ctrl *ctrl)
{
	return &ctrl->subsystem->security->lockdown;
}

/* What a host needs to use the drive at all cannot be prohibited. */
static bool is_needed(uint8_t opcode)
{
	switch (opcode) {
	case NVME_ADMIN_DELETE_SQ:
	case NVME_ADMIN_CREATE_SQ:
	case NVME_ADMIN_GET_LOG_PAGE:
	case NVME_ADMIN_DELETE_CQ:
	case NVME_ADMIN_CREATE_CQ:
	case NVME_ADMIN_IDENTIFY:
	case NVME_ADMIN_ABORT:
	case NVME_ADMIN_SET_FEATURES:
	case NVME_ADMIN_GET_FEATURES:
	case NVME_ADMIN_ASYNC_EVENT:
		return true;
	default:
		return false;
	}
}

/* Whether Lockdown can prohibit an opcode or a feature. */
static bool is_prohibitable(const struct vssd_ctrl *ctrl, uint8_t scope, uint8_t identifier)
{
	switch (scope) {
	case NVME_LOCKDOWN_ADMIN:
		return vssd_admin_command(ctrl, identifier) && !is_needed(identifier);
	case NVME_LOCKDOWN_FEATURE:
		return vssd_feature_supported(ctrl, identifier) && identifier != NVME_FEAT_QUEUES;
	case NVME_LOCKDOWN_MI:
		return ctrl->options->optional.mi && vssd_mi_has(ctrl, identifier);
	case NVME_LOCKDOWN_PCIE:
		return ctrl->options->optional.mi && identifier <= NVME_MI_PCIE_MEMORY_WRITE;
	default:
		return false;
	}
}

static bool is_scope(uint64_t scope)
{
	return scope == NVME_LOCKDOWN_ADMIN || (scope >= NVME_LOCKDOWN_FEATURE && scope <= NVME_LOCKDOWN_PCIE);
}

/* By VSSD_FROM_*: where a command of this IFC is prohibited. */
static uint8_t sources_of(uint64_t interface)
{
	static const uint8_t sources[] = {
		[NVME_LOCKDOWN_BY_ADMIN_QUEUE] = VSSD_FROM_ADMIN_QUEUE,
		[NVME_LOCKDOWN_BY_ADMIN_QUEUE_AND_OUT_OF_BAND] = VSSD_FROM_ADMIN_QUEUE | VSSD_FROM_ENDPOINT,
		[NVME_LOCKDOWN_BY_OUT_OF_BAND] = VSSD_FROM_ENDPOINT,
	};

	return interface < sizeof(sources) ? sources[interface] : 0;
}

static uint16_t check(struct vssd_request *request)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t scope = nvme_get_field(cmd, NVME_FIELD_LOCKDOWN_SCP);
	uint8_t sources = sources_of(nvme_get_field(cmd, NVME_FIELD_LOCKDOWN_IFC));

	if (!is_scope(scope))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, SCP, VSSD_OWN);
	if (!sources || (sources & VSSD_FROM_ENDPOINT && !ctrl->options->optional.mi) ||
	    (sources & VSSD_FROM_ADMIN_QUEUE && scope == NVME_LOCKDOWN_PCIE))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, IFC, VSSD_OWN);
	if (nvme_get_field(cmd, NVME_FIELD_LOCKDOWN_UIDX) > (ctrl->options->optional.ocp ? VSSD_OCP_UUID_INDEX : 0))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_LOCKDOWN_UIDX, "UIDX"),
				   VSSD_BASE("8.1.28"));
	if (!is_prohibitable(ctrl, (uint8_t)scope, (uint8_t)nvme_get_field(cmd, NVME_FIELD_LOCKDOWN_OFI)))
		return vssd_refuse(request, NVME_SC_PROHIBITION_NOT_SUPPORTED, OFI, VSSD_OWN);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_lockdown(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_lockdown *lockdown = state_of(request->ctrl);
	uint16_t status = check(request);
	uint8_t *prohibited;

	if (status || request->is_trial)
		return status;
	prohibited = &lockdown->prohibited[nvme_get_field(cmd, NVME_FIELD_LOCKDOWN_SCP)]
					  [nvme_get_field(cmd, NVME_FIELD_LOCKDOWN_OFI)];
	if (nvme_get_field(cmd, NVME_FIELD_LOCKDOWN_PRHBT)) {
		*prohibited |= sources_of(nvme_get_field(cmd, NVME_FIELD_LOCKDOWN_IFC));
		lockdown->any = true;
	} else {
		*prohibited &= (uint8_t)~sources_of(nvme_get_field(cmd, NVME_FIELD_LOCKDOWN_IFC));
	}
	return NVME_SC_SUCCESS;
}

static uint16_t prohibited(struct vssd_request *request, struct vssd_field field)
{
	return vssd_refuse(request, NVME_SC_PROHIBITED_BY_LOCKDOWN, field, VSSD_BASE("8.1.5"));
}

uint16_t vssd_lockdown_check(struct vssd_request *request)
{
	const struct vssd_lockdown *lockdown = state_of(request->ctrl);
	const struct nvme_cmd *cmd = &request->cmd;
	uint8_t source = request->local ? VSSD_FROM_ENDPOINT : VSSD_FROM_ADMIN_QUEUE;

	if (!lockdown->any)
		return NVME_SC_SUCCESS;
	if (lockdown->prohibited[NVME_LOCKDOWN_ADMIN][cmd->opc] & source)
		return prohibited(request, VSSD_BITS(0, 7, 0, "OPC"));
	if (cmd->opc == NVME_ADMIN_SET_FEATURES &&
	    lockdown->prohibited[NVME_LOCKDOWN_FEATURE][(uint8_t)cmd->cdw10] & source)
		return prohibited(request, VSSD_FID);
	if ((cmd->opc == NVME_ADMIN_MI_SEND || cmd->opc == NVME_ADMIN_MI_RECEIVE) &&
	    lockdown->prohibited[NVME_LOCKDOWN_MI][nvme_get_field(cmd, NVME_FIELD_MI_SEND_OPC)] & source)
		return prohibited(request, VSSD_FIELD(NVME_FIELD_MI_SEND_OPC, "OPC"));
	return NVME_SC_SUCCESS;
}

bool vssd_lockdown_denies(const struct vssd_ctrl *ctrl, enum nvme_lockdown_scope scope, uint8_t opcode)
{
	return state_of(ctrl)->prohibited[scope][opcode] & VSSD_FROM_ENDPOINT;
}

uint16_t vssd_lockdown_log(struct vssd_request *request, uint8_t lsp, struct nvme_lockdown_log *log)
{
	const struct vssd_lockdown *lockdown = state_of(request->ctrl);
	uint8_t scope = lsp & LSP_SCOPE, contents = lsp >> LSP_CONTENTS_SHIFT & LSP_CONTENTS;

	if (!is_scope(scope) || contents > CONTENTS_OUT_OF_BAND)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_LSP, "LSP"),
				   VSSD_BASE("5.1.12.1.21"));
	log->cfila = lsp & (LSP_SCOPE | LSP_CONTENTS << LSP_CONTENTS_SHIFT);
	for (unsigned i = 0; i < 256; i++) {
		bool listed = contents == CONTENTS_SUPPORTED
				      ? is_prohibitable(request->ctrl, scope, (uint8_t)i)
				      : lockdown->prohibited[scope][i] & (1u << (contents - 1));

		if (listed && log->lngth < UINT8_MAX)
			log->cfil[log->lngth++] = (uint8_t)i;
	}
	return NVME_SC_SUCCESS;
}
