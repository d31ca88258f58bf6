# SPDX-License-Identifier: BSD-3-Clause
"""Generates pynvme/spec/formats.py: the fields of all commands, for decoding."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spec.commands import ADMIN, KV, NVM, ZNS
from spec.schema import Arg, Command
from tools.specgen.c_table import label

NAMES = ["ADMIN_COMMANDS", "IO_COMMANDS", "KV_COMMANDS"]
HEAD = '''# SPDX-License-Identifier: BSD-3-Clause
"""The fields of commands.

Generated from spec/commands.py by `python -m tools.specgen`. Change it there.
"""
'''


def field(arg: Arg) -> list[str]:
    parts = [json.dumps(arg.name), str(arg.dword), str(arg.low), str(arg.top)]
    rest = []
    if arg.text or arg.unit or arg.zeroes_based or arg.values:
        rest = [json.dumps(arg.text), json.dumps(arg.unit), str(arg.zeroes_based)]
    if arg.values:
        rest.append(f"enums.{arg.values.name}")
    line = f"CommandField({', '.join([*parts, *rest])}),"
    if len(line) <= 96:
        return [line]
    return ["CommandField(", *(f"    {part}," for part in (", ".join(parts), *rest)), "),"]


def command(one: Command) -> Iterator[str]:
    yield f"    0x{one.opcode:02X}: CommandFormat("
    yield f'        "{one.name}",'
    yield f'        "{one.label or label(one.name)}",'
    yield f"        {one.names_lbas},"
    yield "        ("
    yield from (f"            {line}" for arg in one.fields for line in field(arg))
    yield from ["        ),", "    ),"]


def table(name: str, commands: tuple[Command, ...], text: str) -> Iterator[str]:
    yield from ["", f"{name}: dict[int, CommandFormat] = {{"]
    for one in commands:
        yield from command(one)
    yield from ["}", f'"""{text}"""']


def render() -> str:
    """The whole file."""
    lines = [
        HEAD,
        "from pynvme.command_format import CommandField, CommandFormat",
        "from pynvme.spec import enums",
    ]
    lines += table("ADMIN_COMMANDS", ADMIN, "Admin commands by their opcodes.")
    lines += table("IO_COMMANDS", NVM + ZNS, "Commands of the NVM and the Zoned Namespace Command Set.")
    lines += table("KV_COMMANDS", KV, "Commands of the Key Value Command Set.")
    return "\n".join([*lines, ""])
