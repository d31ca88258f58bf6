/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of a controller. Each member from regs on belongs to one part, whose header describes it.
 */
#ifndef VSSD_CTRL_CONTROLLER_H
#define VSSD_CTRL_CONTROLLER_H

#include "spec/nvme_cmd.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"
#include "spec/nvme_regs.h"
#include "vssd/bus/bus.h"
#include "vssd/ctrl/config.h"
#include "vssd/ctrl/ctrl.h"
#include "vssd/ctrl/error_log.h"
#include "vssd/ctrl/event.h"
#include "vssd/ctrl/faulty.h"
#include "vssd/ctrl/feature.h"
#include "vssd/ctrl/hmb.h"
#include "vssd/ctrl/interrupt.h"
#include "vssd/ctrl/part.h"
#include "vssd/ctrl/power.h"
#include "vssd/ctrl/queue.h"
#include "vssd/ctrl/regs.h"
#include "vssd/ctrl/telemetry.h"
#include "vssd/subsystem/subsystem.h"

struct vssd_commands;
struct vssd_segment;

/* What one command can transfer. */
struct vssd_transfers {
	struct vssd_segment *segments; /* room for those of the current request */
	uint32_t num_segments;
	uint64_t most; /* bytes; MDTS */
};

/* What the controller is assembled from. */
struct vssd_tables {
	const struct vssd_part *const *parts; /* ends with NULL */
	const struct vssd_commands *commands; /* see vssd/cmd/table.h */
};

struct vssd_ctrl {
	struct vssd_listener listener; /* must be first: the subsystem gets the controller from it */
	struct vssd_tables tables;

	/* The bus and the subsystem; the subsystem owns the five pointers after it. */
	struct vssd_bus *bus;
	struct vssd_subsystem *subsystem;
	struct vssd_store *store;
	struct vssd_nonvolatile *nv;
	struct vssd_ns *ns;
	const struct vssd_options *options;
	bool null_store;

	bool running;      /* enabled, not shut down, powered, in D0, may master the bus */
	uint64_t now;      /* ticks at the start of this poll */
	uint64_t next_due; /* ticks: when to poll the next part */
	struct vssd_transfers transfers;
	struct vssd_counters counters;
	struct vssd_regs regs;
	struct vssd_config config;
	struct vssd_queues queues;
	struct vssd_interrupts interrupts;
	struct vssd_features features;
	struct vssd_power power;
	struct vssd_events events;
	struct vssd_hmb hmb;
	struct vssd_error_log errors;
	struct vssd_telemetry telemetry;
	struct vssd_faulty faulty;
};

/* Reset all parts but those that a fault rule keeps. */
static inline void vssd_parts_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind, uint8_t keep)
{
	for (const struct vssd_part *const *part = ctrl->tables.parts; *part; part++)
		if ((*part)->reset && !((*part)->kept & keep))
			(*part)->reset(ctrl, kind);
}

/* Poll the parts as soon as possible. */
static inline void vssd_ctrl_wake(struct vssd_ctrl *ctrl)
{
	ctrl->next_due = 0;
}

/* Whether the drive claims this version of NVMe or a later one. */
static inline bool vssd_since(const struct vssd_ctrl *ctrl, enum nvme_version version)
{
	return ctrl->options->version >= (uint32_t)version;
}

/* Whether the function does not answer: a fault rule has taken its link away, or the virtual function is disabled. */
static inline bool vssd_ctrl_is_gone(const struct vssd_ctrl *ctrl)
{
	return ctrl->faulty.gone || !vssd_virtual_is_there(ctrl->subsystem, &ctrl->listener);
}

/* The controller of the subsystem with this CNTLID, or NULL. */
static inline struct vssd_listener *vssd_subsystem_listener(const struct vssd_subsystem *subsystem, uint32_t cntlid)
{
	struct vssd_listener *one = subsystem->listeners;

	while (one && vssd_cntlid(one) != cntlid)
		one = one->next;
	return one;
}

/* The features that the host has saved in this controller. */
static inline struct vssd_saved_features *vssd_ctrl_saved(const struct vssd_ctrl *ctrl)
{
	unsigned index = ctrl->listener.index;

	return index == 0 ? &ctrl->nv->features : &ctrl->subsystem->saved[index - 1];
}

/* Whether NN allows this NSID; there need not be a namespace. */
static inline bool vssd_nsid_is_valid(const struct vssd_ctrl *ctrl, uint32_t nsid)
{
	return nsid - 1 < vssd_subsystem_nn(ctrl->subsystem);
}

/* Whether the controller is attached to a namespace. */
static inline bool vssd_ns_is_active(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns)
{
	return ns->nsid && ns->attached >> ctrl->listener.index & 1;
}

/* The namespace of an active NSID, else NULL. */
static inline struct vssd_ns *vssd_ns_find(const struct vssd_ctrl *ctrl, uint32_t nsid)
{
	struct vssd_ns *ns = vssd_subsystem_ns(ctrl->subsystem, nsid);

	return ns && vssd_ns_is_active(ctrl, ns) ? ns : NULL;
}

#endif
