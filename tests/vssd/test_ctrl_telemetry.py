# SPDX-License-Identifier: BSD-3-Clause
"""Telemetry: the controller's state at one moment, host-initiated (07h) or controller-initiated (08h)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from client import Nvme, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    ASYNC_EVENT,
    CC_ENABLED,
    GET_FEATURES,
    GET_LOG,
    INVALID_FIELD,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    UNRECOVERED_READ,
    WRITE_UNCORRECTABLE,
    Host,
    Start,
    identify,
    log_page,
    set_data,
    set_feature,
    smart,
)

HOST, CTRL = 7, 8
CREATE = 1 << 8
TELEMETRY_CHANGED = 0x80202
BLOCK = 512


class Header(NamedTuple):
    """The header of a log page."""

    lid: int
    areas: tuple[int, int, int]
    generation: int
    available: int
    own_generation: int
    reason: str


def parse(data: bytes) -> Header:
    assert data[1:5] == bytes(4) and data[14:381] == bytes(367)
    areas = struct.unpack_from("<3H", data, 8)
    return Header(data[0], areas, *data[381:384], data[384:512].rstrip(b"\0").decode())


def header(nvme: Nvme, lid: int = HOST, retain: bool = True) -> Header:
    data = log_page(nvme, lid, BLOCK, retain=retain)
    assert data[5:8] == identify(nvme, cns=1)[73:76], "IEEE OUI"
    return parse(data)


def create(nvme: Nvme) -> Header:
    buffer = nvme.memory.alloc(4096)
    cdw10 = (BLOCK // 4 - 1) << 16 | CREATE | HOST
    assert nvme.admin.execute(GET_LOG, nsid=ALL_NAMESPACES, prp1=buffer, cdw10=cdw10)[1] == OK
    return parse(nvme.memory.read(buffer, BLOCK))


def blocks(nvme: Nvme, lid: int, first: int, count: int) -> bytes:
    """Data blocks, the first of them being 1."""
    buffer = nvme.memory.alloc(4096)
    pieces = []
    for block in range(first, first + count):
        cdw10 = (BLOCK // 4 - 1) << 16 | 1 << 15 | lid
        assert nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=cdw10, cdw12=block * BLOCK)[1] == OK
        pieces.append(nvme.memory.read(buffer, BLOCK))
    return b"".join(pieces)


def trace(nvme: Nvme, lid: int) -> list[tuple[int, ...]]:
    """(slba, nsid, sqid, cid, status, opcode) of the last commands, the newest first."""
    _, second, third = header(nvme, lid).areas
    data = blocks(nvme, lid, second + 1, third - second)
    count = struct.unpack_from("<H", blocks(nvme, lid, 1, 1), 18)[0]
    entries = [struct.unpack_from("<QBxHIQIHH", data, 32 * i) for i in range(count)]
    assert data[32 * count :] == bytes(len(data) - 32 * count)
    ages = [entry[0] for entry in entries]
    assert ages == sorted(ages) and ages[-1] < 100_000_000
    return [(slba, nsid, sqid, cid, status, opc) for _, opc, cid, nsid, slba, _, sqid, status in entries]


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "1M"))
    yield host
    host.close()


def provoke(host: Host) -> None:
    """An unrecovered read."""
    assert host.disk.command(WRITE_UNCORRECTABLE, 100) == OK
    assert host.disk.command(READ, 100) == UNRECOVERED_READ


def test_identify_tells_what_there_is(host: Host) -> None:
    assert identify(host.nvme, cns=1)[261] & 8, "LPA"


def test_before_it_is_asked_for_there_is_none(host: Host) -> None:
    for lid in (HOST, CTRL):
        assert header(host.nvme, lid) == Header(lid, (0, 0, 0), 0, 0, 0, "")
    assert blocks(host.nvme, HOST, 1, 14) == bytes(14 * BLOCK)


def test_the_host_asks_for_it(host: Host) -> None:
    first = create(host.nvme)
    assert first.lid == HOST and first.generation == 1 and first.available == 0 and first.reason
    assert 1 <= first.areas[0] <= first.areas[1] <= first.areas[2] and first.areas[2] > 1
    state = blocks(host.nvme, HOST, 1, 1)
    assert state[:8] == b"VSSDTEL2" and state[8:16] == b"1.0     "
    assert struct.unpack_from("<Q", state, 40)[0] == smart(host.nvme, 112), "power cycles"
    assert create(host.nvme).generation == 2


def test_generations_start_again_after_255(host: Host) -> None:
    for number in range(1, 258):
        assert create(host.nvme).generation == number % 256


def test_what_was_taken_stays_while_it_is_read(host: Host) -> None:
    last = create(host.nvme).areas[2]
    before = blocks(host.nvme, HOST, 1, last)
    for lba in range(300):
        assert host.disk.command(READ, lba) == OK
    assert blocks(host.nvme, HOST, 1, last) == before
    host.nvme.disable()
    host.start()
    assert header(host.nvme).areas[2] == last and blocks(host.nvme, HOST, 1, last) == before
    create(host.nvme)
    assert blocks(host.nvme, HOST, 1, last) != before


def test_it_knows_the_last_commands(host: Host) -> None:
    assert host.disk.command(READ, 5, 3) == OK
    assert host.disk.command(READ, 1 << 33) == LBA_OUT_OF_RANGE
    assert host.nvme.admin.execute(GET_FEATURES, cdw10=7)[1] == OK
    create(host.nvme)
    found = trace(host.nvme, HOST)
    newest = [(slba, nsid, sqid, status, opcode) for slba, nsid, sqid, _, status, opcode in found[:3]]
    assert newest == [
        (7, 0, 0, OK, GET_FEATURES),
        (1 << 33, 1, 1, LBA_OUT_OF_RANGE, READ),
        (5, 1, 1, OK, READ),
    ]
    assert [cid for _, _, sqid, cid, _, _ in found if sqid == 1] == [1, 0]


def test_it_knows_the_queues(host: Host) -> None:
    first, second, _ = create(host.nvme).areas
    data = blocks(host.nvme, HOST, first + 1, second - first)
    queues = [struct.unpack_from("<HHIIIIII", data, 32 * qid) for qid in range(65)]
    assert [queue[0] for queue in queues] == list(range(65))
    assert queues[0][2] == queues[0][5] == 64 and queues[1][1:3] == (1, 16) and queues[1][5] == 16
    assert all(queue[2:] == (0,) * 6 for queue in queues[2:])


def test_offsets_are_blocks(host: Host) -> None:
    end = (1 + create(host.nvme).areas[2]) * BLOCK
    buffer = host.nvme.memory.alloc(4096)
    for lid in (HOST, CTRL):
        for offset in (0, 4, 256, 512, end - BLOCK, end, end + 4, end + BLOCK):
            found = host.nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=127 << 16 | lid, cdw12=offset)
            good = offset % BLOCK == 0 and offset <= end
            assert found[1] == (OK if good else INVALID_FIELD)


def test_a_piece_may_be_larger_than_a_block(host: Host) -> None:
    create(host.nvme)
    assert log_page(host.nvme, HOST, 4096)[BLOCK:] == blocks(host.nvme, HOST, 1, 7)


def fetch(nvme: Nvme, offset: int, length: int, skew: int = 0, retain: bool = True) -> bytes:
    """Part of page 07h by one command, into memory that begins `skew` bytes behind a page boundary."""
    start = nvme.memory.alloc(length + skew + 4096)
    first = start + skew
    pages = list(range(start + 4096, first + length, 4096))
    prp2 = pages[0] if len(pages) == 1 else 0
    if len(pages) > 1:
        prp2 = nvme.memory.alloc(4096)
        nvme.memory.write(prp2, b"".join(page.to_bytes(8, "little") for page in pages))
    nvme.memory.write(start, b"\xa5" * (length + skew + 4096))
    dwords = length // 4 - 1
    cdw10 = (dwords & 0xFFFF) << 16 | retain << 15 | HOST
    fields = {"cdw10": cdw10, "cdw11": dwords >> 16, "cdw12": offset}
    assert nvme.admin.execute(GET_LOG, prp1=first, prp2=prp2, **fields)[1] == OK
    assert nvme.memory.read(start, skew) == b"\xa5" * skew
    assert nvme.memory.read(first + length, 4096 - skew) == b"\xa5" * (4096 - skew)
    return nvme.memory.read(first, length)


@pytest.fixture
def whole(host: Host) -> bytes:
    """Page 07h with all of its areas, read block by block."""
    size = (1 + create(host.nvme).areas[2]) * BLOCK
    return b"".join(blocks(host.nvme, HOST, number, 1) for number in range(size // BLOCK))


@pytest.mark.parametrize("skew", [0, 4, 16, 512, 4092])
@pytest.mark.parametrize("size", [512, 3584, 4096, 8192, 61440, 65536, 120 << 10, 128 << 10])
def test_any_size_of_transfer_reads_the_same(host: Host, whole: bytes, size: int, skew: int) -> None:
    """Up to MDTS, aligned or not, from the first block to the end of area 3."""
    assert len(whole) > 131 << 10
    for offset in range(0, len(whole), max(size, 16 << 10)):
        data = fetch(host.nvme, offset, size, skew)
        rest = whole[offset : offset + size]
        assert data == rest + bytes(size - len(rest)), "what is behind the end is zeros"


def test_the_last_dword_and_what_is_behind_it(host: Host, whole: bytes) -> None:
    end = len(whole)
    assert fetch(host.nvme, end - BLOCK, BLOCK) == whole[-BLOCK:]
    assert fetch(host.nvme, end - BLOCK, 4) == whole[end - BLOCK : end - BLOCK + 4]
    assert fetch(host.nvme, end - BLOCK, 4096) == whole[-BLOCK:] + bytes(4096 - BLOCK)
    assert fetch(host.nvme, end, 128 << 10) == bytes(128 << 10)
    buffer = host.nvme.memory.alloc(4096)
    dwords = (128 << 10) // 4
    too_long = {"cdw10": (dwords & 0xFFFF) << 16 | HOST, "cdw11": dwords >> 16}
    assert host.nvme.admin.execute(GET_LOG, prp1=buffer, **too_long)[1] == INVALID_FIELD, "above MDTS"


@pytest.mark.parametrize("size", [4096, 64 << 10, 128 << 10])
def test_as_nvme_cli_reads_it(host: Host, size: int) -> None:
    """Created with the areas that it wants in LSP, then 16 pieces in flight, retained until the last."""
    nvme, largest = host.nvme, 16
    buffer = nvme.memory.alloc(4096)
    cdw10 = (BLOCK // 4 - 1) << 16 | 3 << 9 | CREATE | HOST
    assert nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=cdw10)[1] == OK
    end = (1 + parse(nvme.memory.read(buffer, BLOCK)).areas[2]) * BLOCK
    target, lists = nvme.memory.alloc(end), nvme.memory.alloc(4096 * (end // size + 1))
    offset, flying = 0, 0
    while offset < end or flying:
        while offset < end and flying < largest:
            length = min(size, end - offset)
            pages = range(target + offset + 4096, target + offset + length, 4096)
            entries = b"".join(page.to_bytes(8, "little") for page in pages)
            prp_list = lists + offset // size * 4096
            nvme.memory.write(prp_list, entries)
            retain = offset + length < end
            fields = {"cdw10": (length // 4 - 1) << 16 | retain << 15 | HOST, "cdw12": offset}
            prp2 = pages[0] if len(pages) == 1 else prp_list if pages else 0
            nvme.admin.submit(sqe(GET_LOG, prp1=target + offset, prp2=prp2, **fields))
            offset, flying = offset + length, flying + 1
        assert nvme.admin.wait().status == OK
        flying -= 1
    data = nvme.memory.read(target, end)
    assert data == b"".join(blocks(nvme, HOST, number, 1) for number in range(end // BLOCK))
    assert data[512:520] == b"VSSDTEL2" and data[-32:] == bytes(32)


def test_an_unrecovered_read_is_worth_it(host: Host) -> None:
    provoke(host)
    assert header(host.nvme).available == 1, "page 07h tells of it as well"
    found = header(host.nvme, CTRL)
    assert (found.lid, found.generation, found.available, found.own_generation) == (CTRL, 0, 1, 1)
    assert "read" in found.reason and found.areas[2] > 1
    # The read itself had not completed yet.
    assert [entry[3:] for entry in trace(host.nvme, CTRL)[:1]] == [(0, OK, WRITE_UNCORRECTABLE)]


def test_what_nobody_has_read_is_not_replaced(host: Host) -> None:
    provoke(host)
    first = blocks(host.nvme, CTRL, 1, 14)
    provoke(host)
    assert header(host.nvme, CTRL).own_generation == 1 and blocks(host.nvme, CTRL, 1, 14) == first
    assert header(host.nvme, CTRL, retain=False).available == 1
    assert header(host.nvme, CTRL).available == 0, "reading it without RAE releases it"
    assert blocks(host.nvme, CTRL, 1, 14) == first, "it can be read until the next one comes"
    provoke(host)
    assert header(host.nvme, CTRL)[3:5] == (1, 2) and blocks(host.nvme, CTRL, 1, 14) != first


def test_its_event_comes_where_enabled(host: Host) -> None:
    nvme = host.nvme
    assert set_feature(nvme, 0x0B, 1 << 10) == OK
    request = nvme.admin.submit(sqe(ASYNC_EVENT))
    provoke(host)
    event = nvme.admin.wait()
    assert (event.cid, event.cdw0) == (request, TELEMETRY_CHANGED)
    header(nvme, CTRL, retain=False)
    request = nvme.admin.submit(sqe(ASYNC_EVENT))
    provoke(host)
    assert nvme.admin.wait().cid == request


def test_a_fatal_error_is_worth_it(host: Host) -> None:
    host.nvme.disable()
    host.client.write32(0x24, 0)  # AQA: queues of one entry
    host.client.write32(0x14, CC_ENABLED)
    assert host.client.read32(0x1C) & 2, "CSTS.CFS"
    host.nvme.enable()
    found = header(host.nvme, CTRL)
    assert found.available == 1 and "fatal" in found.reason


def test_so_is_power_that_goes_unannounced(host: Host) -> None:
    host.shut_down()
    host.power_cycle()
    assert header(host.nvme, CTRL).available == 0
    host.power_cycle()
    found = header(host.nvme, CTRL)
    assert found.available == 1 and "power" in found.reason


def enable_area_4(nvme: Nvme, etdas: int) -> None:
    assert set_data(nvme, 0x16, bytes((0, etdas)) + bytes(510)) == OK


def test_area_4_is_the_error_log_and_for_hosts_that_have_enabled_it(host: Host) -> None:
    """ETDAS of Host Behavior Support, DA4LB of the header; the data stay as they were created."""
    assert identify(host.nvme, cns=1)[261] & 1 << 6, "LPA: DA4S"
    provoke(host)
    enable_area_4(host.nvme, 1)
    third = create_with_area_4(host.nvme, True)
    errors = log_page(host.nvme, 1, 4096)
    assert blocks(host.nvme, HOST, third + 1, 8) == errors and any(errors)
    enable_area_4(host.nvme, 0)
    assert struct.unpack_from("<I", log_page(host.nvme, HOST, BLOCK), 16) == (third + 8,)
    create_with_area_4(host.nvme, False)
    command = {"prp1": host.nvme.memory.alloc(4096), "cdw10": 127 << 16 | HOST, "cdw12": (third + 2) * BLOCK}
    assert host.nvme.admin.execute(GET_LOG, **command)[1] == INVALID_FIELD, "the log page ends with area 3"


def create_with_area_4(nvme: Nvme, is_there: bool) -> int:
    """Create host-initiated data. The last block of area 3."""
    data = log_page(nvme, CREATE | HOST, BLOCK)
    last = struct.unpack_from("<3H", data, 8)[2]
    assert struct.unpack_from("<I", data, 16) == (last + 8 if is_there else 0,)
    return last
