# SPDX-License-Identifier: BSD-3-Clause
"""Log pages and features of the OCP Datacenter NVMe SSD specification, which a UUID index selects.

Generated from spec/ocp.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Feature
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word


class OcpLogId(IntEnum):
    """log pages of OCP."""

    SMART = 0xC0  # SMART / Health Information Extended
    ERROR_RECOVERY = 0xC1  # Error Recovery
    FIRMWARE_HISTORY = 0xC2  # Firmware Activation History
    LATENCY = 0xC3  # Latency Monitor
    CAPABILITIES = 0xC4  # Device Capabilities
    UNSUPPORTED = 0xC5  # Unsupported Requirements
    HARDWARE = 0xC6  # Hardware Component
    TCG = 0xC7  # TCG Configuration
    TELEMETRY_STRINGS = 0xC9  # Telemetry String
    LATENCY_DEBUG = 0xCA  # debug telemetry of the latency monitor


class OcpFeatureId(IntEnum):
    """features of OCP."""

    ERROR_INJECTION = 0xC0  # Error Injection
    CLEAR_FIRMWARE_HISTORY = 0xC1  # Clear Firmware Update History
    READ_ONLY_WRITE_THROUGH = 0xC2  # EOL/PLP Failure Mode
    CLEAR_PCIE_ERRORS = 0xC3  # Clear PCIe Correctable Error Counters
    IEEE1667 = 0xC4  # Enable IEEE1667 Silo
    LATENCY_MONITOR = 0xC5  # Latency Monitor
    PLP_HEALTH_CHECK = 0xC6  # PLP Health Check Interval
    POWER_STATE = 0xC7  # DSSD Power State
    TELEMETRY_PROFILE = 0xC8  # Telemetry Profile
    ASYNC_EVENT = 0xC9  # DSSD Asynchronous Event Configuration
    IDLE_WAKE_UP = 0xCA  # Idle Wake Up Time Configuration


class OcpComponentId(IntEnum):
    """hardware components of log page C6h; from 8000h on the vendor's."""

    ASIC = 1  # controller ASIC
    NAND = 2  # NAND
    DRAM = 3  # DRAM
    PMIC = 4  # PMIC
    PCB = 5  # PCB
    CAPACITOR = 6  # capacitor
    REGULATOR = 7  # regulator
    CASE = 8  # case
    SERIAL_NUMBER = 9  # serial number of the device
    COUNTRY = 10  # country of origin
    HARDWARE_REVISION = 11  # global hardware revision of the device
    BORN_ON = 12  # born-on date


class OcpError(IntEnum):
    """errors that feature C0h injects."""

    CONTROLLER_HANG = 1
    NAND_HANG = 2
    PLP_DEFECT = 3
    FIRMWARE_ERROR = 4
    DRAM_CRITICAL = 5
    DRAM_NON_CRITICAL = 6
    NAND_CORRUPTION = 7
    SRAM_CORRUPTION = 8
    HARDWARE_MALFUNCTION = 9
    NO_SPARES = 10
    INCOMPLETE_SHUTDOWN = 11
    METADATA_CORRUPTION = 12
    CRITICAL_GARBAGE_COLLECTION = 13
    LATENCY_SPIKE = 14
    IO_FAILURE = 15
    IO_TIMEOUT = 16
    ADMIN_FAILURE = 17
    ADMIN_TIMEOUT = 18
    THROTTLING_ON = 19
    THROTTLING_OFF = 20
    CRITICAL_TEMPERATURE = 21
    DIE_OFFLINE = 22


class OcpClear(_Word):
    """OCP features C1h and C3h: clear the firmware activation history, or the PCIe correctable error counters."""

    clear = Bit(31, 31, "clear it")


class OcpFailureMode(_Word):
    """OCP feature C2h: how the drive works at the end of its life, or without power loss protection."""

    state = Bit(0, 2, "Get Features: 1 read-only, 2 write-through, 3 normal")
    mode = Bit(30, 31, "Set Features: the same, or 0 for the default")


class OcpPlpInterval(_Word):
    """OCP feature C6h: how often the drive checks its power loss protection."""

    current = Bit(0, 15, "Get Features: the interval", "minutes")
    interval = Bit(16, 31, "Set Features: the interval; 0: no check", "minutes")


class OcpPowerState(_Word):
    """OCP feature C7h: the power that the drive may need."""

    watts = Bit(0, 6, "the DSSD power state", "W")


