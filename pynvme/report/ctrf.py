# SPDX-License-Identifier: BSD-3-Clause
"""The Common Test Report Format, whose schema is ``pynvme/schemas/report-ctrf.json``."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timezone
from typing import Any

from pynvme import __version__
from pynvme.report.run import Run, Test

VERSION = "0.0.0"
STATUS = {
    "passed": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "error": "failed",
    "skipped": "skipped",
    "xfailed": "skipped",
}


def text(run: Run) -> str:
    """The whole file."""
    return json.dumps(report(run), ensure_ascii=False, separators=(",", ":"))


def report(run: Run) -> dict[str, Any]:
    """The report as plain data."""
    start, stop = _ms(run.start), _ms(run.start + run.seconds)
    return {
        "reportFormat": "CTRF",
        "specVersion": VERSION,
        "reportId": str(uuid.uuid4()),
        "timestamp": datetime.fromtimestamp(run.start + run.seconds, timezone.utc).isoformat(
            timespec="seconds"
        ),
        "generatedBy": f"pynvme {__version__}",
        "results": {
            "tool": {"name": "pytest", "version": run.environment.get("pytest", "")},
            "summary": {**_summary(run), "start": start, "stop": stop},
            "tests": [_test(run, test) for test in run.tests],
            "environment": _environment(run),
        },
    }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _summary(run: Run) -> dict[str, int]:
    found = dict.fromkeys(("passed", "failed", "pending", "skipped", "other"), 0)
    for test in run.tests:
        found[STATUS[test.outcome]] += 1
    return {"tests": len(run.tests), **found, "suites": len({test.file for test in run.tests})}


def _test(run: Run, test: Test) -> dict[str, Any]:
    labels = run.labels(test)
    found: dict[str, Any] = {
        "name": test.nodeid,
        "status": STATUS[test.outcome],
        "duration": _ms(test.seconds),
        "start": _ms(test.start),
        "stop": _ms(test.start + test.seconds),
        "suite": [test.file],
        "rawStatus": test.outcome,
        "type": "drive",
        "filePath": test.file,
        "message": test.message,
        "trace": test.details,
        "tags": [test.requirement] if test.requirement else [],
        "threadId": test.process,
        "stdout": _output(test, "stdout"),
        "stderr": _output(test, "stderr"),
        "extra": {
            **labels,
            "seed": test.seed,
            "finding": test.finding,
            "properties": test.properties,
        },
    }
    return {name: value for name, value in found.items() if value not in ("", [])}


def _output(test: Test, stream: str) -> list[str]:
    """The lines of a stream."""
    return [line for title, text in test.sections if stream in title for line in text.splitlines()]


def _environment(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = {
        "reportName": "pynvme",
        "osPlatform": "linux",
        "osRelease": run.environment.get("kernel", ""),
        "osVersion": run.environment.get("system", ""),
    }
    if run.drives:
        found |= {"appName": run.drives[0].model, "appVersion": run.drives[0].firmware}
    found["extra"] = {
        "drives": [
            {name: getattr(drive, name) for name in ("address", "model", "serial", "firmware", "version")}
            for drive in run.drives
        ],
        "command": run.command,
        **run.environment,
    }
    return {name: value for name, value in found.items() if value != ""}
