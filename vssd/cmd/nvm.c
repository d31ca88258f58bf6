/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of the NVM command set. NVM Express NVM Command Set Specification 1.0, section 3. */
#include <stdlib.h>
#include <string.h>

#include "core/util/clock.h"
#include "vssd/cmd/ana.h"
#include "vssd/cmd/copy_source.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/guard.h"
#include "vssd/cmd/metadata.h"
#include "vssd/cmd/placement.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/reservation.h"
#include "vssd/cmd/table.h"
#include "vssd/cmd/zones.h"
#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/reservation.h"

#define MEDIUM_NS UINT64_C(100000) /* of a write that bypasses the cache; a cached one takes less than 1 us */

/* The range of a command in bytes of the store, always whole LBAs. */
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

/* Cut the first part off an extent. False: the extent is empty. */
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

/* Whether this I/O command changes data. */
static bool changes_data(const struct vssd_request *request)
{
	return vssd_io_known(request->csi, request->cmd.opc)->changes != SPEC_CHANGES_NONE;
}

/* Get the extent from SLBA and NLB, and check it. moves_data: check MDTS as well. Returns a status. */
static uint16_t locate(struct vssd_request *request, bool moves_data, struct extent *extent)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_ns *ns = request->ns;
	uint64_t slba = vssd_slba(cmd), nlb = vssd_nlb(cmd);

	if (moves_data && nlb * vssd_lba_bytes(ns, cmd) > ctrl->transfers.most)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_WRITE_NLB, "NLB, above MDTS"), VSSD_OWN);
	if (!vssd_range_fits(ns, slba, nlb))
		return vssd_refuse(request, NVME_SC_LBA_OUT_OF_RANGE, VSSD_SLBA, VSSD_OWN);
	*extent = extent_of(ns, slba, nlb);
	return ns->guarded ? vssd_guard(request, ns, slba, nlb, changes_data(request)) : NVME_SC_SUCCESS;
}

/* The LBA of a byte of the store. */
static uint64_t lba_of(const struct vssd_ns *ns, uint64_t offset)
{
	return (offset - (ns->first_block << VSSD_BLOCK_SHIFT)) >> ns->lba_shift;
}

/* The LBA of the first of these sectors. */
static uint64_t first_lba(const struct vssd_ns *ns, const struct part *part, uint8_t sectors)
{
	uint32_t first = (uint32_t)__builtin_ctz(sectors) * VSSD_SECTOR_SIZE;

	return lba_of(ns, (part->block << VSSD_BLOCK_SHIFT) + first);
}

/* Note which LBAs of an extent cannot be read. */
static void track(struct vssd_ctrl *ctrl, const struct vssd_ns *ns, const struct extent *extent)
{
	uint64_t slba = lba_of(ns, extent->offset), nlb = extent->length >> ns->lba_shift;

	vssd_lba_status_track(ctrl->subsystem, ns, (struct vssd_lbas){slba, slba + nlb}, false);
}

/* Fail the command if an LBA is uncorrectable, or deallocated while DULBE is set. Returns a status. */
static uint16_t check_readable(struct vssd_request *request, struct extent extent)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct extent range = extent;
	struct part part;

	while (!ctrl->null_store && next_part(&extent, &part)) {
		uint8_t bad = vssd_store_bad(ctrl->store, part.block) & part.sectors;
		uint8_t unwritten = 0;

		if (extent.ns->dulbe) /* without DULBE, spare the cache line of the marks */
			unwritten = (uint8_t)~vssd_store_written(ctrl->store, part.block) & part.sectors;
		if (bad) {
			ctrl->nv->totals.media_errors++;
			vssd_telemetry_capture(ctrl, "unrecovered read error");
			track(ctrl, extent.ns, &range);
			return vssd_fail_at(request, NVME_SC_UNRECOVERED_READ_ERROR, first_lba(extent.ns, &part, bad),
					    "an LBA was marked by Write Uncorrectable", VSSD_NVM("3.3.7"));
		}
		if (unwritten)
			return vssd_fail_at(
				request, NVME_SC_DEALLOCATED_OR_UNWRITTEN, first_lba(extent.ns, &part, unwritten),
				"an LBA is deallocated or unwritten, and DULBE is set", VSSD_NVM("4.1.3.2"));
	}
	return NVME_SC_SUCCESS;
}

