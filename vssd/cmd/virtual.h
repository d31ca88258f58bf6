/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtualization Management, and Identify CNS 14h and 15h, of a primary controller. */
#ifndef VSSD_CMD_VIRTUAL_H
#define VSSD_CMD_VIRTUAL_H

#include "spec/nvme_id.h"
#include "vssd/cmd/request.h"

/* Returns a status. */
uint16_t vssd_virtualization_management(struct vssd_request *request);

/* Fill in the structures, which hold zeros. */
void vssd_virtual_capabilities(const struct vssd_ctrl *ctrl, struct nvme_primary_ctrl_caps *caps);
void vssd_virtual_list(const struct vssd_request *request, struct nvme_secondary_ctrl_list *list);

#endif
