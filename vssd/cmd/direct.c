/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short path, for nearly all reads and writes: one block of the store, one piece of host memory, and nothing
 * special. It leaves every other command untouched in its queue for the long path (dispatch.c and nvm.c), which
 * executes all commands.
 */
#include "vssd/cmd/direct.h"

#include <string.h>

#include "vssd/cmd/account.h"
#include "vssd/cmd/dptr.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/plain.h"

#define PREFETCH_LINES 16u /* of data to be read; the processor prefetches the rest by itself */

/* ---- a command ---- */

/* The fields that the short path needs. Read each word once: the host may change its memory at any time, and the
 * checked command must be the executed one. */
struct entry {
	struct vssd_brief brief;
	uint64_t prp1;
};

static inline struct entry read_entry(const struct nvme_cmd *entry)
{
	return (struct entry){
		.brief.command = __atomic_load_n((const uint64_t *)&entry->opc, __ATOMIC_RELAXED),
		.prp1 = __atomic_load_n(&entry->prp1, __ATOMIC_RELAXED),
		.brief.slba = __atomic_load_n((const uint64_t *)&entry->cdw10, __ATOMIC_RELAXED),
		.brief.cdw12 = __atomic_load_n(&entry->cdw12, __ATOMIC_RELAXED),
	};
}

/* Whether this is the opcode, with no flag set. */
static inline bool is(const struct entry *io, uint8_t opcode)
{
	return (io->brief.command & 0xffff) == opcode;
}

/* Where the data are in the store and in host memory. */
struct place {
	uint64_t block;
	uint32_t offset; /* in the block */
	uint32_t length;
	uint8_t *memory;
};

/* Whether a command can take the short path although fault rules are planted: none of them may match it. */
static inline bool is_unwatched(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq, const struct entry *io,
				uint32_t index, uint8_t opcode)
{
	const struct vssd_faults *faults = ctrl->subsystem->faults;
	uint64_t last = io->brief.slba + (io->brief.cdw12 & 0xffff);

	return ctrl->queues.plain[index] >> opcode & 1 && !faults->index.queues[sq->qid] &&
	       !vssd_faults_watched(faults, opcode == NVME_IO_WRITE, index, io->brief.slba, last);
}

/* Find the data of a command. False: it must take the long path. One block is never above MDTS. */
static inline __attribute__((always_inline)) bool locate(struct vssd_ctrl *ctrl, const struct vssd_sq *sq,
							 const struct entry *io, uint8_t opcode, bool watched,
							 struct place *place)
{
	uint32_t index = (uint32_t)(io->brief.command >> 32) - 1;
	uint64_t nlb = (io->brief.cdw12 & 0xffff) + 1, offset, length, in_block;
	const struct vssd_ns *ns;

	if (index >= VSSD_MAX_NAMESPACES || io->brief.cdw12 & NVME_RW_FUA)
		return false;
	if (watched ? !is_unwatched(ctrl, sq, io, index, opcode) : !(ctrl->queues.plain[index] >> opcode & 1))
		return false;
	ns = &ctrl->ns[index];
	if (!vssd_range_fits(ns, io->brief.slba, nlb))
		return false;
	offset = (ns->first_block << VSSD_BLOCK_SHIFT) + (io->brief.slba << ns->lba_shift);
	length = nlb << ns->lba_shift;
	in_block = offset & (VSSD_BLOCK_SIZE - 1);
	if (in_block + length > VSSD_BLOCK_SIZE)
		return false;
	*place = (struct place){
		.block = offset >> VSSD_BLOCK_SHIFT,
		.offset = (uint32_t)in_block,
		.length = (uint32_t)length,
		.memory = vssd_data_in_page(ctrl, io->prp1, length,
					    opcode == NVME_IO_READ ? VSSD_DMA_WRITE : VSSD_DMA_READ),
	};
	return place->memory != NULL;
}

/* ---- looking ahead, while the data of a command are copied ---- */

/* Read the entry that is behind entries after the head, and find its block. False: there is nothing to prefetch. */
static inline bool guess(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq, uint32_t behind, struct entry *io,
			 uint64_t *block)
{
	uint32_t entry = sq->head + behind;
	const struct vssd_ns *ns;

	*io = read_entry(&sq->entries[entry < sq->size ? entry : entry - sq->size]);
	ns = &ctrl->ns[((io->brief.command >> 32) - 1) % VSSD_MAX_NAMESPACES];
	*block = ns->first_block + (io->brief.slba << ns->lba_shift >> VSSD_BLOCK_SHIFT);
	return (is(io, NVME_IO_READ) || is(io, NVME_IO_WRITE)) && io->brief.slba < ns->nsze;
}

