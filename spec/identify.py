# SPDX-License-Identifier: BSD-3-Clause
"""The data structures of Identify, by its CNS field.

Section numbers are those of Base 2.1, unless another is named.
"""

from __future__ import annotations

from spec import enums
from spec.schema import BitGroup, Bits, Constant, Enum, Field, Header, Structure, Table, Value

CNS = Enum(
    "Cns",
    "nvme_cns",
    "NVME_CNS_",
    (
        Value("ns", 0x00, "Identify Namespace of the NVM command set"),
        Value("ctrl", 0x01, "Identify Controller"),
        Value("active_ns_list", 0x02, "NSIDs above CDW1.NSID, 1024 of 32 bits", since="1.1"),
        Value("ns_descriptors", 0x03, "list of namespace identification descriptors", since="1.3"),
        Value("nvm_set_list", 0x04, "NVM sets from CDW11.NVMSETID on", since="1.4"),
        Value("csi_ns", 0x05, "Identify Namespace of the command set CSI", since="2.0"),
        Value("csi_ctrl", 0x06, "Identify Controller of the command set CSI", since="2.0"),
        Value("csi_active_ns_list", 0x07, "as 02h, those of the command set CSI", since="2.0"),
        Value("independent_ns", 0x08, "Identify Namespace, common to all command sets", since="2.0"),
        Value("csi_ns_user_formats", 0x09, "Identify Namespace, of a format that CDW11 names", since="2.0"),
        Value("csi_ns_formats", 0x0A, "as 05h, of a format that CDW11 names", since="2.0"),
        Value("allocated_ns_list", 0x10, "as 02h, allocated namespaces", since="1.2"),
        Value("allocated_ns", 0x11, "as 00h, an allocated namespace", since="1.2"),
        Value("ns_ctrl_list", 0x12, "controllers that the namespace is attached to", since="1.2"),
        Value("ctrl_list", 0x13, "controllers of the subsystem", since="1.2"),
        Value("primary_ctrl_caps", 0x14, "resources of a primary controller", since="1.3"),
        Value("secondary_ctrl_list", 0x15, "secondary controllers of this primary one", since="1.3"),
        Value("ns_granularity", 0x16, "sizes that suit namespaces", since="1.4"),
        Value("uuid_list", 0x17, "UUIDs that select vendor specific information", since="1.4"),
        Value("domain_list", 0x18, "domains of the subsystem", since="2.0"),
        Value("endurance_group_list", 0x19, "endurance groups above CDW11.ENDGID", since="2.0"),
        Value("csi_allocated_ns_list", 0x1A, "as 10h, those of the command set CSI", since="2.0"),
        Value("csi_allocated_ns", 0x1B, "as 05h, an allocated namespace", since="2.0"),
        Value("command_sets", 0x1C, "512 vectors of 64 bits, bit = CSI", since="2.0"),
        Value("underlying_ns_list", 0x1D, "namespaces that may underlie an exported one", since="2.1"),
        Value("ports_list", 0x1E, "ports of the subsystem", since="2.1"),
        Value("allocated_ns_independent", 0x1F, "as 08h, an allocated namespace", since="2.1"),
        Value("controller_state_formats", 0x20, "formats of Migration Send and Receive", since="2.1"),
    ),
    text="CNS of Identify, command dword 10 bits 7:0",
    section="5.1.13.1",
)

NIDT = Enum(
    "Nidt",
    "nvme_nidt",
    "NVME_NIDT_",
    (
        Value("eui64", 1, "IEEE Extended Unique Identifier, 8 bytes"),
        Value("nguid", 2, "Namespace Globally Unique Identifier, 16 bytes"),
        Value("uuid", 3, "Namespace UUID, 16 bytes"),
        Value("csi", 4, "Command Set Identifier, 1 byte", since="2.0"),
    ),
    text="kinds of namespace identifiers",
    section="5.1.13.2.3",
    digits=0,
)

CNTRLTYPE = Enum(
    "ControllerType",
    "nvme_cntrltype",
    "NVME_CNTRLTYPE_",
    (Value("not_reported", 0), Value("io", 1), Value("discovery", 2), Value("admin", 3)),
    text="CNTRLTYPE of Identify Controller",
    section="5.1.13.2.1",
    digits=0,
)

# ---- Identify Controller, CNS 01h ----

POWER_STATE_FLAGS = (
    Bits("mxps", 0, text="MP is in units of 0.0001 W instead of 0.01 W", c="NVME_PS_MXPS", since="1.1"),
    Bits("nops", 1, text="non-operational", c="NVME_PS_NOPS", since="1.1"),
)

POWER_STATE = Structure(
    "PowerState",
    "nvme_power_state",
    32,
    (
        Field("mp", 0, 2, "maximum power", unit="0.01 W, with MXPS set 0.0001 W"),
        Field("flags", 3, 1, "flags", bits=POWER_STATE_FLAGS),
        Field("enlat", 4, 4, "entry latency", unit="us"),
        Field("exlat", 8, 4, "exit latency", unit="us"),
        Field("rrt", 12, 1, "relative read throughput, 0 is best", bits=(Bits("rrt", 0, 4),)),
        Field("rrl", 13, 1, "relative read latency", bits=(Bits("rrl", 0, 4),)),
        Field("rwt", 14, 1, "relative write throughput", bits=(Bits("rwt", 0, 4),)),
        Field("rwl", 15, 1, "relative write latency", bits=(Bits("rwl", 0, 4),)),
        Field("idlp", 16, 2, "idle power", unit="IPS", since="1.2"),
        Field("ips", 18, 1, "scale of IDLP", bits=(Bits("ips", 6, 7, values=enums.POWER_SCALE),), since="1.2"),
        Field("actp", 20, 2, "active power", unit="APS", since="1.2"),
        Field(
            "apws",
            22,
            1,
            "active power: workload and scale",
            bits=(
                Bits("apw", 0, 2, "workload of ACTP"),
                Bits("aps", 6, 7, "scale of ACTP", values=enums.POWER_SCALE),
            ),
            since="1.2",
        ),
        Field("epfrt", 23, 1, "emergency power fail recovery time", unit="EPFRTS", since="2.1"),
        Field("fqvt", 24, 1, "forced quiescence vault time", unit="FQVTS", since="2.1"),
        Field("epfvt", 25, 1, "emergency power fail vault time", unit="EPFVTS", since="2.1"),
        Field(
            "epfr_fqv_ts",
            26,
            1,
            "scales of two times",
            bits=(Bits("epfrts", 0, 3, "scale of EPFRT"), Bits("fqvts", 4, 7, "scale of FQVT")),
            since="2.1",
        ),
        Field("epfvts", 27, 1, "scale of EPFVT", bits=(Bits("epfvts", 0, 3),), since="2.1"),
    ),
    text="Power State Descriptor",
    section="5.1.13.2.1",
    label="power state descriptor",
)

CMIC = (
    Bits("mports", 0, text="the subsystem may have more than one port", c="NVME_CMIC_PORTS"),
    Bits("mctrs", 1, text="the subsystem may have more than one controller", c="NVME_CMIC_CTRLS"),
    Bits("ft", 2, text="this controller belongs to an SR-IOV virtual function", c="NVME_CMIC_VF"),
    Bits("anars", 3, text="asymmetric namespace access is reported", c="NVME_CMIC_ANA", since="1.4"),
)

ANACAP = (
    Bits("raopts", 0, text="reports optimized", c="NVME_ANACAP_OPTIMIZED"),
    Bits("ranopts", 1, text="reports non-optimized", c="NVME_ANACAP_NON_OPTIMIZED"),
    Bits("rainas", 2, text="reports inaccessible", c="NVME_ANACAP_INACCESSIBLE"),
    Bits("rapls", 3, text="reports persistent loss", c="NVME_ANACAP_PERSISTENT_LOSS"),
    Bits("racs", 4, text="reports change", c="NVME_ANACAP_CHANGE"),
    Bits("anagics", 6, text="ANAGRPID does not change while attached", c="NVME_ANACAP_CONSTANT_GROUP"),
    Bits("anagnz", 7, text="Namespace Management takes an ANAGRPID", c="NVME_ANACAP_CHOSEN_GROUP"),
)

VERSION = (
    Bits("ter", 0, 7, "tertiary"),
    Bits("mnr", 8, 15, "minor"),
    Bits("mjr", 16, 31, "major"),
)

