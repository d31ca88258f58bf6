# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the driver's own tests: no virtual SSD, but a drive that the test scripts.

A warning of the driver that a test does not expect fails it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Callable

import nvme
import pytest
from drive import Drive


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Turn the driver's warnings into failures, except where a test asks for them with pytest.warns."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("error::UserWarning"))


@pytest.fixture(scope="session", autouse=True)
def environment() -> None:
    """Start DPDK, whose descriptors stay until the process ends: no test has left them behind."""
    nvme.Buffer(4096)


@pytest.fixture
def drive() -> Iterator[Drive]:
    """Give a drive that is not served yet: the test scripts it, starts it and opens its address."""
    drive = Drive()
    yield drive
    drive.stop()


@pytest.fixture
def opened(drive: Drive) -> Iterator[Callable[..., SimpleNamespace]]:
    """Give ``opened(depth=16)``: starts the drive and opens it as .pcie, .nvme0, .nvme0n1 and .qpair."""
    found: list[SimpleNamespace] = []

    def open_all(depth: int = 16) -> SimpleNamespace:
        pcie = nvme.Pcie(drive.start())
        nvme0 = nvme.Controller(pcie)
        found.append(
            SimpleNamespace(
                pcie=pcie, nvme0=nvme0, nvme0n1=nvme.Namespace(nvme0), qpair=nvme.Qpair(nvme0, depth)
            )
        )
        return found[0]

    yield open_all
    for each in found:
        each.pcie.close()
        vars(each).clear()
