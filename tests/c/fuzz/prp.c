/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/c/fuzz/prp.h"

#include <string.h>

#include "tests/c/fuzz/judge.h"

#define ENTRY ((uint32_t)sizeof(uint64_t))

static uint64_t take(struct fuzz_host *host, struct fuzz_slot *slot)
{
	uint64_t iova = fuzz_memory_alloc(host->memory, slot->chunk_size);

	if (iova)
		slot->chunks[slot->num_chunks++] = iova;
	return iova;
}

static void give_all(struct fuzz_host *host, struct fuzz_slot *slot)
{
	for (uint32_t i = 0; i < slot->num_chunks; i++)
		fuzz_memory_free(host->memory, slot->chunks[i], slot->chunk_size);
	slot->num_chunks = 0;
}

/* ---- lists ---- */

/* wrong: an entry may be; only where data come from the controller it may be the list itself (fuzz_prp_hide_list). */
static void put_entry(struct fuzz_host *host, const struct fuzz_slot *slot, uint64_t iova, uint64_t entry, bool wrong)
{
	bool itself = !(slot->cmd.opc & NVME_DATA_TO_DEVICE) && fuzz_one_in(host->random, 4);

	if (wrong && fuzz_one_in(host->random, 8))
		entry = itself ? iova & ~(uint64_t)(host->page_size - 1) : fuzz_host_address(host);
	fuzz_memory_put(host->memory, iova, &entry, sizeof(entry));
}

/* Lists of earlier commands lie about in memory: what may be taken for a list is overwritten. */
static bool fill_page(struct fuzz_host *host, uint64_t iova, uint8_t byte)
{
	uint8_t bytes[FUZZ_PAGE];

	memset(bytes, byte, sizeof(bytes));
	for (uint32_t i = 0; iova && i < host->page_size; i += FUZZ_PAGE)
		fuzz_memory_put(host->memory, iova + i, bytes, FUZZ_PAGE);
	return iova != 0;
}

/* A list of count pages, from the second one on; it begins anywhere in its page, so that it may run into the next.
 * Returns where it begins; 0: there is no page left. */
static uint64_t make_list(struct fuzz_host *host, struct fuzz_slot *slot, uint32_t count, bool mutilate)
{
	uint32_t in_page = host->page_size / ENTRY;
	uint64_t page = take(host, slot);
	uint32_t at = fuzz_one_in(host->random, 2) ? 0 : in_page - fuzz_between(host->random, 1, count + 1);
	uint64_t list = page + at * ENTRY;

	if (!fill_page(host, page, 0))
		return 0;
	for (uint32_t i = 1; i <= count; i++, at++) {
		if (at == in_page - 1 && i < count) {
			uint64_t next = take(host, slot);

			if (!fill_page(host, next, 0))
				return 0;
			put_entry(host, slot, page + at * ENTRY, next, mutilate);
			page = next;
			at = 0;
		}
		put_entry(host, slot, page + at * ENTRY, slot->chunks[i], mutilate);
	}
	return list;
}

/* ---- data ---- */

/* Noise, some of it repeated, so that a Compare may find what a Write wrote. */
static void make_data(struct fuzz_host *host, uint8_t *data, uint32_t length)
{
	struct fuzz_random noise = {.state = fuzz_next(host->random)};

	for (uint32_t i = 0; i + sizeof(uint64_t) <= length; i += sizeof(uint64_t)) {
		uint64_t word = fuzz_next(&noise);

		memcpy(data + i, &word, sizeof(word));
	}
}

static void write_data(struct fuzz_host *host, const struct fuzz_slot *slot, const uint8_t *data)
{
	uint32_t offset = slot->offset, rest = slot->length;

	for (uint32_t i = 0; rest > 0; i++, offset = 0) {
		uint32_t room = slot->chunk_size - offset;
		uint32_t piece = rest < room ? rest : room;

		fuzz_memory_put(host->memory, slot->chunks[i] + offset, data, piece);
		data += piece;
		rest -= piece;
	}
}

