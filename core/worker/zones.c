/* SPDX-License-Identifier: BSD-3-Clause */
/* The zones that a worker writes, and what its commands make of them. zone_choice.c chooses them, zone_report.c asks
 * the drive for them. */
#include "core/worker/zones.h"

#include <string.h>

#include "core/verify/verify_table.h"
#include "core/worker/worker_meta.h"
#include "spec/nvme_field.h"

/* ---- zones that are written, and what the namespace allows ---- */

/* Take one of those zones of the namespace that may be active, or open, at a time. limit 0: there is no limit. */
static bool take_one(const struct pyn_worker_run *run, _Atomic uint32_t *count, uint32_t limit)
{
	struct pyn_zone_budget *budget = run->state.zones->budget;
	uint32_t taken = atomic_load(count);

	do {
		uint32_t reserved = atomic_load(&budget->hungry) - atomic_load(&run->shared->zones.hungry);

		if (limit && taken + reserved >= limit && (reserved < limit || taken >= limit))
			return false;
	} while (!atomic_compare_exchange_weak(count, &taken, taken + 1));
	return true;
}

static void release_active(struct pyn_worker_zones *zones, struct pyn_worker_zone *zone)
{
	if (zone->is_active)
		atomic_fetch_sub(&zones->budget->active, 1);
	zone->is_active = false;
}

void pyn_zones_set_hungry(struct pyn_worker_run *run, bool hungry)
{
	if (atomic_exchange(&run->shared->zones.hungry, hungry) == hungry)
		return;
	if (hungry)
		atomic_fetch_add(&run->state.zones->budget->hungry, 1);
	else
		atomic_fetch_sub(&run->state.zones->budget->hungry, 1);
}

void pyn_zones_stop(struct pyn_worker_run *run)
{
	struct pyn_zone_budget *budget = run->state.zones->budget, *own = &run->shared->zones;

	atomic_fetch_sub(&budget->open, atomic_exchange(&own->open, 0));
	atomic_fetch_sub(&budget->running, atomic_exchange(&own->running, 0));
	pyn_zones_set_hungry(run, false);
}

void pyn_zones_add_open(struct pyn_worker_run *run, uint32_t index)
{
	struct pyn_worker_zones *zones = run->state.zones;

	zones->zone[index].is_open = true;
	zones->open[zones->open_count++] = index;
	atomic_fetch_add(&run->shared->zones.open, 1);
	pyn_zones_set_hungry(run, false);
}

static void drop_open(struct pyn_worker_run *run, uint32_t index)
{
	struct pyn_worker_zones *zones = run->state.zones;
	uint32_t at = 0;

	if (!zones->zone[index].is_open)
		return;
	zones->zone[index].is_open = false;
	while (zones->open[at] != index)
		at++;
	zones->open[at] = zones->open[--zones->open_count];
	atomic_fetch_sub(&run->shared->zones.open, 1);
	atomic_fetch_sub(&zones->budget->open, 1);
	pyn_zones_set_hungry(run, zones->open_count == 0);
}

static bool take_open(struct pyn_worker_run *run, uint32_t index)
{
	struct pyn_worker_zones *zones = run->state.zones;

	if (zones->zone[index].is_open)
		return true;
	if (zones->open_count >= zones->most_open ||
	    !take_one(run, &zones->budget->open, run->config.zones.drive_open))
		return false;
	pyn_zones_add_open(run, index);
	return true;
}

bool pyn_zones_open(struct pyn_worker_run *run, uint32_t index)
{
	struct pyn_worker_zones *zones = run->state.zones;
	struct pyn_worker_zone *zone = &zones->zone[index];

	if (!take_open(run, index))
		return false;
	if (zone->is_active || zone->needs_reset)
		return true;
	zone->is_active = take_one(run, &zones->budget->active, run->config.zones.drive_active);
	if (!zone->is_active)
		drop_open(run, index);
	return zone->is_active;
}