OAES = (
    Bits("nsan", 8, text="Attached Namespace Attribute Changed", c="NVME_OAES_NS_ATTRIBUTE", since="1.2"),
    Bits("fan", 9, text="Firmware Activation Starting", c="NVME_OAES_FIRMWARE", since="1.2"),
    Bits("anan", 11, text="Asymmetric Namespace Access Change", c="NVME_OAES_ANA", since="1.4"),
    Bits("plea", 12, text="Predictable Latency Event Aggregate Log Change", since="1.4"),
    Bits("lban", 13, text="LBA Status Information Alert", c="NVME_OAES_LBA_STATUS", since="1.4"),
    Bits(
        "egea",
        14,
        text="Endurance Group Event Aggregate Log Page Change",
        c="NVME_OAES_ENDURANCE_GROUP",
        since="1.4",
    ),
    Bits("nnss", 15, text="Normal NVM Subsystem Shutdown", since="2.0"),
    Bits("tthry", 16, text="Temperature Threshold Hysteresis Recovery", since="2.1"),
    Bits("rgcns", 17, text="Reachability Group Change", since="2.1"),
    Bits("ansan", 19, text="Allocated Namespace Attribute Changed", c="NVME_OAES_ALLOCATED_NS", since="2.1"),
    Bits("zdcn", 27, text="Zone Descriptor Changed", c="NVME_OAES_ZONE_CHANGED", since="2.0"),
    Bits("dlpcn", 31, text="Discovery Log Page Change", since="1.4"),
)

CTRATT = (
    Bits("hids", 0, text="host identifiers of 128 bits", c="NVME_CTRATT_HOST_ID", since="1.2.1"),
    Bits(
        "nopspm",
        1,
        text="non-operational power state permissive mode",
        c="NVME_CTRATT_NOPSPM",
        since="1.3",
    ),
    Bits("nsets", 2, text="NVM sets", c="NVME_CTRATT_NSETS", since="1.4"),
    Bits("rrlvls", 3, text="read recovery levels", c="NVME_CTRATT_RRLVLS", since="1.4"),
    Bits("egs", 4, text="endurance groups", c="NVME_CTRATT_EGS", since="1.4"),
    Bits("plm", 5, text="predictable latency mode", since="1.4"),
    Bits("tbkas", 6, text="traffic based keep alive", since="1.4"),
    Bits("ng", 7, text="namespace granularity", c="NVME_CTRATT_NS_GRANULARITY", since="1.4"),
    Bits("sqa", 8, text="SQ associations", since="1.4"),
    Bits("ulist", 9, text="UUID list", c="NVME_CTRATT_ULIST", since="1.4"),
    Bits("mds", 10, text="the subsystem has several domains", since="2.0"),
    Bits("fcm", 11, text="fixed capacity management", c="NVME_CTRATT_FCM", since="2.0"),
    Bits("vcm", 12, text="variable capacity management", c="NVME_CTRATT_VCM", since="2.0"),
    Bits("deg", 13, text="Delete Endurance Group", c="NVME_CTRATT_DEG", since="2.0"),
    Bits("dnvms", 14, text="Delete NVM Set", c="NVME_CTRATT_DNVMS", since="2.0"),
    Bits("elbas", 15, text="extended LBA formats", c="NVME_CTRATT_ELBAS", since="2.0"),
    Bits("mem", 16, text="MDTS and the size limits leave metadata out", since="2.1"),
    Bits("hmbr", 17, text="the host memory buffer can be restricted", since="2.1"),
    Bits("rhii", 18, text="reservations and host identifiers interact", since="2.1"),
    Bits("fdps", 19, text="flexible data placement", since="2.1"),
    Bits("pls", 20, text="power limit, feature 23h", c="NVME_CTRATT_PLS", since="2.3"),
    Bits("pms", 21, text="power measurement, features 24h and 25h", c="NVME_CTRATT_PMS", since="2.3"),
)

FRMW = (
    Bits("ffsro", 0, text="slot 1 is read-only", c="NVME_FRMW_SLOT1_READ_ONLY"),
    Bits("nofs", 1, 3, "firmware slots, 1 to 7", c="NVME_FRMW_SLOTS_SHIFT", style="shift"),
    Bits("fawr", 4, text="images can be activated without a reset", c="NVME_FRMW_NO_RESET", since="1.2"),
    Bits(
        "smud",
        5,
        text="overlapping updates by several hosts are detected",
        c="NVME_FRMW_OVERLAPPED",
        since="1.4",
    ),
)

OACS = (
    Bits("ssrs", 0, text="Security Send and Receive", c="NVME_OACS_SECURITY"),
    Bits("fnvms", 1, text="Format NVM", c="NVME_OACS_FORMAT"),
    Bits("fwds", 2, text="Firmware Commit and Firmware Image Download", c="NVME_OACS_FIRMWARE"),
    Bits("nms", 3, text="Namespace Management and Attachment", c="NVME_OACS_NS_MANAGEMENT", since="1.2"),
    Bits("dsts", 4, text="Device Self-test", c="NVME_OACS_SELF_TEST", since="1.3"),
    Bits("dirs", 5, text="Directive Send and Receive", c="NVME_OACS_DIRECTIVES", since="1.3"),
    Bits("nsrs", 6, text="NVMe-MI Send and Receive", c="NVME_OACS_MI", since="1.3"),
    Bits("vms", 7, text="Virtualization Management", c="NVME_OACS_VIRTUALIZATION", since="1.3"),
    Bits("dbcs", 8, text="Doorbell Buffer Config", c="NVME_OACS_DOORBELL_BUFFER", since="1.3"),
    Bits("glss", 9, text="Get LBA Status", c="NVME_OACS_LBA_STATUS", since="1.4"),
    Bits("cfls", 10, text="Lockdown", c="NVME_OACS_LOCKDOWN", since="2.0"),
    Bits("hmlms", 11, text="host managed live migration", since="2.1"),
)

LPA = (
    Bits("smarts", 0, text="log page 02h for each namespace", c="NVME_LPA_SMART_PER_NS"),
    Bits("cses", 1, text="log page 05h", c="NVME_LPA_EFFECTS", since="1.2"),
    Bits("lpeds", 2, text="NUMDU and LPO of Get Log Page", c="NVME_LPA_EXTENDED", since="1.2.1"),
    Bits("ts", 3, text="log pages 07h and 08h", c="NVME_LPA_TELEMETRY", since="1.3"),
    Bits("pes", 4, text="log page 0Dh", c="NVME_LPA_PERSISTENT", since="1.4"),
    Bits(
        "mlps",
        5,
        text="log pages 00h, 12h and 13h, and the scopes in 05h",
        c="NVME_LPA_SUPPORTED",
        since="2.0",
    ),
    Bits("da4s", 6, text="telemetry data area 4", c="NVME_LPA_AREA_4", since="2.0"),
)

VENDOR_FORMAT = (Bits("vscf", 0, text="vendor specific commands have the standard format"),)

DSTO = (
    Bits("sdso", 0, text="one self-test at a time in the whole subsystem", c="NVME_DSTO_ONE_TEST"),
    Bits("hirs", 1, text="host-initiated refresh", since="2.1"),
)

SANICAP = (
    Bits("ces", 0, text="Crypto Erase", c="NVME_SANICAP_CES"),
    Bits("bes", 1, text="Block Erase", c="NVME_SANICAP_BES"),
    Bits("ows", 2, text="Overwrite", c="NVME_SANICAP_OWS"),
    Bits("vers", 3, text="the media verification state", c="NVME_SANICAP_VERS", since="2.1"),
    Bits("ndi", 29, text="No-Deallocate is inhibited", c="NVME_SANICAP_NDI", suffix="wide", since="1.4"),
    Bits(
        "nodmmas",
        30,
        31,
        "1: after No-Deallocate the media is not modified further, 2: it is",
        c="NVME_SANICAP_NODMMAS_SHIFT",
        style="shift",
        since="1.4",
    ),
)

ONCS = (
    Bits("nvmcmps", 0, text="Compare", c="NVME_ONCS_COMPARE"),
    Bits("nvmwusv", 1, text="Write Uncorrectable", c="NVME_ONCS_WRITE_UNCORRECTABLE"),
    Bits("nvmdsmsv", 2, text="Dataset Management", c="NVME_ONCS_DSM"),
    Bits("nvmwzsv", 3, text="Write Zeroes", c="NVME_ONCS_WRITE_ZEROES", since="1.1"),
    Bits(
        "ssfs",
        4,
        text="SV of Set Features and SEL of Get Features",
        c="NVME_ONCS_SAVE_SELECT",
        since="1.1",
    ),
    Bits("reservs", 5, text="reservations", c="NVME_ONCS_RESERVATIONS", since="1.1"),
    Bits("tss", 6, text="feature 0Eh, Timestamp", c="NVME_ONCS_TIMESTAMP", since="1.3"),
    Bits("nvmvfys", 7, text="Verify", c="NVME_ONCS_VERIFY", since="1.4"),
    Bits("nvmcpys", 8, text="Copy", c="NVME_ONCS_COPY", since="2.0"),
    Bits("nvmcsa", 9, text="a Copy is atomic as one write", since="2.1"),
    Bits("nvmafc", 10, text="fast copy operations", since="2.1"),
    Bits("maxwzd", 11, text="WZDSL limits Write Zeroes with DEAC", since="2.1"),
    Bits("nszs", 12, text="Write Zeroes of a whole namespace", since="2.1"),
)

FUSES = (Bits("fcws", 0, text="Compare and Write", c="NVME_FUSES_COMPARE_WRITE"),)

