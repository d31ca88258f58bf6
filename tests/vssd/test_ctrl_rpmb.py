# SPDX-License-Identifier: BSD-3-Clause
"""Replay protected memory blocks: security protocol EAh, by raw bytes (Base 2.1, 8.1.21)."""

from __future__ import annotations

import hashlib
import hmac
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from ctrl_helpers import INVALID_FIELD, OK, SEQUENCE_ERROR, SET_FEATURES, Host, Start, identify
from server import Server
from tcg_helpers import SECURITY_RECEIVE, SECURITY_SEND, RawWire
from test_ctrl_boot import commit, download, image, read

KEY = bytes(range(32))
NONCE = bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e0f")
PROGRAM, COUNTER, WRITE, READ, RESULT, WRITE_DCB, READ_DCB = range(1, 8)
GENERAL, AUTHENTICATION, COUNTER_FAILED, ADDRESS, WRITE_FAILED, READ_FAILED, NO_KEY, BAD_DCB = range(1, 9)
EXPIRED = 0x80
SECTORS, ACCESS = 512, 32
LAST = 0xFFFFFFFF
PROHIBITED, NOT_CHANGEABLE, WRITE_PROTECTED = 0x11E, 0x10E, 0x020


def frame(
    message: int,
    target: int = 0,
    counter: int = 0,
    address: int = 0,
    sectors: int = 0,
    nonce: bytes = bytes(16),
    mac: bytes = bytes(32),
    data: bytes = b"",
) -> bytes:
    """A request, by the bytes of the specification: MAC at 191, then target, nonce, counter and so on."""
    words = struct.pack("<IIIHH", counter, address, sectors, 0, message)
    return bytes(191) + mac + bytes([target]) + nonce + words + data


def signed(frame: bytes, key: bytes = KEY) -> bytes:
    """The frame with its MAC, which covers all from the target on."""
    return frame[:191] + hmac.new(key, frame[223:], hashlib.sha256).digest() + frame[223:]


