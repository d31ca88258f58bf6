/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration space of a PCI Express function and the capabilities that an NVMe controller has.
 * PCI Express Base Specification 5.0, section 7. Layout only, no behaviour. Host and virtual SSD both include it.
 * Generated from spec/pci.py by `python -m tools.specgen`. Change it there.
 */
/* clang-format off */
#ifndef SPEC_PCI_H
#define SPEC_PCI_H

#include <stdint.h>

#define PCI_CFG_SIZE 256u /* bytes that the header and the capabilities share */
#define PCI_CFG_HEADER_SIZE 64u /* behind it lie the capabilities */
#define PCI_CFG_EXT_SIZE 4096u /* extended capabilities start at 256 */

/* Offsets in the type 0 header. Section 7.5.1. */
enum pci_cfg {
	PCI_CFG_VENDOR = 0x00,
	PCI_CFG_DEVICE = 0x02,
	PCI_CFG_COMMAND = 0x04,
	PCI_CFG_STATUS = 0x06,
	PCI_CFG_REVISION = 0x08,
	PCI_CFG_CLASS = 0x09, /* 3 bytes: interface, subclass, base class */
	PCI_CFG_CACHE_LINE = 0x0c,
	PCI_CFG_LATENCY = 0x0d,
	PCI_CFG_HEADER_TYPE = 0x0e,
	PCI_CFG_BIST = 0x0f,
	PCI_CFG_BAR0 = 0x10, /* six of 32 bits */
	PCI_CFG_SUBSYSTEM_VENDOR = 0x2c,
	PCI_CFG_SUBSYSTEM = 0x2e,
	PCI_CFG_ROM = 0x30,
	PCI_CFG_CAPABILITIES = 0x34, /* 8 bits: offset of the first */
	PCI_CFG_INTERRUPT_LINE = 0x3c,
	PCI_CFG_INTERRUPT_PIN = 0x3d,
};

#define PCI_CLASS_NVME 0x010802u

/* command register. */
#define PCI_COMMAND_MSE 0x2u /* memory space enable */
#define PCI_COMMAND_BME 0x4u /* bus master enable */
#define PCI_COMMAND_INTD 0x400u /* interrupt (INTx) disable */

/* status register. */
#define PCI_STATUS_INTERRUPT 0x8u /* the pin is asserted, or would be if INTD were clear */
#define PCI_STATUS_CAPS 0x10u /* there is a capability list */

#define PCI_BAR_64BIT 0x4u

/* Capabilities: ID, offset of the next (0: the last), then the body. Offsets count from the ID. */
enum pci_cap {
	PCI_CAP_PM = 0x01,
	PCI_CAP_VPD = 0x03,
	PCI_CAP_MSI = 0x05,
	PCI_CAP_VENDOR = 0x09,
	PCI_CAP_EXP = 0x10,
	PCI_CAP_MSIX = 0x11,
};

/* Extended capabilities: bits 15:0 ID, 19:16 version, 31:20 offset of the next (0: the last). */
enum pci_ext_cap {
	PCI_EXT_CAP_AER = 0x0001,
	PCI_EXT_CAP_VC = 0x0002,
	PCI_EXT_CAP_DSN = 0x0003,
	PCI_EXT_CAP_POWER_BUDGETING = 0x0004,
	PCI_EXT_CAP_VENDOR = 0x000b,
	PCI_EXT_CAP_ACS = 0x000d,
	PCI_EXT_CAP_ARI = 0x000e,
	PCI_EXT_CAP_ATS = 0x000f,
	PCI_EXT_CAP_SRIOV = 0x0010,
	PCI_EXT_CAP_REBAR = 0x0015,
	PCI_EXT_CAP_TPH = 0x0017,
	PCI_EXT_CAP_LTR = 0x0018,
	PCI_EXT_CAP_SECONDARY = 0x0019, /* Secondary PCI Express */
	PCI_EXT_CAP_PASID = 0x001b,
	PCI_EXT_CAP_DPC = 0x001d,
	PCI_EXT_CAP_L1PM = 0x001e,
	PCI_EXT_CAP_PTM = 0x001f,
	PCI_EXT_CAP_DVSEC = 0x0023, /* designated vendor specific */
	PCI_EXT_CAP_LINK_FEATURE = 0x0025, /* Data Link Feature */
	PCI_EXT_CAP_PHY_16GT = 0x0026, /* Physical Layer 16.0 GT/s */
	PCI_EXT_CAP_MARGINING = 0x0027, /* Lane Margining at the Receiver */
	PCI_EXT_CAP_PHY_32GT = 0x002a, /* Physical Layer 32.0 GT/s */
	PCI_EXT_CAP_DOE = 0x002e, /* Data Object Exchange */
};

#define PCI_EXT_CAP_HEADER(id, version, next) ((uint32_t)(id) | (uint32_t)(version) << 16 | (uint32_t)(next) << 20)

