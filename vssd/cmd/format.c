/* SPDX-License-Identifier: BSD-3-Clause */
/* The Format NVM command: checks it, and starts the format, which vssd/subsystem/format.c executes in the background.
 * NVM Express Base Specification 2.0, section 5.14; NVM Command Set Specification 1.0, section 4.1.3. */
#include "vssd/cmd/admin.h"
#include "vssd/cmd/guard.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/reservation.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/reservation.h"

#define TYPE_MAX 3u /* of protection information */
#define SES_MAX 2u  /* 0 none, 1 user data erase, 2 cryptographic erase */

/* The LBA format as the drive keeps it. */
static uint8_t lbaf_of(const struct nvme_cmd *cmd)
{
	uint8_t lbaf = (uint8_t)nvme_get_field(cmd, NVME_FIELD_FORMAT_NVM_LBAFL);
	unsigned type = (unsigned)nvme_get_field(cmd, NVME_FIELD_FORMAT_NVM_PI) << VSSD_LBAF_TYPE_SHIFT;

	if (vssd_lbaf_metadata(lbaf) && nvme_get_field(cmd, NVME_FIELD_FORMAT_NVM_MSET))
		lbaf |= VSSD_LBAF_EXTENDED;
	if (type && nvme_get_field(cmd, NVME_FIELD_FORMAT_NVM_PIL))
		lbaf |= VSSD_LBAF_FIRST;
	return (uint8_t)(lbaf | (type & VSSD_LBAF_TYPE));
}

static uint16_t check(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t upper = nvme_get_field(cmd, NVME_FIELD_FORMAT_NVM_LBAFU);
	uint64_t lbaf = nvme_get_field(cmd, NVME_FIELD_FORMAT_NVM_LBAFL) | upper << 4;

	if (request->ctrl->subsystem->format.running)
		return vssd_refuse_busy(request, NVME_SC_FORMAT_IN_PROGRESS);
	if (lbaf > vssd_nlbaf(request->ctrl->options))
		return vssd_refuse(request, NVME_SC_INVALID_FORMAT,
				   upper ? VSSD_FIELD(NVME_FIELD_FORMAT_NVM_LBAFU, "LBAFU")
					 : VSSD_FIELD(NVME_FIELD_FORMAT_NVM_LBAFL, "LBAFL"),
				   VSSD_OWN);
	if (nvme_get_field(cmd, NVME_FIELD_FORMAT_NVM_PI) > TYPE_MAX ||
	    !vssd_lbaf_valid(request->ctrl->options, lbaf_of(cmd)))
		return vssd_refuse(request, NVME_SC_INVALID_FORMAT, VSSD_FIELD(NVME_FIELD_FORMAT_NVM_PI, "PI"),
				   VSSD_OWN);
	if (nvme_get_field(cmd, NVME_FIELD_FORMAT_NVM_SES) > SES_MAX)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_FORMAT_NVM_SES, "SES"),
				   VSSD_OWN);
	return NVME_SC_SUCCESS;
}

/* The namespaces to format, a bit for each: FNA says that NSID FFFFFFFFh means those of this controller. */
static uint32_t named(const struct vssd_ctrl *ctrl, uint32_t nsid)
{
	uint32_t nsids = 0;

	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (vssd_ns_is_active(ctrl, &ctrl->ns[i]) && (nsid == NVME_NSID_ALL || nsid == i + 1))
			nsids |= 1u << i;
	return nsids;
}

/* Whether each of these namespaces has the format. A Key Value namespace has one, and others need at least one LBA.
 */
static bool have_format(const struct vssd_ctrl *ctrl, uint32_t nsids, uint8_t lbaf)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (nsids >> i & 1 && ctrl->ns[i].csi == NVME_CSI_KV && lbaf)
			return false;
		else if (nsids >> i & 1 && ctrl->ns[i].bytes >> vssd_lbaf_shift(ctrl->subsystem, lbaf) == 0)
			return false;
	return true;
}

uint16_t vssd_format_nvm(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint32_t nsids = named(ctrl, cmd->nsid);
	uint16_t status = check(request);

	if (!status && !nsids)
		return vssd_refuse(request, NVME_SC_INVALID_NAMESPACE, VSSD_NSID, VSSD_OWN);
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && !status; i++)
		if (nsids >> i & 1)
			status = vssd_guard_erasure(request, &ctrl->ns[i]);
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES && !status; i++)
		if (nsids >> i & 1)
			status = vssd_reservation_check(request, &ctrl->ns[i], VSSD_ACCESS_WRITE);
	if (!status && !have_format(ctrl, nsids, lbaf_of(cmd)))
		return vssd_refuse(request, NVME_SC_INVALID_FORMAT,
				   VSSD_STATE("the namespace is smaller than an LBA of this format, or has keys"),
				   VSSD_OWN);
	if (status || request->is_trial)
		return status;
	vssd_format_start(ctrl->subsystem, vssd_request_owner(request), vssd_cntlid(&ctrl->listener), cmd,
			  lbaf_of(cmd), nsids);
	return VSSD_LATER;
}
