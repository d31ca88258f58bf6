/* SPDX-License-Identifier: BSD-3-Clause */
/* Format NVM. NVM Express Base Specification 2.0, section 5.14; NVM Command Set Specification 1.0, section 4.1.3. */
#include "core/util/clock.h"
#include "vssd/cmd/direct.h"
#include "vssd/ctrl/device.h"

#define MS_NS UINT64_C(1000000)
#define BLOCKS_PER_POLL (1u << 18)
#define SES_MAX 2u /* 0 none, 1 user data erase, 2 cryptographic erase */

static uint16_t check(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	uint32_t lbaf = (cmd->cdw10 & 0xf) | (cmd->cdw10 >> 12 & 3) << 4;
	uint32_t pi = cmd->cdw10 >> 5 & 7, ses = cmd->cdw10 >> 9 & 7;

	if (ctrl->format.running)
		return NVME_SC_FORMAT_IN_PROGRESS;
	if (lbaf > VSSD_NLBAF || pi != 0)
		return NVME_SC_INVALID_FORMAT;
	if (ses > SES_MAX)
		return vssd_invalid_field(request, (VSSD_FIELD_CDW10 + 1) | 1u << VSSD_FIELD_BIT_SHIFT);
	return NVME_SC_SUCCESS;
}

/* What is refused is what is being formatted; the system area knows it, so that a killed drive is not left half
 * formatted. */
static void refuse_io(struct vssd_ctrl *ctrl, uint16_t status)
{
	struct vssd_format_state *state = &ctrl->nv->formatting;

	state->running = status != 0;
	state->lbaf = ctrl->format.lbaf;
	state->first = (uint8_t)ctrl->format.first;
	state->last = (uint8_t)ctrl->format.last;
	for (uint32_t i = ctrl->format.first; i <= ctrl->format.last; i++)
		ctrl->ns[i].refuse = status;
	vssd_direct_update(ctrl);
}

static void begin(struct vssd_ctrl *ctrl, uint8_t lbaf, uint32_t first, uint32_t last)
{
	ctrl->format = (struct vssd_format){
		.running = true,
		.lbaf = lbaf,
		.first = first,
		.last = last,
		.next = ctrl->ns[first].first_block,
		.end = ctrl->ns[last].first_block + ctrl->ns[last].blocks,
	};
}

uint16_t vssd_format_nvm(struct vssd_request *request)
{
	struct vssd_ctrl *ctrl = request->ctrl;
	const struct nvme_cmd *cmd = &request->cmd;
	struct vssd_format *format = &ctrl->format;
	uint16_t status = check(request);

	if (status)
		return status;
	if (cmd->nsid == NVME_NSID_ALL)
		begin(ctrl, cmd->cdw10 & 0xf, 0, ctrl->options.namespaces - 1);
	else
		begin(ctrl, cmd->cdw10 & 0xf, cmd->nsid - 1, cmd->nsid - 1);
	format->cid = cmd->cid;
	format->due = pyn_ticks() + pyn_ns_to_ticks(ctrl->options.format_ms * MS_NS);
	refuse_io(ctrl, NVME_SC_FORMAT_IN_PROGRESS);
	vssd_self_test_end(ctrl, cmd->nsid, NVME_SELF_TEST_FORMAT);
	return VSSD_LATER;
}

static void erase(struct vssd_ctrl *ctrl, uint64_t limit)
{
	struct vssd_format *format = &ctrl->format;
	uint64_t left = format->end - format->next;
	uint64_t count = left < limit ? left : limit;

	vssd_erase(ctrl, format->next, count, VSSD_POOL_UNWRITTEN);
	format->next += count;
}

/* The namespaces have their new format. Whether it is another one. */
static bool conclude(struct vssd_ctrl *ctrl)
{
	struct vssd_format *format = &ctrl->format;
	bool changed = false;

	for (uint32_t i = format->first; i <= format->last; i++) {
		if (ctrl->ns[i].lba_shift != vssd_lbaf_shift(format->lbaf))
			changed = ctrl->ns[i].changed = true;
		vssd_ns_set_format(ctrl, &ctrl->ns[i], format->lbaf);
	}
	vssd_hmb_forget(ctrl);
	refuse_io(ctrl, 0);
	format->running = false;
	return changed;
}

void vssd_format_finish(struct vssd_ctrl *ctrl)
{
	if (!ctrl->format.running)
		return;
	erase(ctrl, UINT64_MAX);
	conclude(ctrl);
}

void vssd_format_resume(struct vssd_ctrl *ctrl)
{
	const struct vssd_format_state *state = &ctrl->nv->formatting;

	if (!state->running || state->first > state->last || state->last >= ctrl->options.namespaces ||
	    state->lbaf > VSSD_NLBAF)
		return;
	begin(ctrl, state->lbaf, state->first, state->last);
	vssd_format_finish(ctrl);
}

bool vssd_format_abort(struct vssd_ctrl *ctrl, uint16_t cid)
{
	struct vssd_format *format = &ctrl->format;

	if (!format->running || format->cid != cid)
		return false;
	vssd_hmb_forget(ctrl);
	refuse_io(ctrl, 0);
	format->running = false;
	vssd_complete_later(ctrl, cid, NVME_SC_ABORT_REQUESTED, 0);
	return true;
}

void vssd_format_poll(struct vssd_ctrl *ctrl)
{
	struct vssd_format *format = &ctrl->format;
	bool changed;

	erase(ctrl, ctrl->null_store ? UINT64_MAX : BLOCKS_PER_POLL);
	/* A controller that does not run has no right to host memory, and may not have any: the completion waits. */
	if (format->next < format->end || ctrl->now < format->due || !ctrl->running)
		return;
	changed = conclude(ctrl);
	vssd_complete_later(ctrl, format->cid, NVME_SC_SUCCESS, 0);
	if (changed && ctrl->feature[NVME_FEAT_ASYNC_EVENT] & NVME_OAES_NS_ATTRIBUTE)
		vssd_event_raise(ctrl, VSSD_EVENT_NS_CHANGED);
}
