# SPDX-License-Identifier: BSD-3-Clause
"""The results of a campaign as tables of Parquet, made of its journal and of what its jobs have left.

The tables are derived: deleting them loses nothing, and :func:`collect` writes all of them again.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pynvme.lab import journal, schema, signature
from pynvme.report import run as runs
from pynvme.report.run import Drive, Run, Test, Worker

JOBS = "jobs"
LOST, UNFINISHED = "lost", "unfinished"
BROKEN = frozenset({"error", "time-out"})
"""Outcomes of a job that count as a finding, even if no test tells of one."""
ROWS = 10_000
"""Rows that are kept in memory before they are written."""
LARGEST = (1 << 63) - 1


@dataclass
class Attempt:
    """An attempt of a job, as the journal tells it."""

    job: str
    number: int
    begin: dict[str, Any]
    end: dict[str, Any] | None = None
    lost: dict[str, Any] | None = None

    @property
    def outcome(self) -> str:
        """How it ended."""
        if self.end is not None:
            return str(self.end.get("outcome", "error"))
        return LOST if self.lost is not None else UNFINISHED

    @property
    def done(self) -> bool:
        """Whether the job need not run again."""
        return self.end is not None and self.outcome != journal.INTERRUPTED

    @property
    def seconds(self) -> float:
        """How long it took, as far as that is known."""
        if self.end is not None and "seconds" in self.end:
            return float(self.end["seconds"])
        last = self.end or self.lost or self.begin
        return max(0.0, float(last.get("clock", 0)) - float(self.begin.get("clock", 0)))

    @property
    def path(self) -> str:
        """The folder that it left, in that of the campaign."""
        return f"{JOBS}/{self.job}/{self.number}"


@dataclass
class Campaign:
    """A campaign, as its journal tells it."""

    folder: Path
    about: dict[str, Any] = field(default_factory=dict)
    """Its first event."""
    drives: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The last event of each drive, by its key."""
    aside: dict[str, str] = field(default_factory=dict)
    """Why drives were set aside."""
    jobs: dict[str, list[Attempt]] = field(default_factory=dict)
    stop: str = ""
    """Why it stopped, or empty if it still runs or was killed."""
    lasted: float = 0.0
    """Seconds that it has run, up to its last event. It does not run between its end and a ``--resume``."""
    before: float = 0.0
    """Those up to the last ``--resume``."""

    @property
    def name(self) -> str:
        """The name in the plan."""
        return str(self.about.get("name") or self.folder.name)

    @property
    def start(self) -> float:
        """When it began, in seconds since 1970."""
        return float(self.about.get("time", 0))


def read(folder: str | os.PathLike[str]) -> Campaign:
    """Read the journal of a campaign.

    Raises:
        JournalError: there is none, it is damaged, or its version is newer than this pynvme
    """
    path = Path(folder).resolve()
    found = Campaign(path)
    for event in journal.read(path):
        _take(found, event)
    return found


def _clock(found: Campaign, event: dict[str, Any]) -> float:
    """When an event was, in seconds that the campaign had run. The clock of its host may be set meanwhile."""
    if event["event"] == "resume":
        found.before = found.lasted
    if "elapsed" in event:
        clock = found.before + float(event["elapsed"])
    else:  # journals of old have the time alone
        clock = float(event.get("time", 0)) - float((found.about or event).get("time", 0))
    found.lasted = max(found.lasted, clock)
    return found.lasted


def _take(found: Campaign, event: dict[str, Any]) -> None:
    kind = event["event"]
    event = {**event, "clock": _clock(found, event)}
    if kind == "campaign":
        found.about = event
    elif kind == "drive":
        found.drives[event["drive"]] = event
    elif kind == "aside":
        found.aside[event["drive"]] = str(event.get("why", ""))
    elif kind == "health" and event["fit"]:
        found.aside.pop(event["drive"], None)
    elif kind == "begin":
        attempt = Attempt(event["job"], int(event["attempt"]), event)
        found.jobs.setdefault(event["job"], []).append(attempt)
        found.stop = ""
    elif kind in ("end", "lost"):
        for attempt in found.jobs.get(event["job"], []):
            if attempt.number == event["attempt"]:
                setattr(attempt, kind, event)
    elif kind == "stop":
        found.stop = str(event.get("why", "done"))


def deciding(attempts: list[Attempt]) -> Attempt:
    """The attempt of a job that counts: the last one that came to its end, or else the last one."""
    return next((one for one in reversed(attempts) if one.done), attempts[-1])


# The tables


