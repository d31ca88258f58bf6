# SPDX-License-Identifier: BSD-3-Clause
"""Registers of an NVMe controller in BAR0.

Made from spec/registers.py by `python -m tools.specgen`: change it there.
"""

from enum import IntEnum


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
