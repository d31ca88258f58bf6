/* SPDX-License-Identifier: BSD-3-Clause */
/* What fault rules do to the data of a command, in a buffer between the medium and the host. */
#include <stdlib.h>
#include <string.h>

#include "core/util/random.h"
#include "vssd/cmd/dptr.h"
#include "vssd/cmd/fault.h"
#include "vssd/cmd/protection.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/stored.h"
#include "vssd/fault/value.h"
#include "vssd/fault/words.h"

/* A piece of the buffer that a rule may change. */
struct window {
	uint8_t *at;
	uint64_t start; /* of the piece, in the transfer */
	uint64_t length;
	uint64_t base; /* offset of at in its log page; of other data 0 */
};

uint64_t vssd_fault_address(const struct vssd_fault_plan *plan, uint64_t iova)
{
	for (unsigned i = 0; i < plan->addresses.count; i++)
		iova = vssd_fault_change(iova, &plan->addresses.at[i].word, plan->addresses.at[i].add);
	return iova;
}

/* ---- windows ---- */

static uint64_t lba_size(const struct vssd_fault_plan *plan)
{
	return plan->occasion.lbas ? vssd_fault_lba_bytes(plan->request) : VSSD_SECTOR_SIZE;
}

/* The LBAs of the transfer that a condition of the rule names. */
static void narrow(const struct vssd_fault_word *word, uint64_t *first, uint64_t *last)
{
	if (word->kind != VSSD_FAULT_LBA || word->high != 63 || word->low != 0)
		return;
	if ((word->relation == VSSD_FAULT_EQ || word->relation == VSSD_FAULT_GE) && word->a > *first)
		*first = word->a;
	if (word->relation == VSSD_FAULT_EQ && word->b < *last)
		*last = word->b;
	if (word->relation == VSSD_FAULT_LE && word->a < *last)
		*last = word->a;
}

static struct window window_of(const struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule)
{
	const struct vssd_fault_occasion *occasion = &plan->occasion;
	const uint32_t *sqe = occasion->sqe;
	struct window window = {.at = plan->bounce, .length = plan->num_bounce};
	uint64_t first = occasion->slba, last = first + occasion->lbas - 1, size = lba_size(plan);

	if (vssd_fault_table(occasion->queue) == SPEC_ADMIN && (uint8_t)sqe[0] == NVME_ADMIN_GET_LOG_PAGE)
		window.base = (uint64_t)sqe[13] << 32 | sqe[12];
	if (!occasion->lbas)
		return window;
	for (unsigned i = 0; i < rule->num_when; i++)
		narrow(&rule->when[i], &first, &last);
	window.start = (first - occasion->slba) * size;
	if (first > last || window.start >= plan->num_bounce) {
		window.length = 0;
		return window;
	}
	window.at += window.start;
	window.length = (last - first + 1) * size;
	if (window.length > plan->num_bounce - window.start)
		window.length = plan->num_bounce - window.start;
	return window;
}

/* Narrow a window to the bytes that `at` and `size` name. size: the default. False: none are transferred. */
static bool select_bytes(const struct vssd_fault_rule *rule, struct window *window, uint64_t size)
{
	uint64_t at = vssd_fault_how_number(rule, VSSD_FAULT_KEY_AT, window->base);

	size = vssd_fault_how_number(rule, VSSD_FAULT_KEY_SIZE, size);
	if (at < window->base || at - window->base >= window->length)
		return false;
	window->at += at - window->base;
	window->start += at - window->base;
	window->length -= at - window->base;
	if (size < window->length)
		window->length = size;
	return window->length > 0;
}

/* ---- actions ---- */

static void flip(const struct vssd_fault_rule *rule, const struct window *window)
{
	uint64_t byte = vssd_fault_how_number(rule, VSSD_FAULT_KEY_BYTE, window->base) - window->base;

	if (byte < window->length)
		window->at[byte] ^= (uint8_t)(1u << vssd_fault_how_number(rule, VSSD_FAULT_KEY_BIT, 0));
}

