/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/cmd/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/commands.h"
#include "vssd/cmd/refuse.h"
#include "vssd/cmd/table.h"
#include "vssd/ctrl/controller.h"

/* An entry keeps no text of its own: the reader formats it. */
struct entry {
	struct vssd_field field;
	const char *section; /* NULL: the section of the command itself */
	uint16_t qid;
	uint16_t cid;
	uint16_t status;
	uint8_t csi;
	uint8_t opcode;
};

struct vssd_refusals {
	uint64_t count; /* of all refusals, also those no longer kept */
	struct entry entries[VSSD_REFUSALS];
};

void vssd_trace_refusal(const struct vssd_request *request, uint16_t status)
{
	struct vssd_refusals *refusals = request->ctrl->errors.refusals;

	if (!refusals)
		return;
	refusals->entries[refusals->count++ % VSSD_REFUSALS] = (struct entry){
		.field = request->failure.field,
		.section = request->failure.section,
		.qid = request->local ? UINT16_MAX : request->sq->qid,
		.cid = request->local ? UINT16_MAX : request->cmd.cid,
		.status = status,
		.csi = request->csi,
		.opcode = request->cmd.opc,
	};
}

static void deinit(struct vssd_ctrl *ctrl)
{
	free(ctrl->errors.refusals);
	ctrl->errors.refusals = NULL;
}

int vssd_ctrl_trace(struct vssd_ctrl *ctrl, bool on)
{
	deinit(ctrl);
	if (on)
		ctrl->errors.refusals = calloc(1, sizeof(*ctrl->errors.refusals));
	return on && !ctrl->errors.refusals ? -ENOMEM : 0;
}

const struct vssd_part vssd_trace_part = {.deinit = deinit};

/* ---- reading ---- */

static const struct spec_command *command_of(const struct entry *entry)
{
	return entry->qid == 0 ? &spec_commands[SPEC_ADMIN][entry->opcode] : vssd_io_known(entry->csi, entry->opcode);
}

static void set(char *text, size_t size, const char *value)
{
	snprintf(text, size, "%s", value ? value : "");
}

/* Format a field as "CDW10 bits 11:9 (SES)", "CDW11:10 (SLBA)" or "NSID", and a state as its text. */
static void describe(const struct vssd_field *field, char *text, size_t size)
{
	if (!field->name || field->dword == VSSD_NO_DWORD || (field->dword > 0 && field->dword < 10))
		set(text, size, field->name);
	else if (field->high == 63)
		snprintf(text, size, "CDW%u:%u (%s)", field->dword + 1u, field->dword, field->name);
	else if (field->high == 31 && field->low == 0)
		snprintf(text, size, "CDW%u (%s)", field->dword, field->name);
	else if (field->high == field->low)
		snprintf(text, size, "CDW%u bit %u (%s)", field->dword, field->low, field->name);
	else
		snprintf(text, size, "CDW%u bits %u:%u (%s)", field->dword, field->high, field->low, field->name);
}

static void read_entry(const struct entry *entry, struct vssd_refusal *refusal)
{
	const struct spec_command *command = command_of(entry);

	refusal->qid = entry->qid;
	refusal->cid = entry->cid;
	refusal->status = entry->status;
	if (command->title)
		set(refusal->command, sizeof(refusal->command), command->title);
	else
		snprintf(refusal->command, sizeof(refusal->command), "opcode %02Xh", entry->opcode);
	describe(&entry->field, refusal->field, sizeof(refusal->field));
	set(refusal->section, sizeof(refusal->section), entry->section ? entry->section : command->section);
}

int vssd_ctrl_refusals(const struct vssd_ctrl *ctrl, struct vssd_refusal refusals[VSSD_REFUSALS], unsigned *count)
{
	const struct vssd_refusals *ring = ctrl->errors.refusals;

	if (!ring)
		return -EINVAL;
	*count = ring->count < VSSD_REFUSALS ? (unsigned)ring->count : VSSD_REFUSALS;
	for (unsigned i = 0; i < *count; i++)
		read_entry(&ring->entries[(ring->count - *count + i) % VSSD_REFUSALS], &refusals[i]);
	return 0;
}
