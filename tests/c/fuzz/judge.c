/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/c/fuzz/judge.h"

#include <string.h>

#include "core/nvme/status.h"
#include "spec/nvme_log.h"
#include "spec/nvme_regs.h"
#include "tests/c/fuzz/prp.h"
#include "tests/c/fuzz/report.h"

#define OUTSIDE UINT32_MAX

/* ---- what a command is about ---- */

static bool is_known(uint8_t opcode)
{
	switch (opcode) {
	case NVME_IO_FLUSH:
	case NVME_IO_WRITE:
	case NVME_IO_READ:
	case NVME_IO_WRITE_UNCORRECTABLE:
	case NVME_IO_COMPARE:
	case NVME_IO_WRITE_ZEROES:
	case NVME_IO_DSM:
	case NVME_IO_VERIFY:
		return true;
	default:
		return false;
	}
}

static bool is_change(const struct nvme_cmd *cmd)
{
	switch (cmd->opc) {
	case NVME_IO_FLUSH:
	case NVME_IO_READ:
	case NVME_IO_COMPARE:
	case NVME_IO_VERIFY:
		return false;
	case NVME_IO_DSM:
		return cmd->cdw11 & NVME_DSM_AD;
	default:
		return true;
	}
}

/* LBAs of namespace 1 as sectors of the model; first OUTSIDE: there are no such LBAs. */
static struct fuzz_range range_of(const struct fuzz_host *host, uint64_t slba, uint64_t nlb)
{
	uint32_t shift = host->lba_shift - 9u;
	uint64_t nsze = host->model.count >> shift;

	if (slba > nsze || nlb > nsze - slba)
		return (struct fuzz_range){OUTSIDE, 0};
	return (struct fuzz_range){(uint32_t)(slba << shift), (uint32_t)(nlb << shift)};
}

static void add_range(struct fuzz_slot *slot, struct fuzz_range range)
{
	if (range.first != OUTSIDE && range.count > 0)
		slot->ranges[slot->num_ranges++] = range;
}

static void find_dsm_ranges(const struct fuzz_host *host, struct fuzz_slot *slot, const struct fuzz_command *command)
{
	struct nvme_dsm_range ranges[FUZZ_RANGES];
	uint32_t count = (slot->cmd.cdw10 & 0xff) + 1;

	memcpy(ranges, command->data, sizeof(ranges));
	for (uint32_t i = 0; i < count; i++) {
		struct fuzz_range range = range_of(host, ranges[i].slba, ranges[i].nlb);

		/* One that is outside, and the whole command is refused. */
		if (range.first == OUTSIDE) {
			slot->num_ranges = 0;
			slot->must_succeed = false;
			return;
		}
		add_range(slot, range);
	}
}

static void find_ranges(struct fuzz_host *host, struct fuzz_slot *slot, const struct fuzz_command *command)
{
	const struct nvme_cmd *cmd = &slot->cmd;
	struct fuzz_range all = {0, host->model.count};
	uint64_t slba = (uint64_t)cmd->cdw11 << 32 | cmd->cdw10;

	slot->vague = host->lba_shift == 0;
	if (slot->sqid == 0 || cmd->nsid != 1 || cmd->opc == NVME_IO_FLUSH)
		return;
	slot->vague = slot->vague || !is_known(cmd->opc) || (cmd->opc == NVME_IO_DSM && !slot->own_pages);
	if (slot->vague)
		add_range(slot, all);
	else if (cmd->opc == NVME_IO_DSM)
		find_dsm_ranges(host, slot, command);
	else
		add_range(slot, range_of(host, slba, (cmd->cdw12 & 0xffff) + 1));
}

void fuzz_judge_fill(struct fuzz_host *host, struct fuzz_slot *slot, uint8_t *data)
{
	const struct nvme_cmd *cmd = &slot->cmd;
	struct fuzz_range range;

	if (cmd->nsid != 1 || host->lba_shift == 0)
		return;
	range = range_of(host, cmd->cdw10, (cmd->cdw12 & 0xffff) + 1);
	if (range.first == OUTSIDE || range.count * FUZZ_SECTOR != slot->length)
		return;
	slot->equal = host->model.keeps;
	for (uint32_t i = 0; i < range.count; i++) {
		const struct fuzz_sector *sector = &host->model.sectors[range.first + i];

		slot->equal = slot->equal && sector->content == FUZZ_KNOWN;
		memcpy(data + i * FUZZ_SECTOR, sector->data, FUZZ_SECTOR);
	}
}

