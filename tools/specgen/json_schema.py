# SPDX-License-Identifier: BSD-3-Clause
"""Generates pynvme/schemas/structures.json, the JSON Schema of structures as the command line prints them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from spec.schema import Bits, Field, Structure
from tools.specgen import book

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "Structures. Generated from spec/ by python -m tools.specgen"
HEX = "^([0-9a-f]{2})*$"


def all_structures() -> dict[str, Structure]:
    """All structures by name."""
    return {
        entry.name: entry
        for module in book.modules().values()
        for entry in vars(module).values()
        if isinstance(entry, Structure)
    }


def number(bits: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": (1 << bits) - 1}


def sizes(structures: dict[str, Structure]) -> dict[str, dict[str, Any]]:
    """The kinds of numbers, by name, such as u32."""
    found = {8 * field.size for one in structures.values() for field in one.fields if field.kind == "uint"}
    return {f"u{bits}": number(bits) for bits in sorted(found)}


def about(entry: Field | Bits) -> dict[str, Any]:
    """The meaning of a field, and its unit."""
    found = {"description": entry.text} if entry.text else {}
    if entry.unit:
        found["unit"] = "K" if entry.unit == "Kelvin" else entry.unit
    if entry.zeroes_based:
        found["zeroes_based"] = True
    return found


def element(field: Field) -> dict[str, Any]:
    if field.kind == "struct":
        assert field.struct
        return {"$ref": f"#/$defs/{field.struct.name}"}
    if field.kind == "uint":
        return {"$ref": f"#/$defs/u{8 * field.size}"}
    return {"type": "string"} if field.kind in ("ascii", "utf8") else {"type": "string", "pattern": HEX}


def members(field: Field) -> Iterator[tuple[str, dict[str, Any]]]:
    """The members of an object for a field. There is a second one with the bits of a word."""
    if field.count == 1 or (field.count == 0 and field.kind == "bytes"):
        yield field.name, {**element(field), **about(field)}
    else:
        yield field.name, {"type": "array", "items": element(field), **about(field)}
    if field.bits and field.count == 1:
        names = [bits.name for bits in field.bits]
        bits = {one.name: {**number(one.width), **about(one)} for one in field.bits}
        yield (
            f"{field.name}_bits",
            {"type": "object", "properties": bits, "required": names, "additionalProperties": False},
        )


def structure(one: Structure) -> dict[str, Any]:
    properties = dict(member for field in one.fields for member in members(field))
    return {
        "type": "object",
        "description": one.text,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def lines(name: str, definition: dict[str, Any]) -> Iterator[str]:
    """A definition with a line for each property."""
    properties = definition.pop("properties", None)
    if properties is None:
        yield f"    {json.dumps(name)}: {json.dumps(definition)}"
        return
    rows = [f"        {json.dumps(key)}: {json.dumps(value)}" for key, value in properties.items()]
    inner = ",\n".join(rows)
    rest = json.dumps(definition)[1:-1]
    yield f'    {json.dumps(name)}: {{\n      {rest},\n      "properties": {{\n{inner}\n      }}\n    }}'


def choice(names: list[str]) -> str:
    """A definition that chooses the structure of `data` by the name in `structure`."""
    rules = [
        {
            "if": {"properties": {"structure": {"const": name}}},
            "then": {"properties": {"data": {"$ref": f"#/$defs/{name}"}}},
        }
        for name in names
    ]
    rows = ",\n".join(f"        {json.dumps(rule)}" for rule in rules)
    required = json.dumps(["structure", "size_bytes", "data"])
    return f'    "decoded": {{\n      "required": {required},\n      "allOf": [\n{rows}\n      ]\n    }}'


def render() -> str:
    """The whole file. `decoded` is a structure with its name, as commands print it."""
    structures = all_structures()
    definitions = {**sizes(structures), **{name: structure(one) for name, one in structures.items()}}
    parts = [line for name, one in definitions.items() for line in lines(name, one)]
    body = ",\n".join([*parts, choice(list(structures))])
    head = {"$schema": DRAFT, "$id": "structures.json", "title": TITLE}
    return f'{json.dumps(head, indent=2)[:-2]},\n  "$defs": {{\n{body}\n  }}\n}}\n'
