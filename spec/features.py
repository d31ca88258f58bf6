# SPDX-License-Identifier: BSD-3-Clause
"""Features: their command dword 11 and their data, by FID.

Section numbers are those of Base 2.1, unless another is named.
"""

from __future__ import annotations

from spec import enums
from spec.schema import BitGroup, Bits, Enum, Feature, Field, Header, Structure, Table, Value, Word

FID = Enum(
    "FeatureId",
    "nvme_fid",
    "NVME_FEAT_",
    (
        Value("arbitration", 0x01, "Arbitration"),
        Value("power", 0x02, "Power Management"),
        Value("lba_range", 0x03, "LBA Range Type"),
        Value("temperature", 0x04, "Temperature Threshold"),
        Value("error_recovery", 0x05, "Error Recovery"),
        Value("vwc", 0x06, "Volatile Write Cache"),
        Value("queues", 0x07, "Number of Queues"),
        Value("coalescing", 0x08, "Interrupt Coalescing"),
        Value("vector", 0x09, "Interrupt Vector Configuration"),
        Value("atomicity", 0x0A, "Write Atomicity Normal"),
        Value("async_event", 0x0B, "Asynchronous Event Configuration"),
        Value("apst", 0x0C, "Autonomous Power State Transition", since="1.1"),
        Value("hmb", 0x0D, "Host Memory Buffer", since="1.2"),
        Value("timestamp", 0x0E, "Timestamp", since="1.3"),
        Value("kato", 0x0F, "Keep Alive Timer", since="1.2.1"),
        Value("hctm", 0x10, "Host Controlled Thermal Management", since="1.3"),
        Value("nopsc", 0x11, "Non-Operational Power State Config", since="1.3"),
        Value("read_recovery", 0x12, "Read Recovery Level Config", since="1.4"),
        Value("predictable_latency", 0x13, "Predictable Latency Mode Config", since="1.4"),
        Value("predictable_latency_window", 0x14, "Predictable Latency Mode Window", since="1.4"),
        Value("lba_status", 0x15, "LBA Status Information Report Interval", since="1.4"),
        Value("host_behavior", 0x16, "Host Behavior Support", since="1.4"),
        Value("sanitize", 0x17, "Sanitize Config", since="1.4"),
        Value("endurance_group", 0x18, "Endurance Group Event Configuration", since="1.4"),
        Value("command_set_profile", 0x19, "I/O Command Set Profile", since="2.0"),
        Value("spinup", 0x1A, "Spinup Control", since="2.0"),
        Value("power_loss_signaling", 0x1B, "Power Loss Signaling Config", since="2.1"),
        Value("fdp", 0x1D, "Flexible Data Placement", since="2.1"),
        Value("fdp_events", 0x1E, "Flexible Data Placement Events", since="2.1"),
        Value("ns_admin_label", 0x1F, "Namespace Admin Label", since="2.1"),
        Value("controller_data_queue", 0x21, "Controller Data Queue", since="2.1"),
        Value("power_limit", 0x23, "Power Limit", since="2.3"),
        Value("power_threshold", 0x24, "Power Threshold", since="2.3"),
        Value("power_measurement", 0x25, "Power Measurement", since="2.3"),
        Value("embedded_mgmt_address", 0x78, "Embedded Management Controller Address", since="2.1"),
        Value("host_mgmt_address", 0x79, "Host Management Agent Address", since="2.1"),
        Value("enhanced_ctrl_metadata", 0x7D, "Enhanced Controller Metadata", since="2.0"),
        Value("ctrl_metadata", 0x7E, "Controller Metadata", since="1.4"),
        Value("ns_metadata", 0x7F, "Namespace Metadata", since="1.4"),
        Value("software_progress", 0x80, "Software Progress Marker"),
        Value("host_id", 0x81, "Host Identifier", since="1.1"),
        Value("reservation_mask", 0x82, "Reservation Notification Mask", since="1.1"),
        Value("reservation_persistence", 0x83, "Reservation Persistence", since="1.1"),
        Value("write_protection", 0x84, "Namespace Write Protection Config", since="1.4"),
        Value("boot_write_protection", 0x85, "Boot Partition Write Protection Config", since="2.1"),
    ),
    text="features",
    section="5.1.25.1",
)

