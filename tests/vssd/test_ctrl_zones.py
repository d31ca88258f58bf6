# SPDX-License-Identifier: BSD-3-Clause
"""Zoned namespaces: states, limits, reports, appends, and what of them a loss of power leaves (ZNS 1.2)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Callable, NamedTuple

import pytest
from client import Client, Nvme, sqe
from ctrl_helpers import (
    ASYNC_EVENT,
    COMPARE,
    DEAC,
    DSM,
    FORMAT,
    FUA,
    GET_LOG,
    INVALID_FIELD,
    INVALID_NAMESPACE,
    INVALID_OPCODE,
    LBA_OUT_OF_RANGE,
    OK,
    POWER,
    READ,
    SANITIZE,
    SET_FEATURES,
    UNWRITTEN,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Start,
    control,
    identify,
    log_page,
    pattern,
    set_feature,
)
from server import Server

MANAGE, RECEIVE, APPEND, COPY = 0x79, 0x7A, 0x7D, 0x19
CLOSE, FINISH, OPEN, RESET, TAKE_OFFLINE, EXTEND, FLUSH_ZRWA = 1, 2, 3, 4, 5, 0x10, 0x11
EMPTY, IMPLICIT, EXPLICIT, CLOSED, READ_ONLY, FULL, OFFLINE = 1, 2, 3, 4, 13, 14, 15
INVALID_OPERATION, NO_ZRWA, BOUNDARY, IS_FULL, IS_READ_ONLY, IS_OFFLINE = range(0x1B6, 0x1BC)
INVALID_WRITE, TOO_ACTIVE, TOO_OPEN, INVALID_TRANSITION = range(0x1BC, 0x1C0)
INVALID_COMMAND_SET = 0x12C
NO_POINTER = (1 << 64) - 1
ALL_SETS = 6  # CC.CSS
COMMAND_SETS = 0xFFFF << 16 | 0x1C  # Identify of this controller
WRITTEN = -1
ZRWA, EXTENDED = 1 << 3, 1 << 7  # attributes

SIZE, CAPACITY = 64, 48  # LBAs of a zone
ZONES = 16
SMALL = ("--size", "512K", "--zoned", "1", "--zone-size", "32K", "--zone-capacity", "24K")


class Zone(NamedTuple):
    state: int
    attributes: int
    capacity: int
    start: int
    pointer: int


class Zoned:
    """A host of a drive whose last namespace is zoned."""

    def __init__(self, server: Server, nsid: int = 1) -> None:
        self.server, self.nsid = server, nsid
        self.client = Client(server.folder)
        self.nvme = Nvme(self.client)
        self.enable()

    def enable(self) -> None:
        self.nvme.enable(css=ALL_SETS)
        self.disk = Disk(self.nvme, self.nvme.create_queue(1, 16), self.nsid)

    def close(self) -> None:
        self.nvme.close()
        self.client.close()

    def power_cycle(self) -> None:
        control(self.server, POWER, 0)
        control(self.server, POWER, 1)
        self.enable()

    def manage(self, action: int, slba: int = 0, flags: int = 0, data: bytes = b"") -> int:
        """The status of a Zone Management Send. `flags`: bit 8 selects all, bit 9 allocates a ZRWA."""
        self.nvme.memory.write(self.disk.buffer, data)
        return self.disk.queue.execute(
            MANAGE,
            nsid=self.nsid,
            prp1=self.disk.buffer,
            cdw10=slba & 0xFFFFFFFF,
            cdw11=slba >> 32,
            cdw13=action | flags,
        )[1]

    def receive(
        self,
        slba: int = 0,
        size: int = 4096,
        action: int = 0,
        state: int = 0,
        partial: bool = True,
    ) -> tuple[int, bytes]:
        """The status of a Zone Management Receive, and 4096 bytes of its buffer."""
        self.nvme.memory.write(self.disk.buffer, b"\xa5" * 4096)
        status = self.disk.queue.execute(
            RECEIVE,
            nsid=self.nsid,
            prp1=self.disk.buffer,
            cdw10=slba,
            cdw12=size // 4 - 1,
            cdw13=action | state << 8 | partial << 16,
        )[1]
        return status, self.nvme.memory.read(self.disk.buffer, 4096)

    def zones(self, slba: int = 0, state: int = 0) -> list[Zone]:
        status, data = self.receive(slba, state=state)
        assert status == OK
        found = []
        for index in range(struct.unpack_from("<Q", data)[0]):
            kind, zs, za, zai, zero, capacity, start, pointer = struct.unpack_from(
                "<BBBBIQQQ", data, 64 + 64 * index
            )
            assert (kind, zs & 15, zai, zero) == (2, 0, 0, 0)
            found.append(Zone(zs >> 4, za, capacity, start, pointer))
        return found

    def zone(self, slba: int) -> Zone:
        return self.zones(slba)[0]

    def state(self, slba: int) -> int:
        return self.zone(slba).state

    def append(self, zslba: int, data: bytes, flags: int = 0) -> tuple[int, int]:
        """The LBA that the completion tells, and the status."""
        self.nvme.memory.write(self.disk.buffer, data)
        return self.disk.queue.execute(
            APPEND,
            nsid=self.nsid,
            prp1=self.disk.buffer,
            prp2=self.disk.buffer + 4096,
            cdw10=zslba,
            cdw12=len(data) // 512 - 1 | flags,
        )

    def fill(self, zslba: int, count: int = CAPACITY) -> None:
        """Write the first LBAs of an empty zone."""
        for lba in range(zslba, zslba + count, 16):
            self.disk.write(lba, pattern(lba, min(16, zslba + count - lba)))


Make = Callable[..., Zoned]


@pytest.fixture
def make(start: Start) -> Iterator[Make]:
    """Opens zoned drives: `make("--zrwas", "2")`."""
    hosts: list[Zoned] = []

    def open_one(*options: str, nsid: int = 1) -> Zoned:
        hosts.append(Zoned(start(*SMALL, *options), nsid))
        return hosts[-1]

    yield open_one
    for host in hosts:
        host.close()


@pytest.fixture
def zoned(make: Make) -> Zoned:
    return make("--max-open-zones", "3", "--max-active-zones", "5")


def test_what_identify_says(start: Start) -> None:
    options = "--namespaces 2 --max-open-zones 3 --max-active-zones 5 --zasl 2 --zdes 3 --zrwas 4"
    more = "--zrwa-size 8K --zrwa-granularity 4K --read-across-zones --variable-capacity"
    zoned = Zoned(start(*SMALL, *options.split(), *more.split()), 2)
    try:
        nvme = zoned.nvme
        found = identify(nvme, 5, 2, 2 << 24)
        assert struct.unpack_from("<HHII", found) == (1, 3, 4, 2), "ZOC, OZCS, MAR, MOR"
        assert struct.unpack_from("<IHHB", found, 44) == (3, 8, 16, 1), "NUMZRWA, ZRWAFG, ZRWASZ, ZRWACAP"
        assert struct.unpack_from("<QB7xQB", found, 2816) == (64, 3, 8, 3), "LBAFE"
        assert identify(nvme, 6, 0, 2 << 24)[:4] == b"\2\0\0\0", "ZASL"
        assert identify(nvme, 5, 2, 0) == identify(nvme, 5, 1, 0) == bytes(4096), "the NVM command set"
        assert struct.unpack_from("<3I", identify(nvme, 7, 0, 2 << 24)) == (2, 0, 0)
        assert struct.unpack_from("<3I", identify(nvme, 7, 0, 0)) == (1, 0, 0)
        assert struct.unpack_from("<3I", identify(nvme, 2)) == (1, 2, 0)
        assert identify(nvme, COMMAND_SETS)[:16] == struct.pack("<QQ", 0b101, 0)
        assert struct.unpack_from("<QQ", identify(nvme, 0, 2)) == (1024, 1024)
        for nsid, csi in ((1, 0), (2, 2)):
            assert bytes([4, 1, 0, 0, csi, 0]) in identify(nvme, 3, nsid)
        assert identify(nvme, 1)[92 + 3] & 8, "OAES bit 27"
        buffer = nvme.memory.alloc(4096)
        for nsid, csi, status in (
            (1, 2, INVALID_FIELD),
            (2, 1, INVALID_COMMAND_SET),
            (9, 2, INVALID_NAMESPACE),
        ):
            assert nvme.admin.execute(6, nsid=nsid, prp1=buffer, cdw10=5, cdw11=csi << 24)[1] == status
    finally:
        zoned.close()


def test_a_drive_without_the_option_has_no_zones(start: Start) -> None:
    with Client(start("--size", "1M").folder) as client:
        nvme = Nvme(client)
        nvme.enable(css=ALL_SETS)
        disk = Disk(nvme, nvme.create_queue(1, 8))
        for opcode in (MANAGE, RECEIVE, APPEND):
            assert disk.command(opcode, 0) == INVALID_OPCODE
        assert identify(nvme, COMMAND_SETS)[0] == 1
        assert not identify(nvme, 1)[95] & 8
        nvme.close()


def test_with_the_nvm_command_set_alone_a_zoned_namespace_takes_no_command(zoned: Zoned) -> None:
    zoned.nvme.enable()
    disk = Disk(zoned.nvme, zoned.nvme.create_queue(1, 8))
    for opcode in (READ, WRITE, MANAGE, RECEIVE, APPEND):
        assert disk.command(opcode, 0) == INVALID_OPCODE


def test_a_report(zoned: Zoned) -> None:
    assert zoned.zones() == [Zone(EMPTY, 0, CAPACITY, SIZE * i, SIZE * i) for i in range(ZONES)]
    assert [zone.start for zone in zoned.zones(5 * SIZE + 3)] == list(range(5 * SIZE, 16 * SIZE, SIZE))
    zoned.fill(0)
    zoned.fill(SIZE, 16)
    assert zoned.manage(OPEN, 2 * SIZE) == zoned.manage(OPEN, 3 * SIZE) == zoned.manage(CLOSE, 3 * SIZE) == OK
    assert zoned.zones()[:4] == [
        Zone(FULL, 0, CAPACITY, 0, NO_POINTER),
        Zone(IMPLICIT, 0, CAPACITY, SIZE, SIZE + 16),
        Zone(EXPLICIT, 0, CAPACITY, 2 * SIZE, 2 * SIZE),
        Zone(CLOSED, 0, CAPACITY, 3 * SIZE, 3 * SIZE),
    ]
    for state, zones in ((2, [1]), (3, [2]), (4, [3]), (5, [0]), (6, []), (7, []), (1, list(range(4, 16)))):
        assert [zone.start // SIZE for zone in zoned.zones(state=state)] == zones


def test_the_golden_bytes_of_a_report(zoned: Zoned) -> None:
    zoned.fill(SIZE, 16)
    expected = "0100000000000000" + 56 * "00"
    expected += (
        "02200000" + "00000000" + "3000000000000000" + "4000000000000000" + "5000000000000000" + 32 * "00"
    )
    status, data = zoned.receive(SIZE, size=256, state=2)
    assert (status, data[:128].hex()) == (OK, expected)
    assert data[128:256] == bytes(128) and data[256:] == b"\xa5" * 3840


@pytest.mark.parametrize(
    ("size", "partial", "count"),
    [(64, True, 0), (64, False, 14), (124, True, 0), (128, True, 1), (192 + 32, True, 2), (192, False, 14)],
)
def test_a_short_report_counts_what_it_returns_or_all(
    zoned: Zoned, size: int, partial: bool, count: int
) -> None:
    status, data = zoned.receive(2 * SIZE, size, partial=partial)
    assert (status, struct.unpack_from("<Q", data)[0]) == (OK, count)
    returned = (size - 64) // 64
    for index in range(returned):
        assert struct.unpack_from("<Q", data, 64 + 64 * index + 16)[0] == (2 + index) * SIZE
    assert data[64 + 64 * returned : size] == bytes(size - 64 - 64 * returned)
    assert data[size:] == b"\xa5" * (4096 - size)


def test_what_a_report_refuses(zoned: Zoned) -> None:
    for action, state, slba, size, status in (
        (2, 0, 0, 4096, INVALID_FIELD),
        (0, 8, 0, 4096, INVALID_FIELD),
        (0, 0, 16 * SIZE, 4096, LBA_OUT_OF_RANGE),
        (0, 0, 0, 60, INVALID_FIELD),
        (0, 0, 0, 1 << 18, INVALID_FIELD),
    ):
        assert zoned.receive(slba, size, action, state)[0] == status


def test_states(zoned: Zoned) -> None:
    def after(*actions: int) -> int:
        assert zoned.manage(RESET, 0) == OK
        for action in actions:
            if action == WRITTEN:
                zoned.disk.write(zoned.zone(0).pointer, pattern(0, 1))
            else:
                assert zoned.manage(action, 0) == OK
        return zoned.state(0)

    assert after() == EMPTY
    assert after(WRITTEN) == IMPLICIT
    assert after(WRITTEN, OPEN) == EXPLICIT
    assert after(OPEN, WRITTEN) == EXPLICIT
    assert after(OPEN, OPEN) == EXPLICIT
    assert after(WRITTEN, CLOSE) == after(OPEN, CLOSE, CLOSE) == CLOSED
    assert after(OPEN, CLOSE, WRITTEN) == IMPLICIT
    assert after(OPEN, CLOSE, OPEN) == EXPLICIT
    for before in ((), (WRITTEN,), (OPEN,), (OPEN, CLOSE), (FINISH,)):
        assert after(*before, FINISH) == FULL
        assert after(*before, RESET) == EMPTY
    assert zoned.manage(CLOSE, 0) == INVALID_TRANSITION
    assert zoned.manage(TAKE_OFFLINE, 0) == INVALID_TRANSITION
    assert zoned.manage(FINISH, 0) == OK
    assert zoned.manage(OPEN, 0) == zoned.manage(CLOSE, 0) == INVALID_TRANSITION
    assert zoned.manage(TAKE_OFFLINE, 0) == zoned.manage(EXTEND, 0, data=bytes(64)) == INVALID_TRANSITION


def test_what_zone_management_send_refuses(zoned: Zoned) -> None:
    for action in (0, 6, 0x0F, 0x12, 0xFF):
        assert zoned.manage(action, 0) == INVALID_FIELD
    assert zoned.manage(OPEN, 1) == zoned.manage(RESET, SIZE - 1) == INVALID_FIELD
    assert zoned.manage(OPEN, 16 * SIZE) == zoned.manage(OPEN, 1 << 63) == LBA_OUT_OF_RANGE
    assert zoned.manage(EXTEND, 0, 1 << 8) == zoned.manage(FLUSH_ZRWA, 0, 1 << 8) == INVALID_FIELD
    assert zoned.manage(OPEN, 0, 1 << 9) == zoned.manage(FLUSH_ZRWA, 0) == INVALID_OPERATION
    assert {zone.state for zone in zoned.zones()} == {EMPTY}


def test_only_at_its_pointer_a_zone_is_written(zoned: Zoned) -> None:
    disk = zoned.disk
    disk.write(SIZE, pattern(SIZE, 2))
    for opcode in (WRITE, WRITE_ZEROES, WRITE_UNCORRECTABLE):
        for lba in (SIZE, SIZE + 1, SIZE + 3, SIZE + CAPACITY):
            assert disk.command(opcode, lba) == INVALID_WRITE
    assert disk.command(WRITE_ZEROES, SIZE + 2, 3, DEAC) == OK
    assert disk.command(WRITE_UNCORRECTABLE, SIZE + 5) == OK
    assert zoned.zone(SIZE).pointer == SIZE + 6
    assert disk.read(SIZE, 5) == pattern(SIZE, 2) + bytes(3 * 512)
    assert disk.command(READ, SIZE + 5) == 0x281
    assert disk.command(WRITE, SIZE + 6, 43) == BOUNDARY
    disk.write(SIZE + 6, pattern(6, 16))
    assert disk.command(WRITE_ZEROES, SIZE + 22, 26) == OK
    assert zoned.state(SIZE) == FULL
    assert disk.command(WRITE, SIZE + CAPACITY) == disk.command(WRITE_ZEROES, SIZE) == IS_FULL
    assert zoned.state(0) == EMPTY


def test_reads(zoned: Zoned) -> None:
    disk = zoned.disk
    zoned.fill(0)
    assert disk.read(40, 16) == pattern(40 % 16 + 32, 8)[:0] + disk.read(40, 8) + bytes(8 * 512)
    assert disk.read(40, 8) == pattern(32, 16)[8 * 512 :]
    for opcode in (READ, COMPARE, VERIFY):
        assert disk.command(opcode, SIZE - 1, 2) == BOUNDARY
    assert disk.read(SIZE) == bytes(512)
    assert set_feature(zoned.nvme, 5, 1 << 16, nsid=1) == OK
    assert disk.command(READ, 48) == disk.command(READ, SIZE) == UNWRITTEN
    assert disk.command(READ, 0, 16) == OK


def test_reads_across_zones(make: Make) -> None:
    zoned = make("--read-across-zones", "--offline-zones", "1")
    zoned.fill(0)
    zoned.fill(SIZE, 16)
    assert zoned.disk.read(SIZE - 1, 9) == bytes(512) + pattern(SIZE, 8)
    assert zoned.disk.command(READ, 15 * SIZE - 1, 2) == IS_OFFLINE


def test_limits(zoned: Zoned) -> None:
    """Three zones may be open, five active."""
    for zone in range(3):
        assert zoned.manage(OPEN, zone * SIZE) == OK
    assert zoned.manage(OPEN, 3 * SIZE) == zoned.disk.command(WRITE, 3 * SIZE) == TOO_OPEN
    assert zoned.manage(CLOSE, 0) == zoned.manage(CLOSE, SIZE) == OK
    zoned.disk.write(3 * SIZE, pattern(0, 1))
    zoned.disk.write(4 * SIZE, pattern(0, 1))
    assert [zone.state for zone in zoned.zones()[:6]] == [CLOSED, CLOSED, EXPLICIT, IMPLICIT, IMPLICIT, EMPTY]
    assert zoned.manage(OPEN, 5 * SIZE) == zoned.disk.command(WRITE, 5 * SIZE) == TOO_ACTIVE
    assert zoned.append(5 * SIZE, bytes(512))[1] == TOO_ACTIVE
    assert zoned.manage(EXTEND, 5 * SIZE, data=bytes(64)) == TOO_ACTIVE
    assert zoned.manage(FINISH, 5 * SIZE) == OK, "a full zone needs no resources"
    assert zoned.manage(RESET, 0) == OK
    assert zoned.manage(EXTEND, 5 * SIZE, data=bytes(64)) == INVALID_TRANSITION
    assert zoned.manage(EXTEND, 0, data=bytes(64)) == OK


def test_the_zone_that_was_opened_first_by_a_write_is_closed(zoned: Zoned) -> None:
    assert zoned.manage(OPEN, 0) == OK
    for zone in (2, 1):
        zoned.disk.write(zone * SIZE, pattern(0, 1))
    zoned.disk.write(2 * SIZE + 1, pattern(0, 1))
    assert zoned.manage(OPEN, 3 * SIZE) == OK
    assert [zone.state for zone in zoned.zones()[:4]] == [EXPLICIT, IMPLICIT, CLOSED, EXPLICIT]
    zoned.disk.write(2 * SIZE + 2, pattern(0, 1))
    assert [zone.state for zone in zoned.zones()[:4]] == [EXPLICIT, CLOSED, IMPLICIT, EXPLICIT]


def test_all_zones(make: Make) -> None:
    zoned = make("--max-open-zones", "3", "--max-active-zones", "5", "--read-only-zones", "2")
    every = 1 << 8

    def states() -> list[int]:
        return [zone.state for zone in zoned.zones()]

    zoned.fill(0)
    zoned.fill(SIZE, 16)
    for zone in (2, 3):
        assert zoned.manage(OPEN, zone * SIZE) == OK
    assert zoned.manage(CLOSE, 0, every) == OK
    assert states()[:5] == [FULL, CLOSED, CLOSED, CLOSED, EMPTY]
    assert zoned.manage(OPEN, 77, every) == OK
    assert states()[:5] == [FULL, EXPLICIT, EXPLICIT, EXPLICIT, EMPTY]
    assert zoned.manage(CLOSE, SIZE) == OK
    zoned.disk.write(4 * SIZE, pattern(0, 1))
    assert zoned.manage(CLOSE, 0, every) == OK
    assert zoned.manage(OPEN, 0, every) == TOO_OPEN
    assert states()[:5] == [FULL, CLOSED, CLOSED, CLOSED, CLOSED]
    assert zoned.manage(FINISH, 0, every) == OK
    assert states() == [FULL] * 5 + [EMPTY] * 9 + [READ_ONLY] * 2
    assert zoned.manage(RESET, 0, every) == OK
    assert zoned.manage(TAKE_OFFLINE, 0, every) == OK
    assert states() == [EMPTY] * 14 + [OFFLINE] * 2
    assert zoned.disk.read(0, 16) == bytes(8192)


def test_read_only_and_offline_zones(make: Make) -> None:
    zoned = make("--read-only-zones", "1", "--offline-zones", "1")
    read_only, offline = 14 * SIZE, 15 * SIZE
    assert zoned.zones(read_only) == [
        Zone(READ_ONLY, 0, CAPACITY, read_only, NO_POINTER),
        Zone(OFFLINE, 0, CAPACITY, offline, NO_POINTER),
    ]
    assert [zone.start for zone in zoned.zones(state=6) + zoned.zones(state=7)] == [read_only, offline]
    assert zoned.disk.command(WRITE, read_only) == zoned.append(read_only, bytes(512))[1] == IS_READ_ONLY
    assert zoned.disk.command(WRITE, offline) == zoned.append(offline, bytes(512))[1] == IS_OFFLINE
    assert zoned.disk.command(READ, read_only) == OK and zoned.disk.command(READ, offline) == IS_OFFLINE
    for action in (OPEN, CLOSE, FINISH, RESET):
        assert zoned.manage(action, read_only) == zoned.manage(action, offline) == INVALID_TRANSITION
    assert zoned.manage(TAKE_OFFLINE, offline) == zoned.manage(TAKE_OFFLINE, read_only) == OK
    zoned.power_cycle()
    assert zoned.state(read_only) == zoned.state(offline) == OFFLINE


def test_append(make: Make) -> None:
    zoned = make("--zasl", "1", "--zrwas", "1", "--zrwa-size", "8K", "--zrwa-granularity", "4K")
    assert zoned.append(SIZE, pattern(1, 3)) == (SIZE, OK)
    assert zoned.append(SIZE, pattern(2, 16), FUA) == (SIZE + 3, OK)
    assert zoned.state(SIZE) == IMPLICIT
    assert zoned.disk.read(SIZE, 3) == pattern(1, 3) and zoned.disk.read(SIZE + 3, 16) == pattern(2, 16)
    assert zoned.append(SIZE + 1, bytes(512))[1] == INVALID_FIELD
    assert zoned.append(16 * SIZE, bytes(512))[1] == LBA_OUT_OF_RANGE
    assert zoned.append(SIZE, bytes(17 * 512))[1] == INVALID_FIELD, "ZASL is 8 KiB"
    assert zoned.append(SIZE, bytes(13 * 512)) == (SIZE + 19, OK)
    assert zoned.append(SIZE, bytes(16 * 512)) == (SIZE + 32, OK)
    assert zoned.append(SIZE, bytes(512))[1] == IS_FULL
    zoned.fill(2 * SIZE, 32)
    assert zoned.append(2 * SIZE, bytes(15 * 512)) == (2 * SIZE + 32, OK)
    assert zoned.append(2 * SIZE, bytes(2 * 512))[1] == BOUNDARY
    assert zoned.zone(2 * SIZE).pointer == 2 * SIZE + 47
    assert zoned.manage(OPEN, 0, 1 << 9) == OK
    assert zoned.append(0, bytes(512))[1] == INVALID_OPERATION


def test_a_failed_transfer_leaves_the_pointer(zoned: Zoned) -> None:
    _, status = zoned.disk.queue.execute(APPEND, nsid=1, prp1=0xDEAD0000, cdw10=0)
    assert status == 4
    assert zoned.zone(0) == Zone(IMPLICIT, 0, CAPACITY, 0, 0)


def test_descriptor_extensions(make: Make) -> None:
    zoned = make("--zdes", "2")
    first, second = bytes(range(128)), bytes(range(128, 256))
    assert zoned.manage(EXTEND, SIZE, data=first) == zoned.manage(EXTEND, 3 * SIZE, data=second) == OK
    assert zoned.manage(EXTEND, SIZE, data=second) == INVALID_TRANSITION
    assert zoned.zone(SIZE) == Zone(CLOSED, EXTENDED, CAPACITY, SIZE, SIZE)

    def extensions() -> list[bytes]:
        status, data = zoned.receive(SIZE, 64 + 3 * 192 + 64, action=1)
        assert (status, struct.unpack_from("<Q", data)[0]) == (OK, 3)
        return [data[64 + 192 * index + 64 : 64 + 192 * (index + 1)] for index in range(3)]

    assert extensions() == [first, bytes(128), second]
    assert zoned.append(SIZE, pattern(0, 2))[1] == OK
    zoned.power_cycle()
    assert zoned.zones(SIZE)[:3:2] == [
        Zone(CLOSED, EXTENDED, CAPACITY, SIZE, SIZE),
        Zone(CLOSED, EXTENDED, CAPACITY, 3 * SIZE, 3 * SIZE),
    ]
    assert extensions() == [first, bytes(128), second]
    assert zoned.manage(FINISH, SIZE) == zoned.manage(RESET, 3 * SIZE) == OK
    assert [zone.attributes for zone in zoned.zones(SIZE)[:3]] == [EXTENDED, 0, 0]
    assert extensions() == [first, bytes(128), bytes(128)]


def test_without_extensions(make: Make) -> None:
    zoned = make("--zdes", "0")
    assert zoned.manage(EXTEND, 0, data=bytes(64)) == zoned.receive(action=1)[0] == INVALID_FIELD


def test_zrwa(make: Make) -> None:
    """The area is 16 LBAs long, and a flush covers multiples of 8."""
    zoned = make("--zrwas", "2", "--zrwa-size", "8K", "--zrwa-granularity", "4K")
    disk = zoned.disk
    for zone in (0, 1):
        assert zoned.manage(OPEN, zone * SIZE, 1 << 9) == OK
    assert zoned.manage(OPEN, 2 * SIZE, 1 << 9) == NO_ZRWA
    assert zoned.zone(SIZE) == Zone(EXPLICIT, ZRWA, CAPACITY, SIZE, SIZE)
    for seed in range(3):
        disk.write(SIZE + 10, pattern(0, 6, seed=seed))
    disk.write(SIZE, pattern(1, 4))
    assert zoned.zone(SIZE).pointer == SIZE
    assert disk.read(SIZE, 16) == pattern(1, 4) + bytes(6 * 512) + pattern(0, 6, seed=2)
    assert disk.command(WRITE, SIZE + 31, 2) == INVALID_WRITE
    assert zoned.manage(FLUSH_ZRWA, SIZE + 6) == INVALID_FIELD
    assert zoned.manage(FLUSH_ZRWA, SIZE + 23) == BOUNDARY
    assert zoned.manage(FLUSH_ZRWA, 2 * SIZE + 7) == INVALID_FIELD
    assert zoned.manage(FLUSH_ZRWA, SIZE + 7) == OK
    assert zoned.zone(SIZE).pointer == SIZE + 8
    assert disk.command(WRITE, SIZE + 7) == INVALID_WRITE
    disk.write(SIZE + 23, pattern(23, 1))
    assert zoned.zone(SIZE).pointer == SIZE + 8, "within the area"
    disk.write(SIZE + 23, pattern(24, 2))
    assert zoned.zone(SIZE).pointer == SIZE + 16, "the area moves on"
    zoned.power_cycle()
    disk = zoned.disk
    assert zoned.zone(SIZE) == Zone(CLOSED, ZRWA, CAPACITY, SIZE, SIZE + 16)
    assert disk.read(SIZE, 16) == pattern(1, 4) + bytes(6 * 512) + pattern(0, 6, seed=2)
    disk.write(SIZE + 40, pattern(0, 8))
    assert zoned.zone(SIZE).pointer == SIZE + 32, "the end of the zone is within the area"
    assert zoned.manage(FLUSH_ZRWA, SIZE + 47) == OK
    assert zoned.zone(SIZE) == Zone(FULL, 0, CAPACITY, SIZE, NO_POINTER)
    assert zoned.manage(OPEN, 2 * SIZE, 1 << 9) == OK
    disk.write(3 * SIZE, pattern(0, 1))
    assert zoned.manage(RESET, 0) == OK
    assert zoned.manage(OPEN, 3 * SIZE, 1 << 9) == NO_ZRWA, "the write pointer is not at a multiple of ZRWAFG"


def test_a_loss_of_power(zoned: Zoned) -> None:
    """What was flushed stays, and the write pointer is at its end. What was not may be lost."""
    zoned.fill(0, 32)
    zoned.fill(SIZE)
    zoned.disk.write(3 * SIZE, pattern(3, 13))
    zoned.disk.flush()
    zoned.disk.write(32, pattern(32, 3))
    assert zoned.manage(OPEN, 2 * SIZE) == OK
    assert zoned.append(4 * SIZE, pattern(4, 9))[1] == OK
    assert zoned.manage(FINISH, 4 * SIZE) == OK
    zoned.disk.write(5 * SIZE, pattern(5, 2))
    zoned.disk.write(5 * SIZE + 2, pattern(6, 2), FUA)
    zoned.disk.write(5 * SIZE + 4, pattern(7, 2))
    zoned.power_cycle()
    assert zoned.zones()[:6] == [
        Zone(CLOSED, 0, CAPACITY, 0, 32),
        Zone(FULL, 0, CAPACITY, SIZE, NO_POINTER),
        Zone(EMPTY, 0, CAPACITY, 2 * SIZE, 2 * SIZE),
        Zone(CLOSED, 0, CAPACITY, 3 * SIZE, 3 * SIZE + 13),
        Zone(FULL, 0, CAPACITY, 4 * SIZE, NO_POINTER),
        Zone(CLOSED, 0, CAPACITY, 5 * SIZE, 5 * SIZE + 4),
    ]
    assert zoned.disk.read(4 * SIZE, 9) == pattern(4, 9)
    assert zoned.disk.read(5 * SIZE, 6) == pattern(5, 2) + pattern(6, 2) + bytes(1024)
    zoned.disk.write(3 * SIZE + 13, pattern(9, 3))
    assert zoned.disk.read(3 * SIZE, 16) == pattern(3, 13) + pattern(9, 3)


def test_a_full_zone_whose_end_is_lost_is_closed_again(zoned: Zoned) -> None:
    zoned.fill(0, 16)
    zoned.disk.flush()
    zoned.disk.write(16, pattern(16, 16))
    zoned.disk.write(32, pattern(32, 16))
    assert zoned.state(0) == FULL
    zoned.power_cycle()
    assert zoned.zone(0) == Zone(CLOSED, 0, CAPACITY, 0, 16)


def test_a_reset_is_durable(zoned: Zoned) -> None:
    zoned.fill(0)
    zoned.disk.flush()
    assert zoned.manage(RESET, 0) == OK
    zoned.power_cycle()
    assert zoned.zone(0) == Zone(EMPTY, 0, CAPACITY, 0, 0)
    assert zoned.disk.read(0, 16) == bytes(8192)


def test_without_a_cache_nothing_is_lost(make: Make) -> None:
    zoned = make("--cache", "0")
    zoned.fill(0, 32)
    zoned.power_cycle()
    assert zoned.zone(0).pointer == 32


def test_a_subsystem_reset_closes_zones(zoned: Zoned) -> None:
    zoned.fill(0, 16)
    assert zoned.manage(OPEN, SIZE) == OK
    zoned.enable()
    assert [zone.state for zone in zoned.zones()[:2]] == [IMPLICIT, EXPLICIT], "a controller reset does not"
    zoned.client.write32(0x20, 0x4E564D65)
    zoned.enable()
    assert zoned.zones()[:2] == [Zone(CLOSED, 0, CAPACITY, 0, 16), Zone(EMPTY, 0, CAPACITY, SIZE, SIZE)]


def test_zones_outlive_the_process(start: Start, folder: str) -> None:
    options = (*SMALL, "--file", os.path.join(folder, "data"), "--zrwas", "1", "--zrwa-size", "8K")
    options = (*options, "--zrwa-granularity", "4K", "--offline-zones", "1")
    server = Server(os.path.join(folder, "first"), *options)
    zoned = Zoned(server)
    zoned.fill(0, 16)
    assert zoned.manage(FINISH, SIZE) == zoned.manage(EXTEND, 2 * SIZE, data=b"x" * 64) == OK
    assert zoned.manage(OPEN, 3 * SIZE, 1 << 9) == OK
    zoned.disk.write(3 * SIZE + 16, pattern(0, 8))
    zoned.disk.flush()
    zoned.close()
    server.process.kill()
    server.process.wait()
    server.log.close()
    again = Zoned(start(*options))
    try:
        assert again.zones()[:4] + again.zones(15 * SIZE) == [
            Zone(CLOSED, 0, CAPACITY, 0, 16),
            Zone(FULL, 0, CAPACITY, SIZE, NO_POINTER),
            Zone(CLOSED, EXTENDED, CAPACITY, 2 * SIZE, 2 * SIZE),
            Zone(CLOSED, ZRWA, CAPACITY, 3 * SIZE, 3 * SIZE + 8),
            Zone(OFFLINE, 0, CAPACITY, 15 * SIZE, NO_POINTER),
        ]
        assert again.receive(2 * SIZE, 256, action=1)[1][128:192] == b"x" * 64
    finally:
        again.close()


def test_format_and_sanitize_make_all_zones_empty(zoned: Zoned) -> None:
    zoned.fill(0)
    assert zoned.manage(EXTEND, SIZE, data=bytes(64)) == OK
    assert zoned.nvme.admin.execute(FORMAT, nsid=1, cdw10=1)[1] == OK
    assert zoned.zones() == [
        Zone(EMPTY, 0, CAPACITY // 8, SIZE // 8 * i, SIZE // 8 * i) for i in range(ZONES)
    ]
    zoned.disk = Disk(zoned.nvme, zoned.disk.queue, 1, 4096)
    zoned.disk.write(0, pattern(0, 2, 4096))
    assert zoned.disk.command(WRITE, 2, 5) == BOUNDARY
    zoned.power_cycle()
    assert zoned.nvme.admin.execute(FORMAT, nsid=1, cdw10=0)[1] == OK
    assert zoned.zones() == [Zone(EMPTY, 0, CAPACITY, SIZE * i, SIZE * i) for i in range(ZONES)]


def test_a_sanitize_operation_with_a_pattern_leaves_empty_zones(make: Make) -> None:
    zoned = make("--sanitize-time", "0")
    zoned.fill(0)
    assert zoned.nvme.admin.execute(SANITIZE, cdw10=1 << 9 | 1 << 4 | 3, cdw11=0xA5A5A5A5)[1] == OK
    while log_page(zoned.nvme, 0x81)[2] & 7 != 1:
        pass
    assert zoned.zone(0) == Zone(EMPTY, 0, CAPACITY, 0, 0)
    assert zoned.disk.read(0) == bytes(512)


def test_deallocation_in_a_zone_changes_nothing_that_its_pointer_needs(zoned: Zoned) -> None:
    zoned.fill(0, 32)
    memory = zoned.nvme.memory
    memory.write(zoned.disk.buffer, struct.pack("<IIQ", 0, 16, 8))
    assert zoned.disk.queue.execute(DSM, nsid=1, prp1=zoned.disk.buffer, cdw10=0, cdw11=4)[1] == OK
    zoned.disk.flush()
    zoned.power_cycle()
    assert zoned.zone(0).pointer == 32


def test_copy_into_a_zone(make: Make) -> None:
    zoned = make("--copy")
    zoned.fill(0, 16)
    memory = zoned.nvme.memory

    def copy(to: int, source: int, count: int) -> int:
        memory.write(zoned.disk.buffer, struct.pack("<QQHHIIHH", 0, source, count - 1, 0, 0, 0, 0, 0))
        return zoned.disk.queue.execute(COPY, nsid=1, prp1=zoned.disk.buffer, cdw10=to)[1]

    assert copy(SIZE, 4, 8) == OK
    assert zoned.zone(SIZE) == Zone(IMPLICIT, 0, CAPACITY, SIZE, SIZE + 8)
    assert zoned.disk.read(SIZE, 8) == pattern(0, 16)[4 * 512 : 12 * 512]
    assert copy(SIZE, 0, 1) == INVALID_WRITE
    assert copy(SIZE + 8, SIZE - 2, 4) == BOUNDARY
    assert copy(SIZE + 8, 0, 41) == BOUNDARY


def test_a_capacity_that_varies(make: Make) -> None:
    zoned = make(
        "--variable-capacity", "--zone-size", "128K", "--zone-capacity", "128K", "--zrwa-granularity", "4K"
    )
    seen = []
    for _ in range(5):
        seen.append(zoned.zone(0).capacity)
        assert zoned.manage(FINISH, 0) == zoned.manage(RESET, 0) == OK
    assert seen == [256, 240, 224, 208, 256]
    zoned.power_cycle()
    assert zoned.zone(0).capacity == 240


def test_no_limits(make: Make) -> None:
    zoned = make("--max-open-zones", "0", "--max-active-zones", "0")
    for zone in range(ZONES):
        assert zoned.manage(OPEN, zone * SIZE) == OK
    assert struct.unpack_from("<II", identify(zoned.nvme, 5, 1, 2 << 24), 4) == (0xFFFFFFFF, 0xFFFFFFFF)


def test_the_changed_zone_list_is_of_one_zoned_namespace(zoned: Zoned) -> None:
    buffer = zoned.nvme.memory.alloc(4096)
    for nsid, status in (
        (1, OK),
        (0xFFFFFFFF, INVALID_FIELD),
        (0, INVALID_NAMESPACE),
        (2, INVALID_NAMESPACE),
    ):
        zoned.nvme.memory.write(buffer, b"\xa5" * 4096)
        assert zoned.nvme.admin.execute(GET_LOG, nsid=nsid, prp1=buffer, cdw10=1023 << 16 | 0xBF)[1] == status
    assert set_feature(zoned.nvme, 0x0B, 1 << 27) == OK
    assert zoned.nvme.admin.execute(SET_FEATURES, cdw10=0x19, cdw11=0)[1] == OK


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("--zoned 2", "namespaces"),
        ("--zoned 1 --nvme-version 1.4", "2.0"),
        ("--zoned 1 --zone-size 6000", "multiples of 4K"),
        ("--zoned 1 --zone-size 2M", "size of the namespace"),
        ("--zoned 1 --zone-size 32K --zone-capacity 36K", "above zone-size"),
        ("--zoned 1 --max-open-zones 9 --max-active-zones 8", "1 to 8"),
        ("--zoned 1 --zone-size 256K --zrwas 1 --zrwa-size 20K", "zrwa-granularity"),
    ],
)
def test_options_that_contradict_each_other(folder: str, options: str, word: str) -> None:
    server = Server(folder, "--size", "1M", *options.split())
    server.process.wait(10)
    assert word in server.word
    server.log.close()


def test_a_zone_that_fails_is_listed_and_raises_an_event(make: Make) -> None:
    zoned = make(
        *("--fault", "opcode=write lba=0x45 do zone=read-only count=1"),
        *("--fault", "opcode=write lba=0xc0 do zone=offline count=1"),
    )
    nvme = zoned.nvme
    zoned.disk.write(SIZE, pattern(1, 5))
    assert set_feature(nvme, 0x0B, 1 << 27) == OK
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert zoned.disk.command(WRITE, SIZE + 5) == IS_READ_ONLY
    found = nvme.admin.wait()
    assert (found.cdw0, found.cdw1, found.status) == (0xBFEF02, 1, OK)
    assert zoned.disk.command(WRITE, 3 * SIZE) == IS_OFFLINE
    assert zoned.zone(SIZE) == Zone(READ_ONLY, 0, CAPACITY, SIZE, NO_POINTER)
    buffer = nvme.memory.alloc(4096)

    def changed() -> tuple[int, ...]:
        assert nvme.admin.execute(GET_LOG, nsid=1, prp1=buffer, cdw10=1023 << 16 | 0xBF)[1] == OK
        count, *zones = struct.unpack_from("<H6x3Q", nvme.memory.read(buffer, 4096))
        return (count, *zones)

    assert changed() == (2, SIZE, 3 * SIZE, 0)
    assert changed() == (0, 0, 0, 0)
    zoned.power_cycle()
    assert zoned.disk.read(SIZE, 6) == pattern(1, 5) + bytes(512), "what was written is durable"


MANAGED = ("--namespace-management", "--unallocated", "512K", "--zrwas", "4", "--zrwa-size", "8K")
MANAGED += ("--zrwa-granularity", "4K", "--max-open-zones", "3", "--max-active-zones", "5", "--copy")


def create_zoned(
    zoned: Zoned, nsze: int, rar: int = 0, ror: int = 0, zrwas: int = 0, znsco: int = 1, csi: int = 2
) -> tuple[int, int]:
    """Namespace Management, create, of CSI 2: the NSID and the status."""
    data = bytearray(4096)
    struct.pack_into("<QQ", data, 0, nsze, nsze)
    struct.pack_into("<BIII", data, 499, znsco, rar, ror, zrwas)
    zoned.nvme.memory.write(zoned.disk.buffer, bytes(data))
    return zoned.nvme.admin.execute(0x0D, prp1=zoned.disk.buffer, cdw10=0, cdw11=csi << 24)


def attach(zoned: Zoned, nsid: int) -> None:
    zoned.nvme.memory.write(zoned.disk.buffer, struct.pack("<HH", 1, 1).ljust(4096, b"\0"))
    assert zoned.nvme.admin.execute(0x15, nsid=nsid, prp1=zoned.disk.buffer, cdw10=0)[1] == OK
    zoned.nsid = zoned.disk.nsid = nsid


def resources(zoned: Zoned, nsid: int) -> tuple[int, ...]:
    """OZCS, MAR, MOR, NUMZRWA and ZRWASZ of a namespace."""
    found = identify(zoned.nvme, 0x1B, nsid, 2 << 24)
    return *struct.unpack_from("<HII", found, 2), *struct.unpack_from("<IxxH", found, 44)


def test_namespace_management_creates_zoned_namespaces(start: Start, folder: str) -> None:
    """With the zones that the host requests, which the drive keeps over a loss of power and in its file."""
    options = (*SMALL, *MANAGED, "--file", os.path.join(folder, "drive"))
    server = start(*options)
    zoned = Zoned(server)
    assert resources(zoned, 1) == (2, 4, 2, 3, 16)
    common = identify(zoned.nvme, 5, 0xFFFFFFFF, 2 << 24)
    assert common[:2816] == bytes(2816) and struct.unpack_from("<QB", common, 2816) == (64, 1), "LBAFE"
    assert create_zoned(zoned, 4 * SIZE, rar=3, ror=2, zrwas=1) == (2, OK)
    assert create_zoned(zoned, 3 * SIZE, zrwas=4, znsco=0) == (3, OK)
    assert resources(zoned, 2) == (2, 2, 1, 0, 16) and resources(zoned, 3) == (0, 4, 2, 0, 0)
    assert bytes([4, 1, 0, 0, 2, 0]) in identify(zoned.nvme, 3, 1) and struct.unpack_from(
        "<3I", identify(zoned.nvme, 0x1A, 0, 2 << 24)
    ) == (1, 2, 3)
    attach(zoned, 2)
    assert [zone[:4] for zone in zoned.zones()] == [
        (EMPTY, 0, CAPACITY, start) for start in range(0, 4 * SIZE, SIZE)
    ]
    assert zoned.manage(OPEN, 0, flags=1 << 9) == OK and zoned.manage(OPEN, SIZE, flags=1 << 9) == NO_ZRWA
    assert zoned.manage(OPEN, SIZE) == OK and zoned.manage(OPEN, 2 * SIZE) == TOO_OPEN
    assert zoned.manage(CLOSE, SIZE) == OK and zoned.manage(OPEN, 2 * SIZE) == OK
    assert zoned.manage(CLOSE, 2 * SIZE) == OK and zoned.manage(OPEN, 3 * SIZE) == TOO_ACTIVE
    zoned.disk.write(SIZE, pattern(SIZE, 8), FUA)
    assert zoned.manage(FINISH, 3 * SIZE) == OK
    attach(zoned, 3)
    assert zoned.manage(OPEN, 0, flags=1 << 9) == INVALID_OPERATION, "it has no random write areas"
    zoned.nsid = zoned.disk.nsid = 2
    zoned.power_cycle()
    states = [zone[:2] for zone in zoned.zones()]
    assert states == [(CLOSED, ZRWA), (CLOSED, 0), (EMPTY, 0), (FULL, 0)]
    zoned.close()
    server.stop()
    server.check_end = lambda: None  # type: ignore[method-assign]

    again = Zoned(start(*options), 2)
    assert [zone[:2] for zone in again.zones()] == states and resources(again, 2) == (2, 2, 1, 0, 16)
    assert again.disk.read(SIZE, 8) == pattern(SIZE, 8)
    assert again.nvme.admin.execute(0x0D, nsid=2, cdw10=1)[1] == OK, "deleted"
    assert create_zoned(again, 2 * SIZE) == (2, OK)
    attach(again, 2)
    assert [zone[:2] for zone in again.zones()] == [(EMPTY, 0)] * 2, "nothing is left of the old one"
    again.power_cycle()
    assert [zone[:2] for zone in again.zones()] == [(EMPTY, 0)] * 2 and resources(again, 2) == (0, 4, 2, 0, 0)
    again.close()


def test_zoned_namespaces_that_are_not_created(make: Make) -> None:
    zoned = make(*MANAGED)
    refused = {
        "NSZE is no multiple of the zone size": (create_zoned(zoned, SIZE + 8), INVALID_FIELD),
        "NSZE 0": (create_zoned(zoned, 0), INVALID_FIELD),
        "RAR": (create_zoned(zoned, SIZE, rar=6), INVALID_FIELD),
        "ROR": (create_zoned(zoned, SIZE, ror=4), INVALID_FIELD),
        "ROR above RAR": (create_zoned(zoned, SIZE, rar=1, ror=2), INVALID_FIELD),
        "RNUMZRWA": (create_zoned(zoned, SIZE, zrwas=5), NO_ZRWA),
        "capacity": (create_zoned(zoned, 17 * SIZE), 0x115),
    }
    for name, (found, status) in refused.items():
        assert found[1] == status, name
    assert struct.unpack_from("<Q", log_page(zoned.nvme, 1, 64), 32)[0] == 17 * 32768, "bytes that it needs"
    assert create_zoned(zoned, 16 * SIZE, rar=1) == (2, OK) and resources(zoned, 2) == (0, 0, 0, 0, 0)


def test_a_drive_without_zones_creates_none(start: Start) -> None:
    zoned = Zoned(start("--size", "512K", *MANAGED))
    assert create_zoned(zoned, SIZE)[1] == 0x129, "I/O Command Set Not Supported"
    zoned.close()
