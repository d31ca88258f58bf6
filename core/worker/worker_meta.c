/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/worker/worker_meta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/transfer.h"
#include "core/env/env.h"
#include "core/util/crc32c.h"
#include "core/verify/track_meta.h"
#include "core/verify/verify_table.h"
#include "spec/nvme_field.h"

#define PAGE 4096u

/* Bytes of metadata of each LBA at MPTR. */
static uint32_t separate_bytes(const struct pyn_worker_run *run)
{
	const struct pyn_worker_metadata *metadata = &run->config.metadata;

	return metadata->layout.extended ? 0 : pyn_metadata_bytes(&metadata->layout.protection, metadata->prinfo);
}

static uint32_t data_bytes(const struct pyn_worker_run *run)
{
	return run->config.metadata.data_size;
}

/* ---- memory ---- */

size_t pyn_worker_meta_bytes(const struct pyn_worker_run *run, uint32_t largest)
{
	return ((size_t)largest * separate_bytes(run) + PAGE - 1) / PAGE * PAGE;
}

int pyn_worker_meta_create(struct pyn_worker_run *run, uint32_t largest, struct pyn_error *err)
{
	size_t each = (largest ? largest : 1) * (sizeof(uint64_t) + 2 * sizeof(uint32_t));
	uint8_t *memory;

	if (!pyn_worker_has_metadata(&run->config))
		return 0;
	run->state.meta.slots = calloc(run->slot_count, sizeof(*run->state.meta.slots) + each);
	if (!run->state.meta.slots)
		return pyn_error(err, PYN_ERROR_MEMORY, ENOMEM, "no memory for the metadata of an IO worker");
	memory = (uint8_t *)(run->state.meta.slots + run->slot_count);
	for (uint16_t i = 0; i < run->slot_count; i++, memory += each) {
		run->state.meta.slots[i].cells = (uint64_t *)memory;
		run->state.meta.slots[i].crc = (uint32_t *)(run->state.meta.slots[i].cells + largest);
	}
	run->state.meta.most = largest;
	return 0;
}

void pyn_worker_meta_destroy(struct pyn_worker_run *run)
{
	free(run->state.meta.slots);
	run->state.meta.slots = NULL;
}

static uint64_t address_of(const void *memory)
{
	return (pyn_dma_physical_known() ? pyn_dma_physical(memory) : pyn_dma_iova(memory)).value;
}

int pyn_worker_meta_place(struct pyn_worker_run *run, uint16_t index, void *memory, struct pyn_error *err)
{
	size_t bytes = pyn_worker_meta_bytes(run, run->state.meta.most);
	uint64_t first = address_of(memory);

	for (size_t at = PAGE; at < bytes; at += PAGE)
		if (address_of((uint8_t *)memory + at) - first != at)
			return pyn_error(err, PYN_ERROR_ARGUMENT, EINVAL,
					 "%zu bytes of metadata are not contiguous in physical memory, as MPTR needs "
					 "them without an IOMMU: use a smaller io_size",
					 bytes);
	run->state.meta.slots[index].data = memory;
	run->state.meta.slots[index].mptr = first;
	return 0;
}

/* ---- the command ---- */

static void describe(const struct pyn_worker_run *run, struct pyn_worker_slot *slot, uint64_t mptr)
{
	const struct pyn_worker_metadata *metadata = &run->config.metadata;
	struct nvme_cmd *cmd = &slot->cmd;
	bool transfers = pyn_transfers_lbas(cmd->opc);
	uint32_t prinfo = cmd->opc == NVME_IO_ZONE_APPEND    ? metadata->prinfo_of_append
			  : transfers                        ? metadata->prinfo
			  : cmd->opc == NVME_IO_VERIFY       ? metadata->prinfo & ~NVME_RW_PRACT
			  : cmd->opc == NVME_IO_WRITE_ZEROES ? metadata->prinfo_of_zeroes
							     : 0;

	cmd->mptr = transfers ? mptr : 0;
	cmd->cdw12 |= prinfo;
	cmd->cdw2 = prinfo ? metadata->cdw2 : 0;
	cmd->cdw3 = prinfo ? metadata->cdw3 : 0;
	cmd->cdw14 = prinfo ? metadata->cdw14 : 0;
	cmd->cdw15 = prinfo ? metadata->cdw15 : 0;
	if (prinfo && metadata->counts_lbas)
		pyn_tags_put(&metadata->layout.protection, cmd, slot->slba);
}

