/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of the Management Interface: Vital Product Data, and what a controller was like when its changes were
 * last cleared. */
#ifndef VSSD_CTRL_MANAGEMENT_H
#define VSSD_CTRL_MANAGEMENT_H

#include <stdbool.h>
#include <stdint.h>

#define VSSD_VPD_SIZE 256u
#define VSSD_VPD_WRITES 16u /* that the Vital Product Data endure */

/* What a health poll compares. */
struct vssd_health_seen {
	uint32_t csts;
	uint16_t temperature;
	uint8_t used;
	uint8_t spare;
	uint8_t warnings;
};

struct vssd_management {
	struct vssd_health_seen seen;
	uint16_t changed;      /* bits of CCS that no comparison shows: CECO, NAC, FA */
	uint16_t transmission; /* MCTP transmission unit, bytes */
	uint8_t frequency;     /* of SMBus: 1 is 100 kHz */
	uint8_t vpd_writes;    /* left */
	bool is_new;           /* nothing was seen yet */
	uint8_t vpd[VSSD_VPD_SIZE];
};

/* Changes that the health polls report, besides those that they see: bits of CCS. */
#define VSSD_CHANGED_ENABLE 0x20u
#define VSSD_CHANGED_NAMESPACES 0x40u
#define VSSD_CHANGED_FIRMWARE 0x80u

struct vssd_ctrl;

/* Set the state of a new drive. */
void vssd_management_init(struct vssd_ctrl *ctrl);

#endif
