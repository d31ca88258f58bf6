# SPDX-License-Identifier: BSD-3-Clause
"""The host memory buffer: used while enabled, never trusted, and not touched once disabled."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import Callable, NamedTuple

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    FORMAT,
    GET_FEATURES,
    INVALID_FIELD,
    NOT_SAVEABLE,
    OK,
    READ,
    SANITIZE,
    SEQUENCE_ERROR,
    SET_FEATURES,
    WRITE,
    WRITE_ZEROES,
    Disk,
    Host,
    Start,
    control,
    get_feature,
    identify,
    log_page,
    pattern,
)
from server import Server

HMB = 0x0D
ENABLE, RETURN = 1, 2
COUNTERS = 3
PAGES = 16


class Use(NamedTuple):
    hits: int
    misses: int
    errors: int


class Lender:
    """Gives the drive memory in pieces that are not adjacent."""

    def __init__(self, nvme: Nvme, pieces: tuple[int, ...] = (PAGES,)) -> None:
        self.nvme, self.pieces = nvme, []
        for pages in pieces:
            self.pieces.append((nvme.memory.alloc(pages * 4096), pages))
            nvme.memory.alloc(4096)
        self.pages = sum(pieces)
        self.list = nvme.memory.alloc(4096)
        entries = [struct.pack("<QII", address, pages, 0) for address, pages in self.pieces]
        nvme.memory.write(self.list, b"".join(entries))

    def enable(self, flags: int = 0, pages: int | None = None) -> int:
        return self.nvme.admin.execute(
            SET_FEATURES,
            cdw10=HMB,
            cdw11=ENABLE | flags,
            cdw12=self.pages if pages is None else pages,
            cdw13=self.list & 0xFFFFFFFF,
            cdw14=self.list >> 32,
            cdw15=len(self.pieces),
        )[1]

    def disable(self) -> int:
        return self.nvme.admin.execute(SET_FEATURES, cdw10=HMB, cdw11=0)[1]

    def read(self) -> bytes:
        return b"".join(self.nvme.memory.read(address, pages * 4096) for address, pages in self.pieces)

    def write(self, data: bytes) -> None:
        for address, pages in self.pieces:
            self.nvme.memory.write(address, data[: pages * 4096])
            data = data[pages * 4096 :]


def use(server: Server) -> Use:
    return Use(*struct.unpack("<11Q", control(server, COUNTERS))[8:])


def attributes(nvme: Nvme, select: int = 0) -> tuple[int, tuple[int, ...]]:
    """Dword 0 of Get Features, and HSIZE, HMDLAL, HMDLAU, HMDLEC."""
    buffer = nvme.memory.alloc(4096)
    value, status = nvme.admin.execute(GET_FEATURES, cdw10=select << 8 | HMB, prp1=buffer)
    assert status == OK
    data = nvme.memory.read(buffer, 4096)
    assert data[16:] == bytes(4080)
    return value, struct.unpack_from("<4I", data)


@pytest.fixture
def disk(nvme: Nvme) -> Disk:
    return Disk(nvme, nvme.create_queue(1, 16))


def test_identify_says_how_much_is_wanted(nvme: Nvme) -> None:
    preferred, least = struct.unpack_from("<II", identify(nvme, 1), 272)
    assert 0 < least <= preferred and least == PAGES


@pytest.mark.parametrize("version, status", [("1.3", OK), ("1.4", INVALID_FIELD), ("2.0", INVALID_FIELD)])
def test_how_many_pieces_there_may_be_is_told_since_1_4(start: Start, version: str, status: int) -> None:
    """HMMAXD came with 1.4. Before, a drive uses as many descriptors as it can."""
    host = Host(start("--size", "1M", "--nvme-version", version))
    limit = struct.unpack_from("<H", identify(host.nvme, 1), 336)[0]
    assert limit == (0 if version == "1.3" else 128)
    assert Lender(host.nvme, (1,) * 129).enable() == status
    assert attributes(host.nvme)[0] == (status == OK)
    if status == OK:
        for lba in range(0, 2048, 8):
            assert host.disk.command(WRITE, lba, 8) == OK
            assert host.disk.command(READ, lba, 8) == OK
        assert use(host.server) == (256, 0, 0)
    else:
        assert Lender(host.nvme, (1,) * 128).enable() == OK
    host.close()


def test_the_drive_keeps_its_map_there(server: Server, nvme: Nvme, disk: Disk) -> None:
    lender = Lender(nvme, (7, 1, 8))
    assert lender.enable() == OK
    for lba in range(0, 800, 8):
        disk.write(lba, pattern(lba, 8))
    filled = lender.read()
    assert filled.count(bytes(16)) == 16 * 256 - 100, "one entry a block of 4 KiB"
    assert use(server) == Use(0, 0, 0)
    for lba in range(0, 800, 8):
        assert disk.read(lba, 8) == pattern(lba, 8)
    assert use(server) == Use(100, 0, 0)
    assert disk.read(8000, 8) == bytes(4096)
    assert use(server) == Use(100, 1, 0)
    assert disk.read(8000, 8) == bytes(4096)
    assert use(server) == Use(101, 1, 0)
    assert lender.read() != filled


def test_what_the_host_does_to_it_is_noticed_and_harmless(server: Server, nvme: Nvme, disk: Disk) -> None:
    lender = Lender(nvme)
    assert lender.enable() == OK
    for lba in range(0, 80, 8):
        disk.write(lba, pattern(lba, 8))
    spoiled = bytearray(lender.read())
    for block in range(10):
        spoiled[16 * block + 4] ^= 0x40
    lender.write(bytes(spoiled))
    for lba in range(0, 80, 8):
        assert disk.read(lba, 8) == pattern(lba, 8)
    assert use(server) == Use(0, 10, 10)
    lender.write(b"\xff" * PAGES * 4096)
    for lba in range(0, 80, 8):
        assert disk.read(lba, 8) == pattern(lba, 8)
    assert use(server) == Use(0, 20, 10)


@pytest.mark.parametrize("end", ["disable", "reset", "subsystem", "shutdown", "power"])
def test_it_is_not_touched_when_it_was_taken_back(server: Server, end: str) -> None:
    host = Host(server)
    nvme = host.nvme
    lender = Lender(nvme)
    assert lender.enable() == OK
    host.disk.write(0, pattern(0, 8))
    if end == "disable":
        assert lender.disable() == OK
    elif end == "subsystem":
        host.client.write32(0x20, 0x4E564D65)
    elif end == "shutdown":
        host.shut_down()
    elif end == "power":
        control(server, 4, 0)
        control(server, 4, 1)
    mark = b"\x5a" * PAGES * 4096
    lender.write(mark)
    if end != "disable":
        host.start()
    assert attributes(nvme)[0] == 0
    before = use(server)
    for lba in range(0, 800, 8):
        host.disk.write(lba, pattern(lba, 8))
        assert host.disk.read(lba, 8) == pattern(lba, 8)
    assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert lender.read() == mark and use(server) == before
    host.close()


def test_memory_that_is_returned_as_it_was_is_used_as_it_is(server: Server, nvme: Nvme, disk: Disk) -> None:
    lender = Lender(nvme)
    assert lender.enable() == OK
    disk.write(0, pattern(0, 8))
    assert lender.disable() == OK and lender.enable(RETURN) == OK
    assert disk.read(0, 8) == pattern(0, 8)
    assert use(server) == Use(1, 0, 0)
    assert lender.disable() == OK and lender.enable() == OK
    assert disk.read(0, 8) == pattern(0, 8)
    assert use(server) == Use(1, 1, 0), "without the bit nothing in it counts"
    assert lender.disable() == OK
    disk.write(0, pattern(0, 8, seed=1))
    disk.nvme.admin.execute(FORMAT, nsid=1)
    disk.write(16, pattern(16, 8))
    assert lender.enable(RETURN) == OK
    assert disk.read(0, 8) == bytes(4096) and disk.read(16, 8) == pattern(16, 8)


def test_an_erasure_voids_what_it_holds(server: Server, nvme: Nvme, disk: Disk) -> None:
    lender = Lender(nvme)
    assert lender.enable() == OK
    disk.write(0, pattern(0, 8))
    assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert disk.read(0, 8) == bytes(4096)
    assert use(server) == Use(0, 1, 0)


def test_a_sanitize_voids_what_it_holds(start_quick: Server) -> None:
    host = Host(start_quick)
    lender = Lender(host.nvme)
    assert lender.enable() == OK
    host.disk.write(0, pattern(0, 8))
    assert host.nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK
    while log_page(host.nvme, 0x81)[2] & 7 == 2:
        time.sleep(0.005)
    assert host.disk.read(0, 8) == bytes(4096)
    assert use(start_quick) == Use(0, 1, 0)
    host.close()


@pytest.fixture
def start_quick(start) -> Server:  # type: ignore[no-untyped-def]
    return start("--size", "1M", "--sanitize-time", "20")


def test_what_get_features_tells(nvme: Nvme) -> None:
    lender = Lender(nvme, (10, 6))
    assert get_feature(nvme, HMB, 3) == 4
    assert attributes(nvme) == (0, (0, 0, 0, 0))
    assert lender.enable() == OK
    assert attributes(nvme) == (1, (16, lender.list & 0xFFFFFFFF, lender.list >> 32, 2))
    assert [attributes(nvme, select) for select in (1, 2)] == [(0, (0, 0, 0, 0))] * 2
    assert lender.disable() == OK and lender.disable() == OK
    assert attributes(nvme) == (0, (0, 0, 0, 0))
    assert nvme.admin.execute(SET_FEATURES, cdw10=1 << 31 | HMB, cdw11=0)[1] == NOT_SAVEABLE


def test_what_is_refused(nvme: Nvme) -> None:
    lender = Lender(nvme)
    assert lender.enable(pages=PAGES - 1) == INVALID_FIELD, "less than HMMIN"
    assert lender.enable(pages=PAGES + 1) == INVALID_FIELD, "more than there is"
    lender.list += 4
    assert lender.enable() == INVALID_FIELD
    lender.list -= 4
    nvme.memory.write(lender.list, struct.pack("<QII", lender.pieces[0][0] + 512, PAGES, 0))
    assert lender.enable() == INVALID_FIELD
    nvme.memory.write(lender.list, struct.pack("<QII", 0xFFFFFFFFFFFFF000, PAGES, 0))
    assert lender.enable() == INVALID_FIELD, "past the end of all addresses"
    pieces, lender.pieces = lender.pieces, []
    assert lender.enable() == INVALID_FIELD
    lender.pieces = pieces * 129
    assert lender.enable() == INVALID_FIELD, "more descriptors than HMMAXD"
    lender.pieces = pieces
    nvme.memory.write(lender.list, struct.pack("<QII", pieces[0][0], PAGES, 0))
    assert lender.enable() == OK
    assert lender.enable() == SEQUENCE_ERROR


def test_memory_that_is_not_there_ends_its_use(server: Server, nvme: Nvme, disk: Disk) -> None:
    lender = Lender(nvme)
    nvme.memory.write(lender.list, struct.pack("<QII", 0x123456000, PAGES, 0))
    assert lender.enable() == OK
    disk.write(0, pattern(0, 8))
    assert disk.read(0, 8) == pattern(0, 8)
    assert use(server).errors == 1
    assert attributes(nvme)[0] == 0


@pytest.fixture
def null_host(start: Callable[..., Server]) -> Iterator[Host]:
    host = Host(start("--null", "--size", "32T"))
    yield host
    host.close()


def test_a_drive_without_data_uses_it_as_well(null_host: Host) -> None:
    server, lbas = null_host.server, 32 << 40 >> 9
    assert Lender(null_host.nvme).enable() == OK
    for lba in (0, 1 << 21, 1 << 34, lbas - 8):
        assert null_host.disk.command(READ, lba, 8) == OK
        assert null_host.disk.command(READ, lba, 8) == OK
    assert use(server) == Use(4, 4, 0)
    for opcode in (WRITE, WRITE_ZEROES):
        assert null_host.disk.command(opcode, lbas - 8, 8) == OK
    assert null_host.disk.command(READ, lbas - 8, 8) == OK
    assert use(server) == Use(5, 4, 0)


def test_blocks_of_a_drive_without_data_are_told_apart(null_host: Host) -> None:
    assert Lender(null_host.nvme).enable() == OK
    for lba in (0, 1 << 35, 0, 1 << 35):  # of one entry, their numbers differ in bit 32 alone
        assert null_host.disk.command(READ, lba, 8) == OK
    assert use(null_host.server) == Use(0, 4, 0)


def test_a_client_that_leaves_takes_it_along(server: Server) -> None:
    with Client(server.folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert Lender(nvme).enable() == OK
        nvme.close()
    host = Host(server)
    assert attributes(host.nvme)[0] == 0
    assert host.disk.command(READ, 0) == OK
    host.close()


def test_a_large_change_costs_no_more_than_there_are_entries(server: Server, nvme: Nvme, disk: Disk) -> None:
    lender = Lender(nvme)
    assert lender.enable() == OK
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, struct.pack("<IIQ", 0, 64 * 2048, 0))
    assert disk.queue.execute(9, nsid=1, prp1=buffer, cdw11=4)[1] == OK
    assert bytes(16) not in [lender.read()[at : at + 16] for at in range(0, PAGES * 4096, 16)]
    assert disk.command(READ, 64 * 2048 - 1) == OK
    assert use(server) == Use(1, 0, 0)
