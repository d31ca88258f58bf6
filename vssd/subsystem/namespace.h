/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespaces, each an extent of the store, and which blocks of it belong to none. */
#ifndef VSSD_SUBSYSTEM_NAMESPACE_H
#define VSSD_SUBSYSTEM_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "vssd/options.h"

#define VSSD_NLBAF 1u /* the last LBA format; 0's based, as Identify reports it */

struct vssd_subsystem;

struct vssd_ns {
	uint64_t nsze;        /* LBAs of the format in use */
	uint64_t first_block; /* in the store */
	uint64_t blocks;
	uint32_t nsid;     /* 0: there is none */
	uint8_t lba_shift; /* 9 or 12 */
	bool dulbe;        /* feature 05h: reading what was never written is an error */
	uint16_t tler;     /* and its limit for error recovery, which is always observed: there is none */
	uint16_t refuse;   /* status of every IO command at the moment; 0: none */
	bool changed;      /* in the changed namespace list */
	uint8_t csi;       /* enum nvme_csi */
};

/* LBA size of a format as log2. */
uint8_t vssd_lbaf_shift(uint8_t lbaf);

/* Give a namespace an LBA format. */
void vssd_ns_set_format(struct vssd_subsystem *subsystem, struct vssd_ns *ns, uint8_t lbaf);

/* Make a namespace of so many blocks. False: there is one of that NSID, or no extent is large enough. */
bool vssd_ns_create(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t blocks, uint8_t lbaf);
void vssd_ns_delete(struct vssd_subsystem *subsystem, struct vssd_ns *ns);

/* Whether a namespace has so many LBAs from slba on. */
static inline bool vssd_range_fits(const struct vssd_ns *ns, uint64_t slba, uint64_t nlb)
{
	return slba <= ns->nsze && nlb <= ns->nsze - slba;
}

#endif
