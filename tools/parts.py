# SPDX-License-Identifier: BSD-3-Clause
"""The parts of a run of tests, and the summary at its end: shared by tools/test.py and tools/test_qemu.py."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Part:
    """What the summary says of one part."""

    name: str
    passed: bool
    text: str
    seconds: float


def counts(report: Path, code: int) -> str:
    """`120 passed, 1 failed, 2 skipped`, from the report that pytest wrote."""
    text = report.read_text(errors="replace") if report.exists() else ""
    found = re.search(r'errors="(\d+)" failures="(\d+)" skipped="(\d+)" tests="(\d+)"', text)
    if not found:
        return f"pytest ended with exit code {code} before it had counted"
    errors, failures, skipped, tests = map(int, found.groups())
    known = text.count('<skipped type="pytest.xfail"')
    bad = errors + failures
    said = f"{tests - bad - skipped} passed, {bad} failed, {skipped - known} skipped"
    return f"{said}, {known} known to fail" if known else said


def summary(parts: list[Part]) -> int:
    """Print a line for each; the exit code: 0 where all have passed."""
    width = max(len(part.name) for part in parts)
    for part in parts:
        word = "passed" if part.passed else "FAILED"
        print(f"{word}  {part.name:{width}}  {part.text}  ({part.seconds:.0f} s)")
    return 0 if all(part.passed for part in parts) else 1
