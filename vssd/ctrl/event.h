/* SPDX-License-Identifier: BSD-3-Clause */
/* Asynchronous events. */
#ifndef VSSD_CTRL_EVENT_H
#define VSSD_CTRL_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/part.h"

#define VSSD_AERL 3u /* 0's based, as Identify reports it */

/* In the order in which they are reported. */
enum vssd_event {
	VSSD_EVENT_DOORBELL_REGISTER,
	VSSD_EVENT_DOORBELL_VALUE,
	VSSD_EVENT_RELIABILITY,
	VSSD_EVENT_TEMPERATURE,
	VSSD_EVENT_SPARE,
	VSSD_EVENT_NS_CHANGED,
	VSSD_EVENT_SANITIZED,
	VSSD_EVENT_FIRMWARE,
	VSSD_EVENT_TELEMETRY,
	VSSD_NUM_EVENTS,
};

struct vssd_events {
	uint32_t pending;             /* a bit for each vssd_event */
	uint32_t deferred;            /* those that are to be raised once commands are taken */
	uint32_t masked;              /* a bit for each nvme_event_type: waits for a log page to be read */
	uint8_t awaited[8];           /* which one, by nvme_event_type */
	uint16_t cids[VSSD_AERL + 1]; /* of outstanding commands, oldest first */
	unsigned count;
};

extern const struct vssd_part vssd_event_part;

/* Report it, unless it is a notice that feature 0Bh does not enable. */
void vssd_event_raise(struct vssd_ctrl *ctrl, enum vssd_event event);

/* The same, once commands are taken: a controller that takes none has no right to host memory. Resets keep it. */
void vssd_event_defer(struct vssd_ctrl *ctrl, enum vssd_event event);

/* It is not to be reported any more, and may be raised anew. */
void vssd_event_forget(struct vssd_ctrl *ctrl, enum vssd_event event);

/* A log page was read: the type of the event that named it may be reported again. */
void vssd_event_acknowledge(struct vssd_ctrl *ctrl, uint8_t lid);

/* Keep an Asynchronous Event Request until there is an event; false: there are too many. */
bool vssd_event_await(struct vssd_ctrl *ctrl, uint16_t cid);

/* Complete the outstanding command cid with Abort Requested; false: there is none. */
bool vssd_event_abort(struct vssd_ctrl *ctrl, uint16_t cid);

#endif
