# SPDX-License-Identifier: BSD-3-Clause
"""Log pages, by LID.

Section numbers are those of Base 2.1, unless another is named.
"""

from __future__ import annotations

from spec import enums
from spec.schema import BitGroup, Bits, Constant, Enum, Field, Header, Structure, Table, Value

LID = Enum(
    "LogId",
    "nvme_lid",
    "NVME_LOG_",
    (
        Value("supported", 0x00, "Supported Log Pages", since="2.0"),
        Value("error", 0x01, "Error Information"),
        Value("smart", 0x02, "SMART / Health Information"),
        Value("firmware", 0x03, "Firmware Slot Information"),
        Value("changed_ns", 0x04, "Changed Attached Namespace List", since="1.2"),
        Value("effects", 0x05, "Commands Supported and Effects", since="1.2"),
        Value("self_test", 0x06, "Device Self-test", since="1.3"),
        Value("telemetry_host", 0x07, "Telemetry Host-Initiated", since="1.3"),
        Value("telemetry_ctrl", 0x08, "Telemetry Controller-Initiated", since="1.3"),
        Value("endurance_group", 0x09, "Endurance Group Information", since="1.4"),
        Value("predictable_latency", 0x0A, "Predictable Latency Per NVM Set", since="1.4"),
        Value("predictable_latency_events", 0x0B, "Predictable Latency Event Aggregate", since="1.4"),
        Value("ana", 0x0C, "Asymmetric Namespace Access", since="1.4"),
        Value("persistent_event", 0x0D, "Persistent Event", since="1.4"),
        Value("lba_status", 0x0E, "LBA Status Information", since="1.4"),
        Value("endurance_group_events", 0x0F, "Endurance Group Event Aggregate", since="1.4"),
        Value("media_unit_status", 0x10, "Media Unit Status", since="2.0"),
        Value("capacity_configurations", 0x11, "Supported Capacity Configuration List", since="2.0"),
        Value("feature_effects", 0x12, "Feature Identifiers Supported and Effects", since="2.0"),
        Value("mi_effects", 0x13, "NVMe-MI Commands Supported and Effects", since="2.0"),
        Value("lockdown", 0x14, "Command and Feature Lockdown", since="2.0"),
        Value("boot_partition", 0x15, "Boot Partition", since="2.0"),
        Value("rotational_media", 0x16, "Rotational Media Information", since="2.0"),
        Value("dispersed_ns", 0x17, "Dispersed Namespace Participating NVM Subsystems", since="2.0"),
        Value("management_addresses", 0x18, "Management Address List", since="2.1"),
        Value("reachability_groups", 0x1A, "Reachability Groups", since="2.1"),
        Value("reachability_associations", 0x1B, "Reachability Associations", since="2.1"),
        Value("changed_allocated_ns", 0x1C, "Changed Allocated Namespace List", since="2.1"),
        Value("fdp_configurations", 0x20, "FDP Configurations", since="2.1"),
        Value("fdp_ruh_usage", 0x21, "Reclaim Unit Handle Usage", since="2.1"),
        Value("fdp_statistics", 0x22, "FDP Statistics", since="2.1"),
        Value("fdp_events", 0x23, "FDP Events", since="2.1"),
        Value("power_measurement", 0x25, "Power Measurement", since="2.3"),
        Value("discovery", 0x70, "Discovery", since="1.2.1"),
        Value("reservation", 0x80, "Reservation Notification", since="1.1"),
        Value("sanitize", 0x81, "Sanitize Status", since="1.3"),
        Value("changed_zones", 0xBF, "Changed Zone List", since="2.0"),
    ),
    text="log pages",
    section="5.1.12.1",
)

# ---- 00h to 06h ----

SUPPORTED = Structure(
    "SupportedLogPages",
    "nvme_supported_logs",
    1024,
    (
        Field(
            "lids",
            0,
            4,
            "one entry for each LID",
            count=256,
            bits=(
                Bits("lsupp", 0, text="supported", c="NVME_LOG_LSUPP"),
                Bits("ios", 1, text="offsets may be indexes", c="NVME_LOG_IOS"),
                Bits("lids", 16, 31, "log page specific"),
            ),
        ),
    ),
    text="Supported Log Pages, LID 00h",
    section="5.1.12.1.1",
    label="LID 00h",
)

STATUS_FIELD = (
    Bits("p", 0, text="phase tag"),
    Bits("sc", 1, 8, "status code"),
    Bits("sct", 9, 11, "status code type"),
    Bits("crd", 12, 13, "command retry delay: 0 none, else CRDT1 to CRDT3"),
    Bits("m", 14, text="more about it is in the error log"),
    Bits("dnr", 15, text="do not retry"),
)

ERROR_ENTRY = Structure(
    "ErrorLogEntry",
    "nvme_error_log_entry",
    64,
    (
        Field(
            "ecnt", 0, 8, "1 for the first error of the drive's life; 0: this entry is not in use", long="error_count"
        ),
        Field("sqid", 8, 2, "submission queue", long="submission_queue_id"),
        Field("cid", 10, 2, "command", long="command_id"),
        Field(
            "status",
            12,
            2,
            "bits 15:1 as in the completion, bit 0 its phase tag",
            bits=STATUS_FIELD,
            long="status_field",
        ),
        Field(
            "pel",
            14,
            2,
            "parameter in error; FFFFh: no particular one",
            bits=(Bits("byte", 0, 7, "byte of the command"), Bits("bit", 8, 10, "bit of that byte")),
            long="parameter_error_location",
        ),
        Field("lba", 16, 8, "first LBA in error"),
        Field("nsid", 24, 4, "namespace", long="namespace"),
        Field(
            "vsia",
            28,
            1,
            "LID of more information, vendor specific; 0: none",
            long="vendor_specific_information_available",
        ),
        Field("trtype", 29, 1, "transport", since="1.4"),
        Field("csi", 30, 1, "command set", values=enums.COMMAND_SET, since="2.1"),
        Field("opc", 31, 1, "opcode, valid with LPVER", since="2.1", long="opcode"),
        Field("csinfo", 32, 8, "command specific", since="1.3", long="command_specific_information"),
        Field("ttsi", 40, 2, "transport specific", since="1.4", long="transport_type_specific_information"),
        Field("lpver", 63, 1, "version of the entry", since="2.1"),
    ),
    text="an entry of log page 01h; the newest comes first",
    section="5.1.12.1.2",
    label="LID 01h",
)

ERROR_LOG = Structure(
    "ErrorLog",
    "",
    0,
    (Field("entries", 0, 64, "the newest comes first", count=0, kind="struct", struct=ERROR_ENTRY),),
    text="Error Information, LID 01h",
    section="5.1.12.1.2",
)

CRITICAL_WARNING = (
    Bits("ascbt", 0, text="spare is below its threshold", c="NVME_SMART_SPARE"),
    Bits("ttc", 1, text="temperature is beyond a threshold", c="NVME_SMART_TEMPERATURE"),
    Bits("ndr", 2, text="reliability is degraded", c="NVME_SMART_RELIABILITY"),
    Bits("amro", 3, text="media are read-only", c="NVME_SMART_READ_ONLY"),
    Bits("vmbf", 4, text="backup of volatile memory has failed", c="NVME_SMART_BACKUP"),
    Bits("pmrro", 5, text="persistent memory region is read-only", c="NVME_SMART_PMR", since="1.4"),
)

GROUP_WARNING = (
    Bits("egascbt", 0, text="spare of an endurance group is below its threshold"),
    Bits("egndr", 2, text="reliability of an endurance group is degraded"),
    Bits("egamro", 3, text="all namespaces of an endurance group are read-only"),
)