CAPABILITIES = Word(
    "FeatureCapabilities",
    4,
    (
        Bits("saveable", 0, text="its value can be saved", c="NVME_FEATURE_SAVEABLE"),
        Bits("nsspec", 1, text="each namespace has its own value", c="NVME_FEATURE_PER_NS"),
        Bits("changeable", 2, text="Set Features can change it", c="NVME_FEATURE_CHANGEABLE"),
    ),
    text="What SEL 3 returns in dword 0 of the completion",
    section="5.1.11",
)

# ---- dword 11 of Set Features, and dword 0 of the completion of Get Features ----

ARBITRATION = Word(
    "Arbitration",
    4,
    (
        Bits("ab", 0, 2, "commands of a queue in a row, 7: no limit", unit="2^n"),
        Bits("lpw", 8, 15, "weight of low priority", zeroes_based=True),
        Bits("mpw", 16, 23, "weight of medium priority", zeroes_based=True),
        Bits("hpw", 24, 31, "weight of high priority", zeroes_based=True),
    ),
    text="Feature 01h, Arbitration",
    section="5.1.25.1.1",
)

POWER = Word(
    "PowerManagement",
    4,
    (Bits("ps", 0, 4, "power state"), Bits("wh", 5, 7, "workload hint", since="1.2")),
    text="Feature 02h, Power Management",
    section="5.1.25.1.2",
)

TEMPERATURE = Word(
    "TemperatureThreshold",
    4,
    (
        Bits("tmpth", 0, 15, "threshold", unit="Kelvin"),
        Bits("tmpsel", 16, 19, "0: composite, 1 to 8: a sensor, Fh: all", since="1.2"),
        Bits("thsel", 20, 21, "0: over, 1: under", since="1.2"),
        Bits("tmpthh", 22, 24, "hysteresis", unit="Kelvin", since="2.1"),
    ),
    text="Feature 04h, Temperature Threshold",
    section="5.1.25.1.3",
)

ERROR_RECOVERY = Word(
    "ErrorRecovery",
    4,
    (
        Bits("tler", 0, 15, "time of retries at most, 0: no limit", unit="100 ms"),
        Bits("dulbe", 16, text="reading a deallocated LBA gives an error", c="NVME_DULBE", since="1.2"),
    ),
    text="Feature 05h, Error Recovery",
    section="NVM 4.1.3.2",
)

VOLATILE_WRITE_CACHE = Word(
    "VolatileWriteCache",
    4,
    (Bits("wce", 0, text="volatile write cache: enabled", c="NVME_WCE"),),
    text="Feature 06h, Volatile Write Cache",
    section="5.1.25.1.4",
)

QUEUES = Word(
    "NumberOfQueues",
    4,
    (
        Bits("nsq", 0, 15, "I/O submission queues", zeroes_based=True),
        Bits("ncq", 16, 31, "I/O completion queues", zeroes_based=True),
    ),
    text="Feature 07h, Number of Queues: requested in dword 11, allocated in dword 0 of the completion",
    section="5.1.25.2.1",
)

COALESCING = Word(
    "InterruptCoalescing",
    4,
    (
        Bits("thr", 0, 7, "completions", zeroes_based=True),
        Bits("time", 8, 15, "time, 0: no delay", unit="100 us"),
    ),
    text="Feature 08h, Interrupt Coalescing",
    section="5.1.25.2.2",
)

VECTOR = Word(
    "InterruptVector",
    4,
    (Bits("iv", 0, 15, "vector"), Bits("cd", 16, text="coalescing is disabled")),
    text="Feature 09h, Interrupt Vector Configuration",
    section="5.1.25.2.3",
)

