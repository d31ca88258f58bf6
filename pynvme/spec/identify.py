# SPDX-License-Identifier: BSD-3-Clause
"""The data structures of Identify, by its CNS field.

Generated from spec/identify.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.spec.enums import PowerScale
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word
from typing import Optional


class Cns(IntEnum):
    """CNS of Identify, command dword 10 bits 7:0. Section 5.1.13.1."""

    NS = 0x00  # Identify Namespace of the NVM command set
    CTRL = 0x01  # Identify Controller
    ACTIVE_NS_LIST = 0x02  # NSIDs above CDW1.NSID, 1024 of 32 bits
    NS_DESCRIPTORS = 0x03  # list of namespace identification descriptors
    NVM_SET_LIST = 0x04  # NVM sets from CDW11.NVMSETID on
    CSI_NS = 0x05  # Identify Namespace of the command set CSI
    CSI_CTRL = 0x06  # Identify Controller of the command set CSI
    CSI_ACTIVE_NS_LIST = 0x07  # as 02h, those of the command set CSI
    INDEPENDENT_NS = 0x08  # Identify Namespace, common to all command sets
    CSI_NS_USER_FORMATS = 0x09  # Identify Namespace, of a format that CDW11 names
    CSI_NS_FORMATS = 0x0A  # as 05h, of a format that CDW11 names
    ALLOCATED_NS_LIST = 0x10  # as 02h, allocated namespaces
    ALLOCATED_NS = 0x11  # as 00h, an allocated namespace
    NS_CTRL_LIST = 0x12  # controllers that the namespace is attached to
    CTRL_LIST = 0x13  # controllers of the subsystem
    PRIMARY_CTRL_CAPS = 0x14  # resources of a primary controller
    SECONDARY_CTRL_LIST = 0x15  # secondary controllers of this primary one
    NS_GRANULARITY = 0x16  # sizes that suit namespaces
    UUID_LIST = 0x17  # UUIDs that select vendor specific information
    DOMAIN_LIST = 0x18  # domains of the subsystem
    ENDURANCE_GROUP_LIST = 0x19  # endurance groups above CDW11.ENDGID
    CSI_ALLOCATED_NS_LIST = 0x1A  # as 10h, those of the command set CSI
    CSI_ALLOCATED_NS = 0x1B  # as 05h, an allocated namespace
    COMMAND_SETS = 0x1C  # 512 vectors of 64 bits, bit = CSI
    UNDERLYING_NS_LIST = 0x1D  # namespaces that may underlie an exported one
    PORTS_LIST = 0x1E  # ports of the subsystem
    ALLOCATED_NS_INDEPENDENT = 0x1F  # as 08h, an allocated namespace
    CONTROLLER_STATE_FORMATS = 0x20  # formats of Migration Send and Receive


class Nidt(IntEnum):
    """kinds of namespace identifiers. Section 5.1.13.2.3."""

    EUI64 = 1  # IEEE Extended Unique Identifier, 8 bytes
    NGUID = 2  # Namespace Globally Unique Identifier, 16 bytes
    UUID = 3  # Namespace UUID, 16 bytes
    CSI = 4  # Command Set Identifier, 1 byte


class ControllerType(IntEnum):
    """CNTRLTYPE of Identify Controller. Section 5.1.13.2.1."""

    NOT_REPORTED = 0
    IO = 1
    DISCOVERY = 2
    ADMIN = 3


class ProtectionInformationFormat(IntEnum):
    """formats of protection information. Section NVM 4.1.5.3."""

    GUARD16 = 0
    GUARD32 = 1
    GUARD64 = 2
    QUALIFIED = 3


class PowerState(_Structure):
    """Power State Descriptor. Section 5.1.13.2.1. 32 bytes.

    mp             1:0  maximum power, 0.01 W, with MXPS set 0.0001 W
    flags            3  flags
    enlat          7:4  entry latency, us
    exlat         11:8  exit latency, us
    rrt             12  relative read throughput, 0 is best
    rrl             13  relative read latency
    rwt             14  relative write throughput
    rwl             15  relative write latency
    idlp         17:16  idle power, IPS, since 1.2
    ips             18  scale of IDLP, since 1.2
    actp         21:20  active power, APS, since 1.2
    apws            22  active power: workload and scale, since 1.2
    epfrt           23  emergency power fail recovery time, EPFRTS, since 2.1
    fqvt            24  forced quiescence vault time, FQVTS, since 2.1
    epfvt           25  emergency power fail vault time, EPFVTS, since 2.1
    epfr_fqv_ts     26  scales of two times, since 2.1
    epfvts          27  scale of EPFVT, since 2.1
    """

    SIZE = 32
    TEXT = "Power State Descriptor"

    class Flags(_Word):
        """Bits of FLAGS."""

        mxps = Bit(0, 0, "MP is in units of 0.0001 W instead of 0.01 W")
        nops = Bit(1, 1, "non-operational")

    class Rrt(_Word):
        """Bits of RRT."""

        rrt = Bit(0, 4)

    class Rrl(_Word):
        """Bits of RRL."""

        rrl = Bit(0, 4)

    class Rwt(_Word):
        """Bits of RWT."""

        rwt = Bit(0, 4)

    class Rwl(_Word):
        """Bits of RWL."""

        rwl = Bit(0, 4)

    class Ips(_Word):
        """Bits of IPS."""

        ips = Bit(6, 7, values=PowerScale)

    class Apws(_Word):
        """Bits of APWS."""

        apw = Bit(0, 2, "workload of ACTP")
        aps = Bit(6, 7, "scale of ACTP", values=PowerScale)

    class EpfrFqvTs(_Word):
        """Bits of EPFR_FQV_TS."""

        epfrts = Bit(0, 3, "scale of EPFRT")
        fqvts = Bit(4, 7, "scale of FQVT")

    class Epfvts(_Word):
        """Bits of EPFVTS."""

        epfvts = Bit(0, 3)

    mp = Field(0, Number(2), "maximum power", "0.01 W, with MXPS set 0.0001 W")
    flags = Field(3, WordAt(1, Flags), "flags")
    enlat = Field(4, Number(4), "entry latency", "us")
    exlat = Field(8, Number(4), "exit latency", "us")
    rrt = Field(12, WordAt(1, Rrt), "relative read throughput, 0 is best")
    rrl = Field(13, WordAt(1, Rrl), "relative read latency")
    rwt = Field(14, WordAt(1, Rwt), "relative write throughput")
    rwl = Field(15, WordAt(1, Rwl), "relative write latency")
    idlp = Field(16, Number(2), "idle power", "IPS")
    ips = Field(18, WordAt(1, Ips), "scale of IDLP")
    actp = Field(20, Number(2), "active power", "APS")
    apws = Field(22, WordAt(1, Apws), "active power: workload and scale")
    epfrt = Field(23, Number(1), "emergency power fail recovery time", "EPFRTS")
    fqvt = Field(24, Number(1), "forced quiescence vault time", "FQVTS")
    epfvt = Field(25, Number(1), "emergency power fail vault time", "EPFVTS")
    epfr_fqv_ts = Field(26, WordAt(1, EpfrFqvTs), "scales of two times")
    epfvts = Field(27, WordAt(1, Epfvts), "scale of EPFVT")


class IdentifyController(_Structure):
    """Identify Controller. Section 5.1.13.2.1. 4096 bytes.

    vid              1:0  PCI Vendor ID
    ssvid            3:2  PCI Subsystem Vendor ID
    sn              23:4  serial number
    mn             63:24  model number
    fr             71:64  firmware revision
    rab               72  recommended arbitration burst, 2^n commands
    ieee           75:73  IEEE OUI of the vendor
    cmic              76  multi-path I/O and namespace sharing, since 1.1
    mdts              77  maximum data transfer size, 0: no limit, 2^n pages of CAP.MPSMIN
    cntlid         79:78  controller ID, since 1.1
    ver            83:80  version, as register VS, since 1.2
    rtd3r          87:84  RTD3 resume latency, us, since 1.2
    rtd3e          91:88  RTD3 entry latency, us, since 1.2
    oaes           95:92  optional asynchronous events, since 1.2
    ctratt         99:96  controller attributes, since 1.2.1
    rrls         101:100  read recovery levels, one a bit, since 1.4
    bpcap            102  boot partition capabilities, since 2.1
    nssl         107:104  NVM subsystem shutdown latency, us, since 2.1
    plsi             110  power loss signaling, since 2.1
    cntrltype        111  controller type, since 1.4
    fguid        127:112  FRU globally unique identifier, since 1.3
    crdt1        129:128  command retry delay time 1, 100 ms, since 1.4
    crdt2        131:130  command retry delay time 2, 100 ms, since 1.4
    crdt3        133:132  command retry delay time 3, 100 ms, since 1.4
    crcap            134  controller reachability, since 2.1
    nvmsr            253  NVM subsystem report, since 1.4
    vwci             254  VPD write cycles, since 1.4
    mec              255  management endpoints, since 1.4
    oacs         257:256  optional admin commands
    acl              258  concurrent Abort commands, 0's based
    aerl             259  concurrent Asynchronous Event Requests, 0's based
    frmw             260  firmware updates
    lpa              261  log pages
    elpe             262  entries of the error log, 0's based
    npss             263  power states, 0's based
    avscc            264  vendor specific admin commands
    apsta            265  autonomous power state transitions, since 1.1
    wctemp       267:266  warning composite temperature, 0: none, Kelvin, since 1.2
    cctemp       269:268  critical composite temperature, 0: none, Kelvin, since 1.2
    mtfa         271:270  maximum time of a firmware activation, 100 ms, since 1.2
    hmpre        275:272  host memory buffer, preferred size, 4 KiB, since 1.2
    hmmin        279:276  host memory buffer, smallest size, 4 KiB, since 1.2
    tnvmcap      295:280  total NVM capacity, bytes, since 1.2
    unvmcap      311:296  unallocated NVM capacity, bytes, since 1.2
    rpmbs        315:312  replay protected memory block, since 1.2
    edstt        317:316  time of an extended self-test, minutes, since 1.3
    dsto             318  self-tests, since 1.3
    fwug             319  firmware update granularity, 0: not reported, FFh: none, 4 KiB, since 1.3
    kas          321:320  keep alive granularity, 0: no keep alive, 100 ms, since 1.2.1
    hctma        323:322  host controlled thermal management, since 1.3
    mntmt        325:324  lowest thermal management temperature, Kelvin, since 1.3
    mxtmt        327:326  highest thermal management temperature, Kelvin, since 1.3
    sanicap      331:328  sanitize, since 1.3
    hmminds      335:332  host memory buffer, smallest descriptor, 4 KiB, since 1.4
    hmmaxd       337:336  host memory buffer, descriptors at most, 0: no limit, since 1.4
    nsetidmax    339:338  highest NVM set identifier, since 1.4
    endgidmax    341:340  highest endurance group identifier, since 1.4
    anatt            342  ANA transition time, s, since 1.4
    anacap           343  asymmetric namespace access, since 1.4
    anagrpmax    347:344  highest ANA group identifier, since 1.4
    nanagrpid    351:348  ANA groups, since 1.4
    pels         355:352  size of the persistent event log at most, 64 KiB, since 1.4
    domainid     357:356  domain that the controller is in, since 2.0
    kpioc            358  key per I/O, since 2.1
    mptfawr      361:360  time of a firmware activation without reset, 100 ms, since 2.1
    megcap       383:368  capacity of an endurance group at most, bytes, since 2.0
    tmpthha          384  temperature threshold hysteresis, since 2.1
    mupa             385  scale of MUP, since 2.3
    cqt          387:386  command quiesce time, ms, since 2.1
    mup          391:390  most power of power state 0 without a power limit, MUPS, since 2.3
    ipmsr        393:392  longest time between two samples of the power, since 2.3
    msmt         395:394  longest stop measurement time of feature 25h, minutes, since 2.3
    sqes             512  size of a submission queue entry, log2 of bytes
    cqes             513  size of a completion queue entry, log2 of bytes
    maxcmd       515:514  outstanding commands of a queue at most, 0: not reported, since 1.2.1
    nn           519:516  number of namespaces, the highest NSID
    oncs         521:520  optional I/O commands
    fuses        523:522  fused operations
    fna              524  attributes of Format NVM
    vwc              525  volatile write cache
    awun         527:526  atomic write unit, normal, LBAs, 0's based
    awupf        529:528  atomic write unit, power fail, LBAs, 0's based
    icsvscc          530  vendor specific I/O commands
    nwpc             531  namespace write protection, since 1.4
    acwu         533:532  atomic compare and write unit, LBAs, 0's based, since 1.1
    ocfs         535:534  source range formats of Copy (CDFS), one a bit, since 2.0
    sgls         539:536  SGLs, since 1.1
    mnan         543:540  allocated namespaces at most, 0: NN, since 1.4
    maxdna       559:544  attachments in the domain at most, since 2.0
    maxcna       563:560  namespaces that may be attached to this controller, since 2.0
    oaqd         567:564  best number of commands in all queues, 0: not reported, since 2.1
    rhiri            568  recommended host-initiated refresh interval, days, since 2.1
    hirt             569  time of a host-initiated refresh, minutes, since 2.1
    cmmrtd       571:570  memory ranges that this controller can track, since 2.1
    nmmrtd       573:572  memory ranges that the subsystem can track, since 2.1
    minmrtg          574  smallest tracking granularity, 2^n bytes, since 2.1
    maxmrtg          575  largest tracking granularity, 2^n bytes, since 2.1
    trattr           576  tracking, since 2.1
    mcudmq       579:578  user data migration queues of this controller, since 2.1
    mnsudmq      581:580  user data migration queues of the subsystem, since 2.1
    mcmr         583:582  CDQ memory ranges of this controller, since 2.1
    nmcmr        585:584  CDQ memory ranges of the subsystem, since 2.1
    mcdqpc       587:586  PRPs of a controller data queue at most, since 2.1
    subnqn      1023:768  NVM subsystem NVMe qualified name, since 1.2.1
    ioccsz     1795:1792  I/O command capsule, 16 bytes, since 1.2.1
    iorcsz     1799:1796  I/O response capsule, 16 bytes, since 1.2.1
    icdoff     1801:1800  offset of data in a capsule, 16 bytes, since 1.2.1
    fcatt           1802  fabrics controller attributes, since 1.2.1
    msdbd           1803  SGL data block descriptors in a capsule at most, since 1.2.1
    ofcs       1805:1804  optional fabrics commands, since 1.4
    dctype          1806  discovery controller type, since 2.0
    psd        3071:2048  power state descriptors
    vs         4095:3072  vendor specific
    """

    SIZE = 4096
    TEXT = "Identify Controller"

    class Cmic(_Word):
        """Bits of CMIC."""

        mports = Bit(0, 0, "the subsystem may have more than one port")
        mctrs = Bit(1, 1, "the subsystem may have more than one controller")
        ft = Bit(2, 2, "this controller belongs to an SR-IOV virtual function")
        anars = Bit(3, 3, "asymmetric namespace access is reported")

    class Ver(_Word):
        """Bits of VER."""

        ter = Bit(0, 7, "tertiary")
        mnr = Bit(8, 15, "minor")
        mjr = Bit(16, 31, "major")

    class Oaes(_Word):
        """Bits of OAES."""

        nsan = Bit(8, 8, "Attached Namespace Attribute Changed")
        fan = Bit(9, 9, "Firmware Activation Starting")
        anan = Bit(11, 11, "Asymmetric Namespace Access Change")
        plea = Bit(12, 12, "Predictable Latency Event Aggregate Log Change")
        lban = Bit(13, 13, "LBA Status Information Alert")
        egea = Bit(14, 14, "Endurance Group Event Aggregate Log Page Change")
        nnss = Bit(15, 15, "Normal NVM Subsystem Shutdown")
        tthry = Bit(16, 16, "Temperature Threshold Hysteresis Recovery")
        rgcns = Bit(17, 17, "Reachability Group Change")
        ansan = Bit(19, 19, "Allocated Namespace Attribute Changed")
        zdcn = Bit(27, 27, "Zone Descriptor Changed")
        dlpcn = Bit(31, 31, "Discovery Log Page Change")

    class Ctratt(_Word):
        """Bits of CTRATT."""

        hids = Bit(0, 0, "host identifiers of 128 bits")
        nopspm = Bit(1, 1, "non-operational power state permissive mode")
        nsets = Bit(2, 2, "NVM sets")
        rrlvls = Bit(3, 3, "read recovery levels")
        egs = Bit(4, 4, "endurance groups")
        plm = Bit(5, 5, "predictable latency mode")
        tbkas = Bit(6, 6, "traffic based keep alive")
        ng = Bit(7, 7, "namespace granularity")
        sqa = Bit(8, 8, "SQ associations")
        ulist = Bit(9, 9, "UUID list")
        mds = Bit(10, 10, "the subsystem has several domains")
        fcm = Bit(11, 11, "fixed capacity management")
        vcm = Bit(12, 12, "variable capacity management")
        deg = Bit(13, 13, "Delete Endurance Group")
        dnvms = Bit(14, 14, "Delete NVM Set")
        elbas = Bit(15, 15, "extended LBA formats")
        mem = Bit(16, 16, "MDTS and the size limits leave metadata out")
        hmbr = Bit(17, 17, "the host memory buffer can be restricted")
        rhii = Bit(18, 18, "reservations and host identifiers interact")
        fdps = Bit(19, 19, "flexible data placement")
        pls = Bit(20, 20, "power limit, feature 23h")
        pms = Bit(21, 21, "power measurement, features 24h and 25h")

    class Bpcap(_Word):
        """Bits of BPCAP."""

        rpmbbpwps = Bit(0, 1, "write protection by RPMB: 0 not reported, 1 no, 2 yes")
        sfbpwps = Bit(2, 2, "write protection by Set Features")

    class Plsi(_Word):
        """Bits of PLSI."""

        plsepf = Bit(0, 0, "emergency power fail")
        plsfq = Bit(1, 1, "forced quiescence")

    class Crcap(_Word):
        """Bits of CRCAP."""

        rrsup = Bit(0, 0, "reachability is reported")
        rgidc = Bit(1, 1, "RGRPID stays")

    class Nvmsr(_Word):
        """Bits of NVMSR."""

        nvmesd = Bit(0, 0, "storage device")
        nvmee = Bit(1, 1, "enclosure")

    class Vwci(_Word):
        """Bits of VWCI."""

        vwcr = Bit(0, 6, "write cycles that remain")
        vwcrv = Bit(7, 7, "VWCR is valid")

    class Mec(_Word):
        """Bits of MEC."""

        twpme = Bit(0, 0, "on an SMBus/I2C port")
        pcieme = Bit(1, 1, "on a PCIe port")

    class Oacs(_Word):
        """Bits of OACS."""

        ssrs = Bit(0, 0, "Security Send and Receive")
        fnvms = Bit(1, 1, "Format NVM")
        fwds = Bit(2, 2, "Firmware Commit and Firmware Image Download")
        nms = Bit(3, 3, "Namespace Management and Attachment")
        dsts = Bit(4, 4, "Device Self-test")
        dirs = Bit(5, 5, "Directive Send and Receive")
        nsrs = Bit(6, 6, "NVMe-MI Send and Receive")
        vms = Bit(7, 7, "Virtualization Management")
        dbcs = Bit(8, 8, "Doorbell Buffer Config")
        glss = Bit(9, 9, "Get LBA Status")
        cfls = Bit(10, 10, "Lockdown")
        hmlms = Bit(11, 11, "host managed live migration")

    class Frmw(_Word):
        """Bits of FRMW."""

        ffsro = Bit(0, 0, "slot 1 is read-only")
        nofs = Bit(1, 3, "firmware slots, 1 to 7")
        fawr = Bit(4, 4, "images can be activated without a reset")
        smud = Bit(5, 5, "overlapping updates by several hosts are detected")

    class Lpa(_Word):
        """Bits of LPA."""

        smarts = Bit(0, 0, "log page 02h for each namespace")
        cses = Bit(1, 1, "log page 05h")
        lpeds = Bit(2, 2, "NUMDU and LPO of Get Log Page")
        ts = Bit(3, 3, "log pages 07h and 08h")
        pes = Bit(4, 4, "log page 0Dh")
        mlps = Bit(5, 5, "log pages 00h, 12h and 13h, and the scopes in 05h")
        da4s = Bit(6, 6, "telemetry data area 4")

    class Avscc(_Word):
        """Bits of AVSCC."""

        vscf = Bit(0, 0, "vendor specific commands have the standard format")

    class Apsta(_Word):
        """Bits of APSTA."""

        aspts = Bit(0, 0, "supported")

    class Rpmbs(_Word):
        """Bits of RPMBS."""

        nrpmbu = Bit(0, 2, "RPMB units")
        auth = Bit(3, 5, "authentication method, 0: HMAC SHA-256")
        tsz = Bit(16, 23, "size of a unit", "128 KiB", zeroes_based=True)
        asz = Bit(24, 31, "access size", "512 bytes", zeroes_based=True)

    class Dsto(_Word):
        """Bits of DSTO."""

        sdso = Bit(0, 0, "one self-test at a time in the whole subsystem")
        hirs = Bit(1, 1, "host-initiated refresh")

    class Hctma(_Word):
        """Bits of HCTMA."""

        hctms = Bit(0, 0, "supported")

    class Sanicap(_Word):
        """Bits of SANICAP."""

        ces = Bit(0, 0, "Crypto Erase")
        bes = Bit(1, 1, "Block Erase")
        ows = Bit(2, 2, "Overwrite")
        vers = Bit(3, 3, "the media verification state")
        ndi = Bit(29, 29, "No-Deallocate is inhibited")
        nodmmas = Bit(30, 31, "1: after No-Deallocate the media is not modified further, 2: it is")

    class Anacap(_Word):
        """Bits of ANACAP."""

        raopts = Bit(0, 0, "reports optimized")
        ranopts = Bit(1, 1, "reports non-optimized")
        rainas = Bit(2, 2, "reports inaccessible")
        rapls = Bit(3, 3, "reports persistent loss")
        racs = Bit(4, 4, "reports change")
        anagics = Bit(6, 6, "ANAGRPID does not change while attached")
        anagnz = Bit(7, 7, "Namespace Management takes an ANAGRPID")

    class Kpioc(_Word):
        """Bits of KPIOC."""

        kpios = Bit(0, 0, "supported")
        kpisc = Bit(1, 1, "enabled for all namespaces only")

    class Tmpthha(_Word):
        """Bits of TMPTHHA."""

        tmpthmh = Bit(0, 2, "largest hysteresis", "Kelvin", values=Kelvin)

    class Mupa(_Word):
        """Bits of MUPA."""

        mups = Bit(0, 1, "scale", values=PowerScale)

    class Ipmsr(_Word):
        """Bits of IPMSR."""

        srv = Bit(0, 7, "value")
        srs = Bit(8, 15, "unit: 0 not reported, 1 to 5 for 1 us, 10 us, 100 us, 1 ms, 10 ms")

    class Sqes(_Word):
        """Bits of SQES."""

        mins = Bit(0, 3, "required")
        maxs = Bit(4, 7, "maximum")

    class Cqes(_Word):
        """Bits of CQES."""

        mins = Bit(0, 3, "required")
        maxs = Bit(4, 7, "maximum")

    class Oncs(_Word):
        """Bits of ONCS."""

        nvmcmps = Bit(0, 0, "Compare")
        nvmwusv = Bit(1, 1, "Write Uncorrectable")
        nvmdsmsv = Bit(2, 2, "Dataset Management")
        nvmwzsv = Bit(3, 3, "Write Zeroes")
        ssfs = Bit(4, 4, "SV of Set Features and SEL of Get Features")
        reservs = Bit(5, 5, "reservations")
        tss = Bit(6, 6, "feature 0Eh, Timestamp")
        nvmvfys = Bit(7, 7, "Verify")
        nvmcpys = Bit(8, 8, "Copy")
        nvmcsa = Bit(9, 9, "a Copy is atomic as one write")
        nvmafc = Bit(10, 10, "fast copy operations")
        maxwzd = Bit(11, 11, "WZDSL limits Write Zeroes with DEAC")
        nszs = Bit(12, 12, "Write Zeroes of a whole namespace")

    class Fuses(_Word):
        """Bits of FUSES."""

        fcws = Bit(0, 0, "Compare and Write")

    class Fna(_Word):
        """Bits of FNA."""

        fns = Bit(0, 0, "a format goes to all namespaces")
        sens = Bit(1, 1, "so does a secure erase")
        cryes = Bit(2, 2, "Cryptographic Erase")
        fnvmbs = Bit(3, 3, "Format NVM refuses NSID FFFFFFFFh")

    class Vwc(_Word):
        """Bits of VWC."""

        vwcp = Bit(0, 0, "there is a volatile write cache")
        fb = Bit(1, 2, "Flush with NSID FFFFFFFFh: 0 not reported, 2 refused, 3 of all namespaces")

    class Icsvscc(_Word):
        """Bits of ICSVSCC."""

        vscf = Bit(0, 0, "vendor specific commands have the standard format")

    class Nwpc(_Word):
        """Bits of NWPC."""

        nwpwps = Bit(0, 0, "No Write Protect and Write Protect")
        wpupcs = Bit(1, 1, "Write Protect Until Power Cycle")
        pwps = Bit(2, 2, "Permanent Write Protect")

    class Sgls(_Word):
        """Bits of SGLS."""

        sgls = Bit(0, 1, "SGLs: 0 none, 1 without alignment, 2 aligned to dwords")
        kdbds = Bit(2, 2, "keyed data block descriptors")
        sdt = Bit(8, 15, "SGL descriptors of a command at most, 0: not reported")
        sbbds = Bit(16, 16, "bit bucket descriptors")
        mbaas = Bit(17, 17, "MPTR may be a contiguous buffer at any byte")
        sglls = Bit(18, 18, "data may be longer than the command's")
        mptrss = Bit(19, 19, "MPTR may be an SGL segment")
        sgloff = Bit(20, 20, "the address may be an offset")
        tsglds = Bit(21, 21, "transport data block descriptors")

    class Trattr(_Word):
        """Bits of TRATTR."""

        thmcs = Bit(0, 0, "changes of host memory")
        tudcs = Bit(1, 1, "changes of user data")
        mrtll = Bit(2, 2, "the length of a range is limited")

    class Fcatt(_Word):
        """Bits of FCATT."""

        dcm = Bit(0, 0, "the controller model is static")

    class Ofcs(_Word):
        """Bits of OFCS."""

        dcs = Bit(0, 0, "Disconnect")

    vid = Field(0, Number(2), "PCI Vendor ID", hex=True)
    ssvid = Field(2, Number(2), "PCI Subsystem Vendor ID", hex=True)
    sn = Field(4, Text(20), "serial number")
    mn = Field(24, Text(40), "model number")
    fr = Field(64, Text(8), "firmware revision")
    rab = Field(72, Number(1), "recommended arbitration burst", "2^n commands")
    ieee = Field(73, Number(3), "IEEE OUI of the vendor", hex=True)
    cmic = Field(76, WordAt(1, Cmic), "multi-path I/O and namespace sharing")
    mdts = Field(77, Number(1), "maximum data transfer size, 0: no limit", "2^n pages of CAP.MPSMIN")
    cntlid = Field(78, Number(2), "controller ID")
    ver = Field(80, WordAt(4, Ver), "version, as register VS")
    rtd3r = Field(84, Number(4), "RTD3 resume latency", "us")
    rtd3e = Field(88, Number(4), "RTD3 entry latency", "us")
    oaes = Field(92, WordAt(4, Oaes), "optional asynchronous events")
    ctratt = Field(96, WordAt(4, Ctratt), "controller attributes")
    rrls = Field(100, Number(2), "read recovery levels, one a bit")
    bpcap = Field(102, WordAt(1, Bpcap), "boot partition capabilities")
    nssl = Field(104, Number(4), "NVM subsystem shutdown latency", "us")
    plsi = Field(110, WordAt(1, Plsi), "power loss signaling")
    cntrltype = Field(111, Number(1, ControllerType), "controller type")
    fguid = Field(112, Raw(16), "FRU globally unique identifier")
    crdt1 = Field(128, Number(2), "command retry delay time 1", "100 ms")
    crdt2 = Field(130, Number(2), "command retry delay time 2", "100 ms")
    crdt3 = Field(132, Number(2), "command retry delay time 3", "100 ms")
    crcap = Field(134, WordAt(1, Crcap), "controller reachability")
    nvmsr = Field(253, WordAt(1, Nvmsr), "NVM subsystem report")
    vwci = Field(254, WordAt(1, Vwci), "VPD write cycles")
    mec = Field(255, WordAt(1, Mec), "management endpoints")
    oacs = Field(256, WordAt(2, Oacs), "optional admin commands")
    acl = Field(258, Number(1), "concurrent Abort commands", zeroes_based=True)
    aerl = Field(259, Number(1), "concurrent Asynchronous Event Requests", zeroes_based=True)
    frmw = Field(260, WordAt(1, Frmw), "firmware updates")
    lpa = Field(261, WordAt(1, Lpa), "log pages")
    elpe = Field(262, Number(1), "entries of the error log", zeroes_based=True)
    npss = Field(263, Number(1), "power states", zeroes_based=True)
    avscc = Field(264, WordAt(1, Avscc), "vendor specific admin commands")
    apsta = Field(265, WordAt(1, Apsta), "autonomous power state transitions")
    wctemp = Field(266, Number(2, Kelvin), "warning composite temperature, 0: none", "Kelvin")
    cctemp = Field(268, Number(2, Kelvin), "critical composite temperature, 0: none", "Kelvin")
    mtfa = Field(270, Number(2), "maximum time of a firmware activation", "100 ms")
    hmpre = Field(272, Number(4), "host memory buffer, preferred size", "4 KiB")
    hmmin = Field(276, Number(4), "host memory buffer, smallest size", "4 KiB")
    tnvmcap = Field(280, Number(16), "total NVM capacity", "bytes")
    unvmcap = Field(296, Number(16), "unallocated NVM capacity", "bytes")
    rpmbs = Field(312, WordAt(4, Rpmbs), "replay protected memory block")
    edstt = Field(316, Number(2), "time of an extended self-test", "minutes")
    dsto = Field(318, WordAt(1, Dsto), "self-tests")
    fwug = Field(319, Number(1), "firmware update granularity, 0: not reported, FFh: none", "4 KiB")
    kas = Field(320, Number(2), "keep alive granularity, 0: no keep alive", "100 ms")
    hctma = Field(322, WordAt(2, Hctma), "host controlled thermal management")
    mntmt = Field(324, Number(2, Kelvin), "lowest thermal management temperature", "Kelvin")
    mxtmt = Field(326, Number(2, Kelvin), "highest thermal management temperature", "Kelvin")
    sanicap = Field(328, WordAt(4, Sanicap), "sanitize")
    hmminds = Field(332, Number(4), "host memory buffer, smallest descriptor", "4 KiB")
    hmmaxd = Field(336, Number(2), "host memory buffer, descriptors at most, 0: no limit")
    nsetidmax = Field(338, Number(2), "highest NVM set identifier")
    endgidmax = Field(340, Number(2), "highest endurance group identifier")
    anatt = Field(342, Number(1), "ANA transition time", "s")
    anacap = Field(343, WordAt(1, Anacap), "asymmetric namespace access")
    anagrpmax = Field(344, Number(4), "highest ANA group identifier")
    nanagrpid = Field(348, Number(4), "ANA groups")
    pels = Field(352, Number(4), "size of the persistent event log at most", "64 KiB")
    domainid = Field(356, Number(2), "domain that the controller is in")
    kpioc = Field(358, WordAt(1, Kpioc), "key per I/O")
    mptfawr = Field(360, Number(2), "time of a firmware activation without reset", "100 ms")
    megcap = Field(368, Number(16), "capacity of an endurance group at most", "bytes")
    tmpthha = Field(384, WordAt(1, Tmpthha), "temperature threshold hysteresis")
    mupa = Field(385, WordAt(1, Mupa), "scale of MUP")
    cqt = Field(386, Number(2), "command quiesce time", "ms")
    mup = Field(390, Number(2), "most power of power state 0 without a power limit", "MUPS")
    ipmsr = Field(392, WordAt(2, Ipmsr), "longest time between two samples of the power")
    msmt = Field(394, Number(2), "longest stop measurement time of feature 25h", "minutes")
    sqes = Field(512, WordAt(1, Sqes), "size of a submission queue entry, log2 of bytes")
    cqes = Field(513, WordAt(1, Cqes), "size of a completion queue entry, log2 of bytes")
    maxcmd = Field(514, Number(2), "outstanding commands of a queue at most, 0: not reported")
    nn = Field(516, Number(4), "number of namespaces, the highest NSID")
    oncs = Field(520, WordAt(2, Oncs), "optional I/O commands")
    fuses = Field(522, WordAt(2, Fuses), "fused operations")
    fna = Field(524, WordAt(1, Fna), "attributes of Format NVM")
    vwc = Field(525, WordAt(1, Vwc), "volatile write cache")
    awun = Field(526, Number(2), "atomic write unit, normal", "LBAs", zeroes_based=True)
    awupf = Field(528, Number(2), "atomic write unit, power fail", "LBAs", zeroes_based=True)
    icsvscc = Field(530, WordAt(1, Icsvscc), "vendor specific I/O commands")
    nwpc = Field(531, WordAt(1, Nwpc), "namespace write protection")
    acwu = Field(532, Number(2), "atomic compare and write unit", "LBAs", zeroes_based=True)
    ocfs = Field(534, Number(2), "source range formats of Copy (CDFS), one a bit")
    sgls = Field(536, WordAt(4, Sgls), "SGLs")
    mnan = Field(540, Number(4), "allocated namespaces at most, 0: NN")
    maxdna = Field(544, Number(16), "attachments in the domain at most")
    maxcna = Field(560, Number(4), "namespaces that may be attached to this controller")
    oaqd = Field(564, Number(4), "best number of commands in all queues, 0: not reported")
    rhiri = Field(568, Number(1), "recommended host-initiated refresh interval", "days")
    hirt = Field(569, Number(1), "time of a host-initiated refresh", "minutes")
    cmmrtd = Field(570, Number(2), "memory ranges that this controller can track")
    nmmrtd = Field(572, Number(2), "memory ranges that the subsystem can track")
    minmrtg = Field(574, Number(1), "smallest tracking granularity", "2^n bytes")
    maxmrtg = Field(575, Number(1), "largest tracking granularity", "2^n bytes")
    trattr = Field(576, WordAt(1, Trattr), "tracking")
    mcudmq = Field(578, Number(2), "user data migration queues of this controller")
    mnsudmq = Field(580, Number(2), "user data migration queues of the subsystem")
    mcmr = Field(582, Number(2), "CDQ memory ranges of this controller")
    nmcmr = Field(584, Number(2), "CDQ memory ranges of the subsystem")
    mcdqpc = Field(586, Number(2), "PRPs of a controller data queue at most")
    subnqn = Field(768, Text(256, "\0"), "NVM subsystem NVMe qualified name")
    ioccsz = Field(1792, Number(4), "I/O command capsule", "16 bytes")
    iorcsz = Field(1796, Number(4), "I/O response capsule", "16 bytes")
    icdoff = Field(1800, Number(2), "offset of data in a capsule", "16 bytes")
    fcatt = Field(1802, WordAt(1, Fcatt), "fabrics controller attributes")
    msdbd = Field(1803, Number(1), "SGL data block descriptors in a capsule at most")
    ofcs = Field(1804, WordAt(2, Ofcs), "optional fabrics commands")
    dctype = Field(1806, Number(1), "discovery controller type")
    psd = Elements(2048, Nested(PowerState), 32, "power state descriptors")
    vs = Field(3072, Raw(1024), "vendor specific")


class LbaFormat(_Structure):
    """LBA Format. Section NVM 4.1.5.1. 4 bytes.

    ms     1:0  metadata of an LBA, bytes
    lbads    2  size of an LBA, 0: not in use, 2^n bytes
    rp       3  relative performance
    """

    SIZE = 4
    TEXT = "LBA Format"

    class Rp(_Word):
        """Bits of RP."""

        rp = Bit(0, 1, "0 is best")

    ms = Field(0, Number(2), "metadata of an LBA", "bytes")
    lbads = Field(2, Number(1), "size of an LBA, 0: not in use", "2^n bytes")
    rp = Field(3, WordAt(1, Rp), "relative performance")


class IdentifyNamespace(_Structure):
    """Identify Namespace of the NVM command set. Section NVM 4.1.5.1. 4096 bytes.

    nsze           7:0  size, LBAs
    ncap          15:8  capacity, LBAs
    nuse         23:16  utilization, LBAs
    nsfeat          24  features
    nlbaf           25  LBA formats, 0's based
    flbas           26  LBA format that is in use
    mc              27  metadata
    dpc             28  protection that it can have
    dps             29  protection that it has
    nmic            30  sharing, since 1.1
    rescap          31  reservations, since 1.1
    fpi             32  format progress, since 1.2
    dlfeat          33  deallocated LBAs, since 1.3
    nawun        35:34  atomic write unit, normal, LBAs, 0's based, since 1.2
    nawupf       37:36  atomic write unit, power fail, LBAs, 0's based, since 1.2
    nacwu        39:38  atomic compare and write unit, LBAs, 0's based, since 1.2
    nabsn        41:40  atomic boundary size, normal, LBAs, 0's based, since 1.2
    nabo         43:42  atomic boundary offset, LBAs, since 1.2
    nabspf       45:44  atomic boundary size, power fail, LBAs, 0's based, since 1.2
    noiob        47:46  optimal I/O boundary, 0: none, LBAs, since 1.3
    nvmcap       63:48  NVM capacity, bytes, since 1.2
    npwg         65:64  preferred write granularity, LBAs, 0's based, since 1.4
    npwa         67:66  preferred write alignment, LBAs, 0's based, since 1.4
    npdg         69:68  preferred deallocate granularity, LBAs, 0's based, since 1.4
    npda         71:70  preferred deallocate alignment, LBAs, 0's based, since 1.4
    nows         73:72  optimal write size, LBAs, 0's based, since 1.4
    mssrl        75:74  Copy: LBAs of one source range, LBAs, since 2.0
    mcl          79:76  Copy: LBAs of all source ranges, LBAs, since 2.0
    msrc            80  Copy: source ranges, 0's based, since 2.0
    kpios           81  key per I/O, since 2.1
    nulbaf          82  LBA formats whose attributes are unique, since 2.0
    kpiodaag     87:84  key per I/O granularity, LBAs, 0's based, since 2.1
    anagrpid     95:92  ANA group, since 1.4
    nsattr          99  attributes, since 1.4
    nvmsetid   101:100  NVM set, since 1.4
    endgid     103:102  endurance group, since 1.4
    nguid      119:104  namespace globally unique identifier, since 1.2
    eui64      127:120  IEEE extended unique identifier, since 1.1
    lbaf       383:128  LBA formats
    vs        4095:384  vendor specific
    """

    SIZE = 4096
    TEXT = "Identify Namespace of the NVM command set"

    class Nsfeat(_Word):
        """Bits of NSFEAT."""

        thinp = Bit(0, 0, "thin provisioning")
        nsabp = Bit(1, 1, "NAWUN, NAWUPF and NACWU are this namespace's")
        dae = Bit(2, 2, "reading a deallocated LBA may give an error (feature 05h)")
        uidreuse = Bit(3, 3, "NGUID and EUI64 are never used again")
        optperf = Bit(4, 4, "NPWG, NPWA, NPDG, NPDA and NOWS are there")
        optrperf = Bit(5, 5, "NPRG, NPRA and NORS are there")
        mam = Bit(6, 6, "multiple atomicity mode")

    class Flbas(_Word):
        """Bits of FLBAS."""

        lbafil = Bit(0, 3, "bits 3:0 of the index of the LBA format")
        mdbs = Bit(4, 4, "metadata follow the data of each LBA")
        lbafih = Bit(5, 6, "bits 5:4 of the index, used with more than 16 formats")

    class Mc(_Word):
        """Bits of MC."""

        mtelba = Bit(0, 0, "may follow the data")
        mtsmp = Bit(1, 1, "may be at MPTR")

    class Dpc(_Word):
        """Bits of DPC."""

        pit1s = Bit(0, 0, "type 1")
        pit2s = Bit(1, 1, "type 2")
        pit3s = Bit(2, 2, "type 3")
        piifb = Bit(3, 3, "in the first bytes of metadata")
        piilb = Bit(4, 4, "in the last bytes of metadata")

    class Dps(_Word):
        """Bits of DPS."""

        pit = Bit(0, 2, "type, 0: none")
        pip = Bit(3, 3, "in the first bytes of metadata")

    class Nmic(_Word):
        """Bits of NMIC."""

        shrns = Bit(0, 0, "several controllers may have it attached")
        disns = Bit(1, 1, "it is dispersed over several subsystems")

    class Rescap(_Word):
        """Bits of RESCAP."""

        ptpls = Bit(0, 0, "persist through power loss")
        wes = Bit(1, 1, "Write Exclusive")
        eas = Bit(2, 2, "Exclusive Access")
        wero = Bit(3, 3, "Write Exclusive, registrants only")
        earo = Bit(4, 4, "Exclusive Access, registrants only")
        wear = Bit(5, 5, "Write Exclusive, all registrants")
        eaar = Bit(6, 6, "Exclusive Access, all registrants")
        iekr = Bit(7, 7, "IEKEY of version 1.3 and later")

    class Fpi(_Word):
        """Bits of FPI."""

        remaining = Bit(0, 6, "part of a format that remains", "percent")
        supported = Bit(7, 7, "progress is reported")

    class Dlfeat(_Word):
        """Bits of DLFEAT."""

        rdb = Bit(0, 2, "data of deallocated LBAs: 0 not reported, 1 zeroes, 2 FFh")
        wzdb = Bit(3, 3, "Write Zeroes takes DEAC")
        gdsr = Bit(4, 4, "the guard of a deallocated LBA is its CRC")

    class Kpios(_Word):
        """Bits of KPIOS."""

        kpioens = Bit(0, 0, "enabled")
        kpiosns = Bit(1, 1, "supported")

    class Nsattr(_Word):
        """Bits of NSATTR."""

        wps = Bit(0, 0, "write protected")

    nsze = Field(0, Number(8), "size", "LBAs")
    ncap = Field(8, Number(8), "capacity", "LBAs")
    nuse = Field(16, Number(8), "utilization", "LBAs")
    nsfeat = Field(24, WordAt(1, Nsfeat), "features")
    nlbaf = Field(25, Number(1), "LBA formats", zeroes_based=True)
    flbas = Field(26, WordAt(1, Flbas), "LBA format that is in use")
    mc = Field(27, WordAt(1, Mc), "metadata")
    dpc = Field(28, WordAt(1, Dpc), "protection that it can have")
    dps = Field(29, WordAt(1, Dps), "protection that it has")
    nmic = Field(30, WordAt(1, Nmic), "sharing")
    rescap = Field(31, WordAt(1, Rescap), "reservations")
    fpi = Field(32, WordAt(1, Fpi), "format progress")
    dlfeat = Field(33, WordAt(1, Dlfeat), "deallocated LBAs")
    nawun = Field(34, Number(2), "atomic write unit, normal", "LBAs", zeroes_based=True)
    nawupf = Field(36, Number(2), "atomic write unit, power fail", "LBAs", zeroes_based=True)
    nacwu = Field(38, Number(2), "atomic compare and write unit", "LBAs", zeroes_based=True)
    nabsn = Field(40, Number(2), "atomic boundary size, normal", "LBAs", zeroes_based=True)
    nabo = Field(42, Number(2), "atomic boundary offset", "LBAs")
    nabspf = Field(44, Number(2), "atomic boundary size, power fail", "LBAs", zeroes_based=True)
    noiob = Field(46, Number(2), "optimal I/O boundary, 0: none", "LBAs")
    nvmcap = Field(48, Number(16), "NVM capacity", "bytes")
    npwg = Field(64, Number(2), "preferred write granularity", "LBAs", zeroes_based=True)
    npwa = Field(66, Number(2), "preferred write alignment", "LBAs", zeroes_based=True)
    npdg = Field(68, Number(2), "preferred deallocate granularity", "LBAs", zeroes_based=True)
    npda = Field(70, Number(2), "preferred deallocate alignment", "LBAs", zeroes_based=True)
    nows = Field(72, Number(2), "optimal write size", "LBAs", zeroes_based=True)
    mssrl = Field(74, Number(2), "Copy: LBAs of one source range", "LBAs")
    mcl = Field(76, Number(4), "Copy: LBAs of all source ranges", "LBAs")
    msrc = Field(80, Number(1), "Copy: source ranges", zeroes_based=True)
    kpios = Field(81, WordAt(1, Kpios), "key per I/O")
    nulbaf = Field(82, Number(1), "LBA formats whose attributes are unique")
    kpiodaag = Field(84, Number(4), "key per I/O granularity", "LBAs", zeroes_based=True)
    anagrpid = Field(92, Number(4), "ANA group")
    nsattr = Field(99, WordAt(1, Nsattr), "attributes")
    nvmsetid = Field(100, Number(2), "NVM set")
    endgid = Field(102, Number(2), "endurance group")
    nguid = Field(104, Raw(16), "namespace globally unique identifier")
    eui64 = Field(120, Raw(8), "IEEE extended unique identifier")
    lbaf = Elements(128, Nested(LbaFormat), 64, "LBA formats")
    vs = Field(384, Raw(3712), "vendor specific")


class NamespaceIdDescriptor(_Structure):
    """Namespace Identification Descriptor. Section 5.1.13.2.3. 4 bytes and what follows.

    nidt   0  kind of identifier, 0: the list ends here
    nidl   1  length of NID, bytes
    nid   4…  identifier
    """

    SIZE = 4
    VARIES = True
    TEXT = "Namespace Identification Descriptor"

    nidt = Field(0, Number(1, Nidt), "kind of identifier, 0: the list ends here")
    nidl = Field(1, Number(1), "length of NID", "bytes")
    nid = Rest(4, "identifier", counted_by="nidl")


class NamespaceIdList(_Structure):
    """Namespace Identification Descriptor list, CNS 03h. Section 5.1.13.2.3. 0 bytes and what follows.

    descriptors  0…  descriptors
    """

    SIZE = 0
    VARIES = True
    TEXT = "Namespace Identification Descriptor list, CNS 03h"

    descriptors = Elements(0, Nested(NamespaceIdDescriptor), None, "descriptors", ends_with="nidt")


class NvmSet(_Structure):
    """NVM Set Attributes Entry. Section 5.1.13.2.4. 128 bytes.

    nvmsetid      1:0  NVM set
    endgid        3:2  endurance group
    rr4kt        11:8  time of a random read of 4 KiB, 100 ns
    ows         15:12  optimal write size, bytes
    tnvmsetcap  31:16  total capacity, bytes
    unvmsetcap  47:32  unallocated capacity, bytes
    """

    SIZE = 128
    TEXT = "NVM Set Attributes Entry"

    nvmsetid = Field(0, Number(2), "NVM set")
    endgid = Field(2, Number(2), "endurance group")
    rr4kt = Field(8, Number(4), "time of a random read of 4 KiB", "100 ns")
    ows = Field(12, Number(4), "optimal write size", "bytes")
    tnvmsetcap = Field(16, Number(16), "total capacity", "bytes")
    unvmsetcap = Field(32, Number(16), "unallocated capacity", "bytes")


class NvmSetList(_Structure):
    """NVM Set List. Section 5.1.13.2.4. 4096 bytes.

    nid           0  entries
    entry  4095:128  NVM sets
    """

    SIZE = 4096
    TEXT = "NVM Set List"

    nid = Field(0, Number(1), "entries")
    entry = Elements(128, Nested(NvmSet), 31, "NVM sets", counted_by="nid")


class IdentifyNamespaceNvm(_Structure):
    """Identify Namespace, NVM command set specific. Section NVM 4.1.5.3. 4096 bytes.

    lbstm       7:0  mask of the storage tag
    pic           8  protection information
    pifa          9  protection information attributes, since 2.1
    elbaf    267:12  extended LBA formats
    npdgl   271:268  preferred deallocate granularity, large, LBAs, since 2.1
    nprg    275:272  preferred read granularity, LBAs, since 2.1
    npra    279:276  preferred read alignment, LBAs, since 2.1
    nors    283:280  optimal read size, LBAs, since 2.1
    npdal   287:284  preferred deallocate alignment, large, LBAs, since 2.1
    lbapss  291:288  LBA format placement shard size, LBAs, since 2.1
    tlbaag  295:292  tracked LBA allocation granularity, LBAs, since 2.1
    """

    SIZE = 4096
    TEXT = "Identify Namespace, NVM command set specific"

    class Pic(_Word):
        """Bits of PIC."""

        b16gpistsf = Bit(0, 0, "storage tags of 16-bit guards")
        b16gpistm = Bit(1, 1, "the mask of 16-bit guards may be changed")
        stcrs = Bit(2, 2, "the storage tag may be checked in reads")

    class Elbaf(_Word):
        """Bits of ELBAF."""

        sts = Bit(0, 6, "size of the storage tag", "bits")
        pif = Bit(7, 8, "protection information format", values=ProtectionInformationFormat)
        qpif = Bit(9, 12, "qualified protection information format")

    lbstm = Field(0, Number(8), "mask of the storage tag", hex=True)
    pic = Field(8, WordAt(1, Pic), "protection information")
    pifa = Field(9, Number(1), "protection information attributes")
    elbaf = Elements(12, WordAt(4, Elbaf), 64, "extended LBA formats")
    npdgl = Field(268, Number(4), "preferred deallocate granularity, large", "LBAs")
    nprg = Field(272, Number(4), "preferred read granularity", "LBAs")
    npra = Field(276, Number(4), "preferred read alignment", "LBAs")
    nors = Field(280, Number(4), "optimal read size", "LBAs")
    npdal = Field(284, Number(4), "preferred deallocate alignment, large", "LBAs")
    lbapss = Field(288, Number(4), "LBA format placement shard size", "LBAs")
    tlbaag = Field(292, Number(4), "tracked LBA allocation granularity", "LBAs")


class LbaFormatExtension(_Structure):
    """LBA Format Extension. Section ZNS 4.1.5.1. 16 bytes.

    zsze  7:0  zone size, LBAs
    zdes    8  zone descriptor extension, 64 bytes
    """

    SIZE = 16
    TEXT = "LBA Format Extension"

    zsze = Field(0, Number(8), "zone size", "LBAs")
    zdes = Field(8, Number(1), "zone descriptor extension", "64 bytes")


class IdentifyNamespaceZns(_Structure):
    """Identify Namespace, Zoned Namespace Command Set specific. Section ZNS 4.1.5.1. 4096 bytes.

    zoc            1:0  zone operations
    ozcs           3:2  optional capabilities
    mar            7:4  active zones at most, FFFFFFFFh: no limit, 0's based
    mor           11:8  open zones at most, FFFFFFFFh: no limit, 0's based
    rrl          15:12  reset recommended limit, s
    frl          19:16  finish recommended limit, s
    rrl1         23:20  reset recommended limit 1, s
    rrl2         27:24  reset recommended limit 2, s
    rrl3         31:28  reset recommended limit 3, s
    frl1         35:32  finish recommended limit 1, s
    frl2         39:36  finish recommended limit 2, s
    frl3         43:40  finish recommended limit 3, s
    numzrwa      47:44  zone random write areas, 0's based
    zrwafg       49:48  ZRWA flush granularity, LBAs
    zrwasz       51:50  ZRWA size, LBAs
    zrwacap         52  ZRWA
    lbafe    3839:2816  LBA format extensions
    vs       4095:3840  vendor specific
    """

    SIZE = 4096
    TEXT = "Identify Namespace, Zoned Namespace Command Set specific"

    class Zoc(_Word):
        """Bits of ZOC."""

        vzcap = Bit(0, 0, "zone capacities may change")
        zae = Bit(1, 1, "zones may become full of themselves")

    class Ozcs(_Word):
        """Bits of OZCS."""

        razb = Bit(0, 0, "reads may cross zone boundaries")
        zrwasup = Bit(1, 1, "zone random write area")

    class Zrwacap(_Word):
        """Bits of ZRWACAP."""

        expflushsup = Bit(0, 0, "explicit flush")

    zoc = Field(0, WordAt(2, Zoc), "zone operations")
    ozcs = Field(2, WordAt(2, Ozcs), "optional capabilities")
    mar = Field(4, Number(4), "active zones at most, FFFFFFFFh: no limit", zeroes_based=True)
    mor = Field(8, Number(4), "open zones at most, FFFFFFFFh: no limit", zeroes_based=True)
    rrl = Field(12, Number(4), "reset recommended limit", "s")
    frl = Field(16, Number(4), "finish recommended limit", "s")
    rrl1 = Field(20, Number(4), "reset recommended limit 1", "s")
    rrl2 = Field(24, Number(4), "reset recommended limit 2", "s")
    rrl3 = Field(28, Number(4), "reset recommended limit 3", "s")
    frl1 = Field(32, Number(4), "finish recommended limit 1", "s")
    frl2 = Field(36, Number(4), "finish recommended limit 2", "s")
    frl3 = Field(40, Number(4), "finish recommended limit 3", "s")
    numzrwa = Field(44, Number(4), "zone random write areas", zeroes_based=True)
    zrwafg = Field(48, Number(2), "ZRWA flush granularity", "LBAs")
    zrwasz = Field(50, Number(2), "ZRWA size", "LBAs")
    zrwacap = Field(52, WordAt(1, Zrwacap), "ZRWA")
    lbafe = Elements(2816, Nested(LbaFormatExtension), 64, "LBA format extensions")
    vs = Field(3840, Raw(256), "vendor specific")


class KvFormat(_Structure):
    """KV Format. Section KV 4.1.5.1. 16 bytes.

    kml    1:0  key length at most, bytes
    fopt     3  additional options
    vml    7:4  value length at most, bytes
    mnk   11:8  keys at most, 0: no limit
    """

    SIZE = 16
    TEXT = "KV Format"

    kml = Field(0, Number(2), "key length at most", "bytes")
    fopt = Field(3, Number(1), "additional options")
    vml = Field(4, Number(4), "value length at most", "bytes")
    mnk = Field(8, Number(4), "keys at most, 0: no limit")


class IdentifyNamespaceKv(_Structure):
    """Identify Namespace, Key Value Command Set specific. Section KV 4.1.5.1. 4096 bytes.

    nsze            7:0  size, bytes
    nuse          23:16  utilization, bytes
    nsfeat           24  features
    nkvf             25  KV formats, 0's based
    nmic             26  sharing
    rescap           27  reservations
    fpi              28  format progress
    novg          35:32  optimal value granularity, 0: not reported, bytes
    anagrpid      39:36  ANA group
    nsattr           43  attributes
    nvmsetid      45:44  NVM set
    endgid        47:46  endurance group
    nguid         63:48  namespace globally unique identifier
    eui64         71:64  IEEE extended unique identifier
    kvf          327:72  KV formats
    vs        4095:3840  vendor specific
    """

    SIZE = 4096
    TEXT = "Identify Namespace, Key Value Command Set specific"

    class Nsfeat(_Word):
        """Bits of NSFEAT."""

        uidreuse = Bit(3, 3, "NGUID and EUI64 are never used again")

    class Nmic(_Word):
        """Bits of NMIC."""

        shrns = Bit(0, 0, "several controllers may have it attached")
        disns = Bit(1, 1, "it is dispersed over several subsystems")

    class Rescap(_Word):
        """Bits of RESCAP."""

        ptpls = Bit(0, 0, "persist through power loss")
        wes = Bit(1, 1, "Write Exclusive")
        eas = Bit(2, 2, "Exclusive Access")
        wero = Bit(3, 3, "Write Exclusive, registrants only")
        earo = Bit(4, 4, "Exclusive Access, registrants only")
        wear = Bit(5, 5, "Write Exclusive, all registrants")
        eaar = Bit(6, 6, "Exclusive Access, all registrants")
        iekr = Bit(7, 7, "IEKEY of version 1.3 and later")

    class Fpi(_Word):
        """Bits of FPI."""

        remaining = Bit(0, 6, "part of a format that remains", "percent")
        supported = Bit(7, 7, "progress is reported")

    class Nsattr(_Word):
        """Bits of NSATTR."""

        wps = Bit(0, 0, "write protected")

    nsze = Field(0, Number(8), "size", "bytes")
    nuse = Field(16, Number(8), "utilization", "bytes")
    nsfeat = Field(24, WordAt(1, Nsfeat), "features")
    nkvf = Field(25, Number(1), "KV formats", zeroes_based=True)
    nmic = Field(26, WordAt(1, Nmic), "sharing")
    rescap = Field(27, WordAt(1, Rescap), "reservations")
    fpi = Field(28, WordAt(1, Fpi), "format progress")
    novg = Field(32, Number(4), "optimal value granularity, 0: not reported", "bytes")
    anagrpid = Field(36, Number(4), "ANA group")
    nsattr = Field(43, WordAt(1, Nsattr), "attributes")
    nvmsetid = Field(44, Number(2), "NVM set")
    endgid = Field(46, Number(2), "endurance group")
    nguid = Field(48, Raw(16), "namespace globally unique identifier")
    eui64 = Field(64, Raw(8), "IEEE extended unique identifier")
    kvf = Elements(72, Nested(KvFormat), 16, "KV formats")
    vs = Field(3840, Raw(256), "vendor specific")


class IdentifyControllerNvm(_Structure):
    """Identify Controller, NVM command set specific. Section NVM 4.1.5.4. 4096 bytes.

    vsl          0  Verify, 0: MDTS, 2^n pages of CAP.MPSMIN
    wzsl         1  Write Zeroes, 0: MDTS, 2^n pages of CAP.MPSMIN
    wusl         2  Write Uncorrectable, 0: MDTS, 2^n pages of CAP.MPSMIN
    dmrl         3  ranges of a Dataset Management, 0: no limit
    dmrsl      7:4  LBAs of one range, 0: no limit, LBAs
    dmsl      15:8  LBAs of all ranges, 0: no limit, LBAs
    kpiocap     16  key per I/O, since 2.1
    wzdsl       17  Write Zeroes with DEAC, 2^n pages of CAP.MPSMIN, since 2.1
    aocs     19:18  admin commands, since 2.1
    ver      23:20  version of the NVM Command Set Specification, since 2.1
    lbamqf      24  format of entries of an LBA migration queue, since 2.1
    """

    SIZE = 4096
    TEXT = "Identify Controller, NVM command set specific"

    class Ver(_Word):
        """Bits of VER."""

        ter = Bit(0, 7, "tertiary")
        mnr = Bit(8, 15, "minor")
        mjr = Bit(16, 31, "major")

    vsl = Field(0, Number(1), "Verify, 0: MDTS", "2^n pages of CAP.MPSMIN")
    wzsl = Field(1, Number(1), "Write Zeroes, 0: MDTS", "2^n pages of CAP.MPSMIN")
    wusl = Field(2, Number(1), "Write Uncorrectable, 0: MDTS", "2^n pages of CAP.MPSMIN")
    dmrl = Field(3, Number(1), "ranges of a Dataset Management, 0: no limit")
    dmrsl = Field(4, Number(4), "LBAs of one range, 0: no limit", "LBAs")
    dmsl = Field(8, Number(8), "LBAs of all ranges, 0: no limit", "LBAs")
    kpiocap = Field(16, Number(1), "key per I/O")
    wzdsl = Field(17, Number(1), "Write Zeroes with DEAC", "2^n pages of CAP.MPSMIN")
    aocs = Field(18, Number(2), "admin commands")
    ver = Field(20, WordAt(4, Ver), "version of the NVM Command Set Specification")
    lbamqf = Field(24, Number(1), "format of entries of an LBA migration queue")


class IdentifyControllerZns(_Structure):
    """Identify Controller, Zoned Namespace Command Set specific. Section ZNS 4.1.5.2. 4096 bytes.

    zasl  0  Zone Append, 0: MDTS, 2^n pages of CAP.MPSMIN
    """

    SIZE = 4096
    TEXT = "Identify Controller, Zoned Namespace Command Set specific"

    zasl = Field(0, Number(1), "Zone Append, 0: MDTS", "2^n pages of CAP.MPSMIN")


class IdentifyNamespaceIndependent(_Structure):
    """Identify Namespace, independent of the command set. Section 5.1.13.2.8. 4096 bytes.

    nsfeat        0  features
    nmic          1  sharing
    rescap        2  reservations
    fpi           3  format progress
    anagrpid    7:4  ANA group
    nsattr        8  attributes
    nvmsetid  11:10  NVM set
    endgid    13:12  endurance group
    nstat        14  status
    kpios        15  key per I/O, since 2.1
    maxkt     17:16  key tags at most, 0's based, since 2.1
    rgrpid    23:20  reachability group, since 2.1
    """

    SIZE = 4096
    TEXT = "Identify Namespace, independent of the command set"

    class Nsfeat(_Word):
        """Bits of NSFEAT."""

        uidreuse = Bit(3, 3, "NGUID and EUI64 are never used again")
        rmedia = Bit(4, 4, "rotational media")
        vwcnp = Bit(5, 5, "no volatile write cache")

    class Nmic(_Word):
        """Bits of NMIC."""

        shrns = Bit(0, 0, "several controllers may have it attached")
        disns = Bit(1, 1, "it is dispersed over several subsystems")

    class Rescap(_Word):
        """Bits of RESCAP."""

        ptpls = Bit(0, 0, "persist through power loss")
        wes = Bit(1, 1, "Write Exclusive")
        eas = Bit(2, 2, "Exclusive Access")
        wero = Bit(3, 3, "Write Exclusive, registrants only")
        earo = Bit(4, 4, "Exclusive Access, registrants only")
        wear = Bit(5, 5, "Write Exclusive, all registrants")
        eaar = Bit(6, 6, "Exclusive Access, all registrants")
        iekr = Bit(7, 7, "IEKEY of version 1.3 and later")

    class Fpi(_Word):
        """Bits of FPI."""

        remaining = Bit(0, 6, "part of a format that remains", "percent")
        supported = Bit(7, 7, "progress is reported")

    class Nsattr(_Word):
        """Bits of NSATTR."""

        wps = Bit(0, 0, "write protected")

    class Nstat(_Word):
        """Bits of NSTAT."""

        nrdy = Bit(0, 0, "ready")

    nsfeat = Field(0, WordAt(1, Nsfeat), "features")
    nmic = Field(1, WordAt(1, Nmic), "sharing")
    rescap = Field(2, WordAt(1, Rescap), "reservations")
    fpi = Field(3, WordAt(1, Fpi), "format progress")
    anagrpid = Field(4, Number(4), "ANA group")
    nsattr = Field(8, WordAt(1, Nsattr), "attributes")
    nvmsetid = Field(10, Number(2), "NVM set")
    endgid = Field(12, Number(2), "endurance group")
    nstat = Field(14, WordAt(1, Nstat), "status")
    kpios = Field(15, Number(1), "key per I/O")
    maxkt = Field(16, Number(2), "key tags at most", zeroes_based=True)
    rgrpid = Field(20, Number(4), "reachability group")


class NamespaceList(_Structure):
    """Namespace List: CNS 02h, 07h, 10h and 1Ah, and log page 04h. Section 4.4.2. 4096 bytes.

    nsid  4095:0  NSIDs, ascending; 0: the list ends here
    """

    SIZE = 4096
    TEXT = "Namespace List: CNS 02h, 07h, 10h and 1Ah, and log page 04h"

    nsid = Elements(0, Number(4), 1024, "NSIDs, ascending; 0: the list ends here")


class ControllerList(_Structure):
    """Controller List: CNS 12h and 13h, and the data of Namespace Attachment. Section 4.4.1. 4096 bytes.

    numids     1:0  identifiers
    cntlid  4095:2  controllers, ascending
    """

    SIZE = 4096
    TEXT = "Controller List: CNS 12h and 13h, and the data of Namespace Attachment"

    numids = Field(0, Number(2), "identifiers")
    cntlid = Elements(2, Number(2), 2047, "controllers, ascending", counted_by="numids")


class PrimaryControllerCapabilities(_Structure):
    """Primary Controller Capabilities. Section 5.1.13.3.1. 4096 bytes.

    cntlid    1:0  controller ID
    portid    3:2  port
    crt         4  resources
    vqfrt   35:32  VQ flexible resources, total
    vqrfa   39:36  VQ flexible resources, assigned to secondary controllers
    vqrfap  41:40  VQ flexible resources, of the primary controller
    vqprt   43:42  VQ private resources, total
    vqfrsm  45:44  VQ flexible resources of a secondary controller at most
    vqgran  47:46  VQ granularity
    vifrt   67:64  VI flexible resources, total
    virfa   71:68  VI flexible resources, assigned to secondary controllers
    virfap  73:72  VI flexible resources, of the primary controller
    viprt   75:74  VI private resources, total
    vifrsm  77:76  VI flexible resources of a secondary controller at most
    vigran  79:78  VI granularity
    """

    SIZE = 4096
    TEXT = "Primary Controller Capabilities"

    class Crt(_Word):
        """Bits of CRT."""

        vqrs = Bit(0, 0, "VQ resources")
        virs = Bit(1, 1, "VI resources")

    cntlid = Field(0, Number(2), "controller ID")
    portid = Field(2, Number(2), "port")
    crt = Field(4, WordAt(1, Crt), "resources")
    vqfrt = Field(32, Number(4), "VQ flexible resources, total")
    vqrfa = Field(36, Number(4), "VQ flexible resources, assigned to secondary controllers")
    vqrfap = Field(40, Number(2), "VQ flexible resources, of the primary controller")
    vqprt = Field(42, Number(2), "VQ private resources, total")
    vqfrsm = Field(44, Number(2), "VQ flexible resources of a secondary controller at most")
    vqgran = Field(46, Number(2), "VQ granularity")
    vifrt = Field(64, Number(4), "VI flexible resources, total")
    virfa = Field(68, Number(4), "VI flexible resources, assigned to secondary controllers")
    virfap = Field(72, Number(2), "VI flexible resources, of the primary controller")
    viprt = Field(74, Number(2), "VI private resources, total")
    vifrsm = Field(76, Number(2), "VI flexible resources of a secondary controller at most")
    vigran = Field(78, Number(2), "VI granularity")


class SecondaryController(_Structure):
    """Secondary Controller Entry. Section 5.1.13.3.2. 32 bytes.

    scid    1:0  secondary controller
    pcid    3:2  its primary controller
    scs       4  state
    vfn     9:8  virtual function
    nvq   11:10  VQ flexible resources
    nvi   13:12  VI flexible resources
    """

    SIZE = 32
    TEXT = "Secondary Controller Entry"

    class Scs(_Word):
        """Bits of SCS."""

        scst = Bit(0, 0, "online")

    scid = Field(0, Number(2), "secondary controller")
    pcid = Field(2, Number(2), "its primary controller")
    scs = Field(4, WordAt(1, Scs), "state")
    vfn = Field(8, Number(2), "virtual function")
    nvq = Field(10, Number(2), "VQ flexible resources")
    nvi = Field(12, Number(2), "VI flexible resources")


class SecondaryControllerList(_Structure):
    """Secondary Controller List. Section 5.1.13.3.2. 4096 bytes.

    num          0  entries
    entry  4095:32  secondary controllers
    """

    SIZE = 4096
    TEXT = "Secondary Controller List"

    num = Field(0, Number(1), "entries")
    entry = Elements(32, Nested(SecondaryController), 127, "secondary controllers", counted_by="num")


class NamespaceGranularity(_Structure):
    """Namespace Granularity Descriptor. Section NVM 4.1.5.6. 16 bytes.

    nszegran   7:0  granularity of NSZE, bytes
    ncapgran  15:8  granularity of NCAP, bytes
    """

    SIZE = 16
    TEXT = "Namespace Granularity Descriptor"

    nszegran = Field(0, Number(8), "granularity of NSZE", "bytes")
    ncapgran = Field(8, Number(8), "granularity of NCAP", "bytes")


class NamespaceGranularityList(_Structure):
    """Namespace Granularity List. Section NVM 4.1.5.6. 4096 bytes.

    attributes     3:0  attributes
    num              4  descriptors, 0's based
    entry       287:32  descriptors
    """

    SIZE = 4096
    TEXT = "Namespace Granularity List"

    class Attributes(_Word):
        """Bits of ATTRIBUTES."""

        gdv = Bit(0, 0, "descriptor n belongs to LBA format n")

    attributes = Field(0, WordAt(4, Attributes), "attributes")
    num = Field(4, Number(1), "descriptors", zeroes_based=True)
    entry = Elements(32, Nested(NamespaceGranularity), 16, "descriptors")


class UuidEntry(_Structure):
    """UUID List Entry. Section 5.1.13.2.15. 32 bytes.

    header      0  header
    uuid    31:16  UUID, 0: the list ends here
    """

    SIZE = 32
    TEXT = "UUID List Entry"

    class Header(_Word):
        """Bits of HEADER."""

        idassoc = Bit(0, 1, "assigned by: 0 not reported, 1 VID, 2 SSVID")

    header = Field(0, WordAt(1, Header), "header")
    uuid = Field(16, Raw(16), "UUID, 0: the list ends here")


class UuidList(_Structure):
    """UUID List. Section 5.1.13.2.15. 4096 bytes.

    entry  4095:32  UUIDs; entry 0 is UUID index 1
    """

    SIZE = 4096
    TEXT = "UUID List"

    entry = Elements(32, Nested(UuidEntry), 127, "UUIDs; entry 0 is UUID index 1")


class Domain(_Structure):
    """Domain Attributes Entry. Section 5.1.13.2.16. 128 bytes.

    domainid      1:0  domain
    tdomaincap  31:16  total capacity, bytes
    udomaincap  47:32  unallocated capacity, bytes
    mdegcap     63:48  capacity of an endurance group at most, bytes
    """

    SIZE = 128
    TEXT = "Domain Attributes Entry"

    domainid = Field(0, Number(2), "domain")
    tdomaincap = Field(16, Number(16), "total capacity", "bytes")
    udomaincap = Field(32, Number(16), "unallocated capacity", "bytes")
    mdegcap = Field(48, Number(16), "capacity of an endurance group at most", "bytes")


class DomainList(_Structure):
    """Domain List. Section 5.1.13.2.16. 4096 bytes.

    num           0  entries
    entry  4095:128  domains
    """

    SIZE = 4096
    TEXT = "Domain List"

    num = Field(0, Number(1), "entries")
    entry = Elements(128, Nested(Domain), 31, "domains", counted_by="num")


class EnduranceGroupList(_Structure):
    """Endurance Group List. Section 5.1.13.2.17. 4096 bytes.

    num        1:0  identifiers
    endgid  4095:2  endurance groups, ascending
    """

    SIZE = 4096
    TEXT = "Endurance Group List"

    num = Field(0, Number(2), "identifiers")
    endgid = Elements(2, Number(2), 2047, "endurance groups, ascending", counted_by="num")


class CommandSetVectors(_Structure):
    """I/O Command Set Vectors. Section 5.1.13.2.20. 4096 bytes.

    iocsc  4095:0  combinations of command sets that feature 19h selects, bit = CSI
    """

    SIZE = 4096
    TEXT = "I/O Command Set Vectors"

    class Iocsc(_Word):
        """Bits of IOCSC."""

        nvmcs = Bit(0, 0, "NVM")
        kvcs = Bit(1, 1, "Key Value")
        zncs = Bit(2, 2, "Zoned Namespace")
        slmcs = Bit(3, 3, "Subsystem Local Memory")
        cpncs = Bit(4, 4, "Computational Programs")

    iocsc = Elements(0, WordAt(8, Iocsc), 512, "combinations of command sets that feature 19h selects, bit = CSI")


class UnderlyingNs(_Structure):
    """Underlying Namespace Entry. Section 5.1.13.4.1. 320 bytes.

    unsnqn    255:0  NQN of the subsystem that has the namespace
    nsid    259:256  namespace there
    cntlid  261:260  controller there
    """

    SIZE = 320
    TEXT = "Underlying Namespace Entry"

    unsnqn = Field(0, Text(256, "\0"), "NQN of the subsystem that has the namespace")
    nsid = Field(256, Number(4), "namespace there")
    cntlid = Field(260, Number(2), "controller there")


class UnderlyingNsList(_Structure):
    """Underlying Namespace List. Section 5.1.13.4.1. 16 bytes and what follows.

    genctr   7:0  generation counter
    nument  15:8  entries
    entry    16…  namespaces
    """

    SIZE = 16
    VARIES = True
    TEXT = "Underlying Namespace List"

    genctr = Field(0, Number(8), "generation counter")
    nument = Field(8, Number(8), "entries")
    entry = Elements(16, Nested(UnderlyingNs), None, "namespaces", counted_by="nument")


class Port(_Structure):
    """Port Entry. Section 5.1.13.4.2. 576 bytes.

    traddr    255:0  transport address
    tsas    511:256  transport specific address subtype
    pid     513:512  port
    trtype      514  transport type
    adrfam      515  address family
    treq        516  transport requirements
    """

    SIZE = 576
    TEXT = "Port Entry"

    traddr = Field(0, Text(256), "transport address")
    tsas = Field(256, Raw(256), "transport specific address subtype")
    pid = Field(512, Number(2), "port")
    trtype = Field(514, Number(1), "transport type")
    adrfam = Field(515, Number(1), "address family")
    treq = Field(516, Number(1), "transport requirements")


class PortsList(_Structure):
    """Ports List. Section 5.1.13.4.2. 16 bytes and what follows.

    genctr   7:0  generation counter
    nument  15:8  entries
    entry    16…  ports
    """

    SIZE = 16
    VARIES = True
    TEXT = "Ports List"

    genctr = Field(0, Number(8), "generation counter")
    nument = Field(8, Number(8), "entries")
    entry = Elements(16, Nested(Port), None, "ports", counted_by="nument")


class ControllerStateFormats(_Structure):
    """Supported Controller State Formats. Section 5.1.13.2.21. 2 bytes and what follows.

    nv        0  versions of the NVMe controller state
    nuuid     1  UUIDs of vendor specific states
    formats  2…  the versions, 2 bytes each, then the UUIDs
    """

    SIZE = 2
    VARIES = True
    TEXT = "Supported Controller State Formats"

    nv = Field(0, Number(1), "versions of the NVMe controller state")
    nuuid = Field(1, Number(1), "UUIDs of vendor specific states")
    formats = Rest(2, "the versions, 2 bytes each, then the UUIDs")


IDENTIFY: dict[tuple[int, Optional[int]], type[_Structure]] = {
    (0x00, None): IdentifyNamespace,
    (0x01, None): IdentifyController,
    (0x02, None): NamespaceList,
    (0x03, None): NamespaceIdList,
    (0x04, None): NvmSetList,
    (0x05, 0x00): IdentifyNamespaceNvm,
    (0x05, 0x01): IdentifyNamespaceKv,
    (0x05, 0x02): IdentifyNamespaceZns,
    (0x06, 0x00): IdentifyControllerNvm,
    (0x06, 0x02): IdentifyControllerZns,
    (0x07, None): NamespaceList,
    (0x08, None): IdentifyNamespaceIndependent,
    (0x09, None): IdentifyNamespace,
    (0x0A, 0x00): IdentifyNamespaceNvm,
    (0x0A, 0x01): IdentifyNamespaceKv,
    (0x0A, 0x02): IdentifyNamespaceZns,
    (0x10, None): NamespaceList,
    (0x11, None): IdentifyNamespace,
    (0x12, None): ControllerList,
    (0x13, None): ControllerList,
    (0x14, None): PrimaryControllerCapabilities,
    (0x15, None): SecondaryControllerList,
    (0x16, None): NamespaceGranularityList,
    (0x17, None): UuidList,
    (0x18, None): DomainList,
    (0x19, None): EnduranceGroupList,
    (0x1A, None): NamespaceList,
    (0x1B, 0x00): IdentifyNamespaceNvm,
    (0x1B, 0x01): IdentifyNamespaceKv,
    (0x1B, 0x02): IdentifyNamespaceZns,
    (0x1C, None): CommandSetVectors,
    (0x1D, None): UnderlyingNsList,
    (0x1E, None): PortsList,
    (0x1F, None): IdentifyNamespaceIndependent,
    (0x20, None): ControllerStateFormats,
}
"""The structure that Identify returns, by CNS and CSI. If CSI is None, all command sets have it."""
