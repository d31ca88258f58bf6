/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/track_meta.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/crc32c.h"
#include "spec/nvme_field.h"

void pyn_track_meta_begin(struct pyn_track_meta *meta, const struct pyn_verify *verify, const struct nvme_cmd *cmd,
			  const struct pyn_metadata *buffer, bool is_changer)
{
	*meta = (struct pyn_track_meta){.verify = verify ? pyn_verify_metadata(verify) : NULL};
	if (buffer->buffer)
		pyn_buffer_use_begin(&meta->use, buffer->buffer, buffer->offset, buffer->length,
				     cmd->opc & NVME_DATA_FROM_DEVICE, buffer->protects);
	if (!verify)
		return;
	meta->layout = *pyn_verify_layout(verify);
	meta->bytes = pyn_metadata_bytes(&meta->layout.protection, cmd->cdw12);
	meta->stride = pyn_verify_lba_size(verify) + (meta->layout.extended ? meta->bytes : 0);
	meta->is_changer = meta->verify && is_changer;
	if (meta->is_changer)
		pyn_verify_changer_begin(meta->verify);
}

uint8_t *pyn_track_meta_at(const struct pyn_track_meta *meta, uint64_t i, uint8_t *data, uint32_t lba_size)
{
	if (!meta->bytes)
		return NULL;
	if (meta->layout.extended)
		return data + lba_size;
	if (!meta->use.buffer || (i + 1) * meta->bytes > meta->use.length)
		return NULL;
	return meta->use.buffer->data + meta->use.offset + i * meta->bytes;
}

bool pyn_track_meta_crc(const struct pyn_track_meta *meta, const struct nvme_cmd *cmd, uint64_t i, uint8_t *data,
			uint32_t lba_size, uint32_t *crc)
{
	const struct pyn_protection *protection = &meta->layout.protection;
	const uint8_t *metadata = pyn_track_meta_at(meta, i, data, lba_size);
	uint32_t bytes = pyn_verify_lba_size(meta->verify);
	bool inserted = protection->type && cmd->cdw12 & NVME_RW_PRACT;

	if (!metadata && !(inserted && pyn_protection_is_alone(protection)))
		return false;
	if (!inserted) {
		*crc = pyn_crc32c(0, metadata, bytes);
		return true;
	}
	/* The drive puts the tuple in the place of what the host sends there. */
	uint32_t place = pyn_tuple_place(protection), past = place + pyn_tuple_bytes(protection->guard);
	struct pyn_tags tags = pyn_tags_of(cmd);
	uint8_t tuple[PYN_TUPLE_MOST];

	pyn_protection_tuple(protection, data, lba_size, metadata, &tags, i, tuple);
	*crc = pyn_crc32c(0, metadata, place);
	*crc = pyn_crc32c(*crc, tuple, past - place);
	if (past < bytes)
		*crc = pyn_crc32c(*crc, metadata + past, bytes - past);
	return true;
}

/* The CRC of metadata whose tuple gets the reference tag of LBA number i. */
static uint32_t crc_renumbered(const struct pyn_protection *protection, const uint8_t *metadata,
			       const struct pyn_tags *tags, uint64_t i)
{
	uint32_t place = pyn_tuple_place(protection), past = place + pyn_tuple_bytes(protection->guard);
	uint8_t tuple[PYN_TUPLE_MOST];
	uint32_t crc = pyn_crc32c(0, metadata, place);

	memcpy(tuple, metadata + place, past - place);
	pyn_tuple_renumber(protection, tags, i, tuple);
	crc = pyn_crc32c(crc, tuple, past - place);
	return past < protection->ms ? pyn_crc32c(crc, metadata + past, protection->ms - past) : crc;
}

void pyn_track_meta_appended(struct pyn_track_meta *meta, uint64_t distance, uint64_t nlb, uint8_t *data,
			     uint32_t lba_size)
{
	const struct pyn_protection *protection = &meta->layout.protection;

	if (!meta->crc || !protection->type || !nvme_get_field(&meta->cmd, NVME_FIELD_ZONE_APPEND_PIREMAP))
		return;
	pyn_tags_advance(protection, &meta->cmd, distance);
	struct pyn_tags tags = pyn_tags_of(&meta->cmd);

	for (uint64_t i = 0; i < nlb; i++) {
		uint8_t *lba = data + i * meta->stride;

		if (meta->cmd.cdw12 & NVME_RW_PRACT)
			pyn_track_meta_crc(meta, &meta->cmd, i, lba, lba_size, &meta->crc[i]);
		else
			meta->crc[i] =
				crc_renumbered(protection, pyn_track_meta_at(meta, i, lba, lba_size), &tags, i);
	}
}

/* ---- reads ---- */

void pyn_track_meta_read(struct pyn_track_meta *meta, uint64_t slba, uint64_t nlb)
{
	if (!meta->verify || !meta->bytes)
		return;
	meta->cells = malloc(nlb * sizeof(*meta->cells));
	if (meta->cells)
		pyn_verify_read_begin(meta->verify, slba, (uint32_t)nlb, meta->cells);
}

