# SPDX-License-Identifier: BSD-3-Clause
"""The time before the first command of a script, for the import, a controller, and a namespace."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import nvme

from pynvme.vssd import VirtualSsd, VirtualSsdError
from tools.bench.machine import WaitMeter
from tools.bench.session import Session

_LARGE_TIB = (16, 4)
"""Sizes of a large drive. The first one that the virtual SSD supports is used."""


def measure(session: Session) -> None:
    """Measure all figures of this module."""
    _controller(session)
    _namespace(session)
    _import(session)


def _controller(session: Session) -> None:
    """Connect and initialise. The drive runs already, and DMA memory is allocated."""
    if not session.wants("open.controller"):
        return
    session.tell("opening a controller")
    figure = session.figure("open.controller", "open a controller", "ms")
    with VirtualSsd(size="1G") as ssd:
        nvme.Pcie(ssd.address).close()

        def opened(meter: WaitMeter) -> float:
            start = time.perf_counter()
            pcie = nvme.Pcie(ssd.address)
            nvme.Controller(pcie)
            taken = (time.perf_counter() - start) * 1000
            meter.sample()
            pcie.close()
            return taken

        for _ in range(session.plan.runs):
            session.once(figure, opened)


def large_drive() -> tuple[VirtualSsd, int]:
    """The first virtual SSD of _LARGE_TIB that can be made, without data, and its size in TiB."""
    for size in _LARGE_TIB:
        try:
            return VirtualSsd(size=f"{size}T", null=True), size
        except VirtualSsdError:
            if size == _LARGE_TIB[-1]:
                raise
    raise AssertionError("unreachable")


def _namespace(session: Session) -> None:
    """Open a namespace with verification of every LBA."""
    if not session.wants("open.namespace"):
        return
    session.tell("opening a large namespace")
    ssd, size = large_drive()
    with ssd:
        figure = session.figure("open.namespace", f"open a namespace of {size} TiB, verified", "ms")

        def opened(meter: WaitMeter) -> float:
            pcie = nvme.Pcie(ssd.address)
            nvme0 = nvme.Controller(pcie)
            start = time.perf_counter()
            nvme.Namespace(nvme0, 1).verify_enable(True)
            taken = (time.perf_counter() - start) * 1000
            meter.sample()
            pcie.close()
            return taken

        for _ in range(session.plan.runs):
            session.once(figure, opened)


def _import(session: Session) -> None:
    """Import nvme in a new interpreter, which measures the time itself."""
    if not session.wants("import"):
        return
    session.tell("importing nvme")
    figure = session.figure("import", "import nvme", "ms")
    code = "import time; t = time.perf_counter(); import nvme; print((time.perf_counter() - t) * 1000)"
    folders = [str(Path(nvme.__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}

    def imported(_meter: WaitMeter) -> float:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return float(done.stdout)

    for _ in range(session.plan.runs):
        session.once(figure, imported)
