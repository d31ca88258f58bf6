/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LBAs that cannot be read, and those among them that the drive knows of: the tracked LBAs. A read that fails, a scan
 * that the host requests, and Write Uncorrectable add to them; a write removes an LBA. The annex keeps them.
 * NVM Command Set Specification 1.1, sections 4.2.1 and 5.2.1.
 */
#ifndef VSSD_SUBSYSTEM_LBA_STATUS_H
#define VSSD_SUBSYSTEM_LBA_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/subsystem/namespace.h"
#include "vssd/subsystem/part.h"

#define VSSD_LBA_STATUS_PAGE 4096u /* bytes of log page 0Eh at most */

/* LBAs first … end, which is not one of them. */
struct vssd_lbas {
	uint64_t first;
	uint64_t end;
};

/* What the tracked LBAs were like at some time. */
struct vssd_lba_status {
	uint32_t news; /* how often LBAs were added since the process started, or a component failed */
	/* By controller, namespaces whose unreadable LBAs are not tracked: a bit for each, by NSID - 1. */
	uint32_t unknown[VSSD_MAX_CONTROLLERS];
};

extern const struct vssd_subsystem_part vssd_lba_status_part;

/* Whether the drive has Get LBA Status, log page 0Eh and feature 15h. */
bool vssd_lba_status_is_there(const struct vssd_options *options);

/* Find the first run of unreadable LBAs within `within`. False: there is none. */
bool vssd_lbas_unreadable(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, struct vssd_lbas within,
			  struct vssd_lbas *run);

/* The same, but only the tracked ones. Call vssd_lba_status_update() first. */
bool vssd_lbas_tracked(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns, struct vssd_lbas within,
		       struct vssd_lbas *run);

/* Track the unreadable LBAs within `within`. scan: the host gets those that find no room from this scan, and need not
 * scan again. Does nothing if the drive does not have Get LBA Status. */
void vssd_lba_status_track(struct vssd_subsystem *subsystem, const struct vssd_ns *ns, struct vssd_lbas within,
			   bool scan);

/* Stop tracking LBAs that can be read, since they were written or erased. */
void vssd_lba_status_update(struct vssd_subsystem *subsystem);

/* A part of the medium fails: any LBA may be unreadable, and none of them is tracked. */
void vssd_lba_status_lose(struct vssd_subsystem *subsystem);

/* The host has read the log page of a controller: report no more that all LBAs of a namespace are doubtful. */
void vssd_lba_status_read(struct vssd_subsystem *subsystem, uint8_t index);

/* Fill in log page 0Eh for a controller, by its index. page: VSSD_LBA_STATUS_PAGE zeros. is_new: it names LBAs that
 * the page that was read before did not name. */
void vssd_lba_status_log(struct vssd_subsystem *subsystem, uint8_t index, bool is_new, uint8_t *page);

#endif
