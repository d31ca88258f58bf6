/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/data/transfer.h"

#define IDENTIFY_BYTES 4096u
#define NS_MANAGEMENT_BYTES 4096u /* to create one, and of a list of controllers */
#define NS_MANAGEMENT_CREATE 0u   /* cdw10 3:0 */
#define DSM_RANGE_BYTES 16u
#define COPY_RANGE_BYTES 32u
#define COPY_RANGE_BYTES_PI64 40u /* formats 1h and 3h */
#define RESERVATION_KEYS 16u      /* of Register and Acquire */
#define RESERVATION_RELEASE_KEY 8u

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
	case NVME_ADMIN_NS_MANAGEMENT:
		return (cmd->cdw10 & 0xf) == NS_MANAGEMENT_CREATE ? NS_MANAGEMENT_BYTES : PYN_TRANSFER_ANY;
	case NVME_ADMIN_NS_ATTACHMENT:
		return NS_MANAGEMENT_BYTES;
	case NVME_ADMIN_SECURITY_SEND: /* bytes in cdw11 */
	case NVME_ADMIN_SECURITY_RECEIVE:
		return cmd->cdw11 ? cmd->cdw11 : PYN_TRANSFER_ANY;
	case NVME_ADMIN_GET_LBA_STATUS:
		return dwords(cmd->cdw12);
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
	case NVME_IO_COPY: /* NR in cdw12 7:0, the format of the ranges in 11:8 */
		return ((cmd->cdw12 & 0xff) + UINT64_C(1)) *
		       (cmd->cdw12 >> 8 & 1 ? COPY_RANGE_BYTES_PI64 : COPY_RANGE_BYTES);
	case NVME_IO_RESERVATION_REPORT:
		return dwords(cmd->cdw10);
	case NVME_IO_RESERVATION_REGISTER:
	case NVME_IO_RESERVATION_ACQUIRE:
		return RESERVATION_KEYS;
	case NVME_IO_RESERVATION_RELEASE:
		return RESERVATION_RELEASE_KEY;
	default:
		return PYN_TRANSFER_ANY;
	}
}
