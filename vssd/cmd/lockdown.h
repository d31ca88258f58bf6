/* SPDX-License-Identifier: BSD-3-Clause */
/* Lockdown, its log page, and its effect on other commands. */
#ifndef VSSD_CMD_LOCKDOWN_H
#define VSSD_CMD_LOCKDOWN_H

#include "spec/nvme_cmd.h"
#include "spec/nvme_log.h"
#include "vssd/cmd/request.h"

uint16_t vssd_lockdown(struct vssd_request *request);

/* Refuse an admin command that Lockdown prohibits. Returns a status. */
uint16_t vssd_lockdown_check(struct vssd_request *request);

/* Whether Lockdown prohibits a command out of band: of the Management Interface (NVME_LOCKDOWN_MI), or a PCIe command
 * (NVME_LOCKDOWN_PCIE). */
bool vssd_lockdown_denies(const struct vssd_ctrl *ctrl, enum nvme_lockdown_scope scope, uint8_t opcode);

/* Fill in log page 14h. lsp: which list. Returns a status. */
uint16_t vssd_lockdown_log(struct vssd_request *request, uint8_t lsp, struct nvme_lockdown_log *log);

#endif
