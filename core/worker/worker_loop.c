/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The IO path of a worker. One turn of its loop reaps the new completions, sends the next command in each freed slot
 * at once, and rings two doorbells. Nothing here makes a system call, takes a lock or allocates; rare cases are not
 * inline.
 *
 * docs/performance.md follows one command through it, with its cost in instructions and cache lines.
 */
#include "core/verify/verify_table.h"
#include "core/worker/worker_run.h"
#include "core/worker/worker_meta.h"
#include "core/worker/extra.h"
#include "core/worker/zones.h"

#include <sched.h>
#include <time.h>

#include "core/env/env.h"
#include "core/util/clock.h"
#include "spec/nvme_field.h"

/* tools/native.mk compiles this file a second time, for newer processors, under another name. */
#ifndef PYN_WORKER_LOOP
#define PYN_WORKER_LOOP pyn_worker_loop
#endif

#define POLL_BATCH 32u
#define EMPTY_TURNS_BEFORE_YIELD 1000u
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOT_INLINE __attribute__((noinline))

/* ---- which IO comes next ---- */

/* Reduce an IO to its first part that begins at an aligned LBA and is not known to be uncorrectable. false: there is
 * none, or the next IO of contiguous IO reaches it as a whole. */
static bool cut_out_uncorrectable(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	uint64_t past = io->slba + io->nlb;

	for (uint64_t lba = io->slba; lba < past;) {
		bool uncorrectable;
		uint64_t alike = pyn_verify_alike(run->verify, lba, past - lba, &uncorrectable);

		if (lba + alike < past)
			pyn_workload_go_on_at(&run->workload, lba + alike);
		if (!uncorrectable) {
			io->slba = lba;
			io->nlb = (uint32_t)alike;
			return true;
		}
		if (run->workload.is.contiguous)
			return false;
		lba = pyn_workload_align_up(lba + alike, run->workload.lba_align[io->size]);
	}
	return false;
}

/* Skip LBAs in sequential IO that are known to be uncorrectable. If the region has no others, they are sent, and the
 * script gets the errors of the drive. */
static NOT_INLINE bool skip_uncorrectable(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	uint32_t wraps = run->workload.wraps;

	while (io->sequential && !cut_out_uncorrectable(run, io)) {
		if (run->workload.is.stays || run->workload.wraps - wraps > 1) {
			run->state.skips_nothing = true;
			return true;
		}
		if (!pyn_workload_next(&run->workload, io))
			return false;
	}
	return true;
}

static void next_step(struct pyn_worker_run *run, struct pyn_workload_io *io, uint8_t *opcode)
{
	const struct pyn_workload_step *step = &run->config.sequence[run->ios.step++];

	*io = (struct pyn_workload_io){.slba = step->slba, .nlb = step->nlb};
	*opcode = (uint8_t)step->opcode;
	for (uint8_t op = 0; op < run->config.workload.ops; op++)
		if (run->config.workload.opcode[op] == *opcode)
			io->op = op;
}

/* Choose an IO of a replay, of several regions, or of zones. */
static NOT_INLINE bool next_special(struct pyn_worker_run *run, struct pyn_workload_io *io, uint8_t *opcode)
{
	if (run->state.zones) {
		enum pyn_zone_choice choice = pyn_zones_next(run, io, opcode);

		run->state.waits = choice == PYN_ZONE_WAIT;
		return choice == PYN_ZONE_SEND;
	}
	if (run->config.steps) {
		next_step(run, io, opcode);
		return true;
	}
	if (!pyn_workload_next(&run->workload, io))
		return false;
	*opcode = run->config.workload.opcode[io->op];
	pyn_extra_place(run, io);
	return true;
}

static ALWAYS_INLINE bool next_io(struct pyn_worker_run *run, struct pyn_workload_io *io, uint8_t *opcode)
{
	if (run->state.is_special)
		return next_special(run, io, opcode);
	if (!pyn_workload_next(&run->workload, io))
		return false;
	if (io->sequential && run->verify && !run->state.skips_nothing && pyn_verify_has_uncorrectable(run->verify) &&
	    !skip_uncorrectable(run, io))
		return false;
	*opcode = run->config.workload.opcode[io->op];
	return true;
}

