# SPDX-License-Identifier: BSD-3-Clause
"""Log pages and features of the OCP Datacenter NVMe SSD specification, which a UUID index selects.

The UUID list (Identify, CNS 17h) has the UUID; Get Log Page and Get Features carry its index in command dword 14.
Each log page but C6h and C9h, which begin with them, ends with a version and a GUID, whose bytes are in little-endian
order. LID C8h is reserved.
"""

from __future__ import annotations

from spec.schema import BitGroup, Bits, Enum, Feature, Field, Header, Structure, Table, Value, Word

UUID = "c194d55b-e094-4794-a21d-29998f56be6f"

OCP_LID = Enum(
    "OcpLogId",
    "nvme_ocp_lid",
    "NVME_OCP_LOG_",
    (
        Value("smart", 0xC0, "SMART / Health Information Extended"),
        Value("error_recovery", 0xC1, "Error Recovery"),
        Value("firmware_history", 0xC2, "Firmware Activation History"),
        Value("latency", 0xC3, "Latency Monitor"),
        Value("capabilities", 0xC4, "Device Capabilities"),
        Value("unsupported", 0xC5, "Unsupported Requirements"),
        Value("hardware", 0xC6, "Hardware Component"),
        Value("tcg", 0xC7, "TCG Configuration"),
        Value("telemetry_strings", 0xC9, "Telemetry String"),
        Value("latency_debug", 0xCA, "debug telemetry of the latency monitor"),
    ),
    text="log pages of OCP",
)

OCP_FID = Enum(
    "OcpFeatureId",
    "nvme_ocp_fid",
    "NVME_OCP_FEAT_",
    (
        Value("error_injection", 0xC0, "Error Injection"),
        Value("clear_firmware_history", 0xC1, "Clear Firmware Update History"),
        Value("read_only_write_through", 0xC2, "EOL/PLP Failure Mode"),
        Value("clear_pcie_errors", 0xC3, "Clear PCIe Correctable Error Counters"),
        Value("ieee1667", 0xC4, "Enable IEEE1667 Silo"),
        Value("latency_monitor", 0xC5, "Latency Monitor"),
        Value("plp_health_check", 0xC6, "PLP Health Check Interval"),
        Value("power_state", 0xC7, "DSSD Power State"),
        Value("telemetry_profile", 0xC8, "Telemetry Profile"),
        Value("async_event", 0xC9, "DSSD Asynchronous Event Configuration"),
        Value("idle_wake_up", 0xCA, "Idle Wake Up Time Configuration"),
    ),
    text="features of OCP",
)


def tail(size: int) -> tuple[Field, Field]:
    """What ends a log page of `size` bytes."""
    return (
        Field("version", size - 18, 2, "version of the log page"),
        Field("guid", size - 16, 16, "GUID of the log page"),
    )