SMART = Structure(
    "SmartLog",
    "nvme_smart_log",
    512,
    (
        Field("cw", 0, 1, "critical warnings", bits=CRITICAL_WARNING, long="critical_warning"),
        Field("ctemp", 1, 2, "composite temperature", unit="Kelvin", long="composite_temperature"),
        Field("avsp", 3, 1, "available spare", unit="percent", long="available_spare"),
        Field("avspt", 4, 1, "available spare threshold", unit="percent", long="available_spare_threshold"),
        Field(
            "pused",
            5,
            1,
            "life that is used; may exceed 100, 255: 255 and more",
            unit="percent",
            long="percentage_used",
        ),
        Field(
            "egcws",
            6,
            1,
            "critical warnings of all endurance groups",
            bits=GROUP_WARNING,
            since="1.4",
            long="endurance_group_critical_warning_summary",
        ),
        Field("dur", 32, 16, "data units read, rounded up", unit="1000 units of 512 bytes", long="data_units_read"),
        Field(
            "duw", 48, 16, "data units written, rounded up", unit="1000 units of 512 bytes", long="data_units_written"
        ),
        Field("hrc", 64, 16, "host read commands", long="host_read_commands"),
        Field("hwc", 80, 16, "host write commands", long="host_write_commands"),
        Field("cbt", 96, 16, "controller busy time", unit="minutes", long="controller_busy_time"),
        Field("pwrc", 112, 16, "power cycles", long="power_cycles"),
        Field("poh", 128, 16, "power on hours", unit="hours", long="power_on_hours"),
        Field("upl", 144, 16, "unexpected power losses (unsafe shutdowns)", long="unsafe_shutdowns"),
        Field("mdie", 160, 16, "media and data integrity errors", long="media_and_data_integrity_errors"),
        Field("neile", 176, 16, "entries ever made in the error log", long="error_information_log_entries"),
        Field(
            "wctt",
            192,
            4,
            "time at or above WCTEMP",
            unit="minutes",
            since="1.2",
            long="warning_composite_temperature_time",
        ),
        Field(
            "cctt",
            196,
            4,
            "time at or above CCTEMP",
            unit="minutes",
            since="1.2",
            long="critical_composite_temperature_time",
        ),
        Field(
            "tsen",
            200,
            2,
            "temperature sensors 1 to 8; 0: not there",
            count=8,
            unit="Kelvin",
            since="1.2",
            long="temperature_sensor",
        ),
        Field(
            "tmt1tc",
            216,
            4,
            "transitions to thermal management temperature 1",
            since="1.3",
            long="thermal_management_temperature_1_transition_count",
        ),
        Field(
            "tmt2tc",
            220,
            4,
            "transitions to thermal management temperature 2",
            since="1.3",
            long="thermal_management_temperature_2_transition_count",
        ),
        Field(
            "ttmt1",
            224,
            4,
            "time in thermal management temperature 1",
            unit="s",
            since="1.3",
            long="total_time_for_thermal_management_temperature_1",
        ),
        Field(
            "ttmt2",
            228,
            4,
            "time in thermal management temperature 2",
            unit="s",
            since="1.3",
            long="total_time_for_thermal_management_temperature_2",
        ),
        Field(
            "olec",
            232,
            8,
            "energy consumed in the life of the drive, rounded up, 0: not reported",
            unit="watt-hours",
            since="2.3",
            long="operational_lifetime_energy_consumed",
        ),
        Field(
            "ipm",
            240,
            4,
            "average power of the last second, 0: not reported",
            bits=(
                Bits("ipmv", 0, 15, "power"),
                Bits("ipms", 16, 17, "its scale", values=enums.POWER_SCALE),
                Bits("pmt", 20, 23, "what is measured, 0: the whole NVM subsystem"),
            ),
            since="2.3",
            long="interval_power_measurement",
        ),
    ),
    text="SMART / Health Information, LID 02h. 128-bit numbers are two little-endian halves, the low one first.",
    section="5.1.12.1.3",
    label="LID 02h",
    asserted=("dur", "pwrc", "wctt"),
)

FIRMWARE = Structure(
    "FirmwareLog",
    "nvme_firmware_log",
    512,
    (
        Field(
            "afi",
            0,
            1,
            "active firmware",
            bits=(
                Bits("cafsi", 0, 2, "active slot"),
                Bits("nafsi", 4, 6, "slot that the next reset activates, 0: none"),
            ),
            long="active_firmware_info",
        ),
        Field(
            "frs", 8, 8, "revision in slots 1 … 7; NULs: empty", count=7, kind="ascii", long="firmware_revision_slot"
        ),
    ),
    text="Firmware Slot Information, LID 03h",
    section="5.1.12.1.4",
    label="LID 03h",
)

EFFECTS = (
    Bits("csupp", 0, text="supported", c="NVME_EFFECT_CSUPP"),
    Bits("lbcc", 1, text="may change contents of LBAs", c="NVME_EFFECT_LBCC"),
    Bits("ncc", 2, text="may change a namespace's capabilities", c="NVME_EFFECT_NCC"),
    Bits("nic", 3, text="may change the number of namespaces", c="NVME_EFFECT_NIC"),
    Bits("ccc", 4, text="may change the controller's capabilities", c="NVME_EFFECT_CCC"),
    Bits("cser", 14, 15, "execution restricted by other commands", since="2.1"),
    Bits(
        "cse",
        16,
        18,
        "1: no other command for the namespace, 2: for any, while it runs",
        c="NVME_EFFECT_CSE_SHIFT",
        style="shift",
    ),
    Bits("uss", 19, text="the UUID index selects", since="1.4"),
    Bits("csp", 20, 31, "scope", since="2.0"),
)

SCOPES = (
    Bits("scope_ns", 20, text="a namespace", c="NVME_EFFECT_SCOPE_NS", suffix="wide"),
    Bits("scope_ctrl", 21, text="a controller", c="NVME_EFFECT_SCOPE_CTRL", suffix="wide"),
    Bits("scope_nvm_set", 22, text="an NVM set", c="NVME_EFFECT_SCOPE_NVM_SET", suffix="wide"),
    Bits("scope_endurance_group", 23, text="an endurance group", c="NVME_EFFECT_SCOPE_GROUP", suffix="wide"),
    Bits("scope_domain", 24, text="a domain"),
    Bits("scope_subsystem", 25, text="the subsystem", c="NVME_EFFECT_SCOPE_SUBSYSTEM", suffix="wide"),
)

EFFECTS_LOG = Structure(
    "EffectsLog",
    "nvme_effects_log",
    4096,
    (
        Field("acs", 0, 4, "admin commands, by opcode", count=256, bits=EFFECTS),
        Field("iocs", 1024, 4, "I/O commands, by opcode", count=256, bits=EFFECTS),
    ),
    text="Commands Supported and Effects, LID 05h: one entry for each opcode",
    section="5.1.12.1.6",
    label="LID 05h",
)

SELF_TEST_STATUS = Enum(
    "SelfTestStatus",
    "nvme_self_test_status",
    "NVME_SELF_TEST_",
    (
        Value("passed", 0x0),
        Value("aborted", 0x1, "by a Device Self-test command"),
        Value("reset", 0x2, "ended by a Controller Level Reset"),
        Value("ns_removed", 0x3, "a namespace was removed"),
        Value("format", 0x4, "a Format NVM was processed"),
        Value("fatal", 0x5, "a fatal or unknown error"),
        Value("unknown_segment", 0x6, "failed, as the next one did"),
        Value("segment", 0x7, "failed in the segment that SEGN names"),
        Value("unknown", 0x8, "aborted for an unknown reason"),
        Value("sanitize", 0x9, "a sanitize operation was started"),
        Value("unused", 0xF, "no such entry"),
    ),
    text="result of a self-test",
    section="5.1.12.1.7",
    digits=1,
)

SELF_TEST_VDI = (
    Bits("nsidv", 0, text="NSID is valid", c="NVME_SELF_TEST_VDI_NSID"),
    Bits("flbav", 1, text="FLBA is valid", c="NVME_SELF_TEST_VDI_FLBA"),
    Bits("sctv", 2, text="SCT is valid", c="NVME_SELF_TEST_VDI_SCT"),
    Bits("scv", 3, text="SC is valid", c="NVME_SELF_TEST_VDI_SC"),
)

