/* SPDX-License-Identifier: BSD-3-Clause */
/* Get Log Page. NVM Express Base Specification 2.0, section 5.16. */
#include "vssd/ctrl/device.h"

#include <string.h>

#define OT_INDEX (UINT32_C(1) << 23) /* cdw14: the offset is an index, which no page here takes */

#define CSI(cmd) ((cmd)->cdw14 >> 24)

/* Each fills ctrl->log, which is zeros. */

static void fill_error(struct vssd_ctrl *ctrl)
{
	struct nvme_error_log_entry *entries = (struct nvme_error_log_entry *)ctrl->log;
	uint64_t made = ctrl->nv->errors;

	for (uint64_t i = 0; i <= VSSD_ELPE && i < made; i++) {
		const struct nvme_error_log_entry *entry = &ctrl->errors[(made - 1 - i) % (VSSD_ELPE + 1)];

		/* Entries of earlier lives are counted but were not kept. */
		if (entry->ecnt != made - i)
			return;
		entries[i] = *entry;
		/* Nothing may tell of data that are being destroyed. */
		if (vssd_sanitize_refuses(ctrl))
			entries[i].lba = 0;
	}
}

static void fill_smart(struct vssd_ctrl *ctrl)
{
	vssd_health_smart(ctrl, (struct nvme_smart_log *)ctrl->log);
}

static void fill_firmware(struct vssd_ctrl *ctrl)
{
	vssd_firmware_log(ctrl, (struct nvme_firmware_log *)ctrl->log);
}

static void fill_self_test(struct vssd_ctrl *ctrl)
{
	vssd_self_test_log(ctrl, (struct nvme_self_test_log *)ctrl->log);
}

static void fill_changed_ns(struct vssd_ctrl *ctrl)
{
	uint32_t *list = (uint32_t *)ctrl->log;
	unsigned count = 0;

	for (uint32_t i = 0; i < ctrl->options.namespaces; i++)
		if (ctrl->ns[i].changed)
			list[count++] = i + 1;
}

static void fill_effects(struct vssd_ctrl *ctrl)
{
	uint32_t effects[256];

	vssd_admin_effects(ctrl, effects);
	memcpy(ctrl->log, effects, sizeof(effects));
	vssd_io_effects(ctrl, effects);
	memcpy(ctrl->log + sizeof(effects), effects, sizeof(effects));
}

static void fill_feature_effects(struct vssd_ctrl *ctrl)
{
	vssd_features_effects(ctrl, (uint32_t *)ctrl->log);
}

/* There is no Management Interface, and so no command of it. */
static void fill_mi_effects(struct vssd_ctrl *ctrl)
{
	(void)ctrl;
}

static void fill_supported(struct vssd_ctrl *ctrl);

/* By LID; size 0: there is no such page. find instead of fill: of pages that are kept elsewhere, in telemetry blocks,
 * which offsets are multiples of. */
static const struct log_page {
	void (*fill)(struct vssd_ctrl *ctrl);
	uint32_t size;
	bool during_sanitize; /* allowed while a sanitize operation is in progress, or has failed */
	enum nvme_version since;
	const uint8_t *(*find)(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd);
} pages[256] = {
	[NVME_LOG_SUPPORTED] = {fill_supported, sizeof(struct nvme_supported_logs), false, NVME_2_0, NULL},
	[NVME_LOG_ERROR] = {fill_error, (VSSD_ELPE + 1) * sizeof(struct nvme_error_log_entry), true, NVME_1_0, NULL},
	[NVME_LOG_SMART] = {fill_smart, sizeof(struct nvme_smart_log), true, NVME_1_0, NULL},
	[NVME_LOG_FIRMWARE] = {fill_firmware, sizeof(struct nvme_firmware_log), false, NVME_1_0, NULL},
	[NVME_LOG_CHANGED_NS] = {fill_changed_ns, NVME_CHANGED_NS_MAX * sizeof(uint32_t), true, NVME_1_2, NULL},
	[NVME_LOG_EFFECTS] = {fill_effects, sizeof(struct nvme_effects_log), false, NVME_1_2, NULL},
	[NVME_LOG_SELF_TEST] = {fill_self_test, sizeof(struct nvme_self_test_log), false, NVME_1_3, NULL},
	[NVME_LOG_TELEMETRY_HOST] = {NULL, sizeof(struct vssd_telemetry), false, NVME_1_3, vssd_telemetry_host},
	[NVME_LOG_TELEMETRY_CTRL] = {NULL, sizeof(struct vssd_telemetry), false, NVME_1_3, vssd_telemetry_ctrl},
	[NVME_LOG_FEATURE_EFFECTS] = {fill_feature_effects, sizeof(struct nvme_feature_effects_log), false, NVME_2_0,
				      NULL},
	[NVME_LOG_MI_EFFECTS] = {fill_mi_effects, sizeof(struct nvme_mi_effects_log), false, NVME_2_0, NULL},
	[NVME_LOG_SANITIZE] = {vssd_sanitize_log, sizeof(struct nvme_sanitize_log), true, NVME_1_3, NULL},
};

