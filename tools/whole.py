# SPDX-License-Identifier: BSD-3-Clause
"""Run a program with a time limit, and leave no process of it behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Done(NamedTuple):
    """A program that ended, or that was killed after its time limit (hung)."""

    code: int
    output: str
    hung: bool = False


def run(
    command: list[str],
    seconds: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Done:
    """Run a program, which gets no input. Its stderr goes into its output.

    The program gets a process group, which is killed at the end. Otherwise the children of a test that
    hangs would keep the CPUs busy.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    hung = False
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        hung = True
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if hung:
        output, _ = process.communicate()
    return Done(process.returncode, output, hung)