static inline void fetch_lines(const uint8_t *data, unsigned lines)
{
	for (unsigned i = 0; i < lines; i++)
		__builtin_prefetch(data + i * 64, 0, 2);
}

/* Prefetch all data of a write at once: they come from another core's cache. */
static inline void fetch_host_lines(struct vssd_ctrl *ctrl, const struct entry *io)
{
	const uint8_t *data = vssd_data_ahead(ctrl, io->prp1);

	if (data)
		fetch_lines(data, VSSD_BLOCK_SIZE / 64);
}

/* Prefetch the data of the next command, and the map entries of the one after it. left: how many commands are known
 * to follow. The host may still change them: a wrong guess costs only time. */
static inline void look_ahead(struct vssd_ctrl *ctrl, const struct vssd_sq *sq, unsigned left)
{
	struct entry io;
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

static inline __attribute__((always_inline)) bool run_read(struct vssd_ctrl *ctrl, const struct vssd_sq *sq,
							   const struct entry *io, unsigned left, bool watched)
{
	struct place at;

	if (!locate(ctrl, sq, io, NVME_IO_READ, watched, &at))
		return false;
	if (!ctrl->null_store) {
		if (vssd_store_bad(ctrl->store, at.block))
			return false;
		look_ahead(ctrl, sq, left);
		memcpy(at.memory, vssd_store_data(ctrl->store, at.block) + at.offset, at.length);
	}
	vssd_account_io(ctrl, sq->qid, &io->brief, NVME_IO_READ, at.length, NVME_SC_SUCCESS);
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

static inline __attribute__((always_inline)) bool run_write(struct vssd_ctrl *ctrl, const struct vssd_sq *sq,
							    const struct entry *io, unsigned left, bool watched)
{
	struct place at;

	if (!locate(ctrl, sq, io, NVME_IO_WRITE, watched, &at))
		return false;
	if (!ctrl->null_store) {
		look_ahead(ctrl, sq, left);
		if (!store_data(ctrl, &at))
			return false;
	}
	vssd_account_io(ctrl, sq->qid, &io->brief, NVME_IO_WRITE, at.length, NVME_SC_SUCCESS);
	return true;
}

/* Execute the command at the head. False: it must take the long path, and nothing was done. */
static inline __attribute__((always_inline)) bool execute(struct vssd_ctrl *ctrl, const struct vssd_sq *sq,
							  const struct entry *io, unsigned left, bool watched)
{
	if (is(io, NVME_IO_READ))
		return run_read(ctrl, sq, io, left, watched);
	return is(io, NVME_IO_WRITE) && run_write(ctrl, sq, io, left, watched);
}

/* Execute commands from the head on. watched: fault rules may match some of them. The compiler makes one copy of all
 * this for each value, so that a drive without rules checks none. */
static inline __attribute__((always_inline)) unsigned run(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned most,
							  bool watched)
{
	struct vssd_cq *cq = sq->cq;
	unsigned count = 0;

	while (count < most) {
		struct entry io = read_entry(&sq->entries[sq->head]);

		if (!execute(ctrl, sq, &io, most - count - 1, watched))
			break;
		count++;
		sq->head = vssd_next_entry(sq->head, sq->size);
		vssd_cq_store(cq, 0,
			      (uint64_t)cq->phase << 48 | (io.brief.command & 0xffff0000) << 16 |
				      (uint32_t)sq->qid << 16 | sq->head);
	}
	return count;
}

static __attribute__((noinline)) unsigned run_watched(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned most)
{
	return run(ctrl, sq, most, true);
}

unsigned vssd_direct_run(struct vssd_ctrl *ctrl, struct vssd_sq *sq, unsigned most)
{
	vssd_plain_check(ctrl, sq);
	if (!sq->plain)
		return 0;
	if (__builtin_expect(ctrl->subsystem->faults->num_rules > 0, 0))
		return run_watched(ctrl, sq, most);
	return run(ctrl, sq, most, false);
}
