# SPDX-License-Identifier: BSD-3-Clause
"""nvme-cli on a made-up drive that answers with given bytes.

with Answers(library, folder) as drive:
    drive.identify[0x01] = data
    drive.json("id-ctrl")
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nvme_cli import REQUEST, NvmeCli, receive

if TYPE_CHECKING:
    from client import Nvme

GET_LOG_PAGE, IDENTIFY, GET_FEATURES = 0x02, 0x06, 0x0A
RESERVATION_REPORT, IO_MANAGEMENT_RECEIVE, ZONE_MANAGEMENT_RECEIVE = 0x0E, 0x12, 0x7A


class _NoDrive:
    """What NvmeCli wants of a drive, which nobody uses."""

    admin = None
    memory: Any = None

    def __init__(self) -> None:
        self.memory = self

    def create_queue(self, *_: int) -> None:
        return None

    def alloc(self, _: int) -> int:
        return 0


class Answers(NvmeCli):
    """Runs nvme-cli, and answers its commands with bytes: of Identify by CNS, of log pages by LID, of I/O
    commands by opcode."""

    def __init__(self, library: Path, folder: Path) -> None:
        self.identify: dict[int, bytes] = {}
        self.logs: dict[int, bytes] = {}
        self.features: dict[int, tuple[int, bytes]] = {}
        self.io: dict[int, bytes] = {}
        nvme: Nvme = _NoDrive()  # type: ignore[assignment]
        super().__init__(nvme, library, folder)

    def _answer(self, link: socket.socket) -> None:
        request = REQUEST.unpack(receive(link, REQUEST.size))
        is_io, opcode, _, _, _, _, _, _, _, _, length, *words = request
        if opcode & 1:
            receive(link, length)
        cdw0, status, data = (0, 0, self.io[opcode]) if is_io else self._of(opcode, words)
        shown = data[:length].ljust(length, b"\0") if opcode & 2 else b""
        link.sendall(struct.pack("<II", status, cdw0) + shown)

    def _of(self, opcode: int, words: tuple[int, ...] | list[int]) -> tuple[int, int, bytes]:
        """Dword 0, status and data of a command, by its dwords 10 and following."""
        if opcode == IDENTIFY:
            return 0, 0, self.identify.get(words[0] & 0xFF, b"")
        if opcode == GET_LOG_PAGE:
            start = words[2] | words[3] << 32
            return 0, 0, self.logs.get(words[0] & 0xFF, b"")[start:]
        if opcode == GET_FEATURES:
            return self.features[words[0] & 0xFF][0], 0, self.features[words[0] & 0xFF][1]
        return 0, 0x4001, b""
