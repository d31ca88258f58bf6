/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/hidden.h"

#include <string.h>

#include "vssd/subsystem/boot.h"
#include "vssd/subsystem/subsystem.h"
#include "vssd/tcg/state.h"

static uint64_t blocks_of(const struct vssd_options *options, unsigned area)
{
	static const uint64_t tcg[] = {
		[VSSD_HIDDEN_TCG] = 1,
		[VSSD_HIDDEN_DATASTORE] = VSSD_TCG_DATASTORE_SIZE / VSSD_BLOCK_SIZE,
		[VSSD_HIDDEN_MBR] = VSSD_TCG_MBR_SIZE / VSSD_BLOCK_SIZE,
	};

	if (area == VSSD_HIDDEN_BOOT)
		return options->optional.boot ? 2 * VSSD_BOOT_SIZE / VSSD_BLOCK_SIZE + 1 : 0;
	if (area == VSSD_HIDDEN_PROTECTION)
		return options->optional.write_protection;
	if (area == VSSD_HIDDEN_VPD)
		return options->optional.mi && !options->null_store;
	if (area == VSSD_HIDDEN_RPMB)
		return options->optional.rpmb ? VSSD_RPMB_BLOCKS : 0;
	return options->optional.tcg ? tcg[area] : 0;
}

uint64_t vssd_hidden_blocks(const struct vssd_options *options)
{
	uint64_t blocks = 0;

	for (unsigned i = 0; i < VSSD_HIDDEN_AREAS; i++)
		blocks += blocks_of(options, i);
	return blocks;
}

uint64_t vssd_hidden_first(const struct vssd_subsystem *subsystem, enum vssd_hidden area)
{
	uint64_t first = subsystem->blocks + vssd_zones_blocks(&subsystem->options);

	for (unsigned i = 0; i < (unsigned)area; i++)
		first += blocks_of(&subsystem->options, i);
	return first;
}

void vssd_hidden_read(const struct vssd_subsystem *subsystem, enum vssd_hidden area, uint64_t offset, void *to,
		      uint64_t length)
{
	vssd_store_read(subsystem->store, (vssd_hidden_first(subsystem, area) << VSSD_BLOCK_SHIFT) + offset, to,
			length);
}

bool vssd_hidden_write(struct vssd_subsystem *subsystem, enum vssd_hidden area, uint64_t offset, const void *from,
		       uint64_t length)
{
	uint64_t block = vssd_hidden_first(subsystem, area) + (offset >> VSSD_BLOCK_SHIFT);
	uint32_t in_block = (uint32_t)(offset & (VSSD_BLOCK_SIZE - 1));
	const uint8_t *at = from;

	while (length > 0) {
		uint8_t whole[VSSD_BLOCK_SIZE];
		uint32_t room = VSSD_BLOCK_SIZE - in_block, piece = length < room ? (uint32_t)length : room;

		memcpy(whole, vssd_store_data(subsystem->store, block), sizeof(whole));
		memcpy(whole + in_block, at, piece);
		if (!vssd_store_put(subsystem->store, block, whole))
			return false;
		vssd_store_commit(subsystem->store, block, 1);
		at += piece;
		length -= piece;
		in_block = 0;
		block++;
	}
	return true;
}

void vssd_hidden_clear(struct vssd_subsystem *subsystem, enum vssd_hidden area)
{
	vssd_store_erase(subsystem->store, vssd_hidden_first(subsystem, area),
			 blocks_of(&subsystem->options, (unsigned)area), VSSD_POOL_UNWRITTEN);
}
