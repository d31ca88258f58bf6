/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a controller reports about unreadable LBAs: log page 0Eh, which does not change while the host reads it in
 * pieces, and the event that announces it. NVM Command Set Specification 1.1, sections 4.1.3.5 and 5.2.1.
 */
#ifndef VSSD_CTRL_LBA_STATUS_H
#define VSSD_CTRL_LBA_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/ctrl/part.h"
#include "vssd/subsystem/lba_status.h"

#define VSSD_LSIPI 2u /* LBA Status Information Poll Interval, units of 100 ms */

struct vssd_lba_status_report {
	uint64_t since; /* ticks: when the report interval began */
	uint32_t seen;  /* news of the subsystem that the host has read */
	uint32_t told;  /* news that an event has announced */
	bool frozen;    /* the host is reading the page: it does not change */
	_Alignas(uint64_t) uint8_t page[VSSD_LBA_STATUS_PAGE];
};

/* Raises the event when the report interval ends. A reset ends the reading of the page. */
extern const struct vssd_part vssd_lba_status_report_part;

/* Get log page 0Eh, VSSD_LBA_STATUS_PAGE bytes. */
const uint8_t *vssd_lba_status_page(struct vssd_ctrl *ctrl);

/* The host has read the page with RAE cleared: the next interval begins, and the page may change. */
void vssd_lba_status_page_read(struct vssd_ctrl *ctrl);

#endif
