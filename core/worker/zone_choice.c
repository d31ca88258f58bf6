/* SPDX-License-Identifier: BSD-3-Clause */
/* Which zone, and which LBAs, the next IO of a worker with zones goes to. */
#include "core/worker/zones.h"

#include "spec/nvme_cmd.h"

static void cut(struct pyn_workload_io *io, uint64_t left)
{
	io->nlb = io->nlb < left ? io->nlb : (uint32_t)left;
}

static uint64_t unwritten(const struct pyn_worker_zone *zone)
{
	return zone->past - zone->next;
}

/* Whether a write, or an append, can be sent to this zone now, without a reset. */
static bool is_ready(const struct pyn_worker_zone *zone, bool appends)
{
	if (zone->cannot_be_written || zone->needs_reset || zone->is_resetting || !unwritten(zone))
		return false;
	return appends ? !zone->is_writing : zone->in_flight == 0;
}

static bool can_be_reset(const struct pyn_worker_zone *zone)
{
	return !zone->cannot_be_written && !zone->is_resetting && zone->in_flight == 0;
}

/* ---- the next write ---- */

enum found { FOUND, NEEDS_RESET, BUSY };

/* What can be done with a zone that is to be written. */
static enum found try_zone(struct pyn_worker_run *run, uint32_t index, bool appends)
{
	struct pyn_worker_zones *zones = run->state.zones;
	struct pyn_worker_zone *zone = &zones->zone[index];

	if (zone->needs_reset && can_be_reset(zone))
		return pyn_zones_open(run, index) ? NEEDS_RESET : BUSY;
	return is_ready(zone, appends) && pyn_zones_open(run, index) ? FOUND : BUSY;
}

/* One of the zones that are written already, from a random one on. */
static enum found try_open_zones(struct pyn_worker_run *run, uint32_t *index, bool appends)
{
	struct pyn_worker_zones *zones = run->state.zones;
	uint32_t first = (uint32_t)pyn_random_below(&run->workload.random, zones->open_count);

	for (uint32_t i = 0; i < zones->open_count; i++) {
		uint32_t one = zones->open[(first + i) % zones->open_count];
		enum found found = try_zone(run, one, appends);

		*index = one;
		if (found != BUSY)
			return found;
	}
	return BUSY;
}

/* The next zone of sequential IO, which skips some. Returns whether it began anew at the first one. */
static bool step(const struct pyn_worker_run *run, uint32_t *index)
{
	const struct pyn_worker_zones *zones = run->state.zones;
	uint64_t next = (uint64_t)*index + 1 + run->config.zones.skip;
	bool wraps = next >= zones->count;

	*index = wraps ? 0 : (uint32_t)next;
	return wraps;
}

/* Move sequential IO past zones that cannot be written. false: it has been everywhere. */
static bool skip_unusable(struct pyn_worker_run *run)
{
	struct pyn_worker_zones *zones = run->state.zones;

	for (uint32_t i = 0; i < zones->count && !zones->writing_is_over; i++) {
		if (!zones->zone[zones->writing].cannot_be_written)
			return true;
		zones->writing_is_over = step(run, &zones->writing) && zones->fill;
	}
	return false;
}

/* The first zone from this one on that can be written. false: there is none. */
static bool find_usable(const struct pyn_worker_zones *zones, uint32_t *index)
{
	for (uint32_t i = 0; i < zones->count; i++) {
		if (!zones->zone[*index].cannot_be_written)
			return true;
		*index = *index + 1 == zones->count ? 0 : *index + 1;
	}
	return false;
}

/* Whether the worker has to reset a zone before this write, since more of the region is written than wanted. */
static bool is_reset_due(struct pyn_worker_run *run, const struct pyn_worker_zone *zone)
{
	const struct pyn_zones_config *config = &run->config.zones;
	struct pyn_worker_zones *zones = run->state.zones;

	if (config->reset_frequency <= 0 || zone->next == zone->start || !can_be_reset(zone))
		return false;
	if ((double)zones->counts.written < config->reset_threshold * (double)(zones->count * config->size))
		return false;
	zones->counts.writes += config->reset_frequency;
	if (zones->counts.writes < 1)
		return false;
	zones->counts.writes -= 1;
	return true;
}

static uint64_t sent_lbas(const struct pyn_worker_zone *zone)
{
	return zone->next - zone->start;
}