class OcpSmartLog(_Structure):
    """OCP SMART / Health Information Extended, LID C0h. 512 bytes.

    media_units_written                 15:0  physical media units written, bytes
    media_units_read                   31:16  physical media units read, bytes
    bad_user_blocks_raw                37:32  bad user NAND blocks
    bad_user_blocks_normalised         39:38  bad user NAND blocks, normalised, percent
    bad_system_blocks_raw              45:40  bad system NAND blocks
    bad_system_blocks_normalised       47:46  bad system NAND blocks, normalised, percent
    xor_recoveries                     55:48  XOR recoveries
    uncorrectable_reads                63:56  reads that could not be corrected
    soft_ecc_errors                    71:64  soft ECC errors
    e2e_detected                       75:72  end-to-end errors that were detected
    e2e_corrected                      79:76  end-to-end errors that were corrected
    system_data_used                      80  system data that are used, percent
    refresh_count                      87:81  refreshes
    max_erase_count                    91:88  erases of a user block, the most
    min_erase_count                    95:92  erases of a user block, the least
    throttling_events                     96  thermal throttling events
    throttling_status                     97  thermal throttling, current
    dssd_errata                           98  version of the OCP specification: errata
    dssd_point                        100:99  version of the OCP specification: point
    dssd_minor                       102:101  version of the OCP specification: minor
    dssd_major                           103  version of the OCP specification: major
    pcie_correctable_errors          111:104  PCIe correctable errors
    incomplete_shutdowns             115:112  incomplete shutdowns
    free_blocks                          120  free blocks, percent
    capacitor_health                 129:128  capacitor health, FFFFh: there is none, percent
    errata_base                          130  errata of the Base Specification
    errata_command_set                   131  errata of the command set's specification
    errata_pcie                          132  errata of the PCIe transport's specification
    errata_mi                            133  errata of the management interface's specification
    unaligned_io                     143:136  unaligned I/O
    security_version                 151:144  security version
    total_nuse                       159:152  NUSE of all namespaces
    plp_starts                       175:160  starts of power loss protection
    endurance_estimate               191:176  endurance estimate, bytes
    link_retrains                    199:192  PCIe link retrainings
    power_state_changes              207:200  power state changes
    lowest_firmware                  215:208  lowest firmware revision that is permitted
    dies                             217:216  media dies
    die_tolerance                    219:218  dies that may fail
    dies_offline                     221:220  dies that are offline
    max_temperature                      222  highest temperature that was recorded, degrees Celsius
    form_factor                          223  form factor
    average_erase_count              231:224  erases of a user block, average
    command_timeouts                 235:232  command time-outs
    system_program_fails_raw         239:236  program failures of the system area
    system_program_fails_normalised      240  the same, normalised, percent
    system_read_fails_raw            247:244  uncorrectable reads of the system area
    system_read_fails_normalised         248  the same, normalised, percent
    system_erase_fails_raw           255:252  erase failures of the system area
    system_erase_fails_normalised        256  the same, normalised, percent
    max_peak_power                   261:260  peak power that the drive can need
    max_average_power                263:262  average power that the drive can need
    lifetime_energy                  269:264  energy over the life of the drive
    firmware_revision                277:270  firmware revision
    build_uuid                       293:278  UUID of the firmware's build
    build_label                      357:294  label of the firmware's build
    bad_blocks_in_use_raw            363:358  bad blocks of dies in use
    bad_blocks_in_use_normalised     365:364  bad blocks of dies in use, normalised, percent
    version                          495:494  version of the log page
    guid                             511:496  GUID of the log page
    """

    SIZE = 512
    TEXT = "OCP SMART / Health Information Extended, LID C0h"

    media_units_written = Field(0, Number(16), "physical media units written", "bytes")
    media_units_read = Field(16, Number(16), "physical media units read", "bytes")
    bad_user_blocks_raw = Field(32, Number(6), "bad user NAND blocks")
    bad_user_blocks_normalised = Field(38, Number(2), "bad user NAND blocks, normalised", "percent")
    bad_system_blocks_raw = Field(40, Number(6), "bad system NAND blocks")
    bad_system_blocks_normalised = Field(46, Number(2), "bad system NAND blocks, normalised", "percent")
    xor_recoveries = Field(48, Number(8), "XOR recoveries")
    uncorrectable_reads = Field(56, Number(8), "reads that could not be corrected")
    soft_ecc_errors = Field(64, Number(8), "soft ECC errors")
    e2e_detected = Field(72, Number(4), "end-to-end errors that were detected")
    e2e_corrected = Field(76, Number(4), "end-to-end errors that were corrected")
    system_data_used = Field(80, Number(1), "system data that are used", "percent")
    refresh_count = Field(81, Number(7), "refreshes")
    max_erase_count = Field(88, Number(4), "erases of a user block, the most")
    min_erase_count = Field(92, Number(4), "erases of a user block, the least")
    throttling_events = Field(96, Number(1), "thermal throttling events")
    throttling_status = Field(97, Number(1), "thermal throttling, current")
    dssd_errata = Field(98, Number(1), "version of the OCP specification: errata")
    dssd_point = Field(99, Number(2), "version of the OCP specification: point")
    dssd_minor = Field(101, Number(2), "version of the OCP specification: minor")
    dssd_major = Field(103, Number(1), "version of the OCP specification: major")
    pcie_correctable_errors = Field(104, Number(8), "PCIe correctable errors")
    incomplete_shutdowns = Field(112, Number(4), "incomplete shutdowns")
    free_blocks = Field(120, Number(1), "free blocks", "percent")
    capacitor_health = Field(128, Number(2), "capacitor health, FFFFh: there is none", "percent")
    errata_base = Field(130, Number(1), "errata of the Base Specification")
    errata_command_set = Field(131, Number(1), "errata of the command set's specification")
    errata_pcie = Field(132, Number(1), "errata of the PCIe transport's specification")
    errata_mi = Field(133, Number(1), "errata of the management interface's specification")
    unaligned_io = Field(136, Number(8), "unaligned I/O")
    security_version = Field(144, Number(8), "security version")
    total_nuse = Field(152, Number(8), "NUSE of all namespaces")
    plp_starts = Field(160, Number(16), "starts of power loss protection")
    endurance_estimate = Field(176, Number(16), "endurance estimate", "bytes")
    link_retrains = Field(192, Number(8), "PCIe link retrainings")
    power_state_changes = Field(200, Number(8), "power state changes")
    lowest_firmware = Field(208, Text(8), "lowest firmware revision that is permitted")
    dies = Field(216, Number(2), "media dies")
    die_tolerance = Field(218, Number(2), "dies that may fail")
    dies_offline = Field(220, Number(2), "dies that are offline")
    max_temperature = Field(222, Number(1), "highest temperature that was recorded", "degrees Celsius")
    form_factor = Field(223, Number(1), "form factor")
    average_erase_count = Field(224, Number(8), "erases of a user block, average")
    command_timeouts = Field(232, Number(4), "command time-outs")
    system_program_fails_raw = Field(236, Number(4), "program failures of the system area")
    system_program_fails_normalised = Field(240, Number(1), "the same, normalised", "percent")
    system_read_fails_raw = Field(244, Number(4), "uncorrectable reads of the system area")
    system_read_fails_normalised = Field(248, Number(1), "the same, normalised", "percent")
    system_erase_fails_raw = Field(252, Number(4), "erase failures of the system area")
    system_erase_fails_normalised = Field(256, Number(1), "the same, normalised", "percent")
    max_peak_power = Field(260, Number(2), "peak power that the drive can need")
    max_average_power = Field(262, Number(2), "average power that the drive can need")
    lifetime_energy = Field(264, Number(6), "energy over the life of the drive")
    firmware_revision = Field(270, Text(8), "firmware revision")
    build_uuid = Field(278, Raw(16), "UUID of the firmware's build")
    build_label = Field(294, Text(64), "label of the firmware's build")
    bad_blocks_in_use_raw = Field(358, Number(6), "bad blocks of dies in use")
    bad_blocks_in_use_normalised = Field(364, Number(2), "bad blocks of dies in use, normalised", "percent")
    version = Field(494, Number(2), "version of the log page")
    guid = Field(496, Number(16), "GUID of the log page")


