# SPDX-License-Identifier: BSD-3-Clause
"""NVMe-MI: commands and data structures.

Section numbers are those of the NVM Express Management Interface Specification 2.0.
"""

from __future__ import annotations

from spec.schema import Bits, Enum, Field, Header, Structure, Value, Word

MI_OPCODE = Enum(
    "MiOpcode",
    "nvme_mi_opcode",
    "NVME_MI_",
    (
        Value("read_data_structure", 0x00),
        Value("subsystem_health_status_poll", 0x01),
        Value("controller_health_status_poll", 0x02),
        Value("configuration_set", 0x03),
        Value("configuration_get", 0x04),
        Value("vpd_read", 0x05),
        Value("vpd_write", 0x06),
        Value("reset", 0x07),
        Value("ses_receive", 0x08),
        Value("ses_send", 0x09),
        Value("endpoint_buffer_read", 0x0A),
        Value("endpoint_buffer_write", 0x0B),
        Value("shutdown", 0x0C),
    ),
    text="opcodes of the Management Interface Command Set",
    section="5",
)

MI_MESSAGE_TYPE = Enum(
    "MiMessageType",
    "nvme_mi_message_type",
    "NVME_MI_TYPE_",
    (
        Value("primitive", 0x0, "control primitive"),
        Value("command", 0x1, "command of the interface"),
        Value("admin", 0x2, "admin command"),
        Value("pcie", 0x4, "PCIe command"),
    ),
    text="NMIMT of a message",
    section="3.1",
)

MI_PRIMITIVE = Enum(
    "MiPrimitive",
    "nvme_mi_primitive",
    "NVME_MI_PRIMITIVE_",
    (
        Value("pause", 0x00),
        Value("resume", 0x01),
        Value("abort", 0x02),
        Value("get_state", 0x03),
        Value("replay", 0x04),
    ),
    text="control primitives",
    section="4.2.1",
)

MI_PCIE_OPCODE = Enum(
    "MiPcieOpcode",
    "nvme_mi_pcie_opcode",
    "NVME_MI_PCIE_",
    (
        Value("config_read", 0x00),
        Value("config_write", 0x01),
        Value("memory_read", 0x02),
        Value("memory_write", 0x03),
        Value("io_read", 0x04),
        Value("io_write", 0x05),
    ),
    text="opcodes of the PCIe Command Set",
    section="7",
)

MI_CONFIGURATION = Enum(
    "MiConfiguration",
    "nvme_mi_configuration",
    "NVME_MI_CONFIG_",
    (
        Value("smbus_frequency", 0x01),
        Value("health_status_change", 0x02),
        Value("transmission_unit", 0x03),
    ),
    text="identifiers of Configuration Get and Set",
    section="5.1",
)

MI_DATA_TYPE = Enum(
    "MiDataType",
    "nvme_mi_data_type",
    "NVME_MI_DATA_",
    (
        Value("subsystem", 0x00),
        Value("port", 0x01),
        Value("controller_list", 0x02),
        Value("controller", 0x03),
        Value("optional_commands", 0x04),
        Value("endpoint_commands", 0x05),
    ),
    text="DTYP of Read NVMe-MI Data Structure",
    section="5.7",
)

MI_STATUS = Enum(
    "MiStatus",
    "nvme_mi_status",
    "NVME_MI_STATUS_",
    (
        Value("success", 0x00),
        Value("more_processing_required", 0x01),
        Value("internal_error", 0x02),
        Value("invalid_opcode", 0x03),
        Value("invalid_parameter", 0x04),
        Value("invalid_command_size", 0x05),
        Value("invalid_input_size", 0x06),
        Value("access_denied", 0x07),
        Value("vpd_updates_exceeded", 0x20),
        Value("pcie_inaccessible", 0x21),
        Value("sanitized_data", 0x22),
        Value("enclosure_services_failure", 0x23),
        Value("enclosure_transfer_failure", 0x24),
        Value("enclosure_failure", 0x25),
        Value("enclosure_refused", 0x26),
        Value("enclosure_unsupported", 0x27),
        Value("enclosure_unavailable", 0x28),
        Value("enclosure_degraded", 0x29),
        Value("sanitize_in_progress", 0x2A),
    ),
    text="status of a response",
    section="4.1.2",
)

