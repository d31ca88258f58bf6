# SPDX-License-Identifier: BSD-3-Clause
"""LBA sizes from 512 bytes to 64 KiB: what each LBA holds, and that a power loss never tears one."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import (
    COMPARE,
    COMPARE_FAILURE,
    DSM,
    FORMAT,
    INVALID_FIELD,
    INVALID_FORMAT,
    LBA_OUT_OF_RANGE,
    OK,
    PEEK,
    POKE,
    READ,
    UNRECOVERED_READ,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Host,
    Start,
    control,
    identify,
    pattern,
)
from server import Server

SIZES = [512 << shift for shift in range(8)]
SIZE = 4 << 20


class Lbas:
    """Whole LBAs by PRP lists."""

    def __init__(self, host: Host, size: int) -> None:
        self.host, self.size = host, size
        self.pages = [host.nvme.memory.alloc(4096) for _ in range(2 * size // 4096 + 1)]
        self.list = host.nvme.memory.alloc(4096)
        host.nvme.memory.write(self.list, struct.pack(f"<{len(self.pages) - 1}Q", *self.pages[1:]))

    def command(self, opcode: int, lba: int, count: int = 1, flags: int = 0) -> int:
        second = self.pages[1] if len(self.pages) > 1 and count * self.size <= 8192 else self.list
        fields = {"prp1": self.pages[0], "prp2": second, "cdw10": lba, "cdw12": count - 1 | flags}
        return self.host.disk.queue.execute(opcode, nsid=1, **fields)[1]

    def fill(self, data: bytes) -> None:
        for at in range(0, len(data), 4096):
            self.host.nvme.memory.write(self.pages[at // 4096], data[at : at + 4096])

    def write(self, lba: int, seed: int, count: int = 1) -> None:
        self.fill(self.data(lba, seed, count))
        assert self.command(WRITE, lba, count) == OK

    def read(self, lba: int, count: int = 1) -> bytes:
        self.fill(b"\xa5" * (count * self.size))
        assert self.command(READ, lba, count) == OK
        data = b"".join(self.host.nvme.memory.read(page, 4096) for page in self.pages)
        return data[: count * self.size]

    def data(self, lba: int, seed: int, count: int = 1) -> bytes:
        return pattern(lba, count, self.size, seed)


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def host(start: Start, size: int) -> Iterator[Host]:
    host = Host(start("--size", str(SIZE), "--lba-size", str(size), "--format-time", "0"))
    yield host
    host.close()


def test_identify_says_which_sizes_there_are(host: Host, size: int) -> None:
    data = identify(host.nvme, 0, 1)
    large = size if size > 512 else 4096
    assert struct.unpack_from("<Q", data)[0] == SIZE // size
    assert data[25] == 1 and data[26] == (size > 512), "two formats"
    assert [data[130], data[134]] == [9, large.bit_length() - 1]
    assert struct.unpack_from("<H", data, 64)[0] == max(4096 // size, 1) - 1, "NPWG"


def test_commands_of_each_size(host: Host, size: int) -> None:
    lbas = Lbas(host, size)
    last = SIZE // size - 1
    lbas.write(0, 1, 2)
    lbas.write(last, 2)
    assert lbas.read(0, 2) == lbas.data(0, 1, 2) and lbas.read(last) == lbas.data(last, 2)
    assert lbas.read(2) == bytes(size)
    assert lbas.command(READ, last, 2) == lbas.command(WRITE, last + 1) == LBA_OUT_OF_RANGE
    lbas.fill(lbas.data(0, 1))
    assert lbas.command(COMPARE, 0) == OK
    lbas.fill(lbas.data(0, 1)[:-8] + bytes(8))
    assert lbas.command(COMPARE, 0) == COMPARE_FAILURE
    assert lbas.command(WRITE_UNCORRECTABLE, 1) == OK and lbas.command(READ, 1) == UNRECOVERED_READ
    assert lbas.read(0) == lbas.data(0, 1)
    assert lbas.command(WRITE_ZEROES, 1) == OK and lbas.read(1) == bytes(size)
    host.nvme.memory.write(lbas.pages[0], struct.pack("<IIQ", 0, 1, last))
    assert host.disk.queue.execute(DSM, nsid=1, prp1=lbas.pages[0], cdw10=0, cdw11=4)[1] == OK
    assert lbas.read(last) == bytes(size) and lbas.read(0) == lbas.data(0, 1)


def test_stored_data_by_peek_and_poke(host: Host, size: int) -> None:
    lbas = Lbas(host, size)
    lbas.write(3, 7)
    assert control(host.server, PEEK, lba=3) == lbas.data(3, 7)
    control(host.server, POKE, lba=3, data=lbas.data(3, 8))
    assert lbas.read(3) == lbas.data(3, 8)


@pytest.mark.parametrize("size", [4096, 65536], indirect=True)
def test_a_power_loss_tears_no_lba(host: Host, size: int) -> None:
    lbas = Lbas(host, size)
    for lba in range(8):
        lbas.write(lba, 1)
    host.disk.flush()
    for seed in range(2, 6):
        for lba in range(0, 8, 2):
            lbas.write(lba, seed)
        host.power_cycle()
        lbas = Lbas(host, size)
        for lba in range(8):
            found = lbas.read(lba)
            assert found in [lbas.data(lba, old) for old in range(1, seed + 1)]


def test_the_size_is_remembered(folder: str) -> None:
    path = os.path.join(folder, "drive")
    for life, options in enumerate((("--lba-size", "16384"), (), ("--lba-size", "512"))):
        server = Server(os.path.join(folder, str(life)), "--size", str(SIZE), "--file", path, *options)
        assert server.word == "ready"
        host = Host(server)
        assert identify(host.nvme, 0, 1)[26] == 1 and identify(host.nvme, 0, 1)[134] == 14
        lbas = Lbas(host, 16384)
        if life:
            assert lbas.read(5) == lbas.data(5, life)
        lbas.write(5, life + 1)
        host.shut_down()
        host.close()
        server.check_end()
        server.log.close()


def test_a_format_needs_an_lba(start: Start) -> None:
    host = Host(start("--size", "64K", "--lba-size", "65536", "--format-time", "0"))
    assert struct.unpack_from("<Q", identify(host.nvme, 0, 1))[0] == 1
    assert host.nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert struct.unpack_from("<Q", identify(host.nvme, 0, 1))[0] == 128
    assert host.nvme.admin.execute(FORMAT, nsid=1, cdw10=2)[1] == INVALID_FORMAT
    host.close()


@pytest.mark.parametrize(
    "options, reason",
    [
        ("--size 32K --lba-size 65536", "smaller than an LBA"),
        ("--size 1M --lba-size 8192 --fdp", "no placement"),
        ("--size 1M --lba-size 3000", "takes"),
        ("--size 1M --lba-size 131072", "takes"),
    ],
)
def test_sizes_that_are_refused(folder: str, options: str, reason: str) -> None:
    server = Server(os.path.join(folder, "0"), *options.split())
    assert reason in server.word
    server.stop()
    server.log.close()


def test_the_largest_transfer(start: Start) -> None:
    host = Host(start("--size", "16M", "--lba-size", "65536"))
    lbas = Lbas(host, 65536)
    lbas.write(0, 1, 2)
    assert lbas.read(0, 2) == lbas.data(0, 1, 2), "128 KiB, which is MDTS"
    assert lbas.command(READ, 0, 3) == INVALID_FIELD
    host.disk.queue.submit(sqe(READ, nsid=1, prp1=lbas.pages[0], prp2=lbas.list, cdw10=0, cdw12=0))
    assert host.disk.queue.wait().status == OK
    host.close()
