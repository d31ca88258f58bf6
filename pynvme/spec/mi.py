# SPDX-License-Identifier: BSD-3-Clause
"""NVMe-MI: commands and data structures.

Generated from spec/mi.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word


class MiOpcode(IntEnum):
    """opcodes of the Management Interface Command Set. Section 5."""

    READ_DATA_STRUCTURE = 0x00
    SUBSYSTEM_HEALTH_STATUS_POLL = 0x01
    CONTROLLER_HEALTH_STATUS_POLL = 0x02
    CONFIGURATION_SET = 0x03
    CONFIGURATION_GET = 0x04
    VPD_READ = 0x05
    VPD_WRITE = 0x06
    RESET = 0x07
    SES_RECEIVE = 0x08
    SES_SEND = 0x09
    ENDPOINT_BUFFER_READ = 0x0A
    ENDPOINT_BUFFER_WRITE = 0x0B
    SHUTDOWN = 0x0C


class MiMessageType(IntEnum):
    """NMIMT of a message. Section 3.1."""

    PRIMITIVE = 0x00  # control primitive
    COMMAND = 0x01  # command of the interface
    ADMIN = 0x02  # admin command
    PCIE = 0x04  # PCIe command


class MiPrimitive(IntEnum):
    """control primitives. Section 4.2.1."""

    PAUSE = 0x00
    RESUME = 0x01
    ABORT = 0x02
    GET_STATE = 0x03
    REPLAY = 0x04


class MiPcieOpcode(IntEnum):
    """opcodes of the PCIe Command Set. Section 7."""

    CONFIG_READ = 0x00
    CONFIG_WRITE = 0x01
    MEMORY_READ = 0x02
    MEMORY_WRITE = 0x03
    IO_READ = 0x04
    IO_WRITE = 0x05


class MiConfiguration(IntEnum):
    """identifiers of Configuration Get and Set. Section 5.1."""

    SMBUS_FREQUENCY = 0x01
    HEALTH_STATUS_CHANGE = 0x02
    TRANSMISSION_UNIT = 0x03


class MiDataType(IntEnum):
    """DTYP of Read NVMe-MI Data Structure. Section 5.7."""

    SUBSYSTEM = 0x00
    PORT = 0x01
    CONTROLLER_LIST = 0x02
    CONTROLLER = 0x03
    OPTIONAL_COMMANDS = 0x04
    ENDPOINT_COMMANDS = 0x05


class MiStatus(IntEnum):
    """status of a response. Section 4.1.2."""

    SUCCESS = 0x00
    MORE_PROCESSING_REQUIRED = 0x01
    INTERNAL_ERROR = 0x02
    INVALID_OPCODE = 0x03
    INVALID_PARAMETER = 0x04
    INVALID_COMMAND_SIZE = 0x05
    INVALID_INPUT_SIZE = 0x06
    ACCESS_DENIED = 0x07
    VPD_UPDATES_EXCEEDED = 0x20
    PCIE_INACCESSIBLE = 0x21
    SANITIZED_DATA = 0x22
    ENCLOSURE_SERVICES_FAILURE = 0x23
    ENCLOSURE_TRANSFER_FAILURE = 0x24
    ENCLOSURE_FAILURE = 0x25
    ENCLOSURE_REFUSED = 0x26
    ENCLOSURE_UNSUPPORTED = 0x27
    ENCLOSURE_UNAVAILABLE = 0x28
    ENCLOSURE_DEGRADED = 0x29
    SANITIZE_IN_PROGRESS = 0x2A


class MiDataStructureRequest(_Word):
    """dword 0 of Read NVMe-MI Data Structure. Section 5.7."""

    ctrlid = Bit(0, 15, "controller")
    portid = Bit(16, 23, "port")
    dtyp = Bit(24, 31, "which structure", values=MiDataType)


class MiEndpointState(_Word):
    """Management Endpoint State, result of the control primitive Get State. Section MI 4.2.1.4."""

    ssta = Bit(0, 1, "state of the command slot: 0 idle, 1 receive, 2 process, 3 transmit")
    cmnics = Bit(3, 3, "a command came for a slot that was not idle")
    bmice = Bit(4, 4, "a message had a wrong integrity check")
    twpt = Bit(5, 5, "a packet came too late")
    utunt = Bit(6, 6, "a transmission unit that is not supported")
    bhvs = Bit(7, 7, "a wrong header version")
    udstid = Bit(8, 8, "an unknown destination")
    itu = Bit(9, 9, "a wrong transmission unit")
    umep = Bit(10, 10, "an unexpected middle or end of a message")
    oosps = Bit(11, 11, "a packet out of sequence")
    bumt = Bit(12, 12, "a message tag that is wrong or has expired")
    bpopl = Bit(13, 13, "a bad packet, or another error of the physical layer")
    nssro = Bit(14, 14, "an NVM subsystem reset occurred")
    pflg = Bit(15, 15, "the endpoint is paused")


class MiSubsystem(_Structure):
    """NVM Subsystem Information, DTYP 00h. Section 5.7.1. 32 bytes.

    nump  0  ports, 0's based
    mjr   1  major version of the Management Interface
    mnr   2  minor version of the Management Interface
    """

    SIZE = 32
    TEXT = "NVM Subsystem Information, DTYP 00h"

    nump = Field(0, Number(1), "ports", zeroes_based=True)
    mjr = Field(1, Number(1), "major version of the Management Interface")
    mnr = Field(2, Number(1), "minor version of the Management Interface")


class MiPort(_Structure):
    """Port Information of a PCIe port, DTYP 01h. Section 5.7.2. 32 bytes.

    prttyp      0  port type: 0 inactive, 1 PCIe, 2 SMBus
    mmctptus  3:2  MCTP transmission unit at most, bytes
    meb       7:4  management endpoint buffer, bytes
    mps         8  PCIe: maximum payload, 128 << n bytes
    slsv        9  PCIe: supported link speeds, one a bit
    cls        10  PCIe: current link speed
    mlw        11  PCIe: maximum link width
    nlw        12  PCIe: negotiated link width
    pn         13  PCIe: port number
    """

    SIZE = 32
    TEXT = "Port Information of a PCIe port, DTYP 01h"

    prttyp = Field(0, Number(1), "port type: 0 inactive, 1 PCIe, 2 SMBus")
    mmctptus = Field(2, Number(2), "MCTP transmission unit at most", "bytes")
    meb = Field(4, Number(4), "management endpoint buffer", "bytes")
    mps = Field(8, Number(1), "PCIe: maximum payload, 128 << n bytes")
    slsv = Field(9, Number(1), "PCIe: supported link speeds, one a bit")
    cls = Field(10, Number(1), "PCIe: current link speed")
    mlw = Field(11, Number(1), "PCIe: maximum link width")
    nlw = Field(12, Number(1), "PCIe: negotiated link width")
    pn = Field(13, Number(1), "PCIe: port number")


class MiController(_Structure):
    """Controller Information, DTYP 03h. Section 5.7.4. 32 bytes.

    portid      0  port
    prii        5  PCIe routing ID
    pri       7:6  PCIe routing ID
    vid       9:8  PCI Vendor ID
    did     11:10  PCI Device ID
    ssvid   13:12  PCI Subsystem Vendor ID
    ssid    15:14  PCI Subsystem Device ID
    """

    SIZE = 32
    TEXT = "Controller Information, DTYP 03h"

    class Prii(_Word):
        """Bits of PRII."""

        pcieriv = Bit(0, 0, "PRI is valid")

    class Pri(_Word):
        """Bits of PRI."""

        pcifn = Bit(0, 2, "function")
        pcidn = Bit(3, 7, "device")
        pcibn = Bit(8, 15, "bus")

    portid = Field(0, Number(1), "port")
    prii = Field(5, WordAt(1, Prii), "PCIe routing ID")
    pri = Field(6, WordAt(2, Pri), "PCIe routing ID")
    vid = Field(8, Number(2), "PCI Vendor ID", hex=True)
    did = Field(10, Number(2), "PCI Device ID")
    ssvid = Field(12, Number(2), "PCI Subsystem Vendor ID", hex=True)
    ssid = Field(14, Number(2), "PCI Subsystem Device ID")


class MiCommand(_Structure):
    """an entry of the Optionally Supported Command List. Section 5.7.5. 2 bytes.

    cmdt  0  command type
    opc   1  opcode
    """

    SIZE = 2
    TEXT = "an entry of the Optionally Supported Command List"

    class Cmdt(_Word):
        """Bits of CMDT."""

        nmimt = Bit(3, 6, "NVMe-MI message type")

    cmdt = Field(0, WordAt(1, Cmdt), "command type")
    opc = Field(1, Number(1), "opcode")


class MiCommandList(_Structure):
    """Optionally Supported Command List, DTYP 04h. Section 5.7.5. 2 bytes and what follows.

    numcmd    1:0  commands
    commands   2…  commands
    """

    SIZE = 2
    VARIES = True
    TEXT = "Optionally Supported Command List, DTYP 04h"

    numcmd = Field(0, Number(2), "commands")
    commands = Elements(2, Nested(MiCommand), None, "commands", counted_by="numcmd")


class MiSubsystemHealth(_Structure):
    """NVM Subsystem Health, response of NVM Subsystem Health Status Poll. Section 5.6. 8 bytes.

    nss      0  status
    sw       1  SMART warnings, inverted: 0 is a warning
    ctemp    2  composite temperature, signed; 80h: not reported, degrees Celsius
    pdlu     3  life that is used, percent
    ccs    5:4  composite controller status: events in any controller
    """

    SIZE = 8
    TEXT = "NVM Subsystem Health, response of NVM Subsystem Health Status Poll"

    class Nss(_Word):
        """Bits of NSS."""

        p1la = Bit(2, 2, "the link of port 1 is up")
        p0la = Bit(3, 3, "the link of port 0 is up")
        rnr = Bit(4, 4, "no reset is required")
        df = Bit(5, 5, "the drive works")
        sfm = Bit(6, 6, "sanitize failure mode")

    class Ccs(_Word):
        """Bits of CCS."""

        rdy = Bit(0, 0, "ready")
        cfs = Bit(1, 1, "controller fatal status")
        shst = Bit(2, 3, "shutdown status")
        nssro = Bit(4, 4, "subsystem reset occurred")
        ceco = Bit(5, 5, "CC.EN has changed")
        nac = Bit(6, 6, "namespace attributes have changed")
        fa = Bit(7, 7, "firmware was activated")
        csts = Bit(8, 8, "the status has changed")
        ctemp = Bit(9, 9, "the temperature has changed")
        pdlu = Bit(10, 10, "the life that is used has changed")
        spare = Bit(11, 11, "available spare has changed")
        ccwarn = Bit(12, 12, "critical warnings have changed")

    nss = Field(0, WordAt(1, Nss), "status")
    sw = Field(1, Number(1), "SMART warnings, inverted: 0 is a warning")
    ctemp = Field(2, Number(1), "composite temperature, signed; 80h: not reported", "degrees Celsius")
    pdlu = Field(3, Number(1), "life that is used", "percent")
    ccs = Field(4, WordAt(2, Ccs), "composite controller status: events in any controller")


class MiControllerHealth(_Structure):
    """Controller Health, an entry of the response of Controller Health Status Poll. Section 5.3. 16 bytes.

    ctlid  1:0  controller
    csts   3:2  status
    ctemp  5:4  composite temperature, Kelvin
    pdlu     6  life that is used, percent
    spare    7  available spare, percent
    cwarn    8  critical warnings
    """

    SIZE = 16
    TEXT = "Controller Health, an entry of the response of Controller Health Status Poll"

    class Csts(_Word):
        """Bits of CSTS."""

        rdy = Bit(0, 0, "ready")
        cfs = Bit(1, 1, "controller fatal status")
        shst = Bit(2, 3, "shutdown status")
        nssro = Bit(4, 4, "subsystem reset occurred")
        ceco = Bit(5, 5, "CC.EN has changed")
        nac = Bit(6, 6, "namespace attributes have changed")
        fa = Bit(7, 7, "firmware was activated")

    class Cwarn(_Word):
        """Bits of CWARN."""

        st = Bit(0, 0, "spare")
        taut = Bit(1, 1, "temperature")
        rd = Bit(2, 2, "reliability")
        ro = Bit(3, 3, "read-only")
        vmbf = Bit(4, 4, "backup of volatile memory")
        pmre = Bit(5, 5, "persistent memory region")

    ctlid = Field(0, Number(2), "controller")
    csts = Field(2, WordAt(2, Csts), "status")
    ctemp = Field(4, Number(2, Kelvin), "composite temperature", "Kelvin")
    pdlu = Field(6, Number(1), "life that is used", "percent")
    spare = Field(7, Number(1), "available spare", "percent")
    cwarn = Field(8, WordAt(1, Cwarn), "critical warnings")
