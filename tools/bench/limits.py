# SPDX-License-Identifier: BSD-3-Clause
"""The limits of the machine without a driver, and the driver in the same rounds.

The figures without a driver come from a small program, ``tools/bench/bare.c``, which ``make bench`` builds.
"""

from __future__ import annotations

import contextlib
import subprocess

from tools.bench.drive import MIB, REGION_MIB, Drive, Load, iops
from tools.bench.machine import ROOT, WaitMeter, kib
from tools.bench.session import Session
from tools.bench.verified import Pair, alternate

BARE = ROOT / "build" / "release" / "bare"


def available() -> bool:
    """Whether the program is built, which only a checkout does."""
    return BARE.exists()


def bare(meter: WaitMeter, *words: str) -> float:
    """Run the program, and return the number that it prints. If it fails, RuntimeError has its output."""
    with subprocess.Popen(
        [str(BARE), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while True:
            meter.sample()
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, error = process.communicate(timeout=0.1)
                break
    if process.returncode:
        raise RuntimeError(error.strip() or f"{BARE} ended with {process.returncode}")
    return float(out)


def measure(session: Session) -> None:
    """Measure all figures of this module."""
    if not available():
        session.leave_out("the limits of the machine", "its program is not built; `make bench` builds it")
        return
    for part in (_crossing, _pipeline):
        try:
            part(session)
        except RuntimeError as error:
            session.leave_out("what two CPUs can hand to each other", str(error))
    _region(session)
    _whole(session)


def _crossing(session: Session) -> None:
    if not session.wants("limit.round_trips", "limit.round_trip"):
        return
    session.tell("a cache line between two CPUs")
    time = session.figure("limit.round_trip", "bare: round trip of a cache line between two CPUs", "ns")
    rate = session.figure("limit.round_trips", "bare: such round trips", "/s")
    for _ in range(session.plan.runs):
        rate.runs.append(1e9 / _above_0(session.once(time, lambda meter: bare(meter, "pingpong"))))


def _above_0(figure: float) -> float:
    """A figure by which others are divided. It is 0 if one of the two CPUs was busy all the time."""
    if figure <= 0:
        raise RuntimeError("one of them was busy with other programs")
    return figure


def _pipeline(session: Session) -> None:
    if not session.wants("limit.pipeline", "limit.pipeline.touch", "limit.pipeline.ratio"):
        return
    session.tell("blocks from one CPU to another")
    words = ("pipeline", str(REGION_MIB), str(session.plan.seconds))
    plain = session.figure("limit.pipeline", "bare: 4 KiB blocks copied by one CPU, taken by another", "/s")
    touched = session.figure("limit.pipeline.touch", "bare: the same, each cache line loaded", "/s")
    ratio = session.figure("limit.pipeline.ratio", "bare: loaded / not loaded", "")
    for _ in range(session.plan.runs):
        without = _above_0(session.once(plain, lambda meter: bare(meter, *words)))
        ratio.runs.append(session.once(touched, lambda meter: bare(meter, *words, "touch")) / without)


def _region(session: Session) -> None:
    """Random 4 KiB and sequential 128 KiB in a region of 256 MiB."""
    names = [name for name in ("region.read", "region.write", "sequential.read") if _wants(session, name)]
    if not names:
        return
    with Drive(REGION_MIB, size="1G") as drive:
        drive.verify(False)
        for name in names:
            _beside(session, drive, name, REGION_MIB)


def _whole(session: Session) -> None:
    """The whole drive, which exceeds all caches."""
    mib = session.plan.drive_mib
    names = [name for name in ("drive.read", "drive.write") if _wants(session, name)]
    verified = session.wants("drive.verified.ratio", "drive.verified.judged")
    if not names and not verified:
        return
    if kib("/proc/meminfo", "MemAvailable") < 2.25 * mib * 1024:
        session.leave_out("the whole drive", f"it needs {2.25 * mib / 1024:.0f} GiB of free memory")
        return
    with Drive(mib, size=mib * MIB) as drive:
        if verified:
            _verified(session, drive, mib)
        drive.verify(False)
        for name in names:
            _beside(session, drive, name, mib)


def _wants(session: Session, name: str) -> bool:
    return session.wants(f"{name}.iops", f"{name}.bare", f"{name}.ratio")


def _beside(session: Session, drive: Drive, name: str, mib: int) -> None:
    """Alternate runs of a worker and of memcpy over the same amount of memory."""
    what, _, direction = name.partition(".")
    sequential = what == "sequential"
    load = Load("sequential", 131072) if sequential else Load(direction)
    where = f"{load.title}, {mib} MiB"
    session.tell(f"{where}, beside memcpy")
    words = ("copy", str(mib), str(load.size), "sequential" if sequential else "random", direction)
    ours = session.figure(f"{name}.iops", where, "IOPS")
    copied = session.figure(f"{name}.bare", f"bare: memcpy, {where.replace(', QD 32', '')}", "/s")
    ratio = session.figure(f"{name}.ratio", f"{where} / memcpy", "")
    seconds = session.plan.seconds
    for _ in range(session.plan.runs):
        rate = session.once(ours, lambda meter: iops(drive.run(load, seconds, meter, mib)))
        ratio.runs.append(rate / session.once(copied, lambda meter: bare(meter, *words, str(seconds))))


def _verified(session: Session, drive: Drive, mib: int) -> None:
    """Read the whole drive without and with verification."""
    load = Load("read")
    where = f"{load.title}, {mib} MiB"
    session.tell(f"{where}, verified")
    figures = Pair(
        session.figure("drive.verified.off", f"{where}, not verified", "IOPS"),
        session.figure("drive.verified.on", f"{where}, verified", "IOPS"),
        session.figure("drive.verified.ratio", f"{where}, verified / not", ""),
        session.figure("drive.verified.judged", f"{where}, LBAs judged", ""),
    )
    alternate(session, drive, load, figures, mib)