/* The sectors of a read as they are now: it is judged by those that are still so when it completes. */
static void note_versions(const struct fuzz_host *host, struct fuzz_slot *slot)
{
	const struct fuzz_range *range = &slot->ranges[0];

	if (slot->num_ranges != 1)
		return;
	for (uint32_t i = 0; i < range->count; i++) {
		slot->versions[i] = host->model.sectors[range->first + i].version;
		slot->stable[i] = fuzz_model_is_stable(&host->model, range->first + i);
	}
}

void fuzz_judge_prepare(struct fuzz_host *host, struct fuzz_slot *slot, const struct fuzz_command *command)
{
	find_ranges(host, slot, command);
	slot->changes = slot->num_ranges > 0 && is_change(&slot->cmd);
	if (!slot->changes)
		note_versions(host, slot);
	for (uint32_t i = 0; slot->changes && i < slot->num_ranges; i++)
		fuzz_model_begin(&host->model, slot->ranges[i]);
}

/* ---- statuses ---- */

static uint16_t status_of(const struct nvme_cpl *cpl)
{
	return (uint16_t)(NVME_STATUS_SCT(cpl->status) << 8 | NVME_STATUS_SC(cpl->status));
}

static void check_fields(const struct fuzz_slot *slot, const struct nvme_cpl *cpl)
{
	uint16_t status = status_of(cpl);

	if (!strcmp(pyn_status_name(cpl->status), "UNKNOWN"))
		fuzz_fail("SQ %u, opcode %02xh: there is no status %03xh", slot->sqid, slot->cmd.opc, status);
	if (cpl->cdw1 != 0 || NVME_STATUS_CRD(cpl->status) || cpl->status & NVME_STATUS_M)
		fuzz_fail("SQ %u, opcode %02xh: reserved bits are set in its completion", slot->sqid, slot->cmd.opc);
	if (status == NVME_SC_SUCCESS && cpl->status & NVME_STATUS_DNR)
		fuzz_fail("SQ %u, opcode %02xh: DNR in a success", slot->sqid, slot->cmd.opc);
}

static bool sector_is(const struct fuzz_host *host, const struct fuzz_slot *slot, uint32_t i,
		      enum fuzz_content content)
{
	uint32_t index = slot->ranges[0].first + i;

	return slot->stable[i] && fuzz_model_is_stable(&host->model, index) &&
	       host->model.sectors[index].version == slot->versions[i] &&
	       host->model.sectors[index].content == content;
}

/* All sectors of a read are known to be good, and were all the time. */
static bool all_good(const struct fuzz_host *host, const struct fuzz_slot *slot)
{
	if (slot->num_ranges != 1 || slot->vague || slot->changes)
		return false;
	for (uint32_t i = 0; i < slot->ranges[0].count; i++)
		if (!sector_is(host, slot, i, FUZZ_KNOWN))
			return false;
	return true;
}

/* The version of the specification that a command came with, or its log page. */
static uint32_t came_with(const struct fuzz_slot *slot)
{
	uint8_t opcode = slot->cmd.opc, lid = (uint8_t)slot->cmd.cdw10;

	if (slot->sqid != 0)
		return opcode == NVME_IO_VERIFY ? NVME_1_4 : opcode == NVME_IO_WRITE_ZEROES ? NVME_1_1 : NVME_1_0;
	if (opcode == NVME_ADMIN_SELF_TEST || opcode == NVME_ADMIN_SANITIZE)
		return NVME_1_3;
	if (opcode != NVME_ADMIN_GET_LOG_PAGE)
		return NVME_1_0;
	if (lid == NVME_LOG_CHANGED_NS || lid == NVME_LOG_EFFECTS)
		return NVME_1_2;
	return lid == NVME_LOG_ERROR || lid == NVME_LOG_SMART || lid == NVME_LOG_FIRMWARE ? NVME_1_0 : NVME_1_3;
}

static bool is_unknown(const struct fuzz_host *host, const struct fuzz_slot *slot)
{
	return host->options->version < came_with(slot);
}

