/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Assembles a controller: the table of its parts, its commands, its reactions to notices of the subsystem, and the
 * order of the steps of a poll.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/util/clock.h"
#include "vssd/cmd/admin.h"
#include "vssd/cmd/arbitration.h"
#include "vssd/cmd/deferred.h"
#include "vssd/cmd/dispatch.h"
#include "vssd/cmd/feature.h"
#include "vssd/cmd/log_pel.h"
#include "vssd/cmd/request.h"
#include "vssd/cmd/trace.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/keep_alive.h"
#include "vssd/ctrl/plain.h"

#define LBAS_MAX UINT64_C(65536) /* most LBAs of one command */

/* In the order of resets. Telemetry is first, because it may capture state that the others then clear. */
static const struct vssd_part *const parts[] = {
	&vssd_telemetry_part,
	&vssd_error_log_part,
	&vssd_queue_part,
	&vssd_event_part,
	&vssd_feature_part,
	&vssd_power_part,
	&vssd_thermal_part,
	&vssd_regs_part,
	&vssd_config_part,
	&vssd_trace_part,
	&vssd_sudden_part,
	&vssd_deferred_part,
	&vssd_dispatch_part,
	&vssd_faulty_part,
	&vssd_pel_context_part,
	&vssd_shadow_part,
	&vssd_lba_status_report_part,
	&vssd_migration_part,
	&vssd_keep_alive_part,
	NULL,
};

/* ---- notices of the subsystem ---- */

static struct vssd_ctrl *ctrl_of(const struct vssd_listener *listener)
{
	return (struct vssd_ctrl *)listener;
}

static void announce(struct vssd_ctrl *ctrl, enum vssd_event event)
{
	if (ctrl->running)
		vssd_event_raise(ctrl, event);
	else
		vssd_event_defer(ctrl, event);
}

static void pause_processing(struct vssd_ctrl *ctrl, bool paused)
{
	ctrl->regs.csts &= (uint32_t)~NVME_SET(1, NVME_CSTS_PP);
	ctrl->regs.csts |= NVME_SET(paused ? 1 : 0, NVME_CSTS_PP);
	vssd_update_running(ctrl);
}

static void notice(struct vssd_listener *listener, enum vssd_notice notice)
{
	struct vssd_ctrl *ctrl = ctrl_of(listener);

	switch (notice) {
	case VSSD_NOTICE_REFUSALS:
		vssd_features_changed(ctrl);
		return;
	case VSSD_NOTICE_DATA_GONE:
		vssd_hmb_forget(ctrl);
		if (ctrl->features.migration.log)
			vssd_migration_all_changed(ctrl);
		return;
	case VSSD_NOTICE_SANITIZE_BEGINS:
		vssd_event_forget(ctrl, VSSD_EVENT_SANITIZED);
		vssd_event_forget(ctrl, VSSD_EVENT_VERIFICATION);
		return;
	case VSSD_NOTICE_SANITIZE_ENDS:
		announce(ctrl, VSSD_EVENT_SANITIZED);
		return;
	case VSSD_NOTICE_SANITIZE_VERIFIES:
		announce(ctrl, VSSD_EVENT_VERIFICATION);
		return;
	case VSSD_NOTICE_FIRMWARE_STARTS:
		vssd_management_changed(ctrl, VSSD_CHANGED_FIRMWARE);
		announce(ctrl, VSSD_EVENT_FIRMWARE);
		pause_processing(ctrl, true);
		return;
	case VSSD_NOTICE_FIRMWARE_RUNS:
		pause_processing(ctrl, false);
		return;
	case VSSD_NOTICE_LBA_STATUS:
		vssd_ctrl_wake(ctrl);
		return;
	case VSSD_NOTICE_FAULTS:
		vssd_faulty_wake(ctrl, 0);
		return;
	case VSSD_NOTICE_POWER:
		vssd_power_check(ctrl);
		return;
	case VSSD_NOTICE_TEMPERATURE:
		if (!ctrl->running)
			return;
		vssd_thermal_check(ctrl);
		vssd_group_events_check(ctrl);
		return;
	}
}

static void ns_changed(struct vssd_listener *listener, uint32_t nsid, bool is_active)
{
	struct vssd_ctrl *ctrl = ctrl_of(listener);

	if (vssd_features_events(ctrl) & NVME_OAES_ALLOCATED_NS) {
		ctrl->events.changed_allocated |= 1u << (nsid - 1);
		announce(ctrl, VSSD_EVENT_ALLOCATED_NS);
	}
	if (!is_active)
		return;
	vssd_ana_ns_changed(ctrl, nsid);
	ctrl->events.changed_ns |= 1u << (nsid - 1);
	vssd_management_changed(ctrl, VSSD_CHANGED_NAMESPACES);
	announce(ctrl, VSSD_EVENT_NS_CHANGED);
}

