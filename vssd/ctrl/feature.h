/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of features, which vssd/cmd sets and other parts use. */
#ifndef VSSD_CTRL_FEATURE_H
#define VSSD_CTRL_FEATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_id.h"
#include "vssd/ctrl/ana.h"
#include "vssd/ctrl/injection.h"
#include "vssd/ctrl/lba_status.h"
#include "vssd/ctrl/management.h"
#include "vssd/ctrl/migration.h"
#include "vssd/ctrl/reserved.h"
#include "vssd/ctrl/streams.h"

/* The reporting context of the persistent event log. */
struct vssd_pel_context {
	uint8_t *page; /* NULL: there is none */
	uint32_t length;
};

struct vssd_features {
	uint32_t value[256];    /* dword 0, by FID */
	bool write_through;     /* a write is durable when it completes */
	uint64_t timestamp;     /* ms since 1970, at timestamp_set */
	uint64_t timestamp_set; /* ns, CLOCK_MONOTONIC */
	uint8_t timestamp_origin;
	uint8_t host_id[16];
	bool host_id_wide; /* it has 128 bits */
	struct vssd_reserved_log reserved;
	struct nvme_host_behavior behavior;
	struct vssd_injection injection;
	struct vssd_pel_context pel;
	struct vssd_streams streams;
	struct vssd_management management;
	struct vssd_ana ana;
	struct vssd_lba_status_report lba_status;
	struct vssd_migration migration;
	uint64_t keep_alive_due;                 /* ticks: when the time of feature 0Fh is over */
	uint8_t group_warnings[VSSD_MAX_GROUPS]; /* feature 18h: EGCW, by ENDGID - 1 */
};

#endif
