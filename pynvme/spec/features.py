# SPDX-License-Identifier: BSD-3-Clause
"""Features: their command dword 11 and their data, by FID.

Generated from spec/features.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.spec.enums import PowerScale
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Feature
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word


class FeatureId(IntEnum):
    """features. Section 5.1.25.1."""

    ARBITRATION = 0x01  # Arbitration
    POWER = 0x02  # Power Management
    LBA_RANGE = 0x03  # LBA Range Type
    TEMPERATURE = 0x04  # Temperature Threshold
    ERROR_RECOVERY = 0x05  # Error Recovery
    VWC = 0x06  # Volatile Write Cache
    QUEUES = 0x07  # Number of Queues
    COALESCING = 0x08  # Interrupt Coalescing
    VECTOR = 0x09  # Interrupt Vector Configuration
    ATOMICITY = 0x0A  # Write Atomicity Normal
    ASYNC_EVENT = 0x0B  # Asynchronous Event Configuration
    APST = 0x0C  # Autonomous Power State Transition
    HMB = 0x0D  # Host Memory Buffer
    TIMESTAMP = 0x0E  # Timestamp
    KATO = 0x0F  # Keep Alive Timer
    HCTM = 0x10  # Host Controlled Thermal Management
    NOPSC = 0x11  # Non-Operational Power State Config
    READ_RECOVERY = 0x12  # Read Recovery Level Config
    PREDICTABLE_LATENCY = 0x13  # Predictable Latency Mode Config
    PREDICTABLE_LATENCY_WINDOW = 0x14  # Predictable Latency Mode Window
    LBA_STATUS = 0x15  # LBA Status Information Report Interval
    HOST_BEHAVIOR = 0x16  # Host Behavior Support
    SANITIZE = 0x17  # Sanitize Config
    ENDURANCE_GROUP = 0x18  # Endurance Group Event Configuration
    COMMAND_SET_PROFILE = 0x19  # I/O Command Set Profile
    SPINUP = 0x1A  # Spinup Control
    POWER_LOSS_SIGNALING = 0x1B  # Power Loss Signaling Config
    FDP = 0x1D  # Flexible Data Placement
    FDP_EVENTS = 0x1E  # Flexible Data Placement Events
    NS_ADMIN_LABEL = 0x1F  # Namespace Admin Label
    CONTROLLER_DATA_QUEUE = 0x21  # Controller Data Queue
    POWER_LIMIT = 0x23  # Power Limit
    POWER_THRESHOLD = 0x24  # Power Threshold
    POWER_MEASUREMENT = 0x25  # Power Measurement
    EMBEDDED_MGMT_ADDRESS = 0x78  # Embedded Management Controller Address
    HOST_MGMT_ADDRESS = 0x79  # Host Management Agent Address
    ENHANCED_CTRL_METADATA = 0x7D  # Enhanced Controller Metadata
    CTRL_METADATA = 0x7E  # Controller Metadata
    NS_METADATA = 0x7F  # Namespace Metadata
    SOFTWARE_PROGRESS = 0x80  # Software Progress Marker
    HOST_ID = 0x81  # Host Identifier
    RESERVATION_MASK = 0x82  # Reservation Notification Mask
    RESERVATION_PERSISTENCE = 0x83  # Reservation Persistence
    WRITE_PROTECTION = 0x84  # Namespace Write Protection Config
    BOOT_WRITE_PROTECTION = 0x85  # Boot Partition Write Protection Config


class WriteProtectionState(IntEnum):
    """WPS of feature 84h. Section 8.1.16."""

    NONE = 0
    PROTECTED = 1
    UNTIL_POWER_CYCLE = 2
    PERMANENT = 3


class BootProtectionState(IntEnum):
    """BPWPS of feature 85h. Section 8.1.3.3."""

    UNCHANGED = 0  # only in Set Features: leave the state as it is
    UNLOCKED = 1  # the partition can be written
    LOCKED = 2  # the partition cannot be written until it is unlocked
    LOCKED_UNTIL_POWER_CYCLE = 3  # nor can it be unlocked before the next power cycle
    BY_RPMB = 4  # only in Get Features: RPMB controls the state


class FeatureCapabilities(_Word):
    """What SEL 3 returns in dword 0 of the completion. Section 5.1.11."""

    saveable = Bit(0, 0, "its value can be saved")
    nsspec = Bit(1, 1, "each namespace has its own value")
    changeable = Bit(2, 2, "Set Features can change it")


class Arbitration(_Word):
    """Feature 01h, Arbitration. Section 5.1.25.1.1."""

    ab = Bit(0, 2, "commands of a queue in a row, 7: no limit", "2^n")
    lpw = Bit(8, 15, "weight of low priority", zeroes_based=True)
    mpw = Bit(16, 23, "weight of medium priority", zeroes_based=True)
    hpw = Bit(24, 31, "weight of high priority", zeroes_based=True)


class PowerManagement(_Word):
    """Feature 02h, Power Management. Section 5.1.25.1.2."""

    ps = Bit(0, 4, "power state")
    wh = Bit(5, 7, "workload hint")


class TemperatureThreshold(_Word):
    """Feature 04h, Temperature Threshold. Section 5.1.25.1.3."""

    tmpth = Bit(0, 15, "threshold", "Kelvin", values=Kelvin)
    tmpsel = Bit(16, 19, "0: composite, 1 to 8: a sensor, Fh: all")
    thsel = Bit(20, 21, "0: over, 1: under")
    tmpthh = Bit(22, 24, "hysteresis", "Kelvin", values=Kelvin)


class ErrorRecovery(_Word):
    """Feature 05h, Error Recovery. Section NVM 4.1.3.2."""

    tler = Bit(0, 15, "time of retries at most, 0: no limit", "100 ms")
    dulbe = Bit(16, 16, "reading a deallocated LBA gives an error")


class VolatileWriteCache(_Word):
    """Feature 06h, Volatile Write Cache. Section 5.1.25.1.4."""

    wce = Bit(0, 0, "volatile write cache: enabled")


class NumberOfQueues(_Word):
    """Feature 07h, Number of Queues: requested in dword 11, allocated in dword 0 of the completion. Section 5.1.25.2.1."""

    nsq = Bit(0, 15, "I/O submission queues", zeroes_based=True)
    ncq = Bit(16, 31, "I/O completion queues", zeroes_based=True)


class InterruptCoalescing(_Word):
    """Feature 08h, Interrupt Coalescing. Section 5.1.25.2.2."""

    thr = Bit(0, 7, "completions", zeroes_based=True)
    time = Bit(8, 15, "time, 0: no delay", "100 us")


class InterruptVector(_Word):
    """Feature 09h, Interrupt Vector Configuration. Section 5.1.25.2.3."""

    iv = Bit(0, 15, "vector")
    cd = Bit(16, 16, "coalescing is disabled")


class WriteAtomicity(_Word):
    """Feature 0Ah, Write Atomicity Normal. Section NVM 4.1.3.3."""

    dn = Bit(0, 0, "AWUN and NAWUN do not apply, only AWUPF")


class AsyncEventConfig(_Word):
    """Feature 0Bh, Asynchronous Event Configuration. Section 5.1.25.1.5."""

    shcw = Bit(0, 7, "critical warnings of log page 02h")
    nan = Bit(8, 8, "namespace attribute notices")
    fan = Bit(9, 9, "firmware activation notices")
    tln = Bit(10, 10, "telemetry notices")
    anacn = Bit(11, 11, "ANA change notices")
    plealcn = Bit(12, 12, "predictable latency event notices")
    lsian = Bit(13, 13, "LBA status information notices")
    egealpcn = Bit(14, 14, "endurance group event notices")
    nnsshdn = Bit(15, 15, "normal NVM subsystem shutdown")
    tthry = Bit(16, 16, "temperature threshold hysteresis recovery")
    rassn = Bit(17, 17, "reachability association notices")
    rgrp0 = Bit(18, 18, "reachability group notices")
    ansan = Bit(19, 19, "allocated namespace attribute notices")
    zdcn = Bit(27, 27, "zone descriptor changed notices")
    dlpcn = Bit(31, 31, "discovery log page change")


class AutonomousPowerStateTransition(_Word):
    """Feature 0Ch, Autonomous Power State Transition. Section 5.1.25.1.6."""

    apste = Bit(0, 0, "autonomous power state transition: enabled")


class HostMemoryBuffer(_Word):
    """Feature 0Dh, Host Memory Buffer. Section 5.1.25.2.4."""

    ehm = Bit(0, 0, "host memory buffer: enabled")
    mr = Bit(1, 1, "and the memory is returned as it was left")
    hmnare = Bit(2, 2, "access in non-operational states is restricted")


class KeepAliveTimer(_Word):
    """Feature 0Fh, Keep Alive Timer. Section 5.1.25.1.8."""

    kato = Bit(0, 31, "time-out, 0: disabled", "ms")


class HostControlledThermalManagement(_Word):
    """Feature 10h, Host Controlled Thermal Management. Section 5.1.25.1.9."""

    tmt2 = Bit(0, 15, "temperature 2, 0: disabled", "Kelvin", values=Kelvin)
    tmt1 = Bit(16, 31, "temperature 1, 0: disabled", "Kelvin", values=Kelvin)


class NonOperationalPowerState(_Word):
    """Feature 11h, Non-Operational Power State Config. Section 5.1.25.1.10."""

    noppme = Bit(0, 0, "non-operational power state: work in the background may need more power")


class ReadRecoveryLevel(_Word):
    """Feature 12h, Read Recovery Level Config. Section 5.1.25.1.11."""

    rrl = Bit(0, 3, "read recovery level")


class PredictableLatencyMode(_Word):
    """Feature 13h, Predictable Latency Mode Config, dword 12. Section 5.1.25.1.12."""

    plme = Bit(0, 0, "enabled")


class PredictableLatencyWindow(_Word):
    """Feature 14h, Predictable Latency Mode Window, dword 12. Section 5.1.25.1.13."""

    ws = Bit(0, 2, "window: 1 deterministic, 2 non-deterministic")


class LbaStatusInterval(_Word):
    """Feature 15h, LBA Status Information Report Interval. Section NVM 4.1.3.6."""

    lsiri = Bit(0, 15, "report interval", "100 ms")
    lsipi = Bit(16, 31, "poll interval", "100 ms")


class SanitizeConfig(_Word):
    """Feature 17h, Sanitize Config. Section 5.1.25.1.15."""

    nodrm = Bit(0, 0, "sanitize: warn instead of fail if No-Deallocate is inhibited")


class EnduranceGroupEvents(_Word):
    """Feature 18h, Endurance Group Event Configuration. Section 5.1.25.1.16."""

    endgid = Bit(0, 15, "endurance group")
    egcw = Bit(16, 23, "critical warnings that are events")


class CommandSetProfile(_Word):
    """Feature 19h, I/O Command Set Profile. Section 5.1.25.1.17."""

    iocsci = Bit(0, 8, "index into the vectors of CNS 1Ch")


class SpinupControl(_Word):
    """Feature 1Ah, Spinup Control. Section 5.1.25.1.18."""

    sce = Bit(0, 0, "after a reset of the subsystem, rotational media start with Power Management only")


class PowerLossSignaling(_Word):
    """Feature 1Bh, Power Loss Signaling Config. Section 5.1.25.1.19."""

    plsm = Bit(0, 1, "0: disabled, 1: emergency power fail, 2: forced quiescence")


class DataQueueTrigger(_Word):
    """Feature 21h, Controller Data Queue, dword 11; dword 12 is HP, dword 13 TPT. Section 5.1.25.1.23."""

    cdqid = Bit(0, 15, "controller data queue")
    etpt = Bit(31, 31, "an event comes once the tail pointer trigger is posted")


class FlexibleDataPlacement(_Word):
    """Feature 1Dh, Flexible Data Placement, dword 12; dword 11 bits 15:0 are the endurance group. Section 5.1.25.1.20."""

    fdpe = Bit(0, 0, "enabled")
    fdpcidx = Bit(8, 15, "index of the FDP configuration")


class FdpEventsConfig(_Word):
    """Feature 1Eh, Flexible Data Placement Events. Section 5.1.25.1.21."""

    phndl = Bit(0, 15, "placement handle")
    noet = Bit(16, 23, "event types")


class PowerLimit(_Word):
    """Feature 23h, Power Limit, dword 13. Section Base 2.3 5.2.26.1.25."""

    plv = Bit(0, 15, "most power, 0: no limit")
    pls = Bit(16, 17, "its scale", values=PowerScale)


class PowerThreshold(_Word):
    """Feature 24h, Power Threshold. Section Base 2.3 5.2.26.1.26."""

    ptv = Bit(0, 15, "interval power above which there is an event")
    pts = Bit(16, 17, "its scale", values=PowerScale)
    pmts = Bit(20, 23, "what is measured, 0: the whole NVM subsystem")
    ept = Bit(31, 31, "the threshold is enabled")


class PowerMeasurement(_Word):
    """Feature 25h, Power Measurement. Section Base 2.3 5.2.26.1.27."""

    act = Bit(0, 3, "action: 0 stop, 1 start")
    pmts = Bit(4, 7, "what is measured, 0: the whole NVM subsystem")
    smt = Bit(16, 31, "when the measurement stops, 0: not by itself", "minutes")


class HostIdentifier(_Word):
    """Feature 81h, Host Identifier. Section 5.1.25.1.28."""

    exhid = Bit(0, 0, "the host identifier has 128 bits")


class SoftwareProgress(_Word):
    """Feature 80h, Software Progress Marker. Section 5.1.25.1.27."""

    pbslc = Bit(0, 7, "pre-boot software loads")


class ReservationMask(_Word):
    """Feature 82h, Reservation Notification Mask. Section 5.1.25.1.29."""

    regpre = Bit(1, 1, "registration preempted")
    resrel = Bit(2, 2, "reservation released")
    respre = Bit(3, 3, "reservation preempted")


class ReservationPersistence(_Word):
    """Feature 83h, Reservation Persistence. Section 5.1.25.1.30."""

    ptpl = Bit(0, 0, "reservations persist through power loss")


class WriteProtection(_Word):
    """Feature 84h, Namespace Write Protection Config. Section 5.1.25.1.31."""

    wps = Bit(0, 2, "state", values=WriteProtectionState)


class BootWriteProtection(_Word):
    """Feature 85h, Boot Partition Write Protection Config. Section 5.1.25.1.32."""

    bp0wps = Bit(0, 2, "state of boot partition 0", values=BootProtectionState)
    bp1wps = Bit(3, 5, "state of boot partition 1", values=BootProtectionState)


class LbaRangeType(_Structure):
    """an entry of feature 03h, up to 64 of them. Section NVM 4.1.3.1. 64 bytes.

    type      0  0: general, 1: filesystem, 2: RAID, 3: cache, 4: page or swap file
    attr      1  attributes
    slba  23:16  first LBA
    nlb   31:24  LBAs, 0's based
    guid  47:32  unique identifier
    """

    SIZE = 64
    TEXT = "an entry of feature 03h, up to 64 of them"

    class Attr(_Word):
        """Bits of ATTR."""

        ovrwrt = Bit(0, 0, "may be overwritten")
        hide = Bit(1, 1, "is hidden from the OS")

    type = Field(0, Number(1), "0: general, 1: filesystem, 2: RAID, 3: cache, 4: page or swap file")
    attr = Field(1, WordAt(1, Attr), "attributes")
    slba = Field(16, Number(8), "first LBA")
    nlb = Field(24, Number(8), "LBAs", zeroes_based=True)
    guid = Field(32, Raw(16), "unique identifier")


class LbaRangeTypes(_Structure):
    """LBA Range Type, FID 03h; NUM of dword 11 (0's based) says how many entries there are. Section NVM 4.1.3.1. 4096 bytes.

    entries  4095:0  ranges
    """

    SIZE = 4096
    TEXT = "LBA Range Type, FID 03h; NUM of dword 11 (0's based) says how many entries there are"

    entries = Elements(0, Nested(LbaRangeType), 64, "ranges")


class ApstEntries(_Structure):
    """Autonomous Power State Transition, FID 0Ch. Section 5.1.25.1.6. 256 bytes.

    entries  255:0  one for each power state
    """

    SIZE = 256
    TEXT = "Autonomous Power State Transition, FID 0Ch"

    class Entries(_Word):
        """Bits of ENTRIES."""

        itps = Bit(3, 7, "power state to go to")
        itpt = Bit(8, 31, "idle time before that, 0: never", "ms")

    entries = Elements(0, WordAt(8, Entries), 32, "one for each power state")


class HmbDescriptor(_Structure):
    """Feature 0Dh: the list at HMDLLA has an entry of 16 bytes for each range. Section 5.1.25.2.4. 16 bytes.

    badd    7:0  address
    bsize  11:8  size, pages of CC.MPS, as is HSIZE
    """

    SIZE = 16
    TEXT = "Feature 0Dh: the list at HMDLLA has an entry of 16 bytes for each range"

    badd = Field(0, Number(8), "address", hex=True)
    bsize = Field(8, Number(4), "size", "pages of CC.MPS, as is HSIZE")


class HmbAttributes(_Structure):
    """Feature 0Dh: data of Get Features. Section 5.1.25.2.4. 4096 bytes.

    hsize     3:0  size, pages of CC.MPS
    hmdlal    7:4  address of the descriptors, low
    hmdlau   11:8  address of the descriptors, high
    hmdlec  15:12  descriptors
    """

    SIZE = 4096
    TEXT = "Feature 0Dh: data of Get Features"

    hsize = Field(0, Number(4), "size", "pages of CC.MPS")
    hmdlal = Field(4, Number(4), "address of the descriptors, low", hex=True)
    hmdlau = Field(8, Number(4), "address of the descriptors, high", hex=True)
    hmdlec = Field(12, Number(4), "descriptors")


class Timestamp(_Structure):
    """Timestamp, FID 0Eh. Section 5.1.25.1.7. 8 bytes.

    tstmp  5:0  time since 1970-01-01, UTC, ms
    attr     6  attributes
    """

    SIZE = 8
    TEXT = "Timestamp, FID 0Eh"

    class Attr(_Word):
        """Bits of ATTR."""

        synch = Bit(0, 0, "the controller may have stopped counting")
        tso = Bit(1, 3, "origin: 0 cleared at a reset, 1 Set Features")

    tstmp = Field(0, Number(6), "time since 1970-01-01, UTC", "ms")
    attr = Field(6, WordAt(1, Attr), "attributes")


class PredictableLatencyConfig(_Structure):
    """Predictable Latency Mode Config, FID 13h. Section 5.1.25.1.12. 512 bytes.

    ee         1:0  enabled events
    dtwinrt  39:32  read threshold, 4 KiB
    dtwinwt  47:40  write threshold
    dtwintt  55:48  time threshold, ms
    """

    SIZE = 512
    TEXT = "Predictable Latency Mode Config, FID 13h"

    class Ee(_Word):
        """Bits of EE."""

        dtwinrw = Bit(0, 0, "reads of the deterministic window")
        dtwinww = Bit(1, 1, "writes of the deterministic window")
        dtwintw = Bit(2, 2, "time of the deterministic window")
        atede = Bit(14, 14, "autonomous transition, an excursion")
        atedwe = Bit(15, 15, "autonomous transition, a value exceeded")

    ee = Field(0, WordAt(2, Ee), "enabled events")
    dtwinrt = Field(32, Number(8), "read threshold", "4 KiB")
    dtwinwt = Field(40, Number(8), "write threshold")
    dtwintt = Field(48, Number(8), "time threshold", "ms")


class HostBehavior(_Structure):
    """Feature 16h: capabilities of the host. Each field but CDFE is 0 or 1. Section 5.1.25.1.14. 512 bytes.

    acre      0  it retries commands that the controller interrupted
    etdas     1  it knows telemetry data area 4, since 2.0
    lbafee    2  it knows extended LBA formats, and more than 16, since 2.0
    hdisns    3  it knows dispersed namespaces, since 2.0
    cdfe    5:4  Copy descriptor formats 2h and above that it uses, one a bit, since 2.1
    """

    SIZE = 512
    TEXT = "Feature 16h: capabilities of the host. Each field but CDFE is 0 or 1"

    acre = Field(0, Number(1), "it retries commands that the controller interrupted")
    etdas = Field(1, Number(1), "it knows telemetry data area 4")
    lbafee = Field(2, Number(1), "it knows extended LBA formats, and more than 16")
    hdisns = Field(3, Number(1), "it knows dispersed namespaces")
    cdfe = Field(4, Number(2), "Copy descriptor formats 2h and above that it uses, one a bit")


class FdpEventSupport(_Structure):
    """an entry of the data of Get Features for FID 1Eh. Section 5.1.25.1.21. 2 bytes.

    evt   0  event type
    evta  1  attributes
    """

    SIZE = 2
    TEXT = "an entry of the data of Get Features for FID 1Eh"

    class Evta(_Word):
        """Bits of EVTA."""

        fdpee = Bit(0, 0, "enabled")

    evt = Field(0, Number(1), "event type")
    evta = Field(1, WordAt(1, Evta), "attributes")


class DataQueuePointers(_Structure):
    """Controller Data Queue, FID 21h, as Get Features returns it. Section 5.1.25.1.23. 512 bytes.

    hp   3:0  head pointer, a slot
    tpt  7:4  tail pointer trigger, a slot; 0 without one
    """

    SIZE = 512
    TEXT = "Controller Data Queue, FID 21h, as Get Features returns it"

    hp = Field(0, Number(4), "head pointer, a slot")
    tpt = Field(4, Number(4), "tail pointer trigger, a slot; 0 without one")


class MetadataElement(_Structure):
    """Metadata Element Descriptor of FID 7Dh to 7Fh. Section 5.1.25.1.26. 4 bytes and what follows.

    et      0  element type
    er      1  element revision
    elen  3:2  length of the value, bytes
    eval   4…  value
    """

    SIZE = 4
    VARIES = True
    TEXT = "Metadata Element Descriptor of FID 7Dh to 7Fh"

    class Et(_Word):
        """Bits of ET."""

        et = Bit(0, 5)

    class Er(_Word):
        """Bits of ER."""

        er = Bit(0, 3)

    et = Field(0, WordAt(1, Et), "element type")
    er = Field(1, WordAt(1, Er), "element revision")
    elen = Field(2, Number(2), "length of the value", "bytes")
    eval = Rest(4, "value", counted_by="elen")


class HostMetadata(_Structure):
    """Host Metadata, FID 7Dh to 7Fh. Section 5.1.25.1.26. 2 bytes and what follows.

    nmed       0  elements
    elements  2…  elements
    """

    SIZE = 2
    VARIES = True
    TEXT = "Host Metadata, FID 7Dh to 7Fh"

    nmed = Field(0, Number(1), "elements")
    elements = Elements(2, Nested(MetadataElement), None, "elements", counted_by="nmed")


class HostId(_Structure):
    """Host Identifier, FID 81h. Section 5.1.25.1.28. 8 bytes.

    hostid  7:0  host identifier; with EXHID the lower half
    """

    SIZE = 8
    TEXT = "Host Identifier, FID 81h"

    hostid = Field(0, Raw(8), "host identifier; with EXHID the lower half")


FEATURES: dict[int, Feature] = {
    0x01: Feature(Arbitration, None, 11, False),
    0x02: Feature(PowerManagement, None, 11, False),
    0x03: Feature(None, LbaRangeTypes, 11, True),
    0x04: Feature(TemperatureThreshold, None, 11, False),
    0x05: Feature(ErrorRecovery, None, 11, True),
    0x06: Feature(VolatileWriteCache, None, 11, False),
    0x07: Feature(NumberOfQueues, None, 11, False),
    0x08: Feature(InterruptCoalescing, None, 11, False),
    0x09: Feature(InterruptVector, None, 11, False),
    0x0A: Feature(WriteAtomicity, None, 11, False),
    0x0B: Feature(AsyncEventConfig, None, 11, False),
    0x0C: Feature(AutonomousPowerStateTransition, ApstEntries, 11, False),
    0x0D: Feature(HostMemoryBuffer, HmbAttributes, 11, False),
    0x0E: Feature(None, Timestamp, 11, False),
    0x0F: Feature(KeepAliveTimer, None, 11, False),
    0x10: Feature(HostControlledThermalManagement, None, 11, False),
    0x11: Feature(NonOperationalPowerState, None, 11, False),
    0x12: Feature(ReadRecoveryLevel, None, 11, False),
    0x13: Feature(PredictableLatencyMode, PredictableLatencyConfig, 12, False),
    0x14: Feature(PredictableLatencyWindow, None, 12, False),
    0x15: Feature(LbaStatusInterval, None, 11, False),
    0x16: Feature(None, HostBehavior, 11, False),
    0x17: Feature(SanitizeConfig, None, 11, False),
    0x18: Feature(EnduranceGroupEvents, None, 11, False),
    0x19: Feature(CommandSetProfile, None, 11, False),
    0x1A: Feature(SpinupControl, None, 11, False),
    0x1B: Feature(PowerLossSignaling, None, 11, False),
    0x1D: Feature(FlexibleDataPlacement, None, 12, False),
    0x1E: Feature(FdpEventsConfig, None, 11, True),
    0x21: Feature(DataQueueTrigger, DataQueuePointers, 11, False),
    0x23: Feature(PowerLimit, None, 13, False),
    0x24: Feature(PowerThreshold, None, 11, False),
    0x25: Feature(PowerMeasurement, None, 11, False),
    0x7D: Feature(None, HostMetadata, 11, False),
    0x7E: Feature(None, HostMetadata, 11, False),
    0x7F: Feature(None, HostMetadata, 11, True),
    0x80: Feature(SoftwareProgress, None, 11, False),
    0x81: Feature(HostIdentifier, HostId, 11, False),
    0x82: Feature(ReservationMask, None, 11, True),
    0x83: Feature(ReservationPersistence, None, 11, True),
    0x84: Feature(WriteProtection, None, 11, True),
    0x85: Feature(BootWriteProtection, None, 11, False),
}
"""What a feature consists of, by FID."""
