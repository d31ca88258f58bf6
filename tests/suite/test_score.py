# SPDX-License-Identifier: BSD-3-Clause
"""The score in a short form: three bugs of different areas are found. ``make score`` judges all of them."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from pynvme.bugs import BUGS

ROOT = Path(__file__).parents[2]

SHORT = ("flush-does-nothing", "cid-12-bits", "identify-changes")
"""Bugs that are found within a few seconds."""


def score(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``tools/score.py`` on the bugs, in a folder of its own: several processes run these tests."""
    words = [
        sys.executable,
        "tools/score.py",
        "--bug",
        ",".join(SHORT),
        "--time",
        "20s",
        f"--folder={folder}",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)


def test_each_bug_is_found_by_a_test_of_its_area(tmp_path: Path) -> None:
    done = score(tmp_path)
    assert "Traceback" not in done.stderr, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    found = {words[1]: words[-1] for words in lines if len(words) >= 5 and words[1] in BUGS}
    assert set(found) == set(SHORT)
    for name, test in found.items():
        assert test.startswith(tuple(f"test_{area}::" for area in BUGS[name].areas)), (name, test)


def test_a_folder_has_one_run_at_a_time(tmp_path: Path) -> None:
    """A second run would remove the campaign of the first one."""
    with open(tmp_path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = score(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"another run of the score uses {tmp_path}" in done.stderr
    assert not (tmp_path / "campaign").exists()