MI_DWORD0 = Word(
    "MiDataStructureRequest",
    4,
    (
        Bits("ctrlid", 0, 15, "controller"),
        Bits("portid", 16, 23, "port"),
        Bits("dtyp", 24, 31, "which structure", values=MI_DATA_TYPE),
    ),
    text="dword 0 of Read NVMe-MI Data Structure",
    section="5.7",
)

MI_SUBSYSTEM = Structure(
    "MiSubsystem",
    "nvme_mi_subsystem",
    32,
    (
        Field("nump", 0, 1, "ports", zeroes_based=True),
        Field("mjr", 1, 1, "major version of the Management Interface"),
        Field("mnr", 2, 1, "minor version of the Management Interface"),
    ),
    text="NVM Subsystem Information, DTYP 00h",
    section="5.7.1",
    label="NVM subsystem information",
)

MI_PORT = Structure(
    "MiPort",
    "nvme_mi_port",
    32,
    (
        Field("prttyp", 0, 1, "port type: 0 inactive, 1 PCIe, 2 SMBus"),
        Field("mmctptus", 2, 2, "MCTP transmission unit at most", unit="bytes"),
        Field("meb", 4, 4, "management endpoint buffer", unit="bytes"),
        Field("mps", 8, 1, "PCIe: maximum payload, 128 << n bytes"),
        Field("slsv", 9, 1, "PCIe: supported link speeds, one a bit"),
        Field("cls", 10, 1, "PCIe: current link speed"),
        Field("mlw", 11, 1, "PCIe: maximum link width"),
        Field("nlw", 12, 1, "PCIe: negotiated link width"),
        Field("pn", 13, 1, "PCIe: port number"),
    ),
    text="Port Information of a PCIe port, DTYP 01h",
    section="5.7.2",
    label="port information",
)

MI_CONTROLLER = Structure(
    "MiController",
    "nvme_mi_controller",
    32,
    (
        Field("portid", 0, 1, "port"),
        Field("prii", 5, 1, "PCIe routing ID", bits=(Bits("pcieriv", 0, text="PRI is valid"),)),
        Field(
            "pri",
            6,
            2,
            "PCIe routing ID",
            bits=(Bits("pcifn", 0, 2, "function"), Bits("pcidn", 3, 7, "device"), Bits("pcibn", 8, 15, "bus")),
        ),
        Field("vid", 8, 2, "PCI Vendor ID", hex=True),
        Field("did", 10, 2, "PCI Device ID"),
        Field("ssvid", 12, 2, "PCI Subsystem Vendor ID", hex=True),
        Field("ssid", 14, 2, "PCI Subsystem Device ID"),
    ),
    text="Controller Information, DTYP 03h",
    section="5.7.4",
    label="controller information",
)

MI_COMMAND = Structure(
    "MiCommand",
    "nvme_mi_command",
    2,
    (
        Field("cmdt", 0, 1, "command type", bits=(Bits("nmimt", 3, 6, "NVMe-MI message type"),)),
        Field("opc", 1, 1, "opcode"),
    ),
    text="an entry of the Optionally Supported Command List",
    section="5.7.5",
    label="optionally supported command",
)

MI_COMMAND_LIST = Structure(
    "MiCommandList",
    "nvme_mi_command_list",
    2,
    (
        Field("numcmd", 0, 2, "commands"),
        Field("commands", 2, 2, "commands", count=0, kind="struct", struct=MI_COMMAND, counted_by="numcmd"),
    ),
    text="Optionally Supported Command List, DTYP 04h",
    section="5.7.5",
    label="optionally supported command list",
)

CCS = (
    Bits("rdy", 0, text="ready"),
    Bits("cfs", 1, text="controller fatal status"),
    Bits("shst", 2, 3, "shutdown status"),
    Bits("nssro", 4, text="subsystem reset occurred"),
    Bits("ceco", 5, text="CC.EN has changed"),
    Bits("nac", 6, text="namespace attributes have changed"),
    Bits("fa", 7, text="firmware was activated"),
    Bits("csts", 8, text="the status has changed"),
    Bits("ctemp", 9, text="the temperature has changed"),
    Bits("pdlu", 10, text="the life that is used has changed"),
    Bits("spare", 11, text="available spare has changed"),
    Bits("ccwarn", 12, text="critical warnings have changed"),
)

