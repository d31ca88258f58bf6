/* SPDX-License-Identifier: BSD-3-Clause */
/* Power states, temperature thresholds and host controlled thermal management. */
#ifndef VSSD_CTRL_POWER_H
#define VSSD_CTRL_POWER_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_id.h"
#include "vssd/ctrl/part.h"
#include "vssd/subsystem/health.h"
#include "vssd/subsystem/nonvolatile.h"

#define VSSD_NPSS 4u /* 0's based, as Identify reports it */

#define VSSD_FIRST_NOPS 3u /* the first non-operational power state */
#define VSSD_MNTMT 273u    /* Kelvin: lowest and highest thermal management temperature */
#define VSSD_MXTMT 358u

struct vssd_thermal {
	uint16_t threshold[VSSD_SENSORS + 1][2]; /* Kelvin: by sensor (0: composite), over and under */
	uint8_t warnings;                        /* NVME_SMART_* */
	uint8_t reported;                        /* warnings already reported as an event */
};

struct vssd_power {
	struct vssd_thermal thermal;
	uint64_t since;       /* ticks at the last IO, or at the last change of the state */
	uint64_t io_taken;    /* number of IO commands until then */
	uint32_t operational; /* the last operational state */
	bool asleep;          /* in a non-operational state, until the next IO */
	uint64_t apst[VSSD_APST_ENTRIES];
};

/* ---- power.c: features 02h and 0Ch ---- */

extern const struct vssd_part vssd_power_part;

/* NPSS, the number of power states, 0's based. Version 1.1 added the non-operational ones. */
uint8_t vssd_power_npss(const struct vssd_ctrl *ctrl);

/* The descriptors of all power states, and the most power of one, in watts. */
extern const struct nvme_power_state vssd_power_states[VSSD_NPSS + 1];
uint8_t vssd_power_watts(uint32_t state);

/* Enter a power state, which must exist. */
void vssd_power_enter(struct vssd_ctrl *ctrl, uint32_t state);

/* Set the table of autonomous transitions. False: an entry is invalid, and nothing was changed. */
bool vssd_power_set_apst(struct vssd_ctrl *ctrl, const uint64_t table[VSSD_APST_ENTRIES]);

/* Return to the operational state, unless the spindle must not start. Call when IO arrives in a non-operational
 * state.
 */
void vssd_power_wake(struct vssd_ctrl *ctrl);

/* What the power state lets the drive draw. */
struct vssd_power_budget vssd_power_budget(const struct vssd_ctrl *ctrl);

/* Compare the interval power with the threshold of feature 24h. */
void vssd_power_check(struct vssd_ctrl *ctrl);

/* Restore the table of transitions and the power state, once the features have their values after a reset. */
void vssd_power_restart(struct vssd_ctrl *ctrl);

/* ---- thermal.c: features 04h and 10h ---- */

extern const struct vssd_part vssd_thermal_part;

/* Compare the temperatures with the thresholds. Call when one of them has changed. */
void vssd_thermal_check(struct vssd_ctrl *ctrl);

/* Which thermal management temperature is reached: 0 none, 1 light, 2 heavy. */
unsigned vssd_thermal_level(const struct vssd_ctrl *ctrl);

#endif