/* As locate(), for a command that reads or writes: the zones of a zoned namespace allow it, too. */
static uint16_t locate_read(struct vssd_request *request, bool moves_data, struct extent *extent)
{
	uint16_t status = locate(request, moves_data, extent);

	return status ? status
		      : vssd_zones_check_read(request, request->ns, vssd_slba(&request->cmd),
					      vssd_nlb(&request->cmd));
}

static uint16_t locate_write(struct vssd_request *request, bool moves_data, struct extent *extent)
{
	uint16_t status = locate(request, moves_data, extent);

	return status ? status : vssd_zones_check_write(request, vssd_slba(&request->cmd), vssd_nlb(&request->cmd));
}

/* ---- read, write, compare ---- */

static uint16_t read_pieces(struct vssd_request *request, struct extent extent)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint16_t status = vssd_data_map(request, extent.length, VSSD_DMA_WRITE);
	struct vssd_cursor cursor = {.segment = request->data.segments};
	struct part part;

	if (!status)
		status = check_readable(request, extent);
	if (status || ctrl->null_store)
		return status;
	while (!status && next_part(&extent, &part))
		status = vssd_cursor_put(request, &cursor, vssd_store_data(ctrl->store, part.block) + part.offset,
					 part.length);
	return status;
}

/* Make all blocks that the extent touches durable. */
static void commit(struct vssd_ctrl *ctrl, const struct extent *extent)
{
	uint64_t first = extent->offset >> VSSD_BLOCK_SHIFT;
	uint64_t last = (extent->offset + extent->length - 1) >> VSSD_BLOCK_SHIFT;

	if (!ctrl->null_store)
		vssd_store_commit(ctrl->store, first, last - first + 1);
}

/* Read or update the map in the host memory buffer, if it is enabled, for an extent that is read or has changed. */
static inline void use_map(struct vssd_ctrl *ctrl, const struct extent *extent, bool changed)
{
	if (__builtin_expect(ctrl->hmb.enabled, 0))
		vssd_hmb_use(ctrl, extent->offset >> VSSD_BLOCK_SHIFT,
			     (extent->offset + extent->length - 1) >> VSSD_BLOCK_SHIFT, changed);
}

/* As check_readable(), for the range of the command. */
static uint16_t readable(struct vssd_request *request)
{
	return check_readable(request, extent_of(request->ns, vssd_slba(&request->cmd), vssd_nlb(&request->cmd)));
}

/* Read TCG's table MBR instead of the namespace; its blocks have no marks that matter. */
static uint16_t read_shadow(struct vssd_request *request, struct extent extent)
{
	struct vssd_ns ns = *request->ns;
	uint16_t status;

	ns.dulbe = false;
	extent.ns = &ns;
	status = read_pieces(request, extent);
	request->bytes = status ? 0 : (uint32_t)extent.length;
	return status;
}

static uint16_t io_read(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	struct extent extent;
	uint16_t status = locate_read(request, true, &extent);

	if (status)
		return status;
	if (cmd->cdw12 & NVME_RW_FUA && !request->is_trial)
		commit(ctrl, &extent);
	if (request->ns->guarded && vssd_guard_shadows(request, vssd_slba(cmd), vssd_nlb(cmd), &extent.offset))
		return read_shadow(request, extent);
	use_map(ctrl, &extent, false);
	status = request->ns->metadata ? vssd_metadata_read(request, readable) : read_pieces(request, extent);
	if (status)
		return status;
	request->bytes = (uint32_t)extent.length;
	return NVME_SC_SUCCESS;
}

static bool all_in_memory(const struct vssd_data *data)
{
	for (uint32_t i = 0; i < data->count; i++)
		if (!data->segments[i].memory)
			return false;
	return true;
}

static uint16_t no_block(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_WRITE_FAULT, VSSD_STATE("there is no memory for another block"),
			   VSSD_OWN);
}

