# SPDX-License-Identifier: BSD-3-Clause
"""The reference of options: of the virtual SSD, of the command line, of pytest."""

from __future__ import annotations

import re
import subprocess
import sys

from pynvme import plugin, vssd

COMMANDS = re.compile(r"^  ([a-z][\w-]*)  ", re.MULTILINE)


def pages() -> dict[str, str]:
    """The pages, with their text."""
    return {
        "reference/virtual-ssd.md": virtual_ssd(),
        "reference/command-line.md": command_line(),
        "reference/pytest.md": pytest_options(),
    }


def virtual_ssd() -> str:
    """All options of a virtual SSD."""
    rows = [
        f"| `{name}` | {option.takes or 'none'} | {cell(option.help)} |"
        for name, option in vssd.options().items()
    ]
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
    parts = ["# The command line", "", "`pynvme` and `python -m pynvme` are the same.", "", *shown("")]
    for name in COMMANDS.findall(help_of().partition("Commands:")[2]):
        parts += [f"## pynvme {name}", "", *shown(name)]
        if "Commands:" in (said := help_of(name)):
            for below in COMMANDS.findall(said.partition("Commands:")[2]):
                parts += [f"### pynvme {name} {below}", "", *shown(name, below)]
    return "\n".join(parts) + "\n"


def pytest_options() -> str:
    """Options and fixtures of the plugin, as pytest tells them."""
    said = run("pytest", "-p", "pynvme.plugin", "--help", "-c", "/dev/null", "--rootdir", "/")
    ours = re.findall(r"^(?:NVMe|pynvme).*?:\n(?:(?: .*)?\n)*?(?=\S|\Z)", said, re.MULTILINE)
    wanted = [line.rstrip() for block in ours for line in block.splitlines()]
    doc = plugin.__doc__ or ""
    return "\n".join(
        [
            "# Options of pytest",
            "",
            "[Writing tests](../how-to/tests.md) tells what they are for.",
            "",
            "```text",
            *(wanted or doc.splitlines()),
            "```",
            "",
        ]
    )


def shown(*words: str) -> list[str]:
    """The help of a command as a block."""
    return ["```text", *help_of(*words).rstrip().splitlines(), "```", ""]


def help_of(*words: str) -> str:
    """What a command says of itself."""
    return run("pynvme", *(word for word in words if word), "--help")


def run(*words: str) -> str:
    """The output of a module."""
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=True)
    return done.stdout


def cell(text: str) -> str:
    """Text of a cell of a table."""
    return text.replace("|", "\\|").replace("<", "\\<").replace("*", "\\*")
