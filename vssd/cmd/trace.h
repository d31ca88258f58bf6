/* SPDX-License-Identifier: BSD-3-Clause */
/* The trace keeps the last refusals while it is on. vssd/ctrl/ctrl.h has the functions that read it. */
#ifndef VSSD_CMD_TRACE_H
#define VSSD_CMD_TRACE_H

#include "vssd/cmd/request.h"
#include "vssd/ctrl/part.h"

/* Add a failed command to the trace. Does nothing unless the trace is on. */
void vssd_trace_refusal(const struct vssd_request *request, uint16_t status);

extern const struct vssd_part vssd_trace_part;

#endif
