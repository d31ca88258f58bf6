# SPDX-License-Identifier: BSD-3-Clause
"""Power: what is lost and what is kept, what is counted, and drives whose data live in a file."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest
from ctrl_helpers import (
    FORMAT,
    FUA,
    OK,
    PEEK,
    POKE,
    READ,
    UNRECOVERED_READ,
    WRITE_UNCORRECTABLE,
    Disk,
    Host,
    Start,
    control,
    get_feature,
    identify,
    pattern,
    set_feature,
    smart,
)
from server import Server

POWER_CYCLES, UNSAFE_SHUTDOWNS = 112, 144


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "16M"))
    yield host
    host.close()


def test_power_loss_takes_what_was_not_flushed(host: Host) -> None:
    host.disk.write(0, pattern(0, 8))
    host.disk.flush()
    host.disk.write(0, pattern(0, 8, seed=1))
    host.disk.write(8, pattern(8, 8))
    host.disk.write(16, pattern(16, 8), FUA)
    assert host.disk.command(WRITE_UNCORRECTABLE, 24) == OK
    host.power_cycle()
    assert host.disk.read(0, 8) == pattern(0, 8)
    assert host.disk.read(8, 8) == bytes(4096)
    assert host.disk.read(16, 8) == pattern(16, 8)
    assert host.disk.read(24) == bytes(512)


def test_after_a_shutdown_nothing_is_lost(host: Host) -> None:
    host.disk.write(0, pattern(0, 8))
    host.shut_down()
    host.power_cycle()
    assert host.disk.read(0, 8) == pattern(0, 8)


def test_without_the_cache_nothing_is_lost(host: Host) -> None:
    host.disk.write(0, pattern(0, 8))
    assert set_feature(host.nvme, 6, 0) == OK, "turning it off flushes it"
    host.disk.write(8, pattern(8, 8))
    assert host.disk.command(WRITE_UNCORRECTABLE, 24) == OK
    host.power_cycle()
    assert host.disk.read(0, 16) == pattern(0, 8) + pattern(8, 8)
    assert host.disk.command(READ, 24) == UNRECOVERED_READ


def test_a_drive_without_a_cache_loses_nothing(start: Start) -> None:
    host = Host(start("--size", "16M", "--cache", "0"))
    assert identify(host.nvme, 1)[525] & 1 == 0
    host.disk.write(0, pattern(0, 16))
    host.power_cycle()
    assert host.disk.read(0, 16) == pattern(0, 16)
    host.close()


def test_a_small_cache_loses_no_more_than_it_holds(start: Start) -> None:
    host = Host(start("--size", "16M", "--cache", "128K"))
    for lba in range(0, 1024, 8):
        host.disk.write(lba, pattern(lba, 8))
    host.power_cycle()
    kept = [host.disk.read(lba, 8) == pattern(lba, 8) for lba in range(0, 1024, 8)]
    assert kept == [True] * 96 + [False] * 32
    host.close()


def test_what_is_counted(host: Host) -> None:
    def counts() -> tuple[int, int]:
        return smart(host.nvme, POWER_CYCLES), smart(host.nvme, UNSAFE_SHUTDOWNS)

    assert counts() == (1, 0)
    host.client.write32(0x20, 0x4E564D65)
    host.start()
    assert counts() == (1, 0), "a reset is no power cycle"
    host.power_cycle()
    assert counts() == (2, 1)
    host.shut_down()
    host.power_cycle()
    assert counts() == (3, 1)


def test_power_ends_what_reset_does_not(host: Host) -> None:
    host.client.write32(0x20, 0x4E564D65)
    assert host.client.read32(0x1C) == 1 << 4
    assert set_feature_saved(host) == 0x07000003
    host.power_cycle()
    assert host.client.read32(0x1C) == 1, "NSSRO is of this life"
    assert get_feature(host.nvme, 1) == 0x07000003, "what was saved stays"


def set_feature_saved(host: Host) -> int:
    host.start()
    assert set_feature(host.nvme, 1, 0x07000003, save=True) == OK
    return get_feature(host.nvme, 1)


def test_a_format_that_the_power_interrupts_is_done(host: Host) -> None:
    host.disk.write(0, pattern(0, 8), FUA)
    host.nvme.admin.submit(
        struct.pack("<BBHI", FORMAT, 0, 0, 1) + bytes(32) + struct.pack("<I", 1) + bytes(20)
    )
    host.power_cycle()
    disk = Disk(host.nvme, host.disk.queue, lba_size=4096)
    assert identify(host.nvme, 0, 1)[26] == 1
    assert disk.read(0) == bytes(4096)


def test_peek_and_poke(host: Host) -> None:
    host.disk.write(5, pattern(5, 1))
    assert control(host.server, PEEK, lba=5) == pattern(5, 1)
    control(host.server, POKE, lba=5, data=b"\x5a" * 512)
    assert host.disk.read(5) == b"\x5a" * 512
    control(host.server, POKE, lba=100, data=b"\xa5" * 512)
    assert host.disk.read(100) == b"\xa5" * 512 and host.disk.read(101) == bytes(512)


# Files


def test_a_cache_larger_than_the_drive_takes_no_more_room_in_its_file(start: Start, folder: str) -> None:
    path = os.path.join(folder, "data")
    host = Host(start("--size", "4M", "--cache", "8G", "--file", path))
    for lba in range(0, 8192, 8):
        host.disk.write(lba, pattern(lba, 8))
    assert os.stat(path).st_blocks * 512 < 64 << 20
    host.power_cycle()
    assert host.disk.read(0, 8) == bytes(4096), "it cached all of the drive, and lost it"
    host.close()


@pytest.mark.parametrize("kill", [True, False])
def test_a_file_outlives_the_process(start: Start, folder: str, kill: bool) -> None:
    options = ("--size", "16M", "--file", os.path.join(folder, "drive"))
    server = Server(os.path.join(folder, "first"), *options)
    host = Host(server)
    serial = identify(host.nvme, 1)[4:24]
    host.disk.write(0, pattern(0, 8))
    assert host.disk.command(WRITE_UNCORRECTABLE, 8) == OK
    host.disk.flush()
    host.disk.write(16, pattern(16, 8))
    assert set_feature(host.nvme, 1, 0x05000001, save=True) == OK
    host.close()
    if kill:
        server.process.kill()
        server.process.wait()
    else:
        server.check_end()

    host = Host(start(*options))
    assert host.disk.read(0, 8) == pattern(0, 8)
    assert host.disk.command(READ, 8) == UNRECOVERED_READ
    assert host.disk.read(16, 8) == bytes(4096), "it was in the cache"
    assert identify(host.nvme, 1)[4:24] == serial
    assert get_feature(host.nvme, 1) == 0x05000001
    assert smart(host.nvme, POWER_CYCLES) == 2
    assert smart(host.nvme, UNSAFE_SHUTDOWNS) == 1
    host.close()


def test_a_file_remembers_its_format(start: Start, folder: str) -> None:
    options = ("--size", "16M", "--file", os.path.join(folder, "drive"))
    server = Server(os.path.join(folder, "first"), *options)
    host = Host(server)
    assert host.nvme.admin.execute(FORMAT, nsid=1, cdw10=1)[1] == OK
    host.close()
    server.check_end()
    host = Host(start(*options))
    assert identify(host.nvme, 0, 1)[26] == 1
    host.close()


@pytest.mark.parametrize(
    "options, word",
    [
        (("--size", "32M"), "16777216 bytes"),
        (("--size", "16M", "--namespaces", "2"), "16777216 bytes"),
    ],
)
def test_a_file_of_another_drive_is_refused(
    start: Start, folder: str, options: tuple[str, ...], word: str
) -> None:
    file = os.path.join(folder, "drive")
    Server(os.path.join(folder, "first"), "--size", "16M", "--file", file).stop()
    refused = Server(os.path.join(folder, "second"), *options, "--file", file)
    assert refused.stop() != 0
    assert word in refused.word
