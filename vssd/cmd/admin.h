/* SPDX-License-Identifier: BSD-3-Clause */
/* The admin commands that have a file of their own in vssd/cmd; each handler returns a status. */
#ifndef VSSD_CMD_ADMIN_H
#define VSSD_CMD_ADMIN_H

#include "vssd/cmd/request.h"

uint16_t vssd_abort(struct vssd_request *request);
uint16_t vssd_identify(struct vssd_request *request);
uint16_t vssd_get_features(struct vssd_request *request);
uint16_t vssd_set_features(struct vssd_request *request);
uint16_t vssd_get_log_page(struct vssd_request *request);

#endif