/* Judge the metadata of one LBA, whose data were right or unknown. */
static bool judge_metadata(const struct pyn_verify *metadata, uint64_t lba, uint32_t i, const struct pyn_lbas *lbas,
			   bool is_counted, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch)
{
	struct pyn_verify_counts own = {0};
	bool right = pyn_verify_read_end(metadata, lba, 1, lbas->metadata + (size_t)i * lbas->metadata_stride,
					 &lbas->metadata_cells[i], &own, mismatch);

	if (own.checked && !is_counted) {
		counts->checked++;
		counts->unverified--;
	}
	counts->mismatch += !right;
	return right;
}

static bool judge_lba(const struct pyn_verify *verify, const struct pyn_verify *metadata, uint64_t lba, uint32_t i,
		      const struct pyn_lbas *lbas, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch)
{
	uint64_t checked = counts->checked;

	if (!pyn_verify_read_end(verify, lba, 1, lbas->data + (size_t)i * lbas->stride, &lbas->cells[i], counts,
				 mismatch))
		return false;
	uint32_t zeroed = mismatch->zeroed;
	bool right = !lbas->metadata || !metadata ||
		     judge_metadata(metadata, lba, i, lbas, counts->checked != checked, counts, mismatch);

	mismatch->zeroed = zeroed;
	return right;
}

bool pyn_judge_lbas(const struct pyn_verify *verify, const struct pyn_verify *metadata, uint64_t slba, uint32_t nlb,
		    const struct pyn_lbas *lbas, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch)
{
	uint32_t count = 0, zeroed = 0;
	struct pyn_mismatch one;

	for (uint32_t i = 0; i < nlb; i++) {
		bool right = judge_lba(verify, metadata, slba + i, i, lbas, counts, &one);

		zeroed += one.zeroed;
		if (!right && count++ == 0)
			*mismatch = one;
	}
	mismatch->count = count;
	mismatch->zeroed = zeroed;
	return count == 0;
}

/* ---- changes ---- */

void pyn_track_meta_write(struct pyn_track_meta *meta, uint64_t slba, uint64_t nlb)
{
	if (!meta->verify)
		return;
	if (meta->crc)
		pyn_verify_write_begin_crc(meta->verify, slba, (uint32_t)nlb, meta->crc, pyn_token_take(nlb));
	else
		pyn_verify_change_begin(meta->verify, slba, nlb, PYN_CELL_UNKNOWN);
}

void pyn_track_meta_change(struct pyn_track_meta *meta, const struct nvme_cmd *cmd, uint64_t slba, uint64_t nlb)
{
	/* Protection information of zeroed or deallocated LBAs depends on more than the command. */
	bool zeroes =
		cmd->opc == NVME_IO_WRITE_ZEROES && !(cmd->cdw12 & NVME_RW_DEAC) && !meta->layout.protection.type;

	if (meta->verify)
		pyn_verify_change_begin(meta->verify, slba, nlb, zeroes ? PYN_CELL_ZEROES : PYN_CELL_UNKNOWN);
}

void pyn_track_meta_copy(struct pyn_track_meta *meta, const struct nvme_cmd *cmd, const uint8_t *ranges,
			 uint64_t slba, uint64_t nlb)
{
	uint64_t lbas;

	if (!meta->verify)
		return;
	/* A copy of protection information has other reference tags. */
	if (!meta->layout.protection.type)
		meta->copy = pyn_copy_parse(meta->verify, cmd, ranges, &lbas);
	if (meta->copy)
		pyn_copy_begin(meta->copy, meta->verify, slba, nlb);
	else
		pyn_verify_change_begin(meta->verify, slba, nlb, PYN_CELL_UNKNOWN);
}

void pyn_track_meta_write_end(struct pyn_track_meta *meta, uint64_t slba, uint64_t nlb,
			      enum pyn_write_outcome outcome)
{
	if (meta->verify)
		pyn_verify_write_end(meta->verify, slba, nlb, outcome);
}

void pyn_track_meta_change_end(struct pyn_track_meta *meta, uint64_t slba, uint64_t nlb,
			       enum pyn_write_outcome outcome)
{
	if (meta->copy)
		pyn_copy_end(meta->copy, meta->verify, outcome);
	else if (meta->verify)
		pyn_verify_change_end(meta->verify, slba, nlb, outcome);
	meta->copy = NULL;
}

/* ---- the end ---- */

bool pyn_track_meta_release(struct pyn_track_meta *meta)
{
	bool own = !meta->use.buffer || pyn_buffer_use_end(&meta->use);

	meta->use.buffer = NULL;
	return own;
}

void pyn_track_meta_end(struct pyn_track_meta *meta)
{
	pyn_track_meta_release(meta);
	free(meta->crc);
	free(meta->cells);
	meta->crc = NULL;
	meta->cells = NULL;
	if (meta->is_changer)
		pyn_verify_changer_end(meta->verify);
	meta->is_changer = false;
	pyn_verify_put(meta->verify);
	meta->verify = NULL;
}
