# SPDX-License-Identifier: BSD-3-Clause
"""The rule of tests that measure time: a time fails a test only if no other process used the CPUs meanwhile.

A test of time says ``assert took < 3 or loaded()``. If it took longer, ``loaded()`` looks back to the
beginning of the test. If processes of the test waited for a CPU while other processes ran, or the hypervisor
took the CPU away, it skips the test with the reason ``load``; otherwise the assertion fails.

A test that has to look while something lasts has the mark ``timing``: each of its assertions is such a one.

Waits end with an error after a time that suffices on an idle machine, in fixtures as well. Under load, such
an error and a failed assertion are put off, whatever phase of the test raises them.

``make test`` runs the tests twice. The first run, with ``--beside=FILE``, shares the machine with others: it
leaves the tests with that mark out, and writes into the file which tests a load skipped. The second one, with
``--alone=FILE``, has the machine to itself and runs these and those.
"""

from __future__ import annotations

import os
import re
import resource
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

TICKS = os.sysconf("SC_CLK_TCK")

LOAD = re.compile(r"(Skipped: )?load: ")
"""How the reason of a test begins that a load skipped."""

LEAST_WAIT = 0.005
"""Seconds: a shorter wait for a CPU is no load."""

LEAST_SHARE = 0.05
"""Of the test's time: with a load it waits at least as long, and others have a CPU at least as long."""

LONGEST_EXACT_WAIT = 0.02
"""Seconds in which the processes of a test that needs single milliseconds may wait for a CPU."""

PUT_OFF = (AssertionError, TimeoutError, socket.timeout, subprocess.TimeoutExpired, pytest.fail.Exception)
"""Errors that a load can cause. socket.timeout is a TimeoutError from Python 3.10 on only. Other exceptions
may come from a crash, and fail a test at once."""

HAD_FAILED = "it had failed:"

MEASURING = ".timing"
"""What the name of the file of ``--beside`` ends with, for a list of the tests that were left out."""

PAUSE = 0.0005
"""Seconds: times of a machine on which a busy process pauses longer are not exact."""


class Usage(NamedTuple):
    """CPU time so far, in seconds."""

    moment: float
    own: float
    """Used by this process and those that it started."""
    all: float
    """Used by all processes."""
    stolen: float
    """Used by other virtual machines of the host."""
    waited: dict[int, float]
    """For how long each process of this test was ready to run and had no CPU, by PID."""

    @classmethod
    def now(cls) -> Usage:
        """Read the counters; those that this kernel does not have are 0."""
        ran, waited = 0.0, {}
        for pid in _family(os.getpid()):
            one_ran, waited[pid] = _schedstat(pid)
            ran += one_ran
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        total, stolen = _machine()
        return cls(time.monotonic(), ran + ended.ru_utime + ended.ru_stime, total, stolen, waited)

    def longest_wait_since(self, before: Usage) -> float:
        """Give for how long one of the processes waited for a CPU, whoever had it, in seconds."""
        return max((at - before.waited.get(pid, 0.0) for pid, at in self.waited.items()), default=0.0)

    def since(self, before: Usage) -> str:
        """Describe the load since then; empty if there was none."""
        seconds = self.moment - before.moment
        others = (self.all - before.all) - (self.own - before.own)
        stolen = self.stolen - before.stolen
        waited = self.longest_wait_since(before)
        if stolen > max(LEAST_WAIT, LEAST_SHARE * seconds):
            return f"the hypervisor took {stolen:.2f} s of {seconds:.2f}"
        if waited > max(LEAST_WAIT, LEAST_SHARE * seconds) and others > LEAST_SHARE * seconds:
            return f"waited {waited:.2f} s of {seconds:.2f} for a CPU, of which others had {others:.2f}"
        return ""


