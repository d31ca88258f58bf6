/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Firmware Image Download, Firmware Commit, and what a reset activates.
 * NVM Express Base Specification 2.0, sections 3.11, 5.12 and 5.13.
 *
 * An image is as pynvme/firmware.py makes it: a header, whose CRC goes over the whole image, and anything. Nothing of
 * it is executed; what the drive keeps of an image is its revision.
 */
#include "vssd/cmd/dptr.h"
#include "vssd/ctrl/device.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "core/util/crc32c.h"

#define ACTIVATION_NS UINT64_C(30000000)
#define PIECE (VSSD_FWUG * NVME_FWUG_UNIT)
#define IMAGE_MAX (VSSD_FIRMWARE_PIECES * PIECE)

struct image {
	char magic[8];
	char revision[8]; /* ASCII, padded with blanks */
	uint32_t length;  /* bytes of all of it */
	uint32_t crc;     /* CRC-32C of all of it, this field being 0 */
	uint8_t needs;    /* enum need */
	uint8_t rsvd[7];
};
_Static_assert(sizeof(struct image) == 32, "firmware image");

static const char magic[8] = {'P', 'Y', 'N', 'V', 'M', 'E', 'F', 'W'};

/* What an image asks for to become active. */
enum need { NEEDS_NOTHING, NEEDS_CONTROLLER_RESET, NEEDS_CONVENTIONAL_RESET, NEEDS_SUBSYSTEM_RESET, NUM_NEEDS };

static const struct {
	enum vssd_reset least;
	uint16_t now;     /* the answer to a commit that activates at once, 0: it does */
	uint16_t later;   /* and to one that waits for a reset */
	uint16_t pending; /* and to what cannot be done before that reset */
} needs[NUM_NEEDS] = {
	[NEEDS_NOTHING] = {VSSD_RESET_CONTROLLER, NVME_SC_SUCCESS, NVME_SC_SUCCESS,
			   NVME_SC_FW_NEEDS_CONTROLLER_RESET},
	[NEEDS_CONTROLLER_RESET] = {VSSD_RESET_CONTROLLER, NVME_SC_FW_NEEDS_CONTROLLER_RESET, NVME_SC_SUCCESS,
				    NVME_SC_FW_NEEDS_CONTROLLER_RESET},
	[NEEDS_CONVENTIONAL_RESET] = {VSSD_RESET_CONVENTIONAL, NVME_SC_FW_NEEDS_CONVENTIONAL_RESET,
				      NVME_SC_FW_NEEDS_CONVENTIONAL_RESET, NVME_SC_FW_NEEDS_CONVENTIONAL_RESET},
	[NEEDS_SUBSYSTEM_RESET] = {VSSD_RESET_SUBSYSTEM, NVME_SC_FW_NEEDS_SUBSYSTEM_RESET,
				   NVME_SC_FW_NEEDS_SUBSYSTEM_RESET, NVME_SC_FW_NEEDS_SUBSYSTEM_RESET},
};

static bool is_empty(const struct vssd_firmware_slot *slot)
{
	return slot->revision[0] == '\0';
}

static struct vssd_firmware_slot *slot_of(struct vssd_ctrl *ctrl, uint32_t number)
{
	return &ctrl->nv->firmware.slots[number - 1];
}

/* ---- downloading ---- */

static void discard(struct vssd_firmware *firmware)
{
	free(firmware->image);
	firmware->image = NULL;
	firmware->count = 0;
	memset(firmware->pieces, 0, sizeof(firmware->pieces));
}

/* Whether any of these bytes was downloaded. */
static bool has_any(const struct vssd_firmware *firmware, uint64_t offset, uint64_t length)
{
	for (uint64_t i = offset / PIECE; i <= (offset + length - 1) / PIECE; i++)
		if (firmware->pieces[i])
			return true;
	return false;
}

static uint16_t check_range(struct vssd_request *request, uint64_t offset, uint64_t length)
{
	struct vssd_ctrl *ctrl = request->ctrl;

	if (length > ctrl->max_transfer || length > IMAGE_MAX)
		return vssd_invalid_field(request, VSSD_FIELD_CDW10);
	if (offset > IMAGE_MAX - length)
		return vssd_invalid_field(request, VSSD_FIELD_CDW11);
	if (has_any(&ctrl->firmware, offset, length))
		return NVME_SC_OVERLAPPING_RANGE;
	if (length % PIECE != 0)
		return vssd_invalid_field(request, VSSD_FIELD_CDW10);
	return offset % PIECE == 0 ? NVME_SC_SUCCESS : vssd_invalid_field(request, VSSD_FIELD_CDW11);
}