SELF_TEST_RESULT = Structure(
    "SelfTestResult",
    "nvme_self_test_result",
    28,
    (
        Field(
            "dsts",
            0,
            1,
            "status",
            bits=(
                Bits("dstr", 0, 3, "result", values=SELF_TEST_STATUS),
                Bits("dstc", 4, 7, "which self-test", values=enums.SELF_TEST),
            ),
            long="device_self_test_status",
        ),
        Field("segn", 1, 1, "segment that failed", long="segment_number"),
        Field(
            "vdi", 2, 1, "which of the next fields are valid", bits=SELF_TEST_VDI, long="valid_diagnostic_information"
        ),
        Field("poh", 4, 8, "power on hours when it ended", unit="hours", long="power_on_hours"),
        Field("nsid", 12, 4, "namespace"),
        Field("flba", 16, 8, "failing LBA", long="failing_lba"),
        Field("sct", 24, 1, "status code type", bits=(Bits("sct", 0, 2),), long="status_code_type"),
        Field("sc", 25, 1, "status code", long="status_code"),
        Field("vs", 26, 2, "vendor specific", kind="bytes"),
    ),
    text="Self-test Result",
    section="5.1.12.1.7",
    label="self-test result",
)

SELF_TEST_LOG = Structure(
    "SelfTestLog",
    "nvme_self_test_log",
    564,
    (
        Field(
            "cdsto",
            0,
            1,
            "operation in progress",
            bits=(Bits("dsts", 0, 3, "self-test in progress, 0: none", values=enums.SELF_TEST),),
        ),
        Field("cdstc", 1, 1, "completion", bits=(Bits("dstcp", 0, 6, "part that is done", unit="percent"),)),
        Field(
            "results",
            4,
            28,
            "the newest comes first",
            count=20,
            kind="struct",
            struct=SELF_TEST_RESULT,
        ),
    ),
    text="Device Self-test, LID 06h",
    section="5.1.12.1.7",
    label="LID 06h",
)

# ---- 07h to 16h ----

TELEMETRY = Structure(
    "TelemetryLog",
    "nvme_telemetry_log",
    512,
    (
        Field("lid", 0, 1, "log page", values=LID),
        Field("ieee", 5, 3, "IEEE OUI of the vendor", hex=True),
        Field("da1lb", 8, 2, "last block of area 1, 0: no such area"),
        Field("da2lb", 10, 2, "last block of area 2"),
        Field("da3lb", 12, 2, "last block of area 3"),
        Field("da4lb", 16, 4, "last block of area 4", since="2.0"),
        Field("ths", 380, 1, "scope of the host-initiated data", since="2.1"),
        Field("thdgn", 381, 1, "generation of the host-initiated data; in log page 08h the scope", since="2.0"),
        Field("tcda", 382, 1, "1: controller-initiated data are available"),
        Field("tcdgn", 383, 1, "generation of the controller-initiated data"),
        Field("reasonid", 384, 128, "reason identifier", kind="bytes"),
        Field("blocks", 512, 1, "blocks of 512 bytes; an area begins with block 1", count=0, kind="bytes"),
    ),
    text="Telemetry, LID 07h and 08h: this header, then blocks of 512 bytes. An area begins with block 1 and ends with "
    "its last block, 0: there is no such area.",
    section="5.1.12.1.8",
    label="LID 07h",
    asserted=("reasonid",),
)

EGFEAT = (Bits("egrmedia", 0, text="rotational media", c="NVME_EGFEAT_ROTATIONAL"),)

ENDURANCE_GROUP = Structure(
    "EnduranceGroupLog",
    "nvme_endurance_group_log",
    512,
    (
        Field("cw", 0, 1, "critical warnings", bits=GROUP_WARNING),
        Field("egfeat", 1, 1, "features", bits=EGFEAT, since="2.0"),
        Field("avsp", 3, 1, "available spare", unit="percent"),
        Field("avspt", 4, 1, "available spare threshold", unit="percent"),
        Field("pused", 5, 1, "life that is used", unit="percent"),
        Field("did", 6, 2, "domain", since="2.0"),
        Field("ee", 32, 16, "endurance estimate", unit="10^9 bytes"),
        Field("dur", 48, 16, "data units read", unit="10^9 bytes"),
        Field("duw", 64, 16, "data units written", unit="10^9 bytes"),
        Field("muw", 80, 16, "media units written", unit="10^9 bytes"),
        Field("hrc", 96, 16, "host read commands"),
        Field("hwc", 112, 16, "host write commands"),
        Field("mdie", 128, 16, "media and data integrity errors"),
        Field("neile", 144, 16, "entries ever made in the error log"),
        Field("tegcap", 160, 16, "total capacity", unit="bytes", since="2.0"),
        Field("uegcap", 176, 16, "unallocated capacity", unit="bytes", since="2.0"),
    ),
    text="Endurance Group Information, LID 09h",
    section="5.1.12.1.10",
    label="LID 09h",
)

PREDICTABLE_LATENCY = Structure(
    "PredictableLatencyLog",
    "nvme_predictable_latency_log",
    512,
    (
        Field(
            "status",
            0,
            1,
            "status",
            bits=(Bits("wstate", 0, 2, "window: 0 not used, 1 deterministic, 2 non-deterministic"),),
        ),
        Field("evttype", 2, 2, "events"),
        Field("dtwinrt", 32, 8, "deterministic window, reads typical", unit="4 KiB"),
        Field("dtwinwt", 40, 8, "deterministic window, writes typical"),
        Field("dtwintm", 48, 8, "deterministic window, time at most", unit="ms"),
        Field("ndwintmh", 56, 8, "non-deterministic window, time at least, high", unit="ms"),
        Field("ndwintml", 64, 8, "non-deterministic window, time at least, low", unit="ms"),
        Field("dtwinre", 128, 8, "deterministic window, reads estimated", unit="4 KiB"),
        Field("dtwinwe", 136, 8, "deterministic window, writes estimated"),
        Field("dtwinte", 144, 8, "deterministic window, time estimated", unit="ms"),
    ),
    text="Predictable Latency Per NVM Set, LID 0Ah",
    section="5.1.12.1.11",
    label="LID 0Ah",
)

PREDICTABLE_LATENCY_EVENTS = Structure(
    "PredictableLatencyEventsLog",
    "nvme_predictable_latency_events_log",
    8,
    (
        Field("ne", 0, 8, "entries"),
        Field("entry", 8, 2, "NVM sets with events", count=0, counted_by="ne"),
    ),
    text="Predictable Latency Event Aggregate, LID 0Bh",
    section="5.1.12.1.12",
    label="LID 0Bh",
)

ANA_STATE = Enum(
    "AnaState",
    "nvme_ana_state",
    "NVME_ANA_",
    (
        Value("optimized", 0x1),
        Value("non_optimized", 0x2),
        Value("inaccessible", 0x3),
        Value("persistent_loss", 0x4),
        Value("change", 0xF),
    ),
    text="asymmetric namespace access states",
    section="8.1.1.3",
    digits=1,
)

ANA_GROUP = Structure(
    "AnaGroup",
    "nvme_ana_group",
    32,
    (
        Field("agid", 0, 4, "ANA group"),
        Field("nnv", 4, 4, "NSIDs"),
        Field("chngc", 8, 8, "change count"),
        Field("state", 16, 1, "state", bits=(Bits("anastate", 0, 3, values=ANA_STATE),)),
        Field("nsid", 32, 4, "namespaces", count=0, counted_by="nnv"),
    ),
    text="ANA Group Descriptor",
    section="5.1.12.1.13",
    label="ANA group descriptor",
)

ANA = Structure(
    "AnaLog",
    "nvme_ana_log",
    16,
    (
        Field("chngc", 0, 8, "change count"),
        Field("nagd", 8, 2, "descriptors"),
        Field("groups", 16, 32, "ANA groups", count=0, kind="struct", struct=ANA_GROUP, counted_by="nagd"),
    ),
    text="Asymmetric Namespace Access, LID 0Ch",
    section="5.1.12.1.13",
    label="LID 0Ch",
)

