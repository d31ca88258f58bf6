/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way, which nearly all reads and writes take: one block of the store, one piece of host memory, and
 * nothing that wants a closer look. A command that does not fit stays in its queue, untouched, for the long way
 * (queue.c and io.c), which does the same for it and more.
 */
#include "vssd/ctrl/device.h"

#include <string.h>

#define PREFETCH_LINES 16u /* of what is read; the processor itself goes on from there */

/* What is needed of a command. Each word is read once: the host may change its memory at any time, and what was
 * checked must be what is executed. */
struct brief {
	uint64_t command; /* the first eight bytes: opcode, flags, CID, NSID */
	uint64_t prp1;
	uint64_t slba;
	uint32_t cdw12;
};

static inline struct brief read_entry(const struct nvme_cmd *entry)
{
	return (struct brief){
		.command = __atomic_load_n((const uint64_t *)&entry->opc, __ATOMIC_RELAXED),
		.prp1 = __atomic_load_n(&entry->prp1, __ATOMIC_RELAXED),
		.slba = __atomic_load_n((const uint64_t *)&entry->cdw10, __ATOMIC_RELAXED),
		.cdw12 = __atomic_load_n(&entry->cdw12, __ATOMIC_RELAXED),
	};
}

/* Whether it is this command, with no flag set. */
static inline bool is(const struct brief *io, uint8_t opcode)
{
	return (io->command & 0xffff) == opcode;
}

/* Where the data are: so many bytes of a block of the store, and of host memory. */
struct place {
	uint64_t block;
	uint32_t offset; /* in the block */
	uint32_t length;
	uint8_t *memory;
};

/* False: not a case for the short way. No transfer that is one has too many bytes for MDTS. */
static inline bool locate(struct vssd_ctrl *ctrl, const struct brief *io, uint32_t direction, struct place *place)
{
	const struct vssd_ns *ns = vssd_ns_find(ctrl, (uint32_t)(io->command >> 32));
	uint64_t nlb = (io->cdw12 & 0xffff) + 1, offset, length, in_block, in_page;

	if (!ns || ns->refuse || ns->dulbe || io->cdw12 & NVME_RW_FUA || !vssd_range_fits(ns, io->slba, nlb))
		return false;
	offset = (ns->first_block << VSSD_BLOCK_SHIFT) + (io->slba << ns->lba_shift);
	length = nlb << ns->lba_shift;
	in_block = offset & (VSSD_BLOCK_SIZE - 1);
	in_page = io->prp1 & (ctrl->page_size - 1);
	if (in_block + length > VSSD_BLOCK_SIZE || in_page + length > ctrl->page_size || in_page & 3)
		return false;
	*place = (struct place){
		.block = offset >> VSSD_BLOCK_SHIFT,
		.offset = (uint32_t)in_block,
		.length = (uint32_t)length,
		.memory = vssd_dma_pointer(&ctrl->bus->dma, io->prp1, length, direction),
	};
	return place->memory != NULL;
}

/* ---- looking ahead, while the data of a command are copied ---- */

/* The command that is so many entries behind the head, and its block of the store. False: it is nothing to prepare.
 */
static inline bool guess(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint32_t behind, struct brief *io,
			 uint64_t *block)
{
	uint32_t entry = sq->head + behind;
	const struct vssd_ns *ns;

	*io = read_entry(&sq->entries[entry < sq->size ? entry : entry - sq->size]);
	ns = &ctrl->ns[((io->command >> 32) - 1) % VSSD_MAX_NAMESPACES];
	*block = ns->first_block + (io->slba << ns->lba_shift >> VSSD_BLOCK_SHIFT);
	return (is(io, NVME_IO_READ) || is(io, NVME_IO_WRITE)) && io->slba < ns->nsze;
}

static inline void fetch_lines(const uint8_t *data, unsigned lines)
{
	for (unsigned i = 0; i < lines; i++)
		__builtin_prefetch(data + i * 64, 0, 2);
}

