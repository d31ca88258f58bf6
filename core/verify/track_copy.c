/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/verify/track_copy.h"

#include <stdlib.h>
#include <string.h>

#include "core/verify/verify_table.h"
#include "spec/nvme_data.h"
#include "spec/nvme_field.h"

#define BATCH 64u

struct pyn_copy {
	uint64_t slba;
	uint64_t noted;
	uint64_t ranges;
	struct {
		uint64_t slba;
		uint32_t nlb;
		bool elsewhere; /* in another namespace */
	} range[256];
	uint64_t cells[]; /* of each source LBA, at the begin */
};

uint32_t pyn_copy_range_size(uint64_t format)
{
	switch (format) {
	case 0:
		return sizeof(struct nvme_copy_range);
	case 1:
		return sizeof(struct nvme_copy_range_1);
	case 2:
		return sizeof(struct nvme_copy_range_2);
	case 3:
		return sizeof(struct nvme_copy_range_3);
	default:
		return 0;
	}
}

struct pyn_copy *pyn_copy_parse(const struct pyn_verify *verify, const struct nvme_cmd *cmd, const uint8_t *ranges,
				uint64_t *nlb)
{
	uint64_t format = nvme_get_field(cmd, NVME_FIELD_COPY_CDFMT);
	uint32_t count = (uint32_t)nvme_get_field(cmd, NVME_FIELD_COPY_NR) + 1;
	uint32_t size = pyn_copy_range_size(format);
	struct nvme_copy_range_2 range; /* formats 0h, 1h and 3h have SLBA and NLB at the same place */
	struct pyn_copy *copy;

	*nlb = 0;
	for (uint32_t i = 0; i < count; i++) {
		memcpy(&range, ranges + (uint64_t)i * size, sizeof(range));
		*nlb += range.nlb + UINT64_C(1);
	}
	copy = *nlb <= PYN_COPY_MOST ? malloc(sizeof(*copy) + *nlb * sizeof(copy->cells[0])) : NULL;
	if (!copy)
		return NULL;
	copy->ranges = count;
	for (uint32_t i = 0; i < count; i++) {
		memcpy(&range, ranges + (uint64_t)i * size, sizeof(range));
		copy->range[i].slba = range.slba;
		copy->range[i].nlb = range.nlb + 1u;
		copy->range[i].elsewhere = format >= 2 && range.snsid != pyn_verify_nsid(verify);
	}
	return copy;
}

/* Read the cells of a part of a source range; those that nobody may judge now become those of an unknown LBA. */
static void look(const struct pyn_verify *verify, uint64_t slba, uint32_t nlb, uint64_t *cells)
{
	uint32_t good = pyn_verify_checkable(verify, slba, nlb);

	pyn_verify_read_begin(verify, slba, nlb, cells);
	memset(cells + good, 0, (nlb - good) * sizeof(*cells));
}

static void snapshot(struct pyn_copy *copy, const struct pyn_verify *verify)
{
	uint64_t *cells = copy->cells;

	for (uint64_t i = 0; i < copy->ranges; i++) {
		if (copy->range[i].elsewhere)
			memset(cells, 0, copy->range[i].nlb * sizeof(*cells));
		else
			look(verify, copy->range[i].slba, copy->range[i].nlb, cells);
		cells += copy->range[i].nlb;
	}
}

/* Whether the data of an LBA are known, and in that case their CRC. */
static bool crc_of(const struct pyn_verify *verify, uint64_t cell, uint32_t *crc)
{
	enum pyn_cell_state state = pyn_cell_state_of(cell);

	if (cell & PYN_CELL_BUSY)
		return false;
	*crc = state == PYN_CELL_ZEROES ? verify->zero_crc : (uint32_t)(cell & PYN_CELL_CRC);
	return state == PYN_CELL_DATA || state == PYN_CELL_RAW || state == PYN_CELL_ZEROES;
}

void pyn_copy_begin(struct pyn_copy *copy, struct pyn_verify *verify, uint64_t slba, uint64_t noted)
{
	uint32_t crc;

	copy->slba = slba;
	copy->noted = noted;
	snapshot(copy, verify);
	for (uint64_t i = 0; i < noted; i++) {
		if (crc_of(verify, copy->cells[i], &crc))
			pyn_verify_write_begin_crc(verify, slba + i, 1, &crc, pyn_token_take(1));
		else
			pyn_verify_change_begin(verify, slba + i, 1, PYN_CELL_UNKNOWN);
	}
}

/* Whether an LBA holds what it held at the snapshot. Its flush epoch may have changed. */
static bool is_same(uint64_t before, uint64_t now)
{
	return ((before ^ now) & ~(PYN_CELL_EPOCH << PYN_CELL_EPOCH_SHIFT)) == 0;
}

static void end_one(const struct pyn_copy *copy, struct pyn_verify *verify, uint64_t index, uint64_t now,
		    enum pyn_write_outcome outcome)
{
	uint32_t crc;

	if (!crc_of(verify, copy->cells[index], &crc))
		pyn_verify_change_end(verify, copy->slba + index, 1, outcome);
	else
		pyn_verify_write_end(verify, copy->slba + index, 1,
				     is_same(copy->cells[index], now) ? outcome : PYN_WRITE_FAILED);
}

/* A source that is a destination, too, has changed since the begin, so what was copied from it is unknown. */
void pyn_copy_end(struct pyn_copy *copy, struct pyn_verify *verify, enum pyn_write_outcome outcome)
{
	uint64_t index = 0;

	for (uint64_t i = 0; i < copy->ranges; i++) {
		uint64_t slba = copy->range[i].slba;

		for (uint32_t done = 0; done < copy->range[i].nlb;) {
			uint32_t left = copy->range[i].nlb - done, batch = left < BATCH ? left : BATCH;
			uint64_t now[BATCH];

			if (copy->range[i].elsewhere)
				memset(now, 0, sizeof(now));
			else
				look(verify, slba + done, batch, now);
			for (uint32_t j = 0; j < batch; j++, index++)
				if (index < copy->noted)
					end_one(copy, verify, index, now[j], outcome);
			done += batch;
		}
	}
	free(copy);
}