EVENT = Enum(
    "PersistentEventType",
    "nvme_persistent_event_type",
    "NVME_PERSISTENT_",
    (
        Value("smart", 0x01, "SMART / Health Log Snapshot"),
        Value("firmware_commit", 0x02, "Firmware Commit"),
        Value("timestamp", 0x03, "Timestamp Change"),
        Value("power_on", 0x04, "Power-on or Reset"),
        Value("hardware_error", 0x05, "NVM Subsystem Hardware Error"),
        Value("change_ns", 0x06, "Change Namespace"),
        Value("format_start", 0x07, "Format NVM Start"),
        Value("format_completion", 0x08, "Format NVM Completion"),
        Value("sanitize_start", 0x09, "Sanitize Start"),
        Value("sanitize_completion", 0x0A, "Sanitize Completion"),
        Value("set_feature", 0x0B, "Set Feature"),
        Value("telemetry", 0x0C, "Telemetry Log Created"),
        Value("thermal", 0x0D, "Thermal Excursion"),
        Value("verification", 0x0E, "Sanitize Media Verification", since="2.1"),
        Value("vendor", 0xDE, "vendor specific"),
        Value("tcg", 0xDF, "TCG defined"),
    ),
    text="types of persistent events",
    section="5.1.12.1.14",
)

PERSISTENT_EVENT = Structure(
    "PersistentEvent",
    "nvme_persistent_event",
    24,
    (
        Field("et", 0, 1, "event type", values=EVENT),
        Field("etr", 1, 1, "revision of the event type"),
        Field("ehl", 2, 1, "length of the header, without its first 3 bytes", unit="bytes"),
        Field("ehai", 3, 1, "additional information", bits=(Bits("pit", 0, 1, "1: PELPID is valid"),)),
        Field("cntlid", 4, 2, "controller"),
        Field("ets", 6, 8, "time stamp", unit="ms"),
        Field("pelpid", 14, 2, "port"),
        Field("vsil", 20, 2, "length of vendor specific information", unit="bytes"),
        Field("el", 22, 2, "length of the data after the header", unit="bytes"),
        Field("data", 24, 1, "vendor specific information, then the event's data", count=0, kind="bytes"),
    ),
    text="an event of log page 0Dh",
    section="5.1.12.1.14",
    label="persistent event",
    length=("ehl", 3, "el"),
)

PERSISTENT_EVENT_LOG = Structure(
    "PersistentEventLog",
    "nvme_persistent_event_log",
    512,
    (
        Field("lid", 0, 1, "log page", values=LID),
        Field("tnev", 4, 4, "events"),
        Field("tll", 8, 8, "length of the log page", unit="bytes"),
        Field("lrev", 16, 1, "revision of this header"),
        Field("lhl", 18, 2, "length of this header, without its first 20 bytes", unit="bytes"),
        Field("ts", 20, 8, "time stamp", unit="ms"),
        Field("poh", 28, 16, "power on hours", unit="hours"),
        Field("pcc", 44, 8, "power cycles"),
        Field("vid", 52, 2, "PCI Vendor ID", hex=True),
        Field("ssvid", 54, 2, "PCI Subsystem Vendor ID", hex=True),
        Field("sn", 56, 20, "serial number", kind="ascii"),
        Field("mn", 76, 40, "model number", kind="ascii"),
        Field("subnqn", 116, 256, "NVM subsystem NVMe qualified name", kind="utf8"),
        Field("gnum", 372, 2, "generation", since="2.0"),
        Field("rci", 374, 4, "reporting context", since="2.0"),
        Field("seb", 480, 1, "supported events, one a bit", count=32),
        Field(
            "events",
            512,
            24,
            "events, the newest comes first",
            count=0,
            kind="struct",
            struct=PERSISTENT_EVENT,
            counted_by="tnev",
        ),
    ),
    text="Persistent Event, LID 0Dh: this header, then events",
    section="5.1.12.1.14",
    label="LID 0Dh",
)

FIRMWARE_COMMIT_EVENT = Structure(
    "FirmwareCommitEvent",
    "nvme_firmware_commit_event",
    22,
    (
        Field("ofr", 0, 8, "old firmware revision", kind="ascii"),
        Field("nfr", 8, 8, "new firmware revision", kind="ascii"),
        Field("fca", 16, 1, "commit action", values=enums.FIRMWARE_ACTION),
        Field("fs", 17, 1, "slot"),
        Field("sct", 18, 1, "status code type of the Firmware Commit"),
        Field("sc", 19, 1, "status code of the Firmware Commit"),
        Field("vafcrc", 20, 2, "vendor's result code"),
    ),
    text="Firmware Commit event, type 02h",
    section="5.1.12.1.14",
    label="persistent event 02h",
)

TIMESTAMP_EVENT = Structure(
    "TimestampChangeEvent",
    "nvme_timestamp_event",
    16,
    (
        Field("pts", 0, 8, "previous time stamp", unit="ms"),
        Field("msr", 8, 8, "time since the last reset", unit="ms"),
    ),
    text="Timestamp Change event, type 03h",
    section="5.1.12.1.14",
    label="persistent event 03h",
)

POWER_ON_ENTRY = Structure(
    "PowerOnResetEntry",
    "nvme_power_on_entry",
    36,
    (
        Field("cntlid", 0, 2, "controller"),
        Field("fwa", 2, 1, "1: a firmware activation was pending"),
        Field("opip", 3, 1, "operation in progress, one a bit"),
        Field("cpc", 16, 4, "power cycles of the controller"),
        Field("poms", 20, 8, "time since power on", unit="ms"),
        Field("cts", 28, 8, "time stamp of the controller", unit="ms"),
    ),
    text="an entry of a Power-on or Reset event, type 04h; 8 bytes of firmware revision come before the first",
    section="5.1.12.1.14",
    label="persistent event 04h",
)

CHANGE_NS_EVENT = Structure(
    "ChangeNamespaceEvent",
    "nvme_change_ns_event",
    48,
    (
        Field("nsmcdw10", 0, 4, "dword 10 of Namespace Management"),
        Field("nsze", 8, 8, "size", unit="LBAs"),
        Field("nscap", 24, 8, "capacity", unit="LBAs"),
        Field("flbas", 32, 1, "LBA format"),
        Field("dps", 33, 1, "protection"),
        Field("nmic", 34, 1, "sharing"),
        Field("anagrpid", 36, 4, "ANA group"),
        Field("nvmsetid", 40, 2, "NVM set"),
        Field("nsid", 44, 4, "namespace"),
    ),
    text="Change Namespace event, type 06h",
    section="5.1.12.1.14",
    label="persistent event 06h",
)

FORMAT_START_EVENT = Structure(
    "FormatStartEvent",
    "nvme_format_start_event",
    12,
    (
        Field("nsid", 0, 4, "namespace"),
        Field("fna", 4, 1, "FNA of Identify Controller"),
        Field("fnvmcdw10", 8, 4, "dword 10 of Format NVM"),
    ),
    text="Format NVM Start event, type 07h",
    section="5.1.12.1.14",
    label="persistent event 07h",
)

FORMAT_COMPLETION_EVENT = Structure(
    "FormatCompletionEvent",
    "nvme_format_completion_event",
    12,
    (
        Field("nsid", 0, 4, "namespace"),
        Field("sfpi", 4, 1, "smallest FPI that was seen"),
        Field("fnvms", 5, 1, "status of the format"),
        Field("cinf", 6, 2, "completion information"),
        Field("status", 8, 4, "status field"),
    ),
    text="Format NVM Completion event, type 08h",
    section="5.1.12.1.14",
    label="persistent event 08h",
)

SANITIZE_START_EVENT = Structure(
    "SanitizeStartEvent",
    "nvme_sanitize_start_event",
    12,
    (
        Field("sanicap", 0, 4, "SANICAP of Identify Controller"),
        Field("scdw10", 4, 4, "dword 10 of Sanitize"),
        Field("scdw11", 8, 4, "dword 11 of Sanitize"),
    ),
    text="Sanitize Start event, type 09h",
    section="5.1.12.1.14",
    label="persistent event 09h",
)

SANITIZE_COMPLETION_EVENT = Structure(
    "SanitizeCompletionEvent",
    "nvme_sanitize_completion_event",
    8,
    (
        Field("sprog", 0, 2, "progress", unit="1/65536"),
        Field("sstat", 2, 2, "status"),
        Field("cinf", 4, 2, "completion information"),
    ),
    text="Sanitize Completion event, type 0Ah",
    section="5.1.12.1.14",
    label="persistent event 0Ah",
)