class Rpmb:
    """A host of a virtual SSD with RPMB."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.restart()

    def restart(self) -> None:
        self.wire = RawWire(self.host.nvme)

    def power_cycle(self) -> None:
        self.host.power_cycle()
        self.restart()

    def send(self, data: bytes, target: int = 0) -> int:
        self.host.nvme.memory.write(self.wire.buffer, data)
        return self.command(SECURITY_SEND, len(data), target)

    def command(self, opcode: int, size: int, target: int = 0, specific: int = 1) -> int:
        """NSSF is bits 7:0 of dword 10."""
        wire = self.wire
        second = wire.list if size > 8192 else wire.buffer + 4096
        fields = {"cdw10": 0xEA << 24 | specific << 8 | target, "cdw11": size}
        return self.host.nvme.admin.execute(opcode, prp1=wire.buffer, prp2=second, **fields)[1]

    def receive(self, size: int = 256, target: int = 0) -> bytes:
        self.host.nvme.memory.write(self.wire.buffer, b"\xee" * size)
        assert self.command(SECURITY_RECEIVE, size, target) == OK
        return self.host.nvme.memory.read(self.wire.buffer, size)

    def ask(self, data: bytes, size: int = 256) -> bytes:
        assert self.send(data, data[223]) == OK
        return self.receive(size, data[223])

    def written(self, data: bytes) -> tuple[int, int]:
        """Send an authenticated request, ask for its result, and check the response. Result and counter."""
        message, target = data[254], data[223]
        assert self.send(data, target) == OK
        assert self.send(frame(RESULT, target), target) == OK
        answer = self.receive(256, target)
        assert struct.unpack_from("<H", answer, 254)[0] == message << 8
        result, counter = struct.unpack_from("<H", answer, 252)[0], struct.unpack_from("<I", answer, 240)[0]
        return result, counter

    def program(self, target: int = 0, key: bytes = KEY) -> int:
        return self.written(frame(PROGRAM, target, mac=key))[0]

    def write(self, address: int, data: bytes, counter: int, target: int = 0, key: bytes = KEY) -> int:
        made = frame(WRITE, target, counter, address, len(data) // 512, data=data)
        return self.written(signed(made, key))[0]

    def read(self, address: int, sectors: int, target: int = 0) -> bytes:
        size = 256 + 512 * sectors
        answer = self.ask(frame(READ, target, address=address, sectors=sectors, nonce=NONCE), size)
        assert answer == signed(answer) and answer[224:240] == NONCE and answer[252:254] == b"\0\0"
        assert struct.unpack_from("<III", answer, 240) == (0, address, sectors)
        return answer[256:]

    def counter(self, target: int = 0) -> int:
        answer = self.ask(frame(COUNTER, target, nonce=NONCE))
        assert answer == signed(answer) and answer[224:240] == NONCE
        found: int = struct.unpack_from("<I", answer, 240)[0]
        return found

    def configure(self, data: bytes, counter: int) -> int:
        made = frame(WRITE_DCB, 0, counter, sectors=1, data=data.ljust(512, b"\0"))
        return self.written(signed(made))[0]

    def configuration(self) -> tuple[int, bytes]:
        """Its counter and its first bytes."""
        answer = self.ask(frame(READ_DCB, sectors=1, nonce=NONCE), 768)
        assert answer == signed(answer) and answer[259:] == bytes(509)
        return struct.unpack_from("<I", answer, 240)[0], answer[256:259]


@pytest.fixture
def rpmb(start: Start) -> Iterator[Rpmb]:
    host = Host(start("--size", "8M", "--rpmb", "--boot-partitions", "--write-protection"))
    yield Rpmb(host)
    host.close()


def test_identify_and_the_list_of_protocols(rpmb: Rpmb) -> None:
    ctrl = identify(rpmb.host.nvme, 1)
    assert ctrl[256] & 1 and ctrl[312:316].hex() == "0400011f", "4 targets, 2 units, 32 sectors"
    assert ctrl[102] == 2 and ctrl[531] == 7, "BPCAP, NWPC"
    assert rpmb.wire.receive(0, 0, 512)[:16].hex() == "0000000000000002" + "00ea" + "00" * 6
    assert rpmb.wire.command(SECURITY_RECEIVE, 1, 1, 512) == INVALID_FIELD, "no TCG"


def test_frames_without_a_length(rpmb: Rpmb) -> None:
    """nvme-cli sends RPMB's requests with TL 0, and receives the responses with AL 0."""
    data = random.Random(1).randbytes(3 * SECTORS)
    memory, buffer = rpmb.host.nvme.memory, rpmb.wire.buffer

    def sent(request: bytes) -> int:
        memory.write(buffer, request)
        return rpmb.command(SECURITY_SEND, 0)

    def received(size: int) -> bytes:
        memory.write(buffer, b"\xee" * 4096)
        assert rpmb.command(SECURITY_RECEIVE, 0) == OK
        found = memory.read(buffer, 4096)
        assert found[size:] == b"\xee" * (4096 - size)
        return found[:size]

    assert sent(frame(PROGRAM, mac=KEY)) == sent(frame(RESULT)) == OK
    assert received(256)[252:] == bytes([0, 0, 0, PROGRAM])
    assert sent(signed(frame(WRITE, sectors=3, data=data))) == sent(frame(RESULT)) == OK
    assert received(256)[252:] == bytes([0, 0, 0, WRITE])
    assert sent(frame(READ, sectors=3, nonce=NONCE)) == OK
    assert received(256 + len(data))[256:] == data == rpmb.read(0, 3)
    assert sent(frame(WRITE, sectors=ACCESS + 1)) == INVALID_FIELD, "more sectors than the drive allows"
    assert sent(bytes(256)) == INVALID_FIELD, "no message"


