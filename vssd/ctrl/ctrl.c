/* SPDX-License-Identifier: BSD-3-Clause */
/* The controller's life: creation, power, resets, and the order of what a poll does. */
#include "vssd/cmd/dispatch.h"
#include "vssd/ctrl/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/util/clock.h"

#define MEDIUM_NS UINT64_C(100000) /* a write that skips the cache; what is cached takes less than a microsecond */
#define LBAS_MAX UINT64_C(65536)   /* of one command */

/* ---- namespaces ---- */

uint8_t vssd_lbaf_shift(uint8_t lbaf)
{
	return lbaf == 0 ? 9 : 12;
}

void vssd_ns_set_format(struct vssd_ctrl *ctrl, struct vssd_ns *ns, uint8_t lbaf)
{
	ns->lba_shift = vssd_lbaf_shift(lbaf);
	ns->nsze = ns->blocks << (VSSD_BLOCK_SHIFT - ns->lba_shift);
	ctrl->nv->formats.lbaf[ns->nsid - 1] = lbaf;
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
		vssd_ns_set_format(ctrl, ns, ctrl->nv->formats.lbaf[i]);
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
static int init_nonvolatile(struct vssd_ctrl *ctrl, struct pyn_error *err)
{
	struct vssd_nonvolatile *nv;
	bool is_new;
	int result = vssd_nonvolatile_open(ctrl->store, ctrl->options.file, &ctrl->nv, &is_new, err);

	if (result)
		return result;
	nv = ctrl->nv;
	if (is_new)
		memset(nv->formats.lbaf, ctrl->options.lba_size == 512 ? 0 : 1, sizeof(nv->formats.lbaf));
	if (is_new || ctrl->options.serial)
		init_serial(nv->identity.serial, ctrl->options.serial);
	for (unsigned i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (nv->formats.lbaf[i] > VSSD_NLBAF)
			nv->formats.lbaf[i] = 0;
	vssd_firmware_init(ctrl);
	vssd_self_test_init(ctrl);
	return 0;
}

/* A null drive has a store for its system area alone. */
static int init_store(struct vssd_ctrl *ctrl, struct pyn_error *err)
{
	uint64_t blocks = ctrl->options.size / VSSD_BLOCK_SIZE * ctrl->options.namespaces;
	uint64_t cache = ctrl->options.cache_size / VSSD_BLOCK_SIZE;
	struct vssd_store_options options = {.blocks = 1};
	int result;

	/* A cache that is larger than the drive would hold no more, and a file sets room aside for all of it. */
	if (!ctrl->null_store)
		options = (struct vssd_store_options){
			.blocks = blocks,
			.cache_blocks = cache < blocks ? cache : blocks,
			.file = ctrl->options.file,
		};
	result = vssd_store_open(&options, &ctrl->store, err);
	if (result)
		return result;
	return init_nonvolatile(ctrl, err);
}

/* Room for the pieces of the largest transfer: a page each, and one more where it does not start on one. */
static int init_transfers(struct vssd_ctrl *ctrl, struct pyn_error *err)
{
	uint64_t largest = LBAS_MAX * 4096;

	ctrl->max_transfer = ctrl->options.mdts ? UINT64_C(4096) << ctrl->options.mdts : UINT64_MAX;
	if (ctrl->max_transfer < largest)
		largest = ctrl->max_transfer;
	ctrl->num_segments = (uint32_t)(largest / 4096) + 2;
	ctrl->segments = calloc(ctrl->num_segments, sizeof(*ctrl->segments));
	if (ctrl->segments)
		return 0;
	return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for transfers of %llu bytes",
			 (unsigned long long)largest);
}

static void power_up(struct vssd_ctrl *ctrl)
{
	bool unannounced = ctrl->nv->identity.in_use;

	ctrl->power = true;
	ctrl->csts = 0;
	ctrl->nv->totals.power_cycles++;
	ctrl->nv->totals.unsafe_shutdowns += unannounced;
	ctrl->nv->identity.in_use = false;
	vssd_health_reset(ctrl);
	vssd_config_init(ctrl);
	memset(ctrl->errors, 0, sizeof(ctrl->errors));
	vssd_sanitize_resume(ctrl);
	vssd_regs_reset(ctrl, VSSD_RESET_POWER);
	if (unannounced)
		vssd_telemetry_capture(ctrl, "power lost without a shutdown");
}

int vssd_ctrl_create(const struct vssd_options *options, struct vssd_bus *bus, volatile uint32_t *doorbells,
		     struct vssd_ctrl **created, struct pyn_error *err)
{
	int result = vssd_options_check(options, err);
	struct vssd_ctrl *ctrl;

	if (result)
		return result;
	ctrl = calloc(1, sizeof(*ctrl));
	if (!ctrl)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for a controller");
	ctrl->options = *options;
	ctrl->bus = bus;
	ctrl->doorbells = doorbells;
	ctrl->null_store = options->null_store;
	ctrl->medium_ticks = pyn_ns_to_ticks(MEDIUM_NS);
	result = init_transfers(ctrl, err);
	if (!result)
		result = init_store(ctrl, err);
	if (result) {
		vssd_ctrl_destroy(ctrl);
		return result;
	}
	init_namespaces(ctrl);
	vssd_dispatch_init(ctrl);
	vssd_format_resume(ctrl);
	vssd_regs_init(ctrl);
	power_up(ctrl);
	*created = ctrl;
	return 0;
}

void vssd_ctrl_destroy(struct vssd_ctrl *ctrl)
{
	if (ctrl->power)
		vssd_ctrl_power(ctrl, false);
	if (ctrl->store)
		vssd_store_close(ctrl->store);
	vssd_firmware_deinit(ctrl);
	free(ctrl->segments);
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
	counters->power_cycles = ctrl->nv->totals.power_cycles;
}