/* The tags of a write's tuples: those of the command, also if it asks the drive for no check. The drive advances the
 * reference tag of an append with PIREMAP by the distance of its LBAs from the start of the zone. */
static struct pyn_tags tags_of(const struct pyn_worker_run *run, uint64_t slba, uint64_t distance)
{
	const struct pyn_worker_metadata *metadata = &run->config.metadata;
	struct nvme_cmd cmd = {
		.cdw2 = metadata->cdw2, .cdw3 = metadata->cdw3, .cdw14 = metadata->cdw14, .cdw15 = metadata->cdw15};

	if (metadata->counts_lbas)
		pyn_tags_put(&metadata->layout.protection, &cmd, slba);
	if (distance)
		pyn_tags_advance(&metadata->layout.protection, &cmd, distance);
	return pyn_tags_of(&cmd);
}

/* ---- writes ---- */

/* Fill metadata that no other LBA and no other write has. */
static void fill(uint8_t *metadata, uint32_t bytes, uint64_t lba, uint64_t token)
{
	const uint64_t words[2] = {token, lba};

	for (uint32_t at = 0; at < bytes; at += sizeof(uint64_t)) {
		uint32_t length = bytes - at < sizeof(uint64_t) ? bytes - at : sizeof(uint64_t);

		memcpy(metadata + at, &words[at / sizeof(uint64_t) % 2], length);
	}
}

/* Make the metadata of LBA number i of a write to slba. Returns the CRC of those that the drive is to have. */
static uint32_t make(const struct pyn_worker_run *run, const struct pyn_lbas *lbas, const struct pyn_tags *tags,
		     uint64_t i, uint64_t slba, uint64_t token)
{
	const struct pyn_protection *protection = &run->config.metadata.layout.protection;
	const uint8_t *data = lbas->data + i * lbas->stride;
	uint8_t *metadata = lbas->metadata ? lbas->metadata + i * lbas->metadata_stride : NULL;
	uint8_t tuple[PYN_TUPLE_MOST];

	if (metadata)
		fill(metadata, protection->ms, slba + i, token + i);
	if (metadata && protection->type)
		pyn_protection_make(protection, data, data_bytes(run), metadata, tags, i);
	if (metadata)
		return pyn_crc32c(0, metadata, protection->ms);
	pyn_protection_tuple(protection, data, data_bytes(run), NULL, tags, i, tuple);
	return pyn_crc32c(0, tuple, pyn_tuple_bytes(protection->guard));
}

static struct pyn_lbas lbas_of(const struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint8_t *data)
{
	const struct pyn_worker_meta *meta = &run->state.meta.slots[slot->cmd.cid];
	struct pyn_lbas lbas = {.data = data, .stride = run->config.lba_size};

	if (separate_bytes(run)) {
		lbas.metadata = meta->data;
		lbas.metadata_stride = separate_bytes(run);
	} else if (run->config.lba_size > data_bytes(run)) {
		lbas.metadata = data + data_bytes(run);
		lbas.metadata_stride = lbas.stride;
	}
	return lbas;
}

/* Make the data and metadata that a slot writes to these LBAs, and their CRCs. */
static void make_all(const struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint64_t slba,
		     uint64_t token)
{
	struct pyn_tags tags = tags_of(run, slot->slba, 0);
	uint32_t *crc = run->state.meta.slots[slot->cmd.cid].crc, *metadata_crc = crc + run->state.meta.most;
	struct pyn_lbas lbas = lbas_of(run, slot, slot->write_data);

	for (uint32_t i = 0; i < slot->nlb; i++) {
		uint8_t *data = lbas.data + (size_t)i * lbas.stride;

		if (run->noted)
			pyn_verify_stamp(run->verify, data, slba + i, 1, token + i);
		metadata_crc[i] = make(run, &lbas, &tags, i, slba, token);
		crc[i] = run->noted ? pyn_crc32c(0, data, data_bytes(run)) : 0;
	}
}

/* Let both tables expect what a slot writes. Its flight says where. */
static void note_all(const struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint64_t token)
{
	const struct pyn_worker_flight *flight = &run->flight[slot->cmd.cid];
	const uint32_t *crc = run->state.meta.slots[slot->cmd.cid].crc;

	pyn_verify_write_begin_crc(run->verify, flight->slba, flight->nlb, crc, token);
	if (run->state.meta.verify)
		pyn_verify_write_begin_crc(run->state.meta.verify, flight->slba, flight->nlb,
					   crc + run->state.meta.most, token);
}