static void freeze(struct vssd_fault_rule *rule, const struct window *window)
{
	if (!rule->frozen) {
		rule->frozen = malloc(window->length);
		rule->frozen_size = rule->frozen ? (uint32_t)window->length : 0;
		if (rule->frozen)
			memcpy(rule->frozen, window->at, window->length);
	} else if (rule->frozen_size == window->length) {
		memcpy(window->at, rule->frozen, window->length);
	}
}

/* Change the bytes of a window, unless `if` names another value. skipped: bytes of the value before the window. */
static void change_bytes(const struct vssd_fault_rule *rule, const struct window *window, uint64_t skipped)
{
	const struct vssd_fault_word *only = vssd_fault_how(rule, VSSD_FAULT_KEY_IF);
	unsigned shift = (unsigned)(8 * skipped);
	uint64_t value = 0;

	memcpy(&value, window->at, window->length);
	if (only && value != only->a >> shift)
		return;
	for (unsigned i = 0; i < rule->num_how; i++) {
		const struct vssd_fault_word *word = &rule->how[i];

		value = word->kind == VSSD_FAULT_KEY_VALUE ? word->a >> shift
			: word->kind == VSSD_FAULT_KEY_ADD ? value + (skipped ? 0 : word->a)
			: word->kind == VSSD_FAULT_KEY_AND ? value & word->a >> shift
			: word->kind == VSSD_FAULT_KEY_OR  ? value | word->a >> shift
			: word->kind == VSSD_FAULT_KEY_XOR ? value ^ word->a >> shift
							   : value;
	}
	memcpy(window->at, &value, window->length);
}

static void set_bytes(struct vssd_fault_rule *rule, struct window window)
{
	uint64_t each = vssd_fault_how_number(rule, VSSD_FAULT_KEY_EACH, 0), rest = window.length;
	uint64_t at = vssd_fault_how_number(rule, VSSD_FAULT_KEY_AT, window.base);
	uint64_t end = at + vssd_fault_how_number(rule, VSSD_FAULT_KEY_SIZE, 1);

	/* The host reads a log page in pieces, and this one begins within the bytes. */
	if (at < window.base && end > window.base && !vssd_fault_how(rule, VSSD_FAULT_KEY_FREEZE)) {
		window.length = end - window.base < window.length ? end - window.base : window.length;
		change_bytes(rule, &window, window.base - at);
		return;
	}
	if (!select_bytes(rule, &window, 1))
		return;
	if (vssd_fault_how_number(rule, VSSD_FAULT_KEY_FREEZE, 0)) {
		freeze(rule, &window);
		return;
	}
	rest -= at - window.base;
	change_bytes(rule, &window, 0);
	for (; each && rest >= each + window.length; rest -= each) {
		window.at += each;
		change_bytes(rule, &window, 0);
	}
}

static void swap(struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule, const struct window *window)
{
	uint64_t size = vssd_fault_how_number(rule, VSSD_FAULT_KEY_SIZE, lba_size(plan));
	uint64_t at = vssd_fault_how_number(rule, VSSD_FAULT_KEY_AT, 0);
	uint64_t from = vssd_fault_how_number(rule, VSSD_FAULT_KEY_FROM, at + size);

	for (uint64_t i = 0; i < size && at + i < window->length && from + i < window->length; i++) {
		uint8_t byte = window->at[at + i];

		window->at[at + i] = window->at[from + i];
		window->at[from + i] = byte;
	}
	if (at + size <= window->length && from + size <= window->length)
		vssd_fault_swap_metadata(plan, window->start + at, window->start + from, size);
}

static void rotate(uint8_t *bytes, uint64_t length, uint64_t by)
{
	uint8_t *copy = by ? malloc(length) : NULL;

	if (!copy)
		return;
	memcpy(copy, bytes, length);
	memcpy(bytes + by, copy, length - by);
	memcpy(bytes, copy + length - by, by);
	free(copy);
}

static void shift(struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule, const struct window *window)
{
	uint64_t by = rule->a % window->length, each = lba_size(plan);

	rotate(window->at, window->length, by);
	/* Whole LBAs take their metadata with them. */
	if (plan->metadata && by % each == 0 && window->start % each == 0 && window->length % each == 0)
		rotate(plan->metadata + window->start / each * VSSD_METADATA_LBA,
		       window->length / each * VSSD_METADATA_LBA, by / each * VSSD_METADATA_LBA);
}

