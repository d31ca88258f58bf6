/* SPDX-License-Identifier: BSD-3-Clause */
/* Telemetry, log pages 07h and 08h, and the trace of commands in it. */
#ifndef VSSD_CTRL_TELEMETRY_H
#define VSSD_CTRL_TELEMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/ctrl/part.h"

#define VSSD_TRACE 4096u /* commands in the trace; a power of two */

struct vssd_trace_entry {
	uint64_t time;    /* ticks; in telemetry data microseconds before the capture */
	uint64_t command; /* its first eight bytes: opcode, flags, CID, NSID */
	uint64_t slba;    /* cdw11 and cdw10 */
	uint32_t cdw12;
	uint16_t sqid;
	uint16_t status; /* NVME_SC(sct, sc); FFFFh: not completed yet */
};

/* The size of each data area in blocks, without the areas before it. */
#define VSSD_TELEMETRY_AREA1 1u
#define VSSD_TELEMETRY_AREA2 5u
#define VSSD_TELEMETRY_AREA3 256u
#define VSSD_TELEMETRY_AREA4 8u
/* Blocks for all hosts. */
#define VSSD_TELEMETRY_BLOCKS (VSSD_TELEMETRY_AREA1 + VSSD_TELEMETRY_AREA2 + VSSD_TELEMETRY_AREA3)

struct vssd_telemetry_page {
	uint8_t bytes[(1 + VSSD_TELEMETRY_BLOCKS + VSSD_TELEMETRY_AREA4) * NVME_TELEMETRY_BLOCK];
};

struct vssd_telemetry {
	uint64_t traced; /* number of all commands, also those no longer in the trace */
	struct vssd_trace_entry trace[VSSD_TRACE];
	const char *reason; /* the reason of a capture that is to be made as soon as possible, or NULL */
	bool available;     /* there are controller-initiated data that no host has read */
	struct vssd_telemetry_page host;
	struct vssd_telemetry_page ctrl;
};

extern const struct vssd_part vssd_telemetry_part;

/* What the 64-bit numbers of data area 1 are, by their offset in it. */
#define VSSD_TELEMETRY_NAMES 9u
#define VSSD_TELEMETRY_NAME_SIZE 24u

struct vssd_telemetry_name {
	uint16_t offset;
	char name[VSSD_TELEMETRY_NAME_SIZE]; /* with its NUL */
};

extern const struct vssd_telemetry_name vssd_telemetry_names[VSSD_TELEMETRY_NAMES];

/* Get log page 07h or 08h, vssd_telemetry_size() bytes. create: capture new host-initiated data. */
const uint8_t *vssd_telemetry_host(struct vssd_ctrl *ctrl, bool create);
const uint8_t *vssd_telemetry_ctrl(struct vssd_ctrl *ctrl);

/* The bytes of log page 07h or 08h: with data area 4, if it has been captured for a host that has enabled it. */
uint64_t vssd_telemetry_size(const struct vssd_ctrl *ctrl, uint8_t lid);

/* Capture the state for log page 08h after an error, unless it holds data that no host has read. */
void vssd_telemetry_capture(struct vssd_ctrl *ctrl, const char *reason);

#endif
