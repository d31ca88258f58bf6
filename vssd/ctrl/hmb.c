/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host memory buffer: host memory that the drive may use exclusively while the host enables it.
 * NVM Express Base Specification 2.0, sections 5.27.1.10 and 8.9.
 *
 * It caches the map, as in a drive without DRAM: one entry of 16 bytes for a block, at an index computed from the
 * block number. A read looks up the entry, a change rewrites it. The host may corrupt the buffer at any time, so an
 * entry is used only if its check value matches, and the map itself always decides.
 */
#include <string.h>

#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/plain.h"

#include "vssd/ctrl/hmb.h"

#define ENTRY_SIZE VSSD_HMB_ENTRY_SIZE

struct hmb_entry {
	uint32_t block; /* bits 31:0 */
	uint32_t map;   /* the store's map entry of that block; in a drive without a map, bits 63:32 of the block */
	uint32_t epoch; /* in which it was written; entries of other epochs are invalid */
	uint32_t check;
};
_Static_assert(sizeof(struct hmb_entry) == ENTRY_SIZE, "host memory buffer");

/* Mix 32 bits: a change of one input bit changes about half of the output bits. */
static uint32_t mix(uint32_t value)
{
	value = (value ^ value >> 16) * UINT32_C(0x7feb352d);
	value = (value ^ value >> 15) * UINT32_C(0x846ca68b);
	return value ^ value >> 16;
}

static uint32_t check_of(const struct hmb_entry *entry)
{
	return mix(entry->block + mix(entry->map + mix(entry->epoch + UINT32_C(0x484d4221))));
}

/* The address of a block's entry. */
static uint64_t address_of(const struct vssd_hmb *hmb, uint64_t block)
{
	uint64_t offset = block % hmb->entries * ENTRY_SIZE;
	uint32_t low = 0, high = hmb->count - 1;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (offset < hmb->ranges[middle].end)
			high = middle;
		else
			low = middle + 1;
	}
	return hmb->ranges[low].iova + offset - (low ? hmb->ranges[low - 1].end : 0);
}

/* Disable the buffer: the host took the memory back without disabling it. */
static void lose(struct vssd_ctrl *ctrl)
{
	ctrl->counters.hmb_errors++;
	vssd_hmb_disable(ctrl);
}

static uint32_t map_entry(const struct vssd_ctrl *ctrl, uint64_t block)
{
	return ctrl->null_store ? (uint32_t)(block >> 32) : ctrl->store->current[block];
}

static void store(struct vssd_ctrl *ctrl, uint64_t iova, uint64_t block)
{
	struct hmb_entry entry = {(uint32_t)block, map_entry(ctrl, block), ctrl->hmb.epoch, 0};

	entry.check = check_of(&entry);
	if (vssd_bus_write(ctrl->bus, iova, &entry, sizeof(entry)) < 0)
		lose(ctrl);
}

static void look_up(struct vssd_ctrl *ctrl, uint64_t block)
{
	uint64_t iova = address_of(&ctrl->hmb, block);
	struct hmb_entry entry;

	if (vssd_bus_read(ctrl->bus, iova, &entry, sizeof(entry)) < 0) {
		lose(ctrl);
		return;
	}
	if (entry.epoch == ctrl->hmb.epoch && entry.check != check_of(&entry))
		ctrl->counters.hmb_errors++;
	else if (entry.epoch == ctrl->hmb.epoch && entry.block == (uint32_t)block &&
		 entry.map == map_entry(ctrl, block)) {
		ctrl->counters.hmb_hits++;
		return;
	}
	ctrl->counters.hmb_misses++;
	store(ctrl, iova, block);
}

void vssd_hmb_use(struct vssd_ctrl *ctrl, uint64_t first, uint64_t last, bool changed)
{
	/* If there are more blocks than entries, the last ones would overwrite the first. */
	if (last - first >= ctrl->hmb.entries)
		first = last - ctrl->hmb.entries + 1;
	for (uint64_t block = first; block <= last && ctrl->hmb.enabled; block++) {
		if (changed)
			store(ctrl, address_of(&ctrl->hmb, block), block);
		else
			look_up(ctrl, block);
	}
}

void vssd_hmb_forget(struct vssd_ctrl *ctrl)
{
	ctrl->hmb.epoch++;
}

void vssd_hmb_enable(struct vssd_ctrl *ctrl, const struct nvme_hmb_attributes *attributes, uint64_t size,
		     bool returned)
{
	struct vssd_hmb *hmb = &ctrl->hmb;

	hmb->attributes = *attributes;
	size /= ENTRY_SIZE;
	hmb->entries = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	/* Memory with unchanged contents may hold valid entries. */
	if (!returned)
		hmb->epoch++;
	hmb->enabled = true;
	vssd_plain_update(ctrl);
}

void vssd_hmb_disable(struct vssd_ctrl *ctrl)
{
	ctrl->hmb.enabled = false;
	vssd_plain_update(ctrl);
}