OCP_SMART = Structure(
    "OcpSmartLog",
    "nvme_ocp_smart_log",
    512,
    (
        Field("media_units_written", 0, 16, "physical media units written", unit="bytes"),
        Field("media_units_read", 16, 16, "physical media units read", unit="bytes"),
        Field("bad_user_blocks_raw", 32, 6, "bad user NAND blocks"),
        Field("bad_user_blocks_normalised", 38, 2, "bad user NAND blocks, normalised", unit="percent"),
        Field("bad_system_blocks_raw", 40, 6, "bad system NAND blocks"),
        Field("bad_system_blocks_normalised", 46, 2, "bad system NAND blocks, normalised", unit="percent"),
        Field("xor_recoveries", 48, 8, "XOR recoveries"),
        Field("uncorrectable_reads", 56, 8, "reads that could not be corrected"),
        Field("soft_ecc_errors", 64, 8, "soft ECC errors"),
        Field("e2e_detected", 72, 4, "end-to-end errors that were detected"),
        Field("e2e_corrected", 76, 4, "end-to-end errors that were corrected"),
        Field("system_data_used", 80, 1, "system data that are used", unit="percent"),
        Field("refresh_count", 81, 7, "refreshes"),
        Field("max_erase_count", 88, 4, "erases of a user block, the most"),
        Field("min_erase_count", 92, 4, "erases of a user block, the least"),
        Field("throttling_events", 96, 1, "thermal throttling events"),
        Field("throttling_status", 97, 1, "thermal throttling, current"),
        Field("dssd_errata", 98, 1, "version of the OCP specification: errata"),
        Field("dssd_point", 99, 2, "version of the OCP specification: point"),
        Field("dssd_minor", 101, 2, "version of the OCP specification: minor"),
        Field("dssd_major", 103, 1, "version of the OCP specification: major"),
        Field("pcie_correctable_errors", 104, 8, "PCIe correctable errors"),
        Field("incomplete_shutdowns", 112, 4, "incomplete shutdowns"),
        Field("free_blocks", 120, 1, "free blocks", unit="percent"),
        Field("capacitor_health", 128, 2, "capacitor health, FFFFh: there is none", unit="percent"),
        Field("errata_base", 130, 1, "errata of the Base Specification"),
        Field("errata_command_set", 131, 1, "errata of the command set's specification"),
        Field("errata_pcie", 132, 1, "errata of the PCIe transport's specification"),
        Field("errata_mi", 133, 1, "errata of the management interface's specification"),
        Field("unaligned_io", 136, 8, "unaligned I/O"),
        Field("security_version", 144, 8, "security version"),
        Field("total_nuse", 152, 8, "NUSE of all namespaces"),
        Field("plp_starts", 160, 16, "starts of power loss protection"),
        Field("endurance_estimate", 176, 16, "endurance estimate", unit="bytes"),
        Field("link_retrains", 192, 8, "PCIe link retrainings"),
        Field("power_state_changes", 200, 8, "power state changes"),
        Field("lowest_firmware", 208, 8, "lowest firmware revision that is permitted", kind="ascii"),
        Field("dies", 216, 2, "media dies"),
        Field("die_tolerance", 218, 2, "dies that may fail"),
        Field("dies_offline", 220, 2, "dies that are offline"),
        Field("max_temperature", 222, 1, "highest temperature that was recorded", unit="degrees Celsius"),
        Field("form_factor", 223, 1, "form factor"),
        Field("average_erase_count", 224, 8, "erases of a user block, average"),
        Field("command_timeouts", 232, 4, "command time-outs"),
        Field("system_program_fails_raw", 236, 4, "program failures of the system area"),
        Field("system_program_fails_normalised", 240, 1, "the same, normalised", unit="percent"),
        Field("system_read_fails_raw", 244, 4, "uncorrectable reads of the system area"),
        Field("system_read_fails_normalised", 248, 1, "the same, normalised", unit="percent"),
        Field("system_erase_fails_raw", 252, 4, "erase failures of the system area"),
        Field("system_erase_fails_normalised", 256, 1, "the same, normalised", unit="percent"),
        Field("max_peak_power", 260, 2, "peak power that the drive can need"),
        Field("max_average_power", 262, 2, "average power that the drive can need"),
        Field("lifetime_energy", 264, 6, "energy over the life of the drive"),
        Field("firmware_revision", 270, 8, "firmware revision", kind="ascii"),
        Field("build_uuid", 278, 16, "UUID of the firmware's build", kind="bytes"),
        Field("build_label", 294, 64, "label of the firmware's build", kind="ascii"),
        Field("bad_blocks_in_use_raw", 358, 6, "bad blocks of dies in use"),
        Field("bad_blocks_in_use_normalised", 364, 2, "bad blocks of dies in use, normalised", unit="percent"),
        *tail(512),
    ),
    text="OCP SMART / Health Information Extended, LID C0h",
    label="LID C0h",
)

PANIC_ACTIONS = (
    Bits("controller_reset", 0, text="a controller level reset", c="NVME_OCP_HELPS_CONTROLLER_RESET"),
    Bits("pcie_reset", 1, text="a PCIe reset", c="NVME_OCP_HELPS_PCIE_RESET"),
    Bits("subsystem_reset", 2, text="an NVM subsystem reset", c="NVME_OCP_HELPS_SUBSYSTEM_RESET"),
    Bits("power_cycle", 3, text="a power cycle", c="NVME_OCP_HELPS_POWER_CYCLE"),
)