uint16_t vssd_firmware_download(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_firmware *firmware = &ctrl->firmware;
	uint64_t length = ((uint64_t)cmd->cdw10 + 1) * 4;
	uint64_t offset = (uint64_t)cmd->cdw11 * 4;
	uint32_t count = (uint32_t)(length / PIECE);
	uint16_t status = check_range(request, offset, length);

	if (status)
		return status;
	if (!firmware->image)
		firmware->image = calloc(1, IMAGE_MAX);
	if (!firmware->image)
		return NVME_SC_INTERNAL_ERROR;
	status = vssd_data_receive(request, firmware->image + offset, (uint32_t)length);
	if (status)
		return status;
	memset(firmware->pieces + offset / PIECE, 1, count);
	firmware->count += count;
	return NVME_SC_SUCCESS;
}

static bool is_revision(const char revision[8])
{
	for (unsigned i = 0; i < 8; i++)
		if (revision[i] < ' ' || revision[i] > '~')
			return false;
	return revision[0] != ' ';
}

/* Whether what was downloaded is one whole image. */
static bool image_is_good(const struct vssd_firmware *firmware, struct image *header)
{
	struct image unsigned_header;
	uint32_t crc;

	if (!firmware->image)
		return false;
	memcpy(header, firmware->image, sizeof(*header));
	if (memcmp(header->magic, magic, sizeof(magic)) != 0 || header->length != firmware->count * PIECE ||
	    header->needs >= NUM_NEEDS || !is_revision(header->revision))
		return false;
	/* Pieces that lie elsewhere leave gaps here. */
	for (uint32_t i = 0; i < firmware->count; i++)
		if (!firmware->pieces[i])
			return false;
	unsigned_header = *header;
	unsigned_header.crc = 0;
	crc = pyn_crc32c(0, &unsigned_header, sizeof(unsigned_header));
	crc = pyn_crc32c(crc, firmware->image + sizeof(*header), header->length - sizeof(*header));
	return crc == header->crc;
}

/* ---- activating ---- */

static void activate(struct vssd_ctrl *ctrl, uint8_t slot)
{
	ctrl->nv->firmware.active = slot;
	ctrl->nv->firmware.next = 0;
	memcpy(ctrl->firmware.revision, slot_of(ctrl, slot)->revision, sizeof(ctrl->firmware.revision));
}

/* Commands are left in their queues while the new firmware starts: CSTS.PP. */
static uint16_t begin_activation(struct vssd_ctrl *ctrl, uint8_t slot, uint16_t cid)
{
	struct vssd_firmware *firmware = &ctrl->firmware;

	firmware->starting = slot;
	firmware->cid = cid;
	firmware->due = pyn_ticks() + pyn_ns_to_ticks(ACTIVATION_NS);
	if (ctrl->feature[NVME_FEAT_ASYNC_EVENT] & NVME_OAES_FIRMWARE)
		vssd_event_raise(ctrl, VSSD_EVENT_FIRMWARE);
	ctrl->csts |= NVME_SET(1, NVME_CSTS_PP);
	vssd_update_running(ctrl);
	return VSSD_LATER;
}

static void end_activation(struct vssd_ctrl *ctrl)
{
	activate(ctrl, ctrl->firmware.starting);
	ctrl->firmware.starting = 0;
	ctrl->csts &= (uint32_t)~NVME_SET(1, NVME_CSTS_PP);
	vssd_update_running(ctrl);
}

void vssd_firmware_poll(struct vssd_ctrl *ctrl)
{
	struct vssd_firmware *firmware = &ctrl->firmware;

	if (firmware->starting && ctrl->now >= firmware->due) {
		end_activation(ctrl);
		firmware->started = true;
	}
	/* As that of a format: without the right to host memory the completion waits. */
	if (firmware->started && ctrl->running) {
		firmware->started = false;
		vssd_complete_later(ctrl, firmware->cid, NVME_SC_SUCCESS, 0);
	}
}

void vssd_firmware_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	uint8_t next = ctrl->nv->firmware.next;

	discard(&ctrl->firmware);
	ctrl->firmware.started = false;
	if (ctrl->firmware.starting)
		end_activation(ctrl);
	else if (next && kind >= needs[slot_of(ctrl, next)->needs].least)
		activate(ctrl, next);
	/* A drive without power has forgotten what it ran, and loads what is in the slot now. */
	else if (kind == VSSD_RESET_POWER)
		memcpy(ctrl->firmware.revision, slot_of(ctrl, ctrl->nv->firmware.active)->revision,
		       sizeof(ctrl->firmware.revision));
}

/* ---- committing ---- */

/* The slot that a commit of slot 0 leaves to the controller. A new image displaces neither the active nor the next
 * one; one that is there already is rather not the active one. */
