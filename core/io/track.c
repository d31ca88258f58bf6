/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/io/track.h"

#include <stdlib.h>
#include <string.h>

#include "core/io/crc32c.h"

/* NVM Command Set Specification 1.0, section 3.2: SLBA in cdw11:10, NLB 0's based in cdw12 15:0. */
static uint64_t cmd_slba(const struct nvme_cmd *cmd)
{
	return (uint64_t)cmd->cdw11 << 32 | cmd->cdw10;
}

static uint32_t cmd_nlb(const struct nvme_cmd *cmd)
{
	return (cmd->cdw12 & 0xffff) + 1;
}

static void begin_read(struct pyn_track *track, const struct nvme_cmd *cmd, bool judge)
{
	track->effect = PYN_EFFECT_READ;
	track->judge = judge && track->use.buffer &&
		       (uint64_t)cmd_nlb(cmd) * pyn_verify_lba_size(track->verify) <= track->use.length;
	if (!track->judge)
		return;
	track->cells = track->inline_cells;
	if (track->nlb > PYN_TRACK_INLINE)
		track->cells = malloc(track->nlb * sizeof(uint64_t));
	if (!track->cells) {
		track->judge = false;
		return;
	}
	pyn_verify_read_begin(track->verify, track->slba, (uint32_t)track->nlb, track->cells);
}

static void begin_write(struct pyn_track *track, const struct nvme_cmd *cmd, bool stamp)
{
	struct pyn_verify *verify = track->verify;
	uint32_t nlb = cmd_nlb(cmd);
	uint8_t *data = track->use.buffer ? track->use.buffer->data + track->use.offset : NULL;

	track->effect = PYN_EFFECT_WRITE;
	track->fua = cmd->cdw12 & NVME_RW_FUA;
	if (!data || (uint64_t)nlb * pyn_verify_lba_size(verify) > track->use.length) {
		/* The device takes its data from where nobody knows what lies. */
		pyn_verify_change_begin(verify, track->slba, nlb, PYN_CELL_UNKNOWN);
		return;
	}
	uint64_t token = 0;

	if (stamp) {
		token = pyn_token_take(nlb);
		pyn_verify_stamp(verify, data, track->slba, nlb, token);
	}
	pyn_verify_write_begin(verify, track->slba, nlb, data, stamp, token);
}

static void begin_change(struct pyn_track *track, enum pyn_cell_state state)
{
	track->effect = PYN_EFFECT_CHANGE;
	track->ranges = 1;
	pyn_verify_change_begin(track->verify, track->slba, track->nlb, state);
}

/* From now to the end nothing is judged, and then nothing is known: of these ranges, or of everything. */
static void begin_unclear(struct pyn_track *track)
{
	track->effect = PYN_EFFECT_UNCLEAR;
	pyn_verify_hold(track->verify);
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
	pyn_verify_release(track->verify);
}

/* A copy of a range list in the command's data. False: the data are not there, or there is no memory. */
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
	uint32_t ranges = (cmd->cdw10 & 0xff) + 1;
	uint64_t lbas = 0;

	if (!(cmd->cdw11 & NVME_DSM_AD))
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
	for (uint32_t i = 0; i < ranges; i++)
		pyn_verify_change_begin(track->verify, track->dsm[i].slba, track->dsm[i].nlb, PYN_CELL_DEALLOCATED);
}

/* NVM Command Set Specification 1.0, section 3.2.2: a source range is 32 or 40 bytes, NLB 0's based in its bytes
 * 17:16; what is copied lies in a row from SDLBA (cdw11:10) on. */
#define COPY_RANGE 32u
#define COPY_NLB 16u
#define COPY_FORMAT(cmd) ((cmd)->cdw12 >> 8 & 0xf)

static void begin_copy(struct pyn_track *track, const struct nvme_cmd *cmd)
{
	uint32_t ranges = (cmd->cdw12 & 0xff) + 1;
	uint8_t *copy;

	if (COPY_FORMAT(cmd) != 0 || !copy_ranges(track, ranges, COPY_RANGE, (void **)&copy)) {
		begin_unclear(track);
		return;
	}
	track->nlb = 0;
	for (uint32_t i = 0; i < ranges; i++) {
		uint16_t nlb;

		memcpy(&nlb, copy + i * COPY_RANGE + COPY_NLB, sizeof(nlb));
		track->nlb += nlb + UINT64_C(1);
	}
	free(copy);
	begin_change(track, PYN_CELL_UNKNOWN);
}

