/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protection information: where a namespace has it, and what it is for an LBA (NVM Command Set Specification 1.0,
 * 5.2). A tuple is a guard, an application tag, and a space that the storage tag and the reference tag share; all are
 * big-endian.
 */
#ifndef PYN_DATA_PROTECTION_H
#define PYN_DATA_PROTECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme_cmd.h"

/* The guards, by PIF of the extended LBA format (4.1.5.3). */
enum pyn_guard {
	PYN_GUARD_16 = 0,
	PYN_GUARD_32,
	PYN_GUARD_64,
	PYN_GUARDS,
};

struct pyn_protection {
	uint8_t type;  /* DPS: 1 … 3; 0: the namespace has no protection information */
	uint8_t guard; /* enum pyn_guard */
	uint8_t sts;   /* bits of the storage tag */
	bool first;    /* in the first bytes of the metadata, and not in the last */
	uint16_t ms;   /* bytes of metadata of an LBA; at least those of a tuple */
};

/* The metadata of a namespace, and where they lie in the host's memory. */
struct pyn_layout {
	struct pyn_protection protection; /* ms 0: no metadata */
	bool extended;                    /* behind the data of each LBA, and not in a buffer at MPTR */
};

/* The tags of the first LBA of a command, as its dwords 2, 3, 14 and 15 name them. */
struct pyn_tags {
	uint16_t app;
	uint16_t high; /* bits 79:64 of the space of storage and reference tag; only 32-bit guards have them */
	uint64_t low;
};

enum pyn_tuple_fault {
	PYN_TUPLE_RIGHT = 0,
	PYN_TUPLE_GUARD,
	PYN_TUPLE_APP,
	PYN_TUPLE_REFERENCE, /* or the storage tag */
};

/* Bytes of a tuple. */
static inline uint32_t pyn_tuple_bytes(uint8_t guard)
{
	return guard == PYN_GUARD_16 ? 8 : 16;
}

#define PYN_TUPLE_MOST 16u /* bytes */

/* Where the tuple begins in the metadata of an LBA. */
static inline uint32_t pyn_tuple_place(const struct pyn_protection *protection)
{
	return protection->first ? 0 : protection->ms - pyn_tuple_bytes(protection->guard);
}

/* Whether the metadata are protection information and nothing else, which PRACT inserts and strips (5.2.2). */
static inline bool pyn_protection_is_alone(const struct pyn_protection *protection)
{
	return protection->type && protection->ms == pyn_tuple_bytes(protection->guard);
}

/* Bytes of metadata of each LBA that a transfer with this dword 12 has: all, or none (5.2.2). */
static inline uint32_t pyn_metadata_bytes(const struct pyn_protection *protection, uint32_t cdw12)
{
	return cdw12 & NVME_RW_PRACT && pyn_protection_is_alone(protection) ? 0 : protection->ms;
}

struct pyn_tags pyn_tags_of(const struct nvme_cmd *cmd);

/* Make the reference tag of a command that of its first LBA, as types 1 and 2 have it. */
void pyn_tags_put(const struct pyn_protection *protection, struct nvme_cmd *cmd, uint64_t slba);

/* Let the reference tag of a command, as types 1 and 2 have it, be that many LBAs later. */
void pyn_tags_advance(const struct pyn_protection *protection, struct nvme_cmd *cmd, uint64_t count);

/* Put the reference tag of LBA number index into a tuple, and leave the rest as it is. */
void pyn_tuple_renumber(const struct pyn_protection *protection, const struct pyn_tags *tags, uint64_t index,
			uint8_t *tuple);

/* Make the tuple of LBA number index of a command. tags are those of the first LBA; metadata may be NULL if the
 * information is alone in them. */
void pyn_protection_tuple(const struct pyn_protection *protection, const void *data, uint32_t lba_size,
			  const uint8_t *metadata, const struct pyn_tags *tags, uint64_t index, uint8_t *tuple);

/* Put the tuple of LBA number index of a command into its metadata. */
void pyn_protection_make(const struct pyn_protection *protection, const void *data, uint32_t lba_size,
			 uint8_t *metadata, const struct pyn_tags *tags, uint64_t index);

/* The first field of the tuple that differs from what pyn_protection_make would put there. */
enum pyn_tuple_fault pyn_protection_check(const struct pyn_protection *protection, const void *data,
					  uint32_t lba_size, const uint8_t *metadata, const struct pyn_tags *tags,
					  uint64_t index);

#endif
