/* SPDX-License-Identifier: BSD-3-Clause */
/* The controller's life: creation, power, resets, and the order of what a poll does. */
#include "vssd/ctrl/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/util/clock.h"

#define MEDIUM_NS UINT64_C(100000) /* a write that skips the cache; what is cached takes less than a microsecond */
#define NONVOLATILE_VERSION 2u
#define LBAS_MAX UINT64_C(65536) /* of one command */

/* ---- options ---- */

void vssd_options_default(struct vssd_options *options)
{
	*options = (struct vssd_options){
		.size = UINT64_C(0x801030) * 512,
		.lba_size = 512,
		.queues = 16,
		.queue_entries = 4096,
		.namespaces = 1,
		.mdts = 5,
		.version = NVME_2_0,
		.cache_size = UINT64_C(64) << 20,
		.format_ms = 20,
		.sanitize_ms = 2000,
		.self_test_ms = 500,
		.extended_self_test_ms = VSSD_TIME_DERIVED,
	};
}

const struct vssd_known_version vssd_known_versions[VSSD_NUM_VERSIONS] = {
	{"1.0", NVME_1_0}, {"1.1", NVME_1_1}, {"1.2", NVME_1_2}, {"1.2.1", NVME_1_2_1},
	{"1.3", NVME_1_3}, {"1.4", NVME_1_4}, {"2.0", NVME_2_0},
};

static bool version_is_known(uint32_t version)
{
	for (unsigned i = 0; i < VSSD_NUM_VERSIONS; i++)
		if (vssd_known_versions[i].value == version)
			return true;
	return false;
}

static uint64_t most_blocks(const struct vssd_options *options)
{
	return options->null_store ? VSSD_NULL_MAX_BLOCKS : VSSD_MAX_BLOCKS;
}

/* What is wrong with the options, in a sentence; false: nothing. */
static bool options_wrong(const struct vssd_options *options, char *error, size_t size)
{
	if (options->namespaces < 1 || options->namespaces > VSSD_MAX_NAMESPACES)
		snprintf(error, size, "there are 1 to %u namespaces, not %u", VSSD_MAX_NAMESPACES,
			 options->namespaces);
	else if (options->size < VSSD_BLOCK_SIZE ||
		 options->size / VSSD_BLOCK_SIZE > most_blocks(options) / options->namespaces)
		snprintf(error, size,
			 "namespaces have 4 KiB each at least and %llu GiB together at most: %u of %llu bytes",
			 (unsigned long long)(most_blocks(options) >> (30 - VSSD_BLOCK_SHIFT)), options->namespaces,
			 (unsigned long long)options->size);
	else if (options->lba_size != 512 && options->lba_size != 4096)
		snprintf(error, size, "an LBA has 512 or 4096 bytes, not %u", options->lba_size);
	else if (options->queues < 1 || options->queues > VSSD_MAX_IO_QUEUES)
		snprintf(error, size, "there are 1 to %u IO queue pairs, not %u", VSSD_MAX_IO_QUEUES,
			 options->queues);
	else if (options->queue_entries < 2)
		snprintf(error, size, "a queue has 2 entries at least, not %u", options->queue_entries);
	else if (options->mdts > VSSD_MDTS_MAX)
		snprintf(error, size, "MDTS is 0 (no limit) to %u, not %u", VSSD_MDTS_MAX, options->mdts);
	else if (!version_is_known(options->version))
		snprintf(error, size, "the version of NVMe is " VSSD_VERSION_NAMES ", not %u.%u.%u",
			 options->version >> 16, options->version >> 8 & 0xff, options->version & 0xff);
	else if (options->null_store && options->file)
		snprintf(error, size, "a null store keeps no data: take away the file, or null");
	else if (options->serial && strlen(options->serial) > sizeof(((struct vssd_nonvolatile *)0)->serial))
		snprintf(error, size, "a serial number has 20 characters at most: %s", options->serial);
	else
		return false;
	return true;
}

/* ---- namespaces ---- */

uint8_t vssd_lbaf_shift(uint8_t lbaf)
{
	return lbaf == 0 ? 9 : 12;
}

void vssd_ns_set_format(struct vssd_ctrl *ctrl, struct vssd_ns *ns, uint8_t lbaf)
{
	ns->lba_shift = vssd_lbaf_shift(lbaf);
	ns->nsze = ns->blocks << (VSSD_BLOCK_SHIFT - ns->lba_shift);
	ctrl->nv->format[ns->nsid - 1] = lbaf;
}

static void init_namespaces(struct vssd_ctrl *ctrl)
{
	uint64_t blocks = ctrl->options.size / VSSD_BLOCK_SIZE;

	ctrl->blocks = blocks * ctrl->options.namespaces;
	for (uint32_t i = 0; i < ctrl->options.namespaces; i++) {
		struct vssd_ns *ns = &ctrl->ns[i];

		ns->nsid = i + 1;
		ns->blocks = blocks;
		ns->first_block = i * blocks;
		vssd_ns_set_format(ctrl, ns, ctrl->nv->format[i]);
	}
}