static void scramble(struct vssd_fault_rule *rule, struct window window)
{
	const struct vssd_fault_word *seed = vssd_fault_how(rule, VSSD_FAULT_KEY_SEED);
	struct pyn_random random = {seed ? seed->a : vssd_fault_random(rule, 0, UINT64_MAX)};

	if (!select_bytes(rule, &window, UINT64_MAX))
		return;
	for (uint64_t i = 0; i < window.length; i++)
		window.at[i] = (uint8_t)pyn_random_next(&random);
}

/* Whether it is known what the target of the transfer holds now: the host's memory, or the medium. */
static bool has_old(struct vssd_fault_plan *plan)
{
	return plan->direction == VSSD_DMA_READ ? vssd_fault_look_at_medium(plan)
						: vssd_fault_look_at_host(plan, &plan->host);
}

/* Let a part of the window keep what its target holds. */
static void keep_old(struct vssd_fault_plan *plan, struct window window, uint64_t first, uint64_t end)
{
	if (end > window.length)
		end = window.length;
	if (first >= end)
		return;
	if (has_old(plan))
		vssd_fault_keep(plan, window.start + first, end - first);
	else
		memset(window.at + first, 0, end - first); /* the rest of data that are no LBAs never arrives */
}

static void tear(struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule, const struct window *window)
{
	if (vssd_fault_how_number(rule, VSSD_FAULT_KEY_REVERSE, 0))
		keep_old(plan, *window, 0, rule->a);
	else
		keep_old(plan, *window, rule->a, UINT64_MAX);
}

/* Reads get what the sectors held before their last write. Writes change nothing. */
static void make_older(struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule, struct window window)
{
	uint64_t back = vssd_fault_how_number(rule, VSSD_FAULT_KEY_BACK, 1);

	if (!select_bytes(rule, &window, UINT64_MAX))
		return;
	if (plan->direction == VSSD_DMA_READ)
		keep_old(plan, window, 0, UINT64_MAX);
	else if (plan->request->ctrl->subsystem->faults->history)
		vssd_fault_bring_back(plan, window.start, window.length, back);
}

static bool is_of_metadata(const struct vssd_fault_rule *rule)
{
	return vssd_fault_how_number(rule, VSSD_FAULT_KEY_METADATA, 0);
}

static void apply_to(struct vssd_fault_plan *plan, struct vssd_fault_rule *rule, struct window window)
{
	if (window.length == 0)
		return;
	switch (rule->action) {
	case VSSD_FAULT_FLIP:
		flip(rule, &window);
		return;
	case VSSD_FAULT_FILL:
		if (select_bytes(rule, &window, UINT64_MAX))
			memset(window.at, (int)rule->a, window.length);
		return;
	case VSSD_FAULT_BYTES_ARE:
		set_bytes(rule, window);
		return;
	case VSSD_FAULT_SWAP:
		swap(plan, rule, &window);
		return;
	case VSSD_FAULT_SHIFT:
		shift(plan, rule, &window);
		return;
	case VSSD_FAULT_SCRAMBLE:
		scramble(rule, window);
		return;
	case VSSD_FAULT_TORN:
		tear(plan, rule, &window);
		return;
	case VSSD_FAULT_OLDER:
		make_older(plan, rule, window);
		return;
	default:
		return;
	}
}

static void apply(struct vssd_fault_plan *plan, struct vssd_fault_rule *rule)
{
	if (!is_of_metadata(rule))
		apply_to(plan, rule, window_of(plan, rule));
}

/* Apply the rules of metadata to one LBA. */
static void change_metadata(struct vssd_fault_plan *plan, uint64_t lba, uint8_t *metadata)
{
	struct window window = {.at = metadata, .length = plan->request->ns->metadata};

	for (unsigned i = 0; i < plan->num_data; i++) {
		struct vssd_fault_rule *rule = plan->data[i];
		uint64_t first = plan->occasion.slba, last = first + plan->occasion.lbas - 1;

		for (unsigned word = 0; word < rule->num_when; word++)
			narrow(&rule->when[word], &first, &last);
		if (is_of_metadata(rule) && lba >= first && lba <= last)
			apply_to(plan, rule, window);
	}
}

