# SPDX-License-Identifier: BSD-3-Clause
"""Structures from a table as in a data sheet, for the log pages of vendors.

    Erase counts
    3:0    least            erase count of the least worn block
    7:4    most             erase count of the most worn block
    8      flags            state
           bit 0     worn   a block is worn out
           bits 3:1  level  how worn, 0 to 7
    31:16  model:ascii      characters
    47:32  counts:4         an array of numbers of 4 bytes
    63:48  raw:bytes        bytes as they are
    65:64  heat:K           a temperature in Kelvin

The first line is the title, if it does not begin with a number. A line of a field has its bytes, the last
and the first one, as in the specification, its name, and its meaning. A name may have a kind, after a colon.
Lines that begin with ``bit`` or ``bits`` describe bits of the field above. Bytes that no line names are
reserved. Empty lines, and lines that begin with ``#``, have no effect.
"""

from __future__ import annotations

import re
from typing import Any

from pynvme.structure import Bit, Elements, Field, Kelvin, Number, Raw, Structure, Text, Word, WordAt

_FIELD = re.compile(r"(\d+)(?::(\d+))?\s+(\w+)(?::(\w+))?(?:\s+(.*))?")
_BITS = re.compile(r"bits?\s+(\d+)(?::(\d+))?\s+(\w+)(?:\s+(.*))?")


def structure(table: str, size: int = 0, name: str = "VendorLog") -> type[Structure]:
    """A class for the structure that a table describes.

    Args:
        table: the text of the table
        size: bytes of the structure, by default those of its fields
        name: that of the class

    Raises:
        ValueError: a line is wrong. The message has the line
    """
    title, fields, bits = _read(table)
    members: dict[str, Any] = {}
    for field, (first, last, kind, text) in fields.items():
        members[field] = _field(first, last - first + 1, kind, text, bits.get(field, {}), field)
    if not members:
        raise ValueError("the table describes no field: a line is BYTES NAME MEANING, such as 3:0 least …")
    needed = max(last for _, last, _, _ in fields.values()) + 1
    if size and size < needed:
        raise ValueError(f"the structure has {size} bytes, but its fields need {needed}")
    return type(name, (Structure,), {"TEXT": title or name, "SIZE": size or needed, **members})


Fields = dict[str, tuple[int, int, str, str]]
Bits = dict[str, dict[str, tuple[int, int, str]]]


def _read(table: str) -> tuple[str, Fields, Bits]:
    """The title, the fields by name, and the bits of each."""
    title = ""
    fields: Fields = {}
    bits: Bits = {}
    for number, raw in enumerate(table.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        part = _BITS.fullmatch(line)
        if part:
            if not fields:
                raise ValueError(f"line {number}: bits need a field above them: {line}")
            high, low, bit, text = part.groups()
            bits.setdefault(next(reversed(fields)), {})[bit] = (int(low or high), int(high), text or "")
            continue
        found = _FIELD.fullmatch(line)
        if found:
            last, first, name, kind, text = found.groups()
            if name in fields:
                raise ValueError(f"line {number}: {name} is there twice")
            fields[name] = (int(first or last), int(last), kind or "", text or "")
            if fields[name][0] > fields[name][1]:
                raise ValueError(f"line {number}: the last byte comes first, as in 3:0: {line}")
        elif fields or title or line[0].isdigit():
            raise ValueError(f"line {number} is not BYTES NAME MEANING, such as 3:0 least …: {line}")
        else:
            title = line
    return title, fields, bits


def _field(
    first: int, size: int, kind: str, text: str, bits: dict[str, tuple[int, int, str]], name: str
) -> Any:
    """The member of the class for a field."""
    if bits:
        wrong = [bit for bit, (low, high, _) in bits.items() if low > high or high >= 8 * size]
        if wrong or kind:
            raise ValueError(f"{name} has {8 * size} bits, among which {', '.join(wrong) or kind} cannot be")
        members = {bit: Bit(low, high, text) for bit, (low, high, text) in bits.items()}
        word = type(name.capitalize(), (Word,), members)
        return Field(first, WordAt(size, word), text)
    if kind == "ascii":
        return Field(first, Text(size), text)
    if kind == "bytes":
        return Field(first, Raw(size), text)
    if kind == "K":
        return Field(first, Number(size, Kelvin), text, "Kelvin")
    if kind.isdecimal() and int(kind) and size % int(kind) == 0:
        return Elements(first, Number(int(kind)), size // int(kind), text)
    if kind:
        raise ValueError(
            f"{name}:{kind}: the kind is ascii, bytes, K, or the bytes of an element that divide {size}"
        )
    return Field(first, Number(size), text)
