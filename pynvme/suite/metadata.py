# SPDX-License-Identifier: BSD-3-Clause
"""Metadata in a buffer of their own, which tests of data need not think of.

Each LBA that the suite writes has metadata that follow from its data, so that a Compare of the same data
succeeds. The driver judges those that are read. Metadata that follow the data of each LBA are a part of what
tests write and read.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import nvme

from pynvme import lba_format
from pynvme.spec import IoOpcode

TRANSFERS = frozenset({IoOpcode.READ, IoOpcode.WRITE, IoOpcode.COMPARE, IoOpcode.ZONE_APPEND})
"""Commands that transfer metadata."""


class Separate(NamedTuple):
    """Metadata in a buffer of their own."""

    each: int
    """Bytes of each LBA; 0: there are none."""
    size: int
    """Bytes of data of an LBA."""

    def buffer(self, opcode: int, buf: nvme.Buffer | None, nlb: int) -> nvme.Buffer | None:
        """A Buffer for the metadata of a command, with those of the LBAs in buf. None: it transfers none.

        The opcode may have FUSE in bits 9:8.
        """
        if not self.each or opcode & 0xFF not in TRANSFERS:
            return None
        meta = nvme.Buffer(nlb * self.each)
        if buf is not None and opcode & 0xFF != IoOpcode.READ:
            whole = min(nlb, (len(buf) - buf.offset) // self.size)
            data = buf[buf.offset : buf.offset + whole * self.size]
            made = [of_data(data[at * self.size : (at + 1) * self.size], self.each) for at in range(whole)]
            meta[: whole * self.each] = b"".join(made)
        return meta


def separate(ns: nvme.Namespace) -> Separate:
    """The metadata of a namespace that do not follow its data."""
    space = ns.id_ns
    return Separate(0 if space.flbas.mdbs else int(ns.metadata_size), lba_format.size_in_use(space))


def protected_bytes(ns: nvme.Namespace) -> slice | None:
    """Where protection information is in the buffer of an LBA; None: nowhere."""
    fmt = ns.protection
    if fmt is None or not fmt.extended:
        return None
    return slice(fmt.data + fmt.place, fmt.data + fmt.place + fmt.size)


def of_data(data: bytes, size: int) -> bytes:
    """The metadata of an LBA: zeros for zeros, and else bytes that its CRC makes."""
    if not any(data):
        return bytes(size)
    return (zlib.crc32(data).to_bytes(4, "little") * (size // 4 + 1))[:size]
