/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/track.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/crc32c.h"
#include "core/util/clock.h"
#include "spec/commands.h"
#include "spec/nvme_field.h"

static uint64_t cmd_slba(const struct nvme_cmd *cmd)
{
	return nvme_get_field(cmd, NVME_FIELD_READ_SLBA);
}

static uint32_t cmd_nlb(const struct nvme_cmd *cmd)
{
	return (uint32_t)nvme_get_field(cmd, NVME_FIELD_READ_NLB) + 1;
}

static void begin_read(struct pyn_track *track, const struct nvme_cmd *cmd, bool check)
{
	track->effect = PYN_EFFECT_READ;
	track->check = check && track->use.buffer && (uint64_t)cmd_nlb(cmd) * track->meta.stride <= track->use.length;
	track->lacks_data = check && !track->check;
	if (!track->check)
		return;
	track->cells = track->inline_cells;
	if (track->nlb > PYN_TRACK_INLINE)
		track->cells = malloc(track->nlb * sizeof(uint64_t));
	if (!track->cells) {
		track->check = false;
		track->lacks_data = true;
		return;
	}
	pyn_verify_read_begin(track->verify, track->slba, (uint32_t)track->nlb, track->cells);
	pyn_track_meta_read(&track->meta, track->slba, track->nlb);
}

static uint8_t *data_of(const struct pyn_track *track)
{
	return track->use.buffer->data + track->use.offset;
}

static uint8_t *lba_data(const struct pyn_track *track, uint64_t i)
{
	return data_of(track) + i * track->meta.stride;
}

