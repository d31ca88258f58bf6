# SPDX-License-Identifier: BSD-3-Clause
"""The measured figures, and the marks that they should reach."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

MILLION = 1e6


@dataclass(frozen=True)
class Mark:
    """The value that a figure should reach, or stay below."""

    bound: float
    at_least: bool = True
    more: tuple[float, str] | None = None
    """(factor, figure) raises the bound by factor times that figure."""
    limit: str = ""
    """The figure that measures the limit of the machine, which no driver can exceed."""


def _at_least(bound: float, limit: str = "") -> Mark:
    return Mark(bound, limit=limit)


def _at_most(bound: float, more: tuple[float, str] | None = None) -> Mark:
    return Mark(bound, at_least=False, more=more)


_VERIFYING = _at_most(120, more=(1.2, "instructions.crc"))

#: The marks, by the name of the figure.
MARKS: dict[str, Mark] = {
    "read.4k.qd1.null": _at_least(1.6 * MILLION, "limit.round_trips"),
    "read.4k.qd32.null": _at_least(6.0 * MILLION),
    "read.4k.qd128.null": _at_least(7.5 * MILLION),
    "read.4k.qd32.ratio": _at_least(0.85, "limit.pipeline.ratio"),
    "read.4k.qd32.judged": _at_least(0.99),
    "write.4k.qd32.ratio": _at_least(0.85),
    "region.read.iops": _at_least(2.0 * MILLION, "limit.pipeline"),
    "region.read.ratio": _at_least(0.7),
    "region.write.iops": _at_least(2.0 * MILLION),
    "region.write.ratio": _at_least(0.7),
    "drive.read.ratio": _at_least(0.7),
    "drive.write.ratio": _at_least(0.7),
    "drive.verified.ratio": _at_least(0.85, "limit.pipeline.ratio"),
    "drive.verified.judged": _at_least(0.99),
    "sequential.read.ratio": _at_least(0.8),
    "instructions.host.read.off": _at_most(120),
    "instructions.host.read.on": _VERIFYING,
    "instructions.host.write.off": _at_most(120),
    "instructions.host.write.on": _VERIFYING,
    "instructions.ssd.read": _at_most(150),
    "instructions.ssd.write": _at_most(150),
    "python.single.off": _at_least(300_000),
    "python.hundred.off": _at_least(1_200_000),
    "start.first": _at_most(3),
    "open.controller": _at_most(20),
    "open.namespace": _at_most(100),
    "many.together": _at_least(0.7),
    "many.smallest": _at_least(0.25),
    **{f"rate.{rate}": _at_most(1) for rate in (1, 1000, 100_000, 1_000_000, 2_000_000)},
}


@dataclass
class Figure:
    """All runs of one measurement."""

    name: str
    title: str
    unit: str
    column: str = ""
    """Its column in the table of workloads, where figures with the same title share a row, or empty."""
    engine: str = ""
    """Its column in the table of engines, where figures with the same title share a row, or empty."""
    runs: list[float] = field(default_factory=list)
    contended: int = 0
    """How many runs were contended, after all repetitions."""

    @property
    def median(self) -> float:
        """The reported value."""
        return statistics.median(self.runs)


class Results:
    """The figures by name, in their order, and what could not be measured."""

    def __init__(self) -> None:
        self.figures: dict[str, Figure] = {}
        self.left_out: list[str] = []

    @property
    def measured(self) -> bool:
        """Whether any figure has a run."""
        return any(figure.runs for figure in self.figures.values())

    def add(self, figure: Figure) -> Figure:
        """Add a figure, whose runs come later. A figure without runs is not shown."""
        self.figures[figure.name] = figure
        return figure

    def median(self, name: str) -> float | None:
        """The median of a figure, or None if it was not measured."""
        figure = self.figures.get(name)
        return figure.median if figure and figure.runs else None

    def judge(self, name: str) -> Judgement | None:
        """Compare a figure with its mark. None if it has no mark, or the bound was not measured."""
        mark, value = MARKS.get(name), self.median(name)
        if mark is None or value is None:
            return None
        bound = mark.bound
        if mark.more is not None:
            factor, other = mark.more
            added = self.median(other)
            if added is None:
                return None
            bound += factor * added
        met = value >= bound if mark.at_least else value <= bound
        return Judgement(bound, mark.at_least, met, self.median(mark.limit))

    def as_json(self) -> list[dict[str, Any]]:
        """The figures for the JSON file."""
        return [self._one(figure) for figure in self.figures.values() if figure.runs]

    def _one(self, figure: Figure) -> dict[str, Any]:
        judgement = self.judge(figure.name)
        return {
            "name": figure.name,
            "title": figure.title,
            "column": figure.column,
            "engine": figure.engine,
            "unit": figure.unit,
            "median": figure.median,
            "minimum": min(figure.runs),
            "maximum": max(figure.runs),
            "runs": figure.runs,
            "contended": figure.contended,
            "mark": None if judgement is None else vars(judgement),
        }


@dataclass
class Judgement:
    """A mark, whether it is met, and the limit of the machine, if it is known."""

    bound: float
    at_least: bool
    met: bool
    limit: float | None
