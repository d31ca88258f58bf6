# SPDX-License-Identifier: BSD-3-Clause
"""Copy: source ranges of two formats, limits, and what it refuses (NVM 3.3.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    FUA,
    INVALID_FIELD,
    INVALID_NAMESPACE,
    INVALID_OPCODE,
    LBA_OUT_OF_RANGE,
    OK,
    SET_FEATURES,
    UNRECOVERED_READ,
    UNWRITTEN,
    WRITE_UNCORRECTABLE,
    Disk,
    Host,
    Start,
    identify,
    pattern,
    set_feature,
)

COPY = 0x19
SIZE_LIMIT, INCOMPATIBLE = 0x183, 0x185
HOST_BEHAVIOR = 0x16
LBAS = 32 * 2048


@pytest.fixture
def nvme(start: Start) -> Iterator[Nvme]:
    with Client(start("--size", "32M", "--namespaces", "2", "--copy").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        yield nvme
        nvme.close()


@pytest.fixture
def disk(nvme: Nvme) -> Disk:
    return Disk(nvme, nvme.create_queue(1, 64))


def copy(
    disk: Disk, to: int, *sources: tuple[int, int], snsid: int = 0, format: int = 0, flags: int = 0
) -> tuple[int, int]:
    """Copy (LBA, count) after (LBA, count): dword 0 and status of the completion."""
    memory = disk.nvme.memory
    entries = b"".join(
        struct.pack("<IIQHHIIHH", snsid, 0, lba, count - 1, 0, 0, 0, 0, 0) for lba, count in sources
    )
    buffer = memory.alloc(4096)
    memory.write(buffer, entries)
    return disk.queue.execute(
        COPY,
        nsid=disk.nsid,
        prp1=buffer,
        cdw10=to & 0xFFFFFFFF,
        cdw11=to >> 32,
        cdw12=len(sources) - 1 | format << 8 | flags,
    )


def allow_other_namespaces(nvme: Nvme) -> None:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, bytes(4) + struct.pack("<H", 1 << 2) + bytes(506))
    assert nvme.admin.execute(SET_FEATURES, prp1=buffer, cdw10=HOST_BEHAVIOR)[1] == OK


def test_what_identify_says(nvme: Nvme) -> None:
    ctrl, ns = identify(nvme, 1), identify(nvme, 0, 1)
    assert ctrl[521] & 1, "ONCS bit 8"
    assert struct.unpack_from("<H", ctrl, 534)[0] == 0b101, "OCFS: formats 0h and 2h"
    assert struct.unpack_from("<HIB", ns, 74) == (256, 1024, 127), "MSSRL, MCL, MSRC"


def test_a_drive_without_the_option_has_no_copy(start: Start) -> None:
    with Client(start("--size", "1M").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert copy(Disk(nvme, nvme.create_queue(1, 8)), 0, (8, 8))[1] == INVALID_OPCODE
        assert not identify(nvme, 1)[521] & 1
        nvme.close()


def test_ranges_follow_one_another(disk: Disk) -> None:
    disk.write(100, pattern(100, 16))
    disk.write(3, pattern(3, 1))
    assert copy(disk, 1001, (105, 9), (3, 1), (100, 1)) == (0, OK)
    assert disk.read(1001, 9) == pattern(105, 9)
    assert disk.read(1010) == pattern(3, 1)
    assert disk.read(1011) == pattern(100, 1)
    assert disk.read(1000) == disk.read(1012) == bytes(512)
    assert disk.read(100, 16) == pattern(100, 16)


def test_the_largest_copy(disk: Disk) -> None:
    for lba in range(0, 1024, 16):
        disk.write(lba, pattern(lba, 16))
    assert copy(disk, LBAS - 1024, *((256 * i, 256) for i in range(4))) == (0, OK)
    for lba in range(0, 1024, 16):
        assert disk.read(LBAS - 1024 + lba, 16) == pattern(lba, 16)
    assert copy(disk, 2000, *((i, 1) for i in reversed(range(128)))) == (0, OK)
    assert disk.read(2000, 16) == b"".join(pattern(127 - i, 1) for i in range(16))
    assert disk.read(2112, 16) == b"".join(pattern(15 - i, 1) for i in range(16))


def test_a_copy_onto_itself_takes_what_was_there_before(disk: Disk) -> None:
    disk.write(100, pattern(100, 16))
    assert copy(disk, 104, (100, 12)) == (0, OK)
    assert disk.read(104, 12) == pattern(100, 12)


@pytest.mark.parametrize(
    "to, sources, format, status, failed",
    [
        (0, [(0, 257)], 0, SIZE_LIMIT, 0),
        (0, [(0, 8), (0, 257)], 0, SIZE_LIMIT, 1),
        (0, [(0, 256)] * 4 + [(0, 1)], 0, SIZE_LIMIT, 4),
        (0, [(8, 1), (LBAS - 1, 2)], 0, LBA_OUT_OF_RANGE, 1),
        (0, [((1 << 64) - 1, 1)], 0, LBA_OUT_OF_RANGE, 0),
        (LBAS - 1, [(0, 2)], 0, LBA_OUT_OF_RANGE, 0),
        ((1 << 64) - 1, [(0, 2)], 0, LBA_OUT_OF_RANGE, 0),
        (0, [(0, 1)], 1, INVALID_FIELD, 0),
        (0, [(0, 1)], 2, INVALID_FIELD, 0),  # the host has not said that it knows this format
        (0, [(0, 1)], 3, INVALID_FIELD, 0),
        (0, [(0, 1)], 15, INVALID_FIELD, 0),
    ],
)
def test_refused(
    disk: Disk, to: int, sources: list[tuple[int, int]], format: int, status: int, failed: int
) -> None:
    disk.write(0, pattern(0, 16))
    assert copy(disk, to, *sources, format=format) == (failed, status)
    assert disk.read(0, 16) == pattern(0, 16)


def test_more_ranges_than_there_may_be(disk: Disk) -> None:
    memory = disk.nvme.memory
    buffer = memory.alloc(8192)
    assert disk.queue.execute(COPY, nsid=1, prp1=buffer, prp2=buffer + 4096, cdw12=128)[1] == SIZE_LIMIT


def test_sources_that_cannot_be_read(disk: Disk) -> None:
    disk.write(0, pattern(0, 16))
    assert disk.command(WRITE_UNCORRECTABLE, 5) == OK
    assert copy(disk, 100, (0, 4), (4, 4)) == (1, UNRECOVERED_READ)
    assert disk.read(100, 8) == bytes(8 * 512), "nothing was written"
    assert copy(disk, 4, (0, 4)) == (0, OK), "which makes the LBA correctable"
    assert disk.read(4, 4) == pattern(0, 4)
    set_feature(disk.nvme, 5, 1 << 16, nsid=1)  # DULBE
    assert copy(disk, 100, (0, 1), (5000, 1)) == (1, UNWRITTEN)


def test_the_cache(start: Start) -> None:
    host = Host(start("--size", "16M", "--copy"))
    host.disk.write(0, pattern(0, 8))
    host.disk.flush()
    assert copy(host.disk, 100, (0, 8)) == (0, OK)
    assert copy(host.disk, 200, (0, 8), flags=FUA) == (0, OK)
    host.power_cycle()
    assert host.disk.read(100, 8) == bytes(8 * 512)
    assert host.disk.read(200, 8) == pattern(0, 8)
    host.close()


def test_another_namespace(nvme: Nvme, disk: Disk) -> None:
    other = Disk(nvme, disk.queue, 2)
    other.write(7, pattern(7, 8, seed=2))
    disk.write(7, pattern(7, 8, seed=1))
    allow_other_namespaces(nvme)
    assert copy(disk, 50, (7, 8), snsid=2, format=2) == (0, OK)
    assert disk.read(50, 8) == pattern(7, 8, seed=2)
    assert copy(disk, 50, (7, 8), snsid=1, format=2) == (0, OK)
    assert disk.read(50, 8) == pattern(7, 8, seed=1)
    assert other.read(50, 8) == bytes(8 * 512)
    for snsid in (0, 3, 0xFFFFFFFF):
        assert copy(disk, 50, (7, 8), snsid=snsid, format=2) == (0, INVALID_NAMESPACE)
    assert nvme.admin.execute(0x80, nsid=2, cdw10=1)[1] == OK  # Format NVM with LBAs of 4096 bytes
    assert copy(disk, 50, (7, 8), snsid=2, format=2) == (0, INCOMPATIBLE)
    assert copy(disk, 50, (7, 8), snsid=2) == (0, OK), "format 0h has no namespace"
