# SPDX-License-Identifier: BSD-3-Clause
"""A command log as a sequence of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from pynvme.trace.command import RECORD, Command

if TYPE_CHECKING:
    import os

    import numpy

ROWS = 40
"""The most rows of a table. Of a longer log it has the last ones."""

HEADINGS = ("time", "queue", "cid", "command", "nsid", "latency us", "status", "what")


class CommandLog(Sequence[Command]):
    """Commands of one or several queues, in the order of their submission.

    ``log[-1]`` is the newest one, and a slice is a log again. Logs of several queues are added to one with
    ``+``.
    """

    def __init__(self, commands: Sequence[Command] = (), drive: str = "") -> None:
        """A log of these commands. ``drive`` is the address of their drive, if that is known."""
        self._commands = tuple(commands)
        self.drive = drive

    def _all(self) -> tuple[Command, ...]:
        return self._commands

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Command]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Command: ...

    @overload
    def __getitem__(self, index: slice) -> CommandLog: ...

    def __getitem__(self, index: int | slice) -> Command | CommandLog:
        found = self._all()
        if isinstance(index, slice):
            return CommandLog(found[index], self.drive)
        try:
            return found[index]
        except IndexError:
            raise IndexError(f"the log has {len(found)} commands, and no index {index}") from None

    def __add__(self, other: CommandLog) -> CommandLog:
        if not isinstance(other, CommandLog):
            return NotImplemented
        both = sorted((*self, *other), key=lambda c: (c.submitted_ns, c.qid, c.number))
        return CommandLog(both, self.drive or other.drive)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CommandLog) and self._all() == other._all()

    __hash__ = None  # type: ignore[assignment]

    def filter(self, condition: Callable[[Command], bool] | None = None, /, **fields: Any) -> CommandLog:
        """The commands for which a function is true, and whose attributes have these values.

        A command without one of the fields is left out.

        Example:
            >>> log.filter(opcode=2, status=0)
            >>> log.filter(lambda c: (c.latency_ns or 0) > 1_000_000, nsid=1)
        """
        if condition is not None and not callable(condition):
            raise TypeError(f"condition must be a function of a Command, not {type(condition).__name__}")

        def fits(command: Command) -> bool:
            for name, wanted in fields.items():
                if getattr(command, name, fits) != wanted:
                    return False
            return condition is None or bool(condition(command))

        return CommandLog([command for command in self if fits(command)], self.drive)

    @property
    def failures(self) -> CommandLog:
        """The commands that completed with an error status, or not in time."""
        return self.filter(lambda command: command.failed)

    def to_dict(self) -> dict[str, Any]:
        """The log as plain numbers, texts, lists and dicts, for JSON."""
        return {"version": 1, "drive": self.drive, "commands": [command.to_dict() for command in self]}

    def to_numpy(self) -> numpy.ndarray[Any, Any]:
        """The log as a structured array of numpy, with a row a command. Times are in ns.

        ``latency_ns`` and ``status`` are -1 for commands that have not completed, and ``lbas`` is 0 for those
        that name no LBAs.
        """
        from pynvme.trace import arrays

        return arrays.table(self)

    def to_pandas(self) -> Any:
        """The log as a DataFrame of pandas, with a row a command and the columns of :meth:`to_numpy`.

        The time is a column of time stamps, and the names of commands and statuses are columns too.

        Raises:
            ImportError: pandas is not installed
        """
        from pynvme.trace import arrays

        return arrays.frame(self)

    def save(self, file: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the log to a file, in the format of its suffix.

        .pcapng     a capture that Wireshark opens as NVMe/TCP, with a conversation for each queue
        .json       a trace for ui.perfetto.dev and chrome://tracing
        .parquet    a table for pandas, polars or DuckDB. It needs pyarrow (pip install pyarrow)
        .npy        the same table for numpy
        .trace      all that the log has, for :func:`pynvme.trace.load`

        Args:
            file: its name. An existing file is replaced
            format: the suffix to go by, such as "pcapng", if the file has another one

        Raises:
            ValueError: there is no such format
            ImportError: a library is missing
        """
        from pynvme.trace import files

        files.save(self, file, format)

    def records(self) -> bytes:
        """All commands as the driver hands them over, without data and faults."""
        return b"".join(command.raw for command in self)

    def __repr__(self) -> str:
        from pynvme.trace import table

        return table.text(self)

    def _repr_html_(self) -> str:
        from pynvme.trace import table

        return table.html(self)


class LiveLog(CommandLog):
    """The log of a queue as it is at each use: iterate over it, index it, filter it, save it.

    ``cmdlog(count)`` prints the log, newest first, as in the older APIs. ``len()`` and an index each read the
    log anew, so take ``cmdlog_list()`` where commands are sent meanwhile.
    """

    def __init__(
        self, read: Callable[[], CommandLog], show: Callable[..., None], document: str | None = None
    ) -> None:
        """``read`` returns the log, and ``show(count)`` prints it."""
        self._read, self._show = read, show
        self.__doc__ = document

    @property
    def drive(self) -> str:  # type: ignore[override]
        """The address of the drive."""
        return self._read().drive

    def _all(self) -> tuple[Command, ...]:
        return self._read()._all()

    if TYPE_CHECKING:

        def __call__(self, count: int = 0) -> None: ...
    else:

        def __call__(self, *count: Any, **names: Any) -> None:
            """Print the commands that were sent last, newest first. 0 prints all that the log holds."""
            self._show(*count, **names)


def from_records(
    records: bytes,
    drive: str,
    faults: dict[int, list[tuple[int, str]]] | None = None,
    data: dict[int, bytes] | None = None,
) -> CommandLog:
    """A log of what the driver hands over. ``faults`` and ``data`` are by the index of the command."""
    from pynvme.trace.command import Fault

    commands = []
    for index in range(len(records) // RECORD.size):
        raw = records[index * RECORD.size : (index + 1) * RECORD.size]
        fired = tuple(Fault(*one) for one in (faults or {}).get(index, ()))
        commands.append(Command(raw, fired, (data or {}).get(index)))
    return CommandLog(commands, drive)
