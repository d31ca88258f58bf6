# SPDX-License-Identifier: BSD-3-Clause
"""Configuration space of a PCI Express function and the capabilities that an NVMe controller has.

Section numbers are those of the PCI Express Base Specification 5.0.
"""

from __future__ import annotations

from spec.schema import BitGroup, Bits, Code, Constant, Enum, Field, Header, Structure, Value

CFG = Enum(
    "PciRegister",
    "pci_cfg",
    "PCI_CFG_",
    (
        Value("vendor", 0x00),
        Value("device", 0x02),
        Value("command", 0x04),
        Value("status", 0x06),
        Value("revision", 0x08),
        Value("class_code", 0x09, "3 bytes: interface, subclass, base class", c="CLASS"),
        Value("cache_line", 0x0C),
        Value("latency", 0x0D),
        Value("header_type", 0x0E),
        Value("bist", 0x0F),
        Value("bar0", 0x10, "six of 32 bits"),
        Value("subsystem_vendor", 0x2C),
        Value("subsystem", 0x2E),
        Value("rom", 0x30),
        Value("capabilities", 0x34, "8 bits: offset of the first"),
        Value("interrupt_line", 0x3C),
        Value("interrupt_pin", 0x3D),
    ),
    text="Offsets in the type 0 header",
    section="7.5.1",
)

CAP_ID = Enum(
    "PciCapability",
    "pci_cap",
    "PCI_CAP_",
    (Value("pm", 0x01), Value("msi", 0x05), Value("exp", 0x10), Value("msix", 0x11)),
    text="Capabilities: ID, offset of the next (0: the last), then the body. Offsets count from the ID",
)

EXT_CAP_ID = Enum(
    "PciExtendedCapability",
    "pci_ext_cap",
    "PCI_EXT_CAP_",
    (
        Value("aer", 0x0001),
        Value("dsn", 0x0003),
        Value("sriov", 0x0010),
        Value("ltr", 0x0018),
        Value("l1pm", 0x001E),
    ),
    text="Extended capabilities: bits 15:0 ID, 19:16 version, 31:20 offset of the next (0: the last)",
    digits=4,
)

PM = Enum(
    "PciPowerManagement",
    "pci_pm",
    "PCI_PM_",
    (Value("capabilities", 2), Value("control", 4), Value("size", 8)),
    text="Power management, 8 bytes",
    section="7.5.2",
    digits=0,
)

MSI = Enum(
    "PciMsi",
    "pci_msi",
    "PCI_MSI_",
    (
        Value("control", 2),
        Value("address", 4),
        Value("address_high", 8),
        Value("data", 12),
        Value("mask", 16),
        Value("pending", 20),
        Value("size", 24),
    ),
    text="MSI with addresses of 64 bits and a mask for each message, 24 bytes",
    section="7.7.1",
    digits=0,
)

MSIX = Enum(
    "PciMsix",
    "pci_msix",
    "PCI_MSIX_",
    (Value("control", 2), Value("table", 4), Value("pba", 8), Value("size", 12)),
    text="MSI-X, 12 bytes",
    section="7.7.2",
    digits=0,
)

EXP = Enum(
    "PciExpress",
    "pci_exp",
    "PCI_EXP_",
    (
        Value("capabilities", 0x02),
        Value("device_cap", 0x04),
        Value("device_control", 0x08),
        Value("device_status", 0x0A),
        Value("link_cap", 0x0C),
        Value("link_control", 0x10),
        Value("link_status", 0x12),
        Value("device_cap2", 0x24),
        Value("device_control2", 0x28),
        Value("link_cap2", 0x2C),
        Value("link_control2", 0x30),
        Value("link_status2", 0x32),
        Value("size", 0x3C),
    ),
    text="PCI Express, 60 bytes",
    section="7.5.3",
)

AER = Enum(
    "PciAer",
    "pci_aer",
    "PCI_AER_",
    (
        Value("uncorrectable_status", 0x04),
        Value("uncorrectable_mask", 0x08),
        Value("uncorrectable_severity", 0x0C),
        Value("correctable_status", 0x10),
        Value("correctable_mask", 0x14),
        Value("control", 0x18),
        Value("header_log", 0x1C),
        Value("size", 0x2C),
    ),
    text="Advanced error reporting, 44 bytes",
    section="7.8.4",
)

DSN = Enum(
    "PciSerialNumber",
    "pci_dsn",
    "PCI_DSN_",
    (Value("serial", 4), Value("size", 12)),
    text="Device serial number, 12 bytes",
    section="7.9.3",
    digits=0,
)

