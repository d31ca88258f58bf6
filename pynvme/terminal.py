# SPDX-License-Identifier: BSD-3-Clause
"""Where the command line prints: the same on a terminal, in a pipe and in a log file."""

from __future__ import annotations

import io
import sys

from rich.console import Console
from rich.table import Table

PLAIN_WIDTH = 120
"""Columns where the output is no terminal."""


def console(stderr: bool = False) -> Console:
    """Give a console that colours nothing by itself, and whose width does not depend on who reads a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    if stream is None:  # closed before Python started
        return Console(file=io.StringIO(), highlight=False, width=PLAIN_WIDTH)
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else PLAIN_WIDTH)


def can_redraw(console: Console) -> bool:
    """Whether a line may be drawn again: only on a terminal, whatever FORCE_COLOR and its like claim."""
    return console.file.isatty() and not console.is_dumb_terminal


def table(first: str, *columns: str) -> Table:
    """Give a table without lines: a column of text, then columns of numbers."""
    result = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    result.add_column(first, no_wrap=True)
    for title in columns:
        result.add_column(title, justify="right", no_wrap=True)
    return result
