# SPDX-License-Identifier: BSD-3-Clause
"""The output of the command line, which is the same on a terminal, in a pipe and in a log file."""

from __future__ import annotations

import io
import sys

from rich.console import Console
from rich.table import Table

PLAIN_WIDTH = 120
"""The number of columns if the output is not a terminal."""


def console(stderr: bool = False) -> Console:
    """A console without automatic colours, whose width in a pipe is constant."""
    stream = sys.stderr if stderr else sys.stdout
    if stream is None:  # closed before Python started
        return Console(file=io.StringIO(), highlight=False, width=PLAIN_WIDTH)
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else PLAIN_WIDTH)


def can_redraw(console: Console) -> bool:
    """Whether a line may be redrawn, which is true on a terminal only, regardless of FORCE_COLOR."""
    return console.file.isatty() and not console.is_dumb_terminal


def table(first: str, *columns: str) -> Table:
    """A table without lines, with a column of text and columns of numbers."""
    result = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    result.add_column(first, no_wrap=True)
    for title in columns:
        result.add_column(title, justify="right", no_wrap=True)
    return result
