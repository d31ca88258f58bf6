# SPDX-License-Identifier: BSD-3-Clause
"""Get LBA Status, log page 0Eh, feature 15h and their event: which LBAs cannot be read, byte by byte."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nvme_cli
import pytest
from client import Client, Nvme, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    ASYNC_EVENT,
    FORMAT,
    GET_LOG,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    INVALID_NAMESPACE,
    INVALID_OPCODE,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    SET_FEATURES,
    UNRECOVERED_READ,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Host,
    Start,
    get_feature,
    identify,
    log_page,
    set_feature,
)

GET_LBA_STATUS, LID, FID, ALERT = 0x86, 0x0E, 0x15, 0x0E0502
SCAN, TRACKED = 0x10, 0x11
NO_LIST = 0xFFFFFFFF
LBAS = 16 * 2048  # of a drive of 16 MiB


class Found(NamedTuple):
    """What Get LBA Status returns: CMPC, and the first and the last LBA of each run."""

    cmpc: int
    runs: list[tuple[int, int]]


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "16M", "--namespaces", "2", "--lba-status", "--format-time", "0"))
    yield host
    host.close()


def send(nvme: Nvme, atype: int, slba: int = 0, length: int = 0, dwords: int = 1024, nsid: int = 1) -> int:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, b"\xa5" * 4096)
    fields = {
        "cdw10": slba & 0xFFFFFFFF,
        "cdw11": slba >> 32,
        "cdw12": dwords - 1,
        "cdw13": atype << 24 | length,
    }
    status = nvme.admin.execute(GET_LBA_STATUS, nsid=nsid, prp1=buffer, **fields)[1]
    nvme.answer = nvme.memory.read(buffer, 4096)
    return status


def status_of(
    nvme: Nvme, atype: int, slba: int = 0, length: int = 0, dwords: int = 1024, nsid: int = 1
) -> Found:
    assert send(nvme, atype, slba, length, dwords, nsid) == OK
    data = nvme.answer[: 4 * dwords]
    count, cmpc = struct.unpack_from("<IB", data)
    runs = []
    for index in range(count):
        first, last, zero, status, end = struct.unpack_from("<QIBBH", data, 8 + 16 * index)
        assert (zero, status, end) == (0, 1, 0)
        runs.append((first, first + last))
    assert data[5:8] == bytes(3) and not any(data[8 + 16 * count :])
    return Found(cmpc, runs)


def page(nvme: Nvme, retain: bool = False) -> tuple[int, int, dict[int, list[tuple[int, int]] | None]]:
    """ESTULB and LSGC of the log page, and by NSID its runs. None: it has no list, and recommends a scan."""
    data = log_page(nvme, LID, 4096, retain=retain)
    length, count, estimate, zero, generation = struct.unpack_from("<IIIHH", data)
    found: dict[int, list[tuple[int, int]] | None] = {}
    at = 16
    for _ in range(count):
        nsid, ranges, action = struct.unpack_from("<IIB", data, at)
        assert action == (SCAN if ranges == NO_LIST else TRACKED) and data[at + 9 : at + 16] == bytes(7)
        at += 16
        found[nsid] = None
        if ranges != NO_LIST:
            entries = [struct.unpack_from("<QII", data, at + 16 * index) for index in range(ranges)]
            assert all(entry[2] == 0 for entry in entries)
            found[nsid] = [(first, first + last) for first, last, _ in entries]
            at += 16 * ranges
    assert (length, zero) == (at, 0) and not any(data[at:])
    return estimate, generation, found


def test_a_drive_has_it_by_an_option_only(start: Start) -> None:
    for options, there in (((), 0), (("--lba-status",), 1), (("--lba-status", "--nvme-version", "1.3"), 0)):
        with Client(start("--size", "1M", *options).folder) as client:
            nvme = Nvme(client)
            nvme.enable()
            data = identify(nvme, 1)
            assert (data[257] >> 1 & 1, data[93] >> 5 & 1) == (there, there), "OACS, OAES"
            assert send(nvme, SCAN) == (OK if there else INVALID_OPCODE)
            assert set_feature(nvme, FID, 10) == (OK if there else INVALID_FIELD)
            status = nvme.admin.execute(GET_LOG, prp1=nvme.memory.alloc(4096), cdw10=LID | 3 << 16)[1]
            assert status == (OK if there else INVALID_LOG_PAGE)
            set_feature(nvme, 0x0B, 1 << 13)
            assert get_feature(nvme, 0x0B) == there << 13
            nvme.close()


def test_golden_bytes(host: Host) -> None:
    nvme = host.nvme
    assert status_of(nvme, SCAN) == Found(2, [])
    assert log_page(nvme, LID, 4096) == b"\x10" + bytes(4095)
    assert host.disk.command(WRITE_UNCORRECTABLE, 0x1234, 3) == OK
    assert send(nvme, TRACKED) == OK
    assert nvme.answer[:24] == bytes.fromhex("01000000 02 000000 3412000000000000 02000000 00 01 0000")
    assert log_page(nvme, LID, 64) == bytes.fromhex(
        "30000000 01000000 03000000 0000 0100"
        "01000000 01000000 11 00000000000000"
        "3412000000000000 02000000 00000000"
        "00000000000000000000000000000000"
    )


def test_a_write_removes_lbas_and_a_read_that_fails_adds_none_of_them(host: Host) -> None:
    nvme, disk = host.nvme, host.disk
    assert disk.command(WRITE_UNCORRECTABLE, 10, 10) == OK
    assert status_of(nvme, TRACKED) == Found(2, [(10, 19)])
    assert disk.command(WRITE, 12, 4) == OK
    assert disk.command(READ, 8, 4) == UNRECOVERED_READ
    assert status_of(nvme, TRACKED) == status_of(nvme, SCAN) == Found(2, [(10, 11), (16, 19)])
    assert page(nvme)[0::2] == (6, {1: [(10, 11), (16, 19)]})
    assert disk.command(WRITE_UNCORRECTABLE, 9, 8) == OK
    assert status_of(nvme, TRACKED) == Found(2, [(9, 19)])
    assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert status_of(nvme, TRACKED) == status_of(nvme, SCAN) == Found(2, [])
    assert page(nvme)[2] == {}


def test_ranges(host: Host) -> None:
    nvme, disk = host.nvme, host.disk
    other = Disk(nvme, disk.queue, nsid=2)
    for lba, count in ((0, 1), (7, 2), (100, 1), (LBAS - 1, 1)):
        assert disk.command(WRITE_UNCORRECTABLE, lba, count) == OK
    assert other.command(WRITE_UNCORRECTABLE, 5) == OK
    for atype in (SCAN, TRACKED):
        assert status_of(nvme, atype).runs == [(0, 0), (7, 8), (100, 100), (LBAS - 1, LBAS - 1)]
        assert status_of(nvme, atype, 8).runs[0] == (8, 8)
        assert status_of(nvme, atype, 1, 7) == Found(2, [(7, 7)])
        assert status_of(nvme, atype, 9, 91) == Found(2, [])
        assert status_of(nvme, atype, LBAS - 1, 1) == Found(2, [(LBAS - 1, LBAS - 1)])
        assert status_of(nvme, atype, dwords=2) == Found(1, [])
        assert status_of(nvme, atype, dwords=13) == Found(1, [(0, 0), (7, 8)])
        assert status_of(nvme, atype, dwords=18) == Found(2, status_of(nvme, atype).runs)
        assert status_of(nvme, atype, nsid=2) == Found(2, [(5, 5)])
        assert send(nvme, atype, dwords=1) == OK and nvme.answer[:5] == bytes(4) + b"\xa5"
    assert page(nvme)[2] == {1: [(0, 0), (7, 8), (100, 100), (LBAS - 1, LBAS - 1)], 2: [(5, 5)]}


def test_refusals(host: Host) -> None:
    nvme = host.nvme
    for atype in (0, 1, 2, 0x0F, 0x12, 0xFF):
        assert send(nvme, atype) == INVALID_FIELD
    for slba, length in ((LBAS, 0), (LBAS, 1), (LBAS - 1, 2), (1 << 63, 0), ((1 << 64) - 1, 2)):
        assert send(nvme, SCAN, slba, length) == send(nvme, TRACKED, slba, length) == LBA_OUT_OF_RANGE
    for nsid in (0, 33, ALL_NAMESPACES):
        assert send(nvme, SCAN, nsid=nsid) == INVALID_NAMESPACE
    assert send(nvme, SCAN, dwords=128 * 256 + 1) == INVALID_FIELD, "MDTS"


def test_what_no_command_has_found_is_reported_by_a_scan_only(start: Start) -> None:
    rule = "opcode=write nth=2 do neighbours=4096 with=bad"
    host = Host(start("--size", "1M", "--lba-status", "--fault", rule))
    for _ in range(2):
        assert host.disk.command(WRITE, 24, 8 - 6) == OK
    assert status_of(host.nvme, TRACKED) == Found(2, []) and page(host.nvme)[2] == {}
    assert status_of(host.nvme, SCAN) == Found(2, [(26, 31)])
    assert status_of(host.nvme, TRACKED) == Found(2, [(26, 31)]), "a scan tracks what it finds"
    host.close()


def test_the_event_comes_when_the_interval_ends_and_lbas_are_new(host: Host) -> None:
    nvme, disk = host.nvme, host.disk
    assert get_feature(nvme, FID) == get_feature(nvme, FID, select=1) == 2 << 16 | 2
    assert nvme.admin.execute(SET_FEATURES, cdw10=FID, cdw11=0x7FFF0000) == (2 << 16, OK), "LSIPI is fixed"
    assert get_feature(nvme, FID) == 2 << 16
    assert disk.command(WRITE_UNCORRECTABLE, 1) == OK
    assert set_feature(nvme, 0x0B, 1 << 13) == OK
    cid = nvme.admin.submit(sqe(ASYNC_EVENT))
    found = nvme.admin.wait()
    assert (found.cid, found.status, found.cdw0) == (cid, OK, ALERT)
    began = time.monotonic()
    assert page(nvme)[2] == {1: [(1, 1)]}
    cid = nvme.admin.submit(sqe(ASYNC_EVENT))
    assert disk.command(READ, 1) == UNRECOVERED_READ
    assert nvme.admin.execute(SET_FEATURES, cdw10=FID, cdw11=2) == (2 << 16 | 2, OK), "LBA 1 is not new"
    assert disk.command(WRITE_UNCORRECTABLE, 9) == OK
    assert (nvme.admin.wait().cdw0, page(nvme, retain=True)[2]) == (ALERT, {1: [(1, 1), (9, 9)]})
    assert time.monotonic() - began > 0.19
    assert disk.command(WRITE_UNCORRECTABLE, 20) == OK
    assert set_feature(nvme, FID, 0) == OK
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert page(nvme)[2] == {1: [(1, 1), (9, 9)]}
    assert nvme.admin.wait().cdw0 == ALERT, "LBA 20 was found while the page was read"
    assert page(nvme)[2] == {1: [(1, 1), (9, 9), (20, 20)]}


def test_the_event_must_be_enabled_and_comes_again_after_a_reset(host: Host) -> None:
    nvme, disk = host.nvme, host.disk
    assert set_feature(nvme, FID, 0) == OK
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert disk.command(WRITE_UNCORRECTABLE, 1) == OK
    assert get_feature(nvme, FID) == 2 << 16, "no completion but this one"
    for _ in range(2):
        host.start()
        assert set_feature(nvme, FID, 0) == set_feature(nvme, 0x0B, 1 << 13) == OK
        nvme.admin.submit(sqe(ASYNC_EVENT))
        assert nvme.admin.wait().cdw0 == ALERT


def test_the_page_stays_while_it_is_read(host: Host) -> None:
    nvme, disk = host.nvme, host.disk
    assert disk.command(WRITE_UNCORRECTABLE, 1) == OK
    first = page(nvme, retain=True)
    assert first == (1, 1, {1: [(1, 1)]})
    assert disk.command(WRITE_UNCORRECTABLE, 50) == OK
    assert page(nvme, retain=True) == page(nvme) == first
    assert page(nvme) == (2, 2, {1: [(1, 1), (50, 50)]})
    assert page(nvme) == (2, 2, {1: [(1, 1), (50, 50)]}), "no LBA is new"
    assert disk.command(WRITE_ZEROES, 1, 50) == OK
    assert page(nvme) == (0, 2, {})


def test_tracked_lbas_survive_a_power_cycle(host: Host) -> None:
    assert host.disk.command(WRITE_UNCORRECTABLE, 77) == OK
    host.disk.flush()
    assert host.disk.command(WRITE_UNCORRECTABLE, 99) == OK
    before = page(host.nvme)
    host.power_cycle()
    assert status_of(host.nvme, TRACKED) == Found(2, [(77, 77)]), "99 was lost with the cache"
    assert page(host.nvme)[1] == before[1]


def test_more_runs_than_the_drive_can_track(host: Host) -> None:
    nvme, disk = host.nvme, host.disk
    for lba in range(0, 2 * 190, 2):
        assert disk.command(WRITE_UNCORRECTABLE, lba) == OK
    assert len(status_of(nvme, TRACKED).runs) == 180
    assert len(status_of(nvme, SCAN).runs) == 190
    assert page(nvme, retain=True)[2] == {1: None}
    assert page(nvme)[2] == {1: None}
    found = page(nvme)[2][1]
    assert found is not None and len(found) == 180, "a scan is not recommended again"


def test_a_die_that_fails_leaves_any_lba_in_doubt(start: Start) -> None:
    host = Host(start("--size", "1M", "--lba-status", "--fault", "opcode=write nth=1 do defect=die"))
    assert host.disk.command(WRITE, 0) == OK
    assert page(host.nvme) == (0, 1, {1: None})
    assert page(host.nvme) == (0, 1, {})
    host.close()


@pytest.mark.parametrize("size", [4096, 65536])
def test_other_lba_sizes(start: Start, size: int) -> None:
    host = Host(start("--size", "8M", "--lba-status", "--lba-size", str(size)))
    for lba, count in ((0, 1), (3, 4), (127, 1)):
        assert host.disk.command(WRITE_UNCORRECTABLE, lba, count) == OK
    wanted = Found(2, [(0, 0), (3, 6), (127, 127)])
    assert status_of(host.nvme, SCAN) == status_of(host.nvme, TRACKED) == wanted
    assert status_of(host.nvme, SCAN, 4, 2) == Found(2, [(4, 5)])
    host.close()


def test_a_scan_of_a_large_drive_skips_what_was_never_written(start: Start) -> None:
    host = Host(start("--size", "16T", "--lba-status"))
    last = 16 * 2**31 - 1
    assert host.disk.command(WRITE_UNCORRECTABLE, last) == OK
    assert status_of(host.nvme, SCAN) == Found(2, [(last, last)])
    host.close()


@pytest.mark.skipif(
    not (nvme_cli.PROGRAM and nvme_cli.COMPILER), reason="nvme-cli or a C compiler is missing"
)
def test_nvme_cli_decodes_the_page(start: Start, tmp_path: Path) -> None:
    """Its `get-lba-status` asks libnvme 1.3 for no data, so the list is not compared."""
    with Client(start("--size", "1M", "--lba-status").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        with nvme_cli.NvmeCli(nvme, nvme_cli.build(tmp_path), tmp_path) as cli:
            disk = Disk(nvme, cli.queues[1])
            for lba, count in ((5, 3), (100, 1)):
                assert disk.command(WRITE_UNCORRECTABLE, lba, count) == OK
            log = cli.json("lba-status-log")
            assert (log["lslplen"], log["nlslne"], log["estulb"], log["lsgc"]) == (64, 1, 4, 1)
            (element,) = log["ns_elements"]
            assert (element["neid"], element["nlrd"], element["ratype"]) == (1, 2, 0x11)
        nvme.close()