/* Whether the drive's state explains that a command failed which is right as it is. */
static bool is_excused(const struct fuzz_host *host, const struct fuzz_slot *slot, uint16_t status)
{
	switch (status) {
	case NVME_SC_FORMAT_IN_PROGRESS:
		return slot->vague || slot->cmd.nsid != 1;
	case NVME_SC_SANITIZE_IN_PROGRESS:
	case NVME_SC_SANITIZE_FAILED:
		return host->sanitized;
	case NVME_SC_ABORT_REQUESTED:
		return slot->aborted;
	case NVME_SC_DATA_TRANSFER_ERROR:
		return host->memory->failures != slot->failures;
	case NVME_SC_DEALLOCATED_OR_UNWRITTEN:
		return host->dulbe;
	case NVME_SC_UNRECOVERED_READ_ERROR:
		return slot->sqid != 0 && !all_good(host, slot);
	case NVME_SC_COMPARE_FAILURE:
		return host->erratic || !slot->equal || !all_good(host, slot);
	case NVME_SC_INVALID_OPCODE:
		/* What keeps nothing, keeps no error. */
		return is_unknown(host, slot) ||
		       (slot->sqid != 0 && slot->cmd.opc == NVME_IO_WRITE_UNCORRECTABLE && !host->model.keeps);
	case NVME_SC_INVALID_LOG_PAGE:
		return is_unknown(host, slot);
	case NVME_SC_LBA_OUT_OF_RANGE:
	case NVME_SC_INVALID_FIELD:
		/* Lengths of more than 16 bits came with 1.2.1. */
		if (slot->sqid == 0 && slot->cmd.opc == NVME_ADMIN_GET_LOG_PAGE)
			return slot->cmd.cdw11 && host->options->version < NVME_1_2_1;
		/* The LBA may be larger than the command takes it to be. */
		return slot->sqid != 0 && (slot->vague || slot->cmd.nsid != 1);
	default:
		return false;
	}
}

/* ---- fused operations ---- */

bool fuzz_judge_is_first(const struct nvme_cmd *cmd)
{
	return cmd->opc == NVME_IO_COMPARE && (cmd->flags & NVME_FUSE) == NVME_FUSE_FIRST;
}

bool fuzz_judge_is_second(const struct nvme_cmd *cmd)
{
	return cmd->opc == NVME_IO_WRITE && (cmd->flags & NVME_FUSE) == NVME_FUSE_SECOND;
}

/* What became of a first half is noted in its second, which completes after it. */
static void note_first(struct fuzz_host *host, const struct fuzz_slot *first, uint16_t status)
{
	for (uint32_t i = 0; i < FUZZ_SLOTS; i++) {
		struct fuzz_slot *slot = &host->slots[i];

		if (!slot->used || !slot->paired || slot->first_done || slot->sqid != first->sqid ||
		    slot->first_cid != first->cmd.cid)
			continue;
		slot->first_done = true;
		slot->first_status = status;
	}
}

static bool is_right_second(const struct fuzz_slot *slot, uint16_t status)
{
	switch (status) {
	case NVME_SC_SUCCESS:
		return slot->paired && slot->first_done && slot->first_status == NVME_SC_SUCCESS;
	case NVME_SC_ABORTED_FAILED_FUSED:
		return slot->paired && slot->first_done && slot->first_status != NVME_SC_SUCCESS;
	case NVME_SC_ABORTED_MISSING_FUSED:
		return !slot->paired || (slot->first_done && slot->first_status != NVME_SC_SUCCESS);
	default:
		return slot->paired || status == NVME_SC_ABORT_REQUESTED;
	}
}

static void judge_fused(struct fuzz_host *host, const struct fuzz_slot *slot, uint16_t status)
{
	if (slot->sqid == 0 || !(slot->cmd.flags & NVME_FUSE))
		return;
	if (fuzz_judge_is_first(&slot->cmd)) {
		note_first(host, slot, status);
	} else if (!fuzz_judge_is_second(&slot->cmd)) {
		if (status == NVME_SC_SUCCESS)
			fuzz_fail("opcode %02xh succeeded with flags %02xh", slot->cmd.opc, slot->cmd.flags);
	} else if (!is_right_second(slot, status)) {
		fuzz_fail("SQ %u, CID %u, the second half of a fused operation: %03xh, the first %s %03xh",
			  slot->sqid, slot->cmd.cid, status,
			  slot->first_done ? "was" : "is not done, or not there:", slot->first_status);
	} else {
		host->fused += status == NVME_SC_SUCCESS;
	}
}