/* ---- ranges of Dataset Management ---- */

static void round_range(const struct vssd_fault_plan *plan, struct nvme_dsm_range *range)
{
	uint64_t unit = plan->round->a, end;
	bool inward = vssd_fault_how_number(plan->round, VSSD_FAULT_KEY_INWARD, 0);

	if (range->nlb == 0)
		return;
	end = range->slba + range->nlb;
	if (inward) {
		range->slba = (range->slba + unit - 1) & ~(unit - 1);
		end &= ~(unit - 1);
	} else {
		range->slba &= ~(unit - 1);
		end = (end + unit - 1) & ~(unit - 1);
		if (plan->request->ns && end > plan->request->ns->nsze)
			end = plan->request->ns->nsze;
	}
	range->nlb = end > range->slba ? (uint32_t)(end - range->slba) : 0;
}

static void round_ranges(struct vssd_fault_plan *plan)
{
	struct nvme_dsm_range *ranges = (struct nvme_dsm_range *)plan->bounce;

	for (uint64_t i = 0; i < plan->num_bounce / sizeof(*ranges); i++)
		round_range(plan, &ranges[i]);
}

/* ---- the buffer ---- */

static void transform(struct vssd_fault_plan *plan)
{
	for (unsigned i = 0; i < plan->num_data; i++)
		apply(plan, plan->data[i]);
	if (plan->sudden && plan->direction == VSSD_DMA_READ)
		keep_old(plan, (struct window){.at = plan->bounce, .length = plan->num_bounce},
			 vssd_fault_how_number(plan->sudden, VSSD_FAULT_KEY_AT, 0), UINT64_MAX);
	if (plan->round && plan->request->sq->qid != 0 && plan->request->cmd.opc == NVME_IO_DSM &&
	    plan->direction == VSSD_DMA_READ)
		round_ranges(plan);
}

static uint16_t no_memory(struct vssd_request *request)
{
	return vssd_refuse(request, NVME_SC_INTERNAL_ERROR, VSSD_STATE("no memory for a fault rule"), VSSD_OWN);
}

/* Move the segments of the request to the plan. */
static bool keep_host(struct vssd_fault_plan *plan)
{
	const struct vssd_data *data = &plan->request->data;
	size_t size = (data->count + 1) * sizeof(*data->segments);

	plan->host = (struct vssd_data){.segments = malloc(size), .count = data->count};
	if (!plan->host.segments)
		return false;
	memcpy(plan->host.segments, data->segments, data->count * sizeof(*data->segments));
	return true;
}

uint16_t vssd_fault_map(struct vssd_fault_plan *plan, uint64_t length, uint32_t direction)
{
	struct vssd_request *request = plan->request;
	struct vssd_cursor cursor;
	uint16_t status = NVME_SC_SUCCESS;

	if (!plan->num_data && !plan->preloaded && !plan->round && !plan->sudden && !request->is_trial)
		return status;
	vssd_fault_free(plan);
	plan->direction = direction;
	plan->num_bounce = length;
	plan->bounce = calloc(1, length ? length : 1);
	if (!plan->bounce || (!plan->preloaded && !keep_host(plan)))
		return no_memory(request);
	if (plan->preloaded) {
		memcpy(plan->bounce, plan->preloaded, length < plan->num_preloaded ? length : plan->num_preloaded);
	} else {
		cursor = (struct vssd_cursor){.segment = plan->host.segments};
		if (direction == VSSD_DMA_READ)
			status = vssd_cursor_get(request, &cursor, plan->bounce, (uint32_t)length);
		if (!status && direction == VSSD_DMA_READ)
			transform(plan);
	}
	request->data = (struct vssd_data){.segments = request->ctrl->transfers.segments, .count = 1};
	request->data.segments[0] = (struct vssd_segment){.memory = plan->bounce, .length = (uint32_t)length};
	return status;
}

/* ---- LBAs with metadata ---- */

