/* SPDX-License-Identifier: BSD-3-Clause */
/* Power states, and the temperatures that the host wants to be told of or kept. */
#ifndef VSSD_CTRL_POWER_H
#define VSSD_CTRL_POWER_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/part.h"
#include "vssd/subsystem/health.h"
#include "vssd/subsystem/nonvolatile.h"

#define VSSD_NPSS 4u /* 0's based, as Identify reports it */

#define VSSD_FIRST_NOPS 3u /* the first power state without operation */
#define VSSD_MNTMT 273u    /* Kelvin: what thermal management temperatures may be */
#define VSSD_MXTMT 358u

struct vssd_thermal {
	uint16_t threshold[VSSD_SENSORS + 1][2]; /* Kelvin: by sensor (0: composite), over and under */
	uint8_t warnings;                        /* NVME_SMART_* */
	uint8_t reported;                        /* those that were an event since they came up */
};

struct vssd_power {
	struct vssd_thermal thermal;
	uint64_t since;       /* ticks: of the last IO, or of the last change of the state */
	uint64_t io_taken;    /* IO commands until then */
	uint32_t operational; /* the last state with operation */
	bool asleep;          /* in a state without; IO ends that */
	uint64_t apst[VSSD_APST_ENTRIES];
};

/* ---- power.c: features 02h and 0Ch ---- */

extern const struct vssd_part vssd_power_part;

/* How many power states there are, 0's based: those without operation came with 1.1. */
uint8_t vssd_power_npss(const struct vssd_ctrl *ctrl);

/* Go to a state that there is. */
void vssd_power_enter(struct vssd_ctrl *ctrl, uint32_t state);

/* Take a table of transitions, unless one is wrong: false. */
bool vssd_power_set_apst(struct vssd_ctrl *ctrl, const uint64_t table[VSSD_APST_ENTRIES]);

/* IO has come while the power state was one without operation. */
void vssd_power_wake(struct vssd_ctrl *ctrl);

/* The features have their values after a reset. */
void vssd_power_restart(struct vssd_ctrl *ctrl);

/* ---- thermal.c: features 04h and 10h ---- */

extern const struct vssd_part vssd_thermal_part;

/* Compare temperatures with thresholds now: one of them has changed. */
void vssd_thermal_check(struct vssd_ctrl *ctrl);

/* 0, or which of the two thermal management temperatures is reached. */
unsigned vssd_thermal_level(const struct vssd_ctrl *ctrl);

#endif