static bool is_active(uint8_t state)
{
	return state == NVME_ZONE_STATE_IMPLICITLY_OPENED || state == NVME_ZONE_STATE_EXPLICITLY_OPENED ||
	       state == NVME_ZONE_STATE_CLOSED;
}

bool pyn_zones_take(struct pyn_worker_run *run, struct pyn_worker_zone *zone,
		    const struct nvme_zone_descriptor *descriptor)
{
	uint64_t size = run->config.zones.size, start = zone->start, capacity = descriptor->zcap;
	uint8_t state = descriptor->zs >> 4;

	if (descriptor->zslba != start || capacity < 1 || capacity > size)
		return false;
	zone->past = start + capacity;
	zone->next = start;
	zone->needs_reset = state == NVME_ZONE_STATE_FULL;
	zone->is_unreadable = state == NVME_ZONE_STATE_OFFLINE;
	zone->cannot_be_written = zone->is_unreadable || state == NVME_ZONE_STATE_READ_ONLY;
	zone->is_active = is_active(state);
	if (zone->needs_reset || state == NVME_ZONE_STATE_READ_ONLY)
		zone->next = zone->past;
	else if (zone->is_active)
		zone->next = descriptor->wp;
	zone->done = zone->settled = zone->next;
	return zone->next >= start && zone->next <= zone->past;
}

/* ---- a command begins ---- */

static struct pyn_zone_slot *slot_of(const struct pyn_worker_run *run, const struct pyn_worker_slot *slot)
{
	return &run->state.zones->slots[slot->cmd.cid];
}

static void name_data(const struct pyn_worker_run *run, struct pyn_worker_slot *slot, struct pyn_data_template *data,
		      uint32_t length)
{
	if (data->length != length)
		run->engine->rings->describe(run->queue, data, length);
	pyn_data_template_copy(&slot->cmd, data);
}

/* Stamp the data of an append with the LBAs that it gets if the drive executes commands in order. Until it ends, the
 * LBAs of all appends in flight are unknown, whichever of them gets which. */
static void begin_append(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint32_t index)
{
	struct pyn_zone_slot *own = slot_of(run, slot);

	slot->slba = run->state.zones->zone[index].start;
	name_data(run, slot, &slot->write, slot->nlb * run->config.lba_size);
	own->token = pyn_token_take(slot->nlb);
	if (run->noted)
		own->disturbances = pyn_verify_disturbances(run->verify, own->lba);
	if (run->state.meta.slots) {
		pyn_worker_meta_append(run, slot, own->lba, own->token);
	} else if (run->noted) {
		pyn_verify_stamp(run->verify, slot->write_data, own->lba, slot->nlb, own->token);
		pyn_crc32c_restamp_blocks(&run->stamp, slot->base_crc, own->lba, own->token, slot->nlb,
					  slot->write_crc);
	}
	if (run->noted)
		pyn_verify_vacate(run->verify, own->lba, slot->nlb);
}

static void begin_reset(struct pyn_worker_run *run, struct pyn_worker_slot *slot)
{
	struct pyn_worker_flight *flight = &run->flight[slot->cmd.cid];

	nvme_set_field(&slot->cmd, NVME_FIELD_ZONE_MGMT_SEND_ZSA, NVME_ZONE_RESET);
	slot->cmd.cdw12 = 0;
	if (!run->noted)
		return;
	flight->slba = slot->slba;
	flight->nlb = (uint32_t)pyn_verify_clip(run->noted, slot->slba, run->config.zones.size);
	if (run->state.meta.verify)
		pyn_verify_vacate(run->state.meta.verify, flight->slba, flight->nlb);
	pyn_flight_set(flight, PYN_FLIGHT_MOVING);
	pyn_verify_change_begin(run->verify, flight->slba, flight->nlb,
				run->config.zones.read_beyond_wp ? pyn_verify_unwritten(run->verify)
								 : PYN_CELL_UNKNOWN);
	pyn_flight_set(flight, PYN_FLIGHT_BEGUN);
}