/* The CRCs of the data of count LBAs from LBA number first on. */
static void crcs_of(const struct pyn_track *track, uint64_t first, uint32_t count, uint32_t *crc)
{
	uint32_t lba_size = pyn_verify_lba_size(track->verify);

	if (track->meta.stride == lba_size) {
		pyn_crc32c_blocks(lba_data(track, first), lba_size, count, crc);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		crc[i] = pyn_crc32c(0, lba_data(track, first + i), lba_size);
}

/* Keep the CRC of each written LBA, so that the end of the write can tell whether the script has changed the data
 * meanwhile. Without memory for them that remains unknown. */
static void note_crcs(struct pyn_track *track)
{
	track->crc = track->inline_crc;
	if (track->nlb > PYN_TRACK_INLINE)
		track->crc = malloc(track->nlb * sizeof(*track->crc));
	if (track->crc)
		crcs_of(track, 0, (uint32_t)track->nlb, track->crc);
}

/* Whether the data still have the CRCs of note_crcs: views of a buffer (numpy, memoryview) change it unnoticed. */
static bool crcs_hold(const struct pyn_track *track)
{
	for (uint64_t done = 0; done < track->nlb; done += PYN_TRACK_INLINE) {
		uint32_t crc[PYN_TRACK_INLINE];
		uint64_t left = track->nlb - done;
		uint32_t batch = left < PYN_TRACK_INLINE ? (uint32_t)left : PYN_TRACK_INLINE;

		crcs_of(track, done, batch, crc);
		if (memcmp(crc, track->crc + done, batch * sizeof(*crc)) != 0)
			return false;
	}
	return true;
}

/* Begin the note of a change, for those of its LBAs that are below the limit. */
static void note(struct pyn_track *track)
{
	track->all_lbas = track->nlb;
	track->nlb = pyn_verify_note_begin(track->verify, track->slba, track->all_lbas);
}

static void stamp_lbas(const struct pyn_track *track, uint32_t nlb, uint64_t token)
{
	if (track->meta.stride == pyn_verify_lba_size(track->verify)) {
		pyn_verify_stamp(track->verify, data_of(track), track->slba, nlb, token);
		return;
	}
	for (uint32_t i = 0; i < nlb; i++)
		pyn_verify_stamp(track->verify, lba_data(track, i), track->slba + i, 1, token + i);
}

static void begin_raw(const struct pyn_track *track)
{
	if (track->meta.stride == pyn_verify_lba_size(track->verify)) {
		pyn_verify_write_begin(track->verify, track->slba, (uint32_t)track->nlb, data_of(track), false, 0);
		return;
	}
	for (uint64_t i = 0; i < track->nlb; i++)
		pyn_verify_write_begin(track->verify, track->slba + i, 1, lba_data(track, i), false, 0);
}

/* Put protection information into the metadata of a write. */
static void protect(const struct pyn_track *track, const struct nvme_cmd *cmd, uint32_t nlb)
{
	const struct pyn_protection *protection = &track->meta.layout.protection;
	uint32_t lba_size = pyn_verify_lba_size(track->verify);
	struct pyn_tags tags = pyn_tags_of(cmd);

	for (uint32_t i = 0; protection->type && i < nlb; i++) {
		uint8_t *data = lba_data(track, i);
		uint8_t *metadata = pyn_track_meta_at(&track->meta, i, data, lba_size);

		if (metadata)
			pyn_protection_make(protection, data, lba_size, metadata, &tags, i);
	}
}

static bool metadata_crcs(const struct pyn_track *track, const struct nvme_cmd *cmd, uint32_t *crc)
{
	uint32_t lba_size = pyn_verify_lba_size(track->verify);

	for (uint64_t i = 0; i < track->nlb; i++)
		if (!pyn_track_meta_crc(&track->meta, cmd, i, lba_data(track, i), lba_size, &crc[i]))
			return false;
	return true;
}

/* Keep the CRCs of the metadata as well, if all of them are known. */
static void note_metadata_crcs(struct pyn_track *track, const struct nvme_cmd *cmd)
{
	uint32_t *crc = track->meta.verify && track->crc ? malloc(track->nlb * sizeof(*crc)) : NULL;

	if (crc && metadata_crcs(track, cmd, crc)) {
		track->meta.crc = crc;
		track->meta.cmd = *cmd;
	} else {
		free(crc);
	}
}

/* Whether the metadata still have the CRCs that were noted. */
static bool metadata_hold(const struct pyn_track *track)
{
	uint32_t lba_size = pyn_verify_lba_size(track->verify), crc;

	for (uint64_t i = 0; i < track->nlb; i++)
		if (!pyn_track_meta_crc(&track->meta, &track->meta.cmd, i, lba_data(track, i), lba_size, &crc) ||
		    crc != track->meta.crc[i])
			return false;
	return true;
}

static void begin_write(struct pyn_track *track, const struct nvme_cmd *cmd, bool stamp, bool protects)
{
	struct pyn_verify *verify = track->verify;
	uint32_t nlb = cmd_nlb(cmd);

	track->effect = PYN_EFFECT_WRITE;
	track->fua = cmd->cdw12 & NVME_RW_FUA;
	note(track);
	if (!track->use.buffer || (uint64_t)nlb * track->meta.stride > track->use.length) {
		/* Part of the data lies outside of the buffer, where their content is unknown. */
		pyn_verify_change_begin(verify, track->slba, track->nlb, PYN_CELL_UNKNOWN);
		pyn_track_meta_write(&track->meta, track->slba, track->nlb);
		return;
	}
	uint64_t token = 0;

	if (stamp) {
		token = pyn_token_take(nlb);
		stamp_lbas(track, nlb, token);
	}
	if (protects)
		protect(track, cmd, nlb);
	note_crcs(track);
	note_metadata_crcs(track, cmd);
	if (!track->crc)
		pyn_verify_change_begin(verify, track->slba, track->nlb, PYN_CELL_UNKNOWN);
	else if (stamp)
		pyn_verify_write_begin_crc(verify, track->slba, (uint32_t)track->nlb, track->crc, token);
	else
		begin_raw(track);
	pyn_track_meta_write(&track->meta, track->slba, track->nlb);
}

static void begin_change(struct pyn_track *track, const struct nvme_cmd *cmd, enum pyn_cell_state state)
{
	track->effect = PYN_EFFECT_CHANGE;
	track->ranges = 1;
	note(track);
	pyn_verify_change_begin(track->verify, track->slba, track->nlb, state);
	pyn_track_meta_change(&track->meta, cmd, track->slba, track->nlb);
}

/* Begin a change of unknown data. Nothing is judged until its end; then its ranges, or the whole namespace, are
 * unknown. */
static void begin_unclear(struct pyn_track *track)
{
	track->effect = PYN_EFFECT_UNCLEAR;
	pyn_verify_suspend(track->verify);
}

static void forget_unclear(struct pyn_track *track)
{
	if (!track->dsm)
		pyn_verify_forget(track->verify, 0, UINT64_MAX);
	for (uint32_t i = 0; track->dsm && i < track->ranges; i++)
		pyn_verify_forget(track->verify, track->dsm[i].slba, track->dsm[i].nlb);
}

static void end_unclear(struct pyn_track *track, bool own)
{
	if (own)
		forget_unclear(track);
	else
		/* The script changed the ranges in flight: the device may have taken any. */
		pyn_verify_forget(track->verify, 0, UINT64_MAX);
	pyn_verify_resume(track->verify);
}

/* Copy the range list in the command's data. false: the data are not in the buffer, or there is no memory. */
static bool copy_ranges(struct pyn_track *track, uint32_t ranges, size_t size, void **copy)
{
	*copy = NULL;
	if (track->use.buffer && ranges * size <= track->use.length)
		*copy = malloc(ranges * size);
	if (*copy)
		memcpy(*copy, track->use.buffer->data + track->use.offset, ranges * size);
	return *copy != NULL;
}

static void begin_dsm(struct pyn_track *track, const struct nvme_cmd *cmd)
{
	uint32_t ranges = (uint32_t)nvme_get_field(cmd, NVME_FIELD_DSM_NR) + 1;
	uint64_t lbas = 0;

	if (!nvme_get_field(cmd, NVME_FIELD_DSM_AD))
		return;
	if (!copy_ranges(track, ranges, sizeof(*track->dsm), (void **)&track->dsm)) {
		begin_unclear(track);
		return;
	}
	track->ranges = ranges;
	for (uint32_t i = 0; i < ranges; i++)
		lbas += track->dsm[i].nlb;
	if (lbas > PYN_TRACK_MOST) {
		begin_unclear(track);
		return;
	}
	track->effect = PYN_EFFECT_CHANGE;
	for (uint32_t i = 0; i < ranges; i++) {
		struct nvme_dsm_range *range = &track->dsm[i];

		range->attr = (uint32_t)pyn_verify_note_begin(track->verify, range->slba, range->nlb);
		pyn_verify_change_begin(track->verify, range->slba, range->attr, PYN_CELL_DEALLOCATED);
		pyn_track_meta_change(&track->meta, cmd, range->slba, range->attr);
	}
}

/* Begin a Copy, which writes consecutive LBAs from SDLBA (cdw11:10) on. */
static void begin_copy(struct pyn_track *track, const struct nvme_cmd *cmd)
{
	uint32_t ranges = (uint32_t)nvme_get_field(cmd, NVME_FIELD_COPY_NR) + 1;
	uint32_t size = pyn_copy_range_size(nvme_get_field(cmd, NVME_FIELD_COPY_CDFMT));

	if (!size || !track->use.buffer || (uint64_t)ranges * size > track->use.length) {
		begin_unclear(track);
		return;
	}
	track->fua = nvme_get_field(cmd, NVME_FIELD_COPY_FUA);
	track->copy = pyn_copy_parse(track->verify, cmd, data_of(track), &track->nlb);
	if (!track->copy) {
		begin_change(track, cmd, PYN_CELL_UNKNOWN);
		return;
	}
	track->effect = PYN_EFFECT_CHANGE;
	track->ranges = 1;
	note(track);
	pyn_copy_begin(track->copy, track->verify, track->slba, track->nlb);
	pyn_track_meta_copy(&track->meta, cmd, data_of(track), track->slba, track->nlb);
}

/* ---- zones ---- */

/* The zone of an LBA, as a range. false: the namespace has no known zones. */
static bool zone_of(const struct pyn_verify *verify, uint64_t lba, struct nvme_dsm_range *range)
{
	uint64_t size = pyn_verify_zone_size(verify);

	if (size == 0 || size > UINT32_MAX)
		return false;
	range->slba = lba - lba % size;
	range->nlb = (uint32_t)size;
	return true;
}

static void begin_zone_action(struct pyn_track *track, const struct nvme_cmd *cmd)
{
	uint64_t action = nvme_get_field(cmd, NVME_FIELD_ZONE_MGMT_SEND_ZSA);
	struct nvme_dsm_range zone;

	if (action != NVME_ZONE_RESET && action != NVME_ZONE_OFFLINE)
		return;
	if (!nvme_get_field(cmd, NVME_FIELD_ZONE_MGMT_SEND_SELECTALL) && zone_of(track->verify, track->slba, &zone))
		track->dsm = malloc(sizeof(zone));
	if (track->dsm) {
		track->dsm[0] = zone;
		track->ranges = 1;
	}
	begin_unclear(track);
}

/* Begin a Zone Append. Its LBAs are known only from its completion. LBAs beyond a zone's write pointer are unknown,
 * so nothing is judged wrongly until then. */
static void begin_append(struct pyn_track *track, const struct nvme_cmd *cmd, bool protects)
{
	struct nvme_dsm_range zone;

	if (zone_of(track->verify, track->slba, &zone))
		pyn_verify_vacate_unwritten(track->verify, zone.slba, zone.nlb);
	track->effect = PYN_EFFECT_APPEND;
	track->fua = cmd->cdw12 & NVME_RW_FUA;
	track->disturbances = pyn_verify_disturbances(track->verify, track->slba);
	if (!track->use.buffer || track->nlb * track->meta.stride > track->use.length)
		return;
	if (protects)
		protect(track, cmd, cmd_nlb(cmd));
	note_crcs(track);
	note_metadata_crcs(track, cmd);
}

static enum pyn_write_outcome outcome_of(const struct pyn_track *track, bool known)
{
	if (!known)
		return PYN_WRITE_FAILED;
	return track->fua || track->submitted >= pyn_verify_durable_since(track->verify) ? PYN_WRITE_DURABLE
											 : PYN_WRITE_DONE;
}

/* Whether these LBAs lie within the zone, as those of an append must. */
static bool lies_in(const struct nvme_dsm_range *zone, uint64_t lba, uint64_t nlb)
{
	return lba >= zone->slba && lba - zone->slba < zone->nlb && nlb <= zone->nlb - (lba - zone->slba);
}

static uint64_t appended_to(const struct nvme_cpl *cpl)
{
	return (uint64_t)cpl->cdw1 << 32 | cpl->cdw0;
}

/* With the buffers still in use: the drive tells where it has written, and so what it has made of the metadata. */
static void note_appended(struct pyn_track *track, const struct nvme_cpl *cpl)
{
	if (track->meta.crc)
		pyn_track_meta_appended(&track->meta, appended_to(cpl) - track->slba, track->nlb, data_of(track),
					pyn_verify_lba_size(track->verify));
}

static void end_append(struct pyn_track *track, bool own, uint64_t lba)
{
	struct nvme_dsm_range zone;
	bool zoned = zone_of(track->verify, track->slba, &zone);
	bool there = zoned && lies_in(&zone, lba, track->nlb);

	if (zoned && !there) {
		/* The drive reports an LBA in another zone: it may have written to either zone. */
		pyn_verify_forget(track->verify, zone.slba, zone.nlb);
		zone_of(track->verify, lba, &zone);
		pyn_verify_forget(track->verify, zone.slba, zone.nlb);
	}
	/* Without zones, or without the CRCs, the result is unknown. */
	if (!there || !track->crc) {
		pyn_verify_forget(track->verify, lba, track->nlb);
		return;
	}
	uint64_t noted = pyn_verify_note_begin(track->verify, lba, track->nlb);

	/* Begin the cells before asking for disturbances: changes that begin later find the cells. */
	pyn_verify_write_begin_crc(track->verify, lba, (uint32_t)noted, track->crc, pyn_token_take(track->nlb));
	pyn_track_meta_write(&track->meta, lba, noted);
	bool known = own && pyn_verify_is_undisturbed(track->verify, track->slba, track->disturbances);

	pyn_verify_write_end(track->verify, lba, noted, outcome_of(track, known));
	pyn_track_meta_write_end(&track->meta, lba, noted, outcome_of(track, known));
	pyn_verify_note_end(track->verify, lba, track->nlb, noted);
}

bool pyn_track_is_unknown(uint8_t opcode)
{
	return spec_commands[SPEC_IO][opcode].changes == SPEC_CHANGES_UNKNOWN;
}

/* Whether a command of a namespace, which may be unknown, changes data. */
static bool changes_data(const struct pyn_verify *verify, const struct nvme_cmd *cmd)
{
	if (verify && pyn_verify_has_keys(verify))
		return pyn_track_key_changes(cmd->opc);
	return spec_commands[SPEC_IO][cmd->opc].changes != SPEC_CHANGES_NONE;
}

/* Record which LBAs the command may change, once their cells have begun. */
static void will_change(const struct pyn_track *track)
{
	struct nvme_dsm_range zone = {.slba = 0};

	switch (track->effect) {
	case PYN_EFFECT_WRITE:
	case PYN_EFFECT_CHANGE:
	case PYN_EFFECT_UNCLEAR:
	case PYN_EFFECT_UNKNOWN:
		for (uint32_t i = 0; track->dsm && i < track->ranges; i++)
			pyn_verify_will_change(track->verify, track->dsm[i].slba, track->dsm[i].nlb);
		if (track->dsm)
			return;
		if (track->effect == PYN_EFFECT_UNCLEAR || track->effect == PYN_EFFECT_UNKNOWN)
			pyn_verify_will_change(track->verify, 0, UINT64_MAX);
		else
			pyn_verify_will_change(track->verify, track->slba, track->all_lbas);
		return;
	case PYN_EFFECT_APPEND:
		if (zone_of(track->verify, track->slba, &zone))
			pyn_verify_will_change(track->verify, zone.slba, zone.nlb);
		else
			pyn_verify_will_change(track->verify, 0, UINT64_MAX);
		return;
	default:
		return;
	}
}

void pyn_track_begin_all(struct pyn_track *track, struct pyn_tables *all, const struct nvme_cmd *cmd,
			 struct pyn_buffer *buffer, uint32_t offset, uint32_t length)
{
	pyn_track_begin(track, NULL, cmd, buffer, offset, length, false, false);
	track->all = all;
	if (!all)
		return;
	if (cmd->opc == NVME_IO_FLUSH) {
		track->effect = PYN_EFFECT_FLUSH;
		pyn_tables_flush_begin(all);
	} else if (changes_data(NULL, cmd)) {
		track->effect = PYN_EFFECT_UNCLEAR;
		for (unsigned i = 0; i < all->count; i++) {
			pyn_verify_suspend(all->table[i].verify);
			pyn_verify_will_change(all->table[i].verify, 0, UINT64_MAX);
		}
	}
}

static void end_all(struct pyn_track *track, bool success)
{
	if (track->effect == PYN_EFFECT_FLUSH && success)
		pyn_tables_flush_end(track->all);
	for (unsigned i = 0; track->effect == PYN_EFFECT_UNCLEAR && i < track->all->count; i++) {
		pyn_verify_forget(track->all->table[i].verify, 0, UINT64_MAX);
		pyn_verify_resume(track->all->table[i].verify);
	}
	track->effect = PYN_EFFECT_NONE;
	pyn_tables_free(track->all);
	track->all = NULL;
}

void pyn_track_begin(struct pyn_track *track, struct pyn_verify *verify, const struct nvme_cmd *cmd,
		     struct pyn_buffer *buffer, uint32_t offset, uint32_t length, bool stamp, bool check)
{
	static const struct pyn_metadata none;

	pyn_track_begin_metadata(track, verify, cmd, buffer, offset, length, &none, stamp, check);
}

static void begin_key(struct pyn_track *track, const struct nvme_cmd *cmd, bool check)
{
	if (pyn_track_key_is_unknown(cmd->opc)) {
		begin_unclear(track);
		track->effect = PYN_EFFECT_UNKNOWN;
		return;
	}
	track->effect = PYN_EFFECT_KEY;
	pyn_track_key_begin(&track->key, track->verify, cmd, &track->use, check);
}

void pyn_track_begin_metadata(struct pyn_track *track, struct pyn_verify *verify, const struct nvme_cmd *cmd,
			      struct pyn_buffer *buffer, uint32_t offset, uint32_t length,
			      const struct pyn_metadata *metadata, bool stamp, bool check)
{
	track->verify = verify;
	track->all = NULL;
	track->effect = PYN_EFFECT_NONE;
	track->check = false;
	track->lacks_data = false;
	track->fua = false;
	track->is_changer = verify && changes_data(verify, cmd);
	track->ranges = 0;
	track->use.buffer = NULL;
	track->cells = NULL;
	track->dsm = NULL;
	track->copy = NULL;
	track->crc = NULL;
	track->slba = cmd_slba(cmd);
	track->nlb = cmd_nlb(cmd);
	track->submitted = pyn_ticks();
	if (buffer)
		pyn_buffer_use_begin(&track->use, buffer, offset, length, cmd->opc & NVME_DATA_FROM_DEVICE,
				     verify && (stamp || metadata->protects));
	pyn_track_meta_begin(&track->meta, verify, cmd, metadata, track->is_changer);
	if (!verify)
		return;
	pyn_verify_get(verify);
	if (track->is_changer)
		pyn_verify_changer_begin(verify);
	if (pyn_verify_has_keys(verify) && cmd->opc != NVME_IO_FLUSH) {
		begin_key(track, cmd, check);
		return;
	}
	switch (cmd->opc) {
	case NVME_IO_READ:
		begin_read(track, cmd, check);
		break;
	case NVME_IO_WRITE:
		begin_write(track, cmd, stamp, stamp && metadata->protects);
		break;
	case NVME_IO_WRITE_ZEROES:
		/* Also with DEAC the LBAs read as zeros until they are written (section 3.2.8). */
		track->fua = cmd->cdw12 & NVME_RW_FUA;
		begin_change(track, cmd, PYN_CELL_ZEROES);
		break;
	case NVME_IO_WRITE_UNCORRECTABLE:
		begin_change(track, cmd, PYN_CELL_UNCORRECTABLE);
		break;
	case NVME_IO_DSM:
		begin_dsm(track, cmd);
		break;
	case NVME_IO_COPY:
		begin_copy(track, cmd);
		break;
	case NVME_IO_ZONE_APPEND:
		begin_append(track, cmd, metadata->protects);
		break;
	case NVME_IO_ZONE_MGMT_SEND:
		begin_zone_action(track, cmd);
		break;
	case NVME_IO_FLUSH:
		track->effect = PYN_EFFECT_FLUSH;
		track->epoch = pyn_verify_flush_begin(verify);
		break;
	default:
		if (pyn_track_is_unknown(cmd->opc)) {
			begin_unclear(track);
			track->effect = PYN_EFFECT_UNKNOWN;
		}
		break;
	}
	if (track->is_changer)
		will_change(track);
}

/* End a command with an unknown opcode. If the drive does not know it either, it changed nothing. */
static void end_unknown(struct pyn_track *track, const struct nvme_cpl *cpl)
{
	if (NVME_STATUS_SCT(cpl->status) != 0 || NVME_STATUS_SC(cpl->status) != NVME_SC_INVALID_OPCODE)
		pyn_verify_forget(track->verify, 0, UINT64_MAX);
	pyn_verify_resume(track->verify);
}

static void end_change(struct pyn_track *track, bool success, bool own)
{
	enum pyn_write_outcome outcome = outcome_of(track, success && own);

	if (!own)
		/* The script changed the ranges in flight: the device may have taken any. */
		pyn_verify_forget(track->verify, 0, UINT64_MAX);
	if (!track->dsm) {
		if (track->copy)
			pyn_copy_end(track->copy, track->verify, outcome);
		else
			pyn_verify_change_end(track->verify, track->slba, track->nlb, outcome);
		pyn_track_meta_change_end(&track->meta, track->slba, track->nlb, outcome);
		pyn_verify_note_end(track->verify, track->slba, track->all_lbas, track->nlb);
		return;
	}
	for (uint32_t i = 0; i < track->ranges; i++) {
		const struct nvme_dsm_range *range = &track->dsm[i];

		pyn_verify_change_end(track->verify, range->slba, range->attr, outcome);
		pyn_track_meta_change_end(&track->meta, range->slba, range->attr, outcome);
		pyn_verify_note_end(track->verify, range->slba, range->nlb, range->attr);
	}
}

/* Judge the LBAs of a read one by one, data and metadata. */
static bool judge_each(const struct pyn_track *track, struct pyn_verify_counts *counts, struct pyn_mismatch *mismatch)
{
	const struct pyn_track_meta *meta = &track->meta;
	uint32_t lba_size = pyn_verify_lba_size(track->verify);
	struct pyn_lbas lbas = {.data = data_of(track), .stride = meta->stride, .cells = track->cells};

	if (meta->cells) {
		lbas.metadata = pyn_track_meta_at(meta, 0, lbas.data, lba_size);
		lbas.metadata_stride = meta->layout.extended ? meta->stride : meta->bytes;
		lbas.metadata_cells = meta->cells;
	}
	if (lbas.metadata && !pyn_track_meta_at(meta, track->nlb - 1, lbas.data, lba_size))
		lbas.metadata = NULL;
	return pyn_judge_lbas(track->verify, meta->verify, track->slba, (uint32_t)track->nlb, &lbas, counts,
			      mismatch);
}

/* Judge a read while its buffer use lasts: if another command begins to use the buffer meanwhile, the result is
 * void. */
static bool end_read(struct pyn_track *track, struct pyn_mismatch *mismatch)
{
	struct pyn_verify_counts counts = {0};
	bool right = track->meta.verify ? judge_each(track, &counts, mismatch)
					: pyn_verify_read_end(track->verify, track->slba, (uint32_t)track->nlb,
							      data_of(track), track->cells, &counts, mismatch);
	bool own = pyn_buffer_use_end(&track->use);

	if (!pyn_track_meta_release(&track->meta) || !own) {
		counts = (struct pyn_verify_counts){.unverified = track->nlb};
		right = true;
	} else if (mismatch->zeroed) {
		pyn_verify_note_zeros(track->verify, track->slba, (uint32_t)track->nlb, track->cells);
	}
	pyn_verify_count(track->verify, &counts);
	return right;
}

/* Count a read as unverified whose data were not in its buffer. */
static void count_unchecked(const struct pyn_track *track)
{
	const struct pyn_verify_counts counts = {.unverified = track->nlb};

	pyn_verify_count(track->verify, &counts);
}

static void finish(struct pyn_track *track)
{
	if (track->cells != track->inline_cells)
		free(track->cells);
	free(track->dsm);
	if (track->crc != track->inline_crc)
		free(track->crc);
	track->cells = NULL;
	track->dsm = NULL;
	track->copy = NULL;
	track->crc = NULL;
	track->effect = PYN_EFFECT_NONE;
	pyn_track_meta_end(&track->meta);
	if (track->is_changer)
		pyn_verify_changer_end(track->verify);
	track->is_changer = false;
	pyn_verify_put(track->verify);
	track->verify = NULL;
}

static bool end_key(struct pyn_track *track, const struct nvme_cpl *cpl, struct pyn_mismatch *mismatch)
{
	bool right = pyn_track_key_end(&track->key, track->verify, &track->use, cpl, track->submitted, mismatch);

	pyn_track_meta_release(&track->meta);
	finish(track);
	return right;
}

bool pyn_track_end(struct pyn_track *track, const struct nvme_cpl *cpl, struct pyn_mismatch *mismatch)
{
	if (track->effect == PYN_EFFECT_KEY)
		return end_key(track, cpl, mismatch);
	bool success = !(cpl->status & ~NVME_STATUS_P & ~NVME_STATUS_M & ~NVME_STATUS_DNR);
	bool right = !success || !track->check || end_read(track, mismatch);
	bool same = !success || !track->crc || (crcs_hold(track) && (!track->meta.crc || metadata_hold(track)));

	if (same && success && track->effect == PYN_EFFECT_APPEND)
		note_appended(track, cpl);
	bool own = !track->use.buffer || pyn_buffer_use_end(&track->use);

	own = pyn_track_meta_release(&track->meta) && own && same;
	if (track->all)
		end_all(track, success);
	switch (track->effect) {
	case PYN_EFFECT_WRITE:
		pyn_verify_write_end(track->verify, track->slba, track->nlb, outcome_of(track, success && own));
		pyn_track_meta_write_end(&track->meta, track->slba, track->nlb, outcome_of(track, success && own));
		pyn_verify_note_end(track->verify, track->slba, track->all_lbas, track->nlb);
		break;
	case PYN_EFFECT_CHANGE:
		end_change(track, success, own);
		break;
	case PYN_EFFECT_UNCLEAR:
		end_unclear(track, own);
		break;
	case PYN_EFFECT_UNKNOWN:
		end_unknown(track, cpl);
		break;
	case PYN_EFFECT_APPEND:
		if (success)
			end_append(track, own, appended_to(cpl));
		break;
	case PYN_EFFECT_FLUSH:
		if (success)
			pyn_verify_flush_end(track->verify, track->epoch);
		break;
	case PYN_EFFECT_READ:
		if (success && track->lacks_data)
			count_unchecked(track);
		break;
	case PYN_EFFECT_KEY:
	case PYN_EFFECT_NONE:
		break;
	}
	finish(track);
	return right;
}

void pyn_track_cancel(struct pyn_track *track)
{
	/* Any status that is not success: a write of unknown outcome, a read that is not judged. */
	const struct nvme_cpl aborted = {.status = NVME_SC_ABORTED_SQ_DELETION << 1};
	struct pyn_mismatch unused;

	pyn_track_end(track, &aborted, &unused);
}
