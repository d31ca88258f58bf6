# SPDX-License-Identifier: BSD-3-Clause
"""Several controllers of one subsystem, each with its own sockets: what they share, and what each has alone.

Base 2.1, sections 2.4.1 (multi-path I/O and namespace sharing), 3.1.3 and 5.1.13.2.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from client import sqe, store32
from ctrl_helpers import (
    ASYNC_EVENT,
    FORMAT,
    IDENTIFY,
    INVALID_FIELD,
    OK,
    POWER,
    READ,
    SANITIZE,
    WRITE,
    Host,
    Start,
    control,
    get_feature,
    identify,
    log_page,
    pattern,
    set_feature,
    smart,
)

ERROR_RECOVERY, CACHE, EVENTS, DULBE = 0x05, 0x06, 0x0B, 1 << 16
NSSR, NSSR_VALUE, CSTS, NSSRO = 0x20, 0x4E564D65, 0x1C, 1 << 4
NS_CHANGED = 4 << 16 | 0 << 8 | 2
ATTACH, SELF_TEST = 0x15, 0x14
NOTICES = 1 << 8
UNWRITTEN = 0x287


def port(folder: str, number: int) -> Host:
    """A host of one controller of a virtual SSD."""
    path = folder if number == 1 else os.path.join(folder, str(number))
    return Host(SimpleNamespace(folder=path))  # type: ignore[arg-type]


class Pair:
    """The two hosts of a virtual SSD with two controllers."""

    def __init__(self, start: Start, *options: str) -> None:
        self.server = start("--controllers", "2", "--size", "16M", *options)
        self.a, self.b = port(self.server.folder, 1), port(self.server.folder, 2)

    def close(self) -> None:
        self.a.close()
        self.b.close()


@pytest.fixture
def pair(start: Start) -> Iterator[Pair]:
    made = Pair(start, "--namespaces", "3", "--private-namespaces", "1")
    yield made
    made.close()


def ids(data: bytes) -> list[int]:
    """The entries of a controller list."""
    return list(struct.unpack_from(f"<{struct.unpack_from('<H', data)[0]}H", data, 2))


def active(host: Host) -> list[int]:
    return [nsid for nsid in struct.unpack("<1024I", identify(host.nvme, 2)) if nsid]


def test_identify_tells_one_subsystem_with_two_controllers(pair: Pair) -> None:
    a, b = identify(pair.a.nvme, 1), identify(pair.b.nvme, 1)
    assert (a[78:80], b[78:80]) == (b"\1\0", b"\2\0"), "CNTLID"
    assert a[76] & 3 == b[76] & 3 == 3, "CMIC: more than one port, more than one controller"
    assert a[4:64] == b[4:64] and a[768:1024] == b[768:1024], "SN, MN and SUBNQN"
    assert (active(pair.a), active(pair.b)) == ([1, 2, 3], [1, 2])
    assert [identify(pair.a.nvme, 0, nsid)[30] for nsid in (1, 2, 3)] == [1, 1, 0], "NMIC"
    assert identify(pair.a.nvme, 0, 1) == identify(pair.b.nvme, 0, 1), "the same EUI64 and NGUID"
    assert identify(pair.b.nvme, 0, 3) == bytes(4096), "an inactive namespace"
    for host in (pair.a, pair.b):
        assert ids(identify(host.nvme, 0x13)) == [1, 2]
        assert identify(host.nvme, 0x13, cdw11=0)[2:4] == b"\1\0"
        assert ids(identify_from(host, 0x13, 2)) == [2], "from CNTID on"
        assert ids(identify(host.nvme, 0x12, 1)) == [1, 2]
        assert ids(identify(host.nvme, 0x12, 3)) == [1], "a private namespace"


def identify_from(host: Host, cns: int, cntid: int) -> bytes:
    buffer = host.nvme.memory.alloc(4096)
    assert host.nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=cntid << 16 | cns)[1] == OK
    return host.nvme.memory.read(buffer, 4096)


def test_one_controller_writes_and_the_other_reads(pair: Pair) -> None:
    pair.a.disk.write(7, pattern(7, 8))
    assert pair.b.disk.read(7, 8) == pattern(7, 8)
    pair.b.disk.write(9, pattern(9, 1, seed=1))
    assert pair.a.disk.read(7, 3) == pattern(7, 2) + pattern(9, 1, seed=1)
    pair.b.disk.nsid = 3
    assert pair.b.disk.command(READ, 0) == INVALID_FIELD, "it is private to the other"
    assert pair.b.disk.command(WRITE, 0) == INVALID_FIELD
    control_b = SimpleNamespace(folder=os.path.join(pair.server.folder, "2"))
    assert control(control_b, 5, lba=9) == pattern(9, 1, seed=1)  # type: ignore[arg-type]


def test_a_reset_of_one_leaves_the_other_alone(pair: Pair) -> None:
    a, b = pair.a, pair.b
    assert set_feature(b.nvme, CACHE, 0) == OK
    assert get_feature(a.nvme, CACHE) == 1, "the write cache is a feature of the controller"
    assert set_feature(b.nvme, ERROR_RECOVERY, DULBE, nsid=1) == OK
    assert a.disk.command(READ, 100) == UNWRITTEN, "that of the namespace acts in both"
    assert set_feature(b.nvme, ERROR_RECOVERY, 0, nsid=1) == OK
    assert a.disk.command(READ, 100) == OK
    running = a.nvme.admin.submit(sqe(FORMAT, nsid=2))
    b.client.write32(0x14, 0)
    done = a.nvme.admin.wait()
    assert (done.cid, done.status) == (running, OK), "the format of the other goes on"
    assert a.nvme.admin.execute(SELF_TEST, cdw10=1)[1] == OK
    b.start()
    b.client.write32(0x14, 0)
    assert log_page(a.nvme, 6)[0] == 1, "so does a short self-test"
    assert get_feature(a.nvme, CACHE) == 1
    a.disk.write(0, pattern(0, 1))
    b.start()
    assert b.disk.read(0) == pattern(0, 1)


def test_each_controller_saves_features_of_its_own(pair: Pair) -> None:
    a, b = pair.a, pair.b
    assert set_feature(b.nvme, CACHE, 0, save=True) == OK
    assert (get_feature(a.nvme, CACHE, select=2), get_feature(b.nvme, CACHE, select=2)) == (1, 0)
    control(pair.server, POWER, 0)
    control(pair.server, POWER, 1)
    a.start()
    b.start()
    assert (get_feature(a.nvme, CACHE), get_feature(b.nvme, CACHE)) == (1, 0)


def test_nssr_and_power_reach_all_controllers(pair: Pair) -> None:
    a, b = pair.a, pair.b
    a.disk.write(0, pattern(0, 1))
    b.client.write32(NSSR, NSSR_VALUE)
    for host in (a, b):
        assert host.client.read32(0x14) == 0 and host.client.read32(CSTS) & (1 | NSSRO) == NSSRO
        host.start()
    assert b.disk.read(0) == pattern(0, 1), "NSSR loses no data"
    b.disk.flush()
    b.disk.write(0, pattern(0, 1, seed=1))
    control(pair.server, POWER, 0)
    assert a.client.read32(CSTS) == b.client.read32(CSTS) == 0xFFFFFFFF
    control(pair.server, POWER, 1)
    a.start()
    b.start()
    assert a.disk.read(0) == b.disk.read(0) == pattern(0, 1), "what was not flushed is lost for both"


def test_a_shutdown_of_one_of_them_does_not_announce_a_power_loss(pair: Pair) -> None:
    a, b = pair.a, pair.b
    before = smart(a.nvme, 144)
    b.shut_down()
    a.disk.write(0, pattern(0, 1))
    control(pair.server, POWER, 0)
    control(pair.server, POWER, 1)
    a.start()
    assert smart(a.nvme, 144) == before + 1, "unsafe shutdowns: the other was in use"
    b.start()
    a.shut_down()
    b.shut_down()
    control(pair.server, POWER, 0)
    control(pair.server, POWER, 1)
    a.start()
    assert smart(a.nvme, 144) == before + 1


def test_a_sanitize_refuses_commands_of_all_controllers(start: Start) -> None:
    pair = Pair(start, "--sanitize-time", "200")
    assert pair.a.nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK
    assert pair.b.disk.command(READ, 0) == 0x01D
    assert pair.b.nvme.admin.execute(FORMAT, nsid=1)[1] == 0x01D
    pair.close()


def test_the_other_controller_hears_of_attachment_and_format(start: Start) -> None:
    pair = Pair(start, "--namespace-management")
    a, b = pair.a, pair.b
    for host in (a, b):
        assert set_feature(host.nvme, EVENTS, NOTICES) == OK
        host.nvme.admin.submit(sqe(ASYNC_EVENT))
    assert attach(a, 1, [2], detach=True) == OK
    assert b.nvme.admin.wait().cdw0 == NS_CHANGED
    assert struct.unpack_from("<2I", log_page(b.nvme, 4)) == (1, 0)
    assert active(b) == [] and active(a) == [1]
    assert a.nvme.admin.poll() is None, "nothing has changed for the other"
    assert b.disk.command(READ, 0) == INVALID_FIELD and a.disk.command(READ, 0) == OK
    b.nvme.admin.submit(sqe(ASYNC_EVENT))
    assert attach(a, 1, [2]) == OK
    assert b.nvme.admin.wait().cdw0 == NS_CHANGED
    log_page(b.nvme, 4)
    b.nvme.admin.submit(sqe(ASYNC_EVENT))
    assert a.nvme.admin.execute(FORMAT, nsid=1, cdw10=1)[1] == OK
    assert b.nvme.admin.wait().cdw0 == NS_CHANGED, "the LBA size is another one"
    assert identify(b.nvme, 0, 1)[26] & 0xF == 1
    pair.close()


def attach(host: Host, nsid: int, cntlids: list[int], detach: bool = False) -> int:
    buffer = host.nvme.memory.alloc(4096)
    host.nvme.memory.write(
        buffer, struct.pack(f"<{1 + len(cntlids)}H", len(cntlids), *cntlids).ljust(4096, b"\0")
    )
    return host.nvme.admin.execute(ATTACH, nsid=nsid, prp1=buffer, cdw10=detach)[1]


def test_a_private_namespace_has_one_controller(start: Start) -> None:
    pair = Pair(start, "--namespace-management", "--namespaces", "2", "--private-namespaces", "1")
    a = pair.a
    assert (active(a), active(pair.b)) == ([1, 2], [1])
    assert attach(a, 2, [2]) == 0x119, "Namespace Is Private"
    assert attach(a, 2, [1], detach=True) == OK
    assert attach(a, 2, [1, 2]) == 0x119
    assert attach(a, 2, [2]) == OK and active(pair.b) == [1, 2]
    assert attach(a, 1, [3], detach=True) == 0x11C, "Controller List Invalid"
    pair.close()


def test_the_namespaces_of_a_file_keep_their_controllers(start: Start, folder: str) -> None:
    path = os.path.join(folder, "drive")
    options = ("--namespace-management", "--namespaces", "2", "--file", path)
    pair = Pair(start, *options)
    assert attach(pair.a, 2, [2], detach=True) == OK
    pair.close()
    pair.server.stop()
    pair.server.check_end = lambda: None  # type: ignore[method-assign]
    again = Pair(start, *options)
    assert (active(again.a), active(again.b)) == ([1, 2], [1])
    again.close()


def test_sixteen_controllers_and_wrong_options(start: Start) -> None:
    server = start("--controllers", "16", "--size", "1M", "--temporary")
    last = port(server.folder, 16)
    assert ids(identify(last.nvme, 0x13)) == list(range(1, 17))
    last.close()
    assert server.stop() == 0 and not os.path.exists(server.folder), "the folders are removed"
    server.check_end = lambda: None  # type: ignore[method-assign]


def test_one_controller_has_neither_the_bits_nor_the_lists(host: Host) -> None:
    assert identify(host.nvme, 1)[76] == 0 and identify(host.nvme, 0, 1)[30] == 0
    buffer = host.nvme.memory.alloc(4096)
    for cns in (0x12, 0x13):
        assert host.nvme.admin.execute(IDENTIFY, nsid=1, prp1=buffer, cdw10=cns)[1] == INVALID_FIELD


def test_memory_that_one_client_takes_away_does_not_hurt_the_other(pair: Pair) -> None:
    a, b = pair.a, pair.b
    b.disk.write(0, pattern(0, 1))
    os.ftruncate(a.nvme.memory.fd, 0)
    store32(a.nvme.admin.doorbells, 0, (a.nvme.admin.tail + 1) % a.nvme.admin.depth)
    assert a.client.is_closed()
    assert b.disk.read(0) == pattern(0, 1)
    pair.close()
    pair.a = pair.b = SimpleNamespace(close=lambda: None)  # type: ignore[assignment]
