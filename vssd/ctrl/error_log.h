/* SPDX-License-Identifier: BSD-3-Clause */
/* The error log, and the status field of a completion. */
#ifndef VSSD_CTRL_ERROR_LOG_H
#define VSSD_CTRL_ERROR_LOG_H

#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/ctrl/part.h"

#define VSSD_ELPE 63u /* 0's based, as Identify reports it */

#define VSSD_NO_LOCATION UINT16_MAX /* the error is not in a field of the command */

struct vssd_refusals;

struct vssd_error_log {
	struct nvme_error_log_entry entries[VSSD_ELPE + 1]; /* a ring */
	struct vssd_refusals *refusals;                     /* owned by vssd/cmd/trace.c; NULL: tracing is off */
};

extern const struct vssd_part vssd_error_log_part;

/* Convert a status to bits 15:1 of a completion's status field, in place. */
uint16_t vssd_status_field(const struct vssd_ctrl *ctrl, uint16_t status);

/* Add an entry and set its error count (add), or add an entry for an error that belongs to no command (of_none). */
void vssd_error_log_add(struct vssd_ctrl *ctrl, struct nvme_error_log_entry entry);
void vssd_error_of_none(struct vssd_ctrl *ctrl);

/* Get entry i of the log page; 0 is the newest. NULL: there is none. */
const struct nvme_error_log_entry *vssd_error_log_entry(const struct vssd_ctrl *ctrl, uint32_t i);

#endif
