# SPDX-License-Identifier: BSD-3-Clause
"""Log pages, by LID.

Generated from spec/logs.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.spec.enums import CommandSet
from pynvme.spec.enums import FirmwareAction
from pynvme.spec.enums import LockdownScope
from pynvme.spec.enums import PowerScale
from pynvme.spec.enums import SelfTest
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word


class LogId(IntEnum):
    """log pages. Section 5.1.12.1."""

    SUPPORTED = 0x00  # Supported Log Pages
    ERROR = 0x01  # Error Information
    SMART = 0x02  # SMART / Health Information
    FIRMWARE = 0x03  # Firmware Slot Information
    CHANGED_NS = 0x04  # Changed Attached Namespace List
    EFFECTS = 0x05  # Commands Supported and Effects
    SELF_TEST = 0x06  # Device Self-test
    TELEMETRY_HOST = 0x07  # Telemetry Host-Initiated
    TELEMETRY_CTRL = 0x08  # Telemetry Controller-Initiated
    ENDURANCE_GROUP = 0x09  # Endurance Group Information
    PREDICTABLE_LATENCY = 0x0A  # Predictable Latency Per NVM Set
    PREDICTABLE_LATENCY_EVENTS = 0x0B  # Predictable Latency Event Aggregate
    ANA = 0x0C  # Asymmetric Namespace Access
    PERSISTENT_EVENT = 0x0D  # Persistent Event
    LBA_STATUS = 0x0E  # LBA Status Information
    ENDURANCE_GROUP_EVENTS = 0x0F  # Endurance Group Event Aggregate
    MEDIA_UNIT_STATUS = 0x10  # Media Unit Status
    CAPACITY_CONFIGURATIONS = 0x11  # Supported Capacity Configuration List
    FEATURE_EFFECTS = 0x12  # Feature Identifiers Supported and Effects
    MI_EFFECTS = 0x13  # NVMe-MI Commands Supported and Effects
    LOCKDOWN = 0x14  # Command and Feature Lockdown
    BOOT_PARTITION = 0x15  # Boot Partition
    ROTATIONAL_MEDIA = 0x16  # Rotational Media Information
    DISPERSED_NS = 0x17  # Dispersed Namespace Participating NVM Subsystems
    MANAGEMENT_ADDRESSES = 0x18  # Management Address List
    REACHABILITY_GROUPS = 0x1A  # Reachability Groups
    REACHABILITY_ASSOCIATIONS = 0x1B  # Reachability Associations
    CHANGED_ALLOCATED_NS = 0x1C  # Changed Allocated Namespace List
    FDP_CONFIGURATIONS = 0x20  # FDP Configurations
    FDP_RUH_USAGE = 0x21  # Reclaim Unit Handle Usage
    FDP_STATISTICS = 0x22  # FDP Statistics
    FDP_EVENTS = 0x23  # FDP Events
    POWER_MEASUREMENT = 0x25  # Power Measurement
    DISCOVERY = 0x70  # Discovery
    RESERVATION = 0x80  # Reservation Notification
    SANITIZE = 0x81  # Sanitize Status
    CHANGED_ZONES = 0xBF  # Changed Zone List


class SelfTestStatus(IntEnum):
    """result of a self-test. Section 5.1.12.1.7."""

    PASSED = 0x0
    ABORTED = 0x1  # by a Device Self-test command
    RESET = 0x2  # ended by a Controller Level Reset
    NS_REMOVED = 0x3  # a namespace was removed
    FORMAT = 0x4  # a Format NVM was processed
    FATAL = 0x5  # a fatal or unknown error
    UNKNOWN_SEGMENT = 0x6  # failed, as the next one did
    SEGMENT = 0x7  # failed in the segment that SEGN names
    UNKNOWN = 0x8  # aborted for an unknown reason
    SANITIZE = 0x9  # a sanitize operation was started
    UNUSED = 0xF  # no such entry


class AnaState(IntEnum):
    """asymmetric namespace access states. Section 8.1.1.3."""

    OPTIMIZED = 0x1
    NON_OPTIMIZED = 0x2
    INACCESSIBLE = 0x3
    PERSISTENT_LOSS = 0x4
    CHANGE = 0xF


class PersistentEventType(IntEnum):
    """types of persistent events. Section 5.1.12.1.14."""

    SMART = 0x01  # SMART / Health Log Snapshot
    FIRMWARE_COMMIT = 0x02  # Firmware Commit
    TIMESTAMP = 0x03  # Timestamp Change
    POWER_ON = 0x04  # Power-on or Reset
    HARDWARE_ERROR = 0x05  # NVM Subsystem Hardware Error
    CHANGE_NS = 0x06  # Change Namespace
    FORMAT_START = 0x07  # Format NVM Start
    FORMAT_COMPLETION = 0x08  # Format NVM Completion
    SANITIZE_START = 0x09  # Sanitize Start
    SANITIZE_COMPLETION = 0x0A  # Sanitize Completion
    SET_FEATURE = 0x0B  # Set Feature
    TELEMETRY = 0x0C  # Telemetry Log Created
    THERMAL = 0x0D  # Thermal Excursion
    VERIFICATION = 0x0E  # Sanitize Media Verification
    VENDOR = 0xDE  # vendor specific
    TCG = 0xDF  # TCG defined


class ReclaimUnitHandleType(IntEnum):
    """types of reclaim unit handles. Section 5.1.12.1.28."""

    INITIALLY_ISOLATED = 1
    PERSISTENTLY_ISOLATED = 2


class FdpEventType(IntEnum):
    """types of FDP events. Section 5.1.12.1.31."""

    RU_NOT_FULLY_WRITTEN = 0x00  # a reclaim unit was not written to capacity
    RU_TIME_LIMIT = 0x01  # the time limit of a reclaim unit was exceeded
    RESET = 0x02  # a reset modified reclaim unit handles
    INVALID_PID = 0x03  # invalid placement identifier
    MEDIA_REALLOCATED = 0x80  # by the controller
    RUH_CHANGED = 0x81  # implicitly, by the controller


class SanitizeStatus(IntEnum):
    """SOS of the sanitize log page. Section 5.1.12.1.33."""

    NEVER = 0  # since the drive was made
    SUCCESS = 1
    IN_PROGRESS = 2
    FAILED = 3
    DEALLOCATED = 4  # successfully, but for No-Deallocate After Sanitize


class SanitizeState(IntEnum):
    """states of the sanitize operation. Section 8.1.24.3."""

    IDLE = 0
    RESTRICTED_PROCESSING = 1
    RESTRICTED_FAILURE = 2
    UNRESTRICTED_PROCESSING = 3
    UNRESTRICTED_FAILURE = 4
    MEDIA_VERIFICATION = 5
    POST_VERIFICATION_DEALLOCATION = 6


class SupportedLogPages(_Structure):
    """Supported Log Pages, LID 00h. Section 5.1.12.1.1. 1024 bytes.

    lids  1023:0  one entry for each LID
    """

    SIZE = 1024
    TEXT = "Supported Log Pages, LID 00h"

    class Lids(_Word):
        """Bits of LIDS."""

        lsupp = Bit(0, 0, "supported")
        ios = Bit(1, 1, "offsets may be indexes")
        lids = Bit(16, 31, "log page specific")

    lids = Elements(0, WordAt(4, Lids), 256, "one entry for each LID")


class ErrorLogEntry(_Structure):
    """an entry of log page 01h; the newest comes first. Section 5.1.12.1.2. 64 bytes.

    ecnt      7:0  1 for the first error of the drive's life; 0: this entry is not in use
    sqid      9:8  submission queue
    cid     11:10  command
    status  13:12  bits 15:1 as in the completion, bit 0 its phase tag
    pel     15:14  parameter in error; FFFFh: no particular one
    lba     23:16  first LBA in error
    nsid    27:24  namespace
    vsia       28  LID of more information, vendor specific; 0: none
    trtype     29  transport, since 1.4
    csi        30  command set, since 2.1
    opc        31  opcode, valid with LPVER, since 2.1
    csinfo  39:32  command specific, since 1.3
    ttsi    41:40  transport specific, since 1.4
    lpver      63  version of the entry, since 2.1
    """

    SIZE = 64
    TEXT = "an entry of log page 01h; the newest comes first"

    class Status(_Word):
        """Bits of STATUS."""

        p = Bit(0, 0, "phase tag")
        sc = Bit(1, 8, "status code")
        sct = Bit(9, 11, "status code type")
        crd = Bit(12, 13, "command retry delay: 0 none, else CRDT1 to CRDT3")
        m = Bit(14, 14, "more about it is in the error log")
        dnr = Bit(15, 15, "do not retry")

    class Pel(_Word):
        """Bits of PEL."""

        byte = Bit(0, 7, "byte of the command")
        bit = Bit(8, 10, "bit of that byte")

    ecnt = Field(0, Number(8), "1 for the first error of the drive's life; 0: this entry is not in use")
    sqid = Field(8, Number(2), "submission queue")
    cid = Field(10, Number(2), "command")
    status = Field(12, WordAt(2, Status), "bits 15:1 as in the completion, bit 0 its phase tag")
    pel = Field(14, WordAt(2, Pel), "parameter in error; FFFFh: no particular one")
    lba = Field(16, Number(8), "first LBA in error")
    nsid = Field(24, Number(4), "namespace")
    vsia = Field(28, Number(1), "LID of more information, vendor specific; 0: none")
    trtype = Field(29, Number(1), "transport")
    csi = Field(30, Number(1, CommandSet), "command set")
    opc = Field(31, Number(1), "opcode, valid with LPVER")
    csinfo = Field(32, Number(8), "command specific")
    ttsi = Field(40, Number(2), "transport specific")
    lpver = Field(63, Number(1), "version of the entry")
    error_count = Alias("ecnt")
    submission_queue_id = Alias("sqid")
    command_id = Alias("cid")
    status_field = Alias("status")
    parameter_error_location = Alias("pel")
    namespace = Alias("nsid")
    vendor_specific_information_available = Alias("vsia")
    opcode = Alias("opc")
    command_specific_information = Alias("csinfo")
    transport_type_specific_information = Alias("ttsi")


class ErrorLog(_Structure):
    """Error Information, LID 01h. Section 5.1.12.1.2. 0 bytes and what follows.

    entries  0…  the newest comes first
    """

    SIZE = 0
    VARIES = True
    TEXT = "Error Information, LID 01h"

    entries = Elements(0, Nested(ErrorLogEntry), None, "the newest comes first")


class SmartLog(_Structure):
    """SMART / Health Information, LID 02h. 128-bit numbers are two little-endian halves, the low one first. Section 5.1.12.1.3. 512 bytes.

    cw            0  critical warnings
    ctemp       2:1  composite temperature, Kelvin
    avsp          3  available spare, percent
    avspt         4  available spare threshold, percent
    pused         5  life that is used; may exceed 100, 255: 255 and more, percent
    egcws         6  critical warnings of all endurance groups, since 1.4
    dur       47:32  data units read, rounded up, 1000 units of 512 bytes
    duw       63:48  data units written, rounded up, 1000 units of 512 bytes
    hrc       79:64  host read commands
    hwc       95:80  host write commands
    cbt      111:96  controller busy time, minutes
    pwrc    127:112  power cycles
    poh     143:128  power on hours, hours
    upl     159:144  unexpected power losses (unsafe shutdowns)
    mdie    175:160  media and data integrity errors
    neile   191:176  entries ever made in the error log
    wctt    195:192  time at or above WCTEMP, minutes, since 1.2
    cctt    199:196  time at or above CCTEMP, minutes, since 1.2
    tsen    215:200  temperature sensors 1 to 8; 0: not there, Kelvin, since 1.2
    tmt1tc  219:216  transitions to thermal management temperature 1, since 1.3
    tmt2tc  223:220  transitions to thermal management temperature 2, since 1.3
    ttmt1   227:224  time in thermal management temperature 1, s, since 1.3
    ttmt2   231:228  time in thermal management temperature 2, s, since 1.3
    olec    239:232  energy consumed in the life of the drive, rounded up, 0: not reported, watt-hours, since 2.3
    ipm     243:240  average power of the last second, 0: not reported, since 2.3
    """

    SIZE = 512
    TEXT = "SMART / Health Information, LID 02h. 128-bit numbers are two little-endian halves, the low one first"

    class Cw(_Word):
        """Bits of CW."""

        ascbt = Bit(0, 0, "spare is below its threshold")
        ttc = Bit(1, 1, "temperature is beyond a threshold")
        ndr = Bit(2, 2, "reliability is degraded")
        amro = Bit(3, 3, "media are read-only")
        vmbf = Bit(4, 4, "backup of volatile memory has failed")
        pmrro = Bit(5, 5, "persistent memory region is read-only")

    class Egcws(_Word):
        """Bits of EGCWS."""

        egascbt = Bit(0, 0, "spare of an endurance group is below its threshold")
        egndr = Bit(2, 2, "reliability of an endurance group is degraded")
        egamro = Bit(3, 3, "all namespaces of an endurance group are read-only")

    class Ipm(_Word):
        """Bits of IPM."""

        ipmv = Bit(0, 15, "power")
        ipms = Bit(16, 17, "its scale", values=PowerScale)
        pmt = Bit(20, 23, "what is measured, 0: the whole NVM subsystem")

    cw = Field(0, WordAt(1, Cw), "critical warnings")
    ctemp = Field(1, Number(2, Kelvin), "composite temperature", "Kelvin")
    avsp = Field(3, Number(1), "available spare", "percent")
    avspt = Field(4, Number(1), "available spare threshold", "percent")
    pused = Field(5, Number(1), "life that is used; may exceed 100, 255: 255 and more", "percent")
    egcws = Field(6, WordAt(1, Egcws), "critical warnings of all endurance groups")
    dur = Field(32, Number(16), "data units read, rounded up", "1000 units of 512 bytes")
    duw = Field(48, Number(16), "data units written, rounded up", "1000 units of 512 bytes")
    hrc = Field(64, Number(16), "host read commands")
    hwc = Field(80, Number(16), "host write commands")
    cbt = Field(96, Number(16), "controller busy time", "minutes")
    pwrc = Field(112, Number(16), "power cycles")
    poh = Field(128, Number(16), "power on hours", "hours")
    upl = Field(144, Number(16), "unexpected power losses (unsafe shutdowns)")
    mdie = Field(160, Number(16), "media and data integrity errors")
    neile = Field(176, Number(16), "entries ever made in the error log")
    wctt = Field(192, Number(4), "time at or above WCTEMP", "minutes")
    cctt = Field(196, Number(4), "time at or above CCTEMP", "minutes")
    tsen = Elements(200, Number(2, Kelvin), 8, "temperature sensors 1 to 8; 0: not there", "Kelvin")
    tmt1tc = Field(216, Number(4), "transitions to thermal management temperature 1")
    tmt2tc = Field(220, Number(4), "transitions to thermal management temperature 2")
    ttmt1 = Field(224, Number(4), "time in thermal management temperature 1", "s")
    ttmt2 = Field(228, Number(4), "time in thermal management temperature 2", "s")
    olec = Field(232, Number(8), "energy consumed in the life of the drive, rounded up, 0: not reported", "watt-hours")
    ipm = Field(240, WordAt(4, Ipm), "average power of the last second, 0: not reported")
    critical_warning = Alias("cw")
    composite_temperature = Alias("ctemp")
    available_spare = Alias("avsp")
    available_spare_threshold = Alias("avspt")
    percentage_used = Alias("pused")
    endurance_group_critical_warning_summary = Alias("egcws")
    data_units_read = Alias("dur")
    data_units_written = Alias("duw")
    host_read_commands = Alias("hrc")
    host_write_commands = Alias("hwc")
    controller_busy_time = Alias("cbt")
    power_cycles = Alias("pwrc")
    power_on_hours = Alias("poh")
    unsafe_shutdowns = Alias("upl")
    media_and_data_integrity_errors = Alias("mdie")
    error_information_log_entries = Alias("neile")
    warning_composite_temperature_time = Alias("wctt")
    critical_composite_temperature_time = Alias("cctt")
    temperature_sensor = Alias("tsen")
    thermal_management_temperature_1_transition_count = Alias("tmt1tc")
    thermal_management_temperature_2_transition_count = Alias("tmt2tc")
    total_time_for_thermal_management_temperature_1 = Alias("ttmt1")
    total_time_for_thermal_management_temperature_2 = Alias("ttmt2")
    operational_lifetime_energy_consumed = Alias("olec")
    interval_power_measurement = Alias("ipm")


class FirmwareLog(_Structure):
    """Firmware Slot Information, LID 03h. Section 5.1.12.1.4. 512 bytes.

    afi     0  active firmware
    frs  63:8  revision in slots 1 … 7; NULs: empty
    """

    SIZE = 512
    TEXT = "Firmware Slot Information, LID 03h"

    class Afi(_Word):
        """Bits of AFI."""

        cafsi = Bit(0, 2, "active slot")
        nafsi = Bit(4, 6, "slot that the next reset activates, 0: none")

    afi = Field(0, WordAt(1, Afi), "active firmware")
    frs = Elements(8, Text(8), 7, "revision in slots 1 … 7; NULs: empty")
    active_firmware_info = Alias("afi")
    firmware_revision_slot = Alias("frs")


class EffectsLog(_Structure):
    """Commands Supported and Effects, LID 05h: one entry for each opcode. Section 5.1.12.1.6. 4096 bytes.

    acs      1023:0  admin commands, by opcode
    iocs  2047:1024  I/O commands, by opcode
    """

    SIZE = 4096
    TEXT = "Commands Supported and Effects, LID 05h: one entry for each opcode"

    class Acs(_Word):
        """Bits of ACS."""

        csupp = Bit(0, 0, "supported")
        lbcc = Bit(1, 1, "may change contents of LBAs")
        ncc = Bit(2, 2, "may change a namespace's capabilities")
        nic = Bit(3, 3, "may change the number of namespaces")
        ccc = Bit(4, 4, "may change the controller's capabilities")
        cser = Bit(14, 15, "execution restricted by other commands")
        cse = Bit(16, 18, "1: no other command for the namespace, 2: for any, while it runs")
        uss = Bit(19, 19, "the UUID index selects")
        csp = Bit(20, 31, "scope")

    class Iocs(_Word):
        """Bits of IOCS."""

        csupp = Bit(0, 0, "supported")
        lbcc = Bit(1, 1, "may change contents of LBAs")
        ncc = Bit(2, 2, "may change a namespace's capabilities")
        nic = Bit(3, 3, "may change the number of namespaces")
        ccc = Bit(4, 4, "may change the controller's capabilities")
        cser = Bit(14, 15, "execution restricted by other commands")
        cse = Bit(16, 18, "1: no other command for the namespace, 2: for any, while it runs")
        uss = Bit(19, 19, "the UUID index selects")
        csp = Bit(20, 31, "scope")

    acs = Elements(0, WordAt(4, Acs), 256, "admin commands, by opcode")
    iocs = Elements(1024, WordAt(4, Iocs), 256, "I/O commands, by opcode")


class SelfTestResult(_Structure):
    """Self-test Result. Section 5.1.12.1.7. 28 bytes.

    dsts      0  status
    segn      1  segment that failed
    vdi       2  which of the next fields are valid
    poh    11:4  power on hours when it ended, hours
    nsid  15:12  namespace
    flba  23:16  failing LBA
    sct      24  status code type
    sc       25  status code
    vs    27:26  vendor specific
    """

    SIZE = 28
    TEXT = "Self-test Result"

    class Dsts(_Word):
        """Bits of DSTS."""

        dstr = Bit(0, 3, "result", values=SelfTestStatus)
        dstc = Bit(4, 7, "which self-test", values=SelfTest)

    class Vdi(_Word):
        """Bits of VDI."""

        nsidv = Bit(0, 0, "NSID is valid")
        flbav = Bit(1, 1, "FLBA is valid")
        sctv = Bit(2, 2, "SCT is valid")
        scv = Bit(3, 3, "SC is valid")

    class Sct(_Word):
        """Bits of SCT."""

        sct = Bit(0, 2)

    dsts = Field(0, WordAt(1, Dsts), "status")
    segn = Field(1, Number(1), "segment that failed")
    vdi = Field(2, WordAt(1, Vdi), "which of the next fields are valid")
    poh = Field(4, Number(8), "power on hours when it ended", "hours")
    nsid = Field(12, Number(4), "namespace")
    flba = Field(16, Number(8), "failing LBA")
    sct = Field(24, WordAt(1, Sct), "status code type")
    sc = Field(25, Number(1), "status code")
    vs = Field(26, Raw(2), "vendor specific")
    device_self_test_status = Alias("dsts")
    segment_number = Alias("segn")
    valid_diagnostic_information = Alias("vdi")
    power_on_hours = Alias("poh")
    failing_lba = Alias("flba")
    status_code_type = Alias("sct")
    status_code = Alias("sc")


class SelfTestLog(_Structure):
    """Device Self-test, LID 06h. Section 5.1.12.1.7. 564 bytes.

    cdsto        0  operation in progress
    cdstc        1  completion
    results  563:4  the newest comes first
    """

    SIZE = 564
    TEXT = "Device Self-test, LID 06h"

    class Cdsto(_Word):
        """Bits of CDSTO."""

        dsts = Bit(0, 3, "self-test in progress, 0: none", values=SelfTest)

    class Cdstc(_Word):
        """Bits of CDSTC."""

        dstcp = Bit(0, 6, "part that is done", "percent")

    cdsto = Field(0, WordAt(1, Cdsto), "operation in progress")
    cdstc = Field(1, WordAt(1, Cdstc), "completion")
    results = Elements(4, Nested(SelfTestResult), 20, "the newest comes first")


class TelemetryLog(_Structure):
    """Telemetry, LID 07h and 08h: this header, then blocks of 512 bytes. An area begins with block 1 and ends with its last block, 0: there is no such area. Section 5.1.12.1.8. 512 bytes and what follows.

    lid             0  log page
    ieee          7:5  IEEE OUI of the vendor
    da1lb         9:8  last block of area 1, 0: no such area
    da2lb       11:10  last block of area 2
    da3lb       13:12  last block of area 3
    da4lb       19:16  last block of area 4, since 2.0
    ths           380  scope of the host-initiated data, since 2.1
    thdgn         381  generation of the host-initiated data; in log page 08h the scope, since 2.0
    tcda          382  1: controller-initiated data are available
    tcdgn         383  generation of the controller-initiated data
    reasonid  511:384  reason identifier
    blocks       512…  blocks of 512 bytes; an area begins with block 1
    """

    SIZE = 512
    VARIES = True
    TEXT = "Telemetry, LID 07h and 08h: this header, then blocks of 512 bytes. An area begins with block 1 and ends with its last block, 0: there is no such area"

    lid = Field(0, Number(1, LogId), "log page")
    ieee = Field(5, Number(3), "IEEE OUI of the vendor", hex=True)
    da1lb = Field(8, Number(2), "last block of area 1, 0: no such area")
    da2lb = Field(10, Number(2), "last block of area 2")
    da3lb = Field(12, Number(2), "last block of area 3")
    da4lb = Field(16, Number(4), "last block of area 4")
    ths = Field(380, Number(1), "scope of the host-initiated data")
    thdgn = Field(381, Number(1), "generation of the host-initiated data; in log page 08h the scope")
    tcda = Field(382, Number(1), "1: controller-initiated data are available")
    tcdgn = Field(383, Number(1), "generation of the controller-initiated data")
    reasonid = Field(384, Raw(128), "reason identifier")
    blocks = Rest(512, "blocks of 512 bytes; an area begins with block 1")


class EnduranceGroupLog(_Structure):
    """Endurance Group Information, LID 09h. Section 5.1.12.1.10. 512 bytes.

    cw            0  critical warnings
    egfeat        1  features, since 2.0
    avsp          3  available spare, percent
    avspt         4  available spare threshold, percent
    pused         5  life that is used, percent
    did         7:6  domain, since 2.0
    ee        47:32  endurance estimate, 10^9 bytes
    dur       63:48  data units read, 10^9 bytes
    duw       79:64  data units written, 10^9 bytes
    muw       95:80  media units written, 10^9 bytes
    hrc      111:96  host read commands
    hwc     127:112  host write commands
    mdie    143:128  media and data integrity errors
    neile   159:144  entries ever made in the error log
    tegcap  175:160  total capacity, bytes, since 2.0
    uegcap  191:176  unallocated capacity, bytes, since 2.0
    """

    SIZE = 512
    TEXT = "Endurance Group Information, LID 09h"

    class Cw(_Word):
        """Bits of CW."""

        egascbt = Bit(0, 0, "spare of an endurance group is below its threshold")
        egndr = Bit(2, 2, "reliability of an endurance group is degraded")
        egamro = Bit(3, 3, "all namespaces of an endurance group are read-only")

    class Egfeat(_Word):
        """Bits of EGFEAT."""

        egrmedia = Bit(0, 0, "rotational media")

    cw = Field(0, WordAt(1, Cw), "critical warnings")
    egfeat = Field(1, WordAt(1, Egfeat), "features")
    avsp = Field(3, Number(1), "available spare", "percent")
    avspt = Field(4, Number(1), "available spare threshold", "percent")
    pused = Field(5, Number(1), "life that is used", "percent")
    did = Field(6, Number(2), "domain")
    ee = Field(32, Number(16), "endurance estimate", "10^9 bytes")
    dur = Field(48, Number(16), "data units read", "10^9 bytes")
    duw = Field(64, Number(16), "data units written", "10^9 bytes")
    muw = Field(80, Number(16), "media units written", "10^9 bytes")
    hrc = Field(96, Number(16), "host read commands")
    hwc = Field(112, Number(16), "host write commands")
    mdie = Field(128, Number(16), "media and data integrity errors")
    neile = Field(144, Number(16), "entries ever made in the error log")
    tegcap = Field(160, Number(16), "total capacity", "bytes")
    uegcap = Field(176, Number(16), "unallocated capacity", "bytes")


class PredictableLatencyLog(_Structure):
    """Predictable Latency Per NVM Set, LID 0Ah. Section 5.1.12.1.11. 512 bytes.

    status          0  status
    evttype       3:2  events
    dtwinrt     39:32  deterministic window, reads typical, 4 KiB
    dtwinwt     47:40  deterministic window, writes typical
    dtwintm     55:48  deterministic window, time at most, ms
    ndwintmh    63:56  non-deterministic window, time at least, high, ms
    ndwintml    71:64  non-deterministic window, time at least, low, ms
    dtwinre   135:128  deterministic window, reads estimated, 4 KiB
    dtwinwe   143:136  deterministic window, writes estimated
    dtwinte   151:144  deterministic window, time estimated, ms
    """

    SIZE = 512
    TEXT = "Predictable Latency Per NVM Set, LID 0Ah"

    class Status(_Word):
        """Bits of STATUS."""

        wstate = Bit(0, 2, "window: 0 not used, 1 deterministic, 2 non-deterministic")

    status = Field(0, WordAt(1, Status), "status")
    evttype = Field(2, Number(2), "events")
    dtwinrt = Field(32, Number(8), "deterministic window, reads typical", "4 KiB")
    dtwinwt = Field(40, Number(8), "deterministic window, writes typical")
    dtwintm = Field(48, Number(8), "deterministic window, time at most", "ms")
    ndwintmh = Field(56, Number(8), "non-deterministic window, time at least, high", "ms")
    ndwintml = Field(64, Number(8), "non-deterministic window, time at least, low", "ms")
    dtwinre = Field(128, Number(8), "deterministic window, reads estimated", "4 KiB")
    dtwinwe = Field(136, Number(8), "deterministic window, writes estimated")
    dtwinte = Field(144, Number(8), "deterministic window, time estimated", "ms")


class PredictableLatencyEventsLog(_Structure):
    """Predictable Latency Event Aggregate, LID 0Bh. Section 5.1.12.1.12. 8 bytes and what follows.

    ne     7:0  entries
    entry   8…  NVM sets with events
    """

    SIZE = 8
    VARIES = True
    TEXT = "Predictable Latency Event Aggregate, LID 0Bh"

    ne = Field(0, Number(8), "entries")
    entry = Elements(8, Number(2), None, "NVM sets with events", counted_by="ne")


class AnaGroup(_Structure):
    """ANA Group Descriptor. Section 5.1.12.1.13. 32 bytes and what follows.

    agid    3:0  ANA group
    nnv     7:4  NSIDs
    chngc  15:8  change count
    state    16  state
    nsid    32…  namespaces
    """

    SIZE = 32
    VARIES = True
    TEXT = "ANA Group Descriptor"

    class State(_Word):
        """Bits of STATE."""

        anastate = Bit(0, 3, values=AnaState)

    agid = Field(0, Number(4), "ANA group")
    nnv = Field(4, Number(4), "NSIDs")
    chngc = Field(8, Number(8), "change count")
    state = Field(16, WordAt(1, State), "state")
    nsid = Elements(32, Number(4), None, "namespaces", counted_by="nnv")


class AnaLog(_Structure):
    """Asymmetric Namespace Access, LID 0Ch. Section 5.1.12.1.13. 16 bytes and what follows.

    chngc   7:0  change count
    nagd    9:8  descriptors
    groups  16…  ANA groups
    """

    SIZE = 16
    VARIES = True
    TEXT = "Asymmetric Namespace Access, LID 0Ch"

    chngc = Field(0, Number(8), "change count")
    nagd = Field(8, Number(2), "descriptors")
    groups = Elements(16, Nested(AnaGroup), None, "ANA groups", counted_by="nagd")


class PersistentEvent(_Structure):
    """an event of log page 0Dh. Section 5.1.12.1.14. 24 bytes and what follows.

    et          0  event type
    etr         1  revision of the event type
    ehl         2  length of the header, without its first 3 bytes, bytes
    ehai        3  additional information
    cntlid    5:4  controller
    ets      13:6  time stamp, ms
    pelpid  15:14  port
    vsil    21:20  length of vendor specific information, bytes
    el      23:22  length of the data after the header, bytes
    data      24…  vendor specific information, then the event's data
    """

    SIZE = 24
    VARIES = True
    LENGTH = ("ehl", 3, "el",)
    TEXT = "an event of log page 0Dh"

    class Ehai(_Word):
        """Bits of EHAI."""

        pit = Bit(0, 1, "1: PELPID is valid")

    et = Field(0, Number(1, PersistentEventType), "event type")
    etr = Field(1, Number(1), "revision of the event type")
    ehl = Field(2, Number(1), "length of the header, without its first 3 bytes", "bytes")
    ehai = Field(3, WordAt(1, Ehai), "additional information")
    cntlid = Field(4, Number(2), "controller")
    ets = Field(6, Number(8), "time stamp", "ms")
    pelpid = Field(14, Number(2), "port")
    vsil = Field(20, Number(2), "length of vendor specific information", "bytes")
    el = Field(22, Number(2), "length of the data after the header", "bytes")
    data = Rest(24, "vendor specific information, then the event's data")


class PersistentEventLog(_Structure):
    """Persistent Event, LID 0Dh: this header, then events. Section 5.1.12.1.14. 512 bytes and what follows.

    lid           0  log page
    tnev        7:4  events
    tll        15:8  length of the log page, bytes
    lrev         16  revision of this header
    lhl       19:18  length of this header, without its first 20 bytes, bytes
    ts        27:20  time stamp, ms
    poh       43:28  power on hours, hours
    pcc       51:44  power cycles
    vid       53:52  PCI Vendor ID
    ssvid     55:54  PCI Subsystem Vendor ID
    sn        75:56  serial number
    mn       115:76  model number
    subnqn  371:116  NVM subsystem NVMe qualified name
    gnum    373:372  generation, since 2.0
    rci     377:374  reporting context, since 2.0
    seb     511:480  supported events, one a bit
    events     512…  events, the newest comes first
    """

    SIZE = 512
    VARIES = True
    TEXT = "Persistent Event, LID 0Dh: this header, then events"

    lid = Field(0, Number(1, LogId), "log page")
    tnev = Field(4, Number(4), "events")
    tll = Field(8, Number(8), "length of the log page", "bytes")
    lrev = Field(16, Number(1), "revision of this header")
    lhl = Field(18, Number(2), "length of this header, without its first 20 bytes", "bytes")
    ts = Field(20, Number(8), "time stamp", "ms")
    poh = Field(28, Number(16), "power on hours", "hours")
    pcc = Field(44, Number(8), "power cycles")
    vid = Field(52, Number(2), "PCI Vendor ID", hex=True)
    ssvid = Field(54, Number(2), "PCI Subsystem Vendor ID", hex=True)
    sn = Field(56, Text(20), "serial number")
    mn = Field(76, Text(40), "model number")
    subnqn = Field(116, Text(256, "\0"), "NVM subsystem NVMe qualified name")
    gnum = Field(372, Number(2), "generation")
    rci = Field(374, Number(4), "reporting context")
    seb = Elements(480, Number(1), 32, "supported events, one a bit")
    events = Elements(512, Nested(PersistentEvent), None, "events, the newest comes first", counted_by="tnev")


class FirmwareCommitEvent(_Structure):
    """Firmware Commit event, type 02h. Section 5.1.12.1.14. 22 bytes.

    ofr       7:0  old firmware revision
    nfr      15:8  new firmware revision
    fca        16  commit action
    fs         17  slot
    sct        18  status code type of the Firmware Commit
    sc         19  status code of the Firmware Commit
    vafcrc  21:20  vendor's result code
    """

    SIZE = 22
    TEXT = "Firmware Commit event, type 02h"

    ofr = Field(0, Text(8), "old firmware revision")
    nfr = Field(8, Text(8), "new firmware revision")
    fca = Field(16, Number(1, FirmwareAction), "commit action")
    fs = Field(17, Number(1), "slot")
    sct = Field(18, Number(1), "status code type of the Firmware Commit")
    sc = Field(19, Number(1), "status code of the Firmware Commit")
    vafcrc = Field(20, Number(2), "vendor's result code")


class TimestampChangeEvent(_Structure):
    """Timestamp Change event, type 03h. Section 5.1.12.1.14. 16 bytes.

    pts   7:0  previous time stamp, ms
    msr  15:8  time since the last reset, ms
    """

    SIZE = 16
    TEXT = "Timestamp Change event, type 03h"

    pts = Field(0, Number(8), "previous time stamp", "ms")
    msr = Field(8, Number(8), "time since the last reset", "ms")


class PowerOnResetEntry(_Structure):
    """an entry of a Power-on or Reset event, type 04h; 8 bytes of firmware revision come before the first. Section 5.1.12.1.14. 36 bytes.

    cntlid    1:0  controller
    fwa         2  1: a firmware activation was pending
    opip        3  operation in progress, one a bit
    cpc     19:16  power cycles of the controller
    poms    27:20  time since power on, ms
    cts     35:28  time stamp of the controller, ms
    """

    SIZE = 36
    TEXT = "an entry of a Power-on or Reset event, type 04h; 8 bytes of firmware revision come before the first"

    cntlid = Field(0, Number(2), "controller")
    fwa = Field(2, Number(1), "1: a firmware activation was pending")
    opip = Field(3, Number(1), "operation in progress, one a bit")
    cpc = Field(16, Number(4), "power cycles of the controller")
    poms = Field(20, Number(8), "time since power on", "ms")
    cts = Field(28, Number(8), "time stamp of the controller", "ms")


class ChangeNamespaceEvent(_Structure):
    """Change Namespace event, type 06h. Section 5.1.12.1.14. 48 bytes.

    nsmcdw10    3:0  dword 10 of Namespace Management
    nsze       15:8  size, LBAs
    nscap     31:24  capacity, LBAs
    flbas        32  LBA format
    dps          33  protection
    nmic         34  sharing
    anagrpid  39:36  ANA group
    nvmsetid  41:40  NVM set
    nsid      47:44  namespace
    """

    SIZE = 48
    TEXT = "Change Namespace event, type 06h"

    nsmcdw10 = Field(0, Number(4), "dword 10 of Namespace Management")
    nsze = Field(8, Number(8), "size", "LBAs")
    nscap = Field(24, Number(8), "capacity", "LBAs")
    flbas = Field(32, Number(1), "LBA format")
    dps = Field(33, Number(1), "protection")
    nmic = Field(34, Number(1), "sharing")
    anagrpid = Field(36, Number(4), "ANA group")
    nvmsetid = Field(40, Number(2), "NVM set")
    nsid = Field(44, Number(4), "namespace")


class FormatStartEvent(_Structure):
    """Format NVM Start event, type 07h. Section 5.1.12.1.14. 12 bytes.

    nsid        3:0  namespace
    fna           4  FNA of Identify Controller
    fnvmcdw10  11:8  dword 10 of Format NVM
    """

    SIZE = 12
    TEXT = "Format NVM Start event, type 07h"

    nsid = Field(0, Number(4), "namespace")
    fna = Field(4, Number(1), "FNA of Identify Controller")
    fnvmcdw10 = Field(8, Number(4), "dword 10 of Format NVM")


class FormatCompletionEvent(_Structure):
    """Format NVM Completion event, type 08h. Section 5.1.12.1.14. 12 bytes.

    nsid     3:0  namespace
    sfpi       4  smallest FPI that was seen
    fnvms      5  status of the format
    cinf     7:6  completion information
    status  11:8  status field
    """

    SIZE = 12
    TEXT = "Format NVM Completion event, type 08h"

    nsid = Field(0, Number(4), "namespace")
    sfpi = Field(4, Number(1), "smallest FPI that was seen")
    fnvms = Field(5, Number(1), "status of the format")
    cinf = Field(6, Number(2), "completion information")
    status = Field(8, Number(4), "status field")


class SanitizeStartEvent(_Structure):
    """Sanitize Start event, type 09h. Section 5.1.12.1.14. 12 bytes.

    sanicap   3:0  SANICAP of Identify Controller
    scdw10    7:4  dword 10 of Sanitize
    scdw11   11:8  dword 11 of Sanitize
    """

    SIZE = 12
    TEXT = "Sanitize Start event, type 09h"

    sanicap = Field(0, Number(4), "SANICAP of Identify Controller")
    scdw10 = Field(4, Number(4), "dword 10 of Sanitize")
    scdw11 = Field(8, Number(4), "dword 11 of Sanitize")


class SanitizeCompletionEvent(_Structure):
    """Sanitize Completion event, type 0Ah. Section 5.1.12.1.14. 8 bytes.

    sprog  1:0  progress, 1/65536
    sstat  3:2  status
    cinf   5:4  completion information
    """

    SIZE = 8
    TEXT = "Sanitize Completion event, type 0Ah"

    sprog = Field(0, Number(2), "progress", "1/65536")
    sstat = Field(2, Number(2), "status")
    cinf = Field(4, Number(2), "completion information")


class ThermalExcursionEvent(_Structure):
    """Thermal Excursion event, type 0Dh. Section 5.1.12.1.14. 2 bytes.

    ovt   0  temperature above the threshold, Kelvin
    thld  1  which threshold was crossed
    """

    SIZE = 2
    TEXT = "Thermal Excursion event, type 0Dh"

    ovt = Field(0, Number(1, Kelvin), "temperature above the threshold", "Kelvin")
    thld = Field(1, Number(1), "which threshold was crossed")


class LbaStatusRange(_Structure):
    """LBA Range Descriptor of log page 0Eh. Section NVM 4.1.4.5. 16 bytes.

    rslba   7:0  first LBA
    rnlb   11:8  LBAs, 0's based
    """

    SIZE = 16
    TEXT = "LBA Range Descriptor of log page 0Eh"

    rslba = Field(0, Number(8), "first LBA")
    rnlb = Field(8, Number(4), "LBAs", zeroes_based=True)


class LbaStatusNamespace(_Structure):
    """LBA Status Namespace Element. Section NVM 4.1.4.5. 16 bytes and what follows.

    neid    3:0  namespace
    nlrd    7:4  ranges, FFFFFFFFh: use Get LBA Status
    ratype    8  recommended action of Get LBA Status
    ranges  16…  ranges
    """

    SIZE = 16
    VARIES = True
    TEXT = "LBA Status Namespace Element"

    neid = Field(0, Number(4), "namespace")
    nlrd = Field(4, Number(4), "ranges, FFFFFFFFh: use Get LBA Status")
    ratype = Field(8, Number(1), "recommended action of Get LBA Status")
    ranges = Elements(16, Nested(LbaStatusRange), None, "ranges", counted_by="nlrd")


class LbaStatusLog(_Structure):
    """LBA Status Information, LID 0Eh. Section NVM 4.1.4.5. 16 bytes and what follows.

    lslplen     3:0  length of the log page, bytes
    nlslne      7:4  namespaces
    estulb     11:8  LBAs that are estimated to be unrecoverable
    lsgc      15:14  generation
    elements    16…  namespaces
    """

    SIZE = 16
    VARIES = True
    TEXT = "LBA Status Information, LID 0Eh"

    lslplen = Field(0, Number(4), "length of the log page", "bytes")
    nlslne = Field(4, Number(4), "namespaces")
    estulb = Field(8, Number(4), "LBAs that are estimated to be unrecoverable")
    lsgc = Field(14, Number(2), "generation")
    elements = Elements(16, Nested(LbaStatusNamespace), None, "namespaces", counted_by="nlslne")


class EnduranceGroupEventsLog(_Structure):
    """Endurance Group Event Aggregate, LID 0Fh. Section 5.1.12.1.16. 8 bytes and what follows.

    ne     7:0  entries
    entry   8…  endurance groups with events
    """

    SIZE = 8
    VARIES = True
    TEXT = "Endurance Group Event Aggregate, LID 0Fh"

    ne = Field(0, Number(8), "entries")
    entry = Elements(8, Number(2), None, "endurance groups with events", counted_by="ne")


class MediaUnit(_Structure):
    """Media Unit Status Descriptor. Section 5.1.12.1.17. 14 bytes.

    muid      1:0  media unit
    did       3:2  domain
    endgid    5:4  endurance group
    nvmsetid  7:6  NVM set
    caf       9:8  capacity adjustment factor, 1/100
    avsp       10  available spare, percent
    pused      11  life that is used, percent
    mucs       12  channels
    cio        13  offset of the channel list, bytes
    """

    SIZE = 14
    TEXT = "Media Unit Status Descriptor"

    class Mucs(_Word):
        """Bits of MUCS."""

        mucs = Bit(0, 3)

    muid = Field(0, Number(2), "media unit")
    did = Field(2, Number(2), "domain")
    endgid = Field(4, Number(2), "endurance group")
    nvmsetid = Field(6, Number(2), "NVM set")
    caf = Field(8, Number(2), "capacity adjustment factor", "1/100")
    avsp = Field(10, Number(1), "available spare", "percent")
    pused = Field(11, Number(1), "life that is used", "percent")
    mucs = Field(12, WordAt(1, Mucs), "channels")
    cio = Field(13, Number(1), "offset of the channel list", "bytes")


class MediaUnitStatusLog(_Structure):
    """Media Unit Status, LID 10h. Section 5.1.12.1.17. 16 bytes and what follows.

    nmu     1:0  media units
    cchans  3:2  channels
    scc     5:4  selected configuration
    units   16…  media units
    """

    SIZE = 16
    VARIES = True
    TEXT = "Media Unit Status, LID 10h"

    nmu = Field(0, Number(2), "media units")
    cchans = Field(2, Number(2), "channels")
    scc = Field(4, Number(2), "selected configuration")
    units = Elements(16, Nested(MediaUnit), None, "media units", counted_by="nmu")


class EnduranceGroupConfiguration(_Structure):
    """Endurance Group Configuration Descriptor. Section 5.1.12.1.18. 82 bytes.

    endgid    1:0  endurance group
    caf       3:2  capacity adjustment factor, 1/100
    tegcap  31:16  total capacity, bytes
    segcap  47:32  spare capacity, bytes
    ee      63:48  endurance estimate, 10^9 bytes
    egsets  81:80  NVM sets, whose identifiers follow, and then the channels
    """

    SIZE = 82
    TEXT = "Endurance Group Configuration Descriptor"

    endgid = Field(0, Number(2), "endurance group")
    caf = Field(2, Number(2), "capacity adjustment factor", "1/100")
    tegcap = Field(16, Number(16), "total capacity", "bytes")
    segcap = Field(32, Number(16), "spare capacity", "bytes")
    ee = Field(48, Number(16), "endurance estimate", "10^9 bytes")
    egsets = Field(80, Number(2), "NVM sets, whose identifiers follow, and then the channels")


class CapacityConfiguration(_Structure):
    """Capacity Configuration Descriptor. Section 5.1.12.1.18. 32 bytes.

    ccid  1:0  configuration
    did   3:2  domain
    egcn  5:4  endurance groups, whose descriptors follow
    """

    SIZE = 32
    TEXT = "Capacity Configuration Descriptor"

    ccid = Field(0, Number(2), "configuration")
    did = Field(2, Number(2), "domain")
    egcn = Field(4, Number(2), "endurance groups, whose descriptors follow")


class CapacityConfigurationsLog(_Structure):
    """Supported Capacity Configuration List, LID 11h. Section 5.1.12.1.18. 16 bytes and what follows.

    sccn           0  configurations
    descriptors  16…  capacity configuration descriptors, of different lengths
    """

    SIZE = 16
    VARIES = True
    TEXT = "Supported Capacity Configuration List, LID 11h"

    sccn = Field(0, Number(1), "configurations")
    descriptors = Rest(16, "capacity configuration descriptors, of different lengths")


class FeatureEffectsLog(_Structure):
    """Feature Identifiers Supported and Effects, LID 12h: one entry for each FID; bits as in log page 05h. Section 5.1.12.1.19. 1024 bytes.

    fids  1023:0  features, by FID
    """

    SIZE = 1024
    TEXT = "Feature Identifiers Supported and Effects, LID 12h: one entry for each FID; bits as in log page 05h"

    class Fids(_Word):
        """Bits of FIDS."""

        fsupp = Bit(0, 0, "supported")
        udcc = Bit(1, 1, "may change user data")
        ncc = Bit(2, 2, "may change a namespace's capabilities")
        nic = Bit(3, 3, "may change the number of namespaces")
        ccc = Bit(4, 4, "may change the controller's capabilities")
        uss = Bit(19, 19, "the UUID index selects")
        fsp = Bit(20, 31, "scope")

    fids = Elements(0, WordAt(4, Fids), 256, "features, by FID")


class MiEffectsLog(_Structure):
    """NVMe-MI Commands Supported and Effects, LID 13h: one entry for each opcode of the Management Interface; bits as in log page 05h. Section 5.1.12.1.20. 4096 bytes.

    micss  1023:0  commands, by opcode
    """

    SIZE = 4096
    TEXT = "NVMe-MI Commands Supported and Effects, LID 13h: one entry for each opcode of the Management Interface; bits as in log page 05h"

    class Micss(_Word):
        """Bits of MICSS."""

        csupp = Bit(0, 0, "supported")
        udcc = Bit(1, 1, "may change user data")
        ncc = Bit(2, 2, "may change a namespace's capabilities")
        nic = Bit(3, 3, "may change the number of namespaces")
        ccc = Bit(4, 4, "may change the controller's capabilities")
        csp = Bit(20, 31, "scope")

    micss = Elements(0, WordAt(4, Micss), 256, "commands, by opcode")


class LockdownLog(_Structure):
    """Command and Feature Lockdown, LID 14h. Section 5.1.12.1.21. 512 bytes.

    cfila      0  contents of the list
    lngth      3  identifiers
    cfil   511:4  opcodes or FIDs
    """

    SIZE = 512
    TEXT = "Command and Feature Lockdown, LID 14h"

    class Cfila(_Word):
        """Bits of CFILA."""

        scp = Bit(0, 3, "scope", values=LockdownScope)
        cs = Bit(4, 5, "contents: 0 prohibitable, 1 prohibited on the admin queue, 2 out of band")

    cfila = Field(0, WordAt(1, Cfila), "contents of the list")
    lngth = Field(3, Number(1), "identifiers")
    cfil = Elements(4, Number(1), 508, "opcodes or FIDs", counted_by="lngth")


class BootPartitionLog(_Structure):
    """Boot Partition, LID 15h. Section 5.1.12.1.22. 16 bytes and what follows.

    lid       0  log page
    bpinfo  7:4  boot partition information
    bpdata  16…  the boot partition
    """

    SIZE = 16
    VARIES = True
    TEXT = "Boot Partition, LID 15h"

    class Bpinfo(_Word):
        """Bits of BPINFO."""

        bpsz = Bit(0, 14, "size", "128 KiB")
        abpid = Bit(31, 31, "active boot partition")

    lid = Field(0, Number(1, LogId), "log page")
    bpinfo = Field(4, WordAt(4, Bpinfo), "boot partition information")
    bpdata = Rest(16, "the boot partition")


class RotationalMediaLog(_Structure):
    """Rotational Media Information, LID 16h. Section 5.1.12.1.23. 512 bytes.

    endgid    1:0  endurance group
    numa      3:2  actuators
    nrs       5:4  nominal rotational speed, 1: not reported, 1/minute
    spinc    11:8  spinups
    fspinc  15:12  spinups that failed
    ldc     19:16  loads of heads
    fldc    23:20  loads that failed
    """

    SIZE = 512
    TEXT = "Rotational Media Information, LID 16h"

    endgid = Field(0, Number(2), "endurance group")
    numa = Field(2, Number(2), "actuators")
    nrs = Field(4, Number(2), "nominal rotational speed, 1: not reported", "1/minute")
    spinc = Field(8, Number(4), "spinups")
    fspinc = Field(12, Number(4), "spinups that failed")
    ldc = Field(16, Number(4), "loads of heads")
    fldc = Field(20, Number(4), "loads that failed")


class DispersedNsLog(_Structure):
    """Dispersed Namespace Participating NVM Subsystems, LID 17h. 256 bytes and what follows.

    genctr    7:0  generation counter
    numpsub  15:8  participating NVM subsystems
    nqn      256…  NQNs of the subsystems
    """

    SIZE = 256
    VARIES = True
    TEXT = "Dispersed Namespace Participating NVM Subsystems, LID 17h"

    genctr = Field(0, Number(8), "generation counter")
    numpsub = Field(8, Number(8), "participating NVM subsystems")
    nqn = Elements(256, Text(256, "\0"), None, "NQNs of the subsystems", counted_by="numpsub")


class ManagementAddress(_Structure):
    """Management Address Descriptor. 512 bytes.

    mat        0  type: 1 NVM subsystem, 2 fabric interface manager
    madrs  511:4  address
    """

    SIZE = 512
    TEXT = "Management Address Descriptor"

    mat = Field(0, Number(1), "type: 1 NVM subsystem, 2 fabric interface manager")
    madrs = Field(4, Text(508, "\0"), "address")


class ManagementAddressesLog(_Structure):
    """Management Address List, LID 18h. 4096 bytes.

    mad  4095:0  addresses
    """

    SIZE = 4096
    TEXT = "Management Address List, LID 18h"

    mad = Elements(0, Nested(ManagementAddress), 8, "addresses")


class ReachabilityGroup(_Structure):
    """Reachability Group Descriptor. Section 5.1.12.1.25. 32 bytes and what follows.

    rgid    3:0  reachability group
    nnid    7:4  NSIDs
    chngc  15:8  change count
    nsid    32…  namespaces
    """

    SIZE = 32
    VARIES = True
    TEXT = "Reachability Group Descriptor"

    rgid = Field(0, Number(4), "reachability group")
    nnid = Field(4, Number(4), "NSIDs")
    chngc = Field(8, Number(8), "change count")
    nsid = Elements(32, Number(4), None, "namespaces", counted_by="nnid")


class ReachabilityGroupsLog(_Structure):
    """Reachability Groups, LID 1Ah. Section 5.1.12.1.25. 16 bytes and what follows.

    chngc   7:0  change count
    nrgd    9:8  descriptors
    groups  16…  groups
    """

    SIZE = 16
    VARIES = True
    TEXT = "Reachability Groups, LID 1Ah"

    chngc = Field(0, Number(8), "change count")
    nrgd = Field(8, Number(2), "descriptors")
    groups = Elements(16, Nested(ReachabilityGroup), None, "groups", counted_by="nrgd")


class ReachabilityAssociation(_Structure):
    """Reachability Association Descriptor. Section 5.1.12.1.26. 32 bytes and what follows.

    rasid   3:0  reachability association
    nrid    7:4  reachability groups
    chngc  15:8  change count
    rac      16  characteristics
    rgid    32…  groups
    """

    SIZE = 32
    VARIES = True
    TEXT = "Reachability Association Descriptor"

    rasid = Field(0, Number(4), "reachability association")
    nrid = Field(4, Number(4), "reachability groups")
    chngc = Field(8, Number(8), "change count")
    rac = Field(16, Number(1), "characteristics")
    rgid = Elements(32, Number(4), None, "groups", counted_by="nrid")


class ReachabilityAssociationsLog(_Structure):
    """Reachability Associations, LID 1Bh. Section 5.1.12.1.26. 16 bytes and what follows.

    chngc         7:0  change count
    nrad          9:8  descriptors
    associations  16…  associations
    """

    SIZE = 16
    VARIES = True
    TEXT = "Reachability Associations, LID 1Bh"

    chngc = Field(0, Number(8), "change count")
    nrad = Field(8, Number(2), "descriptors")
    associations = Elements(16, Nested(ReachabilityAssociation), None, "associations", counted_by="nrad")


class ReclaimUnitHandle(_Structure):
    """Reclaim Unit Handle Descriptor. Section 5.1.12.1.28. 4 bytes.

    ruht  0  type
    """

    SIZE = 4
    TEXT = "Reclaim Unit Handle Descriptor"

    ruht = Field(0, Number(1, ReclaimUnitHandleType), "type")


class FdpConfiguration(_Structure):
    """FDP Configuration Descriptor. Section 5.1.12.1.28. 64 bytes and what follows.

    dsze       1:0  length of this descriptor, bytes
    fdpa         2  attributes
    vss          3  vendor specific size, bytes
    nrg        7:4  reclaim groups
    nruh       9:8  reclaim unit handles
    maxpids  11:10  placement identifiers, 0's based
    nns      15:12  namespaces that are supported
    runs     23:16  nominal size of a reclaim unit, bytes
    erutl    27:24  estimated time limit of a reclaim unit, 0: none, s
    ruh        64…  reclaim unit handles
    """

    SIZE = 64
    VARIES = True
    LENGTH = ("dsze",)
    TEXT = "FDP Configuration Descriptor"

    class Fdpa(_Word):
        """Bits of FDPA."""

        rgif = Bit(0, 3, "reclaim group identifier format")
        fdpvwc = Bit(4, 4, "volatile write cache")
        fdpcv = Bit(7, 7, "valid")

    dsze = Field(0, Number(2), "length of this descriptor", "bytes")
    fdpa = Field(2, WordAt(1, Fdpa), "attributes")
    vss = Field(3, Number(1), "vendor specific size", "bytes")
    nrg = Field(4, Number(4), "reclaim groups")
    nruh = Field(8, Number(2), "reclaim unit handles")
    maxpids = Field(10, Number(2), "placement identifiers", zeroes_based=True)
    nns = Field(12, Number(4), "namespaces that are supported")
    runs = Field(16, Number(8), "nominal size of a reclaim unit", "bytes")
    erutl = Field(24, Number(4), "estimated time limit of a reclaim unit, 0: none", "s")
    ruh = Elements(64, Nested(ReclaimUnitHandle), None, "reclaim unit handles", counted_by="nruh")


class FdpConfigurationsLog(_Structure):
    """FDP Configurations, LID 20h. Section 5.1.12.1.28. 16 bytes and what follows.

    nfdpc           1:0  configurations, 0's based
    ver               2  version
    size            7:4  length of the log page, bytes
    configurations  16…  configurations
    """

    SIZE = 16
    VARIES = True
    TEXT = "FDP Configurations, LID 20h"

    nfdpc = Field(0, Number(2), "configurations", zeroes_based=True)
    ver = Field(2, Number(1), "version")
    size = Field(4, Number(4), "length of the log page", "bytes")
    configurations = Elements(16, Nested(FdpConfiguration), None, "configurations", counted_by="nfdpc")


class ReclaimUnitHandleUsage(_Structure):
    """Reclaim Unit Handle Usage Descriptor. Section 5.1.12.1.29. 8 bytes.

    ruha  0  attributes: 0 not in use, 1 named by a host, 2 by the controller
    """

    SIZE = 8
    TEXT = "Reclaim Unit Handle Usage Descriptor"

    ruha = Field(0, Number(1), "attributes: 0 not in use, 1 named by a host, 2 by the controller")


class FdpUsageLog(_Structure):
    """Reclaim Unit Handle Usage, LID 21h. Section 5.1.12.1.29. 8 bytes and what follows.

    nruh  1:0  reclaim unit handles
    ruh    8…  reclaim unit handles
    """

    SIZE = 8
    VARIES = True
    TEXT = "Reclaim Unit Handle Usage, LID 21h"

    nruh = Field(0, Number(2), "reclaim unit handles")
    ruh = Elements(8, Nested(ReclaimUnitHandleUsage), None, "reclaim unit handles", counted_by="nruh")


class FdpStatisticsLog(_Structure):
    """FDP Statistics, LID 22h. Section 5.1.12.1.30. 64 bytes.

    hbmw   15:0  bytes of host data that were written, with metadata, bytes
    mbmw  31:16  bytes that were written to media, bytes
    mbe   47:32  bytes of media that were erased, bytes
    """

    SIZE = 64
    TEXT = "FDP Statistics, LID 22h"

    hbmw = Field(0, Number(16), "bytes of host data that were written, with metadata", "bytes")
    mbmw = Field(16, Number(16), "bytes that were written to media", "bytes")
    mbe = Field(32, Number(16), "bytes of media that were erased", "bytes")


class FdpEvent(_Structure):
    """FDP Event. Section 5.1.12.1.31. 64 bytes.

    et                0  type
    fdpef             1  which fields are valid
    pid             3:2  placement identifier
    ets            11:4  time stamp, as feature 0Eh
    nsid          15:12  namespace
    ets_specific  31:16  specific to the type
    rgid          33:32  reclaim group
    ruhid            34  reclaim unit handle
    vs            63:40  vendor specific
    """

    SIZE = 64
    TEXT = "FDP Event"

    class Fdpef(_Word):
        """Bits of FDPEF."""

        piv = Bit(0, 0, "PID")
        nsidv = Bit(1, 1, "NSID")
        lv = Bit(2, 2, "RGID and RUHID")

    et = Field(0, Number(1, FdpEventType), "type")
    fdpef = Field(1, WordAt(1, Fdpef), "which fields are valid")
    pid = Field(2, Number(2), "placement identifier")
    ets = Field(4, Number(8), "time stamp, as feature 0Eh")
    nsid = Field(12, Number(4), "namespace")
    ets_specific = Field(16, Raw(16), "specific to the type")
    rgid = Field(32, Number(2), "reclaim group")
    ruhid = Field(34, Number(1), "reclaim unit handle")
    vs = Field(40, Raw(24), "vendor specific")


class FdpEventsLog(_Structure):
    """FDP Events, LID 23h. Section 5.1.12.1.31. 64 bytes and what follows.

    nfdpe   3:0  events
    events  64…  events
    """

    SIZE = 64
    VARIES = True
    TEXT = "FDP Events, LID 23h"

    nfdpe = Field(0, Number(4), "events")
    events = Elements(64, Nested(FdpEvent), None, "events", counted_by="nfdpe")


class ReservationLog(_Structure):
    """Reservation Notification, LID 80h. Section 5.1.12.1.32. 64 bytes.

    lpc      7:0  counter of log pages, 0: there is none
    rnlpt      8  0: none, 1: registration preempted, 2: reservation released, 3: reservation preempted
    nalp       9  log pages that are still unread
    nsid   15:12  namespace
    """

    SIZE = 64
    TEXT = "Reservation Notification, LID 80h"

    lpc = Field(0, Number(8), "counter of log pages, 0: there is none")
    rnlpt = Field(8, Number(1), "0: none, 1: registration preempted, 2: reservation released, 3: reservation preempted")
    nalp = Field(9, Number(1), "log pages that are still unread")
    nsid = Field(12, Number(4), "namespace")


class SanitizeLog(_Structure):
    """Sanitize Status, LID 81h. Times are in seconds. FFFFFFFFh means not reported. Section 5.1.12.1.33. 512 bytes.

    sprog     1:0  progress, FFFFh if none is in progress, 1/65536
    sstat     3:2  status
    scdw10    7:4  dword 10 of the latest Sanitize
    eto      11:8  estimated time of an overwrite, s
    etbe    15:12  estimated time of a block erase, s
    etce    19:16  estimated time of a crypto erase, s
    etond   23:20  overwrite with No-Deallocate After Sanitize, s, since 1.4
    etbend  27:24  block erase with No-Deallocate After Sanitize, s, since 1.4
    etcend  31:28  crypto erase with No-Deallocate After Sanitize, s, since 1.4
    etpvds  35:32  post-verification deallocation, s, since 2.1
    ssi        36  state, since 2.1
    """

    SIZE = 512
    TEXT = "Sanitize Status, LID 81h. Times are in seconds. FFFFFFFFh means not reported"

    class Sstat(_Word):
        """Bits of SSTAT."""

        sos = Bit(0, 2, "the latest operation", values=SanitizeStatus)
        opc = Bit(3, 7, "overwrite passes that are done")
        gde = Bit(8, 8, "no user data were written since")
        mvcncld = Bit(9, 9, "media verification was canceled")

    class Ssi(_Word):
        """Bits of SSI."""

        sans = Bit(0, 3, "state", values=SanitizeState)
        fails = Bit(4, 7, "state in which it failed", values=SanitizeState)

    sprog = Field(0, Number(2), "progress, FFFFh if none is in progress", "1/65536")
    sstat = Field(2, WordAt(2, Sstat), "status")
    scdw10 = Field(4, Number(4), "dword 10 of the latest Sanitize")
    eto = Field(8, Number(4), "estimated time of an overwrite", "s")
    etbe = Field(12, Number(4), "estimated time of a block erase", "s")
    etce = Field(16, Number(4), "estimated time of a crypto erase", "s")
    etond = Field(20, Number(4), "overwrite with No-Deallocate After Sanitize", "s")
    etbend = Field(24, Number(4), "block erase with No-Deallocate After Sanitize", "s")
    etcend = Field(28, Number(4), "crypto erase with No-Deallocate After Sanitize", "s")
    etpvds = Field(32, Number(4), "post-verification deallocation", "s")
    ssi = Field(36, WordAt(1, Ssi), "state")
    sanitize_progress = Alias("sprog")
    sanitize_status = Alias("sstat")


class PowerHistogramDescriptor(_Structure):
    """Power Histogram Descriptor of log page 25h. Section Base 2.3 5.2.12.1.33. 8 bytes.

    phbc   3:0  interval power measurements in the bin
    phblt  7:4  its lowest power
    """

    SIZE = 8
    TEXT = "Power Histogram Descriptor of log page 25h"

    class Phblt(_Word):
        """Bits of PHBLT."""

        pwrv = Bit(0, 15, "power")
        pwrs = Bit(16, 17, "its scale", values=PowerScale)

    phbc = Field(0, Number(4), "interval power measurements in the bin")
    phblt = Field(4, WordAt(4, Phblt), "its lowest power")


class PowerMeasurementLog(_Structure):
    """Power Measurement, LID 25h. Section Base 2.3 5.2.12.1.33. 64 bytes and what follows.

    ver         0  version
    pmgn        1  generation number: measurements started, modulo 256
    pma       3:2  attributes
    sze       7:4  size of the log page, bytes
    pmc      11:8  interval power measurements, each of a second
    nphd    13:12  histogram descriptors
    smtr    15:14  time until the measurement stops, 0: not specified, minutes
    smts    23:16  when the measurement has stopped
    phds    25:24  size of a histogram descriptor, bytes
    phbs    27:26  size of a bin, mW
    nphds   29:28  histogram descriptors at most
    vss     31:30  size of what the vendor defines, bytes
    phdoc   35:32  measurements above the last bin
    aipwr   43:40  average of the measurements
    mipwr   47:44  the highest one
    mipwrt  55:48  when that was
    ipwrpe     56  error of a measurement at most, 255: not reported, percent
    phd       64…  histogram descriptors
    """

    SIZE = 64
    VARIES = True
    TEXT = "Power Measurement, LID 25h"

    class Pma(_Word):
        """Bits of PMA."""

        pme = Bit(0, 0, "a measurement is running")
        ncpdf = Bit(1, 1, "data of some intervals are missing")
        epf = Bit(2, 2, "the power is estimated")
        mipwrts = Bit(3, 3, "MIPWRT is reported")
        phdo = Bit(4, 4, "a measurement was above the last bin")
        pmt = Bit(12, 15, "what is measured, 0: the whole NVM subsystem")

    class Smts(_Word):
        """Bits of SMTS."""

        tstmp = Bit(0, 47, "time since 1970-01-01, UTC", "ms")
        synch = Bit(48, 48, "the controller may have stopped counting")
        tso = Bit(49, 51, "origin: 0 cleared at a reset, 1 Set Features")

    class Aipwr(_Word):
        """Bits of AIPWR."""

        pwrv = Bit(0, 15, "power")
        pwrs = Bit(16, 17, "its scale", values=PowerScale)

    class Mipwr(_Word):
        """Bits of MIPWR."""

        pwrv = Bit(0, 15, "power")
        pwrs = Bit(16, 17, "its scale", values=PowerScale)

    class Mipwrt(_Word):
        """Bits of MIPWRT."""

        tstmp = Bit(0, 47, "time since 1970-01-01, UTC", "ms")
        synch = Bit(48, 48, "the controller may have stopped counting")
        tso = Bit(49, 51, "origin: 0 cleared at a reset, 1 Set Features")

    ver = Field(0, Number(1), "version")
    pmgn = Field(1, Number(1), "generation number: measurements started, modulo 256")
    pma = Field(2, WordAt(2, Pma), "attributes")
    sze = Field(4, Number(4), "size of the log page", "bytes")
    pmc = Field(8, Number(4), "interval power measurements, each of a second")
    nphd = Field(12, Number(2), "histogram descriptors")
    smtr = Field(14, Number(2), "time until the measurement stops, 0: not specified", "minutes")
    smts = Field(16, WordAt(8, Smts), "when the measurement has stopped")
    phds = Field(24, Number(2), "size of a histogram descriptor", "bytes")
    phbs = Field(26, Number(2), "size of a bin", "mW")
    nphds = Field(28, Number(2), "histogram descriptors at most")
    vss = Field(30, Number(2), "size of what the vendor defines", "bytes")
    phdoc = Field(32, Number(4), "measurements above the last bin")
    aipwr = Field(40, WordAt(4, Aipwr), "average of the measurements")
    mipwr = Field(44, WordAt(4, Mipwr), "the highest one")
    mipwrt = Field(48, WordAt(8, Mipwrt), "when that was")
    ipwrpe = Field(56, Number(1), "error of a measurement at most, 255: not reported", "percent")
    phd = Elements(64, Nested(PowerHistogramDescriptor), None, "histogram descriptors", counted_by="nphd")


class ChangedZonesLog(_Structure):
    """Changed Zone List, LID BFh. Section ZNS 4.1.3. 4096 bytes.

    nrzid     1:0  zones; FFFFh: more than fit
    zslba  4095:8  first LBAs of zones that changed
    """

    SIZE = 4096
    TEXT = "Changed Zone List, LID BFh"

    nrzid = Field(0, Number(2), "zones; FFFFh: more than fit")
    zslba = Elements(8, Number(8), 511, "first LBAs of zones that changed", counted_by="nrzid")


LOG_PAGES: dict[int, type[_Structure]] = {
    0x00: SupportedLogPages,
    0x01: ErrorLog,
    0x02: SmartLog,
    0x03: FirmwareLog,
    0x05: EffectsLog,
    0x06: SelfTestLog,
    0x07: TelemetryLog,
    0x08: TelemetryLog,
    0x09: EnduranceGroupLog,
    0x0A: PredictableLatencyLog,
    0x0B: PredictableLatencyEventsLog,
    0x0C: AnaLog,
    0x0D: PersistentEventLog,
    0x0E: LbaStatusLog,
    0x0F: EnduranceGroupEventsLog,
    0x10: MediaUnitStatusLog,
    0x11: CapacityConfigurationsLog,
    0x12: FeatureEffectsLog,
    0x13: MiEffectsLog,
    0x14: LockdownLog,
    0x15: BootPartitionLog,
    0x16: RotationalMediaLog,
    0x17: DispersedNsLog,
    0x18: ManagementAddressesLog,
    0x1A: ReachabilityGroupsLog,
    0x1B: ReachabilityAssociationsLog,
    0x20: FdpConfigurationsLog,
    0x21: FdpUsageLog,
    0x22: FdpStatisticsLog,
    0x23: FdpEventsLog,
    0x25: PowerMeasurementLog,
    0x80: ReservationLog,
    0x81: SanitizeLog,
    0xBF: ChangedZonesLog,
}
"""The structure of each log page, by LID. 04h and 1Ch are a NamespaceList."""