THERMAL_EVENT = Structure(
    "ThermalExcursionEvent",
    "nvme_thermal_event",
    2,
    (
        Field("ovt", 0, 1, "temperature above the threshold", unit="Kelvin"),
        Field("thld", 1, 1, "which threshold was crossed"),
    ),
    text="Thermal Excursion event, type 0Dh",
    section="5.1.12.1.14",
    label="persistent event 0Dh",
)

LBA_RANGE = Structure(
    "LbaStatusRange",
    "nvme_lba_status_range",
    16,
    (Field("rslba", 0, 8, "first LBA"), Field("rnlb", 8, 4, "LBAs", zeroes_based=True)),
    text="LBA Range Descriptor of log page 0Eh",
    section="NVM 4.1.4.5",
    label="LBA range descriptor",
)

LBA_STATUS_NS = Structure(
    "LbaStatusNamespace",
    "nvme_lba_status_ns",
    16,
    (
        Field("neid", 0, 4, "namespace"),
        Field("nlrd", 4, 4, "ranges, FFFFFFFFh: use Get LBA Status"),
        Field("ratype", 8, 1, "recommended action of Get LBA Status"),
        Field("ranges", 16, 16, "ranges", count=0, kind="struct", struct=LBA_RANGE, counted_by="nlrd"),
    ),
    text="LBA Status Namespace Element",
    section="NVM 4.1.4.5",
    label="LBA status namespace element",
)

LBA_STATUS = Structure(
    "LbaStatusLog",
    "nvme_lba_status_log",
    16,
    (
        Field("lslplen", 0, 4, "length of the log page", unit="bytes"),
        Field("nlslne", 4, 4, "namespaces"),
        Field("estulb", 8, 4, "LBAs that are estimated to be unrecoverable"),
        Field("lsgc", 14, 2, "generation"),
        Field("elements", 16, 16, "namespaces", count=0, kind="struct", struct=LBA_STATUS_NS, counted_by="nlslne"),
    ),
    text="LBA Status Information, LID 0Eh",
    section="NVM 4.1.4.5",
    label="LID 0Eh",
)

ENDURANCE_GROUP_EVENTS = Structure(
    "EnduranceGroupEventsLog",
    "nvme_endurance_group_events_log",
    8,
    (
        Field("ne", 0, 8, "entries"),
        Field("entry", 8, 2, "endurance groups with events", count=0, counted_by="ne"),
    ),
    text="Endurance Group Event Aggregate, LID 0Fh",
    section="5.1.12.1.16",
    label="LID 0Fh",
)

MEDIA_UNIT = Structure(
    "MediaUnit",
    "nvme_media_unit",
    14,
    (
        Field("muid", 0, 2, "media unit"),
        Field("did", 2, 2, "domain"),
        Field("endgid", 4, 2, "endurance group"),
        Field("nvmsetid", 6, 2, "NVM set"),
        Field("caf", 8, 2, "capacity adjustment factor", unit="1/100"),
        Field("avsp", 10, 1, "available spare", unit="percent"),
        Field("pused", 11, 1, "life that is used", unit="percent"),
        Field("mucs", 12, 1, "channels", bits=(Bits("mucs", 0, 3),)),
        Field("cio", 13, 1, "offset of the channel list", unit="bytes"),
    ),
    text="Media Unit Status Descriptor",
    section="5.1.12.1.17",
    label="media unit status descriptor",
)

MEDIA_UNIT_STATUS = Structure(
    "MediaUnitStatusLog",
    "nvme_media_unit_status_log",
    16,
    (
        Field("nmu", 0, 2, "media units"),
        Field("cchans", 2, 2, "channels"),
        Field("scc", 4, 2, "selected configuration"),
        Field("units", 16, 14, "media units", count=0, kind="struct", struct=MEDIA_UNIT, counted_by="nmu"),
    ),
    text="Media Unit Status, LID 10h",
    section="5.1.12.1.17",
    label="LID 10h",
)

GROUP_CONFIGURATION = Structure(
    "EnduranceGroupConfiguration",
    "nvme_group_configuration",
    82,
    (
        Field("endgid", 0, 2, "endurance group"),
        Field("caf", 2, 2, "capacity adjustment factor", unit="1/100"),
        Field("tegcap", 16, 16, "total capacity", unit="bytes"),
        Field("segcap", 32, 16, "spare capacity", unit="bytes"),
        Field("ee", 48, 16, "endurance estimate", unit="10^9 bytes"),
        Field("egsets", 80, 2, "NVM sets, whose identifiers follow, and then the channels"),
    ),
    text="Endurance Group Configuration Descriptor",
    section="5.1.12.1.18",
    label="endurance group configuration descriptor",
)

CAPACITY_CONFIGURATION = Structure(
    "CapacityConfiguration",
    "nvme_capacity_configuration",
    32,
    (
        Field("ccid", 0, 2, "configuration"),
        Field("did", 2, 2, "domain"),
        Field("egcn", 4, 2, "endurance groups, whose descriptors follow"),
    ),
    text="Capacity Configuration Descriptor",
    section="5.1.12.1.18",
    label="capacity configuration descriptor",
)

CAPACITY_CONFIGURATIONS = Structure(
    "CapacityConfigurationsLog",
    "nvme_capacity_configurations_log",
    16,
    (
        Field("sccn", 0, 1, "configurations"),
        Field("descriptors", 16, 1, "capacity configuration descriptors, of different lengths", count=0, kind="bytes"),
    ),
    text="Supported Capacity Configuration List, LID 11h",
    section="5.1.12.1.18",
    label="LID 11h",
)

FEATURE_EFFECTS = (
    Bits("fsupp", 0, text="supported"),
    Bits("udcc", 1, text="may change user data"),
    Bits("ncc", 2, text="may change a namespace's capabilities"),
    Bits("nic", 3, text="may change the number of namespaces"),
    Bits("ccc", 4, text="may change the controller's capabilities"),
    Bits("uss", 19, text="the UUID index selects"),
    Bits("fsp", 20, 31, "scope"),
)

FEATURE_EFFECTS_LOG = Structure(
    "FeatureEffectsLog",
    "nvme_feature_effects_log",
    1024,
    (Field("fids", 0, 4, "features, by FID", count=256, bits=FEATURE_EFFECTS),),
    text="Feature Identifiers Supported and Effects, LID 12h: one entry for each FID; bits as in log page 05h",
    section="5.1.12.1.19",
    label="LID 12h",
)

MI_EFFECTS_LOG = Structure(
    "MiEffectsLog",
    "nvme_mi_effects_log",
    4096,
    (
        Field(
            "micss",
            0,
            4,
            "commands, by opcode",
            count=256,
            bits=(
                Bits("csupp", 0, text="supported"),
                Bits("udcc", 1, text="may change user data"),
                Bits("ncc", 2, text="may change a namespace's capabilities"),
                Bits("nic", 3, text="may change the number of namespaces"),
                Bits("ccc", 4, text="may change the controller's capabilities"),
                Bits("csp", 20, 31, "scope"),
            ),
        ),
    ),
    text="NVMe-MI Commands Supported and Effects, LID 13h: one entry for each opcode of the Management Interface; bits "
    "as in log page 05h",
    section="5.1.12.1.20",
    label="LID 13h",
)

LOCKDOWN = Structure(
    "LockdownLog",
    "nvme_lockdown_log",
    512,
    (
        Field(
            "cfila",
            0,
            1,
            "contents of the list",
            bits=(
                Bits("scp", 0, 3, "scope", values=enums.LOCKDOWN_SCOPE),
                Bits("cs", 4, 5, "contents: 0 prohibitable, 1 prohibited on the admin queue, 2 out of band"),
            ),
        ),
        Field("lngth", 3, 1, "identifiers"),
        Field("cfil", 4, 1, "opcodes or FIDs", count=508, counted_by="lngth"),
    ),
    text="Command and Feature Lockdown, LID 14h",
    section="5.1.12.1.21",
    label="LID 14h",
)

