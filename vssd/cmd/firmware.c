/* SPDX-License-Identifier: BSD-3-Clause */
/* Firmware Image Download and Firmware Commit: checks them. vssd/subsystem/firmware.c keeps the images and slots. NVM
 * Express Base Specification 2.0, sections 5.12 and 5.13. */
#include <string.h>

#include "vssd/cmd/admin.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/refuse.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/boot.h"

static uint16_t check_range(struct vssd_request *request, uint64_t offset, uint64_t length)
{
	struct vssd_ctrl *ctrl = request->ctrl;

	if (length > ctrl->transfers.most || length > VSSD_FIRMWARE_IMAGE_MAX)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_FW_DOWNLOAD_NUMD, "NUMD, above MDTS or the largest image"),
				   VSSD_OWN);
	if (offset > VSSD_FIRMWARE_IMAGE_MAX - length)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_FW_DOWNLOAD_OFST, "OFST, past the largest image"), VSSD_OWN);
	if (vssd_firmware_has_any(&ctrl->subsystem->firmware, offset, length))
		return vssd_refuse(request, NVME_SC_OVERLAPPING_RANGE,
				   VSSD_FIELD(NVME_FIELD_FW_DOWNLOAD_OFST, "OFST"), VSSD_OWN);
	if (length % VSSD_FIRMWARE_PIECE != 0)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_FW_DOWNLOAD_NUMD, "NUMD, no multiple of FWUG"), VSSD_OWN);
	if (offset % VSSD_FIRMWARE_PIECE != 0)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_FW_DOWNLOAD_OFST, "OFST, no multiple of FWUG"), VSSD_OWN);
	return NVME_SC_SUCCESS;
}

static bool has_boot_partitions(const struct vssd_request *request)
{
	return NVME_GET(request->ctrl->regs.cap, NVME_CAP_BPS);
}

/* Whether this is the piece of no length that SPDK sends after the last piece of a boot partition's image. Since NUMD
 * counts from 0, it has all ones there. */
static bool is_end_of_spdk(const struct vssd_request *request, uint64_t offset, uint64_t length)
{
	return length == (UINT64_C(1) << 32) * 4 && has_boot_partitions(request) && offset >= VSSD_FIRMWARE_PIECE &&
	       vssd_firmware_has_any(&request->ctrl->subsystem->firmware, offset - VSSD_FIRMWARE_PIECE,
				     VSSD_FIRMWARE_PIECE);
}

uint16_t vssd_firmware_download(struct vssd_request *request)
{
	struct vssd_firmware *firmware = &request->ctrl->subsystem->firmware;
	uint64_t length = (nvme_get_field(&request->cmd, NVME_FIELD_FW_DOWNLOAD_NUMD) + 1) * 4;
	uint64_t offset = nvme_get_field(&request->cmd, NVME_FIELD_FW_DOWNLOAD_OFST) * 4;
	uint8_t *image;
	uint16_t status;

	if (is_end_of_spdk(request, offset, length))
		return NVME_SC_SUCCESS;
	status = check_range(request, offset, length);
	if (status)
		return status;
	if (request->is_trial)
		return vssd_data_map(request, length, VSSD_DMA_READ);
	image = vssd_firmware_image(firmware);
	if (!image)
		return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("there is no memory for an image"),
				   VSSD_OWN);
	status = vssd_data_receive(request, image + offset, (uint32_t)length);
	firmware->sender = &request->ctrl->listener;
	if (!status)
		vssd_firmware_downloaded(firmware, offset, length);
	return status;
}

/* Fail Firmware Commit with the subsystem's status: a bad image, or a reset that activation needs. */
static uint16_t answer(struct vssd_request *request, uint16_t status)
{
	bool bad = status == NVME_SC_INVALID_FIRMWARE_IMAGE;

	return vssd_refuse(request, status,
			   VSSD_STATE(bad ? "there is no whole image in the slot, or downloaded"
					  : "the image becomes active with that reset"),
			   VSSD_OWN);
}

static bool is_boot_action(const struct vssd_request *request, uint32_t action)
{
	return (action == NVME_FW_BOOT_REPLACE || action == NVME_FW_BOOT_ACTIVATE) && has_boot_partitions(request);
}