FNA = (
    Bits("fns", 0, text="a format goes to all namespaces", c="NVME_FNA_FORMAT_ALL"),
    Bits("sens", 1, text="so does a secure erase", c="NVME_FNA_ERASE_ALL"),
    Bits("cryes", 2, text="Cryptographic Erase", c="NVME_FNA_CRYPTO"),
    Bits("fnvmbs", 3, text="Format NVM refuses NSID FFFFFFFFh", c="NVME_FNA_NO_BROADCAST", since="2.0"),
)

VWC = (
    Bits("vwcp", 0, text="there is a volatile write cache", c="NVME_VWC_PRESENT"),
    Bits("fb", 1, 2, "Flush with NSID FFFFFFFFh: 0 not reported, 2 refused, 3 of all namespaces", since="1.4"),
)

SGLS = (
    Bits("sgls", 0, 1, "SGLs: 0 none, 1 without alignment, 2 aligned to dwords"),
    Bits("kdbds", 2, text="keyed data block descriptors"),
    Bits("sdt", 8, 15, "SGL descriptors of a command at most, 0: not reported", since="2.0"),
    Bits("sbbds", 16, text="bit bucket descriptors", c="NVME_SGLS_BIT_BUCKET", suffix="wide"),
    Bits(
        "mbaas",
        17,
        text="MPTR may be a contiguous buffer at any byte",
        c="NVME_SGLS_MPTR_BYTES",
        suffix="wide",
    ),
    Bits("sglls", 18, text="data may be longer than the command's", c="NVME_SGLS_LONGER", suffix="wide"),
    Bits("mptrss", 19, text="MPTR may be an SGL segment", c="NVME_SGLS_MPTR", suffix="wide"),
    Bits("sgloff", 20, text="the address may be an offset"),
    Bits("tsglds", 21, text="transport data block descriptors"),
)

