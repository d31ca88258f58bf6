/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/c/fuzz/model.h"

#include <string.h>

#include "tests/c/fuzz/report.h"

void fuzz_model_open(struct fuzz_model *model, uint32_t count, bool keeps)
{
	memset(model, 0, sizeof(*model));
	model->count = count;
	model->keeps = keeps;
	fuzz_model_erased(model, 0);
}

void fuzz_model_begin(struct fuzz_model *model, struct fuzz_range range)
{
	for (uint32_t i = range.first; i < range.first + range.count; i++) {
		struct fuzz_sector *sector = &model->sectors[i];

		sector->contended = sector->changes > 0;
		sector->changes++;
		sector->version++;
	}
}

void fuzz_model_end(struct fuzz_model *model, struct fuzz_range range, enum fuzz_content content, const uint8_t *data,
		    bool durable)
{
	for (uint32_t i = 0; i < range.count; i++) {
		struct fuzz_sector *sector = &model->sectors[range.first + i];

		sector->changes--;
		sector->is_volatile = !durable || sector->contended;
		sector->changed_at = model->time;
		sector->content = sector->contended ? FUZZ_UNKNOWN : content;
		if (content == FUZZ_KNOWN && data)
			memcpy(sector->data, data + i * FUZZ_SECTOR, FUZZ_SECTOR);
		else
			memset(sector->data, 0, FUZZ_SECTOR);
	}
}

void fuzz_model_refused(struct fuzz_model *model, struct fuzz_range range)
{
	for (uint32_t i = range.first; i < range.first + range.count; i++)
		model->sectors[i].changes--;
}

void fuzz_model_erased(struct fuzz_model *model, uint64_t submitted_at)
{
	for (uint32_t i = 0; i < model->count; i++) {
		struct fuzz_sector *sector = &model->sectors[i];

		bool changed = sector->changes || sector->changed_at > submitted_at;

		sector->content = changed ? FUZZ_UNKNOWN : FUZZ_KNOWN;
		sector->is_volatile = changed;
		sector->version++;
		memset(sector->data, 0, FUZZ_SECTOR);
	}
}

void fuzz_model_abort_erasure(struct fuzz_model *model)
{
	for (uint32_t i = 0; i < model->count; i++) {
		model->sectors[i].content = FUZZ_UNKNOWN;
		model->sectors[i].version++;
	}
}

static void forget(struct fuzz_model *model, struct fuzz_sector *sector)
{
	sector->content = FUZZ_UNKNOWN;
	sector->is_volatile = true;
	sector->contended = false;
	sector->changes = 0;
	sector->version++;
	sector->changed_at = model->time;
}

void fuzz_model_abandon(struct fuzz_model *model)
{
	for (uint32_t i = 0; i < model->count; i++)
		if (model->sectors[i].changes)
			forget(model, &model->sectors[i]);
}

void fuzz_model_forget(struct fuzz_model *model)
{
	for (uint32_t i = 0; i < model->count; i++)
		forget(model, &model->sectors[i]);
}

void fuzz_model_flushed(struct fuzz_model *model, uint64_t submitted_at)
{
	for (uint32_t i = 0; i < model->count; i++)
		if (!model->sectors[i].changes && model->sectors[i].changed_at < submitted_at)
			model->sectors[i].is_volatile = false;
}

void fuzz_model_power_lost(struct fuzz_model *model)
{
	for (uint32_t i = 0; i < model->count; i++) {
		if (model->sectors[i].is_volatile)
			model->sectors[i].content = FUZZ_UNKNOWN;
		model->sectors[i].is_volatile = false;
	}
}

bool fuzz_model_is_stable(const struct fuzz_model *model, uint32_t sector)
{
	return model->keeps && model->sectors[sector].changes == 0;
}

void fuzz_model_read(struct fuzz_model *model, uint32_t index, const uint8_t *data, const char *how)
{
	struct fuzz_sector *sector = &model->sectors[index];

	if (sector->content == FUZZ_UNKNOWN) {
		sector->content = FUZZ_KNOWN;
		memcpy(sector->data, data, FUZZ_SECTOR);
	} else if (sector->content == FUZZ_UNCORRECTABLE) {
		fuzz_fail("sector %u was %s, but it is uncorrectable", index, how);
	} else if (memcmp(sector->data, data, FUZZ_SECTOR) != 0) {
		fuzz_fail("sector %u was %s and is not what was written: begins with %02x %02x, not %02x %02x", index,
			  how, data[0], data[1], sector->data[0], sector->data[1]);
	}
}
