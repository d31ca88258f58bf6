/* SPDX-License-Identifier: BSD-3-Clause */
/* Host Memory Buffer. NVM Express Base Specification 2.0, section 5.27.1.10. */
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"

#define HMB VSSD_BASE("5.1.25.2.4")

static uint16_t refuse(struct vssd_request *request, struct vssd_field field)
{
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, field, HMB);
}

static uint16_t take_descriptors(struct vssd_request *request, uint64_t list, uint32_t count)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct nvme_hmb_descriptor descriptors[VSSD_HMB_DESCRIPTORS];
	struct vssd_hmb *hmb = &ctrl->hmb;
	uint64_t end = 0;

	/* Before 1.4 Identify cannot report the limit (HMMAXD), so ignore the descriptors beyond it. */
	if (count > VSSD_HMB_DESCRIPTORS && !vssd_since(ctrl, NVME_1_4))
		count = VSSD_HMB_DESCRIPTORS;
	if (count == 0 || count > VSSD_HMB_DESCRIPTORS)
		return refuse(request, VSSD_DWORD(15, "HMDLEC"));
	if (vssd_bus_read(ctrl->bus, list, descriptors, count * sizeof(descriptors[0])) < 0)
		return vssd_refuse(request, NVME_SC_DATA_TRANSFER_ERROR,
				   VSSD_STATE("the list of descriptors lies in memory that is not mapped"), HMB);
	hmb->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t length = (uint64_t)descriptors[i].bsize * ctrl->regs.page_size, last;

		if (descriptors[i].badd % ctrl->regs.page_size ||
		    (length && __builtin_add_overflow(descriptors[i].badd, length - 1, &last)))
			return refuse(request,
				      VSSD_STATE("BADD of a descriptor has an offset, or reaches past 2^64"));
		if (length == 0)
			continue;
		end += length;
		hmb->ranges[hmb->count++] = (struct vssd_hmb_range){descriptors[i].badd, end};
	}
	hmb->bytes = end;
	return NVME_SC_SUCCESS;
}

static uint16_t enable(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_hmb *hmb = &ctrl->hmb;
	uint64_t list = (uint64_t)cmd->cdw14 << 32 | cmd->cdw13;
	uint64_t size = (uint64_t)cmd->cdw12 * ctrl->regs.page_size;
	struct nvme_hmb_attributes attributes;
	uint16_t status;

	if (hmb->enabled)
		return vssd_refuse(request, NVME_SC_COMMAND_SEQUENCE_ERROR,
				   VSSD_STATE("the host memory buffer is enabled already"), HMB);
	if (list % VSSD_HMB_ENTRY_SIZE)
		return refuse(request, VSSD_DWORD(13, "HMDLLA"));
	if (size < VSSD_HMMIN * UINT64_C(4096))
		return refuse(request, VSSD_DWORD(12, "HSIZE"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	status = take_descriptors(request, list, cmd->cdw15);
	if (status)
		return status;
	if (hmb->bytes < size && cmd->cdw15 > VSSD_HMB_DESCRIPTORS)
		size = hmb->bytes;
	if (hmb->bytes < size || size < VSSD_HMB_ENTRY_SIZE)
		return refuse(request, VSSD_DWORD(12, "HSIZE"));
	attributes = (struct nvme_hmb_attributes){
		.hsize = cmd->cdw12, .hmdlal = cmd->cdw13, .hmdlau = cmd->cdw14, .hmdlec = cmd->cdw15};
	vssd_hmb_enable(ctrl, &attributes, size, cmd->cdw11 & NVME_HMB_MR);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_hmb_set(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;

	if (cmd->cdw11 & NVME_HMB_EHM)
		return enable(request);
	if (!request->is_trial)
		vssd_hmb_disable(ctrl);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_hmb_get(struct vssd_request *request, enum nvme_feature_select select)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	static const struct nvme_hmb_attributes none;
	bool enabled = select == NVME_SEL_CURRENT && ctrl->hmb.enabled;

	request->result = enabled ? NVME_HMB_EHM : 0;
	return vssd_data_send(request, enabled ? &ctrl->hmb.attributes : &none, sizeof(none));
}