/* Make a reset of this zone the next IO. */
static enum pyn_zone_choice choose_reset(struct pyn_worker_run *run, uint32_t index, struct pyn_workload_io *io,
					 uint8_t op)
{
	struct pyn_worker_zones *zones = run->state.zones;
	struct pyn_worker_zone *zone = &zones->zone[index];

	zone->is_resetting = true;
	zones->counts.written -= sent_lbas(zone);
	zones->counts.in_flight++;
	*io = (struct pyn_workload_io){.slba = zone->start, .nlb = 1, .op = op};
	return PYN_ZONE_SEND;
}

/* An IO that the workload has not asked for does not count. */
static enum pyn_zone_choice choose_own_reset(struct pyn_worker_run *run, uint32_t index, struct pyn_workload_io *io)
{
	if (run->ios.to_send != UINT64_MAX)
		run->ios.to_send++;
	return choose_reset(run, index, io, run->state.zones->op_of_own_reset);
}

static enum pyn_zone_choice choose_report(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	struct pyn_worker_zones *zones = run->state.zones;
	uint32_t index = 0;

	while (!zones->zone[index].has_capacity_to_learn)
		index++;
	zones->zone[index].has_capacity_to_learn = false;
	zones->counts.unknown_capacities--;
	zones->counts.in_flight++;
	if (run->ios.to_send != UINT64_MAX)
		run->ios.to_send++;
	*io = (struct pyn_workload_io){.slba = zones->zone[index].start, .nlb = 1, .op = zones->op_of_report};
	return PYN_ZONE_SEND;
}

/* Whether the worker waits for a zone that nobody is going to release: all that may be active are partly written, and
 * no worker writes to them. Reports what the drive would. */
static bool is_starved(struct pyn_worker_run *run)
{
	struct pyn_worker_zones *zones = run->state.zones;
	struct pyn_zone_budget *budget = zones->budget;
	uint32_t most = run->config.zones.drive_active;

	if (zones->counts.in_flight || zones->open_count || !most || atomic_load(&budget->active) < most ||
	    atomic_load(&budget->hungry) < atomic_load(&budget->running))
		return false;
	run->result.error = PYN_WORKER_IO_ERROR;
	run->result.status = NVME_SC_TOO_MANY_ACTIVE_ZONES;
	return true;
}

/* The zone of the next write. PYN_ZONE_SEND: it can be sent, after a reset if *resets. */
static enum pyn_zone_choice find_zone(struct pyn_worker_run *run, const struct pyn_workload_io *io, uint32_t *index,
				      bool *resets)
{
	struct pyn_worker_zones *zones = run->state.zones;
	bool appends = io->op == zones->op_of_append;
	enum found found;

	if (io->sequential) {
		if (!skip_unusable(run))
			return PYN_ZONE_END;
		*index = zones->writing;
	} else {
		*index = pyn_zones_index(run, io->slba);
		if (!find_usable(zones, index))
			return PYN_ZONE_END;
	}
	found = try_zone(run, *index, appends);
	if (found == BUSY && !(io->sequential && zones->zone[*index].is_open))
		found = try_open_zones(run, index, appends);
	if (found == BUSY)
		return is_starved(run) ? PYN_ZONE_END : PYN_ZONE_WAIT;
	*resets = found == NEEDS_RESET || is_reset_due(run, &zones->zone[*index]);
	return PYN_ZONE_SEND;
}

static enum pyn_zone_choice choose_write(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	struct pyn_worker_zones *zones = run->state.zones;
	uint32_t index;
	bool resets;
	enum pyn_zone_choice choice = find_zone(run, io, &index, &resets);
	struct pyn_worker_zone *zone;

	if (choice != PYN_ZONE_SEND)
		return choice;
	if (resets)
		return choose_own_reset(run, index, io);
	zone = &zones->zone[index];
	io->slba = zone->next;
	cut(io, unwritten(zone));
	zone->next += io->nlb;
	zone->in_flight++;
	zone->is_writing = io->op != zones->op_of_append;
	zone->needs_reset = !unwritten(zone);
	zones->counts.written += io->nlb;
	zones->counts.in_flight++;
	if (io->sequential && index == zones->writing && zone->needs_reset)
		zones->writing_is_over = step(run, &zones->writing) && zones->fill;
	return PYN_ZONE_SEND;
}

/* ---- the next read ---- */

/* The LBAs of a zone that can be read, from its start. */
static uint64_t readable(const struct pyn_worker_run *run, const struct pyn_worker_zone *zone)
{
	if (zone->is_unreadable)
		return 0;
	return run->config.zones.read_beyond_wp ? run->config.zones.size : zone->done - zone->start;
}

