/* SPDX-License-Identifier: BSD-3-Clause */
/* A format that runs: blocks are erased in the background, then the namespaces get their LBA format. */
#ifndef VSSD_SUBSYSTEM_FORMAT_H
#define VSSD_SUBSYSTEM_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/subsystem/part.h"

struct vssd_format {
	struct vssd_listener *owner; /* whose command it is */
	bool running;
	uint16_t cid;
	uint8_t lbaf;
	uint32_t first; /* indexes of namespaces, the last one included */
	uint32_t last;
	uint32_t at;   /* the one that is being erased */
	uint64_t next; /* block of it to erase next, from its first on */
	uint64_t due;  /* ticks; no earlier completion */
};

extern const struct vssd_subsystem_part vssd_format_part;

/* Begin a format of the namespaces with these indexes; none runs. */
void vssd_format_start(struct vssd_subsystem *subsystem, struct vssd_listener *owner, uint16_t cid, uint8_t lbaf,
		       uint32_t first, uint32_t last);

/* Stop it, if this is its command, and complete that with Abort Requested: the LBA format stays, data may be gone. */
bool vssd_format_abort(struct vssd_subsystem *subsystem, const struct vssd_listener *owner, uint16_t cid);

/* Be done with it now, without a completion: a reset does not stop what has begun. */
void vssd_format_finish(struct vssd_subsystem *subsystem);

/* Per cent of the format of a namespace that are left, rounded up; 0: none runs. */
uint8_t vssd_format_left(const struct vssd_subsystem *subsystem, uint32_t nsid);

#endif
