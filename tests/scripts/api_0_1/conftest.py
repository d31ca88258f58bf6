# SPDX-License-Identifier: BSD-3-Clause
"""A conftest.py of one's own: the same option as the plugin's, and the same fixtures for a whole file.

The controller outlives the tests of a file and each test has queues of its own, so a queue is always deleted
before its controller.
"""

import nvme as d
import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--pciaddr", action="store", default="vssd", help="pci (BDF) address of the device under test"
    )


@pytest.fixture(scope="module")
def nvme0(pciaddr):
    return d.Controller(pciaddr.encode())


@pytest.fixture(scope="module")
def nvme0n1(nvme0):
    return d.Namespace(nvme0, 1)


@pytest.fixture(scope="module")
def pcie(nvme0):
    return d.Pcie(nvme0)


@pytest.fixture(scope="module")
def subsystem(nvme0):
    return d.Subsystem(nvme0)


@pytest.fixture
def qpair(nvme0):
    return d.Qpair(nvme0, 16)


@pytest.fixture
def buf():
    return d.Buffer(4096, "script")
