# SPDX-License-Identifier: BSD-3-Clause
"""Fault rules that need older versions of LBAs, and writes that are executed in pieces."""

from __future__ import annotations

import struct
import time

import pytest
from client import sqe
from ctrl_helpers import (
    DELETE_SQ,
    DSM,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Host,
    Start,
    pattern,
    smart,
)
from fault_helpers import clear, fired_count, plant
from server import Server


def version(lba: int, seed: int, size: int = 512) -> bytes:
    return pattern(lba, 1, size, seed)


def test_reads_find_versions_of_several_writes_ago(server: Server, disk: Disk) -> None:
    plant(server, "opcode=read lba=3 do older back=2", "opcode=read lba=4 do older back=9")
    for seed in (1, 2, 3):
        disk.write(3, version(3, seed))
        disk.write(4, version(4, seed))
    assert disk.read(3) == version(3, 1)
    assert disk.read(4) == version(4, 3), "nine writes ago is not known"
    disk.write(3, version(3, 4))
    assert disk.read(3) == version(3, 2)


def lost(start: Start, rule: str, seeds: int = 3, lba_size: int = 512, flush: bool = True) -> list[bytes]:
    """Overwrite 16 LBAs several times without a flush, lose power, and return what they hold."""
    host = Host(start("--size", "16M", "--lba-size", str(lba_size)))
    disk = Disk(host.nvme, host.disk.queue, lba_size=lba_size)
    try:
        plant(host.server, rule)
        for lba in range(16):
            disk.write(lba, version(lba, 0, lba_size))
        if flush:
            disk.flush()
        for seed in range(1, seeds + 1):
            for lba in range(16):
                disk.write(lba, version(lba, seed, lba_size))
        host.power_cycle()
        disk = Disk(host.nvme, host.disk.queue, lba_size=lba_size)
        return [disk.read(lba) for lba in range(16)]
    finally:
        host.close()


@pytest.mark.parametrize("lba_size", [512, 4096])
def test_a_power_loss_leaves_any_version_since_the_flush(start: Start, lba_size: int) -> None:
    found = lost(start, "on=power-loss do cache chance=0.1 versions seed=4", lba_size=lba_size)
    seen = set()
    for lba, data in enumerate(found):
        assert data in [version(lba, seed, lba_size) for seed in range(4)]
        seen |= {seed for seed in range(4) if data == version(lba, seed, lba_size)}
    assert {0, 1, 2} <= seen, "the durable version, and those between it and the last one"


def test_a_late_deallocation_that_yields_to_a_deallocation_writes_nothing(start: Start) -> None:
    """The first of two deallocations is executed last. Its LBAs were written, and deallocated again."""
    host = Host(start("--size", "16M"))
    try:
        plant(
            host.server,
            "opcode=dataset-management nth=1 do early=60 yield",
            "opcode=dataset-management nth=2 do early=5 yield",
            "on=power-loss do cache versions",
        )
        ranges = struct.pack("<IIQ", 0, 15, 0)
        for seed in (0, 1):
            for lba in range(16):
                host.disk.write(lba, version(lba, seed))
            if seed:
                host.disk.flush()
            host.nvme.memory.write(host.disk.buffer, ranges)
            assert host.disk.queue.execute(DSM, nsid=1, prp1=host.disk.buffer, cdw11=4)[1] == OK
        time.sleep(0.1)
        host.disk.write(15, version(15, 9))
        host.power_cycle()
        disk = Disk(host.nvme, host.disk.queue)
        for lba in range(15):
            assert disk.read(lba) in (version(lba, 1), bytes(512)), lba
    finally:
        host.close()


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("count", [3, 8])
def test_a_deallocation_brings_no_version_back_from_before_the_flush(
    start: Start, count: int, again: bool
) -> None:
    """The deallocation may be lost. Then the flushed version is there, and none that it has replaced."""
    host = Host(start("--size", "16M"))
    try:
        plant(host.server, "on=power-loss do cache versions")
        for seed in range(3):
            for lba in range(16):
                host.disk.write(lba, version(lba, seed % 2))
        host.disk.write(8, version(8, 3))
        host.disk.flush()
        host.nvme.memory.write(host.disk.buffer, struct.pack("<IIQ", 0, count, 0))
        assert host.disk.queue.execute(DSM, nsid=1, prp1=host.disk.buffer, cdw11=4)[1] == OK
        for lba in range(count if again else 0):
            host.disk.write(lba, version(lba, 7))
        host.disk.write(15, version(15, 9))
        host.power_cycle()
        disk = Disk(host.nvme, host.disk.queue)
        for lba in range(15):
            legal = [version(lba, 3 if lba == 8 else 0)]
            legal += [bytes(512), version(lba, 7)] if lba < count else []
            assert disk.read(lba) in legal, lba
    finally:
        host.close()


