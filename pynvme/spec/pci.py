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
    MSI = 0x05
    EXP = 0x10
    MSIX = 0x11


class PciExtendedCapability(IntEnum):
    """Extended capabilities: bits 15:0 ID, 19:16 version, 31:20 offset of the next (0: the last)."""

    AER = 0x0001
    DSN = 0x0003
    SRIOV = 0x0010
    LTR = 0x0018
    L1PM = 0x001E


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

    address = Field(0, Number(8), "address of the message")
    data = Field(8, Number(4), "data of the message")
    control = Field(12, WordAt(4, Control), "vector control")
