# SPDX-License-Identifier: BSD-3-Clause
"""RPMB: the frames of Security Send and Security Receive with protocol EAh, and the Device Configuration Block.

Generated from spec/rpmb.py by `python -m tools.specgen`. Change it there.
"""

from enum import IntEnum
from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number
from pynvme.structure import Raw, Rest, Text, WordAt
from pynvme.structure import Structure as _Structure
from pynvme.structure import Word as _Word


class RpmbMessage(IntEnum):
    """request and response messages of RPMB. Section 8.1.21."""

    PROGRAM_KEY = 0x0001  # Authentication Key programming
    READ_COUNTER = 0x0002  # reading of the Write Counter
    WRITE = 0x0003  # Authenticated Data Write
    READ = 0x0004  # Authenticated Data Read
    READ_RESULT = 0x0005  # Result read
    WRITE_CONFIGURATION = 0x0006  # Authenticated Device Configuration Block Write
    READ_CONFIGURATION = 0x0007  # Authenticated Device Configuration Block Read
    KEY_PROGRAMMED = 0x0100  # response to 0001h
    COUNTER_READ = 0x0200  # response to 0002h
    WRITTEN = 0x0300  # response to 0003h
    DATA_READ = 0x0400  # response to 0004h
    CONFIGURATION_WRITTEN = 0x0600  # response to 0006h
    CONFIGURATION_READ = 0x0700  # response to 0007h


class RpmbResult(IntEnum):
    """status of an RPMB operation, bits 6:0 of the result. Section 8.1.21."""

    SUCCESS = 0x00
    GENERAL_FAILURE = 0x01
    AUTHENTICATION_FAILURE = 0x02  # the MAC does not match
    COUNTER_FAILURE = 0x03  # the Write Counter does not match
    ADDRESS_FAILURE = 0x04  # the address is out of range
    WRITE_FAILURE = 0x05
    READ_FAILURE = 0x06
    NO_KEY = 0x07  # the Authentication Key is not programmed yet
    INVALID_CONFIGURATION = 0x08  # invalid Device Configuration Block


class RpmbFrame(_Structure):
    """RPMB Data Frame, which data may follow. Section 8.1.21. 256 bytes.

    mac      222:191  message authentication code, or the key
    target       223  RPMB target
    nonce    239:224  random number of the host, which the response repeats
    counter  243:240  Write Counter
    address  247:244  first sector, 512 bytes
    sectors  251:248  sectors, 512 bytes
    result   253:252  result
    message  255:254  request or response
    """

    SIZE = 256
    TEXT = "RPMB Data Frame, which data may follow"

    class Result(_Word):
        """Bits of RESULT."""

        status = Bit(0, 6, "status of the operation", values=RpmbResult)
        expired = Bit(7, 7, "the Write Counter has reached its maximum")

    mac = Field(191, Raw(32), "message authentication code, or the key")
    target = Field(223, Number(1), "RPMB target")
    nonce = Field(224, Raw(16), "random number of the host, which the response repeats")
    counter = Field(240, Number(4), "Write Counter")
    address = Field(244, Number(4), "first sector", "512 bytes")
    sectors = Field(248, Number(4), "sectors", "512 bytes")
    result = Field(252, WordAt(2, Result), "result")
    message = Field(254, Number(2, RpmbMessage), "request or response")


class RpmbConfiguration(_Structure):
    """RPMB Device Configuration Block. Section 8.1.21. 512 bytes.

    bppe  0  boot partition protection by RPMB
    bpl   1  locks of boot partitions
    wpc   2  which write protection of namespaces Set Features may set
    """

    SIZE = 512
    TEXT = "RPMB Device Configuration Block"

    class Bppe(_Word):
        """Bits of BPPE."""

        enabled = Bit(0, 0, "1: enabled, for ever")

    class Bpl(_Word):
        """Bits of BPL."""

        bp0 = Bit(0, 0, "boot partition 0 is write locked")
        bp1 = Bit(1, 1, "boot partition 1 is write locked")

    class Wpc(_Word):
        """Bits of WPC."""

        until_power_cycle = Bit(0, 0, "Write Protect Until Power Cycle")
        permanent = Bit(1, 1, "Permanent Write Protect")

    bppe = Field(0, WordAt(1, Bppe), "boot partition protection by RPMB")
    bpl = Field(1, WordAt(1, Bpl), "locks of boot partitions")
    wpc = Field(2, WordAt(1, Wpc), "which write protection of namespaces Set Features may set")
