# SPDX-License-Identifier: BSD-3-Clause
"""The memory of verification on large drives, in bytes for each LBA that is touched.

The drives keep no data, and this process writes itself: what grows of its shared memory is the table.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from types import SimpleNamespace

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded

MOST = 64
"""Bytes for an LBA that is touched at random."""
LITTLE = 256 << 10
"""Bytes of what has nothing to do with a table."""
IN_FLIGHT = 32


def shared() -> int:
    """Bytes of this process's shared memory."""
    with open("/proc/self/smaps_rollup") as rollup:
        return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss_Shmem:"))


@pytest.fixture
def size() -> str:
    return "16T"


@pytest.fixture
def large(size: str) -> Iterator[SimpleNamespace]:
    """A large drive on which commands and a worker have run, so that their memory is there."""
    with VirtualSsd(size=size, null=True) as ssd:
        pcie = d.Pcie(ssd.address)
        nvme0 = d.Controller(pcie)
        nvme0n1, pair = d.Namespace(nvme0), d.Qpair(nvme0, IN_FLIGHT + 1)
        drive = SimpleNamespace(
            nvme0=nvme0, nvme0n1=nvme0n1, pair=pair, lbas=nvme0n1.id_ns.nsze, buffer=d.Buffer(1 << 17)
        )
        write(drive, 100, 8, 8)
        nvme0n1.ioworker(io_size=8, io_count=100, qdepth=IN_FLIGHT + 1).start().close()
        yield drive
        pcie.close()


def write(drive: SimpleNamespace, count: int, lbas: int, align: int) -> None:
    """Write `count` times at random."""
    for _ in range(count // IN_FLIGHT + 1):
        for _ in range(IN_FLIGHT):
            lba = random.randrange((drive.lbas - lbas) // align) * align
            drive.nvme0n1.write(drive.pair, drive.buffer, lba, lbas)
        drive.pair.waitdone(IN_FLIGHT)


@pytest.mark.parametrize("size", ["16T", "64T"])
@pytest.mark.parametrize(
    ("count", "lbas", "align"), [(20000, 1, 1), (20000, 1, 8), (10000, 8, 1), (10000, 8, 8)]
)
def test_a_random_write_takes_at_most_64_bytes_an_lba(
    large: SimpleNamespace, count: int, lbas: int, align: int
) -> None:
    before = shared()
    write(large, count, lbas, align)
    assert 8 * count * lbas <= shared() - before <= MOST * count * lbas


def test_random_reads_take_no_memory(large: SimpleNamespace) -> None:
    write(large, 5000, 8, 8)
    before = shared()
    for _ in range(1000):
        for _ in range(IN_FLIGHT):
            large.nvme0n1.read(large.pair, large.buffer, random.randrange(large.lbas - 8), 8)
        large.pair.waitdone(IN_FLIGHT)
    assert shared() - before <= LITTLE


def flush_often(drive: SimpleNamespace) -> None:
    for _ in range(5000):
        drive.nvme0n1.write(drive.pair, drive.buffer, 0, 8).waitdone()
        drive.nvme0n1.flush(drive.pair).waitdone()


def power_cycle(drive: SimpleNamespace) -> None:
    d.Subsystem(drive.nvme0).power_cycle(0)


def ring_a_foreign_bell(drive: SimpleNamespace) -> None:
    drive.nvme0[0x1000 + 8 * 5] = 0


EVENTS = {
    "power_cycle": power_cycle,
    "format": lambda drive: drive.nvme0n1.format(512),
    "bell": ring_a_foreign_bell,
    "flush": flush_often,
    "forget": lambda drive: drive.nvme0n1.verify_forget(),
}


@pytest.mark.parametrize("event", EVENTS)
def test_what_concerns_a_whole_drive_takes_no_memory(large: SimpleNamespace, event: str) -> None:
    """Before, each 64 Ki LBAs of which one was written took half a MiB then."""
    write(large, 5000, 8, 8)
    before, started = shared(), time.monotonic()
    EVENTS[event](large)
    assert shared() - before <= LITTLE
    assert time.monotonic() - started < 30 or loaded()


def test_beyond_nlba_verify_writes_take_no_memory(large: SimpleNamespace) -> None:
    large.nvme0n1 = d.Namespace(large.nvme0, 1, nlba_verify=1000)
    before = shared()
    write(large, 10000, 8, 8)
    assert shared() - before <= LITTLE


def test_several_drives_of_64_tb_are_open_at_a_time() -> None:
    with VirtualSsd(size="64T", null=True) as one, VirtualSsd(size="64T", null=True) as other:
        drives = [d.Pcie(ssd.address) for ssd in (one, other)]
        namespaces = [d.Namespace(d.Controller(pcie)) for pcie in drives]
        assert [ns.id_ns.nsze for ns in namespaces] == [(64 << 40) // 512] * 2
        for pcie in drives:
            pcie.close()
