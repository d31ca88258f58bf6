/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Telemetry: captures the controller's state when the host requests it or after an error, so that a host that reads
 * the page in pieces gets a consistent state. NVM Express Base Specification 2.0, sections 5.16.1.8, 5.16.1.9
 * and 8.24.
 *
 * Data area 1 is struct state. Area 2 adds a struct queue for each of the lowest QIDs. Area 3 adds a struct
 * vssd_trace_entry for each of the last commands, the newest first. Area 4, which only a host gets that has enabled
 * it (ETDAS), is the error log. The layout is vendor specific; the eight characters at its start name its version.
 */
#include "vssd/ctrl/telemetry.h"

#include <stddef.h>
#include <string.h>

#include "core/util/clock.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/identity.h"

#define LAYOUT "VSSDTEL2"
#define QUEUES 65u /* in data area 2 */

struct state {
	char layout[8];
	char revision[8];     /* of the firmware */
	uint16_t queues;      /* in data area 2 */
	uint16_t traced;      /* entries in data area 3 */
	uint16_t temperature; /* Kelvin */
	uint16_t rsvd;
	uint32_t cc;
	uint32_t csts;
	uint64_t power_on_ms;
	uint64_t power_cycles;
	uint64_t unsafe_shutdowns;
	uint64_t reads;
	uint64_t writes;
	uint64_t sectors_read;
	uint64_t sectors_written;
	uint64_t media_errors;
	uint64_t errors;
	uint64_t commands; /* number of all commands traced */
	struct vssd_counters counters;
};

struct queue {
	uint16_t qid;
	uint16_t cqid;
	uint32_t sq_size; /* 0: the queue does not exist; so is cq_size */
	uint32_t sq_head;
	uint32_t sq_tail;
	uint32_t cq_size;
	uint32_t cq_head;
	uint32_t cq_tail;
	uint32_t held;
};
_Static_assert(sizeof(struct queue) == 32, "a queue in data area 2");
_Static_assert(sizeof(struct vssd_trace_entry) == 32, "a command in data area 3");
_Static_assert(sizeof(struct state) <= VSSD_TELEMETRY_AREA1 * NVME_TELEMETRY_BLOCK, "data area 1");
_Static_assert(QUEUES * sizeof(struct queue) <= VSSD_TELEMETRY_AREA2 * NVME_TELEMETRY_BLOCK, "data area 2");
_Static_assert((VSSD_ELPE + 1) * sizeof(struct nvme_error_log_entry) == VSSD_TELEMETRY_AREA4 * NVME_TELEMETRY_BLOCK,
	       "data area 4");
_Static_assert(sizeof(((struct vssd_telemetry *)0)->trace) == VSSD_TELEMETRY_AREA3 * NVME_TELEMETRY_BLOCK,
	       "data area 3");

const struct vssd_telemetry_name vssd_telemetry_names[VSSD_TELEMETRY_NAMES] = {
	{offsetof(struct state, power_on_ms), "power-on time, ms"},
	{offsetof(struct state, power_cycles), "power cycles"},
	{offsetof(struct state, unsafe_shutdowns), "unsafe shutdowns"},
	{offsetof(struct state, reads), "host read commands"},
	{offsetof(struct state, writes), "host write commands"},
	{offsetof(struct state, sectors_read), "sectors read"},
	{offsetof(struct state, sectors_written), "sectors written"},
	{offsetof(struct state, media_errors), "media errors"},
	{offsetof(struct state, errors), "error log entries"},
};

static void fill_state(struct vssd_ctrl *ctrl, uint8_t *block)
{
	const struct vssd_nonvolatile *nv = ctrl->nv;
	struct state state = {
		.power_on_ms = nv->totals.power_on_ms,
		.power_cycles = nv->totals.power_cycles,
		.unsafe_shutdowns = nv->totals.unsafe_shutdowns,
		.reads = nv->totals.reads,
		.writes = nv->totals.writes,
		.sectors_read = nv->totals.sectors_read,
		.sectors_written = nv->totals.sectors_written,
		.media_errors = nv->totals.media_errors,
		.errors = nv->totals.errors,
		.counters = ctrl->counters,
		.commands = ctrl->telemetry.traced,
		.cc = ctrl->regs.cc,
		.csts = ctrl->regs.csts,
		.temperature = ctrl->subsystem->health.temperature,
		.queues = QUEUES,
		.traced = (uint16_t)(ctrl->telemetry.traced < VSSD_TRACE ? ctrl->telemetry.traced : VSSD_TRACE),
	};

	memcpy(state.layout, LAYOUT, sizeof(state.layout));
	memcpy(state.revision, ctrl->subsystem->firmware.revision, sizeof(state.revision));
	memcpy(block, &state, sizeof(state));
}

static void fill_queues(const struct vssd_ctrl *ctrl, uint8_t *block)
{
	static const struct vssd_sq no_sq;
	static const struct vssd_cq no_cq;

	for (uint16_t qid = 0; qid < QUEUES; qid++) {
		bool exists = qid < ctrl->queues.memory.count;
		const struct vssd_sq *sq = exists ? &ctrl->queues.sq[qid] : &no_sq;
		const struct vssd_cq *cq = exists ? &ctrl->queues.cq[qid] : &no_cq;
		struct queue queue = {
			.qid = qid,
			.cqid = sq->size ? sq->cq->qid : 0,
			.sq_size = sq->size,
			.sq_head = sq->head,
			.sq_tail = sq->tail,
			.cq_size = cq->size,
			.cq_head = cq->head,
			.cq_tail = cq->tail,
			.held = sq->num_waiting,
		};

		memcpy(block + qid * sizeof(queue), &queue, sizeof(queue));
	}
}