class OcpErrorRecoveryLog(_Structure):
    """OCP Error Recovery, LID C1h. 512 bytes.

    panic_reset_wait        1:0  time to wait before a reset, ms
    panic_reset_action        2  resets that help
    recovery_action_1         3  recovery action 1
    panic_id               11:4  panic that has occurred, 0: none
    capabilities          15:12  device capabilities
    vendor_opcode            16  opcode of the vendor's recovery command
    vendor_cdw12          23:20  its dword 12
    vendor_cdw13          27:24  its dword 13
    vendor_timeout           28  its time-out
    recovery_action_2        29  recovery action 2
    recovery_timeout_2       30  time-out of recovery action 2
    panic_count              31  panics
    previous_panic_ids    63:32  four panics before, the newest comes first
    version             495:494  version of the log page
    guid                511:496  GUID of the log page
    """

    SIZE = 512
    TEXT = "OCP Error Recovery, LID C1h"

    class PanicResetAction(_Word):
        """Bits of PANIC_RESET_ACTION."""

        controller_reset = Bit(0, 0, "a controller level reset")
        pcie_reset = Bit(1, 1, "a PCIe reset")
        subsystem_reset = Bit(2, 2, "an NVM subsystem reset")
        power_cycle = Bit(3, 3, "a power cycle")

    panic_reset_wait = Field(0, Number(2), "time to wait before a reset", "ms")
    panic_reset_action = Field(2, WordAt(1, PanicResetAction), "resets that help")
    recovery_action_1 = Field(3, Number(1), "recovery action 1")
    panic_id = Field(4, Number(8), "panic that has occurred, 0: none")
    capabilities = Field(12, Number(4), "device capabilities")
    vendor_opcode = Field(16, Number(1), "opcode of the vendor's recovery command")
    vendor_cdw12 = Field(20, Number(4), "its dword 12")
    vendor_cdw13 = Field(24, Number(4), "its dword 13")
    vendor_timeout = Field(28, Number(1), "its time-out")
    recovery_action_2 = Field(29, Number(1), "recovery action 2")
    recovery_timeout_2 = Field(30, Number(1), "time-out of recovery action 2")
    panic_count = Field(31, Number(1), "panics")
    previous_panic_ids = Elements(32, Number(8), 4, "four panics before, the newest comes first")
    version = Field(494, Number(2), "version of the log page")
    guid = Field(496, Number(16), "GUID of the log page")