class Tables:
    """Writes all tables, each into a temporary file, which takes its place unless there was an error."""

    def __init__(self, folder: Path) -> None:
        """Begin the files."""
        self._folder = folder
        self._parquet = schema.library("pyarrow.parquet")
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in schema.TABLES}
        self.counts: Counter[str] = Counter()
        folder.mkdir(parents=True, exist_ok=True)
        self._fresh = {name: folder / f".{name}.{os.getpid()}" for name in schema.TABLES}
        self._writers = {
            name: self._parquet.ParquetWriter(path, schema.arrow(name), compression="zstd")
            for name, path in self._fresh.items()
        }

    def add(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows to a table."""
        kept = self._rows[table]
        kept.extend(rows)
        if len(kept) >= ROWS:
            self._flush(table)

    def _flush(self, table: str) -> None:
        pyarrow = schema.library("pyarrow")
        kept = self._rows[table]
        self.counts[table] += len(kept)
        self._writers[table].write_table(pyarrow.Table.from_pylist(kept, schema=schema.arrow(table)))
        kept.clear()

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._discard()

    def _finish(self) -> None:
        """Write what is left, and put the files in their places."""
        for table, writer in self._writers.items():
            self._flush(table)
            writer.close()
        for table, path in self._fresh.items():
            path.replace(self._folder / f"{table}.parquet")

    def _discard(self) -> None:
        """Remove the temporary files."""
        for table, path in self._fresh.items():
            with contextlib.suppress(Exception):
                self._writers[table].close()
            path.unlink(missing_ok=True)


def collect(folder: str | os.PathLike[str]) -> dict[str, int]:
    """Write the tables of a campaign into its folder ``results``.

    A reader sees either the old files or the new ones.

    Args:
        folder: of the campaign

    Returns:
        The rows of each table.

    Raises:
        OSError: the folder cannot be written
        JournalError: it has no journal, or a damaged one
        RuntimeError: pyarrow is not installed
    """
    campaign = read(folder)
    with Tables(campaign.folder / schema.FOLDER) as tables:
        for attempts in campaign.jobs.values():
            _add_job(tables, campaign, attempts)
        tables.add("drives", map(_drive_row(campaign), campaign.drives))
    return dict(tables.counts)


def is_current(folder: Path) -> bool:
    """Whether all tables are there, of this version, and not older than the journal.

    Raises:
        ValueError: their version is newer than this pynvme
    """
    paths = [folder / schema.FOLDER / f"{name}.parquet" for name in schema.TABLES]
    if not all(path.exists() for path in paths):
        return False
    old = [path for path in paths if schema.version(path) < schema.VERSION]
    told = folder / journal.FILE
    written = min(path.stat().st_mtime_ns for path in paths)
    return not old and not (told.exists() and told.stat().st_mtime_ns > written)


def _drive_row(campaign: Campaign) -> Any:
    def row(key: str) -> dict[str, Any]:
        event = campaign.drives[key]
        return {
            "campaign": campaign.folder.name,
            **_drive_columns(key, event),
            "drive_group": event.get("group"),
            "host": event.get("host"),
            "address": event.get("address"),
            "tags": " ".join(map(str, event.get("tags") or ())),
            "aside": campaign.aside.get(key, ""),
        }

    return row


def _drive_columns(key: str, event: dict[str, Any], seen: Drive | None = None) -> dict[str, str]:
    """The columns of a drive, from what the job saw of it, or else from the journal."""
    names = ("model", "serial", "firmware")
    return {
        "drive": key,
        **{name: (getattr(seen, name) if seen else "") or str(event.get(name) or "") for name in names},
    }


def _add_job(tables: Tables, campaign: Campaign, attempts: list[Attempt]) -> None:
    attempt = deciding(attempts)
    begin = attempt.begin
    run, problem = _run_of(campaign.folder / attempt.path, attempt)
    key = str(begin.get("drive", ""))
    event = campaign.drives.get(key, {})
    base = {"campaign": campaign.folder.name, "job": attempt.job}
    about = {**base, "host": begin.get("host"), "seed": begin.get("seed"), "task": begin.get("task")}
    about |= _drive_columns(key, event, run.drives[0] if run.drives else None)
    found = list(_findings(attempt, about, run))
    wasted = [one for one in attempts if one.lost is not None and one is not attempt]
    job = {
        **about,
        "drive_group": event.get("group"),
        "repeat": begin.get("repeat"),
        "attempt": attempt.number,
        "outcome": attempt.outcome,
        "start": _time(float(begin.get("time", 0))),
        "seconds": attempt.seconds,
        "lost": sum(one.lost is not None for one in attempts),
        "lost_seconds": sum(one.seconds for one in wasted),
        "tests": len(run.tests),
        "failed": sum(test.bad for test in run.tests),
        "findings": len(found),
        "message": _message(attempt, problem),
    }
    tables.add("jobs", [job])
    tables.add("tests", ({**about, "repeat": begin.get("repeat"), **_test(test)} for test in run.tests))
    tables.add("findings", found)
    tables.add("intervals", _intervals(base, run))
    tables.add("smart", (row for drive in run.drives for row in _smart(base, key, drive)))


def _run_of(folder: Path, attempt: Attempt) -> tuple[Run, str]:
    """What pytest has left of an attempt, and what is wrong with that."""
    if attempt.end is None:
        return Run(), ""
    try:
        return runs.read(folder), ""
    except FileNotFoundError:
        return Run(), "" if attempt.outcome in BROKEN else "it has left no results"
    except (OSError, ValueError) as error:
        return Run(), str(error)


def _message(attempt: Attempt, problem: str) -> str:
    told = (attempt.end or {}).get("message") or (attempt.lost or {}).get("why") or ""
    return "; ".join(part for part in (str(told), problem) if part)


def _time(seconds: float) -> datetime | None:
    """A moment for Arrow. A number that is no moment is none."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


def _named(test: Test) -> dict[str, str]:
    return {"nodeid": test.nodeid, "file": test.file.rpartition("/")[2], "name": test.name}


def _test(test: Test) -> dict[str, Any]:
    return {
        **_named(test),
        "requirement": test.requirement,
        "clause": test.clause,
        "outcome": test.outcome,
        "bad": test.bad,
        "start": _time(test.start),
        "seconds": test.seconds,
        "message": test.message,
    }


def _findings(attempt: Attempt, about: dict[str, Any], run: Run) -> Iterator[dict[str, Any]]:
    """A row for each test that failed, or one for a job that was ended before it could tell of a test."""
    base = {**about, "path": attempt.path}
    bad = [test for test in run.tests if test.bad]
    for test in bad:
        detail = test.finding or {}
        yield {
            **base,
            **_named(test),
            "kind": "finding" if test.finding else "exception",
            **_signed(signature.of(test)),
            "expected": str(detail.get("expected", "")),
            "seen": str(detail.get("seen", "")) or test.message,
            "seed": about["seed"] if test.seed is None else test.seed,
            "reproduced": str(detail.get("reproduced", "")),
            "script": str(detail.get("script", "")),
            "commands": "\n".join(map(str, detail.get("commands") or ())),
            "again": test.again,
        }
    if attempt.outcome in BROKEN and not bad:
        message = _message(attempt, "")
        made = signature.of_job(str(about["task"]), attempt.outcome, message)
        yield {**base, "kind": "job", **_signed(made), "seen": message or attempt.outcome}


def _signed(found: signature.Signature) -> dict[str, str]:
    return {"signature": str(found), **found._asdict()}


def _intervals(base: dict[str, Any], run: Run) -> Iterator[dict[str, Any]]:
    for nodeid, workers in [(test.nodeid, test.workers) for test in run.tests] + [("", run.workers)]:
        for number, worker in enumerate(workers, 1):
            for sample in _samples(worker):
                yield {**base, "nodeid": nodeid, "worker": worker.title, "number": number, **sample}


def _samples(worker: Worker) -> Iterator[dict[str, Any]]:
    names = {"time": "time", "iops": "iops", "bandwidth": "bandwidth", "p50": "p50_us", "p99": "p99_us"}
    series = [worker.series.get(name) or () for name in names]
    for values in zip_longest(*series):
        yield dict(zip(names.values(), values))


def _smart(base: dict[str, Any], key: str, drive: Drive) -> Iterator[dict[str, Any]]:
    columns = {
        **base,
        "drive": key,
        **{name: getattr(drive, name) for name in ("model", "serial", "firmware")},
    }
    for when, digits in (("before", drive.smart_before), ("after", drive.smart_after)):
        numbers = _numbers(digits)
        if numbers:
            yield {**columns, "taken": when, **numbers}


def _numbers(digits: str) -> dict[str, int]:
    """The numbers of a SMART log. Those of more than 63 bits are the largest number of 63 bits."""
    try:
        page = bytes.fromhex(digits)
    except ValueError:
        return {}
    return {
        name: min(int.from_bytes(page[offset : offset + size], "little"), LARGEST)
        for name, offset, size, _ in schema.smart_places()
        if offset + size <= len(page)
    }


# Other campaigns


def last_before(folder: Path) -> Path | None:
    """The last campaign of the same name in the folder that this one is in, whose tables are there."""
    mine = _first(folder)
    found = []
    for path in folder.parent.glob(f"*/{journal.FILE}"):
        about = _first(path.parent)
        if about.get("name") == mine.get("name") and float(about["time"]) < float(mine["time"]):
            found.append((float(about["time"]), path.parent))
    return next((other for _, other in sorted(found, reverse=True) if _can_be_read(other)), None)


def _first(folder: Path) -> dict[str, Any]:
    """The event that begins a journal. Its name is None if there is none."""
    with contextlib.suppress(journal.JournalError):
        for event in journal.read(folder):
            return event
    return {"time": 0}


def _can_be_read(folder: Path) -> bool:
    paths = [folder / schema.FOLDER / f"{name}.parquet" for name in schema.TABLES]
    try:
        return all(schema.version(path) == schema.VERSION for path in paths)
    except (OSError, ValueError):
        return False
