/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI configuration space: bytes, the bits of them that can be written, and what a write sets off.
 * PCI Express Base Specification 5.0, section 7.
 *
 * As behind the kernel's VFIO, the function comes with memory space enabled and bus mastering not, and a reset keeps
 * what the host configured: whoever resets restores configuration space, and here that is the bus.
 */
#include "vssd/ctrl/device.h"

#include <string.h>

#include "spec/pci.h"

#define VENDOR 0x4e56u /* "NVMe" in two halves; nobody's */
#define DEVICE 0x4d65u

#define CAP_PM 0x40u
#define CAP_MSIX 0x50u
#define CAP_EXP 0x60u
#define EXT_AER 0x100u
#define EXT_DSN 0x148u

static void put16(struct vssd_ctrl *ctrl, uint32_t offset, uint16_t value, uint16_t writable)
{
	memcpy(&ctrl->config[offset], &value, sizeof(value));
	memcpy(&ctrl->config_writable[offset], &writable, sizeof(writable));
}

static void put32(struct vssd_ctrl *ctrl, uint32_t offset, uint32_t value, uint32_t writable)
{
	memcpy(&ctrl->config[offset], &value, sizeof(value));
	memcpy(&ctrl->config_writable[offset], &writable, sizeof(writable));
}

static uint16_t get16(const struct vssd_ctrl *ctrl, uint32_t offset)
{
	uint16_t value;

	memcpy(&value, &ctrl->config[offset], sizeof(value));
	return value;
}

static void capability(struct vssd_ctrl *ctrl, uint32_t offset, uint8_t id, uint8_t next)
{
	ctrl->config[offset] = id;
	ctrl->config[offset + 1] = next;
}

static void init_header(struct vssd_ctrl *ctrl)
{
	put16(ctrl, PCI_CFG_VENDOR, VENDOR, 0);
	put16(ctrl, PCI_CFG_DEVICE, DEVICE, 0);
	put16(ctrl, PCI_CFG_COMMAND, PCI_COMMAND_MSE, PCI_COMMAND_MSE | PCI_COMMAND_BME | PCI_COMMAND_INTD);
	put16(ctrl, PCI_CFG_STATUS, PCI_STATUS_CAPS, 0);
	put32(ctrl, PCI_CFG_REVISION, PCI_CLASS_NVME << 8 | 1, 0);
	ctrl->config_writable[PCI_CFG_CACHE_LINE] = 0xff;
	put32(ctrl, PCI_CFG_BAR0, PCI_BAR_64BIT, ~(VSSD_BAR0_SIZE - 1));
	put32(ctrl, PCI_CFG_BAR0 + 4, 0, UINT32_MAX);
	put32(ctrl, PCI_CFG_BAR0 + 4 * VSSD_MSIX_TABLE_BAR, 0, ~(VSSD_MSIX_BAR_SIZE - 1));
	put32(ctrl, PCI_CFG_BAR0 + 4 * VSSD_MSIX_PBA_BAR, 0, ~(VSSD_MSIX_BAR_SIZE - 1));
	put16(ctrl, PCI_CFG_SUBSYSTEM_VENDOR, VENDOR, 0);
	put16(ctrl, PCI_CFG_SUBSYSTEM, DEVICE, 0);
	ctrl->config[PCI_CFG_CAPABILITIES] = CAP_PM;
	ctrl->config_writable[PCI_CFG_INTERRUPT_LINE] = 0xff;
	ctrl->config[PCI_CFG_INTERRUPT_PIN] = 1;
}

