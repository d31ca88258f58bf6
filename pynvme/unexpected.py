# SPDX-License-Identifier: BSD-3-Clause
"""The part of the pytest plugin that finds unexpected failures of commands, and fails the test for them.

The driver issues a warning for each command that fails. A test expects it with ``pytest.warns``::

    with pytest.warns(UserWarning, match="ERROR status: 00/80"):
        nvme0n1.read(qpair, buf, 1 << 40).waitdone()

A failure counts as expected when the ``pytest.warns`` (or ``unittest``'s ``assertWarns``) around it matches
its warning, or when the test takes the warning out of a recorder with ``pop()``. Filters, on the command
line, in an ini file or in the test, decide what is shown and not what is expected. A warning that a filter
turns into an exception is not judged, since the test gets the exception.

The summary lists all other failures, with the test's name. They fail the test with ``--nvme-errors=fail``, or
with the value ``fail`` of the ini key or mark ``nvme_errors``. A verification mismatch and a failed assertion
in a callback always fail it.
"""

from __future__ import annotations

import re
import unittest
from collections import Counter
from collections.abc import Generator
from typing import Any, Callable

import pytest

from pynvme import failures
from pynvme.failures import Failure

OPTION = "--nvme-errors"
KEY = "nvme_errors"
MODES = ("warn", "fail")
OUTSIDE = "outside of a test"

_LINES = 50
"""The most tests that the summary lists."""

_ATTRIBUTE = "nvme_failures"
"""The key, in a report and in the data of an xdist worker, of the lists of kind, name and count."""


def add_option(parser: pytest.Parser) -> None:
    """Add ``--nvme-errors`` and the ini key ``nvme_errors``."""
    parser.addoption(
        OPTION,
        choices=MODES,
        help="commands that end with an error status that the test does not expect with pytest.warns: "
        f"list them in the summary (warn), or also fail the test (fail); default: the ini key {KEY}, or warn",
    )
    parser.addini(KEY, f"what {OPTION} is where it is not given: warn (default) or fail", default="warn")


def configure(config: pytest.Config) -> None:
    """Judge the tests of this session."""
    config.addinivalue_line(
        "markers", f"{KEY}(mode): '{MODES[0]}' or '{MODES[1]}', for this test instead of {OPTION}"
    )
    config.pluginmanager.register(Judge(config), "pynvme.unexpected")


class Recorder:
    """A recorder of warnings, with its list and its expectations. ``types`` is None if it has none."""

    def __init__(self, owner: Any, warnings: str, types: str, pattern: str) -> None:
        """Read the attributes of pytest's or unittest's object by their names."""
        self.owner = owner
        self._warnings = warnings
        self._types: Any = getattr(owner, types, None)
        self._pattern = getattr(owner, pattern, None)

    def received(self, warning: Warning) -> bool:
        """Whether a warning that was just issued arrived here, since a filter may have dropped it."""
        return any(entry.message is warning for entry in getattr(self.owner, self._warnings)[-8:])

    @property
    def expects(self) -> bool:
        """Whether the test expects warnings, and does not only record them."""
        return self._types is not None

    def matches(self, warning: Warning) -> bool:
        """Whether the test expects this warning."""
        if not isinstance(warning, self._types):
            return False
        return self._pattern is None or re.search(self._pattern, str(warning)) is not None