ATOMICITY = Word(
    "WriteAtomicity",
    4,
    (Bits("dn", 0, text="AWUN and NAWUN do not apply, only AWUPF"),),
    text="Feature 0Ah, Write Atomicity Normal",
    section="NVM 4.1.3.3",
)

ASYNC_EVENT = Word(
    "AsyncEventConfig",
    4,
    (
        Bits("shcw", 0, 7, "critical warnings of log page 02h"),
        Bits("nan", 8, text="namespace attribute notices"),
        Bits("fan", 9, text="firmware activation notices"),
        Bits("tln", 10, text="telemetry notices", c="NVME_ASYNC_EVENT_TELEMETRY", since="1.3"),
        Bits("anacn", 11, text="ANA change notices", since="1.4"),
        Bits("plealcn", 12, text="predictable latency event notices", since="1.4"),
        Bits("lsian", 13, text="LBA status information notices", since="1.4"),
        Bits("egealpcn", 14, text="endurance group event notices", since="1.4"),
        Bits("nnsshdn", 15, text="normal NVM subsystem shutdown", since="2.0"),
        Bits("tthry", 16, text="temperature threshold hysteresis recovery", since="2.1"),
        Bits("rassn", 17, text="reachability association notices", since="2.1"),
        Bits("rgrp0", 18, text="reachability group notices", since="2.1"),
        Bits("ansan", 19, text="allocated namespace attribute notices", since="2.1"),
        Bits("zdcn", 27, text="zone descriptor changed notices", since="2.0"),
        Bits("dlpcn", 31, text="discovery log page change", since="1.4"),
    ),
    text="Feature 0Bh, Asynchronous Event Configuration",
    section="5.1.25.1.5",
)

APST = Word(
    "AutonomousPowerStateTransition",
    4,
    (Bits("apste", 0, text="autonomous power state transition: enabled", c="NVME_APSTE"),),
    text="Feature 0Ch, Autonomous Power State Transition",
    section="5.1.25.1.6",
)

HMB = Word(
    "HostMemoryBuffer",
    4,
    (
        Bits("ehm", 0, text="host memory buffer: enabled", c="NVME_HMB_EHM"),
        Bits("mr", 1, text="and the memory is returned as it was left", c="NVME_HMB_MR"),
        Bits("hmnare", 2, text="access in non-operational states is restricted", since="2.1"),
    ),
    text="Feature 0Dh, Host Memory Buffer",
    section="5.1.25.2.4",
)

KATO = Word(
    "KeepAliveTimer",
    4,
    (Bits("kato", 0, 31, "time-out, 0: disabled", unit="ms"),),
    text="Feature 0Fh, Keep Alive Timer",
    section="5.1.25.1.8",
)

HCTM = Word(
    "HostControlledThermalManagement",
    4,
    (
        Bits("tmt2", 0, 15, "temperature 2, 0: disabled", unit="Kelvin"),
        Bits("tmt1", 16, 31, "temperature 1, 0: disabled", unit="Kelvin"),
    ),
    text="Feature 10h, Host Controlled Thermal Management",
    section="5.1.25.1.9",
)

NOPSC = Word(
    "NonOperationalPowerState",
    4,
    (
        Bits(
            "noppme",
            0,
            text="non-operational power state: work in the background may need more power",
            c="NVME_NOPPME",
        ),
    ),
    text="Feature 11h, Non-Operational Power State Config",
    section="5.1.25.1.10",
)

READ_RECOVERY = Word(
    "ReadRecoveryLevel",
    4,
    (Bits("rrl", 0, 3, "read recovery level"),),
    text="Feature 12h, Read Recovery Level Config",
    section="5.1.25.1.11",
)

PREDICTABLE_LATENCY = Word(
    "PredictableLatencyMode",
    4,
    (Bits("plme", 0, text="enabled"),),
    text="Feature 13h, Predictable Latency Mode Config, dword 12",
    section="5.1.25.1.12",
)