OCP_ERROR_RECOVERY = Structure(
    "OcpErrorRecoveryLog",
    "nvme_ocp_error_recovery_log",
    512,
    (
        Field("panic_reset_wait", 0x00, 2, "time to wait before a reset", unit="ms"),
        Field("panic_reset_action", 0x02, 1, "resets that help", bits=PANIC_ACTIONS),
        Field("recovery_action_1", 0x03, 1, "recovery action 1"),
        Field("panic_id", 0x04, 8, "panic that has occurred, 0: none"),
        Field("capabilities", 0x0C, 4, "device capabilities"),
        Field("vendor_opcode", 0x10, 1, "opcode of the vendor's recovery command"),
        Field("vendor_cdw12", 0x14, 4, "its dword 12"),
        Field("vendor_cdw13", 0x18, 4, "its dword 13"),
        Field("vendor_timeout", 0x1C, 1, "its time-out"),
        Field("recovery_action_2", 0x1D, 1, "recovery action 2"),
        Field("recovery_timeout_2", 0x1E, 1, "time-out of recovery action 2"),
        Field("panic_count", 0x1F, 1, "panics"),
        Field("previous_panic_ids", 0x20, 8, "four panics before, the newest comes first", count=4),
        *tail(512),
    ),
    text="OCP Error Recovery, LID C1h",
    label="LID C1h",
)

OCP_FIRMWARE_ENTRY = Structure(
    "OcpFirmwareActivation",
    "nvme_ocp_firmware_activation",
    64,
    (
        Field("version", 0, 1, "version of the entry"),
        Field("length", 1, 1, "length of the entry", unit="bytes"),
        Field("count", 4, 2, "activations"),
        Field("timestamp", 6, 8, "time stamp", unit="ms"),
        Field("power_cycles", 22, 8, "power cycles"),
        Field("previous", 30, 8, "revision before", kind="ascii"),
        Field("new", 38, 8, "revision after", kind="ascii"),
        Field("slot", 46, 1, "slot"),
        Field("action", 47, 1, "commit action"),
        Field("result", 48, 2, "result, 0: success"),
    ),
    text="OCP firmware activation history entry",
    label="OCP firmware activation",
)

OCP_FIRMWARE_HISTORY = Structure(
    "OcpFirmwareHistoryLog",
    "nvme_ocp_firmware_history_log",
    4096,
    (
        Field("lid", 0, 1, "log page"),
        Field("valid", 4, 4, "entries"),
        Field(
            "entries",
            8,
            64,
            "entries",
            count=20,
            kind="struct",
            struct=OCP_FIRMWARE_ENTRY,
            counted_by="valid",
        ),
        *tail(4096),
    ),
    text="OCP Firmware Activation History, LID C2h; obsolete in newer editions",
    label="LID C2h",
)

OCP_BUCKET = Structure(
    "OcpLatencyCounters",
    "nvme_ocp_latency_counters",
    16,
    (
        Field("trim", 4, 4, "Dataset Management commands"),
        Field("write", 8, 4, "writes"),
        Field("read", 12, 4, "reads"),
    ),
    text="OCP latency counters of a bucket",
    label="OCP latency counters",
)

OCP_STAMPS = Structure(
    "OcpLatencyStamps",
    "nvme_ocp_latency_stamps",
    24,
    (
        Field("trim", 0, 8, "Dataset Management commands"),
        Field("write", 8, 8, "writes"),
        Field("read", 16, 8, "reads"),
    ),
    text="OCP latency time stamps of a bucket",
    label="OCP latency time stamps",
)

OCP_MEASURED = Structure(
    "OcpMeasuredLatency",
    "nvme_ocp_measured_latency",
    6,
    (
        Field("trim", 0, 2, "Dataset Management commands", unit="ms"),
        Field("write", 2, 2, "writes", unit="ms"),
        Field("read", 4, 2, "reads", unit="ms"),
    ),
    text="OCP measured latency of a bucket",
    label="OCP measured latency",
)

LATENCY_STATUS = (
    Bits("enabled", 0, text="the monitor counts", c="NVME_OCP_LATENCY_ENABLED"),
    Bits("mode", 1, text="it has the active latency mode", c="NVME_OCP_LATENCY_MODE"),
    Bits("measured", 2, text="it has measured latencies", c="NVME_OCP_LATENCY_MEASURED"),
)