/* ---- its command ---- */

/* Let the command of a slot name the first length bytes of these data. */
static ALWAYS_INLINE void name_data(const struct pyn_worker_run *run, struct pyn_worker_slot *slot,
				    struct pyn_data_template *data, uint32_t length)
{
	if (data->length != length)
		run->engine->rings->describe(run->queue, data, length);
	pyn_data_template_copy(&slot->cmd, data);
}

/* Let the next command of a slot use an SGL (psdt 1) or PRPs (0), which the engine describes anew. */
static void use(struct pyn_worker_slot *slot, uint8_t psdt)
{
	slot->read.psdt = slot->write.psdt = slot->range.psdt = psdt;
	slot->read.length = slot->write.length = slot->range.length = 0;
}

/* Let the next command of a slot use an SGL or PRPs, so that the share of SGLs is exact after every 100 IOs. */
static NOT_INLINE void use_share(struct pyn_worker_run *run, struct pyn_worker_slot *slot)
{
	uint8_t psdt;

	run->state.sgl_sum += run->config.extra.sgl_percentage;
	psdt = run->state.sgl_sum >= 100;
	run->state.sgl_sum -= psdt * 100u;
	if (slot->read.psdt != psdt)
		use(slot, psdt);
}

static bool mixes_sgls(const struct pyn_worker_run *run)
{
	return run->config.extra.sgl_percentage % 100 != 0;
}

/* Let a write name the next placement identifier, and other commands none. */
static void place(struct pyn_worker_run *run, struct pyn_worker_slot *slot)
{
	const struct pyn_extra_config *config = &run->config.extra;
	uint32_t next = run->state.placed;

	slot->cmd.cdw13 = 0;
	if (slot->cmd.opc != NVME_IO_WRITE)
		return;
	if (config->placement_random)
		next = (uint32_t)pyn_random_below(&run->workload.random, config->placements);
	else
		run->state.placed = next + 1 == config->placements ? 0 : next + 1;
	nvme_set_field(&slot->cmd, NVME_FIELD_WRITE_DTYPE, config->directive);
	nvme_set_field(&slot->cmd, NVME_FIELD_WRITE_DSPEC, config->placement[next]);
}

static struct nvme_dsm_range *range_of(const struct pyn_worker_slot *slot)
{
	return slot->range.memory;
}

static NOT_INLINE void describe_other(const struct pyn_worker_run *run, struct pyn_worker_slot *slot)
{
	static const struct pyn_data_template no_data;
	struct nvme_cmd *cmd = &slot->cmd;

	uint8_t timed = run->state.flags_of_other;

	slot->flags = timed | (run->noted ? PYN_FLAG_CHANGE : PYN_FLAG_NONE);
	pyn_data_template_copy(cmd, &no_data);
	switch (cmd->opc) {
	case NVME_IO_FLUSH:
		slot->flags = timed | (run->verify ? PYN_FLAG_CHANGE : PYN_FLAG_NONE);
		slot->slba = 0;
		cmd->cdw12 = 0;
		break;
	case NVME_IO_DSM:
		*range_of(slot) = (struct nvme_dsm_range){0, slot->nlb, slot->slba};
		name_data(run, slot, &slot->range, sizeof(struct nvme_dsm_range));
		cmd->cdw12 = 0;
		slot->slba = (uint64_t)NVME_DSM_AD << 32; /* one range in dword 10, and what to do in dword 11 */
		slot->flags = timed | PYN_FLAG_CHANGE; /* also without verification, since its range must be logged */
		break;
	case NVME_IO_COMPARE:
		name_data(run, slot, &slot->write, slot->nlb * run->config.lba_size);
		slot->flags = timed;
		break;
	case NVME_IO_VERIFY:
		slot->flags = timed;
		break;
	}
}

