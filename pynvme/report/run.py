# SPDX-License-Identifier: BSD-3-Clause
"""A test run as plain data: the drives, the tests, and the machine.

This is also what ``run.json`` contains, whose schema is ``pynvme/schemas/report-run.json``.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

FORMAT = "pynvme.report"
VERSION = 1
FILE = "run.json"

OUTCOMES = ("failed", "error", "xpassed", "passed", "xfailed", "skipped")
"""The outcomes of a test, the worst first. An error is a failure of set-up or teardown."""

BAD = frozenset({"failed", "error"})


@dataclass
class Drive:
    """A drive that was tested. Structures are in hexadecimal digits, as the drive returned them."""

    address: str
    model: str = ""
    serial: str = ""
    firmware: str = ""
    version: str = ""
    """Of the NVMe specification."""
    cap: int = 0
    """The register CAP."""
    queues: int = 0
    """Pairs of IO queues that it grants."""
    id_ctrl: str = ""
    id_ns: str = ""
    smart_before: str = ""
    smart_after: str = ""
    problem: str = ""
    """Why the end of the run could not be read."""

    @property
    def key(self) -> str:
        """What tells it from the other drives of a run: processes of xdist may each have one at "vssd"."""
        return f"{self.address} {self.serial}".strip()

    @property
    def name(self) -> str:
        """The model with the serial number, for lists."""
        return " ".join(part for part in (self.model, self.serial) if part) or self.address


@dataclass
class Queue:
    """The last commands of a queue when a test failed, each as a line, the newest first."""

    name: str
    commands: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Worker:
    """An IO worker that ended during a test."""

    title: str
    result: dict[str, Any] = field(default_factory=dict)
    """What close() returned, as far as it is a number or a text."""
    percentiles_us: dict[str, float] = field(default_factory=dict)
    series: dict[str, list[float | None]] = field(default_factory=dict)
    """time in s, iops, bandwidth in bytes/s, and p50 and p99 in us, over time."""


@dataclass
class Test:
    """A test with its outcome."""

    __test__: ClassVar[bool] = False  # for pytest, which would collect a class of this name

    nodeid: str
    outcome: str = "passed"
    start: float = 0.0
    """Seconds since 1970."""
    seconds: float = 0.0
    requirement: str = ""
    clause: str = ""
    purpose: str = ""
    steps: str = ""
    needs: list[str] = field(default_factory=list)
    drive: str = ""
    """The key of the drive."""
    seed: int | None = None
    message: str = ""
    """The first line of a failure, or why the test was skipped."""
    details: str = ""
    """All that pytest tells of a failure."""
    finding: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    unexpected: list[list[Any]] = field(default_factory=list)
    """Failures of commands that the test did not expect: kind, name, count."""
    sections: list[list[str]] = field(default_factory=list)
    """Log and output: title, text."""
    queues: list[Queue] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    """What the test has recorded with record_property()."""
    again: str = ""
    """The line that runs it again."""
    process: str = ""
    """The worker of xdist, or empty."""
    path: str = ""
    """The name of the file."""

    @property
    def name(self) -> str:
        """Its name without the file."""
        return self.nodeid.partition("::")[2] or self.nodeid

    @property
    def file(self) -> str:
        """The file that it is in. A node identifier has none if the file is not below pytest's root."""
        return self.nodeid.partition("::")[0] or self.path

    @property
    def bad(self) -> bool:
        """Whether it failed."""
        return self.outcome in BAD


@dataclass
class Run:
    """A whole run."""

    start: float = 0.0
    seconds: float = 0.0
    exitstatus: int = 0
    command: str = ""
    drives: list[Drive] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    """Those outside of tests, such as in fixtures of a session."""
    environment: dict[str, str] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many tests had which outcome, without those that none had."""
        found = Counter(test.outcome for test in self.tests)
        return {outcome: found[outcome] for outcome in OUTCOMES if found[outcome]}

    def drive_of(self, test: Test) -> Drive | None:
        """The drive of a test."""
        return next((drive for drive in self.drives if drive.key == test.drive), None)

    def labels(self, test: Test) -> dict[str, str]:
        """What names a test and its drive in files for other programs. Empty where there is none."""
        drive = self.drive_of(test) or Drive("")
        seed = "" if test.seed is None else str(test.seed)
        return {
            "requirement": test.requirement,
            "clause": test.clause,
            "seed": seed,
            "model": drive.model,
            "serial": drive.serial,
            "firmware": drive.firmware,
            "again": test.again,
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, with the format and its version."""
        plain: dict[str, Any] = json.loads(self.text())
        return plain

    def text(self) -> str:
        """The same as JSON."""
        everything = {"format": FORMAT, "version": VERSION, **vars(self)}
        return json.dumps(everything, default=vars, ensure_ascii=False, separators=(",", ":"))

    def write(self, folder: Path) -> None:
        """Write ``run.json``."""
        (folder / FILE).write_text(self.text(), encoding="utf-8")


def read(path: str | os.PathLike[str]) -> Run:
    """Read the run.json of a report.

    Args:
        path: the folder of a report, or the file

    Raises:
        OSError: there is none
        ValueError: it is no report, or one of a newer version
    """
    place = Path(path)
    place = place / FILE if place.is_dir() else place
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{place} is not JSON: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{place} is not a report of pynvme: its format is not {FORMAT!r}")
    if found.get("version") != VERSION:
        raise ValueError(
            f"{place} has version {found.get('version')} of the format, this pynvme reads {VERSION}"
        )
    try:
        return _run(found)
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{place} is damaged: {error}") from None


def _known(kind: Any, found: dict[str, Any]) -> Any:
    """Make an object of its fields. Others, of a later pynvme, are ignored."""
    names = _names(kind)
    return kind(**{name: value for name, value in found.items() if name in names})


@cache
def _names(kind: Any) -> frozenset[str]:
    return frozenset(one.name for one in fields(kind))


def _run(found: dict[str, Any]) -> Run:
    run: Run = _known(Run, found)
    run.drives = [_known(Drive, one) for one in found.get("drives", [])]
    run.workers = [_known(Worker, one) for one in found.get("workers", [])]
    run.tests = [test(one) for one in found.get("tests", [])]
    return run


def test(found: dict[str, Any]) -> Test:
    """A test of its plain data."""
    made: Test = _known(Test, found)
    made.queues = [_known(Queue, one) for one in found.get("queues", [])]
    made.workers = [_known(Worker, one) for one in found.get("workers", [])]
    return made
