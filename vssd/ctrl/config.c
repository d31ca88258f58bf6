/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI configuration space: its bytes, their writable bits, and the effects of a write.
 * PCI Express Base Specification 5.0, sections 6.6 (resets) and 7.
 *
 * As with the kernel's VFIO, memory space is enabled and bus mastering is disabled at power-up and after a function
 * level or conventional reset. The host must then restore its configuration.
 */
#include "vssd/ctrl/config.h"

#include <string.h>

#include "spec/pci.h"
#include "vssd/ctrl/controller.h"
#include "vssd/ctrl/layout.h"
#include "vssd/fault/value.h"
#include "vssd/subsystem/identity.h"

#define VENDOR 0x4e56u /* "NVMe" in two halves; not assigned to a vendor */
#define DEVICE 0x4d65u

#define CAP_PM 0x40u
#define CAP_MSIX 0x50u
#define CAP_EXP 0x60u
#define CAP_MSI 0xa0u
#define MSI_LOG2 5u /* of VSSD_MSI_VECTORS */
#define EXT_AER 0x100u
#define EXT_DSN 0x148u
#define EXT_SRIOV 0x160u

/* Single Root I/O Virtualization, 9.3.3. */
#define SRIOV_CONTROL 0x08u
#define SRIOV_CONTROL_VFE 1u
#define SRIOV_CONTROL_MSE 8u
#define SRIOV_INITIAL_VFS 0x0cu
#define SRIOV_TOTAL_VFS 0x0eu
#define SRIOV_NUM_VFS 0x10u
#define SRIOV_FIRST_VF 0x14u
#define SRIOV_VF_STRIDE 0x16u
#define SRIOV_VF_DEVICE 0x1au
#define SRIOV_SUPPORTED_PAGES 0x1cu
#define SRIOV_PAGE 0x20u
#define SRIOV_VF_BAR0 0x24u
#define PAGES_4K_TO_4M 0x553u /* the sizes that each function must support */

static void put16(struct vssd_ctrl *ctrl, uint32_t offset, uint16_t value, uint16_t writable)
{
	memcpy(&ctrl->config.bytes[offset], &value, sizeof(value));
	memcpy(&ctrl->config.writable[offset], &writable, sizeof(writable));
}

static void put32(struct vssd_ctrl *ctrl, uint32_t offset, uint32_t value, uint32_t writable)
{
	memcpy(&ctrl->config.bytes[offset], &value, sizeof(value));
	memcpy(&ctrl->config.writable[offset], &writable, sizeof(writable));
}

static uint16_t get16(const struct vssd_ctrl *ctrl, uint32_t offset)
{
	uint16_t value;

	memcpy(&value, &ctrl->config.bytes[offset], sizeof(value));
	return value;
}

static uint32_t get32(const struct vssd_ctrl *ctrl, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, &ctrl->config.bytes[offset], sizeof(value));
	return value;
}

static void set16(struct vssd_ctrl *ctrl, uint32_t offset, uint16_t value)
{
	memcpy(&ctrl->config.bytes[offset], &value, sizeof(value));
}

static void set32(struct vssd_ctrl *ctrl, uint32_t offset, uint32_t value)
{
	memcpy(&ctrl->config.bytes[offset], &value, sizeof(value));
}

static void capability(struct vssd_ctrl *ctrl, uint32_t offset, uint8_t id, uint8_t next)
{
	ctrl->config.bytes[offset] = id;
	ctrl->config.bytes[offset + 1] = next;
}