class Judge:
    """Collects the failures of each phase of a test, and fails the phase."""

    def __init__(self, config: pytest.Config) -> None:
        """Listen to the driver, and watch which recorders a test enters."""
        self._config = config
        self._mode = config.getoption(OPTION, None) or config.getini(KEY)
        _check_mode(self._mode, f"the ini key {KEY}")
        self._recorders: list[Recorder] = []
        self._unexpected: Counter[Failure] = Counter()
        self._recorded: list[tuple[Failure, Warning]] = []
        self._outside: Counter[Failure] = Counter()
        self._explained = False
        self._told: dict[str, Counter[Failure]] = {}
        self._undo: list[Callable[[], None]] = []
        self._watch_recorders()
        self._before = failures._listener
        failures.listen(self.failed)
        failures.summary = False

    def pytest_unconfigure(self) -> None:
        """Restore pytest, unittest and the driver."""
        while self._undo:
            self._undo.pop()()
        failures.listen(self._before)

    # Failures from the driver

    def failed(self, failure: Failure, warning: Warning) -> None:
        """Decide whether the test expected a failure, whose warning was just issued."""
        recorders = [*reversed(self._recorders)]
        if recorders and recorders[0].received(warning):
            for recorder in recorders:
                if not recorder.expects:
                    self._recorded.append((failure, warning))
                    return
                if recorder.matches(warning):
                    return
                # pytest.warns issues a warning that it does not match again, for the next one.
        self._unexpected[failure] += 1

    # Recorders of the test

    def _watch_recorders(self) -> None:
        self._watch(pytest.WarningsRecorder, "list", "expected_warning", "match_expr")
        context = type(unittest.TestCase().assertWarns(UserWarning))
        self._watch(context, "warnings", "expected", "expected_regex")
        original = pytest.WarningsRecorder.pop

        def pop(recorder: Any, *arguments: Any, **options: Any) -> Any:
            entry = original(recorder, *arguments, **options)
            self._recorded = [held for held in self._recorded if held[1] is not entry.message]
            return entry

        self._replace(pytest.WarningsRecorder, "pop", pop)

    def _watch(self, kind: Any, *attributes: str) -> None:
        """Record which objects of a context manager's class were entered and not left."""
        enter, leave = kind.__enter__, kind.__exit__

        def entered(owner: Any) -> Any:
            result = enter(owner)
            self._recorders.append(Recorder(owner, *attributes))
            return result

        def left(owner: Any, *error: Any) -> Any:
            self._recorders = [recorder for recorder in self._recorders if recorder.owner is not owner]
            return leave(owner, *error)

        self._replace(kind, "__enter__", entered)
        self._replace(kind, "__exit__", left)

    def _replace(self, kind: Any, name: str, function: Callable[..., Any]) -> None:
        original = getattr(kind, name)
        setattr(kind, name, function)
        self._undo.append(lambda: setattr(kind, name, original))

    # The phases of a test

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Judge what fixtures do before the test."""
        return (yield from self._phase(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Judge the test."""
        return (yield from self._phase(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Judge what fixtures do after the test."""
        return (yield from self._phase(item))

    def _phase(self, item: pytest.Item) -> Generator[None, Any, Any]:
        mode = self._mode_of(item)
        self._outside += self._settled()
        self._explained = False
        result = yield  # a phase that has failed keeps its own error, and its report shows the failures, too
        counts = self._peek()
        self._explained = any(failure.grave or mode == "fail" for failure in counts)
        if self._explained:
            pytest.fail(_explain(counts), pytrace=False)
        return result

    def _mode_of(self, item: pytest.Item) -> str:
        mark = item.get_closest_marker(KEY)
        if mark is None:
            return str(self._mode)
        mode = mark.args[0] if len(mark.args) == 1 and not mark.kwargs else None
        _check_mode(mode, f"{item.nodeid}: the mark {KEY}")
        return str(mode)

    def _peek(self) -> Counter[Failure]:
        """The unexpected failures since the phase began."""
        return self._unexpected + Counter(failure for failure, _ in self._recorded)

    def _settled(self) -> Counter[Failure]:
        """Return these failures, and begin a new phase."""
        counts = self._peek()
        self._unexpected.clear()
        self._recorded.clear()
        return counts

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put unexpected failures into the report of the phase, which xdist passes on."""
        report = yield
        counts = self._settled()
        if counts:
            setattr(report, _ATTRIBUTE, _to_lists(counts))
            if not self._explained:
                report.sections.append(
                    ("NVMe errors that the test did not expect", "\n".join(_lines(counts)))
                )
        return report

    # The session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect failures for the summary. With xdist, this runs in the process that writes the summary."""
        counts = _from_lists(getattr(report, _ATTRIBUTE, []))
        if counts:
            self._told.setdefault(report.nodeid, Counter()).update(counts)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect failures outside of tests in an xdist worker."""
        self._outside += _from_lists(getattr(node, "workeroutput", {}).get(_ATTRIBUTE, []))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the session for grave failures outside of tests."""
        self._outside += self._settled()
        workeroutput = getattr(self._config, "workeroutput", None)
        if workeroutput is not None:
            workeroutput[_ATTRIBUTE] = _to_lists(self._outside)
        elif session.exitstatus == pytest.ExitCode.OK and any(failure.grave for failure in self._outside):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """List the tests, each with its failures."""
        told = dict(self._told)
        if self._outside:
            told[OUTSIDE] = self._outside
        if not told:
            return
        terminalreporter.section("NVMe errors that no test expected")
        for name, counts in list(told.items())[:_LINES]:
            terminalreporter.write_line(f"{name}: {failures.describe(counts)}")
        if len(told) > _LINES:
            terminalreporter.write_line(f"… and {len(told) - _LINES} more tests")


def _check_mode(mode: object, where: str) -> None:
    if mode not in MODES:
        raise pytest.UsageError(f"{where} must be {MODES[0]!r} or {MODES[1]!r}, not {mode!r}")


def _to_lists(counts: Counter[Failure]) -> list[list[object]]:
    return [[failure.kind, failure.name, number] for failure, number in counts.items()]


def _from_lists(rows: list[list[Any]]) -> Counter[Failure]:
    return Counter({Failure(kind, name): number for kind, name, number in rows})


def _lines(counts: Counter[Failure]) -> list[str]:
    """One line for all failures, and one for each assertion."""
    lines = [failures.describe(counts)]
    for failure in counts:
        if failure.kind == failures.MISMATCH:
            lines.append(
                "The data that were read are not the data that were written: the log names the LBAs."
            )
        if failure.kind == failures.ASSERTION:
            lines.append(f"In a callback: {failure.name}")
    return lines


def _explain(counts: Counter[Failure]) -> str:
    """Why the test fails, and how to write that it expects this."""
    lines = _lines(counts)
    lines[0] += ", which the test does not expect"
    failure = next((one for one in counts if one.kind in (failures.STATUS, failures.MISMATCH)), None)
    pattern = "ASSERT: " if failure is None else f"ERROR status: {failure.name[:5]}"
    if {one.kind for one in counts} & {failures.STATUS, failures.MISMATCH, failures.ASSERTION}:
        lines.append(f'To expect it, put it into "with pytest.warns(UserWarning, match={pattern!r}):".')
    return "\n".join(lines)
