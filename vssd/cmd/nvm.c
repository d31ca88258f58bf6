/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of the NVM command set. NVM Express NVM Command Set Specification 1.0, section 3. */
#include "vssd/ctrl/device.h"

#include <string.h>

/* What a command is about, in bytes of the store; of whole LBAs. */
struct extent {
	struct vssd_ns *ns;
	uint64_t offset;
	uint64_t length;
};

/* The part of an extent that lies in one block. */
struct part {
	uint64_t block;
	uint32_t offset; /* in the block */
	uint32_t length;
	uint8_t sectors; /* of the block, a bit each */
};

/* Cut the first part off an extent; false: nothing is left. */
static bool next_part(struct extent *extent, struct part *part)
{
	uint32_t room;

	if (extent->length == 0)
		return false;
	part->block = extent->offset >> VSSD_BLOCK_SHIFT;
	part->offset = (uint32_t)extent->offset & (VSSD_BLOCK_SIZE - 1);
	room = VSSD_BLOCK_SIZE - part->offset;
	part->length = extent->length < room ? (uint32_t)extent->length : room;
	part->sectors = vssd_store_sectors(part->offset, part->length);
	extent->offset += part->length;
	extent->length -= part->length;
	return true;
}

static struct extent extent_of(struct vssd_ns *ns, uint64_t slba, uint64_t nlb)
{
	return (struct extent){
		.ns = ns,
		.offset = (ns->first_block << VSSD_BLOCK_SHIFT) + (slba << ns->lba_shift),
		.length = nlb << ns->lba_shift,
	};
}

/* The LBAs that a command names in cdw10 to cdw12. moves_data: MDTS holds. */
static uint16_t locate(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd, bool moves_data, struct extent *extent)
{
	struct vssd_ns *ns = vssd_ns_find(ctrl, cmd->nsid);
	uint64_t slba = (uint64_t)cmd->cdw11 << 32 | cmd->cdw10;
	uint64_t nlb = (cmd->cdw12 & 0xffff) + 1;

	if (!ns)
		return NVME_SC_INVALID_NAMESPACE;
	if (ns->refuse)
		return ns->refuse;
	if (moves_data && nlb << ns->lba_shift > ctrl->max_transfer)
		return vssd_invalid_field(ctrl, VSSD_FIELD_CDW12);
	if (!vssd_range_fits(ns, slba, nlb))
		return NVME_SC_LBA_OUT_OF_RANGE;
	*extent = extent_of(ns, slba, nlb);
	return NVME_SC_SUCCESS;
}

/* Of a byte of the store. */
static uint64_t lba_of(const struct vssd_ns *ns, uint64_t offset)
{
	return (offset - (ns->first_block << VSSD_BLOCK_SHIFT)) >> ns->lba_shift;
}

/* The first of these sectors is where the command fails. */
static void fail_at(struct vssd_ctrl *ctrl, const struct vssd_ns *ns, const struct part *part, uint8_t sectors)
{
	uint32_t first = (uint32_t)__builtin_ctz(sectors) * VSSD_SECTOR_SIZE;

	vssd_failed_lba(ctrl, lba_of(ns, (part->block << VSSD_BLOCK_SHIFT) + first));
}

/* Whether all of an extent can be read. */
static uint16_t check_readable(struct vssd_ctrl *ctrl, struct extent extent)
{
	struct part part;

	while (!ctrl->null_store && next_part(&extent, &part)) {
		uint8_t bad = vssd_store_bad(ctrl->store, part.block) & part.sectors;
		uint8_t unwritten = 0;

		if (extent.ns->dulbe) /* else the marks are not worth a look at their cache line */
			unwritten = (uint8_t)~vssd_store_written(ctrl->store, part.block) & part.sectors;
		if (bad) {
			ctrl->nv->media_errors++;
			fail_at(ctrl, extent.ns, &part, bad);
			vssd_telemetry_capture(ctrl, "unrecovered read error");
			return NVME_SC_UNRECOVERED_READ_ERROR;
		}
		if (unwritten) {
			fail_at(ctrl, extent.ns, &part, unwritten);
			return NVME_SC_DEALLOCATED_OR_UNWRITTEN;
		}
	}
	return NVME_SC_SUCCESS;
}