/* Write one part. Collect data that come by messages first: if a message fails, the block must not be half written.
 */
static uint16_t write_part(struct vssd_request *request, struct vssd_cursor *cursor, const struct part *part,
			   bool in_memory)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint8_t bounce[VSSD_BLOCK_SIZE];
	uint16_t status = NVME_SC_SUCCESS;
	uint8_t *to;

	if (in_memory && part->length == VSSD_BLOCK_SIZE && vssd_cursor_room(cursor, part->length) == part->length) {
		const uint8_t *data = cursor->segment->memory + cursor->done;

		vssd_cursor_advance(cursor, part->length);
		return vssd_store_put(ctrl->store, part->block, data) ? NVME_SC_SUCCESS : no_block(request);
	}
	if (!in_memory)
		status = vssd_cursor_get(request, cursor, bounce, part->length);
	if (status)
		return status;
	to = vssd_store_write(ctrl->store, part->block, part->sectors);
	if (!to)
		return no_block(request);
	if (in_memory)
		return vssd_cursor_get(request, cursor, to + part->offset, part->length);
	memcpy(to + part->offset, bounce, part->length);
	return NVME_SC_SUCCESS;
}

static uint16_t write_pieces(struct vssd_request *request, struct extent extent)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint16_t status = vssd_data_map(request, extent.length, VSSD_DMA_READ);
	struct vssd_cursor cursor = {.segment = request->data.segments};
	bool in_memory = all_in_memory(&request->data);
	struct part part;

	while (!status && !ctrl->null_store && !request->is_trial && next_part(&extent, &part))
		status = write_part(request, &cursor, &part, in_memory);
	return status;
}

/* Make the change durable if it must not wait in the cache (FUA, or cache disabled), and delay the completion. LBAs
 * of several blocks never wait there, because a power loss would tear them. */
static inline void conclude_change(struct vssd_request *request, const struct extent *extent, bool fua,
				   bool deallocated)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	uint64_t slba = lba_of(extent->ns, extent->offset);
	bool through = fua || ctrl->features.write_through;

	use_map(ctrl, extent, true);
	vssd_zones_written(request, slba, extent->length >> extent->ns->lba_shift);
	if (__builtin_expect(ctrl->features.migration.log != NULL, 0))
		vssd_migration_changed(ctrl, extent->ns, slba, extent->length >> extent->ns->lba_shift, deallocated);
	if (__builtin_expect(!through && extent->ns->lba_shift <= VSSD_BLOCK_SHIFT, 1))
		return;
	commit(ctrl, extent);
	vssd_zones_commit(request, slba);
	if (through && ctrl->options->cache_size > 0)
		request->due = pyn_ticks() + pyn_ns_to_ticks(MEDIUM_NS);
}

static uint16_t io_write(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	struct extent extent;
	uint16_t status = locate_write(request, true, &extent);

	if (!status)
		status = vssd_placement_check(request);
	if (!status)
		status = request->ns->metadata ? vssd_metadata_write(request) : write_pieces(request, extent);
	if (status)
		return status;
	request->bytes = (uint32_t)extent.length;
	if (request->is_trial)
		return NVME_SC_SUCCESS;
	vssd_placement_wrote(request, vssd_slba(cmd), vssd_nlb(cmd));
	vssd_sanitize_written(request->ctrl->subsystem);
	conclude_change(request, &extent, cmd->cdw12 & NVME_RW_FUA, false);
	return NVME_SC_SUCCESS;
}

