# SPDX-License-Identifier: BSD-3-Clause
"""Figures of IO workers, with the table of workloads, latency, many at once, rates, and their start."""

from __future__ import annotations

import contextlib
import math
import time
from functools import partial

from tools.bench.drive import REGION_MIB, Drive, Load, iops
from tools.bench.figures import Figure
from tools.bench.machine import WaitMeter
from tools.bench.session import Session
from tools.bench.verified import Pair, alternate

DEPTHS = (1, 32, 128)
LOADS = [
    *(
        Load(kind, size, n)
        for size in (512, 4096, 131072)
        for kind in ("read", "write", "mixed")
        for n in DEPTHS
    ),
    *(Load("sequential", 131072, n) for n in DEPTHS),
]
COLUMNS = ("null", "memory", "verified", "ratio", "judged")
PERCENTILES = (50, 99, 99.9, 99.99)
RATES = (1, 1000, 100_000, 1_000_000, 2_000_000)
MANY = 16
_START_RATE = 100_000
_START_S = 0.1


def measure(session: Session) -> None:
    """Measure all figures of this module."""
    _workloads(session)
    _latency(session)
    _start(session)
    _many(session)
    _rates(session)


# ---- the table of workloads ----


def _workloads(session: Session) -> None:
    """Run the workloads on one drive at a time, since an idle drive still polls now and then."""
    loads = [load for load in LOADS if session.wants(f"{load.name}.null")]
    if loads:
        with Drive(size="4G", null=True) as drive:
            drive.verify(False)
            for load in loads:
                session.tell(f"{load.title}, null store")
                _null(session, load, drive)
    kept = [column for column in COLUMNS if column != "null"]
    loads = [load for load in LOADS if session.wants(*(f"{load.name}.{column}" for column in kept))]
    if loads:
        with Drive(REGION_MIB, size="1G") as drive:
            for load in loads:
                session.tell(f"{load.title}, memory store")
                _memory(session, load, drive)


def _figure(session: Session, load: Load, column: str, unit: str = "IOPS") -> Figure:
    return session.figure(f"{load.name}.{column}", load.title, unit, column)


def _null(session: Session, load: Load, drive: Drive) -> None:
    figure = _figure(session, load, "null")
    for _ in range(session.plan.runs):
        session.once(figure, lambda meter: iops(drive.run(load, session.plan.seconds, meter)))


def _memory(session: Session, load: Load, drive: Drive) -> None:
    figures = Pair(
        _figure(session, load, "memory"),
        _figure(session, load, "verified"),
        _figure(session, load, "ratio", ""),
        _figure(session, load, "judged", ""),
    )
    alternate(session, drive, load, figures)


# ---- latency ----


def _latency(session: Session) -> None:
    load = Load("read", 4096, 1)
    stores = [store for store in ("null", "memory") if session.wants(*_latency_names(store))]
    for store in stores:
        session.tell(f"latency, QD 1, {store} store")
        figures = [
            session.figure(name, f"latency of a read, 4 KiB, QD 1, {store} store, p{p:g}", "ns")
            for name, p in zip(_latency_names(store), PERCENTILES)
        ]
        options = {"size": "4G", "null": True} if store == "null" else {"size": "1G"}
        with Drive(0 if store == "null" else REGION_MIB, **options) as drive:
            drive.verify(False)
            for _ in range(session.plan.runs):
                _latencies(session, drive, load, figures)


def _latency_names(store: str) -> list[str]:
    return [f"latency.{store}.p{p:g}" for p in PERCENTILES]


def _latencies(session: Session, drive: Drive, load: Load, figures: list[Figure]) -> None:
    """Take all percentiles from the same run."""
    found: dict[float, int] = {}

    def measure(meter: WaitMeter) -> float:
        asked = dict.fromkeys(PERCENTILES)
        result = drive.run(load, 2 * session.plan.seconds, meter, output_percentile_latency=asked)
        found.update(result.latency_percentile_ns)
        return float(found[PERCENTILES[0]])

    session.once(figures[0], measure)
    for figure, percentile in zip(figures[1:], PERCENTILES[1:]):
        figure.runs.append(float(found[percentile]))
        figure.contended = figures[0].contended


# ---- start ----


def _start(session: Session) -> None:
    """Measure the time from start() to the first completion.

    The worker and the drive keep two CPUs busy, so this process would see the first completion too late. With
    a rate, IO number k is sent k / rate after the first one. So the number of completions at any later moment
    tells when the first one was.
    """
    if not session.wants("start.first"):
        return
    session.tell("start of a worker")
    figure = session.figure("start.first", "from start() to the first completion", "ms")
    with Drive(size="1G") as drive:

        def measure(meter: WaitMeter) -> float:
            worker = drive.worker(Load("read"), iops=_START_RATE, time=_START_S)
            begun = time.perf_counter()
            worker.start()
            meter.sample()
            first = math.inf
            while worker.running:
                time.sleep(_START_S / 10)
                done = worker.progress[2]
                if done:
                    first = min(first, time.perf_counter() - (done - 1) / _START_RATE)
            worker.close()
            return (first - begun) * 1000

        for _ in range(session.plan.runs):
            session.once(figure, measure)


# ---- many at once ----


def _many(session: Session) -> None:
    """Run many workers at once. They share the CPUs by design, so contended runs are not repeated."""
    if not session.wants("many.together", "many.smallest"):
        return
    session.tell(f"{MANY} workers at once")
    load, plan = Load("read"), session.plan
    together = session.figure("many.together", f"{MANY} workers together / one", "")
    smallest = session.figure("many.smallest", f"the slowest of {MANY} workers / their mean", "")
    with Drive(REGION_MIB, size="1G", queues=MANY) as drive:
        drive.verify(False)
        for _ in range(plan.runs):
            alone = iops(drive.run(load, plan.seconds, WaitMeter()))
            with contextlib.ExitStack() as stack:
                workers = [drive.worker(load, time=plan.many_seconds) for _ in range(MANY)]
                for worker in workers:
                    stack.enter_context(worker)
                time.sleep(plan.many_seconds)
            rates = [iops(worker.close()) for worker in workers]
            together.runs.append(sum(rates) / alone)
            smallest.runs.append(min(rates) / (sum(rates) / MANY))


# ---- rates ----


def _rates(session: Session) -> None:
    wanted = [rate for rate in RATES if session.wants(f"rate.{rate}")]
    if not wanted:
        return
    with Drive(size="4G", null=True) as drive:
        drive.verify(False)
        for rate in wanted:
            session.tell(f"a rate of {rate:,} IOPS")
            title = f"rate limit {rate:,} IOPS, the second that is off most"
            figure = session.figure(f"rate.{rate}", title, "IOs")
            for _ in range(session.plan.runs):
                session.once(figure, partial(_deviation, session, drive, rate))


def _deviation(session: Session, drive: Drive, rate: int, meter: WaitMeter) -> float:
    """The largest difference, in any second, of completed IOs from those that were due."""
    counts: list[int] = []
    seconds = session.plan.rate_seconds
    drive.run(Load("read", 4096, 128), seconds, meter, iops=rate, output_io_per_second=counts)
    return float(max(abs(count - rate) for count in counts))
