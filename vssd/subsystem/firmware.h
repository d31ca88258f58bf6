/* SPDX-License-Identifier: BSD-3-Clause */
/* Firmware: the image that is being downloaded, the slots, and what a reset activates. */
#ifndef VSSD_SUBSYSTEM_FIRMWARE_H
#define VSSD_SUBSYSTEM_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/subsystem/nonvolatile.h"
#include "vssd/subsystem/part.h"

#define VSSD_FIRMWARE "1.0     " /* of a new drive */
#define VSSD_FWUG 1u             /* as Identify reports it: the size of a piece of firmware */
#define VSSD_FIRMWARE_PIECE (VSSD_FWUG * 4096u)
#define VSSD_FIRMWARE_PIECES 2048u /* of the largest image */
#define VSSD_FIRMWARE_IMAGE_MAX (VSSD_FIRMWARE_PIECES * VSSD_FIRMWARE_PIECE)

struct vssd_firmware {
	char revision[8];                     /* that runs */
	uint8_t *image;                       /* what was downloaded; NULL: nothing */
	uint8_t pieces[VSSD_FIRMWARE_PIECES]; /* 1: this one was */
	uint32_t count;                       /* of them */
	uint8_t starting;                     /* the slot that is being activated, 0: none */
	bool started;                         /* it was; its commit has not completed yet */
	struct vssd_listener *owner;          /* whose commit it is; NULL: it has gone */
	uint16_t cid;
	uint64_t due; /* ticks; when it runs */
};

extern const struct vssd_subsystem_part vssd_firmware_part;

/* Whether any of these bytes of an image was downloaded. */
bool vssd_firmware_has_any(const struct vssd_firmware *firmware, uint64_t offset, uint64_t length);

/* Where the bytes of the image go; NULL: no memory. */
uint8_t *vssd_firmware_image(struct vssd_firmware *firmware);

/* Pieces of the image are there: whole ones. */
void vssd_firmware_downloaded(struct vssd_firmware *firmware, uint64_t offset, uint64_t length);

/* The slot that a commit of slot 0 leaves to the subsystem; replace: what was downloaded goes there. */
uint8_t vssd_firmware_choose(const struct vssd_subsystem *subsystem, bool replace);

/* Put what was downloaded, which is gone then, into a slot. A status. */
uint16_t vssd_firmware_store(struct vssd_subsystem *subsystem, uint8_t slot);

/* Activate what is in a slot: now, if its image lets it (the command completes later: true, and *status is not set),
 * or with the next reset. */
bool vssd_firmware_activate(struct vssd_subsystem *subsystem, uint8_t slot, bool now, struct vssd_listener *owner,
			    uint16_t cid, uint16_t *status);

/* The status that names the reset which an image waits for; 0: none does. */
uint16_t vssd_firmware_pending(const struct vssd_subsystem *subsystem);

void vssd_firmware_log(const struct vssd_subsystem *subsystem, struct nvme_firmware_log *log);

#endif
