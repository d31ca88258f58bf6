# SPDX-License-Identifier: BSD-3-Clause
"""One JUnit XML file for a campaign, with a suite for each job.

It names tests, times, and failures. The file of a job (``junit.xml`` in its folder) has its logs, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pynvme.lab.query import Results
from pynvme.report.junit import clean

FILE = "junit.xml"

_JOBS = """select job, task, drive, model, serial, firmware, host, seed, outcome, seconds, message,
    strftime(start, '%Y-%m-%dT%H:%M:%S+00:00') as start from jobs order by job"""
_TESTS = """select job, t.file, t.name, outcome, seconds, message, f.signature, f.expected, f.seen
    from tests t left join (select distinct on (job, nodeid) * from findings) f using (job, nodeid)
    order by job"""
PROPERTIES = ("task", "drive", "model", "serial", "firmware", "host", "seed")
ENDED = frozenset({"passed", "failed"})
"""Outcomes of a job that its tests explain."""


def lines(found: Results) -> Iterator[str]:
    """The lines of the file."""
    tests = {job: list(rows) for job, rows in groupby(found.ask(_TESTS).rows, key=lambda row: row[0])}
    yield '<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="pynvme campaign">'
    for job in found.ask(_JOBS).records():
        yield from _suite(job, tests.get(job["job"], []))
    yield "</testsuites>\n"


def _suite(job: dict[str, Any], tests: list[tuple[Any, ...]]) -> Iterator[str]:
    cases = [_case(*test[1:]) for test in tests]
    broken = job["outcome"] not in ENDED
    if broken:
        told = job["message"] or job["outcome"]
        cases.append(_element("job", job["task"], job["seconds"], "error", f"{job['outcome']}: {told}", ""))
    outcomes = [test[3] for test in tests]
    counts = {
        "tests": len(cases),
        "failures": outcomes.count("failed"),
        "errors": outcomes.count("error") + broken,
        "skipped": outcomes.count("skipped") + outcomes.count("xfailed"),
    }
    numbers = "".join(f' {name}="{count}"' for name, count in counts.items())
    yield (
        f"<testsuite name={_quoted(job['job'])}{numbers} time={_quoted(_seconds(job['seconds']))}"
        f" timestamp={_quoted(job['start'])} hostname={_quoted(job['host'])}>"
    )
    shown = [(name, job[name]) for name in PROPERTIES if job[name] not in (None, "")]
    properties = "".join(f"<property name={_quoted(name)} value={_quoted(value)}/>" for name, value in shown)
    yield f"<properties>{properties}</properties>"
    yield from cases
    yield "</testsuite>"


def _case(
    file: str, name: str, outcome: str, seconds: float, message: str, signature: str, expected: str, seen: str
) -> str:
    told = [("expected: ", expected), ("seen: ", seen), ("signature: ", signature)]
    text = "\n".join(title + part for title, part in told if part)
    kind = {"failed": "failure", "error": "error", "skipped": "skipped", "xfailed": "skipped"}.get(
        outcome, ""
    )
    return _element(
        name, file.removesuffix(".py"), seconds, kind, message, text if kind in ("failure", "error") else ""
    )


def _element(name: str, where: str, seconds: float, kind: str, message: str, text: str) -> str:
    head = f"<testcase name={_quoted(name)} classname={_quoted(where)} time={_quoted(_seconds(seconds))}"
    if not kind:
        return f"{head}/>"
    return f"{head}><{kind} message={_quoted(message)}>{escape(clean(text))}</{kind}></testcase>"


def _seconds(seconds: float | None) -> str:
    return f"{seconds or 0.0:.3f}"


@lru_cache(1 << 14)
def _quoted(value: Any) -> str:
    return quoteattr(clean("" if value is None else str(value)))