static uint16_t io_compare(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct extent extent;
	uint16_t status = locate_read(request, true, &extent);
	struct vssd_cursor cursor;
	uint8_t theirs[VSSD_BLOCK_SIZE];
	struct part part;

	if (!status && request->ns->metadata) {
		request->bytes = (uint32_t)extent.length;
		return vssd_metadata_compare(request, readable);
	}
	if (!status)
		status = vssd_data_map(request, extent.length, VSSD_DMA_READ);
	if (!status)
		status = check_readable(request, extent);
	if (status)
		return status;
	cursor = (struct vssd_cursor){.segment = request->data.segments};
	request->bytes = (uint32_t)extent.length;
	while (!ctrl->null_store && next_part(&extent, &part)) {
		const uint8_t *ours = vssd_store_data(ctrl->store, part.block) + part.offset;

		status = vssd_cursor_get(request, &cursor, theirs, part.length);
		if (status)
			return status;
		if (memcmp(ours, theirs, part.length) != 0) {
			uint32_t first = 0;

			while (ours[first] == theirs[first])
				first++;
			return vssd_fail_at(request, NVME_SC_COMPARE_FAILURE,
					    lba_of(extent.ns, (part.block << VSSD_BLOCK_SHIFT) + part.offset + first),
					    "the data differ", VSSD_OWN);
		}
	}
	return NVME_SC_SUCCESS;
}

/* ---- commands without data ---- */

/* Check the size of a command that has a limit of its own: 2^limit pages of 4 KiB, 0: none. Returns a status. */
static uint16_t check_size(struct vssd_request *request, uint32_t limit, const char *what)
{
	if (!limit || vssd_nlb(&request->cmd) << request->ns->lba_shift <= UINT64_C(4096) << limit)
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_WRITE_NLB, what),
			   VSSD_NVM("4.1.5.4"));
}

/* Check Dataset Management against its limits. Returns a status. */
static uint16_t check_dsm(struct vssd_request *request, const struct nvme_dsm_range *ranges, uint32_t count)
{
	const struct vssd_limit_options *limits = &request->ctrl->options->limits;
	const char *above = limits->dmrl && count > limits->dmrl ? "the number of ranges is above DMRL" : NULL;
	uint64_t lbas = 0;

	for (uint32_t i = 0; limits->dmrl && i < count && !above; i++) {
		lbas += ranges[i].nlb;
		if (ranges[i].nlb > limits->dmrsl)
			above = "a range in the data is above DMRSL";
	}
	if (limits->dmrl && !above && lbas > limits->dmsl)
		above = "the ranges in the data are above DMSL";
	if (!above)
		return NVME_SC_SUCCESS;
	return vssd_refuse(request, NVME_SC_COMMAND_SIZE_LIMIT_EXCEEDED, VSSD_STATE(above), VSSD_OWN);
}

/* Cut off what was never written, up to what may have been: there is nothing to deallocate. */
static void skip_unwritten(const struct vssd_ctrl *ctrl, struct extent *extent)
{
	uint64_t block = extent->offset >> VSSD_BLOCK_SHIFT, next = vssd_store_next(ctrl->store, block), skipped;

	if (next == block || extent->length == 0)
		return;
	skipped = (next << VSSD_BLOCK_SHIFT) - extent->offset;
	if (skipped > extent->length)
		skipped = extent->length;
	extent->offset += skipped;
	extent->length -= skipped;
}

static uint16_t zero_extent(struct vssd_request *request, struct extent extent, bool deallocate)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct part part;

	vssd_fdp_discard(ctrl->subsystem, extent.offset / VSSD_SECTOR_SIZE, extent.length / VSSD_SECTOR_SIZE);
	if (ctrl->null_store)
		return NVME_SC_SUCCESS;
	if (deallocate)
		skip_unwritten(ctrl, &extent);
	while (next_part(&extent, &part)) {
		if (vssd_store_zero(ctrl->store, part.block, part.sectors, deallocate) < 0)
			return no_block(request);
		if (deallocate)
			skip_unwritten(ctrl, &extent);
	}
	return NVME_SC_SUCCESS;
}

static uint16_t io_write_zeroes(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	bool deallocate = cmd->cdw12 & NVME_RW_DEAC && vssd_since(ctrl, NVME_1_3) && !vssd_is_zoned(request->ns);
	struct vssd_pi_task task;
	struct extent extent;
	uint16_t status = check_size(request, ctrl->options->limits.wzsl, "NLB, above WZSL");

	if (!status)
		status = locate_write(request, false, &extent);
	if (!status)
		status = vssd_metadata_check_zeroes(request, &task);
	if (status || request->is_trial)
		return status;
	status = !deallocate && vssd_metadata_makes_zeroes(request) ? vssd_metadata_zero(request, &task)
								    : zero_extent(request, extent, deallocate);
	if (status)
		return status;
	vssd_sanitize_written(ctrl->subsystem);
	conclude_change(request, &extent, cmd->cdw12 & NVME_RW_FUA, deallocate);
	return NVME_SC_SUCCESS;
}

