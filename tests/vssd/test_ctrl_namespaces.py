# SPDX-License-Identifier: BSD-3-Clause
"""Thirty-two namespaces and sixty-four queue pairs: each namespace is a disk of its own."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest
from client import Client, Nvme, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    COMPARE,
    DSM,
    FLUSH,
    FORMAT,
    INVALID_NAMESPACE,
    LBA_OUT_OF_RANGE,
    OK,
    PEEK,
    READ,
    UNRECOVERED_READ,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Host,
    Start,
    control,
    get_feature,
    identify,
    log_page,
    pattern,
    set_feature,
)

COUNT = 32
LBAS = 2048


@pytest.fixture
def nvme(start: Start) -> Iterator[Nvme]:
    with Client(start("--size", "1M", "--namespaces", str(COUNT), "--queues", "64").folder) as client:
        nvme = Nvme(client, memory_size=32 << 20)
        nvme.enable(depth=128)
        yield nvme
        nvme.close()


@pytest.fixture
def disks(nvme: Nvme) -> list[Disk]:
    queue = nvme.create_queue(1, 16)
    return [Disk(nvme, queue, nsid) for nsid in range(1, COUNT + 1)]


def data_of(nsid: int, lba: int, count: int = 8) -> bytes:
    return pattern(lba, count, seed=nsid)


def fill(disks: list[Disk]) -> None:
    for disk in disks:
        for lba in (0, 1000, LBAS - 8):
            disk.write(lba, data_of(disk.nsid, lba))


def check(disks: list[Disk], but: int = 0) -> None:
    for disk in disks:
        for lba in (0, 1000, LBAS - 8) if disk.nsid != but else ():
            assert disk.read(lba, 8) == data_of(disk.nsid, lba), f"namespace {disk.nsid}, LBA {lba}"


def test_lists_and_structures_name_all_of_them(nvme: Nvme) -> None:
    assert struct.unpack_from("<I", identify(nvme, 1), 516)[0] == COUNT, "NN"
    for first in (0, 1, 30, 31, 32, 33, 0xFFFFFFFD):
        listed = struct.unpack("<1024I", identify(nvme, 2, nsid=first))
        assert listed == tuple(range(first + 1, COUNT + 1)) + (0,) * (1024 - max(0, COUNT - first))
    names = set()
    for nsid in range(1, COUNT + 1):
        data = identify(nvme, 0, nsid=nsid)
        assert struct.unpack_from("<3Q", data)[:2] == (LBAS, LBAS)
        names.add(data[104:128])
    assert len(names) == COUNT, "NGUID and EUI64 tell them apart"
    capacity = int.from_bytes(identify(nvme, 1)[280:296], "little")
    assert capacity == COUNT << 20, "TNVMCAP"


def test_what_is_written_to_one_is_in_no_other(disks: list[Disk]) -> None:
    fill(disks)
    check(disks)


@pytest.mark.parametrize("nsid", [1, 17, 32])
def test_nothing_that_is_done_to_one_changes_another(nvme: Nvme, disks: list[Disk], nsid: int) -> None:
    fill(disks)
    disk = disks[nsid - 1]
    assert disk.command(WRITE_ZEROES, 0, LBAS) == OK
    check(disks, but=nsid)
    nvme.memory.write(disk.buffer, struct.pack("<IIQ", 0, LBAS, 0))
    assert disk.queue.execute(DSM, nsid=nsid, prp1=disk.buffer, cdw11=4)[1] == OK
    check(disks, but=nsid)
    assert disk.command(WRITE_UNCORRECTABLE, 0, LBAS) == OK
    assert disk.command(VERIFY, LBAS - 1) == UNRECOVERED_READ
    check(disks, but=nsid)
    assert nvme.admin.execute(FORMAT, nsid=nsid, cdw10=1)[1] == OK
    check(disks, but=nsid)
    assert struct.unpack_from("<I", log_page(nvme, 4, 4096))[0] == nsid
    assert set_feature(nvme, 5, 1 << 16, nsid=nsid) == OK
    assert [get_feature(nvme, 5, nsid=n) >> 16 for n in range(1, COUNT + 1)].index(1) == nsid - 1
    check(disks, but=nsid)


@pytest.mark.parametrize("opcode", [READ, WRITE, COMPARE, WRITE_ZEROES, WRITE_UNCORRECTABLE, VERIFY])
def test_none_reaches_past_its_end(disks: list[Disk], opcode: int) -> None:
    fill(disks)
    for disk in (disks[0], disks[16], disks[31]):
        for lba, count in ((LBAS, 1), (LBAS - 1, 2), (LBAS - 8, 16), ((1 << 55) - 1, 1), ((1 << 64) - 1, 1)):
            assert disk.command(opcode, lba, count) == LBA_OUT_OF_RANGE
    check(disks)


@pytest.mark.parametrize("nsid", [0, COUNT + 1, 0x80000001, ALL_NAMESPACES - 1, ALL_NAMESPACES])
def test_namespaces_that_are_not_there(nvme: Nvme, disks: list[Disk], nsid: int) -> None:
    stranger = Disk(nvme, disks[0].queue, nsid)
    for opcode in (READ, WRITE, COMPARE, WRITE_ZEROES, WRITE_UNCORRECTABLE, VERIFY, DSM):
        assert stranger.command(opcode, 0) == INVALID_NAMESPACE
    expected = OK if nsid == ALL_NAMESPACES else INVALID_NAMESPACE
    assert stranger.queue.execute(FLUSH, nsid=nsid)[1] == expected


def test_all_queue_pairs_reach_all_namespaces(nvme: Nvme, disks: list[Disk]) -> None:
    """Sixty-four queues, each with commands for another namespace in flight, all at once."""
    queues = [disks[0].queue] + [nvme.create_queue(qid, 16) for qid in range(2, 65)]
    buffers = {queue.qid: [nvme.memory.alloc(4096) for _ in range(4)] for queue in queues}
    for turn in range(2):
        for queue in queues:
            for index, buffer in enumerate(buffers[queue.qid]):
                nsid, lba = (queue.qid - 1) % COUNT + 1, 8 * ((4 * queue.qid + index) % 256)
                if turn == 0:
                    nvme.memory.write(buffer, data_of(nsid, lba))
                else:
                    nvme.memory.write(buffer, bytes(4096))
                queue.submit(sqe(WRITE if turn == 0 else READ, nsid=nsid, prp1=buffer, cdw10=lba, cdw12=7))
        for queue in queues:
            assert [queue.wait().status for _ in range(4)] == [OK] * 4
    for queue in queues:
        for index, buffer in enumerate(buffers[queue.qid]):
            nsid, lba = (queue.qid - 1) % COUNT + 1, 8 * ((4 * queue.qid + index) % 256)
            assert nvme.memory.read(buffer, 4096) == data_of(nsid, lba)


def test_each_keeps_its_data_and_format_over_a_power_cycle(start: Start) -> None:
    server = start("--size", "1M", "--namespaces", str(COUNT))
    host = Host(server)
    for nsid in range(1, COUNT + 1, 2):
        assert host.nvme.admin.execute(FORMAT, nsid=nsid, cdw10=1)[1] == OK
    for nsid in range(1, COUNT + 1):
        size = 4096 if nsid % 2 else 512
        Disk(host.nvme, host.disk.queue, nsid, size).write(3, pattern(3, 1, size, seed=nsid))
    host.shut_down()
    host.power_cycle()
    for nsid in range(1, COUNT + 1):
        size = 4096 if nsid % 2 else 512
        assert identify(host.nvme, 0, nsid=nsid)[26] == nsid % 2
        data = pattern(3, 1, size, seed=nsid)
        assert Disk(host.nvme, host.disk.queue, nsid, size).read(3) == data
        assert control(server, PEEK, lba=3, nsid=nsid)[-size:] == data
    host.close()


def test_random_writes_all_over(disks: list[Disk]) -> None:
    """Against a model: the last write of each LBA of each namespace."""
    choose = random.Random(20)
    model: dict[tuple[int, int], int] = {}
    for seed in range(400):
        disk, lba = choose.choice(disks), choose.randrange(64)
        disk.write(lba, pattern(lba, 1, seed=seed + 1))
        model[disk.nsid, lba] = seed + 1
    for disk in disks:
        for lba in range(64):
            seed = model.get((disk.nsid, lba), 0)
            assert disk.read(lba) == (pattern(lba, 1, seed=seed) if seed else bytes(512))
