# SPDX-License-Identifier: BSD-3-Clause
"""Scatter gather lists (SGLs) that a script builds by itself, descriptor by descriptor.

An SGL describes the data of a command by addresses and lengths in bytes (Base 2.0, 4.1.2 Scatter Gather
List). A drive that supports it says so in ``nvme0.id_ctrl.sgls``. To send data of a Buffer by an SGL, pass
``sgl=True`` to the command, and pynvme describes them. To decide what the list looks like, build it:

    import nvme as d
    from pynvme.sgl import BitBucket, DataBlock, Sgl

    nvme0 = d.Controller("vssd:size=64M,sgls=byte")
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 8)
    head, tail = d.Buffer(100), d.Buffer(100)
    nvme0n1.read(qpair, None, 0, sgl=Sgl(DataBlock(head), BitBucket(312), DataBlock(tail))).waitdone()

A descriptor may be wrong in any field, since the drive is to refuse it. What the list names stays allocated
until the command has completed. Verification regards what such a list reads as unverified, and what it writes
as unknown, since the data are not in one Buffer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from nvme import Buffer

from pynvme.spec import SglType
from pynvme.values import check, field, integer

SIZE = 16
"""Bytes of a descriptor."""


class Descriptor:
    """An SGL descriptor with any fields.

    Args:
        type: 0 to 15, as in `SglType`
        address: 64 bits, or a Buffer, for the address where its data begin
        length: bytes, 32 bits
        subtype: 0 to 15; 0 means that the address is one
        reserved: bytes 12 to 14, as a number

    Example:
        >>> Descriptor(SglType.KEYED_DATA_BLOCK, buf, 512)       # no PCIe drive reads it
        >>> bytes(Descriptor(0xF, 0x1000, 4)).hex()
        '00100000000000000400000000000000f0'
    """

    def __init__(
        self, type: int, address: Any = 0, length: int = 0, subtype: int = 0, reserved: int = 0
    ) -> None:
        self.type = field(type, 4, "type")
        self.buffers: list[Buffer] = [address] if isinstance(address, Buffer) else []
        self.address = address.phys_addr if isinstance(address, Buffer) else field(address, 64, "address")
        self.length = field(length, 32, "length")
        self.subtype = field(subtype, 4, "subtype")
        self.reserved = field(reserved, 24, "reserved")

    def __bytes__(self) -> bytes:
        last = self.type << 28 | self.subtype << 24 | self.reserved
        return struct.pack("<QII", self.address, self.length, last)

    def __repr__(self) -> str:
        name = SglType(self.type).name if self.type in set(SglType) else f"type {self.type:X}h"
        subtype = f", subtype {self.subtype:X}h" if self.subtype else ""
        return f"<{name} at {self.address:#x}, {self.length} bytes{subtype}>"

    def _parts(self) -> tuple[bytes, list[Buffer]]:
        """The descriptor, and all that the drive may use by it."""
        return bytes(self), list(self.buffers)


class DataBlock(Descriptor):
    """Data in memory.

    Args:
        buf: the Buffer
        offset: of the first byte, from the buffer's own offset on. It may lie outside of the buffer
        length: bytes; by default the rest of what a command would transfer
    """

    def __init__(self, buf: Buffer, offset: int = 0, length: int | None = None) -> None:
        if not isinstance(buf, Buffer):
            raise TypeError(f"buf must be a Buffer, not {type(buf).__name__}")
        offset = integer(offset, "offset")
        rest = max(0, min(buf.size, len(buf) - buf.offset) - offset) if length is None else length
        super().__init__(SglType.DATA_BLOCK, buf.phys_addr + offset, rest)
        self.buffers.append(buf)


class BitBucket(Descriptor):
    """A number of bytes of a read that the drive discards. In a write it describes nothing."""

    def __init__(self, length: int) -> None:
        super().__init__(SglType.BIT_BUCKET, 0, length)


class Segment(Descriptor):
    """A descriptor that leads to further ones, which are not the last segment.

    Args:
        descriptors: what the segment holds. The last one should be a Segment or a LastSegment
        length: bytes of the segment, by default 16 for each descriptor
        misaligned: bytes by which the segment is not aligned to 8
    """

    _type = SglType.SEGMENT

    def __init__(self, *descriptors: Descriptor, length: int | None = None, misaligned: int = 0) -> None:
        for descriptor in descriptors:
            if not isinstance(descriptor, Descriptor):
                raise TypeError(f"a segment holds Descriptors, not {type(descriptor).__name__}")
        shift = integer(misaligned, "misaligned")
        check(0 <= shift < 8, f"misaligned must be from 0 to 7, not {misaligned}")
        content = b"".join(bytes(descriptor) for descriptor in descriptors)
        memory = Buffer(max(1, shift + len(content)), "SGL segment")
        if content:
            memory[shift : shift + len(content)] = content
        super().__init__(self._type, memory.phys_addr + shift, len(content) if length is None else length)
        self.buffers = [memory, *(buffer for descriptor in descriptors for buffer in descriptor.buffers)]
        self.descriptors = descriptors

    def __iter__(self) -> Iterator[Descriptor]:
        return iter(self.descriptors)


class LastSegment(Segment):
    """A descriptor that leads to the last segment, which holds no other Segment or LastSegment."""

    _type = SglType.LAST_SEGMENT


class Sgl:
    """The SGL of a command.

    Args:
        descriptors: in the order of the data. One alone is the command's own; several are put into segments
        per_segment: at most so many descriptors in a segment, those included that lead on, at least 2. By
            default one last segment holds all
    """

    def __init__(self, *descriptors: Descriptor, per_segment: int | None = None) -> None:
        check(len(descriptors) > 0, "an Sgl needs at least one descriptor")
        most = len(descriptors) if per_segment is None else integer(per_segment, "per_segment")
        check(per_segment is None or most >= 2, f"per_segment must be at least 2, not {per_segment}")
        rest = list(descriptors)
        self.first = rest[0] if len(rest) == 1 else _chain(rest, most)

    def __bytes__(self) -> bytes:
        return bytes(self.first)

    def __repr__(self) -> str:
        return f"<SGL: {self.first!r}>"

    def _parts(self) -> tuple[bytes, list[Buffer]]:
        return self.first._parts()


def _chain(descriptors: list[Descriptor], most: int) -> Descriptor:
    """Segments of at most ``most`` descriptors that lead from one to the next."""
    pieces = []
    while len(descriptors) > most:
        pieces.append(descriptors[: most - 1])
        descriptors = descriptors[most - 1 :]
    found: Descriptor = LastSegment(*descriptors)
    for piece in reversed(pieces):
        found = Segment(*piece, found)
    return found