OCP_LATENCY = Structure(
    "OcpLatencyLog",
    "nvme_ocp_latency_log",
    512,
    (
        Field("feature_status", 0x00, 1, "support and state of the feature", bits=LATENCY_STATUS),
        Field("bucket_timer", 0x02, 2, "age of the active buckets", unit="5 minutes"),
        Field("bucket_timer_threshold", 0x04, 2, "when active buckets become static", unit="5 minutes"),
        Field("threshold_a", 0x06, 1, "threshold A", unit="5 ms", zeroes_based=True),
        Field("threshold_b", 0x07, 1, "threshold B", unit="5 ms", zeroes_based=True),
        Field("threshold_c", 0x08, 1, "threshold C", unit="5 ms", zeroes_based=True),
        Field("threshold_d", 0x09, 1, "threshold D", unit="5 ms", zeroes_based=True),
        Field(
            "configuration", 0x0A, 2, "active latency mode: bits 3n to 3n + 2 for reads, writes and trims of bucket n"
        ),
        Field("minimum_window", 0x0C, 1, "minimum window", unit="100 ms"),
        Field("active_counters", 0x20, 16, "active buckets 0 to 3", count=4, kind="struct", struct=OCP_BUCKET),
        Field(
            "active_stamps",
            0x60,
            24,
            "active time stamps, those of bucket 3 come first",
            count=4,
            kind="struct",
            struct=OCP_STAMPS,
        ),
        Field(
            "active_latency",
            0xC0,
            6,
            "active measured latency, as the stamps",
            count=4,
            kind="struct",
            struct=OCP_MEASURED,
        ),
        Field("active_stamp_units", 0xD8, 2, "units of the active time stamps"),
        Field("static_counters", 0xF0, 16, "static buckets 0 to 3", count=4, kind="struct", struct=OCP_BUCKET),
        Field(
            "static_stamps",
            0x130,
            24,
            "static time stamps, as the active ones",
            count=4,
            kind="struct",
            struct=OCP_STAMPS,
        ),
        Field(
            "static_latency",
            0x190,
            6,
            "static measured latency, as the stamps",
            count=4,
            kind="struct",
            struct=OCP_MEASURED,
        ),
        Field("static_stamp_units", 0x1A8, 2, "units of the static time stamps"),
        Field("debug_size", 0x1B4, 12, "size of the debug log", kind="bytes"),
        Field("debug_trigger", 0x1C0, 2, "trigger of a debug log"),
        Field("debug_latency", 0x1C2, 2, "latency that triggered it", unit="ms"),
        Field("debug_stamp", 0x1C4, 8, "its time stamp"),
        Field("debug_pointer", 0x1CC, 2, "debug log pointer"),
        Field("debug_counter_trigger", 0x1CE, 2, "counter that triggered it"),
        Field("debug_stamp_units", 0x1D0, 1, "units of its time stamp"),
        *tail(512),
    ),
    text="OCP Latency Monitor, LID C3h",
    label="LID C3h",
)

OCP_CAPABILITIES_PS = (
    Bits("ps", 0, 4, "NVMe power state", c="NVME_OCP_POWER_STATE_PS"),
    Bits("valid", 7, text="valid", c="NVME_OCP_POWER_STATE_VALID"),
)

OCP_CAPABILITIES = Structure(
    "OcpCapabilitiesLog",
    "nvme_ocp_capabilities_log",
    4096,
    (
        Field("pcie_ports", 0, 2, "PCIe ports"),
        Field("oob_management", 2, 2, "out of band management"),
        Field("write_zeroes", 4, 2, "Write Zeroes"),
        Field("sanitize", 6, 2, "Sanitize"),
        Field("dsm", 8, 2, "Dataset Management"),
        Field("write_uncorrectable", 10, 2, "Write Uncorrectable"),
        Field("fused", 12, 2, "fused operations"),
        Field("min_power_state", 14, 2, "lowest DSSD power state"),
        Field(
            "power_states",
            16,
            1,
            "DSSD power states, one for each watt; 0 W is reserved",
            count=128,
            bits=OCP_CAPABILITIES_PS,
        ),
        *tail(4096),
    ),
    text="OCP Device Capabilities, LID C4h",
    label="LID C4h",
)

OCP_UNSUPPORTED = Structure(
    "OcpUnsupportedLog",
    "nvme_ocp_unsupported_log",
    4096,
    (
        Field("count", 0, 2, "requirements"),
        Field("requirements", 16, 16, "their identifiers", count=253, kind="ascii", counted_by="count"),
        *tail(4096),
    ),
    text="OCP Unsupported Requirements, LID C5h",
    label="LID C5h",
)