/* -- zones ----------------------------------------------------------------------------------------------------- */

#define ZONE_RESET 0x04u /* cdw13 7:0; Zoned Namespace Command Set Specification 1.1, section 3.4.3 */
#define ZONE_OFFLINE 0x05u
#define ZONE_ALL 0x100u

/* The zone in which an LBA lies, as a range. False: nobody knows. */
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
	uint8_t action = cmd->cdw13 & 0xff;
	struct nvme_dsm_range zone;

	if (action != ZONE_RESET && action != ZONE_OFFLINE)
		return;
	if (!(cmd->cdw13 & ZONE_ALL) && zone_of(track->verify, track->slba, &zone))
		track->dsm = malloc(sizeof(zone));
	if (track->dsm) {
		track->dsm[0] = zone;
		track->ranges = 1;
	}
	begin_unclear(track);
}

/* Where its data go is known at its end. Nothing is known of LBAs that a zone has not been written up to, so until
 * then nothing is judged wrongly. */
static void begin_append(struct pyn_track *track, const struct nvme_cmd *cmd)
{
	uint32_t lba_size = pyn_verify_lba_size(track->verify);

	track->effect = PYN_EFFECT_APPEND;
	track->fua = cmd->cdw12 & NVME_RW_FUA;
	track->calm = pyn_verify_calm_begin(track->verify);
	if (!track->use.buffer || track->nlb * lba_size > track->use.length)
		return;
	track->crc = malloc(track->nlb * sizeof(*track->crc));
	if (track->crc)
		pyn_crc32c_blocks(track->use.buffer->data + track->use.offset, lba_size, (uint32_t)track->nlb,
				  track->crc);
}

/* Whether a drive can have written there: within the zone that was asked for. */
static bool lies_in(const struct nvme_dsm_range *zone, uint64_t lba, uint64_t nlb)
{
	return lba >= zone->slba && lba - zone->slba < zone->nlb && nlb <= zone->nlb - (lba - zone->slba);
}

static void end_append(struct pyn_track *track, bool own, uint64_t lba)
{
	struct nvme_dsm_range zone;
	bool zoned = zone_of(track->verify, track->slba, &zone);
	bool there = zoned && lies_in(&zone, lba, track->nlb);

	if (zoned && !there) {
		/* The drive says that it has written into another zone: it may have hit either. */
		pyn_verify_forget(track->verify, zone.slba, zone.nlb);
		zone_of(track->verify, lba, &zone);
		pyn_verify_forget(track->verify, zone.slba, zone.nlb);
	}
	/* Where no zones are known, nobody knows what this opcode does. */
	if (!there || !track->crc) {
		pyn_verify_forget(track->verify, lba, track->nlb);
		return;
	}
	/* First the cells, then the question what came between: what begins now finds them. */
	pyn_verify_write_begin_crc(track->verify, lba, (uint32_t)track->nlb, track->crc, pyn_token_take(track->nlb));
	bool known = own && pyn_verify_calm_end(track->verify, track->calm);

	pyn_verify_write_end(track->verify, lba, track->nlb,
			     !known       ? PYN_WRITE_FAILED
			     : track->fua ? PYN_WRITE_DURABLE
					  : PYN_WRITE_DONE);
}

void pyn_track_begin(struct pyn_track *track, struct pyn_verify *verify, const struct nvme_cmd *cmd,
		     struct pyn_buffer *buffer, uint32_t offset, uint32_t length, bool stamp, bool judge)
{
	track->verify = verify;
	track->effect = PYN_EFFECT_NONE;
	track->judge = false;
	track->fua = false;
	track->ranges = 0;
	track->use.buffer = NULL;
	track->cells = NULL;
	track->dsm = NULL;
	track->crc = NULL;
	track->slba = cmd_slba(cmd);
	track->nlb = cmd_nlb(cmd);
	if (buffer)
		pyn_buffer_use_begin(&track->use, buffer, offset, length, cmd->opc & NVME_DATA_FROM_DEVICE,
				     verify && stamp);
	if (!verify)
		return;
	pyn_verify_get(verify);
	switch (cmd->opc) {
	case NVME_IO_READ:
		begin_read(track, cmd, judge);
		break;
	case NVME_IO_WRITE:
		begin_write(track, cmd, stamp);
		break;
	case NVME_IO_WRITE_ZEROES:
		begin_change(track, cmd->cdw12 & NVME_RW_DEAC ? PYN_CELL_DEALLOCATED : PYN_CELL_ZEROES);
		break;
	case NVME_IO_WRITE_UNCORRECTABLE:
		begin_change(track, PYN_CELL_UNCORRECTABLE);
		break;
	case NVME_IO_DSM:
		begin_dsm(track, cmd);
		break;
	case NVME_IO_COPY:
		begin_copy(track, cmd);
		break;
	case NVME_IO_ZONE_APPEND:
		begin_append(track, cmd);
		break;
	case NVME_IO_ZONE_MGMT_SEND:
		begin_zone_action(track, cmd);
		break;
	case NVME_IO_FLUSH:
		track->effect = PYN_EFFECT_FLUSH;
		track->epoch = pyn_verify_flush_begin(verify);
		break;
	default:
		break;
	}
}

