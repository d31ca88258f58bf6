/* SPDX-License-Identifier: BSD-3-Clause */
/* The error log, and the status field of a completion. */
#ifndef VSSD_CTRL_ERROR_LOG_H
#define VSSD_CTRL_ERROR_LOG_H

#include <stdint.h>

#include "spec/nvme_log.h"
#include "vssd/ctrl/part.h"

#define VSSD_ELPE 63u /* 0's based, as Identify reports it */

/* Where a command is wrong: its byte, and the bit in it. */
#define VSSD_FIELD_OPCODE 0u
#define VSSD_FIELD_FLAGS 1u
#define VSSD_FIELD_NSID 4u
#define VSSD_FIELD_CDW10 40u
#define VSSD_FIELD_CDW11 44u
#define VSSD_FIELD_CDW12 48u
#define VSSD_FIELD_CDW13 52u
#define VSSD_FIELD_CDW14 56u
#define VSSD_FIELD_CDW15 60u
#define VSSD_FIELD_BIT_SHIFT 8
#define VSSD_FIELD_NONE UINT16_MAX

struct vssd_error_log {
	struct nvme_error_log_entry entries[VSSD_ELPE + 1]; /* a ring */
};

extern const struct vssd_part vssd_error_log_part;

/* Bits 15:1 of a completion's status, in their place. */
uint16_t vssd_status_field(uint16_t status);

/* Add an entry, whose error count is set here; one of an error that belongs to no command. */
void vssd_error_log_add(struct vssd_ctrl *ctrl, struct nvme_error_log_entry entry);
void vssd_error_of_none(struct vssd_ctrl *ctrl);

/* Entry number i of the log page, 0 the newest; NULL: there is none. */
const struct nvme_error_log_entry *vssd_error_log_entry(const struct vssd_ctrl *ctrl, uint32_t i);

#endif