/* ---- host memory, piece by piece ---- */

struct cursor {
	const struct vssd_segment *segment;
	uint32_t done; /* bytes of the segment */
};

static uint32_t cursor_room(const struct cursor *cursor, uint32_t wanted)
{
	uint32_t room = cursor->segment->length - cursor->done;

	return wanted < room ? wanted : room;
}

static void cursor_advance(struct cursor *cursor, uint32_t length)
{
	cursor->done += length;
	if (cursor->done == cursor->segment->length) {
		cursor->segment++;
		cursor->done = 0;
	}
}

static int to_host(struct vssd_ctrl *ctrl, struct cursor *cursor, const uint8_t *from, uint32_t length)
{
	while (length > 0) {
		const struct vssd_segment *segment = cursor->segment;
		uint32_t piece = cursor_room(cursor, length);

		if (segment->memory)
			memcpy(segment->memory + cursor->done, from, piece);
		else if (vssd_bus_write(ctrl->bus, segment->iova + cursor->done, from, piece) < 0)
			return -1;
		cursor_advance(cursor, piece);
		from += piece;
		length -= piece;
	}
	return 0;
}

static int from_host(struct vssd_ctrl *ctrl, struct cursor *cursor, uint8_t *to, uint32_t length)
{
	while (length > 0) {
		const struct vssd_segment *segment = cursor->segment;
		uint32_t piece = cursor_room(cursor, length);

		if (segment->memory)
			memcpy(to, segment->memory + cursor->done, piece);
		else if (vssd_bus_read(ctrl->bus, segment->iova + cursor->done, to, piece) < 0)
			return -1;
		cursor_advance(cursor, piece);
		to += piece;
		length -= piece;
	}
	return 0;
}

/* ---- read, write, compare ---- */

static uint16_t read_pieces(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd, struct extent extent)
{
	uint16_t status = vssd_prp_map(ctrl, cmd->prp1, cmd->prp2, extent.length, VSSD_DMA_WRITE);
	struct cursor cursor = {.segment = ctrl->data.segments};
	struct part part;

	if (!status)
		status = check_readable(ctrl, extent);
	if (status || ctrl->null_store)
		return status;
	while (next_part(&extent, &part))
		if (to_host(ctrl, &cursor, vssd_store_data(ctrl->store, part.block) + part.offset, part.length) < 0)
			return NVME_SC_DATA_TRANSFER_ERROR;
	return NVME_SC_SUCCESS;
}

/* Blocks that the extent touches are durable from now on. */
static void commit(struct vssd_ctrl *ctrl, const struct extent *extent)
{
	uint64_t first = extent->offset >> VSSD_BLOCK_SHIFT;
	uint64_t last = (extent->offset + extent->length - 1) >> VSSD_BLOCK_SHIFT;

	if (!ctrl->null_store)
		vssd_store_commit(ctrl->store, first, last - first + 1);
}

/* Note in the host memory buffer, where there is one, that an extent is read, or has changed. */
static inline void use_map(struct vssd_ctrl *ctrl, const struct extent *extent, bool changed)
{
	if (__builtin_expect(ctrl->hmb.enabled, 0))
		vssd_hmb_use(ctrl, extent->offset >> VSSD_BLOCK_SHIFT,
			     (extent->offset + extent->length - 1) >> VSSD_BLOCK_SHIFT, changed);
}

static uint16_t io_read(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	struct extent extent;
	uint16_t status = locate(ctrl, cmd, true, &extent);

	ctrl->counters.commands_read++;
	if (status)
		return status;
	if (cmd->cdw12 & NVME_RW_FUA)
		commit(ctrl, &extent);
	use_map(ctrl, &extent, false);
	status = read_pieces(ctrl, cmd, extent);
	if (status)
		return status;
	ctrl->data_moved += extent.length;
	ctrl->counters.bytes_read += extent.length;
	ctrl->nv->sectors_read += extent.length / VSSD_SECTOR_SIZE;
	return NVME_SC_SUCCESS;
}