static bool choose_sequential_read(struct pyn_worker_run *run, struct pyn_workload_io *io, bool *is_over)
{
	struct pyn_worker_zones *zones = run->state.zones;

	for (uint32_t i = 0; i <= zones->count; i++) {
		const struct pyn_worker_zone *zone = &zones->zone[zones->reading];
		uint64_t most = readable(run, zone);

		if (zones->read_at < most) {
			io->slba = zone->start + zones->read_at;
			cut(io, most - zones->read_at);
			zones->read_at += io->nlb;
			return true;
		}
		zones->read_at = 0;
		if (step(run, &zones->reading) && zones->fill) {
			*is_over = true;
			return false;
		}
	}
	return false;
}

static bool choose_random_read(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	struct pyn_worker_zones *zones = run->state.zones;
	uint32_t first = pyn_zones_index(run, io->slba), align = run->workload.lba_align[io->size];

	for (uint32_t i = 0; i < zones->count; i++) {
		const struct pyn_worker_zone *zone = &zones->zone[(first + i) % zones->count];
		uint64_t most = readable(run, zone), at;

		if (!most)
			continue;
		at = pyn_random_below(&run->workload.random, (most - 1) / align + 1) * align;
		io->slba = zone->start + at;
		cut(io, most - at);
		return true;
	}
	return false;
}

/* Let an IO that finds no data be a write, if the workload has any. */
static enum pyn_zone_choice write_instead(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	struct pyn_worker_zones *zones = run->state.zones;
	uint8_t op = zones->op_of_write < PYN_WORKLOAD_OPS ? zones->op_of_write : zones->op_of_append;

	if (op == PYN_WORKLOAD_OPS)
		return zones->counts.in_flight ? PYN_ZONE_WAIT : PYN_ZONE_END;
	io->op = op;
	return choose_write(run, io);
}

static enum pyn_zone_choice choose_read(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	bool is_over = false;

	if (io->sequential ? choose_sequential_read(run, io, &is_over) : choose_random_read(run, io))
		return PYN_ZONE_SEND;
	return is_over ? PYN_ZONE_END : write_instead(run, io);
}

/* ---- resets that the workload asks for, and all IO ---- */

static enum pyn_zone_choice choose_wanted_reset(struct pyn_worker_run *run, struct pyn_workload_io *io)
{
	struct pyn_worker_zones *zones = run->state.zones;
	uint32_t first = io->sequential ? zones->resetting : pyn_zones_index(run, io->slba);
	bool waits = false;

	for (uint32_t i = 0; i < zones->count; i++) {
		uint32_t index = (first + i) % zones->count;
		const struct pyn_worker_zone *zone = &zones->zone[index];

		if (zone->cannot_be_written || zone->next == zone->start)
			continue;
		if (can_be_reset(zone)) {
			zones->resetting = (index + 1) % zones->count;
			return choose_reset(run, index, io, io->op);
		}
		waits = true;
	}
	return waits ? PYN_ZONE_WAIT : write_instead(run, io);
}

enum pyn_zone_choice pyn_zones_next(struct pyn_worker_run *run, struct pyn_workload_io *io, uint8_t *opcode)
{
	struct pyn_worker_zones *zones = run->state.zones;
	enum pyn_zone_choice choice = PYN_ZONE_SEND;

	if (zones->counts.unknown_capacities) {
		choice = choose_report(run, io);
		*opcode = run->config.workload.opcode[io->op];
		return choice;
	}
	if (!zones->drawn.is_waiting && !pyn_workload_next(&run->workload, &zones->drawn.io))
		return PYN_ZONE_END;
	*io = zones->drawn.io;
	io->nlb = run->workload.io_size[io->size]; /* whole: only a zone cuts it */
	switch (run->config.workload.opcode[io->op]) {
	case NVME_IO_READ:
	case NVME_IO_VERIFY:
		choice = choose_read(run, io);
		break;
	case NVME_IO_WRITE:
	case NVME_IO_ZONE_APPEND:
		choice = choose_write(run, io);
		break;
	case NVME_IO_ZONE_MGMT_SEND:
		choice = choose_wanted_reset(run, io);
		break;
	}
	*opcode = run->config.workload.opcode[io->op];
	/* A reset before a write leaves the write to come. */
	zones->drawn.is_waiting = choice == PYN_ZONE_WAIT || io->op == zones->op_of_own_reset;
	return choice;
}