BOOT_PARTITION = Structure(
    "BootPartitionLog",
    "nvme_boot_partition_log",
    16,
    (
        Field("lid", 0, 1, "log page", values=LID),
        Field(
            "bpinfo",
            4,
            4,
            "boot partition information",
            bits=(
                Bits("bpsz", 0, 14, "size", unit="128 KiB"),
                Bits("abpid", 31, text="active boot partition"),
            ),
        ),
        Field("bpdata", 16, 1, "the boot partition", count=0, kind="bytes"),
    ),
    text="Boot Partition, LID 15h",
    section="5.1.12.1.22",
    label="LID 15h",
)

ROTATIONAL_MEDIA = Structure(
    "RotationalMediaLog",
    "nvme_rotational_media_log",
    512,
    (
        Field("endgid", 0, 2, "endurance group"),
        Field("numa", 2, 2, "actuators"),
        Field("nrs", 4, 2, "nominal rotational speed, 1: not reported", unit="1/minute"),
        Field("spinc", 8, 4, "spinups"),
        Field("fspinc", 12, 4, "spinups that failed"),
        Field("ldc", 16, 4, "loads of heads"),
        Field("fldc", 20, 4, "loads that failed"),
    ),
    text="Rotational Media Information, LID 16h",
    section="5.1.12.1.23",
    label="LID 16h",
)

DISPERSED_NS = Structure(
    "DispersedNsLog",
    "nvme_dispersed_ns_log",
    256,
    (
        Field("genctr", 0, 8, "generation counter"),
        Field("numpsub", 8, 8, "participating NVM subsystems"),
        Field("nqn", 256, 256, "NQNs of the subsystems", count=0, kind="utf8", counted_by="numpsub"),
    ),
    text="Dispersed Namespace Participating NVM Subsystems, LID 17h",
    label="LID 17h",
)

MANAGEMENT_ADDRESS = Structure(
    "ManagementAddress",
    "nvme_management_address",
    512,
    (
        Field("mat", 0, 1, "type: 1 NVM subsystem, 2 fabric interface manager"),
        Field("madrs", 4, 508, "address", kind="utf8"),
    ),
    text="Management Address Descriptor",
    label="management address descriptor",
)

MANAGEMENT_ADDRESSES = Structure(
    "ManagementAddressesLog",
    "nvme_management_addresses_log",
    4096,
    (Field("mad", 0, 512, "addresses", count=8, kind="struct", struct=MANAGEMENT_ADDRESS),),
    text="Management Address List, LID 18h",
    label="LID 18h",
)

REACHABILITY_GROUP = Structure(
    "ReachabilityGroup",
    "nvme_reachability_group",
    32,
    (
        Field("rgid", 0, 4, "reachability group"),
        Field("nnid", 4, 4, "NSIDs"),
        Field("chngc", 8, 8, "change count"),
        Field("nsid", 32, 4, "namespaces", count=0, counted_by="nnid"),
    ),
    text="Reachability Group Descriptor",
    section="5.1.12.1.25",
    label="reachability group descriptor",
)

REACHABILITY_GROUPS = Structure(
    "ReachabilityGroupsLog",
    "nvme_reachability_groups_log",
    16,
    (
        Field("chngc", 0, 8, "change count"),
        Field("nrgd", 8, 2, "descriptors"),
        Field("groups", 16, 32, "groups", count=0, kind="struct", struct=REACHABILITY_GROUP, counted_by="nrgd"),
    ),
    text="Reachability Groups, LID 1Ah",
    section="5.1.12.1.25",
    label="LID 1Ah",
)

REACHABILITY_ASSOCIATION = Structure(
    "ReachabilityAssociation",
    "nvme_reachability_association",
    32,
    (
        Field("rasid", 0, 4, "reachability association"),
        Field("nrid", 4, 4, "reachability groups"),
        Field("chngc", 8, 8, "change count"),
        Field("rac", 16, 1, "characteristics"),
        Field("rgid", 32, 4, "groups", count=0, counted_by="nrid"),
    ),
    text="Reachability Association Descriptor",
    section="5.1.12.1.26",
    label="reachability association descriptor",
)

REACHABILITY_ASSOCIATIONS = Structure(
    "ReachabilityAssociationsLog",
    "nvme_reachability_associations_log",
    16,
    (
        Field("chngc", 0, 8, "change count"),
        Field("nrad", 8, 2, "descriptors"),
        Field(
            "associations",
            16,
            32,
            "associations",
            count=0,
            kind="struct",
            struct=REACHABILITY_ASSOCIATION,
            counted_by="nrad",
        ),
    ),
    text="Reachability Associations, LID 1Bh",
    section="5.1.12.1.26",
    label="LID 1Bh",
)

# ---- FDP, 20h to 23h ----

RUHT = Enum(
    "ReclaimUnitHandleType",
    "nvme_ruht",
    "NVME_RUHT_",
    (Value("initially_isolated", 1), Value("persistently_isolated", 2)),
    text="types of reclaim unit handles",
    section="5.1.12.1.28",
    digits=0,
)

RUH = Structure(
    "ReclaimUnitHandle",
    "nvme_ruh",
    4,
    (Field("ruht", 0, 1, "type", values=RUHT),),
    text="Reclaim Unit Handle Descriptor",
    section="5.1.12.1.28",
    label="reclaim unit handle descriptor",
)

FDP_CONFIGURATION = Structure(
    "FdpConfiguration",
    "nvme_fdp_configuration",
    64,
    (
        Field("dsze", 0, 2, "length of this descriptor", unit="bytes"),
        Field(
            "fdpa",
            2,
            1,
            "attributes",
            bits=(
                Bits("rgif", 0, 3, "reclaim group identifier format"),
                Bits("fdpvwc", 4, text="volatile write cache"),
                Bits("fdpcv", 7, text="valid"),
            ),
        ),
        Field("vss", 3, 1, "vendor specific size", unit="bytes"),
        Field("nrg", 4, 4, "reclaim groups"),
        Field("nruh", 8, 2, "reclaim unit handles"),
        Field("maxpids", 10, 2, "placement identifiers", zeroes_based=True),
        Field("nns", 12, 4, "namespaces that are supported"),
        Field("runs", 16, 8, "nominal size of a reclaim unit", unit="bytes"),
        Field("erutl", 24, 4, "estimated time limit of a reclaim unit, 0: none", unit="s"),
        Field("ruh", 64, 4, "reclaim unit handles", count=0, kind="struct", struct=RUH, counted_by="nruh"),
    ),
    text="FDP Configuration Descriptor",
    section="5.1.12.1.28",
    label="FDP configuration descriptor",
    length=("dsze",),
)

FDP_CONFIGURATIONS = Structure(
    "FdpConfigurationsLog",
    "nvme_fdp_configurations_log",
    16,
    (
        Field("nfdpc", 0, 2, "configurations", zeroes_based=True),
        Field("ver", 2, 1, "version"),
        Field("size", 4, 4, "length of the log page", unit="bytes"),
        Field(
            "configurations",
            16,
            64,
            "configurations",
            count=0,
            kind="struct",
            struct=FDP_CONFIGURATION,
            counted_by="nfdpc",
        ),
    ),
    text="FDP Configurations, LID 20h",
    section="5.1.12.1.28",
    label="LID 20h",
)

RUH_USAGE = Structure(
    "ReclaimUnitHandleUsage",
    "nvme_ruh_usage",
    8,
    (Field("ruha", 0, 1, "attributes: 0 not in use, 1 named by a host, 2 by the controller"),),
    text="Reclaim Unit Handle Usage Descriptor",
    section="5.1.12.1.29",
    label="reclaim unit handle usage descriptor",
)

FDP_RUH_USAGE = Structure(
    "FdpUsageLog",
    "nvme_fdp_usage_log",
    8,
    (
        Field("nruh", 0, 2, "reclaim unit handles"),
        Field("ruh", 8, 8, "reclaim unit handles", count=0, kind="struct", struct=RUH_USAGE, counted_by="nruh"),
    ),
    text="Reclaim Unit Handle Usage, LID 21h",
    section="5.1.12.1.29",
    label="LID 21h",
)

