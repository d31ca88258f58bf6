/* SPDX-License-Identifier: BSD-3-Clause */
/* The admin commands that have a file of their own in vssd/cmd; each handler returns a status. */
#ifndef VSSD_CMD_ADMIN_H
#define VSSD_CMD_ADMIN_H

#include "vssd/cmd/request.h"

uint16_t vssd_abort(struct vssd_request *request);

/* Abort the commands to a namespace that the controller processes, because their host was preempted. */
void vssd_abort_namespace(struct vssd_ctrl *ctrl, uint32_t nsid);
uint16_t vssd_doorbell_buffer_config(struct vssd_request *request);
uint16_t vssd_async_event(struct vssd_request *request);
uint16_t vssd_firmware_commit(struct vssd_request *request);
uint16_t vssd_firmware_download(struct vssd_request *request);
uint16_t vssd_format_nvm(struct vssd_request *request);
uint16_t vssd_identify(struct vssd_request *request);
uint16_t vssd_get_lba_status(struct vssd_request *request);
uint16_t vssd_get_features(struct vssd_request *request);
uint16_t vssd_set_features(struct vssd_request *request);
uint16_t vssd_get_log_page(struct vssd_request *request);
uint16_t vssd_ns_attachment(struct vssd_request *request);
uint16_t vssd_ns_management(struct vssd_request *request);
uint16_t vssd_capacity_management(struct vssd_request *request);
uint16_t vssd_sanitize(struct vssd_request *request);
uint16_t vssd_security_receive(struct vssd_request *request);
uint16_t vssd_security_send(struct vssd_request *request);
uint16_t vssd_self_test(struct vssd_request *request);

/* Delete namespaces, a bit for each by NSID - 1, unless one of them must not be deleted. Returns a status. */
uint16_t vssd_ns_delete_these(struct vssd_request *request, uint32_t nsids);

/* Whether the drive has this log page; Identify announces some of them. */
bool vssd_log_supported(const struct vssd_ctrl *ctrl, uint8_t lid);

#endif