/* ---- creation ---- */

static void init_serial(char serial[20], const char *wanted)
{
	char text[40];

	if (wanted)
		snprintf(text, sizeof(text), "%-20s", wanted);
	else
		snprintf(text, sizeof(text), "VSSD%08X%08X", (unsigned)getpid(), (unsigned)pyn_monotonic_ns());
	memcpy(serial, text, 20);
}

/* A new drive gets its identity and format; an old one is what it was. */
static int init_nonvolatile(struct vssd_ctrl *ctrl, char *error, size_t size)
{
	struct vssd_nonvolatile *nv = ctrl->nv;

	if (nv->version == 0) {
		init_serial(nv->serial, ctrl->options.serial);
		memset(nv->format, ctrl->options.lba_size == 512 ? 0 : 1, sizeof(nv->format));
		nv->version = NONVOLATILE_VERSION;
	}
	if (nv->version != NONVOLATILE_VERSION) {
		snprintf(error, size, "%s was made by another version of this program: give another file",
			 ctrl->options.file);
		return -EINVAL;
	}
	if (ctrl->options.serial)
		init_serial(nv->serial, ctrl->options.serial);
	for (unsigned i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (nv->format[i] > VSSD_NLBAF)
			nv->format[i] = 0;
	vssd_firmware_init(ctrl);
	vssd_self_test_init(ctrl);
	return 0;
}

/* A null drive has a store for its system area alone. */
static int init_store(struct vssd_ctrl *ctrl, char *error, size_t size)
{
	uint64_t blocks = ctrl->options.size / VSSD_BLOCK_SIZE * ctrl->options.namespaces;
	uint64_t cache = ctrl->options.cache_size / VSSD_BLOCK_SIZE;
	struct vssd_store_options options = {.blocks = 1};
	int err;

	/* A cache that is larger than the drive would hold no more, and a file sets room aside for all of it. */
	if (!ctrl->null_store)
		options = (struct vssd_store_options){
			.blocks = blocks,
			.cache_blocks = cache < blocks ? cache : blocks,
			.file = ctrl->options.file,
		};
	err = vssd_store_open(&options, &ctrl->store, error, size);
	if (err)
		return err;
	ctrl->nv = vssd_store_system(ctrl->store);
	return init_nonvolatile(ctrl, error, size);
}

/* Room for the pieces of the largest transfer: a page each, and one more where it does not start on one. */
static int init_transfers(struct vssd_ctrl *ctrl)
{
	uint64_t largest = LBAS_MAX * 4096;

	ctrl->max_transfer = ctrl->options.mdts ? UINT64_C(4096) << ctrl->options.mdts : UINT64_MAX;
	if (ctrl->max_transfer < largest)
		largest = ctrl->max_transfer;
	ctrl->data.capacity = (uint32_t)(largest / 4096) + 2;
	ctrl->data.segments = calloc(ctrl->data.capacity, sizeof(*ctrl->data.segments));
	return ctrl->data.segments ? 0 : -ENOMEM;
}

static void power_up(struct vssd_ctrl *ctrl)
{
	bool unannounced = ctrl->nv->in_use;

	ctrl->power = true;
	ctrl->csts = 0;
	ctrl->nv->power_cycles++;
	ctrl->nv->unsafe_shutdowns += unannounced;
	ctrl->nv->in_use = false;
	vssd_health_reset(ctrl);
	vssd_config_init(ctrl);
	memset(ctrl->errors, 0, sizeof(ctrl->errors));
	vssd_sanitize_resume(ctrl);
	vssd_regs_reset(ctrl, VSSD_RESET_POWER);
	if (unannounced)
		vssd_telemetry_capture(ctrl, "power lost without a shutdown");
}

int vssd_ctrl_create(const struct vssd_options *options, struct vssd_bus *bus, volatile uint32_t *doorbells,
		     struct vssd_ctrl **result, char *error, size_t size)
{
	struct vssd_ctrl *ctrl;
	int err;

	if (options_wrong(options, error, size))
		return -EINVAL;
	ctrl = calloc(1, sizeof(*ctrl));
	snprintf(error, size, "no memory for a controller");
	if (!ctrl)
		return -ENOMEM;
	ctrl->options = *options;
	ctrl->bus = bus;
	ctrl->doorbells = doorbells;
	ctrl->null_store = options->null_store;
	ctrl->medium_ticks = pyn_ns_to_ticks(MEDIUM_NS);
	err = init_transfers(ctrl);
	if (!err)
		err = init_store(ctrl, error, size);
	if (err) {
		vssd_ctrl_destroy(ctrl);
		return err;
	}
	init_namespaces(ctrl);
	vssd_format_resume(ctrl);
	vssd_regs_init(ctrl);
	power_up(ctrl);
	*result = ctrl;
	return 0;
}

void vssd_ctrl_destroy(struct vssd_ctrl *ctrl)
{
	if (ctrl->power)
		vssd_ctrl_power(ctrl, false);
	if (ctrl->store)
		vssd_store_close(ctrl->store);
	vssd_firmware_deinit(ctrl);
	free(ctrl->data.segments);
	free(ctrl);
}

/* ---- resets and power ---- */

void vssd_ctrl_reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	if (!ctrl->power)
		return;
	vssd_regs_reset(ctrl, kind);
	if (kind != VSSD_RESET_FUNCTION && kind != VSSD_RESET_CONVENTIONAL)
		return;
	vssd_config_reset(ctrl, kind);
	ctrl->bus->ops->reset(ctrl->bus);
	vssd_update_running(ctrl);
}

