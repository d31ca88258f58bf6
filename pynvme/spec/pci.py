# SPDX-License-Identifier: BSD-3-Clause
"""Configuration space of a PCI Express function and the capabilities that an NVMe controller has.

Generated from spec/pci.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word


class PciRegister(IntEnum):
    """Offsets in the type 0 header. Section 7.5.1."""

    VENDOR = 0x00
    DEVICE = 0x02
    COMMAND = 0x04
    STATUS = 0x06
    REVISION = 0x08
    CLASS_CODE = 0x09  # 3 bytes: interface, subclass, base class
    CACHE_LINE = 0x0C
    LATENCY = 0x0D
    HEADER_TYPE = 0x0E
    BIST = 0x0F
    BAR0 = 0x10  # six of 32 bits
    SUBSYSTEM_VENDOR = 0x2C
    SUBSYSTEM = 0x2E
    ROM = 0x30
    CAPABILITIES = 0x34  # 8 bits: offset of the first
    INTERRUPT_LINE = 0x3C
    INTERRUPT_PIN = 0x3D


class PciCapability(IntEnum):
    """Capabilities: ID, offset of the next (0: the last), then the body. Offsets count from the ID."""

    PM = 0x01
    VPD = 0x03
    MSI = 0x05
    VENDOR = 0x09
    EXP = 0x10
    MSIX = 0x11


class PciExtendedCapability(IntEnum):
    """Extended capabilities: bits 15:0 ID, 19:16 version, 31:20 offset of the next (0: the last)."""

    AER = 0x0001
    VC = 0x0002
    DSN = 0x0003
    POWER_BUDGETING = 0x0004
    VENDOR = 0x000B
    ACS = 0x000D
    ARI = 0x000E
    ATS = 0x000F
    SRIOV = 0x0010
    REBAR = 0x0015
    TPH = 0x0017
    LTR = 0x0018
    SECONDARY = 0x0019  # Secondary PCI Express
    PASID = 0x001B
    DPC = 0x001D
    L1PM = 0x001E
    PTM = 0x001F
    DVSEC = 0x0023  # designated vendor specific
    LINK_FEATURE = 0x0025  # Data Link Feature
    PHY_16GT = 0x0026  # Physical Layer 16.0 GT/s
    MARGINING = 0x0027  # Lane Margining at the Receiver
    PHY_32GT = 0x002A  # Physical Layer 32.0 GT/s
    DOE = 0x002E  # Data Object Exchange


class PciPowerManagement(IntEnum):
    """Power management, 8 bytes. Section 7.5.2."""

    CAPABILITIES = 2
    CONTROL = 4
    SIZE = 8


class PciMsi(IntEnum):
    """MSI with addresses of 64 bits and a mask for each message, 24 bytes. Section 7.7.1."""

    CONTROL = 2
    ADDRESS = 4
    ADDRESS_HIGH = 8
    DATA = 12
    MASK = 16
    PENDING = 20
    SIZE = 24


class PciMsix(IntEnum):
    """MSI-X, 12 bytes. Section 7.7.2."""

    CONTROL = 2
    TABLE = 4
    PBA = 8
    SIZE = 12


class PciExpress(IntEnum):
    """PCI Express, 60 bytes. Section 7.5.3."""

    CAPABILITIES = 0x02
    DEVICE_CAP = 0x04
    DEVICE_CONTROL = 0x08
    DEVICE_STATUS = 0x0A
    LINK_CAP = 0x0C
    LINK_CONTROL = 0x10
    LINK_STATUS = 0x12
    DEVICE_CAP2 = 0x24
    DEVICE_CONTROL2 = 0x28
    LINK_CAP2 = 0x2C
    LINK_CONTROL2 = 0x30
    LINK_STATUS2 = 0x32
    SIZE = 0x3C


class PciAer(IntEnum):
    """Advanced error reporting, 44 bytes. Section 7.8.4."""

    UNCORRECTABLE_STATUS = 0x04
    UNCORRECTABLE_MASK = 0x08
    UNCORRECTABLE_SEVERITY = 0x0C
    CORRECTABLE_STATUS = 0x10
    CORRECTABLE_MASK = 0x14
    CONTROL = 0x18
    HEADER_LOG = 0x1C
    SIZE = 0x2C


class PciSerialNumber(IntEnum):
    """Device serial number, 12 bytes. Section 7.9.3."""

    SERIAL = 4
    SIZE = 12


class MsixEntry(_Structure):
    """MSI-X table entry. Section 7.7.2.5. 16 bytes.

    address    7:0  address of the message
    data      11:8  data of the message
    control  15:12  vector control
    """

    SIZE = 16
    TEXT = "MSI-X table entry"

    class Control(_Word):
        """Bits of CONTROL."""

        mask = Bit(0, 0, "the vector is masked")

    address = Field(0, Number(8), "address of the message", hex=True)
    data = Field(8, Number(4), "data of the message")
    control = Field(12, WordAt(4, Control), "vector control")


class PciHeader(_Structure):
    """PCI header, type 0. Section 7.5.1. 64 bytes.

    vid      1:0  vendor ID
    did      3:2  device ID
    cmd      5:4  command
    sts      7:6  status
    rid        8  revision ID
    pi         9  programming interface, 02h for NVMe
    scc       10  sub class, 08h for non-volatile memory
    bcc       11  base class, 01h for mass storage
    cls       12  cache line size, dwords
    mlt       13  master latency timer
    htype     14  header type
    bist      15  built-in self test
    bar    39:16  base address registers
    ssvid  45:44  subsystem vendor ID
    ssid   47:46  subsystem ID
    erom   51:48  expansion ROM base address
    cap       52  offset of the first capability
    iline     60  interrupt line
    ipin      61  interrupt pin, 1 for INTA#
    """

    SIZE = 64
    TEXT = "PCI header, type 0"

    class Cmd(_Word):
        """Bits of CMD."""

        iose = Bit(0, 0, "I/O space enable")
        mse = Bit(1, 1, "memory space enable")
        bme = Bit(2, 2, "bus master enable")
        pee = Bit(6, 6, "parity error response enable")
        see = Bit(8, 8, "SERR# enable")
        intd = Bit(10, 10, "interrupt (INTx) disable")

    class Sts(_Word):
        """Bits of STS."""

        ints = Bit(3, 3, "INTx is asserted, or would be if CMD.INTD were clear")
        cl = Bit(4, 4, "there is a capability list")
        dpd = Bit(8, 8, "master data parity error")
        sta = Bit(11, 11, "signaled target abort")
        rta = Bit(12, 12, "received target abort")
        rma = Bit(13, 13, "received master abort")
        sse = Bit(14, 14, "signaled system error")
        dpe = Bit(15, 15, "detected parity error")

    class Htype(_Word):
        """Bits of HTYPE."""

        hl = Bit(0, 6, "header layout")
        mfd = Bit(7, 7, "multi-function device")

    vid = Field(0, Number(2), "vendor ID", hex=True)
    did = Field(2, Number(2), "device ID", hex=True)
    cmd = Field(4, WordAt(2, Cmd), "command")
    sts = Field(6, WordAt(2, Sts), "status")
    rid = Field(8, Number(1), "revision ID", hex=True)
    pi = Field(9, Number(1), "programming interface, 02h for NVMe", hex=True)
    scc = Field(10, Number(1), "sub class, 08h for non-volatile memory", hex=True)
    bcc = Field(11, Number(1), "base class, 01h for mass storage", hex=True)
    cls = Field(12, Number(1), "cache line size", "dwords")
    mlt = Field(13, Number(1), "master latency timer")
    htype = Field(14, WordAt(1, Htype), "header type")
    bist = Field(15, Number(1), "built-in self test")
    bar = Elements(16, Number(4), 6, "base address registers", hex=True)
    ssvid = Field(44, Number(2), "subsystem vendor ID", hex=True)
    ssid = Field(46, Number(2), "subsystem ID", hex=True)
    erom = Field(48, Number(4), "expansion ROM base address", hex=True)
    cap = Field(52, Number(1), "offset of the first capability", hex=True)
    iline = Field(60, Number(1), "interrupt line")
    ipin = Field(61, Number(1), "interrupt pin, 1 for INTA#")


class PmCapability(_Structure):
    """PCI power management. Section 7.5.2. 8 bytes.

    cid     0  capability ID
    next    1  offset of the next capability
    pc    3:2  power management capabilities
    pmcs  5:4  power management control and status
    """

    SIZE = 8
    TEXT = "PCI power management"

    class Pc(_Word):
        """Bits of PC."""

        vs = Bit(0, 2, "version, 3 for PCI Express")
        pmec = Bit(3, 3, "PME clock")
        iror = Bit(4, 4, "immediate readiness on return to D0")
        dsi = Bit(5, 5, "device specific initialization")
        auxc = Bit(6, 8, "current that it needs in D3cold from auxiliary power")
        d1s = Bit(9, 9, "D1 supported")
        d2s = Bit(10, 10, "D2 supported")
        psup = Bit(11, 15, "states in which it may assert PME: bit 11 D0 … bit 15 D3cold")

    class Pmcs(_Word):
        """Bits of PMCS."""

        ps = Bit(0, 1, "power state, 0 for D0, 3 for D3hot")
        nsfrst = Bit(3, 3, "no soft reset: D3hot to D0 keeps the state")
        pmee = Bit(8, 8, "PME enable")
        dse = Bit(9, 12, "data select")
        dsc = Bit(13, 14, "data scale")
        pmes = Bit(15, 15, "PME status")

    cid = Field(0, Number(1, PciCapability), "capability ID")
    next = Field(1, Number(1), "offset of the next capability", hex=True)
    pc = Field(2, WordAt(2, Pc), "power management capabilities")
    pmcs = Field(4, WordAt(2, Pmcs), "power management control and status")


class MsiCapability(_Structure):
    """Message signaled interrupts. Section 7.7.1. 16 bytes.

    cid       0  capability ID
    next      1  offset of the next capability
    mc      3:2  message control
    ma      7:4  message address
    mua    11:8  message upper address
    md    13:12  message data
    """

    SIZE = 16
    TEXT = "Message signaled interrupts"

    class Mc(_Word):
        """Bits of MC."""

        msie = Bit(0, 0, "MSI enable")
        mmc = Bit(1, 3, "messages that it can send, as log2")
        mme = Bit(4, 6, "messages that the host has allocated, as log2")
        c64 = Bit(7, 7, "addresses of 64 bits")
        pvm = Bit(8, 8, "a mask for each message")

    cid = Field(0, Number(1, PciCapability), "capability ID")
    next = Field(1, Number(1), "offset of the next capability", hex=True)
    mc = Field(2, WordAt(2, Mc), "message control")
    ma = Field(4, Number(4), "message address", hex=True)
    mua = Field(8, Number(4), "message upper address", hex=True)
    md = Field(12, Number(2), "message data", hex=True)


class MsiMaskCapability(_Structure):
    """Message signaled interrupts, with a mask for each message. Section 7.7.1. 24 bytes.

    cid        0  capability ID
    next       1  offset of the next capability
    mc       3:2  message control
    ma       7:4  message address
    mua     11:8  message upper address
    md     13:12  message data
    mmask  19:16  mask bits
    mpend  23:20  pending bits
    """

    SIZE = 24
    TEXT = "Message signaled interrupts, with a mask for each message"

    class Mc(_Word):
        """Bits of MC."""

        msie = Bit(0, 0, "MSI enable")
        mmc = Bit(1, 3, "messages that it can send, as log2")
        mme = Bit(4, 6, "messages that the host has allocated, as log2")
        c64 = Bit(7, 7, "addresses of 64 bits")
        pvm = Bit(8, 8, "a mask for each message")

    cid = Field(0, Number(1, PciCapability), "capability ID")
    next = Field(1, Number(1), "offset of the next capability", hex=True)
    mc = Field(2, WordAt(2, Mc), "message control")
    ma = Field(4, Number(4), "message address", hex=True)
    mua = Field(8, Number(4), "message upper address", hex=True)
    md = Field(12, Number(2), "message data", hex=True)
    mmask = Field(16, Number(4), "mask bits", hex=True)
    mpend = Field(20, Number(4), "pending bits", hex=True)


class Msi32Capability(_Structure):
    """Message signaled interrupts, with addresses of 32 bits. Section 7.7.1. 12 bytes.

    cid     0  capability ID
    next    1  offset of the next capability
    mc    3:2  message control
    ma    7:4  message address
    md    9:8  message data
    """

    SIZE = 12
    TEXT = "Message signaled interrupts, with addresses of 32 bits"

    class Mc(_Word):
        """Bits of MC."""

        msie = Bit(0, 0, "MSI enable")
        mmc = Bit(1, 3, "messages that it can send, as log2")
        mme = Bit(4, 6, "messages that the host has allocated, as log2")
        c64 = Bit(7, 7, "addresses of 64 bits")
        pvm = Bit(8, 8, "a mask for each message")

    cid = Field(0, Number(1, PciCapability), "capability ID")
    next = Field(1, Number(1), "offset of the next capability", hex=True)
    mc = Field(2, WordAt(2, Mc), "message control")
    ma = Field(4, Number(4), "message address", hex=True)
    md = Field(8, Number(2), "message data", hex=True)


class MsixCapability(_Structure):
    """MSI-X. Section 7.7.2. 12 bytes.

    cid      0  capability ID
    next     1  offset of the next capability
    mxc    3:2  message control
    mtab   7:4  where the table is
    mpba  11:8  where the pending bits are
    """

    SIZE = 12
    TEXT = "MSI-X"

    class Mxc(_Word):
        """Bits of MXC."""

        ts = Bit(0, 10, "table size", "vectors", zeroes_based=True)
        fm = Bit(14, 14, "function mask: all vectors are masked")
        mxe = Bit(15, 15, "MSI-X enable")

    class Mtab(_Word):
        """Bits of MTAB."""

        tbir = Bit(0, 2, "BAR")
        to = Bit(3, 31, "offset in the BAR", "8 bytes")

    class Mpba(_Word):
        """Bits of MPBA."""

        pbir = Bit(0, 2, "BAR")
        pbao = Bit(3, 31, "offset in the BAR", "8 bytes")

    cid = Field(0, Number(1, PciCapability), "capability ID")
    next = Field(1, Number(1), "offset of the next capability", hex=True)
    mxc = Field(2, WordAt(2, Mxc), "message control")
    mtab = Field(4, WordAt(4, Mtab), "where the table is")
    mpba = Field(8, WordAt(4, Mpba), "where the pending bits are")


class PcieCapability(_Structure):
    """PCI Express. Section 7.5.3. 60 bytes.

    cid          0  capability ID
    next         1  offset of the next capability
    pxcap      3:2  PCI Express capabilities
    pxdcap     7:4  device capabilities
    pxdc       9:8  device control
    pxds     11:10  device status
    pxlcap   15:12  link capabilities
    pxlc     17:16  link control
    pxls     19:18  link status
    pxdcap2  39:36  device capabilities 2
    pxdc2    41:40  device control 2
    pxds2    43:42  device status 2
    pxlcap2  47:44  link capabilities 2
    pxlc2    49:48  link control 2
    pxls2    51:50  link status 2
    """

    SIZE = 60
    TEXT = "PCI Express"

    class Pxcap(_Word):
        """Bits of PXCAP."""

        ver = Bit(0, 3, "version, 2")
        dpt = Bit(4, 7, "device or port type, 0 for an endpoint")
        si = Bit(8, 8, "slot implemented")
        imn = Bit(9, 13, "interrupt message number")

    class Pxdcap(_Word):
        """Bits of PXDCAP."""

        mps = Bit(0, 2, "Max_Payload_Size supported, 128 << n bytes")
        pfs = Bit(3, 4, "phantom functions")
        etfs = Bit(5, 5, "extended tags of 8 bits")
        l0sl = Bit(6, 8, "acceptable L0s latency")
        l1l = Bit(9, 11, "acceptable L1 latency")
        rer = Bit(15, 15, "role-based error reporting")
        csplv = Bit(18, 25, "slot power limit, value")
        cspls = Bit(26, 27, "slot power limit, scale: 1 W divided by 10^n")
        flrc = Bit(28, 28, "function level reset")

    class Pxdc(_Word):
        """Bits of PXDC."""

        cere = Bit(0, 0, "correctable error reporting")
        nfere = Bit(1, 1, "non-fatal error reporting")
        fere = Bit(2, 2, "fatal error reporting")
        urre = Bit(3, 3, "unsupported request reporting")
        ero = Bit(4, 4, "relaxed ordering")
        mps = Bit(5, 7, "Max_Payload_Size, 128 << n bytes")
        ete = Bit(8, 8, "extended tags")
        pfe = Bit(9, 9, "phantom functions")
        appme = Bit(10, 10, "auxiliary power")
        ens = Bit(11, 11, "no snoop")
        mrrs = Bit(12, 14, "Max_Read_Request_Size, 128 << n bytes")
        iflr = Bit(15, 15, "writing 1 resets the function; reads 0")

    class Pxds(_Word):
        """Bits of PXDS."""

        ced = Bit(0, 0, "correctable error detected")
        nfed = Bit(1, 1, "non-fatal error detected")
        fed = Bit(2, 2, "fatal error detected")
        urd = Bit(3, 3, "unsupported request detected")
        apd = Bit(4, 4, "auxiliary power detected")
        tp = Bit(5, 5, "transactions are pending")

    class Pxlcap(_Word):
        """Bits of PXLCAP."""

        sls = Bit(0, 3, "greatest link speed: 1 2.5, 2 5, 3 8, 4 16, 5 32 GT/s")
        mlw = Bit(4, 9, "greatest link width", "lanes")
        aspms = Bit(10, 11, "ASPM: bit 10 L0s, bit 11 L1")
        l0sel = Bit(12, 14, "L0s exit latency")
        l1el = Bit(15, 17, "L1 exit latency")
        cpm = Bit(18, 18, "clock power management")
        sderc = Bit(19, 19, "surprise down error reporting")
        dllla = Bit(20, 20, "data link layer link active reporting")
        lbnc = Bit(21, 21, "link bandwidth notification")
        aoc = Bit(22, 22, "ASPM optionality compliance")
        pn = Bit(24, 31, "port number")

    class Pxlc(_Word):
        """Bits of PXLC."""

        aspmc = Bit(0, 1, "ASPM: bit 0 L0s, bit 1 L1")
        rcb = Bit(3, 3, "read completion boundary of 128 bytes")
        ccc = Bit(6, 6, "common clock")
        es = Bit(7, 7, "extended synch")
        ecpm = Bit(8, 8, "clock power management")
        hawd = Bit(9, 9, "hardware autonomous width disable")

    class Pxls(_Word):
        """Bits of PXLS."""

        cls = Bit(0, 3, "link speed: 1 2.5, 2 5, 3 8, 4 16, 5 32 GT/s")
        nlw = Bit(4, 9, "link width", "lanes")
        scc = Bit(12, 12, "slot clock")

    class Pxdcap2(_Word):
        """Bits of PXDCAP2."""

        ctrs = Bit(0, 3, "completion time-out ranges")
        ctds = Bit(4, 4, "the completion time-out can be disabled")
        afs = Bit(5, 5, "ARI forwarding")
        aors = Bit(6, 6, "AtomicOp routing")
        aocs32 = Bit(7, 7, "AtomicOps of 32 bits")
        aocs64 = Bit(8, 8, "AtomicOps of 64 bits")
        ccs128 = Bit(9, 9, "compare and swap of 128 bits")
        nprpr = Bit(10, 10, "no relaxed-ordering passing")
        ltrs = Bit(11, 11, "latency tolerance reporting")
        tphcs = Bit(12, 13, "TPH completer")
        tag10c = Bit(16, 16, "tags of 10 bits as completer")
        tag10r = Bit(17, 17, "tags of 10 bits as requester")
        obffs = Bit(18, 19, "optimized buffer flush/fill")
        effs = Bit(20, 20, "extended format field")
        eetps = Bit(21, 21, "end-end TLP prefixes")
        meetp = Bit(22, 23, "greatest number of end-end TLP prefixes, 0 for 4")

    class Pxdc2(_Word):
        """Bits of PXDC2."""

        ctv = Bit(0, 3, "completion time-out, 0 for 50 µs to 50 ms")
        ctd = Bit(4, 4, "completion time-out disabled")
        ltrme = Bit(10, 10, "latency tolerance reporting")
        obffe = Bit(13, 14, "optimized buffer flush/fill")

    class Pxlcap2(_Word):
        """Bits of PXLCAP2."""

        slsv = Bit(1, 7, "link speeds: bit 1 2.5, bit 2 5, bit 3 8, bit 4 16, bit 5 32 GT/s")
        cls = Bit(8, 8, "crosslink")

    class Pxlc2(_Word):
        """Bits of PXLC2."""

        tls = Bit(0, 3, "target link speed, as in PXLS")
        ec = Bit(4, 4, "enter compliance")
        hasd = Bit(5, 5, "hardware autonomous speed disable")
        sde = Bit(6, 6, "selectable de-emphasis")
        tm = Bit(7, 9, "transmit margin")
        emc = Bit(10, 10, "enter modified compliance")
        cs = Bit(11, 11, "compliance SOS")
        cpde = Bit(12, 15, "compliance preset or de-emphasis")

    class Pxls2(_Word):
        """Bits of PXLS2."""

        cdl = Bit(0, 0, "de-emphasis of -3.5 dB")
        eqc = Bit(1, 1, "equalization of 8 GT/s complete")
        eqp1 = Bit(2, 2, "its phase 1 successful")
        eqp2 = Bit(3, 3, "its phase 2 successful")
        eqp3 = Bit(4, 4, "its phase 3 successful")
        ler = Bit(5, 5, "link equalization request")
        rpd = Bit(6, 6, "a retimer is present")

    cid = Field(0, Number(1, PciCapability), "capability ID")
    next = Field(1, Number(1), "offset of the next capability", hex=True)
    pxcap = Field(2, WordAt(2, Pxcap), "PCI Express capabilities")
    pxdcap = Field(4, WordAt(4, Pxdcap), "device capabilities")
    pxdc = Field(8, WordAt(2, Pxdc), "device control")
    pxds = Field(10, WordAt(2, Pxds), "device status")
    pxlcap = Field(12, WordAt(4, Pxlcap), "link capabilities")
    pxlc = Field(16, WordAt(2, Pxlc), "link control")
    pxls = Field(18, WordAt(2, Pxls), "link status")
    pxdcap2 = Field(36, WordAt(4, Pxdcap2), "device capabilities 2")
    pxdc2 = Field(40, WordAt(2, Pxdc2), "device control 2")
    pxds2 = Field(42, Number(2), "device status 2")
    pxlcap2 = Field(44, WordAt(4, Pxlcap2), "link capabilities 2")
    pxlc2 = Field(48, WordAt(2, Pxlc2), "link control 2")
    pxls2 = Field(50, WordAt(2, Pxls2), "link status 2")


class AerCapability(_Structure):
    """Advanced error reporting. Section 7.8.4. 44 bytes.

    header       3:0  ID, version, and offset of the next extended capability
    aeruces      7:4  uncorrectable errors
    aerucem     11:8  uncorrectable errors that are masked
    aerucesev  15:12  uncorrectable errors that are fatal
    aerces     19:16  correctable errors
    aercem     23:20  correctable errors that are masked
    aercc      27:24  capabilities and control
    aerhl      43:28  header of the TLP with the first error
    """

    SIZE = 44
    TEXT = "Advanced error reporting"

    class Header(_Word):
        """Bits of HEADER."""

        cid = Bit(0, 15, "extended capability ID", values=PciExtendedCapability)
        cver = Bit(16, 19, "version")
        next = Bit(20, 31, "offset of the next extended capability")

    class Aeruces(_Word):
        """Bits of AERUCES."""

        dlpe = Bit(4, 4, "data link protocol error")
        sde = Bit(5, 5, "surprise down")
        pt = Bit(12, 12, "poisoned TLP")
        fcpe = Bit(13, 13, "flow control protocol error")
        ct = Bit(14, 14, "completion time-out")
        ca = Bit(15, 15, "completer abort")
        uc = Bit(16, 16, "unexpected completion")
        ro = Bit(17, 17, "receiver overflow")
        mt = Bit(18, 18, "malformed TLP")
        ecrce = Bit(19, 19, "ECRC error")
        ure = Bit(20, 20, "unsupported request")
        acsv = Bit(21, 21, "ACS violation")
        uie = Bit(22, 22, "uncorrectable internal error")
        mcbt = Bit(23, 23, "MC blocked TLP")
        aebt = Bit(24, 24, "AtomicOp egress blocked")
        tpbe = Bit(25, 25, "TLP prefix blocked")
        ptebe = Bit(26, 26, "poisoned TLP egress blocked")

    class Aerucem(_Word):
        """Bits of AERUCEM."""

        dlpe = Bit(4, 4, "data link protocol error")
        sde = Bit(5, 5, "surprise down")
        pt = Bit(12, 12, "poisoned TLP")
        fcpe = Bit(13, 13, "flow control protocol error")
        ct = Bit(14, 14, "completion time-out")
        ca = Bit(15, 15, "completer abort")
        uc = Bit(16, 16, "unexpected completion")
        ro = Bit(17, 17, "receiver overflow")
        mt = Bit(18, 18, "malformed TLP")
        ecrce = Bit(19, 19, "ECRC error")
        ure = Bit(20, 20, "unsupported request")
        acsv = Bit(21, 21, "ACS violation")
        uie = Bit(22, 22, "uncorrectable internal error")
        mcbt = Bit(23, 23, "MC blocked TLP")
        aebt = Bit(24, 24, "AtomicOp egress blocked")
        tpbe = Bit(25, 25, "TLP prefix blocked")
        ptebe = Bit(26, 26, "poisoned TLP egress blocked")

    class Aerucesev(_Word):
        """Bits of AERUCESEV."""

        dlpe = Bit(4, 4, "data link protocol error")
        sde = Bit(5, 5, "surprise down")
        pt = Bit(12, 12, "poisoned TLP")
        fcpe = Bit(13, 13, "flow control protocol error")
        ct = Bit(14, 14, "completion time-out")
        ca = Bit(15, 15, "completer abort")
        uc = Bit(16, 16, "unexpected completion")
        ro = Bit(17, 17, "receiver overflow")
        mt = Bit(18, 18, "malformed TLP")
        ecrce = Bit(19, 19, "ECRC error")
        ure = Bit(20, 20, "unsupported request")
        acsv = Bit(21, 21, "ACS violation")
        uie = Bit(22, 22, "uncorrectable internal error")
        mcbt = Bit(23, 23, "MC blocked TLP")
        aebt = Bit(24, 24, "AtomicOp egress blocked")
        tpbe = Bit(25, 25, "TLP prefix blocked")
        ptebe = Bit(26, 26, "poisoned TLP egress blocked")

    class Aerces(_Word):
        """Bits of AERCES."""

        re = Bit(0, 0, "receiver error")
        bt = Bit(6, 6, "bad TLP")
        bd = Bit(7, 7, "bad DLLP")
        rr = Bit(8, 8, "REPLAY_NUM rollover")
        rt = Bit(12, 12, "replay timer time-out")
        anfe = Bit(13, 13, "advisory non-fatal error")
        cie = Bit(14, 14, "corrected internal error")
        hlo = Bit(15, 15, "header log overflow")

    class Aercem(_Word):
        """Bits of AERCEM."""

        re = Bit(0, 0, "receiver error")
        bt = Bit(6, 6, "bad TLP")
        bd = Bit(7, 7, "bad DLLP")
        rr = Bit(8, 8, "REPLAY_NUM rollover")
        rt = Bit(12, 12, "replay timer time-out")
        anfe = Bit(13, 13, "advisory non-fatal error")
        cie = Bit(14, 14, "corrected internal error")
        hlo = Bit(15, 15, "header log overflow")

    class Aercc(_Word):
        """Bits of AERCC."""

        fep = Bit(0, 4, "first error pointer: the bit of AERUCES")
        egc = Bit(5, 5, "ECRC generation capable")
        ege = Bit(6, 6, "ECRC generation enable")
        ecc = Bit(7, 7, "ECRC check capable")
        ece = Bit(8, 8, "ECRC check enable")
        mhrc = Bit(9, 9, "multiple header recording capable")
        mhre = Bit(10, 10, "multiple header recording enable")
        tplp = Bit(11, 11, "the TLP prefix log is valid")

    header = Field(0, WordAt(4, Header), "ID, version, and offset of the next extended capability")
    aeruces = Field(4, WordAt(4, Aeruces), "uncorrectable errors")
    aerucem = Field(8, WordAt(4, Aerucem), "uncorrectable errors that are masked")
    aerucesev = Field(12, WordAt(4, Aerucesev), "uncorrectable errors that are fatal")
    aerces = Field(16, WordAt(4, Aerces), "correctable errors")
    aercem = Field(20, WordAt(4, Aercem), "correctable errors that are masked")
    aercc = Field(24, WordAt(4, Aercc), "capabilities and control")
    aerhl = Elements(28, Number(4), 4, "header of the TLP with the first error", hex=True)


class DsnCapability(_Structure):
    """Device serial number. Section 7.9.3. 12 bytes.

    header   3:0  ID, version, and offset of the next extended capability
    serial  11:4  EUI-64
    """

    SIZE = 12
    TEXT = "Device serial number"

    class Header(_Word):
        """Bits of HEADER."""

        cid = Bit(0, 15, "extended capability ID", values=PciExtendedCapability)
        cver = Bit(16, 19, "version")
        next = Bit(20, 31, "offset of the next extended capability")

    header = Field(0, WordAt(4, Header), "ID, version, and offset of the next extended capability")
    serial = Field(4, Number(8), "EUI-64", hex=True)


class LtrCapability(_Structure):
    """Latency tolerance reporting. Section 7.8.2. 8 bytes.

    header   3:0  ID, version, and offset of the next extended capability
    snoop    5:4  greatest snoop latency
    nosnoop  7:6  greatest no-snoop latency
    """

    SIZE = 8
    TEXT = "Latency tolerance reporting"

    class Header(_Word):
        """Bits of HEADER."""

        cid = Bit(0, 15, "extended capability ID", values=PciExtendedCapability)
        cver = Bit(16, 19, "version")
        next = Bit(20, 31, "offset of the next extended capability")

    class Snoop(_Word):
        """Bits of SNOOP."""

        value = Bit(0, 9, "value")
        scale = Bit(10, 12, "scale: 32^n ns")

    class Nosnoop(_Word):
        """Bits of NOSNOOP."""

        value = Bit(0, 9, "value")
        scale = Bit(10, 12, "scale: 32^n ns")

    header = Field(0, WordAt(4, Header), "ID, version, and offset of the next extended capability")
    snoop = Field(4, WordAt(2, Snoop), "greatest snoop latency")
    nosnoop = Field(6, WordAt(2, Nosnoop), "greatest no-snoop latency")


class L1pmCapability(_Structure):
    """L1 PM substates. Section 7.8.3. 16 bytes.

    header          3:0  ID, version, and offset of the next extended capability
    capabilities    7:4  capabilities
    control1       11:8  control 1
    control2      15:12  control 2
    """

    SIZE = 16
    TEXT = "L1 PM substates"

    class Header(_Word):
        """Bits of HEADER."""

        cid = Bit(0, 15, "extended capability ID", values=PciExtendedCapability)
        cver = Bit(16, 19, "version")
        next = Bit(20, 31, "offset of the next extended capability")

    class Capabilities(_Word):
        """Bits of CAPABILITIES."""

        pcipm_l12 = Bit(0, 0, "PCI-PM L1.2")
        pcipm_l11 = Bit(1, 1, "PCI-PM L1.1")
        aspm_l12 = Bit(2, 2, "ASPM L1.2")
        aspm_l11 = Bit(3, 3, "ASPM L1.1")
        l1pm = Bit(4, 4, "L1 PM substates")
        cmrt = Bit(8, 15, "common mode restore time of the port", "us")
        scale = Bit(16, 17, "scale of the power on time: 2, 10, 100 us")
        value = Bit(19, 23, "power on time of the port")

    class Control1(_Word):
        """Bits of CONTROL1."""

        pcipm_l12 = Bit(0, 0, "PCI-PM L1.2")
        pcipm_l11 = Bit(1, 1, "PCI-PM L1.1")
        aspm_l12 = Bit(2, 2, "ASPM L1.2")
        aspm_l11 = Bit(3, 3, "ASPM L1.1")
        cmrt = Bit(8, 15, "common mode restore time", "us")
        value = Bit(16, 25, "LTR threshold of L1.2, value")
        scale = Bit(29, 31, "LTR threshold of L1.2, scale: 32^n ns")

    class Control2(_Word):
        """Bits of CONTROL2."""

        scale = Bit(0, 1, "scale of the power on time: 2, 10, 100 us")
        value = Bit(3, 7, "power on time")

    header = Field(0, WordAt(4, Header), "ID, version, and offset of the next extended capability")
    capabilities = Field(4, WordAt(4, Capabilities), "capabilities")
    control1 = Field(8, WordAt(4, Control1), "control 1")
    control2 = Field(12, WordAt(4, Control2), "control 2")


class SriovCapability(_Structure):
    """Single root I/O virtualization. Section 9.3.3. 64 bytes.

    header                  3:0  ID, version, and offset of the next extended capability
    capabilities            7:4  capabilities
    control                 9:8  control
    status                11:10  status
    initial_vfs           13:12  VFs at first
    total_vfs             15:14  VFs at most
    num_vfs               17:16  VFs now
    fdl                      18  function dependency link
    first_vf              21:20  offset of the first VF
    vf_stride             23:22  from one VF to the next
    vf_did                27:26  device ID of the VFs
    supported_page_sizes  31:28  supported page sizes, bit n is 4096 << n bytes
    page_size             35:32  page size, bit n is 4096 << n bytes
    bar                   59:36  base address registers of the VFs
    migration             63:60  where the VF migration state array is
    """

    SIZE = 64
    TEXT = "Single root I/O virtualization"

    class Header(_Word):
        """Bits of HEADER."""

        cid = Bit(0, 15, "extended capability ID", values=PciExtendedCapability)
        cver = Bit(16, 19, "version")
        next = Bit(20, 31, "offset of the next extended capability")

    class Capabilities(_Word):
        """Bits of CAPABILITIES."""

        vfm = Bit(0, 0, "VF migration")
        achp = Bit(1, 1, "ARI capable hierarchy preserved")

    class Control(_Word):
        """Bits of CONTROL."""

        vfe = Bit(0, 0, "VF enable")
        vfme = Bit(1, 1, "VF migration enable")
        mse = Bit(3, 3, "memory space enable of the VFs")
        ach = Bit(4, 4, "ARI capable hierarchy")

    header = Field(0, WordAt(4, Header), "ID, version, and offset of the next extended capability")
    capabilities = Field(4, WordAt(4, Capabilities), "capabilities")
    control = Field(8, WordAt(2, Control), "control")
    status = Field(10, Number(2), "status")
    initial_vfs = Field(12, Number(2), "VFs at first")
    total_vfs = Field(14, Number(2), "VFs at most")
    num_vfs = Field(16, Number(2), "VFs now")
    fdl = Field(18, Number(1), "function dependency link")
    first_vf = Field(20, Number(2), "offset of the first VF")
    vf_stride = Field(22, Number(2), "from one VF to the next")
    vf_did = Field(26, Number(2), "device ID of the VFs", hex=True)
    supported_page_sizes = Field(28, Number(4), "supported page sizes, bit n is 4096 << n bytes", hex=True)
    page_size = Field(32, Number(4), "page size, bit n is 4096 << n bytes", hex=True)
    bar = Elements(36, Number(4), 6, "base address registers of the VFs", hex=True)
    migration = Field(60, Number(4), "where the VF migration state array is", hex=True)


class OtherCapability(_Structure):
    """A capability of another kind. Section 7.5.1.1. 2 bytes.

    cid   0  capability ID
    next  1  offset of the next capability
    """

    SIZE = 2
    TEXT = "A capability of another kind"

    cid = Field(0, Number(1, PciCapability), "capability ID")
    next = Field(1, Number(1), "offset of the next capability", hex=True)


class OtherExtendedCapability(_Structure):
    """An extended capability of another kind. Section 7.6.3. 4 bytes.

    header  3:0  ID, version, and offset of the next extended capability
    """

    SIZE = 4
    TEXT = "An extended capability of another kind"

    class Header(_Word):
        """Bits of HEADER."""

        cid = Bit(0, 15, "extended capability ID", values=PciExtendedCapability)
        cver = Bit(16, 19, "version")
        next = Bit(20, 31, "offset of the next extended capability")

    header = Field(0, WordAt(4, Header), "ID, version, and offset of the next extended capability")


PCI_CAPABILITIES: dict[int, type[_Structure]] = {
    0x01: PmCapability,
    0x05: MsiCapability,
    0x10: PcieCapability,
    0x11: MsixCapability,
}
"""The structure of a capability, by its ID. MSI has two more, by its control word."""

PCI_EXTENDED_CAPABILITIES: dict[int, type[_Structure]] = {
    0x01: AerCapability,
    0x03: DsnCapability,
    0x10: SriovCapability,
    0x18: LtrCapability,
    0x1E: L1pmCapability,
}
"""The structure of an extended capability, by its ID."""
