# SPDX-License-Identifier: BSD-3-Clause
"""What verification costs: one workload with it and without it, in turn."""

from __future__ import annotations

from typing import NamedTuple

from tools.bench.drive import REGION_MIB, Drive, Load, iops, judged
from tools.bench.figures import Figure
from tools.bench.machine import WaitMeter
from tools.bench.session import Session


class Pair(NamedTuple):
    """The figures of one workload."""

    off: Figure
    on: Figure
    ratio: Figure
    judged: Figure


def alternate(session: Session, drive: Drive, load: Load, pair: Pair, region_mib: int = REGION_MIB) -> None:
    """Alternate runs without and with verification, so that both sides of a ratio see the same load."""
    results = []

    def measure(meter: WaitMeter) -> float:
        results.append(drive.run(load, session.plan.seconds, meter, region_mib))
        return iops(results[-1])

    for _ in range(session.plan.runs):
        drive.verify(False)
        without = session.once(pair.off, measure)
        drive.verify(True)
        pair.ratio.runs.append(session.once(pair.on, measure) / without)
        if load.kind != "write":
            pair.judged.runs.append(judged(results[-1]))