ID_CTRL = Structure(
    "IdentifyController",
    "nvme_id_ctrl",
    4096,
    (
        Field("vid", 0, 2, "PCI Vendor ID", hex=True),
        Field("ssvid", 2, 2, "PCI Subsystem Vendor ID", hex=True),
        Field("sn", 4, 20, "serial number", kind="ascii"),
        Field("mn", 24, 40, "model number", kind="ascii"),
        Field("fr", 64, 8, "firmware revision", kind="ascii"),
        Field("rab", 72, 1, "recommended arbitration burst", unit="2^n commands"),
        Field("ieee", 73, 3, "IEEE OUI of the vendor", hex=True),
        Field("cmic", 76, 1, "multi-path I/O and namespace sharing", bits=CMIC, since="1.1"),
        Field("mdts", 77, 1, "maximum data transfer size, 0: no limit", unit="2^n pages of CAP.MPSMIN"),
        Field("cntlid", 78, 2, "controller ID", since="1.1"),
        Field("ver", 80, 4, "version, as register VS", bits=VERSION, since="1.2"),
        Field("rtd3r", 84, 4, "RTD3 resume latency", unit="us", since="1.2"),
        Field("rtd3e", 88, 4, "RTD3 entry latency", unit="us", since="1.2"),
        Field("oaes", 92, 4, "optional asynchronous events", bits=OAES, since="1.2"),
        Field("ctratt", 96, 4, "controller attributes", bits=CTRATT, since="1.2.1"),
        Field("rrls", 100, 2, "read recovery levels, one a bit", since="1.4"),
        Field(
            "bpcap",
            102,
            1,
            "boot partition capabilities",
            bits=(
                Bits("rpmbbpwps", 0, 1, "write protection by RPMB: 0 not reported, 1 no, 2 yes"),
                Bits("sfbpwps", 2, text="write protection by Set Features"),
            ),
            since="2.1",
        ),
        Field("nssl", 104, 4, "NVM subsystem shutdown latency", unit="us", since="2.1"),
        Field(
            "plsi",
            110,
            1,
            "power loss signaling",
            bits=(Bits("plsepf", 0, text="emergency power fail"), Bits("plsfq", 1, text="forced quiescence")),
            since="2.1",
        ),
        Field("cntrltype", 111, 1, "controller type", values=CNTRLTYPE, since="1.4"),
        Field("fguid", 112, 16, "FRU globally unique identifier", kind="bytes", since="1.3"),
        Field("crdt1", 128, 2, "command retry delay time 1", unit="100 ms", since="1.4"),
        Field("crdt2", 130, 2, "command retry delay time 2", unit="100 ms", since="1.4"),
        Field("crdt3", 132, 2, "command retry delay time 3", unit="100 ms", since="1.4"),
        Field(
            "crcap",
            134,
            1,
            "controller reachability",
            bits=(Bits("rrsup", 0, text="reachability is reported"), Bits("rgidc", 1, text="RGRPID stays")),
            since="2.1",
        ),
        Field(
            "nvmsr",
            253,
            1,
            "NVM subsystem report",
            bits=(Bits("nvmesd", 0, text="storage device"), Bits("nvmee", 1, text="enclosure")),
            since="1.4",
        ),
        Field(
            "vwci",
            254,
            1,
            "VPD write cycles",
            bits=(Bits("vwcr", 0, 6, "write cycles that remain"), Bits("vwcrv", 7, text="VWCR is valid")),
            since="1.4",
        ),
        Field(
            "mec",
            255,
            1,
            "management endpoints",
            bits=(Bits("twpme", 0, text="on an SMBus/I2C port"), Bits("pcieme", 1, text="on a PCIe port")),
            since="1.4",
        ),
        Field("oacs", 256, 2, "optional admin commands", bits=OACS),
        Field("acl", 258, 1, "concurrent Abort commands", zeroes_based=True),
        Field("aerl", 259, 1, "concurrent Asynchronous Event Requests", zeroes_based=True),
        Field("frmw", 260, 1, "firmware updates", bits=FRMW),
        Field("lpa", 261, 1, "log pages", bits=LPA),
        Field("elpe", 262, 1, "entries of the error log", zeroes_based=True),
        Field("npss", 263, 1, "power states", zeroes_based=True),
        Field("avscc", 264, 1, "vendor specific admin commands", bits=VENDOR_FORMAT),
        Field(
            "apsta",
            265,
            1,
            "autonomous power state transitions",
            bits=(Bits("aspts", 0, text="supported"),),
            since="1.1",
        ),
        Field("wctemp", 266, 2, "warning composite temperature, 0: none", unit="Kelvin", since="1.2"),
        Field("cctemp", 268, 2, "critical composite temperature, 0: none", unit="Kelvin", since="1.2"),
        Field("mtfa", 270, 2, "maximum time of a firmware activation", unit="100 ms", since="1.2"),
        Field("hmpre", 272, 4, "host memory buffer, preferred size", unit="4 KiB", since="1.2"),
        Field("hmmin", 276, 4, "host memory buffer, smallest size", unit="4 KiB", since="1.2"),
        Field("tnvmcap", 280, 16, "total NVM capacity", unit="bytes", since="1.2"),
        Field("unvmcap", 296, 16, "unallocated NVM capacity", unit="bytes", since="1.2"),
        Field(
            "rpmbs",
            312,
            4,
            "replay protected memory block",
            bits=(
                Bits("nrpmbu", 0, 2, "RPMB units"),
                Bits("auth", 3, 5, "authentication method, 0: HMAC SHA-256"),
                Bits("tsz", 16, 23, "size of a unit", unit="128 KiB", zeroes_based=True),
                Bits("asz", 24, 31, "access size", unit="512 bytes", zeroes_based=True),
            ),
            since="1.2",
        ),
        Field("edstt", 316, 2, "time of an extended self-test", unit="minutes", since="1.3"),
        Field(
            "dsto",
            318,
            1,
            "self-tests",
            bits=DSTO,
            since="1.3",
        ),
        Field("fwug", 319, 1, "firmware update granularity, 0: not reported, FFh: none", unit="4 KiB", since="1.3"),
        Field("kas", 320, 2, "keep alive granularity, 0: no keep alive", unit="100 ms", since="1.2.1"),
        Field(
            "hctma",
            322,
            2,
            "host controlled thermal management",
            bits=(Bits("hctms", 0, text="supported"),),
            since="1.3",
        ),
        Field("mntmt", 324, 2, "lowest thermal management temperature", unit="Kelvin", since="1.3"),
        Field("mxtmt", 326, 2, "highest thermal management temperature", unit="Kelvin", since="1.3"),
        Field("sanicap", 328, 4, "sanitize", bits=SANICAP, since="1.3"),
        Field("hmminds", 332, 4, "host memory buffer, smallest descriptor", unit="4 KiB", since="1.4"),
        Field("hmmaxd", 336, 2, "host memory buffer, descriptors at most, 0: no limit", since="1.4"),
        Field("nsetidmax", 338, 2, "highest NVM set identifier", since="1.4"),
        Field("endgidmax", 340, 2, "highest endurance group identifier", since="1.4"),
        Field("anatt", 342, 1, "ANA transition time", unit="s", since="1.4"),
        Field(
            "anacap",
            343,
            1,
            "asymmetric namespace access",
            bits=ANACAP,
            since="1.4",
        ),
        Field("anagrpmax", 344, 4, "highest ANA group identifier", since="1.4"),
        Field("nanagrpid", 348, 4, "ANA groups", since="1.4"),
        Field("pels", 352, 4, "size of the persistent event log at most", unit="64 KiB", since="1.4"),
        Field("domainid", 356, 2, "domain that the controller is in", since="2.0"),
        Field(
            "kpioc",
            358,
            1,
            "key per I/O",
            bits=(Bits("kpios", 0, text="supported"), Bits("kpisc", 1, text="enabled for all namespaces only")),
            since="2.1",
        ),
        Field("mptfawr", 360, 2, "time of a firmware activation without reset", unit="100 ms", since="2.1"),
        Field("megcap", 368, 16, "capacity of an endurance group at most", unit="bytes", since="2.0"),
        Field(
            "tmpthha",
            384,
            1,
            "temperature threshold hysteresis",
            bits=(Bits("tmpthmh", 0, 2, "largest hysteresis", unit="Kelvin"),),
            since="2.1",
        ),
        Field(
            "mupa",
            385,
            1,
            "scale of MUP",
            bits=(Bits("mups", 0, 1, "scale", values=enums.POWER_SCALE),),
            since="2.3",
        ),
        Field("cqt", 386, 2, "command quiesce time", unit="ms", since="2.1"),
        Field("mup", 390, 2, "most power of power state 0 without a power limit", unit="MUPS", since="2.3"),
        Field(
            "ipmsr",
            392,
            2,
            "longest time between two samples of the power",
            bits=(
                Bits("srv", 0, 7, "value"),
                Bits("srs", 8, 15, "unit: 0 not reported, 1 to 5 for 1 us, 10 us, 100 us, 1 ms, 10 ms"),
            ),
            since="2.3",
        ),
        Field("msmt", 394, 2, "longest stop measurement time of feature 25h", unit="minutes", since="2.3"),
        Field(
            "sqes",
            512,
            1,
            "size of a submission queue entry, log2 of bytes",
            bits=(Bits("mins", 0, 3, "required"), Bits("maxs", 4, 7, "maximum")),
        ),
        Field(
            "cqes",
            513,
            1,
            "size of a completion queue entry, log2 of bytes",
            bits=(Bits("mins", 0, 3, "required"), Bits("maxs", 4, 7, "maximum")),
        ),
        Field("maxcmd", 514, 2, "outstanding commands of a queue at most, 0: not reported", since="1.2.1"),
        Field("nn", 516, 4, "number of namespaces, the highest NSID"),
        Field("oncs", 520, 2, "optional I/O commands", bits=ONCS),
        Field("fuses", 522, 2, "fused operations", bits=FUSES),
        Field("fna", 524, 1, "attributes of Format NVM", bits=FNA),
        Field("vwc", 525, 1, "volatile write cache", bits=VWC),
        Field("awun", 526, 2, "atomic write unit, normal", unit="LBAs", zeroes_based=True),
        Field("awupf", 528, 2, "atomic write unit, power fail", unit="LBAs", zeroes_based=True),
        Field("icsvscc", 530, 1, "vendor specific I/O commands", bits=VENDOR_FORMAT),
        Field(
            "nwpc",
            531,
            1,
            "namespace write protection",
            bits=(
                Bits("nwpwps", 0, text="No Write Protect and Write Protect"),
                Bits("wpupcs", 1, text="Write Protect Until Power Cycle"),
                Bits("pwps", 2, text="Permanent Write Protect"),
            ),
            since="1.4",
        ),
        Field("acwu", 532, 2, "atomic compare and write unit", unit="LBAs", zeroes_based=True, since="1.1"),
        Field("ocfs", 534, 2, "source range formats of Copy (CDFS), one a bit", since="2.0"),
        Field("sgls", 536, 4, "SGLs", bits=SGLS, since="1.1"),
        Field("mnan", 540, 4, "allocated namespaces at most, 0: NN", since="1.4"),
        Field("maxdna", 544, 16, "attachments in the domain at most", since="2.0"),
        Field("maxcna", 560, 4, "namespaces that may be attached to this controller", since="2.0"),
        Field("oaqd", 564, 4, "best number of commands in all queues, 0: not reported", since="2.1"),
        Field("rhiri", 568, 1, "recommended host-initiated refresh interval", unit="days", since="2.1"),
        Field("hirt", 569, 1, "time of a host-initiated refresh", unit="minutes", since="2.1"),
        Field("cmmrtd", 570, 2, "memory ranges that this controller can track", since="2.1"),
        Field("nmmrtd", 572, 2, "memory ranges that the subsystem can track", since="2.1"),
        Field("minmrtg", 574, 1, "smallest tracking granularity", unit="2^n bytes", since="2.1"),
        Field("maxmrtg", 575, 1, "largest tracking granularity", unit="2^n bytes", since="2.1"),
        Field(
            "trattr",
            576,
            1,
            "tracking",
            bits=(
                Bits("thmcs", 0, text="changes of host memory"),
                Bits("tudcs", 1, text="changes of user data"),
                Bits("mrtll", 2, text="the length of a range is limited"),
            ),
            since="2.1",
        ),
        Field("mcudmq", 578, 2, "user data migration queues of this controller", since="2.1"),
        Field("mnsudmq", 580, 2, "user data migration queues of the subsystem", since="2.1"),
        Field("mcmr", 582, 2, "CDQ memory ranges of this controller", since="2.1"),
        Field("nmcmr", 584, 2, "CDQ memory ranges of the subsystem", since="2.1"),
        Field("mcdqpc", 586, 2, "PRPs of a controller data queue at most", since="2.1"),
        Field("subnqn", 768, 256, "NVM subsystem NVMe qualified name", kind="utf8", since="1.2.1"),
        Field("ioccsz", 1792, 4, "I/O command capsule", unit="16 bytes", since="1.2.1"),
        Field("iorcsz", 1796, 4, "I/O response capsule", unit="16 bytes", since="1.2.1"),
        Field("icdoff", 1800, 2, "offset of data in a capsule", unit="16 bytes", since="1.2.1"),
        Field(
            "fcatt",
            1802,
            1,
            "fabrics controller attributes",
            bits=(Bits("dcm", 0, text="the controller model is static"),),
            since="1.2.1",
        ),
        Field("msdbd", 1803, 1, "SGL data block descriptors in a capsule at most", since="1.2.1"),
        Field(
            "ofcs",
            1804,
            2,
            "optional fabrics commands",
            bits=(Bits("dcs", 0, text="Disconnect"),),
            since="1.4",
        ),
        Field("dctype", 1806, 1, "discovery controller type", since="2.0"),
        Field("psd", 2048, 32, "power state descriptors", count=32, kind="struct", struct=POWER_STATE),
        Field("vs", 3072, 1024, "vendor specific", kind="bytes"),
    ),
    text="Identify Controller",
    section="5.1.13.2.1",
    label="CNS 01h",
    asserted=("mdts", "oacs", "sanicap", "sqes", "vwc", "subnqn", "ioccsz", "psd"),
)

# ---- Identify Namespace ----

NSFEAT = (
    Bits("thinp", 0, text="thin provisioning", c="NVME_NSFEAT_THINP"),
    Bits("nsabp", 1, text="NAWUN, NAWUPF and NACWU are this namespace's", c="NVME_NSFEAT_NSABP", since="1.2"),
    Bits(
        "dae",
        2,
        text="reading a deallocated LBA may give an error (feature 05h)",
        c="NVME_NSFEAT_DAE",
        since="1.2",
    ),
    Bits("uidreuse", 3, text="NGUID and EUI64 are never used again", c="NVME_NSFEAT_UIDREUSE", since="1.3"),
    Bits("optperf", 4, text="NPWG, NPWA, NPDG, NPDA and NOWS are there", c="NVME_NSFEAT_OPTPERF", since="1.4"),
    Bits("optrperf", 5, text="NPRG, NPRA and NORS are there", since="2.1"),
    Bits("mam", 6, text="multiple atomicity mode", since="2.1"),
)

FLBAS = (
    Bits("lbafil", 0, 3, "bits 3:0 of the index of the LBA format", c="NVME_FLBAS_INDEX"),
    Bits("mdbs", 4, text="metadata follow the data of each LBA", c="NVME_FLBAS_EXTENDED"),
    Bits(
        "lbafih",
        5,
        6,
        "bits 5:4 of the index, used with more than 16 formats",
        c="NVME_FLBAS_INDEX_HIGH_SHIFT",
        style="shift",
        since="2.0",
    ),
)