def test_frames_by_their_bytes(rpmb: Rpmb) -> None:
    """The response to Read Write Counter, whose MAC was computed by another program."""
    assert rpmb.program() == 0
    request = bytes(223) + b"\0" + NONCE + bytes.fromhex("00000000 00000000 00000000 0000 0200")
    mac = "7037e0c3dac52fc080c6f279f9f495215578b0f1a887ad0c4fe9b12951e58431"
    answer = rpmb.ask(request)
    assert answer[:191] == bytes(191), "stuff bytes"
    assert answer[223:].hex() == "00" + NONCE.hex() + "00000000" * 3 + "0000" + "0002"
    assert answer[191:223].hex() == mac


def test_a_key_is_programmed_once_for_each_target(rpmb: Rpmb) -> None:
    for message in (COUNTER, READ, READ_DCB):
        answer = rpmb.ask(frame(message, sectors=1, nonce=NONCE))
        assert struct.unpack_from("<HH", answer, 252) == (NO_KEY, message << 8)
        assert answer[191:223] == bytes(32), "no key, no MAC"
    assert rpmb.write(0, bytes(512), 0) == NO_KEY
    assert [rpmb.program(target, bytes([target] * 32)) for target in range(4)] == [0] * 4
    assert rpmb.program(0, KEY) == WRITE_FAILED
    data = bytes(512)
    assert rpmb.write(0, data, 0, 1, bytes([1] * 32)) == 0
    assert rpmb.write(0, data, 0, 2, bytes([1] * 32)) == AUTHENTICATION, "the key of another target"
    assert rpmb.write(0, data, 1, 1, KEY) == AUTHENTICATION


def test_authenticated_writes_and_reads(rpmb: Rpmb) -> None:
    rng = random.Random(5)
    assert rpmb.program() == 0 and rpmb.counter() == 0
    data = rng.randbytes(ACCESS * 512)
    request = signed(frame(WRITE, 0, 0, 480, ACCESS, data=data))
    assert rpmb.written(request) == (0, 1), "the counter of the response is the new one"
    assert rpmb.read(480, ACCESS) == data and rpmb.read(479, 1) == bytes(512)
    assert rpmb.written(request) == (COUNTER_FAILED, 1), "a replay"
    assert rpmb.write(0, bytes(512), 2) == COUNTER_FAILED
    assert rpmb.write(SECTORS - 1, bytes(1024), 1) == ADDRESS
    assert rpmb.write(LAST, bytes(1024), 1) == ADDRESS, "the sum does not overflow"
    forged = bytearray(signed(frame(WRITE, 0, 1, 480, 1, data=bytes(512))))
    for at in (191, 222, 244, 300, 767):
        forged[at] ^= 1
        assert rpmb.written(bytes(forged))[0] in (AUTHENTICATION, ADDRESS), at
        forged[at] ^= 1
    assert rpmb.read(480, ACCESS) == data and rpmb.counter() == 1
    assert rpmb.written(bytes(forged)) == (0, 2)
    answer = rpmb.ask(frame(READ, address=SECTORS, sectors=1, nonce=NONCE), 768)
    assert struct.unpack_from("<H", answer, 252)[0] == ADDRESS and answer[:256] == signed(answer[:256])
    assert struct.unpack_from("<H", rpmb.ask(frame(READ, sectors=ACCESS + 1)), 252)[0] == GENERAL
    assert struct.unpack_from("<H", rpmb.ask(frame(READ, sectors=0)), 252)[0] == ADDRESS


