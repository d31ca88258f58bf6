/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/stored.h"

#include <string.h>

#include "vssd/cmd/protection.h"

/* One LBA of the medium. */
struct place {
	uint64_t block;
	uint32_t offset; /* in the block */
	uint32_t length;
};

static uint64_t offset_of(const struct vssd_ns *ns, uint64_t lba)
{
	return (ns->first_block << VSSD_BLOCK_SHIFT) + (lba << ns->lba_shift);
}

static struct place place_of(const struct vssd_ns *ns, uint64_t lba)
{
	uint64_t offset = offset_of(ns, lba);

	return (struct place){
		.block = offset >> VSSD_BLOCK_SHIFT,
		.offset = (uint32_t)offset & (VSSD_BLOCK_SIZE - 1),
		.length = 1u << ns->lba_shift,
	};
}

/* The metadata of an LBA lie beside the first sector of its data. */
static uint8_t *metadata_at(const struct vssd_ctrl *ctrl, const struct place *place)
{
	return vssd_store_metadata(ctrl->store, place->block) +
	       (size_t)(place->offset / VSSD_SECTOR_SIZE) * VSSD_METADATA_LBA;
}

/* Bytes of an LBA in its first block. */
static uint32_t in_block(const struct place *place)
{
	return place->length < VSSD_BLOCK_SIZE ? place->length : VSSD_BLOCK_SIZE;
}

/* Whether an LBA is deallocated or unwritten, or holds what an erasure has left. */
static bool is_blank(const struct vssd_ctrl *ctrl, const struct place *place)
{
	uint8_t sectors = vssd_store_sectors(place->offset, in_block(place));

	return !(vssd_store_written(ctrl->store, place->block) & sectors) ||
	       vssd_store_is_pattern(ctrl->store, place->block);
}

void vssd_stored_data(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		      uint8_t *to)
{
	vssd_store_read(ctrl->store, offset_of(ns, slba), to, nlb << ns->lba_shift);
}

void vssd_metadata_get(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		       uint8_t *to)
{
	for (uint64_t i = 0; i < nlb; i++, to += VSSD_METADATA_LBA) {
		struct place place = place_of(ns, slba + i);

		memcpy(to, metadata_at(ctrl, &place), VSSD_METADATA_LBA);
		if (is_blank(ctrl, &place))
			vssd_pi_blank(ns, to);
	}
}

void vssd_metadata_put(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t slba, uint64_t nlb,
		       const uint8_t *from)
{
	for (uint64_t i = 0; i < nlb; i++) {
		struct place place = place_of(ns, slba + i);

		memcpy(metadata_at(ctrl, &place), from + i * VSSD_METADATA_LBA, VSSD_METADATA_LBA);
	}
}

bool vssd_stored_write(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns, uint64_t lba, const uint8_t *data,
		       const uint8_t *metadata)
{
	struct place at = place_of(ns, lba);
	uint32_t piece = in_block(&at);

	for (uint32_t done = 0; done < at.length; done += piece) {
		uint8_t *to = vssd_store_write(ctrl->store, at.block + done / VSSD_BLOCK_SIZE,
					       vssd_store_sectors(at.offset, piece));

		if (!to)
			return false;
		memcpy(to + at.offset, data + done, piece);
	}
	memcpy(metadata_at(ctrl, &at), metadata, VSSD_METADATA_LBA);
	return true;
}