PREDICTABLE_LATENCY_WINDOW = Word(
    "PredictableLatencyWindow",
    4,
    (Bits("ws", 0, 2, "window: 1 deterministic, 2 non-deterministic"),),
    text="Feature 14h, Predictable Latency Mode Window, dword 12",
    section="5.1.25.1.13",
)

LBA_STATUS = Word(
    "LbaStatusInterval",
    4,
    (
        Bits("lsiri", 0, 15, "report interval", unit="100 ms"),
        Bits("lsipi", 16, 31, "poll interval", unit="100 ms"),
    ),
    text="Feature 15h, LBA Status Information Report Interval",
    section="NVM 4.1.3.6",
)

SANITIZE = Word(
    "SanitizeConfig",
    4,
    (
        Bits(
            "nodrm",
            0,
            text="sanitize: warn instead of fail if No-Deallocate is inhibited",
            c="NVME_NODRM",
        ),
    ),
    text="Feature 17h, Sanitize Config",
    section="5.1.25.1.15",
)

ENDURANCE_GROUP = Word(
    "EnduranceGroupEvents",
    4,
    (Bits("endgid", 0, 15, "endurance group"), Bits("egcw", 16, 23, "critical warnings that are events")),
    text="Feature 18h, Endurance Group Event Configuration",
    section="5.1.25.1.16",
)

COMMAND_SET_PROFILE = Word(
    "CommandSetProfile",
    4,
    (Bits("iocsci", 0, 8, "index into the vectors of CNS 1Ch"),),
    text="Feature 19h, I/O Command Set Profile",
    section="5.1.25.1.17",
)

SPINUP = Word(
    "SpinupControl",
    4,
    (
        Bits(
            "sce",
            0,
            text="after a reset of the subsystem, rotational media start with Power Management only",
            c="NVME_SPINUP_CONTROL",
        ),
    ),
    text="Feature 1Ah, Spinup Control",
    section="5.1.25.1.18",
)

POWER_LOSS_SIGNALING = Word(
    "PowerLossSignaling",
    4,
    (Bits("plsm", 0, 1, "0: disabled, 1: emergency power fail, 2: forced quiescence"),),
    text="Feature 1Bh, Power Loss Signaling Config",
    section="5.1.25.1.19",
)

DATA_QUEUE = Word(
    "DataQueueTrigger",
    4,
    (
        Bits("cdqid", 0, 15, "controller data queue"),
        Bits("etpt", 31, text="an event comes once the tail pointer trigger is posted"),
    ),
    text="Feature 21h, Controller Data Queue, dword 11; dword 12 is HP, dword 13 TPT",
    section="5.1.25.1.23",
)

FDP = Word(
    "FlexibleDataPlacement",
    4,
    (Bits("fdpe", 0, text="enabled"), Bits("fdpcidx", 8, 15, "index of the FDP configuration")),
    text="Feature 1Dh, Flexible Data Placement, dword 12; dword 11 bits 15:0 are the endurance group",
    section="5.1.25.1.20",
)

FDP_EVENTS = Word(
    "FdpEventsConfig",
    4,
    (Bits("phndl", 0, 15, "placement handle"), Bits("noet", 16, 23, "event types")),
    text="Feature 1Eh, Flexible Data Placement Events",
    section="5.1.25.1.21",
)

POWER_LIMIT = Word(
    "PowerLimit",
    4,
    (
        Bits("plv", 0, 15, "most power, 0: no limit", c="NVME_POWER_LIMIT_PLV"),
        Bits("pls", 16, 17, "its scale", values=enums.POWER_SCALE),
    ),
    text="Feature 23h, Power Limit, dword 13",
    section="Base 2.3 5.2.26.1.25",
)

