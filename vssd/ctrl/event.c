/* SPDX-License-Identifier: BSD-3-Clause */
/* Asynchronous events. NVM Express Base Specification 2.0, section 5.2. */
#include "vssd/ctrl/controller.h"
#include "vssd/fault/value.h"

#include <string.h>

static const struct {
	uint8_t type;
	uint8_t info;
	uint8_t lid;     /* the log page with details; reading it unmasks the event type; 0: none, and no masking */
	uint32_t notice; /* the bit of feature 0Bh that enables it; 0: always enabled */
} events[VSSD_NUM_EVENTS] = {
	[VSSD_EVENT_DOORBELL_REGISTER] = {NVME_EVENT_ERROR, NVME_EVENT_INVALID_DOORBELL, NVME_LOG_ERROR, 0},
	[VSSD_EVENT_DOORBELL_VALUE] = {NVME_EVENT_ERROR, NVME_EVENT_INVALID_DOORBELL_VALUE, NVME_LOG_ERROR, 0},
	[VSSD_EVENT_RELIABILITY] = {NVME_EVENT_SMART, NVME_EVENT_RELIABILITY, NVME_LOG_SMART, 0},
	[VSSD_EVENT_TEMPERATURE] = {NVME_EVENT_SMART, NVME_EVENT_TEMPERATURE, NVME_LOG_SMART, 0},
	[VSSD_EVENT_SPARE] = {NVME_EVENT_SMART, NVME_EVENT_SPARE, NVME_LOG_SMART, 0},
	[VSSD_EVENT_SANITIZED] = {NVME_EVENT_IO_COMMAND_SET, NVME_EVENT_SANITIZE_COMPLETED, NVME_LOG_SANITIZE, 0},
	[VSSD_EVENT_VERIFICATION] = {NVME_EVENT_IO_COMMAND_SET, NVME_EVENT_MEDIA_VERIFICATION, NVME_LOG_SANITIZE, 0},
	[VSSD_EVENT_NS_CHANGED] = {NVME_EVENT_NOTICE, NVME_EVENT_NS_CHANGED, NVME_LOG_CHANGED_NS,
				   NVME_OAES_NS_ATTRIBUTE},
	[VSSD_EVENT_ALLOCATED_NS] = {NVME_EVENT_NOTICE, NVME_EVENT_ALLOCATED_NS_CHANGED,
				     NVME_LOG_CHANGED_ALLOCATED_NS, NVME_OAES_ALLOCATED_NS},
	[VSSD_EVENT_FIRMWARE] = {NVME_EVENT_NOTICE, NVME_EVENT_FIRMWARE, NVME_LOG_FIRMWARE, NVME_OAES_FIRMWARE},
	[VSSD_EVENT_RESERVATION] = {NVME_EVENT_IO_COMMAND_SET, NVME_EVENT_RESERVATION, NVME_LOG_RESERVATION, 0},
	[VSSD_EVENT_GROUP] = {NVME_EVENT_NOTICE, NVME_EVENT_ENDURANCE_GROUP, NVME_LOG_ENDURANCE_GROUP_EVENTS,
			      NVME_OAES_ENDURANCE_GROUP},
	[VSSD_EVENT_TELEMETRY] = {NVME_EVENT_NOTICE, NVME_EVENT_TELEMETRY, NVME_LOG_TELEMETRY_CTRL,
				  NVME_ASYNC_EVENT_TELEMETRY},
	[VSSD_EVENT_ZONE_CHANGED] = {NVME_EVENT_NOTICE, NVME_EVENT_ZONE_CHANGED, NVME_LOG_CHANGED_ZONES,
				     NVME_OAES_ZONE_CHANGED},
	[VSSD_EVENT_ANA] = {NVME_EVENT_NOTICE, NVME_EVENT_ANA_CHANGED, NVME_LOG_ANA, NVME_OAES_ANA},
	[VSSD_EVENT_POWER] = {NVME_EVENT_ONE_SHOT, NVME_EVENT_POWER_THRESHOLD, 0, 0},
	[VSSD_EVENT_DATA_QUEUE_TAIL] = {NVME_EVENT_ONE_SHOT, NVME_EVENT_DATA_QUEUE_TAIL, 0, 0},
	[VSSD_EVENT_DATA_QUEUE_FULL] = {NVME_EVENT_ONE_SHOT, NVME_EVENT_DATA_QUEUE_FULL, 0, 0},
	[VSSD_EVENT_LBA_STATUS] = {NVME_EVENT_NOTICE, NVME_EVENT_LBA_STATUS, NVME_LOG_LBA_STATUS,
				   NVME_OAES_LBA_STATUS},
};

static uint16_t remove_cid(struct vssd_events *queue, unsigned index)
{
	uint16_t cid = queue->cids[index];

	queue->count--;
	memmove(&queue->cids[index], &queue->cids[index + 1], (queue->count - index) * sizeof(cid));
	return cid;
}

/* Dwords 0 and 1 of the completion. */
static uint64_t result_of(const struct vssd_events *queue, unsigned event)
{
	uint64_t dword1 = event == VSSD_EVENT_ZONE_CHANGED ? queue->zone_nsid : 0;

	if (event == VSSD_EVENT_DATA_QUEUE_TAIL || event == VSSD_EVENT_DATA_QUEUE_FULL)
		dword1 = queue->data_queue;
	return events[event].type | (uint32_t)events[event].info << 8 | (uint32_t)events[event].lid << 16 |
	       dword1 << 32;
}

