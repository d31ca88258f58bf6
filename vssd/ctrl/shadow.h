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

struct vssd_shadow {
	bool on;
	uint64_t doorbells; /* address of the shadow doorbells in host memory */
	uint64_t events;    /* and of the EventIdxs, both laid out as the doorbells */
	uint32_t *seen;     /* the values that the drive has processed, by doorbell */
};

/* Switches them off at a reset. */
extern const struct vssd_part vssd_shadow_part;

/* Use these buffers from now on. */
void vssd_shadow_start(struct vssd_ctrl *ctrl, uint64_t doorbells, uint64_t events);

/* A queue was created: its doorbell is 0. */
void vssd_shadow_created(struct vssd_ctrl *ctrl, uint32_t index);

/* Whether a QID has shadow doorbells: they are on, and the memory page that they have holds those of the QID. Queues
 * beyond it have only their doorbells. */
bool vssd_shadow_has(const struct vssd_ctrl *ctrl, uint32_t qid);

/* Read the shadow doorbells of a QID, the tail and the head. False: they are off, or cannot be read. */
bool vssd_shadow_read(struct vssd_ctrl *ctrl, uint16_t qid, uint32_t values[2]);

/* Whether a value is new. If so, note it, and ask the host to ring the doorbell beyond it. */
bool vssd_shadow_take(struct vssd_ctrl *ctrl, uint32_t index, uint32_t value);

#endif