static uint16_t io_write_uncorrectable(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	struct extent extent, rest;
	uint16_t status = check_size(request, ctrl->options->limits.wusl, "NLB, above WUSL");
	struct part part;

	if (!status)
		status = locate_write(request, false, &extent);
	if (status || request->is_trial)
		return status;
	rest = extent;
	while (next_part(&rest, &part))
		if (vssd_store_poison(ctrl->store, part.block, part.sectors) < 0)
			return no_block(request);
	track(ctrl, extent.ns, &extent);
	conclude_change(request, &extent, false, false);
	return NVME_SC_SUCCESS;
}

static uint16_t io_verify(struct vssd_request *request)
{
	struct extent extent;
	uint16_t status = check_size(request, request->ctrl->options->limits.vsl, "NLB, above VSL");

	if (!status)
		status = locate_read(request, false, &extent);
	if (!status)
		status = check_readable(request, extent);
	if (!status && request->ns->pi)
		status = vssd_metadata_verify(request);
	if (!status)
		request->bytes = (uint32_t)extent.length;
	return status;
}

/* Flush all: the namespaces share one cache. */
uint16_t vssd_flush(struct vssd_request *request)
{
	if (!request->is_trial)
		vssd_subsystem_flush(request->ctrl->subsystem);
	return NVME_SC_SUCCESS;
}

static uint16_t io_dsm(struct vssd_request *request)
{
	const struct nvme_cmd *cmd = &request->cmd;
	struct nvme_dsm_range ranges[256];
	uint32_t count = (uint32_t)nvme_get_field(cmd, NVME_FIELD_DSM_NR) + 1;
	struct vssd_ns *ns = request->ns;
	uint16_t status;

	status = vssd_data_receive(request, ranges, count * (uint32_t)sizeof(ranges[0]));
	if (!status)
		status = check_dsm(request, ranges, count);
	for (uint32_t i = 0; i < count && !status; i++)
		if (!vssd_range_fits(ns, ranges[i].slba, ranges[i].nlb))
			status = vssd_fail_at(request, NVME_SC_LBA_OUT_OF_RANGE, ranges[i].slba,
					      "a range reaches past the end of the namespace", VSSD_OWN);
		else if (ns->guarded && cmd->cdw11 & NVME_DSM_AD)
			status = vssd_guard(request, ns, ranges[i].slba, ranges[i].nlb, true);
	/* Deallocation is advice. A zone that followed it would lose the LBAs that tell its write pointer. */
	if (status || !(cmd->cdw11 & NVME_DSM_AD) || request->is_trial || vssd_is_zoned(ns))
		return status;
	for (uint32_t i = 0; i < count && !status; i++) {
		struct extent extent = extent_of(ns, ranges[i].slba, ranges[i].nlb);

		if (extent.length == 0)
			continue;
		status = zero_extent(request, extent, true);
		conclude_change(request, &extent, false, true);
	}
	return status;
}

/* ---- copy ---- */

/* A source range that was checked. */
struct source {
	struct extent extent;
	struct vssd_pi_task task;
};

/* What a Copy checks of the LBAs that it reads, or that it writes, as in dword 12 of other commands. */
static uint32_t copy_checks(const struct nvme_cmd *cmd, bool of_writes)
{
	uint64_t prinfo = nvme_get_field(cmd, of_writes ? NVME_FIELD_COPY_PRINFOW : NVME_FIELD_COPY_PRINFOR);
	uint64_t stc = nvme_get_field(cmd, of_writes ? NVME_FIELD_COPY_STCW : NVME_FIELD_COPY_STCR);

	return (uint32_t)prinfo << 26 | (stc ? NVME_RW_STC : 0);
}

