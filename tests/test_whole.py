# SPDX-License-Identifier: BSD-3-Clause
"""The tools run programs with a time limit, and leave no process of them behind."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parent.parent / "tools/whole.py"
spec = importlib.util.spec_from_file_location("whole", PATH)
assert spec and spec.loader
whole = importlib.util.module_from_spec(spec)
spec.loader.exec_module(whole)

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep({seconds})
"""


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie that nobody has reaped has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("seconds", [0, 600], ids=["the program ends", "the program hangs"])
def test_no_child_is_left(seconds):
    code = PARENT.format(seconds=seconds)
    done = whole.run([sys.executable, "-c", code], 3)
    assert done.hung, "a child holds the output open"
    for _ in range(100):
        if gone(int(done.output)):
            return
        time.sleep(0.05)
    pytest.fail("the child runs on")


def test_output_and_exit_code_are_those_of_the_program(tmp_path):
    code = "import os, sys; print(os.getcwd(), os.environ['WORD']); sys.exit(5)"
    done = whole.run([sys.executable, "-c", code], 60, tmp_path, {"WORD": "told"})
    assert done == (5, f"{tmp_path} told\n", False)
