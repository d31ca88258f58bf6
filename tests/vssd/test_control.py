# SPDX-License-Identifier: BSD-3-Clause
"""The control socket in raw bytes, independently of pynvme/control.py."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time

import pytest
from client import Client, Nvme

MAGIC, VERSION = 0x44535356, 1
INFO, GEOMETRY, COUNTERS, POWER, PEEK, POKE, QUIT = 1, 2, 3, 4, 5, 6, 7
REQUEST = struct.Struct("<IHHIIQQ")


class Control:
    """A connection to the control socket."""

    def __init__(self, folder: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(os.path.join(folder, "control"))

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def raw(self, packet: bytes) -> tuple[int, int, bytes]:
        """Send a packet: (command, error, data) of the reply."""
        self.socket.send(packet)
        answer = self.socket.recv(1 << 17)
        magic, version, command, error, length = struct.unpack_from("<IHHII", answer)
        assert (magic, version, length) == (MAGIC, VERSION, len(answer) - 16)
        return command, error, answer[16:]

    def call(self, command: int, nsid: int = 0, lba: int = 0, argument: int = 0, data: bytes = b"") -> bytes:
        replied, error, found = self.raw(
            REQUEST.pack(MAGIC, VERSION, command, nsid, len(data), lba, argument) + data
        )
        assert replied == command
        if error:
            assert found == b""
            raise OSError(error, os.strerror(error))
        return found


@pytest.fixture
def control(server):
    with Control(server.folder) as control:
        yield control


def test_info_tells_the_process_and_its_options(start) -> None:
    options = "--size 64M --cache 1M --namespaces 3 --lba-size 4096 --queues 5 --queue-entries 65536 --mdts 2"
    server = start(*f"{options} --nvme-version 1.4 --null".split())
    with Control(server.folder) as control:
        found = struct.unpack("<IIQQ6I", control.call(INFO))
        assert found == (server.pid, 1 | 4, 64 << 20, 1 << 20, 3, 4096, 5, 65536, 2, 0x10400)
        with Client(server.folder):
            assert struct.unpack_from("<II", control.call(INFO))[1] == 1 | 4 | 8


def test_the_geometry_is_that_of_the_namespace(control: Control) -> None:
    assert struct.unpack("<IIQ", control.call(GEOMETRY, nsid=1)) == (512, 0, (64 << 20) // 512)
    for nsid in (0, 2, 0xFFFFFFFF):
        with pytest.raises(OSError) as caught:
            control.call(GEOMETRY, nsid=nsid)
        assert caught.value.errno == errno.EINVAL


def test_what_is_poked_is_peeked_and_read_by_a_command(control: Control, nvme: Nvme) -> None:
    data = os.urandom(512)
    assert control.call(PEEK, nsid=1, lba=7) == bytes(512)
    control.call(POKE, nsid=1, lba=7, data=data)
    assert control.call(PEEK, nsid=1, lba=7) == data
    assert control.call(PEEK, nsid=1, lba=6) == control.call(PEEK, nsid=1, lba=8) == bytes(512)
    queue, buffer = nvme.create_queue(1, 16), nvme.memory.alloc(4096)
    assert queue.execute(0x02, nsid=1, prp1=buffer, cdw10=7)[1] == 0
    assert nvme.memory.read(buffer, 512) == data


def test_what_a_command_wrote_is_peeked(control: Control, nvme: Nvme) -> None:
    data = os.urandom(1024)
    queue, buffer = nvme.create_queue(1, 16), nvme.memory.alloc(4096)
    nvme.memory.write(buffer, data)
    assert queue.execute(0x01, nsid=1, prp1=buffer, cdw10=100, cdw12=1)[1] == 0
    assert control.call(PEEK, nsid=1, lba=100) + control.call(PEEK, nsid=1, lba=101) == data


@pytest.mark.parametrize(
    "nsid, lba", [(1, (64 << 20) // 512), (1, (1 << 64) - 1), (0, 0), (2, 0), (0xFFFFFFFF, 0)]
)
def test_lbas_that_do_not_exist_are_refused(control: Control, nsid: int, lba: int) -> None:
    for command, data in ((PEEK, b""), (POKE, bytes(512))):
        with pytest.raises(OSError) as caught:
            control.call(command, nsid=nsid, lba=lba, data=data)
        assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("length", [0, 1, 511, 513, 4096, 65536])
def test_a_poke_is_one_lba_long(control: Control, length: int) -> None:
    with pytest.raises(OSError) as caught:
        control.call(POKE, nsid=1, lba=0, data=b"x" * length)
    assert caught.value.errno == errno.EINVAL
    assert control.call(PEEK, nsid=1, lba=0) == bytes(512)


def test_counters_count_commands_and_bytes(control: Control, nvme: Nvme) -> None:
    before = struct.unpack("<11Q", control.call(COUNTERS))
    queue, buffer = nvme.create_queue(1, 16), nvme.memory.alloc(8192)
    for _ in range(3):
        queue.execute(0x01, nsid=1, prp1=buffer, cdw12=7)
    queue.execute(0x02, nsid=1, prp1=buffer, cdw12=1)
    queue.execute(0x00, nsid=1)
    queue.execute(0x02, nsid=1, prp1=buffer, cdw11=0xFFFF)
    after = struct.unpack("<11Q", control.call(COUNTERS))
    assert [a - b for a, b in zip(after, before)] == [2, 2, 3, 1, 1024, 12288, 1, 0, 0, 0, 0]


def test_the_power_switch_cuts_the_drive_off_and_back(control: Control, nvme: Nvme) -> None:
    cycles = struct.unpack("<11Q", control.call(COUNTERS))[7]
    control.call(POWER, argument=0)
    assert not struct.unpack_from("<II", control.call(INFO))[1] & 4
    assert nvme.client.read32(0x1C) == 0xFFFFFFFF
    assert nvme.client.region_read(4, 0, 4) == b"\xff" * 4
    control.call(POWER, argument=0)
    control.call(POWER, argument=1)
    control.call(POWER, argument=1)
    assert struct.unpack_from("<II", control.call(INFO))[1] & 4
    assert struct.unpack("<11Q", control.call(COUNTERS))[7] == cycles + 1
    nvme.enable()
    assert nvme.client.read32(0x1C) & 1


def test_power_takes_0_or_1(control: Control) -> None:
    for argument in (2, (1 << 64) - 1):
        with pytest.raises(OSError) as caught:
            control.call(POWER, argument=argument)
        assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("command", [0, 9, 22, 23, 0xFFFF])
def test_requests_that_there_are_not_are_not_supported(control: Control, command: int) -> None:
    with pytest.raises(OSError) as caught:
        control.call(command, data=bytes(56))
    assert caught.value.errno == errno.ENOTSUP


def garbage(magic: int = MAGIC, version: int = VERSION, length: int = 0, data: bytes = b"") -> bytes:
    return REQUEST.pack(magic, version, POKE, 1, length, 0, 0) + data


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"x", id="one byte"),
        pytest.param(garbage()[:-1], id="one byte less"),
        pytest.param(garbage(data=b"x"), id="one byte more"),
        pytest.param(bytes(32), id="zeros"),
        pytest.param(garbage(magic=MAGIC ^ 1), id="magic"),
        pytest.param(garbage(version=VERSION + 1), id="version"),
        pytest.param(garbage(length=1), id="no data"),
        pytest.param(garbage(length=0xFFFFFFFF, data=bytes(512)), id="less data"),
        pytest.param(garbage(length=65537, data=bytes(65537)), id="too much data"),
    ],
)
def test_what_is_no_request_is_told_so_and_the_connection_stays(control: Control, packet: bytes) -> None:
    assert control.raw(packet)[:2] == (0, errno.EPROTO)
    assert len(control.call(INFO)) == 48


def test_several_may_be_connected_and_the_oldest_makes_room(server) -> None:
    controls = [Control(server.folder) for _ in range(8)]
    try:
        for control in controls:
            assert len(control.call(INFO)) == 48
        controls.append(Control(server.folder))
        assert len(controls[-1].call(INFO)) == 48
        assert controls[0].socket.recv(16) == b""
        for control in controls[1:]:
            assert len(control.call(INFO)) == 48
    finally:
        for control in controls:
            control.socket.close()


def test_a_peer_that_reads_no_replies_is_dropped(server, control: Control) -> None:
    packet = REQUEST.pack(MAGIC, VERSION, PEEK, 1, 0, 0, 0)
    control.socket.setblocking(False)
    deadline = time.monotonic() + 20
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        while time.monotonic() < deadline:
            try:
                control.socket.send(packet)
            except BlockingIOError:
                time.sleep(0.001)
    with Control(server.folder) as other:
        assert len(other.call(INFO)) == 48


def test_quit_answers_and_ends(folder: str) -> None:
    from server import Server

    server = Server(os.path.join(folder, "drive"), "--size", "16M")
    with Control(server.folder) as control, Client(server.folder):
        assert control.call(QUIT) == b""
    assert server.process.wait(10) == 0
    assert os.listdir(server.folder) == []
    server.log.close()
