/* SPDX-License-Identifier: BSD-3-Clause */
/* Lockdown, its log page, and its effect on other commands. */
#ifndef VSSD_CMD_LOCKDOWN_H
#define VSSD_CMD_LOCKDOWN_H

#include "spec/nvme_log.h"
#include "vssd/cmd/request.h"

uint16_t vssd_lockdown(struct vssd_request *request);

/* Refuse an admin command that Lockdown prohibits. Returns a status. */
uint16_t vssd_lockdown_check(struct vssd_request *request);

/* Whether Lockdown prohibits a command of the Management Interface that comes out of band. */
bool vssd_lockdown_denies_mi(const struct vssd_ctrl *ctrl, uint8_t opcode);

/* Fill in log page 14h. lsp: which list. Returns a status. */
uint16_t vssd_lockdown_log(struct vssd_request *request, uint8_t lsp, struct nvme_lockdown_log *log);

#endif
