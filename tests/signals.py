# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C in tests that were started with SIGINT ignored, as a shell's background jobs are (``make test &``).

Python leaves an ignored SIGINT alone, and child processes inherit that. A test that presses Ctrl-C starts its
script by :func:`takes_ctrl_c`, or waits in :func:`ctrl_c_raises`. Other signals come by :func:`alarm`.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

_START = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
if sys.argv[1] == "terminal":
    import fcntl, termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


def takes_ctrl_c(command: list[str], terminal: bool = False) -> list[str]:
    """Give the command line that runs a command, its path first, with SIGINT not ignored.

    ``terminal``: its standard input becomes its controlling terminal; it has to lead a session.
    """
    return [sys.executable, "-S", "-E", "-c", _START, "terminal" if terminal else "", *command]


@contextlib.contextmanager
def ctrl_c_raises() -> Iterator[None]:
    """Have SIGINT raise KeyboardInterrupt in this process within the block."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def alarm(seconds: float, error: type[BaseException]) -> Iterator[None]:
    """Have a signal raise this in the block, once, unless the block ends earlier.

    A handler of logging loses an ``Exception`` that a signal raises while it writes a message. Where messages
    may be logged, the error is no ``Exception``.
    """

    def ring(*_: object) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