/* ---- data ---- */

static void judge_read(struct fuzz_host *host, const struct fuzz_slot *slot)
{
	static uint8_t data[FUZZ_TRANSFER];
	const struct fuzz_range *range = &slot->ranges[0];

	if (slot->num_ranges != 1 || slot->vague || range->count * FUZZ_SECTOR != slot->length || host->erratic)
		return;
	fuzz_prp_read(host, slot, data);
	for (uint32_t i = 0; i < range->count; i++) {
		uint32_t index = range->first + i;

		if (!slot->stable[i] || !fuzz_model_is_stable(&host->model, index) ||
		    host->model.sectors[index].version != slot->versions[i])
			continue;
		fuzz_model_read(&host->model, index, data + i * FUZZ_SECTOR, "read");
		host->judged++;
	}
}

/* A Compare that succeeded: its data are what is stored. */
static void judge_compare(struct fuzz_host *host, const struct fuzz_slot *slot)
{
	static uint8_t data[FUZZ_TRANSFER];
	const struct fuzz_range *range = &slot->ranges[0];

	if (slot->num_ranges != 1 || slot->vague || range->count * FUZZ_SECTOR != slot->length || host->erratic)
		return;
	fuzz_prp_read(host, slot, data);
	for (uint32_t i = 0; i < range->count; i++)
		if (sector_is(host, slot, i, FUZZ_KNOWN))
			fuzz_model_read(&host->model, range->first + i, data + i * FUZZ_SECTOR, "compared");
}

/* Verify and Compare: they find the uncorrectable, as a read does. */
static void judge_access(const struct fuzz_host *host, const struct fuzz_slot *slot)
{
	if (slot->num_ranges != 1 || slot->vague || host->erratic)
		return;
	for (uint32_t i = 0; i < slot->ranges[0].count; i++)
		if (sector_is(host, slot, i, FUZZ_UNCORRECTABLE))
			fuzz_fail("opcode %02xh succeeded over sector %u, which is uncorrectable", slot->cmd.opc,
				  slot->ranges[0].first + i);
}

static void end_write(struct fuzz_host *host, struct fuzz_slot *slot, bool durable)
{
	static uint8_t data[FUZZ_TRANSFER];
	bool whole = slot->own_pages && slot->ranges[0].count * FUZZ_SECTOR == slot->length;

	if (whole)
		fuzz_prp_read(host, slot, data);
	fuzz_model_end(&host->model, slot->ranges[0], whole ? FUZZ_KNOWN : FUZZ_UNKNOWN, whole ? data : NULL,
		       durable);
}

static void end_change(struct fuzz_host *host, struct fuzz_slot *slot)
{
	bool durable = slot->cmd.cdw12 & NVME_RW_FUA && !slot->vague;
	enum fuzz_content content = FUZZ_UNKNOWN;

	if (!slot->vague && slot->cmd.opc == NVME_IO_WRITE) {
		end_write(host, slot, durable);
		return;
	}
	if (!slot->vague && slot->cmd.opc == NVME_IO_WRITE_UNCORRECTABLE)
		content = FUZZ_UNCORRECTABLE;
	else if (!slot->vague)
		content = FUZZ_KNOWN; /* zeros */
	if (slot->cmd.opc != NVME_IO_WRITE_ZEROES)
		durable = false;
	for (uint32_t i = 0; i < slot->num_ranges; i++)
		fuzz_model_end(&host->model, slot->ranges[i], content, NULL, durable);
}

/* After these a part of the change may have been made; after all others nothing was. */
static bool may_be_half_done(uint16_t status)
{
	return status == NVME_SC_ABORT_REQUESTED || status == NVME_SC_DATA_TRANSFER_ERROR ||
	       status == NVME_SC_INTERNAL_ERROR || status == NVME_SC_WRITE_FAULT;
}

static void give_up(struct fuzz_host *host, struct fuzz_slot *slot)
{
	for (uint32_t i = 0; slot->changes && i < slot->num_ranges; i++)
		fuzz_model_end(&host->model, slot->ranges[i], FUZZ_UNKNOWN, NULL, false);
	slot->changes = false;
}