class OcpFirmwareActivation(_Structure):
    """OCP firmware activation history entry. 64 bytes.

    version           0  version of the entry
    length            1  length of the entry, bytes
    count           5:4  activations
    timestamp      13:6  time stamp, ms
    power_cycles  29:22  power cycles
    previous      37:30  revision before
    new           45:38  revision after
    slot             46  slot
    action           47  commit action
    result        49:48  result, 0: success
    """

    SIZE = 64
    TEXT = "OCP firmware activation history entry"

    version = Field(0, Number(1), "version of the entry")
    length = Field(1, Number(1), "length of the entry", "bytes")
    count = Field(4, Number(2), "activations")
    timestamp = Field(6, Number(8), "time stamp", "ms")
    power_cycles = Field(22, Number(8), "power cycles")
    previous = Field(30, Text(8), "revision before")
    new = Field(38, Text(8), "revision after")
    slot = Field(46, Number(1), "slot")
    action = Field(47, Number(1), "commit action")
    result = Field(48, Number(2), "result, 0: success")


class OcpFirmwareHistoryLog(_Structure):
    """OCP Firmware Activation History, LID C2h; obsolete in newer editions. 4096 bytes.

    lid              0  log page
    valid          7:4  entries
    entries     1287:8  entries
    version  4079:4078  version of the log page
    guid     4095:4080  GUID of the log page
    """

    SIZE = 4096
    TEXT = "OCP Firmware Activation History, LID C2h; obsolete in newer editions"

    lid = Field(0, Number(1), "log page")
    valid = Field(4, Number(4), "entries")
    entries = Elements(8, Nested(OcpFirmwareActivation), 20, "entries", counted_by="valid")
    version = Field(4078, Number(2), "version of the log page")
    guid = Field(4080, Number(16), "GUID of the log page")


class OcpLatencyCounters(_Structure):
    """OCP latency counters of a bucket. 16 bytes.

    trim     7:4  Dataset Management commands
    write   11:8  writes
    read   15:12  reads
    """

    SIZE = 16
    TEXT = "OCP latency counters of a bucket"

    trim = Field(4, Number(4), "Dataset Management commands")
    write = Field(8, Number(4), "writes")
    read = Field(12, Number(4), "reads")


class OcpLatencyStamps(_Structure):
    """OCP latency time stamps of a bucket. 24 bytes.

    trim     7:0  Dataset Management commands
    write   15:8  writes
    read   23:16  reads
    """

    SIZE = 24
    TEXT = "OCP latency time stamps of a bucket"

    trim = Field(0, Number(8), "Dataset Management commands")
    write = Field(8, Number(8), "writes")
    read = Field(16, Number(8), "reads")