/* Fill in the command of slot index for an IO. */
static ALWAYS_INLINE void describe(const struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t index,
				   const struct pyn_workload_io *io, uint8_t opcode)
{
	uint32_t length = io->nlb * run->config.lba_size;

	slot->nlb = io->nlb;
	slot->op = io->op;
	slot->slba = io->slba;
	slot->cmd.opc = opcode;
	slot->cmd.cid = index;
	slot->cmd.nsid = run->config.nsid;
	slot->cmd.cdw12 = io->nlb - 1;
	if (opcode == NVME_IO_READ) {
		slot->flags = run->state.flags_of_read;
		name_data(run, slot, &slot->read, length);
	} else if (opcode == NVME_IO_WRITE) {
		slot->flags = run->state.flags_of_write;
		name_data(run, slot, &slot->write, length);
	} else {
		describe_other(run, slot);
	}
}

/* Describe a whole IO of a plain workload, whose commands differ only in their SLBA. */
static NOT_INLINE void describe_whole(const struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t index)
{
	const struct pyn_workload_io io = {.slba = run->workload.start, .nlb = run->workload.io_size[0]};

	describe(run, slot, index, &io, run->config.workload.opcode[0]);
}

static NOT_INLINE void describe_cut(const struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint64_t slba)
{
	const struct pyn_workload_io io = {.slba = slba, .nlb = (uint32_t)(run->workload.end - slba)};

	describe(run, slot, slot->cmd.cid, &io, slot->cmd.opc);
	slot->flags |= PYN_FLAG_DESCRIBE;
}

/* Choose the next IO of a plain workload. */
static ALWAYS_INLINE void choose_plain(struct pyn_worker_run *run, struct pyn_worker_slot *slot)
{
	slot->slba = pyn_workload_random_slba(&run->workload, 0);
	if (__builtin_expect(slot->slba > run->workload.last_whole, 0))
		describe_cut(run, slot, slot->slba);
}

/* Choose the kind of the workload, before the loop begins. */
static enum pyn_worker_kind prepare_plain(struct pyn_worker_run *run)
{
	uint8_t opcode = run->config.workload.opcode[0];
	const struct pyn_extra_config *extra = &run->config.extra;
	uint8_t timed = extra->by_opcode || extra->from_due ? PYN_FLAG_TIMED : PYN_FLAG_NONE;

	run->state.flags_of_read = timed | (run->config.check ? PYN_FLAG_CHECK : PYN_FLAG_NONE);
	run->state.flags_of_write = timed | (run->noted ? PYN_FLAG_CHANGE : PYN_FLAG_NONE);
	run->state.flags_of_other = timed;
	run->state.is_special = run->config.steps || run->config.extra.regions || run->state.zones;
	run->state.is_unusual = mixes_sgls(run) || run->state.meta.slots || extra->placements || run->state.zones;
	if (run->state.meta.slots) {
		run->state.flags_of_read = timed | PYN_FLAG_META;
		run->state.flags_of_write |= PYN_FLAG_META;
		run->state.flags_of_other |= PYN_FLAG_META;
	}

	for (uint16_t i = 0; run->config.extra.sgl_percentage == 100 && i < run->slot_count; i++)
		use(&run->slots[i], 1);
	if (!run->workload.is.plain || run->config.steps || run->state.is_unusual ||
	    (opcode != NVME_IO_READ && opcode != NVME_IO_WRITE))
		return PYN_WORKER_VARIED;
	for (uint16_t i = 0; i < run->slot_count; i++)
		describe_whole(run, &run->slots[i], i);
	if (run->slots[0].flags == PYN_FLAG_NONE)
		return PYN_WORKER_BARE;
	return run->slots[0].flags == PYN_FLAG_CHECK ? PYN_WORKER_PLAIN_READ : PYN_WORKER_PLAIN;
}

/* ---- notes for verification at submission ---- */

/* Stamp a write, and note its LBAs below the limit. The flight is MOVING only while the cells change: a process that
 * is killed then leaves LBAs that cannot be judged for a while. */
