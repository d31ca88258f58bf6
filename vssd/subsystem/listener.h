/* SPDX-License-Identifier: BSD-3-Clause */
/* A controller, as its subsystem sees it: what it wants to know, and what is asked of it. */
#ifndef VSSD_SUBSYSTEM_LISTENER_H
#define VSSD_SUBSYSTEM_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

/* From the one that takes least along to the one that takes all. */
enum vssd_reset {
	VSSD_RESET_CONTROLLER,   /* CC.EN */
	VSSD_RESET_FUNCTION,     /* FLR */
	VSSD_RESET_CONVENTIONAL, /* hot reset; vfio-user's DEVICE_RESET */
	VSSD_RESET_SUBSYSTEM,    /* NSSR */
	VSSD_RESET_POWER,
};

/* What has happened in the subsystem. */
enum vssd_notice {
	VSSD_NOTICE_REFUSALS,        /* a namespace refuses commands, or takes them again; or was written */
	VSSD_NOTICE_DATA_GONE,       /* data changed without a command for them: nothing known of them holds */
	VSSD_NOTICE_NS_CHANGED,      /* what Identify Namespace says changed */
	VSSD_NOTICE_SANITIZE_BEGINS, /* what was told of the last operation is old */
	VSSD_NOTICE_SANITIZE_ENDS,
	VSSD_NOTICE_FIRMWARE_STARTS, /* no command is processed until it runs */
	VSSD_NOTICE_FIRMWARE_RUNS,
	VSSD_NOTICE_TEMPERATURE, /* it was measured */
};

struct vssd_listener;
struct vssd_subsystem;

struct vssd_listener_ops {
	void (*notice)(struct vssd_listener *listener, enum vssd_notice notice);

	/* Whether a completion can be posted at the moment; then that of an operation that has ended. */
	bool (*is_ready)(const struct vssd_listener *listener);
	void (*complete)(struct vssd_listener *listener, uint16_t cid, uint16_t status);

	/* 0, or which of its thermal management temperatures is reached: 1 light, 2 heavy. */
	unsigned (*thermal_level)(const struct vssd_listener *listener);

	/* The subsystem's power is switched, or the subsystem is reset. */
	void (*power)(struct vssd_listener *listener, bool on);
	void (*reset)(struct vssd_listener *listener, enum vssd_reset kind);
};

/* Embedded in a controller. */
struct vssd_listener {
	struct vssd_listener *next;
	const struct vssd_listener_ops *ops;
};

void vssd_subsystem_listen(struct vssd_subsystem *subsystem, struct vssd_listener *listener);
void vssd_subsystem_unlisten(struct vssd_subsystem *subsystem, struct vssd_listener *listener);

/* Tell all of them. */
void vssd_subsystem_tell(struct vssd_subsystem *subsystem, enum vssd_notice notice);

#endif
