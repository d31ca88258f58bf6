# SPDX-License-Identifier: BSD-3-Clause
"""The score in a short form: three bugs of different areas are found. ``make score`` judges all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pynvme.bugs import BUGS

ROOT = Path(__file__).parents[2]

SHORT = ("flush-does-nothing", "cid-12-bits", "identify-changes")
"""Bugs that are found within a few seconds."""


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What ``tools/score.py`` prints, by the bug."""
    done = subprocess.run(
        [sys.executable, "tools/score.py", "--bug", ",".join(SHORT), "--time", "20s"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert "Traceback" not in done.stderr, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    return {words[1]: words[-1] for words in lines if len(words) >= 5 and words[1] in BUGS}


@pytest.mark.parametrize("name", SHORT)
def test_a_bug_is_found_by_a_test_of_its_area(name: str, score: dict[str, str]) -> None:
    test = score[name]
    assert test.startswith(tuple(f"test_{area}::" for area in BUGS[name].areas)), test
