# SPDX-License-Identifier: BSD-3-Clause
"""A command log as a table, for the terminal and for a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from pynvme.html import STYLE
from pynvme.trace.command import Command
from pynvme.trace.log import HEADINGS, ROWS, CommandLog

_RIGHT = (False, True, True, False, True, True, False, False)


def cells(command: Command) -> tuple[str, ...]:
    """The cells of a row."""
    moment = command.submitted
    latency = command.latency_ns
    return (
        f"{moment:%H:%M:%S}.{command.submitted_ns % 1_000_000_000 // 1000:06d}",
        str(command.qid),
        str(command.cid),
        command.name,
        str(command.nsid) if command.nsid < 0xFFFFFFFF else "all",
        "" if latency is None else f"{latency / 1000:.3f}",
        command.status_name,
        command.what(),
    )


def _notes(command: Command) -> Iterator[str]:
    for fault in command.faults:
        after = (fault.time_ns - command.submitted_ns) / 1000
        yield f"fired {after:.3f} us after the submission: {fault.text}"


def _head(log: CommandLog) -> str:
    failed = sum(command.failed for command in log)
    where = f" of the drive at {log.drive}" if log.drive else ""
    return f"{len(log)} commands{where}" + (f", {failed} failed" if failed else "")


def text(log: CommandLog) -> str:
    """The last rows, under a line with the number of commands."""
    shown = list(log)
    rows = [cells(command) for command in shown[-ROWS:]]
    if not rows:
        return _head(CommandLog(shown, log.drive))
    widths = [max(len(row[at]) for row in (HEADINGS, *rows)) for at in range(len(HEADINGS))]

    def line(row: Iterable[str]) -> str:
        parts = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, _RIGHT)
        ]
        return "  ".join(parts).rstrip()

    lines = [_head(CommandLog(shown, log.drive)), line(HEADINGS)]
    if len(shown) > ROWS:
        lines.append(f"… {len(shown) - ROWS} earlier ones")
    for row, command in zip(rows, shown[-ROWS:]):
        lines += [line(row), *(f"    {note}" for note in _notes(command))]
    return "\n".join(lines)


def html(log: CommandLog) -> str:
    """The same as a table of HTML."""
    shown = list(log)
    head = "".join(f"<th style='{STYLE}'>{escape(heading)}</th>" for heading in HEADINGS)
    rows = []
    for command in shown[-ROWS:]:
        colour = ";font-weight:bold" if command.failed else ""
        row = [*cells(command)]
        row[-1] = "; ".join([row[-1], *_notes(command)])
        rows.append(
            "<tr>" + "".join(f"<td style='{STYLE}{colour}'>{escape(cell)}</td>" for cell in row) + "</tr>"
        )
    title = escape(_head(CommandLog(shown, log.drive)))
    return f"<table><caption style='{STYLE}'>{title}</caption><tr>{head}</tr>{''.join(rows)}</table>"
