/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Firmware images, slots and activation. NVM Express Base Specification 2.0, section 3.11.
 *
 * pynvme/firmware.py makes images: a header, whose CRC covers the whole image, and arbitrary data. The drive does not
 * execute an image, and keeps only its revision.
 */
#include "vssd/subsystem/firmware.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "core/util/crc32c.h"
#include "vssd/subsystem/boot.h"
#include "vssd/subsystem/subsystem.h"

#define ACTIVATION_NS UINT64_C(30000000)
#define PIECE VSSD_FIRMWARE_PIECE
_Static_assert(PIECE == VSSD_FWUG * NVME_FWUG_UNIT, "FWUG");

struct image {
	char magic[8];
	char revision[8]; /* ASCII, padded with spaces */
	uint32_t length;  /* bytes of the whole image */
	uint32_t crc;     /* CRC-32C of the whole image with this field set to 0 */
	uint8_t needs;    /* enum need */
	uint8_t rsvd[7];
};
_Static_assert(sizeof(struct image) == 32, "firmware image");

static const char magic[8] = {'P', 'Y', 'N', 'V', 'M', 'E', 'F', 'W'};

/* The reset that an image needs to become active. */
enum need { NEEDS_NOTHING, NEEDS_CONTROLLER_RESET, NEEDS_CONVENTIONAL_RESET, NEEDS_SUBSYSTEM_RESET, NUM_NEEDS };

static const struct {
	enum vssd_reset least;
	uint16_t now;     /* the status of a commit that should activate immediately; 0: success */
	uint16_t later;   /* the status of a commit that activates at a reset */
	uint16_t pending; /* the status of commands that are not allowed before that reset */
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

static struct vssd_firmware_slot *slot_of(const struct vssd_subsystem *subsystem, uint32_t number)
{
	return &subsystem->nv->firmware.slots[number - 1];
}

/* ---- downloading ---- */

static void discard(struct vssd_firmware *firmware)
{
	free(firmware->image);
	firmware->image = NULL;
	firmware->count = 0;
	memset(firmware->pieces, 0, sizeof(firmware->pieces));
}

bool vssd_firmware_has_any(const struct vssd_firmware *firmware, uint64_t offset, uint64_t length)
{
	uint64_t end = (offset + length - 1) / PIECE + 1;

	for (uint64_t i = offset / PIECE; i < end && i < VSSD_FIRMWARE_PIECES; i++)
		if (firmware->pieces[i])
			return true;
	return false;
}

uint8_t *vssd_firmware_image(struct vssd_firmware *firmware)
{
	if (!firmware->image)
		firmware->image = calloc(1, VSSD_FIRMWARE_IMAGE_MAX);
	return firmware->image;
}

void vssd_firmware_downloaded(struct vssd_firmware *firmware, uint64_t offset, uint64_t length)
{
	memset(firmware->pieces + offset / PIECE, 1, length / PIECE);
	firmware->count += (uint32_t)(length / PIECE);
}

static bool is_revision(const char revision[8])
{
	for (unsigned i = 0; i < 8; i++)
		if (revision[i] < ' ' || revision[i] > '~')
			return false;
	return revision[0] != ' ';
}

/* Whether the downloaded pieces have no gaps. */
static bool has_no_gaps(const struct vssd_firmware *firmware)
{
	for (uint32_t i = 0; i < firmware->count; i++)
		if (!firmware->pieces[i])
			return false;
	return firmware->count > 0;
}

/* Whether the downloaded pieces are one complete image. */
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
	if (!has_no_gaps(firmware))
		return false;
	unsigned_header = *header;
	unsigned_header.crc = 0;
	crc = pyn_crc32c(0, &unsigned_header, sizeof(unsigned_header));
	crc = pyn_crc32c(crc, firmware->image + sizeof(*header), header->length - sizeof(*header));
	return crc == header->crc;
}

/* ---- activating ---- */

static void activate(struct vssd_subsystem *subsystem, uint8_t slot)
{
	vssd_ocp_activated(subsystem, slot, subsystem->firmware.revision);
	subsystem->nv->firmware.active = slot;
	subsystem->nv->firmware.next = 0;
	memcpy(subsystem->firmware.revision, slot_of(subsystem, slot)->revision,
	       sizeof(subsystem->firmware.revision));
}

static void end_activation(struct vssd_subsystem *subsystem)
{
	activate(subsystem, subsystem->firmware.starting);
	subsystem->firmware.starting = 0;
	vssd_subsystem_notify(subsystem, VSSD_NOTICE_FIRMWARE_RUNS);
}

static void poll(struct vssd_subsystem *subsystem, uint64_t now)
{
	struct vssd_firmware *firmware = &subsystem->firmware;

	if (firmware->starting && now >= firmware->due) {
		end_activation(subsystem);
		firmware->started = true;
	}
	if (!firmware->owner)
		firmware->started = false;
	/* The completion waits until the controller may access host memory. */
	if (firmware->started && firmware->owner->ops->is_ready(firmware->owner)) {
		firmware->started = false;
		firmware->owner->ops->complete(firmware->owner, firmware->cid, NVME_SC_SUCCESS);
	}
}

static uint64_t due(const struct vssd_subsystem *subsystem)
{
	if (subsystem->firmware.started)
		return 0;
	return subsystem->firmware.starting ? subsystem->firmware.due : VSSD_NEVER;
}

/* Drop the image that the controller downloaded, end its activation, and activate the image that waits for this kind
 * of reset. */
