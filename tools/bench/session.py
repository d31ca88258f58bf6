# SPDX-License-Identifier: BSD-3-Clause
"""One call of the benchmark, with its plan, and with the repetition of contended runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Callable

from rich.console import Console
from rich.text import Text

from tools.bench.figures import MARKS, Figure, Results
from tools.bench.machine import WaitMeter

CONTENDED_SHARE = 0.03
"""If a process waits for a CPU for more than this share of a run, the run counts as contended."""
REPEATS = 3
"""How often a contended run is repeated, at most."""
PATIENCE_S = 300.0
"""Seconds that all repetitions together may take. After that, contended runs are kept and marked."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    runs: int = 5
    seconds: float = 0.5
    """Seconds of a worker's run, unless one of the next fields applies."""
    pattern: str = ""
    """Measure only the figures with this name or prefix, or that match it if it has a star."""
    quick: bool = False
    """Measure only the figures with a mark, and their limits."""
    many_seconds: float = 10
    """Seconds of a run of 16 workers at once."""
    rate_seconds: int = 3
    """Seconds that are counted in a run with a rate limit."""
    steps: int = 10_000
    """How many instructions of a process are counted in a run."""
    drive_mib: int = 4096
    """MiB of the drive that is measured as a whole."""

    @classmethod
    def usual(cls, runs: int, seconds: float | None, quick: bool, pattern: str) -> Plan:
        """The plan of a call from the command line. If seconds is None, runs have their default length."""
        plan = cls(runs=runs, pattern=pattern, quick=quick)
        if quick:
            plan = replace(plan, seconds=0.3, many_seconds=3, rate_seconds=2)
        return plan if seconds is None else replace(plan, seconds=seconds)


class Session:
    """Executes a plan, one figure after the other."""

    def __init__(self, plan: Plan, progress: Console) -> None:
        """Show on ``progress`` what is being measured."""
        self.plan = plan
        self.results = Results()
        self._progress = progress
        self._limits = {mark.limit for mark in MARKS.values()} | {m.more[1] for m in MARKS.values() if m.more}
        self._patience = PATIENCE_S

    def wants(self, *names: str) -> bool:
        """Whether one of these figures is to be measured."""
        return any(self._wants(name) for name in names)

    def _wants(self, name: str) -> bool:
        pattern = self.plan.pattern
        if pattern:
            return fnmatchcase(name, pattern) if "*" in pattern else f"{name}.".startswith(f"{pattern}.")
        return not self.plan.quick or name in MARKS or name in self._limits

    def figure(self, name: str, title: str, unit: str, column: str = "") -> Figure:
        """A new figure of the results."""
        return self.results.add(Figure(name, title, unit, column))

    def tell(self, text: str) -> None:
        """Show what is being measured."""
        self._progress.print(Text(f"  {text}"))

    def leave_out(self, what: str, reason: str) -> None:
        """Record why something is not measured."""
        self.results.left_out.append(f"{what}: {reason}")

    def once(self, figure: Figure, measure: Callable[[WaitMeter], float]) -> float:
        """Measure once, and again if the run was contended. Append the last value to the figure."""
        repeats = REPEATS
        while True:
            start = time.monotonic()
            meter = WaitMeter()
            value = measure(meter)
            if meter.share() <= CONTENDED_SHARE:
                break
            if repeats == 0 or self._patience <= 0:
                figure.contended += 1
                break
            repeats -= 1
            self._patience -= time.monotonic() - start
        figure.runs.append(value)
        return value
