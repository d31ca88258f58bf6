# SPDX-License-Identifier: BSD-3-Clause
"""``pytest --nvme-pcapng=FILE`` writes a capture of a whole run: each command of each queue of each drive.

Each process of pytest-xdist writes a spool file beside the capture. The process that was started makes the
capture of all of them.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from pynvme import plugin_option

OPTION = "--nvme-pcapng"
WORKER_COMMANDS = "--nvme-pcapng-worker"
ATTRIBUTE = "nvme_pcapng"


def add_option(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption(
        OPTION,
        metavar="FILE",
        help="write all commands of all queues of the run into this .pcapng file, for Wireshark",
    )
    parser.addoption(
        WORKER_COMMANDS,
        metavar="N",
        type=int,
        default=10_000,
        help="of each IO worker, capture the first N commands (default: 10000) and the last 4096. 0: all",
    )


def configure(config: pytest.Config) -> None:
    """Begin a capture, if there will be one."""
    file = plugin_option.value(config, OPTION)
    if file is None:
        return
    is_part = plugin_option.is_xdist(config)
    if not is_part:
        _check(config, file)
        config.pluginmanager.register(Writer(Path(file)), "pynvme.pcapng.writer")
    if is_part or not getattr(config.option, "numprocesses", None):
        part = config.workerinput["workerid"] if is_part else "main"  # type: ignore[attr-defined]
        config.pluginmanager.register(Part(config, _spool(Path(file), part)), "pynvme.pcapng.part")


def _spool(file: Path, part: str) -> Path:
    return file.with_name(f".{file.name}.{part}.spool")


def _check(config: pytest.Config, file: str) -> None:
    if Path(file).suffix != ".pcapng":
        raise pytest.UsageError(f"{OPTION}: {file} must be named .pcapng")
    if config.getoption(WORKER_COMMANDS) < 0:
        raise pytest.UsageError(f"{WORKER_COMMANDS} must be 0 or more")
    with plugin_option.usable(OPTION):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        for old in Path(file).parent.glob(f".{Path(file).name}.*.spool"):
            old.unlink()
        with open(file, "ab"):
            pass


class Part:
    """Captures the commands of this process, and marks where each test begins."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        """Begin."""
        from pynvme.trace.capture import Spool

        self._config = config
        with plugin_option.usable(OPTION):
            self._spool = Spool(os.fspath(path), config.getoption(WORKER_COMMANDS))
        self._is_running = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        from pynvme.trace.spool import Mark

        self._spool.marks.append(Mark(time.time_ns(), nodeid))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """End the capture, and pass the marks on."""
        self.stop()
        output = getattr(self._config, "workeroutput", None)
        marks = [list(mark) for mark in self._spool.marks]
        if output is not None:
            output[ATTRIBUTE] = [self._spool.path, marks]
            return
        writer = self._config.pluginmanager.get_plugin("pynvme.pcapng.writer")
        if isinstance(writer, Writer):
            writer.take(self._spool.path, marks)

    def stop(self) -> None:
        """End the capture, once."""
        if self._is_running:
            self._is_running = False
            self._spool.stop()

    def pytest_unconfigure(self) -> None:
        """End the capture of a session that did not begin."""
        with contextlib.suppress(Exception):
            self.stop()


class Writer:
    """Makes the capture of the spool files of all processes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._marks: dict[str, list[list[Any]]] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the marks of an xdist worker."""
        if ATTRIBUTE in getattr(node, "workeroutput", {}):
            self.take(*node.workeroutput[ATTRIBUTE])

    def take(self, path: str, marks: list[list[Any]]) -> None:
        """Take the marks of a process."""
        self._marks[path] = marks

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the capture, also with what a process that crashed has left."""
        from pynvme.trace import spool
        from pynvme.trace.files import replaced

        found = sorted(self._file.parent.glob(f".{self._file.name}.*.spool"))
        spools = [
            (str(path), [spool.Mark(*mark) for mark in self._marks.get(str(path), [])]) for path in found
        ]
        with replaced(os.fspath(self._file)) as out:
            counts = spool.write(spools, out)
        terminalreporter.section("capture")
        terminalreporter.write_line(f"{self._file}: {counts}")

    def pytest_unconfigure(self) -> None:
        """Remove the spool files."""
        for path in self._file.parent.glob(f".{self._file.name}.*.spool"):
            with contextlib.suppress(OSError):
                path.unlink()