static ALWAYS_INLINE void begin_write(struct pyn_worker_run *run, const struct pyn_worker_slot *slot,
				      struct pyn_worker_flight *flight)
{
	uint64_t slba = slot->slba, token = pyn_token_take(slot->nlb);
	uint32_t noted = (uint32_t)pyn_verify_clip(run->noted, slba, slot->nlb);
	uint32_t few[PYN_VERIFY_BATCH];
	uint32_t *crc = noted <= PYN_VERIFY_BATCH ? few : slot->write_crc;

	pyn_verify_stamp(run->verify, slot->write_data, slba, slot->nlb, token);
	/* Only the stamps of the data have changed, so the rest need not be read again. */
	pyn_crc32c_restamp_blocks(&run->stamp, slot->base_crc, slba, token, noted, crc);
	flight->slba = slba;
	flight->nlb = noted;
	pyn_flight_set(flight, PYN_FLIGHT_MOVING);
	pyn_verify_write_begin_crc(run->verify, slba, noted, crc, token);
	pyn_flight_set(flight, PYN_FLIGHT_BEGUN);
}

/* Note a change other than a write; state is that of the LBAs afterwards. */
static void begin_change(struct pyn_worker_run *run, const struct pyn_worker_slot *slot,
			 struct pyn_worker_flight *flight, uint64_t slba, enum pyn_cell_state state)
{
	flight->slba = slba;
	flight->nlb = (uint32_t)pyn_verify_clip(run->noted, slba, slot->nlb);
	pyn_flight_set(flight, PYN_FLIGHT_MOVING);
	pyn_verify_change_begin(run->verify, slba, flight->nlb, state);
	pyn_flight_set(flight, PYN_FLIGHT_BEGUN);
}

static NOT_INLINE void begin_other(struct pyn_worker_run *run, const struct pyn_worker_slot *slot,
				   struct pyn_worker_flight *flight, struct pyn_cmdlog_entry *entry)
{
	enum pyn_cell_state state = PYN_CELL_UNKNOWN;
	uint64_t slba = slot->slba;

	if (slot->cmd.opc == NVME_IO_DSM) {
		state = PYN_CELL_DEALLOCATED;
		slba = range_of(slot)->slba;
		pyn_cmdlog_range(entry, slba, slot->nlb);
	} else if (slot->cmd.opc == NVME_IO_WRITE_ZEROES) {
		state = PYN_CELL_ZEROES;
	} else if (slot->cmd.opc == NVME_IO_WRITE_UNCORRECTABLE) {
		state = PYN_CELL_UNCORRECTABLE;
	}
	if (slot->cmd.opc == NVME_IO_FLUSH)
		flight->slba = pyn_verify_flush_begin(run->verify);
	else if (run->noted)
		begin_change(run, slot, flight, slba, state);
}

static ALWAYS_INLINE void begin(struct pyn_worker_run *run, struct pyn_worker_slot *slot,
				struct pyn_cmdlog_entry *entry)
{
	if (slot->flags & PYN_FLAG_CHECK)
		pyn_verify_snapshot(run->verify, slot->slba, slot->nlb, slot->cells);
	else if (slot->cmd.opc == NVME_IO_WRITE)
		begin_write(run, slot, &run->flight[slot->cmd.cid]);
	else
		begin_other(run, slot, &run->flight[slot->cmd.cid], entry);
}

static NOT_INLINE void begin_metadata(struct pyn_worker_run *run, struct pyn_worker_slot *slot,
				      struct pyn_cmdlog_entry *entry)
{
	if (slot->flags & PYN_FLAG_CHANGE && slot->cmd.opc != NVME_IO_WRITE)
		begin_other(run, slot, &run->flight[slot->cmd.cid], entry);
	pyn_worker_meta_begin(run, slot);
}

/* Add what a command has beside its LBAs and data. true: it has metadata, with which it has begun. */
static NOT_INLINE bool begin_unusual(struct pyn_worker_run *run, struct pyn_worker_slot *slot,
				     const struct pyn_workload_io *io, struct pyn_cmdlog_entry *entry)
{
	if (run->state.zones)
		pyn_zones_begin(run, slot, io);
	else if (run->config.extra.placements)
		place(run, slot);
	if (run->state.meta.slots)
		begin_metadata(run, slot, entry);
	return run->state.meta.slots;
}

