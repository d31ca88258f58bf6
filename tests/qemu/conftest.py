# SPDX-License-Identifier: BSD-3-Clause
"""What the tests in the guest share: `make test-qemu` runs them, with QEMU's drives behind the kernel's PCIe.

Nothing here may run on a real machine: drives change hands between drivers, and their data are overwritten.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest

IN_GUEST = "PYNVME_GUEST"
"""Set in the guest only."""

if IN_GUEST not in os.environ:
    collect_ignore_glob = ["test_*.py"]

FUNCTIONS = Path("/sys/bus/pci/devices")


def _drives() -> dict[str, str]:
    found = {}
    for controller in Path("/sys/class/nvme").glob("nvme*"):
        found[(controller / "serial").read_text().strip()] = (controller / "address").read_text().strip()
    return found


@pytest.fixture(scope="session")
def drives() -> dict[str, str]:
    """Give the address of each drive under the word by which tools/qemu/run made it.

    The kernel's driver knows them when the tests start; its list is not asked again.
    """
    found = _drives()
    assert found, "the guest has no NVMe drive"
    return found


@pytest.fixture
def drive(drives: dict[str, str]) -> Callable[[str], str]:
    """Give ``drive("plain")``: its address; a test that wants one which this guest has not is skipped."""

    def address(word: str) -> str:
        if word not in drives:
            pytest.skip(f"this guest has no drive called {word}")
        return drives[word]

    return address


@pytest.fixture
def plain(drive: Callable[[str], str]) -> str:
    """Give the address of the plain drive."""
    return drive("plain")
