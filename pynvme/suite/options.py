# SPDX-License-Identifier: BSD-3-Clause
"""The options of the suite, and the time of each test."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator

import pytest

TIME, SEED, YES, REPORT = "--check-time", "--check-seed", "--check-yes", "--check-report"
KNOWN = "--check-known"
SHRINK = "--check-shrink"
KEEP_POWER = "--check-keep-power"

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def add_options(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("pynvme.suite", "tests of drives (pytest --pyargs pynvme.suite)")
    group.addoption(
        TIME, metavar="TIME", help="how long tests that repeat themselves take in all, such as 90s or 10m"
    )
    group.addoption(SEED, metavar="N", help="the seed of the random numbers, to repeat an earlier run")
    group.addoption(YES, action="store_true", help="overwrite and format a drive that is no virtual SSD")
    group.addoption(KEEP_POWER, action="store_true", help="never switch the power of the drive")
    group.addoption(
        SHRINK,
        metavar="TIME",
        default="20s",
        help="how long the search for a short script that shows a finding may take, or 0 (default: 20s)",
    )
    group.addoption(REPORT, metavar="FILE", help="write a line of JSON for each test and finding")
    group.addoption(KNOWN, metavar="FILE", help="expect the findings that this file lists")


def seconds(text: str) -> float:
    """A time such as ``90``, ``90s``, ``10m`` or ``2h``, in seconds. ValueError if it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no time, such as 90s, 10m or 2h")
    return float(match[1]) * _UNITS[match[2]]


class Budget:
    """The time in which a test may repeat itself.

    Args:
        limit: seconds
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._end = time.monotonic() + limit

    @property
    def spent(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    def turns(self, least: int = 1) -> Iterator[int]:
        """Count 0, 1, 2, … until the time is over, and at least to a number of turns."""
        turn = 0
        while turn < least or not self.spent:
            yield turn
            turn += 1

    def part(self, share: float) -> Budget:
        """A budget that is a share of this one, from now on."""
        return Budget(self.limit * share)


def default_seconds(item: pytest.Item) -> float:
    """How long a test may repeat itself in a run of the default length."""
    mark = item.get_closest_marker("takes")
    return float(mark.args[0]) if mark is not None else 0.0


def scale(items: Iterable[pytest.Item], wanted: str | None) -> float:
    """By how much tests take longer than by default, so that all of them take the wanted time."""
    if wanted is None:
        return 1.0
    try:
        total = seconds(wanted)
    except ValueError as error:
        raise pytest.UsageError(f"{TIME}: {error}") from None
    default = sum(map(default_seconds, items))
    return total / default if default else 1.0
