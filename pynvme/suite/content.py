# SPDX-License-Identifier: BSD-3-Clause
"""The data that tests write.

Most differ for each LBA and each write, in all bytes, and name both. Others are data that a drive may treat
in a way of their own: zeros, ones, one byte again and again, and blocks that are equal to each other.
"""

from __future__ import annotations

import enum
import random
import struct
from typing import NamedTuple

POOL_BYTES = 1 << 20
EQUAL_BLOCKS = 3

_STAMP = struct.Struct("<QII")


class Pattern(enum.Enum):
    """What the data of a write look like."""

    STAMPED = "data of their own"
    ZEROS = "zeros"
    ONES = "ones"
    REPEATED = "one byte again and again"
    EQUAL = "blocks equal to others"
    SPARSE = "zeros but for the last bytes"


class Stamp(NamedTuple):
    """What the data of an LBA say about themselves."""

    lba: int
    generation: int


class Content:
    """The data of one namespace in one test.

    Args:
        rng: where random bytes come from
        size: bytes of an LBA, with metadata that follow its data
        protected: those of protection information, which drives make by themselves for zeroed LBAs
    """

    def __init__(self, rng: random.Random, size: int, protected: slice | None = None) -> None:
        self.size = size
        self._protected = protected
        self.zeros = bytes(size)
        self._ones = b"\xff" * size
        self._session = rng.getrandbits(32)
        self._pool = rng.randbytes(POOL_BYTES + size)

    def of(self, lba: int, generation: int, pattern: Pattern = Pattern.STAMPED) -> bytes:
        """The data of an LBA as the write of that generation has them."""
        if pattern is Pattern.STAMPED:
            at = (lba * 0x9E3779B1 + generation * 0x85EBCA77) % POOL_BYTES
            return _STAMP.pack(lba, generation, self._session) + self._pool[at + _STAMP.size : at + self.size]
        if pattern is Pattern.ZEROS:
            return self.zeros
        if pattern is Pattern.ONES:
            return self._ones
        if pattern is Pattern.REPEATED:
            return bytes((generation % 255 + 1,)) * self.size
        if pattern is Pattern.EQUAL:
            at = generation % EQUAL_BLOCKS * self.size
            return self._pool[at : at + self.size]
        return self.zeros[_STAMP.size :] + _STAMP.pack(lba, generation, self._session)

    def without_protection(self, data: bytes) -> bytes:
        """The data of an LBA without what a drive may have made by itself."""
        if self._protected is None:
            return data
        return data[: self._protected.start] + data[self._protected.stop :]

    def is_compared(self, at: int) -> bool:
        """Whether a Compare looks at this byte of some LBAs: it leaves out their protection information."""
        return self._protected is None or not self._protected.start <= at % self.size < self._protected.stop

    def spoil(self, rng: random.Random, data: bytes) -> bytes:
        """Data of some LBAs with one bit changed, by which a Compare must fail."""
        at = rng.randrange(len(data))
        while not self.is_compared(at):
            at = rng.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]

    def range(self, slba: int, nlb: int, generation: int, pattern: Pattern = Pattern.STAMPED) -> bytes:
        """The data of several LBAs."""
        return b"".join([self.of(lba, generation, pattern) for lba in range(slba, slba + nlb)])

    def stamp(self, data: bytes) -> Stamp | None:
        """Which LBA and write the data are of, if this object made them."""
        lba, generation, session = _STAMP.unpack_from(data)
        if session != self._session or data != self.of(lba, generation):
            return None
        return Stamp(lba, generation)
