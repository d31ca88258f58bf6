# SPDX-License-Identifier: BSD-3-Clause
"""A null drive keeps no data and no map, so it can have any size."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

import pytest
from ctrl_helpers import (
    COMPARE,
    DEAC,
    FORMAT,
    FUA,
    INVALID_OPCODE,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    SANITIZE,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Host,
    Start,
    identify,
    log_page,
    set_feature,
)
from server import Server

from tests.fix_load import loaded

TIB = 1 << 40
SANITIZE_LOG, SUCCESS = 0x81, 1


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start(*["--size", "16T", "--null", "--namespaces", "2", "--sanitize-time", "50"]))
    yield host
    host.close()


def resident_kib(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def test_identify_tells_its_size(host: Host) -> None:
    for nsid in (1, 2):
        data = identify(host.nvme, cns=0, nsid=nsid)
        assert struct.unpack_from("<3Q", data) == (16 * TIB // 512,) * 3
        assert int.from_bytes(data[48:64], "little") == 16 * TIB
        assert not data[24] & 4, "NSFEAT: no error for what was never written"
    data = identify(host.nvme, cns=1)
    assert int.from_bytes(data[280:296], "little") == 32 * TIB
    assert not data[520] & 2, "ONCS: no Write Uncorrectable"
    effects = log_page(host.nvme, 5, 4096)
    assert effects[1024 + 4 * WRITE_UNCORRECTABLE :][:4] == bytes(4)


@pytest.mark.parametrize("opcode", [READ, WRITE, COMPARE, WRITE_ZEROES, VERIFY])
@pytest.mark.parametrize("flags", [0, FUA, DEAC])
def test_every_lba_is_there_and_no_other(host: Host, opcode: int, flags: int) -> None:
    end = 16 * TIB // 512
    second = Disk(host.nvme, host.disk.queue, nsid=2)
    for disk in (host.disk, second):
        for lba, count in ((0, 8), (1 << 32, 1), (end - 8, 8), (end - 1, 1), (end - 16, 16)):
            assert disk.command(opcode, lba, count, flags) == OK
        for lba, count in (
            (end, 1),
            (end - 1, 2),
            (end + (1 << 33), 8),
            ((1 << 64) - 1, 1),
            ((1 << 64) - 8, 8),
        ):
            assert disk.command(opcode, lba, count, flags) == LBA_OUT_OF_RANGE


def test_nothing_is_remembered(host: Host) -> None:
    assert host.disk.command(WRITE_UNCORRECTABLE, 5) == INVALID_OPCODE
    assert set_feature(host.nvme, 5, 1 << 16, nsid=1) == OK
    assert host.disk.command(READ, 5) == OK


def test_it_takes_no_memory(host: Host) -> None:
    before = resident_kib(host.server.pid)
    step = 16 * TIB // 512 // 200
    for i in range(200):
        assert host.disk.command((WRITE, WRITE_ZEROES)[i % 2], i * step, 8) == OK
    host.disk.flush()
    host.power_cycle()
    assert resident_kib(host.server.pid) - before < 4096


def test_it_is_formatted_and_sanitized_in_no_time(host: Host) -> None:
    begin = time.monotonic()
    assert host.nvme.admin.execute(FORMAT, nsid=1, cdw10=1)[1] == OK
    assert struct.unpack_from("<Q", identify(host.nvme, cns=0, nsid=1))[0] == 16 * TIB // 4096
    assert host.nvme.admin.execute(SANITIZE, cdw10=3 | 15 << 4, cdw11=5)[1] == OK
    while log_page(host.nvme, SANITIZE_LOG)[2] & 7 != SUCCESS:
        assert time.monotonic() - begin < 10 or loaded()
    disk = Disk(host.nvme, host.disk.queue, lba_size=4096)
    assert disk.command(READ, 16 * TIB // 4096 - 1) == OK


def test_the_largest_one(start: Start) -> None:
    host = Host(start("--size", str((1 << 63) - 4096), "--null", "--lba-size", "4096"))
    lbas = (1 << 51) - 1
    assert struct.unpack_from("<Q", identify(host.nvme, cns=0, nsid=1))[0] == lbas
    disk = Disk(host.nvme, host.disk.queue, lba_size=4096)
    assert disk.command(READ, lbas - 1) == OK and disk.command(READ, lbas - 2, 2) == OK
    assert disk.command(READ, lbas) == LBA_OUT_OF_RANGE
    host.close()


@pytest.mark.parametrize("options", ["--size 8388608T --null --namespaces 2", "--size 65T"])
def test_larger_ones_are_refused(folder: str, options: str) -> None:
    server = Server(folder, *options.split())
    assert "GiB together" in server.word
    assert server.process.wait(10) == 1
    server.log.close()