/* Copy the trace, and convert the times to microseconds before now. */
static void fill_trace(const struct vssd_ctrl *ctrl, uint8_t *block)
{
	uint64_t now = pyn_ticks();

	for (uint64_t i = 0; i < VSSD_TRACE && i < ctrl->telemetry.traced; i++) {
		struct vssd_trace_entry entry = ctrl->telemetry.trace[(ctrl->telemetry.traced - 1 - i) % VSSD_TRACE];

		entry.time = pyn_ticks_to_ns(now - entry.time) / 1000;
		memcpy(block + i * sizeof(entry), &entry, sizeof(entry));
	}
}

static void fill_errors(const struct vssd_ctrl *ctrl, uint8_t *block)
{
	const struct nvme_error_log_entry *entry;

	for (uint32_t i = 0; (entry = vssd_error_log_entry(ctrl, i)); i++)
		memcpy(block + i * sizeof(*entry), entry, sizeof(*entry));
}

static void capture(struct vssd_ctrl *ctrl, struct vssd_telemetry_page *telemetry, uint8_t lid, const char *reason)
{
	struct nvme_telemetry_log *header = (struct nvme_telemetry_log *)telemetry->bytes;
	uint8_t *block = telemetry->bytes + sizeof(*header);

	vssd_health_account(ctrl->subsystem);
	memset(telemetry->bytes, 0, sizeof(telemetry->bytes));
	header->lid = lid;
	header->da1lb = VSSD_TELEMETRY_AREA1;
	header->da2lb = VSSD_TELEMETRY_AREA1 + VSSD_TELEMETRY_AREA2;
	header->da3lb = VSSD_TELEMETRY_BLOCKS;
	strncpy((char *)header->reasonid, reason, sizeof(header->reasonid) - 1);
	fill_state(ctrl, block);
	fill_queues(ctrl, block + VSSD_TELEMETRY_AREA1 * NVME_TELEMETRY_BLOCK);
	fill_trace(ctrl, block + (VSSD_TELEMETRY_AREA1 + VSSD_TELEMETRY_AREA2) * NVME_TELEMETRY_BLOCK);
	if (!ctrl->features.behavior.etdas)
		return;
	header->da4lb = VSSD_TELEMETRY_BLOCKS + VSSD_TELEMETRY_AREA4;
	fill_errors(ctrl, block + VSSD_TELEMETRY_BLOCKS * NVME_TELEMETRY_BLOCK);
}

/* Fill in the fields that must always be current in both pages, even without data. */
static const uint8_t *refresh(struct vssd_ctrl *ctrl, struct vssd_telemetry_page *telemetry, uint8_t lid)
{
	struct nvme_telemetry_log *header = (struct nvme_telemetry_log *)telemetry->bytes;

	header->lid = lid;
	vssd_identity_oui(header->ieee);
	header->thdgn = lid == NVME_LOG_TELEMETRY_HOST && vssd_since(ctrl, NVME_2_0) ? ctrl->nv->telemetry.host : 0;
	header->tcda = ctrl->telemetry.available;
	header->tcdgn = ctrl->nv->telemetry.ctrl;
	return telemetry->bytes;
}

const uint8_t *vssd_telemetry_host(struct vssd_ctrl *ctrl, bool create)
{
	if (create) {
		capture(ctrl, &ctrl->telemetry.host, NVME_LOG_TELEMETRY_HOST, "the host asked for it");
		ctrl->nv->telemetry.host++;
	}
	return refresh(ctrl, &ctrl->telemetry.host, NVME_LOG_TELEMETRY_HOST);
}

const uint8_t *vssd_telemetry_ctrl(struct vssd_ctrl *ctrl)
{
	return refresh(ctrl, &ctrl->telemetry.ctrl, NVME_LOG_TELEMETRY_CTRL);
}

uint64_t vssd_telemetry_size(const struct vssd_ctrl *ctrl, uint8_t lid)
{
	const struct vssd_telemetry_page *page =
		lid == NVME_LOG_TELEMETRY_HOST ? &ctrl->telemetry.host : &ctrl->telemetry.ctrl;
	bool has_area_4 = ((const struct nvme_telemetry_log *)page->bytes)->da4lb != 0;

	return (1 + VSSD_TELEMETRY_BLOCKS + (has_area_4 ? VSSD_TELEMETRY_AREA4 : 0)) * NVME_TELEMETRY_BLOCK;
}

void vssd_telemetry_capture(struct vssd_ctrl *ctrl, const char *reason)
{
	/* Keep data that no host has read: the first error is often the cause. */
	if (ctrl->telemetry.available)
		return;
	ctrl->telemetry.available = true;
	capture(ctrl, &ctrl->telemetry.ctrl, NVME_LOG_TELEMETRY_CTRL, reason);
	ctrl->nv->telemetry.ctrl++;
	if (ctrl->running)
		vssd_event_raise(ctrl, VSSD_EVENT_TELEMETRY);
}

/* ---- the part ---- */

static void capture_wanted(struct vssd_ctrl *ctrl)
{
	const char *reason = ctrl->telemetry.reason;

	ctrl->telemetry.reason = NULL;
	if (reason)
		vssd_telemetry_capture(ctrl, reason);
}

/* Capture before the other parts are reset and their state is lost. */
static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	(void)kind;
	capture_wanted(ctrl);
}

static void power(struct vssd_ctrl *ctrl, bool on)
{
	if (on && ctrl->subsystem->unannounced)
		ctrl->telemetry.reason = "power lost without a shutdown";
}

static uint64_t due(const struct vssd_ctrl *ctrl)
{
	return ctrl->telemetry.reason ? 0 : VSSD_NEVER;
}

const struct vssd_part vssd_telemetry_part = {.power = power, .reset = reset, .poll = capture_wanted, .due = due};
