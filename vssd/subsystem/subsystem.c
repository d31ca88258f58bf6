/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/subsystem/subsystem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/util/clock.h"
#include "vssd/subsystem/hidden.h"
#include "vssd/subsystem/reservation.h"

/* In the order of polling and of notices. */
static const struct vssd_subsystem_part *const parts[] = {
	&vssd_ocp_part,        &vssd_health_part,      &vssd_sanitize_part,    &vssd_format_part,
	&vssd_firmware_part,   &vssd_self_test_part,   &vssd_latency_part,     &vssd_pel_part,
	&vssd_zones_part,      &vssd_security_part,    &vssd_reservation_part, &vssd_kv_part,
	&vssd_lba_status_part, &vssd_power_meter_part, &vssd_spindle_part,     &vssd_host_metadata_part,
};

#define LARGE_LEAST 10u /* log2 of the LBA sizes besides 512 */
#define LARGE_MOST 16u
#define NUM_PARTS (sizeof(parts) / sizeof(parts[0]))

/* ---- creation ---- */

static void init_serial(char serial[VSSD_SERIAL_SIZE], const char *wanted)
{
	char text[40];

	if (wanted)
		snprintf(text, sizeof(text), "%-20s", wanted);
	else
		snprintf(text, sizeof(text), "VSSD%08X%08X", (unsigned)getpid(), (unsigned)pyn_monotonic_ns());
	memcpy(serial, text, VSSD_SERIAL_SIZE);
}

/* Open the store. A null drive has one only for its system area. */
static int init_store(struct vssd_subsystem *subsystem, struct pyn_error *err)
{
	uint64_t cache = subsystem->options.cache_size / VSSD_BLOCK_SIZE;
	struct vssd_store_options options = {.blocks = 1};

	/* A cache larger than the drive is useless, and a file would allocate space for all of it. */
	if (!subsystem->null_store)
		options = (struct vssd_store_options){
			.blocks = subsystem->blocks + vssd_zones_blocks(&subsystem->options) +
				  vssd_hidden_blocks(&subsystem->options),
			.cache_blocks = cache < subsystem->blocks ? cache : subsystem->blocks,
			.file = subsystem->options.file,
			.metadata = subsystem->options.optional.metadata,
			.account = vssd_fdp_bytes(subsystem),
		};
	return vssd_store_open(&options, &subsystem->store, err);
}

/* Load the non-volatile state; give a new drive its identity and format. */
static int init_nonvolatile(struct vssd_subsystem *subsystem, bool *is_new, struct pyn_error *err)
{
	const struct vssd_options *options = &subsystem->options;
	struct vssd_nonvolatile *nv;
	int result = vssd_nonvolatile_open(subsystem->store, options->file, &nv, is_new, err);

	if (result)
		return result;
	subsystem->nv = nv;
	subsystem->annex = vssd_annex_open(subsystem->store);
	if (*is_new)
		memset(nv->formats.lbaf, vssd_lbaf_new(options), sizeof(nv->formats.lbaf));
	if (*is_new && options->lba_size != VSSD_SECTOR_SIZE)
		nv->formats.large = (uint8_t)__builtin_ctz(options->lba_size);
	if (nv->formats.large < LARGE_LEAST || nv->formats.large > LARGE_MOST)
		nv->formats.large = VSSD_BLOCK_SHIFT;
	if (*is_new || options->serial)
		init_serial(nv->identity.serial, options->serial);
	return 0;
}

static void power_up(struct vssd_subsystem *subsystem)
{
	struct vssd_nonvolatile *nv = subsystem->nv;

	subsystem->power = true;
	vssd_faults_happened(subsystem->faults, VSSD_FAULT_ON_POWER_UP);
	subsystem->unannounced = nv->identity.in_use;
	nv->totals.power_cycles++;
	nv->totals.unsafe_shutdowns += subsystem->unannounced;
	nv->identity.in_use = false;
	vssd_clock_set(&subsystem->clock, 0, false);
	for (size_t i = 0; i < NUM_PARTS; i++)
		if (parts[i]->power)
			parts[i]->power(subsystem, true);
	vssd_subsystem_reset(subsystem, VSSD_RESET_POWER, NULL);
}

int vssd_subsystem_create(const struct vssd_options *options, struct vssd_subsystem **created, struct pyn_error *err)
{
	int result = vssd_options_check(options, err);
	struct vssd_subsystem *subsystem;
	bool is_new = false;

	if (result)
		return result;
	subsystem = calloc(1, sizeof(*subsystem));
	if (!subsystem)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a subsystem");
	subsystem->options = *options;
	subsystem->null_store = options->null_store;
	subsystem->blocks = vssd_options_capacity(options) / VSSD_BLOCK_SIZE;
	result = vssd_subsystem_faults_init(subsystem)
			 ? pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for fault rules")
			 : init_store(subsystem, err);
	if (!result)
		result = init_nonvolatile(subsystem, &is_new, err);
	if (!result && vssd_security_create(subsystem))
		result = pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the security functions");
	if (!result)
		result = vssd_fdp_create(subsystem, err);
	if (!result) {
		vssd_ns_init(subsystem);
		result = vssd_zones_create(subsystem, is_new, err);
	}
	if (!result)
		result = vssd_kv_create(subsystem, is_new, err);
	if (result) {
		vssd_subsystem_destroy(subsystem);
		return result;
	}
	for (size_t i = 0; i < NUM_PARTS; i++)
		if (parts[i]->init)
			parts[i]->init(subsystem);
	power_up(subsystem);
	result = vssd_subsystem_faults_plant(subsystem, err);
	if (result) {
		vssd_subsystem_destroy(subsystem);
		return result;
	}
	*created = subsystem;
	return 0;
}

