# SPDX-License-Identifier: BSD-3-Clause
"""Generates spec/commands.c, with the tables of commands and statuses that spec/commands.h declares."""

from __future__ import annotations

from spec.commands import ADMIN, KV, NVM, ZNS
from spec.schema import Arg, Command, Length
from spec.status import STATUS
from tools.specgen.c_fields import name as place

TABLES = {"SPEC_ADMIN": ADMIN, "SPEC_IO": NVM + ZNS, "SPEC_KV": KV}
PREFIX = {"admin": "NVME_ADMIN_", "nvm": "NVME_IO_", "zns": "NVME_IO_", "kv": "NVME_KV_"}
EDITIONS = {"Base": "Base 2.1", "NVM": "NVM 1.1", "ZNS": "ZNS 1.2", "KV": "KV 1.1"}
OF_SET = {"admin": "Base", "nvm": "NVM", "zns": "ZNS", "kv": "KV"}
FLAGS = {
    "names_lbas": "SPEC_NAMES_LBAS",
    "workers": "SPEC_BY_WORKERS",
    "reidentify": "SPEC_REIDENTIFY",
    "mandatory": "SPEC_MANDATORY",
}
HEAD = """\
/* SPDX-License-Identifier: BSD-3-Clause */
/* Generated from spec/commands.py and spec/status.py by `python -m tools.specgen`. Change it there. */
/* clang-format off */
#include "spec/commands.h"

#include "spec/nvme_cmd.h"
#include "spec/nvme_field.h"
#include "spec/nvme_id.h"
#include "spec/nvme_log.h"
"""


def label(name: str) -> str:
    """A name in capitals, for logs."""
    return name.upper().replace("I/O", "IO").replace("_", " ")


def version(since: str) -> str:
    major, minor, *tertiary = map(int, since.split("."))
    return f"{major << 16 | minor << 8 | (tertiary or [0])[0]:#010x}"


# ---- how much a command transfers ----


def arg(command: Command, name: str) -> Arg:
    return next(field for field in command.fields if field.name == name)


def counted(command: Command, length: Length) -> list[str]:
    """The members that name the field with the count."""
    fields = [arg(command, name) for name in length.fields]
    members = [f".low = {place(command, fields[0])}"] if fields else []
    members += [f".high = {place(command, fields[1])}"] if len(fields) > 1 else []
    return members + [".zeroes_based = true"] * bool(fields and fields[0].zeroes_based)


def conditions(command: Command, length: Length) -> list[str]:
    members = [".zero_is_any = true"] if length.zero_is_any else []
    if length.when:
        name, value = length.when
        members += [f".when = {place(command, arg(command, name))}", f".when_value = {value}"]
    if length.other:
        name, bits, unit = length.other
        members += [
            f".other = {place(command, arg(command, name))}",
            f".other_bits = {bits}",
            f".other_unit = {unit}",
        ]
    return members


def rule(command: Command) -> list[str]:
    length = command.length
    if length.kind == "any":
        return []
    members = [f".kind = SPEC_LENGTH_{length.kind.upper()}", f".unit = {length.unit}"]
    members += counted(command, length) + conditions(command, length)
    return [f".length = {{{', '.join(members)}}}"]


# ---- a command ----


def effects(command: Command) -> list[str]:
    words = [f"NVME_EFFECT_{effect.upper()}" for effect in command.effects]
    words += [f"NVME_EFFECT_SCOPE_{scope.upper()}" for scope in command.scope]
    words += [f"{command.exclusive}u << NVME_EFFECT_CSE_SHIFT"] if command.exclusive else []
    return [f".effects = {' | '.join(words)}"] if words else []


def announced(command: Command) -> list[str]:
    if not command.announced:
        return []
    where = f"offsetof(struct nvme_id_ctrl, {command.announced.field})"
    return [f".announced = {command.announced.mask:#x}u", f".announced_by = {where}"]


def flags(command: Command) -> list[str]:
    words = [flag for name, flag in FLAGS.items() if getattr(command, name)]
    words += ["SPEC_RESHAPES"] * (command.reshapes != "none")
    return [f".flags = {' | '.join(words)}"] if words else []


def section(command: Command) -> str:
    """The section of a command, such as "Base 2.1, 5.1.10"."""
    of, _, number = command.section.rpartition(" ")
    return f"{EDITIONS[of or OF_SET[command.set]]}, {number}"


def one_command(command: Command) -> list[str]:
    members = [
        f'.name = "{command.label or label(command.name)}"',
        f'.title = "{command.name}"',
        f'.section = "{section(command)}"',
        f".changes = SPEC_CHANGES_{command.changes.upper()}",
        f".since = {version(command.since)}",
        *flags(command),
        *effects(command),
        *announced(command),
        *rule(command),
    ]
    lines = [f"\t\t\t{member}," for member in members]
    return [f"\t\t[{PREFIX[command.set]}{command.c}] = {{", *lines, "\t\t},"]


def commands() -> list[str]:
    lines = ["const struct spec_command spec_commands[SPEC_TABLES][256] = {"]
    for table, entries in TABLES.items():
        lines += [f"\t[{table}] = {{", *(line for entry in entries for line in one_command(entry)), "\t},"]
    return [*lines, "};"]


def statuses() -> list[str]:
    lines = [f'\t[{STATUS.c_name(value)}] = "{value.label or label(value.name)}",' for value in STATUS.values]
    return ["const char *const spec_status_names[SPEC_STATUSES] = {", *lines, "};"]


def render() -> str:
    return "\n".join([HEAD, *commands(), "", *statuses()]) + "\n"