DPC = (
    Bits("pit1s", 0, text="type 1", c="NVME_DPC_TYPE_1"),
    Bits("pit2s", 1, text="type 2", c="NVME_DPC_TYPE_2"),
    Bits("pit3s", 2, text="type 3", c="NVME_DPC_TYPE_3"),
    Bits("piifb", 3, text="in the first bytes of metadata", c="NVME_DPC_FIRST"),
    Bits("piilb", 4, text="in the last bytes of metadata", c="NVME_DPC_LAST"),
)

DPS = (
    Bits("pit", 0, 2, "type, 0: none", c="NVME_DPS_TYPE"),
    Bits("pip", 3, text="in the first bytes of metadata", c="NVME_DPS_FIRST"),
)

NMIC = (
    Bits("shrns", 0, text="several controllers may have it attached"),
    Bits("disns", 1, text="it is dispersed over several subsystems", since="2.0"),
)

RESCAP = (
    Bits("ptpls", 0, text="persist through power loss", c="NVME_RESCAP_PTPL"),
    Bits("wes", 1, text="Write Exclusive"),
    Bits("eas", 2, text="Exclusive Access"),
    Bits("wero", 3, text="Write Exclusive, registrants only"),
    Bits("earo", 4, text="Exclusive Access, registrants only"),
    Bits("wear", 5, text="Write Exclusive, all registrants"),
    Bits("eaar", 6, text="Exclusive Access, all registrants"),
    Bits("iekr", 7, text="IEKEY of version 1.3 and later", c="NVME_RESCAP_IEKEY", since="1.3"),
)

FPI = (
    Bits("remaining", 0, 6, "part of a format that remains", unit="percent"),
    Bits("supported", 7, text="progress is reported"),
)

DLFEAT = (
    Bits("rdb", 0, 2, "data of deallocated LBAs: 0 not reported, 1 zeroes, 2 FFh"),
    Bits("wzdb", 3, text="Write Zeroes takes DEAC", c="NVME_DLFEAT_WRITE_ZEROES"),
    Bits("gdsr", 4, text="the guard of a deallocated LBA is its CRC"),
)

NSATTR = (Bits("wps", 0, text="write protected"),)

PIF = Enum(
    "ProtectionInformationFormat",
    "nvme_pif",
    "NVME_PIF_",
    (Value("guard16", 0), Value("guard32", 1), Value("guard64", 2), Value("qualified", 3)),
    text="formats of protection information",
    section="NVM 4.1.5.3",
    digits=0,
)

LBAF = Structure(
    "LbaFormat",
    "nvme_lbaf",
    4,
    (
        Field("ms", 0, 2, "metadata of an LBA", unit="bytes"),
        Field("lbads", 2, 1, "size of an LBA, 0: not in use", unit="2^n bytes"),
        Field("rp", 3, 1, "relative performance", bits=(Bits("rp", 0, 1, "0 is best"),)),
    ),
    text="LBA Format",
    section="NVM 4.1.5.1",
    label="LBA format",
)

ID_NS = Structure(
    "IdentifyNamespace",
    "nvme_id_ns",
    4096,
    (
        Field("nsze", 0, 8, "size", unit="LBAs"),
        Field("ncap", 8, 8, "capacity", unit="LBAs"),
        Field("nuse", 16, 8, "utilization", unit="LBAs"),
        Field("nsfeat", 24, 1, "features", bits=NSFEAT),
        Field("nlbaf", 25, 1, "LBA formats", zeroes_based=True),
        Field("flbas", 26, 1, "LBA format that is in use", bits=FLBAS),
        Field(
            "mc",
            27,
            1,
            "metadata",
            bits=(Bits("mtelba", 0, text="may follow the data"), Bits("mtsmp", 1, text="may be at MPTR")),
        ),
        Field(
            "dpc",
            28,
            1,
            "protection that it can have",
            bits=DPC,
        ),
        Field(
            "dps",
            29,
            1,
            "protection that it has",
            bits=DPS,
        ),
        Field("nmic", 30, 1, "sharing", bits=NMIC, since="1.1"),
        Field("rescap", 31, 1, "reservations", bits=RESCAP, since="1.1"),
        Field("fpi", 32, 1, "format progress", bits=FPI, since="1.2"),
        Field("dlfeat", 33, 1, "deallocated LBAs", bits=DLFEAT, since="1.3"),
        Field("nawun", 34, 2, "atomic write unit, normal", unit="LBAs", zeroes_based=True, since="1.2"),
        Field("nawupf", 36, 2, "atomic write unit, power fail", unit="LBAs", zeroes_based=True, since="1.2"),
        Field("nacwu", 38, 2, "atomic compare and write unit", unit="LBAs", zeroes_based=True, since="1.2"),
        Field("nabsn", 40, 2, "atomic boundary size, normal", unit="LBAs", zeroes_based=True, since="1.2"),
        Field("nabo", 42, 2, "atomic boundary offset", unit="LBAs", since="1.2"),
        Field("nabspf", 44, 2, "atomic boundary size, power fail", unit="LBAs", zeroes_based=True, since="1.2"),
        Field("noiob", 46, 2, "optimal I/O boundary, 0: none", unit="LBAs", since="1.3"),
        Field("nvmcap", 48, 16, "NVM capacity", unit="bytes", since="1.2"),
        Field("npwg", 64, 2, "preferred write granularity", unit="LBAs", zeroes_based=True, since="1.4"),
        Field("npwa", 66, 2, "preferred write alignment", unit="LBAs", zeroes_based=True, since="1.4"),
        Field("npdg", 68, 2, "preferred deallocate granularity", unit="LBAs", zeroes_based=True, since="1.4"),
        Field("npda", 70, 2, "preferred deallocate alignment", unit="LBAs", zeroes_based=True, since="1.4"),
        Field("nows", 72, 2, "optimal write size", unit="LBAs", zeroes_based=True, since="1.4"),
        Field("mssrl", 74, 2, "Copy: LBAs of one source range", unit="LBAs", since="2.0"),
        Field("mcl", 76, 4, "Copy: LBAs of all source ranges", unit="LBAs", since="2.0"),
        Field("msrc", 80, 1, "Copy: source ranges", zeroes_based=True, since="2.0"),
        Field(
            "kpios",
            81,
            1,
            "key per I/O",
            bits=(Bits("kpioens", 0, text="enabled"), Bits("kpiosns", 1, text="supported")),
            since="2.1",
        ),
        Field("nulbaf", 82, 1, "LBA formats whose attributes are unique", since="2.0"),
        Field("kpiodaag", 84, 4, "key per I/O granularity", unit="LBAs", zeroes_based=True, since="2.1"),
        Field("anagrpid", 92, 4, "ANA group", since="1.4"),
        Field("nsattr", 99, 1, "attributes", bits=NSATTR, since="1.4"),
        Field("nvmsetid", 100, 2, "NVM set", since="1.4"),
        Field("endgid", 102, 2, "endurance group", since="1.4"),
        Field("nguid", 104, 16, "namespace globally unique identifier", kind="bytes", since="1.2"),
        Field("eui64", 120, 8, "IEEE extended unique identifier", kind="bytes", since="1.1"),
        Field("lbaf", 128, 4, "LBA formats", count=64, kind="struct", struct=LBAF),
        Field("vs", 384, 3712, "vendor specific", kind="bytes"),
    ),
    text="Identify Namespace of the NVM command set",
    section="NVM 4.1.5.1",
    label="CNS 00h",
    asserted=("nvmcap", "anagrpid", "nguid", "lbaf"),
)

NS_ID_DESCRIPTOR = Structure(
    "NamespaceIdDescriptor",
    "nvme_ns_id_descriptor",
    4,
    (
        Field("nidt", 0, 1, "kind of identifier, 0: the list ends here", values=NIDT),
        Field("nidl", 1, 1, "length of NID", unit="bytes"),
        Field("nid", 4, 1, "identifier", count=0, kind="bytes", counted_by="nidl"),
    ),
    text="Namespace Identification Descriptor",
    section="5.1.13.2.3",
    label="namespace identification descriptor",
)

NS_ID_LIST = Structure(
    "NamespaceIdList",
    "",
    0,
    (
        Field(
            "descriptors",
            0,
            4,
            "descriptors",
            count=0,
            kind="struct",
            struct=NS_ID_DESCRIPTOR,
            ends_with="nidt",
        ),
    ),
    text="Namespace Identification Descriptor list, CNS 03h",
    section="5.1.13.2.3",
)

NVM_SET = Structure(
    "NvmSet",
    "nvme_nvm_set",
    128,
    (
        Field("nvmsetid", 0, 2, "NVM set"),
        Field("endgid", 2, 2, "endurance group"),
        Field("rr4kt", 8, 4, "time of a random read of 4 KiB", unit="100 ns"),
        Field("ows", 12, 4, "optimal write size", unit="bytes"),
        Field("tnvmsetcap", 16, 16, "total capacity", unit="bytes"),
        Field("unvmsetcap", 32, 16, "unallocated capacity", unit="bytes"),
    ),
    text="NVM Set Attributes Entry",
    section="5.1.13.2.4",
    label="NVM set attributes entry",
)