static void init_header(struct vssd_ctrl *ctrl)
{
	put16(ctrl, PCI_CFG_VENDOR, VENDOR, 0);
	put16(ctrl, PCI_CFG_DEVICE, DEVICE, 0);
	put16(ctrl, PCI_CFG_COMMAND, PCI_COMMAND_MSE, PCI_COMMAND_MSE | PCI_COMMAND_BME | PCI_COMMAND_INTD);
	put16(ctrl, PCI_CFG_STATUS, PCI_STATUS_CAPS, 0);
	put32(ctrl, PCI_CFG_REVISION, PCI_CLASS_NVME << 8 | 1, 0);
	ctrl->config.writable[PCI_CFG_CACHE_LINE] = 0xff;
	put32(ctrl, PCI_CFG_BAR0, PCI_BAR_64BIT, ~(vssd_layout_bar0(ctrl->options) - 1));
	put32(ctrl, PCI_CFG_BAR0 + 4, 0, UINT32_MAX);
	put32(ctrl, PCI_CFG_BAR0 + 4 * VSSD_MSIX_TABLE_BAR, 0, ~(vssd_layout_msix_table(ctrl->options) - 1));
	put32(ctrl, PCI_CFG_BAR0 + 4 * VSSD_MSIX_PBA_BAR, 0, ~(VSSD_MSIX_BAR_SIZE - 1));
	put16(ctrl, PCI_CFG_SUBSYSTEM_VENDOR, VENDOR, 0);
	put16(ctrl, PCI_CFG_SUBSYSTEM, DEVICE, 0);
	ctrl->config.bytes[PCI_CFG_CAPABILITIES] = CAP_PM;
	ctrl->config.writable[PCI_CFG_INTERRUPT_LINE] = 0xff;
	ctrl->config.bytes[PCI_CFG_INTERRUPT_PIN] = 1;
}

uint32_t vssd_ctrl_vectors(const struct vssd_ctrl *ctrl)
{
	uint32_t vectors = vssd_virtual_vectors(ctrl->subsystem, &ctrl->listener, ctrl->interrupts.count);

	return vectors ? vectors : 1;
}

