# SPDX-License-Identifier: BSD-3-Clause
"""Security commands of a raw host, and what the tests of TCG share."""

from __future__ import annotations

from client import Nvme
from ctrl_helpers import OK

from pynvme.tcg import TcgError

SECURITY_SEND, SECURITY_RECEIVE = 0x81, 0x82
SIZE = 64 << 10
COMID = 0x1004
NOT_AUTHORIZED, NO_SESSIONS, INVALID_PARAMETER, LOCKED_OUT = 0x01, 0x07, 0x0C, 0x12


class RawWire:
    """Security commands of the client of these tests, without the driver."""

    def __init__(self, nvme: Nvme) -> None:
        self.nvme = nvme
        self.buffer = nvme.memory.alloc(SIZE)
        pages = [self.buffer + at for at in range(4096, SIZE, 4096)]
        self.list = nvme.memory.alloc(4096)
        nvme.memory.write(self.list, b"".join(page.to_bytes(8, "little") for page in pages))

    def command(self, opcode: int, protocol: int, specific: int, size: int, nsid: int = 0) -> int:
        second = self.list if size > 8192 else self.buffer + 4096
        _, status = self.nvme.admin.execute(
            opcode,
            nsid=nsid,
            prp1=self.buffer,
            prp2=second,
            cdw10=protocol << 24 | specific << 8,
            cdw11=size,
        )
        return status

    def send(self, protocol: int, specific: int, data: bytes) -> None:
        self.nvme.memory.write(self.buffer, data)
        status = self.command(SECURITY_SEND, protocol, specific, len(data))
        if status != OK:
            raise TcgError("Security Send", nvme_status=status)

    def receive(self, protocol: int, specific: int, size: int) -> bytes:
        self.nvme.memory.write(self.buffer, b"\xee" * size)
        status = self.command(SECURITY_RECEIVE, protocol, specific, size)
        if status != OK:
            raise TcgError("Security Receive", nvme_status=status)
        return self.nvme.memory.read(self.buffer, size)


def packet(tokens: bytes, tsn: int = 0, hsn: int = 0, comid: int = COMID) -> bytes:
    """A ComPacket with one packet and one subpacket, by hand."""
    padded = tokens + bytes(-len(tokens) % 4)
    subpacket = bytes(8) + len(tokens).to_bytes(4, "big") + padded
    inner = (
        tsn.to_bytes(4, "big")
        + hsn.to_bytes(4, "big")
        + bytes(12)
        + len(subpacket).to_bytes(4, "big")
        + subpacket
    )
    return bytes(4) + comid.to_bytes(2, "big") + bytes(10) + len(inner).to_bytes(4, "big") + inner


def failed(error: TcgError) -> tuple[int | None, int]:
    """The statuses of a failure: of the method, and of the command."""
    return error.status, error.nvme_status