NVM_SET_LIST = Structure(
    "NvmSetList",
    "nvme_nvm_set_list",
    4096,
    (
        Field("nid", 0, 1, "entries"),
        Field("entry", 128, 128, "NVM sets", count=31, kind="struct", struct=NVM_SET, counted_by="nid"),
    ),
    text="NVM Set List",
    section="5.1.13.2.4",
    label="CNS 04h",
)

ELBAF = (
    Bits("sts", 0, 6, "size of the storage tag", unit="bits"),
    Bits("pif", 7, 8, "protection information format", c="NVME_ELBAF_PIF_SHIFT", style="shift", values=PIF),
    Bits("qpif", 9, 12, "qualified protection information format", since="2.1"),
)

PIC = (
    Bits("b16gpistsf", 0, text="storage tags of 16-bit guards", c="NVME_PIC_STORAGE_TAG_16"),
    Bits("b16gpistm", 1, text="the mask of 16-bit guards may be changed"),
    Bits("stcrs", 2, text="the storage tag may be checked in reads", c="NVME_PIC_CHECK_READ"),
)

ID_NS_NVM = Structure(
    "IdentifyNamespaceNvm",
    "nvme_id_ns_nvm",
    4096,
    (
        Field("lbstm", 0, 8, "mask of the storage tag", hex=True),
        Field(
            "pic",
            8,
            1,
            "protection information",
            bits=PIC,
        ),
        Field("pifa", 9, 1, "protection information attributes", since="2.1"),
        Field("elbaf", 12, 4, "extended LBA formats", count=64, bits=ELBAF),
        Field("npdgl", 268, 4, "preferred deallocate granularity, large", unit="LBAs", since="2.1"),
        Field("nprg", 272, 4, "preferred read granularity", unit="LBAs", since="2.1"),
        Field("npra", 276, 4, "preferred read alignment", unit="LBAs", since="2.1"),
        Field("nors", 280, 4, "optimal read size", unit="LBAs", since="2.1"),
        Field("npdal", 284, 4, "preferred deallocate alignment, large", unit="LBAs", since="2.1"),
        Field("lbapss", 288, 4, "LBA format placement shard size", unit="LBAs", since="2.1"),
        Field("tlbaag", 292, 4, "tracked LBA allocation granularity", unit="LBAs", since="2.1"),
    ),
    text="Identify Namespace, NVM command set specific",
    section="NVM 4.1.5.3",
    label="CNS 05h",
)

LBAFE = Structure(
    "LbaFormatExtension",
    "nvme_zns_lbafe",
    16,
    (
        Field("zsze", 0, 8, "zone size", unit="LBAs"),
        Field("zdes", 8, 1, "zone descriptor extension", unit="64 bytes"),
    ),
    text="LBA Format Extension",
    section="ZNS 4.1.5.1",
    label="LBA format extension",
)

ZOC = (
    Bits("vzcap", 0, text="zone capacities may change", c="NVME_ZOC_VARIABLE_CAPACITY"),
    Bits("zae", 1, text="zones may become full of themselves"),
)

OZCS = (
    Bits("razb", 0, text="reads may cross zone boundaries", c="NVME_OZCS_READ_ACROSS"),
    Bits("zrwasup", 1, text="zone random write area", c="NVME_OZCS_ZRWA"),
)

ZRWACAP = (Bits("expflushsup", 0, text="explicit flush", c="NVME_ZRWACAP_EXPLICIT_FLUSH"),)

ID_NS_ZNS = Structure(
    "IdentifyNamespaceZns",
    "nvme_id_ns_zns",
    4096,
    (
        Field(
            "zoc",
            0,
            2,
            "zone operations",
            bits=ZOC,
        ),
        Field(
            "ozcs",
            2,
            2,
            "optional capabilities",
            bits=OZCS,
        ),
        Field("mar", 4, 4, "active zones at most, FFFFFFFFh: no limit", zeroes_based=True),
        Field("mor", 8, 4, "open zones at most, FFFFFFFFh: no limit", zeroes_based=True),
        Field("rrl", 12, 4, "reset recommended limit", unit="s"),
        Field("frl", 16, 4, "finish recommended limit", unit="s"),
        Field("rrl1", 20, 4, "reset recommended limit 1", unit="s"),
        Field("rrl2", 24, 4, "reset recommended limit 2", unit="s"),
        Field("rrl3", 28, 4, "reset recommended limit 3", unit="s"),
        Field("frl1", 32, 4, "finish recommended limit 1", unit="s"),
        Field("frl2", 36, 4, "finish recommended limit 2", unit="s"),
        Field("frl3", 40, 4, "finish recommended limit 3", unit="s"),
        Field("numzrwa", 44, 4, "zone random write areas", zeroes_based=True),
        Field("zrwafg", 48, 2, "ZRWA flush granularity", unit="LBAs"),
        Field("zrwasz", 50, 2, "ZRWA size", unit="LBAs"),
        Field("zrwacap", 52, 1, "ZRWA", bits=ZRWACAP),
        Field("lbafe", 2816, 16, "LBA format extensions", count=64, kind="struct", struct=LBAFE),
        Field("vs", 3840, 256, "vendor specific", kind="bytes"),
    ),
    text="Identify Namespace, Zoned Namespace Command Set specific",
    section="ZNS 4.1.5.1",
    label="CNS 05h",
    asserted=("lbafe",),
)

KVF = Structure(
    "KvFormat",
    "nvme_kvf",
    16,
    (
        Field("kml", 0, 2, "key length at most", unit="bytes"),
        Field("fopt", 3, 1, "additional options"),
        Field("vml", 4, 4, "value length at most", unit="bytes"),
        Field("mnk", 8, 4, "keys at most, 0: no limit"),
    ),
    text="KV Format",
    section="KV 4.1.5.1",
    label="KV format",
)

ID_NS_KV = Structure(
    "IdentifyNamespaceKv",
    "nvme_id_ns_kv",
    4096,
    (
        Field("nsze", 0, 8, "size", unit="bytes"),
        Field("nuse", 16, 8, "utilization", unit="bytes"),
        Field("nsfeat", 24, 1, "features", bits=(Bits("uidreuse", 3, text="NGUID and EUI64 are never used again"),)),
        Field("nkvf", 25, 1, "KV formats", zeroes_based=True),
        Field("nmic", 26, 1, "sharing", bits=NMIC),
        Field("rescap", 27, 1, "reservations", bits=RESCAP),
        Field("fpi", 28, 1, "format progress", bits=FPI),
        Field("novg", 32, 4, "optimal value granularity, 0: not reported", unit="bytes"),
        Field("anagrpid", 36, 4, "ANA group"),
        Field("nsattr", 43, 1, "attributes", bits=NSATTR),
        Field("nvmsetid", 44, 2, "NVM set"),
        Field("endgid", 46, 2, "endurance group"),
        Field("nguid", 48, 16, "namespace globally unique identifier", kind="bytes"),
        Field("eui64", 64, 8, "IEEE extended unique identifier", kind="bytes"),
        Field("kvf", 72, 16, "KV formats", count=16, kind="struct", struct=KVF),
        Field("vs", 3840, 256, "vendor specific", kind="bytes"),
    ),
    text="Identify Namespace, Key Value Command Set specific",
    section="KV 4.1.5.1",
    label="CNS 05h",
)

ID_CTRL_NVM = Structure(
    "IdentifyControllerNvm",
    "nvme_id_ctrl_nvm",
    4096,
    (
        Field("vsl", 0, 1, "Verify, 0: MDTS", unit="2^n pages of CAP.MPSMIN"),
        Field("wzsl", 1, 1, "Write Zeroes, 0: MDTS", unit="2^n pages of CAP.MPSMIN"),
        Field("wusl", 2, 1, "Write Uncorrectable, 0: MDTS", unit="2^n pages of CAP.MPSMIN"),
        Field("dmrl", 3, 1, "ranges of a Dataset Management, 0: no limit"),
        Field("dmrsl", 4, 4, "LBAs of one range, 0: no limit", unit="LBAs"),
        Field("dmsl", 8, 8, "LBAs of all ranges, 0: no limit", unit="LBAs"),
        Field("kpiocap", 16, 1, "key per I/O", since="2.1"),
        Field("wzdsl", 17, 1, "Write Zeroes with DEAC", unit="2^n pages of CAP.MPSMIN", since="2.1"),
        Field("aocs", 18, 2, "admin commands", since="2.1"),
        Field("ver", 20, 4, "version of the NVM Command Set Specification", bits=VERSION, since="2.1"),
        Field("lbamqf", 24, 1, "format of entries of an LBA migration queue", since="2.1"),
    ),
    text="Identify Controller, NVM command set specific",
    section="NVM 4.1.5.4",
    label="CNS 06h",
)

ID_CTRL_ZNS = Structure(
    "IdentifyControllerZns",
    "nvme_id_ctrl_zns",
    4096,
    (Field("zasl", 0, 1, "Zone Append, 0: MDTS", unit="2^n pages of CAP.MPSMIN"),),
    text="Identify Controller, Zoned Namespace Command Set specific",
    section="ZNS 4.1.5.2",
    label="CNS 06h",
)

