# SPDX-License-Identifier: BSD-3-Clause
"""The reference of the specification: commands, statuses, and each field with its offset, width and unit.

It is made from pynvme.spec, so that it shows the names that scripts use.
"""

from __future__ import annotations

import inspect
import re
from enum import IntEnum
from importlib import import_module
from types import ModuleType

from pynvme.structure import Alias, Elements, Field, Rest, Structure, Word

MODULES = {
    "identify": "Identify",
    "logs": "Log pages",
    "ocp": "Log pages of OCP",
    "features": "Features",
    "registers": "Registers",
    "commands": "Commands",
    "status": "Statuses",
    "descriptors": "Descriptors",
    "enums": "Values of fields",
    "pci": "PCI configuration space",
    "mi": "Management interface",
}
"""The modules of pynvme.spec, and what their pages are called."""


def pages() -> dict[str, str]:
    """A page for each module, and one that lists them."""
    made = {f"reference/spec/{name}.md": page(name, title) for name, title in MODULES.items()}
    listed = [f"spec/{name}" for name in MODULES]
    made["reference/spec.md"] = "\n".join(
        [
            "# The specification, field by field",
            "",
            "`pynvme.spec` has the structures, commands, statuses and registers of the NVMe specifications.",
            "[Reading what a drive says of itself](../how-to/structures.md) tells how a script uses them.",
            "Sections are those of the NVM Express Base Specification 2.1, unless another one is named.",
            "",
            "```{toctree}",
            "",
            *listed,
            "```",
            "",
        ]
    )
    return made


def page(name: str, title: str) -> str:
    """All that a module defines, in its order."""
    module = import_module(f"pynvme.spec.{name}")
    parts = [f"# {title}", "", f"`pynvme.spec.{name}`", ""]
    for one in defined(module):
        parts += section(one)
    return "\n".join(parts) + "\n"


def defined(module: ModuleType) -> list[type]:
    """Classes that the module itself defines."""
    own = [one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__]
    return [one for one in own if not one.__name__.startswith("_")]


def section(one: type) -> list[str]:
    """A class, with a table of its members."""
    if issubclass(one, Structure):
        return [f"## {one.__name__}", "", first_line(one), "", *fields(one), ""]
    if issubclass(one, Word):
        return [f"## {one.__name__}", "", first_line(one), "", *bits(one), ""]
    if issubclass(one, IntEnum):
        return [f"## {one.__name__}", "", first_line(one), "", *values(one), ""]
    return []


def first_line(one: type) -> str:
    """What the docstring says before its table."""
    return escaped(inspect.getdoc(one) or "").partition("\n\n")[0]


def fields(one: type[Structure]) -> list[str]:
    """The fields with their bytes, and the bits of words below their word."""
    lines = ["| bytes | name | unit | what it is |", "|---|---|---|---|"]
    aliases = {alias.name: name for name, alias in vars(one).items() if isinstance(alias, Alias)}
    for name, field in one.FIELDS.items():
        also = f", `{aliases[name]}`" if name in aliases else ""
        lines.append(row(span(field), f"`{name}`{also}", field.unit, note(field)))
        kind = getattr(getattr(field, "item", None), "kind", None)
        if inspect.isclass(kind) and issubclass(kind, Word):
            lines += [
                row(f"bits {where}", f"`{name}.{bit}`", unit, text) for where, bit, unit, text in of(kind)
            ]
        elif inspect.isclass(kind) and issubclass(kind, Structure):
            lines[-1] = row(span(field), f"`{name}`{also}", field.unit, f"{note(field)} ({kind.__name__})")
    return lines


def span(field: Field[object] | Elements[object] | Rest) -> str:
    """The bytes of a field, the last one first, as the specification writes them."""
    if isinstance(field, Rest):
        return f"{field.offset}…"
    size = field.item.size
    if isinstance(field, Elements):
        return (
            f"{field.offset + size * field.count - 1}:{field.offset}" if field.count else f"{field.offset}…"
        )
    return f"{field.offset + size - 1}:{field.offset}" if size > 1 else str(field.offset)


def note(field: Field[object] | Elements[object] | Rest) -> str:
    """What a field means, and how it counts."""
    return field.text + ("; one less than the number" if field.zeroes_based else "")


def of(kind: type[Word]) -> list[tuple[str, str, str, str]]:
    """Bits of a word: where, name, unit, meaning."""
    found = []
    for name, bit in kind.BITS.items():
        high = bit.low + bit.mask.bit_length() - 1
        where = f"{high}:{bit.low}" if high > bit.low else str(bit.low)
        found.append(
            (where, name, bit.unit, bit.text + ("; one less than the number" if bit.zeroes_based else ""))
        )
    return found


def bits(kind: type[Word]) -> list[str]:
    """A table of a word's bits."""
    lines = ["| bits | name | unit | what it is |", "|---|---|---|---|"]
    return lines + [row(where, f"`{name}`", unit, text) for where, name, unit, text in of(kind)]


def values(one: type[IntEnum]) -> list[str]:
    """A table of the values of an enumeration, with the comment that stands beside each."""
    said = comments(one)
    lines = ["| value | name | what it is |", "|---|---|---|"]
    return lines + [row(f"{int(value):#04x}", f"`{value.name}`", said.get(value.name, "")) for value in one]


def comments(one: type[IntEnum]) -> dict[str, str]:
    """The comments in the source of an enumeration, by name."""
    return dict(re.findall(r"^    (\w+) = \S+  # (.*)$", inspect.getsource(one), re.MULTILINE))


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"


def escaped(text: str) -> str:
    """Text in which no character means something to Markdown but a backtick."""
    return text.replace("|", "\\|").replace("<", "\\<").replace("*", "\\*")
