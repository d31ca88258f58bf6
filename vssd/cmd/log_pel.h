/* SPDX-License-Identifier: BSD-3-Clause */
/* Log page 0Dh, Persistent Event: its reporting contexts. */
#ifndef VSSD_CMD_LOG_PEL_H
#define VSSD_CMD_LOG_PEL_H

#include "vssd/cmd/request.h"
#include "vssd/ctrl/part.h"

/* Releases the context at a reset. */
extern const struct vssd_part vssd_pel_context_part;

/* Execute a Get Log Page of this page. Returns a status. */
uint16_t vssd_pel_read(struct vssd_request *request);

#endif
