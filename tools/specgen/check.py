# SPDX-License-Identifier: BSD-3-Clause
"""Finds entries of spec/ from which no right code can be generated, and says what is wrong with each."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterable, Iterator
from types import ModuleType

from spec.schema import Arg, Bits, Command, Enum, Field, Structure, Word

DWORDS = {2, 3, *range(10, 16)}
PARAMETERS = {"self", "buf", "nsid", "cb"}  # that a generated method may have already
KINDS = ("uint", "ascii", "utf8", "bytes", "struct")
LENGTHS = ("any", "fixed", "count", "lbas")
CHANGES = ("none", "range", "ranges", "zone", "namespace", "formatted", "all", "unknown")
RESHAPES = ("none", "namespace")
EFFECTS = ("lbcc", "ncc", "nic", "ccc")
SCOPES = ("ns", "ctrl", "subsystem")


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def wrong_choices(what: str, found: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    for value in found:
        if value not in known:
            yield f"{what} is {value!r}, which is none of {listed(known)}"


def wrong_names(names: list[str]) -> Iterator[str]:
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name):
            yield f"{name!r} cannot be a name in Python and C"
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{name} is there {count} times"


def overlaps(parts: Iterable[tuple[str, set[int]]]) -> Iterator[str]:
    used: dict[int, str] = {}
    for name, places in parts:
        others = {used[place] for place in places if place in used}
        for other in sorted(others):
            yield f"{name} overlaps {other}"
        used.update(dict.fromkeys(places, name))


# ---- enumerations, words and structures ----


def of_enum(enum: Enum) -> Iterator[str]:
    yield from wrong_names([value.name for value in enum.values])


def of_bits(bits: tuple[Bits, ...], width: int) -> Iterator[str]:
    plain = [one for one in bits if one.style != "value"]  # values of one field share its bits
    for one in bits:
        if one.top < one.low or one.top >= width:
            yield f"{one.name} is in bits {one.top}:{one.low} of a word of {width} bits"
    yield from wrong_names([one.name for one in plain if one.name])


def of_field(field: Field, earlier: list[str], end: int) -> Iterator[str]:
    yield from wrong_choices(f"the kind of {field.name}", [field.kind], KINDS)
    if field.end > end:
        yield f"{field.name} ends at byte {field.end}, behind the structure of {end} bytes"
    if field.kind == "struct" and field.struct is None:
        yield f"{field.name} does not say of which struct it is"
    elif field.struct and field.size != field.struct.size:
        yield f"{field.name} has {field.size} bytes, but {field.struct.name} has {field.struct.size}"
    if field.counted_by and field.counted_by not in earlier:
        yield f"{field.name} is counted by {field.counted_by}, but the fields before it are {listed(earlier)}"
    for problem in of_bits(field.bits, 8 * field.size):
        yield f"{field.name}: {problem}"


def of_structure(structure: Structure) -> Iterator[str]:
    names = [field.name for field in structure.fields]
    yield from wrong_names([*names, *(field.long for field in structure.fields if field.long)])
    yield from overlaps((field.name, set(range(field.offset, field.end))) for field in structure.fields)
    for number, field in enumerate(structure.fields):
        yield from of_field(field, names[:number], structure.size)
    for part in [*structure.length, *structure.asserted]:
        part = part[0] if isinstance(part, tuple) else part
        if isinstance(part, str) and part not in names:
            yield f"its length or its assertions name {part}, but its fields are {listed(names)}"


def of_word(word: Word) -> Iterator[str]:
    yield from of_bits(word.bits, 8 * word.size)


# ---- commands ----


def of_arg(arg: Arg) -> Iterator[str]:
    dwords = {arg.dword + bit // 32 for bit in range(arg.low, arg.top + 1)}
    if arg.top < arg.low or not dwords <= DWORDS:
        yield f"{arg.name} is in dword {arg.dword}, bits {arg.top}:{arg.low}, where no field can be"
    if arg.default is not None and not 0 <= arg.default < 1 << max(arg.width, 0):
        yield f"the default of {arg.name}, {arg.default}, does not fit into {arg.width} bits"
    if arg.name in PARAMETERS:
        yield f"{arg.name} is already a parameter of each method"


def of_length(command: Command, names: list[str]) -> Iterator[str]:
    length = command.length
    conditions = [condition[0] for condition in (length.when, length.other) if condition]
    yield from wrong_choices("the kind of its length", [length.kind], LENGTHS)
    for name in [*length.fields, *conditions]:
        if name not in names:
            yield f"its length depends on {name}, but its fields are {listed(names)}"
    if length.kind != "any" and not command.opcode & 3:
        yield f"bits 1:0 of opcode {command.opcode:02X}h say that it transfers nothing, but it has a length"


def of_command(command: Command, identify: list[str]) -> Iterator[str]:
    names = [arg.name for arg in command.fields]
    if not 0 <= command.opcode <= 0xFF:
        yield f"opcode {command.opcode:#x} has more than 8 bits"
    yield from wrong_names(names)
    yield from overlaps(
        (arg.name, {32 * arg.dword + bit for bit in range(arg.low, arg.top + 1)}) for arg in command.fields
    )
    for arg in command.fields:
        yield from of_arg(arg)
    yield from of_length(command, names)
    yield from wrong_choices("`changes`", [command.changes], CHANGES)
    yield from wrong_choices("`reshapes`", [command.reshapes], RESHAPES)
    yield from wrong_choices("an effect", command.effects, EFFECTS)
    yield from wrong_choices("a scope", command.scope, SCOPES)
    if command.announced and command.announced.field not in identify:
        yield f"{command.announced.field}, which announces it, is no field of Identify Controller"


def named(command: Command) -> str:
    return f"{command.set} {command.opcode:02X}h {command.name}"


def of_commands(commands: Iterable[Command], identify: list[str]) -> Iterator[str]:
    """The problems of all commands, each with the command. NVM and ZNS share a table of opcodes."""
    taken: dict[tuple[str, int], Command] = {}
    for command in commands:
        yield from (f"{named(command)}: {problem}" for problem in of_command(command, identify))
        yield from wrong_choices(f"{named(command)}: its set", [command.set], ("admin", "nvm", "zns", "kv"))
        table = "nvm" if command.set == "zns" else command.set
        other = taken.setdefault((table, command.opcode), command)
        if other is not command:
            yield f"{named(command)}: the opcode is that of {other.name}"


# ---- all of it ----


def of_module(module: ModuleType) -> Iterator[str]:
    """The problems of the enumerations, words and structures that a module of spec/ defines."""
    for name, entry in vars(module).items():
        if isinstance(entry, Enum):
            yield from (f"{name}: {problem}" for problem in of_enum(entry))
        elif isinstance(entry, Structure):
            yield from (f"{name}: {problem}" for problem in of_structure(entry))
        elif isinstance(entry, Word):
            yield from (f"{name}: {problem}" for problem in of_word(entry))


def problems(modules: dict[str, ModuleType]) -> list[str]:
    """What is wrong in spec/: a line for each, with the file and the entry."""
    identify = [field.name for field in modules["identify"].ID_CTRL.fields]
    found = [
        f"spec/{name}.py: {problem}" for name, module in modules.items() for problem in of_module(module)
    ]
    commands = of_commands(modules["commands"].COMMANDS, identify)
    return sorted({*found, *(f"spec/commands.py: {problem}" for problem in commands)})