/* What is written comes from another core's cache: all of it is asked for at once. */
static inline void fetch_host_lines(struct vssd_ctrl *ctrl, const struct brief *io)
{
	const uint8_t *data = vssd_dma_pointer(&ctrl->bus->dma, io->prp1, VSSD_BLOCK_SIZE, VSSD_DMA_READ);

	if (data)
		fetch_lines(data, VSSD_BLOCK_SIZE / 64);
}

/* left: commands that are known to follow. The next one's data come nearer, and what the maps know of the one behind
 * it. The host may change them meanwhile: a wrong guess costs time only. */
static inline void look_ahead(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, unsigned left)
{
	struct brief io;
	uint64_t block;

	if (left > 1 && guess(ctrl, sq, 2, &io, &block))
		vssd_store_prefetch(ctrl->store, block, is(&io, NVME_IO_WRITE));
	if (left == 0 || !guess(ctrl, sq, 1, &io, &block))
		return;
	if (is(&io, NVME_IO_READ))
		fetch_lines(vssd_store_data(ctrl->store, block), PREFETCH_LINES);
	else
		fetch_host_lines(ctrl, &io);
}

/* ---- executing ---- */

static inline bool run_read(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, const struct brief *io, unsigned left)
{
	struct place at;

	if (!locate(ctrl, io, VSSD_DMA_WRITE, &at))
		return false;
	if (!ctrl->null_store) {
		if (vssd_store_bad(ctrl->store, at.block))
			return false;
		look_ahead(ctrl, sq, left);
		memcpy(at.memory, vssd_store_data(ctrl->store, at.block) + at.offset, at.length);
	}
	ctrl->counters.commands_read++;
	ctrl->counters.bytes_read += at.length;
	ctrl->nv->totals.reads++;
	ctrl->nv->totals.sectors_read += at.length / VSSD_SECTOR_SIZE;
	return true;
}

static inline bool store_data(struct vssd_ctrl *ctrl, const struct place *at)
{
	uint8_t *data;

	if (at->length == VSSD_BLOCK_SIZE)
		return vssd_store_put(ctrl->store, at->block, at->memory);
	data = vssd_store_write(ctrl->store, at->block, vssd_store_sectors(at->offset, at->length));
	if (!data)
		return false;
	memcpy(data + at->offset, at->memory, at->length);
	return true;
}

static inline bool run_write(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, const struct brief *io, unsigned left)
{
	struct place at;

	if (ctrl->write_through || !locate(ctrl, io, VSSD_DMA_READ, &at))
		return false;
	if (!ctrl->null_store) {
		look_ahead(ctrl, sq, left);
		if (!store_data(ctrl, &at))
			return false;
	}
	ctrl->counters.commands_write++;
	ctrl->counters.bytes_written += at.length;
	ctrl->nv->totals.writes++;
	ctrl->nv->totals.sectors_written += at.length / VSSD_SECTOR_SIZE;
	ctrl->nv->sanitize.written = true;
	return true;
}

/* Execute the command at the head; false: nothing was done. */
static inline bool execute(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, const struct brief *io, unsigned left)
{
	if (is(io, NVME_IO_READ))
		return run_read(ctrl, sq, io, left);
	return is(io, NVME_IO_WRITE) && run_write(ctrl, sq, io, left);
}

unsigned vssd_direct_run(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned most)
{
	struct vssd_cq *cq = sq->cq;
	unsigned count = 0;

	if (!sq->entries || !cq->entries || ctrl->power_state.asleep || ctrl->hmb.enabled)
		return 0;
	while (count < most) {
		struct brief io = read_entry(&sq->entries[sq->head]);

		if (!execute(ctrl, sq, &io, most - count - 1))
			break;
		count++;
		sq->head = vssd_next_entry(sq->head, sq->size);
		vssd_trace(ctrl, sq->qid, io.command, io.slba, io.cdw12, NVME_SC_SUCCESS);
		vssd_cq_store(cq, 0,
			      (uint64_t)cq->phase << 48 | (io.command & 0xffff0000) << 16 | (uint32_t)sq->qid << 16 |
				      sq->head);
	}
	return count;
}