static void begin_report(struct pyn_worker_run *run, struct pyn_worker_slot *slot)
{
	name_data(run, slot, &run->state.zones->report_data, PYN_ZONE_REPORT);
	nvme_set_field(&slot->cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_NUMD, PYN_ZONE_REPORT / 4 - 1);
	nvme_set_field(&slot->cmd, NVME_FIELD_ZONE_MGMT_RECEIVE_ZRA, NVME_ZONE_REPORT);
}

void pyn_zones_begin(struct pyn_worker_run *run, struct pyn_worker_slot *slot, const struct pyn_workload_io *io)
{
	struct pyn_zone_slot *own = slot_of(run, slot);

	slot->cmd.cdw13 = 0;
	if (slot->cmd.opc == NVME_IO_FLUSH)
		return;
	*own = (struct pyn_zone_slot){.zone = pyn_zones_index(run, io->slba), .lba = io->slba};
	switch (slot->cmd.opc) {
	case NVME_IO_WRITE:
		slot->flags |= PYN_FLAG_ZONE;
		break;
	case NVME_IO_ZONE_APPEND:
		slot->flags = run->state.flags_of_other | PYN_FLAG_ZONE;
		begin_append(run, slot, own->zone);
		break;
	case NVME_IO_ZONE_MGMT_SEND:
		slot->flags = PYN_FLAG_ZONE | run->state.flags_of_other;
		begin_reset(run, slot);
		break;
	case NVME_IO_ZONE_MGMT_RECEIVE:
		slot->flags = PYN_FLAG_ZONE;
		begin_report(run, slot);
		break;
	}
}

/* ---- a command ends ---- */

/* A zone with nothing in flight: what has been written is where it should be. */
static void settle(struct pyn_worker_run *run, uint32_t index)
{
	struct pyn_worker_zones *zones = run->state.zones;
	struct pyn_worker_zone *zone = &zones->zone[index];

	if (zone->in_flight)
		return;
	if (!zone->has_failed)
		zone->done = zone->next;
	zone->settled = zone->next;
	zone->lba_sum = 0;
	if (!zone->needs_reset)
		return;
	drop_open(run, index);
	if (!zone->has_failed)
		release_active(zones, zone);
}

static void write_failed(struct pyn_worker_zone *zone)
{
	zone->needs_reset = zone->has_failed = true;
}

/* The sum of the numbers from first to past, which is not included. */
static uint64_t sum_of(uint64_t first, uint64_t past)
{
	return (uint64_t)((unsigned __int128)(past - first) * (first + past - 1) / 2);
}

/* Whether an append can have written to the LBA that it reported. With the last one in flight, all of them together
 * must have written to each LBA once. */
static bool is_possible(struct pyn_worker_zone *zone, uint64_t lba, uint32_t nlb)
{
	if (lba < zone->done || lba >= zone->next || zone->next - lba < nlb)
		return false;
	zone->lba_sum += sum_of(lba - zone->start, lba - zone->start + nlb);
	return zone->in_flight || zone->lba_sum == sum_of(zone->settled - zone->start, zone->next - zone->start);
}

/* The LBA that a Zone Append reported. */
static uint64_t reported(const struct pyn_worker_run *run, const struct pyn_worker_slot *slot)
{
	const struct nvme_cpl *cpl = &pyn_cmdlog_entry(run->log, slot->number)->cpl;

	return (uint64_t)cpl->cdw1 << 32 | cpl->cdw0;
}

