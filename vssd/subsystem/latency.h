/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The latency monitor of OCP: counts I/O commands that take at least 5 ms, in four buckets. Reads and writes of the
 * short path complete at once, so they are below all thresholds and cost nothing.
 */
#ifndef VSSD_SUBSYSTEM_LATENCY_H
#define VSSD_SUBSYSTEM_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_ocp.h"
#include "vssd/subsystem/part.h"

#define VSSD_LATENCY_BUCKETS 4u

/* In the order of the bits of the configuration; the fields of the log page are in the opposite order. */
enum vssd_latency_kind { VSSD_LATENCY_READ, VSSD_LATENCY_WRITE, VSSD_LATENCY_TRIM, VSSD_LATENCY_KINDS };

struct vssd_latency_counter {
	uint32_t count;
	uint16_t ms;       /* the latency that the stamp belongs to */
	uint64_t stamp;    /* ms */
	uint64_t at;       /* ms of power-on time at the stamp */
	bool is_timestamp; /* the stamp is a timestamp of the host, and not a time since power-up */
};

struct vssd_latency_buckets {
	struct vssd_latency_counter at[VSSD_LATENCY_BUCKETS][VSSD_LATENCY_KINDS];
};

struct vssd_latency_debug {
	bool is_there;
	uint16_t source; /* the bit of the counter */
	struct vssd_latency_counter counter;
};

struct vssd_latency {
	struct nvme_ocp_latency_config config;
	uint64_t since; /* ms of power-on time: when the active buckets were empty */
	struct vssd_latency_buckets active;
	struct vssd_latency_buckets stable; /* what OCP calls static */
	struct vssd_latency_debug debug;
};

extern const struct vssd_subsystem_part vssd_latency_part;

/* The configuration of a new drive. */
extern const struct nvme_ocp_latency_config vssd_latency_default;

/* Set the configuration. Enabling the monitor empties all buckets. save: keep it over power loss. */
void vssd_latency_configure(struct vssd_subsystem *subsystem, const struct nvme_ocp_latency_config *config,
			    bool save);

/* Get the configuration that the host has saved, or the default. */
void vssd_latency_saved(const struct vssd_subsystem *subsystem, struct nvme_ocp_latency_config *config);

/* Count a command that completes now and was fetched at `start` (ticks). True: it triggers a debug log. */
bool vssd_latency_count(struct vssd_subsystem *subsystem, enum vssd_latency_kind kind, uint64_t start);

/* Fill in log page C3h, a structure of zeros. */
void vssd_latency_log(struct vssd_subsystem *subsystem, struct nvme_ocp_latency_log *log);

#endif