/* Let rules change LBAs in the form in which they are transferred. The bounce stays, for what follows. */
static uint16_t change_lbas(struct vssd_fault_plan *plan, uint8_t *data, uint8_t *metadata)
{
	struct vssd_request *request = plan->request;
	uint64_t count = vssd_nlb(&request->cmd), first = plan->occasion.slba;

	plan->num_bounce = count * vssd_fault_lba_bytes(request);
	plan->bounce = malloc(plan->num_bounce);
	plan->metadata = malloc(count * VSSD_METADATA_LBA);
	if (!plan->bounce || !plan->metadata)
		return no_memory(request);
	memcpy(plan->metadata, metadata, count * VSSD_METADATA_LBA);
	vssd_fault_gather(plan, data, metadata, plan->bounce);
	transform(plan);
	vssd_fault_scatter(plan, plan->bounce, data, plan->metadata);
	for (uint64_t i = 0; i < count && request->ns->metadata; i++)
		change_metadata(plan, first + i, plan->metadata + i * VSSD_METADATA_LBA);
	memcpy(metadata, plan->metadata, count * VSSD_METADATA_LBA);
	vssd_fault_gather(plan, data, metadata, plan->bounce);
	return NVME_SC_SUCCESS;
}

uint16_t vssd_fault_lbas_from_host(struct vssd_fault_plan *plan, uint8_t *data, uint8_t *metadata)
{
	if (!plan->num_data && !plan->sudden && !plan->request->is_trial)
		return NVME_SC_SUCCESS;
	vssd_fault_free(plan);
	plan->direction = VSSD_DMA_READ;
	return change_lbas(plan, data, metadata);
}

uint16_t vssd_fault_lbas_to_host(struct vssd_fault_plan *plan, uint8_t *data, uint8_t *metadata,
				 const uint8_t *theirs)
{
	uint64_t count = vssd_nlb(&plan->request->cmd);

	if (!plan->num_data)
		return NVME_SC_SUCCESS;
	vssd_fault_free(plan);
	plan->direction = VSSD_DMA_WRITE;
	plan->num_bounce = count * vssd_fault_lba_bytes(plan->request);
	plan->old_metadata = malloc(count * VSSD_METADATA_LBA);
	if (!plan->old_metadata || !vssd_fault_look_at_host(plan, &plan->request->data))
		return no_memory(plan->request);
	memcpy(plan->old_metadata, theirs, count * VSSD_METADATA_LBA);
	return change_lbas(plan, data, metadata);
}

/* ---- Write Zeroes ---- */

static bool is_zeroes(const struct vssd_fault_plan *plan)
{
	uint64_t offset, length;

	return plan->num_data && plan->request->sq->qid != 0 && plan->request->cmd.opc == NVME_IO_WRITE_ZEROES &&
	       vssd_fault_range(plan->request, &offset, &length);
}

void vssd_fault_zeroes_begin(struct vssd_fault_plan *plan)
{
	if (is_zeroes(plan))
		vssd_fault_look_at_medium(plan);
}

/* Store an LBA that rules have changed, which starts at this byte of the store. */
static void store_lba(struct vssd_fault_plan *plan, uint64_t offset, const uint8_t *data, const uint8_t *metadata)
{
	for (uint64_t at = 0; at < UINT64_C(1) << plan->request->ns->lba_shift; at += VSSD_SECTOR_SIZE)
		vssd_fault_write_sector(plan->request->ctrl, offset + at, data + at, metadata);
}

