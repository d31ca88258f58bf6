# SPDX-License-Identifier: BSD-3-Clause
"""The reference of options: of the virtual SSD, of the command line, of pytest."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import click

from pynvme import vssd
from pynvme.cli import main
from tools.site.book import row

OF_THE_PLUGIN = re.compile(r"^  --(?:pciaddr|nvme-|check-).*(?:\n {10,}.*)*", re.MULTILINE)
"""An option of the plugin in the help of pytest, with the lines that explain it."""


def pages() -> dict[str, str]:
    """The pages, with their text."""
    return {
        "reference/virtual-ssd.md": virtual_ssd(),
        "reference/command-line.md": command_line(),
        "reference/pytest.md": pytest_options(),
    }


def virtual_ssd() -> str:
    """All options of a virtual SSD."""
    rows = [row(f"`{name}`", one.takes or "none", one.help) for name, one in vssd.options().items()]
    return "\n".join(
        [
            "# Options of the virtual SSD",
            "",
            'An address (`"vssd:size=8G,namespaces=2"`) and `pynvme.vssd.VirtualSsd(...)` take them,',
            "and `python -m pynvme vssd` takes them with `-` for `_`. "
            "[The virtual SSD](../how-to/virtual-ssd.md) shows each way.",
            "",
            "| option | value | what it does (default) |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def command_line() -> str:
    """The help of each command."""
    parts = ["# The command line", "", "`pynvme` and `python -m pynvme` are the same.", ""]
    for depth, command in commands(click.Context(main, info_name="pynvme")):
        parts += [f"#{'#' * depth} {command.command_path}", ""] if depth else []
        parts += ["```text", *command.get_help().splitlines(), "```", ""]
    return "\n".join(parts)


def commands(context: click.Context, depth: int = 0) -> Iterator[tuple[int, click.Context]]:
    """A command and all below it, in their order."""
    yield depth, context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            below = context.command.get_command(context, name)
            assert below is not None
            yield from commands(click.Context(below, context, name, **below.context_settings), depth + 1)


def pytest_options() -> str:
    """The options that the plugin adds, as pytest describes them."""
    said = run("pytest", "-p", "pynvme.plugin", "--help", "-c", "/dev/null", "--rootdir", "/")
    return "\n".join(
        [
            "# Options of pytest",
            "",
            "What they are for: [Writing tests](../how-to/tests.md), [Looking for bugs](../how-to/check.md).",
            "",
            "```text",
            *OF_THE_PLUGIN.findall(said),
            "```",
            "",
        ]
    )


def run(*words: str) -> str:
    """The output of a module."""
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=True)
    return done.stdout
