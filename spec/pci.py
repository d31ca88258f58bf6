# SPDX-License-Identifier: BSD-3-Clause
"""Configuration space of a PCI Express function and the capabilities that an NVMe controller has.

Section numbers are those of the PCI Express Base Specification 5.0.
"""

from __future__ import annotations

from spec.schema import BitGroup, Bits, Code, Constant, Enum, Field, Header, Structure, Table, Value

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
    (
        Value("pm", 0x01),
        Value("vpd", 0x03),
        Value("msi", 0x05),
        Value("vendor", 0x09),
        Value("exp", 0x10),
        Value("msix", 0x11),
    ),
    text="Capabilities: ID, offset of the next (0: the last), then the body. Offsets count from the ID",
)

EXT_CAP_ID = Enum(
    "PciExtendedCapability",
    "pci_ext_cap",
    "PCI_EXT_CAP_",
    (
        Value("aer", 0x0001),
        Value("vc", 0x0002),
        Value("dsn", 0x0003),
        Value("power_budgeting", 0x0004),
        Value("vendor", 0x000B),
        Value("acs", 0x000D),
        Value("ari", 0x000E),
        Value("ats", 0x000F),
        Value("sriov", 0x0010),
        Value("rebar", 0x0015),
        Value("tph", 0x0017),
        Value("ltr", 0x0018),
        Value("secondary", 0x0019, "Secondary PCI Express"),
        Value("pasid", 0x001B),
        Value("dpc", 0x001D),
        Value("l1pm", 0x001E),
        Value("ptm", 0x001F),
        Value("dvsec", 0x0023, "designated vendor specific"),
        Value("link_feature", 0x0025, "Data Link Feature"),
        Value("phy_16gt", 0x0026, "Physical Layer 16.0 GT/s"),
        Value("margining", 0x0027, "Lane Margining at the Receiver"),
        Value("phy_32gt", 0x002A, "Physical Layer 32.0 GT/s"),
        Value("doe", 0x002E, "Data Object Exchange"),
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
        Field("address", 0, 8, "address of the message", hex=True),
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


def _cap(name: str, size: int, fields: tuple[Field, ...], text: str, section: str) -> Structure:
    """A capability, which C knows by the offsets above. Its first two bytes are its ID and the next one's offset."""
    ids = (
        Field("cid", 0, text="capability ID", values=CAP_ID),
        Field("next", 1, text="offset of the next capability", hex=True),
    )
    return Structure(name, "", size, (*ids, *fields), text=text, section=section)


def _ext(name: str, size: int, fields: tuple[Field, ...], text: str, section: str) -> Structure:
    """An extended capability, which C knows by the offsets above. Its first dword is its header."""
    header = Field(
        "header",
        0,
        4,
        "ID, version, and offset of the next extended capability",
        bits=(
            Bits("cid", 0, 15, "extended capability ID", values=EXT_CAP_ID),
            Bits("cver", 16, 19, "version"),
            Bits("next", 20, 31, "offset of the next extended capability"),
        ),
    )
    return Structure(name, "", size, (header, *fields), text=text, section=section)


PCI_HEADER = Structure(
    "PciHeader",
    "",
    64,
    (
        Field("vid", 0x00, 2, "vendor ID", hex=True),
        Field("did", 0x02, 2, "device ID", hex=True),
        Field(
            "cmd",
            0x04,
            2,
            "command",
            bits=(
                Bits("iose", 0, text="I/O space enable"),
                Bits("mse", 1, text="memory space enable"),
                Bits("bme", 2, text="bus master enable"),
                Bits("pee", 6, text="parity error response enable"),
                Bits("see", 8, text="SERR# enable"),
                Bits("intd", 10, text="interrupt (INTx) disable"),
            ),
        ),
        Field(
            "sts",
            0x06,
            2,
            "status",
            bits=(
                Bits("ints", 3, text="INTx is asserted, or would be if CMD.INTD were clear"),
                Bits("cl", 4, text="there is a capability list"),
                Bits("dpd", 8, text="master data parity error"),
                Bits("sta", 11, text="signaled target abort"),
                Bits("rta", 12, text="received target abort"),
                Bits("rma", 13, text="received master abort"),
                Bits("sse", 14, text="signaled system error"),
                Bits("dpe", 15, text="detected parity error"),
            ),
        ),
        Field("rid", 0x08, text="revision ID", hex=True),
        Field("pi", 0x09, text="programming interface, 02h for NVMe", hex=True),
        Field("scc", 0x0A, text="sub class, 08h for non-volatile memory", hex=True),
        Field("bcc", 0x0B, text="base class, 01h for mass storage", hex=True),
        Field("cls", 0x0C, text="cache line size", unit="dwords"),
        Field("mlt", 0x0D, text="master latency timer"),
        Field(
            "htype",
            0x0E,
            text="header type",
            bits=(Bits("hl", 0, 6, "header layout"), Bits("mfd", 7, text="multi-function device")),
        ),
        Field("bist", 0x0F, text="built-in self test"),
        Field("bar", 0x10, 4, "base address registers", count=6, hex=True),
        Field("ssvid", 0x2C, 2, "subsystem vendor ID", hex=True),
        Field("ssid", 0x2E, 2, "subsystem ID", hex=True),
        Field("erom", 0x30, 4, "expansion ROM base address", hex=True),
        Field("cap", 0x34, text="offset of the first capability", hex=True),
        Field("iline", 0x3C, text="interrupt line"),
        Field("ipin", 0x3D, text="interrupt pin, 1 for INTA#"),
    ),
    text="PCI header, type 0",
    section="7.5.1",
)

PM_CAPABILITY = _cap(
    "PmCapability",
    8,
    (
        Field(
            "pc",
            2,
            2,
            "power management capabilities",
            bits=(
                Bits("vs", 0, 2, "version, 3 for PCI Express"),
                Bits("pmec", 3, text="PME clock"),
                Bits("iror", 4, text="immediate readiness on return to D0"),
                Bits("dsi", 5, text="device specific initialization"),
                Bits("auxc", 6, 8, "current that it needs in D3cold from auxiliary power"),
                Bits("d1s", 9, text="D1 supported"),
                Bits("d2s", 10, text="D2 supported"),
                Bits("psup", 11, 15, "states in which it may assert PME: bit 11 D0 … bit 15 D3cold"),
            ),
        ),
        Field(
            "pmcs",
            4,
            2,
            "power management control and status",
            bits=(
                Bits("ps", 0, 1, "power state, 0 for D0, 3 for D3hot"),
                Bits("nsfrst", 3, text="no soft reset: D3hot to D0 keeps the state"),
                Bits("pmee", 8, text="PME enable"),
                Bits("dse", 9, 12, "data select"),
                Bits("dsc", 13, 14, "data scale"),
                Bits("pmes", 15, text="PME status"),
            ),
        ),
    ),
    "PCI power management",
    "7.5.2",
)

MSI_CONTROL = Field(
    "mc",
    2,
    2,
    "message control",
    bits=(
        Bits("msie", 0, text="MSI enable"),
        Bits("mmc", 1, 3, "messages that it can send, as log2"),
        Bits("mme", 4, 6, "messages that the host has allocated, as log2"),
        Bits("c64", 7, text="addresses of 64 bits"),
        Bits("pvm", 8, text="a mask for each message"),
    ),
)

MSI_CAPABILITY = _cap(
    "MsiCapability",
    16,
    (
        MSI_CONTROL,
        Field("ma", 4, 4, "message address", hex=True),
        Field("mua", 8, 4, "message upper address", hex=True),
        Field("md", 12, 2, "message data", hex=True),
    ),
    "Message signaled interrupts",
    "7.7.1",
)

MSI_MASK_CAPABILITY = _cap(
    "MsiMaskCapability",
    24,
    (
        MSI_CONTROL,
        Field("ma", 4, 4, "message address", hex=True),
        Field("mua", 8, 4, "message upper address", hex=True),
        Field("md", 12, 2, "message data", hex=True),
        Field("mmask", 16, 4, "mask bits", hex=True),
        Field("mpend", 20, 4, "pending bits", hex=True),
    ),
    "Message signaled interrupts, with a mask for each message",
    "7.7.1",
)

MSI_32_CAPABILITY = _cap(
    "Msi32Capability",
    12,
    (MSI_CONTROL, Field("ma", 4, 4, "message address", hex=True), Field("md", 8, 2, "message data", hex=True)),
    "Message signaled interrupts, with addresses of 32 bits",
    "7.7.1",
)

MSIX_CAPABILITY = _cap(
    "MsixCapability",
    12,
    (
        Field(
            "mxc",
            2,
            2,
            "message control",
            bits=(
                Bits("ts", 0, 10, "table size", zeroes_based=True, unit="vectors"),
                Bits("fm", 14, text="function mask: all vectors are masked"),
                Bits("mxe", 15, text="MSI-X enable"),
            ),
        ),
        Field(
            "mtab",
            4,
            4,
            "where the table is",
            bits=(Bits("tbir", 0, 2, "BAR"), Bits("to", 3, 31, "offset in the BAR", unit="8 bytes")),
        ),
        Field(
            "mpba",
            8,
            4,
            "where the pending bits are",
            bits=(Bits("pbir", 0, 2, "BAR"), Bits("pbao", 3, 31, "offset in the BAR", unit="8 bytes")),
        ),
    ),
    "MSI-X",
    "7.7.2",
)

PCIE_CAPABILITY = _cap(
    "PcieCapability",
    60,
    (
        Field(
            "pxcap",
            0x02,
            2,
            "PCI Express capabilities",
            bits=(
                Bits("ver", 0, 3, "version, 2"),
                Bits("dpt", 4, 7, "device or port type, 0 for an endpoint"),
                Bits("si", 8, text="slot implemented"),
                Bits("imn", 9, 13, "interrupt message number"),
            ),
        ),
        Field(
            "pxdcap",
            0x04,
            4,
            "device capabilities",
            bits=(
                Bits("mps", 0, 2, "Max_Payload_Size supported, 128 << n bytes"),
                Bits("pfs", 3, 4, "phantom functions"),
                Bits("etfs", 5, text="extended tags of 8 bits"),
                Bits("l0sl", 6, 8, "acceptable L0s latency"),
                Bits("l1l", 9, 11, "acceptable L1 latency"),
                Bits("rer", 15, text="role-based error reporting"),
                Bits("csplv", 18, 25, "slot power limit, value"),
                Bits("cspls", 26, 27, "slot power limit, scale: 1 W divided by 10^n"),
                Bits("flrc", 28, text="function level reset"),
            ),
        ),
        Field(
            "pxdc",
            0x08,
            2,
            "device control",
            bits=(
                Bits("cere", 0, text="correctable error reporting"),
                Bits("nfere", 1, text="non-fatal error reporting"),
                Bits("fere", 2, text="fatal error reporting"),
                Bits("urre", 3, text="unsupported request reporting"),
                Bits("ero", 4, text="relaxed ordering"),
                Bits("mps", 5, 7, "Max_Payload_Size, 128 << n bytes"),
                Bits("ete", 8, text="extended tags"),
                Bits("pfe", 9, text="phantom functions"),
                Bits("appme", 10, text="auxiliary power"),
                Bits("ens", 11, text="no snoop"),
                Bits("mrrs", 12, 14, "Max_Read_Request_Size, 128 << n bytes"),
                Bits("iflr", 15, text="writing 1 resets the function; reads 0"),
            ),
        ),
        Field(
            "pxds",
            0x0A,
            2,
            "device status",
            bits=(
                Bits("ced", 0, text="correctable error detected"),
                Bits("nfed", 1, text="non-fatal error detected"),
                Bits("fed", 2, text="fatal error detected"),
                Bits("urd", 3, text="unsupported request detected"),
                Bits("apd", 4, text="auxiliary power detected"),
                Bits("tp", 5, text="transactions are pending"),
            ),
        ),
        Field(
            "pxlcap",
            0x0C,
            4,
            "link capabilities",
            bits=(
                Bits("sls", 0, 3, "greatest link speed: 1 2.5, 2 5, 3 8, 4 16, 5 32 GT/s"),
                Bits("mlw", 4, 9, "greatest link width", unit="lanes"),
                Bits("aspms", 10, 11, "ASPM: bit 10 L0s, bit 11 L1"),
                Bits("l0sel", 12, 14, "L0s exit latency"),
                Bits("l1el", 15, 17, "L1 exit latency"),
                Bits("cpm", 18, text="clock power management"),
                Bits("sderc", 19, text="surprise down error reporting"),
                Bits("dllla", 20, text="data link layer link active reporting"),
                Bits("lbnc", 21, text="link bandwidth notification"),
                Bits("aoc", 22, text="ASPM optionality compliance"),
                Bits("pn", 24, 31, "port number"),
            ),
        ),
        Field(
            "pxlc",
            0x10,
            2,
            "link control",
            bits=(
                Bits("aspmc", 0, 1, "ASPM: bit 0 L0s, bit 1 L1"),
                Bits("rcb", 3, text="read completion boundary of 128 bytes"),
                Bits("ccc", 6, text="common clock"),
                Bits("es", 7, text="extended synch"),
                Bits("ecpm", 8, text="clock power management"),
                Bits("hawd", 9, text="hardware autonomous width disable"),
            ),
        ),
        Field(
            "pxls",
            0x12,
            2,
            "link status",
            bits=(
                Bits("cls", 0, 3, "link speed: 1 2.5, 2 5, 3 8, 4 16, 5 32 GT/s"),
                Bits("nlw", 4, 9, "link width", unit="lanes"),
                Bits("scc", 12, text="slot clock"),
            ),
        ),
        Field(
            "pxdcap2",
            0x24,
            4,
            "device capabilities 2",
            bits=(
                Bits("ctrs", 0, 3, "completion time-out ranges"),
                Bits("ctds", 4, text="the completion time-out can be disabled"),
                Bits("afs", 5, text="ARI forwarding"),
                Bits("aors", 6, text="AtomicOp routing"),
                Bits("aocs32", 7, text="AtomicOps of 32 bits"),
                Bits("aocs64", 8, text="AtomicOps of 64 bits"),
                Bits("ccs128", 9, text="compare and swap of 128 bits"),
                Bits("nprpr", 10, text="no relaxed-ordering passing"),
                Bits("ltrs", 11, text="latency tolerance reporting"),
                Bits("tphcs", 12, 13, "TPH completer"),
                Bits("tag10c", 16, text="tags of 10 bits as completer"),
                Bits("tag10r", 17, text="tags of 10 bits as requester"),
                Bits("obffs", 18, 19, "optimized buffer flush/fill"),
                Bits("effs", 20, text="extended format field"),
                Bits("eetps", 21, text="end-end TLP prefixes"),
                Bits("meetp", 22, 23, "greatest number of end-end TLP prefixes, 0 for 4"),
            ),
        ),
        Field(
            "pxdc2",
            0x28,
            2,
            "device control 2",
            bits=(
                Bits("ctv", 0, 3, "completion time-out, 0 for 50 µs to 50 ms"),
                Bits("ctd", 4, text="completion time-out disabled"),
                Bits("ltrme", 10, text="latency tolerance reporting"),
                Bits("obffe", 13, 14, "optimized buffer flush/fill"),
            ),
        ),
        Field("pxds2", 0x2A, 2, "device status 2"),
        Field(
            "pxlcap2",
            0x2C,
            4,
            "link capabilities 2",
            bits=(
                Bits("slsv", 1, 7, "link speeds: bit 1 2.5, bit 2 5, bit 3 8, bit 4 16, bit 5 32 GT/s"),
                Bits("cls", 8, text="crosslink"),
            ),
        ),
        Field(
            "pxlc2",
            0x30,
            2,
            "link control 2",
            bits=(
                Bits("tls", 0, 3, "target link speed, as in PXLS"),
                Bits("ec", 4, text="enter compliance"),
                Bits("hasd", 5, text="hardware autonomous speed disable"),
                Bits("sde", 6, text="selectable de-emphasis"),
                Bits("tm", 7, 9, "transmit margin"),
                Bits("emc", 10, text="enter modified compliance"),
                Bits("cs", 11, text="compliance SOS"),
                Bits("cpde", 12, 15, "compliance preset or de-emphasis"),
            ),
        ),
        Field(
            "pxls2",
            0x32,
            2,
            "link status 2",
            bits=(
                Bits("cdl", 0, text="de-emphasis of -3.5 dB"),
                Bits("eqc", 1, text="equalization of 8 GT/s complete"),
                Bits("eqp1", 2, text="its phase 1 successful"),
                Bits("eqp2", 3, text="its phase 2 successful"),
                Bits("eqp3", 4, text="its phase 3 successful"),
                Bits("ler", 5, text="link equalization request"),
                Bits("rpd", 6, text="a retimer is present"),
            ),
        ),
    ),
    "PCI Express",
    "7.5.3",
)

_UNCORRECTABLE = (
    Bits("dlpe", 4, text="data link protocol error"),
    Bits("sde", 5, text="surprise down"),
    Bits("pt", 12, text="poisoned TLP"),
    Bits("fcpe", 13, text="flow control protocol error"),
    Bits("ct", 14, text="completion time-out"),
    Bits("ca", 15, text="completer abort"),
    Bits("uc", 16, text="unexpected completion"),
    Bits("ro", 17, text="receiver overflow"),
    Bits("mt", 18, text="malformed TLP"),
    Bits("ecrce", 19, text="ECRC error"),
    Bits("ure", 20, text="unsupported request"),
    Bits("acsv", 21, text="ACS violation"),
    Bits("uie", 22, text="uncorrectable internal error"),
    Bits("mcbt", 23, text="MC blocked TLP"),
    Bits("aebt", 24, text="AtomicOp egress blocked"),
    Bits("tpbe", 25, text="TLP prefix blocked"),
    Bits("ptebe", 26, text="poisoned TLP egress blocked"),
)
_CORRECTABLE = (
    Bits("re", 0, text="receiver error"),
    Bits("bt", 6, text="bad TLP"),
    Bits("bd", 7, text="bad DLLP"),
    Bits("rr", 8, text="REPLAY_NUM rollover"),
    Bits("rt", 12, text="replay timer time-out"),
    Bits("anfe", 13, text="advisory non-fatal error"),
    Bits("cie", 14, text="corrected internal error"),
    Bits("hlo", 15, text="header log overflow"),
)

AER_CAPABILITY = _ext(
    "AerCapability",
    44,
    (
        Field("aeruces", 0x04, 4, "uncorrectable errors", bits=_UNCORRECTABLE),
        Field("aerucem", 0x08, 4, "uncorrectable errors that are masked", bits=_UNCORRECTABLE),
        Field("aerucesev", 0x0C, 4, "uncorrectable errors that are fatal", bits=_UNCORRECTABLE),
        Field("aerces", 0x10, 4, "correctable errors", bits=_CORRECTABLE),
        Field("aercem", 0x14, 4, "correctable errors that are masked", bits=_CORRECTABLE),
        Field(
            "aercc",
            0x18,
            4,
            "capabilities and control",
            bits=(
                Bits("fep", 0, 4, "first error pointer: the bit of AERUCES"),
                Bits("egc", 5, text="ECRC generation capable"),
                Bits("ege", 6, text="ECRC generation enable"),
                Bits("ecc", 7, text="ECRC check capable"),
                Bits("ece", 8, text="ECRC check enable"),
                Bits("mhrc", 9, text="multiple header recording capable"),
                Bits("mhre", 10, text="multiple header recording enable"),
                Bits("tplp", 11, text="the TLP prefix log is valid"),
            ),
        ),
        Field("aerhl", 0x1C, 4, "header of the TLP with the first error", count=4, hex=True),
    ),
    "Advanced error reporting",
    "7.8.4",
)

DSN_CAPABILITY = _ext(
    "DsnCapability", 12, (Field("serial", 4, 8, "EUI-64", hex=True),), "Device serial number", "7.9.3"
)

LTR_CAPABILITY = _ext(
    "LtrCapability",
    8,
    (
        Field(
            "snoop",
            4,
            2,
            "greatest snoop latency",
            bits=(Bits("value", 0, 9, "value"), Bits("scale", 10, 12, "scale: 32^n ns")),
        ),
        Field(
            "nosnoop",
            6,
            2,
            "greatest no-snoop latency",
            bits=(Bits("value", 0, 9, "value"), Bits("scale", 10, 12, "scale: 32^n ns")),
        ),
    ),
    "Latency tolerance reporting",
    "7.8.2",
)

_SUBSTATES = (
    Bits("pcipm_l12", 0, text="PCI-PM L1.2"),
    Bits("pcipm_l11", 1, text="PCI-PM L1.1"),
    Bits("aspm_l12", 2, text="ASPM L1.2"),
    Bits("aspm_l11", 3, text="ASPM L1.1"),
)

L1PM_CAPABILITY = _ext(
    "L1pmCapability",
    16,
    (
        Field(
            "capabilities",
            4,
            4,
            "capabilities",
            bits=(
                *_SUBSTATES,
                Bits("l1pm", 4, text="L1 PM substates"),
                Bits("cmrt", 8, 15, "common mode restore time of the port", unit="us"),
                Bits("scale", 16, 17, "scale of the power on time: 2, 10, 100 us"),
                Bits("value", 19, 23, "power on time of the port"),
            ),
        ),
        Field(
            "control1",
            8,
            4,
            "control 1",
            bits=(
                *_SUBSTATES,
                Bits("cmrt", 8, 15, "common mode restore time", unit="us"),
                Bits("value", 16, 25, "LTR threshold of L1.2, value"),
                Bits("scale", 29, 31, "LTR threshold of L1.2, scale: 32^n ns"),
            ),
        ),
        Field(
            "control2",
            12,
            4,
            "control 2",
            bits=(
                Bits("scale", 0, 1, "scale of the power on time: 2, 10, 100 us"),
                Bits("value", 3, 7, "power on time"),
            ),
        ),
    ),
    "L1 PM substates",
    "7.8.3",
)

SRIOV_CAPABILITY = _ext(
    "SriovCapability",
    64,
    (
        Field(
            "capabilities",
            4,
            4,
            "capabilities",
            bits=(Bits("vfm", 0, text="VF migration"), Bits("achp", 1, text="ARI capable hierarchy preserved")),
        ),
        Field(
            "control",
            8,
            2,
            "control",
            bits=(
                Bits("vfe", 0, text="VF enable"),
                Bits("vfme", 1, text="VF migration enable"),
                Bits("mse", 3, text="memory space enable of the VFs"),
                Bits("ach", 4, text="ARI capable hierarchy"),
            ),
        ),
        Field("status", 0x0A, 2, "status"),
        Field("initial_vfs", 0x0C, 2, "VFs at first"),
        Field("total_vfs", 0x0E, 2, "VFs at most"),
        Field("num_vfs", 0x10, 2, "VFs now"),
        Field("fdl", 0x12, text="function dependency link"),
        Field("first_vf", 0x14, 2, "offset of the first VF"),
        Field("vf_stride", 0x16, 2, "from one VF to the next"),
        Field("vf_did", 0x1A, 2, "device ID of the VFs", hex=True),
        Field("supported_page_sizes", 0x1C, 4, "supported page sizes, bit n is 4096 << n bytes", hex=True),
        Field("page_size", 0x20, 4, "page size, bit n is 4096 << n bytes", hex=True),
        Field("bar", 0x24, 4, "base address registers of the VFs", count=6, hex=True),
        Field("migration", 0x3C, 4, "where the VF migration state array is", hex=True),
    ),
    "Single root I/O virtualization",
    "9.3.3",
)

OTHER_CAPABILITY = _cap("OtherCapability", 2, (), "A capability of another kind", "7.5.1.1")

OTHER_EXTENDED_CAPABILITY = _ext("OtherExtendedCapability", 4, (), "An extended capability of another kind", "7.6.3")

CAPABILITIES = Table(
    "PCI_CAPABILITIES",
    "The structure of a capability, by its ID. MSI has two more, by its control word.",
    {0x01: PM_CAPABILITY, 0x05: MSI_CAPABILITY, 0x10: PCIE_CAPABILITY, 0x11: MSIX_CAPABILITY},
)

EXTENDED_CAPABILITIES = Table(
    "PCI_EXTENDED_CAPABILITIES",
    "The structure of an extended capability, by its ID.",
    {
        0x0001: AER_CAPABILITY,
        0x0003: DSN_CAPABILITY,
        0x0010: SRIOV_CAPABILITY,
        0x0018: LTR_CAPABILITY,
        0x001E: L1PM_CAPABILITY,
    },
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
