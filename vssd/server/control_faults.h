/* SPDX-License-Identifier: BSD-3-Clause */
/* The requests of the control socket that concern fault rules. */
#ifndef VSSD_SERVER_CONTROL_FAULTS_H
#define VSSD_SERVER_CONTROL_FAULTS_H

#include <stdint.h>

#include "vssd/control_protocol.h"
#include "vssd/fault/faults.h"

/* Execute a request, whose data are text. Fill in the data of the reply, VSSD_CONTROL_DATA_MAX bytes at most, and
 * their length. 0, or -errno. */
int vssd_control_faults(struct vssd_faults *faults, const struct vssd_control_request *request, const char *text,
			uint8_t *data, uint32_t *length);

#endif
