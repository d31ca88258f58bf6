# SPDX-License-Identifier: BSD-3-Clause
"""What the tests in the guest share: `make test-qemu` runs them, with QEMU's drives behind the kernel's PCIe.

Nothing here may run on a real machine: drives change hands between drivers, and their data are overwritten.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import nvme
import pytest

from pynvme import pci

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
    """Give ``drive("plain")``: its address; a test that wants one which this guest has not is skipped.

    A drive that the guest was given and the kernel does not have is a failure.
    """

    given = os.environ.get("NVME", "").replace("twins", "twin0 twin1").split()

    def address(word: str) -> str:
        assert word in drives or word not in given, f"the kernel does not have the guest's drive {word}"
        if word not in drives:
            pytest.skip(f"this guest has no drive called {word}")
        return drives[word]

    return address


@pytest.fixture
def plain(drive: Callable[[str], str]) -> str:
    """Give the address of the plain drive."""
    return drive("plain")


@pytest.fixture
def pcie(request: pytest.FixtureRequest, drive: Callable[[str], str]) -> Iterator[nvme.Pcie]:
    """Give the plain drive, opened, or the one that a file of tests names: ``DRIVE = "zoned"``."""
    device = nvme.Pcie(drive(getattr(request.module, "DRIVE", "plain")))
    yield device
    device.close()


@pytest.fixture
def nvme0(pcie: nvme.Pcie) -> nvme.Controller:
    """Give its controller, initialised."""
    return nvme.Controller(pcie)


@pytest.fixture
def nvme0n1(nvme0: nvme.Controller) -> Iterator[nvme.Namespace]:
    """Give its first namespace."""
    namespace = nvme.Namespace(nvme0, 1)
    yield namespace
    namespace.close()


@pytest.fixture
def qpair(nvme0: nvme.Controller) -> Iterator[nvme.Qpair]:
    """Give a queue pair of 64 entries."""
    pair = nvme.Qpair(nvme0, 64)
    yield pair
    pair.delete()


@pytest.fixture
def run_script() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give ``run_script(code)``: runs a script of its own; it gives back what it takes."""

    def run(code: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "import nvme as d\n" + code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )

    return run


def driver_of(address: str) -> str:
    """Name the driver that a function is bound to, "" where there is none."""
    link = FUNCTIONS / address / "driver"
    return link.resolve().name if link.exists() else ""


def override_of(address: str) -> str:
    """Name the driver that a function is to be bound to instead of its own, "" where there is none."""
    return (FUNCTIONS / address / "driver_override").read_text().strip().replace("(null)", "")


def disk_of(address: str, seconds: float = 10) -> Path:
    """Wait for the kernel's block device of a drive's first namespace: its path in /dev."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name in pci.Machine().disks(address):  # of several paths to a namespace, what they share
            if name.endswith("n1") and (Path("/dev") / name).is_block_device():
                return Path("/dev") / name
        time.sleep(0.05)
    raise TimeoutError(f"{address} has no block device after {seconds} s")
