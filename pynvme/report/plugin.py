# SPDX-License-Identifier: BSD-3-Clause
"""The part of the pytest plugin that writes a report (``--nvme-report=DIR``).

What only the process of a test knows travels in an attribute of its reports, which xdist passes on. The
process that was started collects the reports of all processes, and writes the files at the end of the run.
Without the option, nothing of this is active.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import shlex
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pynvme import plugin_option
from pynvme.report.run import BAD, Drive, Queue, Run, Test, Worker
from pynvme.report.run import test as test_of

OPTION = "--nvme-report"
ATTRIBUTE = "nvme_report"
"""The name in a report, and in the data of an xdist worker, of what this module adds."""

seed_key = pytest.StashKey[int]()
"""The seed of a test."""
finding_key = pytest.StashKey["dict[str, Any]"]()
"""What a test of pynvme.suite has found, as plain data."""

LONGEST_TEXT = 64 << 10
LONGEST_PASSED = 4 << 10
"""The most characters of a section of log or output, of a test that passed."""
COMMANDS = "last commands"


def add_option(parser: pytest.Parser) -> None:
    """Add ``--nvme-report``."""
    parser.addoption(
        OPTION,
        metavar="DIR",
        help="write a report of the run into this folder: index.html, with JUnit XML, CTRF and Parquet",
    )


def configure(config: pytest.Config) -> None:
    """Start to collect, if there will be a report."""
    folder = plugin_option.value(config, OPTION)
    if folder is None:
        return
    if not plugin_option.is_xdist(config):
        _check(Path(folder))
        config.pluginmanager.register(Writer(config, Path(folder)), "pynvme.report.writer")
    config.pluginmanager.register(Observer(config), "pynvme.report.observer")


def _check(folder: Path) -> None:
    with plugin_option.usable(OPTION):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}"
        probe.touch()
        probe.unlink()


# In the process of the tests


class Observer:
    """Adds to the reports what only this process knows."""

    def __init__(self, config: pytest.Config) -> None:
        """Watch the workers of all tests."""
        from pynvme import live, worker

        self._config = config
        self.drives: dict[str, Drive] = {}
        """The drives that were opened, by their keys."""
        self._keys: dict[str, str] = {}
        """Keys of the drives by their addresses, so that only the first test of a drive looks at it."""
        self._current = ""
        self._began = 0.0
        self._runs: list[Any] = []
        self._before = worker.sample_all
        worker.sample_all = True
        self._monitor = live.monitor
        self._monitor.listeners.append(self._runs.append)
        with contextlib.suppress(ImportError):
            import numpy  # noqa: F401  # now, and not in the first test

    def pytest_unconfigure(self) -> None:
        """Watch the workers no longer."""
        from pynvme import worker

        worker.sample_all = self._before
        with contextlib.suppress(ValueError):
            self._monitor.listeners.remove(self._runs.append)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """Look at a drive when a fixture opens it."""
        result = yield
        module = sys.modules.get("nvme")
        kind = getattr(module, "Controller", None)
        if kind is not None and isinstance(result, kind):
            with contextlib.suppress(Exception):
                self._look(result)
        return result

    def _look(self, nvme0: Any) -> None:
        from pynvme.report.drives import address_of, first_look

        address = address_of(nvme0)
        if address not in self._keys:
            drive = first_look(nvme0)
            self.drives[drive.key] = drive
            self._keys[address] = drive.key
        self._current = self._keys[address]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """A test begins."""
        self._began = time.time()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add what belongs to a phase of a test. Other plugins may use the drive to look into a failure."""
        found = self._queues(call)
        report = yield
        added: dict[str, Any] = {"start": call.start}
        if report.when == "call" or report.outcome != "passed":
            added |= self._about(item)
        if report.failed:
            added["queues"] = [{"name": one.name, "commands": one.commands} for one in found]
        if self._runs:
            added["workers"] = [vars(_worker(run)) for run in self._runs]
            self._runs.clear()
        setattr(report, ATTRIBUTE, added)
        return report

    def _queues(self, call: pytest.CallInfo[None]) -> list[Queue]:
        """The queues as they are at the end of a phase that did not pass."""
        if (
            call.excinfo is None
            or call.excinfo.errisinstance(pytest.skip.Exception)
            or "nvme" not in sys.modules
        ):
            return []
        from pynvme.report import queues

        return queues.snapshot(self._began)

    def _about(self, item: pytest.Item) -> dict[str, Any]:
        """The parts of a test that do not depend on its outcome."""
        mark = item.get_closest_marker("requirement")
        words = [*(str(word) for word in mark.args), "", ""][:2] if mark is not None else ["", ""]
        purpose, _, steps = inspect.cleandoc(
            getattr(getattr(item, "function", None), "__doc__", None) or ""
        ).partition("\n\n")
        finding = item.stash.get(finding_key, None)
        seed = finding["seed"] if finding else item.stash.get(seed_key, None)
        return {
            "requirement": words[0],
            "clause": words[1],
            "purpose": " ".join(purpose.split()),
            "steps": steps.strip(),
            "needs": [need.text for mark in item.iter_markers("needs") for need in mark.args],
            "drive": self._current if self._uses_drive(item) else "",
            "seed": seed,
            "finding": finding,
            "again": again(item, seed),
            "path": item.path.name,
        }

    def _uses_drive(self, item: pytest.Item) -> bool:
        names = getattr(item, "fixturenames", ())
        return bool(self.drives) and ("nvme0" in names or "pcie" in names or self._current in self.drives)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Look at the drives again, and pass on what the tests did not."""
        from pynvme.report.drives import last_look

        for drive in self.drives.values():
            last_look(drive)
        left = {
            "drives": [vars(drive) for drive in self.drives.values()],
            "workers": [vars(_worker(run)) for run in self._runs],
        }
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[ATTRIBUTE] = left
            return
        writer = self._config.pluginmanager.get_plugin("pynvme.report.writer")
        if isinstance(writer, Writer):
            writer.take(left)


def again(item: pytest.Item, seed: int | None) -> str:
    """The line of a shell that runs a test again, with the same random numbers."""
    words = [Path(sys.executable).name, "-m", "pytest", item.nodeid]
    address = str(item.config.getoption("--pciaddr", "vssd"))
    if "/suite/test_" in str(item.path) and item.path.parent.parent.name == "pynvme":
        words = [Path(sys.executable).name, "-m", "pynvme", "check", item.name]
        words += [f"--seed={seed}"] if seed is not None else []
        seed = None
    words += [f"--pciaddr={address}"] if address != "vssd" else []
    environment = f"PYNVME_SEED={seed} " if seed is not None else ""
    return environment + shlex.join(words)


def _worker(run: Any) -> Worker:
    """A worker that ended, as plain data that xdist can pass on."""
    from pynvme.report import workers

    return workers.record(run)


# In the process that was started


class Writer:
    """Collects the reports of all processes, and writes the files."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        """Remember the start of the run."""
        self._config = config
        self._folder = folder
        self._tests: dict[tuple[str, str], Test] = {}
        self._warnings: dict[str, list[str]] = {}
        self._told: list[str] = []
        self._run = Run(start=time.time(), command=shlex.join(["pytest", *config.invocation_params.args]))
        self._clock = time.monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add a phase of a test."""
        process = getattr(getattr(report, "node", None), "gateway", None)
        name = process.id if process is not None else ""
        test = self._tests.setdefault((name, report.nodeid), Test(report.nodeid, process=name))
        _add_phase(test, report)

    def pytest_warning_recorded(self, warning_message: Any, nodeid: str) -> None:
        """Keep a warning with its test."""
        text = f"{warning_message.category.__name__}: {warning_message.message}"
        place = f"{os.path.basename(warning_message.filename)}:{warning_message.lineno}"
        self._warnings.setdefault(nodeid, []).append(f"{text} ({place})")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the drives of an xdist worker."""
        self.take(getattr(node, "workeroutput", {}).get(ATTRIBUTE, {}))

    def take(self, left: dict[str, Any]) -> None:
        """Take what the tests did not pass on."""
        self._run.drives += [Drive(**one) for one in left.get("drives", [])]
        self._run.workers += [Worker(**one) for one in left.get("workers", [])]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Complete the run. The files are written with the summary, after all plugins are done."""
        self._run.exitstatus = int(session.exitstatus)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any, exitstatus: int) -> None:
        """Write the files, and tell where they are."""
        from pynvme.report import files

        run = self._run
        run.exitstatus = int(exitstatus)
        run.seconds = time.monotonic() - self._clock
        run.tests = list(self._tests.values())
        for test in run.tests:
            test.warnings = self._warnings.get(test.nodeid, [])
        told = files.write(run, self._folder)
        terminalreporter.section("report")
        for line in told:
            terminalreporter.write_line(line)