class OcpMeasuredLatency(_Structure):
    """OCP measured latency of a bucket. 6 bytes.

    trim   1:0  Dataset Management commands, ms
    write  3:2  writes, ms
    read   5:4  reads, ms
    """

    SIZE = 6
    TEXT = "OCP measured latency of a bucket"

    trim = Field(0, Number(2), "Dataset Management commands", "ms")
    write = Field(2, Number(2), "writes", "ms")
    read = Field(4, Number(2), "reads", "ms")


class OcpLatencyLog(_Structure):
    """OCP Latency Monitor, LID C3h. 512 bytes.

    feature_status                0  support and state of the feature
    bucket_timer                3:2  age of the active buckets, 5 minutes
    bucket_timer_threshold      5:4  when active buckets become static, 5 minutes
    threshold_a                   6  threshold A, 5 ms, 0's based
    threshold_b                   7  threshold B, 5 ms, 0's based
    threshold_c                   8  threshold C, 5 ms, 0's based
    threshold_d                   9  threshold D, 5 ms, 0's based
    configuration             11:10  active latency mode: bits 3n to 3n + 2 for reads, writes and trims of bucket n
    minimum_window               12  minimum window, 100 ms
    active_counters           95:32  active buckets 0 to 3
    active_stamps            191:96  active time stamps, those of bucket 3 come first
    active_latency          215:192  active measured latency, as the stamps
    active_stamp_units      217:216  units of the active time stamps
    static_counters         303:240  static buckets 0 to 3
    static_stamps           399:304  static time stamps, as the active ones
    static_latency          423:400  static measured latency, as the stamps
    static_stamp_units      425:424  units of the static time stamps
    debug_size              447:436  size of the debug log
    debug_trigger           449:448  trigger of a debug log
    debug_latency           451:450  latency that triggered it, ms
    debug_stamp             459:452  its time stamp
    debug_pointer           461:460  debug log pointer
    debug_counter_trigger   463:462  counter that triggered it
    debug_stamp_units           464  units of its time stamp
    version                 495:494  version of the log page
    guid                    511:496  GUID of the log page
    """

    SIZE = 512
    TEXT = "OCP Latency Monitor, LID C3h"

    class FeatureStatus(_Word):
        """Bits of FEATURE_STATUS."""

        enabled = Bit(0, 0, "the monitor counts")
        mode = Bit(1, 1, "it has the active latency mode")
        measured = Bit(2, 2, "it has measured latencies")

    feature_status = Field(0, WordAt(1, FeatureStatus), "support and state of the feature")
    bucket_timer = Field(2, Number(2), "age of the active buckets", "5 minutes")
    bucket_timer_threshold = Field(4, Number(2), "when active buckets become static", "5 minutes")
    threshold_a = Field(6, Number(1), "threshold A", "5 ms", zeroes_based=True)
    threshold_b = Field(7, Number(1), "threshold B", "5 ms", zeroes_based=True)
    threshold_c = Field(8, Number(1), "threshold C", "5 ms", zeroes_based=True)
    threshold_d = Field(9, Number(1), "threshold D", "5 ms", zeroes_based=True)
    configuration = Field(10, Number(2), "active latency mode: bits 3n to 3n + 2 for reads, writes and trims of bucket n")
    minimum_window = Field(12, Number(1), "minimum window", "100 ms")
    active_counters = Elements(32, Nested(OcpLatencyCounters), 4, "active buckets 0 to 3")
    active_stamps = Elements(96, Nested(OcpLatencyStamps), 4, "active time stamps, those of bucket 3 come first")
    active_latency = Elements(192, Nested(OcpMeasuredLatency), 4, "active measured latency, as the stamps")
    active_stamp_units = Field(216, Number(2), "units of the active time stamps")
    static_counters = Elements(240, Nested(OcpLatencyCounters), 4, "static buckets 0 to 3")
    static_stamps = Elements(304, Nested(OcpLatencyStamps), 4, "static time stamps, as the active ones")
    static_latency = Elements(400, Nested(OcpMeasuredLatency), 4, "static measured latency, as the stamps")
    static_stamp_units = Field(424, Number(2), "units of the static time stamps")
    debug_size = Field(436, Raw(12), "size of the debug log")
    debug_trigger = Field(448, Number(2), "trigger of a debug log")
    debug_latency = Field(450, Number(2), "latency that triggered it", "ms")
    debug_stamp = Field(452, Number(8), "its time stamp")
    debug_pointer = Field(460, Number(2), "debug log pointer")
    debug_counter_trigger = Field(462, Number(2), "counter that triggered it")
    debug_stamp_units = Field(464, Number(1), "units of its time stamp")
    version = Field(494, Number(2), "version of the log page")
    guid = Field(496, Number(16), "GUID of the log page")