/* Replace a boot partition, or make it the active one. */
static uint16_t commit_boot(struct vssd_request *request, uint32_t action)
{
	struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	unsigned id = (unsigned)nvme_get_field(&request->cmd, NVME_FIELD_FW_COMMIT_BPID);
	uint16_t status;

	if (action == NVME_FW_BOOT_REPLACE && vssd_boot_is_locked(subsystem, id))
		return vssd_refuse(request, NVME_SC_BOOT_PARTITION_WRITE_PROHIBITED,
				   VSSD_STATE("the boot partition is write locked"), VSSD_BASE("8.1.3.3"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	if (action == NVME_FW_BOOT_ACTIVATE) {
		vssd_boot_activate(subsystem, id);
		return NVME_SC_SUCCESS;
	}
	status = vssd_firmware_to_boot(subsystem, id);
	if (status)
		return vssd_refuse(request, status,
				   VSSD_STATE("there is no whole image, or it is larger than a boot partition"),
				   VSSD_OWN);
	return NVME_SC_SUCCESS;
}

static uint16_t commit(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct vssd_subsystem *subsystem = ctrl->subsystem;
	const struct nvme_cmd *cmd = &request->cmd;
	uint8_t slot = (uint8_t)nvme_get_field(cmd, NVME_FIELD_FW_COMMIT_FS);
	uint32_t action = (uint32_t)nvme_get_field(cmd, NVME_FIELD_FW_COMMIT_CA);
	bool replace = action != NVME_FW_ACTIVATE && (action != NVME_FW_ACTIVATE_NOW || subsystem->firmware.image);
	uint16_t status = NVME_SC_SUCCESS;

	if (is_boot_action(request, action))
		return commit_boot(request, action);
	if (action > (vssd_since(ctrl, NVME_1_2) ? NVME_FW_ACTIVATE_NOW : NVME_FW_ACTIVATE))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_FW_COMMIT_CA, "CA"),
				   VSSD_OWN);
	if (slot > VSSD_FIRMWARE_SLOTS)
		return vssd_refuse(request, NVME_SC_INVALID_FIRMWARE_SLOT, VSSD_FIELD(NVME_FIELD_FW_COMMIT_FS, "FS"),
				   VSSD_OWN);
	/* The controllers process no commands then, but the Management Interface does. */
	if (vssd_firmware_is_starting(&subsystem->firmware))
		return vssd_refuse(request, NVME_SC_FW_ACTIVATION_PROHIBITED,
				   VSSD_STATE("an image is being activated"), VSSD_BASE("3.11"));
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	if (slot == 0)
		slot = vssd_firmware_choose(subsystem, replace);
	if (replace)
		status = vssd_firmware_store(subsystem, slot);
	if (status)
		return answer(request, status);
	if (action == NVME_FW_REPLACE)
		return NVME_SC_SUCCESS;
	vssd_ocp_committed(subsystem, (uint8_t)action);
	if (vssd_firmware_activate(subsystem, slot, action == NVME_FW_ACTIVATE_NOW, vssd_request_owner(request),
				   cmd->cid, &status))
		return VSSD_LATER;
	return status ? answer(request, status) : NVME_SC_SUCCESS;
}

static void record(struct vssd_request *request, const char before[8], uint16_t status)
{
	const struct vssd_subsystem *subsystem = request->ctrl->subsystem;
	uint8_t slot = (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_FW_COMMIT_FS);
	struct nvme_firmware_commit_event event = {
		.fca = (uint8_t)nvme_get_field(&request->cmd, NVME_FIELD_FW_COMMIT_CA),
		.fs = slot,
	};

	if (status != VSSD_LATER) {
		event.sct = (uint8_t)(status >> 8);
		event.sc = (uint8_t)status;
	}
	memcpy(event.ofr, before, sizeof(event.ofr));
	if (slot && slot <= VSSD_FIRMWARE_SLOTS)
		memcpy(event.nfr, subsystem->nv->firmware.slots[slot - 1].revision, sizeof(event.nfr));
	vssd_pel_add(request->ctrl->subsystem, NVME_PERSISTENT_FIRMWARE_COMMIT, vssd_cntlid(&request->ctrl->listener),
		     &event, sizeof(event));
}

uint16_t vssd_firmware_commit(struct vssd_request *request)
{
	char before[8];
	uint16_t status;

	memcpy(before, request->ctrl->subsystem->firmware.revision, sizeof(before));
	status = commit(request);
	if (!request->is_trial)
		record(request, before, status);
	return status;
}
