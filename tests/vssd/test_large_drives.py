# SPDX-License-Identifier: BSD-3-Clause
"""Drives of 16 TiB and more: they keep their data, and need memory and space for what was written only."""

from __future__ import annotations

import os
import struct
import time

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    DSM,
    FORMAT,
    INVALID_FIELD,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    SANITIZE,
    WRITE,
    Disk,
    Host,
    identify,
    log_page,
    pattern,
    set_feature,
)
from server import Server

TIB = 1 << 40
BLOCK_ERASE, OVERWRITE, NDAS, NODRM = 2, 3, 1 << 9, 1
DEALLOCATED = 4  # a sanitize operation has succeeded, and deallocated although NDAS was set


def started(folder: str, name: str, *options: str) -> Server:
    server = Server(os.path.join(folder, name), *options)
    assert server.word == "ready", server.word
    return server


def ended(server: Server) -> None:
    try:
        server.check_end()
    finally:
        server.stop()
        server.log.close()


def memory_of(server: Server) -> int:
    """The memory of its process in bytes."""
    with open(f"/proc/{server.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.parametrize("size", [16 * TIB, 64 * TIB])
def test_a_drive_keeps_its_data_in_a_sparse_file(folder: str, size: int) -> None:
    path = os.path.join(folder, "drive")
    options = ("--size", str(size), "--file", path, "--cache", "1M")
    last = size // 512 - 1
    places = (0, 2 * TIB // 512 - 4, size // 1024 + 3, last - 8 * 1024 * 1024, last - 7)
    for life in range(2):
        server = started(folder, str(life), *options)
        idle = memory_of(server)
        host = Host(server)
        assert int.from_bytes(identify(host.nvme, 0, 1)[:8], "little") == size // 512
        for seed, lba in enumerate(places):
            expected = pattern(lba, 8, seed=seed) if life else bytes(4096)
            assert host.disk.read(lba, 8) == expected
            host.disk.write(lba, pattern(lba, 8, seed=seed))
        assert host.disk.read(last // 3) == bytes(512)
        assert host.disk.command(READ, last, 2) == LBA_OUT_OF_RANGE
        for turn in range(500):
            assert host.disk.command(READ, turn * (last // 500)) == OK
        assert memory_of(server) - idle < 64 << 20
        host.shut_down()
        host.close()
        ended(server)
        assert os.stat(path).st_blocks * 512 < 64 << 20
    os.unlink(path)


@pytest.mark.parametrize("size", [512, 65536])
def test_deallocating_all_of_it_takes_no_longer_than_what_was_written(folder: str, size: int) -> None:
    options = ("--size", "64T", "--lba-size", str(size), "--cache", "1M", "--format-time", "0")
    server = started(folder, "0", *options)
    with Client(server.folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        queue = nvme.create_queue(1, 16)
        lbas, page = 64 * TIB // size, nvme.memory.alloc(65536, 65536)
        entries = nvme.memory.alloc(4096)
        nvme.memory.write(entries, struct.pack("<15Q", *range(page + 4096, page + 65536, 4096)))
        second = entries if size > 4096 else 0

        def io(opcode: int, lba: int) -> int:
            fields = {"prp1": page, "prp2": second, "cdw10": lba & 0xFFFFFFFF, "cdw11": lba >> 32}
            return queue.execute(opcode, nsid=1, **fields)[1]

        places = (0, 12345678, lbas // 2 + 1, lbas - 1)
        for lba in places:
            nvme.memory.write(page, pattern(lba, 1, size))
            assert io(WRITE, lba) == OK
        ranges = [(at, min(lbas - at, 0xFFFFFFFF)) for at in range(0, lbas, 0xFFFFFFFF)]
        nvme.memory.write(entries + 2048, b"".join(struct.pack("<IIQ", 0, n, at) for at, n in ranges))
        dsm = {"prp1": entries + 2048, "cdw10": len(ranges) - 1, "cdw11": 4}
        assert queue.execute(DSM, nsid=1, **dsm)[1] == OK
        for lba in places:
            assert io(READ, lba) == OK
            assert nvme.memory.read(page, size) == bytes(size)
        assert memory_of(server) < 256 << 20
        nvme.close()
    ended(server)


def test_drives_above_the_limit_are_refused(folder: str) -> None:
    server = Server(os.path.join(folder, "0"), "--size", "32T", "--namespaces", "3")
    assert "at most 65536 GiB together" in server.word
    server.stop()
    server.log.close()


def sanitize_status(nvme: Nvme) -> int:
    while (status := log_page(nvme, 0x81)[2] & 7) == 2:
        time.sleep(0.01)
    return status


def test_a_large_drive_is_formatted_and_sanitized_and_does_not_obey_no_deallocate(folder: str) -> None:
    server = started(folder, "0", "--size", "16T", "--sanitize-time", "0", "--format-time", "0")
    with Client(server.folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert int.from_bytes(identify(nvme, 1)[328:332], "little") >> 29 == 3, "NDI, and NODMMAS 1"
        disk = Disk(nvme, nvme.create_queue(1, 16))
        last = 16 * TIB // 512 - 1

        def sanitize(cdw10: int) -> int:
            disk.write(last, pattern(last, 1))
            return nvme.admin.execute(SANITIZE, cdw10=cdw10, cdw11=0xA5A5A5A5)[1]

        assert sanitize(BLOCK_ERASE | NDAS) == INVALID_FIELD
        assert disk.read(last) == pattern(last, 1)
        for cdw10, end in ((BLOCK_ERASE, 1), (OVERWRITE | 2 << 4, 1)):
            assert sanitize(cdw10) == OK
            assert sanitize_status(nvme) == end
            assert disk.read(last) == bytes(512)
        assert set_feature(nvme, 0x17, NODRM) == OK
        for cdw10 in (BLOCK_ERASE | NDAS, OVERWRITE | 1 << 4 | NDAS):
            assert sanitize(cdw10) == OK
            assert sanitize_status(nvme) == DEALLOCATED
            assert log_page(nvme, 0x81)[3] & 1, "global data erased"
            assert disk.read(last) == bytes(512)
        disk.write(last, pattern(last, 1))
        assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
        assert disk.read(last) == bytes(512)
        assert memory_of(server) < 256 << 20
        nvme.close()
    ended(server)
