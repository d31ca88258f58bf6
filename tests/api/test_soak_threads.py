# SPDX-License-Identifier: BSD-3-Clause
"""Threads that use one drive while another one resets it: no crash, no hang, no leak, no false alarm.

`make soak` runs it, twice for 30 s (PYNVME_SOAK_SECONDS).
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import random
import sys
import threading
import time
import traceback
import warnings
from types import SimpleNamespace

import nvme as d
import pytest

SECONDS = float(os.environ.get("PYNVME_SOAK_SECONDS", "5"))
REGION = 4096  # LBAs of each thread
READERS = 3

# What the interface documents for a call that a reset of the drive came in between.
DOCUMENTED = (
    RuntimeError,  # deleted by a reset, or the controller is not enabled
    SystemError,  # the drive does not answer: all ones
    TimeoutError,
    OSError,  # one of the driver's own commands was refused, or aborted
    d.QpairCreationError,
    d.QpairDeletionError,
    d.NvmeEnumerateError,
    d.NamespaceCreationError,
    d.NvmeShutdownStatusTimeoutError,
)


class Crew:
    """Threads that repeat an action until the time is over, and the exceptions that they got."""

    def __init__(self, drive: SimpleNamespace) -> None:
        self.drive = drive
        self.ends = time.monotonic() + SECONDS
        self.turns: dict[str, int] = {}
        self.met: dict[str, int] = {}
        self.unexpected: list[str] = []
        self.threads: list[threading.Thread] = []

    def join(self, name, turn, *args) -> None:
        self.threads.append(threading.Thread(target=self.run, args=(name, turn, args), daemon=True))

    def run(self, name, turn, args) -> None:
        self.turns[name] = 0
        while time.monotonic() < self.ends and not self.unexpected:
            try:
                turn(self.drive, *args)
                self.turns[name] += 1
            except DOCUMENTED as error:
                text = f"{name}: {type(error).__name__}: {str(error)[:60]}"
                self.met[text] = self.met.get(text, 0) + 1
            except BaseException:
                self.unexpected.append(f"{name}: {traceback.format_exc()}")

    def work(self) -> None:
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(SECONDS + 90)
        assert not [thread for thread in self.threads if thread.is_alive()], "a thread hangs"


def io(drive: SimpleNamespace, number: int, rng: random.Random) -> None:
    """Write and read on a queue of its own, without waiting for some of the commands."""
    qpair = d.Qpair(drive.nvme0, 32)
    try:
        bufs = [d.Buffer(4096) for _ in range(16)]
        for _ in range(50):
            for buf in bufs:
                lba = number * REGION + rng.randrange(REGION // 8) * 8
                rng.choice((drive.nvme0n1.read, drive.nvme0n1.write))(qpair, buf, lba, 8)
            qpair.waitdone(16)
    finally:
        qpair.delete()


def workers(drive: SimpleNamespace, rng: random.Random) -> None:
    region = (READERS * REGION, (READERS + 1) * REGION)
    running = [
        drive.nvme0n1.ioworker(
            io_size=8, read_percentage=50, region_start=region[0], region_end=region[1], qdepth=8, time=0.1
        ).start()
        for _ in range(2)
    ]
    time.sleep(rng.random() * 0.05)
    for worker in running:
        assert worker.close().get("lba_mismatch", 0) == 0


def admin(drive: SimpleNamespace, rng: random.Random) -> None:
    drive.nvme0.identify(d.Buffer(4096), cns=1).waitdone()
    drive.nvme0[0x1C]  # CSTS


def resets(drive: SimpleNamespace, rng: random.Random) -> None:
    time.sleep(rng.random() * 0.05)
    subsystem = d.Subsystem(drive.nvme0)
    kind = rng.randrange(5)
    try:
        if kind == 1:
            subsystem.power_cycle(0.01)
        elif kind == 2:
            subsystem.reset()
        elif kind == 3:
            drive.pcie.reset()
        elif kind == 4:
            drive.pcie.flr()
    finally:
        drive.nvme0.reset()


class Malloc(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = [
        ("others", ctypes.c_size_t * 4),
        ("hblkhd", ctypes.c_size_t),  # mapped, for large pieces
        ("more_others", ctypes.c_size_t * 2),
        ("uordblks", ctypes.c_size_t),  # handed out of all arenas
        ("the_rest", ctypes.c_size_t * 2),
    ]


# What may differ: caches of malloc, of the interpreter and of pytest.
ALLOWED = {"descriptors": 0, "bytes of DMA memory": 0, "bytes of malloc": 16384, "Python objects": 100}


def in_use() -> dict[str, int]:
    """The allocated memory, as malloc and the interpreter count it.

    Resident memory says little: what six threads have freed stays with malloc, now more of it, now less.
    """
    gc.collect()
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = Malloc
    malloc = mallinfo2()
    descriptors = len(os.listdir("/proc/self/fd"))
    counts = (descriptors, d._dma_in_use(), malloc.uordblks + malloc.hblkhd, sys.getallocatedblocks())
    return dict(zip(ALLOWED, counts))


def tells_of_data(record: logging.LogRecord) -> bool:
    """pytest keeps all records of a test: those of what a reset has ended would look like a leak."""
    return "LBA 0x" in record.getMessage()


def run_crew(drive: SimpleNamespace, seed: int) -> Crew:
    crew = Crew(drive)
    for number in range(READERS):
        crew.join(f"io {number}", io, number, random.Random(seed + number))
    crew.join("workers", workers, random.Random(seed + 10))
    crew.join("admin", admin, random.Random(seed + 11))
    crew.join("resets", resets, random.Random(seed + 12))
    log = logging.getLogger("nvme")
    log.addFilter(tells_of_data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statuses of what a reset has aborted
        crew.work()
    log.removeFilter(tells_of_data)
    return crew


@pytest.mark.slow
def test_threads_use_a_drive_that_another_thread_resets(own: SimpleNamespace, caplog) -> None:
    seed = int(time.time())
    print(f"seed {seed}")
    own.nvme0.timeout = 5000
    run_crew(own, seed)
    own.nvme0.reset()
    before = in_use()
    crew = run_crew(own, seed + 1000)
    print(crew.turns, crew.met)
    assert not crew.unexpected, crew.unexpected[0]
    assert all(crew.turns.values())
    own.nvme0.reset()
    del crew
    after = in_use()
    print({what: after[what] - before[what] for what in ALLOWED})
    for what, allowed in ALLOWED.items():
        assert after[what] <= before[what] + allowed, what
    assert own.nvme0n1.verify_stats().mismatch == 0, caplog.text
    assert own.nvme0n1.ioworker(io_size=8, io_count=1000).start().close().error == 0
