# SPDX-License-Identifier: BSD-3-Clause
"""What changed between two runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pynvme.report.run import Run, Test, Worker

SLOWER = 0.10
"""A test or a worker whose time or rate is worse by more than this share is slower."""
LEAST_SECONDS = 0.5
"""A test that takes less is never slower, since such times vary."""

GOOD = frozenset({"passed", "xfailed", "xpassed"})


@dataclass
class Change:
    """A number of a test, or of a worker of it, in both runs."""

    name: str
    what: str
    """What is compared, with its unit."""
    before: float
    after: float

    @property
    def share(self) -> float:
        """The change as a share of the number before: 0.25 is a fourth more."""
        return self.after / self.before - 1 if self.before else 0.0


@dataclass
class Difference:
    """Two runs compared, from the older one to the newer one."""

    newly_failed: list[Test] = field(default_factory=list)
    still_failed: list[Test] = field(default_factory=list)
    fixed: list[Test] = field(default_factory=list)
    newly_skipped: list[Test] = field(default_factory=list)
    added: list[Test] = field(default_factory=list)
    removed: list[Test] = field(default_factory=list)
    slower: list[Change] = field(default_factory=list)
    faster: list[Change] = field(default_factory=list)
    drives: tuple[str, str] = ("", "")

    @property
    def worse(self) -> bool:
        """Whether a test fails that did not fail before, or something got slower."""
        return bool(self.newly_failed or self.slower)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, for --json."""
        tests = ("newly_failed", "still_failed", "fixed", "newly_skipped", "added", "removed")
        found: dict[str, Any] = {"format": "pynvme.report.diff", "version": 1, "drives": list(self.drives)}
        for name in tests:
            found[name] = [{"nodeid": test.nodeid, "message": test.message} for test in getattr(self, name)]
        for name in ("slower", "faster"):
            found[name] = [{**vars(change), "share": change.share} for change in getattr(self, name)]
        return found


def compare(before: Run, after: Run, threshold: float = SLOWER) -> Difference:
    """Compare two runs.

    Args:
        before, after: the older and the newer run
        threshold: the share by which something has to be slower or faster to be listed
    """
    old = {test.nodeid: test for test in before.tests}
    new = {test.nodeid: test for test in after.tests}
    found = Difference(drives=(_drives(before), _drives(after)))
    found.removed = [test for name, test in old.items() if name not in new]
    for name, test in new.items():
        was = old.get(name)
        _sort_in(found, was, test)
        if was is not None and was.outcome in GOOD and test.outcome in GOOD:
            _compare_numbers(found, was, test, threshold)
    for changes in (found.slower, found.faster):
        changes.sort(key=lambda change: -abs(change.share))
    return found


def _drives(run: Run) -> str:
    names = dict.fromkeys(f"{drive.model} {drive.firmware}".strip() for drive in run.drives)
    return ", ".join(names)


def _sort_in(found: Difference, was: Test | None, test: Test) -> None:
    if test.bad:
        (found.still_failed if was is not None and was.bad else found.newly_failed).append(test)
    elif was is None:
        found.added.append(test)
    elif was.bad and test.outcome in GOOD:
        found.fixed.append(test)
    elif was.outcome != "skipped" and test.outcome == "skipped":
        found.newly_skipped.append(test)


def _compare_numbers(found: Difference, was: Test, test: Test, threshold: float) -> None:
    """A test with workers is as fast as they are. Their time is given, and so tells nothing."""
    changes = []
    if not test.workers and max(was.seconds, test.seconds) >= LEAST_SECONDS:
        changes.append((Change(test.nodeid, "s", was.seconds, test.seconds), 1))
    for number, (one, other) in enumerate(zip(was.workers, test.workers), 1):
        if one.title != other.title:
            continue
        name = f"{test.nodeid}, worker {number} ({other.title})"
        changes.append((Change(name, "IOPS", iops(one), iops(other)), -1))
        for percentile in ("99", "99.99"):
            if percentile in one.percentiles_us and percentile in other.percentiles_us:
                numbers = one.percentiles_us[percentile], other.percentiles_us[percentile]
                changes.append((Change(name, f"p{percentile} in us", *numbers), 1))
    for change, direction in changes:
        if change.share * direction > threshold:
            found.slower.append(change)
        elif change.share * direction < -threshold:
            found.faster.append(change)


def iops(worker: Worker) -> float:
    """IOs per second of a worker."""
    result = worker.result
    ios = result.get("io_count_read", 0) + result.get("io_count_nonread", 0)
    return float(ios / result["mseconds"] * 1e3) if result.get("mseconds") else 0.0


def lines(found: Difference) -> list[str]:
    """The difference as text."""
    told = []
    if found.drives[0] != found.drives[1]:
        told.append(f"drives: {found.drives[0] or 'none'} -> {found.drives[1] or 'none'}")
    for title, tests in (
        ("newly failing", found.newly_failed),
        ("still failing", found.still_failed),
        ("fixed", found.fixed),
        ("no longer run (skipped)", found.newly_skipped),
        ("only in the second run", found.added),
        ("only in the first run", found.removed),
    ):
        if tests:
            told.append(f"{title}: {len(tests)}")
            told += [f"  {test.nodeid}" + (f": {test.message}" if test.message else "") for test in tests]
    for title, changes in (("slower", found.slower), ("faster", found.faster)):
        if changes:
            told.append(f"{title}: {len(changes)}")
            told += [
                f"  {one.name}: {one.before:,.4g} -> {one.after:,.4g} {one.what} ({one.share:+.0%})"
                for one in changes
            ]
    return told or ["no difference"]
