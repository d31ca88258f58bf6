# SPDX-License-Identifier: BSD-3-Clause
"""The memory of a worker, and that of verification of a large drive."""

from __future__ import annotations

import gc
import time

import nvme

from pynvme.vssd import VirtualSsd
from tools.bench.drive import LBA, MIB, Drive, Load
from tools.bench.machine import kib
from tools.bench.session import Session

_WRITTEN_MIB = 1024
_BLOCK = 128 << 10
_IN_FLIGHT = 32


def measure(session: Session) -> None:
    """Measure all figures of this module."""
    _worker(session)
    _table(session)


def _worker(session: Session) -> None:
    """A worker's own pages, and the touched ones that it shares, which are queue, buffers, log and result."""
    if not session.wants("memory.worker.private", "memory.worker.shared"):
        return
    session.tell("memory of a worker")
    load = Load("read")
    private = session.figure(
        "memory.worker.private", f"memory of a worker, QD {load.in_flight}: its own", "KiB"
    )
    shared = session.figure("memory.worker.shared", "… and shared: queue, buffers, log, histogram", "KiB")
    with Drive(size="1G") as drive:
        drive.verify(False)
        for _ in range(session.plan.runs):
            with drive.worker(load, time=0.3) as worker:
                time.sleep(0.15)
                own = f"/proc/{drive.worker_pid()}"
                private.runs.append(
                    kib(f"{own}/smaps_rollup", "Private_Clean", "Private_Dirty", "Private_Hugetlb")
                )
                shared.runs.append(kib(f"{own}/status", "RssShmem", "HugetlbPages"))
            worker.close()


def _pss_mib() -> float:
    """This process's share of the memory that it has touched."""
    return kib("/proc/self/smaps_rollup", "Pss") / 1024


def _table(session: Session) -> None:
    """A namespace of 1 TiB with verification, after opening it and after writing 1 GiB of it.

    This process writes itself, instead of a worker, so that the pages are its own.
    """
    if not session.wants("memory.table.opened", "memory.table.written"):
        return
    session.tell("memory of a drive under verification")
    opened = session.figure("memory.table.opened", "memory for 1 TiB under verification: opened", "MiB")
    written = session.figure("memory.table.written", "… and 1 GiB of it written", "MiB")
    with VirtualSsd(size="1T", null=True) as ssd:
        for _ in range(session.plan.runs):
            before, after, at_last = _round(ssd.address)
            opened.runs.append(max(0.0, after - before))
            written.runs.append(at_last - before)
            gc.collect()  # frees the tables of this round before the next one


def _round(address: str) -> tuple[float, float, float]:
    """MiB before the namespace is opened, after that, and after the writes."""
    pcie = nvme.Pcie(address)
    nvme0 = nvme.Controller(pcie)
    qpair = nvme.Qpair(nvme0, _IN_FLIGHT + 1)
    buffers = [nvme.Buffer(_BLOCK) for _ in range(_IN_FLIGHT)]
    before = _pss_mib()
    nvme0n1 = nvme.Namespace(nvme0, 1)
    nvme0n1.verify_enable(True)
    after = _pss_mib()
    _write(nvme0n1, qpair, buffers)
    at_last = _pss_mib()
    pcie.close()
    return before, after, at_last


def _write(nvme0n1: nvme.Namespace, qpair: nvme.Qpair, buffers: list[nvme.Buffer]) -> None:
    lbas = _BLOCK // LBA
    for first in range(0, _WRITTEN_MIB * MIB // LBA, lbas * _IN_FLIGHT):
        for i, buffer in enumerate(buffers):
            nvme0n1.write(qpair, buffer, first + i * lbas, lbas)
        qpair.waitdone(_IN_FLIGHT)
