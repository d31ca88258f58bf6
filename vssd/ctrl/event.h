/* SPDX-License-Identifier: BSD-3-Clause */
/* Asynchronous events. */
#ifndef VSSD_CTRL_EVENT_H
#define VSSD_CTRL_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/part.h"
#include "vssd/options.h"

struct vssd_subsystem;

#define VSSD_AERL 3u /* 0's based, as Identify reports it */

/* In the order of reporting. */
enum vssd_event {
	VSSD_EVENT_DOORBELL_REGISTER,
	VSSD_EVENT_DOORBELL_VALUE,
	VSSD_EVENT_RELIABILITY,
	VSSD_EVENT_TEMPERATURE,
	VSSD_EVENT_SPARE,
	VSSD_EVENT_NS_CHANGED,
	VSSD_EVENT_ALLOCATED_NS,
	VSSD_EVENT_SANITIZED,
	VSSD_EVENT_FIRMWARE,
	VSSD_EVENT_TELEMETRY,
	VSSD_EVENT_ZONE_CHANGED,
	VSSD_EVENT_RESERVATION,
	VSSD_EVENT_ANA,
	VSSD_EVENT_LBA_STATUS,
	VSSD_EVENT_VERIFICATION,
	VSSD_EVENT_GROUP,
	VSSD_EVENT_POWER,
	VSSD_EVENT_DATA_QUEUE_TAIL,
	VSSD_EVENT_DATA_QUEUE_FULL,
	VSSD_NUM_EVENTS,
};

struct vssd_events {
	uint32_t pending;             /* a bit for each vssd_event */
	uint32_t changed_ns;          /* the list of changed attached namespaces: a bit for each, by NSID - 1 */
	uint32_t changed_allocated;   /* that of changed allocated namespaces */
	uint32_t deferred;            /* events to raise once the controller fetches commands */
	uint32_t masked;              /* a bit for each nvme_event_type that is masked until its log page is read */
	uint8_t awaited[8];           /* the log page that unmasks it, by nvme_event_type */
	uint16_t cids[VSSD_AERL + 1]; /* of outstanding commands, oldest first */
	unsigned count;
	uint32_t zone_nsid;                      /* the namespace whose zones have changed */
	uint16_t data_queue;                     /* CDQID of the controller data queue of the last event */
	uint8_t groups;                          /* endurance groups with events: a bit for each, by ENDGID - 1 */
	uint8_t group_warnings[VSSD_MAX_GROUPS]; /* that have been reported, by ENDGID - 1 */
};

extern const struct vssd_part vssd_event_part;

/* The critical warnings of endurance groups: they share the spare, so that all have the same ones. */
uint8_t vssd_group_warnings(const struct vssd_subsystem *subsystem);

/* Report critical warnings of endurance groups that feature 18h enables, once for each warning. */
void vssd_group_events_check(struct vssd_ctrl *ctrl);

/* Report an event, unless it is a notice that feature 0Bh does not enable. */
void vssd_event_raise(struct vssd_ctrl *ctrl, enum vssd_event event);

/* The same, once the controller fetches commands; until then it must not access host memory. Resets keep the event.
 */
void vssd_event_defer(struct vssd_ctrl *ctrl, enum vssd_event event);

/* Cancel an event that has not been reported yet. It can be raised again. */
void vssd_event_forget(struct vssd_ctrl *ctrl, enum vssd_event event);

/* The host has read a log page: unmask the event type that named it. */
void vssd_event_acknowledge(struct vssd_ctrl *ctrl, uint8_t lid);

/* Keep an Asynchronous Event Request until there is an event. False: there are too many. */
bool vssd_event_await(struct vssd_ctrl *ctrl, uint16_t cid);

/* Complete the outstanding command cid with Abort Requested. False: there is none. */
bool vssd_event_abort(struct vssd_ctrl *ctrl, uint16_t cid);

#endif