static void reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	uint8_t next = subsystem->nv->firmware.next;

	bool own = !by || by == subsystem->firmware.owner;

	if (!by || by == subsystem->firmware.sender)
		discard(&subsystem->firmware);
	if (own)
		subsystem->firmware.started = false;
	if (subsystem->firmware.starting && own)
		end_activation(subsystem);
	else if (next && kind >= needs[slot_of(subsystem, next)->needs].least)
		activate(subsystem, next);
	/* At power-up the drive loads the image that is in the active slot now. */
	else if (kind == VSSD_RESET_POWER)
		memcpy(subsystem->firmware.revision, slot_of(subsystem, subsystem->nv->firmware.active)->revision,
		       sizeof(subsystem->firmware.revision));
}

/* ---- committing ---- */

/* A new image goes to an empty slot, or else to one that is neither active nor next. An existing image to activate is
 * one that is not active, if there is one. */
uint8_t vssd_firmware_choose(const struct vssd_subsystem *subsystem, bool replace)
{
	uint8_t active = subsystem->nv->firmware.active, chosen = active;

	for (uint8_t slot = VSSD_FIRMWARE_SLOTS; slot >= 1; slot--)
		if (slot != active &&
		    (replace ? slot != subsystem->nv->firmware.next : !is_empty(slot_of(subsystem, slot))))
			chosen = slot;
	for (uint8_t slot = VSSD_FIRMWARE_SLOTS; replace && slot >= 1; slot--)
		if (is_empty(slot_of(subsystem, slot)))
			chosen = slot;
	return chosen;
}

uint16_t vssd_firmware_store(struct vssd_subsystem *subsystem, uint8_t slot)
{
	struct image header;
	bool good = image_is_good(&subsystem->firmware, &header);

	discard(&subsystem->firmware);
	if (!good)
		return NVME_SC_INVALID_FIRMWARE_IMAGE;
	slot_of(subsystem, slot)->needs = header.needs;
	memcpy(slot_of(subsystem, slot)->revision, header.revision, sizeof(header.revision));
	return NVME_SC_SUCCESS;
}

uint16_t vssd_firmware_to_boot(struct vssd_subsystem *subsystem, unsigned id)
{
	struct vssd_firmware *firmware = &subsystem->firmware;
	bool good = has_no_gaps(firmware) && firmware->count * PIECE <= VSSD_BOOT_SIZE &&
		    vssd_boot_replace(subsystem, id, firmware->image, firmware->count * PIECE);

	discard(firmware);
	return good ? NVME_SC_SUCCESS : NVME_SC_INVALID_FIRMWARE_IMAGE;
}

bool vssd_firmware_activate(struct vssd_subsystem *subsystem, uint8_t slot, bool now, struct vssd_listener *owner,
			    uint16_t cid, uint16_t *status)
{
	struct vssd_firmware *firmware = &subsystem->firmware;
	uint8_t need = slot_of(subsystem, slot)->needs;

	if (is_empty(slot_of(subsystem, slot))) {
		*status = NVME_SC_INVALID_FIRMWARE_IMAGE;
		return false;
	}
	if (now && needs[need].now == NVME_SC_SUCCESS) {
		firmware->starting = slot;
		firmware->owner = owner;
		firmware->cid = cid;
		firmware->due = pyn_ticks() + pyn_ns_to_ticks(ACTIVATION_NS);
		vssd_subsystem_notify(subsystem, VSSD_NOTICE_FIRMWARE_STARTS);
		vssd_subsystem_wake(subsystem);
		return true;
	}
	subsystem->nv->firmware.next = slot;
	*status = now ? needs[need].now : needs[need].later;
	return false;
}

/* ---- reporting ---- */

uint16_t vssd_firmware_pending(const struct vssd_subsystem *subsystem)
{
	uint8_t next = subsystem->nv->firmware.next;

	if (!next)
		return NVME_SC_SUCCESS;
	return needs[subsystem->nv->firmware.slots[next - 1].needs].pending;
}

void vssd_firmware_log(const struct vssd_subsystem *subsystem, struct nvme_firmware_log *log)
{
	log->afi = (uint8_t)(subsystem->nv->firmware.active | subsystem->nv->firmware.next << 4);
	for (unsigned i = 0; i < VSSD_FIRMWARE_SLOTS; i++)
		memcpy(log->frs[i], subsystem->nv->firmware.slots[i].revision, sizeof(log->frs[i]));
}

/* Check the state, which may come from a file with any contents. */
static void init(struct vssd_subsystem *subsystem)
{
	struct vssd_nonvolatile *nv = subsystem->nv;

	for (unsigned i = 0; i < VSSD_FIRMWARE_SLOTS; i++)
		if (nv->firmware.slots[i].needs >= NUM_NEEDS || !is_revision(nv->firmware.slots[i].revision))
			memset(&nv->firmware.slots[i], 0, sizeof(nv->firmware.slots[i]));
	if (nv->firmware.active < 1 || nv->firmware.active > VSSD_FIRMWARE_SLOTS)
		nv->firmware.active = 1;
	if (is_empty(slot_of(subsystem, nv->firmware.active)))
		memcpy(slot_of(subsystem, nv->firmware.active)->revision, VSSD_FIRMWARE,
		       sizeof(nv->firmware.slots[0].revision));
	if (nv->firmware.next > VSSD_FIRMWARE_SLOTS ||
	    (nv->firmware.next && is_empty(slot_of(subsystem, nv->firmware.next))))
		nv->firmware.next = 0;
}

static void deinit(struct vssd_subsystem *subsystem)
{
	discard(&subsystem->firmware);
}

const struct vssd_subsystem_part vssd_firmware_part = {
	.init = init, .reset = reset, .poll = poll, .due = due, .deinit = deinit};