static bool all_in_memory(const struct vssd_data *data)
{
	for (uint32_t i = 0; i < data->count; i++)
		if (!data->segments[i].memory)
			return false;
	return true;
}

/* Data that come by messages may fail to come: they are collected first, so that nothing is half written. */
static uint16_t write_part(struct vssd_ctrl *ctrl, struct cursor *cursor, const struct part *part, bool in_memory)
{
	uint8_t bounce[VSSD_BLOCK_SIZE];
	uint8_t *to;

	if (in_memory && part->length == VSSD_BLOCK_SIZE && cursor_room(cursor, part->length) == part->length) {
		const uint8_t *data = cursor->segment->memory + cursor->done;

		cursor_advance(cursor, part->length);
		return vssd_store_put(ctrl->store, part->block, data) ? NVME_SC_SUCCESS : NVME_SC_WRITE_FAULT;
	}
	if (!in_memory && from_host(ctrl, cursor, bounce, part->length) < 0)
		return NVME_SC_DATA_TRANSFER_ERROR;
	to = vssd_store_write(ctrl->store, part->block, part->sectors);
	if (!to)
		return NVME_SC_WRITE_FAULT;
	if (in_memory)
		from_host(ctrl, cursor, to + part->offset, part->length);
	else
		memcpy(to + part->offset, bounce, part->length);
	return NVME_SC_SUCCESS;
}

static uint16_t write_pieces(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd, struct extent extent)
{
	uint16_t status = vssd_prp_map(ctrl, cmd->prp1, cmd->prp2, extent.length, VSSD_DMA_READ);
	struct cursor cursor = {.segment = ctrl->data.segments};
	bool in_memory = all_in_memory(&ctrl->data);
	struct part part;

	while (!status && !ctrl->null_store && next_part(&extent, &part))
		status = write_part(ctrl, &cursor, &part, in_memory);
	return status;
}

/* What changed the medium and must not wait in the cache becomes durable: the completion waits for that. */
static inline uint16_t conclude_change(struct vssd_ctrl *ctrl, const struct extent *extent, bool fua)
{
	use_map(ctrl, extent, true);
	if (__builtin_expect(!fua && !ctrl->write_through, 1))
		return NVME_SC_SUCCESS;
	commit(ctrl, extent);
	return ctrl->options.cache_size > 0 ? VSSD_LATER : NVME_SC_SUCCESS;
}

static uint16_t io_write(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	struct extent extent;
	uint16_t status = locate(ctrl, cmd, true, &extent);

	ctrl->counters.commands_write++;
	if (!status)
		status = write_pieces(ctrl, cmd, extent);
	if (status)
		return status;
	ctrl->data_moved += extent.length;
	ctrl->counters.bytes_written += extent.length;
	ctrl->nv->sanitize.written = true;
	ctrl->nv->sectors_written += extent.length / VSSD_SECTOR_SIZE;
	return conclude_change(ctrl, &extent, cmd->cdw12 & NVME_RW_FUA);
}

static uint16_t io_compare(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	struct extent extent;
	uint16_t status = locate(ctrl, cmd, true, &extent);
	struct cursor cursor = {.segment = ctrl->data.segments};
	uint8_t theirs[VSSD_BLOCK_SIZE];
	struct part part;

	if (!status)
		status = vssd_prp_map(ctrl, cmd->prp1, cmd->prp2, extent.length, VSSD_DMA_READ);
	if (!status)
		status = check_readable(ctrl, extent);
	if (status)
		return status;
	ctrl->data_moved += extent.length;
	ctrl->nv->sectors_read += extent.length / VSSD_SECTOR_SIZE;
	while (!ctrl->null_store && next_part(&extent, &part)) {
		const uint8_t *ours = vssd_store_data(ctrl->store, part.block) + part.offset;

		if (from_host(ctrl, &cursor, theirs, part.length) < 0)
			return NVME_SC_DATA_TRANSFER_ERROR;
		if (memcmp(ours, theirs, part.length) != 0) {
			uint32_t first = 0;

			while (ours[first] == theirs[first])
				first++;
			vssd_failed_lba(ctrl,
					lba_of(extent.ns, (part.block << VSSD_BLOCK_SHIFT) + part.offset + first));
			return NVME_SC_COMPARE_FAILURE;
		}
	}
	return NVME_SC_SUCCESS;
}