POWER_THRESHOLD = Word(
    "PowerThreshold",
    4,
    (
        Bits("ptv", 0, 15, "interval power above which there is an event"),
        Bits("pts", 16, 17, "its scale", values=enums.POWER_SCALE),
        Bits("pmts", 20, 23, "what is measured, 0: the whole NVM subsystem"),
        Bits("ept", 31, text="the threshold is enabled", c="NVME_POWER_THRESHOLD_EPT", suffix="wide"),
    ),
    text="Feature 24h, Power Threshold",
    section="Base 2.3 5.2.26.1.26",
)

POWER_MEASUREMENT = Word(
    "PowerMeasurement",
    4,
    (
        Bits("act", 0, 3, "action: 0 stop, 1 start", c="NVME_POWER_MEASUREMENT_ACT"),
        Bits("pmts", 4, 7, "what is measured, 0: the whole NVM subsystem", c="NVME_POWER_MEASUREMENT_PMTS"),
        Bits("smt", 16, 31, "when the measurement stops, 0: not by itself", unit="minutes"),
    ),
    text="Feature 25h, Power Measurement",
    section="Base 2.3 5.2.26.1.27",
)

HOST_ID = Word(
    "HostIdentifier",
    4,
    (Bits("exhid", 0, text="the host identifier has 128 bits", c="NVME_EXHID"),),
    text="Feature 81h, Host Identifier",
    section="5.1.25.1.28",
)

SOFTWARE_PROGRESS = Word(
    "SoftwareProgress",
    4,
    (Bits("pbslc", 0, 7, "pre-boot software loads"),),
    text="Feature 80h, Software Progress Marker",
    section="5.1.25.1.27",
)

RESERVATION_MASK = Word(
    "ReservationMask",
    4,
    (
        Bits("regpre", 1, text="registration preempted"),
        Bits("resrel", 2, text="reservation released"),
        Bits("respre", 3, text="reservation preempted"),
    ),
    text="Feature 82h, Reservation Notification Mask",
    section="5.1.25.1.29",
)

RESERVATION_PERSISTENCE = Word(
    "ReservationPersistence",
    4,
    (Bits("ptpl", 0, text="reservations persist through power loss"),),
    text="Feature 83h, Reservation Persistence",
    section="5.1.25.1.30",
)

WRITE_PROTECTION_STATE = Enum(
    "WriteProtectionState",
    "nvme_write_protection",
    "NVME_WRITE_PROTECTION_",
    (
        Value("none", 0),
        Value("protected", 1),
        Value("until_power_cycle", 2),
        Value("permanent", 3),
    ),
    text="WPS of feature 84h",
    section="8.1.16",
    digits=0,
)

WRITE_PROTECTION = Word(
    "WriteProtection",
    4,
    (Bits("wps", 0, 2, "state", values=WRITE_PROTECTION_STATE),),
    text="Feature 84h, Namespace Write Protection Config",
    section="5.1.25.1.31",
)

BOOT_PROTECTION_STATE = Enum(
    "BootProtectionState",
    "nvme_boot_protection",
    "NVME_BOOT_",
    (
        Value("unchanged", 0, "only in Set Features: leave the state as it is"),
        Value("unlocked", 1, "the partition can be written"),
        Value("locked", 2, "the partition cannot be written until it is unlocked"),
        Value("locked_until_power_cycle", 3, "nor can it be unlocked before the next power cycle"),
        Value("by_rpmb", 4, "only in Get Features: RPMB controls the state"),
    ),
    text="BPWPS of feature 85h",
    section="8.1.3.3",
    digits=0,
)

BOOT_WRITE_PROTECTION = Word(
    "BootWriteProtection",
    4,
    (
        Bits("bp0wps", 0, 2, "state of boot partition 0", values=BOOT_PROTECTION_STATE),
        Bits("bp1wps", 3, 5, "state of boot partition 1", values=BOOT_PROTECTION_STATE),
    ),
    text="Feature 85h, Boot Partition Write Protection Config",
    section="5.1.25.1.32",
)