/* Prepare the next command of slot index. false: there is none, since the region is filled. */
static NOT_INLINE bool prepare(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t index,
			       struct pyn_cmdlog_entry *entry)
{
	pyn_cmdlog_range(entry, 0, 0);
	if (run->state.kind != PYN_WORKER_VARIED) {
		choose_plain(run, slot);
	} else {
		struct pyn_workload_io io;
		uint8_t opcode;

		if (!next_io(run, &io, &opcode)) {
			run->ios.quota = run->ios.sent;
			if (!run->state.waits)
				run->ios.to_send = run->ios.sent;
			return false;
		}
		if (__builtin_expect(run->state.is_unusual, 0) && mixes_sgls(run))
			use_share(run, slot);
		describe(run, slot, index, &io, opcode);
		run->result.io_count[slot->op]++;
		if (__builtin_expect(run->state.is_unusual, 0) && begin_unusual(run, slot, &io, entry))
			return true;
	}
	if (slot->flags & (PYN_FLAG_CHECK | PYN_FLAG_CHANGE))
		begin(run, slot, entry);
	return true;
}

/* ---- errors ---- */

/* Record a failed command and end the IO path. */
static NOT_INLINE void failed(struct pyn_worker_run *run, uint16_t status)
{
	if (atomic_load_explicit(&run->device_shared->cut_offs, memory_order_relaxed) != run->cut_offs) {
		/* A reset aborts the commands in flight and ends the worker; that is no error. */
		run->ios.quota = run->ios.sent;
		run->state.leave = true;
		return;
	}
	if (run->config.extra.continue_on_error) {
		run->result.failed_ios++;
		if (!run->result.status)
			run->result.status = status;
		return;
	}
	run->ios.quota = run->ios.sent;
	run->state.stopping = true;
	if (run->config.fw_debug)
		run->state.leave = true;
	if (run->result.error)
		return;
	run->result.error = PYN_WORKER_IO_ERROR;
	run->result.status = status;
}

/* Record what was found out about a read. */
static void judged(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, bool right,
		   const struct pyn_mismatch *found)
{
	if (found->zeroed)
		pyn_verify_note_zeros(run->verify, slot->slba, slot->nlb, slot->cells);
	if (right)
		return;
	if (run->result.mismatched_reads++ == 0)
		run->result.mismatch = *found;
	pyn_cmdlog_tell(run->log, slot->number, PYN_CMDLOG_MISMATCH);
	failed(run, PYN_STATUS_MISMATCH);
}

/* Judge a read that the quick check does not accept: it is wrong, or only partly known. */
static NOT_INLINE void look_closer(struct pyn_worker_run *run, const struct pyn_worker_slot *slot)
{
	struct pyn_mismatch found;
	bool right = pyn_verify_read_end(run->verify, slot->slba, slot->nlb, slot->read_data, slot->cells,
					 &run->counts, &found);

	judged(run, slot, right, &found);
}

static NOT_INLINE void end_metadata(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint16_t status)
{
	struct pyn_mismatch found;

	if (slot->cmd.opc != NVME_IO_READ)
		pyn_worker_meta_end(run, slot, status);
	else if (!status && run->config.check)
		judged(run, slot, pyn_worker_meta_judge(run, slot, &found), &found);
}

/* ---- completions ---- */

/* Check eight LBAs, which most tests read at once: the compiler unrolls the loop. */
static NOT_INLINE void check_eight(struct pyn_worker_run *run, const struct pyn_worker_slot *slot)
{
	if (!pyn_verify_read_is_right(run->verify, slot->slba, 8, slot->read_data, slot->cells, &run->counts))
		look_closer(run, slot);
}

