/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/io/transfer.h"

#define IDENTIFY_BYTES 4096u
#define DSM_RANGE_BYTES 16u

static uint64_t dwords(uint32_t zeroes_based)
{
	return (zeroes_based + UINT64_C(1)) * 4;
}

uint64_t pyn_transfer_admin(const struct nvme_cmd *cmd)
{
	switch (cmd->opc) {
	case NVME_ADMIN_IDENTIFY:
		return IDENTIFY_BYTES;
	case NVME_ADMIN_GET_LOG_PAGE: /* NUMDU in cdw11 15:0, NUMDL in cdw10 31:16 */
		return dwords(cmd->cdw11 << 16 | cmd->cdw10 >> 16);
	case NVME_ADMIN_FW_DOWNLOAD:
		return dwords(cmd->cdw10);
	default:
		return PYN_TRANSFER_ANY;
	}
}

uint64_t pyn_transfer_io(const struct nvme_cmd *cmd, uint32_t lba_bytes)
{
	switch (cmd->opc) {
	case NVME_IO_READ:
	case NVME_IO_WRITE:
	case NVME_IO_COMPARE:
	case NVME_IO_ZONE_APPEND:
		return lba_bytes ? ((cmd->cdw12 & 0xffff) + UINT64_C(1)) * lba_bytes : PYN_TRANSFER_ANY;
	case NVME_IO_DSM:
		return ((cmd->cdw10 & 0xff) + UINT64_C(1)) * DSM_RANGE_BYTES;
	case NVME_IO_ZONE_MGMT_RECEIVE:
		return dwords(cmd->cdw12);
	default:
		return PYN_TRANSFER_ANY;
	}
}