class OcpCapabilitiesLog(_Structure):
    """OCP Device Capabilities, LID C4h. 4096 bytes.

    pcie_ports                 1:0  PCIe ports
    oob_management             3:2  out of band management
    write_zeroes               5:4  Write Zeroes
    sanitize                   7:6  Sanitize
    dsm                        9:8  Dataset Management
    write_uncorrectable      11:10  Write Uncorrectable
    fused                    13:12  fused operations
    min_power_state          15:14  lowest DSSD power state
    power_states            143:16  DSSD power states, one for each watt; 0 W is reserved
    version              4079:4078  version of the log page
    guid                 4095:4080  GUID of the log page
    """

    SIZE = 4096
    TEXT = "OCP Device Capabilities, LID C4h"

    class PowerStates(_Word):
        """Bits of POWER_STATES."""

        ps = Bit(0, 4, "NVMe power state")
        valid = Bit(7, 7, "valid")

    pcie_ports = Field(0, Number(2), "PCIe ports")
    oob_management = Field(2, Number(2), "out of band management")
    write_zeroes = Field(4, Number(2), "Write Zeroes")
    sanitize = Field(6, Number(2), "Sanitize")
    dsm = Field(8, Number(2), "Dataset Management")
    write_uncorrectable = Field(10, Number(2), "Write Uncorrectable")
    fused = Field(12, Number(2), "fused operations")
    min_power_state = Field(14, Number(2), "lowest DSSD power state")
    power_states = Elements(16, WordAt(1, PowerStates), 128, "DSSD power states, one for each watt; 0 W is reserved")
    version = Field(4078, Number(2), "version of the log page")
    guid = Field(4080, Number(16), "GUID of the log page")


class OcpUnsupportedLog(_Structure):
    """OCP Unsupported Requirements, LID C5h. 4096 bytes.

    count               1:0  requirements
    requirements    4063:16  their identifiers
    version       4079:4078  version of the log page
    guid          4095:4080  GUID of the log page
    """

    SIZE = 4096
    TEXT = "OCP Unsupported Requirements, LID C5h"

    count = Field(0, Number(2), "requirements")
    requirements = Elements(16, Text(16), 253, "their identifiers", counted_by="count")
    version = Field(4078, Number(2), "version of the log page")
    guid = Field(4080, Number(16), "GUID of the log page")


class OcpComponent(_Structure):
    """OCP hardware component descriptor. 44 bytes and what follows.

    date_lot_size        7:0  length of the date and lot code, dwords
    additional_size     15:8  length of additional information, dwords
    id                 19:16  the component, 8000h and above: the vendor's
    manufacturer       27:20  manufacturer
    revision           35:28  revision
    manufacturer_code  43:36  manufacturer's code
    data                 44…  the date and lot code, then additional information
    """

    SIZE = 44
    VARIES = True
    LENGTH = (44, ("date_lot_size", 4), ("additional_size", 4),)
    TEXT = "OCP hardware component descriptor"

    date_lot_size = Field(0, Number(8), "length of the date and lot code", "dwords")
    additional_size = Field(8, Number(8), "length of additional information", "dwords")
    id = Field(16, Number(4, OcpComponentId), "the component, 8000h and above: the vendor's")
    manufacturer = Field(20, Text(8), "manufacturer")
    revision = Field(28, Text(8), "revision")
    manufacturer_code = Field(36, Text(8), "manufacturer's code")
    data = Rest(44, "the date and lot code, then additional information")


class OcpHardwareLog(_Structure):
    """OCP Hardware Component, LID C6h. 64 bytes and what follows.

    version       1:0  version of the log page
    guid        31:16  GUID of the log page
    size        47:32  length of the log page, of version 1 in dwords, of later ones in bytes
    components    64…  components
    """

    SIZE = 64
    VARIES = True
    TEXT = "OCP Hardware Component, LID C6h"

    version = Field(0, Number(2), "version of the log page")
    guid = Field(16, Number(16), "GUID of the log page")
    size = Field(32, Number(16), "length of the log page, of version 1 in dwords, of later ones in bytes")
    components = Elements(64, Nested(OcpComponent), None, "components", ends_with="id")


