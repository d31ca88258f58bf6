# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the suite, and the rules of a run.

Warnings of the driver are no failures here, since each test judges the statuses itself.
"""

from __future__ import annotations

import json
import os
import random
import time
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import nvme
import pytest

from pynvme import failures, vssd
from pynvme.plugin import SEED_VARIABLE
from pynvme.report.plugin import finding_key, seed_key
from pynvme.suite import known, options, reproduce
from pynvme.suite.drive import Drive
from pynvme.suite.finding import Finding, place_of
from pynvme.suite.marks import Need
from pynvme.suite.model import Model
from pynvme.suite.traffic import model_of
from pynvme.suite.writing import Writer

FOLDER = Path(__file__).parent

OF_THE_DRIVE = (
    nvme.NamespaceCreationError,
    nvme.NvmeEnumerateError,
    nvme.NvmeShutdownStatusTimeoutError,
    nvme.QpairCreationError,
    nvme.QpairDeletionError,
    SystemError,
    TimeoutError,
)
"""Errors of the driver that say what the drive did not do."""

_seed = pytest.StashKey[int]()
_scale = pytest.StashKey[float]()
_met = pytest.StashKey[dict[str, bool]]()
_finding = pytest.StashKey[Finding]()
_known = pytest.StashKey[list[known.Known]]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed."""
    wanted = config.getoption(options.SEED, None) or os.environ.get(SEED_VARIABLE)
    try:
        config.stash[_seed] = int(wanted, 0) if wanted else random.SystemRandom().getrandbits(32)
    except ValueError:
        raise pytest.UsageError(f"{options.SEED} must be an integer, not {wanted!r}") from None
    path = config.getoption(options.KNOWN, None)
    try:
        config.stash[_known] = known.read(path) if path else []
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"{options.KNOWN}: {error}") from None
    config.stash[_scale] = 1.0
    config.stash[_met] = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Divide the time over the tests that are selected, and refuse to overwrite a real drive unasked."""
    mine = [item for item in items if item.path.parent == FOLDER]
    for item in mine:
        item.add_marker(pytest.mark.filterwarnings("ignore::UserWarning"))
    config.stash[_scale] = options.scale(mine, config.getoption(options.TIME, None))
    address = str(config.getoption("--pciaddr"))
    if mine and not (config.option.collectonly or vssd.is_private(address) or config.getoption(options.YES)):
        raise pytest.UsageError(
            f"these tests overwrite, format and erase the drive {address}: confirm this with {options.YES}"
        )


def pytest_report_collectionfinish(config: pytest.Config) -> str:
    """Name the seed."""
    seed = config.stash[_seed]
    return f"drive {config.getoption('--pciaddr')}, seed {seed} (repeat it with {options.SEED}={seed})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Skip a test that needs what this device, or the engine, cannot do at all."""
    try:
        return (yield)
    except NotImplementedError as error:
        if item.path.parent != FOLDER:
            raise
        pytest.skip(f"needs more than there is: {error}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a finding as its text, without a traceback, and write the report's line."""
    report = yield
    error = _as_finding(item, call.excinfo.value) if call.excinfo is not None else None
    if isinstance(error, Finding):
        if call.when == "call":
            _reproduce(item, error)
        report.longrepr = str(error)
        item.stash[finding_key] = error.record()
        why = known.reason(item.config.stash[_known], error)
        if why is not None:
            report.outcome = "skipped"
            report.wasxfail = f"known: {why}"
    path = item.config.getoption(options.REPORT, None)
    if path and (call.when == "call" or report.outcome != "passed"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(_line(item, call, report, error)) + "\n")
    return report


def _reproduce(item: pytest.Item, finding: Finding) -> None:
    """Look for a short script. If this fails, the finding counts nevertheless."""
    drive = getattr(item, "funcargs", {}).get("drive")
    wanted = item.config.getoption(options.SHRINK, "0")
    if not isinstance(drive, Drive):
        return
    try:
        reproduce.reproduce(finding, drive.nvme0, options.seconds(wanted))
    except Exception as error:
        finding.reproduced = f"no: {type(error).__name__}: {error}"


def _as_finding(item: pytest.Item, error: BaseException) -> BaseException:
    """Make a finding of an error of the driver, which the drive has caused."""
    for one in getattr(error, "exceptions", ()):
        if isinstance(one, Finding):
            return one
    drive = getattr(item, "funcargs", {}).get("drive")
    if isinstance(drive, Drive) and isinstance(error, OF_THE_DRIVE):
        found = drive.finding("Base 2.0, 3.5 Controller Initialization", "an answer", f"{error}")
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        found.place = place_of(reversed(frames))
        return found
    return error


def _line(item: pytest.Item, call: Any, report: pytest.TestReport, error: object) -> dict[str, Any]:
    """A test, its outcome and its finding as plain data."""
    return {
        "test": f"{item.path.stem}::{item.name}",
        "phase": call.when,
        "outcome": report.outcome,
        "seconds": round(call.duration, 3),
        "at": time.time(),
        "why": str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else "",
        "known": getattr(report, "wasxfail", ""),
        "finding": error.record() if isinstance(error, Finding) else None,
        "error": "" if error is None or isinstance(error, Finding) else f"{type(error).__name__}: {error}",
    }


@pytest.fixture(autouse=True)
def statuses_are_judged_here() -> Iterator[None]:
    """Take the failures of commands from the plugin, which would judge them too."""
    before = failures._listener
    failures.listen(None)
    yield
    failures.listen(before)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run."""
    request.node.stash[seed_key] = request.config.stash[_seed]
    return request.config.stash[_seed]


@pytest.fixture
def budget(request: pytest.FixtureRequest) -> options.Budget:
    """The time in which this test may repeat itself."""
    return options.Budget(options.default_seconds(request.node) * request.config.stash[_scale])


@pytest.fixture
def drive(
    request: pytest.FixtureRequest, nvme0: nvme.Controller, subsystem: nvme.Subsystem, seed: int
) -> Iterator[Drive]:
    """The drive under test. A test whose needs it does not meet is skipped."""
    drive = Drive(nvme0, subsystem, seed, f"{request.path.stem}::{request.node.name}")
    drive.keeps_power = bool(request.config.getoption(options.KEEP_POWER, False))
    drive.is_expendable = vssd.is_private(str(request.config.getoption("--pciaddr")))
    for mark in request.node.iter_markers("needs"):
        for need in mark.args:
            if not _is_met(request.config.stash[_met], need, drive):
                pytest.skip(f"needs {need.text}")
    drive.listen()
    yield drive
    drive.close()
    drive.leave()


def _is_met(known: dict[str, bool], need: Need, drive: Drive) -> bool:
    """Ask the drive once for each need."""
    if need.text not in known:
        known[need.text] = need.met(drive)
    return known[need.text]


@pytest.fixture
def model(drive: Drive) -> Model:
    """A model of the drive's first namespace, which knows nothing yet."""
    return model_of(drive)


@pytest.fixture
def writer(drive: Drive, model: Model) -> Writer:
    """Sends changes one at a time, which the model follows."""
    return Writer(drive, model)