/* Check the format of the source ranges, and PRINFOR and PRINFOW. */
static uint16_t check_copy_fields(struct vssd_request *request, uint64_t format)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	const struct vssd_ns *ns = request->ns;
	bool is_known = format < VSSD_COPY_FORMATS && vssd_copy_formats(ctrl->options) >> format & 1;

	if (!is_known || (vssd_copy_names_ns(format) && !(ctrl->features.behavior.cdfe >> format & 1)) ||
	    (ns->pi && vssd_copy_has_long_tags(format) != (ns->pif != NVME_PIF_GUARD16)))
		return vssd_refuse(request, NVME_SC_INVALID_FIELD, VSSD_FIELD(NVME_FIELD_COPY_CDFMT, "CDFMT"),
				   VSSD_OWN);
	if (ns->pi && (copy_checks(&request->cmd, true) ^ copy_checks(&request->cmd, false)) & NVME_RW_PRACT)
		return vssd_refuse(request, NVME_SC_INVALID_FIELD,
				   VSSD_FIELD(NVME_FIELD_COPY_PRINFOR, "PRACT of PRINFOR and PRINFOW differ"),
				   VSSD_OWN);
	return NVME_SC_SUCCESS;
}

static bool have_same_format(const struct vssd_ns *a, const struct vssd_ns *b)
{
	return a->lba_shift == b->lba_shift && a->metadata == b->metadata && a->pi == b->pi &&
	       a->pi_first == b->pi_first && a->pif == b->pif && a->sts == b->sts;
}

/* Check a source range, and get its extent. Returns a status. */
static uint16_t locate_source(struct vssd_request *request, uint64_t format, const struct vssd_copy_source *range,
			      struct source *source)
{
	struct vssd_ns *ns = request->ns;
	uint16_t status = NVME_SC_SUCCESS;

	if (vssd_copy_names_ns(format))
		ns = vssd_ns_find(request->ctrl, range->nsid);
	if (!ns)
		return vssd_refuse(request, NVME_SC_INVALID_NAMESPACE,
				   VSSD_STATE("SNSID of a source range names no namespace"), VSSD_OWN);
	if (ns->refuse)
		return vssd_refuse_busy(request, ns->refuse);
	status = vssd_ana_check_ns(request, ns);
	if (!status)
		status = vssd_reservation_check(request, ns, VSSD_ACCESS_READ);
	if (status)
		return status;
	if (!have_same_format(ns, request->ns))
		return vssd_refuse(request, NVME_SC_INCOMPATIBLE_NAMESPACE,
				   VSSD_STATE("a source namespace has another LBA format"), VSSD_OWN);
	if (range->nlb > VSSD_COPY_RANGE_LBAS)
		return vssd_refuse(request, NVME_SC_COMMAND_SIZE_LIMIT_EXCEEDED,
				   VSSD_STATE("NLB of a source range is above MSSRL"), VSSD_OWN);
	if (!vssd_range_fits(ns, range->slba, range->nlb))
		return vssd_fail_at(request, NVME_SC_LBA_OUT_OF_RANGE, range->slba,
				    "a source range reaches past the end of the namespace", VSSD_OWN);
	if (ns->guarded)
		status = vssd_guard(request, ns, range->slba, range->nlb, false);
	if (status)
		return status;
	source->extent = extent_of(ns, range->slba, range->nlb);
	source->task = (struct vssd_pi_task){.ns = ns,
					     .checks = copy_checks(&request->cmd, false),
					     .app = range->app,
					     .app_mask = range->app_mask};
	status = vssd_zones_check_read(request, ns, range->slba, range->nlb);
	return status ? status : vssd_pi_set(request, &source->task, range->slba, range->tags);
}

static uint16_t write_extent(struct vssd_request *request, struct extent extent, const uint8_t *from)
{
	struct part part;

	while (next_part(&extent, &part)) {
		uint8_t *to = vssd_store_write(request->ctrl->store, part.block, part.sectors);

		if (!to)
			return no_block(request);
		memcpy(to + part.offset, from, part.length);
		from += part.length;
	}
	return NVME_SC_SUCCESS;
}