/* Let verification know where the data of an append are. */
static void note_append(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint64_t lba)
{
	struct pyn_worker_flight *flight = &run->flight[slot->cmd.cid];
	const struct pyn_zone_slot *own = slot_of(run, slot);
	enum pyn_write_outcome outcome;
	bool is_known;

	if (!run->noted)
		return;
	flight->slba = lba;
	flight->nlb = (uint32_t)pyn_verify_clip(run->noted, lba, slot->nlb);
	pyn_flight_set(flight, PYN_FLIGHT_MOVING);
	if (run->state.meta.slots)
		pyn_worker_meta_appended(run, slot, own->lba, lba, own->token);
	else
		pyn_verify_write_begin_crc(run->verify, lba, flight->nlb, slot->write_crc, own->token);
	is_known = pyn_verify_is_undisturbed(run->verify, lba, own->disturbances);
	outcome = pyn_verify_outcome(run->verify, is_known, slot->submitted);
	pyn_verify_write_end(run->verify, lba, flight->nlb, outcome);
	pyn_worker_meta_append_end(run, slot, outcome);
	pyn_flight_set(flight, PYN_FLIGHT_NONE);
}

static bool end_append(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint16_t status,
		       struct pyn_mismatch *found)
{
	struct pyn_worker_zone *zone = &run->state.zones->zone[slot_of(run, slot)->zone];
	uint64_t lba = reported(run, slot);

	zone->in_flight--;
	if (status)
		write_failed(zone);
	if (status || zone->has_failed)
		return true;
	if (!is_possible(zone, lba, slot->nlb)) {
		*found = (struct pyn_mismatch){.lba = lba,
					       .found_lba = zone->done,
					       .found_token = zone->next,
					       .count = slot->nlb,
					       .kind = PYN_MISMATCH_APPEND};
		run->counts.checked += slot->nlb;
		run->counts.mismatch += slot->nlb;
		write_failed(zone);
		return false;
	}
	if (lba == zone->done)
		zone->done += slot->nlb;
	note_append(run, slot, lba);
	return true;
}

static void end_write(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint16_t status)
{
	struct pyn_worker_zone *zone = &run->state.zones->zone[slot_of(run, slot)->zone];

	zone->in_flight--;
	zone->is_writing = false;
	if (status)
		write_failed(zone);
}

static void end_reset(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint16_t status)
{
	struct pyn_worker_zones *zones = run->state.zones;
	struct pyn_worker_flight *flight = &run->flight[slot->cmd.cid];
	uint32_t index = slot_of(run, slot)->zone;
	struct pyn_worker_zone *zone = &zones->zone[index];

	if (run->noted) {
		pyn_flight_set(flight, PYN_FLIGHT_MOVING);
		pyn_verify_change_end(run->verify, flight->slba, flight->nlb,
				      pyn_verify_outcome(run->verify, !status, slot->submitted));
		pyn_flight_set(flight, PYN_FLIGHT_NONE);
	}
	zone->is_resetting = false;
	zone->cannot_be_written = status;
	drop_open(run, index);
	if (status)
		return;
	release_active(zones, zone);
	zone->next = zone->done = zone->settled = zone->start;
	zone->needs_reset = zone->has_failed = false;
	if (run->config.zones.variable) {
		zone->is_resetting = zone->has_capacity_to_learn = true;
		zones->counts.unknown_capacities++;
	}
}

static void end_report(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint16_t status)
{
	struct pyn_worker_zones *zones = run->state.zones;
	struct pyn_worker_zone *zone = &zones->zone[slot_of(run, slot)->zone];
	const struct nvme_zone_report *report = (const struct nvme_zone_report *)zones->report;

	zone->is_resetting = false;
	if (status || report->nz < 1 || !pyn_zones_take(run, zone, &report->zones[0]))
		zone->cannot_be_written = true;
}

bool pyn_zones_end(struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint16_t status,
		   struct pyn_mismatch *found)
{
	struct pyn_worker_zones *zones = run->state.zones;
	bool right = true;

	zones->counts.in_flight--;
	switch (slot->cmd.opc) {
	case NVME_IO_ZONE_MGMT_SEND:
		end_reset(run, slot, status);
		return true;
	case NVME_IO_ZONE_MGMT_RECEIVE:
		end_report(run, slot, status);
		return true;
	case NVME_IO_WRITE:
		end_write(run, slot, status);
		break;
	default:
		right = end_append(run, slot, status, found);
		break;
	}
	settle(run, slot_of(run, slot)->zone);
	return right;
}
