/* SPDX-License-Identifier: BSD-3-Clause */
#include "vssd/ctrl/boot.h"

#include "vssd/ctrl/controller.h"
#include "vssd/subsystem/boot.h"

#define BRS_SHIFT 24
#define BRS_DONE 2u
#define BRS_FAILED 3u

#define SIZE_MASK 0x3ffu /* BPRSEL: BPRSZ, BPROF, BPID */
#define OFFSET_SHIFT 10
#define OFFSET_MASK 0xfffffu
#define ID_SHIFT 31

bool vssd_boot_has(const struct vssd_ctrl *ctrl, uint32_t offset)
{
	return offset >= NVME_REG_BPINFO && offset < NVME_REG_BPMBL + 8 && NVME_GET(ctrl->regs.cap, NVME_CAP_BPS);
}

uint32_t vssd_boot_register(const struct vssd_ctrl *ctrl, uint32_t offset)
{
	const struct vssd_boot_registers *boot = &ctrl->regs.boot;

	switch (offset) {
	case NVME_REG_BPINFO:
		return vssd_boot_info(ctrl->subsystem) | (uint32_t)boot->status << BRS_SHIFT;
	case NVME_REG_BPRSEL:
		return boot->select;
	case NVME_REG_BPMBL:
		return (uint32_t)boot->location & ~0xfffu;
	default:
		return (uint32_t)(boot->location >> 32);
	}
}

/* Copy what BPRSEL selects to where BPMBL points. Its reserved bits count, because SPDK's test points to memory that
 * is not aligned. False: the selection is not inside the partition, or the memory fails. */
static bool copy(struct vssd_ctrl *ctrl)
{
	const struct vssd_boot_registers *boot = &ctrl->regs.boot;
	uint64_t length = (uint64_t)(boot->select & SIZE_MASK) * VSSD_BOOT_UNIT;
	uint64_t offset = (uint64_t)(boot->select >> OFFSET_SHIFT & OFFSET_MASK) * VSSD_BOOT_UNIT;

	if (offset > VSSD_BOOT_SIZE || length > VSSD_BOOT_SIZE - offset)
		return false;
	for (uint64_t at = 0; at < length; at += VSSD_BOOT_UNIT) {
		uint8_t piece[VSSD_BOOT_UNIT];

		vssd_boot_read(ctrl->subsystem, boot->select >> ID_SHIFT, (uint32_t)(offset + at), piece,
			       sizeof(piece));
		if (vssd_bus_write(ctrl->bus, boot->location + at, piece, sizeof(piece)))
			return false;
	}
	return true;
}

void vssd_boot_set_register(struct vssd_ctrl *ctrl, uint32_t offset, uint32_t value)
{
	struct vssd_boot_registers *boot = &ctrl->regs.boot;

	if (offset == NVME_REG_BPRSEL) {
		boot->select = value;
		boot->status = copy(ctrl) ? BRS_DONE : BRS_FAILED;
	} else if (offset == NVME_REG_BPMBL) {
		boot->location = (boot->location & ~(uint64_t)UINT32_MAX) | value;
	} else if (offset == NVME_REG_BPMBL + 4) {
		boot->location = (boot->location & UINT32_MAX) | (uint64_t)value << 32;
	}
}
