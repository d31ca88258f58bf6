# SPDX-License-Identifier: BSD-3-Clause
"""A management controller: messages of the Management Interface, byte by byte, on the control socket.

NVMe-MI 1.2, sections 3.1 (message), 4.1.2 (responses), 4.2.1 (control primitives) and 6 (admin commands).
"""

from __future__ import annotations

import os
import socket
import struct

from ctrl_helpers import OK, crc32c

PRIMITIVE, MI, ADMIN, PCIE = 0, 1, 2, 4
"""NVMe-MI message types."""
PAUSE, RESUME, ABORT, STATE, REPLAY = range(5)
MORE_TIME, BAD_OPCODE, BAD_PARAMETER, BAD_COMMAND_SIZE, BAD_SIZE, DENIED, EXCEEDED = 1, 3, 4, 5, 6, 7, 0x20
TAG = 0xA5


def entry(
    opcode: int, *dwords: int, nsid: int = 0, dlen: int = 0, ctrl: int = 1, offset: int = 0, flags: int = 0
) -> bytes:
    """Bytes 4 to 67 of a request for an admin command: dwords are cdw10 on."""
    head = struct.pack("<BBHI16xII8x", opcode, flags, ctrl, nsid, offset, dlen)
    return head + struct.pack("<6I", *dwords, *[0] * (6 - len(dwords)))


def message(body: bytes, kind: int = ADMIN, slot: int = 0, flags: int = 0) -> bytes:
    """A whole request. flags: byte 2."""
    whole = bytes([0x84, kind << 3 | slot, flags, 0]) + body
    return whole + struct.pack("<I", crc32c(whole))


class Endpoint:
    """The endpoint of the virtual SSD that has this folder."""

    def __init__(self, folder: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(os.path.join(folder, "control"))

    def close(self) -> None:
        self.socket.close()

    def send(self, body: bytes, kind: int = ADMIN, slot: int = 0, flags: int = 0) -> None:
        self.socket.send(message(body, kind, slot, flags))

    def receive(self, kind: int = ADMIN, slot: int = 0, flags: int = 0) -> bytes:
        """What follows the header of a response, without the integrity check."""
        answer = self.socket.recv(8192)
        assert answer[:4] == bytes([0x84, 0x80 | kind << 3 | slot, flags, 0])
        assert struct.unpack("<I", answer[-4:])[0] == crc32c(answer[:-4])
        return answer[4:-4]

    def is_silent(self, seconds: float = 0.1) -> bool:
        """Whether no response comes."""
        timeout = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(8192)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(timeout)

    def ask(self, body: bytes, kind: int = ADMIN, slot: int = 0) -> bytes:
        self.send(body, kind, slot)
        return self.receive(kind, slot)

    def primitive(self, opcode: int, parameter: int = 0, slot: int = 0) -> tuple[int, int]:
        """The status and CPSR of a control primitive."""
        answer = self.ask(struct.pack("<BBH", opcode, TAG, parameter), PRIMITIVE, slot)
        assert len(answer) == 4 and answer[1] == TAG
        return answer[0], int.from_bytes(answer[2:], "little")

    def state(self, slot: int = 0) -> int:
        """Get State."""
        status, found = self.primitive(STATE, slot=slot)
        assert status == 0
        return found

    def mi(
        self, opcode: int, nmd0: int = 0, nmd1: int = 0, data: bytes = b"", slot: int = 0
    ) -> tuple[int, int, bytes]:
        """The response to a command of the interface, its status, and data."""
        answer = self.ask(struct.pack("<B3xII", opcode, nmd0, nmd1) + data, MI, slot)
        (word,) = struct.unpack_from("<I", answer)
        return word >> 8, word & 0xFF, answer[4:]

    def pcie(
        self, opcode: int, length: int, offset: int, bar: int = 0, data: bytes = b""
    ) -> tuple[int, bytes]:
        """The status of a PCIe command, and what was read."""
        head = struct.pack("<BBHIQ", opcode, 0, 1, bar << 16 | length, offset)
        answer = self.ask(head + data, PCIE)
        return answer[0], answer[1:] if answer[0] else answer[4:]

    def completion(self, slot: int = 0, flags: int = 0) -> tuple[int, int, bytes]:
        """Receive the response to an admin command: dword 0, status without DNR, and data."""
        answer = self.receive(ADMIN, slot, flags)
        assert answer[:4] == bytes(4)
        result, _, status = struct.unpack_from("<III", answer, 4)
        assert status & 0xFFFF == 0, "CID"
        return result, status >> 17 & 0x7FF, answer[16:]

    def execute(self, body: bytes, later: bool = False, slot: int = 0) -> tuple[int, int, bytes]:
        """Execute an admin command. later: More Processing Required comes first."""
        self.send(body, slot=slot)
        if later:
            answer = self.receive(ADMIN, slot)
            assert len(answer) == 4 and answer[:2] == b"\1\0" and answer[2:] != b"\0\0", "MPRT"
        return self.completion(slot)

    def refused(self, body: bytes, kind: int = ADMIN) -> tuple[int, int]:
        """The status of a refusal, and the byte of the request that it names; 0: none."""
        answer = self.ask(body, kind)
        assert len(answer) == 4 and answer[1] == 0
        return answer[0], int.from_bytes(answer[2:], "little")

    def erase(self, body: bytes, later: bool = True) -> None:
        assert self.execute(body, later) == (0, OK, b"")
