/* SPDX-License-Identifier: BSD-3-Clause */
/* Firmware: the downloaded image, the slots, and activation. */
#ifndef VSSD_SUBSYSTEM_FIRMWARE_H
#define VSSD_SUBSYSTEM_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/subsystem/nonvolatile.h"
#include "vssd/subsystem/part.h"

#define VSSD_FIRMWARE "1.0     " /* of a new drive */
#define VSSD_FWUG 1u             /* units of 4 KiB, as Identify reports it */
#define VSSD_FIRMWARE_PIECE (VSSD_FWUG * 4096u)
#define VSSD_FIRMWARE_PIECES 2048u /* in the largest image */
#define VSSD_FIRMWARE_IMAGE_MAX (VSSD_FIRMWARE_PIECES * VSSD_FIRMWARE_PIECE)

struct vssd_firmware {
	char revision[8];                     /* of the active firmware */
	uint8_t *image;                       /* the downloaded image; NULL: nothing was downloaded */
	uint8_t pieces[VSSD_FIRMWARE_PIECES]; /* 1: this piece was downloaded */
	uint32_t count;                       /* of downloaded pieces */
	uint8_t starting;                     /* the slot that is being activated; 0: none */
	bool started;                         /* activated, but the commit has not completed yet */
	struct vssd_listener *owner;          /* the controller that got the commit; NULL: destroyed */
	uint16_t cid;
	uint64_t due;                       /* ticks: when the activation is done */
	const struct vssd_listener *sender; /* the controller that got the downloaded image */
};

extern const struct vssd_subsystem_part vssd_firmware_part;

/* Whether an image is being activated, or the commit that activated it has not completed yet. */
static inline bool vssd_firmware_is_starting(const struct vssd_firmware *firmware)
{
	return firmware->starting || firmware->started;
}

/* Whether any of these bytes of an image was downloaded. None was beyond the largest image. */
bool vssd_firmware_has_any(const struct vssd_firmware *firmware, uint64_t offset, uint64_t length);

/* The buffer of the downloaded image, allocated if needed. NULL: no memory. */
uint8_t *vssd_firmware_image(struct vssd_firmware *firmware);

/* Mark a range of whole pieces as downloaded. */
void vssd_firmware_downloaded(struct vssd_firmware *firmware, uint64_t offset, uint64_t length);

/* Choose the slot for a commit with slot 0. replace: the commit stores the downloaded image there. */
uint8_t vssd_firmware_choose(const struct vssd_subsystem *subsystem, bool replace);

/* Move the downloaded image into a slot. Returns a status. */
uint16_t vssd_firmware_store(struct vssd_subsystem *subsystem, uint8_t slot);

/* Move the downloaded image into a boot partition, whatever it is. Returns a status. */
uint16_t vssd_firmware_to_boot(struct vssd_subsystem *subsystem, unsigned id);

/* Activate the image in a slot, now if the image allows it, otherwise at the next reset. True: the activation has
 * begun, the command completes later, and *status is not set. */
bool vssd_firmware_activate(struct vssd_subsystem *subsystem, uint8_t slot, bool now, struct vssd_listener *owner,
			    uint16_t cid, uint16_t *status);

/* The status that names the reset for which an image waits; 0: none waits. */
uint16_t vssd_firmware_pending(const struct vssd_subsystem *subsystem);

void vssd_firmware_log(const struct vssd_subsystem *subsystem, struct nvme_firmware_log *log);

#endif
