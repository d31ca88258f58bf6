/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespaces, each an extent of the store, and the allocation of extents. */
#ifndef VSSD_SUBSYSTEM_NAMESPACE_H
#define VSSD_SUBSYSTEM_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/options.h"

#define VSSD_NLBAF 1u /* the last LBA format; 0's based, as Identify reports it */

/* What Copy can do (Identify Namespace, MSSRL, MCL, MSRC), and its format with a namespace in each source range. */
#define VSSD_COPY_RANGE_LBAS 256u
#define VSSD_COPY_LBAS 1024u
#define VSSD_COPY_RANGES 128u
#define VSSD_COPY_FORMAT_OTHER_NS 2u

struct vssd_subsystem;

struct vssd_ns {
	uint64_t nsze;        /* LBAs of the format in use */
	uint64_t first_block; /* in the store */
	uint64_t blocks;
	uint32_t nsid;     /* 0: the namespace does not exist */
	uint8_t lba_shift; /* 9 or 12 */
	bool dulbe;        /* feature 05h: reads of deallocated or unwritten LBAs fail */
	uint16_t tler;     /* feature 05h: error recovery limit, which has no effect */
	uint16_t refuse;   /* fail every IO command with this status; 0: execute them */
	bool changed;      /* in the changed namespace list */
	uint8_t csi;       /* enum nvme_csi */
};

/* log2 of the LBA size of a format. */
uint8_t vssd_lbaf_shift(uint8_t lbaf);

/* Set the LBA format of a namespace. */
void vssd_ns_set_format(struct vssd_subsystem *subsystem, struct vssd_ns *ns, uint8_t lbaf);

/* Create or delete a namespace. False: the NSID exists already, or no free extent is large enough. */
bool vssd_ns_create(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t blocks, uint8_t lbaf);
void vssd_ns_delete(struct vssd_subsystem *subsystem, struct vssd_ns *ns);

/* Whether nlb LBAs from slba on lie within the namespace. */
static inline bool vssd_range_fits(const struct vssd_ns *ns, uint64_t slba, uint64_t nlb)
{
	return slba <= ns->nsze && nlb <= ns->nsze - slba;
}

#endif