class OcpStatisticString(_Structure):
    """OCP Statistics Identifier String Table entry. 16 bytes.

    id       1:0  statistic identifier of the vendor
    length     3  length of its string, bytes
    offset  11:4  where its string begins in the ASCII table, bytes
    """

    SIZE = 16
    TEXT = "OCP Statistics Identifier String Table entry"

    id = Field(0, Number(2), "statistic identifier of the vendor", hex=True)
    length = Field(3, Number(1), "length of its string", "bytes")
    offset = Field(4, Number(8), "where its string begins in the ASCII table", "bytes")


class OcpEventString(_Structure):
    """OCP Event String Table entry, also of events of the vendor. 16 bytes.

    event_class     0  debug event class
    id            2:1  event identifier
    length          3  length of its string, bytes
    offset       11:4  where its string begins in the ASCII table, bytes
    """

    SIZE = 16
    TEXT = "OCP Event String Table entry, also of events of the vendor"

    event_class = Field(0, Number(1), "debug event class")
    id = Field(1, Number(2), "event identifier", hex=True)
    length = Field(3, Number(1), "length of its string", "bytes")
    offset = Field(4, Number(8), "where its string begins in the ASCII table", "bytes")


class OcpTelemetryStringsLog(_Structure):
    """OCP Telemetry String, LID C9h. Starts count from the beginning of the log page. 432 bytes and what follows.

    version                    0  version of the log page
    guid                   31:16  GUID of the log page
    size                   39:32  length of the log page, dwords
    statistics_start       71:64  where the Statistics Identifier String Table begins, dwords
    statistics_size        79:72  its length, dwords
    events_start           87:80  where the Event String Table begins, dwords
    events_size            95:88  its length, dwords
    vendor_events_start   103:96  where the VU Event String Table begins, dwords
    vendor_events_size   111:104  its length, dwords
    ascii_start          119:112  where the ASCII table begins, dwords
    ascii_size           127:120  its length, dwords
    fifos                383:128  names of the event FIFOs
    tables                  432…  the tables; pynvme.ocp_strings decodes them
    """

    SIZE = 432
    VARIES = True
    TEXT = "OCP Telemetry String, LID C9h. Starts count from the beginning of the log page"

    version = Field(0, Number(1), "version of the log page")
    guid = Field(16, Number(16), "GUID of the log page")
    size = Field(32, Number(8), "length of the log page", "dwords")
    statistics_start = Field(64, Number(8), "where the Statistics Identifier String Table begins", "dwords")
    statistics_size = Field(72, Number(8), "its length", "dwords")
    events_start = Field(80, Number(8), "where the Event String Table begins", "dwords")
    events_size = Field(88, Number(8), "its length", "dwords")
    vendor_events_start = Field(96, Number(8), "where the VU Event String Table begins", "dwords")
    vendor_events_size = Field(104, Number(8), "its length", "dwords")
    ascii_start = Field(112, Number(8), "where the ASCII table begins", "dwords")
    ascii_size = Field(120, Number(8), "its length", "dwords")
    fifos = Elements(128, Text(16), 16, "names of the event FIFOs")
    tables = Rest(432, "the tables; pynvme.ocp_strings decodes them")


class OcpTcgLog(_Structure):
    """OCP TCG Configuration, LID C7h. 512 bytes.

    state                         0  state of TCG
    locking_sp_activations        4  activations of the Locking SP
    tper_reverts                  5  reverts of the TPer
    locking_sp_reverts            6  reverts of the Locking SP
    locking_objects               7  locking objects
    single_user_objects           8  locking objects in single user mode
    range_objects                 9  locking objects with a range
    namespace_objects            10  locking objects with a namespace
    read_locked_objects          11  locking objects that are locked for reads
    write_locked_objects         12  locking objects that are locked for writes
    read_unlocked_objects        13  locking objects that are unlocked for reads
    write_unlocked_objects       14  locking objects that are unlocked for writes
    sid_tries                 19:16  failed authentications of SID
    sid_try_limit             23:20  failed authentications of SID at most
    programmatic_resets       27:24  programmatic resets
    programmatic_locks        31:28  programmatic reset locks
    errors                    35:32  errors of TCG
    namespace_objects_ext     37:36  locking objects with a namespace, wide
    version                 495:494  version of the log page
    guid                    511:496  GUID of the log page
    """

    SIZE = 512
    TEXT = "OCP TCG Configuration, LID C7h"

    state = Field(0, Number(1), "state of TCG")
    locking_sp_activations = Field(4, Number(1), "activations of the Locking SP")
    tper_reverts = Field(5, Number(1), "reverts of the TPer")
    locking_sp_reverts = Field(6, Number(1), "reverts of the Locking SP")
    locking_objects = Field(7, Number(1), "locking objects")
    single_user_objects = Field(8, Number(1), "locking objects in single user mode")
    range_objects = Field(9, Number(1), "locking objects with a range")
    namespace_objects = Field(10, Number(1), "locking objects with a namespace")
    read_locked_objects = Field(11, Number(1), "locking objects that are locked for reads")
    write_locked_objects = Field(12, Number(1), "locking objects that are locked for writes")
    read_unlocked_objects = Field(13, Number(1), "locking objects that are unlocked for reads")
    write_unlocked_objects = Field(14, Number(1), "locking objects that are unlocked for writes")
    sid_tries = Field(16, Number(4), "failed authentications of SID")
    sid_try_limit = Field(20, Number(4), "failed authentications of SID at most")
    programmatic_resets = Field(24, Number(4), "programmatic resets")
    programmatic_locks = Field(28, Number(4), "programmatic reset locks")
    errors = Field(32, Number(4), "errors of TCG")
    namespace_objects_ext = Field(36, Number(2), "locking objects with a namespace, wide")
    version = Field(494, Number(2), "version of the log page")
    guid = Field(496, Number(16), "GUID of the log page")