ID_NS_INDEPENDENT = Structure(
    "IdentifyNamespaceIndependent",
    "nvme_id_ns_independent",
    4096,
    (
        Field(
            "nsfeat",
            0,
            1,
            "features",
            bits=(
                Bits("uidreuse", 3, text="NGUID and EUI64 are never used again"),
                Bits("rmedia", 4, text="rotational media", c="NVME_NSFEAT_RMEDIA"),
                Bits("vwcnp", 5, text="no volatile write cache", since="2.1"),
            ),
        ),
        Field("nmic", 1, 1, "sharing", bits=NMIC),
        Field("rescap", 2, 1, "reservations", bits=RESCAP),
        Field("fpi", 3, 1, "format progress", bits=FPI),
        Field("anagrpid", 4, 4, "ANA group"),
        Field("nsattr", 8, 1, "attributes", bits=NSATTR),
        Field("nvmsetid", 10, 2, "NVM set"),
        Field("endgid", 12, 2, "endurance group"),
        Field("nstat", 14, 1, "status", bits=(Bits("nrdy", 0, text="ready"),)),
        Field("kpios", 15, 1, "key per I/O", since="2.1"),
        Field("maxkt", 16, 2, "key tags at most", zeroes_based=True, since="2.1"),
        Field("rgrpid", 20, 4, "reachability group", since="2.1"),
    ),
    text="Identify Namespace, independent of the command set",
    section="5.1.13.2.8",
    label="CNS 08h",
)

NSID_LIST = Structure(
    "NamespaceList",
    "nvme_ns_list",
    4096,
    (Field("nsid", 0, 4, "NSIDs, ascending; 0: the list ends here", count=1024),),
    text="Namespace List: CNS 02h, 07h, 10h and 1Ah, and log page 04h",
    section="4.4.2",
    label="namespace list",
)

CTRL_LIST = Structure(
    "ControllerList",
    "nvme_ctrl_list",
    4096,
    (
        Field("numids", 0, 2, "identifiers"),
        Field("cntlid", 2, 2, "controllers, ascending", count=2047, counted_by="numids"),
    ),
    text="Controller List: CNS 12h and 13h, and the data of Namespace Attachment",
    section="4.4.1",
    label="controller list",
)

PRIMARY_CTRL_CAPS = Structure(
    "PrimaryControllerCapabilities",
    "nvme_primary_ctrl_caps",
    4096,
    (
        Field("cntlid", 0, 2, "controller ID"),
        Field("portid", 2, 2, "port"),
        Field(
            "crt",
            4,
            1,
            "resources",
            bits=(Bits("vqrs", 0, text="VQ resources"), Bits("virs", 1, text="VI resources")),
        ),
        Field("vqfrt", 32, 4, "VQ flexible resources, total"),
        Field("vqrfa", 36, 4, "VQ flexible resources, assigned to secondary controllers"),
        Field("vqrfap", 40, 2, "VQ flexible resources, of the primary controller"),
        Field("vqprt", 42, 2, "VQ private resources, total"),
        Field("vqfrsm", 44, 2, "VQ flexible resources of a secondary controller at most"),
        Field("vqgran", 46, 2, "VQ granularity"),
        Field("vifrt", 64, 4, "VI flexible resources, total"),
        Field("virfa", 68, 4, "VI flexible resources, assigned to secondary controllers"),
        Field("virfap", 72, 2, "VI flexible resources, of the primary controller"),
        Field("viprt", 74, 2, "VI private resources, total"),
        Field("vifrsm", 76, 2, "VI flexible resources of a secondary controller at most"),
        Field("vigran", 78, 2, "VI granularity"),
    ),
    text="Primary Controller Capabilities",
    section="5.1.13.3.1",
    label="CNS 14h",
)

SECONDARY_CTRL = Structure(
    "SecondaryController",
    "nvme_secondary_ctrl",
    32,
    (
        Field("scid", 0, 2, "secondary controller"),
        Field("pcid", 2, 2, "its primary controller"),
        Field("scs", 4, 1, "state", bits=(Bits("scst", 0, text="online"),)),
        Field("vfn", 8, 2, "virtual function"),
        Field("nvq", 10, 2, "VQ flexible resources"),
        Field("nvi", 12, 2, "VI flexible resources"),
    ),
    text="Secondary Controller Entry",
    section="5.1.13.3.2",
    label="secondary controller entry",
)

SECONDARY_CTRL_LIST = Structure(
    "SecondaryControllerList",
    "nvme_secondary_ctrl_list",
    4096,
    (
        Field("num", 0, 1, "entries"),
        Field(
            "entry",
            32,
            32,
            "secondary controllers",
            count=127,
            kind="struct",
            struct=SECONDARY_CTRL,
            counted_by="num",
        ),
    ),
    text="Secondary Controller List",
    section="5.1.13.3.2",
    label="CNS 15h",
)

GRANULARITY = Structure(
    "NamespaceGranularity",
    "nvme_ns_granularity",
    16,
    (
        Field("nszegran", 0, 8, "granularity of NSZE", unit="bytes"),
        Field("ncapgran", 8, 8, "granularity of NCAP", unit="bytes"),
    ),
    text="Namespace Granularity Descriptor",
    section="NVM 4.1.5.6",
    label="namespace granularity descriptor",
)

GRANULARITY_LIST = Structure(
    "NamespaceGranularityList",
    "nvme_ns_granularity_list",
    4096,
    (
        Field(
            "attributes",
            0,
            4,
            "attributes",
            bits=(Bits("gdv", 0, text="descriptor n belongs to LBA format n"),),
        ),
        Field("num", 4, 1, "descriptors", zeroes_based=True),
        Field("entry", 32, 16, "descriptors", count=16, kind="struct", struct=GRANULARITY),
    ),
    text="Namespace Granularity List",
    section="NVM 4.1.5.6",
    label="CNS 16h",
)

UUID_ENTRY = Structure(
    "UuidEntry",
    "nvme_uuid_entry",
    32,
    (
        Field(
            "header",
            0,
            1,
            "header",
            bits=(Bits("idassoc", 0, 1, "assigned by: 0 not reported, 1 VID, 2 SSVID"),),
        ),
        Field("uuid", 16, 16, "UUID, 0: the list ends here", kind="bytes"),
    ),
    text="UUID List Entry",
    section="5.1.13.2.15",
    label="UUID list entry",
)

UUID_LIST = Structure(
    "UuidList",
    "nvme_uuid_list",
    4096,
    (Field("entry", 32, 32, "UUIDs; entry 0 is UUID index 1", count=127, kind="struct", struct=UUID_ENTRY),),
    text="UUID List",
    section="5.1.13.2.15",
    label="CNS 17h",
)

DOMAIN = Structure(
    "Domain",
    "nvme_domain",
    128,
    (
        Field("domainid", 0, 2, "domain"),
        Field("tdomaincap", 16, 16, "total capacity", unit="bytes"),
        Field("udomaincap", 32, 16, "unallocated capacity", unit="bytes"),
        Field("mdegcap", 48, 16, "capacity of an endurance group at most", unit="bytes"),
    ),
    text="Domain Attributes Entry",
    section="5.1.13.2.16",
    label="domain attributes entry",
)

DOMAIN_LIST = Structure(
    "DomainList",
    "nvme_domain_list",
    4096,
    (
        Field("num", 0, 1, "entries"),
        Field("entry", 128, 128, "domains", count=31, kind="struct", struct=DOMAIN, counted_by="num"),
    ),
    text="Domain List",
    section="5.1.13.2.16",
    label="CNS 18h",
)

ENDURANCE_GROUP_LIST = Structure(
    "EnduranceGroupList",
    "nvme_endurance_group_list",
    4096,
    (
        Field("num", 0, 2, "identifiers"),
        Field("endgid", 2, 2, "endurance groups, ascending", count=2047, counted_by="num"),
    ),
    text="Endurance Group List",
    section="5.1.13.2.17",
    label="CNS 19h",
)

COMMAND_SETS = Structure(
    "CommandSetVectors",
    "nvme_command_sets",
    4096,
    (
        Field(
            "iocsc",
            0,
            8,
            "combinations of command sets that feature 19h selects, bit = CSI",
            count=512,
            bits=(
                Bits("nvmcs", 0, text="NVM"),
                Bits("kvcs", 1, text="Key Value"),
                Bits("zncs", 2, text="Zoned Namespace"),
                Bits("slmcs", 3, text="Subsystem Local Memory", since="2.1"),
                Bits("cpncs", 4, text="Computational Programs", since="2.1"),
            ),
        ),
    ),
    text="I/O Command Set Vectors",
    section="5.1.13.2.20",
    label="CNS 1Ch",
)