FDP_STATISTICS = Structure(
    "FdpStatisticsLog",
    "nvme_fdp_statistics_log",
    64,
    (
        Field("hbmw", 0, 16, "bytes of host data that were written, with metadata", unit="bytes"),
        Field("mbmw", 16, 16, "bytes that were written to media", unit="bytes"),
        Field("mbe", 32, 16, "bytes of media that were erased", unit="bytes"),
    ),
    text="FDP Statistics, LID 22h",
    section="5.1.12.1.30",
    label="LID 22h",
)

FDP_EVENT_TYPE = Enum(
    "FdpEventType",
    "nvme_fdp_event_type",
    "NVME_FDP_EVENT_",
    (
        Value("ru_not_fully_written", 0x00, "a reclaim unit was not written to capacity"),
        Value("ru_time_limit", 0x01, "the time limit of a reclaim unit was exceeded"),
        Value("reset", 0x02, "a reset modified reclaim unit handles"),
        Value("invalid_pid", 0x03, "invalid placement identifier"),
        Value("media_reallocated", 0x80, "by the controller"),
        Value("ruh_changed", 0x81, "implicitly, by the controller"),
    ),
    text="types of FDP events",
    section="5.1.12.1.31",
)

FDP_EVENT = Structure(
    "FdpEvent",
    "nvme_fdp_event",
    64,
    (
        Field("et", 0, 1, "type", values=FDP_EVENT_TYPE),
        Field(
            "fdpef",
            1,
            1,
            "which fields are valid",
            bits=(
                Bits("piv", 0, text="PID"),
                Bits("nsidv", 1, text="NSID"),
                Bits("lv", 2, text="RGID and RUHID"),
            ),
        ),
        Field("pid", 2, 2, "placement identifier"),
        Field("ets", 4, 8, "time stamp, as feature 0Eh"),
        Field("nsid", 12, 4, "namespace"),
        Field("ets_specific", 16, 16, "specific to the type", kind="bytes"),
        Field("rgid", 32, 2, "reclaim group"),
        Field("ruhid", 34, 1, "reclaim unit handle"),
        Field("vs", 40, 24, "vendor specific", kind="bytes"),
    ),
    text="FDP Event",
    section="5.1.12.1.31",
    label="FDP event",
)

FDP_EVENTS = Structure(
    "FdpEventsLog",
    "nvme_fdp_events_log",
    64,
    (
        Field("nfdpe", 0, 4, "events"),
        Field("events", 64, 64, "events", count=0, kind="struct", struct=FDP_EVENT, counted_by="nfdpe"),
    ),
    text="FDP Events, LID 23h",
    section="5.1.12.1.31",
    label="LID 23h",
)

# ---- 80h and above ----

RESERVATION = Structure(
    "ReservationLog",
    "nvme_reservation_log",
    64,
    (
        Field("lpc", 0, 8, "counter of log pages, 0: there is none"),
        Field(
            "rnlpt",
            8,
            1,
            "0: none, 1: registration preempted, 2: reservation released, 3: reservation preempted",
        ),
        Field("nalp", 9, 1, "log pages that are still unread"),
        Field("nsid", 12, 4, "namespace"),
    ),
    text="Reservation Notification, LID 80h",
    section="5.1.12.1.32",
    label="LID 80h",
)

SANITIZE_STATUS = Enum(
    "SanitizeStatus",
    "nvme_sanitize_status",
    "NVME_SANITIZE_",
    (
        Value("never", 0, "since the drive was made"),
        Value("success", 1),
        Value("in_progress", 2),
        Value("failed", 3),
        Value("deallocated", 4, "successfully, but for No-Deallocate After Sanitize"),
    ),
    text="SOS of the sanitize log page",
    section="5.1.12.1.33",
    digits=0,
)

SANITIZE_STATE = Enum(
    "SanitizeState",
    "nvme_sanitize_state",
    "NVME_SANITIZE_STATE_",
    (
        Value("idle", 0),
        Value("restricted_processing", 1),
        Value("restricted_failure", 2),
        Value("unrestricted_processing", 3),
        Value("unrestricted_failure", 4),
        Value("media_verification", 5),
        Value("post_verification_deallocation", 6),
    ),
    text="states of the sanitize operation",
    section="8.1.24.3",
    digits=0,
)

SSTAT = (
    Bits("sos", 0, 2, "the latest operation", values=SANITIZE_STATUS),
    Bits("opc", 3, 7, "overwrite passes that are done", c="NVME_SANITIZE_PASSES_SHIFT", style="shift"),
    Bits("gde", 8, text="no user data were written since", c="NVME_SANITIZE_GLOBAL_DATA_ERASED"),
    Bits("mvcncld", 9, text="media verification was canceled", c="NVME_SANITIZE_MVCNCLD", since="2.1"),
)

SANITIZE = Structure(
    "SanitizeLog",
    "nvme_sanitize_log",
    512,
    (
        Field("sprog", 0, 2, "progress, FFFFh if none is in progress", unit="1/65536", long="sanitize_progress"),
        Field("sstat", 2, 2, "status", bits=SSTAT, long="sanitize_status"),
        Field("scdw10", 4, 4, "dword 10 of the latest Sanitize"),
        Field("eto", 8, 4, "estimated time of an overwrite", unit="s"),
        Field("etbe", 12, 4, "estimated time of a block erase", unit="s"),
        Field("etce", 16, 4, "estimated time of a crypto erase", unit="s"),
        Field("etond", 20, 4, "overwrite with No-Deallocate After Sanitize", unit="s", since="1.4"),
        Field("etbend", 24, 4, "block erase with No-Deallocate After Sanitize", unit="s", since="1.4"),
        Field("etcend", 28, 4, "crypto erase with No-Deallocate After Sanitize", unit="s", since="1.4"),
        Field("etpvds", 32, 4, "post-verification deallocation", unit="s", since="2.1"),
        Field(
            "ssi",
            36,
            1,
            "state",
            bits=(
                Bits("sans", 0, 3, "state", values=SANITIZE_STATE),
                Bits("fails", 4, 7, "state in which it failed", values=SANITIZE_STATE),
            ),
            since="2.1",
        ),
    ),
    text="Sanitize Status, LID 81h. Times are in seconds. FFFFFFFFh means not reported.",
    section="5.1.12.1.33",
    label="LID 81h",
)

# ---- 25h ----

POWER = (
    Bits("pwrv", 0, 15, "power"),
    Bits("pwrs", 16, 17, "its scale", values=enums.POWER_SCALE),
)

#: As feature 0Eh returns it.
MOMENT = (
    Bits("tstmp", 0, 47, "time since 1970-01-01, UTC", unit="ms"),
    Bits("synch", 48, text="the controller may have stopped counting"),
    Bits("tso", 49, 51, "origin: 0 cleared at a reset, 1 Set Features"),
)

POWER_HISTOGRAM = Structure(
    "PowerHistogramDescriptor",
    "nvme_power_histogram",
    8,
    (
        Field("phbc", 0, 4, "interval power measurements in the bin"),
        Field("phblt", 4, 4, "its lowest power", bits=POWER),
    ),
    text="Power Histogram Descriptor of log page 25h",
    section="Base 2.3 5.2.12.1.33",
    label="power histogram descriptor",
)