/* Report pending events that are not masked, as long as event requests are outstanding. */
static void report(struct vssd_ctrl *ctrl)
{
	struct vssd_events *queue = &ctrl->events;
	bool again = false;

	for (unsigned i = 0; i < VSSD_NUM_EVENTS && queue->count > 0; i += !again) {
		again = false;
		if (!(queue->pending >> i & 1) || queue->masked >> events[i].type & 1)
			continue;
		if (ctrl->faulty.storm[i]) {
			ctrl->faulty.storm[i]--;
			again = true;
		} else {
			queue->pending &= ~(1u << i);
			if (events[i].lid)
				queue->masked |= 1u << events[i].type;
		}
		queue->awaited[events[i].type] = events[i].lid;
		vssd_complete_later(ctrl, remove_cid(queue, 0), NVME_SC_SUCCESS, result_of(queue, i));
	}
}

void vssd_event_raise(struct vssd_ctrl *ctrl, enum vssd_event event)
{
	uint32_t notice = events[event].notice;
	unsigned times = 1;

	if (notice && !(ctrl->features.value[NVME_FEAT_ASYNC_EVENT] & notice))
		return;
	if (events[event].type == NVME_EVENT_ERROR)
		vssd_error_of_none(ctrl);
	vssd_faults_note(ctrl->subsystem->faults, VSSD_FAULT_ON_EVENT);
	if (vssd_faults_at(ctrl->subsystem->faults, VSSD_FAULT_EVENT))
		times = vssd_faulty_event(ctrl, event);
	if (times == 0)
		return;
	ctrl->faulty.storm[event] = (uint16_t)(ctrl->faulty.storm[event] + times - 1);
	ctrl->events.pending |= 1u << event;
	report(ctrl);
}

void vssd_event_defer(struct vssd_ctrl *ctrl, enum vssd_event event)
{
	ctrl->events.deferred |= 1u << event;
	vssd_ctrl_wake(ctrl);
}

void vssd_event_forget(struct vssd_ctrl *ctrl, enum vssd_event event)
{
	ctrl->events.deferred &= ~(1u << event);
	ctrl->events.pending &= ~(1u << event);
	ctrl->events.masked &= ~(1u << events[event].type);
}

/* ---- endurance groups ---- */

#define GROUP_SPARE 1u
#define GROUP_READ_ONLY 8u

uint8_t vssd_group_warnings(const struct vssd_subsystem *subsystem)
{
	uint8_t warnings = vssd_health_warnings(subsystem);

	return (uint8_t)((warnings & NVME_SMART_SPARE ? GROUP_SPARE : 0) |
			 (warnings & NVME_SMART_READ_ONLY ? GROUP_READ_ONLY : 0));
}

void vssd_group_events_check(struct vssd_ctrl *ctrl)
{
	uint8_t warnings = vssd_group_warnings(ctrl->subsystem);
	bool is_new = false;

	for (unsigned i = 0; i < VSSD_MAX_GROUPS; i++) {
		uint8_t *reported = &ctrl->events.group_warnings[i];
		uint8_t added = (uint8_t)(warnings & ctrl->features.group_warnings[i] & ~*reported);

		*reported = (uint8_t)((*reported & warnings) | added);
		if (!added)
			continue;
		ctrl->events.groups |= (uint8_t)(1u << i);
		is_new = true;
	}
	if (is_new)
		vssd_event_raise(ctrl, VSSD_EVENT_GROUP);
}

void vssd_event_acknowledge(struct vssd_ctrl *ctrl, uint8_t lid)
{
	for (unsigned type = 0; type < sizeof(ctrl->events.awaited); type++)
		if (ctrl->events.awaited[type] == lid)
			ctrl->events.masked &= ~(1u << type);
	report(ctrl);
}

bool vssd_event_abort(struct vssd_ctrl *ctrl, uint16_t cid)
{
	for (unsigned i = 0; i < ctrl->events.count; i++) {
		if (ctrl->events.cids[i] != cid)
			continue;
		remove_cid(&ctrl->events, i);
		vssd_complete_later(ctrl, cid, NVME_SC_ABORT_REQUESTED, 0);
		return true;
	}
	return false;
}

bool vssd_event_await(struct vssd_ctrl *ctrl, uint16_t cid)
{
	struct vssd_events *queue = &ctrl->events;

	if (queue->count > VSSD_AERL)
		return false;
	queue->cids[queue->count++] = cid;
	report(ctrl);
	return true;
}

/* ---- the part ---- */

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	(void)kind;
	ctrl->events = (struct vssd_events){.deferred = ctrl->events.deferred,
					    .changed_ns = ctrl->events.changed_ns,
					    .changed_allocated = ctrl->events.changed_allocated,
					    .zone_nsid = ctrl->events.zone_nsid};
}

static void poll(struct vssd_ctrl *ctrl)
{
	uint32_t deferred = ctrl->events.deferred;

	if (!ctrl->running)
		return;
	ctrl->events.deferred = 0;
	for (unsigned i = 0; i < VSSD_NUM_EVENTS; i++)
		if (deferred >> i & 1)
			vssd_event_raise(ctrl, (enum vssd_event)i);
}

static uint64_t due(const struct vssd_ctrl *ctrl)
{
	return ctrl->events.deferred && ctrl->running ? 0 : VSSD_NEVER;
}

const struct vssd_part vssd_event_part = {.reset = reset, .poll = poll, .due = due, .kept = VSSD_FAULT_KEEPS_EVENTS};