/* Check the protection information of LBAs in memory, or make it. */
static uint16_t protect(struct vssd_request *request, struct vssd_pi_task *task, uint64_t slba, uint64_t nlb,
			const uint8_t *data, uint8_t *metadata, bool make)
{
	uint16_t status = NVME_SC_SUCCESS;

	for (uint64_t i = 0; i < nlb && task->ns->pi && !status; i++) {
		const uint8_t *lba = data + (i << task->ns->lba_shift);

		if (make)
			vssd_pi_make(task, lba, metadata + i * VSSD_METADATA_LBA);
		else
			status = vssd_pi_check(request, task, slba + i, lba, metadata + i * VSSD_METADATA_LBA);
	}
	return status;
}

/* Read the LBAs of a source range, and check their protection information. */
static uint16_t read_source(struct vssd_request *request, struct source *source, uint8_t *data, uint8_t *metadata)
{
	const struct vssd_ctrl *ctrl = request->ctrl;
	const struct extent *extent = &source->extent;
	uint64_t slba = lba_of(extent->ns, extent->offset), nlb = extent->length >> extent->ns->lba_shift;

	vssd_store_read(ctrl->store, extent->offset, data, extent->length);
	if (extent->ns->metadata)
		vssd_metadata_get(ctrl, extent->ns, slba, nlb, metadata);
	return protect(request, &source->task, slba, nlb, data, metadata, false);
}

/* Write the data of all source ranges. All are read before the first LBA is written. Returns a status. */
static uint16_t copy(struct vssd_request *request, struct source *sources, uint32_t count, struct extent destination,
		     struct vssd_pi_task *task)
{
	const struct vssd_ns *ns = request->ns;
	uint64_t sdlba = lba_of(ns, destination.offset), lbas = destination.length >> ns->lba_shift, at = 0;
	uint8_t *data = malloc(destination.length + lbas * VSSD_METADATA_LBA), *metadata;
	uint16_t status = NVME_SC_SUCCESS;

	if (!data)
		return no_block(request);
	metadata = data + destination.length;
	for (uint32_t i = 0; i < count && !status; i++) {
		request->result = i;
		status = read_source(request, &sources[i], data + (at << ns->lba_shift),
				     metadata + at * VSSD_METADATA_LBA);
		at += sources[i].extent.length >> ns->lba_shift;
	}
	if (!status)
		status = protect(request, task, sdlba, lbas, data, metadata, task->checks & NVME_RW_PRACT);
	if (!status) {
		request->result = 0;
		status = write_extent(request, destination, data);
	}
	if (!status && ns->metadata)
		vssd_metadata_put(request->ctrl, ns, sdlba, lbas, metadata);
	free(data);
	return status;
}

/* Check all source ranges, and that they can be read. Sets the number of LBAs. If one cannot be copied, dword 0 of
 * the completion is its number. Returns a status. */
static uint16_t check_sources(struct vssd_request *request, uint64_t format, const uint8_t *ranges, uint32_t count,
			      struct source *sources, uint64_t *lbas)
{
	uint16_t status = NVME_SC_SUCCESS;

	*lbas = 0;
	for (uint32_t i = 0; i < count && !status; i++) {
		struct vssd_copy_source range =
			vssd_copy_source_parse(format, ranges + i * vssd_copy_source_size(format));

		request->result = i;
		status = locate_source(request, format, &range, &sources[i]);
		*lbas += range.nlb;
		if (!status && *lbas > VSSD_COPY_LBAS)
			status = vssd_refuse(request, NVME_SC_COMMAND_SIZE_LIMIT_EXCEEDED,
					     VSSD_STATE("the source ranges have more LBAs than MCL"), VSSD_OWN);
		if (!status)
			status = check_readable(request, sources[i].extent);
	}
	if (!status)
		request->result = 0;
	return status;
}

