/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/protection.h"

#include <string.h>

#include "core/util/crc32c.h"
#include "core/util/guards.h"

static void put(uint8_t *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static uint64_t guard_of(const struct pyn_protection *protection, const void *data, uint32_t lba_size,
			 const uint8_t *metadata)
{
	/* Metadata before the tuple are guarded, metadata behind it are not. */
	uint32_t before = pyn_tuple_place(protection);

	switch (protection->guard) {
	case PYN_GUARD_64:
		return pyn_crc64(pyn_crc64(0, data, lba_size), metadata, before);
	case PYN_GUARD_32:
		return pyn_crc32c(pyn_crc32c(0, data, lba_size), metadata, before);
	default:
		return pyn_crc16(pyn_crc16(0, data, lba_size), metadata, before);
	}
}

/* Bits of the space that storage and reference tag share. */
static unsigned space_bits(uint8_t guard)
{
	static const unsigned bits[PYN_GUARDS] = {32, 80, 48};

	return bits[guard];
}

/* A mask of the reference tag in the low 64 bits of the space. */
static uint64_t reference_mask(const struct pyn_protection *protection)
{
	unsigned bits = space_bits(protection->guard);

	bits = protection->sts < bits ? bits - protection->sts : 0;
	return bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
}

/* The low bits of the space for an LBA of a command: the reference tag of types 1 and 2 counts LBAs. */
static uint64_t space_of(const struct pyn_protection *protection, const struct pyn_tags *tags, uint64_t index)
{
	uint64_t mask = reference_mask(protection);

	if (protection->type == 3)
		return tags->low;
	return (tags->low & ~mask) | ((tags->low + index) & mask);
}

struct pyn_tags pyn_tags_of(const struct nvme_cmd *cmd)
{
	return (struct pyn_tags){
		.app = (uint16_t)cmd->cdw15,
		.high = (uint16_t)cmd->cdw2,
		.low = (uint64_t)cmd->cdw3 << 32 | cmd->cdw14,
	};
}

void pyn_tags_put(const struct pyn_protection *protection, struct nvme_cmd *cmd, uint64_t slba)
{
	uint64_t mask = reference_mask(protection);
	uint64_t low = (uint64_t)cmd->cdw3 << 32 | cmd->cdw14;

	low = (low & ~mask) | (slba & mask);
	cmd->cdw14 = (uint32_t)low;
	if (protection->guard != PYN_GUARD_16)
		cmd->cdw3 = (uint32_t)(low >> 32);
}

void pyn_tags_advance(const struct pyn_protection *protection, struct nvme_cmd *cmd, uint64_t count)
{
	pyn_tags_put(protection, cmd, pyn_tags_of(cmd).low + count);
}

void pyn_tuple_renumber(const struct pyn_protection *protection, const struct pyn_tags *tags, uint64_t index,
			uint8_t *tuple)
{
	unsigned bytes = space_bits(protection->guard) < 64 ? space_bits(protection->guard) / 8 : sizeof(uint64_t);
	uint8_t *at = tuple + pyn_tuple_bytes(protection->guard) - bytes;
	uint64_t mask = reference_mask(protection), low = 0;

	for (unsigned i = 0; i < bytes; i++)
		low = low << 8 | at[i];
	put(at, (low & ~mask) | ((tags->low + index) & mask), bytes);
}

static void make(const struct pyn_protection *protection, uint64_t guard, uint8_t *tuple, const struct pyn_tags *tags,
		 uint64_t index)
{
	uint64_t low = space_of(protection, tags, index);

	switch (protection->guard) {
	case PYN_GUARD_64:
		put(tuple, guard, 8);
		put(tuple + 8, tags->app, 2);
		put(tuple + 10, low, 6);
		return;
	case PYN_GUARD_32:
		put(tuple, guard, 4);
		put(tuple + 4, tags->app, 2);
		put(tuple + 6, tags->high, 2);
		put(tuple + 8, low, 8);
		return;
	default:
		put(tuple, guard, 2);
		put(tuple + 2, tags->app, 2);
		put(tuple + 4, low, 4);
	}
}

void pyn_protection_tuple(const struct pyn_protection *protection, const void *data, uint32_t lba_size,
			  const uint8_t *metadata, const struct pyn_tags *tags, uint64_t index, uint8_t *tuple)
{
	make(protection, guard_of(protection, data, lba_size, metadata), tuple, tags, index);
}

void pyn_protection_make(const struct pyn_protection *protection, const void *data, uint32_t lba_size,
			 uint8_t *metadata, const struct pyn_tags *tags, uint64_t index)
{
	pyn_protection_tuple(protection, data, lba_size, metadata, tags, index,
			     metadata + pyn_tuple_place(protection));
}

enum pyn_tuple_fault pyn_protection_check(const struct pyn_protection *protection, const void *data,
					  uint32_t lba_size, const uint8_t *metadata, const struct pyn_tags *tags,
					  uint64_t index)
{
	const uint8_t *found = metadata + pyn_tuple_place(protection);
	uint8_t right[PYN_TUPLE_MOST];
	unsigned app = protection->guard == PYN_GUARD_16 ? 2 : protection->guard == PYN_GUARD_32 ? 4 : 8;

	pyn_protection_tuple(protection, data, lba_size, metadata, tags, index, right);
	if (memcmp(found, right, app) != 0)
		return PYN_TUPLE_GUARD;
	if (memcmp(found + app, right + app, 2) != 0)
		return PYN_TUPLE_APP;
	return memcmp(found, right, pyn_tuple_bytes(protection->guard)) == 0 ? PYN_TUPLE_RIGHT : PYN_TUPLE_REFERENCE;
}
