# SPDX-License-Identifier: BSD-3-Clause
"""Instructions per IO of the worker and of the virtual SSD, which do not depend on the machine's load."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from typing import Callable

import nvme

from tools.bench import limits
from tools.bench.drive import REGION_MIB, Drive, Load
from tools.bench.figures import Figure
from tools.bench.session import Session
from tools.bench.stepper import Stepper, StepperError, unavailable

LOADS = (Load("read"), Load("write"))
_WARM_S = 0.1
_TIMEOUT_MS = 600_000


class _Enough(Exception):
    """Ends a worker early."""


def measure(session: Session) -> None:
    """Measure all figures of this module."""
    if not session.wants("instructions.crc", *_names()):
        return
    reason = unavailable()
    try:
        if reason:
            raise StepperError(reason)
        _checksum(session)
        _host(session)
        _device(session)
    except StepperError as error:
        session.leave_out("instructions", str(error))


def _names() -> list[str]:
    host = [f"instructions.host.{load.kind}.{verified}" for load in LOADS for verified in ("off", "on")]
    device = [f"instructions.ssd.{load.kind}{rules}" for load in LOADS for rules in ("", ".rules")]
    return [*host, *device]


def _checksum(session: Session) -> None:
    """The CRC of 4 KiB alone."""
    if not session.wants("instructions.crc") or not limits.available():
        return
    session.tell("instructions of a CRC")
    figure = session.figure("instructions.crc", "instructions of the CRCs of 4 KiB alone, 512 B each", "")
    with subprocess.Popen([str(limits.BARE), "crc"], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            with Stepper(process.pid) as stepper:
                _runs(session, figure, stepper, lambda: stepper.clock_reads)
        finally:
            process.kill()


def _runs(
    session: Session, figure: Figure, stepper: Stepper, counter: Callable[[], int], least: int = 1
) -> None:
    stepper.until_change(counter)
    for _ in range(session.plan.runs):
        figure.runs.append(stepper.instructions_each(counter, session.plan.steps, least))


def _host(session: Session) -> None:
    """Reads and writes of a worker on a drive that keeps data."""
    with Drive(REGION_MIB, size="1G") as drive:
        for load in LOADS:
            for verified in ("off", "on"):
                name = f"instructions.host.{load.kind}.{verified}"
                if not session.wants(name):
                    continue
                title = f"instructions an IO, worker, {load.title}, verification {verified}"
                session.tell(title)
                of_worker(session, drive, load, verified == "on", session.figure(name, title, ""))


def of_worker(
    session: Session, drive: Drive, load: Load, verified: bool, figure: Figure, least: int = 1
) -> None:
    """Count the instructions of a worker per IO, over at least this number of IOs."""
    drive.nvme0.timeout = _TIMEOUT_MS
    drive.verify(verified)
    with _running(drive, load) as worker:
        _follow(session, figure, worker, drive.worker_pid(), least)


def _device(session: Session) -> None:
    """The same in the virtual SSD, with a null store."""
    with Drive(size="4G", null=True) as drive:
        drive.verify(False)
        drive.nvme0.timeout = _TIMEOUT_MS
        for load in LOADS:
            name = f"instructions.ssd.{load.kind}"
            if not session.wants(name):
                continue
            title = f"instructions an IO, virtual SSD, {load.title}, null store"
            session.tell(title)
            with _running(drive, load) as worker:
                _follow(session, session.figure(name, title, ""), worker, drive.ssd.pid)
        with drive.ssd.fault(*_rules()):
            for load in LOADS:
                name = f"instructions.ssd.{load.kind}.rules"
                if not session.wants(name):
                    continue
                title = (
                    f"instructions an IO, virtual SSD, {load.title}, null store, 100 fault rules for others"
                )
                session.tell(title)
                with _running(drive, load) as worker:
                    _follow(session, session.figure(name, title, ""), worker, drive.ssd.pid)


def _rules() -> list[str]:
    """100 fault rules for LBAs of the drive that the workers do not use, and for other commands."""
    beyond = range(1 << 22, 1 << 23, (1 << 22) // 80)
    ranges = [
        f"opcode={('read', 'write')[i % 2]} nsid=1 lba={a}..{a + 7} do flip" for i, a in enumerate(beyond)
    ]
    others = [f"opcode=flush nth={n} do skip" for n in range(1, 11)]
    queues = [f"queue={qid} opcode=read do late=1" for qid in range(7, 17)]
    return (ranges[:80] + others + queues)[:100]


@contextlib.contextmanager
def _running(drive: Drive, load: Load) -> Iterator[nvme.IOWorker]:
    """A worker that runs inside of the `with` block."""
    with contextlib.suppress(_Enough), drive.worker(load, time=3600) as worker:
        time.sleep(_WARM_S)
        yield worker
        raise _Enough


def _follow(session: Session, figure: Figure, worker: nvme.IOWorker, pid: int, least: int = 1) -> None:
    with Stepper(pid) as stepper:
        _runs(session, figure, stepper, lambda: worker.progress[2], least)
