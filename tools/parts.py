# SPDX-License-Identifier: BSD-3-Clause
"""The parts of a run of tests, and the summary at its end, for tools/test.py and tools/test_qemu.py."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Part:
    """The line of one part in the summary."""

    name: str
    passed: bool
    text: str
    seconds: float
    shown: list[str] = field(default_factory=list)
    """Those lines of its output that the user should read."""


def counts(report: Path, code: int, put_off: int = 0) -> str:
    """`120 passed, 1 failed, 2 skipped`, from the report that pytest wrote.

    put_off is how many of the skipped tests run again later.
    """
    text = report.read_text(errors="replace") if report.exists() else ""
    found = re.search(r'errors="(\d+)" failures="(\d+)" skipped="(\d+)" tests="(\d+)"', text)
    if not found:
        return f"pytest ended with exit code {code} before it had counted"
    errors, failures, skipped, tests = map(int, found.groups())
    known = text.count('<skipped type="pytest.xfail"')
    bad = errors + failures
    said = f"{tests - bad - skipped} passed, {bad} failed, {skipped - known - put_off} skipped"
    said += f", {known} known to fail" if known else ""
    return said + (f", {put_off} put off by load" if put_off else "")


def summary(parts: list[Part]) -> int:
    """Print a line for each part. Return the exit code, which is 0 if all have passed."""
    width = max(len(part.name) for part in parts)
    for part in parts:
        word = "passed" if part.passed else "FAILED"
        print(f"{word}  {part.name:{width}}  {part.text}  ({part.seconds:.0f} s)")
    return 0 if all(part.passed for part in parts) else 1
