/* SPDX-License-Identifier: BSD-3-Clause */
/* The interface between a subsystem and its controllers: notices, and functions that the subsystem calls. */
#ifndef VSSD_SUBSYSTEM_LISTENER_H
#define VSSD_SUBSYSTEM_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/subsystem/virtual.h"

/* In ascending order of what is reset. */
enum vssd_reset {
	VSSD_RESET_CONTROLLER,   /* CC.EN */
	VSSD_RESET_FUNCTION,     /* FLR */
	VSSD_RESET_CONVENTIONAL, /* hot reset; vfio-user's DEVICE_RESET */
	VSSD_RESET_SUBSYSTEM,    /* NSSR */
	VSSD_RESET_POWER,
};

/* What has happened in the subsystem. */
enum vssd_notice {
	VSSD_NOTICE_REFUSALS,        /* the state of a namespace has changed: refusing commands, or written */
	VSSD_NOTICE_DATA_GONE,       /* data changed without a write command: drop all cached knowledge of them */
	VSSD_NOTICE_SANITIZE_BEGINS, /* events of the last operation are outdated */
	VSSD_NOTICE_SANITIZE_ENDS,
	VSSD_NOTICE_SANITIZE_VERIFIES, /* the host can read the media */
	VSSD_NOTICE_FIRMWARE_STARTS,   /* process no commands until it runs */
	VSSD_NOTICE_FIRMWARE_RUNS,
	VSSD_NOTICE_TEMPERATURE, /* it was measured again */
	VSSD_NOTICE_POWER,       /* the same */
	VSSD_NOTICE_LBA_STATUS,  /* unreadable LBAs were found */
	VSSD_NOTICE_FAULTS,      /* the fault rules have changed */
};

struct vssd_host;
struct vssd_listener;
struct vssd_ns;
struct vssd_power_budget;
struct vssd_subsystem;

struct vssd_listener_ops {
	void (*notice)(struct vssd_listener *listener, enum vssd_notice notice);

	/* The Identify data of a namespace have changed, or which controllers are attached to it. is_active: for this
	 * controller the namespace is active, or was it. */
	void (*ns_changed)(struct vssd_listener *listener, uint32_t nsid, bool is_active);

	/* Zones of a namespace have changed. */
	void (*zones_changed)(struct vssd_listener *listener, uint32_t nsid);

	/* Whether a completion can be posted now (is_ready), and post the one of an operation that has ended. */
	bool (*is_ready)(const struct vssd_listener *listener);
	void (*complete)(struct vssd_listener *listener, uint16_t cid, uint16_t status);

	/* Which thermal management temperature is reached: 0 none, 1 light, 2 heavy. */
	unsigned (*thermal_level)(const struct vssd_listener *listener);

	/* How much the power state of the controller lets the drive draw. */
	struct vssd_power_budget (*budget)(const struct vssd_listener *listener);

	/* Whether the host has enabled the controller and not shut it down since. */
	bool (*in_use)(const struct vssd_listener *listener);

	/* Which host the controller has, and a reservation notification for it. */
	void (*host)(const struct vssd_listener *listener, struct vssd_host *host);
	void (*reserved)(struct vssd_listener *listener, uint32_t nsid, uint8_t type);

	/* Abort the commands to a namespace that the controller processes: its host was preempted. */
	void (*preempt)(struct vssd_listener *listener, uint32_t nsid);

	/* Whether the ANA state of a namespace is Persistent Loss at the controller. */
	bool (*has_lost)(const struct vssd_listener *listener, const struct vssd_ns *ns);

	/* Whether the command set of a namespace is not enabled at the controller. */
	bool (*lacks_set)(const struct vssd_listener *listener, const struct vssd_ns *ns);

	/* Which states of the controller hold: bits of enum vssd_fault_state. */
	uint32_t (*states)(const struct vssd_listener *listener);

	/* Switch the power, or reset the controller, along with the subsystem. */
	void (*power)(struct vssd_listener *listener, bool on);
	void (*reset)(struct vssd_listener *listener, enum vssd_reset kind);

	/* Shut the controller down, along with the subsystem. */
	void (*shut_down)(struct vssd_listener *listener, bool is_abrupt);

	/* Reset the controller alone, for its virtual function. */
	void (*reset_function)(struct vssd_listener *listener, enum vssd_reset kind);
};

/* Embedded in a controller. */
struct vssd_listener {
	struct vssd_listener *next;
	const struct vssd_listener_ops *ops;
	struct vssd_virtual functions;
	uint8_t index; /* differs for each controller of the subsystem; CNTLID is one more */
};

/* CNTLID. */
static inline uint16_t vssd_cntlid(const struct vssd_listener *listener)
{
	return (uint16_t)(listener->index + 1);
}

/* Add a controller, and give it the lowest free index. */
void vssd_subsystem_listen(struct vssd_subsystem *subsystem, struct vssd_listener *listener);
void vssd_subsystem_unlisten(struct vssd_subsystem *subsystem, struct vssd_listener *listener);

/* Send a notice to all controllers. */
void vssd_subsystem_notify(struct vssd_subsystem *subsystem, enum vssd_notice notice);

/* Tell controllers that a namespace has changed. ctrls: a bit, by its index, for each of them that hears of its
 * active namespaces. */
void vssd_subsystem_ns_changed(struct vssd_subsystem *subsystem, uint32_t nsid, uint16_t ctrls);

/* Tell controllers that zones of a namespace have changed. ctrls: as above. */
void vssd_subsystem_zones_changed(struct vssd_subsystem *subsystem, uint32_t nsid, uint16_t ctrls);

#endif
