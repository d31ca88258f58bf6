# SPDX-License-Identifier: BSD-3-Clause
"""A capture of all that a script sends, from a moment on: each command of each queue of each drive.

with trace.capture("run.pcapng") as capture:
    ...                         # commands, IO workers, resets
print(capture.counts)           # 1,204 of 1,204 commands of 3 queues
"""

from __future__ import annotations

import os
import tempfile
from types import TracebackType

from pynvme.trace import spool
from pynvme.trace.files import replaced
from pynvme.trace.spool import Counts, Mark

WORKER_COMMANDS = 10_000
"""The commands at the beginning of an IO worker that are captured by default."""


class Spool:
    """The file that grows while the commands of this process are captured."""

    def __init__(self, path: str, worker_commands: int) -> None:
        """Begin."""
        import nvme

        self.path = path
        self.marks: list[Mark] = []
        nvme._capture_start(path, worker_commands)  # type: ignore[attr-defined]

    def stop(self) -> None:
        """End. The file is complete then."""
        import nvme

        nvme._capture_stop()  # type: ignore[attr-defined]


class Capture:
    """A capture that runs inside of a ``with`` block, and is a file after it."""

    def __init__(self, file: str | os.PathLike[str], worker_commands: int = WORKER_COMMANDS) -> None:
        self._file = os.fspath(file)
        if os.path.splitext(self._file)[1] != ".pcapng":
            raise ValueError(f"{self._file}: a capture of a run must be named .pcapng")
        if worker_commands < 0:
            raise ValueError(f"worker_commands must be 0 or more, not {worker_commands}")
        self._worker_commands = int(worker_commands)
        self._spool: Spool | None = None
        self.counts = Counts()
        """What it has, and what it has not, once it has ended."""

    def __enter__(self) -> Capture:
        folder = os.path.dirname(self._file) or "."
        descriptor, path = tempfile.mkstemp(prefix=".pynvme-", suffix=".spool", dir=folder)
        os.close(descriptor)
        try:
            self._spool = Spool(path, self._worker_commands)
        except BaseException:
            os.unlink(path)
            raise
        return self

    def mark(self, text: str) -> None:
        """Say what the script does from now on. Queues that begin later have it as a comment."""
        import time

        if self._spool is not None:
            self._spool.marks.append(Mark(time.time_ns(), text))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._spool is not None
        try:
            self._spool.stop()
            with replaced(self._file) as out:
                self.counts = spool.write([(self._spool.path, self._spool.marks)], out)
        finally:
            os.unlink(self._spool.path)
            self._spool = None


def capture(file: str | os.PathLike[str], worker_commands: int = WORKER_COMMANDS) -> Capture:
    """Capture each command of each queue of this process, until the end of a ``with`` block.

    A thread copies the command logs while the script runs. A queue that is faster than the thread loses
    commands, and :attr:`Capture.counts` tells how many.

    Args:
        file: a name that ends with .pcapng. An existing file is replaced when the block ends
        worker_commands: of each IO worker, capture its first commands up to this number, and its last 4,096.
            0 captures all of them. A command takes 240 bytes of the file

    Raises:
        ValueError: file has another suffix, or worker_commands is negative
        RuntimeError: a capture runs already
    """
    return Capture(file, worker_commands)
