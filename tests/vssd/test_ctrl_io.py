# SPDX-License-Identifier: BSD-3-Clause
"""The NVM command set: data, ranges, PRPs, states of LBAs, and what each command refuses."""

from __future__ import annotations

import random
import struct

import pytest
from client import Client, Memory, Nvme, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    COMPARE,
    COMPARE_FAILURE,
    DATA_TRANSFER_ERROR,
    DEAC,
    DSM,
    FLUSH,
    FUA,
    INVALID_FIELD,
    INVALID_NAMESPACE,
    INVALID_PRP_OFFSET,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    UNRECOVERED_READ,
    UNWRITTEN,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Start,
    get_feature,
    pattern,
    set_feature,
    smart,
)

PAGE = 4096
LBAS = 64 * 2048  # of the fixture's drive


@pytest.fixture
def disk(nvme: Nvme) -> Disk:
    return Disk(nvme, nvme.create_queue(1, 64))


def test_never_written_reads_zeros(disk: Disk) -> None:
    assert disk.read(12345, 16) == bytes(16 * 512)


@pytest.mark.parametrize("lba, count", [(0, 1), (3, 1), (7, 1), (7, 2), (5, 11), (8, 8), (LBAS - 16, 16)])
def test_what_is_written_is_read(disk: Disk, lba: int, count: int) -> None:
    disk.write(lba, pattern(lba, count))
    assert disk.read(lba, count) == pattern(lba, count)


def test_neighbours_stay_as_they_were(disk: Disk) -> None:
    disk.write(0, pattern(0, 16))
    disk.write(5, pattern(5, 1, seed=1))
    expected = bytearray(pattern(0, 16))
    expected[5 * 512 : 6 * 512] = pattern(5, 1, seed=1)
    assert disk.read(0, 16) == bytes(expected)
    disk.flush()
    disk.write(6, pattern(6, 1, seed=2))
    expected[6 * 512 : 7 * 512] = pattern(6, 1, seed=2)
    assert disk.read(0, 16) == bytes(expected)