OCP_COMPONENT_ID = Enum(
    "OcpComponentId",
    "nvme_ocp_component_id",
    "NVME_OCP_COMPONENT_",
    (
        Value("asic", 1, "controller ASIC"),
        Value("nand", 2, "NAND"),
        Value("dram", 3, "DRAM"),
        Value("pmic", 4, "PMIC"),
        Value("pcb", 5, "PCB"),
        Value("capacitor", 6, "capacitor"),
        Value("regulator", 7, "regulator"),
        Value("case", 8, "case"),
        Value("serial_number", 9, "serial number of the device"),
        Value("country", 10, "country of origin"),
        Value("hardware_revision", 11, "global hardware revision of the device"),
        Value("born_on", 12, "born-on date"),
    ),
    text="hardware components of log page C6h; from 8000h on the vendor's",
    digits=0,
)

OCP_COMPONENT = Structure(
    "OcpComponent",
    "nvme_ocp_component",
    44,
    (
        Field("date_lot_size", 0, 8, "length of the date and lot code", unit="dwords"),
        Field("additional_size", 8, 8, "length of additional information", unit="dwords"),
        Field("id", 16, 4, "the component, 8000h and above: the vendor's", values=OCP_COMPONENT_ID),
        Field("manufacturer", 20, 8, "manufacturer", kind="ascii"),
        Field("revision", 28, 8, "revision", kind="ascii"),
        Field("manufacturer_code", 36, 8, "manufacturer's code", kind="ascii"),
        Field("data", 44, 1, "the date and lot code, then additional information", count=0, kind="bytes"),
    ),
    text="OCP hardware component descriptor",
    label="OCP hardware component",
    length=(44, ("date_lot_size", 4), ("additional_size", 4)),
)

OCP_HARDWARE = Structure(
    "OcpHardwareLog",
    "nvme_ocp_hardware_log",
    64,
    (
        Field("version", 0, 2, "version of the log page"),
        Field("guid", 16, 16, "GUID of the log page"),
        Field("size", 32, 16, "length of the log page, of version 1 in dwords, of later ones in bytes"),
        Field("components", 64, 44, "components", count=0, kind="struct", struct=OCP_COMPONENT, ends_with="id"),
    ),
    text="OCP Hardware Component, LID C6h",
    label="LID C6h",
)

OCP_STATISTIC_STRING = Structure(
    "OcpStatisticString",
    "nvme_ocp_statistic_string",
    16,
    (
        Field("id", 0, 2, "statistic identifier of the vendor", hex=True),
        Field("length", 3, 1, "length of its string", unit="bytes"),
        Field("offset", 4, 8, "where its string begins in the ASCII table", unit="bytes"),
    ),
    text="OCP Statistics Identifier String Table entry",
    label="OCP statistic string",
)

OCP_EVENT_STRING = Structure(
    "OcpEventString",
    "nvme_ocp_event_string",
    16,
    (
        Field("event_class", 0, 1, "debug event class"),
        Field("id", 1, 2, "event identifier", hex=True),
        Field("length", 3, 1, "length of its string", unit="bytes"),
        Field("offset", 4, 8, "where its string begins in the ASCII table", unit="bytes"),
    ),
    text="OCP Event String Table entry, also of events of the vendor",
    label="OCP event string",
)

OCP_TELEMETRY_STRINGS = Structure(
    "OcpTelemetryStringsLog",
    "nvme_ocp_telemetry_strings_log",
    432,
    (
        Field("version", 0, 1, "version of the log page"),
        Field("guid", 16, 16, "GUID of the log page"),
        Field("size", 32, 8, "length of the log page", unit="dwords"),
        Field("statistics_start", 64, 8, "where the Statistics Identifier String Table begins", unit="dwords"),
        Field("statistics_size", 72, 8, "its length", unit="dwords"),
        Field("events_start", 80, 8, "where the Event String Table begins", unit="dwords"),
        Field("events_size", 88, 8, "its length", unit="dwords"),
        Field("vendor_events_start", 96, 8, "where the VU Event String Table begins", unit="dwords"),
        Field("vendor_events_size", 104, 8, "its length", unit="dwords"),
        Field("ascii_start", 112, 8, "where the ASCII table begins", unit="dwords"),
        Field("ascii_size", 120, 8, "its length", unit="dwords"),
        Field("fifos", 128, 16, "names of the event FIFOs", count=16, kind="ascii"),
        Field("tables", 432, 1, "the tables; pynvme.ocp_strings decodes them", count=0, kind="bytes"),
    ),
    text="OCP Telemetry String, LID C9h. Starts count from the beginning of the log page.",
    label="LID C9h",
)