void vssd_subsystem_destroy(struct vssd_subsystem *subsystem)
{
	if (subsystem->power)
		vssd_subsystem_power(subsystem, false);
	for (size_t i = 0; i < NUM_PARTS; i++)
		if (parts[i]->deinit)
			parts[i]->deinit(subsystem);
	vssd_fdp_destroy(subsystem);
	if (subsystem->store)
		vssd_store_close(subsystem->store);
	vssd_faults_destroy(subsystem->faults);
	free(subsystem);
}

/* ---- power and resets ---- */

static void power_down(struct vssd_subsystem *subsystem)
{
	for (size_t i = 0; i < NUM_PARTS; i++)
		if (parts[i]->power)
			parts[i]->power(subsystem, false);
	vssd_subsystem_faults_lose(subsystem);
	vssd_subsystem_reset(subsystem, VSSD_RESET_POWER, NULL);
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		vssd_virtual_begin(subsystem, one);
	subsystem->power = false;
}

void vssd_subsystem_power(struct vssd_subsystem *subsystem, bool on)
{
	if (on == subsystem->power)
		return;
	if (on)
		power_up(subsystem);
	else
		power_down(subsystem);
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		one->ops->power(one, on);
}

void vssd_subsystem_reset(struct vssd_subsystem *subsystem, enum vssd_reset kind, const struct vssd_listener *by)
{
	for (size_t i = 0; i < NUM_PARTS; i++)
		if (parts[i]->reset)
			parts[i]->reset(subsystem, kind, by);
	vssd_subsystem_wake(subsystem);
}

void vssd_subsystem_reset_all(struct vssd_subsystem *subsystem)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		one->ops->reset(one, VSSD_RESET_SUBSYSTEM);
}

void vssd_subsystem_shut_down_all(struct vssd_subsystem *subsystem, bool is_abrupt)
{
	for (struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		one->ops->shut_down(one, is_abrupt);
}

void vssd_subsystem_leave(struct vssd_subsystem *subsystem, struct vssd_listener *listener)
{
	vssd_subsystem_unlisten(subsystem, listener);
	if (subsystem->format.owner == listener)
		vssd_format_finish(subsystem);
	if (subsystem->firmware.owner == listener)
		subsystem->firmware.owner = NULL;
	if (subsystem->health.meter.measurement.owner == listener)
		vssd_power_measure_end(subsystem);
	if (subsystem->self_test.owner == listener)
		subsystem->self_test.owner = NULL;
}

/* Whether the host uses another controller, which it has not shut down. */
static bool is_used_elsewhere(const struct vssd_subsystem *subsystem, const struct vssd_listener *by)
{
	for (const struct vssd_listener *one = subsystem->listeners; one; one = one->next)
		if (one != by && one->ops->in_use(one))
			return true;
	return false;
}

void vssd_subsystem_shut_down(struct vssd_subsystem *subsystem, const struct vssd_listener *by)
{
	vssd_format_finish(subsystem);
	vssd_health_account(subsystem);
	vssd_subsystem_flush(subsystem);
	if (subsystem->faults->history)
		vssd_history_flushed(subsystem->faults->history);
	subsystem->nv->identity.in_use = is_used_elsewhere(subsystem, by);
}

/* ---- polling ---- */

void vssd_subsystem_poll(struct vssd_subsystem *subsystem, uint64_t now)
{
	uint64_t next = VSSD_NEVER;

	for (size_t i = 0; i < NUM_PARTS; i++) {
		uint64_t due;

		if (!parts[i]->due)
			continue;
		due = parts[i]->due(subsystem);
		if (due <= now) {
			parts[i]->poll(subsystem, now);
			due = parts[i]->due(subsystem);
		}
		if (due < next)
			next = due;
	}
	subsystem->next_due = next;
}

/* ---- access for tests ---- */

static int find_lba(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t lba, uint32_t length, uint64_t *offset)
{
	const struct vssd_ns *ns = vssd_subsystem_ns(subsystem, nsid);

	if (!ns || lba >= ns->nsze || length != 1u << ns->lba_shift || subsystem->null_store)
		return -EINVAL;
	*offset = (ns->first_block << VSSD_BLOCK_SHIFT) + (lba << ns->lba_shift);
	return 0;
}

int vssd_subsystem_peek(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t lba, void *data, uint32_t length)
{
	uint64_t offset;
	int result = find_lba(subsystem, nsid, lba, length, &offset);

	if (result)
		return result;
	vssd_store_read(subsystem->store, offset, data, length);
	return 0;
}

int vssd_subsystem_poke(struct vssd_subsystem *subsystem, uint32_t nsid, uint64_t lba, const void *data,
			uint32_t length)
{
	uint64_t offset;
	int result = find_lba(subsystem, nsid, lba, length, &offset);

	for (uint32_t done = 0, piece; !result && done < length; done += piece) {
		piece = length - done < VSSD_BLOCK_SIZE ? length - done : VSSD_BLOCK_SIZE;
		result = vssd_store_poke(subsystem->store, offset + done, (const uint8_t *)data + done, piece);
	}
	return result;
}

int vssd_subsystem_geometry(struct vssd_subsystem *subsystem, uint32_t nsid, uint32_t *lba_size, uint64_t *nsze)
{
	const struct vssd_ns *ns = vssd_subsystem_ns(subsystem, nsid);

	if (!ns)
		return -EINVAL;
	*lba_size = 1u << ns->lba_shift;
	*nsze = ns->nsze;
	return 0;
}
