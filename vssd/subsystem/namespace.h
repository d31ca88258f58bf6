/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespaces, each an extent of the store, the allocation of extents, and which controllers use a namespace. */
#ifndef VSSD_SUBSYSTEM_NAMESPACE_H
#define VSSD_SUBSYSTEM_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_id.h"
#include "vssd/options.h"
#include "vssd/subsystem/division.h"
#include "vssd/subsystem/fdp.h"
#include "vssd/subsystem/zones.h"

/* An LBA format as the drive keeps it: its index, whether metadata follow the data of each LBA (as in FLBAS), the
 * type of the protection information, and whether it is in the first bytes of the metadata. */
#define VSSD_LBAF_INDEX 0xfu
#define VSSD_LBAF_EXTENDED 0x10u
#define VSSD_LBAF_TYPE_SHIFT 5
#define VSSD_LBAF_TYPE (3u << VSSD_LBAF_TYPE_SHIFT)
#define VSSD_LBAF_FIRST 0x80u

/* What Copy can do (Identify Namespace, MSSRL, MCL, MSRC), and its number of formats of source ranges. */
#define VSSD_COPY_RANGE_LBAS 256u
#define VSSD_COPY_LBAS 1024u
#define VSSD_COPY_RANGES 128u
#define VSSD_COPY_FORMATS 4u

struct vssd_subsystem;

struct vssd_ns {
	uint64_t nsze;        /* LBAs of the format in use */
	uint64_t first_block; /* in the store */
	uint64_t blocks;      /* allocated */
	uint64_t bytes;       /* that the host can use; no more than the blocks have */
	uint32_t nsid;        /* 0: the namespace does not exist */
	uint32_t number;      /* differs for each namespace that the host has created; 0: it came with the drive */
	uint16_t attached;    /* a bit for each controller, by its index */
	bool shared;          /* several controllers can be attached */
	uint8_t lba_shift;    /* 9 … 16 */
	uint8_t metadata;     /* bytes of each LBA; 0: none */
	bool extended;        /* the metadata follow the data of each LBA; else they are in a buffer of their own */
	bool dulbe;           /* feature 05h: reads of deallocated or unwritten LBAs fail */
	uint16_t tler;        /* feature 05h: error recovery limit, which has no effect */
	uint16_t refuse;      /* fail every IO command with this status; 0: execute them */
	uint8_t csi;          /* enum nvme_csi */
	uint8_t pi;           /* type of the protection information; 0: none */
	bool pi_first;        /* it is in the first bytes of the metadata */
	uint8_t pif;          /* its format, enum nvme_pif */
	uint8_t sts;          /* bits of its storage tag */
	bool guarded;         /* LBAs may be locked: ask vssd_security_refuses() */
	uint8_t anagrpid;     /* 0: the drive does not report ANA */
	uint8_t endgid;       /* endurance group; 0: the drive has none */
	uint8_t setid;        /* NVM set; 0: as above */
	uint8_t unused;       /* makes the size a power of two, which the short path multiplies by in one step */
};
_Static_assert(sizeof(struct vssd_ns) == 64, "the short path");

/* What the host can choose when it creates a namespace. */
struct vssd_ns_shape {
	uint64_t bytes;
	uint8_t csi; /* enum nvme_csi */
	uint8_t lbaf;
	bool shared;
	uint16_t attached;               /* when it is created */
	uint8_t anagrpid;                /* 0: the drive chooses its ANA group */
	struct vssd_container container; /* where it is created, by vssd_container_choose() */
	struct vssd_fdp_handles handles; /* its reclaim unit handles, if FDP is enabled */
	uint64_t unchecked;              /* bits of the storage tag that are not */
	struct vssd_zone_limits zones;   /* if it is zoned */
};

/* The LBA format of a new drive, as the drive keeps it. */
uint8_t vssd_lbaf_new(const struct vssd_options *options);

/* The last LBA format of a drive; 0's based, as Identify reports it. */
uint8_t vssd_nlbaf(const struct vssd_options *options);

/* Whether the drive has this LBA format. */
bool vssd_lbaf_valid(const struct vssd_options *options, uint8_t lbaf);

/* log2 of the LBA size of a format, its bytes of metadata, its format of protection information (enum nvme_pif), and
 * the size of the storage tag in it, in bits. */
uint8_t vssd_lbaf_shift(const struct vssd_subsystem *subsystem, uint8_t lbaf);
uint8_t vssd_lbaf_metadata(uint8_t lbaf);
uint8_t vssd_lbaf_pif(uint8_t lbaf);
uint8_t vssd_lbaf_sts(const struct vssd_options *options, uint8_t lbaf);

/* Bytes of protection information of this format (enum nvme_pif). */
static inline uint8_t vssd_pif_bytes(uint8_t pif)
{
	return pif == NVME_PIF_GUARD16 ? 8 : 16;
}

/* Bytes of each LBA in the data of a command. */
static inline uint64_t vssd_ns_lba_bytes(const struct vssd_ns *ns)
{
	return (UINT64_C(1) << ns->lba_shift) + (ns->extended ? ns->metadata : 0);
}

/* The formats of source ranges that Copy has, a bit for each. */
static inline uint8_t vssd_copy_formats(const struct vssd_options *options)
{
	return options->optional.protection ? 0xf : 0x5;
}

/* Set the LBA format of a namespace. */
void vssd_ns_set_format(struct vssd_subsystem *subsystem, struct vssd_ns *ns, uint8_t lbaf);

/* FLBAS and DPS of Identify Namespace. */
uint8_t vssd_ns_flbas(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns);
uint8_t vssd_ns_dps(const struct vssd_ns *ns);

/* LBSTM: the bits of the storage tag that are checked; 0: the namespace has none. */
uint64_t vssd_ns_tag_mask(const struct vssd_subsystem *subsystem, const struct vssd_ns *ns);

/* Set which controllers are attached. Tells the controllers whose list of active namespaces changes. */
void vssd_ns_set_attached(struct vssd_subsystem *subsystem, struct vssd_ns *ns, uint16_t attached);

/* Create the namespaces of a new drive by its options, or those that its store remembers. */
void vssd_ns_init(struct vssd_subsystem *subsystem);

/* Create a namespace for a controller, cntlid, whose LBAs are unwritten. This may move the blocks of others, to make
 * room. False: the NSID is taken, the container has too little room, or there is no memory for its zones or keys. */
bool vssd_ns_create(struct vssd_subsystem *subsystem, uint16_t cntlid, uint32_t nsid,
		    const struct vssd_ns_shape *shape);

/* Delete a namespace, and its data, for a controller. Tells the controllers that were attached. */
void vssd_ns_delete(struct vssd_subsystem *subsystem, uint16_t cntlid, struct vssd_ns *ns);

/* The lowest NSID that no namespace has; 0: all are taken. */
uint32_t vssd_ns_unused(const struct vssd_subsystem *subsystem);

/* How many blocks a namespace of so many bytes is going to have, of these that are left. 0: they are too few. */
uint64_t vssd_ns_blocks_for(const struct vssd_subsystem *subsystem, uint64_t bytes, uint64_t room);

/* Whether nlb LBAs from slba on lie within the namespace. */
static inline bool vssd_range_fits(const struct vssd_ns *ns, uint64_t slba, uint64_t nlb)
{
	return slba <= ns->nsze && nlb <= ns->nsze - slba;
}

#endif
