/* SPDX-License-Identifier: BSD-3-Clause */
/* Format NVM erases blocks in the background, then sets the LBA format of the namespaces. */
#ifndef VSSD_SUBSYSTEM_FORMAT_H
#define VSSD_SUBSYSTEM_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_cmd.h"
#include "vssd/subsystem/part.h"

struct vssd_format {
	struct vssd_listener *owner; /* gets the completion: the controller, or the management endpoint */
	bool running;
	uint16_t cid;
	uint16_t cntlid; /* of the controller that executes the command, for the persistent event log */
	uint8_t lbaf;
	uint32_t nsids; /* a bit for each namespace, by NSID - 1 */
	uint32_t first; /* index of the first namespace, and of the last one */
	uint32_t last;
	uint32_t at;   /* index of the namespace that is being erased */
	uint64_t next; /* its next block to erase; 0 is its first */
	uint64_t due;  /* ticks: complete no earlier */
};

extern const struct vssd_subsystem_part vssd_format_part;

/* Start the format of a command. nsids: its namespaces, a bit for each by NSID - 1. None must be running. */
void vssd_format_start(struct vssd_subsystem *subsystem, struct vssd_listener *owner, uint16_t cntlid,
		       const struct nvme_cmd *cmd, uint8_t lbaf, uint32_t nsids);

/* If this command started the format, stop it and complete the command with a status. The LBA format stays, but data
 * may be lost. False: it did not. */
bool vssd_format_abort(struct vssd_subsystem *subsystem, const struct vssd_listener *owner, uint16_t cid,
		       uint16_t status);

/* Finish the format at once, without a completion, because a reset does not stop it. */
void vssd_format_finish(struct vssd_subsystem *subsystem);

/* How many per cent of the format of a namespace remain, rounded up; 0: none is running. */
uint8_t vssd_format_left(const struct vssd_subsystem *subsystem, uint32_t nsid);

#endif
