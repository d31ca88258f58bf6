# SPDX-License-Identifier: BSD-3-Clause
"""Registers of an NVMe controller in BAR0.

Generated from spec/registers.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word


class Register(IntEnum):
    """Offsets in BAR0. Section 3.1.4."""

    CAP = 0x00  # 64 bits: controller capabilities
    VS = 0x08  # version
    INTMS = 0x0C  # interrupt mask set
    INTMC = 0x10  # interrupt mask clear
    CC = 0x14  # controller configuration
    CSTS = 0x1C  # controller status
    NSSR = 0x20  # NVM subsystem reset
    AQA = 0x24  # admin queue attributes
    ASQ = 0x28  # 64 bits: admin submission queue base address
    ACQ = 0x30  # 64 bits: admin completion queue base address
    CMBLOC = 0x38  # controller memory buffer location
    CMBSZ = 0x3C  # controller memory buffer size
    BPINFO = 0x40  # boot partition information
    BPRSEL = 0x44  # boot partition read select
    BPMBL = 0x48  # 64 bits: boot partition memory buffer location
    CMBMSC = 0x50  # 64 bits: controller memory buffer memory space control
    CMBSTS = 0x58  # controller memory buffer status
    CMBEBS = 0x5C  # controller memory buffer elasticity buffer size
    CMBSWTP = 0x60  # controller memory buffer sustained write throughput
    NSSD = 0x64  # NVM subsystem shutdown
    CRTO = 0x68  # controller ready timeouts
    PMRCAP = 0xE00  # persistent memory region capabilities
    PMRCTL = 0xE04  # persistent memory region control
    PMRSTS = 0xE08  # persistent memory region status
    PMREBS = 0xE0C  # persistent memory region elasticity buffer size
    PMRSWTP = 0xE10  # persistent memory region sustained write throughput
    PMRMSCL = 0xE14  # persistent memory region memory space control, low
    PMRMSCU = 0xE18  # persistent memory region memory space control, high
    DOORBELLS = 0x1000  # SQ0TDBL; the others follow, (4 << CAP.DSTRD) bytes apart


class Version(IntEnum):
    """VS, and Identify's VER: major << 16 | minor << 8 | tertiary. Section 3.1.4.2."""

    V1_0 = 0x00010000
    V1_1 = 0x00010100
    V1_2 = 0x00010200
    V1_2_1 = 0x00010201
    V1_3 = 0x00010300
    V1_4 = 0x00010400
    V2_0 = 0x00020000
    V2_1 = 0x00020100


class CapCommandSets(IntEnum):
    """CAP.CSS: the command sets, one a bit. Section 3.1.4.1."""

    NVM = 0x01
    ALL = 0x40  # all that CNS 1Ch lists
    ADMIN = 0x80  # none


class CcCommandSet(IntEnum):
    """CC.CSS. Section 3.1.4.5."""

    NVM = 0
    ALL = 6  # all that feature 19h selects
    ADMIN = 7  # none


class ArbitrationMechanism(IntEnum):
    """CC.AMS. Section 3.1.4.5."""

    ROUND_ROBIN = 0
    WEIGHTED_ROUND_ROBIN = 1  # with an urgent priority class
    VENDOR = 7  # vendor specific


class ShutdownNotification(IntEnum):
    """CC.SHN. Section 3.1.4.5."""

    NONE = 0
    NORMAL = 1
    ABRUPT = 2


class ShutdownStatus(IntEnum):
    """CSTS.SHST. Section 3.1.4.6."""

    NORMAL = 0  # no shutdown was asked for
    OCCURRING = 1
    COMPLETE = 2