def test_4_kib_lbas(start: Start) -> None:
    with Client(start("--size", "16M", "--lba-size", "4096").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        disk = Disk(nvme, nvme.create_queue(1, 8), lba_size=4096)
        disk.write(4094, pattern(4094, 2, 4096))
        assert disk.read(4094, 2) == pattern(4094, 2, 4096)
        assert disk.command(READ, 4096) == LBA_OUT_OF_RANGE
        nvme.close()


def test_namespaces_do_not_share_data(start: Start) -> None:
    with Client(start("--size", "1M", "--namespaces", "32").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        queue = nvme.create_queue(1, 8)
        disks = [Disk(nvme, queue, nsid) for nsid in range(1, 33)]
        for lba in (0, 2047):
            for disk in disks:
                disk.write(lba, pattern(lba, 1, seed=disk.nsid))
            for disk in disks:
                assert disk.read(lba) == pattern(lba, 1, seed=disk.nsid)
        assert Disk(nvme, queue, 33).command(READ, 0) == INVALID_NAMESPACE
        nvme.close()


@pytest.mark.parametrize("opcode", [READ, WRITE, COMPARE, WRITE_ZEROES, WRITE_UNCORRECTABLE, VERIFY])
@pytest.mark.parametrize(
    "lba, count", [(LBAS, 1), (LBAS - 1, 2), (1 << 63, 1), ((1 << 64) - 1, 1), ((1 << 64) - 1, 2)]
)
def test_lbas_past_the_end(disk: Disk, opcode: int, lba: int, count: int) -> None:
    before = disk.read(0)
    assert disk.command(opcode, lba, count) == LBA_OUT_OF_RANGE
    assert disk.read(0) == before


@pytest.mark.parametrize(
    "opcode", [READ, WRITE, COMPARE, WRITE_ZEROES, WRITE_UNCORRECTABLE, VERIFY, DSM, FLUSH]
)
@pytest.mark.parametrize("nsid", [0, 2, ALL_NAMESPACES, 0xFFFFFFFE])
def test_namespaces_that_are_not_there(disk: Disk, opcode: int, nsid: int) -> None:
    status = disk.queue.execute(opcode, nsid=nsid, prp1=disk.buffer)[1]
    assert status == (OK if opcode == FLUSH and nsid == ALL_NAMESPACES else INVALID_NAMESPACE)


# Host memory


def prp_list(nvme: Nvme, pages: list[int], at: int = 0) -> int:
    """A PRP list that starts at an offset of its page and goes on in further pages where it must."""
    first = nvme.memory.alloc(PAGE) + at
    where = first
    for index, page in enumerate(pages):
        if where % PAGE == PAGE - 8 and index < len(pages) - 1:
            following = nvme.memory.alloc(PAGE)
            nvme.memory.write(where, struct.pack("<Q", following))
            where = following
        nvme.memory.write(where, struct.pack("<Q", page))
        where += 8
    return first


@pytest.mark.parametrize("offset", [0, 4, 512, 4092])
@pytest.mark.parametrize("at", [0, 8, PAGE - 16, PAGE - 8])
def test_the_largest_transfer_through_any_list(nvme: Nvme, disk: Disk, offset: int, at: int) -> None:
    """128 KiB to and from scattered pages, from any offset, with lists that go over pages."""
    dice = random.Random(offset + at)
    pages = [nvme.memory.alloc(PAGE) for _ in range(33)]
    dice.shuffle(pages)
    data = pattern(64, 256)
    pieces = [(pages[0] + offset, data[: PAGE - offset])]
    rest = data[PAGE - offset :]
    pieces += [(page, rest[i * PAGE : (i + 1) * PAGE]) for i, page in enumerate(pages[1:])]
    pieces = [(where, piece) for where, piece in pieces if piece]
    listed = prp_list(nvme, [where for where, _ in pieces[1:]], at)
    for where, piece in pieces:
        nvme.memory.write(where, piece)
    command = {"nsid": 1, "prp1": pieces[0][0], "prp2": listed, "cdw10": 64, "cdw12": 255}
    assert disk.queue.execute(WRITE, **command)[1] == OK
    assert disk.read(64, 16) == data[:8192] and disk.read(304, 16) == data[-8192:]
    assert disk.queue.execute(COMPARE, **command)[1] == OK
    for where, piece in pieces:
        nvme.memory.write(where, bytes(len(piece)))
    assert disk.queue.execute(READ, **command)[1] == OK
    assert b"".join(nvme.memory.read(where, len(piece)) for where, piece in pieces) == data


def test_mdts(disk: Disk) -> None:
    for opcode in (READ, WRITE, COMPARE):
        assert disk.queue.execute(opcode, nsid=1, prp1=disk.buffer, cdw12=256)[1] == INVALID_FIELD
    for opcode in (WRITE_ZEROES, VERIFY, WRITE_UNCORRECTABLE):
        assert disk.queue.execute(opcode, nsid=1, cdw12=256)[1] == OK


def test_no_mdts(start: Start) -> None:
    with Client(start("--size", "64M", "--mdts", "0").folder) as client:
        nvme = Nvme(client, memory_size=64 << 20)
        nvme.enable()
        queue = nvme.create_queue(1, 8)
        buffer = nvme.memory.alloc(32 << 20)
        data = random.Random(0).getrandbits(8 * (1 << 16)).to_bytes(1 << 16, "little") * 512
        nvme.memory.write(buffer, data)
        listed = prp_list(nvme, [buffer + PAGE * i for i in range(1, 8192)])
        command = {"nsid": 1, "prp1": buffer, "prp2": listed, "cdw12": 65535}
        assert queue.execute(WRITE, **command)[1] == OK
        nvme.memory.write(buffer, bytes(len(data)))
        assert queue.execute(READ, **command)[1] == OK
        assert nvme.memory.read(buffer, len(data)) == data
        nvme.close()


@pytest.mark.parametrize(
    "prp1, prp2, count, entry, status",
    [
        (1, 0, 1, 0, INVALID_PRP_OFFSET),  # not a dword
        (2, 0, 8, 0, INVALID_PRP_OFFSET),
        (0, 8, 16, 0, INVALID_PRP_OFFSET),  # second page at an offset
        (0, 4, 24, 0, INVALID_PRP_OFFSET),  # a list that is not of quadwords
        (0, 0, 24, 8, INVALID_PRP_OFFSET),  # an entry of the list at an offset
        (-1 << 40, 0, 1, 0, DATA_TRANSFER_ERROR),  # nobody's memory
        (0, -1 << 40, 16, 0, DATA_TRANSFER_ERROR),
        (0, 0, 24, -1 << 40, DATA_TRANSFER_ERROR),
        (0, -1 << 40, 24, 0, DATA_TRANSFER_ERROR),  # a list that is nobody's memory
    ],
)
@pytest.mark.parametrize("opcode", [READ, WRITE, COMPARE])
def test_wrong_prps(
    nvme: Nvme, disk: Disk, opcode: int, prp1: int, prp2: int, count: int, entry: int, status: int
) -> None:
    disk.write(0, pattern(0, 16))
    base = nvme.memory.alloc(8 * PAGE)
    if count > 16:
        nvme.memory.write(base + PAGE, struct.pack("<2Q", base + 2 * PAGE + entry, base + 3 * PAGE))
    fields = {"nsid": 1, "prp1": base + prp1, "prp2": base + PAGE + prp2, "cdw12": count - 1}
    if opcode == COMPARE:
        nvme.memory.write(base, pattern(0, 8))
    assert disk.queue.execute(opcode, **fields)[1] == status
    assert disk.read(0, 16) == pattern(0, 16), "a write that fails writes nothing"


@pytest.mark.parametrize("prp1", [(1 << 64) - 4, (1 << 64) - PAGE, (1 << 63) + 4])
def test_addresses_do_not_wrap(disk: Disk, prp1: int) -> None:
    for opcode in (READ, WRITE):
        status = disk.queue.execute(opcode, nsid=1, prp1=prp1, prp2=disk.buffer, cdw12=7)[1]
        assert status == DATA_TRANSFER_ERROR


def test_memory_that_the_device_may_only_read_or_write(client: Client, nvme: Nvme, disk: Disk) -> None:
    with Memory(PAGE, 0x1000_0000) as memory:
        client.dma_map(memory.iova, PAGE, memory.fd, flags=1)
        assert disk.queue.execute(READ, nsid=1, prp1=memory.iova)[1] == DATA_TRANSFER_ERROR
        assert disk.queue.execute(WRITE, nsid=1, prp1=memory.iova)[1] == OK
        client.dma_unmap(memory.iova, PAGE)
        client.dma_map(memory.iova, PAGE, memory.fd, flags=2)
        assert disk.queue.execute(READ, nsid=1, prp1=memory.iova)[1] == OK
        assert disk.queue.execute(WRITE, nsid=1, prp1=memory.iova)[1] == DATA_TRANSFER_ERROR
        client.dma_unmap(memory.iova, PAGE)
        assert disk.queue.execute(READ, nsid=1, prp1=memory.iova)[1] == DATA_TRANSFER_ERROR


def test_data_in_several_regions(client: Client, disk: Disk) -> None:
    """One page of data in regions of 1 KiB, mapped in the wrong order."""
    base = 0x2000_0000
    with Memory(4 * PAGE) as memory:
        for part in (2, 0, 3, 1):
            client.dma_map(base + part * 1024, 1024, memory.fd, part * PAGE)
        for part in range(4):
            memory.view[part * PAGE : part * PAGE + 1024] = pattern(part * 2, 2)
        assert disk.queue.execute(WRITE, nsid=1, prp1=base, cdw12=7)[1] == OK
        assert disk.read(0, 8) == pattern(0, 8)
        assert disk.queue.execute(COMPARE, nsid=1, prp1=base, cdw12=7)[1] == OK
        disk.write(0, pattern(0, 8, seed=9))
        assert disk.queue.execute(READ, nsid=1, prp1=base, cdw12=7)[1] == OK
        assert b"".join(memory.view[i * PAGE : i * PAGE + 1024] for i in range(4)) == pattern(0, 8, seed=9)
        for part in range(4):
            client.dma_unmap(base + part * 1024, 1024)


# Commands


def test_compare(disk: Disk) -> None:
    disk.write(0, pattern(0, 16))
    assert disk.command(COMPARE, 0, 16) == OK
    disk.nvme.memory.write(disk.buffer + 8191, b"\xff")
    assert disk.command(COMPARE, 0, 16) == COMPARE_FAILURE
    assert disk.command(COMPARE, 0, 15) == OK


@pytest.mark.parametrize("flags", [0, DEAC])
@pytest.mark.parametrize("lba, count", [(8, 8), (9, 1), (5, 20), (0, 64)])
def test_write_zeroes(disk: Disk, lba: int, count: int, flags: int) -> None:
    for start in range(0, 64, 16):
        disk.write(start, pattern(start, 16))
    expected = bytearray(pattern(0, 64))
    expected[lba * 512 : (lba + count) * 512] = bytes(count * 512)
    assert disk.queue.execute(WRITE_ZEROES, nsid=1, cdw10=lba, cdw12=count - 1 | flags)[1] == OK
    assert b"".join(disk.read(start, 16) for start in range(0, 64, 16)) == bytes(expected)
    disk.write(lba, pattern(lba, 1, seed=3))
    assert disk.read(lba) == pattern(lba, 1, seed=3)


def dsm(disk: Disk, ranges: list[tuple[int, int]], attributes: int = 4, count: int | None = None) -> int:
    data = b"".join(struct.pack("<IIQ", 0, length, lba) for lba, length in ranges)
    disk.nvme.memory.write(disk.buffer, data)
    number = (count if count is not None else len(ranges)) - 1
    return disk.queue.execute(DSM, nsid=1, prp1=disk.buffer, cdw10=number, cdw11=attributes)[1]


def test_deallocate(disk: Disk) -> None:
    for start in range(0, 64, 16):
        disk.write(start, pattern(start, 16))
    expected = bytearray(pattern(0, 64))
    for lba, count in ((0, 8), (17, 3), (30, 12)):
        expected[lba * 512 : (lba + count) * 512] = bytes(count * 512)
    assert dsm(disk, [(0, 8), (17, 3), (30, 12), (50, 0)]) == OK
    assert b"".join(disk.read(start, 16) for start in range(0, 64, 16)) == bytes(expected)


def test_hints_of_dataset_management_change_nothing(disk: Disk) -> None:
    disk.write(0, pattern(0, 8))
    assert dsm(disk, [(0, 8)], attributes=3) == OK
    assert disk.read(0, 8) == pattern(0, 8)


def test_deallocate_does_all_ranges_or_none(disk: Disk) -> None:
    disk.write(0, pattern(0, 8))
    assert dsm(disk, [(0, 8), (LBAS - 1, 2)]) == LBA_OUT_OF_RANGE
    assert dsm(disk, [(0, 8), ((1 << 64) - 1, 0xFFFFFFFF)]) == LBA_OUT_OF_RANGE
    assert disk.read(0, 8) == pattern(0, 8)


def test_deallocate_of_256_ranges(disk: Disk) -> None:
    disk.write(0, pattern(0, 16))
    assert dsm(disk, [(0, LBAS)] * 256) == OK
    assert disk.read(0, 16) == bytes(8192)


@pytest.mark.parametrize("opcode", [READ, COMPARE, VERIFY])
def test_write_uncorrectable(disk: Disk, opcode: int) -> None:
    disk.write(0, pattern(0, 16))
    errors = smart(disk.nvme, 160)
    assert disk.command(WRITE_UNCORRECTABLE, 5, 2) == OK
    assert [disk.command(opcode, lba) == UNRECOVERED_READ for lba in range(4, 8)] == [
        False,
        True,
        True,
        False,
    ]
    assert disk.command(opcode, 0, 16) == UNRECOVERED_READ
    assert smart(disk.nvme, 160) == errors + 3
    disk.write(5, pattern(5, 1))
    assert disk.command(READ, 5) == OK and disk.command(READ, 6) == UNRECOVERED_READ
    assert disk.queue.execute(WRITE_ZEROES, nsid=1, cdw10=6)[1] == OK
    assert disk.read(0, 6) == pattern(0, 6) and disk.read(6) == bytes(512)


def test_uncorrectable_and_deallocate(disk: Disk) -> None:
    assert disk.command(WRITE_UNCORRECTABLE, 0, 8) == OK
    assert dsm(disk, [(0, 4)]) == OK
    assert disk.read(0, 4) == bytes(2048)
    assert disk.command(READ, 4) == UNRECOVERED_READ
    assert dsm(disk, [(0, 8)]) == OK
    assert disk.read(0, 8) == bytes(4096)


def test_verify_reads_without_data(disk: Disk) -> None:
    disk.nvme.memory.write(disk.buffer, b"\xa5" * 8192)
    assert disk.queue.execute(VERIFY, nsid=1, prp1=disk.buffer, cdw12=0xFFFF)[1] == OK
    assert disk.nvme.memory.read(disk.buffer, 8192) == b"\xa5" * 8192


def test_reading_what_was_never_written_can_be_an_error(disk: Disk) -> None:
    disk.write(0, pattern(0, 4))
    assert set_feature(disk.nvme, 5, 1 << 16, nsid=1) == OK
    assert get_feature(disk.nvme, 5, nsid=1) == 1 << 16
    assert [disk.command(READ, lba) for lba in (0, 3, 4, 8)] == [OK, OK, UNWRITTEN, UNWRITTEN]
    assert disk.command(COMPARE, 3, 2) == UNWRITTEN
    assert disk.queue.execute(WRITE_ZEROES, nsid=1, cdw10=8, cdw12=7)[1] == OK
    assert disk.command(READ, 8, 8) == OK, "zeros that were written are data"
    assert disk.queue.execute(WRITE_ZEROES, nsid=1, cdw10=0, cdw12=1 | DEAC)[1] == OK
    assert [disk.command(READ, lba) for lba in (0, 1, 2)] == [UNWRITTEN, UNWRITTEN, OK]
    assert set_feature(disk.nvme, 5, 0, nsid=1) == OK
    assert disk.command(READ, 0, 8) == OK


def waits_for_the_medium(disk: Disk, opcode: int, flags: int) -> bool:
    """Whether a command takes longer than a read that is sent right after it, together with it."""
    first = disk.queue.submit(sqe(opcode, nsid=1, prp1=disk.buffer, cdw12=flags), ring=False)
    second = disk.queue.submit(sqe(READ, nsid=1, prp1=disk.buffer), ring=False)
    disk.queue.ring()
    found = [disk.queue.wait(), disk.queue.wait()]
    assert {entry.cid for entry in found} == {first, second} and not any(entry.status for entry in found)
    return found[0].cid == second


def test_fua_costs_the_time_of_the_medium(disk: Disk) -> None:
    for opcode in (WRITE, WRITE_ZEROES):
        assert waits_for_the_medium(disk, opcode, FUA)
        assert not waits_for_the_medium(disk, opcode, 0)


def test_without_the_cache_every_write_costs_as_much(disk: Disk) -> None:
    assert set_feature(disk.nvme, 6, 0) == OK
    for opcode in (WRITE, WRITE_ZEROES):
        assert waits_for_the_medium(disk, opcode, 0)
    assert set_feature(disk.nvme, 6, 1) == OK
    assert not waits_for_the_medium(disk, WRITE, 0)


def test_many_fua_writes_in_flight(nvme: Nvme, disk: Disk) -> None:
    queue = nvme.create_queue(2, 256)
    sent = [
        queue.submit(sqe(WRITE, nsid=1, prp1=disk.buffer, cdw10=lba, cdw12=FUA), ring=False)
        for lba in range(255)
    ]
    queue.ring()
    assert sorted(queue.wait().cid for _ in sent) == sent


def test_random_commands_against_a_model(disk: Disk) -> None:
    """Some thousand commands on 64 LBAs; in the end the drive must hold what a list of LBAs says."""
    dice = random.Random(1)
    model: list[bytes | None] = [bytes(512)] * 64  # None: uncorrectable
    for turn in range(3000):
        lba = dice.randrange(64)
        count = dice.randint(1, min(16, 64 - lba))
        kind = dice.choice("wwwwzdufr")
        if kind == "w":
            disk.write(lba, pattern(lba, count, seed=turn), dice.choice((0, 0, FUA)))
            for i in range(count):
                model[lba + i] = pattern(lba, count, seed=turn)[i * 512 : (i + 1) * 512]
        elif kind in "zd":
            flags = DEAC if kind == "d" else 0
            assert disk.queue.execute(WRITE_ZEROES, nsid=1, cdw10=lba, cdw12=count - 1 | flags)[1] == OK
            model[lba : lba + count] = [bytes(512)] * count
        elif kind == "u":
            assert disk.command(WRITE_UNCORRECTABLE, lba, count) == OK
            model[lba : lba + count] = [None] * count
        elif kind == "f":
            disk.flush()
        elif None in model[lba : lba + count]:
            assert disk.command(READ, lba, count) == UNRECOVERED_READ
        else:
            assert disk.read(lba, count) == b"".join(
                data for data in model[lba : lba + count] if data is not None
            )
    for lba, data in enumerate(model):
        assert (disk.command(READ, lba) == UNRECOVERED_READ) if data is None else (disk.read(lba) == data)
