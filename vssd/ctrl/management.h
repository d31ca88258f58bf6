/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of the Management Interface: Vital Product Data, and what a controller was like when its changes were
 * last cleared, by each of the two mechanisms. */
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

/* Health is polled in band and out of band, which know nothing of each other. Section 5.3 and 5.6. */
enum vssd_mechanism { VSSD_OUT_OF_BAND, VSSD_IN_BAND, VSSD_MECHANISMS };

/* What one of them has seen and cleared. */
struct vssd_health_view {
	struct vssd_health_seen seen;
	uint16_t changed; /* bits of CCS that no comparison shows: CECO, NAC, FA */
	bool is_old;      /* something was seen */
};

struct vssd_management {
	struct vssd_health_view views[VSSD_MECHANISMS];
	uint16_t transmission;    /* MCTP transmission unit, bytes */
	uint8_t frequency;        /* of SMBus: 1 is 100 kHz */
	bool was_subsystem_reset; /* the last reset was one with power */
	uint32_t resets;          /* of the subsystem, and power cycles */
};

/* Changes that the health polls report, besides those that they see: bits of CCS. */
#define VSSD_CHANGED_ENABLE 0x20u
#define VSSD_CHANGED_NAMESPACES 0x40u
#define VSSD_CHANGED_FIRMWARE 0x80u

struct vssd_ctrl;

/* Set the state of a new drive. */
void vssd_management_init(struct vssd_ctrl *ctrl);

/* A reset of the subsystem, or a power cycle, takes the configuration back. The endpoint finds that it was reset. */
void vssd_management_reset(struct vssd_ctrl *ctrl, bool with_power);

/* Note a change, VSSD_CHANGED_*. */
void vssd_management_changed(struct vssd_ctrl *ctrl, uint16_t change);

/* How often the Vital Product Data can be written, and read or write bytes of them, which lie within them. A change
 * is durable at once. False: they have been written as often as they can be. */
uint8_t vssd_vpd_writes(const struct vssd_ctrl *ctrl);
void vssd_vpd_read(const struct vssd_ctrl *ctrl, uint32_t offset, uint8_t *to, uint32_t length);
bool vssd_vpd_write(struct vssd_ctrl *ctrl, uint32_t offset, const uint8_t *from, uint32_t length);

#endif