void fuzz_prp_read(struct fuzz_host *host, const struct fuzz_slot *slot, uint8_t *data)
{
	uint32_t offset = slot->offset, rest = slot->length;

	for (uint32_t i = 0; rest > 0; i++, offset = 0) {
		uint32_t room = slot->chunk_size - offset;
		uint32_t piece = rest < room ? rest : room;

		fuzz_memory_get(host->memory, slot->chunks[i] + offset, data, piece);
		data += piece;
		rest -= piece;
	}
}

bool fuzz_prp_is_fenced(struct fuzz_host *host, const struct fuzz_slot *slot)
{
	bool writes = slot->cmd.opc & NVME_DATA_FROM_DEVICE;
	uint32_t first = writes ? slot->offset : 0, end = writes ? slot->offset + slot->length : 0;

	for (uint32_t i = 0; i < slot->num_chunks; i++) {
		uint32_t start = i * slot->chunk_size;
		uint32_t before = first > start ? first - start : 0;
		uint32_t after = end > start ? end - start : 0;

		if (after == 0)
			before = 0;
		if (after > slot->chunk_size)
			after = slot->chunk_size;
		if (!fuzz_memory_is_untouched(host->memory, slot->chunks[i], before) ||
		    !fuzz_memory_is_untouched(host->memory, slot->chunks[i] + after, slot->chunk_size - after))
			return false;
	}
	return true;
}

static void fill(struct fuzz_host *host, struct fuzz_slot *slot, const struct fuzz_command *command)
{
	static uint8_t data[FUZZ_TRANSFER];

	make_data(host, data, slot->length);
	memcpy(data, command->data, command->data_length);
	if (command->fill)
		fuzz_judge_fill(host, slot, data);
	write_data(host, slot, data);
}

static void go_wrong(struct fuzz_host *host, struct fuzz_slot *slot)
{
	give_all(host, slot);
	slot->must_succeed = false;
	slot->cmd.prp1 = fuzz_host_address(host);
	slot->cmd.prp2 = fuzz_host_address(host);
}

