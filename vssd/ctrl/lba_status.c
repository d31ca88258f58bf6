/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/ctrl/lba_status.h"

#include <string.h>

#include "core/util/clock.h"
#include "vssd/ctrl/controller.h"

#define UNIT_NS UINT64_C(100000000) /* of LSIRI */

const uint8_t *vssd_lba_status_page(struct vssd_ctrl *ctrl)
{
	struct vssd_lba_status_report *report = &ctrl->features.lba_status;

	if (!report->frozen) {
		memset(report->page, 0, sizeof(report->page));
		vssd_lba_status_log(ctrl->subsystem, ctrl->listener.index,
				    report->seen != ctrl->subsystem->health.lba_status.news, report->page);
		report->seen = ctrl->subsystem->health.lba_status.news;
		report->frozen = true;
	}
	return report->page;
}

void vssd_lba_status_page_read(struct vssd_ctrl *ctrl)
{
	struct vssd_lba_status_report *report = &ctrl->features.lba_status;

	report->frozen = false;
	report->since = pyn_ticks();
	if (report->seen == ctrl->subsystem->health.lba_status.news)
		vssd_lba_status_read(ctrl->subsystem, ctrl->listener.index);
	report->told = report->seen;
	ctrl->events.pending &= ~(1u << VSSD_EVENT_LBA_STATUS);
	vssd_ctrl_wake(ctrl);
}

/* ---- the part ---- */

static bool is_enabled(const struct vssd_ctrl *ctrl)
{
	return ctrl->features.value[NVME_FEAT_ASYNC_EVENT] & NVME_OAES_LBA_STATUS;
}

static uint64_t due(const struct vssd_ctrl *ctrl)
{
	const struct vssd_lba_status_report *report = &ctrl->features.lba_status;

	if (!ctrl->running || !is_enabled(ctrl) || report->told == ctrl->subsystem->health.lba_status.news)
		return VSSD_NEVER;
	return report->since + pyn_ns_to_ticks((uint16_t)ctrl->features.value[NVME_FEAT_LBA_STATUS] * UNIT_NS);
}

static void poll(struct vssd_ctrl *ctrl)
{
	ctrl->features.lba_status.told = ctrl->subsystem->health.lba_status.news;
	vssd_event_raise(ctrl, VSSD_EVENT_LBA_STATUS);
}

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	struct vssd_lba_status_report *report = &ctrl->features.lba_status;

	(void)kind;
	report->frozen = false;
	report->since = pyn_ticks();
	report->told = report->seen;
}

const struct vssd_part vssd_lba_status_report_part = {.reset = reset, .poll = poll, .due = due};