/* ---- commands without data ---- */

static uint16_t zero_extent(struct vssd_ctrl *ctrl, struct extent extent, bool deallocate)
{
	struct part part;

	while (!ctrl->null_store && next_part(&extent, &part))
		if (vssd_store_zero(ctrl->store, part.block, part.sectors, deallocate) < 0)
			return NVME_SC_WRITE_FAULT;
	return NVME_SC_SUCCESS;
}

static uint16_t io_write_zeroes(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	struct extent extent;
	uint16_t status = locate(ctrl, cmd, false, &extent);

	if (!status)
		status = zero_extent(ctrl, extent, cmd->cdw12 & NVME_RW_DEAC && vssd_since(ctrl, NVME_1_3));
	if (status)
		return status;
	ctrl->nv->sanitize.written = true;
	return conclude_change(ctrl, &extent, cmd->cdw12 & NVME_RW_FUA);
}

static uint16_t io_write_uncorrectable(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	struct extent extent, rest;
	uint16_t status = locate(ctrl, cmd, false, &extent);
	struct part part;

	if (status)
		return status;
	rest = extent;
	while (next_part(&rest, &part))
		if (vssd_store_poison(ctrl->store, part.block, part.sectors) < 0)
			return NVME_SC_WRITE_FAULT;
	return conclude_change(ctrl, &extent, false);
}

static uint16_t io_verify(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	struct extent extent;
	uint16_t status = locate(ctrl, cmd, false, &extent);

	if (!status)
		status = check_readable(ctrl, extent);
	if (!status)
		ctrl->nv->sectors_read += extent.length / VSSD_SECTOR_SIZE;
	return status;
}

static uint16_t io_flush(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	const struct vssd_ns *ns = vssd_ns_find(ctrl, cmd->nsid);
	uint16_t refuse;

	if (!ns && cmd->nsid != NVME_NSID_ALL)
		return NVME_SC_INVALID_NAMESPACE;
	refuse = ns ? ns->refuse : vssd_sanitize_refuses(ctrl);
	if (refuse)
		return refuse;
	/* One cache for all namespaces: all of it goes. */
	vssd_store_flush(ctrl->store);
	return NVME_SC_SUCCESS;
}

static uint16_t io_dsm(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	struct nvme_dsm_range ranges[256];
	uint32_t count = (cmd->cdw10 & 0xff) + 1;
	struct vssd_ns *ns = vssd_ns_find(ctrl, cmd->nsid);
	uint16_t status, result = NVME_SC_SUCCESS;

	if (!ns)
		return NVME_SC_INVALID_NAMESPACE;
	if (ns->refuse)
		return ns->refuse;
	status = vssd_receive(ctrl, cmd, ranges, count * (uint32_t)sizeof(ranges[0]));
	for (uint32_t i = 0; i < count && !status; i++)
		if (!vssd_range_fits(ns, ranges[i].slba, ranges[i].nlb)) {
			ctrl->failure.field = VSSD_FIELD_NONE;
			vssd_failed_lba(ctrl, ranges[i].slba);
			status = NVME_SC_LBA_OUT_OF_RANGE;
		}
	if (status || !(cmd->cdw11 & NVME_DSM_AD))
		return status;
	for (uint32_t i = 0; i < count && !status; i++) {
		struct extent extent = extent_of(ns, ranges[i].slba, ranges[i].nlb);

		if (extent.length == 0)
			continue;
		status = zero_extent(ctrl, extent, true);
		result = conclude_change(ctrl, &extent, false);
	}
	return status ? status : result;
}

/* Their scope is not reported: each of them is about its namespace. */
static const struct {
	uint32_t effects;
	enum nvme_version since;
} commands[256] = {
	[NVME_IO_FLUSH] = {NVME_EFFECT_CSUPP, NVME_1_0},
	[NVME_IO_WRITE] = {NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC, NVME_1_0},
	[NVME_IO_READ] = {NVME_EFFECT_CSUPP, NVME_1_0},
	[NVME_IO_WRITE_UNCORRECTABLE] = {NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC, NVME_1_0},
	[NVME_IO_COMPARE] = {NVME_EFFECT_CSUPP, NVME_1_0},
	[NVME_IO_WRITE_ZEROES] = {NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC, NVME_1_1},
	[NVME_IO_DSM] = {NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC, NVME_1_0},
	[NVME_IO_VERIFY] = {NVME_EFFECT_CSUPP, NVME_1_4},
};

