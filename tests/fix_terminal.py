# SPDX-License-Identifier: BSD-3-Clause
"""Scripts on a terminal of their own, so that a test can press Ctrl-C: it reaches the whole process group."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from typing import Callable

import pytest

from tests.signals import takes_ctrl_c

WINDOW = ("COLUMNS", "LINES")
"""Variables that a script believes rather than its terminal. The workers of pytest-xdist have them, because
readline sets them when pytest loads it."""


class Terminal:
    """A Python process in a session of its own, with a terminal; ``text`` is what it has printed so far."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str], columns: int) -> None:
        """Start it."""
        self.text = ""
        try:
            self.master, slave = pty.openpty()
        except OSError as error:
            pytest.skip(f"this system has no pseudo terminals (/dev/pts is not mounted): {error}")
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            takes_ctrl_c([sys.executable, *arguments], terminal=True),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={name: value for name, value in environment.items() if name not in WINDOW},
            start_new_session=True,
        )
        os.close(slave)

    def read_until(self, wanted: str, seconds: float = 20) -> str:
        """Wait until it has printed ``wanted``."""
        deadline = time.monotonic() + seconds
        while wanted not in self.text and time.monotonic() < deadline:
            if not self._read(0.1) and self.process.poll() is not None:
                break
        assert wanted in self.text, self.text
        return self.text

    def _read(self, seconds: float) -> bool:
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError as error:
            if error.errno == errno.EIO:  # nobody has the other side open any more
                return False
            raise
        self.text += data.decode(errors="replace")
        return bool(data)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self.master, b"\x03")

    def ended(self, seconds: float) -> bool:
        """Wait for its end, and read the rest of what it printed."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.poll() is not None

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(environment: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    """Give ``terminal(*arguments, columns=80)``: Python with these arguments, on a terminal."""
    opened: list[Terminal] = []

    def start(*arguments: str, columns: int = 80) -> Terminal:
        opened.append(Terminal(arguments, environment, columns))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