static NOT_INLINE void check_any(struct pyn_worker_run *run, const struct pyn_worker_slot *slot)
{
	if (slot->nlb > PYN_VERIFY_BATCH ||
	    !pyn_verify_read_is_right(run->verify, slot->slba, slot->nlb, slot->read_data, slot->cells, &run->counts))
		look_closer(run, slot);
}

static ALWAYS_INLINE void check_read(struct pyn_worker_run *run, const struct pyn_worker_slot *slot)
{
	if (slot->nlb == 8)
		check_eight(run, slot);
	else
		check_any(run, slot);
}

static ALWAYS_INLINE void end_change(struct pyn_worker_run *run, const struct pyn_worker_slot *slot,
				     struct pyn_worker_flight *flight, uint16_t status)
{
	if (!run->verify)
		return;
	if (slot->cmd.opc == NVME_IO_FLUSH) {
		if (!status)
			pyn_verify_flush_end(run->verify, flight->slba);
		return;
	}
	if (!run->noted)
		return;
	enum pyn_write_outcome outcome = pyn_verify_outcome(run->verify, !status, slot->submitted);

	pyn_flight_set(flight, PYN_FLIGHT_MOVING);
	if (slot->cmd.opc == NVME_IO_WRITE)
		pyn_verify_write_end(run->verify, flight->slba, flight->nlb, outcome);
	else
		pyn_verify_change_end(run->verify, flight->slba, flight->nlb, outcome);
	pyn_flight_set(flight, PYN_FLIGHT_NONE);
}

static void end_zone(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t status)
{
	struct pyn_mismatch found = {0};

	judged(run, slot, pyn_zones_end(run, slot, status, &found), &found);
}

static NOT_INLINE void end_rare(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t status)
{
	if (slot->flags & PYN_FLAG_ZONE)
		end_zone(run, slot, status);
	if (slot->flags & PYN_FLAG_META)
		end_metadata(run, slot, status);
	if (slot->flags & PYN_FLAG_TIMED)
		pyn_extra_time(run, slot);
	if (slot->flags & PYN_FLAG_DESCRIBE)
		describe_whole(run, slot, slot->cmd.cid);
}

static NOT_INLINE void end(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t status)
{
	if (slot->flags & PYN_FLAG_CHANGE)
		end_change(run, slot, &run->flight[slot->cmd.cid], status);
	else if (slot->flags & PYN_FLAG_CHECK && !status)
		check_read(run, slot);
	if (slot->flags & (PYN_FLAG_DESCRIBE | PYN_FLAG_TIMED | PYN_FLAG_META | PYN_FLAG_ZONE))
		end_rare(run, slot, status);
	if (status)
		failed(run, status);
}

/* ---- submission and completion: compiled for our own rings, and for the engine's table ---- */

/* The data of the command of a slot. */
static struct pyn_data data_of(const struct pyn_worker_run *run, const struct pyn_worker_slot *slot)
{
	const struct pyn_data_template *data;

	switch (slot->cmd.opc) {
	case NVME_IO_READ:
		data = &slot->read;
		break;
	case NVME_IO_WRITE:
	case NVME_IO_COMPARE:
	case NVME_IO_ZONE_APPEND:
		data = &slot->write;
		break;
	case NVME_IO_ZONE_MGMT_RECEIVE:
		data = &run->state.zones->report_data;
		break;
	case NVME_IO_DSM:
		data = &slot->range;
		break;
	default:
		return (struct pyn_data){0};
	}
	return (struct pyn_data){.address = data->memory, .length = data->length, .sgl = data->psdt};
}

/* Submit through the engine's table, which describes the data itself. false: no memory. */
static NOT_INLINE bool put_by_table(struct pyn_worker_run *run, const struct pyn_worker_slot *slot,
				    struct nvme_cmd *log)
{
	struct nvme_cmd cmd;