void vssd_ctrl_host_gone(struct vssd_ctrl *ctrl)
{
	ctrl->host_gone = true;
	vssd_config_host_gone(ctrl);
	vssd_update_running(ctrl);
}

void vssd_ctrl_power(struct vssd_ctrl *ctrl, bool on)
{
	if (on == ctrl->power)
		return;
	if (on) {
		power_up(ctrl);
		return;
	}
	vssd_health_account(ctrl);
	vssd_format_finish(ctrl);
	vssd_store_lose(ctrl->store);
	vssd_regs_reset(ctrl, VSSD_RESET_POWER);
	ctrl->power = false;
	vssd_update_running(ctrl);
}

/* ---- polling ---- */

unsigned vssd_ctrl_poll(struct vssd_ctrl *ctrl)
{
	unsigned count = 0;

	if (!ctrl->power)
		return 0;
	ctrl->now = pyn_ticks();
	/* Before anything that may complete a command. */
	if (ctrl->running)
		vssd_queues_resolve(ctrl);
	if (ctrl->nv->sanitize.status == NVME_SANITIZE_IN_PROGRESS || ctrl->sanitize.announce)
		vssd_sanitize_poll(ctrl);
	if (ctrl->running)
		count = vssd_queues_poll(ctrl);
	if (ctrl->format.running)
		vssd_format_poll(ctrl);
	if (ctrl->feature[NVME_FEAT_APST] & NVME_APSTE && ctrl->running)
		vssd_power_poll(ctrl);
	if (ctrl->firmware.starting || ctrl->firmware.started)
		vssd_firmware_poll(ctrl);
	if (ctrl->nv->self_test.operation)
		vssd_self_test_poll(ctrl);
	if (ctrl->now >= ctrl->next_tick)
		vssd_health_poll(ctrl);
	if (ctrl->running)
		vssd_queues_settle(ctrl);
	if (count > 0) {
		uint64_t busy = pyn_ticks() - ctrl->now;

		ctrl->health.busy_ticks += busy;
		ctrl->health.window_ticks += busy;
	}
	return count;
}

/* ---- behind the host's back ---- */

static int find_lba(struct vssd_ctrl *ctrl, uint32_t nsid, uint64_t lba, uint32_t length, uint64_t *offset)
{
	const struct vssd_ns *ns = vssd_ns_find(ctrl, nsid);

	if (!ns || lba >= ns->nsze || length != 1u << ns->lba_shift || ctrl->null_store)
		return -EINVAL;
	*offset = (ns->first_block << VSSD_BLOCK_SHIFT) + (lba << ns->lba_shift);
	return 0;
}

int vssd_ctrl_peek(struct vssd_ctrl *ctrl, uint32_t nsid, uint64_t lba, void *data, uint32_t length)
{
	uint64_t offset;
	int err = find_lba(ctrl, nsid, lba, length, &offset);

	if (err)
		return err;
	memcpy(data, vssd_store_data(ctrl->store, offset >> VSSD_BLOCK_SHIFT) + offset % VSSD_BLOCK_SIZE, length);
	return 0;
}

int vssd_ctrl_poke(struct vssd_ctrl *ctrl, uint32_t nsid, uint64_t lba, const void *data, uint32_t length)
{
	uint64_t offset;
	int err = find_lba(ctrl, nsid, lba, length, &offset);

	return err ? err : vssd_store_poke(ctrl->store, offset, data, length);
}

int vssd_ctrl_geometry(struct vssd_ctrl *ctrl, uint32_t nsid, uint32_t *lba_size, uint64_t *nsze)
{
	const struct vssd_ns *ns = vssd_ns_find(ctrl, nsid);

	if (!ns)
		return -EINVAL;
	*lba_size = 1u << ns->lba_shift;
	*nsze = ns->nsze;
	return 0;
}

void vssd_ctrl_counters(const struct vssd_ctrl *ctrl, struct vssd_counters *counters)
{
	*counters = ctrl->counters;
	counters->power_cycles = ctrl->nv->power_cycles;
}
