# SPDX-License-Identifier: BSD-3-Clause
"""A drive whose LBAs have metadata, and a host that reads and writes them in raw bytes. NVM 1.1, 5.2.1."""

from __future__ import annotations

import random
import struct

from ctrl_helpers import FORMAT, OK, READ, WRITE, Host
from server import Server

FORMATS = [(512, 0), (4096, 0), (512, 8), (4096, 8), (512, 16), (4096, 16), (512, 64), (4096, 64)]
# With --protection there are 8 more, with guards of 32 and of 64 bits.
FORMATS += [(512, 16), (4096, 16)] * 2 + [(512, 64), (4096, 64)] * 2
MSET, BY_SGL = 1 << 4, 0x40


class Drive:
    """A host whose namespace 1 is formatted, with buffers for data and for metadata."""

    def __init__(self, server: Server) -> None:
        self.host = Host(server)
        self.memory, self.queue = self.host.nvme.memory, self.host.disk.queue
        self.data, self.meta = self.memory.alloc(128 << 10), self.memory.alloc(16 << 10)
        self.list = self.memory.alloc(4096)
        self.memory.write(
            self.list, struct.pack("<31Q", *range(self.data + 4096, self.data + (128 << 10), 4096))
        )

    def format(self, lbaf: int, extended: bool = False, protection: int = 0) -> None:
        """`protection`: PI and PIL of Format NVM, in their place."""
        self.lba, self.ms = FORMATS[lbaf]
        self.extended = extended and self.ms > 0
        self.lbaf = lbaf
        admin = self.host.nvme.admin
        assert admin.execute(FORMAT, nsid=1, cdw10=lbaf | (MSET if extended else 0) | protection)[1] == OK

    def send(self, opcode: int, lba: int, count: int, flags: int = 0, **fields: int) -> int:
        """The status of a command, whose data start at self.data."""
        place = {"prp1": self.data, "prp2": self.list, "mptr": self.meta, **fields}
        size = count * (self.lba + (self.ms if self.extended else 0))
        if size <= 4096:
            place.setdefault("prp2", 0)
        elif size <= 8192 and "prp2" not in fields:
            place["prp2"] = self.data + 4096
        return self.queue.execute(opcode, nsid=1, cdw10=lba, cdw12=(count - 1) | flags, **place)[1]

    def put(self, data: list[bytes], metadata: list[bytes]) -> None:
        """Place data and metadata of LBAs in the host's memory as the format wants them."""
        if self.extended:
            self.memory.write(self.data, b"".join(a + b for a, b in zip(data, metadata)))
        else:
            self.memory.write(self.data, b"".join(data))
            self.memory.write(self.meta, b"".join(metadata))

    def write(self, lba: int, data: list[bytes], metadata: list[bytes], flags: int = 0) -> None:
        self.put(data, metadata)
        assert self.send(WRITE, lba, len(data), flags) == OK

    def read(self, lba: int, count: int) -> tuple[list[bytes], list[bytes]]:
        self.memory.write(self.data, b"\xa5" * (128 << 10))
        self.memory.write(self.meta, b"\xa5" * (16 << 10))
        assert self.send(READ, lba, count) == OK
        step = self.lba + self.ms if self.extended else self.lba
        pieces = [self.memory.read(self.data + i * step, step) for i in range(count)]
        assert self.memory.read(self.data + count * step, 8) == b"\xa5" * 8
        if self.extended:
            assert self.memory.read(self.meta, 8) == b"\xa5" * 8
            return [piece[: self.lba] for piece in pieces], [piece[self.lba :] for piece in pieces]
        assert self.memory.read(self.meta + count * self.ms, 8) == b"\xa5" * 8
        return pieces, [self.memory.read(self.meta + i * self.ms, self.ms) for i in range(count)]

    def some(self, count: int, seed: int) -> tuple[list[bytes], list[bytes]]:
        chance = random.Random(seed)
        return [chance.randbytes(self.lba) for _ in range(count)], [
            chance.randbytes(self.ms) for _ in range(count)
        ]
