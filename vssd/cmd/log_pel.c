/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Persistent Event log page. A reporting context is a copy of the log, so what the host reads in pieces does not
 * change meanwhile. Each controller has one at most. NVM Express Base Specification 2.1, section 5.1.12.1.14.
 */
#include "vssd/cmd/log_pel.h"

#include <stdlib.h>
#include <string.h>

#include "spec/pci.h"
#include "vssd/cmd/admin.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/identity.h"

#define SECTION VSSD_BASE("5.1.12.1.14")
#define REVISION 2u              /* of the header, since 2.0 */
#define UNCOUNTED_LENGTH 20u     /* bytes of the header before those that LHL counts */
#define CONTEXT_EXISTED 0x40000u /* RCI */
#define MS_PER_HOUR 3600000u

enum action { READ, ESTABLISH, RELEASE, ESTABLISH_AND_READ_HEADER };

static void release(struct vssd_ctrl *ctrl)
{
	free(ctrl->features.pel.page);
	ctrl->features.pel = (struct vssd_pel_context){0};
}

static void fill_header(struct vssd_ctrl *ctrl, struct nvme_persistent_event_log *log, uint32_t length)
{
	const struct vssd_subsystem *subsystem = ctrl->subsystem;

	vssd_health_account(ctrl->subsystem);
	log->lid = NVME_LOG_PERSISTENT_EVENT;
	log->tnev = vssd_pel_count(subsystem);
	log->tll = length;
	log->lrev = vssd_since(ctrl, NVME_2_0) ? REVISION : 1;
	log->lhl = (uint16_t)(sizeof(*log) - UNCOUNTED_LENGTH);
	log->ts = vssd_clock_ms(&subsystem->clock);
	log->poh[0] = ctrl->nv->totals.power_on_ms / MS_PER_HOUR;
	log->pcc = ctrl->nv->totals.power_cycles;
	memcpy(&log->vid, &ctrl->config.bytes[PCI_CFG_VENDOR], sizeof(log->vid));
	memcpy(&log->ssvid, &ctrl->config.bytes[PCI_CFG_SUBSYSTEM_VENDOR], sizeof(log->ssvid));
	memcpy(log->sn, ctrl->nv->identity.serial, sizeof(log->sn));
	vssd_identity_model(log->mn);
	vssd_identity_subnqn(ctrl->subsystem, log->subnqn, sizeof(log->subnqn));
	if (vssd_since(ctrl, NVME_2_0))
		log->gnum = subsystem->annex->pel.generation;
	vssd_pel_supported(log->seb);
}

/* Copy the log. False: there is no memory. */
static bool establish(struct vssd_ctrl *ctrl)
{
	struct vssd_pel_context *context = &ctrl->features.pel;
	uint32_t length = (uint32_t)sizeof(struct nvme_persistent_event_log) + vssd_pel_bytes(ctrl->subsystem);

	context->page = calloc(1, length);
	if (!context->page)
		return false;
	context->length = length;
	fill_header(ctrl, (struct nvme_persistent_event_log *)context->page, length);
	vssd_pel_copy(ctrl->subsystem, context->page + sizeof(struct nvme_persistent_event_log));
	return true;
}

static uint16_t no_memory(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("no memory for a reporting context"), SECTION);
}

static uint16_t wrong_sequence(struct vssd_request *request, const char *why)
{
	return vssd_refuse(request, NVME_SC_COMMAND_SEQUENCE_ERROR, VSSD_STATE(why), SECTION);
}

static uint16_t read_header(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct nvme_persistent_event_log header;
	bool existed = ctrl->features.pel.page;

	if (!existed && !establish(ctrl))
		return no_memory(request);
	memcpy(&header, ctrl->features.pel.page, sizeof(header));
	header.rci = existed ? CONTEXT_EXISTED : 0;
	return vssd_data_send(request, &header, sizeof(header));
}

uint16_t vssd_pel_read(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t action = nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_LSP) & 3;
	uint64_t length = vssd_log_length(cmd), offset = nvme_get_field(cmd, NVME_FIELD_GET_LOG_PAGE_LPO);
	bool exists = ctrl->features.pel.page;

	if (action == ESTABLISH_AND_READ_HEADER && vssd_since(ctrl, NVME_2_0))
		return read_header(request);
	if (action > RELEASE)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_LSP, "LSP"),
				   SECTION);
	if (action == RELEASE) {
		release(ctrl);
		return NVME_SC_SUCCESS;
	}
	if (action == ESTABLISH && exists)
		return wrong_sequence(request, "a reporting context exists already");
	if (action == READ && !exists)
		return wrong_sequence(request, "there is no reporting context");
	if (action == ESTABLISH && !establish(ctrl))
		return no_memory(request);
	if (offset > ctrl->features.pel.length)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_GET_LOG_PAGE_LPO, "LPO"),
				   VSSD_OWN);
	return vssd_data_send_part(request, ctrl->features.pel.page, ctrl->features.pel.length, offset, length);
}

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	(void)kind;
	release(ctrl);
}

const struct vssd_part vssd_pel_context_part = {.reset = reset, .deinit = release};