# ---- data ----

LBA_RANGE_TYPE = Structure(
    "LbaRangeType",
    "nvme_lba_range_type",
    64,
    (
        Field("type", 0, 1, "0: general, 1: filesystem, 2: RAID, 3: cache, 4: page or swap file"),
        Field(
            "attr",
            1,
            1,
            "attributes",
            bits=(Bits("ovrwrt", 0, text="may be overwritten"), Bits("hide", 1, text="is hidden from the OS")),
        ),
        Field("slba", 16, 8, "first LBA"),
        Field("nlb", 24, 8, "LBAs", zeroes_based=True),
        Field("guid", 32, 16, "unique identifier", kind="bytes"),
    ),
    text="an entry of feature 03h, up to 64 of them",
    section="NVM 4.1.3.1",
    label="FID 03h",
)

LBA_RANGE_TYPES = Structure(
    "LbaRangeTypes",
    "nvme_lba_range_types",
    4096,
    (Field("entries", 0, 64, "ranges", count=64, kind="struct", struct=LBA_RANGE_TYPE),),
    text="LBA Range Type, FID 03h; NUM of dword 11 (0's based) says how many entries there are",
    section="NVM 4.1.3.1",
    label="FID 03h",
)

APST_ENTRIES = Structure(
    "ApstEntries",
    "nvme_apst",
    256,
    (
        Field(
            "entries",
            0,
            8,
            "one for each power state",
            count=32,
            bits=(
                Bits("itps", 3, 7, "power state to go to"),
                Bits("itpt", 8, 31, "idle time before that, 0: never", unit="ms"),
            ),
        ),
    ),
    text="Autonomous Power State Transition, FID 0Ch",
    section="5.1.25.1.6",
    label="FID 0Ch",
)

HMB_DESCRIPTOR = Structure(
    "HmbDescriptor",
    "nvme_hmb_descriptor",
    16,
    (Field("badd", 0, 8, "address", hex=True), Field("bsize", 8, 4, "size", unit="pages of CC.MPS, as is HSIZE")),
    text="Feature 0Dh: the list at HMDLLA has an entry of 16 bytes for each range",
    section="5.1.25.2.4",
    label="HMB descriptor",
)

HMB_ATTRIBUTES = Structure(
    "HmbAttributes",
    "nvme_hmb_attributes",
    4096,
    (
        Field("hsize", 0, 4, "size", unit="pages of CC.MPS"),
        Field("hmdlal", 4, 4, "address of the descriptors, low", hex=True),
        Field("hmdlau", 8, 4, "address of the descriptors, high", hex=True),
        Field("hmdlec", 12, 4, "descriptors"),
    ),
    text="Feature 0Dh: data of Get Features",
    section="5.1.25.2.4",
    label="FID 0Dh",
)

TIMESTAMP = Structure(
    "Timestamp",
    "nvme_timestamp",
    8,
    (
        Field("tstmp", 0, 6, "time since 1970-01-01, UTC", unit="ms"),
        Field(
            "attr",
            6,
            1,
            "attributes",
            bits=(
                Bits("synch", 0, text="the controller may have stopped counting"),
                Bits("tso", 1, 3, "origin: 0 cleared at a reset, 1 Set Features"),
            ),
        ),
    ),
    text="Timestamp, FID 0Eh",
    section="5.1.25.1.7",
    label="FID 0Eh",
)

PREDICTABLE_LATENCY_CONFIG = Structure(
    "PredictableLatencyConfig",
    "nvme_predictable_latency_config",
    512,
    (
        Field(
            "ee",
            0,
            2,
            "enabled events",
            bits=(
                Bits("dtwinrw", 0, text="reads of the deterministic window"),
                Bits("dtwinww", 1, text="writes of the deterministic window"),
                Bits("dtwintw", 2, text="time of the deterministic window"),
                Bits("atede", 14, text="autonomous transition, an excursion"),
                Bits("atedwe", 15, text="autonomous transition, a value exceeded"),
            ),
        ),
        Field("dtwinrt", 32, 8, "read threshold", unit="4 KiB"),
        Field("dtwinwt", 40, 8, "write threshold"),
        Field("dtwintt", 48, 8, "time threshold", unit="ms"),
    ),
    text="Predictable Latency Mode Config, FID 13h",
    section="5.1.25.1.12",
    label="FID 13h",
)