/* Power management, 8 bytes. Section 7.5.2. */
enum pci_pm {
	PCI_PM_CAPABILITIES = 2,
	PCI_PM_CONTROL = 4,
	PCI_PM_SIZE = 8,
};

/* of the control word. */
#define PCI_PM_STATE 0x3u /* 0 is D0, 3 is D3hot */
#define PCI_PM_NO_RESET 0x8u /* No_Soft_Reset: D3hot to D0 keeps the state */

/* MSI with addresses of 64 bits and a mask for each message, 24 bytes. Section 7.7.1. */
enum pci_msi {
	PCI_MSI_CONTROL = 2,
	PCI_MSI_ADDRESS = 4,
	PCI_MSI_ADDRESS_HIGH = 8,
	PCI_MSI_DATA = 12,
	PCI_MSI_MASK = 16,
	PCI_MSI_PENDING = 20,
	PCI_MSI_SIZE = 24,
};

/* of the control word. */
#define PCI_MSI_ENABLE 0x1u
#define PCI_MSI_CAPABLE 0xeu /* messages that it can send, as log2 */
#define PCI_MSI_ENABLED 0x70u /* messages that the host has allocated, as log2 */
#define PCI_MSI_64BIT 0x80u
#define PCI_MSI_MASKABLE 0x100u

/* MSI-X, 12 bytes. Section 7.7.2. */
enum pci_msix {
	PCI_MSIX_CONTROL = 2,
	PCI_MSIX_TABLE = 4,
	PCI_MSIX_PBA = 8,
	PCI_MSIX_SIZE = 12,
};

/* of the control word. */
#define PCI_MSIX_TABLE_SIZE 0x7ffu /* vectors, 0's based */
#define PCI_MSIX_MASK_ALL 0x4000u
#define PCI_MSIX_ENABLE 0x8000u

#define PCI_NUM_BARS 6u
#define PCI_MSIX_BIR 0x7u /* of PCI_MSIX_TABLE and PCI_MSIX_PBA: BAR; the rest is the offset in it */

/* MSI-X table entry. Section 7.7.2.5. */
struct pci_msix_entry {
	uint64_t address; /* address of the message */
	uint32_t data; /* data of the message */
	uint32_t control; /* vector control */
};
_Static_assert(sizeof(struct pci_msix_entry) == 16, "MSI-X table entry");

#define PCI_MSIX_ENTRY_MASK 0x1u /* the vector is masked */

/* PCI Express, 60 bytes. Section 7.5.3. */
enum pci_exp {
	PCI_EXP_CAPABILITIES = 0x02,
	PCI_EXP_DEVICE_CAP = 0x04,
	PCI_EXP_DEVICE_CONTROL = 0x08,
	PCI_EXP_DEVICE_STATUS = 0x0a,
	PCI_EXP_LINK_CAP = 0x0c,
	PCI_EXP_LINK_CONTROL = 0x10,
	PCI_EXP_LINK_STATUS = 0x12,
	PCI_EXP_DEVICE_CAP2 = 0x24,
	PCI_EXP_DEVICE_CONTROL2 = 0x28,
	PCI_EXP_LINK_CAP2 = 0x2c,
	PCI_EXP_LINK_CONTROL2 = 0x30,
	PCI_EXP_LINK_STATUS2 = 0x32,
	PCI_EXP_SIZE = 0x3c,
};

#define PCI_EXP_DEVICE_CAP_FLR (UINT32_C(1) << 28) /* function level reset */
#define PCI_EXP_DEVICE_CONTROL_FLR 0x8000u /* writing 1 resets the function; reads 0 */
#define PCI_EXP_DEVICE_CONTROL_MPS 0xe0u /* Max_Payload_Size */
#define PCI_EXP_DEVICE_STATUS_PENDING 0x20u /* transactions are pending */
#define PCI_EXP_LINK_CAP_ASPM 0xc00u /* bit 10 L0s, bit 11 L1 */
#define PCI_EXP_LINK_CONTROL_ASPM 0x3u /* bit 0 L0s, bit 1 L1 */

/* Advanced error reporting, 44 bytes. Section 7.8.4. */
enum pci_aer {
	PCI_AER_UNCORRECTABLE_STATUS = 0x04,
	PCI_AER_UNCORRECTABLE_MASK = 0x08,
	PCI_AER_UNCORRECTABLE_SEVERITY = 0x0c,
	PCI_AER_CORRECTABLE_STATUS = 0x10,
	PCI_AER_CORRECTABLE_MASK = 0x14,
	PCI_AER_CONTROL = 0x18,
	PCI_AER_HEADER_LOG = 0x1c,
	PCI_AER_SIZE = 0x2c,
};

/* Device serial number, 12 bytes. Section 7.9.3. */
enum pci_dsn {
	PCI_DSN_SERIAL = 4,
	PCI_DSN_SIZE = 12,
};

#endif