OCP_TCG = Structure(
    "OcpTcgLog",
    "nvme_ocp_tcg_log",
    512,
    (
        Field("state", 0, 1, "state of TCG"),
        Field("locking_sp_activations", 4, 1, "activations of the Locking SP"),
        Field("tper_reverts", 5, 1, "reverts of the TPer"),
        Field("locking_sp_reverts", 6, 1, "reverts of the Locking SP"),
        Field("locking_objects", 7, 1, "locking objects"),
        Field("single_user_objects", 8, 1, "locking objects in single user mode"),
        Field("range_objects", 9, 1, "locking objects with a range"),
        Field("namespace_objects", 10, 1, "locking objects with a namespace"),
        Field("read_locked_objects", 11, 1, "locking objects that are locked for reads"),
        Field("write_locked_objects", 12, 1, "locking objects that are locked for writes"),
        Field("read_unlocked_objects", 13, 1, "locking objects that are unlocked for reads"),
        Field("write_unlocked_objects", 14, 1, "locking objects that are unlocked for writes"),
        Field("sid_tries", 16, 4, "failed authentications of SID"),
        Field("sid_try_limit", 20, 4, "failed authentications of SID at most"),
        Field("programmatic_resets", 24, 4, "programmatic resets"),
        Field("programmatic_locks", 28, 4, "programmatic reset locks"),
        Field("errors", 32, 4, "errors of TCG"),
        Field("namespace_objects_ext", 36, 2, "locking objects with a namespace, wide"),
        *tail(512),
    ),
    text="OCP TCG Configuration, LID C7h",
    label="LID C7h",
)

OCP_ERROR = Enum(
    "OcpError",
    "nvme_ocp_error",
    "NVME_OCP_ERROR_",
    (
        Value("controller_hang", 1),
        Value("nand_hang", 2),
        Value("plp_defect", 3),
        Value("firmware_error", 4),
        Value("dram_critical", 5),
        Value("dram_non_critical", 6),
        Value("nand_corruption", 7),
        Value("sram_corruption", 8),
        Value("hardware_malfunction", 9),
        Value("no_spares", 10),
        Value("incomplete_shutdown", 11),
        Value("metadata_corruption", 12),
        Value("critical_garbage_collection", 13),
        Value("latency_spike", 14),
        Value("io_failure", 15),
        Value("io_timeout", 16),
        Value("admin_failure", 17),
        Value("admin_timeout", 18),
        Value("throttling_on", 19),
        Value("throttling_off", 20),
        Value("critical_temperature", 21),
        Value("die_offline", 22),
    ),
    text="errors that feature C0h injects",
    digits=0,
)

_INJECTION_FLAGS = (
    Bits("enable", 0, text="enabled", c="NVME_OCP_INJECTION_ENABLE"),
    Bits("single", 1, text="once", c="NVME_OCP_INJECTION_SINGLE"),
)

OCP_ERROR_INJECTION = Structure(
    "OcpErrorInjection",
    "nvme_ocp_error_injection",
    32,
    (
        Field(
            "flags",
            0,
            1,
            "flags",
            bits=_INJECTION_FLAGS,
        ),
        Field("type", 2, 2, "error", values=OCP_ERROR),
        Field("nrtdp", 4, 2, "reads until a device panic"),
    ),
    text="an entry of OCP feature C0h, Error Injection; up to 127 of them",
    label="OCP FID C0h",
)

OCP_LATENCY_CONFIG = Structure(
    "OcpLatencyConfig",
    "nvme_ocp_latency_config",
    4096,
    (
        Field("bucket_timer_threshold", 0x00, 2, "when active buckets become static", unit="5 minutes"),
        Field("threshold_a", 0x02, 1, "threshold A", unit="5 ms", zeroes_based=True),
        Field("threshold_b", 0x03, 1, "threshold B", unit="5 ms", zeroes_based=True),
        Field("threshold_c", 0x04, 1, "threshold C", unit="5 ms", zeroes_based=True),
        Field("threshold_d", 0x05, 1, "threshold D", unit="5 ms", zeroes_based=True),
        Field("configuration", 0x06, 2, "active latency mode, as in log page C3h"),
        Field("minimum_window", 0x08, 1, "minimum window", unit="100 ms"),
        Field("debug_trigger", 0x09, 2, "which counters trigger a debug log"),
        Field("discard_debug", 0x0B, 1, "1: discard the debug log"),
        Field("enable", 0x0C, 1, "1: the monitor counts"),
    ),
    text="OCP feature C5h, Latency Monitor",
    label="OCP FID C5h",
)