class Cap(_Word):
    """CAP, controller capabilities. Section 3.1.4.1."""

    mqes = Bit(0, 15, "largest queue, entries", zeroes_based=True)
    cqr = Bit(16, 16, "queues must be physically contiguous")
    ams = Bit(17, 18, "arbitration: bit 0 WRR, bit 1 vendor")
    to = Bit(24, 31, "ready timeout", "500 ms")
    dstrd = Bit(32, 35, "doorbell stride: 4 << DSTRD bytes")
    nssrs = Bit(36, 36, "NVM subsystem reset supported")
    css = Bit(37, 44, "command sets: bit 0 NVM, 6 I/O sets, 7 admin only")
    bps = Bit(45, 45, "boot partitions")
    cps = Bit(46, 47, "power scope of the controller")
    mpsmin = Bit(48, 51, "smallest memory page: 2^(12+MPSMIN)")
    mpsmax = Bit(52, 55, "largest memory page: 2^(12+MPSMAX)")
    pmrs = Bit(56, 56, "persistent memory region")
    cmbs = Bit(57, 57, "controller memory buffer")
    nsss = Bit(58, 58, "NVM subsystem shutdown")
    crms = Bit(59, 60, "bit 0 with media (CRWMS), bit 1 independent (CRIMS)")
    nsses = Bit(61, 61, "NVM subsystem shutdown enhancements")


class Vs(_Word):
    """VS, version. Section 3.1.4.2."""

    ter = Bit(0, 7, "tertiary")
    mnr = Bit(8, 15, "minor")
    mjr = Bit(16, 31, "major")


class Cc(_Word):
    """CC, controller configuration. Section 3.1.4.5."""

    en = Bit(0, 0, "enable")
    css = Bit(4, 6, "command set", values=CcCommandSet)
    mps = Bit(7, 10, "memory page: 2^(12+MPS) bytes")
    ams = Bit(11, 13, "arbitration", values=ArbitrationMechanism)
    shn = Bit(14, 15, "01b normal, 10b abrupt shutdown", values=ShutdownNotification)
    iosqes = Bit(16, 19, "6: entries of 64 bytes")
    iocqes = Bit(20, 23, "4: entries of 16 bytes")
    crime = Bit(24, 24, "ready independent of media")


class Csts(_Word):
    """CSTS, controller status. Section 3.1.4.6."""

    rdy = Bit(0, 0, "ready")
    cfs = Bit(1, 1, "controller fatal status")
    shst = Bit(2, 3, "00b none, 01b in progress, 10b complete", values=ShutdownStatus)
    nssro = Bit(4, 4, "subsystem reset occurred, write 1 to clear")
    pp = Bit(5, 5, "processing is paused")
    st = Bit(6, 6, "SHST is of a shutdown of the subsystem")


class Aqa(_Word):
    """AQA, admin queue attributes. Section 3.1.4.8."""

    asqs = Bit(0, 11, "submission queue, entries", zeroes_based=True)
    acqs = Bit(16, 27, "completion queue, entries", zeroes_based=True)


class Cmbloc(_Word):
    """CMBLOC, controller memory buffer location. Section 3.1.4.11."""

    bir = Bit(0, 2, "which BAR")
    cqmms = Bit(3, 3, "queues may mix memory")
    cqpds = Bit(4, 4, "queues may be discontiguous")
    cdpmls = Bit(5, 5, "data pointers may mix locations")
    cdpcils = Bit(6, 6, "data pointers and commands are independent")
    cdmmms = Bit(7, 7, "data may mix memory")
    cqda = Bit(8, 8, "queues need no alignment to dwords")
    ofst = Bit(12, 31, "offset", "CMBSZ.SZU")


class Cmbsz(_Word):
    """CMBSZ, controller memory buffer size. Section 3.1.4.12."""

    sqs = Bit(0, 0, "submission queues may be there")
    cqs = Bit(1, 1, "completion queues may be there")
    lists = Bit(2, 2, "PRP and SGL lists")
    rds = Bit(3, 3, "data from the controller")
    wds = Bit(4, 4, "data to the controller")
    szu = Bit(8, 11, "units of 4 KiB × 16^SZU, up to 6")
    sz = Bit(12, 31, "size", "SZU")


class Bpinfo(_Word):
    """BPINFO, boot partition information. Section 3.1.4.13."""

    bpsz = Bit(0, 14, "size", "128 KiB")
    brs = Bit(24, 25, "read: 0 none, 1 in progress, 2 done, 3 failed")
    abpid = Bit(31, 31, "active boot partition")


class Bprsel(_Word):
    """BPRSEL, boot partition read select. Section 3.1.4.14."""

    bprsz = Bit(0, 9, "bytes to read", "4 KiB")
    bprof = Bit(10, 29, "offset", "4 KiB")
    bpid = Bit(31, 31, "boot partition")


