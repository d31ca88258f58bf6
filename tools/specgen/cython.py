# SPDX-License-Identifier: BSD-3-Clause
"""Generates the Cython of binding/ that spec/ determines.

admin_commands.pxi has the methods of Controller that only assemble a command's fields, and features.pxi the
features that belong to namespaces.
"""

from __future__ import annotations

from spec.commands import ADMIN
from spec.features import FEATURES
from spec.schema import Arg, Command

HEAD = """\
# SPDX-License-Identifier: BSD-3-Clause
# Generated from spec/commands.py by `python -m tools.specgen`. Change it there. Docstrings are in nvme.pyi.
"""
FEATURES_HEAD = """\
# SPDX-License-Identifier: BSD-3-Clause
# Generated from spec/features.py by `python -m tools.specgen`. Change it there.
"""
DWORDS = range(10, 16)
WIDTH = 118
NO_DATA = 0


def transfers_data(command: Command) -> bool:
    return command.opcode & 3 != NO_DATA


def parameters(command: Command) -> list[str]:
    required = [field.name for field in command.fields if field.default is None]
    optional = [f"{field.name}={field.default}" for field in command.fields if field.default is not None]
    data = ["buf=None"] if transfers_data(command) else []
    nsid = [f"nsid={command.nsid:#x}" if command.nsid else "nsid=0"] if command.nsid is not None else []
    return ["self", *required, *optional, *data, *nsid, "cb=None"]


def shifted(value: str, shift: int) -> str:
    return f"{value} << {shift}" if shift else value


def terms(field: Arg, dword: int) -> list[str]:
    """The terms that put a field into a dword."""
    value = f'_field({field.name}, {field.width}, "{field.name}")'
    if field.width <= 32:
        return [shifted(value, field.low)] if dword == field.dword else []
    if dword == field.dword:
        return [f"{value} & 0xffffffff"]
    return [f"{value} >> 32"] if dword == field.dword + 1 else []


def dwords(command: Command) -> list[str]:
    """The arguments of send_cmd that the command needs."""
    found = []
    for dword in DWORDS:
        values = [term for field in command.fields for term in terms(field, dword)]
        if values:
            found.append(f"cdw{dword}=" + f"\n        {' ' * len('cdw10')}| ".join(values))
    return found


def call(command: Command) -> list[str]:
    arguments = [f"{command.opcode:#04x}"]
    arguments += ["buf=buf"] * transfers_data(command)
    arguments += ["nsid=nsid"] * (command.nsid is not None)
    arguments += [*dwords(command), "cb=cb"]
    return ["    return self.send_cmd(", *(f"        {argument}," for argument in arguments), "    )"]


def method(command: Command) -> list[str]:
    head = f"def {command.method}({', '.join(parameters(command))}):"
    assert len(head) < WIDTH, f"{command.method} has too many parameters for one line"
    return ["", "@_named", head, *call(command)]


def render() -> str:
    lines = [line for command in ADMIN if command.method for line in method(command)]
    return HEAD + "\n".join(lines) + "\n"


def render_features() -> str:
    """The set of features whose commands name a namespace."""
    numbers = [f"0x{feature.fid:02x}" for feature in FEATURES.rows.values() if feature.namespace]
    return f"{FEATURES_HEAD}\n_NAMESPACE_FEATURES = {{{', '.join(numbers)}}}\n"
