# SPDX-License-Identifier: BSD-3-Clause
"""The data that tests write. They differ for each LBA and each write, in all bytes, and name both."""

from __future__ import annotations

import random
import struct
from typing import NamedTuple

POOL_BYTES = 1 << 20

_STAMP = struct.Struct("<QII")


class Stamp(NamedTuple):
    """What the data of an LBA say about themselves."""

    lba: int
    generation: int


class Content:
    """The data of one namespace in one test.

    Args:
        rng: where random bytes come from
        size: bytes of an LBA
    """

    def __init__(self, rng: random.Random, size: int) -> None:
        self.size = size
        self.zeros = bytes(size)
        self._session = rng.getrandbits(32)
        self._pool = rng.randbytes(POOL_BYTES + size)

    def of(self, lba: int, generation: int) -> bytes:
        """The data of an LBA as the write of that generation has them."""
        at = (lba * 0x9E3779B1 + generation * 0x85EBCA77) % POOL_BYTES
        return _STAMP.pack(lba, generation, self._session) + self._pool[at + _STAMP.size : at + self.size]

    def range(self, slba: int, nlb: int, generation: int) -> bytes:
        """The data of several LBAs."""
        return b"".join([self.of(lba, generation) for lba in range(slba, slba + nlb)])

    def stamp(self, data: bytes) -> Stamp | None:
        """Which LBA and write the data are of, if this object made them."""
        lba, generation, session = _STAMP.unpack_from(data)
        if session != self._session or data != self.of(lba, generation):
            return None
        return Stamp(lba, generation)