static void init_capabilities(struct vssd_ctrl *ctrl)
{
	capability(ctrl, CAP_PM, PCI_CAP_PM, CAP_MSI);
	put16(ctrl, CAP_PM + PCI_PM_CAPABILITIES, 3, 0); /* version 1.2 */
	put16(ctrl, CAP_PM + PCI_PM_CONTROL, PCI_PM_NO_RESET, PCI_PM_STATE);

	capability(ctrl, CAP_MSI, PCI_CAP_MSI, CAP_MSIX);
	put16(ctrl, CAP_MSI + PCI_MSI_CONTROL, MSI_LOG2 << 1 | PCI_MSI_64BIT | PCI_MSI_MASKABLE,
	      PCI_MSI_ENABLE | PCI_MSI_ENABLED);
	put32(ctrl, CAP_MSI + PCI_MSI_ADDRESS, 0, ~3u);
	put32(ctrl, CAP_MSI + PCI_MSI_ADDRESS_HIGH, 0, UINT32_MAX);
	put16(ctrl, CAP_MSI + PCI_MSI_DATA, 0, UINT16_MAX);
	put32(ctrl, CAP_MSI + PCI_MSI_MASK, 0, UINT32_MAX);

	capability(ctrl, CAP_MSIX, PCI_CAP_MSIX, CAP_EXP);
	put16(ctrl, CAP_MSIX + PCI_MSIX_CONTROL, (uint16_t)(vssd_ctrl_vectors(ctrl) - 1),
	      PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	put32(ctrl, CAP_MSIX + PCI_MSIX_TABLE, VSSD_MSIX_TABLE_BAR, 0);
	put32(ctrl, CAP_MSIX + PCI_MSIX_PBA, VSSD_MSIX_PBA_BAR, 0);

	capability(ctrl, CAP_EXP, PCI_CAP_EXP, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_CAPABILITIES, 2, 0); /* version 2, endpoint */
	/* 256 bytes of payload, role-based errors */
	put32(ctrl, CAP_EXP + PCI_EXP_DEVICE_CAP, PCI_EXP_DEVICE_CAP_FLR | 1u << 15 | 1, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_DEVICE_CONTROL, 0x2810, 0x78ff);
	ctrl->config.clear[CAP_EXP + PCI_EXP_DEVICE_STATUS] = 0x0f;
	/* 8 GT/s, x4, L0s and L1 */
	put32(ctrl, CAP_EXP + PCI_EXP_LINK_CAP, 4u << 4 | 3 | PCI_EXP_LINK_CAP_ASPM, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_LINK_CONTROL, 0, PCI_EXP_LINK_CONTROL_ASPM | 0x1f8);
	put16(ctrl, CAP_EXP + PCI_EXP_LINK_STATUS, 4u << 4 | 3, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_DEVICE_CONTROL2, 0, 0x001f);
	put32(ctrl, CAP_EXP + PCI_EXP_LINK_CAP2, 7u << 1, 0);
	put16(ctrl, CAP_EXP + PCI_EXP_LINK_CONTROL2, 3, 0x000f);
}

/* Write the Device Serial Number, an EUI-64 whose most significant byte is that of the register. */
static void put_serial_number(struct vssd_ctrl *ctrl)
{
	uint8_t eui64[8];

	vssd_identity_eui64(ctrl->subsystem, NULL, eui64);
	for (unsigned i = 0; i < sizeof(eui64); i++)
		ctrl->config.bytes[EXT_DSN + PCI_DSN_SERIAL + i] = eui64[sizeof(eui64) - 1 - i];
}

static void init_functions(struct vssd_ctrl *ctrl)
{
	uint16_t count = (uint16_t)ctrl->options->functions.virtual_ones;

	put32(ctrl, EXT_SRIOV, PCI_EXT_CAP_HEADER(PCI_EXT_CAP_SRIOV, 1, 0), 0);
	put16(ctrl, EXT_SRIOV + SRIOV_CONTROL, 0, SRIOV_CONTROL_VFE | SRIOV_CONTROL_MSE);
	put16(ctrl, EXT_SRIOV + SRIOV_INITIAL_VFS, count, 0);
	put16(ctrl, EXT_SRIOV + SRIOV_TOTAL_VFS, count, 0);
	put16(ctrl, EXT_SRIOV + SRIOV_NUM_VFS, 0, UINT16_MAX);
	put16(ctrl, EXT_SRIOV + SRIOV_FIRST_VF, 1, 0);
	put16(ctrl, EXT_SRIOV + SRIOV_VF_STRIDE, 1, 0);
	put16(ctrl, EXT_SRIOV + SRIOV_VF_DEVICE, DEVICE, 0);
	put32(ctrl, EXT_SRIOV + SRIOV_SUPPORTED_PAGES, PAGES_4K_TO_4M, 0);
	put32(ctrl, EXT_SRIOV + SRIOV_PAGE, 1, PAGES_4K_TO_4M);
	put32(ctrl, EXT_SRIOV + SRIOV_VF_BAR0, PCI_BAR_64BIT, ~(vssd_layout_bar0(ctrl->options) - 1));
	put32(ctrl, EXT_SRIOV + SRIOV_VF_BAR0 + 4, 0, UINT32_MAX);
}

unsigned vssd_config_functions(const struct vssd_ctrl *ctrl)
{
	uint16_t total = get16(ctrl, EXT_SRIOV + SRIOV_TOTAL_VFS), count = get16(ctrl, EXT_SRIOV + SRIOV_NUM_VFS);

	if (!(get16(ctrl, EXT_SRIOV + SRIOV_CONTROL) & SRIOV_CONTROL_VFE))
		return 0;
	return count < total ? count : total;
}

static void init_extended(struct vssd_ctrl *ctrl)
{
	put32(ctrl, EXT_AER, PCI_EXT_CAP_HEADER(PCI_EXT_CAP_AER, 2, EXT_DSN), 0);
	put32(ctrl, EXT_AER + PCI_AER_UNCORRECTABLE_MASK, 0, 0x01fff030);
	put32(ctrl, EXT_AER + PCI_AER_UNCORRECTABLE_SEVERITY, 0x00062030, 0x01fff030);
	put32(ctrl, EXT_AER + PCI_AER_CORRECTABLE_MASK, 0x00002000, 0x0000f1c1);
	memset(&ctrl->config.clear[EXT_AER + PCI_AER_UNCORRECTABLE_STATUS], 0xff, 4);
	memset(&ctrl->config.clear[EXT_AER + PCI_AER_CORRECTABLE_STATUS], 0xff, 4);

	put32(ctrl, EXT_DSN,
	      PCI_EXT_CAP_HEADER(PCI_EXT_CAP_DSN, 1,
				 vssd_is_primary(ctrl->subsystem, &ctrl->listener) ? EXT_SRIOV : 0),
	      0);
	if (vssd_is_primary(ctrl->subsystem, &ctrl->listener))
		init_functions(ctrl);
	put_serial_number(ctrl);
}

static void set_initial(struct vssd_ctrl *ctrl)
{
	memset(ctrl->config.bytes, 0, sizeof(ctrl->config.bytes));
	memset(ctrl->config.writable, 0, sizeof(ctrl->config.writable));
	memset(ctrl->config.clear, 0, sizeof(ctrl->config.clear));
	init_header(ctrl);
	init_capabilities(ctrl);
	init_extended(ctrl);
	ctrl->config.msix_decided = false;
}

/* The bits that a function level reset keeps in addition to the sticky ones (6.6.2). */
static const struct {
	uint32_t offset;
	uint16_t bits;
} kept_by_flr[] = {
	{CAP_EXP + PCI_EXP_DEVICE_CONTROL, PCI_EXP_DEVICE_CONTROL_MPS},
	/* ASPM, RCB, Common Clock, Extended Synch, Clock Power Management */
	{CAP_EXP + PCI_EXP_LINK_CONTROL, PCI_EXP_LINK_CONTROL_ASPM | 0x01c8},
};
#define LINK_SPEED 0x000fu /* of Link Control 2: sticky, as are the registers of AER */

static void reset(struct vssd_ctrl *ctrl, enum vssd_reset kind)
{
	uint8_t before[VSSD_CONFIG_SIZE];
	uint16_t old;

	if (kind != VSSD_RESET_FUNCTION && kind != VSSD_RESET_CONVENTIONAL)
		return;
	memcpy(before, ctrl->config.bytes, sizeof(before));
	set_initial(ctrl);
	memcpy(&ctrl->config.bytes[EXT_AER + PCI_AER_UNCORRECTABLE_STATUS],
	       &before[EXT_AER + PCI_AER_UNCORRECTABLE_STATUS], PCI_AER_SIZE - PCI_AER_UNCORRECTABLE_STATUS);
	memcpy(&old, &before[CAP_EXP + PCI_EXP_LINK_CONTROL2], sizeof(old));
	set16(ctrl, CAP_EXP + PCI_EXP_LINK_CONTROL2, old & LINK_SPEED);
	ctrl->bus->ops->reset(ctrl->bus);
	if (kind != VSSD_RESET_FUNCTION)
		return;
	for (unsigned i = 0; i < sizeof(kept_by_flr) / sizeof(kept_by_flr[0]); i++) {
		uint32_t offset = kept_by_flr[i].offset;
		uint16_t bits = kept_by_flr[i].bits;

		memcpy(&old, &before[offset], sizeof(old));
		set16(ctrl, offset, (uint16_t)((get16(ctrl, offset) & ~bits) | (old & bits)));
	}
}

static void power(struct vssd_ctrl *ctrl, bool on)
{
	if (on)
		set_initial(ctrl);
}

const struct vssd_part vssd_config_part = {.power = power, .reset = reset, .kept = VSSD_FAULT_KEEPS_CONFIG};

bool vssd_config_in_d0(const struct vssd_ctrl *ctrl)
{
	return (get16(ctrl, CAP_PM + PCI_PM_CONTROL) & PCI_PM_STATE) == 0;
}

bool vssd_config_memory_enabled(const struct vssd_ctrl *ctrl)
{
	return (get16(ctrl, PCI_CFG_COMMAND) & PCI_COMMAND_MSE) && vssd_config_in_d0(ctrl);
}

bool vssd_config_bus_master(const struct vssd_ctrl *ctrl)
{
	return (get16(ctrl, PCI_CFG_COMMAND) & PCI_COMMAND_BME) && vssd_config_in_d0(ctrl);
}

/* ---- interrupts ---- */

static bool msi_enabled(const struct vssd_ctrl *ctrl)
{
	return get16(ctrl, CAP_MSI + PCI_MSI_CONTROL) & PCI_MSI_ENABLE;
}

static bool msix_enabled(const struct vssd_ctrl *ctrl)
{
	return get16(ctrl, CAP_MSIX + PCI_MSIX_CONTROL) & PCI_MSIX_ENABLE;
}

enum vssd_irq vssd_config_irq(const struct vssd_ctrl *ctrl)
{
	if (msix_enabled(ctrl))
		return VSSD_IRQ_MSIX;
	if (msi_enabled(ctrl))
		return VSSD_IRQ_MSI;
	return ctrl->config.msix_decided ? VSSD_IRQ_PIN : VSSD_IRQ_ANY;
}

uint32_t vssd_config_messages(const struct vssd_ctrl *ctrl)
{
	uint32_t log2 = (get16(ctrl, CAP_MSI + PCI_MSI_CONTROL) & PCI_MSI_ENABLED) >> 4;

	return 1u << (log2 < MSI_LOG2 ? log2 : MSI_LOG2);
}

bool vssd_config_message_waits(struct vssd_ctrl *ctrl, uint32_t message)
{
	uint32_t bit = 1u << message;

	if (!(get32(ctrl, CAP_MSI + PCI_MSI_MASK) & bit))
		return false;
	set32(ctrl, CAP_MSI + PCI_MSI_PENDING, get32(ctrl, CAP_MSI + PCI_MSI_PENDING) | bit);
	return true;
}

bool vssd_config_pin_disabled(const struct vssd_ctrl *ctrl)
{
	return get16(ctrl, PCI_CFG_COMMAND) & PCI_COMMAND_INTD;
}

bool vssd_config_msix_masked(const struct vssd_ctrl *ctrl)
{
	return get16(ctrl, CAP_MSIX + PCI_MSIX_CONTROL) & PCI_MSIX_MASK_ALL;
}

void vssd_config_settle_messages(struct vssd_ctrl *ctrl)
{
	uint32_t pending = get32(ctrl, CAP_MSI + PCI_MSI_PENDING);
	uint32_t ready = pending & ~get32(ctrl, CAP_MSI + PCI_MSI_MASK);

	if (!msi_enabled(ctrl)) {
		set32(ctrl, CAP_MSI + PCI_MSI_PENDING, 0);
		return;
	}
	if (!vssd_config_bus_master(ctrl))
		return;
	set32(ctrl, CAP_MSI + PCI_MSI_PENDING, pending & ~ready);
	for (uint16_t i = 0; i < VSSD_MSI_VECTORS; i++)
		if (ready >> i & 1)
			ctrl->bus->ops->message(ctrl->bus, i);
}

/* Disable one of MSI and MSI-X if the host wrongly enables both: keep the first, or MSI-X if both come at once. */
static void enable_one(struct vssd_ctrl *ctrl, bool msi_before)
{
	uint32_t loser = msi_before ? CAP_MSIX + PCI_MSIX_CONTROL : CAP_MSI + PCI_MSI_CONTROL;

	if (msi_enabled(ctrl) && msix_enabled(ctrl))
		set16(ctrl, loser, (uint16_t)(get16(ctrl, loser) & ~(msi_before ? PCI_MSIX_ENABLE : PCI_MSI_ENABLE)));
}

/* ---- writes ---- */

/* Whether an access touches the byte at that offset. */
static bool touches(uint32_t offset, uint32_t length, uint32_t byte)
{
	return offset <= byte && byte - offset < length;
}

bool vssd_config_asks_for_flr(uint32_t offset, const uint8_t *data, uint32_t length)
{
	uint32_t high_byte = CAP_EXP + PCI_EXP_DEVICE_CONTROL + 1;

	return touches(offset, length, high_byte) && (data[high_byte - offset] & (PCI_EXP_DEVICE_CONTROL_FLR >> 8));
}

static void store(struct vssd_ctrl *ctrl, uint32_t offset, const uint8_t *from, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) {
		uint8_t writable = ctrl->config.writable[offset + i];
		uint8_t *byte = &ctrl->config.bytes[offset + i];

		*byte = (uint8_t)((*byte & ~writable) | (from[i] & writable));
		*byte &= (uint8_t) ~(from[i] & ctrl->config.clear[offset + i]);
	}
}

void vssd_config_store(struct vssd_ctrl *ctrl, uint32_t offset, const uint8_t *from, uint32_t length)
{
	uint8_t pm_before = ctrl->config.bytes[CAP_PM + PCI_PM_CONTROL];
	bool msi_before = msi_enabled(ctrl);

	store(ctrl, offset, from, length);
	/* The function has no D1 and D2: writing them does not change the state. */
	if ((ctrl->config.bytes[CAP_PM + PCI_PM_CONTROL] & PCI_PM_STATE) % 3 != 0)
		ctrl->config.bytes[CAP_PM + PCI_PM_CONTROL] = pm_before;
	ctrl->config.msix_decided |= touches(offset, length, CAP_MSIX + PCI_MSIX_CONTROL + 1);
	enable_one(ctrl, msi_before);
}

void vssd_config_set_pin(struct vssd_ctrl *ctrl, bool is_asserted)
{
	set16(ctrl, PCI_CFG_STATUS, PCI_STATUS_CAPS | (is_asserted ? PCI_STATUS_INTERRUPT : 0));
}
