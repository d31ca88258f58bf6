# SPDX-License-Identifier: BSD-3-Clause
"""Admin commands that change the drive, out of band: each message is made here, byte by byte.

NVMe-MI 1.2, sections 3.1 (message), 4.1.2 (responses) and 6 (admin commands).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    INVALID_OPCODE,
    OK,
    Host,
    Start,
    control,
    crc32c,
    firmware_image,
    identify,
    log_page,
    pattern,
    set_feature,
)

MANAGE, COMMIT, DOWNLOAD, ATTACH, FORMAT, SEND, RECEIVE, SANITIZE = (
    0x0D,
    0x10,
    0x11,
    0x15,
    0x80,
    0x81,
    0x82,
    0x84,
)
MORE_TIME, BAD_OPCODE, BAD_PARAMETER, BAD_SIZE = 1, 3, 4, 6
POWER = 4
CHANGED = 4 << 16 | 0 << 8 | 2
"""An event: log page 04h, Attached Namespace Attribute Changed, Notice."""


def entry(opcode: int, *dwords: int, nsid: int = 0, dlen: int = 0) -> bytes:
    """Bytes 4 to 67 of a request for controller 1: dwords are cdw10 on."""
    head = struct.pack("<BBHI16xII8x", opcode, 0, 1, nsid, 0, dlen)
    return head + struct.pack("<6I", *dwords, *[0] * (6 - len(dwords)))


class Wire:
    """A management controller at the socket `control`."""

    def __init__(self, host: Host) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(os.path.join(host.server.folder, "control"))

    def send(self, body: bytes, kind: int = 0x10) -> None:
        message = bytes([0x84, kind, 0, 0]) + body
        self.socket.send(message + struct.pack("<I", crc32c(message)))

    def receive(self, kind: int = 0x90) -> bytes:
        answer = self.socket.recv(8192)
        assert (
            answer[:4] == bytes([0x84, kind, 0, 0])
            and crc32c(answer[:-4]).to_bytes(4, "little") == answer[-4:]
        )
        return answer[4:-4]

    def primitive(self, opcode: int, slot: int = 0) -> int:
        self.send(bytes([opcode, 0, 0, 0]), slot)
        return int.from_bytes(self.receive(0x80 | slot)[2:4], "little")

    def execute(self, body: bytes, later: bool = False) -> tuple[int, int, bytes]:
        """Dword 0 and status of the completion, and data. later: More Processing Required comes first."""
        self.send(body)
        answer = self.receive()
        if later:
            assert len(answer) == 4 and answer[:2] == b"\1\0" and answer[2:] != b"\0\0", "MPRT"
            answer = self.receive()
        assert answer[:4] == bytes(4)
        result, _, status = struct.unpack_from("<III", answer, 4)
        return result, status >> 17, answer[16:]

    def refused(self, body: bytes) -> int:
        self.send(body)
        answer = self.receive()
        assert len(answer) == 4 and answer[1:] == bytes(3)
        return answer[0]

    def erase(self, body: bytes, later: bool = True) -> None:
        assert self.execute(body, later) == (0, OK, b"")


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "4M", "--mi", "--namespace-management", "--tcg"))
    yield host
    host.close()


@pytest.fixture
def wire(host: Host) -> Iterator[Wire]:
    wire = Wire(host)
    yield wire
    wire.socket.close()


def test_a_namespace_created_out_of_band_is_seen_in_band(host: Host, wire: Wire) -> None:
    assert set_feature(host.nvme, 0xB, 0x100) == OK
    assert wire.execute(entry(MANAGE, 1, nsid=1)) == (0, OK, b""), "delete, without data"
    host.nvme.admin.submit(sqe(ASYNC_EVENT))
    assert host.nvme.admin.wait().cdw0 == CHANGED and log_page(host.nvme, 4, 8) == struct.pack("<II", 1, 0)
    blocks = struct.pack("<QQ", 64, 64).ljust(4096, b"\0")
    assert wire.execute(entry(MANAGE, 0, dlen=4096) + blocks) == (1, OK, b"")
    assert identify(host.nvme, 0x10)[:8] == struct.pack("<II", 1, 0) and identify(host.nvme, 2)[:4] == bytes(
        4
    )
    host.nvme.admin.submit(sqe(ASYNC_EVENT))
    first = struct.pack("<HH", 1, 1).ljust(4096, b"\0")
    assert wire.execute(entry(ATTACH, 0, nsid=1, dlen=4096) + first) == (0, OK, b"")
    assert host.nvme.admin.wait().cdw0 == CHANGED and log_page(host.nvme, 4, 8) == struct.pack("<II", 1, 0)
    assert identify(host.nvme, 0, 1)[:8] == struct.pack("<Q", 64)
    host.disk.write(63, pattern(63, 1))
    assert host.disk.read(63) == pattern(63, 1)
    assert wire.execute(entry(ATTACH, 0, nsid=1, dlen=4096) + first)[1] & 0x7FF == 0x118, "already attached"


def test_format(host: Host, wire: Wire) -> None:
    host.disk.write(0, pattern(0, 8))
    message = bytes.fromhex("841000008000010001000000") + bytes(32) + bytes(24)
    assert len(message) == 68
    wire.socket.send(message + struct.pack("<I", crc32c(message)))
    assert wire.receive()[:1] == bytes([MORE_TIME]) and wire.receive() == bytes(16)
    assert host.disk.read(0, 8) == bytes(4096)
    assert host.nvme.admin.poll() is None, "its completion is in no queue"
    host.client.write32(0x14, 0)
    wire.erase(entry(FORMAT, nsid=0xFFFFFFFF))
    assert wire.execute(entry(FORMAT, 15, nsid=1))[1] & 0x7FF == 0x10A, "invalid format"


def test_firmware(host: Host, wire: Wire) -> None:
    image = firmware_image("MI 1")
    for at in (0, 4096):
        assert wire.execute(entry(DOWNLOAD, 1023, at // 4, dlen=4096) + image[at : at + 4096])[1] == OK
    assert wire.execute(entry(COMMIT, 3 << 3 | 2), later=True)[1] == OK
    assert identify(host.nvme, 1)[64:72] == b"MI 1    "
    assert wire.execute(entry(COMMIT, 1 << 3 | 2))[1] & 0x7FF == 0x107, "no image"
    assert wire.execute(entry(DOWNLOAD, 1023, dlen=4096) + image[:4096])[1] == OK
    assert wire.execute(entry(DOWNLOAD, 1023, dlen=4096) + image[:4096])[1] & 0x7FF == 0x114, (
        "overlapping range"
    )


def test_security(wire: Wire) -> None:
    """Level 0 Discovery names the base ComID, and a stack reset of it succeeds."""
    status, found = wire.execute(entry(RECEIVE, 1 << 24 | 1 << 8, 512, dlen=512))[1:]
    assert status == OK and len(found) == 512
    at = 48
    while found[at : at + 2] != b"\2\3":
        at += 4 + found[at + 3]
    comid = int.from_bytes(found[at + 4 : at + 6], "big")
    reset = struct.pack(">HHI", comid, 0, 2).ljust(512, b"\0")
    assert wire.execute(entry(SEND, 2 << 24 | comid << 8, 512, dlen=512) + reset) == (0, OK, b"")
    status, answer = wire.execute(entry(RECEIVE, 2 << 24 | comid << 8, 512, dlen=512))[1:]
    assert status == OK and answer[:16] == struct.pack(">HHIHHI", comid, 0, 2, 0, 4, 0)
    assert wire.execute(entry(SEND, 0x77 << 24, 4, dlen=4) + bytes(4))[1] & 0x7FF == 2, "an unknown protocol"


def test_sanitize(host: Host, wire: Wire) -> None:
    host.disk.write(0, pattern(0, 1))
    wire.erase(entry(SANITIZE, 2), later=False)
    log = entry(2, 127 << 16 | 0x81, nsid=0xFFFFFFFF, dlen=512)
    while wire.execute(log)[2][2] & 7 == 2:
        pass
    assert wire.execute(log)[2][2] & 7 in (1, 4) and host.disk.read(0) == bytes(512)
    assert wire.execute(entry(SANITIZE, 7))[1] & 0x7FF == 2


def test_what_is_refused(host: Host, wire: Wire) -> None:
    """Queues, Abort, events, Keep Alive and the interface itself are prohibited, whatever the drive has."""
    for opcode in (0, 1, 4, 5, 8, 0x0C, 0x18, 0x1D, 0x1E, 0xC0):
        assert wire.refused(entry(opcode)) == BAD_OPCODE
    for wrong, dlen, length in ((entry, 4096, 4092), (entry, 4092, 4092), (entry, 4096, 0), (entry, 8, 4096)):
        assert wire.refused(wrong(MANAGE, 0, dlen=dlen) + bytes(length)) == BAD_SIZE
    assert wire.refused(entry(MANAGE, 0, dlen=4100) + bytes(4100)) == BAD_PARAMETER, "too long"
    assert wire.refused(entry(DOWNLOAD, 2047, dlen=8192) + bytes(8192)) == BAD_PARAMETER
    assert wire.refused(entry(DOWNLOAD, 2047, dlen=4096) + bytes(4096)) == BAD_SIZE, "NUMD says more"
    assert wire.refused(entry(SEND, 1 << 24, 8, dlen=4) + bytes(4)) == BAD_SIZE
    assert wire.refused(entry(FORMAT, nsid=1) + bytes(4)) == BAD_SIZE, "it has no data"
    assert identify(host.nvme, 2)[:8] == struct.pack("<II", 1, 0)


def test_a_drive_without_the_commands(start: Start) -> None:
    host = Host(start("--size", "1M", "--mi"))
    wire = Wire(host)
    for opcode in (MANAGE, ATTACH, SEND, RECEIVE):
        assert (
            host.nvme.admin.execute(opcode)[1] == INVALID_OPCODE and wire.refused(entry(opcode)) == BAD_OPCODE
        )
    wire.socket.close()
    host.close()


def test_a_format_that_takes_long(start: Start) -> None:
    """Its slot is busy, the other one is not; Abort and the loss of power end it, and its peer may leave."""
    host = Host(start("--size", "1M", "--mi", "--format-time", "30000"))
    wire = Wire(host)
    run = entry(FORMAT, nsid=1)
    wire.send(run)
    assert wire.receive() == struct.pack("<BBH", MORE_TIME, 0, 350), "MPRT: 35 s"
    assert wire.primitive(3) & 3 == 2, "SSTA: process"
    wire.send(run)
    assert wire.primitive(3) & 8, "the slot is not idle"
    wire.send(run, 0x11)
    answer = wire.receive(0x91)
    assert answer[0] == 0 and struct.unpack_from("<I", answer, 12)[0] >> 17 & 0x7FF == 0x84, (
        "format in progress"
    )
    assert wire.primitive(2) == 2 and wire.primitive(3) & 3 == 0, "aborted, partly done"
    host.disk.write(0, pattern(0, 1))
    wire.send(run)
    assert wire.receive()[0] == MORE_TIME
    control(host.server, POWER, 0)
    control(host.server, POWER, 1)
    assert wire.primitive(3) & 3 == 0
    wire.send(run)
    assert wire.receive()[0] == MORE_TIME
    wire.socket.close()
    wire = Wire(host)
    assert wire.primitive(2) == 2
    wire.socket.close()
    host.close()
