# SPDX-License-Identifier: BSD-3-Clause
"""The command line, ``pynvme`` or ``python -m pynvme``. `pynvme.cli.registry` lists the commands."""

from __future__ import annotations

import signal
from importlib import import_module
from typing import Any

import click

from pynvme import __version__
from pynvme.cli.errors import as_one_line
from pynvme.cli.registry import COMMANDS

__all__ = ["main"]

GAP = 12
"""Columns for the name of a command, and the blanks behind it."""
COLUMN = 40
"""Columns for a command with its text."""


class Commands(click.Group):
    """Imports the module of a command only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the registry."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, function = entry.place.partition(":")
        found = getattr(import_module(module), function)
        assert isinstance(found, click.Command)
        return found

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in one line, and the commands."""
        formatter.write("\nOptions: --version, --help (-h)\n")
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in two columns, so that they fit a screen."""
        cells = [f"{name:<{GAP}}{entry.text}" for name, entry in COMMANDS.items() if entry.listed]
        half = (len(cells) + 1) // 2
        formatter.write("\n")
        for left, right in zip(cells[:half], [*cells[half:], ""]):
            formatter.write(f"  {left:<{COLUMN}}{right}".rstrip() + "\n")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete the name of a command without an import of all of them."""
        from click.shell_completion import CompletionItem

        found = [name for name in COMMANDS if name.startswith(incomplete)]
        return [CompletionItem(name, help=COMMANDS[name].text) for name in found]

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Its errors are one line, and Ctrl-C exits with 130."""
        with as_one_line():
            return super().invoke(ctx)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="pynvme COMMAND --help explains one. Example: pynvme smart 01:00.0",
)
@click.version_option(__version__, prog_name="pynvme")
def main() -> None:
    """Test NVMe SSDs with Python scripts: a driver, and a virtual SSD to begin with."""
    if callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, signal.default_int_handler)
