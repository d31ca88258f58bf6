/* SPDX-License-Identifier: BSD-3-Clause */
/* Admin commands that complete later than they are executed. */
#include <string.h>

#include "vssd/ctrl/controller.h"

void vssd_faulty_remember(struct vssd_ctrl *ctrl, const struct nvme_cmd *cmd)
{
	ctrl->faulty.later[ctrl->faulty.num_later++ % VSSD_LATER_KEPT] = *cmd;
}

/* The latest remembered command with this CID. */
static struct nvme_cmd recall(const struct vssd_ctrl *ctrl, uint16_t cid)
{
	for (unsigned i = 1; i <= VSSD_LATER_KEPT && i <= ctrl->faulty.num_later; i++) {
		const struct nvme_cmd *cmd = &ctrl->faulty.later[(ctrl->faulty.num_later - i) % VSSD_LATER_KEPT];

		if (cmd->cid == cid)
			return *cmd;
	}
	return (struct nvme_cmd){.cid = cid};
}

void vssd_complete_later(struct vssd_ctrl *ctrl, uint16_t cid, uint16_t status, uint64_t result)
{
	if (status)
		ctrl->counters.errors++;
	if (ctrl->subsystem->faults->places & VSSD_FAULT_OF_COMMANDS) {
		struct nvme_cmd cmd = recall(ctrl, cid);
		uint32_t sqe[16];
		struct vssd_fault_occasion occasion = {.place = VSSD_FAULT_COMPLETION, .sqe = sqe};

		memcpy(sqe, &cmd, sizeof(sqe));
		vssd_faulty_complete(ctrl, &ctrl->queues.sq[0], &occasion, status, result, 0, NULL);
		return;
	}
	vssd_complete_admin(ctrl, cid, status, result);
}
