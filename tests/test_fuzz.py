# SPDX-License-Identifier: BSD-3-Clause
"""The fuzzers of the virtual SSD in their long form, which is `make fuzz`; `make test` runs a short one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_a_million_commands_and_a_hundred_thousand_messages() -> None:
    done = subprocess.run([sys.executable, "tools/fuzz.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