MI_SUBSYSTEM_HEALTH = Structure(
    "MiSubsystemHealth",
    "nvme_mi_subsystem_health",
    8,
    (
        Field(
            "nss",
            0,
            1,
            "status",
            bits=(
                Bits("p1la", 2, text="the link of port 1 is up"),
                Bits("p0la", 3, text="the link of port 0 is up"),
                Bits("rnr", 4, text="no reset is required"),
                Bits("df", 5, text="the drive works"),
                Bits("sfm", 6, text="sanitize failure mode"),
            ),
        ),
        Field("sw", 1, 1, "SMART warnings, inverted: 0 is a warning"),
        Field("ctemp", 2, 1, "composite temperature, signed; 80h: not reported", unit="degrees Celsius"),
        Field("pdlu", 3, 1, "life that is used", unit="percent"),
        Field("ccs", 4, 2, "composite controller status: events in any controller", bits=CCS),
    ),
    text="NVM Subsystem Health, response of NVM Subsystem Health Status Poll",
    section="5.6",
    label="subsystem health",
)

MI_CONTROLLER_HEALTH = Structure(
    "MiControllerHealth",
    "nvme_mi_controller_health",
    16,
    (
        Field("ctlid", 0, 2, "controller"),
        Field(
            "csts",
            2,
            2,
            "status",
            bits=(
                Bits("rdy", 0, text="ready"),
                Bits("cfs", 1, text="controller fatal status"),
                Bits("shst", 2, 3, "shutdown status"),
                Bits("nssro", 4, text="subsystem reset occurred"),
                Bits("ceco", 5, text="CC.EN has changed"),
                Bits("nac", 6, text="namespace attributes have changed"),
                Bits("fa", 7, text="firmware was activated"),
            ),
        ),
        Field("ctemp", 4, 2, "composite temperature", unit="Kelvin"),
        Field("pdlu", 6, 1, "life that is used", unit="percent"),
        Field("spare", 7, 1, "available spare", unit="percent"),
        Field(
            "cwarn",
            8,
            1,
            "critical warnings",
            bits=(
                Bits("st", 0, text="spare"),
                Bits("taut", 1, text="temperature"),
                Bits("rd", 2, text="reliability"),
                Bits("ro", 3, text="read-only"),
                Bits("vmbf", 4, text="backup of volatile memory"),
                Bits("pmre", 5, text="persistent memory region"),
            ),
        ),
    ),
    text="Controller Health, an entry of the response of Controller Health Status Poll",
    section="5.3",
    label="controller health",
)

ENDPOINT_STATE = Word(
    "MiEndpointState",
    2,
    (
        Bits("ssta", 0, 1, "state of the command slot: 0 idle, 1 receive, 2 process, 3 transmit"),
        Bits("cmnics", 3, text="a command came for a slot that was not idle"),
        Bits("bmice", 4, text="a message had a wrong integrity check"),
        Bits("twpt", 5, text="a packet came too late"),
        Bits("utunt", 6, text="a transmission unit that is not supported"),
        Bits("bhvs", 7, text="a wrong header version"),
        Bits("udstid", 8, text="an unknown destination"),
        Bits("itu", 9, text="a wrong transmission unit"),
        Bits("umep", 10, text="an unexpected middle or end of a message"),
        Bits("oosps", 11, text="a packet out of sequence"),
        Bits("bumt", 12, text="a message tag that is wrong or has expired"),
        Bits("bpopl", 13, text="a bad packet, or another error of the physical layer"),
        Bits("nssro", 14, text="an NVM subsystem reset occurred"),
        Bits("pflg", 15, text="the endpoint is paused"),
    ),
    text="Management Endpoint State, result of the control primitive Get State",
    section="MI 4.2.1.4",
)

HEADERS = (
    Header(
        "nvme_mi.h",
        "NVMe-MI: opcodes, statuses and data structures.\n"
        "NVM Express Management Interface Specification 2.0, sections 4, 5 and 7.\n"
        "Layout only, no behaviour. Host and virtual SSD both include it.",
        (
            MI_OPCODE,
            MI_MESSAGE_TYPE,
            MI_PRIMITIVE,
            MI_PCIE_OPCODE,
            MI_CONFIGURATION,
            MI_DATA_TYPE,
            MI_STATUS,
            MI_SUBSYSTEM,
            MI_PORT,
            MI_CONTROLLER,
            MI_COMMAND,
            MI_COMMAND_LIST,
            MI_SUBSYSTEM_HEALTH,
            MI_CONTROLLER_HEALTH,
        ),
        includes=("stddef.h", "stdint.h"),
    ),
)
