# SPDX-License-Identifier: BSD-3-Clause
"""The machine and the commit that the figures depend on, and the waiting for its CPUs."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""


def _fields(path: str) -> dict[str, str]:
    """The lines ``name: value`` of a file of the kernel. If a name repeats, the first line counts."""
    found: dict[str, str] = {}
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    return found


def kib(path: str, *names: str) -> int:
    """The sum of some fields of a file whose values are in kB. A missing field counts as 0."""
    fields = _fields(path)
    return sum(int(fields[name].split()[0]) for name in names if name in fields)


def commit() -> str | None:
    """The commit of this checkout, or None if it is none, or git is missing."""
    if not (ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _huge() -> str:
    """The setting of transparent huge pages, and how many hugepages are reserved."""
    try:
        words = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text().split()
        transparent = next(word.strip("[]") for word in words if word.startswith("["))
    except (OSError, StopIteration):
        transparent = "unknown"
    return f"transparent: {transparent}, set aside: {_fields('/proc/meminfo').get('HugePages_Total', '0')}"


def about() -> dict[str, Any]:
    """The description of the machine for the JSON file."""
    return {
        "cpu": _fields("/proc/cpuinfo").get("model name", platform.machine()),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mib": kib("/proc/meminfo", "MemTotal") >> 10,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "hugepages": _huge(),
    }


def children() -> set[int]:
    """The child processes of this one."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found |= {int(pid) for pid in (task / "children").read_text().split()}
        except OSError:
            continue
    return found


class WaitMeter:
    """Measures how long processes waited for a CPU, by the kernel's count (/proc/PID/schedstat).

    The file of a worker disappears with the worker, so call ``sample`` shortly before its end. The last value
    counts. Each call takes some CPU time, so call it only twice per run.
    """

    def __init__(self, pids: Sequence[int] = ()) -> None:
        """Start with this process, its children and ``pids``. sample() finds later children."""
        self._known = [os.getpid(), *pids]
        self._first: dict[int, tuple[float, int]] = {}
        self._last: dict[int, tuple[float, int]] = {}
        self.sample()

    @staticmethod
    def _waited(pid: int) -> int | None:
        """Nanoseconds that all threads of a process waited, or None if the process has ended."""
        try:
            tasks = list(Path(f"/proc/{pid}/task").iterdir())
            return sum(int((task / "schedstat").read_text().split()[1]) for task in tasks)
        except (OSError, IndexError):
            return None

    def sample(self) -> None:
        """Look at every process once."""
        for pid in {*self._known, *children()}:
            waited = self._waited(pid)
            if waited is not None:
                now = time.monotonic()
                self._first.setdefault(pid, (now, waited))
                self._last[pid] = (now, waited)

    def share(self) -> float:
        """The largest share of its time that one of the processes waited, 0 … 1."""
        shares = [0.0]
        for pid, (start, before) in self._first.items():
            end, after = self._last[pid]
            if end > start:
                shares.append((after - before) / 1e9 / (end - start))
        return max(shares)