CLEAR = Word(
    "OcpClear",
    4,
    (Bits("clear", 31, text="clear it", c="NVME_OCP_CLEAR", suffix="wide"),),
    text="OCP features C1h and C3h: clear the firmware activation history, or the PCIe correctable error counters",
)

FAILURE_MODE = Word(
    "OcpFailureMode",
    4,
    (
        Bits("state", 0, 2, "Get Features: 1 read-only, 2 write-through, 3 normal"),
        Bits(
            "mode",
            30,
            31,
            "Set Features: the same, or 0 for the default",
            c="NVME_OCP_FAILURE_MODE_SHIFT",
            style="shift",
        ),
    ),
    text="OCP feature C2h: how the drive works at the end of its life, or without power loss protection",
)

PLP_INTERVAL = Word(
    "OcpPlpInterval",
    4,
    (
        Bits("current", 0, 15, "Get Features: the interval", unit="minutes"),
        Bits("interval", 16, 31, "Set Features: the interval; 0: no check", unit="minutes"),
    ),
    text="OCP feature C6h: how often the drive checks its power loss protection",
)

POWER_STATE = Word(
    "OcpPowerState",
    4,
    (Bits("watts", 0, 6, "the DSSD power state", unit="W"),),
    text="OCP feature C7h: the power that the drive may need",
)

_FEATURES = (
    Feature(0xC1, CLEAR),
    Feature(0xC2, FAILURE_MODE),
    Feature(0xC3, CLEAR),
    Feature(0xC5, None, OCP_LATENCY_CONFIG),
    Feature(0xC6, PLP_INTERVAL),
    Feature(0xC7, POWER_STATE),
)

FEATURES = Table(
    "OCP_FEATURES",
    "What a feature of OCP consists of, by FID.",
    {feature.fid: feature for feature in _FEATURES},
)

RETURNED = Table(
    "OCP_LOG_PAGES",
    "Which structure a log page of OCP has, by LID.",
    {
        0xC0: OCP_SMART,
        0xC1: OCP_ERROR_RECOVERY,
        0xC2: OCP_FIRMWARE_HISTORY,
        0xC3: OCP_LATENCY,
        0xC4: OCP_CAPABILITIES,
        0xC5: OCP_UNSUPPORTED,
        0xC6: OCP_HARDWARE,
        0xC7: OCP_TCG,
        0xC9: OCP_TELEMETRY_STRINGS,
    },
)

HEADERS = (
    Header(
        "nvme_ocp.h",
        "Log pages and features of OCP's Datacenter NVMe SSD specification.\nLayout only, no behaviour.",
        (
            OCP_LID,
            OCP_SMART,
            OCP_ERROR_RECOVERY,
            OCP_FIRMWARE_ENTRY,
            OCP_FIRMWARE_HISTORY,
            OCP_BUCKET,
            OCP_STAMPS,
            OCP_MEASURED,
            BitGroup(LATENCY_STATUS, "state of the latency monitor, of log page C3h"),
            OCP_LATENCY,
            OCP_CAPABILITIES,
            OCP_UNSUPPORTED,
            OCP_COMPONENT_ID,
            OCP_COMPONENT,
            OCP_HARDWARE,
            OCP_STATISTIC_STRING,
            OCP_EVENT_STRING,
            OCP_TELEMETRY_STRINGS,
            OCP_TCG,
            OCP_LATENCY_CONFIG,
            BitGroup(CLEAR.bits + FAILURE_MODE.bits[1:], "features C1h to C3h"),
            BitGroup(OCP_CAPABILITIES_PS, "descriptors of DSSD power states, of log page C4h"),
            BitGroup(PANIC_ACTIONS, "resets that help, of log page C1h"),
            OCP_FID,
            OCP_ERROR,
            OCP_ERROR_INJECTION,
            BitGroup(_INJECTION_FLAGS, "flags of an entry of feature C0h"),
        ),
    ),
)
