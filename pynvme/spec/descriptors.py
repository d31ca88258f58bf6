# SPDX-License-Identifier: BSD-3-Clause
"""Descriptors in the data of commands: SGLs, ranges, zones, reservations, directives.

Generated from spec/descriptors.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.spec.enums import MigrationChange
from pynvme.spec.enums import MigrationEntry
from pynvme.spec.enums import ReservationType
from pynvme.spec.enums import ZoneState
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word


class SglType(IntEnum):
    """types of SGL descriptors. Section 4.3.2."""

    DATA_BLOCK = 0x0
    BIT_BUCKET = 0x1
    SEGMENT = 0x2
    LAST_SEGMENT = 0x3
    KEYED_DATA_BLOCK = 0x4
    TRANSPORT_DATA_BLOCK = 0x5
    VENDOR = 0xF  # vendor specific


class SglDescriptor(_Structure):
    """SGL Descriptor: data block, bit bucket, segment or last segment. Section 4.3.2. 16 bytes.

    addr     7:0  address; in a bit bucket reserved
    length  11:8  length, bytes
    sglid     15  identifier
    """

    SIZE = 16
    TEXT = "SGL Descriptor: data block, bit bucket, segment or last segment"

    class Sglid(_Word):
        """Bits of SGLID."""

        subtype = Bit(0, 3, "0: address, 1: offset, Ah: transport")
        type = Bit(4, 7, "type", values=SglType)

    addr = Field(0, Number(8), "address; in a bit bucket reserved")
    length = Field(8, Number(4), "length", "bytes")
    sglid = Field(15, WordAt(1, Sglid), "identifier")


class CopyRange1(_Structure):
    """Source Range Entry of Copy, format 1h: 32-bit and 64-bit guards, this namespace. Section NVM 3.3.2. 40 bytes.

    slba     15:8  first LBA
    nlb     17:16  LBAs, 0's based
    elbt    35:26  expected reference and storage tags
    elbat   37:36  expected application tag
    elbatm  39:38  mask of the application tag
    """

    SIZE = 40
    TEXT = "Source Range Entry of Copy, format 1h: 32-bit and 64-bit guards, this namespace"

    slba = Field(8, Number(8), "first LBA")
    nlb = Field(16, Number(2), "LBAs", zeroes_based=True)
    elbt = Field(26, Raw(10), "expected reference and storage tags")
    elbat = Field(36, Number(2), "expected application tag")
    elbatm = Field(38, Number(2), "mask of the application tag")


class CopyRange2(_Structure):
    """Source Range Entry of Copy, format 2h: 16-bit guards, any namespace. Section NVM 3.3.2. 32 bytes.

    snsid     3:0  source namespace
    slba     15:8  first LBA
    nlb     17:16  LBAs, 0's based
    sopt    23:22  options
    elbrt   27:24  expected reference tag
    elbat   29:28  expected application tag
    elbatm  31:30  mask of the application tag
    """

    SIZE = 32
    TEXT = "Source Range Entry of Copy, format 2h: 16-bit guards, any namespace"

    class Sopt(_Word):
        """Bits of SOPT."""

        fco = Bit(15, 15, "fail rather than copy slowly")

    snsid = Field(0, Number(4), "source namespace")
    slba = Field(8, Number(8), "first LBA")
    nlb = Field(16, Number(2), "LBAs", zeroes_based=True)
    sopt = Field(22, WordAt(2, Sopt), "options")
    elbrt = Field(24, Number(4), "expected reference tag")
    elbat = Field(28, Number(2), "expected application tag")
    elbatm = Field(30, Number(2), "mask of the application tag")


class CopyRange3(_Structure):
    """Source Range Entry of Copy, format 3h: 32-bit and 64-bit guards, any namespace. Section NVM 3.3.2. 40 bytes.

    snsid     3:0  source namespace
    slba     15:8  first LBA
    nlb     17:16  LBAs, 0's based
    sopt    23:22  options
    elbt    35:26  expected reference and storage tags
    elbat   37:36  expected application tag
    elbatm  39:38  mask of the application tag
    """

    SIZE = 40
    TEXT = "Source Range Entry of Copy, format 3h: 32-bit and 64-bit guards, any namespace"

    class Sopt(_Word):
        """Bits of SOPT."""

        fco = Bit(15, 15, "fail rather than copy slowly")

    snsid = Field(0, Number(4), "source namespace")
    slba = Field(8, Number(8), "first LBA")
    nlb = Field(16, Number(2), "LBAs", zeroes_based=True)
    sopt = Field(22, WordAt(2, Sopt), "options")
    elbt = Field(26, Raw(10), "expected reference and storage tags")
    elbat = Field(36, Number(2), "expected application tag")
    elbatm = Field(38, Number(2), "mask of the application tag")


class LbaStatusDescriptor(_Structure):
    """LBA Status Descriptor Entry. Section NVM 4.2.1. 16 bytes.

    dslba    7:0  first LBA
    nlb     11:8  LBAs, 0's based
    status    13  status
    """

    SIZE = 16
    TEXT = "LBA Status Descriptor Entry"

    class Status(_Word):
        """Bits of STATUS."""

        unreadable = Bit(0, 0, "a read of each LBA may fail")
        marked = Bit(1, 1, "Write Uncorrectable wrote each LBA; 0 tells nothing")

    dslba = Field(0, Number(8), "first LBA")
    nlb = Field(8, Number(4), "LBAs", zeroes_based=True)
    status = Field(13, WordAt(1, Status), "status")


class LbaStatusDescriptors(_Structure):
    """LBA Status Descriptor List, data of Get LBA Status. Section NVM 4.2.1. 8 bytes and what follows.

    nlsd         3:0  descriptors
    cmpc           4  completion condition: 1 all of MNDW, 2 all of RL
    descriptors   8…  descriptors
    """

    SIZE = 8
    VARIES = True
    TEXT = "LBA Status Descriptor List, data of Get LBA Status"

    class Cmpc(_Word):
        """Bits of CMPC."""

        cmpc = Bit(0, 2)

    nlsd = Field(0, Number(4), "descriptors")
    cmpc = Field(4, WordAt(1, Cmpc), "completion condition: 1 all of MNDW, 2 all of RL")
    descriptors = Elements(8, Nested(LbaStatusDescriptor), None, "descriptors", counted_by="nlsd")


class MigrationQueueEntry(_Structure):
    """LBA Migration Queue Entry Type 0. Section NVM 5.6. 32 bytes.

    nsid     3:0  namespace
    nlb      7:4  LBAs, 0's based
    slba    15:8  first LBA
    lbamqa    31  attributes
    """

    SIZE = 32
    TEXT = "LBA Migration Queue Entry Type 0"

    class Lbamqa(_Word):
        """Bits of LBAMQA."""

        cdqp = Bit(0, 0, "phase tag")
        esa = Bit(1, 3, "entry sequence attribute", values=MigrationEntry)
        dlba = Bit(5, 5, "the LBAs are deallocated")
        lbacir = Bit(6, 7, "what has changed", values=MigrationChange)

    nsid = Field(0, Number(4), "namespace")
    nlb = Field(4, Number(4), "LBAs", zeroes_based=True)
    slba = Field(8, Number(8), "first LBA")
    lbamqa = Field(31, WordAt(1, Lbamqa), "attributes")


class SqState(_Structure):
    """I/O Submission Queue State. Section 5.1.17.1.3. 24 bytes.

    iosqprp1     7:0  address: PRP1 of the command that created it
    iosqqsize    9:8  entries, 0's based
    iosqqid    11:10  identifier
    iosqcqid   13:12  completion queue
    iosqa      15:14  attributes
    iosqhp     17:16  head pointer
    iosqtp     19:18  tail pointer
    """

    SIZE = 24
    TEXT = "I/O Submission Queue State"

    class Iosqa(_Word):
        """Bits of IOSQA."""

        iosqpc = Bit(0, 0, "physically contiguous")
        iosqprio = Bit(1, 2, "priority")

    iosqprp1 = Field(0, Number(8), "address: PRP1 of the command that created it")
    iosqqsize = Field(8, Number(2), "entries", zeroes_based=True)
    iosqqid = Field(10, Number(2), "identifier")
    iosqcqid = Field(12, Number(2), "completion queue")
    iosqa = Field(14, WordAt(2, Iosqa), "attributes")
    iosqhp = Field(16, Number(2), "head pointer")
    iosqtp = Field(18, Number(2), "tail pointer")


class CqState(_Structure):
    """I/O Completion Queue State. Section 5.1.17.1.3. 24 bytes.

    iocqprp1     7:0  address: PRP1 of the command that created it
    iocqqsize    9:8  entries, 0's based
    iocqqid    11:10  identifier
    iocqhp     13:12  head pointer
    iocqtp     15:14  tail pointer
    iocqa      19:16  attributes
    """

    SIZE = 24
    TEXT = "I/O Completion Queue State"

    class Iocqa(_Word):
        """Bits of IOCQA."""

        iocqpc = Bit(0, 0, "physically contiguous")
        iocqien = Bit(1, 1, "interrupts are enabled")
        s0pt = Bit(2, 2, "phase tag of slot 0")
        iocqiv = Bit(16, 31, "interrupt vector")

    iocqprp1 = Field(0, Number(8), "address: PRP1 of the command that created it")
    iocqqsize = Field(8, Number(2), "entries", zeroes_based=True)
    iocqqid = Field(10, Number(2), "identifier")
    iocqhp = Field(12, Number(2), "head pointer")
    iocqtp = Field(14, Number(2), "tail pointer")
    iocqa = Field(16, WordAt(4, Iocqa), "attributes")


class ControllerState(_Structure):
    """Controller State, and the header of the NVMe Controller State; the completion queues follow the last field. Section 5.1.17.1.3. 56 bytes and what follows.

    ver        1:0  version of this structure, 0
    csattr       2  attributes
    nvmecss  31:16  size of what follows this header of 48 bytes, dwords
    vss      47:32  size of the vendor specific state after it, dwords
    nvmever  49:48  version of the state of the queues, 0
    niosq    51:50  I/O submission queues
    niocq    53:52  I/O completion queues
    iosq       56…  submission queues
    """

    SIZE = 56
    VARIES = True
    TEXT = "Controller State, and the header of the NVMe Controller State; the completion queues follow the last field"

    class Csattr(_Word):
        """Bits of CSATTR."""

        csup = Bit(0, 0, "the controller is suspended")

    ver = Field(0, Number(2), "version of this structure, 0")
    csattr = Field(2, WordAt(1, Csattr), "attributes")
    nvmecss = Field(16, Number(16), "size of what follows this header of 48 bytes", "dwords")
    vss = Field(32, Number(16), "size of the vendor specific state after it", "dwords")
    nvmever = Field(48, Number(2), "version of the state of the queues, 0")
    niosq = Field(50, Number(2), "I/O submission queues")
    niocq = Field(52, Number(2), "I/O completion queues")
    iosq = Elements(56, Nested(SqState), None, "submission queues", counted_by="niosq")


class ZoneDescriptor(_Structure):
    """Zone Descriptor. Section ZNS 3.4.2.2.3. 64 bytes.

    zt         0  type
    zs         1  state
    za         2  attributes
    zai        3  attributes information
    zcap    15:8  capacity, LBAs
    zslba  23:16  first LBA
    wp     31:24  write pointer, an LBA
    """

    SIZE = 64
    TEXT = "Zone Descriptor"

    class Zt(_Word):
        """Bits of ZT."""

        zt = Bit(0, 3, "2: sequential write required")

    class Zs(_Word):
        """Bits of ZS."""

        zs = Bit(4, 7, "state", values=ZoneState)

    class Za(_Word):
        """Bits of ZA."""

        zfc = Bit(0, 0, "the controller has finished it")
        fzr = Bit(1, 1, "finish is recommended")
        rzr = Bit(2, 2, "reset is recommended")
        zrwav = Bit(3, 3, "it has a random write area")
        zdev = Bit(7, 7, "it has a descriptor extension")

    class Zai(_Word):
        """Bits of ZAI."""

        rrl = Bit(0, 1, "which reset recommended limit")
        frl = Bit(2, 3, "which finish recommended limit")

    zt = Field(0, WordAt(1, Zt), "type")
    zs = Field(1, WordAt(1, Zs), "state")
    za = Field(2, WordAt(1, Za), "attributes")
    zai = Field(3, WordAt(1, Zai), "attributes information")
    zcap = Field(8, Number(8), "capacity", "LBAs")
    zslba = Field(16, Number(8), "first LBA")
    wp = Field(24, Number(8), "write pointer, an LBA")


class ZoneReport(_Structure):
    """Report Zones, data of Zone Management Receive. Section ZNS 3.4.2.2.1. 64 bytes and what follows.

    nz     7:0  zones
    zones  64…  zones
    """

    SIZE = 64
    VARIES = True
    TEXT = "Report Zones, data of Zone Management Receive"

    nz = Field(0, Number(8), "zones")
    zones = Elements(64, Nested(ZoneDescriptor), None, "zones", counted_by="nz")


class RegisteredController(_Structure):
    """Registered Controller. Section 7.8. 24 bytes.

    cntlid    1:0  controller
    rcsts       2  status
    hostid   15:8  host identifier
    rkey    23:16  reservation key
    """

    SIZE = 24
    TEXT = "Registered Controller"

    class Rcsts(_Word):
        """Bits of RCSTS."""

        hldrsv = Bit(0, 0, "it holds the reservation")

    cntlid = Field(0, Number(2), "controller")
    rcsts = Field(2, WordAt(1, Rcsts), "status")
    hostid = Field(8, Raw(8), "host identifier")
    rkey = Field(16, Number(8), "reservation key")


class ReservationStatus(_Structure):
    """Reservation Status, data of Reservation Report. Section 7.8. 24 bytes and what follows.

    gen          3:0  generation
    rtype          4  reservation, 0: none
    regctl       6:5  registered controllers
    ptpls          9  persist through power loss
    controllers  24…  registered controllers
    """

    SIZE = 24
    VARIES = True
    TEXT = "Reservation Status, data of Reservation Report"

    gen = Field(0, Number(4), "generation")
    rtype = Field(4, Number(1, ReservationType), "reservation, 0: none")
    regctl = Field(5, Number(2), "registered controllers")
    ptpls = Field(9, Number(1), "persist through power loss")
    controllers = Elements(24, Nested(RegisteredController), None, "registered controllers", counted_by="regctl")


class RegisteredControllerExtended(_Structure):
    """Registered Controller, extended. Section 7.8. 64 bytes.

    cntlid    1:0  controller
    rcsts       2  status
    rkey     15:8  reservation key
    hostid  31:16  host identifier
    """

    SIZE = 64
    TEXT = "Registered Controller, extended"

    class Rcsts(_Word):
        """Bits of RCSTS."""

        hldrsv = Bit(0, 0, "it holds the reservation")

    cntlid = Field(0, Number(2), "controller")
    rcsts = Field(2, WordAt(1, Rcsts), "status")
    rkey = Field(8, Number(8), "reservation key")
    hostid = Field(16, Raw(16), "host identifier")


class ReservationStatusExtended(_Structure):
    """Reservation Status, extended: data of Reservation Report with EDS. Section 7.8. 64 bytes and what follows.

    gen          3:0  generation
    rtype          4  reservation, 0: none
    regctl       6:5  registered controllers
    ptpls          9  persist through power loss
    controllers  64…  registered controllers
    """

    SIZE = 64
    VARIES = True
    TEXT = "Reservation Status, extended: data of Reservation Report with EDS"

    gen = Field(0, Number(4), "generation")
    rtype = Field(4, Number(1, ReservationType), "reservation, 0: none")
    regctl = Field(5, Number(2), "registered controllers")
    ptpls = Field(9, Number(1), "persist through power loss")
    controllers = Elements(64, Nested(RegisteredControllerExtended), None, "registered controllers", counted_by="regctl")


class ReservationKeys(_Structure):
    """data of Reservation Acquire, Register and Release. Release has the first 8 bytes only. Section 7.5. 16 bytes.

    crkey   7:0  current key
    key    15:8  preempted key (Acquire) or new key (Register)
    """

    SIZE = 16
    TEXT = "data of Reservation Acquire, Register and Release. Release has the first 8 bytes only"

    crkey = Field(0, Number(8), "current key")
    key = Field(8, Number(8), "preempted key (Acquire) or new key (Register)")


class Directives(_Structure):
    """Identify directive: return parameters. Section 8.1.8.2.1.1. 4096 bytes.

    supported    31:0  supported, one a bit
    enabled     63:32  enabled, one a bit
    persistent  95:64  enabled beyond a reset, one a bit, since 2.0
    """

    SIZE = 4096
    TEXT = "Identify directive: return parameters"

    supported = Elements(0, Number(1), 32, "supported, one a bit")
    enabled = Elements(32, Number(1), 32, "enabled, one a bit")
    persistent = Elements(64, Number(1), 32, "enabled beyond a reset, one a bit")


class StreamsParameters(_Structure):
    """Streams directive: return parameters. Section 8.1.8.3.1.1. 32 bytes.

    msl     1:0  streams at most
    nssa    3:2  streams of the subsystem that are available
    nsso    5:4  streams of the subsystem that are open
    nssc      6  capability
    sws   19:16  stream write size, LBAs
    sgs   21:20  stream granularity, SWS
    nsa   23:22  streams that the namespace has allocated
    nso   25:24  streams of the namespace that are open
    """

    SIZE = 32
    TEXT = "Streams directive: return parameters"

    class Nssc(_Word):
        """Bits of NSSC."""

        ssid = Bit(0, 0, "host identifiers share streams")

    msl = Field(0, Number(2), "streams at most")
    nssa = Field(2, Number(2), "streams of the subsystem that are available")
    nsso = Field(4, Number(2), "streams of the subsystem that are open")
    nssc = Field(6, WordAt(1, Nssc), "capability")
    sws = Field(16, Number(4), "stream write size", "LBAs")
    sgs = Field(20, Number(2), "stream granularity", "SWS")
    nsa = Field(22, Number(2), "streams that the namespace has allocated")
    nso = Field(24, Number(2), "streams of the namespace that are open")


class StreamsStatus(_Structure):
    """Streams directive: get status. Section 8.1.8.3.1.2. 2 bytes and what follows.

    osc  1:0  open streams
    sid   2…  stream identifiers
    """

    SIZE = 2
    VARIES = True
    TEXT = "Streams directive: get status"

    osc = Field(0, Number(2), "open streams")
    sid = Elements(2, Number(2), None, "stream identifiers", counted_by="osc")


class ReclaimUnitHandleStatus(_Structure):
    """Reclaim Unit Handle Status Descriptor. Section 7.3.1.1. 32 bytes.

    pid      1:0  placement identifier
    ruhid    3:2  reclaim unit handle
    earutr   7:4  time until the reclaim unit is replaced, 0: not reported, s
    ruamw   15:8  space left in the reclaim unit, LBAs
    """

    SIZE = 32
    TEXT = "Reclaim Unit Handle Status Descriptor"

    pid = Field(0, Number(2), "placement identifier")
    ruhid = Field(2, Number(2), "reclaim unit handle")
    earutr = Field(4, Number(4), "time until the reclaim unit is replaced, 0: not reported", "s")
    ruamw = Field(8, Number(8), "space left in the reclaim unit", "LBAs")


class ReclaimUnitHandleStatusList(_Structure):
    """Reclaim Unit Handle Status, data of I/O Management Receive. Section 7.3.1.1. 16 bytes and what follows.

    nruhsd  15:14  descriptors
    ruhs      16…  descriptors
    """

    SIZE = 16
    VARIES = True
    TEXT = "Reclaim Unit Handle Status, data of I/O Management Receive"

    nruhsd = Field(14, Number(2), "descriptors")
    ruhs = Elements(16, Nested(ReclaimUnitHandleStatus), None, "descriptors", counted_by="nruhsd")


class NamespaceManagementData(_Structure):
    """data of Namespace Management that creates a namespace. Section 5.1.21.1.1. 4096 bytes.

    nsze          7:0  size, LBAs
    ncap         15:8  capacity, LBAs
    flbas          26  LBA format
    dps            29  protection
    nmic           30  sharing
    anagrpid    95:92  ANA group, since 1.4
    nvmsetid  101:100  NVM set, since 1.4
    endgid    103:102  endurance group, since 1.4
    lbstm     391:384  mask of the storage tag, since 2.0
    nphndls   393:392  placement handles, since 2.1
    znsco         499  options of a zoned namespace, bit 0: allocate random write areas, since 2.0
    rar       503:500  requested active zones, 0: the drive chooses, since 2.0
    ror       507:504  requested open zones, 0: the drive chooses, since 2.0
    rnumzrwa  511:508  requested random write areas of zones, since 2.0
    phndl     767:512  reclaim unit handle of each placement handle, since 2.1
    """

    SIZE = 4096
    TEXT = "data of Namespace Management that creates a namespace"

    nsze = Field(0, Number(8), "size", "LBAs")
    ncap = Field(8, Number(8), "capacity", "LBAs")
    flbas = Field(26, Number(1), "LBA format")
    dps = Field(29, Number(1), "protection")
    nmic = Field(30, Number(1), "sharing")
    anagrpid = Field(92, Number(4), "ANA group")
    nvmsetid = Field(100, Number(2), "NVM set")
    endgid = Field(102, Number(2), "endurance group")
    lbstm = Field(384, Number(8), "mask of the storage tag", hex=True)
    nphndls = Field(392, Number(2), "placement handles")
    znsco = Field(499, Number(1), "options of a zoned namespace, bit 0: allocate random write areas")
    rar = Field(500, Number(4), "requested active zones, 0: the drive chooses")
    ror = Field(504, Number(4), "requested open zones, 0: the drive chooses")
    rnumzrwa = Field(508, Number(4), "requested random write areas of zones")
    phndl = Elements(512, Number(2), 128, "reclaim unit handle of each placement handle")
