# SPDX-License-Identifier: BSD-3-Clause
"""Resets and power cycles under load, again and again: no crash, no hang, no leak, no false alarm.

A few cycles of each kind are part of `make test`; `make soak` runs 250 of each (PYNVME_SOAK_CYCLES).
"""

from __future__ import annotations

import gc
import os
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import nvme as d
import pytest

from tests.fix_load import loaded

CYCLES = int(os.environ.get("PYNVME_SOAK_CYCLES", "4"))
WORKERS = 4
REGION = 20000  # LBAs of each worker
LOOK_EVERY = 25  # cycles between two readings of everything
FUA = 1 << 14
ABORTED = (0x07, 0x08)  # by request, by the deletion of its queue
DURABLE = range(
    WORKERS * REGION, WORKERS * REGION + 64
)  # LBAs of the script's own, behind those of the workers


def power_cycle(drive: SimpleNamespace) -> None:
    d.Subsystem(drive.nvme0).power_cycle(0.01)
    drive.nvme0.reset()


def subsystem_reset(drive: SimpleNamespace) -> None:
    assert d.Subsystem(drive.nvme0).reset()
    drive.nvme0.reset()


def hot_reset(drive: SimpleNamespace) -> None:
    drive.pcie.reset()
    drive.nvme0.reset()


def function_reset(drive: SimpleNamespace) -> None:
    drive.pcie.flr()
    drive.nvme0.reset()


def controller_reset(drive: SimpleNamespace) -> None:
    drive.nvme0.reset()


def start_workers(drive: SimpleNamespace) -> list[d.IOWorker]:
    """Four workers with different mixes, the last one on the regions of the others, all with IO in flight."""
    mixes = ({2: 100}, {1: 50, 2: 50}, {1: 70, 8: 10, 9: 10, 0: 10}, {1: 30, 2: 70})
    workers = []
    for i, mix in enumerate(mixes):
        first, past = (0, WORKERS * REGION) if i == WORKERS - 1 else (i * REGION, (i + 1) * REGION)
        worker = drive.nvme0n1.ioworker(
            io_size=[1, 8, 16],
            op_percentage=dict(mix),
            region_start=first,
            region_end=past,
            qdepth=32,
            time=60,
        )
        workers.append(worker.start())
    deadline = time.monotonic() + 20
    while any(worker.progress[2] == 0 for worker in workers):
        assert time.monotonic() < deadline or loaded(), [worker.progress for worker in workers]
    return workers


def write_durably(drive: SimpleNamespace, buf: d.Buffer) -> None:
    qpair = d.Qpair(drive.nvme0, 16)
    for lba in DURABLE[::8]:
        drive.nvme0n1.write(qpair, buf, lba, 8).waitdone()
    drive.nvme0n1.flush(qpair).waitdone()
    qpair.delete()


def read_durable(drive: SimpleNamespace, buf: d.Buffer) -> None:
    """Verification judges all of them: flushed data are known, whatever happened since."""
    before = drive.nvme0n1.verify_stats().judged
    qpair = d.Qpair(drive.nvme0, 16)
    for lba in DURABLE[::8]:
        drive.nvme0n1.read(qpair, buf, lba, 8).waitdone()
    qpair.delete()
    assert drive.nvme0n1.verify_stats().judged - before == len(DURABLE)


def in_flight(drive: SimpleNamespace) -> tuple[d.Qpair, list[int]]:
    """A queue with slow commands in flight, and the list that gets their statuses."""
    told: list[int] = []
    qpair = d.Qpair(drive.nvme0, 64)
    for i in range(40):
        drive.nvme0n1.write(
            qpair, d.Buffer(4096), i * 8, 8, FUA, cb=lambda cdw0, status1: told.append(status1 >> 1 & 0x7FF)
        )
    return qpair, told


def read_everything(drive: SimpleNamespace) -> None:
    result = drive.nvme0n1.ioworker(
        io_size=64, lba_random=False, region_end=WORKERS * REGION, qdepth=16
    ).start().close()  # fmt: skip
    assert result.error == 0
    assert result.lba_mismatch == 0


def holdings(pid: int) -> tuple[int, int]:
    """Open descriptors and resident KiB of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return len(os.listdir(f"/proc/{pid}/fd")), int(resident.split()[1])


def one_cycle(drive: SimpleNamespace, reset, buf: d.Buffer) -> int:
    """How many commands the reset caught in flight."""
    write_durably(drive, buf)
    workers = start_workers(drive)
    qpair, told = in_flight(drive)
    reset(drive)
    for worker in workers:
        result = worker.close()
        assert (result.error, result.lba_mismatch) == (0, 0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ERROR status: 00/0[78]")
        qpair.waitdone(40)
    assert len(told) == 40
    read_durable(drive, buf)
    return sum(told.count(status) for status in ABORTED) + sum(
        sent - completed for _, sent, completed in (worker.progress for worker in workers)
    )


@pytest.mark.parametrize("reset", [controller_reset, hot_reset, function_reset, subsystem_reset, power_cycle])
def test_reset_under_load(own: SimpleNamespace, reset) -> None:
    buf = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
    settled = {}
    caught = 0
    for cycle in range(CYCLES):
        caught += one_cycle(own, reset, buf)
        if cycle % LOOK_EVERY == 0:
            read_everything(own)
            gc.collect()
            now = {pid: holdings(pid) for pid in (os.getpid(), own.ssd.pid)}
            settled = settled or now
    read_everything(own)
    for pid, (descriptors, resident) in settled.items():
        after = holdings(pid)
        assert after[0] <= descriptors, (
            f"process {pid} has {after[0]} descriptors, {descriptors} after the first cycle"
        )
        assert after[1] < resident + 64 * 1024, f"process {pid} grew from {resident} to {after[1]} KiB"
    assert own.nvme0n1.verify_stats().mismatch == 0
    assert caught > CYCLES, f"{caught} commands were in flight in {CYCLES} resets: nothing was tested"
