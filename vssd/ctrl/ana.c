/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes of the states of ANA groups, and the log page. */
#include "vssd/ctrl/ana.h"

#include <string.h>

#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/plain.h"

/* ---- states ---- */

static bool is_known(uint8_t state)
{
	return state == NVME_ANA_OPTIMIZED || state == NVME_ANA_NON_OPTIMIZED ||
	       vssd_ana_status_of((enum nvme_ana_state)state);
}

/* The count rolls over to 1. */
static void count(uint64_t *changes)
{
	*changes = *changes == UINT64_MAX ? 1 : *changes + 1;
}

/* Whether a namespace of this group is attached, so that log page 0Ch has a descriptor of it. */
static bool is_listed(const struct vssd_ctrl *ctrl, uint32_t group)
{
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (ctrl->features.ana.listed >> i & 1 && ctrl->ns[i].anagrpid == group)
			return true;
	return false;
}

static bool change(struct vssd_ctrl *ctrl, uint32_t group, uint8_t state)
{
	struct vssd_ana_group *found = &ctrl->features.ana.groups[group - 1];

	if (vssd_ana_group_state(found) == state)
		return false;
	found->state = state;
	count(&found->changes);
	return is_listed(ctrl, group);
}

bool vssd_ana_set(struct vssd_ctrl *ctrl, uint32_t group, uint8_t state)
{
	struct vssd_ana *ana = &ctrl->features.ana;
	bool is_changed = false;

	if (!vssd_has_ana(ctrl) || group > ctrl->options->functions.ana || !is_known(state))
		return false;
	for (uint32_t i = 1; i <= ctrl->options->functions.ana; i++)
		if (group == 0 || group == i)
			is_changed |= change(ctrl, i, state);
	ana->refuses = false;
	for (uint32_t i = 0; i < ctrl->options->functions.ana; i++)
		ana->refuses |= vssd_ana_status_of(vssd_ana_group_state(&ana->groups[i])) != NVME_SC_SUCCESS;
	vssd_plain_update(ctrl);
	if (!is_changed)
		return true;
	count(&ana->changes);
	if (ctrl->running)
		vssd_event_raise(ctrl, VSSD_EVENT_ANA);
	else
		vssd_event_defer(ctrl, VSSD_EVENT_ANA);
	return true;
}

/* ---- the log page ---- */

void vssd_ana_ns_changed(struct vssd_ctrl *ctrl, uint32_t nsid)
{
	const struct vssd_ns *ns = &ctrl->ns[nsid - 1];
	struct vssd_ana *ana = &ctrl->features.ana;
	uint32_t bit = 1u << (nsid - 1);

	if (!vssd_has_ana(ctrl) || vssd_ns_is_active(ctrl, ns) == ((ana->listed & bit) != 0))
		return;
	ana->listed ^= bit;
	count(&ana->groups[ns->anagrpid - 1].changes);
	count(&ana->changes);
}

void vssd_ana_reset(struct vssd_ctrl *ctrl)
{
	struct vssd_ana *ana = &ctrl->features.ana;

	ana->changes = 0;
	ana->listed = 0;
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++) {
		ana->groups[i].changes = 0;
		ana->listed |= vssd_ns_is_active(ctrl, &ctrl->ns[i]) ? 1u << i : 0;
	}
}

/* Append the descriptor of a group, and its namespaces. Returns its size; 0: there are none. */
static size_t describe(const struct vssd_ctrl *ctrl, uint32_t group, bool only_groups, uint8_t *at)
{
	const struct vssd_ana_group *found = &ctrl->features.ana.groups[group - 1];
	struct nvme_ana_group descriptor = {
		.agid = group, .chngc = found->changes, .state = (uint8_t)vssd_ana_group_state(found)};
	size_t size = sizeof(descriptor);

	if (!is_listed(ctrl, group))
		return 0;
	for (uint32_t i = 0; !only_groups && i < VSSD_MAX_NAMESPACES; i++)
		if (ctrl->features.ana.listed >> i & 1 && ctrl->ns[i].anagrpid == group) {
			memcpy(at + size, &ctrl->ns[i].nsid, sizeof(uint32_t));
			size += sizeof(uint32_t);
			descriptor.nnv++;
		}
	memcpy(at, &descriptor, sizeof(descriptor));
	return size;
}

void vssd_ana_log(const struct vssd_ctrl *ctrl, bool only_groups, uint8_t page[VSSD_ANA_LOG_SIZE])
{
	struct nvme_ana_log log = {.chngc = ctrl->features.ana.changes};
	uint8_t *at = page + sizeof(log);

	for (uint32_t group = 1; group <= ctrl->options->functions.ana; group++) {
		size_t size = describe(ctrl, group, only_groups, at);

		log.nagd = (uint16_t)(log.nagd + (size > 0));
		at += size;
	}
	memcpy(page, &log, sizeof(log));
}
