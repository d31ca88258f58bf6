# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the public API share.

Most of them use the drive of ``--pciaddr`` through the plugin's fixtures. A test that breaks its drive has
one of its own: ``own_ssd``. A warning of the driver that a test does not expect fails it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import nvme
import pytest
from offered import IN_GUEST, SPDK, lba_bytes, wait_set

from pynvme import spec
from pynvme.spec.status import STATUS_NAMES
from pynvme.vssd import VirtualSsd, VirtualSsdError

ROOT = Path(__file__).parents[2]


_deselected = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker of tests/api."""
    config.addinivalue_line(
        "markers",
        "differs(model, why, breaks=False): a drive of this model (Identify) is known to break the "
        "specification here, see docs/found.md; breaks: it answers nobody afterwards, so the test is not run",
    )


@pytest.fixture(autouse=True)
def known(request: pytest.FixtureRequest) -> None:
    """Expect a test to fail on the drives that its mark names as different."""
    for marker in request.node.iter_markers("differs"):
        model, why = marker.args
        if request.getfixturevalue("nvme0").id_ctrl.mn == model:
            breaks = marker.kwargs.get("breaks", False)
            request.node.add_marker(pytest.mark.xfail(reason=f"{model}: {why}", run=not breaks))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Turn the driver's warnings into failures, except where a test asks for them with pytest.warns."""
    mine = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.filterwarnings("error::UserWarning"))
    if IN_GUEST:
        others = {item for item in mine if not uses_the_drive(item)}
        config.hook.pytest_deselected(items=[item for item in items if item in others])
        config.stash[_deselected] = len(others)
        items[:] = [item for item in items if item not in others]


def uses_the_drive(item: pytest.Item) -> bool:
    """Whether a test uses the drive of --pciaddr, and that one need not be a virtual SSD."""
    names = getattr(item, "fixturenames", ())
    return "pciaddr" in names and "ssd" not in names


def pytest_report_collectionfinish(config: pytest.Config) -> str:
    """Describe what the guest leaves out."""
    count = config.stash.get(_deselected, 0)
    return (
        f"{count} tests of tests/api are about virtual SSDs, or no drive at all: left to make test"
        if count
        else ""
    )


@pytest.fixture
def ssd(nvme0: nvme.Controller) -> Iterator[VirtualSsd]:
    """Give the control of the virtual SSD behind nvme0; other drives have no such thing and skip the test."""
    address = nvme0.addr
    address = address.decode() if isinstance(address, bytes) else address
    try:
        control = VirtualSsd.attach(address)
    except VirtualSsdError as error:
        pytest.skip(f"needs a virtual SSD: {error}")
    yield control
    control.close()


@pytest.fixture
def own_ssd() -> Iterator[VirtualSsd]:
    """Give a virtual SSD that only this test has, so that it may kill it."""
    with VirtualSsd(size="256M") as drive:
        yield drive


@pytest.fixture
def own(own_ssd: VirtualSsd) -> Iterator[SimpleNamespace]:
    """Give ``own.ssd``, and pcie, nvme0 and nvme0n1 opened on it."""
    pcie = nvme.Pcie(own_ssd.address)
    nvme0 = nvme.Controller(pcie)
    yield SimpleNamespace(ssd=own_ssd, pcie=pcie, nvme0=nvme0, nvme0n1=nvme.Namespace(nvme0, 1))
    pcie.close()


@pytest.fixture
def lba_size(nvme0n1: nvme.Namespace) -> int:
    """Bytes that an LBA of namespace 1 takes in a buffer."""
    return lba_bytes(nvme0n1)


@pytest.fixture
def assert_raised(nvme0: nvme.Controller) -> Callable[[nvme.Qpair], None]:
    """Check that the vector of a queue was raised by the time its completion was taken.

    SPDK's target raises it some time later.
    """

    def check(pair: nvme.Qpair) -> None:
        if nvme0.id_ctrl.mn == SPDK:
            wait_set(pair)
        assert pair.msix_isset()

    return check


@pytest.fixture
def verify(nvme0n1: nvme.Namespace) -> bool:
    """Make sure that verification compares reads, as it does if the data of LBAs are contiguous."""
    if lba_bytes(nvme0n1) & 0x1FF:
        pytest.skip("needs LBAs without metadata in the same buffer (FLBAS bit 4)")
    return bool(nvme0n1.verify_enable(True))


@pytest.fixture
def run_worker(nvme0n1: nvme.Namespace) -> Callable[..., nvme.DotDict]:
    """Give ``run_worker(**options)``: the result of a worker that ran from start to end."""
    return lambda **options: nvme0n1.ioworker(**options).start().close()


@pytest.fixture
def environment() -> dict[str, str]:
    """Give an environment in which another interpreter finds this nvme and this pynvme."""
    folders = [str(Path(nvme.__file__).parent), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(f for f in folders if f)}


@pytest.fixture
def python(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give ``python(code, *options)``: runs code in another interpreter, for a minute at most."""

    def run(code: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *options, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def run(
    pytester: pytest.Pytester, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Give ``run(*arguments)``: pytest in another process, with the plugin as an installed package has it."""
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    # At its end, hypothesis takes longer than all else: it imports itself. labgrid does so at the start.
    plugins = ["-p", "pynvme.plugin", "-p", "no:randomly", "-p", "no:hypothesispytest", "-p", "no:labgrid"]

    def run_pytest(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(*plugins, *arguments)

    return run_pytest


@pytest.fixture
def forgets_vendor() -> Iterator[None]:
    """What a test describes by :mod:`pynvme.vendor` is not there for others."""
    tables: tuple[dict[Any, Any], ...] = (spec.IO_COMMANDS, spec.ADMIN_COMMANDS, STATUS_NAMES)
    before = [dict(table) for table in tables]
    yield
    for table, old in zip(tables, before):
        table.clear()
        table.update(old)