static uint16_t io_copy(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint64_t format = nvme_get_field(cmd, NVME_FIELD_COPY_CDFMT);
	uint64_t sdlba = nvme_get_field(cmd, NVME_FIELD_COPY_SDLBA);
	uint32_t count = (uint32_t)nvme_get_field(cmd, NVME_FIELD_COPY_NR) + 1;
	uint8_t ranges[VSSD_COPY_RANGES * VSSD_COPY_SOURCE_MOST];
	struct source sources[VSSD_COPY_RANGES];
	struct vssd_pi_task task;
	struct extent destination;
	uint64_t lbas;
	uint16_t status = check_copy_fields(request, format);

	if (status)
		return status;
	if (count > VSSD_COPY_RANGES)
		return vssd_refuse(request, NVME_SC_COMMAND_SIZE_LIMIT_EXCEEDED,
				   VSSD_FIELD(NVME_FIELD_COPY_NR, "NR, above MSRC"), VSSD_OWN);
	status = vssd_data_receive(request, ranges, count * vssd_copy_source_size(format));
	if (!status)
		status = check_sources(request, format, ranges, count, sources, &lbas);
	if (status)
		return status;
	if (!vssd_range_fits(request->ns, sdlba, lbas))
		return vssd_refuse(request, NVME_SC_LBA_OUT_OF_RANGE, VSSD_FIELD(NVME_FIELD_COPY_SDLBA, "SDLBA"),
				   VSSD_OWN);
	status = vssd_zones_check_write(request, sdlba, lbas);
	if (status)
		return status;
	if (request->ns->guarded)
		status = vssd_guard(request, request->ns, sdlba, lbas, true);
	destination = extent_of(request->ns, sdlba, lbas);
	if (!status)
		status = vssd_placement_check(request);
	if (!status)
		status = vssd_pi_begin(request, &task);
	if (status || request->is_trial)
		return status;
	task.checks = copy_checks(cmd, true);
	status = ctrl->null_store ? NVME_SC_SUCCESS : copy(request, sources, count, destination, &task);
	if (status)
		return status;
	request->bytes = (uint32_t)destination.length;
	vssd_placement_wrote(request, sdlba, lbas);
	vssd_sanitize_written(ctrl->subsystem);
	conclude_change(request, &destination, cmd->cdw12 & NVME_RW_FUA, false);
	return NVME_SC_SUCCESS;
}

#define RESERVES (VSSD_NEEDS_NS | VSSD_NEEDS_RESERVATIONS)
#define ON_NS (VSSD_NEEDS_NS | VSSD_NEEDS_MEDIA)

const struct vssd_command vssd_nvm_commands[256] = {
	[NVME_IO_FLUSH] = {vssd_flush, ON_NS | VSSD_NEEDS_NS_OR_ALL},
	[NVME_IO_WRITE] = {io_write, ON_NS | VSSD_FUSED_SECOND},
	[NVME_IO_READ] = {io_read, ON_NS},
	[NVME_IO_WRITE_UNCORRECTABLE] = {io_write_uncorrectable, ON_NS | VSSD_NEEDS_STORE},
	[NVME_IO_COMPARE] = {io_compare, ON_NS | VSSD_FUSED_FIRST},
	[NVME_IO_WRITE_ZEROES] = {io_write_zeroes, ON_NS},
	[NVME_IO_DSM] = {io_dsm, ON_NS},
	[NVME_IO_VERIFY] = {io_verify, ON_NS},
	[NVME_IO_RESERVATION_REGISTER] = {vssd_reservation_register_cmd, RESERVES},
	[NVME_IO_RESERVATION_REPORT] = {vssd_reservation_report, RESERVES},
	[NVME_IO_RESERVATION_ACQUIRE] = {vssd_reservation_acquire_cmd, RESERVES},
	[NVME_IO_RESERVATION_RELEASE] = {vssd_reservation_release_cmd, RESERVES},
	[NVME_IO_CANCEL] = {vssd_cancel, VSSD_NEEDS_NS_OR_ALL},
	[NVME_IO_COPY] = {io_copy, ON_NS | VSSD_NEEDS_COPY},
	[NVME_IO_MANAGEMENT_RECEIVE] = {vssd_io_management_receive, ON_NS | VSSD_NEEDS_FDP},
	[NVME_IO_MANAGEMENT_SEND] = {vssd_io_management_send, ON_NS | VSSD_NEEDS_FDP},
};
