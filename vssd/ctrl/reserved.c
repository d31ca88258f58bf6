/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/ctrl/reserved.h"

#include <string.h>

#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/reservation.h"

void vssd_reserved_host(const struct vssd_ctrl *ctrl, struct vssd_host *host)
{
	static const uint8_t none[sizeof(host->id)];
	bool has_id = memcmp(ctrl->features.host_id, none, sizeof(none)) != 0;

	memset(host, 0, sizeof(*host));
	memcpy(host->id, ctrl->features.host_id, sizeof(host->id));
	host->is_wide = has_id && ctrl->features.host_id_wide;
	host->is_alone = (uint8_t)(has_id ? 0 : ctrl->listener.index + 1);
}

static void announce(struct vssd_ctrl *ctrl)
{
	if (ctrl->running)
		vssd_event_raise(ctrl, VSSD_EVENT_RESERVATION);
	else
		vssd_event_defer(ctrl, VSSD_EVENT_RESERVATION);
}

void vssd_reserved_add(struct vssd_ctrl *ctrl, uint32_t nsid, uint8_t type)
{
	struct vssd_reserved_log *log = &ctrl->features.reserved;

	if (log->mask[nsid - 1] >> type & 1 || log->waiting == VSSD_RESERVED_PAGES)
		return;
	log->pages[log->waiting].nsid = nsid;
	log->pages[log->waiting].type = type;
	log->waiting++;
	announce(ctrl);
}

void vssd_reserved_page(const struct vssd_ctrl *ctrl, struct nvme_reservation_log *page)
{
	const struct vssd_reserved_log *log = &ctrl->features.reserved;

	if (log->waiting == 0)
		return;
	page->lpc = log->count + 1;
	page->rnlpt = log->pages[0].type;
	page->nalp = (uint8_t)(log->waiting - 1);
	page->nsid = log->pages[0].nsid;
}

void vssd_reserved_read(struct vssd_ctrl *ctrl)
{
	struct vssd_reserved_log *log = &ctrl->features.reserved;

	if (log->waiting == 0)
		return;
	log->count++;
	log->waiting--;
	memmove(&log->pages[0], &log->pages[1], log->waiting * sizeof(log->pages[0]));
	if (log->waiting > 0)
		announce(ctrl);
}