def test_what_is_wrong_with_a_command(rpmb: Rpmb) -> None:
    assert rpmb.command(SECURITY_RECEIVE, 256) == SEQUENCE_ERROR, "there was no request"
    assert rpmb.send(frame(RESULT)) == SEQUENCE_ERROR
    assert rpmb.send(frame(COUNTER, 1), 0) == INVALID_FIELD, "NSSF is another target than that of the frame"
    assert rpmb.send(frame(COUNTER, 4), 4) == rpmb.command(SECURITY_RECEIVE, 256, 4) == INVALID_FIELD
    assert rpmb.command(SECURITY_SEND, 256, specific=2) == INVALID_FIELD
    assert rpmb.command(SECURITY_RECEIVE, 256, specific=0) == INVALID_FIELD
    for message in (0, 8, 0x100, 0x500, 0xFFFF):
        assert rpmb.send(frame(message)) == INVALID_FIELD, message
    assert rpmb.send(frame(COUNTER)[:255]) == INVALID_FIELD, "too short"
    assert rpmb.send(signed(frame(WRITE, sectors=2, data=bytes(512)))) == INVALID_FIELD, "not all data"
    assert rpmb.send(signed(frame(WRITE_DCB, sectors=2, data=bytes(1024)))) == INVALID_FIELD
    assert rpmb.send(signed(frame(WRITE, sectors=ACCESS + 1, data=bytes(512)))) == INVALID_FIELD
    assert rpmb.send(frame(COUNTER)) == OK
    rpmb.host.nvme.disable()
    rpmb.host.start()
    rpmb.restart()
    assert rpmb.command(SECURITY_RECEIVE, 256) == SEQUENCE_ERROR, "a reset drops the response"


def test_a_host_may_leave_out_the_result_read(rpmb: Rpmb) -> None:
    """As nvme-cli does when it programs a key."""
    answer = rpmb.ask(frame(PROGRAM, 1, mac=KEY))
    assert struct.unpack_from("<HH", answer, 252) == (0, 0x100)
    assert rpmb.receive(256, 1) == answer, "and it may receive a response twice"


def test_files_and_power_loss_keep_all(folder: str, tmp_path: Path) -> None:
    words = "--size", "8M", "--rpmb", "--file", str(tmp_path / "drive")
    data = random.Random(7).randbytes(1024)
    rpmb = Rpmb(Host(Server(folder, *words)))
    assert rpmb.program(3) == 0 and rpmb.write(100, data, 0, 3) == 0
    rpmb.power_cycle()
    assert rpmb.counter(3) == 1 and rpmb.read(100, 2, 3) == data
    rpmb.host.close()
    rpmb.host.server.stop()
    again = Rpmb(Host(Server(folder, *words)))
    assert again.counter(3) == 1 and again.read(100, 2, 3) == data and again.program(3) == WRITE_FAILED
    again.host.close()
    again.host.server.stop()
    rpmb.host.server.log.close()
    again.host.server.log.close()


def test_a_counter_that_has_expired(folder: str, tmp_path: Path) -> None:
    """The file is changed so that the counter is at its end."""
    file = tmp_path / "drive"
    words = "--size", "8M", "--rpmb", "--file", str(file)
    rpmb = Rpmb(Host(Server(folder, *words)))
    assert rpmb.program() == 0 and rpmb.write(0, bytes(512), 0) == 0
    rpmb.host.close()
    rpmb.host.server.stop()
    content = file.read_bytes()
    kept = KEY + b"\1\0\0\0"
    assert content.count(kept + b"\1\0\0\0") == 1
    changed = content.replace(kept + b"\1\0\0\0", kept + (LAST - 1).to_bytes(4, "little"))
    file.write_bytes(changed)
    again = Rpmb(Host(Server(folder, *words)))
    assert again.write(0, b"\1" * 512, LAST - 1) == EXPIRED, "the last write succeeds"
    assert again.write(0, b"\2" * 512, LAST) == EXPIRED | WRITE_FAILED
    answer = again.ask(frame(COUNTER, nonce=NONCE))
    assert struct.unpack_from("<III", answer, 240)[0] == LAST and answer[252] == EXPIRED
    answer = again.ask(frame(READ, sectors=1, nonce=NONCE), 768)
    assert answer[252] == EXPIRED and answer[256:] == b"\1" * 512
    again.host.close()
    again.host.server.stop()
    rpmb.host.server.log.close()
    again.host.server.log.close()