UNDERLYING_NS = Structure(
    "UnderlyingNs",
    "nvme_underlying_ns",
    320,
    (
        Field("unsnqn", 0, 256, "NQN of the subsystem that has the namespace", kind="utf8"),
        Field("nsid", 256, 4, "namespace there"),
        Field("cntlid", 260, 2, "controller there"),
    ),
    text="Underlying Namespace Entry",
    section="5.1.13.4.1",
    label="underlying namespace entry",
)

UNDERLYING_NS_LIST = Structure(
    "UnderlyingNsList",
    "nvme_underlying_ns_list",
    16,
    (
        Field("genctr", 0, 8, "generation counter"),
        Field("nument", 8, 8, "entries"),
        Field("entry", 16, 320, "namespaces", count=0, kind="struct", struct=UNDERLYING_NS, counted_by="nument"),
    ),
    text="Underlying Namespace List",
    section="5.1.13.4.1",
    label="CNS 1Dh",
)

PORT = Structure(
    "Port",
    "nvme_port",
    576,
    (
        Field("traddr", 0, 256, "transport address", kind="ascii"),
        Field("tsas", 256, 256, "transport specific address subtype", kind="bytes"),
        Field("pid", 512, 2, "port"),
        Field("trtype", 514, 1, "transport type"),
        Field("adrfam", 515, 1, "address family"),
        Field("treq", 516, 1, "transport requirements"),
    ),
    text="Port Entry",
    section="5.1.13.4.2",
    label="port entry",
)

PORTS_LIST = Structure(
    "PortsList",
    "nvme_ports_list",
    16,
    (
        Field("genctr", 0, 8, "generation counter"),
        Field("nument", 8, 8, "entries"),
        Field("entry", 16, 576, "ports", count=0, kind="struct", struct=PORT, counted_by="nument"),
    ),
    text="Ports List",
    section="5.1.13.4.2",
    label="CNS 1Eh",
)

CONTROLLER_STATE_FORMATS = Structure(
    "ControllerStateFormats",
    "nvme_controller_state_formats",
    2,
    (
        Field("nv", 0, 1, "versions of the NVMe controller state"),
        Field("nuuid", 1, 1, "UUIDs of vendor specific states"),
        Field("formats", 2, 1, "the versions, 2 bytes each, then the UUIDs", count=0, kind="bytes"),
    ),
    text="Supported Controller State Formats",
    section="5.1.13.2.21",
    label="CNS 20h",
)

RETURNED = Table(
    "IDENTIFY",
    "The structure that Identify returns, by CNS and CSI. If CSI is None, all command sets have it.",
    {
        (0x00, None): ID_NS,
        (0x01, None): ID_CTRL,
        (0x02, None): NSID_LIST,
        (0x03, None): NS_ID_LIST,
        (0x04, None): NVM_SET_LIST,
        (0x05, 0): ID_NS_NVM,
        (0x05, 1): ID_NS_KV,
        (0x05, 2): ID_NS_ZNS,
        (0x06, 0): ID_CTRL_NVM,
        (0x06, 2): ID_CTRL_ZNS,
        (0x07, None): NSID_LIST,
        (0x08, None): ID_NS_INDEPENDENT,
        (0x09, None): ID_NS,
        (0x0A, 0): ID_NS_NVM,
        (0x0A, 1): ID_NS_KV,
        (0x0A, 2): ID_NS_ZNS,
        (0x10, None): NSID_LIST,
        (0x11, None): ID_NS,
        (0x12, None): CTRL_LIST,
        (0x13, None): CTRL_LIST,
        (0x14, None): PRIMARY_CTRL_CAPS,
        (0x15, None): SECONDARY_CTRL_LIST,
        (0x16, None): GRANULARITY_LIST,
        (0x17, None): UUID_LIST,
        (0x18, None): DOMAIN_LIST,
        (0x19, None): ENDURANCE_GROUP_LIST,
        (0x1A, None): NSID_LIST,
        (0x1B, 0): ID_NS_NVM,
        (0x1B, 1): ID_NS_KV,
        (0x1B, 2): ID_NS_ZNS,
        (0x1C, None): COMMAND_SETS,
        (0x1D, None): UNDERLYING_NS_LIST,
        (0x1E, None): PORTS_LIST,
        (0x1F, None): ID_NS_INDEPENDENT,
        (0x20, None): CONTROLLER_STATE_FORMATS,
    },
)

HEADERS = (
    Header(
        "nvme_id_list.h",
        "The lists of Identify: of namespaces, controllers, NVM sets, endurance groups and command sets.\n"
        "NVM Express Base Specification 2.1, section 5.1.13. Layout only, no behaviour.",
        (
            NSID_LIST,
            CTRL_LIST,
            NVM_SET,
            NVM_SET_LIST,
            PRIMARY_CTRL_CAPS,
            SECONDARY_CTRL,
            SECONDARY_CTRL_LIST,
            GRANULARITY,
            GRANULARITY_LIST,
            UUID_ENTRY,
            UUID_LIST,
            DOMAIN,
            DOMAIN_LIST,
            ENDURANCE_GROUP_LIST,
            COMMAND_SETS,
            UNDERLYING_NS,
            UNDERLYING_NS_LIST,
            PORT,
            PORTS_LIST,
            CONTROLLER_STATE_FORMATS,
        ),
    ),
    Header(
        "nvme_id.h",
        "The data structures of Identify, and the values of its CNS field.\n"
        "NVM Express Base Specification 2.1, section 5.1.13; NVM Command Set Specification 1.1, section 4.1.5.\n"
        "Fields bear the specification's acronyms. Layout only, no behaviour. Host and virtual SSD both include it.\n"
        "Packed, since a structure may lie at any address in a buffer. Read fields, do not take pointers to them.\n"
        "128-bit numbers are two little-endian halves, the low one first.",
        (
            Constant("NVME_IDENTIFY_SIZE", 4096),
            Constant("NVME_NSID_ALL", 0xFFFFFFFF, "broadcast", form="UINT32_C({:#x})"),
            Constant("NVME_NSID_LAST", 0xFFFFFFFE, "no list goes beyond", form="UINT32_C({:#x})"),
            CNS,
            enums.COMMAND_SET,
            POWER_STATE,
            BitGroup(POWER_STATE_FLAGS),
            CNTRLTYPE,
            ID_CTRL,
            BitGroup(CMIC, "CMIC"),
            BitGroup(ANACAP, "ANACAP"),
            BitGroup(OAES, "OAES"),
            BitGroup(FRMW, "FRMW"),
            Constant("NVME_FWUG_UNIT", 4096, "bytes"),
            BitGroup(DSTO, "DSTO"),
            BitGroup(CTRATT, "CTRATT"),
            BitGroup(OACS, "OACS"),
            BitGroup(SANICAP, "SANICAP"),
            BitGroup(LPA, "LPA"),
            BitGroup(ONCS, "ONCS"),
            BitGroup(FUSES, "FUSES"),
            BitGroup(FNA, "FNA"),
            BitGroup(
                (
                    VWC[0],
                    Bits(
                        "flush_all",
                        1,
                        2,
                        "Flush takes NSID FFFFFFFFh",
                        c="NVME_VWC_FLUSH_ALL",
                        style="value",
                        number=3,
                    ),
                    Bits("flush_not_all", 1, 2, c="NVME_VWC_FLUSH_NOT_ALL", style="value", number=2),
                ),
                "VWC",
            ),
            BitGroup(
                (
                    Bits("bytes", 0, 1, "no alignment", c="NVME_SGLS_BYTES", style="value", number=1),
                    Bits("dwords", 0, 1, "aligned to dwords", c="NVME_SGLS_DWORDS", style="value", number=2),
                    *SGLS[3:7],
                ),
                "SGLS",
            ),
            LBAF,
            ID_NS,
            BitGroup(NSFEAT, "NSFEAT"),
            BitGroup(FLBAS, "FLBAS"),
            BitGroup(DPC, "DPC"),
            BitGroup(DPS, "DPS"),
            BitGroup(RESCAP, "RESCAP"),
            BitGroup(
                (
                    Bits(
                        "zeroes",
                        0,
                        2,
                        "deallocated LBAs read zeroes",
                        c="NVME_DLFEAT_ZEROES",
                        style="value",
                        number=1,
                    ),
                    DLFEAT[1],
                ),
                "DLFEAT",
            ),
            NS_ID_DESCRIPTOR,
            NIDT,
            PIF,
            ID_NS_NVM,
            BitGroup(PIC, "PIC"),
            BitGroup(ELBAF, "ELBAF"),
            LBAFE,
            ID_NS_ZNS,
            BitGroup(ZOC, "ZOC"),
            BitGroup(OZCS, "OZCS"),
            BitGroup(ZRWACAP, "ZRWACAP"),
            KVF,
            ID_NS_KV,
            ID_CTRL_NVM,
            ID_CTRL_ZNS,
            ID_NS_INDEPENDENT,
            BitGroup(ID_NS_INDEPENDENT.fields[0].bits, "NSFEAT of CNS 08h"),
        ),
        includes=("stddef.h", "stdint.h", "spec/nvme_id_list.h"),
    ),
)