static void begin_write(struct pyn_worker_run *run, struct pyn_worker_slot *slot)
{
	struct pyn_worker_flight *flight = &run->flight[slot->cmd.cid];
	uint64_t token = pyn_token_take(slot->nlb);

	make_all(run, slot, slot->slba, token);
	if (!run->noted)
		return;
	flight->slba = slot->slba;
	flight->nlb = (uint32_t)pyn_verify_clip(run->noted, slot->slba, slot->nlb);
	pyn_flight_set(flight, PYN_FLIGHT_MOVING);
	note_all(run, slot, token);
	pyn_flight_set(flight, PYN_FLIGHT_BEGUN);
}

/* ---- appends ---- */

void pyn_worker_meta_append(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint64_t lba,
			    uint64_t token)
{
	make_all(run, slot, lba, token);
	if (run->noted && run->state.meta.verify)
		pyn_verify_vacate(run->state.meta.verify, lba, slot->nlb);
}

void pyn_worker_meta_appended(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint64_t expected,
			      uint64_t lba, uint64_t token)
{
	const struct pyn_worker_meta *meta = &run->state.meta.slots[slot->cmd.cid];
	struct pyn_lbas lbas = lbas_of(run, slot, slot->write_data);
	struct pyn_tags tags = tags_of(run, slot->slba, lba - slot->slba);

	/* The same metadata again, but for the reference tags. */
	if (nvme_get_field(&slot->cmd, NVME_FIELD_ZONE_APPEND_PIREMAP))
		for (uint32_t i = 0; i < slot->nlb; i++)
			meta->crc[run->state.meta.most + i] = make(run, &lbas, &tags, i, expected, token);
	note_all(run, slot, token);
}

void pyn_worker_meta_append_end(struct pyn_worker_run *run, const struct pyn_worker_slot *slot,
				enum pyn_write_outcome outcome)
{
	const struct pyn_worker_flight *flight = &run->flight[slot->cmd.cid];

	if (run->state.meta.verify)
		pyn_verify_write_end(run->state.meta.verify, flight->slba, flight->nlb, outcome);
}

/* ---- all commands ---- */

void pyn_worker_meta_begin(struct pyn_worker_run *run, struct pyn_worker_slot *slot)
{
	struct pyn_worker_meta *meta = &run->state.meta.slots[slot->cmd.cid];
	const struct pyn_worker_flight *flight = &run->flight[slot->cmd.cid];

	if (slot->cmd.opc == NVME_IO_READ && run->config.check) {
		pyn_verify_read_begin(run->verify, slot->slba, slot->nlb, slot->cells);
		if (run->state.meta.verify)
			pyn_verify_read_begin(run->state.meta.verify, slot->slba, slot->nlb, meta->cells);
	} else if (slot->cmd.opc == NVME_IO_WRITE) {
		begin_write(run, slot);
	} else if (slot->flags & PYN_FLAG_CHANGE && slot->cmd.opc != NVME_IO_FLUSH && run->noted &&
		   run->state.meta.verify) {
		/* Zeroed and deallocated LBAs have metadata that depend on more than the command. */
		pyn_verify_change_begin(run->state.meta.verify, flight->slba, flight->nlb, PYN_CELL_UNKNOWN);
	}
	describe(run, slot, meta->mptr);
}

void pyn_worker_meta_end(struct pyn_worker_run *run, const struct pyn_worker_slot *slot, uint16_t status)
{
	const struct pyn_worker_flight *flight = &run->flight[slot->cmd.cid];

	if (!(slot->flags & PYN_FLAG_CHANGE) || slot->cmd.opc == NVME_IO_FLUSH || !run->noted ||
	    !run->state.meta.verify)
		return;
	enum pyn_write_outcome outcome = pyn_verify_outcome(run->verify, !status, slot->submitted);

	if (slot->cmd.opc == NVME_IO_WRITE)
		pyn_verify_write_end(run->state.meta.verify, flight->slba, flight->nlb, outcome);
	else
		pyn_verify_change_end(run->state.meta.verify, flight->slba, flight->nlb, outcome);
}

bool pyn_worker_meta_judge(struct pyn_worker_run *run, const struct pyn_worker_slot *slot,
			   struct pyn_mismatch *mismatch)
{
	struct pyn_lbas lbas = lbas_of(run, slot, slot->read_data);

	lbas.cells = slot->cells;
	lbas.metadata_cells = run->state.meta.slots[slot->cmd.cid].cells;
	return pyn_judge_lbas(run->verify, run->state.meta.verify, slot->slba, slot->nlb, &lbas, &run->counts,
			      mismatch);
}