def test_the_configuration_block_protects_boot_partitions(rpmb: Rpmb) -> None:
    host = rpmb.host
    download(host, image(1))
    assert commit(host, 6, 0) == OK, "no protection yet"
    assert rpmb.program() == 0 and rpmb.configuration() == (0, bytes(3))
    answer = rpmb.ask(frame(READ_DCB, 1, sectors=1, nonce=NONCE))
    assert struct.unpack_from("<H", answer, 252)[0] == BAD_DCB, "only target 0 has one"
    assert rpmb.configure(b"\0\3", 0) == 0 and rpmb.configuration() == (1, bytes(3)), "no lock without BPPE"
    assert rpmb.configure(b"\1\2", 0) == COUNTER_FAILED
    assert rpmb.configure(b"\1\2", 1) == 0 and rpmb.configuration() == (2, b"\1\2\0")
    assert rpmb.counter() == 0, "the counter of the target is another one"
    download(host, image(2))
    assert commit(host, 6, 1) == PROHIBITED and commit(host, 7, 1) == OK
    assert commit(host, 6, 0) == OK, "the image is still there"
    assert rpmb.configure(b"\0\0", 2) == BAD_DCB, "for ever"
    assert rpmb.configure(b"\1\0", 2) == 0
    download(host, image(3))
    assert commit(host, 6, 1) == OK and read(host, 1)[1] == image(3)
    host.nvme.disable()
    host.start()
    rpmb.restart()
    assert rpmb.configuration() == (3, b"\1\3\0"), "a reset locks both"
    download(host, image(4))
    assert commit(host, 6, 0) == commit(host, 6, 1) == PROHIBITED
    rpmb.power_cycle()
    assert rpmb.configuration() == (3, b"\1\3\0")


def protect(host: Host, state: int) -> int:
    return host.nvme.admin.execute(SET_FEATURES, nsid=1, cdw10=0x84, cdw11=state)[1]


def test_the_configuration_block_allows_write_protection(rpmb: Rpmb) -> None:
    host = rpmb.host
    assert rpmb.program() == 0
    assert protect(host, 2) == protect(host, 3) == NOT_CHANGEABLE
    assert protect(host, 1) == protect(host, 0) == OK
    assert rpmb.configure(b"\0\0\1", 0) == 0
    assert protect(host, 3) == NOT_CHANGEABLE and protect(host, 2) == OK
    host.nvme.disable()
    host.start()
    rpmb.restart()
    assert rpmb.configuration() == (1, bytes(3)), "a reset ends the permission"
    rpmb.power_cycle()
    assert protect(host, 2) == NOT_CHANGEABLE
    assert rpmb.configure(b"\0\0\3", 1) == 0 and protect(host, 3) == OK


def test_a_drive_without_what_the_configuration_block_controls(start: Start) -> None:
    rpmb = Rpmb(Host(start("--size", "8M", "--rpmb", "--tcg")))
    assert rpmb.wire.receive(0, 0, 16)[7:12].hex() == "04000102ea"
    assert rpmb.program() == 0
    assert rpmb.configure(b"\1", 0) == BAD_DCB, "no boot partitions"
    assert rpmb.configure(b"\0\0\1", 0) == BAD_DCB, "no write protection"
    assert rpmb.configuration() == (0, bytes(3))
    rpmb.host.close()


def test_random_frames_are_survived(rpmb: Rpmb) -> None:
    rng = random.Random(11)
    assert rpmb.program() == 0
    for _ in range(200):
        data = bytearray(frame(rng.randrange(9), rng.randrange(5), sectors=rng.randrange(40)))
        data += rng.randbytes(512 * rng.randrange(8))
        for _ in range(rng.randrange(6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        target = data[223] % 5
        rpmb.send(bytes(data), target)
        rpmb.command(SECURITY_RECEIVE, rng.choice((0, 1, 256, 4096)), target)
    assert rpmb.counter() == 0