static void end_change(struct pyn_track *track, bool success, bool own)
{
	enum pyn_write_outcome outcome = success && own ? PYN_WRITE_DONE : PYN_WRITE_FAILED;

	if (!own)
		/* The script changed the ranges in flight: the device may have taken any. */
		pyn_verify_forget(track->verify, 0, UINT64_MAX);
	if (!track->dsm) {
		pyn_verify_change_end(track->verify, track->slba, track->nlb, outcome);
		return;
	}
	for (uint32_t i = 0; i < track->ranges; i++)
		pyn_verify_change_end(track->verify, track->dsm[i].slba, track->dsm[i].nlb, outcome);
}

/* Judged while its buffer is still in use: another command that starts to use it meanwhile makes that void. */
static bool end_read(struct pyn_track *track, struct pyn_mismatch *mismatch)
{
	struct pyn_verify_counts counts = {0};
	const uint8_t *data = track->use.buffer->data + track->use.offset;
	bool right = pyn_verify_read_end(track->verify, track->slba, (uint32_t)track->nlb, data, track->cells,
					 &counts, mismatch);

	if (!pyn_buffer_use_end(&track->use)) {
		counts = (struct pyn_verify_counts){.unverified = track->nlb};
		right = true;
	}
	pyn_verify_count(track->verify, &counts);
	return right;
}

static void finish(struct pyn_track *track)
{
	if (track->cells != track->inline_cells)
		free(track->cells);
	free(track->dsm);
	free(track->crc);
	track->cells = NULL;
	track->dsm = NULL;
	track->crc = NULL;
	track->effect = PYN_EFFECT_NONE;
	pyn_verify_put(track->verify);
	track->verify = NULL;
}

bool pyn_track_end(struct pyn_track *track, const struct nvme_cpl *cpl, struct pyn_mismatch *mismatch)
{
	bool success = !(cpl->status & ~NVME_STATUS_P & ~NVME_STATUS_M & ~NVME_STATUS_DNR);
	bool right = !success || !track->judge || end_read(track, mismatch);
	bool own = !track->use.buffer || pyn_buffer_use_end(&track->use);

	switch (track->effect) {
	case PYN_EFFECT_WRITE:
		pyn_verify_write_end(track->verify, track->slba, track->nlb,
				     !success || !own ? PYN_WRITE_FAILED
				     : track->fua     ? PYN_WRITE_DURABLE
						      : PYN_WRITE_DONE);
		break;
	case PYN_EFFECT_CHANGE:
		end_change(track, success, own);
		break;
	case PYN_EFFECT_UNCLEAR:
		end_unclear(track, own);
		break;
	case PYN_EFFECT_APPEND:
		if (success)
			end_append(track, own, (uint64_t)cpl->cdw1 << 32 | cpl->cdw0);
		break;
	case PYN_EFFECT_FLUSH:
		if (success)
			pyn_verify_flush_end(track->verify, track->epoch);
		break;
	case PYN_EFFECT_READ:
	case PYN_EFFECT_NONE:
		break;
	}
	finish(track);
	return right;
}

void pyn_track_abandon(struct pyn_track *track)
{
	/* Any status that is not success: a write of unknown outcome, a read that is not judged. */
	const struct nvme_cpl aborted = {.status = NVME_SC_ABORTED_SQ_DELETION << 1};
	struct pyn_mismatch unused;

	pyn_track_end(track, &aborted, &unused);
}
