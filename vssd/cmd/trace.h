/* SPDX-License-Identifier: BSD-3-Clause */
/* The trace of refusals: the last ones, while it is switched on. Its readers use vssd/ctrl/ctrl.h. */
#ifndef VSSD_CMD_TRACE_H
#define VSSD_CMD_TRACE_H

#include "vssd/cmd/request.h"
#include "vssd/ctrl/part.h"

/* A command has failed. Does nothing unless the trace is on. */
void vssd_trace_refusal(const struct vssd_request *request, uint16_t status);

extern const struct vssd_part vssd_trace_part;

#endif
