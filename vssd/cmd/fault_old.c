/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Older data of LBAs, with the metadata that belong to them: what fault rules let a transfer keep, or bring back. The
 * metadata of an LBA count as the last bytes of its transfer, also if they are not transferred with its data.
 */
#include <stdlib.h>
#include <string.h>

#include "vssd/cmd/dptr.h"
#include "vssd/cmd/fault.h"
#include "vssd/cmd/protection.h"
#include "vssd/cmd/stored.h"

#define LBA_BYTES 512u

uint64_t vssd_fault_lba_bytes(const struct vssd_request *request)
{
	if (!request->ns || request->sq->qid == 0)
		return LBA_BYTES;
	return request->cmd.opc == NVME_IO_WRITE_ZEROES ? UINT64_C(1) << request->ns->lba_shift
							: vssd_lba_bytes(request->ns, &request->cmd);
}

static uint64_t data_size(const struct vssd_fault_plan *plan)
{
	return UINT64_C(1) << plan->request->ns->lba_shift;
}

/* Bytes of metadata behind the data of each LBA in the transfer. */
static uint64_t behind(const struct vssd_fault_plan *plan)
{
	return vssd_fault_lba_bytes(plan->request) - data_size(plan);
}

void vssd_fault_gather(const struct vssd_fault_plan *plan, const uint8_t *data, const uint8_t *metadata, uint8_t *to)
{
	uint64_t size = data_size(plan), more = behind(plan), count = vssd_nlb(&plan->request->cmd);

	for (uint64_t i = 0; i < count; i++, to += size + more) {
		memcpy(to, data + i * size, size);
		if (more)
			memcpy(to + size, metadata + i * VSSD_METADATA_LBA, more);
	}
}

void vssd_fault_scatter(const struct vssd_fault_plan *plan, const uint8_t *from, uint8_t *data, uint8_t *metadata)
{
	uint64_t size = data_size(plan), more = behind(plan), count = vssd_nlb(&plan->request->cmd);

	for (uint64_t i = 0; i < count; i++, from += size + more) {
		memcpy(data + i * size, from, size);
		if (more)
			memcpy(metadata + i * VSSD_METADATA_LBA, from + size, more);
	}
}

/* ---- what the target holds ---- */

bool vssd_fault_look_at_medium(struct vssd_fault_plan *plan)
{
	const struct vssd_request *request = plan->request;
	uint64_t offset, length, count = vssd_nlb(&request->cmd), slba = vssd_slba(&request->cmd);
	uint8_t *data;

	if (plan->old || !vssd_fault_range(request, &offset, &length) ||
	    plan->num_bounce > count * vssd_fault_lba_bytes(request))
		return plan->old != NULL;
	data = malloc(length);
	plan->old = malloc(count * vssd_fault_lba_bytes(request));
	plan->old_metadata = calloc(count, VSSD_METADATA_LBA);
	if (data && plan->old && plan->old_metadata) {
		vssd_stored_data(request->ctrl, request->ns, slba, count, data);
		if (request->ns->metadata)
			vssd_metadata_get(request->ctrl, request->ns, slba, count, plan->old_metadata);
		vssd_fault_gather(plan, data, plan->old_metadata, plan->old);
	} else {
		free(plan->old);
		plan->old = NULL;
	}
	free(data);
	return plan->old != NULL;
}

bool vssd_fault_look_at_host(struct vssd_fault_plan *plan, const struct vssd_data *data)
{
	struct vssd_cursor cursor = {.segment = data->segments};

	if (plan->old)
		return true;
	plan->old = calloc(1, plan->num_bounce ? plan->num_bounce : 1);
	if (plan->old && vssd_cursor_get(plan->request, &cursor, plan->old, (uint32_t)plan->num_bounce))
		memset(plan->old, 0, plan->num_bounce);
	return plan->old != NULL;
}