	pyn_cmd_write(&cmd, log, &slot->cmd, slot->slba);
	if (run->engine->submit(run->queue, slot->cmd.cid, &cmd, data_of(run, slot), NULL) == 0) {
		*log = cmd;
		return true;
	}
	if (slot->flags & PYN_FLAG_CHANGE)
		end_change(run, slot, &run->flight[slot->cmd.cid], PYN_STATUS_MISMATCH);
	if (run->state.meta.slots)
		pyn_worker_meta_end(run, slot, PYN_STATUS_MISMATCH);
	if (run->state.kind == PYN_WORKER_VARIED)
		run->result.io_count[slot->op]--;
	run->ios.quota = run->ios.sent;
	run->state.stopping = true;
	run->result.error = PYN_WORKER_MEMORY;
	return false;
}

/* Put the next command of a free slot; the device sees it once the doorbell is rung. false: there is no command. */
static ALWAYS_INLINE bool send(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t index, uint64_t now,
			       const bool rings)
{
	uint64_t number = run->ios.sent + 1;
	struct pyn_cmdlog_entry *entry = pyn_cmdlog_begin(run->log, number);

	if (__builtin_expect(run->state.kind == PYN_WORKER_BARE, 1)) {
		choose_plain(run, slot);
	} else if (run->state.kind == PYN_WORKER_PLAIN_READ) {
		choose_plain(run, slot);
		pyn_verify_snapshot(run->verify, slot->slba, slot->nlb, slot->cells);
	} else if (!prepare(run, slot, index, entry)) {
		return false;
	}
	if (rings)
		pyn_cmd_write(pyn_rings_put(run->rings), &entry->cmd, &slot->cmd, slot->slba);
	else if (!put_by_table(run, slot, &entry->cmd))
		return false;
	slot->submitted = now;
	slot->number = number;
	run->ios.sent = number;
	pyn_cmdlog_end(entry, number, now);
	return true;
}

/* Process a completion, and send the next command in its slot, as long as the quota lasts. A device may write
 * anything, so completions of commands that it was not told of are ignored. */
static ALWAYS_INLINE void turn_round(struct pyn_worker_run *run, uint16_t index, const struct nvme_cpl *cpl,
				     uint64_t now, const bool rings)
{
	struct pyn_worker_slot *slot = &run->slots[index];

	/* A number of 0, which means not in flight, becomes the largest number here. */
	if (index >= run->slot_count || slot->number - 1 >= run->ios.announced)
		return;
	pyn_histogram_record(&run->shared->latency, now - slot->submitted);
	pyn_cmdlog_complete(run->log, slot->number, cpl, now);
	if (__builtin_expect(slot->flags | cpl->status >> 1, 0)) {
		if (slot->flags == PYN_FLAG_CHECK && cpl->status >> 1 == 0)
			check_read(run, slot);
		else
			end(run, slot, cpl->status >> 1 & 0x7ff);
	}
	slot->number = 0;
	if (__builtin_expect(run->ios.sent >= run->ios.quota || !send(run, slot, index, now, rings), 0))
		run->free.slots[run->free.count++] = index;
}

static ALWAYS_INLINE unsigned reap_rings(struct pyn_worker_run *run, uint64_t before)
{
	const volatile struct nvme_cpl *entry = &run->rings->cq[run->rings->cq_head];
	unsigned count = pyn_rings_ready(run->rings, POLL_BATCH);

	if (count) {
		uint64_t now = pyn_ticks();

		for (unsigned i = 0; i < count; i++) {
			struct nvme_cpl cpl = pyn_rings_completion(&entry[i]);

			turn_round(run, cpl.cid, &cpl, now, true);
		}
		pyn_rings_take(run->rings, count);
		pyn_rings_release(run->rings);
		run->clock.last_completion = now;
	}
	/* After completions at the end of the ring there may be more at its start. */
	if (count == 0 || (count < POLL_BATCH && run->rings->cq_head))
		run->clock.polled = before;
	return count;
}

static ALWAYS_INLINE unsigned reap_table(struct pyn_worker_run *run, uint64_t before)
{
	struct pyn_completion completions[POLL_BATCH];
	unsigned count = run->engine->poll(run->queue, completions, POLL_BATCH);

	if (count) {
		uint64_t now = pyn_ticks();

		for (unsigned i = 0; i < count; i++)
			turn_round(run, completions[i].slot, &completions[i].cpl, now, false);
		run->clock.last_completion = now;
	}
	if (count < POLL_BATCH)
		run->clock.polled = before;
	return count;
}

