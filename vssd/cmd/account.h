/* SPDX-License-Identifier: BSD-3-Clause */
/* Account for each command in the SMART counters, and trace the last ones for the telemetry log. */
#ifndef VSSD_CMD_ACCOUNT_H
#define VSSD_CMD_ACCOUNT_H

#include "vssd/ctrl/controller.h"

/* The fields of a command that the counters and the trace need. */
struct vssd_brief {
	uint64_t command; /* the first eight bytes: opcode, flags, CID, NSID */
	uint64_t slba;    /* cdw11 and cdw10 */
	uint32_t cdw12;
};

static inline void vssd_trace(struct vssd_ctrl *ctrl, uint16_t sqid, const struct vssd_brief *brief, uint16_t status)
{
	ctrl->telemetry.trace[ctrl->telemetry.traced++ % VSSD_TRACE] = (struct vssd_trace_entry){
		.time = ctrl->now,
		.command = brief->command,
		.slba = brief->slba,
		.cdw12 = brief->cdw12,
		.sqid = sqid,
		.status = status,
	};
}

/* A command that writes user data: NVM Command Set Specification 1.2, section 1.4.2. */
static inline bool vssd_is_user_data_out(uint8_t opcode)
{
	return opcode == NVME_IO_WRITE || opcode == NVME_IO_ZONE_APPEND || opcode == NVME_IO_COPY;
}

/* SMART counts commands that complete, whatever their status. Copy is both a read and a write. */
static inline void vssd_count_host_command(struct vssd_totals *totals, uint8_t opcode)
{
	totals->reads += opcode == NVME_IO_READ || opcode == NVME_IO_COMPARE || opcode == NVME_IO_COPY;
	totals->writes += vssd_is_user_data_out(opcode);
}

/* Account for an executed I/O command. bytes: how much of the medium it read or wrote. */
static inline void vssd_account_io(struct vssd_ctrl *ctrl, uint16_t sqid, const struct vssd_brief *brief,
				   uint8_t opcode, uint32_t bytes, uint16_t status)
{
	struct vssd_counters *counters = &ctrl->counters;
	struct vssd_totals *totals = &ctrl->nv->totals;

	vssd_trace(ctrl, sqid, brief, status);
	vssd_count_host_command(totals, opcode);
	if (opcode == NVME_IO_READ) {
		counters->commands_read++;
		counters->bytes_read += bytes;
		totals->sectors_read += bytes / VSSD_SECTOR_SIZE;
	} else if (vssd_is_user_data_out(opcode)) {
		counters->commands_write++;
		counters->bytes_written += bytes;
		totals->sectors_written += bytes / VSSD_SECTOR_SIZE;
	} else {
		counters->commands_other++;
		totals->sectors_read += bytes / VSSD_SECTOR_SIZE;
	}
}

static inline void vssd_account_admin(struct vssd_ctrl *ctrl, const struct vssd_brief *brief, uint16_t status)
{
	vssd_trace(ctrl, 0, brief, status);
	ctrl->counters.commands_admin++;
}

#endif