static bool is_zero(const uint8_t *data, size_t size)
{
	return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Store what rules make of the zeros. */
static void zeroes_end(struct vssd_fault_plan *plan)
{
	const struct vssd_request *request = plan->request;
	uint64_t offset, length, count = vssd_nlb(&request->cmd), slba = vssd_slba(&request->cmd);
	size_t size = request->ns ? (size_t)1 << request->ns->lba_shift : 0;
	uint8_t *data, *metadata, *before;

	if (!is_zeroes(plan) || !plan->old || !vssd_fault_range(request, &offset, &length))
		return;
	data = calloc(count, size + 2 * (size_t)VSSD_METADATA_LBA);
	if (!data)
		return;
	metadata = data + count * size;
	before = metadata + count * VSSD_METADATA_LBA;
	if (request->ns->metadata)
		vssd_metadata_get(request->ctrl, request->ns, slba, count, metadata);
	memcpy(before, metadata, count * VSSD_METADATA_LBA);
	plan->direction = VSSD_DMA_READ;
	change_lbas(plan, data, metadata);
	for (uint64_t i = 0; i < count; i++)
		if (!is_zero(data + i * size, size) ||
		    memcmp(metadata + i * VSSD_METADATA_LBA, before + i * VSSD_METADATA_LBA, VSSD_METADATA_LBA) != 0)
			store_lba(plan, offset + i * size, data + i * size, metadata + i * VSSD_METADATA_LBA);
	free(data);
}

/* ---- after the command ---- */

/* Change the rest of a unit, which is one block of the store or a part of it: bytes first … end of the store. */
static void change_rest(struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule, uint64_t first,
			uint64_t end)
{
	const struct vssd_fault_history *history = plan->request->ctrl->subsystem->faults->history;
	struct vssd_ctrl *ctrl = plan->request->ctrl;
	uint64_t with = vssd_fault_how_number(rule, VSSD_FAULT_KEY_WITH, VSSD_FAULT_WITH_OLDER);
	static const uint8_t zeroes[VSSD_SECTOR_SIZE + VSSD_METADATA_LBA];

	for (; first < end; first += VSSD_SECTOR_SIZE) {
		const uint8_t *older = history ? vssd_history_older(history, first / VSSD_HISTORY_SECTOR, 1) : NULL;

		if (with == VSSD_FAULT_WITH_BAD)
			vssd_store_poison(ctrl->store, first >> VSSD_BLOCK_SHIFT,
					  vssd_store_sectors((uint32_t)(first % VSSD_BLOCK_SIZE), VSSD_SECTOR_SIZE));
		else if (with == VSSD_FAULT_WITH_DATA && plan->bounce && plan->num_bounce >= VSSD_SECTOR_SIZE)
			vssd_fault_write_sector(ctrl, first, plan->bounce, plan->metadata);
		else if (with == VSSD_FAULT_WITH_OLDER && older)
			vssd_fault_write_sector(ctrl, first, older, older + VSSD_HISTORY_SECTOR);
		else if (with == VSSD_FAULT_WITH_ZEROES)
			vssd_fault_write_sector(ctrl, first, zeroes, zeroes);
	}
}

static void change_neighbours(struct vssd_fault_plan *plan, const struct vssd_fault_rule *rule)
{
	const struct vssd_ns *ns = plan->request->ns;
	uint64_t offset, length, unit = rule->a < VSSD_SECTOR_SIZE ? VSSD_SECTOR_SIZE : rule->a, end;

	if (!vssd_fault_range(plan->request, &offset, &length))
		return;
	end = (offset + length + unit - 1) & ~(unit - 1);
	if (end > (ns->first_block + ns->blocks) << VSSD_BLOCK_SHIFT)
		end = (ns->first_block + ns->blocks) << VSSD_BLOCK_SHIFT;
	change_rest(plan, rule, offset & ~(unit - 1), offset);
	change_rest(plan, rule, offset + length, end);
}

uint16_t vssd_fault_data_end(struct vssd_fault_plan *plan, uint16_t status)
{
	struct vssd_request *request = plan->request;

	if (!status && plan->bounce && plan->direction == VSSD_DMA_WRITE && plan->host.segments) {
		struct vssd_cursor cursor = {.segment = plan->host.segments};

		transform(plan);
		request->data = plan->host;
		status = vssd_cursor_put(request, &cursor, plan->bounce, (uint32_t)plan->num_bounce);
	}
	if (!status)
		zeroes_end(plan);
	for (unsigned i = 0; i < plan->num_data && !status; i++)
		if (plan->data[i]->action == VSSD_FAULT_NEIGHBOURS)
			change_neighbours(plan, plan->data[i]);
	vssd_fault_free(plan);
	return status;
}

void vssd_fault_free(struct vssd_fault_plan *plan)
{
	free(plan->bounce);
	free(plan->metadata);
	free(plan->old);
	free(plan->old_metadata);
	free(plan->host.segments);
	plan->bounce = plan->metadata = plan->old = plan->old_metadata = NULL;
	plan->host.segments = NULL;
}