/* Number of IOs that may be sent in this turn. */
static ALWAYS_INLINE uint64_t allowance(struct pyn_worker_run *run, uint64_t now)
{
	uint64_t most = PYN_WORKER_BATCH;

	if (run->state.stopping)
		return 0;
	if (run->rate.limits) {
		uint64_t due = pyn_worker_due(run, now);

		most = due < most ? due : most;
	}
	return most < run->ios.to_send - run->ios.sent ? most : run->ios.to_send - run->ios.sent;
}

/* Tell the device about the commands sent, and publish the counts for the script. */
static ALWAYS_INLINE void conclude(struct pyn_worker_run *run, const bool rings)
{
	if (rings)
		pyn_rings_submit(run->rings);
	else
		run->engine->ring(run->queue);
	run->ios.announced = run->ios.sent;
	pyn_cmdlog_publish(run->log, run->ios.sent);
	atomic_store_explicit(&run->shared->sent, run->ios.sent, memory_order_relaxed);
}

/* Send commands in free slots: at the start, and if a rate leaves slots idle. */
static ALWAYS_INLINE void fill(struct pyn_worker_run *run, uint64_t now, const bool rings)
{
	while (run->ios.sent < run->ios.quota && run->free.count) {
		uint16_t index = run->free.slots[run->free.count - 1];

		if (!send(run, &run->slots[index], index, now, rings))
			return;
		run->free.count--;
	}
}

/* Run one turn. Returns the number of completions and submissions. */
static ALWAYS_INLINE uint64_t turn(struct pyn_worker_run *run, uint64_t now, const bool rings)
{
	uint64_t before = run->ios.sent, taken;

	run->ios.quota = before + allowance(run, now);
	taken = rings ? reap_rings(run, now) : reap_table(run, now);
	fill(run, now, rings);
	if (run->ios.sent != before)
		conclude(run, rings);
	if (run->ios.sent == run->ios.to_send)
		run->state.stopping = true;
	if (taken) {
		run->ios.completed = run->ios.sent - (uint64_t)(run->slot_count - run->free.count);
		atomic_store_explicit(&run->shared->completed, run->ios.completed, memory_order_relaxed);
	}
	return taken + (run->ios.sent - before);
}

/* Sleep while nothing is in flight and the next IO is not due yet. */
static void rest(const struct pyn_worker_run *run, unsigned *empty)
{
	struct timespec pause = {.tv_nsec = 50000};

	if (++*empty < EMPTY_TURNS_BEFORE_YIELD)
		return;
	*empty = 0;
	if (run->rate.limits && run->free.count == run->slot_count)
		nanosleep(&pause, NULL);
	else
		sched_yield();
}

static ALWAYS_INLINE void loop(struct pyn_worker_run *run, const bool rings)
{
	unsigned empty = 0;
	uint64_t now = pyn_ticks();

	for (;;) {
		uint64_t done = turn(run, now, rings);
		uint64_t after = pyn_ticks();

		if (done) {
			run->clock.busy_ticks += after - now;
			empty = 0;
		} else {
			rest(run, &empty);
		}
		now = after;
		if (run->config.seconds && now >= run->seconds.next)
			pyn_worker_count_seconds(run, now, false);
		if (now >= run->clock.next_chore || now >= run->clock.ends)
			pyn_worker_chores(run, now);
		if (run->state.leave || (run->state.stopping && run->free.count == run->slot_count))
			return;
	}
}

static void loop_over_table(struct pyn_worker_run *run)
{
	loop(run, false);
}

static void loop_over_rings(struct pyn_worker_run *run)
{
	loop(run, true);
}

void PYN_WORKER_LOOP(struct pyn_worker_run *run)
{
	run->state.kind = prepare_plain(run);
	if (run->rings)
		loop_over_rings(run);
	else
		loop_over_table(run);
}