void fuzz_prp_attach(struct fuzz_host *host, struct fuzz_slot *slot, const struct fuzz_command *command)
{
	uint32_t count;

	if (slot->length == 0)
		return;
	slot->chunk_size = host->page_size;
	slot->offset = fuzz_one_in(host->random, 4) ? fuzz_below(host->random, host->page_size) & ~3u : 0;
	count = (slot->offset + slot->length + host->page_size - 1) / host->page_size;
	if (slot->length > FUZZ_TRANSFER) {
		go_wrong(host, slot);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		if (!take(host, slot)) {
			go_wrong(host, slot);
			return;
		}
	slot->cmd.prp1 = slot->chunks[0] + slot->offset;
	slot->cmd.prp2 = count == 2 ? slot->chunks[1] : 0;
	if (count > 2) {
		slot->cmd.prp2 = make_list(host, slot, count - 1, command->mutilate);
		if (!slot->cmd.prp2) {
			go_wrong(host, slot);
			return;
		}
	}
	slot->own_pages = true;
	if (slot->cmd.opc & NVME_DATA_TO_DEVICE)
		fill(host, slot, command);
	/* A command that gets longer than this takes a page of data for a list: of odd entries, which no page has. */
	for (uint32_t i = 0; i < count && !(slot->cmd.opc & NVME_DATA_TO_DEVICE); i++)
		fill_page(host, slot->chunks[i], (uint8_t)fuzz_next(host->random) | 1);
}

void fuzz_prp_hide_list(struct fuzz_host *host, struct fuzz_slot *slot)
{
	uint64_t room = 2 * (uint64_t)host->page_size - slot->cmd.prp1 % host->page_size;
	uint64_t least = ((uint64_t)(slot->cmd.cdw12 & 0xffff) + 1) << 9;

	if (slot->offset + slot->length <= 2 * host->page_size || !(slot->cmd.opc & NVME_DATA_TO_DEVICE) ||
	    least > room)
		return;
	slot->cmd.prp2 = 0;
	slot->must_succeed = false;
}

/* ---- which pages may be written ---- */

static void name(struct fuzz_host *host, struct fuzz_slot *slot, uint64_t iova, uint64_t length)
{
	if (length == 0)
		return;
	for (uint64_t page = iova & ~(uint64_t)(FUZZ_PAGE - 1), done = 0; done < length + (iova - page);
	     done += FUZZ_PAGE) {
		uint64_t at = page + done;
		uint32_t i = 0;

		while (i < slot->num_named && slot->named[i] != at)
			i++;
		if (i < slot->num_named || i == FUZZ_NAMED || !fuzz_memory_at(host->memory, at, 1))
			continue;
		slot->named[slot->num_named++] = at;
		fuzz_memory_name(host->memory, at, FUZZ_PAGE, true);
	}
}

/* An upper bound of the bytes that a command writes into host memory. */
static uint64_t most_bytes(const struct fuzz_slot *slot)
{
	const struct nvme_cmd *cmd = &slot->cmd;

	if (!(cmd->opc & NVME_DATA_FROM_DEVICE))
		return 0;
	if (slot->sqid != 0)
		return ((uint64_t)(cmd->cdw12 & 0xffff) + 1) << 12;
	if (cmd->opc == NVME_ADMIN_GET_LOG_PAGE)
		return (((uint64_t)(cmd->cdw11 & 0xffff) << 16 | cmd->cdw10 >> 16) + 1) * 4;
	return FUZZ_TRANSFER;
}

void fuzz_prp_name(struct fuzz_host *host, struct fuzz_slot *slot)
{
	uint64_t page = host->page_size, rest = most_bytes(slot), list = slot->cmd.prp2;
	uint64_t room = page - slot->cmd.prp1 % page;
	uint64_t piece = rest < room ? rest : room;

	name(host, slot, slot->cmd.prp1, piece);
	rest -= piece;
	if (rest == 0)
		return;
	/* Two pages, or a list: which of them depends on the exact length, so both. */
	name(host, slot, slot->cmd.prp2 & ~(page - 1), page);
	for (uint32_t i = 0; rest > 0 && i < 4 * page / ENTRY; i++, list += ENTRY) {
		uint64_t entry;

		if (list % ENTRY || !fuzz_memory_at(host->memory, list, ENTRY))
			return;
		fuzz_memory_get(host->memory, list, &entry, ENTRY);
		if (entry & (page - 1))
			return;
		name(host, slot, entry, page);
		if ((list + ENTRY) % page == 0 && rest > page)
			list = entry - ENTRY;
		else
			rest -= rest < page ? rest : page;
	}
}

void fuzz_prp_release(struct fuzz_host *host, struct fuzz_slot *slot)
{
	for (uint32_t i = 0; i < slot->num_named; i++)
		fuzz_memory_name(host->memory, slot->named[i], FUZZ_PAGE, false);
	slot->num_named = 0;
	for (uint32_t i = 0; i < slot->num_chunks; i++)
		fuzz_memory_accept(host->memory, slot->chunks[i], slot->chunk_size);
	give_all(host, slot);
}

uint64_t fuzz_host_address(struct fuzz_host *host)
{
	static const enum fuzz_region_id regions[] = {FUZZ_READONLY, FUZZ_WRITEONLY, FUZZ_ODD, FUZZ_SKEWED, FUZZ_TOP};
	const struct fuzz_region *region = &host->memory->regions[FUZZ_PICK(host->random, regions)];
	uint64_t iova = region->iova + fuzz_below(host->random, (uint32_t)region->size);

	switch (fuzz_below(host->random, 8)) {
	case 0:
		iova = fuzz_edge(host->random);
		break;
	case 1:
		iova += region->size;
		break;
	case 2:
		iova &= ~UINT64_C(3);
		break;
	case 3:
		break;
	default:
		iova &= ~(uint64_t)(host->page_size - 1);
		break;
	}
	for (enum fuzz_region_id id = FUZZ_QUEUES; id <= FUZZ_MORE; id++) {
		uint64_t page = iova & ~(uint64_t)(host->page_size - 1);
		uint64_t first = host->memory->regions[id].iova;

		/* No part of its page, since a whole page may be transferred. */
		if (page + (host->page_size - 1) >= first && page < first + host->memory->regions[id].size)
			return host->memory->regions[FUZZ_WRITEONLY].iova;
	}
	return iova;
}
