# SPDX-License-Identifier: BSD-3-Clause
"""The rate of commands that a script sends itself, one at a time and with a hundred in flight."""

from __future__ import annotations

import time
from typing import Callable

import nvme

from tools.bench.drive import LBA, REGION_MIB, Drive
from tools.bench.machine import WaitMeter
from tools.bench.session import Session

HUNDRED = 100
_COUNT = 4096 // LBA
_WAYS = {
    "single": "read().waitdone() from Python, 4 KiB",
    "hundred": f"{HUNDRED} times read(), waitdone({HUNDRED}) from Python, 4 KiB",
}


def measure(session: Session) -> None:
    """Measure all figures of this module."""
    names = [f"python.{way}.{verified}" for way in _WAYS for verified in ("off", "on")]
    if not session.wants(*names):
        return
    with Drive(REGION_MIB, size="1G") as drive:
        qpair = nvme.Qpair(drive.nvme0, HUNDRED + 1)
        rounds = {"single": _single(drive.nvme0n1, qpair), "hundred": _hundred(drive.nvme0n1, qpair)}
        for way, title in _WAYS.items():
            if session.wants(f"python.{way}.off", f"python.{way}.on"):
                session.tell(title)
                _way(session, drive, f"python.{way}", title, rounds[way])
        qpair.delete()


def _way(session: Session, drive: Drive, name: str, title: str, hundred: Callable[[], None]) -> None:
    """Alternate runs without and with verification. `hundred` sends a hundred commands."""
    off = session.figure(f"{name}.off", title, "/s")
    on = session.figure(f"{name}.on", f"{title}, verified", "/s")

    def rate(meter: WaitMeter) -> float:
        commands = 0
        start = time.perf_counter()
        end = start + session.plan.seconds
        while time.perf_counter() < end:
            hundred()
            commands += HUNDRED
        taken = time.perf_counter() - start
        meter.sample()
        return commands / taken

    for _ in range(session.plan.runs):
        drive.verify(False)
        session.once(off, rate)
        drive.verify(True)
        session.once(on, rate)


def _single(nvme0n1: nvme.Namespace, qpair: nvme.Qpair) -> Callable[[], None]:
    buffer = nvme.Buffer(4096)

    def hundred() -> None:
        for _ in range(HUNDRED):
            nvme0n1.read(qpair, buffer, 0, _COUNT).waitdone()

    return hundred


def _hundred(nvme0n1: nvme.Namespace, qpair: nvme.Qpair) -> Callable[[], None]:
    buffers = [nvme.Buffer(4096) for _ in range(HUNDRED)]

    def hundred() -> None:
        for buffer in buffers:
            nvme0n1.read(qpair, buffer, 0, _COUNT)
        qpair.waitdone(HUNDRED)

    return hundred