bool vssd_log_supported(const struct vssd_ctrl *ctrl, uint8_t lid)
{
	return pages[lid].size && vssd_since(ctrl, pages[lid].since);
}

static void fill_supported(struct vssd_ctrl *ctrl)
{
	uint32_t *lids = (uint32_t *)ctrl->log;

	for (unsigned lid = 0; lid < 256; lid++)
		lids[lid] = vssd_log_supported(ctrl, (uint8_t)lid) ? NVME_LOG_LSUPP : 0;
}

/* What comes after the end of a page is zeros, as much as the host asks for. */
static uint16_t send_padded(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd, const uint8_t *data, uint32_t offset,
			    uint32_t size, uint64_t length)
{
	static const uint8_t zeros[4096];
	uint16_t status = vssd_prp_map(ctrl, cmd->prp1, cmd->prp2, length, VSSD_DMA_WRITE);

	for (uint32_t i = 0; !status && i < ctrl->data.count; i++) {
		uint64_t iova = ctrl->data.segments[i].iova;
		uint32_t rest = ctrl->data.segments[i].length;

		while (rest > 0) {
			bool inside = offset < size;
			uint32_t room = inside ? size - offset : (uint32_t)sizeof(zeros);
			uint32_t piece = rest < room ? rest : room;

			if (vssd_bus_write(ctrl->bus, iova, inside ? data + offset : zeros, piece) < 0)
				return NVME_SC_DATA_TRANSFER_ERROR;
			iova += piece;
			rest -= piece;
			if (inside)
				offset += piece;
		}
	}
	return status;
}

/* The host has read a page, and does not want to keep the event that told of it. */
static void forget(struct vssd_ctrl *ctrl, uint8_t lid)
{
	for (uint32_t i = 0; lid == NVME_LOG_CHANGED_NS && i < VSSD_MAX_NAMESPACES; i++)
		ctrl->ns[i].changed = false;
	if (lid == NVME_LOG_TELEMETRY_CTRL)
		ctrl->telemetry_available = false;
	vssd_event_acknowledge(ctrl, lid);
}

static const uint8_t *content(struct vssd_ctrl *ctrl, const struct log_page *page, const struct nvme_cmd *cmd)
{
	if (page->find)
		return page->find(ctrl, cmd);
	memset(ctrl->log, 0, sizeof(ctrl->log));
	page->fill(ctrl);
	return ctrl->log;
}

/* Whether the page can be asked for like this: LPA announces lengths and offsets of 32 bits, of 2.0 is the command
 * set. */
static uint16_t check_version(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	uint8_t lid = (uint8_t)cmd->cdw10;

	if (!vssd_log_supported(ctrl, lid))
		return NVME_SC_INVALID_LOG_PAGE;
	if (!vssd_since(ctrl, NVME_1_2_1) && (cmd->cdw11 || cmd->cdw12 || cmd->cdw13))
		return vssd_invalid_field(ctrl, VSSD_FIELD_CDW11);
	if (lid == NVME_LOG_EFFECTS && vssd_since(ctrl, NVME_2_0) && CSI(cmd) != NVME_CSI_NVM)
		return NVME_SC_COMMAND_SET_NOT_SUPPORTED;
	return NVME_SC_SUCCESS;
}

uint16_t vssd_get_log_page(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd, uint32_t *cdw0)
{
	const struct log_page *page = &pages[cmd->cdw10 & 0xff];
	uint64_t length = (((uint64_t)(cmd->cdw11 & 0xffff) << 16 | cmd->cdw10 >> 16) + 1) * 4;
	uint64_t offset = (uint64_t)cmd->cdw13 << 32 | cmd->cdw12;
	uint64_t unit = page->find ? NVME_TELEMETRY_BLOCK : sizeof(uint32_t);
	uint16_t status = check_version(ctrl, cmd);

	(void)cdw0;
	if (status)
		return status;
	if (!page->during_sanitize && vssd_sanitize_refuses(ctrl))
		return vssd_sanitize_refuses(ctrl);
	if (cmd->nsid != 0 && cmd->nsid != NVME_NSID_ALL)
		return vssd_ns_find(ctrl, cmd->nsid) ? vssd_invalid_field(ctrl, VSSD_FIELD_NSID)
						     : NVME_SC_INVALID_NAMESPACE;
	if (cmd->cdw14 & OT_INDEX)
		return vssd_invalid_field(ctrl, (VSSD_FIELD_CDW14 + 2) | 7u << VSSD_FIELD_BIT_SHIFT);
	if (offset % unit != 0 || offset > page->size)
		return vssd_invalid_field(ctrl, VSSD_FIELD_CDW12);
	if (length > ctrl->max_transfer)
		return vssd_invalid_field(ctrl, VSSD_FIELD_CDW10 + 2);
	status = send_padded(ctrl, cmd, content(ctrl, page, cmd), (uint32_t)offset, page->size, length);
	if (!status && !(cmd->cdw10 & NVME_LOG_RAE))
		forget(ctrl, cmd->cdw10 & 0xff);
	return status;
}