MSIX_ENTRY = Structure(
    "MsixEntry",
    "pci_msix_entry",
    16,
    (
        Field("address", 0, 8, "address of the message"),
        Field("data", 8, 4, "data of the message"),
        Field(
            "control",
            12,
            4,
            "vector control",
            bits=(Bits("mask", 0, text="the vector is masked", c="PCI_MSIX_ENTRY_MASK"),),
        ),
    ),
    text="MSI-X table entry",
    section="7.7.2.5",
    label="MSI-X table entry",
    packed=False,
)

HEADERS = (
    Header(
        "pci.h",
        "Configuration space of a PCI Express function and the capabilities that an NVMe controller has.\n"
        "PCI Express Base Specification 5.0, section 7. Layout only, no behaviour. Host and virtual SSD both include "
        "it.",
        (
            Constant("PCI_CFG_SIZE", 256, "bytes that the header and the capabilities share"),
            Constant("PCI_CFG_HEADER_SIZE", 64, "behind it lie the capabilities"),
            Constant("PCI_CFG_EXT_SIZE", 4096, "extended capabilities start at 256"),
            CFG,
            Constant("PCI_CLASS_NVME", 0x010802, form="0x{:06x}u"),
            BitGroup(
                (
                    Bits("mse", 1, text="memory space enable", c="PCI_COMMAND_MSE"),
                    Bits("bme", 2, text="bus master enable", c="PCI_COMMAND_BME"),
                    Bits("intd", 10, text="interrupt (INTx) disable", c="PCI_COMMAND_INTD"),
                ),
                "command register",
            ),
            BitGroup(
                (
                    Bits(
                        "interrupt",
                        3,
                        text="the pin is asserted, or would be if INTD were clear",
                        c="PCI_STATUS_INTERRUPT",
                    ),
                    Bits("caps", 4, text="there is a capability list", c="PCI_STATUS_CAPS"),
                ),
                "status register",
            ),
            Constant("PCI_BAR_64BIT", 0x4, form="{:#x}u"),
            CAP_ID,
            EXT_CAP_ID,
            Code(
                "#define PCI_EXT_CAP_HEADER(id, version, next) "
                "((uint32_t)(id) | (uint32_t)(version) << 16 | (uint32_t)(next) << 20)"
            ),
            PM,
            BitGroup(
                (
                    Bits("state", 0, 1, "0 is D0, 3 is D3hot", c="PCI_PM_STATE"),
                    Bits(
                        "no_reset",
                        3,
                        text="No_Soft_Reset: D3hot to D0 keeps the state",
                        c="PCI_PM_NO_RESET",
                    ),
                ),
                "of the control word",
            ),
            MSI,
            BitGroup(
                (
                    Bits("enable", 0, c="PCI_MSI_ENABLE"),
                    Bits("capable", 1, 3, "messages that it can send, as log2", c="PCI_MSI_CAPABLE"),
                    Bits("enabled", 4, 6, "messages that the host has allocated, as log2", c="PCI_MSI_ENABLED"),
                    Bits("bit64", 7, c="PCI_MSI_64BIT"),
                    Bits("maskable", 8, c="PCI_MSI_MASKABLE"),
                ),
                "of the control word",
            ),
            MSIX,
            BitGroup(
                (
                    Bits("table_size", 0, 10, "vectors", c="PCI_MSIX_TABLE_SIZE", zeroes_based=True),
                    Bits("mask_all", 14, c="PCI_MSIX_MASK_ALL"),
                    Bits("enable", 15, c="PCI_MSIX_ENABLE"),
                ),
                "of the control word",
            ),
            Constant("PCI_NUM_BARS", 6),
            Constant(
                "PCI_MSIX_BIR",
                0x7,
                "of PCI_MSIX_TABLE and PCI_MSIX_PBA: BAR; the rest is the offset in it",
                form="{:#x}u",
            ),
            MSIX_ENTRY,
            BitGroup(MSIX_ENTRY.fields[-1].bits),
            EXP,
            BitGroup(
                (
                    Bits("flr", 28, text="function level reset", c="PCI_EXP_DEVICE_CAP_FLR", suffix="wide"),
                    Bits(
                        "flr",
                        15,
                        text="writing 1 resets the function; reads 0",
                        c="PCI_EXP_DEVICE_CONTROL_FLR",
                    ),
                    Bits("mps", 5, 7, "Max_Payload_Size", c="PCI_EXP_DEVICE_CONTROL_MPS"),
                    Bits("pending", 5, text="transactions are pending", c="PCI_EXP_DEVICE_STATUS_PENDING"),
                    Bits("aspm", 10, 11, "bit 10 L0s, bit 11 L1", c="PCI_EXP_LINK_CAP_ASPM"),
                    Bits("aspm", 0, 1, "bit 0 L0s, bit 1 L1", c="PCI_EXP_LINK_CONTROL_ASPM"),
                )
            ),
            AER,
            DSN,
        ),
    ),
)
