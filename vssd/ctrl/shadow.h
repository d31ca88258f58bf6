/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shadow doorbells: after Doorbell Buffer Config, the host stores the values of I/O queues' doorbells in its memory,
 * and rings a doorbell only if the drive asks for it by an EventIdx. NVM Express Base Specification 2.1,
 * section 5.2.5.
 */
#ifndef VSSD_CTRL_SHADOW_H
#define VSSD_CTRL_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/part.h"
#include "vssd/options.h"

struct vssd_shadow {
	bool on;
	uint64_t doorbells;                          /* address of the shadow doorbells in host memory */
	uint64_t events;                             /* and of the EventIdxs, both laid out as the doorbells */
	uint32_t seen[2 * (VSSD_MAX_IO_QUEUES + 1)]; /* the values that the drive has processed, by doorbell */
};

/* Switches them off at a reset. */
extern const struct vssd_part vssd_shadow_part;

/* Use these buffers from now on. */
void vssd_shadow_start(struct vssd_ctrl *ctrl, uint64_t doorbells, uint64_t events);

/* A queue was created: its doorbell is 0. */
void vssd_shadow_created(struct vssd_ctrl *ctrl, uint32_t index);

/* Process new values of the shadow doorbells of a QID, or of all I/O queues. Does nothing if they are off. */
void vssd_shadow_check(struct vssd_ctrl *ctrl, uint16_t qid);
void vssd_shadow_poll(struct vssd_ctrl *ctrl);

#endif