static void zones_changed(struct vssd_listener *listener, uint32_t nsid)
{
	struct vssd_ctrl *ctrl = ctrl_of(listener);

	ctrl->events.zone_nsid = nsid;
	announce(ctrl, VSSD_EVENT_ZONE_CHANGED);
}

static bool is_ready(const struct vssd_listener *listener)
{
	return ctrl_of(listener)->running;
}

static void complete(struct vssd_listener *listener, uint16_t cid, uint16_t status)
{
	vssd_complete_later(ctrl_of(listener), cid, status, 0);
}

static unsigned thermal_level(const struct vssd_listener *listener)
{
	return vssd_thermal_level(ctrl_of(listener));
}

static struct vssd_power_budget budget(const struct vssd_listener *listener)
{
	return vssd_power_budget(ctrl_of(listener));
}

static bool in_use(const struct vssd_listener *listener)
{
	return ctrl_of(listener)->regs.in_use;
}

static void host(const struct vssd_listener *listener, struct vssd_host *found)
{
	vssd_reserved_host(ctrl_of(listener), found);
}

static void reserved(struct vssd_listener *listener, uint32_t nsid, uint8_t type)
{
	vssd_reserved_add(ctrl_of(listener), nsid, type);
}

static void preempt(struct vssd_listener *listener, uint32_t nsid)
{
	vssd_abort_namespace(ctrl_of(listener), nsid);
}

static bool has_lost(const struct vssd_listener *listener, const struct vssd_ns *ns)
{
	return vssd_ana_status(ctrl_of(listener), ns) == NVME_SC_ANA_PERSISTENT_LOSS;
}

static bool lacks_set(const struct vssd_listener *listener, const struct vssd_ns *ns)
{
	uint32_t cc = ctrl_of(listener)->regs.cc;

	return ns->csi != NVME_CSI_NVM && NVME_GET(cc, NVME_CC_EN) && NVME_GET(cc, NVME_CC_CSS) != NVME_CSS_ALL;
}

static uint32_t states(const struct vssd_listener *listener)
{
	const struct vssd_ctrl *ctrl = ctrl_of(listener);

	return (ctrl->power.asleep ? 1u << VSSD_FAULT_ASLEEP : 0) | (ctrl->hmb.enabled ? 1u << VSSD_FAULT_HMB : 0) |
	       (ctrl->features.write_through ? 1u << VSSD_FAULT_WRITE_THROUGH : 0);
}

static void power(struct vssd_listener *listener, bool on)
{
	struct vssd_ctrl *ctrl = ctrl_of(listener);

	for (const struct vssd_part *const *part = parts; *part; part++)
		if ((*part)->power)
			(*part)->power(ctrl, on);
	vssd_parts_reset(ctrl, VSSD_RESET_POWER, 0);
	vssd_management_reset(ctrl, false);
	ctrl->bus->ops->reset(ctrl->bus);
	vssd_update_running(ctrl);
}

/* Reset the controller for an NVM Subsystem Reset, and set CSTS.NSSRO. */
static void reset(struct vssd_listener *listener, enum vssd_reset kind)
{
	struct vssd_ctrl *ctrl = ctrl_of(listener);

	vssd_ctrl_reset(ctrl, kind);
	vssd_management_reset(ctrl, true);
	ctrl->regs.csts |= NVME_SET(1, NVME_CSTS_NSSRO);
}

static void shut_down(struct vssd_listener *listener, bool is_abrupt)
{
	vssd_ctrl_shut_down(ctrl_of(listener), is_abrupt);
}

static void reset_function(struct vssd_listener *listener, enum vssd_reset kind)
{
	vssd_ctrl_reset(ctrl_of(listener), kind);
}

static const struct vssd_listener_ops listener_ops = {
	.notice = notice,
	.ns_changed = ns_changed,
	.zones_changed = zones_changed,
	.is_ready = is_ready,
	.complete = complete,
	.thermal_level = thermal_level,
	.budget = budget,
	.in_use = in_use,
	.host = host,
	.reserved = reserved,
	.preempt = preempt,
	.has_lost = has_lost,
	.lacks_set = lacks_set,
	.states = states,
	.power = power,
	.reset = reset,
	.shut_down = shut_down,
	.reset_function = reset_function,
};

/* ---- creation ---- */

/* Allocate segments for the largest transfer: one for each page, and one more if it does not start on a page. */
static int init_transfers(struct vssd_ctrl *ctrl, struct pyn_error *err)
{
	struct vssd_transfers *transfers = &ctrl->transfers;
	uint64_t largest = LBAS_MAX << (ctrl->nv->formats.large > 12 ? ctrl->nv->formats.large : 12);

	transfers->most = ctrl->options->mdts ? UINT64_C(4096) << ctrl->options->mdts : UINT64_MAX;
	if (transfers->most < largest)
		largest = transfers->most;
	transfers->num_segments = (uint32_t)(largest / 4096) + 2;
	transfers->segments = calloc(transfers->num_segments, sizeof(*transfers->segments));
	if (transfers->segments)
		return 0;
	return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for transfers of %llu bytes",
			 (unsigned long long)largest);
}

