/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/ctrl/plain.h"

#include <stdlib.h>

#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/reservation.h"

static bool queue_is_plain(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq)
{
	return sq->qid != 0 && sq->size && sq->entries && sq->cq->entries && !sq->num_aborted &&
	       !ctrl->power.asleep && !ctrl->hmb.enabled && !ctrl->subsystem->health.throttling;
}

/* Opcodes that a reservation forbids to the host. */
static uint8_t reserved_opcodes(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns)
{
	struct vssd_host host;
	unsigned access;

	if (!ctrl->options->optional.reservations)
		return 0;
	vssd_reserved_host(ctrl, &host);
	access = vssd_reservation_forbids(ctrl->subsystem, ns, &host);
	return (uint8_t)((access & VSSD_ACCESS_READ ? 1u << NVME_IO_READ : 0) |
			 (access & VSSD_ACCESS_WRITE ? 1u << NVME_IO_WRITE : 0));
}

static uint8_t plain_opcodes(const struct vssd_ctrl *ctrl, const struct vssd_ns *ns)
{
	bool writes = !ctrl->features.write_through && ctrl->nv->sanitize.written &&
		      !vssd_health_read_only(ctrl->subsystem) && !ctrl->subsystem->fdp &&
		      !ctrl->options->optional.streams && !ctrl->features.migration.log;

	if (!vssd_ns_is_active(ctrl, ns) || vssd_ana_status(ctrl, ns) || ns->csi != NVME_CSI_NVM || ns->refuse ||
	    ns->dulbe || ns->metadata || ns->guarded || vssd_is_divided(ctrl->subsystem))
		return 0;
	return (uint8_t)((1u << NVME_IO_READ | (writes ? 1u << NVME_IO_WRITE : 0)) & ~reserved_opcodes(ctrl, ns));
}

void vssd_plain_update_queue(struct vssd_ctrl *ctrl, uint16_t qid)
{
	ctrl->queues.sq[qid].plain = queue_is_plain(ctrl, &ctrl->queues.sq[qid]);
}

void vssd_plain_update(struct vssd_ctrl *ctrl)
{
	for (uint32_t i = 0; i <= ctrl->queues.num_active; i++)
		vssd_plain_update_queue(ctrl, vssd_queue_id(&ctrl->queues, i));
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		ctrl->queues.plain[i] = plain_opcodes(ctrl, &ctrl->ns[i]);
}

#ifdef __SANITIZE_ADDRESS__
void vssd_plain_check(const struct vssd_ctrl *ctrl, const struct vssd_sq *sq)
{
	if (sq->plain != queue_is_plain(ctrl, sq))
		abort();
	for (uint32_t i = 0; i < VSSD_MAX_NAMESPACES; i++)
		if (ctrl->queues.plain[i] != plain_opcodes(ctrl, &ctrl->ns[i]))
			abort();
}
#endif
