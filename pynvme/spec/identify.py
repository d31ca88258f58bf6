# SPDX-License-Identifier: BSD-3-Clause
"""What Identify returns, by the value of its CNS field.

Made from spec/identify.py by `python -m tools.specgen`: change it there.
"""

from enum import IntEnum


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
    INDEPENDENT_NS = 0x08  # Identify Namespace, what all command sets share
    CSI_NS_USER_FORMATS = 0x09  # Identify Namespace, of a format that CDW11 names
    CSI_NS_FORMATS = 0x0A  # as 05h, of a format that CDW11 names
    ALLOCATED_NS_LIST = 0x10  # as 02h, allocated namespaces
    ALLOCATED_NS = 0x11  # as 00h, an allocated namespace
    NS_CTRL_LIST = 0x12  # controllers that the namespace is attached to
    CTRL_LIST = 0x13  # controllers of the subsystem
    PRIMARY_CTRL_CAPS = 0x14  # resources of a primary controller
    SECONDARY_CTRL_LIST = 0x15  # secondary controllers of this primary one
    NS_GRANULARITY = 0x16  # sizes that suit namespaces
    UUID_LIST = 0x17  # UUIDs that select what is vendor specific
    DOMAIN_LIST = 0x18  # domains of the subsystem
    ENDURANCE_GROUP_LIST = 0x19  # endurance groups above CDW11.ENDGID
    CSI_ALLOCATED_NS_LIST = 0x1A  # as 10h, those of the command set CSI
    CSI_ALLOCATED_NS = 0x1B  # as 05h, an allocated namespace
    COMMAND_SETS = 0x1C  # 512 vectors of 64 bits, bit = CSI


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


class PowerScale(IntEnum):
    """scale of IDLP and ACTP. Section 5.1.13.2.1."""

    NOT_REPORTED = 0
    UNITS_0_0001_W = 1
    UNITS_0_01_W = 2


class ProtectionInformationFormat(IntEnum):
    """formats of protection information. Section NVM 4.1.5.3."""

    GUARD16 = 0
    GUARD32 = 1
    GUARD64 = 2
    QUALIFIED = 3