bool vssd_io_supported(const struct vssd_ctrl *ctrl, uint8_t opcode)
{
	/* Where nothing is kept, no LBA can be marked. */
	if (ctrl->null_store && opcode == NVME_IO_WRITE_UNCORRECTABLE)
		return false;
	return commands[opcode].effects && vssd_since(ctrl, commands[opcode].since);
}

static uint16_t execute_other(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	ctrl->counters.commands_other++;
	if (!vssd_io_supported(ctrl, cmd->opc))
		return NVME_SC_INVALID_OPCODE;
	switch (cmd->opc) {
	case NVME_IO_FLUSH:
		return io_flush(ctrl, cmd);
	case NVME_IO_WRITE_UNCORRECTABLE:
		return io_write_uncorrectable(ctrl, cmd);
	case NVME_IO_COMPARE:
		return io_compare(ctrl, cmd);
	case NVME_IO_WRITE_ZEROES:
		return io_write_zeroes(ctrl, cmd);
	case NVME_IO_DSM:
		return io_dsm(ctrl, cmd);
	case NVME_IO_VERIFY:
		return io_verify(ctrl, cmd);
	default:
		return NVME_SC_INVALID_OPCODE;
	}
}

/* Why a command with FUSE or PSDT is refused: it is half of a pair whose other half is not there, or these fields
 * have no such value for it. */
static uint16_t refusal(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	if (!vssd_io_supported(ctrl, cmd->opc))
		return NVME_SC_INVALID_OPCODE;
	return vssd_io_is_first(cmd) || vssd_io_is_second(cmd) ? NVME_SC_ABORTED_MISSING_FUSED
							       : vssd_invalid_field(ctrl, VSSD_FIELD_FLAGS);
}

uint16_t vssd_io_execute(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	if (__builtin_expect(ctrl->power_state.asleep, 0))
		vssd_power_wake(ctrl);
	if (__builtin_expect(cmd->flags & (NVME_FUSE | NVME_PSDT), 0))
		return refusal(ctrl, cmd);
	if (cmd->opc == NVME_IO_READ)
		return io_read(ctrl, cmd);
	if (cmd->opc == NVME_IO_WRITE)
		return io_write(ctrl, cmd);
	return execute_other(ctrl, cmd);
}

/* ---- fused operations: Compare and Write is the one that there is ---- */

bool vssd_io_is_first(const struct nvme_cmd *cmd)
{
	return cmd->opc == NVME_IO_COMPARE && cmd->flags == NVME_FUSE_FIRST;
}

bool vssd_io_is_second(const struct nvme_cmd *cmd)
{
	return cmd->opc == NVME_IO_WRITE && cmd->flags == NVME_FUSE_SECOND;
}

static bool same_lbas(const struct nvme_cmd *a, const struct nvme_cmd *b)
{
	return a->nsid == b->nsid && a->cdw10 == b->cdw10 && a->cdw11 == b->cdw11 &&
	       (a->cdw12 & 0xffff) == (b->cdw12 & 0xffff);
}

void vssd_io_execute_fused(struct vssd_ctrl *ctrl, const struct nvme_cmd *first, const struct nvme_cmd *second,
			   uint16_t status[2])
{
	if (!same_lbas(first, second)) {
		status[0] = status[1] = NVME_SC_INVALID_FIELD;
		return;
	}
	status[0] = execute_other(ctrl, first);
	status[1] = status[0] ? NVME_SC_ABORTED_FAILED_FUSED : io_write(ctrl, second);
}

void vssd_io_effects(const struct vssd_ctrl *ctrl, uint32_t effects[256])
{
	for (unsigned i = 0; i < 256; i++)
		effects[i] = vssd_io_supported(ctrl, (uint8_t)i) ? commands[i].effects : 0;
}
