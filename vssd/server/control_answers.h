/* SPDX-License-Identifier: BSD-3-Clause */
/* The requests of the control socket that are about answers to vendor specific commands. */
#ifndef VSSD_SERVER_CONTROL_ANSWERS_H
#define VSSD_SERVER_CONTROL_ANSWERS_H

#include <stdint.h>

#include "vssd/control_protocol.h"
#include "vssd/fault/answers.h"

/* Execute VSSD_CONTROL_ANSWER or VSSD_CONTROL_ANSWERED. data: of the request; reply: room for VSSD_CONTROL_DATA_MAX
 * bytes, of which *length are the reply. 0, or -errno. */
int vssd_control_answers(struct vssd_answers *answers, const struct vssd_control_request *request,
			 const uint8_t *data, uint8_t *reply, uint32_t *length);

#endif
