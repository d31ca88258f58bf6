# SPDX-License-Identifier: BSD-3-Clause
"""What a report keeps of an IO worker."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pynvme.report.run import Worker

if TYPE_CHECKING:
    from pynvme.live import Run

POINTS = 120
"""The most points of a plot."""
PERCENTILES = (50, 90, 99, 99.9, 99.99)

_OPCODES = {
    0: "flush",
    1: "write",
    2: "read",
    4: "uncorrectable",
    5: "compare",
    8: "zeroes",
    9: "dsm",
    12: "verify",
}


def record(run: Run) -> Worker:
    """A worker that ended, as plain data."""
    result = run.result or {}
    kept = {
        name: value for name, value in result.items() if isinstance(value, (int, float, str)) or value is None
    }
    samples = run.samples.shortened(POINTS)
    worker = Worker(title(run.given), kept)
    if len(samples) and samples.completed.sum():
        found = run.samples.total(PERCENTILES)
        worker.percentiles_us = {f"{p:g}": _rounded(us, 4) or 0.0 for p, us in zip(PERCENTILES, found)}
        worker.series = {
            "time": [round(float(t), 3) for t in samples.time],
            "iops": [_rounded(v) for v in samples.iops],
            "bandwidth": [_rounded(v) for v in samples.bandwidth],
            "p50": [_rounded(v) for v in samples.percentile(50)],
            "p99": [_rounded(v) for v in samples.percentile(99)],
        }
    return worker


def _rounded(value: float, digits: int = 3) -> float | None:
    """A number with a few digits, or None instead of one that is not a number, which JSON lacks."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def title(given: Any) -> str:
    """The workload in a few words."""
    if given.io_sequence is not None:
        return f"io_sequence, qdepth {given.qdepth}"
    parts = [f"io_size {given.io_size}"]
    if given.op_percentage is not None:
        parts.append("/".join(f"{_OPCODES.get(opcode, opcode)}" for opcode in given.op_percentage))
    else:
        parts.append({100: "read", 0: "write"}.get(given.read_percentage, f"{given.read_percentage} % read"))
    parts.append({True: "random", False: "sequential"}.get(given.lba_random, f"{given.lba_random} % random"))
    parts.append(f"qdepth {given.qdepth}")
    parts += [f"{given.iops:g} IOPS at most"] if given.iops else []
    return ", ".join(parts)