def _add_phase(test: Test, report: pytest.TestReport) -> None:
    added = getattr(report, ATTRIBUTE, {})
    if report.when == "setup" or not test.start:
        test.start = float(added.get("start", time.time()))
    test.seconds += report.duration
    test.outcome = _worse(test.outcome, _outcome(report), report.when)
    more = test_of({"nodeid": test.nodeid, **{k: v for k, v in added.items() if k != "start"}})
    if "again" in added:
        for name in ("requirement", "clause", "purpose", "steps", "needs", "drive", "seed", "again", "path"):
            setattr(test, name, getattr(more, name) or getattr(test, name))
        test.finding = test.finding or more.finding
    test.workers += more.workers
    test.queues = test.queues or more.queues
    test.unexpected += [list(row) for row in getattr(report, "nvme_failures", [])]
    test.properties.update((str(name), str(value)) for name, value in report.user_properties)
    if report.when == "call" or report.outcome != "passed":
        _add_message(test, report)
    if report.when == "teardown":
        _add_sections(test, report)


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.failed:
        return "failed" if report.when == "call" else "error"
    return str(report.outcome)


def _worse(now: str, new: str, when: str | None) -> str:
    """The outcome of a test after one more phase. A failure stays one."""
    if now in BAD or (when == "teardown" and new == "passed"):
        return now
    return new


def _add_message(test: Test, report: pytest.TestReport) -> None:
    if isinstance(report.longrepr, tuple):
        test.message = str(report.longrepr[2]).removeprefix("Skipped: ")
    elif report.longrepr is not None:
        text = _cut(report.longreprtext, LONGEST_TEXT)
        test.details = f"{test.details}\n\n{text}" if test.details else text
        crash = getattr(report.longrepr, "reprcrash", None)
        first = str(getattr(crash, "message", "") or text).strip().partition("\n")[0]
        test.message = test.message or first
    if test.finding and test.bad:
        test.message = f"seen: {test.finding['seen']}"
    if getattr(report, "wasxfail", ""):
        test.message = str(report.wasxfail)


def _add_sections(test: Test, report: pytest.TestReport) -> None:
    """The sections of the last phase are those of all phases."""
    most = LONGEST_TEXT if test.bad else LONGEST_PASSED
    test.sections = [
        [title, _cut(text, most)] for title, text in report.sections if text.strip() and COMMANDS not in title
    ]


def _cut(text: str, most: int) -> str:
    """The end of a text that is too long, since that is where a failure shows."""
    return text if len(text) <= most else f"… ({len(text) - most} characters left out)\n{text[-most:]}"