static uint8_t choose_slot(struct vssd_ctrl *ctrl, bool replace)
{
	uint8_t active = ctrl->nv->firmware.active, chosen = active;

	for (uint8_t slot = VSSD_FIRMWARE_SLOTS; slot >= 1; slot--)
		if (slot != active && (replace ? slot != ctrl->nv->firmware.next : !is_empty(slot_of(ctrl, slot))))
			chosen = slot;
	for (uint8_t slot = VSSD_FIRMWARE_SLOTS; replace && slot >= 1; slot--)
		if (is_empty(slot_of(ctrl, slot)))
			chosen = slot;
	return chosen;
}

static uint16_t put_into_slot(struct vssd_ctrl *ctrl, uint8_t slot)
{
	struct image header;
	bool good = image_is_good(&ctrl->firmware, &header);

	discard(&ctrl->firmware);
	if (!good)
		return NVME_SC_INVALID_FIRMWARE_IMAGE;
	slot_of(ctrl, slot)->needs = header.needs;
	memcpy(slot_of(ctrl, slot)->revision, header.revision, sizeof(header.revision));
	return NVME_SC_SUCCESS;
}

uint16_t vssd_firmware_commit(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint8_t slot = cmd->cdw10 & NVME_FW_SLOT_MASK;
	uint32_t action = cmd->cdw10 >> NVME_FW_ACTION_SHIFT & 7;
	bool replace = action != NVME_FW_ACTIVATE && (action != NVME_FW_ACTIVATE_NOW || ctrl->firmware.image);
	uint16_t status = NVME_SC_SUCCESS;
	uint8_t need;

	if (action > (vssd_since(ctrl, NVME_1_2) ? NVME_FW_ACTIVATE_NOW : NVME_FW_ACTIVATE))
		return vssd_invalid_field(request, VSSD_FIELD_CDW10 | NVME_FW_ACTION_SHIFT << VSSD_FIELD_BIT_SHIFT);
	if (slot > VSSD_FIRMWARE_SLOTS)
		return NVME_SC_INVALID_FIRMWARE_SLOT;
	if (slot == 0)
		slot = choose_slot(ctrl, replace);
	if (replace)
		status = put_into_slot(ctrl, slot);
	else if (is_empty(slot_of(ctrl, slot)))
		status = NVME_SC_INVALID_FIRMWARE_IMAGE;
	if (status || action == NVME_FW_REPLACE)
		return status;
	need = slot_of(ctrl, slot)->needs;
	if (action == NVME_FW_ACTIVATE_NOW && needs[need].now == NVME_SC_SUCCESS)
		return begin_activation(ctrl, slot, cmd->cid);
	ctrl->nv->firmware.next = slot;
	return action == NVME_FW_ACTIVATE_NOW ? needs[need].now : needs[need].later;
}

/* ---- reporting ---- */

uint16_t vssd_firmware_pending(const struct vssd_ctrl *ctrl)
{
	uint8_t next = ctrl->nv->firmware.next;

	if (!next)
		return NVME_SC_SUCCESS;
	return needs[ctrl->nv->firmware.slots[next - 1].needs].pending;
}

void vssd_firmware_log(const struct vssd_ctrl *ctrl, struct nvme_firmware_log *log)
{
	log->afi = (uint8_t)(ctrl->nv->firmware.active | ctrl->nv->firmware.next << 4);
	for (unsigned i = 0; i < VSSD_FIRMWARE_SLOTS; i++)
		memcpy(log->frs[i], ctrl->nv->firmware.slots[i].revision, sizeof(log->frs[i]));
}

/* What comes from a file may say anything. */
void vssd_firmware_init(struct vssd_ctrl *ctrl)
{
	struct vssd_nonvolatile *nv = ctrl->nv;

	for (unsigned i = 0; i < VSSD_FIRMWARE_SLOTS; i++)
		if (nv->firmware.slots[i].needs >= NUM_NEEDS || !is_revision(nv->firmware.slots[i].revision))
			memset(&nv->firmware.slots[i], 0, sizeof(nv->firmware.slots[i]));
	if (nv->firmware.active < 1 || nv->firmware.active > VSSD_FIRMWARE_SLOTS)
		nv->firmware.active = 1;
	if (is_empty(slot_of(ctrl, nv->firmware.active)))
		memcpy(slot_of(ctrl, nv->firmware.active)->revision, VSSD_FIRMWARE,
		       sizeof(nv->firmware.slots[0].revision));
	if (nv->firmware.next > VSSD_FIRMWARE_SLOTS ||
	    (nv->firmware.next && is_empty(slot_of(ctrl, nv->firmware.next))))
		nv->firmware.next = 0;
}

void vssd_firmware_deinit(struct vssd_ctrl *ctrl)
{
	discard(&ctrl->firmware);
}
