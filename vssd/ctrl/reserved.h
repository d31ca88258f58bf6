/* SPDX-License-Identifier: BSD-3-Clause */
/* The host of a controller, and the reservation notifications that wait for it (log page 80h). */
#ifndef VSSD_CTRL_RESERVED_H
#define VSSD_CTRL_RESERVED_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/options.h"

#define VSSD_RESERVED_PAGES 32u /* that wait; newer ones are dropped */

struct vssd_ctrl;
struct vssd_host;
struct nvme_reservation_log;

struct vssd_reserved_log {
	uint64_t count;                    /* of the last page that the host has read */
	uint8_t waiting;                   /* pages */
	uint8_t mask[VSSD_MAX_NAMESPACES]; /* feature 82h, by NSID - 1 */
	struct {
		uint32_t nsid;
		uint8_t type; /* enum vssd_reservation_notice */
	} pages[VSSD_RESERVED_PAGES];
};

/* Which host the controller has. */
void vssd_reserved_host(const struct vssd_ctrl *ctrl, struct vssd_host *host);

/* Add a notification, unless feature 82h masks it. */
void vssd_reserved_add(struct vssd_ctrl *ctrl, uint32_t nsid, uint8_t type);

/* Get the oldest one; zeros if there is none. */
void vssd_reserved_page(const struct vssd_ctrl *ctrl, struct nvme_reservation_log *log);

/* The host has read the oldest one. */
void vssd_reserved_read(struct vssd_ctrl *ctrl);

#endif