void fuzz_judge_dropped(struct fuzz_host *host, struct fuzz_slot *slot)
{
	give_up(host, slot);
}

/* Fields with which the new commands must not succeed, whatever the drive's state. */
static bool can_succeed(const struct nvme_cmd *cmd)
{
	switch (cmd->opc) {
	case NVME_ADMIN_FW_DOWNLOAD:
		return cmd->cdw10 % 1024 == 1023 && cmd->cdw11 % 1024 == 0;
	case NVME_ADMIN_FW_COMMIT:
		return (cmd->cdw10 & NVME_FW_SLOT_MASK) <= 3 &&
		       (cmd->cdw10 >> NVME_FW_ACTION_SHIFT & 7) <= NVME_FW_ACTIVATE_NOW;
	case NVME_ADMIN_SELF_TEST:
		switch (cmd->cdw10 & 0xf) {
		case NVME_SELF_TEST_SHORT:
		case NVME_SELF_TEST_EXTENDED:
		case NVME_SELF_TEST_ABORT:
			return true;
		default:
			return false;
		}
	default:
		return true;
	}
}

static void judge_success(struct fuzz_host *host, struct fuzz_slot *slot)
{
	host->succeeded++;
	if (is_unknown(host, slot))
		fuzz_fail("opcode %02xh with CDW10 %08xh succeeded, which version %06xh has not", slot->cmd.opc,
			  slot->cmd.cdw10, host->options->version);
	if (slot->sqid == 0 && !can_succeed(&slot->cmd))
		fuzz_fail("opcode %02xh with CDW10 %08xh, 11 %08xh succeeded", slot->cmd.opc, slot->cmd.cdw10,
			  slot->cmd.cdw11);
	if (slot->changes)
		end_change(host, slot);
	else if (slot->sqid != 0 && slot->cmd.opc == NVME_IO_READ && slot->own_pages)
		judge_read(host, slot);
	else if (slot->sqid != 0 && slot->cmd.opc == NVME_IO_COMPARE && slot->own_pages)
		judge_compare(host, slot);
	else if (slot->sqid != 0 && (slot->cmd.opc == NVME_IO_VERIFY || slot->cmd.opc == NVME_IO_COMPARE))
		judge_access(host, slot);
	else if (slot->sqid != 0 && slot->cmd.opc == NVME_IO_FLUSH &&
		 (slot->cmd.nsid == 1 || slot->cmd.nsid == UINT32_MAX))
		fuzz_model_flushed(&host->model, slot->submitted_at);
}

static void judge_failure(struct fuzz_host *host, struct fuzz_slot *slot, uint16_t status)
{
	if (slot->must_succeed && !is_excused(host, slot, status))
		fuzz_fail("SQ %u, opcode %02xh, NSID %u, CDW10 %08xh, 11 %08xh, 12 %08xh: %s, and nothing is wrong",
			  slot->sqid, slot->cmd.opc, slot->cmd.nsid, slot->cmd.cdw10, slot->cmd.cdw11,
			  slot->cmd.cdw12, pyn_status_name((uint16_t)(status << 1)));
	if (may_be_half_done(status)) {
		give_up(host, slot);
		return;
	}
	for (uint32_t i = 0; slot->changes && i < slot->num_ranges; i++)
		fuzz_model_refused(&host->model, slot->ranges[i]);
}

void fuzz_judge_completion(struct fuzz_host *host, struct fuzz_slot *slot, const struct nvme_cpl *cpl)
{
	uint16_t status = status_of(cpl);

	check_fields(slot, cpl);
	judge_fused(host, slot, status);
	if (status == NVME_SC_ABORT_REQUESTED && !slot->aborted)
		fuzz_fail("SQ %u, opcode %02xh: aborted, which nobody has asked for", slot->sqid, slot->cmd.opc);
	if (slot->own_pages && !fuzz_prp_is_fenced(host, slot))
		fuzz_fail("SQ %u, opcode %02xh wrote elsewhere than into the %u bytes that it may write", slot->sqid,
			  slot->cmd.opc, slot->cmd.opc & NVME_DATA_FROM_DEVICE ? slot->length : 0);
	if (status == NVME_SC_SUCCESS)
		judge_success(host, slot);
	else
		judge_failure(host, slot, status);
}