def _family(pid: int) -> Iterator[int]:
    """Give a process and all its descendants."""
    yield pid
    for task in _tasks(pid):
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _schedstat(pid: int) -> tuple[float, float]:
    """Give how long the threads of a process ran, and the longest wait of one of them, in seconds."""
    ran, waited = 0, 0
    for task in _tasks(pid):
        try:
            numbers = (task / "schedstat").read_text().split()
        except OSError:
            continue
        ran += int(numbers[0])
        waited = max(waited, int(numbers[1]))
    return ran / 1e9, waited / 1e9


def _machine() -> tuple[float, float]:
    try:
        with open("/proc/stat") as file:
            user, nice, system, _idle, _wait, hard, soft, stolen = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return 0.0, 0.0
    return (user + nice + system + hard + soft) / TICKS, stolen / TICKS


_began = Usage.now()


# The two runs


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the two runs."""
    group = parser.getgroup("load")
    group.addoption("--beside", metavar="FILE", help="leave tests of time out; write what a load skipped")
    group.addoption("--alone", metavar="FILE", help="run tests of time, and those that the file names")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose the tests of this run."""
    beside, alone = config.getoption("--beside"), config.getoption("--alone")
    if not beside and not alone:
        return
    later = set(Path(alone).read_text().splitlines()) if alone and os.path.exists(alone) else set()
    left = [item for item in items if _measures(item, later) != bool(alone)]
    if beside:
        Path(f"{beside}{MEASURING}").write_text("\n".join(item.nodeid for item in left))
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in set(left)]


def _measures(item: pytest.Item, later: set[str]) -> bool:
    return item.nodeid in later or item.get_closest_marker("timing") is not None


class _Beside:
    """Records the tests skipped because of a load, in the process that receives all results."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple) and LOAD.match(report.longrepr[2]):
            with self.path.open("a") as file:
                print(report.nodeid, file=file)
            if HAD_FAILED in report.longrepr[2]:
                self.failed.append(f"{report.nodeid}: {report.longrepr[2]}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.failed:
            terminalreporter.section("failed under load, to be judged alone")
            terminalreporter.write_line("\n".join(self.failed))


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the results, unless this is a worker of xdist, which sends them to the one that listens."""
    path = config.getoption("--beside")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Beside(path))


# The rule


def _phase(item: pytest.Item) -> Generator[None, object, object]:
    """In a lane of `make test`, put off a test that failed under load.

    `make test` runs it again alone, and that run decides whether it passes.
    """
    try:
        return (yield)
    except PUT_OFF as failure:
        # A fixture of a module raises the same error again for each of its tests.
        load = getattr(failure, "load", "") or Usage.now().since(_began)
        if item.config.getoption("--beside") and load:
            failure.load = load  # type: ignore[attr-defined]
            pytest.skip(f"load: {load}; {HAD_FAILED} {str(failure).splitlines()[:1]}")
        raise


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Judge the fixtures of a test by the counters of this phase."""
    _begin()
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Remember the counters at the beginning of the test."""
    _begin()
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Judge the ends of fixtures by the counters since the test began: they end what it has started."""
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Judge a test with the mark ``timing``."""
    try:
        return (yield)
    except AssertionError:
        if pyfuncitem.get_closest_marker("timing"):
            loaded()
        raise


def _begin() -> None:
    global _began
    _began = Usage.now()


def longest_pause() -> float:
    """Measure for how long, within half a second, a busy process did not run."""
    longest, last = 0.0, time.perf_counter()
    end = last + 0.5
    while last < end:
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


def loaded(exact: bool = False) -> bool:
    """Skip the running test if there was a load since it began; otherwise return False.

    ``exact``: the test measures single milliseconds. It is then also skipped if one of its own processes
    waited for a CPU while another one of them ran, or if a busy process does not run all the time now.
    """
    now = Usage.now()
    if load := now.since(_began):
        pytest.skip(f"load: {load}")
    if exact and (waited := now.longest_wait_since(_began)) > LONGEST_EXACT_WAIT:
        pytest.skip(f"load: waited {waited * 1e3:.0f} ms for a CPU")
    if exact and (pause := longest_pause()) > PAUSE:
        pytest.skip(f"load: the CPU is taken away for {pause * 1e6:.0f} us at a time")
    return False
