# SPDX-License-Identifier: BSD-3-Clause
"""What commands print: JSON, tables, dumps."""

from __future__ import annotations

import json as _json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pynvme.structure import Structure

VERSION = 1
"""Of the JSON. It changes if a key is renamed or removed, or gets another meaning; keys may be added."""


def json(record: dict[str, Any]) -> None:
    """Print a record as JSON, with the version of its layout."""
    click.echo(_json.dumps({"version": VERSION, **record}, indent=2, default=bytes.hex))


def plain(structure: Structure) -> dict[str, Any]:
    """A structure for JSON. Numbers stay numbers, bytes become hexadecimal text.

    A field `x` that consists of bits is a number, and the bits are in `x_bits`.
    """
    from pynvme.structure import Array, Structure, Word

    record: dict[str, Any] = {}
    for name in structure.FIELDS:
        value = getattr(structure, name)
        if isinstance(value, Structure):
            record[name] = plain(value)
        elif isinstance(value, Array):
            record[name] = [plain(one) if isinstance(one, Structure) else _plain(one) for one in value]
        else:
            record[name] = _plain(value)
        if isinstance(value, Word) and value.BITS:
            record[f"{name}_bits"] = value.to_dict()
    return record


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    return int(value) if isinstance(value, int) else value


def structure(found: Structure) -> dict[str, Any]:
    """The part of a record that describes a structure."""
    return {"structure": type(found).__name__, "size_bytes": len(found), "data": plain(found)}


def size(number: int) -> str:
    """A size as drives are sold by: 3.84 TB."""
    amount = float(number)
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{number} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"


def dump(data: bytes) -> str:
    """Bytes as a hexadecimal dump. Repeated lines are one line with a star."""
    lines: list[str] = []
    before = b""
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        if row == before and start + 16 < len(data):
            if lines[-1] != "*":
                lines.append("*")
            continue
        before = row
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        halves = row[:8].hex(" "), row[8:].hex(" ")
        lines.append(f"{start:08x}  {halves[0]:<23}  {halves[1]:<23}  |{shown}|")
    return "\n".join(lines)