POWER_MEASUREMENT = Structure(
    "PowerMeasurementLog",
    "nvme_power_measurement_log",
    64,
    (
        Field("ver", 0, 1, "version"),
        Field("pmgn", 1, 1, "generation number: measurements started, modulo 256"),
        Field(
            "pma",
            2,
            2,
            "attributes",
            bits=(
                Bits("pme", 0, text="a measurement is running", c="NVME_PMA_PME"),
                Bits("ncpdf", 1, text="data of some intervals are missing"),
                Bits("epf", 2, text="the power is estimated", c="NVME_PMA_EPF"),
                Bits("mipwrts", 3, text="MIPWRT is reported", c="NVME_PMA_MIPWRTS"),
                Bits("phdo", 4, text="a measurement was above the last bin"),
                Bits("pmt", 12, 15, "what is measured, 0: the whole NVM subsystem"),
            ),
        ),
        Field("sze", 4, 4, "size of the log page", unit="bytes"),
        Field("pmc", 8, 4, "interval power measurements, each of a second"),
        Field("nphd", 12, 2, "histogram descriptors"),
        Field("smtr", 14, 2, "time until the measurement stops, 0: not specified", unit="minutes"),
        Field("smts", 16, 8, "when the measurement has stopped", bits=MOMENT),
        Field("phds", 24, 2, "size of a histogram descriptor", unit="bytes"),
        Field("phbs", 26, 2, "size of a bin", unit="mW"),
        Field("nphds", 28, 2, "histogram descriptors at most"),
        Field("vss", 30, 2, "size of what the vendor defines", unit="bytes"),
        Field("phdoc", 32, 4, "measurements above the last bin"),
        Field("aipwr", 40, 4, "average of the measurements", bits=POWER),
        Field("mipwr", 44, 4, "the highest one", bits=POWER),
        Field("mipwrt", 48, 8, "when that was", bits=MOMENT),
        Field("ipwrpe", 56, 1, "error of a measurement at most, 255: not reported", unit="percent"),
        Field("phd", 64, 8, "histogram descriptors", count=0, kind="struct", struct=POWER_HISTOGRAM, counted_by="nphd"),
    ),
    text="Power Measurement, LID 25h",
    section="Base 2.3 5.2.12.1.33",
    label="LID 25h",
    asserted=("pmc", "aipwr"),
)

CHANGED_ZONES = Structure(
    "ChangedZonesLog",
    "nvme_changed_zones_log",
    4096,
    (
        Field("nrzid", 0, 2, "zones; FFFFh: more than fit"),
        Field("zslba", 8, 8, "first LBAs of zones that changed", count=511, counted_by="nrzid"),
    ),
    text="Changed Zone List, LID BFh",
    section="ZNS 4.1.3",
    label="LID BFh",
)

RETURNED = Table(
    "LOG_PAGES",
    "The structure of each log page, by LID. 04h and 1Ch are a NamespaceList.",
    {
        0x00: SUPPORTED,
        0x01: ERROR_LOG,
        0x02: SMART,
        0x03: FIRMWARE,
        0x05: EFFECTS_LOG,
        0x06: SELF_TEST_LOG,
        0x07: TELEMETRY,
        0x08: TELEMETRY,
        0x09: ENDURANCE_GROUP,
        0x0A: PREDICTABLE_LATENCY,
        0x0B: PREDICTABLE_LATENCY_EVENTS,
        0x0C: ANA,
        0x0D: PERSISTENT_EVENT_LOG,
        0x0E: LBA_STATUS,
        0x0F: ENDURANCE_GROUP_EVENTS,
        0x10: MEDIA_UNIT_STATUS,
        0x11: CAPACITY_CONFIGURATIONS,
        0x12: FEATURE_EFFECTS_LOG,
        0x13: MI_EFFECTS_LOG,
        0x14: LOCKDOWN,
        0x15: BOOT_PARTITION,
        0x16: ROTATIONAL_MEDIA,
        0x17: DISPERSED_NS,
        0x18: MANAGEMENT_ADDRESSES,
        0x1A: REACHABILITY_GROUPS,
        0x1B: REACHABILITY_ASSOCIATIONS,
        0x20: FDP_CONFIGURATIONS,
        0x21: FDP_RUH_USAGE,
        0x22: FDP_STATISTICS,
        0x23: FDP_EVENTS,
        0x25: POWER_MEASUREMENT,
        0x80: RESERVATION,
        0x81: SANITIZE,
        0xBF: CHANGED_ZONES,
    },
)

HEADERS = (
    Header(
        "nvme_log.h",
        "Log pages. This header includes features and asynchronous events.\n"
        "NVM Express Base Specification 2.1, section 5.1.12.\n"
        "Layout only, no behaviour. Host and virtual SSD both include it.",
        (
            LID,
            BitGroup(
                (
                    Bits("rae", 15, text="retain asynchronous event", c="NVME_LOG_RAE"),
                    Bits(
                        "create",
                        8,
                        text="LSP of log page 07h: capture the state now",
                        c="NVME_LOG_CREATE",
                        digits=4,
                    ),
                ),
                "Get Log Page, command dword 10",
            ),
            SUPPORTED,
            BitGroup(SUPPORTED.fields[0].bits),
            ERROR_ENTRY,
            SMART,
            BitGroup(
                CRITICAL_WARNING,
                "Critical warnings, and the bits of feature 0Bh that let them raise an event",
            ),
            FIRMWARE,
            Constant(
                "NVME_CHANGED_NS_MAX",
                1024,
                "log page 04h: NSIDs that changed; FFFFFFFFh in the first entry: more than fit",
            ),
            EFFECTS_LOG,
            BitGroup(EFFECTS),
            BitGroup(
                (
                    Bits("csp", 20, 31, c="NVME_EFFECT_SCOPES", text="reserved before 2.0"),
                    *SCOPES,
                ),
                "Scopes, of CSP and FSP",
            ),
            Constant("NVME_SELF_TEST_RESULTS", 20),
            SELF_TEST_RESULT,
            BitGroup(SELF_TEST_VDI),
            SELF_TEST_LOG,
            SELF_TEST_STATUS,
            Constant("NVME_TELEMETRY_BLOCK", 512),
            TELEMETRY,
            ENDURANCE_GROUP,
            BitGroup(EGFEAT, "EGFEAT"),
            PREDICTABLE_LATENCY,
            PREDICTABLE_LATENCY_EVENTS,
            ANA_STATE,
            ANA_GROUP,
            ANA,
            EVENT,
            PERSISTENT_EVENT,
            PERSISTENT_EVENT_LOG,
            FIRMWARE_COMMIT_EVENT,
            TIMESTAMP_EVENT,
            POWER_ON_ENTRY,
            CHANGE_NS_EVENT,
            FORMAT_START_EVENT,
            FORMAT_COMPLETION_EVENT,
            SANITIZE_START_EVENT,
            SANITIZE_COMPLETION_EVENT,
            THERMAL_EVENT,
            LBA_RANGE,
            LBA_STATUS_NS,
            LBA_STATUS,
            ENDURANCE_GROUP_EVENTS,
            MEDIA_UNIT,
            MEDIA_UNIT_STATUS,
            GROUP_CONFIGURATION,
            CAPACITY_CONFIGURATION,
            CAPACITY_CONFIGURATIONS,
            FEATURE_EFFECTS_LOG,
            MI_EFFECTS_LOG,
            LOCKDOWN,
            BOOT_PARTITION,
            ROTATIONAL_MEDIA,
            DISPERSED_NS,
            MANAGEMENT_ADDRESS,
            MANAGEMENT_ADDRESSES,
            REACHABILITY_GROUP,
            REACHABILITY_GROUPS,
            REACHABILITY_ASSOCIATION,
            REACHABILITY_ASSOCIATIONS,
            RESERVATION,
            SANITIZE_STATUS,
            SANITIZE_STATE,
            SANITIZE,
            BitGroup(SSTAT, "SSTAT"),
            POWER_HISTOGRAM,
            POWER_MEASUREMENT,
            BitGroup(POWER_MEASUREMENT.fields[2].bits, "PMA"),
            CHANGED_ZONES,
        ),
        includes=("stddef.h", "stdint.h", "spec/nvme_feature.h"),
    ),
    Header(
        "nvme_fdp.h",
        "Log pages of Flexible Data Placement, 20h to 23h.\n"
        "NVM Express Base Specification 2.1, sections 5.1.12.1.28 to 5.1.12.1.31.\n"
        "Layout only, no behaviour.",
        (
            RUHT,
            RUH,
            FDP_CONFIGURATION,
            FDP_CONFIGURATIONS,
            RUH_USAGE,
            FDP_RUH_USAGE,
            FDP_STATISTICS,
            FDP_EVENT_TYPE,
            FDP_EVENT,
            FDP_EVENTS,
        ),
    ),
)
