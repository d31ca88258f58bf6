# SPDX-License-Identifier: BSD-3-Clause
"""The check after every test of this checkout: the test left no child, descriptor or DMA memory behind.

Only this process is looked at, since tests run in parallel. A private virtual SSD stays by design, until the
process ends: what it costs is not counted.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pynvme import vssd
from pynvme.vssd import VirtualSsd

SETTLE = 1.0
"""Seconds that what a test ended may take to be gone."""

KEPT_BY_A_LIBRARY = re.compile(r"/libffi\.so[.\d]*$|/matplotlib/.*\.ttf$")
"""libffi maps its own file for the first callback that ctypes makes, and keeps the descriptor. matplotlib
keeps the files of fonts that it has used."""


class Holdings(NamedTuple):
    """The resources of this process."""

    children: frozenset[int]
    descriptors: dict[int, str]
    dma_bytes: int

    @classmethod
    def now(cls) -> Holdings:
        """Read them."""
        return cls(frozenset(_children()), _descriptors(), _dma_bytes())

    def leaked_since(self, before: Holdings) -> list[str]:
        """Describe what is new since then, one sentence each."""
        found = [f"child {pid}: {_command(pid)}" for pid in self.children - before.children]
        found += [
            f"descriptor {number}: {target}"
            for number, target in self.descriptors.items()
            if before.descriptors.get(number) != target and len(self.descriptors) > len(before.descriptors)
        ]
        if self.dma_bytes > before.dma_bytes:
            found.append(f"{self.dma_bytes - before.dma_bytes} bytes of DMA memory")
        return found


def _children() -> Iterator[int]:
    private = {drive.pid for drive in _private_drives()}
    for task in Path("/proc/self/task").iterdir():
        try:
            pids = (task / "children").read_text().split()
        except OSError:
            continue
        yield from (int(pid) for pid in pids if int(pid) not in private)


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return "gone by now"
    return words or "ended, not reaped"


def _descriptors() -> dict[int, str]:
    found = {}
    private = {fd for drive in _private_drives() for fd in (drive._owner_fd, drive._log.fileno())}
    for number in set(map(int, os.listdir("/proc/self/fd"))) - private:
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if not KEPT_BY_A_LIBRARY.search(target):
            found[number] = target
    return found


def _dma_bytes() -> int:
    driver = sys.modules.get("nvme")
    return driver._dma_in_use() if driver is not None else 0


def _private_drives() -> list[VirtualSsd]:
    with vssd._lock:
        return list(vssd._privates.values())


@pytest.fixture(scope="session", autouse=True)
def driver_started() -> None:
    """Have the driver allocate its memory before the first test: its descriptors stay open until the end."""
    with contextlib.suppress(ImportError):
        import nvme

        nvme.Buffer(1)


@pytest.fixture(autouse=True)
def leaves_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that passed but left something behind."""
    before = Holdings.now()
    yield
    report = getattr(request.node, "rep_call", None)
    if report is None or not report.passed:
        return
    # pytest drops its references only after this, and the last one frees a closed drive's memory.
    request.node.funcargs.clear()
    deadline = time.monotonic() + SETTLE
    while (leaked := Holdings.now().leaked_since(before)) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert not leaked, "the test left behind: " + "; ".join(leaked)