HOST_BEHAVIOR = Structure(
    "HostBehavior",
    "nvme_host_behavior",
    512,
    (
        Field("acre", 0, 1, "it retries commands that the controller interrupted"),
        Field("etdas", 1, 1, "it knows telemetry data area 4", since="2.0"),
        Field("lbafee", 2, 1, "it knows extended LBA formats, and more than 16", since="2.0"),
        Field("hdisns", 3, 1, "it knows dispersed namespaces", since="2.0"),
        Field("cdfe", 4, 2, "Copy descriptor formats 2h and above that it uses, one a bit", since="2.1"),
    ),
    text="Feature 16h: capabilities of the host. Each field but CDFE is 0 or 1.",
    section="5.1.25.1.14",
    label="FID 16h",
)

FDP_EVENT_SUPPORT = Structure(
    "FdpEventSupport",
    "nvme_fdp_event_support",
    2,
    (
        Field("evt", 0, 1, "event type"),
        Field("evta", 1, 1, "attributes", bits=(Bits("fdpee", 0, text="enabled"),)),
    ),
    text="an entry of the data of Get Features for FID 1Eh",
    section="5.1.25.1.21",
    label="FID 1Eh",
)

DATA_QUEUE_POINTERS = Structure(
    "DataQueuePointers",
    "nvme_data_queue_pointers",
    512,
    (
        Field("hp", 0, 4, "head pointer, a slot"),
        Field("tpt", 4, 4, "tail pointer trigger, a slot; 0 without one"),
    ),
    text="Controller Data Queue, FID 21h, as Get Features returns it",
    section="5.1.25.1.23",
    label="FID 21h",
)

METADATA_ELEMENT = Structure(
    "MetadataElement",
    "nvme_metadata_element",
    4,
    (
        Field("et", 0, 1, "element type", bits=(Bits("et", 0, 5),)),
        Field("er", 1, 1, "element revision", bits=(Bits("er", 0, 3),)),
        Field("elen", 2, 2, "length of the value", unit="bytes"),
        Field("eval", 4, 1, "value", count=0, kind="bytes", counted_by="elen"),
    ),
    text="Metadata Element Descriptor of FID 7Dh to 7Fh",
    section="5.1.25.1.26",
    label="metadata element",
)

HOST_METADATA = Structure(
    "HostMetadata",
    "nvme_host_metadata",
    2,
    (
        Field("nmed", 0, 1, "elements"),
        Field("elements", 2, 4, "elements", count=0, kind="struct", struct=METADATA_ELEMENT, counted_by="nmed"),
    ),
    text="Host Metadata, FID 7Dh to 7Fh",
    section="5.1.25.1.26",
    label="FID 7Eh",
)

HOST_ID_DATA = Structure(
    "HostId",
    "",
    8,
    (Field("hostid", 0, 8, "host identifier; with EXHID the lower half", kind="bytes"),),
    text="Host Identifier, FID 81h",
    section="5.1.25.1.28",
)

