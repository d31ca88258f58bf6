# SPDX-License-Identifier: BSD-3-Clause
"""``pytest --nvme-live`` shows a line for the IO workers of a test while they run.

The line appears below what pytest has printed, and is gone when the workers have ended. Nothing is shown if
the output is not a terminal, with ``-q``, or in the processes of pytest-xdist.
"""

from __future__ import annotations

import contextlib
import os
from typing import TextIO

import pytest

from pynvme import plugin_option

OPTION = "--nvme-live"


def add_option(parser: pytest.Parser) -> None:
    """Add ``--nvme-live``."""
    parser.addoption(
        OPTION,
        action="store_true",
        help="show a line with IOPS, MB/s, latency, temperature and time left of the IO workers that run",
    )


def configure(config: pytest.Config) -> None:
    """Show the line, if there is a terminal for it."""
    is_silent = plugin_option.is_xdist(config) or config.option.verbose < 0
    if is_silent or not plugin_option.value(config, OPTION):
        return
    terminal = _terminal(config)
    if terminal is not None:
        config.pluginmanager.register(Shower(config, terminal), "pynvme.live")


def _terminal(config: pytest.Config) -> TextIO | None:
    """The terminal that pytest was started on, whatever it does to standard output while a test runs."""
    capture = config.pluginmanager.getplugin("capturemanager")
    free = capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext()
    with free:
        if os.environ.get("TERM") in ("dumb", "unknown") or not os.isatty(1):
            return None
        return os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")


class Shower:
    """Makes the monitor of workers show all of them on a terminal."""

    def __init__(self, config: pytest.Config, terminal: TextIO) -> None:
        """Begin."""
        from pynvme import live, worker

        self._terminal = terminal
        self._config = config
        self._monitor = live.monitor
        self._before = self._monitor.make_screen, self._monitor.show_all, worker.sample_all
        self._monitor.make_screen = lambda: live.TerminalScreen(terminal, self._column(), stays=False)
        self._monitor.show_all = worker.sample_all = True

    def _column(self) -> int:
        """How much pytest has printed in the current line."""
        if self._config.pluginmanager.getplugin("terminalreporter") is None:
            return 0
        return self._config.get_terminal_writer().width_of_current_line

    def pytest_unconfigure(self) -> None:
        """End."""
        from pynvme import worker

        self._monitor.stop()
        self._monitor.make_screen, self._monitor.show_all, worker.sample_all = self._before
        self._terminal.close()
