# SPDX-License-Identifier: BSD-3-Clause
"""Counts the failures in this process, regardless of Python's warning filters.

Python shows a warning once for each line of a script, so a script in which 100 reads fail prints one line.
The driver therefore counts each failure here too. At the end of a script it prints the counts in one line on
standard error::

    100 commands ended with an error status: 100 × 00/80 LBA Out of Range

The environment variable ``PYNVME_SUMMARY=0``, or :data:`summary` set to False, switches that line off. Under
pytest the plugin shows the counts instead.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Callable, NamedTuple, TextIO

__all__ = ["Failure", "Listener", "describe", "listen", "summary", "totals"]

STATUS = "status"
MISMATCH = "mismatch"
TIMEOUT = "timeout"
ASSERTION = "assertion"
CALLBACK = "callback"
WORKER = "worker"

GRAVE = frozenset({MISMATCH, ASSERTION})
"""Each of these fails a test, unless the test expected it."""

_VARIABLE = "PYNVME_SUMMARY"
_COMMANDS = (STATUS, MISMATCH)
_OTHERS = {
    TIMEOUT: ("1 command timed out", "{} commands timed out"),
    ASSERTION: ("1 assertion in a callback failed", "{} assertions in callbacks failed"),
    CALLBACK: ("1 callback was not called", "{} callbacks were not called"),
    WORKER: ("1 IO worker failed", "{} IO workers failed"),
}


class Failure(NamedTuple):
    """A kind of failure and its name, such as ``Failure("status", "00/80 LBA Out of Range")``."""

    kind: str
    name: str

    @property
    def grave(self) -> bool:
        """Whether a test in which it happens fails, unless the test expected it."""
        return self.kind in GRAVE


Listener = Callable[[Failure, Warning], None]

totals: Counter[Failure] = Counter()
"""How often each failure happened in this process."""

summary = True
"""Whether the end of this process prints :data:`totals` on standard error."""

_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Call ``listener(failure, warning)`` after each warning about a failure was issued. None removes it.

    If a filter turns a warning into an exception, the caller of the driver gets that, and the listener is not
    called.
    """
    global _listener
    _listener = listener


def count(kind: str, name: str) -> Failure:
    """Count a failure. The driver calls this before it issues the warning."""
    failure = Failure(kind, name)
    totals[failure] += 1
    return failure


def issued(failure: Failure, warning: Warning) -> None:
    """Call the listener. The driver calls this function after the warning."""
    if _listener is not None:
        _listener(failure, warning)


def status(number: int, name: str = "") -> str:
    """Write a status, SCT << 8 | SC, with the specification's name of it, such as ``00/80 LBA Out of Range``.

    ``name`` is that of a status that the specification does not know, such as the driver's own 07/81.
    """
    from pynvme import status as names

    known = number in names.STATUS_NAMES
    return f"{names.code(number)} {names.name(number) if known or not name else name.title()}"


def describe(counts: Mapping[Failure, int]) -> str:
    """The counts in one line, the most frequent first, or empty if there are none."""
    parts = []
    commands = {failure.name: n for failure, n in counts.items() if failure.kind in _COMMANDS}
    if commands:
        total = sum(commands.values())
        each = ", ".join(f"{n} × {name}" for name, n in sorted(commands.items(), key=lambda item: -item[1]))
        parts.append(f"{total} command{'s' * (total != 1)} ended with an error status: {each}")
    for kind, (one, many) in _OTHERS.items():
        total = sum(n for failure, n in counts.items() if failure.kind == kind)
        if total:
            parts.append(one if total == 1 else many.format(total))
    return "; ".join(parts)


def _tell() -> None:
    """At exit, print one line if anything failed and standard error is open."""
    line = describe(totals)
    if not line or not summary or os.environ.get(_VARIABLE) == "0" or _is_gone(sys.stderr):
        return
    with contextlib.suppress(OSError, ValueError):  # the reader may be gone
        encoding = sys.stderr.encoding or "ascii"
        print(line if _fits(line, encoding) else line.replace("×", "x"), file=sys.stderr, flush=True)


def _is_gone(stream: TextIO | None) -> bool:
    """Whether there is no stream, or its descriptor was closed.

    A stream keeps data that it could not write. Python 3.9 writes them again at its end, and exits with 120.
    """
    if stream is None:
        return True
    try:
        number = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return False
    try:
        os.fstat(number)
    except OSError:
        return True
    return False


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


atexit.register(_tell)
# A forked child counts only its own failures.
os.register_at_fork(after_in_child=totals.clear)
