/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/ctrl/keep_alive.h"

#include "core/util/clock.h"
#include "vssd/ctrl/controller.h"

#define MS_NS UINT64_C(1000000)

bool vssd_has_keep_alive(const struct vssd_ctrl *ctrl)
{
	return ctrl->options->optional.features.keep_alive && vssd_since(ctrl, NVME_1_2_1);
}

void vssd_keep_alive(struct vssd_ctrl *ctrl)
{
	ctrl->features.keep_alive_due = pyn_ticks() + pyn_ns_to_ticks(ctrl->features.value[NVME_FEAT_KATO] * MS_NS);
	vssd_ctrl_wake(ctrl);
}

/* The host is gone: a controller of PCIe reports a fatal status, and processes no more commands. */
static void poll(struct vssd_ctrl *ctrl)
{
	vssd_fatal(ctrl);
}

static uint64_t due(const struct vssd_ctrl *ctrl)
{
	bool is_active = ctrl->running && ctrl->features.value[NVME_FEAT_KATO];

	return is_active ? ctrl->features.keep_alive_due : VSSD_NEVER;
}

const struct vssd_part vssd_keep_alive_part = {.poll = poll, .due = due};