/* Give each LBA whose last byte is among these of the transfer its metadata from an array. */
static void carry(struct vssd_fault_plan *plan, uint64_t start, uint64_t length, const uint8_t *metadata)
{
	uint64_t each = vssd_fault_lba_bytes(plan->request);
	uint64_t first = (start + each) / each - 1, end = (start + length) / each;

	for (uint64_t i = first; plan->metadata && metadata && i < end; i++)
		memcpy(plan->metadata + i * VSSD_METADATA_LBA, metadata + i * VSSD_METADATA_LBA, VSSD_METADATA_LBA);
}

void vssd_fault_keep(struct vssd_fault_plan *plan, uint64_t start, uint64_t length)
{
	memcpy(plan->bounce + start, plan->old + start, length);
	carry(plan, start, length, plan->old_metadata);
}

/* ---- what LBAs held before ---- */

/* Some bytes of the transfer. */
struct span {
	uint8_t *bounce;
	uint64_t start;
	uint64_t end;
};

/* Replace the bytes from `at` on, as far as they are in the span. */
static void overlay(const struct span *span, uint64_t at, const uint8_t *from, uint64_t length)
{
	uint64_t first = at > span->start ? at : span->start;
	uint64_t end = at + length < span->end ? at + length : span->end;

	if (first < end)
		memcpy(span->bounce + first, from + (first - at), end - first);
}

/* Bring back one LBA, which starts at this sector of the store. */
static void bring_back(struct vssd_fault_plan *plan, const struct span *span, uint64_t i, uint64_t sector,
		       uint64_t back)
{
	const struct vssd_fault_history *history = plan->request->ctrl->subsystem->faults->history;
	uint64_t size = data_size(plan), each = size + behind(plan), last = (i + 1) * each - 1;
	const uint8_t *version = NULL;

	for (uint64_t at = size; at > 0; at -= VSSD_HISTORY_SECTOR) {
		version = vssd_history_older(history, sector + at / VSSD_HISTORY_SECTOR - 1, back);
		if (version)
			overlay(span, i * each + at - VSSD_HISTORY_SECTOR, version, VSSD_HISTORY_SECTOR);
	}
	if (!version || !plan->request->ns->metadata)
		return;
	overlay(span, i * each + size, version + VSSD_HISTORY_SECTOR, each - size);
	if (plan->metadata && last >= span->start && last < span->end)
		memcpy(plan->metadata + i * VSSD_METADATA_LBA, version + VSSD_HISTORY_SECTOR, VSSD_METADATA_LBA);
}

void vssd_fault_bring_back(struct vssd_fault_plan *plan, uint64_t start, uint64_t length, uint64_t back)
{
	struct span span = {.bounce = plan->bounce, .start = start, .end = start + length};
	uint64_t each = vssd_fault_lba_bytes(plan->request), offset, all;

	if (!vssd_fault_range(plan->request, &offset, &all))
		return;
	for (uint64_t i = start / each; i * each < span.end; i++)
		bring_back(plan, &span, i, (offset + i * data_size(plan)) / VSSD_HISTORY_SECTOR, back);
}

/* ---- LBAs that change their places ---- */

void vssd_fault_swap_metadata(struct vssd_fault_plan *plan, uint64_t a, uint64_t b, uint64_t length)
{
	uint64_t each = vssd_fault_lba_bytes(plan->request);
	uint8_t one[VSSD_METADATA_LBA];

	if (!plan->metadata || a % each || b % each || length % each)
		return;
	for (uint64_t i = 0; i < length / each; i++) {
		uint8_t *of_a = plan->metadata + (a / each + i) * VSSD_METADATA_LBA;
		uint8_t *of_b = plan->metadata + (b / each + i) * VSSD_METADATA_LBA;

		memcpy(one, of_a, sizeof(one));
		memcpy(of_a, of_b, sizeof(one));
		memcpy(of_b, one, sizeof(one));
	}
}