def test_versions_before_the_flush_do_not_come_back(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        plant(host.server, "on=power-loss do cache versions")
        for seed in range(6):
            for lba in range(16):
                host.disk.write(lba, version(lba, seed))
            if seed == 3:
                host.disk.flush()
        host.power_cycle()
        for lba in range(16):
            assert host.disk.read(lba) in (version(lba, 3), version(lba, 4))
    finally:
        host.close()


def test_without_versions_only_the_durable_one_returns(start: Start) -> None:
    found = lost(start, "on=power-loss do cache")
    assert found == [version(lba, 0) for lba in range(16)]


def test_a_deallocated_lba_does_not_get_a_version(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        plant(host.server, "on=power-loss do cache versions")
        for seed in range(3):
            host.disk.write(0, version(0, seed))
        assert host.disk.command(WRITE_UNCORRECTABLE, 0) == OK
        host.disk.write(1, version(1, 1))
        assert host.disk.command(WRITE_ZEROES, 1) == OK
        host.power_cycle()
        assert host.disk.read(0) == bytes(512)
        assert host.disk.read(1) in (bytes(512), version(1, 1))
    finally:
        host.close()


def test_what_was_flushed_a_moment_ago_is_lost_as_well(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        plant(host.server, "on=power-loss do cache flushed=30s")
        host.disk.write(0, version(0, 1) + version(1, 1))
        host.disk.flush()
        host.disk.write(0, version(0, 2))
        host.disk.flush()
        host.power_cycle()
        assert host.disk.read(0) == host.disk.read(1) == bytes(512)
        clear(host.server)
        plant(host.server, "on=power-loss do cache flushed=1ms")
        host.disk.write(0, version(0, 3))
        host.disk.flush()
        time.sleep(0.05)
        host.disk.write(0, version(0, 4))
        host.power_cycle()
        assert host.disk.read(0) == version(0, 3), "that flush was long ago"
    finally:
        host.close()


# pieces


def test_a_write_is_executed_in_pieces(server: Server, disk: Disk) -> None:
    plant(server, "opcode=write bytes>1024 do split=1024 gap=150")
    disk.nvme.memory.write(disk.buffer, pattern(0, 8, seed=1))
    units = smart(disk.nvme, 80)
    cid = disk.queue.submit(sqe(WRITE, nsid=1, prp1=disk.buffer, cdw12=7))
    time.sleep(0.05)
    disk.nvme.memory.write(disk.buffer, bytes(4096))
    seen = set()
    other = disk.nvme.memory.alloc(4096)
    deadline = time.monotonic() + 10
    ended = None
    while not ended and time.monotonic() < deadline:
        mine = disk.queue.submit(sqe(READ, nsid=1, prp1=other, cdw12=7))
        entry = disk.queue.wait()
        if entry.cid == cid:
            ended = entry
            disk.queue.wait()
            break
        assert entry.cid == mine
        data = disk.nvme.memory.read(other, 4096)
        new = [data[at : at + 512] == version(at // 512, 1) for at in range(0, 4096, 512)]
        seen.add(tuple(new))
    assert ended and ended.status == OK
    assert disk.read(0, 8) == pattern(0, 8, seed=1), "the data are those of its submission"
    assert len(seen) >= 3, "a read finds a part of it"
    assert all(list(new) == sorted(new, reverse=True) and sum(new) % 2 == 0 for new in seen)
    assert smart(disk.nvme, 80) == units + 1


def test_pieces_in_the_other_direction(server: Server, disk: Disk) -> None:
    plant(server, "opcode=write-zeroes do split=512 gap=400 reverse", "opcode=write bytes>8192 do split=512")
    cid = disk.queue.submit(sqe(WRITE_ZEROES, nsid=1, cdw12=1))
    time.sleep(0.1)
    reader = disk.nvme.memory.alloc(4096)
    disk.queue.submit(sqe(READ, nsid=1, prp1=reader, cdw12=1))
    assert disk.queue.wait().cid != cid
    assert disk.nvme.memory.read(reader, 1024) == pattern(0, 1) + bytes(512)
    assert disk.queue.wait().cid == cid
    assert disk.read(0, 3) == bytes(1024) + pattern(2, 1)


def test_a_split_command_is_checked_and_completes_by_the_rules(server: Server, disk: Disk) -> None:
    number = plant(server, "opcode=write do split=512 gap=1", "opcode=write do set cqe.result=9")
    disk.nvme.memory.write(disk.buffer, pattern(0, 4, seed=1))
    assert disk.command(WRITE, 1 << 40, 4) == LBA_OUT_OF_RANGE
    assert disk.queue.execute(WRITE, nsid=1, prp1=disk.buffer, cdw12=3) == (9, OK)
    assert disk.read(0, 4) == pattern(0, 4, seed=1)
    assert fired_count(server, number) == 2


@pytest.mark.parametrize("how", ["queue", "reset", "power"])
def test_pieces_end_with_their_queue(server: Server, host: Host, disk: Disk, how: str) -> None:
    plant(server, "opcode=write do split=512 gap=100")
    disk.nvme.memory.write(disk.buffer, pattern(0, 8, seed=1))
    disk.queue.submit(sqe(WRITE, nsid=1, prp1=disk.buffer, cdw12=7))
    time.sleep(0.05)
    if how == "queue":
        assert host.nvme.admin.execute(DELETE_SQ, cdw10=1)[1] == OK
        disk = Disk(host.nvme, host.nvme.create_queue(2, 8))
    elif how == "reset":
        host.nvme.disable()
        host.start()
        disk = host.disk
    else:
        host.power_cycle()
        disk = host.disk
    time.sleep(0.3)
    data = disk.read(0, 8)
    assert data[7 * 512 :] in (pattern(7, 1), bytes(512))