static void plug_in(struct vssd_ctrl *ctrl, struct vssd_subsystem *subsystem, struct vssd_bus *bus,
		    volatile uint32_t *doorbells)
{
	ctrl->listener.ops = &listener_ops;
	ctrl->tables.parts = parts;
	ctrl->bus = bus;
	ctrl->queues.doorbells = doorbells;
	ctrl->subsystem = subsystem;
	ctrl->store = subsystem->store;
	ctrl->nv = subsystem->nv;
	ctrl->ns = subsystem->ns;
	ctrl->options = &subsystem->options;
	ctrl->null_store = subsystem->null_store;
	vssd_dispatch_init(ctrl);
}

int vssd_ctrl_create(struct vssd_subsystem *subsystem, struct vssd_bus *bus, volatile uint32_t *doorbells,
		     struct vssd_ctrl **created, struct pyn_error *err)
{
	struct vssd_ctrl *ctrl = calloc(1, sizeof(*ctrl));
	int result;

	if (!ctrl)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a controller");
	plug_in(ctrl, subsystem, bus, doorbells);
	result = init_transfers(ctrl, err);
	for (const struct vssd_part *const *part = parts; *part && !result; part++)
		if ((*part)->init)
			result = (*part)->init(ctrl, err);
	if (result) {
		vssd_ctrl_destroy(ctrl);
		return result;
	}
	vssd_subsystem_listen(subsystem, &ctrl->listener);
	if (subsystem->power)
		power(&ctrl->listener, true);
	*created = ctrl;
	return 0;
}

void vssd_ctrl_destroy(struct vssd_ctrl *ctrl)
{
	vssd_subsystem_leave(ctrl->subsystem, &ctrl->listener);
	for (const struct vssd_part *const *part = parts; *part; part++)
		if ((*part)->deinit)
			(*part)->deinit(ctrl);
	free(ctrl->transfers.segments);
	free(ctrl);
}

/* ---- polling ---- */

static void poll_parts(struct vssd_ctrl *ctrl)
{
	uint64_t next = VSSD_NEVER;

	ctrl->next_due = VSSD_NEVER;
	for (const struct vssd_part *const *part = parts; *part; part++) {
		uint64_t due;

		if (!(*part)->due)
			continue;
		due = (*part)->due(ctrl);
		if (due <= ctrl->now) {
			(*part)->poll(ctrl);
			due = (*part)->due(ctrl);
		}
		if (due < next)
			next = due;
	}
	/* Keep an earlier time that a polled part has set by vssd_ctrl_wake(). */
	if (next < ctrl->next_due)
		ctrl->next_due = next;
}

unsigned vssd_ctrl_poll(struct vssd_ctrl *ctrl)
{
	struct vssd_subsystem *subsystem = ctrl->subsystem;
	unsigned count = 0;

	if (!subsystem->power) {
		vssd_sudden_dark(ctrl);
		return 0;
	}
	ctrl->now = pyn_ticks();
	/* Do this before anything that may complete a command. */
	if (ctrl->running)
		vssd_queues_resolve(ctrl);
	/* Poll before fetching commands, so that the host gets an event before it can read the log page. */
	if (ctrl->now >= subsystem->next_due)
		vssd_subsystem_poll(subsystem, ctrl->now);
	if (ctrl->now >= ctrl->next_due)
		poll_parts(ctrl);
	if (ctrl->running)
		count = vssd_queues_poll(ctrl);
	if (ctrl->running)
		vssd_queues_settle(ctrl);
	if (count > 0)
		vssd_health_busy(&subsystem->health, pyn_ticks() - ctrl->now);
	return count;
}

uint64_t vssd_ctrl_next_due(const struct vssd_ctrl *ctrl)
{
	uint64_t next = ctrl->next_due;

	if (!ctrl->subsystem->power)
		return VSSD_NEVER;
	if (ctrl->interrupts.num_coalesced > 0)
		return 0;
	return next < ctrl->subsystem->next_due ? next : ctrl->subsystem->next_due;
}

/* All counters are of 64 bits. */
static void add_counters(struct vssd_counters *sums, const struct vssd_counters *counters)
{
	uint64_t *to = (uint64_t *)sums;
	const uint64_t *from = (const uint64_t *)counters;

	for (size_t i = 0; i < sizeof(*sums) / sizeof(*to); i++)
		to[i] += from[i];
}

void vssd_ctrl_counters(const struct vssd_ctrl *ctrl, bool of_all, struct vssd_counters *counters)
{
	*counters = ctrl->counters;
	for (const struct vssd_listener *one = ctrl->subsystem->listeners; of_all && one; one = one->next)
		if (one != &ctrl->listener)
			add_counters(counters, &ctrl_of(one)->counters);
	counters->power_cycles = ctrl->nv->totals.power_cycles;
}
