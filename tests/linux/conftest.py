# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of Linux's driver share. A guest's kernel drives the virtual SSD, without our driver.

`make test-qemu` runs them where QEMU can use a virtual SSD. They overwrite the drive.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel import Drive, run, wait
from kernel import controllers as all_controllers

IN_GUEST = "PYNVME_GUEST"

if IN_GUEST not in os.environ:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def controllers() -> list[Drive]:
    """Give all controllers of virtual SSDs, live."""
    found = [Drive(path) for path in wait(all_controllers)]
    for drive in found:
        wait(lambda drive=drive: drive.state() == "live")
    return found


@pytest.fixture
def drive(controllers: list[Drive]) -> Iterator[Drive]:
    """Give the first one. Afterwards it is live, and the kernel has complained about nothing."""
    mark = f"pynvme-{time.monotonic_ns()}"
    Path("/dev/kmsg").write_text(f"{mark}\n")
    yield controllers[0]
    wait(lambda: controllers[0].state() == "live")
    after = run("dmesg").partition(mark)[2]
    assert "timeout" not in after and "WARNING" not in after and "BUG:" not in after, after