class Cmbmsc(_Word):
    """CMBMSC, controller memory buffer memory space control. Section 3.1.4.16."""

    cre = Bit(0, 0, "capability registers enabled")
    cmse = Bit(1, 1, "memory space enabled")
    cba = Bit(12, 63, "address", "4 KiB")


class Cmbsts(_Word):
    """CMBSTS, controller memory buffer status. Section 3.1.4.17."""

    cbai = Bit(0, 0, "the address of CMBMSC is invalid")


class Cmbebs(_Word):
    """CMBEBS, controller memory buffer elasticity buffer size. Section 3.1.4.18."""

    cmbszu = Bit(0, 3, "unit: 0 bytes, 1 KiB, 2 MiB, 3 GiB")
    rbb = Bit(4, 4, "reads of the buffer do not wait")
    cmbwbz = Bit(8, 31, "size")


class Cmbswtp(_Word):
    """CMBSWTP, controller memory buffer sustained write throughput. Section 3.1.4.19."""

    swtu = Bit(0, 3, "unit: 0 bytes, 1 KiB, 2 MiB, 3 GiB a second")
    swtv = Bit(8, 31, "throughput")


class Crto(_Word):
    """CRTO, controller ready timeouts. Section 3.1.4.21."""

    crwmt = Bit(0, 15, "ready with media timeout", "500 ms")
    crimt = Bit(16, 31, "ready independent of media timeout", "500 ms")


class Pmrcap(_Word):
    """PMRCAP, persistent memory region capabilities. Section 3.1.4.22."""

    rds = Bit(3, 3, "data from the controller")
    wds = Bit(4, 4, "data to the controller")
    bir = Bit(5, 7, "which BAR")
    pmrtu = Bit(8, 9, "unit of PMRTO: 0 500 ms, 1 minutes")
    pmrwbm = Bit(10, 13, "write barrier: bit 0 a read of memory, bit 1 a read of PMRSTS")
    pmrto = Bit(16, 23, "timeout", "PMRTU")
    cmss = Bit(24, 24, "controller memory space")


class Pmrctl(_Word):
    """PMRCTL, persistent memory region control. Section 3.1.4.23."""

    en = Bit(0, 0, "enable")


class Pmrsts(_Word):
    """PMRSTS, persistent memory region status. Section 3.1.4.24."""

    err = Bit(0, 7, "errors of the latest write")
    nrdy = Bit(8, 8, "not ready")
    hsts = Bit(9, 11, "health: 0 normal, 1 restore error, 2 read-only, 3 unreliable")
    cbai = Bit(12, 12, "the address of PMRMSC is invalid")


class Pmrebs(_Word):
    """PMREBS, persistent memory region elasticity buffer size. Section 3.1.4.25."""

    pmrszu = Bit(0, 3, "unit: 0 bytes, 1 KiB, 2 MiB, 3 GiB")
    rbb = Bit(4, 4, "reads of the region do not wait")
    pmrwbz = Bit(8, 31, "size")


class Pmrswtp(_Word):
    """PMRSWTP, persistent memory region sustained write throughput. Section 3.1.4.26."""

    swtu = Bit(0, 3, "unit: 0 bytes, 1 KiB, 2 MiB, 3 GiB a second")
    swtv = Bit(8, 31, "throughput")


class Pmrmscl(_Word):
    """PMRMSCL, persistent memory region memory space control, low. Section 3.1.4.27."""

    cmse = Bit(1, 1, "memory space enabled")
    cba = Bit(12, 31, "address, low", "4 KiB")


REGISTERS: dict[int, type[_Word]] = {
    0x00: Cap,
    0x08: Vs,
    0x14: Cc,
    0x1C: Csts,
    0x24: Aqa,
    0x38: Cmbloc,
    0x3C: Cmbsz,
    0x40: Bpinfo,
    0x44: Bprsel,
    0x50: Cmbmsc,
    0x58: Cmbsts,
    0x5C: Cmbebs,
    0x60: Cmbswtp,
    0x68: Crto,
    0xE00: Pmrcap,
    0xE04: Pmrctl,
    0xE08: Pmrsts,
    0xE0C: Pmrebs,
    0xE10: Pmrswtp,
    0xE14: Pmrmscl,
}
"""What is in a register, by its offset in BAR0."""