class OcpErrorInjection(_Structure):
    """an entry of OCP feature C0h, Error Injection; up to 127 of them. 32 bytes.

    flags    0  flags
    type   3:2  error
    nrtdp  5:4  reads until a device panic
    """

    SIZE = 32
    TEXT = "an entry of OCP feature C0h, Error Injection; up to 127 of them"

    class Flags(_Word):
        """Bits of FLAGS."""

        enable = Bit(0, 0, "enabled")
        single = Bit(1, 1, "once")

    flags = Field(0, WordAt(1, Flags), "flags")
    type = Field(2, Number(2, OcpError), "error")
    nrtdp = Field(4, Number(2), "reads until a device panic")


class OcpLatencyConfig(_Structure):
    """OCP feature C5h, Latency Monitor. 4096 bytes.

    bucket_timer_threshold   1:0  when active buckets become static, 5 minutes
    threshold_a                2  threshold A, 5 ms, 0's based
    threshold_b                3  threshold B, 5 ms, 0's based
    threshold_c                4  threshold C, 5 ms, 0's based
    threshold_d                5  threshold D, 5 ms, 0's based
    configuration            7:6  active latency mode, as in log page C3h
    minimum_window             8  minimum window, 100 ms
    debug_trigger           10:9  which counters trigger a debug log
    discard_debug             11  1: discard the debug log
    enable                    12  1: the monitor counts
    """

    SIZE = 4096
    TEXT = "OCP feature C5h, Latency Monitor"

    bucket_timer_threshold = Field(0, Number(2), "when active buckets become static", "5 minutes")
    threshold_a = Field(2, Number(1), "threshold A", "5 ms", zeroes_based=True)
    threshold_b = Field(3, Number(1), "threshold B", "5 ms", zeroes_based=True)
    threshold_c = Field(4, Number(1), "threshold C", "5 ms", zeroes_based=True)
    threshold_d = Field(5, Number(1), "threshold D", "5 ms", zeroes_based=True)
    configuration = Field(6, Number(2), "active latency mode, as in log page C3h")
    minimum_window = Field(8, Number(1), "minimum window", "100 ms")
    debug_trigger = Field(9, Number(2), "which counters trigger a debug log")
    discard_debug = Field(11, Number(1), "1: discard the debug log")
    enable = Field(12, Number(1), "1: the monitor counts")


OCP_FEATURES: dict[int, Feature] = {
    0xC1: Feature(OcpClear, None, 11, False),
    0xC2: Feature(OcpFailureMode, None, 11, False),
    0xC3: Feature(OcpClear, None, 11, False),
    0xC5: Feature(None, OcpLatencyConfig, 11, False),
    0xC6: Feature(OcpPlpInterval, None, 11, False),
    0xC7: Feature(OcpPowerState, None, 11, False),
}
"""What a feature of OCP consists of, by FID."""

OCP_LOG_PAGES: dict[int, type[_Structure]] = {
    0xC0: OcpSmartLog,
    0xC1: OcpErrorRecoveryLog,
    0xC2: OcpFirmwareHistoryLog,
    0xC3: OcpLatencyLog,
    0xC4: OcpCapabilitiesLog,
    0xC5: OcpUnsupportedLog,
    0xC6: OcpHardwareLog,
    0xC7: OcpTcgLog,
    0xC9: OcpTelemetryStringsLog,
}
"""Which structure a log page of OCP has, by LID."""