static void init_capabilities(struct vssd_ctrl *ctrl)
{
	capability(ctrl, CAP_PM, PCI_CAP_PM, CAP_MSIX);
	put16(ctrl, CAP_PM + PCI_PM_CAPABILITIES, 3, 0); /* version 1.2 */
	put16(ctrl, CAP_PM + PCI_PM_CONTROL, PCI_PM_NO_RESET, PCI_PM_STATE);

	capability(ctrl, CAP_MSIX, PCI_CAP_MSIX, CAP_EXP);
	put16(ctrl, CAP_MSIX + PCI_MSIX_CONTROL, VSSD_MSIX_VECTORS - 1, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	put32(ctrl, CAP_MSIX + PCI_MSIX_TABLE, VSSD_MSIX_TABLE_BAR, 0);
	put32(ctrl, CAP_MSIX + PCI_MSIX_PBA, VSSD_MSIX_PBA_BAR, 0);

	capability(ctrl, CAP_EXP, PCI_CAP_EXP, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_CAPABILITIES, 2, 0); /* version 2, endpoint */
	/* 256 bytes of payload, role-based errors */
	put32(ctrl, CAP_EXP + PCI_EXP_DEVICE_CAP, PCI_EXP_DEVICE_CAP_FLR | 1u << 15 | 1, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_DEVICE_CONTROL, 0x2810, 0x78ff);
	ctrl->config_clear[CAP_EXP + PCI_EXP_DEVICE_STATUS] = 0x0f;
	/* 8 GT/s, x4, L0s and L1 */
	put32(ctrl, CAP_EXP + PCI_EXP_LINK_CAP, 4u << 4 | 3 | PCI_EXP_LINK_CAP_ASPM, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_LINK_CONTROL, 0, PCI_EXP_LINK_CONTROL_ASPM | 0x1f8);
	put16(ctrl, CAP_EXP + PCI_EXP_LINK_STATUS, 4u << 4 | 3, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_DEVICE_CONTROL2, 0, 0x001f);
	put32(ctrl, CAP_EXP + PCI_EXP_LINK_CAP2, 7u << 1, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_LINK_CONTROL2, 3, 0x000f);
}

/* An EUI-64 whose most significant byte is the register's. */
static void put_serial_number(struct vssd_ctrl *ctrl)
{
	uint8_t eui64[8];

	vssd_identify_eui64(ctrl, 0, eui64);
	for (unsigned i = 0; i < sizeof(eui64); i++)
		ctrl->config[EXT_DSN + PCI_DSN_SERIAL + i] = eui64[sizeof(eui64) - 1 - i];
}

static void init_extended(struct vssd_ctrl *ctrl)
{
	put32(ctrl, EXT_AER, PCI_EXT_CAP_HEADER(PCI_EXT_CAP_AER, 2, EXT_DSN), 0);
	put32(ctrl, EXT_AER + PCI_AER_UNCORRECTABLE_MASK, 0, 0x01fff030);
	put32(ctrl, EXT_AER + PCI_AER_UNCORRECTABLE_SEVERITY, 0x00062030, 0x01fff030);
	put32(ctrl, EXT_AER + PCI_AER_CORRECTABLE_MASK, 0x00002000, 0x0000f1c1);
	memset(&ctrl->config_clear[EXT_AER + PCI_AER_UNCORRECTABLE_STATUS], 0xff, 4);
	memset(&ctrl->config_clear[EXT_AER + PCI_AER_CORRECTABLE_STATUS], 0xff, 4);

	put32(ctrl, EXT_DSN, PCI_EXT_CAP_HEADER(PCI_EXT_CAP_DSN, 1, 0), 0);
	put_serial_number(ctrl);
}

void vssd_config_init(struct vssd_ctrl *ctrl)
{
	memset(ctrl->config, 0, sizeof(ctrl->config));
	memset(ctrl->config_writable, 0, sizeof(ctrl->config_writable));
	memset(ctrl->config_clear, 0, sizeof(ctrl->config_clear));
	init_header(ctrl);
	init_capabilities(ctrl);
	init_extended(ctrl);
}

static bool in_d0(const struct vssd_ctrl *ctrl)
{
	return (get16(ctrl, CAP_PM + PCI_PM_CONTROL) & PCI_PM_STATE) == 0;
}

bool vssd_config_memory_enabled(const struct vssd_ctrl *ctrl)
{
	return (get16(ctrl, PCI_CFG_COMMAND) & PCI_COMMAND_MSE) && in_d0(ctrl);
}

bool vssd_config_bus_master(const struct vssd_ctrl *ctrl)
{
	return (get16(ctrl, PCI_CFG_COMMAND) & PCI_COMMAND_BME) && in_d0(ctrl);
}

void vssd_ctrl_config_read(struct vssd_ctrl *ctrl, uint32_t offset, void *data, uint32_t length)
{
	if (ctrl->power)
		memcpy(data, &ctrl->config[offset], length);
	else
		memset(data, 0xff, length);
}

/* Whether a write of these bytes sets the bit that resets the function; it reads 0 at any time. */
static bool asks_for_flr(uint32_t offset, const uint8_t *data, uint32_t length)
{
	uint32_t high_byte = CAP_EXP + PCI_EXP_DEVICE_CONTROL + 1;

	return offset <= high_byte && high_byte - offset < length &&
	       (data[high_byte - offset] & (PCI_EXP_DEVICE_CONTROL_FLR >> 8));
}

void vssd_ctrl_config_write(struct vssd_ctrl *ctrl, uint32_t offset, const void *data, uint32_t length)
{
	const uint8_t *from = data;
	uint8_t pm_before = ctrl->config[CAP_PM + PCI_PM_CONTROL];

	if (!ctrl->power)
		return;
	for (uint32_t i = 0; i < length; i++) {
		uint8_t writable = ctrl->config_writable[offset + i];
		uint8_t *byte = &ctrl->config[offset + i];

		*byte = (uint8_t)((*byte & ~writable) | (from[i] & writable));
		*byte &= (uint8_t) ~(from[i] & ctrl->config_clear[offset + i]);
	}
	/* D1 and D2 are not there: a write of them leaves the state as it was. */
	if ((ctrl->config[CAP_PM + PCI_PM_CONTROL] & PCI_PM_STATE) % 3 != 0)
		ctrl->config[CAP_PM + PCI_PM_CONTROL] = pm_before;
	if (asks_for_flr(offset, from, length))
		vssd_ctrl_reset(ctrl, VSSD_RESET_FUNCTION);
	vssd_update_running(ctrl);
}