_FEATURES = (
    Feature(0x01, ARBITRATION),
    Feature(0x02, POWER),
    Feature(0x03, None, LBA_RANGE_TYPES, namespace=True),
    Feature(0x04, TEMPERATURE),
    Feature(0x05, ERROR_RECOVERY, namespace=True),
    Feature(0x06, VOLATILE_WRITE_CACHE),
    Feature(0x07, QUEUES),
    Feature(0x08, COALESCING),
    Feature(0x09, VECTOR),
    Feature(0x0A, ATOMICITY),
    Feature(0x0B, ASYNC_EVENT),
    Feature(0x0C, APST, APST_ENTRIES),
    Feature(0x0D, HMB, HMB_ATTRIBUTES),
    Feature(0x0E, None, TIMESTAMP),
    Feature(0x0F, KATO),
    Feature(0x10, HCTM),
    Feature(0x11, NOPSC),
    Feature(0x12, READ_RECOVERY),
    Feature(0x13, PREDICTABLE_LATENCY, PREDICTABLE_LATENCY_CONFIG, dword=12),
    Feature(0x14, PREDICTABLE_LATENCY_WINDOW, dword=12),
    Feature(0x15, LBA_STATUS),
    Feature(0x16, None, HOST_BEHAVIOR),
    Feature(0x17, SANITIZE),
    Feature(0x18, ENDURANCE_GROUP),
    Feature(0x19, COMMAND_SET_PROFILE),
    Feature(0x1A, SPINUP),
    Feature(0x1B, POWER_LOSS_SIGNALING),
    Feature(0x1D, FDP, dword=12),
    Feature(0x1E, FDP_EVENTS, namespace=True),
    Feature(0x21, DATA_QUEUE, DATA_QUEUE_POINTERS, dword=11),
    Feature(0x23, POWER_LIMIT, dword=13),
    Feature(0x24, POWER_THRESHOLD),
    Feature(0x25, POWER_MEASUREMENT),
    Feature(0x7D, None, HOST_METADATA),
    Feature(0x7E, None, HOST_METADATA),
    Feature(0x7F, None, HOST_METADATA, namespace=True),
    Feature(0x80, SOFTWARE_PROGRESS),
    Feature(0x81, HOST_ID, HOST_ID_DATA),
    Feature(0x82, RESERVATION_MASK, namespace=True),
    Feature(0x83, RESERVATION_PERSISTENCE, namespace=True),
    Feature(0x84, WRITE_PROTECTION, namespace=True),
    Feature(0x85, BOOT_WRITE_PROTECTION),
)

FEATURES = Table(
    "FEATURES",
    "What a feature consists of, by FID.",
    {feature.fid: feature for feature in _FEATURES},
)

HEADERS = (
    Header(
        "nvme_feature.h",
        "Features and asynchronous events.\n"
        "NVM Express Base Specification 2.1, sections 5.1.2, 5.1.11 and 5.1.25.\n"
        "Layout only, no behaviour. Host and virtual SSD both include it.",
        (
            FID,
            enums.FEATURE_SELECT,
            BitGroup(CAPABILITIES.bits, CAPABILITIES.text, CAPABILITIES.section),
            BitGroup(
                (Bits("sv", 31, text="save", c="NVME_SET_FEATURES_SV", suffix="wide"),),
                "Set Features, command dword 10",
            ),
            BitGroup(
                tuple(bits for feature in _FEATURES if feature.word for bits in feature.word.bits if bits.c),
                "Bits of features' command dword 11",
            ),
            LBA_RANGE_TYPE,
            LBA_RANGE_TYPES,
            APST_ENTRIES,
            HMB_DESCRIPTOR,
            HMB_ATTRIBUTES,
            TIMESTAMP,
            PREDICTABLE_LATENCY_CONFIG,
            HOST_BEHAVIOR,
            FDP_EVENT_SUPPORT,
            DATA_QUEUE_POINTERS,
            METADATA_ELEMENT,
            HOST_METADATA,
            WRITE_PROTECTION_STATE,
            BOOT_PROTECTION_STATE,
            enums.EVENT_TYPE,
            enums.EVENT_ERROR,
            enums.EVENT_SMART,
            enums.EVENT_NOTICE,
            enums.EVENT_IO,
            enums.EVENT_ONE_SHOT,
            enums.POWER_SCALE,
        ),
        includes=("stddef.h", "stdint.h"),
    ),
)
